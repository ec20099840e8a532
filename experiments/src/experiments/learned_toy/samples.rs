//! Samples by the learned and by the exact score, from the same starts.

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::killing::{Hazard, ResidualNoise};
use resolvent::core::step::{Bridge, EulerMaruyama, Flux};
use resolvent::core::{Contraction, Ensemble, Exit, FixedStep, Sampler, Score, ScoreAdaptive};
use resolvent::metrics::{self, DistanceStatistics, Estimate, Order, distance_statistics, mean};

use super::sets::{Data, Set};
use super::{Settings, Use};
use crate::outcome::{Table, cells};

/// Whose score drives a run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Driver {
    Exact,
    Learned,
}

impl Driver {
    pub(super) const ALL: [Self; 2] = [Self::Exact, Self::Learned];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Learned => "learned",
        }
    }
}

/// How a particle goes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// By the reverse SDE: mean bridges on polar data, Euler-Maruyama with the hazard elsewhere.
    Noisy,
    /// By the flux flow.
    Flow,
}

impl Way {
    pub(super) const ALL: [Self; 2] = [Self::Noisy, Self::Flow];

    pub(super) fn name(self, set: &Set) -> &'static str {
        match (self, &set.data) {
            (Self::Noisy, Data::Polar { .. }) => "bridge",
            (Self::Noisy, Data::Dense { .. }) => "Euler-Maruyama, hazard",
            (Self::Flow, Data::Polar { .. }) => "flux flow",
            (Self::Flow, Data::Dense { .. }) => "flux flow, hazard",
        }
    }

    /// The backward process from `starts`.
    pub(super) fn run(
        self,
        set: &Set,
        score: &dyn Score,
        starts: &DMatrix<f64>,
        settings: &Settings,
        seed: u64,
    ) -> Result<Ensemble> {
        let process = &set.process;
        let (bridge, euler, flux) = (Bridge::new(score), EulerMaruyama::new(score), Flux::new(score));
        let ensemble = match (self, &set.data) {
            (Self::Noisy, Data::Polar { .. }) => {
                let control = ScoreAdaptive::new(settings.eta, settings.delta)?;
                Sampler::new(process, &bridge, &control).cap(settings.cap).run(starts, seed)?
            }
            (Self::Flow, Data::Polar { .. }) => {
                let control = Contraction::new(settings.flux_eta)?;
                let rule = ResidualNoise::new(process, settings.delta)?;
                Sampler::new(process, &flux, &control)
                    .killing("noise", &rule)
                    .final_denoise(true)
                    .cap(settings.cap)
                    .run(starts, seed)?
            }
            // Both scores die at the same rate, the exact one, so that what differs is the score.
            (way, Data::Dense { score: exact, .. }) => {
                let control = FixedStep::new(settings.dt)?;
                let rule = Hazard::new(|x: &[f64]| exact.log_hazard(x));
                let sampler = if way == Self::Noisy {
                    Sampler::new(process, &euler, &control)
                } else {
                    Sampler::new(process, &flux, &control)
                };
                sampler.killing("hazard", &rule).cap(settings.cap).run(starts, seed)?
            }
        };
        Ok(ensemble)
    }
}

/// One run against fresh data.
pub(super) struct Sampled {
    pub(super) way: Way,
    pub(super) driver: Driver,
    evaluations: Estimate,
    pub(super) distances: DistanceStatistics,
    /// Sliced Wasserstein distance to fresh data, over the draws of these.
    pub(super) wasserstein: Estimate,
    capped: usize,
    diverged: usize,
    pub(super) points: DMatrix<f64>,
}

/// All runs on one set, the exact one before the learned one.
pub(super) struct Samples {
    pub(super) runs: Vec<Sampled>,
    /// The sliced Wasserstein distance of two sets of fresh data.
    floor: Estimate,
}

impl Samples {
    pub(super) fn new(
        set: &Set,
        learned: &dyn Score,
        data: &DMatrix<f64>,
        settings: &Settings,
        seed: u64,
    ) -> Result<Self> {
        let n = settings.particles;
        let starts = set.rough_starts(data, n, Use::Starts.seed(seed, 0))?;
        let fresh: Vec<DMatrix<f64>> =
            (0..2 * settings.references).map(|k| set.law().sample(n, Use::Fresh.seed(seed, k))).collect();
        let distance = |a: &DMatrix<f64>, k: usize| {
            let directions = Use::Directions.seed(seed, k);
            Ok(metrics::sliced_wasserstein(a, &fresh[k], settings.projections, Order::One, directions)?.value)
        };
        let against = |a: &DMatrix<f64>| -> Result<Estimate> {
            let values = (0..settings.references).map(|k| distance(a, k)).collect::<Result<Vec<_>>>()?;
            Ok(mean(&values)?)
        };
        let floors = (0..settings.references)
            .map(|k| distance(&fresh[k + settings.references], k))
            .collect::<Result<Vec<_>>>()?;
        let mut runs = Vec::new();
        for way in Way::ALL {
            for driver in Driver::ALL {
                let score = if driver == Driver::Exact { set.score() } else { learned };
                let ensemble = way.run(set, score, &starts, settings, Use::Paths.seed(seed, 0))?;
                let distances: Vec<f64> =
                    ensemble.points.column_iter().map(|x| set.distance(x.as_slice())).collect();
                let evaluations: Vec<f64> = ensemble.evaluations.iter().map(|n| *n as f64).collect();
                let count = |is: fn(&Exit) -> bool| ensemble.exits.iter().filter(|exit| is(exit)).count();
                runs.push(Sampled {
                    way,
                    driver,
                    evaluations: mean(&evaluations)?,
                    distances: distance_statistics(&distances)?,
                    wasserstein: against(&ensemble.points)?,
                    capped: count(|exit| *exit == Exit::StepCap),
                    diverged: count(|exit| matches!(exit, Exit::Diverged { .. })),
                    points: ensemble.points,
                });
            }
        }
        Ok(Self { runs, floor: mean(&floors)? })
    }

    pub(super) fn run(&self, way: Way, driver: Driver) -> &Sampled {
        let found = self.runs.iter().find(|run| run.way == way && run.driver == driver);
        found.expect("every way is run by every driver")
    }
}

/// One row for each set and run.
pub(super) fn table(reports: &[(&Set, &Samples)], settings: &Settings) -> Table {
    let mut table = Table::new(
        "samples",
        format!(
            "{} particles from a rough start law: the normal law with the mean and covariance of the data, moved to its death (r = {}); \
             the same starts and draws for both scores. Bridges with η = {}, δ = {}; flux flow in steps of {} in the logarithm of the \
             distance, ended at δ; on the checkerboard steps of {} in time. Distance to M, and sliced Wasserstein distance W₁ to {} sets of \
             as many fresh data; the floor is that of two such sets.",
            settings.particles,
            settings.rate,
            settings.eta,
            settings.delta,
            settings.flux_eta,
            settings.dt,
            settings.references
        ),
        &[
            "set",
            "step",
            "score",
            "evaluations",
            "median distance",
            "5 %",
            "95 %",
            "largest",
            "W₁",
            "standard error",
            "W₁ over the exact sampler's",
            "floor",
            "standard error of the floor",
            "capped",
            "diverged",
        ],
    );
    for (set, samples) in reports {
        for run in &samples.runs {
            let exact = samples.run(run.way, Driver::Exact).wasserstein.value;
            table.push(cells![
                set.name,
                run.way.name(set),
                run.driver.name(),
                run.evaluations.value,
                run.distances.quantiles[2],
                run.distances.quantiles[0],
                run.distances.quantiles[4],
                run.distances.max,
                run.wasserstein.value,
                run.wasserstein.standard_error,
                run.wasserstein.value / exact,
                samples.floor.value,
                samples.floor.standard_error,
                run.capped,
                run.diverged,
            ]);
        }
    }
    table
}

//! The mixture under a schedule, reversed from the exact p_T and from the prior: what `ve-mixture` and `vp-mixture`
//! share.

mod checks;
mod figures;
mod tables;

use anyhow::{Result, ensure};
use nalgebra::DMatrix;
use rayon::prelude::*;
use resolvent::core::GaussianMixture;
use resolvent::core::horizon::{Churn, LinearScheme, euler_maruyama, heun, reverse_diffusion};
use resolvent::core::schedule::{Grid, Level, Schedule, diffuse, prior};
use resolvent::metrics;

use super::figures::empirical;
use super::initialisation::Initialisation;
use super::snapshots::{self, Run};
use crate::experiment::Context;
use crate::experiments::tabulated::Tabulated;
use crate::outcome::Outcome;

/// Significance of every test of fit, before it is divided by their number.
const SIGNIFICANCE: f64 = 1e-3;
/// Paths shown.
const PATHS: usize = 8;

/// A note for both experiments.
pub(super) const FLOW_KEEPS_BIAS: &str = "The flow keeps the Kolmogorov-Smirnov distance between its law and p_t for \
     all times, for on the line it is one monotone map applied to both. The reverse SDE forgets part of the bias: \
     its distance falls on the way.";

/// A reversal from T to `end`.
pub(super) struct Study<'a> {
    pub(super) law: &'a GaussianMixture,
    pub(super) schedule: &'a dyn Schedule,
    /// What the schedule is, for captions.
    pub(super) name: String,
    /// Where sampling ends.
    pub(super) end: f64,
    /// Steps of the reverse SDE, equally long in time; the flow makes half as many, with two evaluations each.
    pub(super) steps: usize,
    /// Particles in each run.
    pub(super) particles: usize,
    /// Times on the way at which the marginals are compared, descending, strictly between T and the end; the nearest step
    /// is taken.
    pub(super) times: &'a [f64],
    /// The backward time up to which the evolution is shown.
    pub(super) shown: f64,
}

#[derive(Clone, Copy, PartialEq)]
enum Method {
    EulerMaruyama,
    ReverseDiffusion,
    Flow,
}

#[derive(Clone, Copy, PartialEq)]
enum Start {
    Exact,
    Prior,
}

/// One sample against its laws.
struct Fit {
    level: Level,
    /// To the exact law of what is simulated, bias and all.
    own: metrics::KsResult,
    /// To p_t.
    marginal: metrics::KsResult,
    /// sup |law - p_t|, where it is and the difference there.
    bias: (f64, f64),
    /// What of that difference the sample shows, and its standard error.
    seen: (f64, f64),
}

struct Report {
    method: Method,
    start: Start,
    run: Run,
    fits: Vec<Fit>,
}

impl Method {
    const ALL: [Self; 3] = [Self::EulerMaruyama, Self::ReverseDiffusion, Self::Flow];

    fn name(self) -> &'static str {
        match self {
            Self::EulerMaruyama => "reverse SDE, Euler-Maruyama",
            Self::ReverseDiffusion => "reverse SDE, reverse diffusion",
            Self::Flow => "probability flow, Heun",
        }
    }

    /// Its steps where the others make `steps`: as many evaluations.
    fn steps(self, steps: usize) -> usize {
        if self == Self::Flow { steps.div_ceil(2) } else { steps }
    }

    fn scheme(self, schedule: &dyn Schedule, grid: &Grid) -> Result<LinearScheme> {
        Ok(match self {
            Self::EulerMaruyama => euler_maruyama(schedule, grid)?,
            Self::ReverseDiffusion => reverse_diffusion(grid)?,
            Self::Flow => heun(grid, Churn::NONE)?,
        })
    }

    /// The law that it has at level `to` if it starts in the prior.
    fn biased(self, start: &Initialisation<'_>, to: &Level) -> Result<Tabulated> {
        if self == Self::Flow { start.flow(to) } else { start.sde(to) }
    }
}

impl Start {
    const ALL: [Self; 2] = [Self::Exact, Self::Prior];

    fn name(self) -> &'static str {
        match self {
            Self::Exact => "p_T",
            Self::Prior => "prior",
        }
    }
}

impl Study<'_> {
    /// Runs everything.
    pub(super) fn run(&self, context: &Context) -> Result<Outcome> {
        let horizon = self.schedule.horizon();
        let inside = self.times.iter().all(|t| *t > self.end && *t < horizon);
        let descending = self.times.windows(2).all(|pair| pair[0] > pair[1]);
        ensure!(
            inside && descending && !self.times.is_empty(),
            "setting `times` must descend between {horizon} and {}, got {:?}",
            self.end,
            self.times
        );
        ensure!(self.particles >= 100, "setting `particles` must be at least 100, got {}", self.particles);
        let progress = context.progress(6, &format!("{} reversed", self.name));
        let starts = Start::ALL.map(|start| (start, self.starts(start, context.seed)));
        let mut reports = Vec::new();
        for (k, method) in Method::ALL.into_iter().enumerate() {
            let grid = Grid::uniform_time(self.schedule, method.steps(self.steps), self.end)?;
            let step =
                |t: &f64| ((horizon - t) / (horizon - self.end) * grid.steps() as f64).round() as usize;
            let wanted: Vec<usize> = self.times.iter().map(step).chain([grid.steps()]).collect();
            let scheme = method.scheme(self.schedule, &grid)?;
            // All methods start at the same places; the noise is that of the method, the same from both starts.
            let seed = context.seed.wrapping_add(k as u64);
            for (start, starts) in &starts {
                context.proceed()?;
                let run = snapshots::run(&scheme.with(self.law), starts, seed, &wanted, PATHS, context)?;
                let fits = wanted
                    .par_iter()
                    .zip(&run.places)
                    .map(|(step, places)| self.fit(method, *start, &grid.levels()[*step], places))
                    .collect::<Result<_>>()?;
                reports.push(Report { method, start: *start, run, fits });
                progress.inc(1);
            }
        }
        Ok(Outcome {
            checks: self.checks(&reports)?,
            tables: self.tables(&reports)?,
            figures: self.figures(&reports)?,
            notes: Vec::new(),
        })
    }

    /// A note on what the samples can show of the bias at the end.
    pub(super) fn power(&self) -> Result<String> {
        let level = self.schedule.level(self.end);
        let [sde, flow] =
            [self.initialisation().sde(&level)?, self.initialisation().flow(&level)?].map(|law| {
                let (x, bias) = law.furthest(|x| self.law.cdf(&level, x));
                let error = (law.at(x) * (1.0 - law.at(x)) / self.particles as f64).sqrt();
                (bias.abs(), bias.abs() / error)
            });
        Ok(format!(
            "By quadrature the bias at the end is {:.2e} for the reverse SDE and {:.2e} for the flow, {:.2} and {:.2} \
             standard errors of {} samples where it is largest; samples cannot show a bias that is not well above one \
             standard error.",
            sde.0, flow.0, sde.1, flow.1, self.particles
        ))
    }

    /// Initial places of the particles.
    fn starts(&self, start: Start, seed: u64) -> DMatrix<f64> {
        match start {
            Start::Exact => diffuse(&self.from(), &self.law.sample(self.particles, seed), seed),
            Start::Prior => prior(self.schedule, 1, self.particles, seed),
        }
    }

    fn from(&self) -> Level {
        self.schedule.level(self.schedule.horizon())
    }

    fn initialisation(&self) -> Initialisation<'_> {
        Initialisation { law: self.law, from: self.from(), deviation: self.schedule.prior_deviation() }
    }

    fn fit(&self, method: Method, start: Start, level: &Level, places: &[f64]) -> Result<Fit> {
        let cdf = |x: f64| self.law.cdf(level, x);
        let marginal = metrics::ks_one_sample(places, cdf)?;
        let (own, bias) = match start {
            Start::Exact => (marginal, (f64::NAN, 0.0)),
            Start::Prior => {
                let law = method.biased(&self.initialisation(), level)?;
                (metrics::ks_one_sample(places, |x| law.at(x))?, law.furthest(cdf))
            }
        };
        let seen = if bias.0.is_finite() {
            let share = empirical(places, &[bias.0])[0];
            let expected = cdf(bias.0) + bias.1;
            (share - cdf(bias.0), (expected * (1.0 - expected) / places.len() as f64).sqrt())
        } else {
            (0.0, 0.0)
        };
        Ok(Fit { level: *level, own, marginal, bias, seen })
    }
}

//! Data with a density: lines are killed on the way.

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::killing::Hazard;
use resolvent::core::marginal::NoisyDensity;
use resolvent::core::random::{Purpose, stream};
use resolvent::core::schedule::Level;
use resolvent::core::score::SmoothedScore;
use resolvent::core::step::Flux;
use resolvent::core::{Contraction, EmpiricalMeasure, Exit, GaussianMixture, KilledBrownianMotion, Sampler};
use resolvent::metrics;

use super::Settings;
use crate::outcome::Figure;
use crate::plot::histogram_with_density;

/// A mixture of normal laws with one variance.
pub(super) struct Density {
    pub(super) name: &'static str,
    law: GaussianMixture,
    process: KilledBrownianMotion,
    score: SmoothedScore,
}

/// The end points against the law of the data.
pub(super) struct Fit {
    /// The KS distance of each coordinate.
    pub(super) statistics: Vec<f64>,
    pub(super) mean_evaluations: f64,
    pub(super) most_evaluations: usize,
    /// Particles that the hazard did not kill.
    pub(super) left: usize,
    pub(super) figure: Option<Figure>,
}

impl Density {
    /// 0.3 N(-5, 4) + 0.7 N(5, 4).
    pub(super) fn line(settings: &Settings) -> Result<Self> {
        let points = DMatrix::from_column_slice(1, 2, &[-5.0, 5.0]);
        Self::new("mixture on the line", points, &[0.3, 0.7], 2.0, settings)
    }

    /// Three normal laws in the plane.
    pub(super) fn plane(settings: &Settings) -> Result<Self> {
        let points = DMatrix::from_column_slice(2, 3, &[-4.0, 0.0, 3.0, 2.0, 2.0, -5.0]);
        Self::new("mixture in the plane", points, &[0.5, 0.3, 0.2], 1.5, settings)
    }

    fn new(
        name: &'static str,
        points: DMatrix<f64>,
        weights: &[f64],
        width: f64,
        settings: &Settings,
    ) -> Result<Self> {
        let process = KilledBrownianMotion::new(points.nrows(), 1.0, settings.density_rate)?;
        let law = GaussianMixture::isotropic(weights, points.clone(), &vec![width; weights.len()])?;
        let score = SmoothedScore::new(&process, EmpiricalMeasure::weighted(points, weights)?, width)?;
        Ok(Self { name, law, process, score })
    }

    pub(super) fn run(&self, settings: &Settings, seed: u64) -> Result<Fit> {
        let (dim, n) = (self.process.dim(), settings.density_particles);
        let mut points = DMatrix::zeros(dim, n);
        for (i, mut point) in points.column_iter_mut().enumerate() {
            self.law.sample_into(&mut stream(seed, Purpose::Data, i as u64), point.as_mut_slice());
        }
        let (starts, _) = self.process.deaths(&points, seed)?;
        let step = Flux::new(&self.score);
        let control = Contraction::new(settings.density_eta)?;
        let rule = Hazard::new(|x: &[f64]| self.score.log_hazard(x)).share(0.2)?;
        let ensemble =
            Sampler::new(&self.process, &step, &control).killing("hazard", &rule).run(&starts, seed)?;
        let mut statistics = Vec::new();
        for i in 0..dim {
            let sample: Vec<f64> = ensemble.points.row(i).iter().copied().collect();
            statistics.push(
                metrics::ks_one_sample(&sample, |x| self.law.marginal_cdf(&Level::CLEAN, i, x))?.statistic,
            );
        }
        Ok(Fit {
            statistics,
            mean_evaluations: ensemble.mean_evaluations(),
            most_evaluations: ensemble.evaluations.iter().copied().max().unwrap_or(0),
            left: ensemble.exits.iter().filter(|exit| !matches!(exit, Exit::Killed { .. })).count(),
            figure: if dim == 1 { Some(self.figure(ensemble.points.as_slice())?) } else { None },
        })
    }

    fn figure(&self, ends: &[f64]) -> Result<Figure> {
        let density = |x: f64| {
            let mut log_density = [0.0];
            self.law.log_densities(&Level::CLEAN, &[x], &mut log_density);
            log_density[0].exp()
        };
        Ok(Figure::new(
            "density",
            format!(
                "End points of {} lines of -J killed at the rate α/u along them, and the law of the data, 0.3 N(-5, 4) + 0.7 N(5, 4).",
                ends.len()
            ),
            histogram_with_density("x", ("end points", ends), ("data", density), (-12.0, 12.0), 60)?,
        ))
    }
}

//! One instance: a few normal atoms and a start outside them.

use anyhow::Result;
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent::core::random::{Purpose, stream};
use resolvent::core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion, LifetimeLaw, Oracle};

use super::Settings;

/// Standard normal atoms, one start of one and a half times their scale, and the exact law from there.
pub(super) struct Problem {
    pub(super) number: usize,
    pub(super) process: KilledBrownianMotion,
    pub(super) measure: EmpiricalMeasure,
    pub(super) score: EmpiricalScore,
    /// The start, once per particle (d x n).
    pub(super) starts: DMatrix<f64>,
    /// The resolution δ.
    pub(super) floor: f64,
    oracle: Oracle,
}

impl Problem {
    pub(super) fn new(dim: usize, rate: f64, number: usize, settings: &Settings, seed: u64) -> Result<Self> {
        let mut rng = stream(seed, Purpose::Experiment, (dim * 1000 + number) as u64);
        let points = DMatrix::from_fn(dim, settings.atoms, |_, _| rng.sample(StandardNormal));
        let start: Vec<f64> = (0..dim).map(|_| 1.5 * rng.sample::<f64, _>(StandardNormal)).collect();
        let process = KilledBrownianMotion::new(dim, 1.0, rate)?;
        let measure = EmpiricalMeasure::new(points)?;
        Ok(Self {
            number,
            score: EmpiricalScore::new(&process, measure.clone())?,
            oracle: Oracle::new(process.clone(), measure.clone())?,
            starts: DMatrix::from_fn(dim, settings.particles, |i, _| start[i]),
            floor: settings.floor * measure.smallest_gap(),
            process,
            measure,
        })
    }

    /// Two data at distance 1 either side of the origin, the first with the share `share`, and a start as far from both.
    pub(super) fn two_atoms(dim: usize, share: f64, particles: usize) -> Result<Self> {
        let process = KilledBrownianMotion::new(dim, 1.0, 0.05)?;
        let mut points = DMatrix::zeros(dim, 2);
        (points[(0, 0)], points[(0, 1)]) = (1.0, -1.0);
        let measure = EmpiricalMeasure::weighted(points, &[share, 1.0 - share])?;
        let mut starts = DMatrix::zeros(dim, particles);
        starts.row_mut(1).fill(1.5);
        Ok(Self {
            number: 0,
            score: EmpiricalScore::new(&process, measure.clone())?,
            oracle: Oracle::new(process.clone(), measure.clone())?,
            starts,
            floor: 1e-2 * measure.smallest_gap(),
            process,
            measure,
        })
    }

    /// The exact law of the end point.
    pub(super) fn end_law(&self) -> Vec<f64> {
        self.oracle.end_law(self.starts.column(0).as_slice())
    }

    /// The exact law of the lifetime.
    pub(super) fn lifetime_law(&self) -> LifetimeLaw {
        self.oracle.lifetime_law(self.starts.column(0).as_slice())
    }
}

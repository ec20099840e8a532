//! Polar data whose law is known, with the exact score.

use std::f64::consts::TAU;

use anyhow::Result;
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent::core::random::{Purpose, Stream, stream};
use resolvent::core::score::CircleScore;
use resolvent::core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion, Score};

use super::Settings;

/// Weights of the atoms.
pub(super) const WEIGHTS: [f64; 5] = [1.0, 2.0, 1.0, 0.5, 1.5];
/// Angles at which the law on the circle is tabulated in each cell.
const FINE: usize = 1_000;

/// The density on the circle: von Mises humps of concentration 4 at 1 and of concentration 2 at -2, and a floor.
pub(super) fn circle_density(angle: f64) -> f64 {
    0.5 + 1.5 * f64::exp(4.0 * ((angle - 1.0).cos() - 1.0))
        + 2.0 * f64::exp(2.0 * ((angle + 2.0).cos() - 1.0))
}

/// The atoms in dimension `dim`.
pub(super) fn atoms(dim: usize, seed: u64) -> Result<EmpiricalMeasure> {
    let mut rng = stream(seed, Purpose::Experiment, dim as u64);
    let points = DMatrix::from_fn(dim, WEIGHTS.len(), |_, _| rng.sample(StandardNormal));
    Ok(EmpiricalMeasure::weighted(points, &WEIGHTS)?)
}

/// Data, their score and their law in cells.
pub(super) struct Problem {
    pub(super) name: String,
    pub(super) process: KilledBrownianMotion,
    pub(super) score: Box<dyn Score>,
    /// The probability of each cell.
    pub(super) law: Vec<f64>,
    /// Where lines end (length).
    pub(super) delta: f64,
    data: Data,
}

enum Data {
    Atoms(EmpiricalMeasure),
    /// The distribution function of the angle at the end of each of [`FINE`] parts of every cell.
    Circle(Vec<f64>),
}

impl Problem {
    pub(super) fn atoms(dim: usize, settings: &Settings, seed: u64) -> Result<Self> {
        let process = KilledBrownianMotion::new(dim, 1.0, settings.rate)?;
        let measure = atoms(dim, seed)?;
        Ok(Self {
            name: format!("atoms, d = {dim}"),
            score: Box::new(EmpiricalScore::new(&process, measure.clone())?),
            process,
            law: measure.log_weights().iter().map(|w| w.exp()).collect(),
            delta: settings.delta * measure.smallest_gap(),
            data: Data::Atoms(measure),
        })
    }

    pub(super) fn circle(dim: usize, settings: &Settings) -> Result<Self> {
        let process = KilledBrownianMotion::new(dim, 1.0, settings.rate)?;
        let parts = settings.bins * FINE;
        let mut sum = 0.0;
        let mut distribution: Vec<f64> = (0..parts)
            .map(|i| {
                sum += circle_density(TAU * (i as f64 + 0.5) / parts as f64);
                sum
            })
            .collect();
        distribution.iter_mut().for_each(|p| *p /= sum);
        let ends: Vec<f64> = distribution.chunks(FINE).map(|part| part[FINE - 1]).collect();
        Ok(Self {
            name: format!("circle, d = {dim}"),
            score: Box::new(CircleScore::new(&process, 1.0, circle_density)?),
            process,
            law: ends.iter().scan(0.0, |before, end| Some(end - std::mem::replace(before, *end))).collect(),
            delta: settings.delta,
            data: Data::Circle(distribution),
        })
    }

    /// `n` draws of the law r u: data moved to their deaths (d x n).
    pub(super) fn starts(&self, n: usize, seed: u64) -> Result<DMatrix<f64>> {
        let mut points = DMatrix::zeros(self.process.dim(), n);
        for (i, mut point) in points.column_iter_mut().enumerate() {
            self.data.draw(&mut stream(seed, Purpose::Data, i as u64), point.as_mut_slice());
        }
        Ok(self.process.deaths(&points, seed)?.0)
    }

    /// The cell of the data nearest to `x`.
    pub(super) fn cell(&self, x: &[f64]) -> usize {
        match &self.data {
            Data::Atoms(measure) => {
                let squared =
                    |i: usize| x.iter().zip(measure.point(i)).map(|(x, y)| (x - y).powi(2)).sum::<f64>();
                (0..measure.len())
                    .min_by(|&a, &b| squared(a).total_cmp(&squared(b)))
                    .expect("there are atoms")
            }
            Data::Circle(_) => {
                let turn = (x[1].atan2(x[0]) / TAU).rem_euclid(1.0);
                ((turn * self.law.len() as f64) as usize).min(self.law.len() - 1)
            }
        }
    }
}

impl Data {
    fn draw(&self, rng: &mut Stream, out: &mut [f64]) {
        let uniform: f64 = rng.random();
        match self {
            Self::Atoms(measure) => out.copy_from_slice(measure.point(pick(measure, uniform))),
            Self::Circle(distribution) => {
                let part = distribution.partition_point(|p| *p < uniform).min(distribution.len() - 1);
                let angle = TAU * (part as f64 + rng.random::<f64>()) / distribution.len() as f64;
                (out[0], out[1]) = (angle.cos(), angle.sin());
            }
        }
    }
}

/// The point of a measure that has the share `uniform` of the weights before it.
fn pick(measure: &EmpiricalMeasure, uniform: f64) -> usize {
    let mut left = uniform;
    let weights = measure.log_weights().iter().map(|w| w.exp());
    let found = weights.enumerate().find(|(_, w)| {
        left -= w;
        left < 0.0
    });
    found.map_or(measure.len() - 1, |(i, _)| i)
}

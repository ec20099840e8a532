//! What the tests share: data, a short training, statistics.

use nalgebra::DMatrix;
use rayon::prelude::*;
use resolvent_core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion, Score};
use resolvent_learn::examples::{Example, Source};
use resolvent_learn::network::{Architecture, ResidualMlp};
use resolvent_learn::train::Task;

/// sqrt(n) times the largest gap between the empirical and the given distribution function must stay below this
/// (Kolmogorov, 1e-4).
pub(crate) const KOLMOGOROV: f64 = 2.225;

/// A mean that is zero lies this many standard errors away from it once in 1.7 million.
pub(crate) const FIVE: f64 = 5.0;

/// Three points of the plane.
pub(crate) fn atoms() -> DMatrix<f64> {
    DMatrix::from_column_slice(2, 3, &[-1.0, -0.4, 1.2, -0.2, 0.1, 1.3])
}

pub(crate) fn exact(data: &DMatrix<f64>, rate: f64) -> EmpiricalScore {
    let process = KilledBrownianMotion::new(data.nrows(), 1.0, rate).unwrap();
    EmpiricalScore::new(&process, EmpiricalMeasure::new(data.clone()).unwrap()).unwrap()
}

/// Gain and score at a point.
pub(crate) fn at(score: &dyn Score, x: &[f64]) -> (f64, Vec<f64>) {
    let (mut gain, mut v) = ([0.0], vec![0.0; x.len()]);
    score.evaluate(x, &mut gain, &mut v);
    v.iter_mut().for_each(|v| *v *= gain[0]);
    (gain[0], v)
}

pub(crate) fn distance(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt()
}

/// The Kolmogorov-Smirnov statistic times sqrt(n).
pub(crate) fn kolmogorov(sample: &[f64], cdf: impl Fn(f64) -> f64) -> f64 {
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let gap = sorted.iter().enumerate().map(|(i, x)| {
        let c = cdf(*x);
        f64::max(c - i as f64 / n, (i as f64 + 1.0) / n - c)
    });
    gap.fold(0.0, f64::max) * n.sqrt()
}

/// Sums of terms whose mean should be zero, in cells.
pub(crate) struct Cells {
    sums: Vec<(f64, f64, usize)>,
}

impl Cells {
    pub(crate) fn new(cells: usize) -> Self {
        Self { sums: vec![(0.0, 0.0, 0); cells] }
    }

    pub(crate) fn add(&mut self, cell: usize, term: f64) {
        let (sum, square, count) = &mut self.sums[cell];
        *sum += term;
        *square += term * term;
        *count += 1;
    }

    /// The largest sum of a cell in units of its standard error.
    pub(crate) fn largest(&self) -> f64 {
        assert!(
            self.sums.iter().all(|(_, _, count)| *count > 100),
            "a cell is all but empty: {:?}",
            self.sums
        );
        self.sums.iter().map(|(sum, square, _)| sum.abs() / square.sqrt()).fold(0.0, f64::max)
    }
}

pub(crate) fn mlp(width: usize, depth: usize) -> Architecture {
    Architecture::Mlp(ResidualMlp { width, depth })
}

/// Adam on gradients cut to norm 1, with a learning rate that falls to zero along a cosine.
pub(crate) fn train(task: &dyn Task, steps: u64, batch: u64, rate: f64) -> Vec<f32> {
    const SHARD: u64 = 64;
    let mut parameters = task.layout().initial(1);
    let (mut first, mut second) = (vec![0.0f64; parameters.len()], vec![0.0f64; parameters.len()]);
    for step in 0..steps {
        let start = step * batch;
        let shards: Vec<u64> = (start..start + batch).step_by(SHARD as usize).collect();
        let parts: Vec<Vec<f32>> = shards
            .par_iter()
            .map(|&from| {
                let mut gradient = vec![0.0; parameters.len()];
                task.gradient(&parameters, from..(from + SHARD).min(start + batch), &mut gradient);
                gradient
            })
            .collect();
        let share = step as f64 / steps as f64;
        let rate = rate * 0.5 * (1.0 + (std::f64::consts::PI * share).cos());
        let corrections = (1.0 - 0.9f64.powf(step as f64 + 1.0), 1.0 - 0.99f64.powf(step as f64 + 1.0));
        let mean = |i: usize| parts.iter().map(|part| f64::from(part[i])).sum::<f64>() / batch as f64;
        let norm = (0..parameters.len()).map(|i| mean(i).powi(2)).sum::<f64>().sqrt();
        for i in 0..parameters.len() {
            let g = mean(i) / norm.max(1.0);
            first[i] += 0.1 * (g - first[i]);
            second[i] += 0.01 * (g * g - second[i]);
            let step = (first[i] / corrections.0) / ((second[i] / corrections.1).sqrt() + 1e-8);
            parameters[i] -= (rate * step) as f32;
        }
    }
    parameters
}

/// E|a - b|²/E|b|², square root.
pub(crate) fn relative_error(a: &[f64], b: &[f64]) -> f64 {
    let square = |v: &mut dyn Iterator<Item = f64>| v.map(|v| v * v).sum::<f64>();
    (square(&mut a.iter().zip(b).map(|(a, b)| a - b)) / square(&mut b.iter().copied())).sqrt()
}

/// A source with its weights multiplied by a function of the point and of the noise level.
pub(crate) struct Reweighted<'a, F> {
    pub(crate) source: &'a dyn Source,
    pub(crate) factor: F,
}

impl<F: Fn(&[f64], f64) -> f64 + Sync> Source for Reweighted<'_, F> {
    fn dim(&self) -> usize {
        self.source.dim()
    }

    fn suits(&self, conditioning: resolvent_learn::model::Conditioning) -> bool {
        self.source.suits(conditioning)
    }

    fn draw(
        &self,
        rng: &mut resolvent_core::random::Stream,
        point: &mut [f64],
        target: &mut [f64],
    ) -> Example {
        let example = self.source.draw(rng, point, target);
        Example { weight: example.weight * (self.factor)(point, example.level), ..example }
    }

    fn log_weight(&self, level: f64) -> f64 {
        self.source.log_weight(level)
    }
}

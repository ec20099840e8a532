//! A task with a known minimiser: y = sin 2x + N/4 with x uniform on (-2, 2), by least squares.

use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use resolvent_core::random::{Purpose, stream};
use resolvent_learn::engine::{Batch, Engine, Native};
use resolvent_learn::network::{Architecture, Layout, Network, ResidualMlp, Sizes};
use resolvent_learn::train::Task;
use std::ops::Range;

/// Standard deviation of the noise.
pub(crate) const NOISE: f64 = 0.25;

pub(crate) struct Regression {
    pub(crate) network: Network,
}

impl Regression {
    pub(crate) fn new(width: usize) -> Self {
        let architecture = Architecture::Mlp(ResidualMlp { width, depth: 1 });
        let sizes = Sizes { inputs: 1, features: 0, outputs: 1, heads: 0 };
        Self { network: Network::new(architecture, sizes).unwrap() }
    }

    fn example(index: u64) -> (f64, f64) {
        let mut rng = stream(11, Purpose::Training, index);
        let x = rng.random_range(-2.0..2.0);
        let noise: f64 = StandardNormal.sample(&mut rng);
        (x, (2.0 * x).sin() + NOISE * noise)
    }
}

impl Task for Regression {
    fn layout(&self) -> &Layout {
        self.network.layout()
    }

    fn gradient(&self, parameters: &[f32], examples: Range<u64>, gradient: &mut [f32]) -> f64 {
        let (points, targets): (Vec<_>, Vec<_>) =
            examples.map(Self::example).map(|(x, y)| (x as f32, y as f32)).unzip();
        let mut sum = 0.0;
        let batch = Batch { n: points.len(), points, ..Batch::default() };
        Native.gradient(
            &self.network,
            parameters,
            &batch,
            &mut |reply, by| {
                for ((by, found), target) in by.field.iter_mut().zip(&reply.field).zip(&targets) {
                    *by = 2.0 * (found - target);
                    sum += f64::from(found - target).powi(2);
                }
            },
            gradient,
        );
        sum
    }

    /// The root mean square distance from the minimiser.
    fn validate(&self, parameters: &[f32]) -> Vec<(String, f64)> {
        let points: Vec<f32> = (0..200).map(|i| -2.0 + 0.02 * (i as f32 + 0.5)).collect();
        let batch = Batch { n: points.len(), points, ..Batch::default() };
        let field = Native.evaluate(&self.network, parameters, &batch).field;
        let square = |(x, f): (&f32, &f32)| (f64::from(*f) - (2.0 * f64::from(*x)).sin()).powi(2);
        let mean = batch.points.iter().zip(&field).map(square).sum::<f64>() / 200.0;
        vec![("error".into(), mean.sqrt()), ("infinite".into(), f64::INFINITY)]
    }
}

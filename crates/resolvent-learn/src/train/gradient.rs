//! The gradient of a step, shared among threads in a way that depends on the settings alone.

use super::adamw::CHUNK;
use super::settings::TrainingSettings;
use super::task::Task;
use pulp::Arch;
use rayon::prelude::*;

/// One gradient for each lane. Lane i adds up the shards i, i + lanes, i + 2 lanes, .., then the lanes are added in order.
pub(super) struct Lanes(Vec<Vec<f32>>);

impl Lanes {
    pub(super) fn new(parameters: usize, settings: &TrainingSettings) -> Self {
        let lanes = settings.batch.div_ceil(settings.shard).min(settings.lanes);
        Self(vec![vec![0.0; parameters]; lanes])
    }

    /// The mean gradient, where [`mean`](Self::mean) has been called.
    pub(super) fn gradient(&self) -> &[f32] {
        &self.0[0]
    }

    /// The mean loss of the examples of the step that follows `step` steps, and the Euclidean norm of its gradient.
    pub(super) fn mean<T: Task>(
        &mut self,
        task: &T,
        settings: &TrainingSettings,
        step: u64,
        parameters: &[f32],
    ) -> (f64, f64) {
        let (batch, shard) = (settings.batch as u64, settings.shard as u64);
        let lanes = self.0.len() as u64;
        let (begin, end) = (step * batch, (step + 1) * batch);
        let losses: Vec<f64> = self
            .0
            .par_iter_mut()
            .enumerate()
            .map(|(lane, gradient)| {
                gradient.fill(0.0);
                (begin + lane as u64 * shard..end)
                    .step_by((lanes * shard) as usize)
                    .map(|from| task.gradient(parameters, from..(from + shard).min(end), gradient))
                    .sum()
            })
            .collect();
        let (first, others) = self.0.split_first_mut().expect("a step has examples");
        let squares: Vec<f64> = first
            .par_chunks_mut(CHUNK)
            .enumerate()
            .map(|(chunk, sum)| {
                let range = chunk * CHUNK..chunk * CHUNK + sum.len();
                for other in &*others {
                    add(sum, &other[range.clone()]);
                }
                scale(sum, 1.0 / batch as f32)
            })
            .collect();
        (losses.iter().sum::<f64>() / batch as f64, squares.iter().sum::<f64>().sqrt())
    }
}

fn add(sum: &mut [f32], other: &[f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || sum.iter_mut().zip(other).for_each(|(s, o)| *s += o),
    );
}

/// Multiplies by `factor` and returns the sum of the squares of what comes out.
fn scale(numbers: &mut [f32], factor: f32) -> f64 {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            // Independent sums, so that they fill the machine's vectors.
            let mut sums = [0.0f64; 16];
            let mut blocks = numbers.chunks_exact_mut(sums.len());
            for block in &mut blocks {
                for (sum, x) in sums.iter_mut().zip(block) {
                    *x *= factor;
                    *sum += f64::from(*x) * f64::from(*x);
                }
            }
            for (sum, x) in sums.iter_mut().zip(blocks.into_remainder()) {
                *x *= factor;
                *sum += f64::from(*x) * f64::from(*x);
            }
            sums.iter().sum()
        },
    )
}

//! AdamW (Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019) and the moving average of the parameters.

use super::settings::TrainingSettings;
use crate::network::Layout;
use pulp::Arch;
use rayon::prelude::*;
use std::ops::Range;

/// Numbers that a thread takes at a time.
pub(super) const CHUNK: usize = 1 << 14;

/// Everything there is of every parameter, each one number per parameter in the order of the layout.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Numbers {
    pub(super) parameters: Vec<f32>,
    /// Moving average of the parameters.
    pub(super) average: Vec<f32>,
    /// Moving average of the gradient.
    pub(super) first: Vec<f32>,
    /// Moving average of the squared gradient.
    pub(super) second: Vec<f32>,
}

impl Numbers {
    pub(super) fn new(parameters: Vec<f32>) -> Self {
        let zeros = vec![0.0; parameters.len()];
        Self { average: parameters.clone(), first: zeros.clone(), second: zeros, parameters }
    }
}

/// What one step does to a number, the same for every number.
#[derive(Debug, Clone, Copy)]
struct Coefficients {
    /// What the gradient is multiplied by.
    clip: f32,
    beta1: f32,
    beta2: f32,
    /// Learning rate over the bias 1 - β1^t of the first moment.
    rate: f32,
    /// One over the root of the bias 1 - β2^t of the second moment.
    unbias: f32,
    epsilon: f32,
    /// What is left of a parameter that decays.
    keep: f32,
    /// What the moving average takes of the new parameter.
    take: f32,
}

/// The parameters that decay, as ranges in increasing order.
pub(super) fn decaying(layout: &Layout) -> Vec<Range<usize>> {
    layout.entries().iter().filter(|entry| entry.shape.len() > 1).map(crate::network::Entry::range).collect()
}

/// The step that follows `step` steps, with the gradient multiplied by `clip`.
pub(super) fn update(
    settings: &TrainingSettings,
    step: u64,
    clip: f64,
    decaying: &[Range<usize>],
    gradient: &[f32],
    numbers: &mut Numbers,
) {
    let rate = settings.rate(step);
    let [beta1, beta2] = settings.betas;
    let t = (step + 1) as f64;
    let coefficients = Coefficients {
        clip: clip as f32,
        beta1: beta1 as f32,
        beta2: beta2 as f32,
        rate: (rate / (1.0 - beta1.powf(t))) as f32,
        unbias: (1.0 / (1.0 - beta2.powf(t)).sqrt()) as f32,
        epsilon: settings.epsilon as f32,
        keep: 1.0,
        take: (1.0 - settings.average_decay_at(step)) as f32,
    };
    let decayed = Coefficients { keep: (1.0 - rate * settings.weight_decay) as f32, ..coefficients };
    let Numbers { parameters, average, first, second } = numbers;
    parameters
        .par_chunks_mut(CHUNK)
        .zip_eq(average.par_chunks_mut(CHUNK))
        .zip_eq(first.par_chunks_mut(CHUNK).zip_eq(second.par_chunks_mut(CHUNK)))
        .zip_eq(gradient.par_chunks(CHUNK))
        .enumerate()
        .for_each(|(chunk, (((p, e), (m, v)), g))| {
            let (start, len) = (chunk * CHUNK, p.len());
            let mut piece = |piece: Range<usize>, c: &Coefficients| {
                let r = piece;
                pass(c, &g[r.clone()], &mut p[r.clone()], &mut m[r.clone()], &mut v[r.clone()], &mut e[r]);
            };
            let mut done = 0;
            for range in &decaying[decaying.partition_point(|range| range.end <= start)..] {
                let from = range.start.saturating_sub(start).min(len);
                let to = (range.end - start).min(len);
                piece(done..from, &coefficients);
                piece(from..to, &decayed);
                done = to;
                if done == len {
                    break;
                }
            }
            piece(done..len, &coefficients);
        });
}

fn pass(c: &Coefficients, g: &[f32], p: &mut [f32], m: &mut [f32], v: &mut [f32], e: &mut [f32]) {
    let c = *c;
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for ((((p, e), m), v), g) in p.iter_mut().zip(e).zip(m).zip(v).zip(g) {
                let g = c.clip * g;
                *m = (g - *m).mul_add(1.0 - c.beta1, *m);
                *v = c.beta2.mul_add(*v, (1.0 - c.beta2) * g * g);
                let direction = *m / v.sqrt().mul_add(c.unbias, c.epsilon);
                *p = c.rate.mul_add(-direction, c.keep * *p);
                *e = (*p - *e).mul_add(c.take, *e);
            }
        },
    );
}

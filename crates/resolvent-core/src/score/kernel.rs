//! The exact score of weighted points under any Green kernel.

use nalgebra::DMatrix;
use rayon::prelude::*;

use super::{PosteriorScore, Score};
use crate::error::{Result, dimension};
use crate::killed::{LocallyBrownian, Resolvent, distance_squared};
use crate::measure::EmpiricalMeasure;

/// Points that one task evaluates.
const TILE: usize = 32;

/// s = ∇ log u with u(x) = m(x) Σ_i α_i g_r(x, y_i), the occupation density of a symmetric process started in weighted data:
/// its exact spatial score.
///
/// In the form g (D - x) of R19 the gain is Σ w_i g_i with the posterior weights w_i ∝ α_i g_r(x, y_i) of R10 and the gains
/// g_i that Brownian motion with the same σ and rate has at the distances |x - y_i|; so it tells the distance to the data, and
/// steps and rules read it as they do for Brownian motion. The displacement is the score divided by it: near the data y - x,
/// elsewhere that and a share of the drift.
///
/// The price of a point is one kernel for each datum. For Brownian motion [`EmpiricalScore`](super::EmpiricalScore) is the
/// same score and many times as fast.
#[derive(Debug, Clone)]
pub struct KernelScore<'a, P: ?Sized> {
    process: &'a P,
    measure: EmpiricalMeasure,
}

/// Room for one point against all data.
struct Scratch {
    /// ∇_x log g_r of one datum (d).
    gradient: Vec<f64>,
    /// log(α_i g_r(x, y_i)) (m).
    log_weights: Vec<f64>,
}

/// What the data make of one point.
struct Summary {
    /// log u.
    log_density: f64,
    gain: f64,
    /// The largest log-weight and Σ exp(log-weight - largest).
    peak: f64,
    mass: f64,
}

impl<'a, P: Resolvent + LocallyBrownian + ?Sized> KernelScore<'a, P> {
    /// The score of `measure` under `process`.
    ///
    /// # Errors
    /// If their dimensions differ.
    pub fn new(process: &'a P, measure: EmpiricalMeasure) -> Result<Self> {
        dimension("data", process.dim(), measure.dim())?;
        Ok(Self { process, measure })
    }

    /// The data.
    pub fn measure(&self) -> &EmpiricalMeasure {
        &self.measure
    }

    /// log u at `x` (length d): log of the occupation density with respect to Lebesgue measure, in nats.
    ///
    /// # Panics
    /// If `x` has not length d.
    pub fn log_density(&self, x: &[f64]) -> f64 {
        assert_eq!(x.len(), self.process.dim(), "length of x");
        self.summarise(x, &mut vec![0.0; x.len()], &mut self.scratch()).log_density
    }

    /// R10: the law of the end point given the present point `x`, w_i ∝ α_i g_r(x, y_i) (length m, sums to one).
    ///
    /// # Panics
    /// If `x` has not length d.
    pub fn posterior(&self, x: &[f64]) -> Vec<f64> {
        assert_eq!(x.len(), self.process.dim(), "length of x");
        let mut scratch = self.scratch();
        let Summary { peak, mass, .. } = self.summarise(x, &mut vec![0.0; x.len()], &mut scratch);
        scratch.log_weights.iter().map(|w| f64::exp(w - peak) / mass).collect()
    }

    /// ∇ log u at the columns of `points` (d x n -> d x n, per length), on all cores.
    ///
    /// # Errors
    /// If `points` has not d rows.
    pub fn score(&self, points: &DMatrix<f64>) -> Result<DMatrix<f64>> {
        let d = self.process.dim();
        dimension("points", d, points.nrows())?;
        let mut out = DMatrix::zeros(d, points.ncols());
        out.as_mut_slice().par_chunks_mut(d * TILE).zip(points.as_slice().par_chunks(d * TILE)).for_each(
            |(out, points)| {
                let mut scratch = self.scratch();
                for (out, x) in out.chunks_exact_mut(d).zip(points.chunks_exact(d)) {
                    self.summarise(x, out, &mut scratch);
                }
            },
        );
        Ok(out)
    }

    fn scratch(&self) -> Scratch {
        Scratch { gradient: vec![0.0; self.process.dim()], log_weights: vec![0.0; self.measure.len()] }
    }

    /// score ← ∇ log u(x).
    fn summarise(&self, x: &[f64], score: &mut [f64], scratch: &mut Scratch) -> Summary {
        let green = self.process.brownian().green();
        let Scratch { gradient, log_weights } = scratch;
        let (mut peak, mut mass, mut pull) = (f64::NEG_INFINITY, 0.0, 0.0);
        score.fill(0.0);
        for (i, log_weight) in log_weights.iter_mut().enumerate() {
            let y = self.measure.point(i);
            let log_kernel = self.process.log_kernel_and_gradient(x, y, gradient);
            *log_weight = log_kernel + self.measure.log_weights()[i];
            if *log_weight > peak {
                let shrink = f64::exp(peak - *log_weight);
                mass *= shrink;
                pull *= shrink;
                score.iter_mut().for_each(|s| *s *= shrink);
                peak = *log_weight;
            }
            let weight = f64::exp(*log_weight - peak);
            mass += weight;
            pull += weight * green.gain(distance_squared(x, y).sqrt());
            score.iter_mut().zip(&*gradient).for_each(|(s, g)| *s += weight * g);
        }
        let log_measure = self.process.log_measure_and_gradient(x, gradient);
        score.iter_mut().zip(&*gradient).for_each(|(s, g)| *s = *s / mass + g);
        Summary { log_density: log_measure + peak + mass.ln(), gain: pull / mass, peak, mass }
    }

    /// Gains and displacements, and what `draw` makes of each point's log-weights.
    fn run(
        &self,
        points: &[f64],
        gains: &mut [f64],
        displacements: &mut [f64],
        mut draw: impl FnMut(usize, &[f64], &Summary),
    ) {
        let d = self.process.dim();
        let mut scratch = self.scratch();
        for (j, (x, v)) in points.chunks_exact(d).zip(displacements.chunks_exact_mut(d)).enumerate() {
            let summary = self.summarise(x, v, &mut scratch);
            v.iter_mut().for_each(|v| *v /= summary.gain);
            gains[j] = summary.gain;
            draw(j, &scratch.log_weights, &summary);
        }
    }
}

impl<P: Resolvent + LocallyBrownian + ?Sized> Score for KernelScore<'_, P> {
    fn dim(&self) -> usize {
        self.process.dim()
    }

    fn evaluate(&self, points: &[f64], gains: &mut [f64], displacements: &mut [f64]) {
        self.run(points, gains, displacements, |_, _, _| ());
    }
}

impl<P: Resolvent + LocallyBrownian + ?Sized> PosteriorScore for KernelScore<'_, P> {
    fn evaluate_and_draw(
        &self,
        points: &[f64],
        uniforms: &[f64],
        gains: &mut [f64],
        displacements: &mut [f64],
        atoms: &mut [usize],
    ) {
        self.run(points, gains, displacements, |j, log_weights, Summary { peak, mass, .. }| {
            let mut left = uniforms[j] * mass;
            let chosen = log_weights.iter().position(|w| {
                left -= f64::exp(w - peak);
                left < 0.0
            });
            // Rounding may leave a rest.
            atoms[j] = chosen.unwrap_or(log_weights.len() - 1);
        });
    }

    fn atom(&self, atom: usize) -> &[f64] {
        self.measure.point(atom)
    }
}

//! The exact score of an empirical measure under killed Brownian motion.

use nalgebra::DMatrix;

use super::products::TILE;
use super::stream::{Kernel, Origin, Stream};
use super::{Neighbour, PosteriorScore, Score, in_tiles};
use crate::error::{Result, dimension};
use crate::killed::{GreenKernel, KilledBrownianMotion, distance_squared};
use crate::measure::EmpiricalMeasure;

/// s = ∇ log u with u(x) = Σ_i α_i G_r(x, y_i): the exact spatial score of weighted data (R19). In the form g (D - x),
/// g = Σ w_i g(ρ_i) and D = Σ w_i g(ρ_i) y_i / g, with the posterior weights w_i ∝ α_i G_r(x, y_i) of R10.
///
/// The data are streamed past the points, so memory does not grow with the product of their numbers. The value at a point
/// is the same bits whatever batch it comes in.
#[derive(Debug, Clone)]
pub struct EmpiricalScore {
    green: GreenKernel,
    measure: EmpiricalMeasure,
}

impl EmpiricalScore {
    /// The score of `measure` under `process`.
    ///
    /// # Errors
    /// If their dimensions differ.
    pub fn new(process: &KilledBrownianMotion, measure: EmpiricalMeasure) -> Result<Self> {
        dimension("data", process.dim(), measure.dim())?;
        Ok(Self { green: process.green().clone(), measure })
    }

    /// The data.
    pub fn measure(&self) -> &EmpiricalMeasure {
        &self.measure
    }

    /// log u at `x` (length d): log of the occupation density, in nats.
    ///
    /// # Panics
    /// If `x` has not length d.
    pub fn log_density(&self, x: &[f64]) -> f64 {
        assert_eq!(x.len(), self.dim(), "length of x");
        let mut moment = vec![0.0; x.len()];
        let mut log_density = f64::NAN;
        self.stream().run(x, None, &mut moment, |_, summary| log_density = summary.log_density);
        log_density
    }

    /// R10: the law of the end point given the present point `x`, w_i ∝ α_i G_r(x, y_i) (length m, sums to one).
    ///
    /// # Panics
    /// If `x` has not length d.
    pub fn posterior(&self, x: &[f64]) -> Vec<f64> {
        assert_eq!(x.len(), self.dim(), "length of x");
        let mut weights: Vec<f64> = (0..self.measure.len())
            .map(|i| {
                let rho = distance_squared(x, self.measure.point(i)).sqrt();
                self.green.log_value(rho) + self.measure.log_weights()[i]
            })
            .collect();
        let peak = weights.iter().fold(f64::NEG_INFINITY, |a, w| a.max(*w));
        weights.iter_mut().for_each(|w| *w = f64::exp(*w - peak));
        let total: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|w| *w /= total);
        weights
    }

    /// ∇ log u at the columns of `points` (d x n -> d x n, per length), on all cores.
    ///
    /// # Errors
    /// If `points` has not d rows.
    pub fn score(&self, points: &DMatrix<f64>) -> Result<DMatrix<f64>> {
        in_tiles(self, TILE, points)
    }

    /// The data under the Green kernel, seen from the points themselves: next to a datum the displacement is exact.
    fn stream(&self) -> Stream<'_, GreenKernel> {
        Stream { measure: &self.measure, kernel: &self.green, scale: 1.0, origin: Origin::Point }
    }
}

impl Kernel for GreenKernel {
    fn log_value_and_gain(&self, squared: f64) -> (f64, f64) {
        GreenKernel::log_value_and_gain(self, squared.sqrt())
    }

    fn log_values_and_gains(&self, squares: &mut [f64], gains: &mut [f64]) {
        GreenKernel::log_values_and_gains(self, squares, gains);
    }

    fn beyond(&self, squared: f64, drop: f64) -> f64 {
        GreenKernel::beyond(self, squared, drop)
    }
}

impl Score for EmpiricalScore {
    fn dim(&self) -> usize {
        self.measure.dim()
    }

    fn evaluate(&self, points: &[f64], gains: &mut [f64], displacements: &mut [f64]) {
        self.stream().run(points, None, displacements, |j, summary| gains[j] = summary.gain);
    }

    fn evaluate_again(
        &self,
        points: &[f64],
        neighbours: &mut [Neighbour],
        gains: &mut [f64],
        displacements: &mut [f64],
    ) {
        let (d, stream) = (self.dim(), self.stream());
        let (mut rest, mut places) = (Vec::new(), Vec::new());
        let rows = points.chunks_exact(d).zip(displacements.chunks_exact_mut(d));
        for (j, (x, v)) in rows.enumerate() {
            if let Some(square) = stream.alone(x, &neighbours[j]) {
                gains[j] = self.green.gain(square.sqrt());
                let y = self.measure.point(neighbours[j].datum);
                v.iter_mut().zip(y.iter().zip(x)).for_each(|(v, (y, x))| *v = y - x);
            } else {
                places.push(j);
                rest.extend_from_slice(x);
            }
        }
        let mut moments = vec![0.0; rest.len()];
        stream.run(&rest, None, &mut moments, |k, summary| {
            (gains[places[k]], neighbours[places[k]]) = (summary.gain, summary.neighbour);
        });
        for (moment, j) in moments.chunks_exact(d).zip(places) {
            displacements[j * d..(j + 1) * d].copy_from_slice(moment);
        }
    }
}

impl PosteriorScore for EmpiricalScore {
    fn evaluate_and_draw(
        &self,
        points: &[f64],
        uniforms: &[f64],
        gains: &mut [f64],
        displacements: &mut [f64],
        atoms: &mut [usize],
    ) {
        self.stream().run(points, Some(uniforms), displacements, |j, summary| {
            gains[j] = summary.gain;
            atoms[j] = summary.atom.expect("a uniform was given");
        });
    }

    fn atom(&self, atom: usize) -> &[f64] {
        self.measure.point(atom)
    }
}

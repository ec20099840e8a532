//! The exact score of an empirical measure under killed Brownian motion.

use nalgebra::DMatrix;
use rayon::prelude::*;

use super::posterior::{Posterior, Summary};
use super::products::{TILE, inner_products};
use super::{PosteriorScore, Score};
use crate::error::{Result, dimension};
use crate::killed::{GreenKernel, KilledBrownianMotion, distance_squared};
use crate::measure::EmpiricalMeasure;

/// From this dimension on squared distances come from a matrix product.
const PRODUCT_DIM: usize = 16;
/// Data to a block; with a tile of points it stays in the second-level cache.
const BLOCK: usize = 256;
/// Where |x - y|² is below this share of |x|² + |y|², the product form cancels and the difference is taken instead.
const CANCELLATION: f64 = 1e-2;
/// Data whose weights add up to less than e^-40 of the total are passed over.
const NEGLIGIBLE: f64 = 40.0;

/// s = ∇ log u with u(x) = Σ_i α_i G_r(x, y_i): the exact spatial score of weighted data (R19). In the form g (D - x),
/// g = Σ w_i g(ρ_i) and D = Σ w_i g(ρ_i) y_i / g, with the posterior weights w_i ∝ α_i G_r(x, y_i) of R10.
///
/// The data are streamed in blocks against tiles of points with running log-sums, so memory does not grow with the
/// product of their numbers. The value at a point is the same bits whatever batch it comes in.
#[derive(Debug, Clone)]
pub struct EmpiricalScore {
    green: GreenKernel,
    measure: EmpiricalMeasure,
    /// A log-kernel that far below the nearest datum's has no influence.
    drop: f64,
}

impl EmpiricalScore {
    /// The score of `measure` under `process`.
    ///
    /// # Errors
    /// If their dimensions differ.
    pub fn new(process: &KilledBrownianMotion, measure: EmpiricalMeasure) -> Result<Self> {
        dimension("data", process.dim(), measure.dim())?;
        let drop = NEGLIGIBLE + (measure.len() as f64).ln() + measure.log_spread();
        Ok(Self { green: process.green().clone(), measure, drop })
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
        self.stream(x, None, &mut moment, |_, summary| log_density = summary.log_density);
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
        dimension("points", self.dim(), points.nrows())?;
        let d = self.dim();
        let mut out = DMatrix::zeros(d, points.ncols());
        out.as_mut_slice().par_chunks_mut(d * TILE).zip(points.as_slice().par_chunks(d * TILE)).for_each(
            |(out, x)| {
                let mut gains = vec![0.0; x.len() / d];
                self.evaluate(x, &mut gains, out);
                for (row, gain) in out.chunks_exact_mut(d).zip(gains) {
                    row.iter_mut().for_each(|v| *v *= gain);
                }
            },
        );
        Ok(out)
    }

    /// Streams all data past all `points` and reports a summary for each; displacements are left in `moments`.
    fn stream(
        &self,
        points: &[f64],
        uniforms: Option<&[f64]>,
        moments: &mut [f64],
        mut report: impl FnMut(usize, Summary),
    ) {
        let d = self.dim();
        let by_products = d >= PRODUCT_DIM;
        let mut padded = vec![0.0; if by_products { TILE * d } else { 0 }];
        let mut products = vec![0.0; if by_products { TILE * BLOCK } else { 0 }];
        let data = self.measure.points().as_slice();
        let tiles = points.chunks(TILE * d).zip(moments.chunks_mut(TILE * d)).enumerate();
        for (t, (tile, moments)) in tiles {
            if by_products {
                padded[..tile.len()].copy_from_slice(tile);
                padded[tile.len()..].fill(0.0);
            }
            let mut visits: [Option<Visit<'_>>; TILE] = std::array::from_fn(|_| None);
            for (j, (x, moment)) in tile.chunks(d).zip(moments.chunks_mut(d)).enumerate() {
                visits[j] = Some(Visit::new(x, moment, uniforms.map(|u| u[t * TILE + j])));
            }
            for (b, block) in data.chunks(BLOCK * d).enumerate() {
                let rows = block.len() / d;
                if by_products {
                    inner_products(d, block, &padded, &mut products[..rows * TILE]);
                }
                for (j, visit) in visits.iter_mut().flatten().enumerate() {
                    let products = by_products.then(|| &products[j * rows..(j + 1) * rows]);
                    self.visit(visit, b * BLOCK, rows, products);
                }
            }
            for (j, visit) in visits.into_iter().flatten().enumerate() {
                report(t * TILE + j, visit.posterior.finish());
            }
        }
    }

    /// Adds the `rows` data from index `first` on to the posterior of one point.
    fn visit(&self, visit: &mut Visit<'_>, first: usize, rows: usize, products: Option<&[f64]>) {
        let slack = self.dim() as f64 * f64::EPSILON;
        for k in 0..rows {
            let i = first + k;
            let y = self.measure.point(i);
            let squared = match products {
                None => distance_squared(visit.x, y),
                Some(products) => {
                    let size = visit.norm_squared + self.measure.norms_squared()[i];
                    let estimate = size - 2.0 * products[k];
                    if estimate - slack * size > visit.cutoff {
                        continue;
                    }
                    if estimate < CANCELLATION * size { distance_squared(visit.x, y) } else { estimate }
                }
            };
            if squared > visit.cutoff {
                continue;
            }
            if squared < visit.nearest {
                visit.nearest = squared;
                visit.cutoff = self.green.beyond(squared, self.drop);
            }
            let (log_value, gain) = self.green.log_value_and_gain(squared.sqrt());
            visit.posterior.add(visit.x, i, y, log_value + self.measure.log_weights()[i], gain);
        }
    }
}

/// One point while the data pass by.
struct Visit<'a> {
    x: &'a [f64],
    norm_squared: f64,
    nearest: f64,
    cutoff: f64,
    posterior: Posterior<'a>,
}

impl<'a> Visit<'a> {
    fn new(x: &'a [f64], moment: &'a mut [f64], uniform: Option<f64>) -> Self {
        Self {
            x,
            norm_squared: x.iter().map(|x| x * x).sum(),
            nearest: f64::INFINITY,
            cutoff: f64::INFINITY,
            posterior: Posterior::new(moment, uniform),
        }
    }
}

impl Score for EmpiricalScore {
    fn dim(&self) -> usize {
        self.measure.dim()
    }

    fn evaluate(&self, points: &[f64], gains: &mut [f64], displacements: &mut [f64]) {
        self.stream(points, None, displacements, |j, summary| gains[j] = summary.gain);
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
        self.stream(points, Some(uniforms), displacements, |j, summary| {
            gains[j] = summary.gain;
            atoms[j] = summary.atom.expect("a uniform was given");
        });
    }

    fn atom(&self, atom: usize) -> &[f64] {
        self.measure.point(atom)
    }
}

//! Weighted data streamed past points, for any kernel of the distance.

use super::posterior::{Posterior, Summary};
use super::products::{TILE, inner_products};
use crate::killed::distance_squared;
use crate::measure::EmpiricalMeasure;

/// From this dimension on squared distances come from a matrix product.
const PRODUCT_DIM: usize = 16;
/// Data to a block; with a tile of points it stays in the second-level cache.
const BLOCK: usize = 256;
/// Where |x - y|² is below this share of |x|² + |y|², the product form cancels and the difference is taken instead.
const CANCELLATION: f64 = 1e-2;
/// Data whose weights add up to less than e^-40 of the total are passed over.
const NEGLIGIBLE: f64 = 40.0;

/// A decreasing function k of the distance, by which data have influence.
pub(crate) trait Kernel {
    /// log k and the gain at squared distance `squared`: the factor with which a datum enters the moment.
    fn log_value_and_gain(&self, squared: f64) -> (f64, f64);

    /// The squared distance at which log k is `drop` less than at `squared`.
    fn beyond(&self, squared: f64, drop: f64) -> f64;
}

/// From where the data are seen in the moment Σ w g (y - origin).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin<'a> {
    /// From the point itself.
    Point,
    /// From the same place (d) for all points.
    Fixed(&'a [f64]),
}

/// Data that pass by points at distance |x - scale y|.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stream<'a, K> {
    pub(crate) measure: &'a EmpiricalMeasure,
    pub(crate) kernel: &'a K,
    pub(crate) scale: f64,
    pub(crate) origin: Origin<'a>,
}

impl<K: Kernel> Stream<'_, K> {
    /// Streams all data past all `points` (n rows of d) and reports a summary for each; Σ w g (y - origin) / Σ w g is left in
    /// `moments` (n rows of d). With `uniforms` (n) a datum is drawn for each point.
    ///
    /// The data come in blocks against tiles of points with running log-sums, so memory does not grow with the product
    /// of their numbers. What a point gets is the same bits whatever batch it comes in.
    pub(crate) fn run(
        &self,
        points: &[f64],
        uniforms: Option<&[f64]>,
        moments: &mut [f64],
        mut report: impl FnMut(usize, Summary),
    ) {
        let d = self.measure.dim();
        // A log-kernel that far below the nearest datum's has no influence.
        let drop = NEGLIGIBLE + (self.measure.len() as f64).ln() + self.measure.log_spread();
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
                    self.visit(visit, b * BLOCK, rows, products, drop);
                }
            }
            for (j, visit) in visits.into_iter().flatten().enumerate() {
                report(t * TILE + j, visit.posterior.finish());
            }
        }
    }

    /// Adds the `rows` data from index `first` on to the posterior of one point.
    fn visit(&self, visit: &mut Visit<'_>, first: usize, rows: usize, products: Option<&[f64]>, drop: f64) {
        let slack = self.measure.dim() as f64 * f64::EPSILON;
        let origin = match self.origin {
            Origin::Point => visit.x,
            Origin::Fixed(origin) => origin,
        };
        for k in 0..rows {
            let i = first + k;
            let y = self.measure.point(i);
            let squared = match products {
                None => self.squared(visit.x, y),
                Some(products) => {
                    let size = visit.norm_squared + self.scale * self.scale * self.measure.norms_squared()[i];
                    let estimate = size - 2.0 * self.scale * products[k];
                    if estimate - slack * size > visit.cutoff {
                        continue;
                    }
                    if estimate < CANCELLATION * size { self.squared(visit.x, y) } else { estimate }
                }
            };
            if squared > visit.cutoff {
                continue;
            }
            if squared < visit.nearest {
                visit.nearest = squared;
                visit.cutoff = self.kernel.beyond(squared, drop);
            }
            let (log_value, gain) = self.kernel.log_value_and_gain(squared);
            visit.posterior.add(origin, i, y, log_value + self.measure.log_weights()[i], gain);
        }
    }

    /// |x - scale y|².
    fn squared(&self, x: &[f64], y: &[f64]) -> f64 {
        if self.scale == 1.0 {
            return distance_squared(x, y);
        }
        x.iter().zip(y).map(|(x, y)| (x - self.scale * y).powi(2)).sum()
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

//! Weighted data streamed past points, for any kernel of the distance.

use resolvent_special::vector;

use super::Neighbour;
use super::near::{Near, closer};
use super::posterior::{Posterior, Summary};
use super::products::{Column, Products, TILE};
use crate::killed::distance_squared;
use crate::measure::EmpiricalMeasure;

/// From this dimension on squared distances come from a matrix product.
pub(super) const PRODUCT_DIM: usize = 16;
/// Data to a block; with a tile of points it stays in the second-level cache.
pub(crate) const BLOCK: usize = 256;
/// Where |x - y|² is below this share of |x|² + |y|², the product form cancels and the difference is taken instead.
pub(super) const CANCELLATION: f64 = 1e-2;
/// Data whose weights add up to less than e^-40 of the total are passed over.
const NEGLIGIBLE: f64 = 40.0;
/// Up to so many data go together with several points; from so many of a block on that have influence on a point, its moment is
/// a matrix product too.
pub(super) const MANY: usize = 24;

/// A decreasing function k of the distance, by which data have influence.
pub(crate) trait Kernel {
    /// log k and the gain at squared distance `squared`: the factor with which a datum enters the moment.
    fn log_value_and_gain(&self, squared: f64) -> (f64, f64);

    /// The same at many: `squares` become log k, and `gains` (as many) the gains.
    fn log_values_and_gains(&self, squares: &mut [f64], gains: &mut [f64]) {
        for (square, gain) in squares.iter_mut().zip(gains) {
            (*square, *gain) = self.log_value_and_gain(*square);
        }
    }

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
        if self.measure.len() <= MANY {
            return self.run_few(points, uniforms, moments, &mut report);
        }
        let d = self.measure.dim();
        let drop = self.drop();
        let data = self.measure.points().as_slice();
        let mut near = Near::new();
        let mut products = (d >= PRODUCT_DIM).then(|| Products::<f64>::new(d, TILE));
        let tiles = points.chunks(TILE * d).zip(moments.chunks_mut(TILE * d)).enumerate();
        for (t, (tile, moments)) in tiles {
            if let Some(products) = &mut products {
                products.begin(tile);
            }
            let mut visits: [Option<Visit<'_>>; TILE] = std::array::from_fn(|_| None);
            for (j, (x, moment)) in tile.chunks(d).zip(moments.chunks_mut(d)).enumerate() {
                visits[j] = Some(Visit::new(x, moment, uniforms.map(|u| u[t * TILE + j])));
            }
            for (b, block) in data.chunks(BLOCK * d).enumerate() {
                let rows = block.len() / d;
                match &mut products {
                    None => near.turn(block, d),
                    Some(products) => products.multiply(block),
                }
                for (j, visit) in visits.iter_mut().flatten().enumerate() {
                    let column = products.as_mut().map(|products| products.column(j, rows));
                    self.visit(visit, (b * BLOCK, rows), column, drop, &mut near);
                }
                if let Some(products) = &mut products {
                    products.collect(block);
                }
            }
            if let Some(products) = &mut products {
                products.settle();
            }
            for (j, visit) in visits.into_iter().flatten().enumerate() {
                let apart = products.as_ref().map(|products| products.settled(j));
                let neighbour = visit.neighbour();
                let summary = visit.posterior.finish(self.origin(visit.x), apart);
                report(t * TILE + j, Summary { neighbour, ..summary });
            }
        }
    }

    /// The same where there are so few data that many points go together.
    fn run_few(
        &self,
        points: &[f64],
        uniforms: Option<&[f64]>,
        moments: &mut [f64],
        report: &mut impl FnMut(usize, Summary),
    ) {
        let (d, m) = (self.measure.dim(), self.measure.len());
        let together = BLOCK / m;
        let (mut logs, mut gains, mut peaks) = ([0.0; BLOCK], [0.0; BLOCK], [0.0; BLOCK]);
        let parts = points.chunks(together * d).zip(moments.chunks_mut(together * d)).enumerate();
        for (part, (points, moments)) in parts {
            let pairs = points.len() / d * m;
            let (logs, gains) = (&mut logs[..pairs], &mut gains[..pairs]);
            for (x, logs) in points.chunks_exact(d).zip(logs.chunks_exact_mut(m)) {
                for (i, log) in logs.iter_mut().enumerate() {
                    *log = self.squared(x, self.measure.point(i));
                }
            }
            self.kernel.log_values_and_gains(logs, gains);
            for (logs, peak) in logs.chunks_exact_mut(m).zip(&mut peaks) {
                logs.iter_mut().zip(self.measure.log_weights()).for_each(|(log, weight)| *log += weight);
                *peak = logs.iter().fold(f64::NEG_INFINITY, |peak, log| peak.max(*log));
                logs.iter_mut().for_each(|log| *log -= *peak);
            }
            vector::exp(logs);
            gains.iter_mut().zip(&*logs).for_each(|(gain, weight)| *gain *= weight);
            let rows = points.chunks_exact(d).zip(moments.chunks_exact_mut(d));
            let weighted = logs.chunks_exact(m).zip(gains.chunks_exact(m)).zip(&peaks);
            for (j, ((x, moment), ((weights, pulls), peak))) in rows.zip(weighted).enumerate() {
                let k = part * together + j;
                let mut posterior = Posterior::new(moment, uniforms.map(|u| u[k]));
                posterior.raise(*peak);
                posterior.enter(0..m, weights, pulls);
                for (i, pull) in pulls.iter().enumerate() {
                    posterior.pull(self.origin(x), self.measure.point(i), *pull);
                }
                report(k, posterior.finish(self.origin(x), None));
            }
        }
    }

    /// A log-kernel that far below the nearest datum's has no influence.
    fn drop(&self) -> f64 {
        NEGLIGIBLE + (self.measure.len() as f64).ln() + self.measure.log_spread()
    }

    /// The squared distance of a point from its neighbour, if no other datum has influence.
    pub(crate) fn alone(&self, x: &[f64], neighbour: &Neighbour) -> Option<f64> {
        if neighbour.apart <= 0.0 {
            return None;
        }
        let square = self.squared(x, self.measure.point(neighbour.datum));
        let others = neighbour.apart - square.sqrt();
        (others > 0.0 && self.kernel.beyond(square, self.drop()) < others * others).then_some(square)
    }

    fn origin<'b>(&'b self, x: &'b [f64]) -> &'b [f64] {
        match self.origin {
            Origin::Point => x,
            Origin::Fixed(origin) => origin,
        }
    }

    /// Adds the `rows` data from index `first` on, of the block that was taken up, to the posterior of one point.
    fn visit(
        &self,
        visit: &mut Visit<'_>,
        (first, rows): (usize, usize),
        column: Option<Column<'_>>,
        drop: f64,
        near: &mut Near,
    ) {
        let (kept, cancels) = match &column {
            None => (self.measured(visit, rows, drop, near), false),
            Some(column) => self.estimated(visit, (first, rows), column.products, drop, near),
        };
        if kept == 0 {
            return;
        }
        if visit.datum.is_none() {
            let place = near.squares[..kept].iter().position(|square| *square == visit.nearest[0]);
            visit.datum = place.map(|i| first + near.kept[i]);
        }
        let (logs, gains) = (&mut near.logs[..kept], &mut near.gains[..kept]);
        logs.copy_from_slice(&near.squares[..kept]);
        self.kernel.log_values_and_gains(logs, gains);
        let log_weights = &self.measure.log_weights()[first..first + rows];
        logs.iter_mut().zip(&near.kept).for_each(|(log, k)| *log += log_weights[*k]);
        let shrink = visit.posterior.add(near.kept.iter().map(|k| first + k), logs, gains);

        let (origin, pulls) = (self.origin(visit.x), &near.gains[..kept]);
        let Some(Column { mut weights, .. }) = column else {
            near.pull(pulls, origin, visit.posterior.moment());
            return;
        };
        if shrink != 1.0 {
            weights.scale(shrink);
        }
        if kept == rows && kept >= MANY && !cancels {
            visit.posterior.pulled_apart(weights.set_all(pulls));
            return;
        }
        for ((k, squared), pull) in near.kept.iter().zip(&near.squares).zip(pulls) {
            if kept < MANY || *squared < CANCELLATION * self.size(visit, first + k) {
                visit.posterior.pull(origin, self.measure.point(first + k), *pull);
            } else {
                visit.posterior.pulled_apart(weights.set(*k, *pull));
            }
        }
    }

    /// Finds the squared distances of the data that have influence, and returns how many they are.
    fn measured(&self, visit: &mut Visit<'_>, rows: usize, drop: f64, near: &mut Near) -> usize {
        near.distances(visit.x, self.scale, rows);
        near.keep(rows);
        self.found(visit, near.nearest(rows, visit.nearest), drop);
        near.within(rows, visit.cutoff)
    }

    /// The same from inner products, and whether some cancel; what does and may lie within the cutoff is measured.
    fn estimated(
        &self,
        visit: &mut Visit<'_>,
        (first, rows): (usize, usize),
        products: &[f64],
        drop: f64,
        near: &mut Near,
    ) -> (usize, bool) {
        let norms = &self.measure.norms_squared()[first..first + rows];
        if !near.estimates(visit.norm_squared, self.scale, (norms, products), CANCELLATION) {
            near.keep(rows);
            self.found(visit, near.nearest(rows, visit.nearest), drop);
            return (near.within(rows, visit.cutoff), false);
        }
        let slack = self.measure.dim() as f64 * f64::EPSILON;
        let (mut count, mut nearest) = (0, visit.nearest);
        for k in 0..rows {
            let (mut squared, size) = (near.squares[k], self.size(visit, first + k));
            if squared - slack * size > visit.cutoff {
                nearest = closer(nearest, squared - slack * size);
                continue;
            }
            if squared < CANCELLATION * size {
                squared = self.squared(visit.x, self.measure.point(first + k));
            }
            (near.kept[count], near.squares[count]) = (k, squared);
            count += 1;
            nearest = closer(nearest, squared);
        }
        self.found(visit, nearest, drop);
        (near.within(count, visit.cutoff), true)
    }

    /// |x|² + scale² |y|², beside which a squared distance may be small.
    fn size(&self, visit: &Visit<'_>, i: usize) -> f64 {
        visit.norm_squared + self.scale * self.scale * self.measure.norms_squared()[i]
    }

    /// The two nearest data have these squared distances.
    fn found(&self, visit: &mut Visit<'_>, nearest: [f64; 2], drop: f64) {
        if nearest[0] < visit.nearest[0] {
            visit.cutoff = self.kernel.beyond(nearest[0], drop);
            visit.datum = None;
        }
        visit.nearest = nearest;
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
    /// The two smallest squared distances.
    nearest: [f64; 2],
    /// The datum at the first of them.
    datum: Option<usize>,
    cutoff: f64,
    posterior: Posterior<'a>,
}

impl<'a> Visit<'a> {
    fn new(x: &'a [f64], moment: &'a mut [f64], uniform: Option<f64>) -> Self {
        Self {
            x,
            norm_squared: x.iter().map(|x| x * x).sum(),
            nearest: [f64::INFINITY; 2],
            datum: None,
            cutoff: f64::INFINITY,
            posterior: Posterior::new(moment, uniform),
        }
    }

    /// By the triangle inequality, with room for rounding.
    fn neighbour(&self) -> Neighbour {
        let [first, second] = self.nearest.map(f64::sqrt);
        let known = self.datum.map(|datum| Neighbour { datum, apart: (1.0 - 1e-6) * second - first });
        known.unwrap_or_default()
    }
}

//! The score of many data in single precision, with an account of its error.

use nalgebra::DMatrix;
use rayon::prelude::*;
use resolvent_special::vector;

use super::near::{LANES, Near, largest, squared};
use super::posterior::{Posterior, Summary};
use super::products::{Column, Products};
use super::stream::{BLOCK, CANCELLATION, MANY, PRODUCT_DIM};
use super::{Score, in_tiles};
use crate::error::{Error, Result, dimension};
use crate::killed::{GreenKernel, KilledBrownianMotion};

/// Points to a tile.
const TILE: usize = 64;
/// Blocks between which sums of single precision are added to ones of double precision.
const SETTLE: usize = 16;
/// Data whose weights add up to less than e^-18 = 1.5e-8 of the total are passed over.
const NEGLIGIBLE: f64 = 18.0;
/// The same where a point is computed in double precision.
const NEGLIGIBLE_IN_DOUBLE: f64 = 40.0;
/// Half the spacing of numbers of single precision at one.
const ROUNDING: f64 = 0.5 * f32::EPSILON as f64;
/// What the data that are not measured in double precision may add to the relative error of the weights, in the mean square.
const ALLOWED: f64 = 2e-6;
/// Where |x| |y| is larger, sums on the way to the inner product could leave the numbers of single precision.
const LARGEST: f64 = 0.1 * f32::MAX as f64;
/// A point whose score may be relatively further off is computed once more, in double precision.
const TOLERANCE: f64 = 5e-6;

/// s = ∇ log u of equally weighted data under killed Brownian motion as [`EmpiricalScore`](super::EmpiricalScore) has it, for data in
/// single precision, which may lie in a mapped file: they are read block by block and not copied.
///
/// Inner products and sums of weighted data are matrix products in single precision; all else is computed in double precision. Every pair
/// of a point and a datum carries an estimate of the rounding error of its squared distance, some three standard deviations of a sum whose
/// roundings are independent (Higham and Mary 2019, SIAM J. Sci. Comput. 41:A2815). Where the estimate and the weight say that the datum
/// matters, its distance is measured in double precision; where those that are left could move the score by 5e-6 of its length, and that
/// happens only where it is small beside the spread of the data that count, the point is computed in double precision altogether. So the
/// relative error of the score is 1e-5 at most, next to the data too.
#[derive(Debug, Clone)]
pub struct SinglePrecisionScore<'a> {
    green: GreenKernel,
    data: &'a [f32],
    norms: Vec<f64>,
    largest_norm: f64,
}

impl<'a> SinglePrecisionScore<'a> {
    /// The score of `data` (m rows of d, one datum after the other) under `process`. Reads them once.
    ///
    /// # Errors
    /// If there is no datum, the last one is not whole, or a coordinate is not finite.
    pub fn new(process: &KilledBrownianMotion, data: &'a [f32]) -> Result<Self> {
        let d = process.dim();
        if data.is_empty() {
            return Err(Error::Empty { name: "data" });
        }
        dimension("the last datum", d, d - (d - data.len() % d) % d)?;
        let norm = |y: &[f32]| y.iter().map(|y| f64::from(*y).powi(2)).sum::<f64>().sqrt();
        let norms: Vec<f64> = data.par_chunks(d).map(norm).collect();
        if let Some(point) = norms.iter().position(|norm| !norm.is_finite()) {
            let row = &data[point * d..(point + 1) * d];
            let coordinate = row.iter().position(|y| !y.is_finite()).unwrap_or(0);
            let value = row[coordinate].into();
            return Err(Error::NotFinite { name: "data", point, coordinate, value });
        }
        let largest_norm = largest(0.0, &norms);
        Ok(Self { green: process.green().clone(), data, norms, largest_norm })
    }

    /// Number m of data.
    pub fn len(&self) -> usize {
        self.norms.len()
    }

    /// Never: there is a datum.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// ∇ log u at the columns of `points` (d x n -> d x n, per length), on all cores.
    ///
    /// # Errors
    /// If `points` has not d rows.
    pub fn score(&self, points: &DMatrix<f64>) -> Result<DMatrix<f64>> {
        in_tiles(self, TILE, points)
    }

    fn run(&self, points: &[f64], moments: &mut [f64], mut report: impl FnMut(usize, Summary)) {
        let d = self.dim();
        let mut products = (d >= PRODUCT_DIM).then(|| Products::<f32>::new(d, TILE));
        let negligible = if products.is_some() { NEGLIGIBLE } else { NEGLIGIBLE_IN_DOUBLE };
        let mut work = Box::new(Work::new());
        for (t, (tile, moments)) in points.chunks(TILE * d).zip(moments.chunks_mut(TILE * d)).enumerate() {
            let mut visits: Vec<Visit<'_>> = tile
                .chunks(d)
                .zip(moments.chunks_mut(d))
                .map(|(x, moment)| Visit::new(x, moment, negligible))
                .collect();
            if let Some(products) = &mut products {
                self.pass_products(tile, &mut visits, products, &mut work);
            } else {
                self.pass(&mut visits, &mut work);
            }
            let norms: Vec<_> = visits.iter().map(|visit| visit.norm).collect();
            let apart = |j: usize| products.as_ref().map(|products| products.settled(j));
            let ends: Vec<_> =
                visits.into_iter().enumerate().map(|(j, visit)| visit.finish(apart(j))).collect();
            let mut doubtful = Vec::new();
            for (j, ((summary, account), norm)) in ends.into_iter().zip(norms).enumerate() {
                let error = account.relative_error(norm, &moments[j * d..(j + 1) * d]);
                let beyond = norm * self.largest_norm > LARGEST;
                if products.is_some() && (error.is_nan() || error > TOLERANCE || beyond) {
                    doubtful.push(j);
                } else {
                    report(t * TILE + j, summary);
                }
            }
            if doubtful.is_empty() {
                continue;
            }
            let rows = tile.chunks(d).zip(moments.chunks_mut(d)).enumerate();
            let mut visits: Vec<_> = rows
                .filter(|(j, _)| doubtful.contains(j))
                .map(|(_, (x, moment))| Visit::new(x, moment, NEGLIGIBLE_IN_DOUBLE))
                .collect();
            self.pass(&mut visits, &mut work);
            for (j, visit) in doubtful.into_iter().zip(visits) {
                report(t * TILE + j, visit.finish(None).0);
            }
        }
    }

    fn blocks(&self) -> impl Iterator<Item = Block<'_>> {
        let d = self.dim();
        self.data.chunks(BLOCK * d).zip(self.norms.chunks(BLOCK)).map(|(data, norms)| Block { data, norms })
    }

    /// All data past the points, in double precision.
    fn pass(&self, visits: &mut [Visit<'_>], work: &mut Work) {
        let d = self.dim();
        for block in self.blocks() {
            let rows = block.norms.len();
            work.near.turn(block.data, d);
            for visit in &mut *visits {
                work.near.distances(visit.x, 1.0, rows);
                work.near.keep(rows);
                self.found(visit, work.near.nearest(rows, visit.nearest));
                let kept = work.near.within(rows, visit.cutoff);
                work.uncertain[..rows].fill(0.0);
                if kept > 0 {
                    self.weigh(kept, work);
                    visit.add(kept, work);
                    work.near.pull(&work.near.gains[..kept], visit.x, visit.posterior.moment());
                }
            }
        }
    }

    /// All data past the points of a tile, by matrix products in single precision.
    fn pass_products(
        &self,
        tile: &[f64],
        visits: &mut [Visit<'_>],
        products: &mut Products<f32>,
        work: &mut Work,
    ) {
        products.begin(tile);
        for (b, block) in self.blocks().enumerate() {
            products.multiply(block.data);
            for (j, visit) in visits.iter_mut().enumerate() {
                self.visit(visit, &block, products.column(j, block.norms.len()), work);
            }
            products.collect(block.data);
            if b % SETTLE == SETTLE - 1 {
                products.settle();
            }
        }
        products.settle();
    }

    /// A block of data past one point.
    fn visit(&self, visit: &mut Visit<'_>, block: &Block<'_>, column: Column<'_, f32>, work: &mut Work) {
        let d = self.dim();
        let kept = self.estimated(visit, block, column.products, work);
        if kept == 0 {
            return;
        }
        self.weigh(kept, work);
        self.measure(visit, block, kept, work);
        let shrink = visit.add(kept, work);
        let mut weights = column.weights;
        if shrink != 1.0 {
            weights.scale(shrink);
        }
        let pulls = &work.near.gains[..kept];
        if kept == block.norms.len() && kept >= MANY && !work.measured {
            visit.pulled_apart(weights.set_all(pulls));
            return;
        }
        for (k, pull) in work.near.kept.iter().zip(pulls) {
            if kept < MANY || work.uncertain[*k] == 0.0 {
                visit.posterior.pull(visit.x, block.datum(*k, d), *pull);
            } else {
                visit.pulled_apart(weights.set(*k, *pull));
            }
        }
    }

    /// Finds the squared distances of the data that have influence, with the errors they may have, and returns how many they are. Those
    /// that cancel are measured.
    fn estimated(
        &self,
        visit: &mut Visit<'_>,
        block: &Block<'_>,
        products: &[f32],
        work: &mut Work,
    ) -> usize {
        let rows = block.norms.len();
        let (by_product, by_norms) =
            (2.0 * (self.dim() as f64).sqrt() * ROUNDING, 4.0 * ROUNDING * visit.norm);
        let norm_squared = visit.norm * visit.norm;
        let squares = &mut work.near.squares[..rows];
        let (uncertain, mut small) = (&mut work.uncertain[..rows], false);
        vector::widest(
            #[inline(always)]
            || {
                let out = squares.iter_mut().zip(uncertain.iter_mut());
                for ((square, uncertain), (norm, product)) in out.zip(block.norms.iter().zip(products)) {
                    let (product, size) = (f64::from(*product), norm_squared + norm * norm);
                    *square = size - 2.0 * product;
                    *uncertain = by_product * product.abs() + by_norms * norm;
                    small |= *square < CANCELLATION * size;
                }
            },
        );
        work.near.keep(rows);
        work.measured = false;
        if small {
            for (k, norm) in block.norms.iter().enumerate() {
                let square = work.near.squares[k];
                if square < CANCELLATION * (norm_squared + norm * norm)
                    && square - work.uncertain[k] <= visit.cutoff
                {
                    work.near.squares[k] = squared(visit.x, block.datum(k, self.dim()));
                    (work.uncertain[k], work.measured) = (0.0, true);
                }
            }
        }
        self.found(visit, work.near.nearest(rows, visit.nearest));
        work.near.within(rows, visit.cutoff)
    }

    /// The nearest datum has the first of these squared distances.
    fn found(&self, visit: &mut Visit<'_>, nearest: [f64; 2]) {
        if nearest[0] < visit.nearest[0] {
            visit.nearest = nearest;
            visit.cutoff = self.green.beyond(nearest[0], visit.negligible + (self.len() as f64).ln());
        }
    }

    /// The logarithms of the weights and the gains of the data that are kept, and the errors g e/2 that the former may have, e those of the
    /// squared distances.
    fn weigh(&self, kept: usize, work: &mut Work) {
        let Work { near, uncertain, errors, .. } = work;
        near.logs[..kept].copy_from_slice(&near.squares[..kept]);
        self.green.log_values_and_gains(&mut near.logs[..kept], &mut near.gains[..kept]);
        let (gains, kept) = (&near.gains, &near.kept[..kept]);
        if kept.last() == Some(&(kept.len() - 1)) {
            // The first ones without a gap.
            let pairs = gains.iter().zip(&*uncertain).take(kept.len());
            errors
                .iter_mut()
                .zip(pairs)
                .for_each(|(error, (gain, uncertain))| *error = 0.5 * gain * uncertain);
        } else {
            let pairs = gains.iter().zip(kept);
            errors.iter_mut().zip(pairs).for_each(|(error, (gain, k))| *error = 0.5 * gain * uncertain[*k]);
        }
    }

    /// Measures what matters: a datum whose weight times the square of its relative error is beyond what is allowed.
    fn measure(&self, visit: &Visit<'_>, block: &Block<'_>, kept: usize, work: &mut Work) {
        let Work { near, uncertain, errors, measured } = work;
        let (peak, mass) = visit.posterior.peak_and_mass();
        let top = largest(peak, &near.logs[..kept]);
        let allowed = ALLOWED * ALLOWED * f64::max(mass * f64::exp(peak - top), 1.0);
        let worst = largest(0.0, &errors[..kept]).powi(2);
        if worst <= allowed {
            return;
        }
        let lowest = top + f64::ln(allowed / worst);
        for (i, error) in errors[..kept].iter_mut().enumerate() {
            let (k, log) = (near.kept[i], near.logs[i]);
            if log >= lowest && error.powi(2) * f64::exp(log - top) > allowed {
                let square = squared(visit.x, block.datum(k, self.dim()));
                near.squares[i] = square;
                (near.logs[i], near.gains[i]) = self.green.log_value_and_gain(square.sqrt());
                (uncertain[k], *error, *measured) = (0.0, 0.0, true);
            }
        }
    }
}

impl Score for SinglePrecisionScore<'_> {
    fn dim(&self) -> usize {
        self.green.dim()
    }

    fn evaluate(&self, points: &[f64], gains: &mut [f64], displacements: &mut [f64]) {
        self.run(points, displacements, |j, summary| gains[j] = summary.gain);
    }
}

/// A block of data and their norms.
struct Block<'a> {
    data: &'a [f32],
    norms: &'a [f64],
}

impl Block<'_> {
    fn datum(&self, k: usize, d: usize) -> &[f32] {
        &self.data[k * d..(k + 1) * d]
    }
}

/// What is known of the data of a block as one point sees them.
struct Work {
    near: Near,
    /// What the error of a squared distance may be, by the place in the block; 0 where it has been measured.
    uncertain: [f64; BLOCK],
    /// What the relative error of a weight may be, of those that are kept.
    errors: [f64; BLOCK],
    /// Has one been measured?
    measured: bool,
}

impl Work {
    fn new() -> Self {
        Self { near: Near::new(), uncertain: [0.0; BLOCK], errors: [0.0; BLOCK], measured: false }
    }
}

/// One point while the data pass by.
struct Visit<'a> {
    x: &'a [f64],
    norm: f64,
    nearest: [f64; 2],
    cutoff: f64,
    /// A log-kernel that far, and log m, below that of the nearest datum has no influence.
    negligible: f64,
    posterior: Posterior<'a>,
    account: Account,
}

/// What the data that were not measured may have done to the score of a point.
#[derive(Default)]
struct Account {
    /// Σ (w g e)² over them, e the relative errors of their weights w.
    uncertain: f64,
    /// Σ w g |x - y|² over all.
    second: f64,
    /// Σ w g over all, and over those whose moment is summed in single precision.
    pull: f64,
    apart: f64,
}

impl Account {
    /// How far the score may be off relative to its length, given |x| and the displacement D - x. The data lie from D by |x - y|² -
    /// |x - D|² in the mean square: so far do wrong weights lead, and data that were passed over. A sum in single precision is off by its
    /// rounding relative to the data themselves.
    fn relative_error(&self, norm: f64, displacement: &[f64]) -> f64 {
        let square = displacement.iter().map(|v| v * v).sum::<f64>();
        let (second, length) = (self.second / self.pull, square.sqrt());
        let spread = (second - square).max(0.0).sqrt();
        let weights = self.uncertain.sqrt() / self.pull + f64::exp(-NEGLIGIBLE);
        let rounded = 2.0 * ROUNDING * self.apart / self.pull;
        (weights * spread + rounded * (norm + second.sqrt())) / length
    }
}

impl<'a> Visit<'a> {
    fn new(x: &'a [f64], moment: &'a mut [f64], negligible: f64) -> Self {
        Self {
            x,
            negligible,
            norm: x.iter().map(|x| x * x).sum::<f64>().sqrt(),
            nearest: [f64::INFINITY; 2],
            cutoff: f64::INFINITY,
            posterior: Posterior::new(moment, None),
            account: Account::default(),
        }
    }

    /// Adds the data that are kept to the posterior, apart from their moment; the factor by which what was added before has shrunk.
    fn add(&mut self, kept: usize, work: &mut Work) -> f64 {
        let Work { near, errors, .. } = work;
        let (logs, gains) = (&mut near.logs[..kept], &mut near.gains[..kept]);
        let shrink = self.posterior.add(std::iter::empty(), logs, gains);
        let Account { uncertain, second, apart, .. } = &mut self.account;
        *uncertain *= shrink * shrink;
        *second *= shrink;
        *apart *= shrink;
        let mut sums = [[0.0; LANES]; 2];
        let pairs = near.squares.chunks(LANES).zip(errors.chunks(LANES));
        for (pulls, (squares, errors)) in gains.chunks(LANES).zip(pairs) {
            for (k, ((pull, square), error)) in pulls.iter().zip(squares).zip(errors).enumerate() {
                sums[0][k] += (pull * error).powi(2);
                sums[1][k] += pull * square;
            }
        }
        *uncertain += sums[0].iter().sum::<f64>();
        *second += sums[1].iter().sum::<f64>();
        shrink
    }

    /// Data with this pull are summed in single precision.
    fn pulled_apart(&mut self, pull: f64) {
        self.account.apart += pull;
        self.posterior.pulled_apart(pull);
    }

    /// The moment becomes the displacement D - x. `apart` is Σ w g y of the data summed elsewhere.
    fn finish(self, apart: Option<&[f64]>) -> (Summary, Account) {
        let account = Account { pull: self.posterior.pulled(), ..self.account };
        (self.posterior.finish(self.x, apart), account)
    }
}

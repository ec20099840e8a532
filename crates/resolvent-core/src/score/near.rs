//! A block of data as one point after the other sees it.

use resolvent_special::vector;

use super::products::Real;
use super::stream::BLOCK;

/// Running sums, so that none waits for the one before.
pub(super) const LANES: usize = 8;

/// Distances, weights and pulls of the data of a block that have influence on a point.
pub(super) struct Near {
    /// The block, coordinate by coordinate, each over [`BLOCK`] places.
    turned: Vec<f64>,
    /// |x - scale y|² of all data, and then of those that are kept.
    pub(super) squares: [f64; BLOCK],
    /// Those that are kept: their places in the block.
    pub(super) kept: [usize; BLOCK],
    pub(super) logs: [f64; BLOCK],
    pub(super) gains: [f64; BLOCK],
}

impl Near {
    pub(super) fn new() -> Self {
        Self {
            turned: Vec::new(),
            squares: [0.0; BLOCK],
            kept: [0; BLOCK],
            logs: [0.0; BLOCK],
            gains: [0.0; BLOCK],
        }
    }

    /// Takes up a block (rows of d).
    pub(super) fn turn<T: Real>(&mut self, block: &[T], d: usize) {
        self.turned.resize(d * BLOCK, 0.0);
        for (k, y) in block.chunks_exact(d).enumerate() {
            for (j, y) in y.iter().enumerate() {
                self.turned[j * BLOCK + k] = (*y).into();
            }
        }
    }

    /// The squared distances of the first `rows` data of the block that was taken up.
    pub(super) fn distances(&mut self, x: &[f64], scale: f64, rows: usize) {
        let Self { turned, squares, .. } = self;
        let squares = &mut squares[..rows];
        vector::widest(
            #[inline(always)]
            || {
                squares.fill(0.0);
                for (x, y) in x.iter().zip(turned.chunks_exact(BLOCK)) {
                    for (square, y) in squares.iter_mut().zip(y) {
                        let difference = x - scale * y;
                        *square += difference * difference;
                    }
                }
            },
        );
    }

    /// The squared distances from inner products, |x|² + scale² |y|² - 2 scale ⟨x, y⟩; whether one of them is below `share` of the
    /// sum of the squares.
    pub(super) fn estimates<T: Real>(
        &mut self,
        norm_squared: f64,
        scale: f64,
        (norms, products): (&[f64], &[T]),
        share: f64,
    ) -> bool {
        let squares = &mut self.squares[..norms.len()];
        let mut small = false;
        vector::widest(
            #[inline(always)]
            || {
                for ((square, norm), product) in squares.iter_mut().zip(norms).zip(products) {
                    let size = norm_squared + scale * scale * norm;
                    *square = size - 2.0 * scale * (*product).into();
                    small |= *square < share * size;
                }
            },
        );
        small
    }

    /// The two smallest of the first `count` squared distances and of those given, in order.
    pub(super) fn nearest(&self, count: usize, given: [f64; 2]) -> [f64; 2] {
        let mut nearest = [[f64::INFINITY; LANES]; 2];
        let (whole, rest) = self.squares[..count].as_chunks::<LANES>();
        vector::widest(
            #[inline(always)]
            || {
                let [mut first, mut second] = nearest;
                for squares in whole {
                    for k in 0..LANES {
                        let closer = squares[k] < first[k];
                        let later = if closer { first[k] } else { squares[k] };
                        first[k] = if closer { squares[k] } else { first[k] };
                        second[k] = if later < second[k] { later } else { second[k] };
                    }
                }
                nearest = [first, second];
            },
        );
        let given = rest.iter().fold(given, |given, square| closer(given, *square));
        nearest.as_flattened().iter().fold(given, |given, square| closer(given, *square))
    }

    /// Keeps the first `count` data.
    pub(super) fn keep(&mut self, count: usize) {
        self.kept[..count].iter_mut().enumerate().for_each(|(k, kept)| *kept = k);
    }

    /// Of the first `count` data that are kept those within a squared distance of `cutoff`, moved to the front; how many they
    /// are. A distance that is no number is kept: it must be seen in the result.
    pub(super) fn within(&mut self, count: usize, cutoff: f64) -> usize {
        if !self.squares[..count].iter().any(|squared| *squared > cutoff) {
            return count;
        }
        let mut within = 0;
        for i in 0..count {
            let squared = self.squares[i];
            (self.kept[within], self.squares[within]) = (self.kept[i], squared);
            within += usize::from(squared <= cutoff || squared.is_nan());
        }
        within
    }

    /// moment ← moment + Σ pull (y - origin) over the data that are kept, of the block that was taken up; `pulls` as many.
    pub(super) fn pull(&self, pulls: &[f64], origin: &[f64], moment: &mut [f64]) {
        let kept = &self.kept[..pulls.len()];
        // Kept are all of the first ones, or what is left of more.
        let together = kept.last().is_some_and(|last| last + 1 == kept.len());
        let mut gathered = [0.0; BLOCK];
        for ((moment, origin), y) in moment.iter_mut().zip(origin).zip(self.turned.chunks_exact(BLOCK)) {
            let y = if together {
                &y[..kept.len()]
            } else {
                gathered.iter_mut().zip(kept).for_each(|(gathered, k)| *gathered = y[*k]);
                &gathered[..kept.len()]
            };
            *moment += pulled(pulls, y, *origin);
        }
    }
}

/// The two smallest of three numbers of which two are in order; one that is no number is passed over.
pub(super) fn closer([first, second]: [f64; 2], square: f64) -> [f64; 2] {
    if square < first { [square, first] } else { [first, if square < second { square } else { second }] }
}

/// |x - y|², the sum in a fixed order.
pub(super) fn squared<T: Real>(x: &[f64], y: &[T]) -> f64 {
    const LANES: usize = 32;
    let mut total = 0.0;
    vector::widest(
        #[inline(always)]
        || {
            let mut sums = [0.0; LANES];
            let (xs, ys) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
            let rest = xs.remainder().iter().zip(ys.remainder());
            total = rest.map(|(x, y)| (x - (*y).into()) * (x - (*y).into())).sum();
            for (x, y) in xs.zip(ys) {
                for k in 0..LANES {
                    let difference = x[k] - y[k].into();
                    sums[k] += difference * difference;
                }
            }
            total += sums.iter().sum::<f64>();
        },
    );
    total
}

/// Σ pull (y - origin), in a fixed order.
fn pulled(pulls: &[f64], y: &[f64], origin: f64) -> f64 {
    let mut sums = [0.0; LANES];
    let (mut pulls, mut y) = (pulls.chunks_exact(LANES), y.chunks_exact(LANES));
    for (pull, y) in pulls.by_ref().zip(y.by_ref()) {
        for k in 0..LANES {
            sums[k] += pull[k] * (y[k] - origin);
        }
    }
    let rest: f64 = pulls.remainder().iter().zip(y.remainder()).map(|(pull, y)| pull * (y - origin)).sum();
    sums.iter().sum::<f64>() + rest
}

/// The sum of all, in a fixed order.
pub(super) fn sum(values: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let mut values = values.chunks_exact(LANES);
    for values in values.by_ref() {
        for k in 0..LANES {
            sums[k] += values[k];
        }
    }
    sums.iter().sum::<f64>() + values.remainder().iter().sum::<f64>()
}

/// The largest of `values`, or `least`.
pub(super) fn largest(least: f64, values: &[f64]) -> f64 {
    let mut largest = [least; LANES];
    for values in values.chunks(LANES) {
        for (largest, value) in largest.iter_mut().zip(values) {
            *largest = if *value > *largest { *value } else { *largest };
        }
    }
    largest.into_iter().fold(least, f64::max)
}

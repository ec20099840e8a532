//! The kernel score of 512 points against 10,000 data in R^784, and its two matrix products alone.

use nalgebra::DMatrix;
use rayon::prelude::*;
use resolvent::core::random::{Purpose, stream};
use resolvent::core::score::SinglePrecisionScore;
use resolvent::core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion};

use crate::{Options, Report, Result};

const POINTS: usize = 512;
const DATA: usize = 10_000;
const DIM: usize = 784;
/// Points at which the score is compared with the one of double precision.
const COMPARED: usize = 16;

fn normals(columns: usize, index: u64) -> DMatrix<f64> {
    let mut values = DMatrix::zeros(DIM, columns);
    stream(1, Purpose::Data, index).fill_normals(values.as_mut_slice());
    values
}

pub(crate) fn run(spread: f64, options: &Options) -> Result<Report> {
    let process = KilledBrownianMotion::new(DIM, 1.0, 0.1)?;
    let (data, points) = (normals(DATA, 0) * spread, normals(POINTS, 1));
    let single = data.map(|y| y as f32);
    // The same numbers for both.
    let data = if options.single { single.map(f64::from) } else { data };
    let double = EmpiricalScore::new(&process, EmpiricalMeasure::new(data)?)?;
    let quick = SinglePrecisionScore::new(&process, single.as_slice())?;
    let mut out = Ok(DMatrix::zeros(0, 0));
    let seconds =
        options.fastest(|| out = if options.single { quick.score(&points) } else { double.score(&points) });
    let (out, exact) = (out?, double.score(&points.columns(0, COMPARED).into_owned())?);
    let errors = exact.column_iter().zip(out.column_iter()).map(|(a, b)| (a - b).norm() / a.norm());
    let error = errors.fold(0.0, f64::max);
    let more = vec![("products", FLOPS / seconds)];
    Ok(Report { rate: (POINTS * DATA) as f64 / seconds, unit: "pairs", error: Some(error), more })
}

/// Operations of both products.
const FLOPS: f64 = 4.0 * (POINTS * DATA * DIM) as f64;

/// The two products alone: of the data with all points, and of the weights with the data, the points in one share for each thread.
pub(crate) fn products(options: &Options) -> Report {
    let (data, points) = (normals(DATA, 0), normals(POINTS, 1));
    let seconds = if options.single {
        both(options, data.map(|x| x as f32).as_slice(), points.map(|x| x as f32).as_slice(), (1.0, 0.0))
    } else {
        both(options, data.as_slice(), points.as_slice(), (1.0, 0.0))
    };
    Report { rate: FLOPS / seconds, unit: "operations", error: None, more: Vec::new() }
}

fn both<T: Copy + Send + Sync + 'static>(
    options: &Options,
    data: &[T],
    points: &[T],
    (one, zero): (T, T),
) -> f64 {
    let share = POINTS.div_ceil(options.threads);
    let (mut pairs, mut sums) = (vec![zero; POINTS * DATA], vec![zero; POINTS * DIM]);
    options.fastest(|| {
        let shares = points.par_chunks(share * DIM).zip(pairs.par_chunks_mut(share * DATA));
        shares.zip(sums.par_chunks_mut(share * DIM)).for_each(|((points, pairs), sums)| {
            let n = points.len() / DIM;
            product((DATA, n, DIM), pairs, (data, 1, DIM), (points, DIM, 1), one);
            product((DIM, n, DATA), sums, (data, DIM, 1), (pairs, DATA, 1), one);
        });
    })
}

/// A matrix: its numbers, and the steps from column to column and from row to row.
type Matrix<'a, T> = (&'a [T], usize, usize);

/// out ← a b, column after column, for an m x k and a k x n matrix.
#[expect(unsafe_code, reason = "the product crate takes raw pointers")]
fn product<T: Copy + 'static>(
    (m, n, k): (usize, usize, usize),
    out: &mut [T],
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    one: T,
) {
    assert!(out.len() == m * n && a.0.len() == m * k && b.0.len() == k * n);
    let (o, a, b) = (
        out.as_mut_ptr(),
        (a.0.as_ptr(), a.1 as isize, a.2 as isize),
        (b.0.as_ptr(), b.1 as isize, b.2 as isize),
    );
    // SAFETY: the three matrices are dense, in either order, and their sizes are those of the slices.
    unsafe {
        let serial = gemm::Parallelism::None;
        gemm::gemm(
            m, n, k, o, m as isize, 1, false, a.0, a.1, a.2, b.0, b.1, b.2, one, one, false, false, false,
            serial,
        );
    }
}

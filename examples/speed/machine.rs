//! What the machine can do: multiply-add and copy.

use std::hint::black_box;

use rayon::prelude::*;
use resolvent::special::vector::widest;

use crate::{Options, Report};

const ROUNDS: usize = 1 << 20;
const COPY: usize = 64 << 20;

/// [`ROUNDS`] multiply-adds on each of so many registers' worth of accumulators; returns their number.
macro_rules! chains {
    ($name:ident, $real:ty) => {
        fn $name() -> f64 {
            const LANES: usize = 12 * 64 / size_of::<$real>();
            let (a, b): ($real, $real) = (black_box(1.000_001), black_box(1e-9));
            let mut out: [$real; LANES] = [1.0; LANES];
            widest(
                #[inline(always)]
                || {
                    let mut sums = out;
                    for _ in 0..ROUNDS {
                        sums = sums.map(|sum| sum.mul_add(a, b));
                    }
                    out = sums;
                },
            );
            black_box(out);
            LANES as f64
        }
    };
}

chains!(chains_f32, f32);
chains!(chains_f64, f64);

/// Multiply-adds on independent accumulators; two operations each.
pub(crate) fn multiply_add(options: &Options) -> Report {
    let work = |_: usize| if options.single { chains_f32() } else { chains_f64() };
    let mut lanes = 0.0;
    let seconds = options.fastest(|| lanes = (0..options.threads).into_par_iter().map(work).sum::<f64>());
    Report { rate: 2.0 * lanes * ROUNDS as f64 / seconds, unit: "operations", error: None, more: Vec::new() }
}

/// Bytes copied, each of them read once and written once.
pub(crate) fn copy(options: &Options) -> Report {
    let mut buffers: Vec<_> = (0..options.threads).map(|_| (vec![1_u8; COPY], vec![0_u8; COPY])).collect();
    let seconds = options.fastest(|| {
        buffers.par_iter_mut().for_each(|(from, to)| {
            to.copy_from_slice(from);
            black_box(to);
        });
    });
    Report { rate: (COPY * options.threads) as f64 / seconds, unit: "bytes", error: None, more: Vec::new() }
}

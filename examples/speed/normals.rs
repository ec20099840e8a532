//! Standard normal numbers, 4,096 from each of many streams.

use std::hint::black_box;

use rayon::prelude::*;
use resolvent::core::random::{Purpose, stream};

use crate::{Options, Report};

const STREAMS: u64 = 4_096;
const LENGTH: usize = 4_096;

pub(crate) fn run(options: &Options) -> Report {
    let fill = |index: u64| {
        let mut stream = stream(1, Purpose::Path, index);
        if options.single {
            let mut numbers = [0.0; LENGTH];
            stream.fill_normals_f32(&mut numbers);
            black_box(numbers).map(f64::from)
        } else {
            let mut numbers = [0.0; LENGTH];
            stream.fill_normals(&mut numbers);
            black_box(numbers)
        }
    };
    let squares = |index| fill(index).iter().map(|x| x * x).sum::<f64>();
    let total: f64 = (0..STREAMS).into_par_iter().map(squares).sum();
    let seconds = options.fastest(|| {
        (0..STREAMS).into_par_iter().for_each(|index| {
            black_box(fill(index));
        });
    });
    let count = STREAMS as f64 * LENGTH as f64;
    // The variance, in its standard errors.
    let error = (total / count - 1.0) / (2.0 / count).sqrt();
    Report { rate: count / seconds, unit: "numbers", error: Some(error), more: Vec::new() }
}

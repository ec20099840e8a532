//! The kernel in dimension 1 against the resolvent that is solved on a grid.

use anyhow::Result;
use resolvent::core::Resolvent;
use resolvent::core::killed::LineResolvent;

use super::Settings;
use super::process::standard;
use crate::experiment::Context;
use crate::outcome::{Check, Table, cells};

/// Ends that the process hardly ever reaches.
const INTERVAL: (f64, f64) = (-9.0, 9.0);
/// Where the process starts, on a node of every grid.
const START: f64 = 0.9;
/// Where the kernels are compared, on nodes of every grid.
const PLACES: [f64; 6] = [-2.7, -1.8, -0.9, 0.0, 1.8, 2.7];

pub(super) struct Comparison {
    pub(super) checks: Vec<Check>,
    pub(super) table: Table,
}

pub(super) fn compare(settings: &Settings, context: &Context) -> Result<Comparison> {
    let mut table = Table::new(
        "kernel in dimension 1",
        format!(
            "The largest difference between log G_r by quadrature (R6) and by finite volumes on {INTERVAL:?}, from the start \
             {START} to {PLACES:?}. The order is log2 of the ratio of two neighbours; the quadrature's own estimate of \
             its error is that of its worst place."
        ),
        &["rate r", "cells", "difference", "order", "estimated error of the quadrature"],
    );
    let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
    for &rate in &settings.rates {
        context.proceed()?;
        let process = standard(1, rate)?;
        let mut before = f64::NAN;
        for doubling in 0..3 {
            let cells = settings.cells << doubling;
            let occupation = LineResolvent::uniform(&process, INTERVAL, cells)?.point(START)?;
            let (mut difference, mut estimate) = (0.0_f64, 0.0_f64);
            for x in PLACES {
                let (kernel, error) = process.green().log_value_and_error(&[x], &[START]);
                let exact = kernel + process.log_measure_and_gradient(&[x], &mut [0.0]);
                difference = difference.max((occupation.log_value(x) - exact).abs());
                estimate = estimate.max(error);
            }
            let order = (before / difference).log2();
            table.push(cells![rate, cells, difference, (doubling > 0).then_some(order), estimate]);
            if doubling > 0 {
                least = least.min(order);
                most = most.max(order);
            }
            before = difference;
        }
    }
    let source = "finite volumes converge with the order 2 to the kernel by quadrature (R6)";
    let checks = vec![
        Check::at_least("order of the difference between grid and quadrature, least", least, 1.8, source),
        Check::at_most("order of the difference between grid and quadrature, largest", most, 2.2, source),
    ];
    Ok(Comparison { checks, table })
}

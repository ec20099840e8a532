//! Piecewise quintic interpolation of the logarithms of the smoothed Green kernel and of its mean time.

use rayon::prelude::*;

use super::moments::Times;

/// Width of a cell relative to that of the bend which the kernel makes where the peak of its integrand leaves the edge.
const FINENESS: f64 = 0.1;

/// Values over q = log(1 + 2β) = log(1 + ρ²/h²) on a uniform grid from 0 on, up to where the integral is whole.
#[derive(Debug, Clone)]
pub(super) struct Table {
    cell: f64,
    /// log G^h and its first two derivatives times cell and cell².
    log_values: Vec<[f64; 3]>,
    /// log E[e^v - 1], likewise.
    log_times: Vec<[f64; 3]>,
}

impl Table {
    /// `log_scale` is added to the logarithm of the integral.
    pub(super) fn new(times: &Times, log_scale: f64) -> Self {
        let cell = FINENESS / (1.0 + times.nu.abs() + 2.0 * times.kappa).sqrt();
        let beta = |q: f64| 0.5 * q.exp_m1();
        // The integral is whole from some distance on: by doubling, then by halves.
        let mut cells = 1;
        while !times.is_whole(beta(cell * f64::from(cells))) {
            cells *= 2;
        }
        let mut short = cells / 2;
        while cells - short > 1 {
            let middle = short + (cells - short) / 2;
            if times.is_whole(beta(cell * f64::from(middle))) { cells = middle } else { short = middle }
        }
        let nodes = (0..=cells).into_par_iter().map(|k| {
            let q = cell * f64::from(k);
            let moments = times.moments(beta(q));
            // From derivatives by β to those by q: dβ/dq = e^q/2 is its own derivative.
            let by_q = |[value, first, second]: [f64; 3]| {
                let factor = 0.5 * q.exp();
                let (first, second) = (first * factor, second * factor * factor + first * factor);
                [value, first * cell, second * cell * cell]
            };
            let [value, first, second] = by_q(moments.log_mass);
            ([value + log_scale, first, second], by_q(moments.log_time))
        });
        let (log_values, log_times) = nodes.unzip();
        Self { cell, log_values, log_times }
    }

    /// log G^h and its derivative by q, or nothing beyond the end.
    pub(super) fn log_value_and_slope(&self, q: f64) -> Option<(f64, f64)> {
        let (k, x) = self.place(q)?;
        let (value, slope) = quintic(self.log_values[k], self.log_values[k + 1], x);
        Some((value, slope / self.cell))
    }

    /// log E[e^v - 1], or nothing beyond the end.
    pub(super) fn log_time(&self, q: f64) -> Option<f64> {
        let (k, x) = self.place(q)?;
        Some(quintic(self.log_times[k], self.log_times[k + 1], x).0)
    }

    /// The end of the table and log G^h there.
    pub(super) fn end(&self) -> (f64, f64) {
        let last = self.log_values.len() - 1;
        (self.cell * last as f64, self.log_values[last][0])
    }

    /// The first node at which log G^h is at most `log_value`, if one is.
    pub(super) fn first_at_most(&self, log_value: f64) -> Option<f64> {
        let k = self.log_values.partition_point(|node| node[0] > log_value);
        (k < self.log_values.len()).then_some(self.cell * k as f64)
    }

    /// The cell of `q` and the place in it, from 0 to 1.
    fn place(&self, q: f64) -> Option<(usize, f64)> {
        let x = q / self.cell;
        let k = x as usize;
        // A place beyond all numbers has the last of them for its cell.
        (k < self.log_values.len() - 1).then_some((k, x - k as f64))
    }
}

/// The polynomial of degree five with the value and two derivatives of `a` at 0 and of `b` at 1: value and derivative at x.
fn quintic(a: [f64; 3], b: [f64; 3], x: f64) -> (f64, f64) {
    // What is left for the powers three to five after the Taylor polynomial of a, in value and two derivatives at 1.
    let value = b[0] - a[0] - a[1] - 0.5 * a[2];
    let first = b[1] - a[1] - a[2];
    let second = b[2] - a[2];
    let c3 = 10.0 * value - 4.0 * first + 0.5 * second;
    let c4 = -15.0 * value + 7.0 * first - second;
    let c5 = 6.0 * value - 3.0 * first + 0.5 * second;
    let p = a[0] + x * (a[1] + x * (0.5 * a[2] + x * (c3 + x * (c4 + x * c5))));
    let slope = a[1] + x * (a[2] + x * (3.0 * c3 + x * (4.0 * c4 + x * 5.0 * c5)));
    (p, slope)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Between the nodes, against the quadrature that made them.
    #[test]
    fn interpolation_errors_are_as_stated() {
        for (nu, kappa) in [
            (-0.5, 1e-3),
            (-0.5, 1e4),
            (0.0, 1e-12),
            (0.0, 0.5),
            (0.5, 3.0),
            (3.0, 0.2),
            (391.0, 0.01),
            (391.0, 50.0),
            (1e5, 1.0),
        ] {
            let times = Times::new(nu, kappa);
            let table = Table::new(&times, 0.0);
            let cells = table.log_values.len() - 1;
            let stride = (cells / 500).max(1);
            let (mut value_error, mut slope_error, mut time_error) = (0.0_f64, 0.0_f64, 0.0_f64);
            for k in (0..cells).step_by(stride) {
                for x in [0.25, 0.5, 0.8] {
                    let q = table.cell * (k as f64 + x);
                    let exact = times.moments(0.5 * q.exp_m1());
                    let (value, slope) = table.log_value_and_slope(q).unwrap();
                    let rounding = 4e-16 * exact.log_mass[0].abs();
                    value_error = value_error.max((value - exact.log_mass[0]).abs() - rounding);
                    slope_error = slope_error.max((slope / (exact.log_mass[1] * 0.5 * q.exp()) - 1.0).abs());
                    time_error = time_error.max((table.log_time(q).unwrap() - exact.log_time[0]).abs());
                }
            }
            println!("{nu} {kappa}: {cells} cells, {value_error:e} {slope_error:e} {time_error:e}");
            assert!(value_error < 1e-9 && slope_error < 1e-8 && time_error < 1e-8);
        }
    }
}

//! Convergence orders against a declared table.

use nalgebra::DMatrix;
use resolvent::core::killing::FixedTime;
use resolvent::core::step::EulerMaruyama;
use resolvent::core::{EmpiricalMeasure, EmpiricalScore, FixedStep, KilledBrownianMotion, Sampler};
use resolvent::metrics;

/// The declared weak order of each step, and how far the measured slope may be off.
const TABLE: [(&str, f64, f64); 1] = [("Euler-Maruyama", 1.0, 0.15)];

/// Towards one atom the backward process is Brownian motion reweighted by its Green kernel G, so that
/// E[1/G(X_T); T < ζ] = e^{-rT} / G(x): an exact mean of a function of the path's end.
#[test]
fn weak_order_of_euler_maruyama() {
    let (d, rate, horizon) = (5, 0.4, 0.5);
    let process = KilledBrownianMotion::new(d, 1.0, rate).unwrap();
    let score = EmpiricalScore::new(&process, EmpiricalMeasure::new(DMatrix::zeros(d, 1)).unwrap()).unwrap();
    let step = EulerMaruyama::new(&score);
    let end = FixedTime::new(horizon).unwrap();
    // At death 1/G vanishes, so that particles which die on the way count for nothing on either side.
    let start = 2.0;
    let mut starts = DMatrix::zeros(d, 2_000_000);
    starts.row_mut(0).fill(start);
    let reference = -rate * horizon - process.green().log_value(start);
    // Least squares of log error on log step, weighted by what the Monte-Carlo error leaves known.
    let (mut weight, mut sx, mut sy, mut sxx, mut sxy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for steps in [4_u32, 6, 8, 12, 16] {
        let control = FixedStep::new(horizon / f64::from(steps)).unwrap();
        let sampler = Sampler::new(&process, &step, &control).killing("time", &end);
        let ensemble = sampler.run(&starts, steps.into()).unwrap();
        let ratio = |x: f64| f64::exp(-process.green().log_value(x) - reference);
        let ratios: Vec<f64> = ensemble.points.column_iter().map(|x| ratio(x.norm())).collect();
        let mean = metrics::mean(&ratios).unwrap();
        let (error, noise) = (mean.value - 1.0, mean.standard_error);
        println!("{steps} steps: error {error} +- {noise}");
        let (w, x, y) = ((error / noise).powi(2), -f64::from(steps).ln(), error.abs().ln());
        weight += w;
        sx += w * x;
        sy += w * y;
        sxx += w * x * x;
        sxy += w * x * y;
    }
    let slope = (weight * sxy - sx * sy) / (weight * sxx - sx * sx);
    let (name, order, tolerance) = TABLE[0];
    assert!((slope - order).abs() < tolerance, "{name}: {slope}, declared {order}");
}

//! The random horizon.

use nalgebra::DMatrix;
use resolvent::core::killing::FixedTime;
use resolvent::core::step::EulerMaruyama;
use resolvent::core::{EmpiricalMeasure, EmpiricalScore, FixedStep, KilledBrownianMotion, Sampler};
use resolvent::metrics;

use crate::Measured;

/// Towards one atom the backward process is Brownian motion reweighted by its Green kernel G, so that
/// E[1/G(X_T); T < ζ] = e^{-rT} / G(x): an exact mean of a function of the path's end.
pub(crate) fn euler_maruyama() -> Vec<Measured> {
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
    let measure = |steps: u32| {
        let dt = horizon / f64::from(steps);
        let control = FixedStep::new(dt).unwrap();
        let sampler = Sampler::new(&process, &step, &control).killing("time", &end);
        let ensemble = sampler.run(&starts, steps.into()).unwrap();
        let ratio = |x: f64| f64::exp(-process.green().log_value(x) - reference);
        let ratios: Vec<f64> = ensemble.points.column_iter().map(|x| ratio(x.norm())).collect();
        let mean = metrics::mean(&ratios).unwrap();
        Measured { step: dt, error: (mean.value - 1.0).abs(), noise: mean.standard_error }
    };
    [4, 6, 8, 12, 16].map(measure).into()
}

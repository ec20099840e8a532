//! How far a learned score is from the exact one.

use anyhow::{Result, ensure};
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use rayon::prelude::*;
use resolvent::core::Score;
use resolvent::core::random::{Purpose, stream};
use resolvent::metrics::Estimate;

/// Points evaluated in one go.
const TILE: usize = 32;

/// Two scores at one point.
#[derive(Clone, Copy)]
pub(super) struct PointError {
    /// |s - s*|² and |s*|².
    pub(super) score: (f64, f64),
    /// |D - D*|² and |D* - x|².
    pub(super) denoised: (f64, f64),
    /// log g/g*.
    pub(super) log_gain: f64,
}

/// `learned` against `exact` at the columns of `points` (d x n).
pub(super) fn point_errors(exact: &dyn Score, learned: &dyn Score, points: &DMatrix<f64>) -> Vec<PointError> {
    let d = points.nrows();
    let tiles: Vec<Vec<PointError>> = points
        .as_slice()
        .par_chunks(TILE * d)
        .map(|points| {
            let n = points.len() / d;
            let (mut gains, mut theirs) = (vec![0.0; n], vec![0.0; n]);
            let (mut v, mut w) = (vec![0.0; n * d], vec![0.0; n * d]);
            learned.evaluate(points, &mut gains, &mut v);
            exact.evaluate(points, &mut theirs, &mut w);
            let rows = v.chunks_exact(d).zip(w.chunks_exact(d)).zip(gains.iter().zip(&theirs));
            rows.map(|((v, w), (g, h))| {
                let mut error =
                    PointError { score: (0.0, 0.0), denoised: (0.0, 0.0), log_gain: (g / h).ln() };
                for (v, w) in v.iter().zip(w) {
                    error.score.0 += (g * v - h * w).powi(2);
                    error.score.1 += (h * w).powi(2);
                    error.denoised.0 += (v - w).powi(2);
                    error.denoised.1 += w * w;
                }
                error
            })
            .collect()
        })
        .collect();
    tiles.concat()
}

/// √(E a/E b) over pairs (a, b), with its standard error over independent pairs (delta method).
pub(super) fn relative(pairs: impl Iterator<Item = (f64, f64)> + Clone) -> Estimate {
    let (mut n, mut a, mut b) = (0.0, 0.0, 0.0);
    for pair in pairs.clone() {
        n += 1.0;
        a += pair.0;
        b += pair.1;
    }
    let ratio: f64 = a / b;
    let square: f64 = pairs.map(|(a, b)| (a - ratio * b).powi(2)).sum();
    let value = ratio.sqrt();
    if value == 0.0 {
        return Estimate { value, standard_error: 0.0 };
    }
    Estimate { value, standard_error: square.sqrt() / b * f64::sqrt(n / (n - 1.0)) / (2.0 * value) }
}

/// √(E |s - s*|²/E |s*|²) over points.
pub(super) fn relative_error(errors: &[PointError]) -> Estimate {
    relative(errors.iter().map(|error| error.score))
}

/// The columns of `data` (d x n) under normal noise of deviation `level`; column i draws from stream i of `seed`.
pub(super) fn noisy(data: &DMatrix<f64>, level: f64, seed: u64) -> DMatrix<f64> {
    let mut points = data.clone();
    for (i, mut point) in points.column_iter_mut().enumerate() {
        let mut rng = stream(seed, Purpose::Experiment, i as u64);
        point.iter_mut().for_each(|x| *x += level * rng.sample::<f64, _>(StandardNormal));
    }
    points
}

/// Refuses noise levels that are none.
pub(super) fn check_levels(name: &str, levels: &[f64]) -> Result<()> {
    ensure!(!levels.is_empty(), "setting `{name}` is empty");
    let good = |level: &f64| level.is_finite() && *level > 0.0;
    ensure!(levels.iter().all(good), "setting `{name}` = {levels:?}: must be positive and finite");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use resolvent::core::score::CircleScore;
    use resolvent::core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion};
    use resolvent::data::{Circle, Law};

    /// 1 for the opposite of the score would be 2, and 0 only for the score itself.
    #[test]
    fn a_score_is_itself_and_no_other() {
        let process = KilledBrownianMotion::new(3, 1.0, 1.0).unwrap();
        let exact = CircleScore::new(&process, 1.0, |_| 1.0).unwrap();
        let law = Circle::new(1.0, 3).unwrap();
        let points = noisy(&law.sample(200, 1), 0.3, 2);
        assert_eq!(relative_error(&point_errors(&exact, &exact, &points)).value, 0.0);
        let at_centre = EmpiricalMeasure::new(DMatrix::zeros(3, 1)).unwrap();
        let atom = EmpiricalScore::new(&process, at_centre).unwrap();
        let error = relative_error(&point_errors(&exact, &atom, &points));
        assert!(error.value > 0.9 && error.standard_error < 0.2, "{error:?}");
    }

    #[test]
    fn a_constant_ratio_has_no_error() {
        let pairs = [(1.0, 4.0), (2.0, 8.0), (0.5, 2.0)];
        let estimate = relative(pairs.iter().copied());
        assert!((estimate.value - 0.5).abs() < 1e-15 && estimate.standard_error < 1e-15);
        let spread = relative([(1.0, 4.0), (3.0, 4.0)].iter().copied());
        // √(2/4), and half of √(Σ (a - b/2)²)·√2/Σ b over it.
        assert!((spread.value - 0.5f64.sqrt()).abs() < 1e-15);
        assert!((spread.standard_error - 0.25 / (2.0 * 0.5f64.sqrt())).abs() < 1e-15);
    }
}

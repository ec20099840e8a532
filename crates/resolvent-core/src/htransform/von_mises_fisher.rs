//! Draws from the von Mises-Fisher law on a sphere.

use rand::{Rng, RngExt};
use rand_distr::{Beta, StandardNormal};

/// Draws a point of the sphere |y| = `radius` with density proportional to e^{κ cos θ}, θ the angle with `x` (d >= 2, not 0),
/// into `out`, by the rejection of Ulrich (1984), Appl. Statist. 33:158, as corrected by Wood (1994), Commun. Statist. Simul.
/// Comput. 23:157. `concentration` κ >= 0.
///
/// It works with 1 - cos θ, so that narrow laws keep their digits.
pub(super) fn around(x: &[f64], radius: f64, concentration: f64, rng: &mut dyn Rng, out: &mut [f64]) {
    let m = x.len() as f64 - 1.0;
    let b = m / (2.0 * concentration + f64::hypot(2.0 * concentration, m));
    // The proposal is centred where 1 - cos θ is this.
    let centre = 2.0 * b / (1.0 + b);
    let beta = Beta::new(0.5 * m, 0.5 * m).expect("d >= 2");
    let short = loop {
        let z = rng.sample(beta);
        let short = 2.0 * b * z / (1.0 - (1.0 - b) * z);
        let log_ratio = f64::ln((centre + (1.0 - centre) * short) / (centre * (2.0 - centre)));
        if concentration * (centre - short) + m * log_ratio >= f64::ln(rng.random()) {
            break short.clamp(0.0, 2.0);
        }
    };
    let norm = x.iter().map(|x| x * x).sum::<f64>().sqrt();
    // A uniform direction orthogonal to x. It is independent of the length of what the projection leaves, so that normal
    // vectors almost along x, of which nothing but rounding would be left, can be passed over.
    let across = loop {
        out.iter_mut().for_each(|o| *o = rng.sample(StandardNormal));
        let along: f64 = out.iter().zip(x).map(|(o, x)| o * (x / norm)).sum();
        out.iter_mut().zip(x).for_each(|(o, x)| *o -= along * (x / norm));
        let across = out.iter().map(|o| o * o).sum::<f64>().sqrt();
        if across > 0.1 * along.abs() {
            break across;
        }
    };
    let side = radius * f64::sqrt(short * (2.0 - short)) / across;
    let ahead = radius * (1.0 - short) / norm;
    out.iter_mut().zip(x).for_each(|(o, x)| *o = ahead * x + side * *o);
}

/// A uniform point of the sphere |y| = `radius` into `out`.
pub(super) fn uniform(radius: f64, rng: &mut dyn Rng, out: &mut [f64]) {
    let norm = loop {
        out.iter_mut().for_each(|o| *o = rng.sample(StandardNormal));
        let norm = out.iter().map(|o| o * o).sum::<f64>().sqrt();
        if norm > 0.0 {
            break norm;
        }
    };
    out.iter_mut().for_each(|o| *o *= radius / norm);
}

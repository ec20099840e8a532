//! The divergence of the velocity of the probability flow.

use super::super::ProbabilityFlow;
use crate::diffusion::Dispersion;

/// The law of the probes z of Hutchinson's estimate, of mean 0 and covariance I.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Probes {
    /// Independent signs, of the smallest variance among laws with independent coordinates.
    #[default]
    Rademacher,
    /// Standard normal.
    Gaussian,
}

/// How the divergence of the velocity v is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Divergence {
    /// Exact, by d products with the Jacobian of the score.
    #[default]
    Exact,
    /// z·∂v z for `probes` random vectors z, unbiased (Hutchinson 1989, Commun. Stat. Simul. 18:1059): that many products.
    /// The probes of a point stay the same along its trajectory (Grathwohl et al. 2019).
    Hutchinson {
        /// Number of probes, at least 1.
        probes: usize,
        /// Their law.
        law: Probes,
    },
}

/// Scratch for one point in R^d.
#[derive(Debug)]
pub(super) struct Work {
    product: Vec<f64>,
    image: Vec<f64>,
    scratch: Vec<f64>,
    shifted: Vec<f64>,
    dispersion: Dispersion,
}

impl Work {
    pub(super) fn new(dim: usize) -> Self {
        let vector = || vec![0.0; dim];
        let (product, image, scratch, shifted) = (vector(), vector(), vector(), vector());
        Self { product, image, scratch, shifted, dispersion: Dispersion::default() }
    }
}

/// The divergence of v = w - ½ Σ s, w = b - ½ div Σ, at (t, x) with the score s there, is div w - ½ (div Σ)·s - ½ tr(Σ J),
/// J the Jacobian of s: a part that takes no derivative of s and a sum, or mean, of z·∂w z - ½ (Σ z)·(J z).
///
/// `directions` holds probes (rows of d) and `out` one estimate for each; without probes `out` has one entry, the exact
/// value.
pub(super) fn divergences(
    flow: &ProbabilityFlow<'_>,
    t: f64,
    x: &[f64],
    score: &[f64],
    directions: &[f64],
    out: &mut [f64],
    work: &mut Work,
) {
    let d = x.len();
    // Under a schedule div b = f d, and Σ does not depend on x.
    let (known, noise) = match flow.schedule {
        Some(schedule) => {
            let rates = schedule.rates(t);
            (rates.drift * d as f64, Some(rates.noise))
        }
        None => {
            flow.diffusion.dispersion(t, x, &mut work.dispersion);
            flow.diffusion.divergence(t, x, &mut work.image);
            (-0.5 * work.image.iter().zip(score).map(|(a, b)| a * b).sum::<f64>(), None)
        }
    };
    out.fill(known);
    if directions.is_empty() {
        let mut unit = vec![0.0; d];
        for i in 0..d {
            unit[i] = 1.0;
            out[0] += quadratic(flow, t, x, &unit, noise, work);
            unit[i] = 0.0;
        }
    } else {
        for (out, z) in out.iter_mut().zip(directions.chunks_exact(d)) {
            *out += quadratic(flow, t, x, z, noise, work);
        }
    }
}

/// z·∂w z - ½ (Σ z)·(J z); without its first term, known already, where Σ = `noise` I.
fn quadratic(
    flow: &ProbabilityFlow<'_>,
    t: f64,
    x: &[f64],
    z: &[f64],
    noise: Option<f64>,
    Work { product, image, scratch, shifted, dispersion }: &mut Work,
) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    flow.score.jacobian_product(t, x, z, product);
    if let Some(noise) = noise {
        return -0.5 * noise * dot(z, product);
    }
    image.copy_from_slice(z);
    dispersion.apply_covariance(image, scratch);
    let mut sum = -0.5 * dot(image, product);
    // Central differences of fourth order: exact for a linear drift up to rounding, which h balances otherwise.
    let norm = |v: &[f64]| dot(v, v).sqrt();
    let h = f64::EPSILON.powf(0.2) * norm(x).max(1.0) / norm(z).max(f64::MIN_POSITIVE);
    for (shift, weight) in [(-2.0, 1.0), (-1.0, -8.0), (1.0, 8.0), (2.0, -1.0)] {
        shifted.iter_mut().zip(x.iter().zip(z)).for_each(|(s, (x, z))| *s = x + shift * h * z);
        flow.diffusion.drift(t, shifted, image);
        flow.diffusion.divergence(t, shifted, scratch);
        sum += weight * (dot(z, image) - 0.5 * dot(z, scratch)) / (12.0 * h);
    }
    sum
}

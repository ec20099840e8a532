//! The initialisation bias: what a reversal becomes that starts in the prior and not in p_T.
//!
//! The reverse SDE and the probability flow carry p_T to the data. Started in the prior they end in another law, however
//! exact score and integration are, and that law is known: the reverse SDE has the transitions of the forward process
//! given where it goes, and the flow on the line is the monotone map between the marginals.

use anyhow::Result;
use resolvent::core::GaussianMixture;
use resolvent::core::schedule::Level;

use crate::experiments::tabulated::Tabulated;

/// Half the length of a quadrature over a normal law, in standard deviations: beyond lies 1e-15.
const REACH: f64 = 8.0;
/// Points of the quadrature over the prior. The integrand is analytic: the error of the trapezoidal rule is of the order of
/// the tails left out.
const NODES: usize = 401;
/// Points at which a distribution function is tabulated.
const POINTS: usize = 1_601;

/// A reversal of a Gaussian mixture on the line that starts at level `from` in the prior N(0, `deviation`²).
#[derive(Clone, Copy, Debug)]
pub(super) struct Initialisation<'a> {
    /// The law of the data.
    pub(super) law: &'a GaussianMixture,
    /// The level at which the reversal starts.
    pub(super) from: Level,
    /// The standard deviation of the prior.
    pub(super) deviation: f64,
}

impl Initialisation<'_> {
    /// The law of the reverse SDE at level `to`: ∫ P(x_to <= x | x_T = y) N(dy; 0, s²), a Gaussian mixture for every y.
    pub(super) fn sde(&self, to: &Level) -> Result<Tabulated> {
        let shrink = self.from.alpha / to.alpha;
        let spread = self.from.sigma.powi(2) - (shrink * to.sigma).powi(2);
        let spacing = 2.0 * REACH / (NODES - 1) as f64;
        let conditionals = (0..NODES).map(|node| {
            let z = -REACH + spacing * node as f64;
            let y = self.deviation * z;
            let (mut means, mut deviations) = (Vec::new(), Vec::new());
            for k in 0..self.law.len() {
                let mean = self.law.means()[(0, k)];
                let own = to.alpha.powi(2) * self.law.component_covariance(k)[(0, 0)] + to.sigma.powi(2);
                let noisy = shrink * shrink * own + spread;
                means.push(to.alpha * mean + shrink * own / noisy * (y - self.from.alpha * mean));
                deviations.push((own * spread / noisy).sqrt());
            }
            let weights = self.law.responsibilities(&self.from, &[y]);
            let conditional = GaussianMixture::one_dimensional(&weights, &means, &deviations)?;
            Ok((f64::exp(-0.5 * z * z), conditional))
        });
        let conditionals: Vec<(f64, GaussianMixture)> = conditionals.collect::<Result<_>>()?;
        let total: f64 = conditionals.iter().map(|(weight, _)| weight).sum();
        Ok(Tabulated::new(range(self.law, to), POINTS, |x| {
            conditionals.iter().map(|(weight, law)| weight * law.cdf(&Level::CLEAN, x)).sum::<f64>() / total
        }))
    }

    /// The law of the probability flow at level `to`: Φ(F_T⁻¹(F_to(x))/s).
    pub(super) fn flow(&self, to: &Level) -> Result<Tabulated> {
        let prior = GaussianMixture::one_dimensional(&[1.0], &[0.0], &[self.deviation])?;
        let (low, high) = range(self.law, &self.from);
        let quantile = |u: f64| {
            let (mut low, mut high) = (low, high);
            // Halving stops at neighbouring numbers.
            loop {
                let middle = 0.5 * (low + high);
                if middle <= low || middle >= high {
                    return middle;
                }
                if self.law.cdf(&self.from, middle) < u { low = middle } else { high = middle }
            }
        };
        Ok(Tabulated::new(range(self.law, to), POINTS, |x| {
            prior.cdf(&Level::CLEAN, quantile(self.law.cdf(to, x)))
        }))
    }
}

/// An interval outside which `law` at `level` has no mass to speak of.
pub(super) fn range(law: &GaussianMixture, level: &Level) -> (f64, f64) {
    let half = (0..law.len())
        .map(|k| {
            let variance = level.alpha.powi(2) * law.component_covariance(k)[(0, 0)] + level.sigma.powi(2);
            level.alpha * law.means()[(0, k)].abs() + REACH * variance.sqrt()
        })
        .fold(0.0, f64::max);
    (-half, half)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For Gaussian data both laws are Gaussian.
    #[test]
    fn the_biased_laws_of_a_gaussian_are_known() {
        let law = GaussianMixture::one_dimensional(&[1.0], &[1.5], &[0.8]).unwrap();
        let normal = GaussianMixture::one_dimensional(&[1.0], &[0.0], &[1.0]).unwrap();
        let from = Level { time: 1.0, alpha: 0.4, sigma: 1.3 };
        let to = Level { time: 0.2, alpha: 0.9, sigma: 0.3 };
        let start = Initialisation { law: &law, from, deviation: 1.7 };
        let own: f64 = 0.81 * 0.64 + 0.09;
        let noisy: f64 = 0.16 * 0.64 + 1.69;
        // x_to given x_T = y has mean m + g (y - 0.6) and what is left of the variance.
        let gain = 0.4 / 0.9 * own / noisy;
        let cases = [
            (start.sde(&to).unwrap(), gain, own - gain * gain * noisy),
            // The flow maps one Gaussian to the other linearly.
            (start.flow(&to).unwrap(), (own / noisy).sqrt(), 0.0),
        ];
        for (table, gain, left) in cases {
            let (mean, deviation) = (1.35 - gain * 0.6, (left + (1.7 * gain).powi(2)).sqrt());
            let error = table.distance(|x| normal.cdf(&Level::CLEAN, (x - mean) / deviation));
            assert!(error < 1e-10, "{error}");
        }
    }

    /// A start in the law p_T itself is no bias; that law is the prior for Gaussian data.
    #[test]
    fn the_right_start_has_no_bias() {
        let law = GaussianMixture::one_dimensional(&[1.0], &[0.0], &[0.8]).unwrap();
        let from = Level { time: 1.0, alpha: 0.4, sigma: 1.3 };
        let to = Level::CLEAN;
        let start = Initialisation { law: &law, from, deviation: (0.16 * 0.64 + 1.69_f64).sqrt() };
        for table in [start.sde(&to).unwrap(), start.flow(&to).unwrap()] {
            assert!(table.distance(|x| law.cdf(&to, x)) < 1e-10);
        }
    }
}

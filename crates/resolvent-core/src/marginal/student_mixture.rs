//! Any law whose law under Gaussian noise is known, under Student-t noise.

use super::{Denoiser, NoisyDensity};
use crate::error::{Result, positive};
use crate::schedule::Level;

/// A smaller σ is taken as this: no division by zero.
const LEAST_SIGMA: f64 = 1e-100;
/// Step of the quadrature in log v, in deviations of the narrowest peak. The trapezoidal rule on a Gaussian peak has a relative
/// error of e^{-2π²/h²}, here 3e-18.
const STEP: f64 = 0.7;
/// The longest step in log v: with few degrees of freedom the peak is that of a gamma function, and the error e^{-π²/h}.
const LONGEST: f64 = 0.25;
/// How far below the narrowest peak's place the quadrature begins, in its deviations.
const BEFORE: f64 = 9.0;
/// What lies e^-40 below the largest term adds nothing.
const NEGLIGIBLE: f64 = 40.0;
/// Where the quadrature ends if it has not ended before: log v at 10^17 times σ².
const LAST: f64 = 39.0;

/// The denoiser of PFGM++ ([`StudentT`](super::StudentT)) for any law of the data with known densities under Gaussian noise.
///
/// Student-t noise with D degrees of freedom and scale σ is Gaussian of a random variance v = D σ²/g, g chi-square with D
/// degrees, so D(x) is the mean of the Gaussian denoised points D_v(x) under the weights p_v(x) q(v), p_v the law of the data under noise of
/// variance v. Over s = log(v/σ²) the law of v has the density q ∝ exp(-(D/2)(s + e^{-s})). The integral is a sum over nodes equally
/// spaced in s, the same for all points; a point leaves it when its terms have become negligible. The price is that of some
/// thirty Gaussian denoisers and densities for d + D in the hundreds.
#[derive(Debug, Clone)]
pub struct StudentMixture<L> {
    law: L,
    augmented: f64,
}

impl<L: NoisyDensity> StudentMixture<L> {
    /// The denoiser of `law` in R^d augmented by `augmented` = D > 0 coordinates.
    ///
    /// # Errors
    /// If `augmented` is not positive and finite.
    pub fn new(law: L, augmented: f64) -> Result<Self> {
        Ok(Self { law, augmented: positive("augmented", augmented)? })
    }

    /// D.
    pub fn augmented(&self) -> f64 {
        self.augmented
    }
}

/// The running sum of one point.
#[derive(Clone)]
struct Sum {
    peak: f64,
    mass: f64,
    last: f64,
    ended: bool,
}

impl<L: NoisyDensity> Denoiser for StudentMixture<L> {
    fn dim(&self) -> usize {
        self.law.dim()
    }

    fn denoise(&self, level: &Level, points: &[f64], denoised: &mut [f64]) {
        let d = self.dim();
        let n = points.len() / d;
        let both = d as f64 + self.augmented;
        // For a datum at distance ρ the integrand is exp(-(d + D)/2 s - (ρ²/σ² + D)/2 e^{-s}): its peak lies at
        // log((ρ²/σ² + D)/(d + D)), and has the deviation √(2/(d + D)).
        let deviation = (2.0 / both).sqrt();
        let first = (self.augmented / both).ln() - BEFORE * deviation;
        let step = f64::min(STEP * deviation, LONGEST);
        let sigma = level.sigma.max(LEAST_SIGMA);
        let (mut logs, mut means) = (vec![0.0; n], vec![0.0; points.len()]);
        let fresh = Sum { peak: f64::NEG_INFINITY, mass: 0.0, last: f64::NEG_INFINITY, ended: false };
        let mut sums = vec![fresh; n];
        denoised.fill(0.0);
        for node in 0.. {
            let s = first + step * f64::from(node);
            let at = Level { sigma: sigma * f64::exp(0.5 * s), ..*level };
            self.law.log_densities(&at, points, &mut logs);
            self.law.denoise(&at, points, &mut means);
            let prior = -0.5 * self.augmented * (s + f64::exp(-s));
            let mut alive = false;
            let rows = denoised.chunks_exact_mut(d).zip(means.chunks_exact(d));
            for ((sum, log), (out, mean)) in sums.iter_mut().zip(&logs).zip(rows) {
                if sum.ended {
                    continue;
                }
                sum.add(prior + log, out, mean);
                alive |= !sum.ended;
            }
            if !alive || s > LAST {
                break;
            }
        }
        for (sum, out) in sums.iter().zip(denoised.chunks_exact_mut(d)) {
            out.iter_mut().for_each(|o| *o /= sum.mass);
        }
    }
}

impl Sum {
    /// Adds the term e^`log` · `mean` to `out`, both in units of the largest term so far.
    fn add(&mut self, log: f64, out: &mut [f64], mean: &[f64]) {
        if log > self.peak {
            let shrink = f64::exp(self.peak - log);
            self.mass *= shrink;
            out.iter_mut().for_each(|o| *o *= shrink);
            self.peak = log;
        }
        let weight = f64::exp(log - self.peak);
        self.mass += weight;
        out.iter_mut().zip(mean).for_each(|(o, m)| *o += weight * m);
        self.ended = log < self.last && log < self.peak - NEGLIGIBLE;
        self.last = log;
    }
}

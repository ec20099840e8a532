//! The mixture on the line, and closed forms beside the library's.

use anyhow::Result;
use resolvent::core::KilledBrownianMotion;
use resolvent::core::killed::{GaussianOccupation, KilledLinear};
use resolvent::data::{Density, GaussianMixture};

use super::Settings;

/// What the quadrature behind the occupation density is asked for, in log u.
pub(super) const TOLERANCE: f64 = 1e-8;
/// Grid points at which the library is compared with the closed form.
const PLACES: u32 = 400;

/// A Gaussian mixture α on the line and killed Brownian motion started in it.
pub(super) struct Line {
    pub(super) law: GaussianMixture,
    pub(super) process: KilledBrownianMotion,
    pub(super) occupation: GaussianOccupation,
    deviations: Vec<f64>,
    standard: GaussianMixture,
}

/// One component: weight, mean, standard deviation.
#[derive(Clone, Copy)]
pub(super) struct Component {
    pub(super) weight: f64,
    pub(super) mean: f64,
    pub(super) deviation: f64,
}

impl Line {
    pub(super) fn new(settings: &Settings) -> Result<Self> {
        let Settings { weights, means, deviations, .. } = settings;
        let law = GaussianMixture::one_dimensional(weights, means, deviations)?;
        let process = KilledBrownianMotion::new(1, settings.sigma, settings.rate)?;
        let mixture = resolvent::core::GaussianMixture::one_dimensional(weights, means, deviations)?;
        let occupation = GaussianOccupation::new(&KilledLinear::brownian(&process)?, mixture, TOLERANCE)?;
        let standard = GaussianMixture::one_dimensional(&[1.0], &[0.0], &[1.0])?;
        Ok(Self { law, process, occupation, deviations: deviations.clone(), standard })
    }

    pub(super) fn components(&self) -> impl Iterator<Item = Component> {
        let parts = self.law.weights().iter().zip(self.law.means().iter()).zip(&self.deviations);
        parts.map(|((weight, mean), deviation)| Component {
            weight: *weight,
            mean: *mean,
            deviation: *deviation,
        })
    }

    /// k = √(2r)/σ: the Green kernel is e^{-k|x-y|}/(kσ²).
    pub(super) fn decay(&self) -> f64 {
        f64::sqrt(2.0 * self.process.rate()) / self.process.sigma()
    }

    /// α(x).
    pub(super) fn density(&self, x: f64) -> f64 {
        self.law.log_density(&[x]).exp()
    }

    /// P(Y <= x) for Y from α.
    pub(super) fn cdf(&self, x: f64) -> f64 {
        self.law.marginal_cdf(0, x)
    }

    /// Φ, the standard normal distribution function.
    pub(super) fn normal(&self, z: f64) -> f64 {
        self.standard.marginal_cdf(0, z)
    }

    /// log u(x) in closed form: e^{-k|x-y|}/(kσ²) against each Gaussian, by completing the square on either side of x.
    pub(super) fn log_occupation(&self, x: f64) -> f64 {
        let k = self.decay();
        let sum: f64 = self
            .components()
            .map(|Component { weight, mean, deviation: s }| {
                let side =
                    |away: f64| f64::exp(0.5 * (k * s).powi(2) - k * away) * self.normal(away / s - k * s);
                weight * (side(x - mean) + side(mean - x))
            })
            .sum();
        f64::ln(sum / (k * self.process.sigma().powi(2)))
    }

    /// log λ = log α/u, the exact rate (R13).
    pub(super) fn log_hazard(&self, x: f64) -> f64 {
        self.occupation.log_hazard(&[x])
    }

    /// From where to where practically all data and all that starts from them are: the distance beyond the data is 36/k, where a share of
    /// e^{-36} is left.
    pub(super) fn range(&self, beyond: f64) -> (f64, f64) {
        let ends = self.components().map(|c| (c.mean - 8.0 * c.deviation, c.mean + 8.0 * c.deviation));
        let (low, high) = ends
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), end| (low.min(end.0), high.max(end.1)));
        (low - beyond / self.decay(), high + beyond / self.decay())
    }

    /// The largest difference between the library's log u and the closed form, over the data and ten decay lengths beyond.
    pub(super) fn occupation_error(&self) -> f64 {
        let (low, high) = self.range(10.0);
        let places = (0..=PLACES).map(|i| low + (high - low) * f64::from(i) / f64::from(PLACES));
        places.map(|x| (self.occupation.log_density(&[x]) - self.log_occupation(x)).abs()).fold(0.0, f64::max)
    }
}

/// ∫ f from `low` to `high` by Simpson's rule in `cells` cells.
pub(super) fn simpson((low, high): (f64, f64), cells: u32, f: impl Fn(f64) -> f64) -> f64 {
    let h = (high - low) / f64::from(cells);
    let cell = |i: u32| {
        let x = low + h * f64::from(i);
        f(x) + 4.0 * f(x + 0.5 * h) + f(x + h)
    };
    (0..cells).map(cell).sum::<f64>() * h / 6.0
}

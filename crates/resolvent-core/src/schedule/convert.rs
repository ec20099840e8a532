//! One noise level in its several coordinates: (α, σ), σ/α, log-SNR, ∫ β; and discrete betas from ᾱ.

use super::{DdpmBetas, Level, Schedule};
use crate::error::{Error, Result, at_least};

impl Level {
    /// The variance-preserving level (α² + σ² = 1) with σ/α = `ratio` >= 0.
    pub fn from_ratio(time: f64, ratio: f64) -> Self {
        let alpha = 1.0 / 1.0_f64.hypot(ratio);
        // At infinity the product would not be a number.
        Self { time, alpha, sigma: if ratio.is_infinite() { 1.0 } else { ratio * alpha } }
    }

    /// The variance-preserving level with log(α²/σ²) = `log_snr`: α² = 1/(1 + e^{-log SNR}) (Kingma et al. 2021).
    pub fn from_log_snr(time: f64, log_snr: f64) -> Self {
        // Of two equal forms the one whose exponential does not overflow.
        let half = f64::exp(-0.5 * log_snr.abs());
        let (large, small) = (1.0 / 1.0_f64.hypot(half), half / 1.0_f64.hypot(half));
        let (alpha, sigma) = if log_snr >= 0.0 { (large, small) } else { (small, large) };
        Self { time, alpha, sigma }
    }

    /// The variance-preserving level after ∫_0^t β = `integral` >= 0: α = exp(-½ ∫ β), σ² = 1 - exp(-∫ β) (Song et al.
    /// 2021, eq. 29).
    pub fn from_beta_integral(time: f64, integral: f64) -> Self {
        Self { time, alpha: f64::exp(-0.5 * integral), sigma: (-f64::exp_m1(-integral)).sqrt() }
    }

    /// The variance-preserving level with the given ᾱ = α² in [0, 1].
    pub fn from_alpha_bar(time: f64, alpha_bar: f64) -> Self {
        Self { time, alpha: alpha_bar.sqrt(), sigma: (1.0 - alpha_bar).max(0.0).sqrt() }
    }

    /// ∫ β of the variance-preserving diffusion that has this σ/α: log(1 + (σ/α)²).
    pub fn beta_integral(&self) -> f64 {
        self.ratio().powi(2).ln_1p()
    }

    /// The level of x/α: α = 1 and σ = the ratio, "variance exploding".
    #[must_use]
    pub fn unscaled(&self) -> Self {
        Self { alpha: 1.0, sigma: self.ratio(), ..*self }
    }

    /// The variance-preserving level with the same σ/α, that of x/√(α² + σ²).
    #[must_use]
    pub fn preserving(&self) -> Self {
        Self::from_ratio(self.time, self.ratio())
    }
}

/// ᾱ_k = Π_{j <= k} (1 - β_j).
pub(super) fn cumulated(betas: &[f64]) -> Vec<f64> {
    let product = |bar: &mut f64, beta: &f64| {
        *bar *= 1.0 - beta;
        Some(*bar)
    };
    betas.iter().scan(1.0, product).collect()
}

impl DdpmBetas {
    /// From ᾱ_0 > ᾱ_1 > .. within (0, 1): β_k = 1 - ᾱ_k/ᾱ_{k-1}, ᾱ_{-1} = 1.
    ///
    /// # Errors
    /// If there is none, or one is not positive and below the one before.
    pub fn from_alpha_bars(alpha_bars: &[f64]) -> Result<Self> {
        let mut before = 1.0;
        for (index, &value) in alpha_bars.iter().enumerate() {
            // The negation refuses NaN too.
            if !(value > 0.0 && value < before) {
                return Err(Error::Ascending { name: "alpha_bars within (0, 1)", index, value });
            }
            before = value;
        }
        let before = std::iter::once(&1.0).chain(alpha_bars);
        Self::new(before.zip(alpha_bars).map(|(before, bar)| 1.0 - bar / before).collect())
    }

    /// The steps of `schedule` between n + 1 equidistant times: β_k = 1 - (α(t_{k+1})/α(t_k))², t_k = k T/n, for
    /// schedules in which α falls.
    ///
    /// # Errors
    /// If `n` is zero, or α does not fall between two of the times.
    pub fn from_schedule(schedule: &(impl Schedule + ?Sized), n: usize) -> Result<Self> {
        at_least("n", 1, n)?;
        let alpha = |k: usize| schedule.level(schedule.horizon() * k as f64 / n as f64).alpha;
        Self::new((0..n).map(|k| 1.0 - (alpha(k + 1) / alpha(k)).powi(2)).collect())
    }
}

//! Grids of noise levels, from the prior to the data.

use super::{Level, Schedule};
use crate::error::{Error, Result, at_least, positive};

/// A level counts as reached by a schedule if its σ/α agrees to this, relatively: beyond the ends there is no such level.
const REACHED: f64 = 1e-6;

/// Noise levels in the order in which a sampler goes through them: ratios σ/α strictly descending, and times with them,
/// though [rounded](super::Timestep) ones can repeat. A sampler evaluates its denoiser at all but the last.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    levels: Vec<Level>,
}

impl Grid {
    /// The given levels, at least two, σ/α strictly descending; all but the last with σ > 0.
    ///
    /// # Errors
    /// If there are fewer than two, one is not finite, or the order is wrong.
    pub fn new(levels: Vec<Level>) -> Result<Self> {
        at_least("levels", 2, levels.len())?;
        for (index, level) in levels.iter().enumerate() {
            let last = index + 1 == levels.len();
            let ratio = level.ratio();
            let fits = level.time.is_finite()
                && level.alpha > 0.0
                && level.alpha.is_finite()
                && ratio.is_finite()
                && (ratio > 0.0 || last && ratio == 0.0);
            if !fits || index > 0 && ratio >= levels[index - 1].ratio() {
                return Err(Error::Levels { index, value: ratio });
            }
        }
        Ok(Self { levels })
    }

    /// `schedule` at `times`, strictly descending within [0, T].
    ///
    /// # Errors
    /// If there are fewer than two times, one lies outside the horizon, or they do not descend.
    pub fn from_times(schedule: &(impl Schedule + ?Sized), times: &[f64]) -> Result<Self> {
        let horizon = schedule.horizon();
        for (index, &value) in times.iter().enumerate() {
            if !(0.0..=horizon).contains(&value) {
                return Err(Error::OutsideHorizon { value, start: 0.0, end: horizon });
            }
            if index > 0 && value >= times[index - 1] {
                return Err(Error::Ascending { name: "times", index, value });
            }
        }
        Self::new(times.iter().map(|&t| schedule.level(t)).collect())
    }

    /// `schedule` at the noise-to-signal ratios σ/α of `ratios`, strictly descending; EDM's sigmas. A last ratio of 0 is
    /// the clean end.
    ///
    /// # Errors
    /// If there are fewer than two, one is not finite, negative or not reached by the schedule, or they do not descend.
    pub fn from_ratios(schedule: &(impl Schedule + ?Sized), ratios: &[f64]) -> Result<Self> {
        for (index, &value) in ratios.iter().enumerate() {
            if index > 0 && value >= ratios[index - 1] {
                return Err(Error::Ascending { name: "sigmas", index, value });
            }
        }
        let level = |(index, &value): (usize, &f64)| {
            if value == 0.0 && index + 1 == ratios.len() {
                return Ok(Level::CLEAN);
            }
            let level = schedule.level(schedule.time_of_ratio(positive("sigma", value)?));
            if (level.ratio() / value - 1.0).abs() < REACHED {
                return Ok(level);
            }
            let (low, high) = (schedule.level(0.0).ratio(), schedule.level(schedule.horizon()).ratio());
            Err(Error::Outside { name: "sigma", low, high, value })
        };
        Self::new(ratios.iter().enumerate().map(level).collect::<Result<_>>()?)
    }

    /// `steps` >= 1 steps of equal length in time from T to `end` in [0, T).
    ///
    /// # Errors
    /// If there is no step or `end` lies outside the horizon.
    pub fn uniform_time(schedule: &(impl Schedule + ?Sized), steps: usize, end: f64) -> Result<Self> {
        at_least("steps", 1, steps)?;
        let horizon = schedule.horizon();
        if !(0.0..horizon).contains(&end) {
            return Err(Error::OutsideHorizon { value: end, start: 0.0, end: horizon });
        }
        Self::from_times(schedule, &spaced(steps, |u| end * u + horizon * (1.0 - u)))
    }

    /// `steps` >= 1 steps of equal length in σ/α from the level at T to that at `end` in [0, T).
    ///
    /// # Errors
    /// If there is no step or `end` lies outside the horizon.
    pub fn uniform_sigma(schedule: &(impl Schedule + ?Sized), steps: usize, end: f64) -> Result<Self> {
        at_least("steps", 1, steps)?;
        let horizon = schedule.horizon();
        if !(0.0..horizon).contains(&end) {
            return Err(Error::OutsideHorizon { value: end, start: 0.0, end: horizon });
        }
        let (first, last) = (schedule.level(horizon).ratio(), schedule.level(end).ratio());
        let mut ratios = spaced(steps, |u| last * u + first * (1.0 - u));
        // Rounding must not lead out of the horizon.
        (ratios[0], ratios[steps]) = (first, last);
        Self::from_ratios(schedule, &ratios)
    }

    /// `steps` >= 1 steps of equal length in log(α/σ) from the level at T to that at `end` in (0, T).
    ///
    /// # Errors
    /// If there is no step or `end` lies outside the horizon.
    pub fn uniform_log_snr(schedule: &(impl Schedule + ?Sized), steps: usize, end: f64) -> Result<Self> {
        at_least("steps", 1, steps)?;
        let horizon = schedule.horizon();
        if !(end > 0.0 && end < horizon) {
            return Err(Error::OutsideHorizon { value: end, start: 0.0, end: horizon });
        }
        let (first, last) = (schedule.level(horizon).ratio().ln(), schedule.level(end).ratio().ln());
        let mut ratios = spaced(steps, |u| f64::exp(last * u + first * (1.0 - u)));
        // Rounding must not lead out of the horizon.
        (ratios[0], ratios[steps]) = (schedule.level(horizon).ratio(), schedule.level(end).ratio());
        Self::from_ratios(schedule, &ratios)
    }

    /// The grid of Karras et al. 2022 (eq. 5): `steps` >= 2 ratios σ/α from `sigma_max` to `sigma_min`,
    /// equally spaced in σ^{1/ρ}, and then the clean end.
    ///
    /// # Errors
    /// If there are fewer than two steps, a parameter is not positive, the sigmas do not ascend, or the schedule does not
    /// reach a level.
    pub fn karras(
        schedule: &(impl Schedule + ?Sized),
        steps: usize,
        sigma_min: f64,
        sigma_max: f64,
        rho: f64,
    ) -> Result<Self> {
        let mut ratios = karras_ratios(steps, sigma_min, sigma_max, rho)?;
        ratios.push(0.0);
        Self::from_ratios(schedule, &ratios)
    }

    /// The same grid in the variable x/α, in which there is no drift: α = 1 and σ = the ratio at every level.
    #[must_use]
    pub fn unscaled(&self) -> Self {
        Self { levels: self.levels.iter().map(Level::unscaled).collect() }
    }

    /// The levels, at least two.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// The number of steps, one less than that of levels.
    pub fn steps(&self) -> usize {
        self.levels.len() - 1
    }

    /// The first level: where the particles start.
    pub fn start(&self) -> &Level {
        &self.levels[0]
    }
}

/// Karras et al. 2022 (eq. 5) without the clean end: `steps` >= 2 descending σ equally spaced in σ^{1/ρ}, both ends exact.
pub(super) fn karras_ratios(steps: usize, sigma_min: f64, sigma_max: f64, rho: f64) -> Result<Vec<f64>> {
    at_least("steps", 2, steps)?;
    let (low, high) = (positive("sigma_min", sigma_min)?, positive("sigma_max", sigma_max)?);
    if low >= high {
        let name = "sigma_min (below sigma_max)";
        return Err(Error::Outside { name, low: 0.0, high, value: low });
    }
    let power = 1.0 / positive("rho", rho)?;
    let (low_root, high_root) = (low.powf(power), high.powf(power));
    let mut ratios = spaced(steps - 1, |u| (high_root + u * (low_root - high_root)).powf(rho));
    (ratios[0], ratios[steps - 1]) = (high, low);
    Ok(ratios)
}

/// `steps` + 1 values of `at` over u from 0 to 1.
fn spaced(steps: usize, at: impl Fn(f64) -> f64) -> Vec<f64> {
    (0..=steps).map(|k| at(k as f64 / steps as f64)).collect()
}

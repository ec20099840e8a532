//! Times as numbers of steps.

use anyhow::{Result, ensure};

/// The times at which something is looked at, as numbers of steps.
pub(super) struct Clock {
    pub(super) step: f64,
    /// All wanted numbers of steps, ascending.
    pub(super) steps: Vec<usize>,
}

impl Clock {
    /// `times` on a clock with steps of length `step`.
    ///
    /// # Errors
    /// If a time is not a positive multiple of the step.
    pub(super) fn new(step: f64, times: impl IntoIterator<Item = f64>) -> Result<Self> {
        let mut steps = times.into_iter().map(|time| steps(step, time)).collect::<Result<Vec<_>>>()?;
        steps.sort_unstable();
        steps.dedup();
        Ok(Self { step, steps })
    }

    /// The index of `time` among the wanted ones.
    pub(super) fn index(&self, time: f64) -> usize {
        let wanted = (time / self.step).round() as usize;
        self.steps.binary_search(&wanted).expect("only times that were asked for are looked up")
    }

    pub(super) fn times(&self) -> impl Iterator<Item = f64> {
        self.steps.iter().map(|steps| *steps as f64 * self.step)
    }
}

/// How many steps of length `step` lead to `time`.
fn steps(step: f64, time: f64) -> Result<usize> {
    ensure!(step > 0.0 && step.is_finite(), "setting `step` must be positive and finite, got {step}");
    let steps = (time / step).round();
    let whole = steps >= 1.0 && (steps * step / time - 1.0).abs() < 1e-9;
    ensure!(whole, "settings `times`, `shown`, `fit`: {time} is no positive multiple of the step {step}");
    Ok(steps as usize)
}

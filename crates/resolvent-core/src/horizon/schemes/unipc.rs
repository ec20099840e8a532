//! UniPC.

use super::super::linear::{LinearScheme, Row, Stage};
use super::interval::{Interval, phi};
use crate::error::Result;
use crate::schedule::Grid;

/// B(h) of UniPC with data prediction, by which the change of D is weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UniPcVariant {
    /// B = h, which its authors advise for unconditional sampling in few steps.
    Bh1,
    /// B = 1 - e^{-h}.
    #[default]
    Bh2,
}

/// Choices of UniPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UniPc {
    /// B(h).
    pub variant: UniPcVariant,
    /// Is the last step of order 1? A step to the clean level always is.
    pub lower_order_final: bool,
}

impl Default for UniPc {
    /// B = 1 - e^{-h}, with a last step of order 1.
    fn default() -> Self {
        Self { variant: UniPcVariant::Bh2, lower_order_final: true }
    }
}

/// UniPC of order 2 with data prediction (Zhao et al. 2023, UniP-2 and UniC-2). From the corrected point a of a level
/// the predictor leads to the next, x' = (σ'/σ) a + α' (1 - e^{-h}) D + ½ α' B (D_- - D)/ρ with ρ = (λ_- - λ)/h < 0;
/// D' is found there and used twice, to correct it, a' = (σ'/σ) a + α' (1 - e^{-h}) D + α' B (c_1 (D_- - D)/ρ + c_2
/// (D' - D)), and for the next prediction. The first step is of order 1, and so may be the last; the last point is
/// not corrected. One evaluation a step. The error falls with the third power of the longest step, or with the second
/// where the last step is of order 1.
///
/// Order 1 predicts without the change of D and corrects with c_1 = 0, c_2 = ½. At order 2 the two solve c_1 + c_2 =
/// b_1, ρ c_1 + c_2 = b_2 with b_k = k! h φ_{k+1}(-h)/B, and with [`UniPcVariant::Bh2`] the predictor is the step of
/// [`dpm_solver_pp_2m`](super::dpm_solver_pp_2m). Paths and observers are shown the predicted points, at which D is
/// found.
///
/// # Errors
/// If a coefficient is not finite, for levels at the limits of `f64`.
pub fn unipc(grid: &Grid, options: UniPc) -> Result<LinearScheme> {
    let UniPc { variant, lower_order_final } = options;
    let intervals: Vec<Interval> = Interval::all(grid).collect();
    let last = intervals[intervals.len() - 1];
    let lowered = lower_order_final || last.to.sigma == 0.0;
    let order = |step: usize| if step == 0 || step == last.step && lowered { 1 } else { 2 };
    let stages = intervals.iter().map(|interval| {
        let step = interval.step;
        let anchor = match step {
            0 => Row { x: 1.0, ..Row::default() },
            _ => correction(&intervals[..step], order(step - 1), variant),
        };
        let next = prediction(&intervals[..=step], order(step), variant);
        Stage { anchor: Some(anchor), ..interval.stage(next) }
    });
    LinearScheme::new(*grid.start(), stages.collect())
}

/// The step of first order from the anchor, with D at index 0 of the memory.
fn first_order(interval: &Interval) -> Row {
    let row = interval.first_order();
    Row { x: 0.0, anchor: row.x, ..row }
}

/// α' B.
fn weight(interval: &Interval, variant: UniPcVariant) -> f64 {
    let h = interval.gain();
    interval.to.alpha
        * match variant {
            UniPcVariant::Bh1 => h,
            UniPcVariant::Bh2 => -(-h).exp_m1(),
        }
}

/// The move over the last of `past`; memory: D, D_-.
fn prediction(past: &[Interval], order: usize, variant: UniPcVariant) -> Row {
    let interval = &past[past.len() - 1];
    let mut row = first_order(interval);
    if order == 2 {
        let before = &past[past.len() - 2];
        let change = 0.5 * weight(interval, variant) * interval.gain() / before.gain();
        row.denoised = [row.denoised[0] + change, -change, 0.0];
    }
    row
}

/// The correction over the last of `past`; memory: D', D, D_-.
fn correction(past: &[Interval], order: usize, variant: UniPcVariant) -> Row {
    let interval = &past[past.len() - 1];
    let row = first_order(interval);
    let (h, weight) = (interval.gain(), weight(interval, variant));
    let (ahead, behind) = if order == 1 {
        (0.5, 0.0)
    } else {
        let [first, second, third] = phi(-h);
        let share = if variant == UniPcVariant::Bh1 { 1.0 } else { first };
        let (b1, b2) = (second / share, 2.0 * third / share);
        let rho = -past[past.len() - 2].gain() / h;
        let behind = (b1 - b2) / (1.0 - rho);
        // Divided by ρ already.
        (b1 - behind, behind / rho)
    };
    let denoised = [weight * ahead, row.denoised[0] - weight * (ahead + behind), weight * behind];
    Row { denoised, ..row }
}

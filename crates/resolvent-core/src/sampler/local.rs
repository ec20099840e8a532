//! What is known of one particle when its score has just been evaluated.

use std::cell::OnceCell;

use crate::killed::{CLOSEST, KilledBrownianMotion, LocallyBrownian};

/// A gain beyond this belongs to a particle on a data point.
const POLE: f64 = 1e200;

/// One particle of the backward process at an evaluation of its score: what step, step control and killing rules see.
#[derive(Debug)]
pub struct Local<'a, P: ?Sized = KilledBrownianMotion> {
    /// The forward process that is being reversed.
    pub process: &'a P,
    /// Present place x (d).
    pub point: &'a [f64],
    /// v = D(x) - x (d), see [`crate::score::Score`].
    pub displacement: &'a [f64],
    /// g > 0; the score is g v.
    pub gain: f64,
    /// The end point drawn from the posterior, where the step draws one; 0 elsewhere.
    pub atom: usize,
    /// Backward time since the start.
    pub time: f64,
    /// Length in time of the step that led here; 0 at the start.
    pub last_step: f64,
    /// Whole steps taken so far.
    pub steps: usize,
    /// Whether the step that moves it has [no noise](crate::Step::is_flow).
    pub flows: bool,
    displacement_norm: f64,
    radius: OnceCell<f64>,
}

impl<'a, P: ?Sized> Local<'a, P> {
    /// A particle at `point` where the score is `gain` · `displacement`, at backward time `time` after `steps` steps.
    #[expect(clippy::too_many_arguments, reason = "one per quantity")]
    pub(crate) fn new(
        process: &'a P,
        point: &'a [f64],
        displacement: &'a [f64],
        gain: f64,
        atom: usize,
        time: f64,
        last_step: f64,
        steps: usize,
        flows: bool,
    ) -> Self {
        let displacement_norm = displacement.iter().map(|v| v * v).sum::<f64>().sqrt();
        let radius = OnceCell::new();
        Self {
            process,
            point,
            displacement,
            gain,
            atom,
            time,
            last_step,
            steps,
            flows,
            displacement_norm,
            radius,
        }
    }

    /// |v|, the distance to the denoised point.
    pub fn displacement_norm(&self) -> f64 {
        self.displacement_norm
    }

    /// |s| = g |v|; infinite on a data point, where the displacement vanishes and the gain explodes.
    pub fn score_norm(&self) -> f64 {
        if self.gain > POLE && self.displacement_norm < CLOSEST {
            f64::INFINITY
        } else {
            self.gain * self.displacement_norm
        }
    }

    /// Are gain and displacement finite?
    pub(crate) fn is_finite(&self) -> bool {
        self.gain.is_finite() && self.displacement_norm.is_finite()
    }
}

impl<P: LocallyBrownian + ?Sized> Local<'_, P> {
    /// ρ_g (R19), the distance at which a single atom has this gain.
    pub fn radius(&self) -> f64 {
        *self.radius.get_or_init(|| self.process.brownian().green().radius_of_gain(self.gain))
    }

    /// S² = ρ_g² - |v|² >= 0, the spread of the posterior over end points (squared length): candidates in different
    /// directions shorten the displacement and leave the gain as it is.
    pub fn spread(&self) -> f64 {
        (self.radius() * self.radius() - self.displacement_norm.powi(2)).max(0.0)
    }

    /// The local time scale τ = ρ_g² / (z R_{ν+1}(z)), z = aρ_g/σ (R18), in which the distance to the data contracts:
    /// about ρ_g²/d. Divided by σ² it is a time.
    pub fn time_scale(&self) -> f64 {
        let process = self.process.brownian();
        let (radius, decay) = (self.radius(), process.green().decay());
        // z R_{ν+1} = 2(ν+1) + z/R_ν by the recurrence, and z/R_ν = decay²/g.
        radius * radius / (process.dim() as f64 + decay * decay / self.gain)
    }
}

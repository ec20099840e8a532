//! Reversals with one thing wrong, and the laws they end in.

use anyhow::Result;
use resolvent::core::GaussianMixture;
use resolvent::core::affine::{Affine, LinearSde};
use resolvent::core::diffusion::{Diffusion, Dispersion};
use resolvent::core::marginal::{AffineMarginal, MarginalScore};
use resolvent::core::schedule::{OrnsteinUhlenbeck, Schedule};

use super::super::reverse_time::moments;

/// When the score is taken, at the backward time s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// At T - s, as it should be.
    Backward,
    /// At s: time was not turned round.
    Forward,
    /// At 0: the score of the data all the way.
    Data,
}

/// dX = (a b + e div Σ + k Σ ∇ log p) ds + √λ σ dW with b and Σ at T - s. R1 is a = -1, e = k = λ = 1; R2 has e = k = 1/2,
/// λ = 0; every a = -1, e = k = (1 + λ)/2 keeps the marginals.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recipe {
    pub(super) name: &'static str,
    /// a.
    pub(super) drift: f64,
    /// e.
    pub(super) divergence: f64,
    /// k.
    pub(super) score: f64,
    /// λ.
    pub(super) noise: f64,
    pub(super) clock: Clock,
}

impl Recipe {
    const RIGHT: Self = Self {
        name: "reverse SDE",
        drift: -1.0,
        divergence: 1.0,
        score: 1.0,
        noise: 1.0,
        clock: Clock::Backward,
    };
    const FLOW: Self =
        Self { name: "probability flow", divergence: 0.5, score: 0.5, noise: 0.0, ..Self::RIGHT };
    const FLIPPED: Self = Self { name: "drift flipped, no score", score: 0.0, ..Self::RIGHT };
    const FLIPPED_ODE: Self = Self { name: "drift flipped, no score, no noise", noise: 0.0, ..Self::FLIPPED };

    /// For σ free of x, where any law may be the start.
    pub(super) const ON_MIXTURE: [Self; 3] = [Self::RIGHT, Self::FLIPPED, Self::FLIPPED_ODE];

    /// For σ free of x and a Gaussian start.
    pub(super) const ON_GAUSSIAN: [Self; 11] = [
        Self::RIGHT,
        Self::FLOW,
        Self { name: "twice the noise, 3/2 of the score", score: 1.5, noise: 2.0, ..Self::RIGHT },
        Self::FLIPPED,
        Self::FLIPPED_ODE,
        Self { name: "drift not flipped", drift: 1.0, ..Self::RIGHT },
        Self { name: "half the score, full noise", score: 0.5, ..Self::RIGHT },
        Self { name: "full score, no noise", noise: 0.0, ..Self::RIGHT },
        Self { name: "twice the score", score: 2.0, ..Self::RIGHT },
        Self { name: "score of the data throughout", clock: Clock::Data, ..Self::RIGHT },
        Self { name: "score not turned round in time", clock: Clock::Forward, ..Self::RIGHT },
    ];

    /// For σ that depends on x.
    pub(super) const ON_EXPONENTIAL: [Self; 5] = [
        Self::RIGHT,
        Self::FLOW,
        Self { name: "reverse SDE without div Σ", divergence: 0.0, ..Self::RIGHT },
        Self { name: "reverse SDE with ½ div Σ", divergence: 0.5, ..Self::RIGHT },
        Self { name: "probability flow without div Σ", divergence: 0.0, ..Self::FLOW },
    ];

    /// Does it keep the marginals?
    pub(super) fn is_right(&self, depends_on_x: bool) -> bool {
        let half = 0.5 * (1.0 + self.noise);
        self.drift == -1.0
            && self.clock == Clock::Backward
            && self.score == half
            && (!depends_on_x || self.divergence == half)
    }

    fn score_time(&self, horizon: f64, s: f64) -> f64 {
        match self.clock {
            Clock::Backward => horizon - s,
            Clock::Forward => s,
            Clock::Data => 0.0,
        }
    }
}

/// A diffusion run backward by a recipe.
pub(super) struct Slip<'a> {
    pub(super) diffusion: &'a dyn Diffusion,
    pub(super) score: &'a dyn MarginalScore,
    pub(super) horizon: f64,
    pub(super) recipe: Recipe,
}

impl Diffusion for Slip<'_> {
    fn drift(&self, s: f64, x: &[f64], out: &mut [f64]) {
        self.drifts(s, x.len(), x, out);
    }

    fn dispersion(&self, s: f64, x: &[f64], out: &mut Dispersion) {
        self.diffusion.dispersion(self.horizon - s, x, out);
        let root = self.recipe.noise.sqrt();
        match out {
            Dispersion::Scalar(sigma) => *sigma *= root,
            Dispersion::Diagonal(sigma) => *sigma *= root,
            Dispersion::Full(sigma) => *sigma *= root,
        }
    }

    fn divergence(&self, s: f64, x: &[f64], out: &mut [f64]) {
        self.diffusion.divergence(self.horizon - s, x, out);
        out.iter_mut().for_each(|v| *v *= self.recipe.noise);
    }

    fn drifts(&self, s: f64, dim: usize, points: &[f64], out: &mut [f64]) {
        let (recipe, t) = (self.recipe, self.horizon - s);
        self.score.evaluate(recipe.score_time(self.horizon, s), points, out);
        let (mut work, mut dispersion) = (vec![0.0; dim], Dispersion::default());
        for (x, out) in points.chunks_exact(dim).zip(out.chunks_exact_mut(dim)) {
            self.diffusion.dispersion(t, x, &mut dispersion);
            dispersion.apply_covariance(out, &mut work);
            out.iter_mut().for_each(|o| *o *= recipe.score);
            self.diffusion.divergence(t, x, &mut work);
            out.iter_mut().zip(&work).for_each(|(o, v)| *o += recipe.divergence * v);
            self.diffusion.drift(t, x, &mut work);
            out.iter_mut().zip(&work).for_each(|(o, v)| *o += recipe.drift * v);
        }
    }
}

/// Where the recipe ends if it starts in p_T, by the moment equations of dY = (a f Y - k g² (Y - μ)/v + c) ds + √λ g dW with
/// f, g² at T - s and the mean μ and variance v of the Gaussian p at the time of the score. For the
/// Ornstein-Uhlenbeck process itself c = 0; for X = e^Y Itô's formula gives c = g² (a/2 + 2 e - k - λ/2), because
/// then b = (f Y + g²/2) X, div Σ = 2 g² X, and Σ ∇ log p = -g² X (1 + (Y - μ)/v).
///
/// Without a score p may be any mixture.
pub(super) fn predicted<A: Affine + ?Sized>(
    recipe: Recipe,
    schedule: &OrnsteinUhlenbeck,
    marginal: &AffineMarginal<'_, A>,
    exponential: bool,
) -> Result<GaussianMixture> {
    let horizon = schedule.horizon();
    let Recipe { drift: a, divergence: e, score: k, noise, .. } = recipe;
    let constant = if exponential { 0.5 * a + 2.0 * e - k - 0.5 * noise } else { 0.0 };
    let (mean, variance, _) = moments(&marginal.law(0.0)?);
    // The score's pull g²/v and the place it pulls to.
    let pull = |s: f64| {
        let level = schedule.level(recipe.score_time(horizon, s));
        let v = level.alpha * level.alpha * variance + level.sigma * level.sigma;
        (schedule.rates(horizon - s).noise / v, level.alpha * mean)
    };
    let sde = LinearSde::new(
        1,
        (0.0, horizon),
        |s, out| out[(0, 0)] = a * schedule.rates(horizon - s).drift - k * pull(s).0,
        |s, out| {
            let (pull, place) = pull(s);
            out[0] = k * pull * place + constant * schedule.rates(horizon - s).noise;
        },
        |s, out| out[(0, 0)] = (noise * schedule.rates(horizon - s).noise).sqrt(),
    )?;
    let end = sde.transition(0.0, horizon);
    Ok(marginal.law(horizon)?.affine(&end.matrix, &end.offset, &end.covariance)?)
}

/// The variance at the end by quadrature, for a recipe with a flipped drift and the score at the right time:
/// Φ² v_T + λ g² ∫ e^{2θ(1 - 2k) t} (v_0/v_t)^{2k} dt with Φ = e^{θ(1 - 2k) T} (v_0/v_T)^k, from g²/v = 2θ - d log v/ds.
pub(super) fn variance_by_quadrature(
    recipe: Recipe,
    schedule: &OrnsteinUhlenbeck,
    start_variance: f64,
) -> Option<f64> {
    (recipe.drift == -1.0 && recipe.clock == Clock::Backward).then(|| {
        let (horizon, k) = (schedule.horizon(), recipe.score);
        let variance = |t: f64| {
            let level = schedule.level(t);
            level.alpha * level.alpha * start_variance + level.sigma * level.sigma
        };
        let theta = -schedule.rates(0.0).drift;
        let squared = |t: f64| {
            f64::exp(2.0 * theta * (1.0 - 2.0 * k) * t) * (start_variance / variance(t)).powf(2.0 * k)
        };
        // Simpson's rule.
        let parts = 20_000;
        let weight = |i: usize| match i {
            0 => 1.0,
            i if i == parts => 1.0,
            i => 2.0 + 2.0 * (i % 2) as f64,
        };
        let h = horizon / parts as f64;
        let integral = (0..=parts).map(|i| weight(i) * squared(i as f64 * h)).sum::<f64>() * h / 3.0;
        squared(horizon) * variance(horizon) + recipe.noise * schedule.rates(0.0).noise * integral
    })
}

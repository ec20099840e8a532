//! An SDE with adaptive steps.

mod brownian_path;

use std::ops::ControlFlow;

use super::{Method, Observation, Observer, Particles};
use crate::diffusion::{Diffusion, Dispersion, fits, typical};
use crate::error::{Error, Result, at_least, positive};
use crate::integrate::{commuting, correct, has_correction};
use brownian_path::BrownianPath;

/// The step becomes SAFETY · error^{-POWER} times as long (Jolicoeur-Martineau et al. 2021, algorithm 1) ...
const SAFETY: f64 = 0.9;
const POWER: f64 = 0.9;
/// ... within these limits.
const CHANGE: (f64, f64) = (0.1, 5.0);
/// Evaluations allowed to a particle, if nothing else is said.
const CAP: usize = 100_000;

/// Runs a diffusion, as a rule the [reverse SDE](crate::reversal::ReverseSde), with steps that each particle chooses for
/// itself: Euler-Maruyama x' with the stochastic improved Euler method x'' embedded,
///
/// x' = x + b(t, x) h + σ(t, x) ΔW,
/// x'' = x + ½ h (b(t, x) + b(t + h, x')) + ½ (σ(t, x) + σ(t + h, x)) ΔW,
///
/// accepted at x'' if the root mean square of (x'_i - x''_i) / max(atol, rtol max(|x_i|, |x'_i|)) is at most 1
/// (Jolicoeur-Martineau et al. 2021, "Gotta go fast when generating data with score-based models").
///
/// The Brownian path survives a rejection: what is known of it is split by Brownian bridges and never drawn again
/// (rejection sampling with memory, Rackauckas and Nie 2017, Discrete Contin. Dyn. Syst. B 22:2731). To draw afresh would
/// prefer the increments that are easily accepted, and the samples would have too little variance.
///
/// In equal steps x'' has strong order 1 and, where σ does not depend on x, weak order 2. Where σ depends on x the step takes
/// Milstein's correction ¼ (div Σ)_i (ΔW_i² - h): steps chosen with a view of the path converge to the Itô solution only
/// if the scheme has strong order 1 (Gaines and Lyons 1997, SIAM J. Appl. Math. 57:1455). Diffusions for which there is no
/// such correction are refused; see [`Milstein`](crate::integrate::Milstein).
///
/// The observer is told of every evaluation, one particle at a time, those of rejected steps included.
///
/// ```
/// use nalgebra::DMatrix;
/// use resolvent_core::HorizonSampler;
/// use resolvent_core::diffusion::Langevin;
/// use resolvent_core::horizon::AdaptiveSde;
///
/// let score = |x: &[f64], out: &mut [f64]| out.iter_mut().zip(x).for_each(|(s, x)| *s = -x);
/// let langevin = Langevin::new(1.0, score)?;
/// let method = AdaptiveSde::new(&langevin, 1, (0.0, 3.0), 0.01, 0.01)?.cap(1_000)?;
/// let ensemble = HorizonSampler::new(&method).run(&DMatrix::zeros(1, 2_000), 1)?;
/// assert!((ensemble.points.norm_squared() / 2_000.0 - 1.0).abs() < 0.15);
/// # Ok::<(), resolvent_core::Error>(())
/// ```
pub struct AdaptiveSde<'a> {
    diffusion: &'a dyn Diffusion,
    dim: usize,
    span: (f64, f64),
    rtol: f64,
    atol: f64,
    first_step: f64,
    cap: usize,
}

impl<'a> AdaptiveSde<'a> {
    /// `diffusion` in R^`dim` from time `span.0` to `span.1`, with relative and absolute tolerance `rtol` > 0 and
    /// `atol` > 0 of one step, in units of x. The first step is a hundredth of the span and a particle is allowed 100,000
    /// evaluations, unless another [first step](Self::first_step) or [cap](Self::cap) is set.
    ///
    /// # Errors
    /// If `dim` is zero, the times are not finite and ascending or lie outside the span of the diffusion, a tolerance is
    /// not positive and finite, σ has another dimension, or it depends on x in a way that Milstein's correction does not
    /// cover, by differences at a point near the origin halfway through the span.
    pub fn new(
        diffusion: &'a dyn Diffusion,
        dim: usize,
        span: (f64, f64),
        rtol: f64,
        atol: f64,
    ) -> Result<Self> {
        at_least("dim", 1, dim)?;
        for (index, value) in [span.0, span.1].into_iter().enumerate() {
            if !value.is_finite() || index > 0 && value <= span.0 {
                return Err(Error::NotAscending { name: "times", index, value });
            }
        }
        let (rtol, atol) = (positive("rtol", rtol)?, positive("atol", atol)?);
        fits(diffusion, dim, [span.0, span.1])?;
        commuting(diffusion, 0.5 * (span.0 + span.1), &typical(dim))?;
        Ok(Self { diffusion, dim, span, rtol, atol, first_step: 0.01 * (span.1 - span.0), cap: CAP })
    }

    /// Tries a first step of length `step` > 0; a length beyond the span is the span.
    ///
    /// # Errors
    /// If `step` is not positive and finite.
    pub fn first_step(mut self, step: f64) -> Result<Self> {
        self.first_step = positive("first_step", step)?;
        Ok(self)
    }

    /// Allows a particle `evaluations` >= 2 of the drift; one that needs more is given up where it is
    /// ([`Exit::StepCap`](crate::Exit::StepCap)).
    ///
    /// # Errors
    /// If `evaluations` is less than 2, the price of one step.
    pub fn cap(mut self, evaluations: usize) -> Result<Self> {
        self.cap = at_least("cap", 2, evaluations)?;
        Ok(self)
    }

    /// Carries particle `j` of the chunk to the end.
    fn carry_one(
        &self,
        j: usize,
        particles: &mut Particles<'_, '_>,
        work: &mut Work,
        observer: Observer<'_>,
    ) -> ControlFlow<()> {
        let (start, end) = self.span;
        let index = particles.indices().start + j;
        let tell = |step, time, points: &[f64]| {
            let particles = index..index + 1;
            observer(&Observation { particles, step, time, sigma: f64::NAN, points, denoised: &[] })
        };
        work.x.copy_from_slice(&particles.points()[j * self.dim..(j + 1) * self.dim]);
        work.path.restart(start);
        let (mut t, mut length, mut evaluations) = (start, self.first_step, 0);
        // Is x new, its slope not known yet? A slope outlives a rejection.
        let (mut fresh, mut step) = (true, 0);
        while t < end {
            if evaluations + 1 + usize::from(fresh) > self.cap {
                particles.give_up(j);
                return ControlFlow::Continue(());
            }
            if fresh {
                tell(step, t, &work.x)?;
                self.diffusion.drift(t, &work.x, &mut work.slope);
                evaluations += 1;
                particles.evaluated_one(j, 1);
            }
            let to = f64::min(t + length, end);
            if to <= t || work.slope.iter().any(|b| !b.is_finite()) {
                // No step is short enough.
                work.improved.fill(f64::NAN);
                particles.place_one(j, step, &work.improved);
                return ControlFlow::Continue(());
            }
            work.path.increment(to, particles.rng(j), &mut work.dw);
            self.predict(t, to - t, work);
            tell(step, to, &work.euler)?;
            self.improve(t, to - t, work);
            evaluations += 1;
            particles.evaluated_one(j, 1);
            let error = self.error(work);
            // An error that is not a number is as good as infinite.
            let change = if error.is_finite() { SAFETY * error.powf(-POWER) } else { 0.0 };
            length = (to - t) * change.clamp(CHANGE.0, CHANGE.1);
            fresh = error <= 1.0;
            if fresh {
                work.path.advance(to);
                std::mem::swap(&mut work.x, &mut work.improved);
                particles.place_one(j, step, &work.x);
                particles.record_one(j, to - start);
                (t, step) = (to, step + 1);
            }
        }
        ControlFlow::Continue(())
    }

    /// x', and the noise of x''.
    fn predict(&self, t: f64, h: f64, work: &mut Work) {
        let Work { x, slope, euler, dw, noise, late_noise, row, dispersion, .. } = work;
        self.diffusion.dispersion(t, x, dispersion);
        noise.copy_from_slice(dw);
        dispersion.apply(noise, row);
        for ((e, x), (b, n)) in euler.iter_mut().zip(&*x).zip(slope.iter().zip(&*noise)) {
            *e = x + h * b + n;
        }
        self.diffusion.dispersion(t + h, x, dispersion);
        late_noise.copy_from_slice(dw);
        dispersion.apply(late_noise, row);
        noise.iter_mut().zip(&*late_noise).for_each(|(n, late)| *n = 0.5 * (*n + late));
    }

    /// x'' from x'.
    fn improve(&self, t: f64, h: f64, work: &mut Work) {
        let Work {
            x, slope, late_slope, euler, improved, dw, noise, row, dispersion, late_dispersion, ..
        } = work;
        self.diffusion.drift(t + h, euler, late_slope);
        self.diffusion.dispersion(t + h, euler, late_dispersion);
        // Where σ is the same at x and at x' it does not depend on x, and its divergence need not be asked for.
        if has_correction(dispersion, self.dim) && late_dispersion != dispersion {
            self.diffusion.divergence(t, x, row);
            correct(h, dw, row, noise);
        }
        let slopes = slope.iter().zip(&*late_slope);
        for (((i, x), (b, late)), n) in improved.iter_mut().zip(&*x).zip(slopes).zip(&*noise) {
            *i = x + 0.5 * h * (b + late) + n;
        }
    }

    /// The root mean square of the scaled difference of x' and x''; not finite if one of them is not.
    fn error(&self, Work { x, euler, improved, .. }: &Work) -> f64 {
        let rows = x.iter().zip(euler).zip(improved);
        let squares = rows.map(|((x, euler), improved)| {
            let scale = f64::max(self.atol, self.rtol * f64::max(x.abs(), euler.abs()));
            ((euler - improved) / scale).powi(2)
        });
        (squares.sum::<f64>() / self.dim as f64).sqrt()
    }
}

impl Method for AdaptiveSde<'_> {
    fn dim(&self) -> usize {
        self.dim
    }

    fn carry(&self, particles: &mut Particles<'_, '_>, observer: Observer<'_>) -> ControlFlow<()> {
        let mut work = Work::new(self.dim);
        for j in 0..particles.len() {
            self.carry_one(j, particles, &mut work, observer)?;
        }
        ControlFlow::Continue(())
    }
}

/// Scratch for one particle (d each).
struct Work {
    x: Vec<f64>,
    slope: Vec<f64>,
    late_slope: Vec<f64>,
    euler: Vec<f64>,
    improved: Vec<f64>,
    dw: Vec<f64>,
    noise: Vec<f64>,
    late_noise: Vec<f64>,
    row: Vec<f64>,
    dispersion: Dispersion,
    late_dispersion: Dispersion,
    path: BrownianPath,
}

impl Work {
    fn new(dim: usize) -> Self {
        let zeros = || vec![0.0; dim];
        Self {
            x: zeros(),
            slope: zeros(),
            late_slope: zeros(),
            euler: zeros(),
            improved: zeros(),
            dw: zeros(),
            noise: zeros(),
            late_noise: zeros(),
            row: zeros(),
            dispersion: Dispersion::default(),
            late_dispersion: Dispersion::default(),
            path: BrownianPath::new(dim),
        }
    }
}

//! The probability flow.

mod dormand_prince;

use std::ops::ControlFlow;

pub(super) use dormand_prince::{Control, End, Trajectory, integrate};

use super::{Method, Observation, Observer, Particles};
use crate::diffusion::Diffusion;
use crate::error::{Error, Result, dimension, nonnegative, within};
use crate::marginal::MarginalScore;
use crate::reversal::{Work, ode_drift};
use crate::sampler::Exit;
use crate::schedule::Schedule;

/// The probability flow of a diffusion, dx/dt = b - ½ div Σ - ½ Σ ∇ log p_t (R2 with the opposite sign, as time runs
/// forward here), between two times, in either direction: it carries p_from to p_to (Song et al. 2021, eq. 13 and D.1).
///
/// Every particle is carried by itself by the Runge-Kutta pair of Dormand and Prince, of order 5(4), with its own steps.
/// The tolerances are 1e-5 and the largest number of evaluations is 10,000 unless set otherwise. A particle that needs
/// more ends as [`Exit::StepCap`], one whose velocity is no number as [`Exit::Diverged`], both at the last place
/// accepted.
///
/// ```
/// use resolvent_core::horizon::{HorizonSampler, ProbabilityFlow};
/// use resolvent_core::marginal::{Diffused, GaussianMixture};
/// use resolvent_core::schedule::{VpLinear, prior};
///
/// let schedule = VpLinear::default();
/// let law = GaussianMixture::one_dimensional(&[0.3, 0.7], &[-2.0, 1.0], &[0.5, 0.2])?;
/// let score = Diffused { schedule: &schedule, denoiser: &law };
/// let flow = ProbabilityFlow::from_noise(&schedule, &score, 1e-3)?;
/// let ensemble = HorizonSampler::new(&flow).run(&prior(&schedule, 1, 500, 1), 0)?;
/// assert!(ensemble.mean_evaluations() < 300.0);
/// // Data and noise correspond one to one.
/// let back = ProbabilityFlow::to_noise(&schedule, &score, 1e-3)?;
/// let noise = back.map(ensemble.points.column(0).as_slice())?;
/// assert!((noise.place[0] - prior(&schedule, 1, 1, 1)[0]).abs() < 1e-2);
/// # Ok::<(), resolvent_core::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct ProbabilityFlow<'a> {
    pub(super) diffusion: &'a dyn Diffusion,
    pub(super) score: &'a dyn MarginalScore,
    /// The diffusion again, if it is a schedule.
    pub(super) schedule: Option<&'a dyn Schedule>,
    pub(super) times: (f64, f64),
    pub(super) control: Control,
}

/// Where the flow carried a point.
#[derive(Debug, Clone, PartialEq)]
pub struct Carried {
    /// The end point (d); the last place accepted if it did not arrive.
    pub place: Vec<f64>,
    /// Evaluations of the score.
    pub evaluations: usize,
    /// [`Exit::Horizon`] if it arrived, else [`Exit::StepCap`] or [`Exit::Diverged`].
    pub exit: Exit,
}

impl<'a> ProbabilityFlow<'a> {
    /// The flow of `diffusion`, whose marginals have `score`, from time `from` to time `to`, both >= 0 and within the span of
    /// the diffusion. The score must exist there: times of a law without a density are not for it.
    ///
    /// # Errors
    /// If a time is negative or not finite, or lies outside the span.
    pub fn new(
        diffusion: &'a dyn Diffusion,
        score: &'a dyn MarginalScore,
        from: f64,
        to: f64,
    ) -> Result<Self> {
        let times = (nonnegative("from", from)?, nonnegative("to", to)?);
        [from, to].into_iter().try_for_each(|t| within(diffusion.span(), t))?;
        Ok(Self { diffusion, score, schedule: None, times, control: Control::default() })
    }

    /// The flow of `schedule` from the horizon T to `end` in [0, T): sampling.
    ///
    /// # Errors
    /// If `end` lies outside the horizon.
    pub fn from_noise<S: Schedule>(schedule: &'a S, score: &'a dyn MarginalScore, end: f64) -> Result<Self> {
        let horizon = schedule.horizon();
        if !(0.0..horizon).contains(&end) {
            return Err(Error::OutsideHorizon { value: end, start: 0.0, end: horizon });
        }
        let flow = Self::new(schedule, score, horizon, end)?;
        Ok(Self { schedule: Some(schedule), ..flow })
    }

    /// The flow of `schedule` from `start` in [0, T) to the horizon T: encoding.
    ///
    /// # Errors
    /// If `start` lies outside the horizon.
    pub fn to_noise<S: Schedule>(schedule: &'a S, score: &'a dyn MarginalScore, start: f64) -> Result<Self> {
        let flow = Self::from_noise(schedule, score, start)?;
        Ok(Self { times: (flow.times.1, flow.times.0), ..flow })
    }

    /// Relative and absolute tolerance of a step, > 0: the root mean square over the coordinates of
    /// error/(atol + rtol |x|) stays below 1.
    ///
    /// # Errors
    /// If a tolerance is not positive and finite.
    pub fn tolerances(self, rtol: f64, atol: f64) -> Result<Self> {
        Ok(Self { control: self.control.with_tolerances(rtol, atol)?, ..self })
    }

    /// At most `evaluations` >= 10 evaluations for a particle.
    ///
    /// # Errors
    /// If there are fewer than a step can need.
    pub fn cap(self, evaluations: usize) -> Result<Self> {
        Ok(Self { control: self.control.with_cap(evaluations)?, ..self })
    }

    /// The flow map x(from) -> x(to) at `x` (d).
    ///
    /// # Errors
    /// If `x` has not the dimension of the score, or is not finite.
    pub fn map(&self, x: &[f64]) -> Result<Carried> {
        dimension("x", self.score.dim(), x.len())?;
        if let Some(coordinate) = x.iter().position(|x| !x.is_finite()) {
            return Err(Error::NotFinite { name: "x", point: 0, coordinate, value: x[coordinate] });
        }
        let mut work = Work::new(x.len());
        let Trajectory { place, end, evaluations, steps } = integrate(
            &self.control,
            self.times,
            x.to_vec(),
            0,
            |_, t, x, out| {
                self.velocity(t, x, out, &mut work);
                ControlFlow::Continue(())
            },
            |_, _| {},
        );
        Ok(Carried { place, evaluations, exit: exit(end, steps) })
    }

    /// out ← dx/dt at (t, x); one evaluation of the score.
    fn velocity(&self, t: f64, x: &[f64], out: &mut [f64], work: &mut Work) {
        self.score.evaluate(t, x, out);
        self.velocity_of(t, x, out, work);
    }

    /// As [`velocity`](Self::velocity) from the score in `out`.
    pub(super) fn velocity_of(&self, t: f64, x: &[f64], out: &mut [f64], work: &mut Work) {
        ode_drift(self.diffusion, t, x, out, work);
        out.iter_mut().for_each(|v| *v = -*v);
    }
}

/// What became of a particle after `steps` accepted steps.
pub(super) fn exit(end: End, steps: usize) -> Exit {
    match end {
        End::Reached | End::Stopped => Exit::Horizon,
        End::Exhausted => Exit::StepCap,
        End::Diverged => Exit::Diverged { step: steps },
    }
}

impl Method for ProbabilityFlow<'_> {
    fn dim(&self) -> usize {
        self.score.dim()
    }

    fn carry(&self, particles: &mut Particles<'_, '_>, observer: Observer<'_>) -> ControlFlow<()> {
        let d = particles.dim();
        let mut work = Work::new(d);
        // A denoised point is known where the diffusion is a schedule.
        let mut denoised = vec![0.0; if self.schedule.is_some() { d } else { 0 }];
        for j in 0..particles.len() {
            let index = particles.indices().start + j;
            let start = particles.points()[j * d..(j + 1) * d].to_vec();
            let velocity = |step: usize, t: f64, x: &[f64], out: &mut [f64]| {
                self.score.evaluate(t, x, out);
                let mut sigma = f64::NAN;
                if let Some(schedule) = self.schedule {
                    let level = schedule.level(t);
                    sigma = level.sigma;
                    // Tweedie's formula: D = (x + σ² s)/α.
                    for (denoised, (x, s)) in denoised.iter_mut().zip(x.iter().zip(&*out)) {
                        *denoised = (x + sigma * sigma * s) / level.alpha;
                    }
                }
                self.velocity_of(t, x, out, &mut work);
                let particles = index..index + 1;
                observer(&Observation { particles, step, time: t, sigma, points: x, denoised: &denoised })
            };
            let mut step = 0;
            let Trajectory { end, evaluations, steps, .. } =
                integrate(&self.control, self.times, start, 0, velocity, |t, x| {
                    particles.place_one(j, step, x);
                    particles.record_one(j, (t - self.times.0).abs());
                    step += 1;
                });
            particles.evaluated_one(j, evaluations);
            match end {
                End::Reached => {}
                End::Exhausted => particles.give_up(j),
                End::Diverged => particles.place_one(j, steps, &vec![f64::NAN; d]),
                End::Stopped => return ControlFlow::Break(()),
            }
        }
        ControlFlow::Continue(())
    }
}

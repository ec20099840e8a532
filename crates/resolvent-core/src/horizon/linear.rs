//! Linear schemes: samplers whose every move is a linear combination of what is at hand, as a table of coefficients.

use std::ops::ControlFlow;

use super::{Method, Observation, Observer, Particles};
use crate::error::{Error, Result, nonnegative, positive};
use crate::marginal::Denoiser;
use crate::schedule::Level;

/// Denoised points that a scheme remembers.
const HISTORY: usize = 3;

/// One linear combination: x · x + anchor · a + Σ_j denoised_j D_j + predicted_noise · ε̂ + noise · ε.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Row {
    /// Of x, the place of the present evaluation.
    pub x: f64,
    /// Of a, the place that the scheme holds on to between evaluations.
    pub anchor: f64,
    /// Of the denoised points, that of the present evaluation first.
    pub denoised: [f64; HISTORY],
    /// Of ε̂ = (x - α D)/σ at the present evaluation, with D before it is clipped.
    pub predicted_noise: f64,
    /// Of fresh standard normal noise.
    pub noise: f64,
}

impl Row {
    /// The same combination without ε̂, which at `level` is (x - α D)/σ: for a D that is not clipped.
    fn without_predicted_noise(&self, level: &Level) -> Self {
        let mut row = Self { predicted_noise: 0.0, ..*self };
        // At a level without noise the quotient would not be a number.
        if self.predicted_noise != 0.0 {
            let share = self.predicted_noise / level.sigma;
            row.x += share;
            row.denoised[0] -= share * level.alpha;
        }
        row
    }

    fn coefficients(&self) -> [f64; 4 + HISTORY] {
        let [first, second, third] = self.denoised;
        [self.x, self.anchor, first, second, third, self.predicted_noise, self.noise]
    }
}

/// One evaluation and what follows from it: x is perturbed, D(x) is found, the anchor is replaced, and `next`, which
/// sees the new anchor, becomes x.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// The step to which the evaluation belongs, from 0.
    pub step: usize,
    /// Where the denoiser is evaluated.
    pub level: Level,
    /// Standard deviation of the fresh noise added to x before the evaluation, bringing it to `level` (churn).
    pub perturbation: f64,
    /// The new anchor, if it changes; it has no part of fresh noise.
    pub anchor: Option<Row>,
    /// The next place.
    pub next: Row,
    /// The level at which `next` is a sample; none within a step.
    pub reached: Option<Level>,
}

impl Stage {
    /// The evaluation at `level` in step `step` and the move `next` to a sample at `reached`, with nothing else to
    /// it.
    pub fn simple(step: usize, level: Level, next: Row, reached: Level) -> Self {
        Self { step, level, perturbation: 0.0, anchor: None, next, reached: Some(reached) }
    }

    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.anchor.iter().chain([&self.next])
    }
}

/// A sampler as a table of coefficients: what DDIM, DDPM, Heun, DPM-Solver++, UniPC and their kin are on a given
/// grid. The functions of this module that return one name their sources.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearScheme {
    start: Level,
    stages: Vec<Stage>,
    pub(super) clip: Option<f64>,
}

impl LinearScheme {
    /// The scheme that goes through `stages` in turn from `start`.
    ///
    /// # Errors
    /// If there is no stage, a coefficient is not finite, an anchor has fresh noise, ε̂ is wanted at a level without
    /// noise, or a denoised point from before the first evaluation, or the last stage reaches no level.
    pub fn new(start: Level, stages: Vec<Stage>) -> Result<Self> {
        if stages.is_empty() {
            return Err(Error::Empty { name: "scheme" });
        }
        for (index, stage) in stages.iter().enumerate() {
            let step = stage.step;
            for value in stage.rows().flat_map(Row::coefficients).chain([stage.perturbation]) {
                if !value.is_finite() {
                    return Err(Error::Coefficient { step, value });
                }
            }
            nonnegative("perturbation", stage.perturbation)?;
            if let Some(value) = stage.anchor.map(|row| row.noise).filter(|c| *c != 0.0) {
                return Err(Error::Coefficient { step, value });
            }
            let missing = |back: &usize| stage.rows().any(|row| row.denoised[*back] != 0.0);
            if let Some(back) = (index + 1..HISTORY).find(missing) {
                return Err(Error::Memory { step, back });
            }
            if stage.rows().any(|row| row.predicted_noise != 0.0) {
                positive("sigma", stage.level.sigma)?;
            }
        }
        match stages[stages.len() - 1] {
            Stage { reached: None, step, .. } => Err(Error::Unfinished { step }),
            _ => Ok(Self { start, stages, clip: None }),
        }
    }

    /// Clips denoised points to [-`bound`, `bound`] in every coordinate; ε̂ is not touched by it.
    ///
    /// # Errors
    /// If `bound` is not positive and finite.
    pub fn clipped(mut self, bound: f64) -> Result<Self> {
        self.clip = Some(positive("clip", bound)?);
        Ok(self)
    }

    /// Takes ε̂ from the clipped denoised points, ε̂ = (x - α clip(D))/σ (`use_clipped_model_output` in the field's
    /// software). Without clipping nothing changes.
    #[must_use]
    pub fn with_clipped_noise(mut self) -> Self {
        for Stage { level, anchor, next, .. } in &mut self.stages {
            *anchor = anchor.map(|row| row.without_predicted_noise(level));
            *next = next.without_predicted_noise(level);
        }
        self
    }

    /// Ends with a denoising step: one more evaluation at the last level, x ← D(x). Nothing is added to a scheme that
    /// ends at the clean level.
    #[must_use]
    pub fn final_denoise(mut self) -> Self {
        let last = *self.stages.last().expect("a scheme has stages");
        if let Some(level) = last.reached.filter(|level| level.sigma > 0.0) {
            let next = Row { denoised: [1.0, 0.0, 0.0], ..Row::default() };
            let clean = Level { time: level.time, ..Level::CLEAN };
            self.stages.push(Stage::simple(last.step + 1, level, next, clean));
        }
        self
    }

    /// The level at which the particles start.
    pub fn start(&self) -> &Level {
        &self.start
    }

    /// The level at which the particles end; that of the start if no stage reaches one.
    pub fn end(&self) -> &Level {
        self.stages.iter().rev().find_map(|stage| stage.reached.as_ref()).unwrap_or(&self.start)
    }

    /// The table: one stage per evaluation.
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// Evaluations of the denoiser at each particle.
    pub fn evaluations(&self) -> usize {
        self.stages.len()
    }

    /// The scheme with a denoiser: a [`Method`].
    pub fn with<'a, D: Denoiser + ?Sized>(&'a self, denoiser: &'a D) -> Scheme<'a, D> {
        Scheme { table: self, denoiser }
    }
}

/// A [`LinearScheme`] with the denoiser that it evaluates.
#[derive(Debug)]
pub struct Scheme<'a, D: ?Sized> {
    table: &'a LinearScheme,
    denoiser: &'a D,
}

impl<D: Denoiser + ?Sized> Method for Scheme<'_, D> {
    fn dim(&self) -> usize {
        self.denoiser.dim()
    }

    fn carry(&self, particles: &mut Particles<'_, '_>, observer: Observer<'_>) -> ControlFlow<()> {
        let mut registers = Registers::new(particles);
        for stage in &self.table.stages {
            registers.advance(stage, self.table.clip, self.denoiser, particles, observer)?;
            if let Some(level) = stage.reached {
                particles.place(stage.step, &registers.at);
                particles.record(self.table.start.time - level.time);
            }
        }
        ControlFlow::Continue(())
    }
}

/// What a linear scheme has at hand, for a chunk of n particles (n rows of d each).
#[derive(Debug)]
pub(super) struct Registers {
    /// x.
    pub(super) at: Vec<f64>,
    anchor: Vec<f64>,
    history: [Vec<f64>; HISTORY],
    predicted: Vec<f64>,
    noise: Vec<f64>,
    next: Vec<f64>,
}

impl Registers {
    /// x and the anchor at the present places.
    pub(super) fn new(particles: &Particles<'_, '_>) -> Self {
        let at = particles.points().to_vec();
        let zeros = || vec![0.0; at.len()];
        let history = std::array::from_fn(|_| zeros());
        Self { anchor: at.clone(), history, predicted: zeros(), noise: zeros(), next: zeros(), at }
    }

    /// Does what `stage` says, with denoised points clipped to ±`clip`. The places in `particles` stay as they are.
    pub(super) fn advance(
        &mut self,
        stage: &Stage,
        clip: Option<f64>,
        denoiser: &(impl Denoiser + ?Sized),
        particles: &mut Particles<'_, '_>,
        observer: Observer<'_>,
    ) -> ControlFlow<()> {
        let Stage { step, level, .. } = *stage;
        if stage.perturbation > 0.0 {
            particles.draw(&mut self.noise);
            self.at.iter_mut().zip(&self.noise).for_each(|(x, n)| *x += stage.perturbation * n);
        }
        self.history.rotate_right(1);
        denoiser.denoise(&level, &self.at, &mut self.history[0]);
        particles.evaluated(1);
        if let Some(bound) = clip {
            if stage.rows().any(|row| row.predicted_noise != 0.0) {
                for (e, (x, d)) in self.predicted.iter_mut().zip(self.at.iter().zip(&self.history[0])) {
                    *e = (x - level.alpha * d) / level.sigma;
                }
            }
            self.history[0].iter_mut().for_each(|d| *d = d.clamp(-bound, bound));
        }
        observer(&Observation {
            particles: particles.indices(),
            step,
            time: level.time,
            sigma: level.sigma,
            points: &self.at,
            denoised: &self.history[0],
        })?;
        if stage.next.noise != 0.0 {
            particles.draw(&mut self.noise);
        }
        // Only clipping tells ε̂ from a combination of x and D.
        let resolved = |row: &Row| if clip.is_some() { *row } else { row.without_predicted_noise(&level) };
        if let Some(row) = &stage.anchor {
            self.combine(&resolved(row));
            std::mem::swap(&mut self.anchor, &mut self.next);
        }
        self.combine(&resolved(&stage.next));
        std::mem::swap(&mut self.at, &mut self.next);
        ControlFlow::Continue(())
    }

    /// next ← the combination `row`, in one pass. Terms with coefficient zero are passed over: what they would
    /// multiply may be infinite.
    fn combine(&mut self, row: &Row) {
        let [first, second, third] = &self.history;
        let registers = [&self.at, &self.anchor, first, second, third, &self.predicted, &self.noise];
        let mut terms = [(0.0, &self.at[..]); 4 + HISTORY];
        let mut count = 0;
        for (coefficient, register) in row.coefficients().into_iter().zip(registers) {
            if coefficient != 0.0 {
                terms[count] = (coefficient, &register[..]);
                count += 1;
            }
        }
        let out = &mut self.next[..];
        match count {
            0 => out.fill(0.0),
            1 => sum::<1>(&terms, out),
            2 => sum::<2>(&terms, out),
            3 => sum::<3>(&terms, out),
            4 => sum::<4>(&terms, out),
            5 => sum::<5>(&terms, out),
            6 => sum::<6>(&terms, out),
            _ => sum::<7>(&terms, out),
        }
    }
}

/// out ← the sum of the first N of `terms`, coefficients times values.
fn sum<const N: usize>(terms: &[(f64, &[f64]); 4 + HISTORY], out: &mut [f64]) {
    // Slices of the one length let the compiler see that no index is out of bounds.
    let values: [&[f64]; N] = std::array::from_fn(|k| &terms[k].1[..out.len()]);
    let coefficients: [f64; N] = std::array::from_fn(|k| terms[k].0);
    for (i, out) in out.iter_mut().enumerate() {
        let mut sum = coefficients[0] * values[0][i];
        for k in 1..N {
            sum += coefficients[k] * values[k][i];
        }
        *out = sum;
    }
}

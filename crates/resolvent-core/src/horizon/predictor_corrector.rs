//! Predictor-corrector sampling.

use std::ops::ControlFlow;

use nalgebra::DMatrix;

use super::linear::{LinearScheme, Registers, Row, Stage};
use super::{Accounts, Method, Observation, Observer, Particles};
use crate::error::{Error, Result, at_least, dimension, finite, positive};
use crate::marginal::Denoiser;
use crate::sampler::Exit;
use crate::schedule::{Grid, Level};

/// A predictor, one step of a linear scheme, and after it Langevin moves x += ε s + √(2ε) z at the level reached, which
/// correct the law there (Song et al. 2021, Algorithms 1 to 5). No move is made at the clean end.
///
/// The size of a move at level i is ε = 2 c (snr |z|/|s|)² with c = (α_i/α_{i-1})², i - 1 the next level on the way to the
/// data: 1 under a variance exploding schedule (Algorithm 4), 1 - β_i under a variance preserving one (Algorithm 5). How
/// |z|/|s| is found is the matter of [`Norms`] and of [`calibrated`](Self::calibrated). In the field's software it is a
/// ratio of means over the batch, which here no particle may depend on.
///
/// ```
/// use resolvent_core::horizon::{HorizonSampler, PredictorCorrector, reverse_diffusion};
/// use resolvent_core::marginal::GaussianMixture;
/// use resolvent_core::schedule::{Grid, VpLinear, prior};
///
/// let schedule = VpLinear::default();
/// let law = GaussianMixture::one_dimensional(&[0.3, 0.7], &[-2.0, 1.0], &[0.5, 0.2])?;
/// let predictor = reverse_diffusion(&Grid::uniform_time(&schedule, 50, 1e-3)?)?;
/// // Step sizes of the field's software, from a batch of their own.
/// let method = PredictorCorrector::new(&predictor, &law)?
///     .snr(0.16)?
///     .final_denoise()
///     .calibrated(&prior(&schedule, 1, 256, 3), 4)?;
/// let ensemble = HorizonSampler::new(&method).run(&prior(&schedule, 1, 100, 1), 7)?;
/// assert_eq!(ensemble.evaluations[0], 50 + 50 + 1);
/// # Ok::<(), resolvent_core::Error>(())
/// ```
#[derive(Clone)]
pub struct PredictorCorrector<'a> {
    denoiser: &'a dyn Denoiser,
    start: Level,
    segments: Vec<Segment>,
    clip: Option<f64>,
    moves: usize,
    snr: f64,
    sizes: Sizes,
}

/// What leads to a level, and the level.
#[derive(Debug, Clone, Copy)]
struct Segment {
    step: usize,
    predictor: Option<Stage>,
    reached: Level,
}

/// Where |z|/|s| in the size of a Langevin move is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Norms {
    /// From pure noise, where |z| = |σ s|: |z|/|s| = σ. The size depends on the level alone, and p_t stays the law of the
    /// moves as their size goes to 0.
    #[default]
    Noise,
    /// From the particle itself: the formula for a batch of one. The place has a part in the size by |s|, and |z| in the
    /// noise twice, so that small moves lead to the law proportional to |s|² p_t^{d/(d+2)} instead of p_t: for a
    /// Gaussian (d + 2)²/d² times the variance, a gross error in few dimensions and one of order 1/d in many.
    Particle,
}

#[derive(Debug, Clone, PartialEq)]
enum Sizes {
    By(Norms),
    /// (|z|/|s|)² for every move in turn.
    Fixed(Vec<f64>),
}

/// (|z|/|s|)² for all particles of a chunk from the number of the move, its level, z and s (n rows of d each); none if each
/// particle has its own.
type Ratio<'r> = dyn FnMut(usize, &Level, &[f64], &[f64]) -> Option<f64> + 'r;

impl<'a> PredictorCorrector<'a> {
    /// The steps of `predictor`, each followed by one Langevin move with a signal-to-noise ratio of 0.16.
    ///
    /// # Errors
    /// If a step of `predictor` has several evaluations, or uses earlier ones.
    pub fn new(predictor: &LinearScheme, denoiser: &'a dyn Denoiser) -> Result<Self> {
        let segment = |stage: &Stage| match stage.reached {
            Some(reached)
                if stage.anchor.is_none()
                    && stage.next.anchor == 0.0
                    && stage.next.denoised[1..].iter().all(|c| *c == 0.0) =>
            {
                Ok(Segment { step: stage.step, predictor: Some(*stage), reached })
            }
            _ => Err(Error::Predictor { step: stage.step }),
        };
        let segments = predictor.stages().iter().map(segment).collect::<Result<_>>()?;
        Ok(Self { clip: predictor.clip, ..Self::of(*predictor.start(), segments, denoiser) })
    }

    /// Langevin moves alone, at every level of `grid` with noise in turn, the first among them: annealed Langevin
    /// dynamics with the step sizes of the corrector.
    pub fn corrector_only(grid: &Grid, denoiser: &'a dyn Denoiser) -> Self {
        let noisy = grid.levels().iter().enumerate().filter(|(_, level)| level.sigma > 0.0);
        let segments = noisy.map(|(step, level)| Segment { step, predictor: None, reached: *level });
        Self::of(*grid.start(), segments.collect(), denoiser)
    }

    fn of(start: Level, segments: Vec<Segment>, denoiser: &'a dyn Denoiser) -> Self {
        let sizes = Sizes::By(Norms::default());
        Self { denoiser, start, segments, clip: None, moves: 1, snr: 0.16, sizes }
    }

    /// The signal-to-noise ratio > 0 of a move.
    ///
    /// # Errors
    /// If `snr` is not positive and finite.
    pub fn snr(self, snr: f64) -> Result<Self> {
        Ok(Self { snr: positive("snr", snr)?, ..self })
    }

    /// `moves` >= 1 Langevin moves at every level. Forgets a [calibration](Self::calibrated).
    ///
    /// # Errors
    /// If there is no move.
    pub fn corrector_steps(self, moves: usize) -> Result<Self> {
        let moves = at_least("corrector_steps", 1, moves)?;
        Ok(Self { moves, ..self.norms(Norms::default()) })
    }

    /// With |z|/|s| found by `norms`.
    #[must_use]
    pub fn norms(self, norms: Norms) -> Self {
        Self { sizes: Sizes::By(norms), ..self }
    }

    /// Ends with a denoising step x ← D(x), one more evaluation, unless the end is the clean level already.
    #[must_use]
    pub fn final_denoise(mut self) -> Self {
        if let Some(&Segment { step, reached: level, .. }) = self.segments.last()
            && level.sigma > 0.0
        {
            let next = Row { denoised: [1.0, 0.0, 0.0], ..Row::default() };
            let reached = Level { time: level.time, ..Level::CLEAN };
            let stage = Stage::simple(step + 1, level, next, reached);
            self.segments.push(Segment { step: step + 1, predictor: Some(stage), reached });
        }
        self
    }

    /// Takes |z|/|s| at every move from a run of its own: the ratio of the means of |z| and |s| over particles started at
    /// `starts` (d x n, n >= 1). These are the step sizes of the field's software, found once, so that no particle of a later run
    /// depends on another. `seed` should be another than that of the run. Set the other options before.
    ///
    /// # Errors
    /// If `starts` has not d rows, has no column or is not finite, or a mean is 0 or not finite.
    pub fn calibrated(self, starts: &DMatrix<f64>, seed: u64) -> Result<Self> {
        let (d, n) = starts.shape();
        dimension("starts", self.denoiser.dim(), d)?;
        at_least("starts", 1, n)?;
        finite("starts", starts)?;
        let mut points = starts.as_slice().to_vec();
        let (mut times, mut evaluations, mut exits) = (vec![0.0; n], vec![0; n], vec![Exit::Horizon; n]);
        let mut paths: Vec<_> = (0..n).map(|_| None).collect();
        let accounts = Accounts {
            points: &mut points,
            times: &mut times,
            evaluations: &mut evaluations,
            exits: &mut exits,
            paths: &mut paths,
        };
        let mut particles = Particles::new(d, 0, seed, accounts);
        let mut found = Vec::new();
        let mean = |rows: &[f64]| rows.chunks_exact(d).map(norm).sum::<f64>();
        // The observer never breaks.
        let _ = self.sweep(&mut particles, &|_| ControlFlow::Continue(()), &mut |_, _, noise, scores| {
            let ratio = (mean(noise) / mean(scores)).powi(2);
            found.push(ratio);
            Some(ratio)
        });
        for &ratio in &found {
            positive("mean |z|/|s|", ratio)?;
        }
        Ok(Self { sizes: Sizes::Fixed(found), ..self })
    }

    /// Evaluations of the denoiser at each particle.
    pub fn evaluations(&self) -> usize {
        let at = |s: &Segment| {
            usize::from(s.predictor.is_some()) + self.moves * usize::from(s.reached.sigma > 0.0)
        };
        self.segments.iter().map(at).sum()
    }

    /// Goes all the way.
    fn sweep(
        &self,
        particles: &mut Particles<'_, '_>,
        observer: Observer<'_>,
        ratio: &mut Ratio<'_>,
    ) -> ControlFlow<()> {
        let d = particles.dim();
        let mut registers = Registers::new(particles);
        let (mut scores, mut noise) = (registers.at.clone(), registers.at.clone());
        let mut index = 0;
        for (i, Segment { step, predictor, reached: level }) in self.segments.iter().enumerate() {
            if let Some(stage) = predictor {
                registers.advance(stage, self.clip, self.denoiser, particles, observer)?;
            }
            let next = self.segments.get(i + 1).map_or(Level::CLEAN, |segment| segment.reached);
            let factor = 2.0 * (level.alpha / next.alpha * self.snr).powi(2);
            let moves = if level.sigma > 0.0 { self.moves } else { 0 };
            for _ in 0..moves {
                let at = &mut registers.at;
                self.denoiser.denoise(level, at, &mut scores);
                particles.evaluated(1);
                if let Some(bound) = self.clip {
                    scores.iter_mut().for_each(|d| *d = d.clamp(-bound, bound));
                }
                observer(&Observation {
                    particles: particles.indices(),
                    step: *step,
                    time: level.time,
                    sigma: level.sigma,
                    points: at,
                    denoised: &scores,
                })?;
                let precision = 1.0 / (level.sigma * level.sigma);
                for (s, x) in scores.iter_mut().zip(&*at) {
                    *s = (level.alpha * *s - x) * precision;
                }
                particles.draw(&mut noise);
                let common = ratio(index, level, &noise, &scores);
                index += 1;
                let rows = at.chunks_exact_mut(d).zip(scores.chunks_exact(d).zip(noise.chunks_exact(d)));
                for (x, (s, z)) in rows {
                    let size = factor * common.unwrap_or_else(|| (norm(z) / norm(s)).powi(2));
                    let spread = (2.0 * size).sqrt();
                    for (x, (s, z)) in x.iter_mut().zip(s.iter().zip(z)) {
                        *x += size * s + spread * z;
                    }
                }
            }
            particles.place(*step, &registers.at);
            particles.record(self.start.time - level.time);
        }
        ControlFlow::Continue(())
    }
}

fn norm(v: &[f64]) -> f64 {
    v.iter().map(|v| v * v).sum::<f64>().sqrt()
}

impl Method for PredictorCorrector<'_> {
    fn dim(&self) -> usize {
        self.denoiser.dim()
    }

    fn carry(&self, particles: &mut Particles<'_, '_>, observer: Observer<'_>) -> ControlFlow<()> {
        self.sweep(particles, observer, &mut |index, level, _, _| match &self.sizes {
            Sizes::By(Norms::Noise) => Some(level.sigma * level.sigma),
            Sizes::By(Norms::Particle) => None,
            Sizes::Fixed(ratios) => Some(ratios[index]),
        })
    }
}

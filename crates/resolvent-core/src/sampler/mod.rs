//! The backward sampler: step, step control and killing rules put together and run on a batch of particles.

mod batch;
mod ensemble;
mod local;

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use nalgebra::DMatrix;
use rayon::prelude::*;

pub use batch::Batch;
pub use ensemble::{Ensemble, Exit};
pub use local::Local;

use crate::control::StepControl;
use crate::error::{Error, Result, at_least, dimension, finite};
use crate::killed::{KilledBrownianMotion, KilledDiffusion, Path};
use crate::killing::{KillingRule, Memory};
use crate::random::{Purpose, stream};
use crate::reversal::Work;
use crate::score::Neighbour;
use crate::step::{Fate, Step};

/// Particles to a chunk, if nothing else is said: as many as leave their arrays in the cache, within these limits.
const BATCH: (usize, usize) = (32, 256);
/// Coordinates to a chunk.
const CHUNK: usize = 1 << 16;
/// Evaluations a particle is given, if nothing else is said.
const CAP: usize = 10_000;

/// Runs the backward process from given starts until something kills it.
///
/// The three parts are independent of each other: the step says how a particle moves, the step control for how long,
/// the killing rules when it is dead. Which of them work with a process its type says: some need nothing but its
/// coefficients, some that it is [locally Brownian](crate::killed::LocallyBrownian), the bridges Brownian motion itself.
///
/// ```
/// use nalgebra::DMatrix;
/// use resolvent_core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion, Sampler, ScoreAdaptive};
/// use resolvent_core::step::Bridge;
///
/// let process = KilledBrownianMotion::new(3, 1.0, 0.1)?;
/// let data = EmpiricalMeasure::new(DMatrix::from_column_slice(3, 2, &[0., 0., 1., 0., 0., -1.]))?;
/// let score = EmpiricalScore::new(&process, data)?;
/// let (step, control) = (Bridge::new(&score), ScoreAdaptive::new(0.2, 0.02)?);
/// let ensemble = Sampler::new(&process, &step, &control).run(&DMatrix::from_element(3, 10, 0.5), 7)?;
/// assert!(ensemble.points.column_iter().all(|x| x.norm() < 1.1));
/// # Ok::<(), resolvent_core::Error>(())
/// ```
pub struct Sampler<'a, P: ?Sized = KilledBrownianMotion> {
    process: &'a P,
    step: &'a dyn Step<P>,
    control: &'a dyn StepControl<P>,
    rules: Vec<(String, &'a dyn KillingRule<P>)>,
    cap: usize,
    batch: Option<usize>,
    paths: usize,
    final_denoise: bool,
}

impl<'a, P: KilledDiffusion + ?Sized> Sampler<'a, P> {
    /// The reversal of `process` by `step` under `control`. A step that samples the lifetime kills by it; other steps
    /// need a [killing rule](Self::killing).
    pub fn new(process: &'a P, step: &'a dyn Step<P>, control: &'a dyn StepControl<P>) -> Self {
        Self {
            process,
            step,
            control,
            rules: Vec::new(),
            cap: CAP,
            batch: None,
            paths: 0,
            final_denoise: false,
        }
    }

    /// Adds a killing rule under the name `name`; the first rule that kills does. A particle that dies by its sampled
    /// lifetime in the middle of a step counts as such, even if it passed the mark of a rule within that step.
    #[must_use]
    pub fn killing(mut self, name: impl Into<String>, rule: &'a dyn KillingRule<P>) -> Self {
        self.rules.push((name.into(), rule));
        self
    }

    /// At most `cap` >= 1 evaluations for each particle (10,000 if not said).
    #[must_use]
    pub fn cap(mut self, cap: usize) -> Self {
        self.cap = cap;
        self
    }

    /// Chunks of `batch` >= 1 particles (if not said, 32 to 256 by dimension, fewer where threads would stand idle). What a
    /// particle does is independent of it.
    #[must_use]
    pub fn batch(mut self, batch: usize) -> Self {
        self.batch = Some(batch);
        self
    }

    /// Records the paths of the first `paths` particles.
    #[must_use]
    pub fn paths(mut self, paths: usize) -> Self {
        self.paths = paths;
        self
    }

    /// Whether a particle ended by a killing rule is moved to its denoised point D(x). (A sampled lifetime ends there
    /// anyway, and a rule that knows the [place of death](KillingRule::death) is believed.)
    #[must_use]
    pub fn final_denoise(mut self, denoise: bool) -> Self {
        self.final_denoise = denoise;
        self
    }

    /// Runs one particle from every column of `starts` (d x n), on all cores. Particle i draws from stream i of `seed`
    /// whatever the chunks and threads.
    ///
    /// # Errors
    /// If `starts` has not d rows or is not finite, the batch or cap is zero, or nothing kills.
    pub fn run(&self, starts: &DMatrix<f64>, seed: u64) -> Result<Ensemble> {
        self.run_observed(starts, seed, &|_| ControlFlow::Continue(()))
    }

    /// As [`run`](Self::run); `observer` is told after every round how many more particles have ended (from any thread)
    /// and can stop the run.
    ///
    /// # Errors
    /// Those of [`run`](Self::run), and [`Error::Interrupted`] if the observer stopped it.
    pub fn run_observed(
        &self,
        starts: &DMatrix<f64>,
        seed: u64,
        observer: &(dyn Fn(usize) -> ControlFlow<()> + Sync),
    ) -> Result<Ensemble> {
        let (d, n) = starts.shape();
        dimension("starts", self.process.dim(), d)?;
        finite("starts", starts)?;
        let batch = batch_size(self.batch, d, n, CHUNK, BATCH)?;
        at_least("cap", 1, self.cap)?;
        if self.rules.is_empty() && !self.step.samples_lifetime() {
            return Err(Error::NoKillingRule);
        }
        let mut points = starts.clone();
        let mut ends = vec![End::default(); n];
        let mut paths: Vec<Path> =
            starts.column_iter().take(self.paths).map(|x| Path::start(x.as_slice())).collect();
        // One slot per particle; those beyond the recorded paths stay empty.
        let mut slots: Vec<Option<&mut Path>> = paths.iter_mut().map(Some).collect();
        slots.resize_with(n, || None);
        let (stop, finished) = (AtomicBool::new(false), AtomicUsize::new(0));
        points
            .as_mut_slice()
            .par_chunks_mut(d * batch)
            .zip(ends.par_chunks_mut(batch))
            .zip(slots.par_chunks_mut(batch))
            .enumerate()
            .for_each(|(chunk, ((points, ends), paths))| {
                let report = |count: usize| {
                    finished.fetch_add(count, Relaxed);
                    if observer(count).is_break() {
                        stop.store(true, Relaxed);
                    }
                    !stop.load(Relaxed)
                };
                let first = chunk * batch;
                if !stop.load(Relaxed) {
                    self.run_chunk(seed, first, Chunk { points, ends, paths }, &report);
                }
            });
        let finished = finished.into_inner();
        if finished < n {
            return Err(Error::Interrupted { finished, total: n });
        }
        let lifetime = self.step.samples_lifetime().then(|| "lifetime".to_owned());
        Ok(Ensemble {
            points,
            lifetimes: ends.iter().map(|e| e.time).collect(),
            evaluations: ends.iter().map(|e| e.evaluations).collect(),
            exits: ends.iter().map(|e| e.exit).collect(),
            rules: lifetime.into_iter().chain(self.rules.iter().map(|(name, _)| name.clone())).collect(),
            paths,
        })
    }

    fn run_chunk(&self, seed: u64, first: usize, mut out: Chunk<'_, '_>, report: &dyn Fn(usize) -> bool) {
        let d = self.process.dim();
        let mut batch = self.begin(seed, first, out.points);
        let mut alive = vec![true; batch.ids.len()];
        let mut work = Work::new(d);
        for step in 0.. {
            self.step.evaluate(&mut batch);
            for (j, alive) in alive.iter_mut().enumerate() {
                let ended = self.round(&mut batch, j, step, &mut work, &mut out);
                *alive = ended.is_none();
                if let Some(exit) = ended {
                    let id = batch.ids[j];
                    out.points[id * d..(id + 1) * d].copy_from_slice(&batch.next[j * d..(j + 1) * d]);
                    out.ends[id] = End { time: batch.times[j], evaluations: step + 1, exit };
                }
            }
            let before = alive.len();
            batch.compact(d, &alive);
            alive.truncate(batch.ids.len());
            alive.fill(true);
            if !report(before - alive.len()) || alive.is_empty() {
                return;
            }
        }
    }

    fn begin(&self, seed: u64, first: usize, starts: &[f64]) -> Batch {
        let n = starts.len() / self.process.dim();
        let ids = (first..first + n).map(|i| i as u64);
        let mut rule_rngs: Vec<_> = ids.clone().map(|i| stream(seed, Purpose::Killing, i)).collect();
        Batch {
            points: starts.to_vec(),
            next: starts.to_vec(),
            gains: vec![0.0; n],
            displacements: vec![0.0; starts.len()],
            atoms: vec![0; n],
            neighbours: vec![Neighbour::default(); n],
            uniforms: vec![0.0; n],
            rngs: ids.map(|i| stream(seed, Purpose::Path, i)).collect(),
            memories: rule_rngs
                .iter_mut()
                .flat_map(|rng| self.rules.iter().map(|(_, rule)| rule.begin(rng)).collect::<Vec<Memory>>())
                .collect(),
            rule_rngs,
            ids: (0..n).collect(),
            times: vec![0.0; n],
            last_steps: vec![0.0; n],
            steps: vec![0; n],
            under_way: vec![None; n],
            carry: vec![0.0; n * self.step.carry(self.process.dim())],
        }
    }

    /// One particle's turn at evaluation `step`: asks the rules unless a step is under way, takes the step, and says how
    /// the particle ended if it did. Its new place is left in `batch.next`.
    fn round(
        &self,
        batch: &mut Batch,
        j: usize,
        step: usize,
        work: &mut Work,
        out: &mut Chunk<'_, '_>,
    ) -> Option<Exit> {
        let d = self.process.dim();
        let row = j * d..(j + 1) * d;
        let (point, displacement) = (&batch.points[row.clone()], &batch.displacements[row.clone()]);
        let (time, last_step) = (batch.times[j], batch.last_steps[j]);
        let at = Local::new(
            self.process,
            point,
            displacement,
            batch.gains[j],
            batch.atoms[j],
            time,
            last_step,
            batch.steps[j],
            self.step.is_flow(),
        );
        let next = &mut batch.next[row];
        if !at.is_finite() {
            next.copy_from_slice(point);
            return Some(Exit::Diverged { step });
        }
        let own = usize::from(self.step.samples_lifetime());
        let memories = &mut batch.memories[j * self.rules.len()..(j + 1) * self.rules.len()];
        let mut killer = None;
        let dt = batch.under_way[j].unwrap_or_else(|| {
            let mut dt = self.control.step(&at);
            // Every rule sees every step, even after another has killed, so that its memory is complete.
            for (k, ((_, rule), memory)) in self.rules.iter().zip(&mut *memories).enumerate() {
                let kills = rule.kills(memory, &at, &mut batch.rule_rngs[j]);
                killer = killer.or(kills.then_some(k + own));
                dt = dt.min(rule.longest_step(memory, &at));
            }
            dt
        });
        if killer.is_some() || step + 1 == self.cap {
            next.copy_from_slice(point);
        }
        if let Some(rule) = killer {
            let since = self.rules[rule - own].1.death(&memories[rule - own], &at, next);
            batch.times[j] -= since;
            if since > 0.0 {
                // The path ends where and when the particle died, not at the end of the step.
                if let Some(path) = &mut out.paths[batch.ids[j]] {
                    path.replace_last(batch.times[j], next);
                }
            } else if self.final_denoise {
                next.iter_mut().zip(displacement).for_each(|(x, v)| *x += v);
            }
            return Some(Exit::Killed { rule });
        }
        if step + 1 == self.cap {
            return Some(Exit::StepCap);
        }
        let carries = self.step.carry(d);
        let carry = &mut batch.carry[j * carries..(j + 1) * carries];
        let fate = self.step.advance(&at, dt, &mut batch.rngs[j], next, carry, work);
        let (passed, exit) = match fate {
            Fate::Dead { after } => (after, Some(Exit::Killed { rule: 0 })),
            Fate::Alive => (dt, None),
            Fate::Moved { time } => (time, None),
            Fate::Stage => (0.0, None),
        };
        if !(passed.is_finite() && next.iter().all(|x| x.is_finite())) {
            next.copy_from_slice(point);
            return Some(Exit::Diverged { step });
        }
        if fate == Fate::Stage {
            batch.under_way[j] = Some(dt);
            return None;
        }
        batch.under_way[j] = None;
        batch.steps[j] += 1;
        batch.times[j] += passed;
        batch.last_steps[j] = passed;
        if let Some(path) = &mut out.paths[batch.ids[j]] {
            path.push(batch.times[j], next);
        }
        exit
    }
}

/// Particles to a chunk of a run of `n` in R^`dim`: as many as asked for, else as fill `coordinates` within `limits`, and
/// fewer where threads would stand idle.
pub(crate) fn batch_size(
    asked: Option<usize>,
    dim: usize,
    n: usize,
    coordinates: usize,
    limits: (usize, usize),
) -> Result<usize> {
    let by_size = (coordinates / dim).clamp(limits.0, limits.1).min(n.div_ceil(rayon::current_num_threads()));
    Ok(at_least("batch", 1, asked.unwrap_or(by_size.max(1)))?.min(n.max(1)))
}

/// The part of the output that belongs to one chunk.
struct Chunk<'a, 'p> {
    points: &'a mut [f64],
    ends: &'a mut [End],
    paths: &'a mut [Option<&'p mut Path>],
}

/// How one particle ended.
#[derive(Debug, Clone, Copy)]
struct End {
    time: f64,
    evaluations: usize,
    exit: Exit,
}

impl Default for End {
    fn default() -> Self {
        Self { time: 0.0, evaluations: 0, exit: Exit::StepCap }
    }
}

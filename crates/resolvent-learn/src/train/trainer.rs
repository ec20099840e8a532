//! The training loop.

use super::adamw::{decaying, update};
use super::gradient::Lanes;
use super::observer::Observer;
use super::record::Record;
use super::settings::TrainingSettings;
use super::state::{Good, State, shapes};
use super::task::Task;
use crate::checkpoint::Subject;
use crate::error::{Error, Result};
use serde_json::{Map, Value};
use std::ops::Range;
use std::time::Instant;

/// Steps that the smoothed loss is a mean over.
const SMOOTHED: f64 = 100.0;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All steps have been taken.
    Finished,
    /// The observer ended it; it can be resumed.
    Stopped,
    /// The seconds granted are over; it can be resumed.
    TimeUp,
    /// The loss, its gradient or the validation was no longer finite.
    Diverged {
        /// Steps taken until then.
        step: u64,
        /// Steps behind [`State::last_good`], if there is one.
        last_good: Option<u64>,
    },
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Mean loss of its examples, at the parameters before it.
    pub loss: f64,
    /// Euclidean norm of the gradient, before clipping.
    pub gradient_norm: f64,
    /// The learning rate.
    pub learning_rate: f64,
}

/// Trains a task. Step t takes the examples t·batch, .., (t+1)·batch - 1, averages their gradients and moves the parameters by
/// AdamW. The result is the same to the last bit whatever the number of threads, and whether or not the training was
/// interrupted. Work is shared on the rayon pool it is called in.
pub struct Trainer<'a, T> {
    task: &'a T,
    state: State,
    lanes: Lanes,
    decaying: Vec<Range<usize>>,
}

impl<'a, T: Task> Trainer<'a, T> {
    /// A training from the initial parameters of the layout. `subject` describes the task in the files.
    ///
    /// # Errors
    /// If a setting is outside its range.
    pub fn new(task: &'a T, subject: Subject, settings: TrainingSettings) -> Result<Self> {
        let parameters = task.layout().initial(settings.seed);
        Self::start_from(task, subject, settings, parameters)
    }

    /// A training from given parameters.
    ///
    /// # Errors
    /// If a setting is outside its range, or the parameters are too many, too few or not finite.
    pub fn start_from(
        task: &'a T,
        subject: Subject,
        settings: TrainingSettings,
        parameters: Vec<f32>,
    ) -> Result<Self> {
        settings.validate()?;
        let (expected, found) = (task.layout().len(), parameters.len());
        if found != expected {
            return Err(Error::Dimension { name: "parameters", expected, found });
        }
        if let Some(p) = parameters.iter().find(|p| !p.is_finite()) {
            return Err(Error::Number { name: "parameters", allowed: "finite", value: f64::from(*p) });
        }
        let state = State::new(subject, settings, task.layout(), parameters);
        Ok(Self::at(task, state))
    }

    /// A training that goes on from a state as if it had never been interrupted.
    ///
    /// # Errors
    /// If the state is of another subject or its parameters are not those of the task.
    pub fn resume(task: &'a T, subject: &Subject, state: State) -> Result<Self> {
        if let Some(difference) = state.subject.difference(subject) {
            return Err(Error::Settings {
                what: format!("the checkpoint is of another training: {difference}"),
            });
        }
        let ours = shapes(task.layout());
        if state.shapes != ours {
            let pair = state.shapes.iter().zip(&ours).find(|(theirs, ours)| theirs != ours);
            let what = match pair {
                Some((theirs, ours)) => {
                    format!(
                        "{} of shape {:?} there, {} of shape {:?} here",
                        theirs.0, theirs.1, ours.0, ours.1
                    )
                }
                None => format!("{} tensors there, {} here", state.shapes.len(), ours.len()),
            };
            let what = format!("the checkpoint is of another architecture: {what}");
            return Err(Error::Settings { what });
        }
        Ok(Self::at(task, state))
    }

    fn at(task: &'a T, state: State) -> Self {
        let lanes = Lanes::new(task.layout().len(), &state.settings);
        Self { task, state, lanes, decaying: decaying(task.layout()) }
    }

    /// Replaces the limit on the seconds of a run, which has no part in the result.
    ///
    /// # Errors
    /// If it is not positive.
    pub fn limit_seconds(&mut self, seconds: Option<f64>) -> Result<()> {
        let settings = TrainingSettings { seconds, ..self.state.settings.clone() };
        settings.validate()?;
        self.state.settings = settings;
        Ok(())
    }

    /// Replaces the steps between two checkpoints (0 for one at the end), which have no part in the result either.
    pub fn checkpoint_every(&mut self, steps: u64) {
        self.state.settings.checkpoint_every = steps;
    }

    /// Where the training stands.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Takes one step. None if the loss or its gradient is not finite; the step is not taken then.
    pub fn step(&mut self) -> Option<Progress> {
        let State { settings, step, numbers, smoothed_loss, .. } = &mut self.state;
        let (loss, norm) = self.lanes.mean(self.task, settings, *step, &numbers.parameters);
        let clip = settings.clip.map_or(1.0, |longest| (longest / norm).min(1.0));
        // The optimiser squares the gradient in single precision.
        if !loss.is_finite() || !((clip * norm).powi(2) as f32).is_finite() {
            return None;
        }
        update(settings, *step, clip, &self.decaying, self.lanes.gradient(), numbers);
        let progress = Progress { loss, gradient_norm: norm, learning_rate: settings.rate(*step) };
        *step += 1;
        let smoothed = smoothed_loss.unwrap_or(0.0);
        *smoothed_loss = Some(smoothed + (loss - smoothed) / SMOOTHED.min(*step as f64));
        Some(progress)
    }

    /// Takes the steps that are left, or as many as the observer and the limit on the seconds allow.
    ///
    /// # Errors
    /// Whatever the observer fails at. The training may be resumed from its last checkpoint.
    pub fn run(&mut self, observer: &mut (impl Observer + ?Sized)) -> Result<Outcome> {
        let mut clock = Clock::start(self.state.seconds);
        if self.state.step == 0 && self.state.good.is_none() {
            let (validation, good) = self.validate();
            observer.record(&self.record(None, validation, &mut clock))?;
            if !good {
                return self.diverge(observer);
            }
        }
        while self.state.step < self.state.settings.steps {
            let limit = self.state.settings.seconds;
            let up = limit.is_some_and(|limit| clock.seconds() >= limit);
            if up || observer.stop() {
                self.state.seconds = clock.total();
                observer.checkpoint(&self.state)?;
                return Ok(if up { Outcome::TimeUp } else { Outcome::Stopped });
            }
            let Some(progress) = self.step() else { return self.diverge(observer) };
            let settings = &self.state.settings;
            let (step, last) = (self.state.step, self.state.step == settings.steps);
            let due = |every: u64| last || (every > 0 && step.is_multiple_of(every));
            let (record, validate, checkpoint) =
                (due(settings.record_every), due(settings.validate_every), due(settings.checkpoint_every));
            let (validation, good) = if validate { self.validate() } else { (Map::new(), true) };
            if record || validate {
                observer.record(&self.record(Some(progress), validation, &mut clock))?;
            }
            // A step may carry parameters beyond single precision before the loss shows it.
            let finite = || self.state.numbers.parameters.iter().all(|p| p.is_finite());
            if !good || (checkpoint && !finite()) {
                return self.diverge(observer);
            }
            if checkpoint {
                self.state.seconds = clock.total();
                observer.checkpoint(&self.state)?;
            }
        }
        Ok(Outcome::Finished)
    }

    /// Validates the averaged parameters, and keeps them if their loss is finite.
    fn validate(&mut self) -> (Map<String, Value>, bool) {
        let State { step, numbers, good, .. } = &mut self.state;
        let values = self.task.validate(&numbers.average);
        let finite = values.first().is_none_or(|(_, loss)| loss.is_finite());
        let validation: Map<_, _> = values.into_iter().map(|(name, value)| (name, value.into())).collect();
        if finite {
            let average = numbers.average.clone();
            *good = Some(Good { step: *step, validation: validation.clone(), average });
        }
        (validation, finite)
    }

    fn record(
        &self,
        progress: Option<Progress>,
        validation: Map<String, Value>,
        clock: &mut Clock,
    ) -> Record {
        Record {
            step: self.state.step,
            loss: progress.map(|progress| progress.loss),
            smoothed_loss: self.state.smoothed_loss,
            learning_rate: progress.map(|progress| progress.learning_rate),
            gradient_norm: progress.map(|progress| progress.gradient_norm),
            samples_per_second: clock
                .rate(self.state.step)
                .map(|rate| rate * self.state.settings.batch as f64),
            seconds: clock.total(),
            validation,
        }
    }

    fn diverge(&self, observer: &mut (impl Observer + ?Sized)) -> Result<Outcome> {
        observer.diverged(&self.state)?;
        let last_good = self.state.good.as_ref().map(|good| good.step);
        Ok(Outcome::Diverged { step: self.state.step, last_good })
    }
}

/// The time of a run.
struct Clock {
    start: Instant,
    earlier: f64,
    /// Time and steps at the last record.
    mark: Option<(Instant, u64)>,
}

impl Clock {
    fn start(earlier: f64) -> Self {
        Self { start: Instant::now(), earlier, mark: None }
    }

    /// Seconds of this run.
    fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    /// Seconds of all runs.
    fn total(&self) -> f64 {
        self.earlier + self.seconds()
    }

    /// Steps per second since the last record of this run.
    fn rate(&mut self, step: u64) -> Option<f64> {
        let now = Instant::now();
        let (then, before) = self.mark.replace((now, step))?;
        Some((step - before) as f64 / (now - then).as_secs_f64())
    }
}

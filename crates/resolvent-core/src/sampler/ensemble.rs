//! What a run returns.

use nalgebra::DMatrix;

use crate::killed::Path;

/// How a particle ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// A killing rule ended it.
    Killed {
        /// Index into [`Ensemble::rules`].
        rule: usize,
    },
    /// It reached the deterministic horizon.
    Horizon,
    /// It was still alive after the largest number of evaluations allowed. A step of several evaluations may be caught at a
    /// place in between, at the time of its beginning.
    StepCap,
    /// Its place or score was no longer a number; it is left at its last finite place.
    Diverged {
        /// The step at which this was seen.
        step: usize,
    },
}

/// n particles at their end. Nothing is dropped: capped and diverged particles are among them.
#[derive(Debug, Clone)]
pub struct Ensemble {
    /// Places at the end (d x n).
    pub points: DMatrix<f64>,
    /// Times from start to end (n).
    pub lifetimes: Vec<f64>,
    /// Score evaluations of each particle (n).
    pub evaluations: Vec<usize>,
    /// How each particle ended (n).
    pub exits: Vec<Exit>,
    /// Names of the killing rules, in the order in which they are asked; the lifetime of the step, if it samples one, is
    /// the first. A deterministic horizon has none.
    pub rules: Vec<String>,
    /// Paths of the first particles, as many as asked for.
    pub paths: Vec<Path>,
}

impl Ensemble {
    /// The names behind [`exit_code`](Self::exit_code): the rules, then "step-cap", "diverged" and "horizon".
    pub fn exit_names(&self) -> Vec<String> {
        let mut names = self.rules.clone();
        names.extend(["step-cap".into(), "diverged".into(), "horizon".into()]);
        names
    }

    /// How particle `i` ended, as an index into [`exit_names`](Self::exit_names).
    pub fn exit_code(&self, i: usize) -> usize {
        match self.exits[i] {
            Exit::Killed { rule } => rule,
            Exit::StepCap => self.rules.len(),
            Exit::Diverged { .. } => self.rules.len() + 1,
            Exit::Horizon => self.rules.len() + 2,
        }
    }

    /// How many particles ended each way, beside the names.
    pub fn exit_counts(&self) -> Vec<(String, usize)> {
        let mut counts: Vec<_> = self.exit_names().into_iter().map(|name| (name, 0)).collect();
        for i in 0..self.exits.len() {
            counts[self.exit_code(i)].1 += 1;
        }
        counts
    }

    /// Mean number of score evaluations of a particle.
    pub fn mean_evaluations(&self) -> f64 {
        self.evaluations.iter().sum::<usize>() as f64 / self.evaluations.len() as f64
    }
}

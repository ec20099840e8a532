//! A chunk of particles on its way.

use std::ops::Range;

use crate::killed::Path;
use crate::random::{Purpose, Stream, stream};
use crate::sampler::Exit;

/// A chunk of particles with their random streams and accounts: what a [`Method`](super::Method) works on.
///
/// A particle whose place is no longer a number stays at its last finite place and is counted as diverged.
#[derive(Debug)]
pub struct Particles<'a, 'p> {
    dim: usize,
    first: usize,
    rngs: Vec<Stream>,
    points: &'a mut [f64],
    times: &'a mut [f64],
    evaluations: &'a mut [usize],
    exits: &'a mut [Exit],
    paths: &'a mut [Option<&'p mut Path>],
    steps: Vec<usize>,
}

/// The part of the output that belongs to a chunk: places (n rows of d), and for each particle the time that has passed,
/// its evaluations, how it ended, and its path if that is wanted.
pub(super) struct Accounts<'a, 'p> {
    pub(super) points: &'a mut [f64],
    pub(super) times: &'a mut [f64],
    pub(super) evaluations: &'a mut [usize],
    pub(super) exits: &'a mut [Exit],
    pub(super) paths: &'a mut [Option<&'p mut Path>],
}

impl<'a, 'p> Particles<'a, 'p> {
    /// The particles from index `first` on in R^`dim`.
    pub(super) fn new(dim: usize, first: usize, seed: u64, accounts: Accounts<'a, 'p>) -> Self {
        let Accounts { points, times, evaluations, exits, paths } = accounts;
        let steps = vec![0; exits.len()];
        let rngs = (first..first + exits.len()).map(|i| stream(seed, Purpose::Path, i as u64)).collect();
        Self { dim, first, rngs, points, times, evaluations, exits, paths, steps }
    }

    /// Dimension d.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Number n of particles.
    pub fn len(&self) -> usize {
        self.exits.len()
    }

    /// Is there no particle?
    pub fn is_empty(&self) -> bool {
        self.exits.is_empty()
    }

    /// The indices of the particles in the whole run.
    pub fn indices(&self) -> Range<usize> {
        self.first..self.first + self.len()
    }

    /// The number of the step after the last in which particle `j` of the chunk was placed.
    pub fn steps(&self, j: usize) -> usize {
        self.steps[j]
    }

    /// Present places (n rows of d).
    pub fn points(&self) -> &[f64] {
        self.points
    }

    /// Has particle `j` of the chunk diverged or been given up?
    pub fn is_lost(&self, j: usize) -> bool {
        self.exits[j] != Exit::Horizon
    }

    /// The random stream of particle `j` of the chunk.
    pub fn rng(&mut self, j: usize) -> &mut Stream {
        &mut self.rngs[j]
    }

    /// Fills `noise` (n rows of any length) with standard normal numbers, each row from its particle's stream.
    pub fn draw(&mut self, noise: &mut [f64]) {
        let length = noise.len() / self.len();
        for (row, rng) in noise.chunks_exact_mut(length).zip(&mut self.rngs) {
            rng.fill_normals(row);
        }
    }

    /// Counts `count` evaluations for every particle that is not lost.
    pub fn evaluated(&mut self, count: usize) {
        for (evaluations, exit) in self.evaluations.iter_mut().zip(&*self.exits) {
            *evaluations += count * usize::from(*exit == Exit::Horizon);
        }
    }

    /// Time that has passed for particle `j` of the chunk, as [recorded](Self::record).
    pub fn time(&self, j: usize) -> f64 {
        self.times[j]
    }

    /// Counts `count` evaluations for particle `j` of the chunk.
    pub fn evaluated_one(&mut self, j: usize, count: usize) {
        self.evaluations[j] += count;
    }

    /// Moves all particles to `next` (n rows of d) in step `step`; a row that is not finite loses its particle.
    pub fn place(&mut self, step: usize, next: &[f64]) {
        self.steps.fill(step + 1);
        let rows = self.points.chunks_exact_mut(self.dim).zip(next.chunks_exact(self.dim));
        for ((x, next), exit) in rows.zip(&mut *self.exits) {
            if *exit != Exit::Horizon {
                continue;
            }
            if next.iter().all(|v| v.is_finite()) {
                x.copy_from_slice(next);
            } else {
                *exit = Exit::Diverged { step };
            }
        }
    }

    /// Moves particle `j` of the chunk to `next` (d).
    pub fn place_one(&mut self, j: usize, step: usize, next: &[f64]) {
        self.steps[j] = step + 1;
        if next.iter().all(|v| v.is_finite()) {
            self.points[j * self.dim..(j + 1) * self.dim].copy_from_slice(next);
        } else {
            self.exits[j] = Exit::Diverged { step };
        }
    }

    /// Gives particle `j` of the chunk up: it needed more steps than allowed.
    pub fn give_up(&mut self, j: usize) {
        self.exits[j] = Exit::StepCap;
    }

    /// Notes that `time` has passed since the start for all particles that are not lost, with their present places where
    /// paths are wanted.
    pub fn record(&mut self, time: f64) {
        for j in 0..self.len() {
            self.record_one(j, time);
        }
    }

    /// As [`record`](Self::record) for particle `j` of the chunk.
    pub fn record_one(&mut self, j: usize, time: f64) {
        if self.exits[j] == Exit::Horizon {
            self.times[j] = time;
            if let Some(path) = &mut self.paths[j] {
                path.push(time, &self.points[j * self.dim..(j + 1) * self.dim]);
            }
        }
    }
}

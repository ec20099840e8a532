//! The particles of one chunk that are still alive, one array per quantity.

use crate::killing::Memory;
use crate::random::Stream;
use crate::score::{Neighbour, Score};

/// The living particles of a chunk: n rows in every array. A step reads the points and fills gains and displacements
/// (and atoms, if it draws end points).
#[derive(Debug, Default)]
pub struct Batch {
    /// Places (n rows of d).
    pub points: Vec<f64>,
    /// Gains of the score (n).
    pub gains: Vec<f64>,
    /// Displacements of the score (n rows of d).
    pub displacements: Vec<f64>,
    /// What the score remembers of each particle (n).
    pub neighbours: Vec<Neighbour>,
    /// End points drawn from the posterior (n).
    pub atoms: Vec<usize>,
    /// Room for one uniform number per particle (n).
    pub uniforms: Vec<f64>,
    /// The particles' own streams (n).
    pub rngs: Vec<Stream>,
    pub(super) next: Vec<f64>,
    pub(super) rule_rngs: Vec<Stream>,
    pub(super) memories: Vec<Memory>,
    pub(super) ids: Vec<usize>,
    pub(super) times: Vec<f64>,
    pub(super) last_steps: Vec<f64>,
    /// Whole steps taken (n).
    pub(super) steps: Vec<usize>,
    /// The length of a step that is still under way (n).
    pub(super) under_way: Vec<Option<f64>>,
    /// What the step remembers (n rows).
    pub(super) carry: Vec<f64>,
}

impl Batch {
    /// Fills in gains and displacements of `score` at the points.
    pub fn evaluate<S: Score + ?Sized>(&mut self, score: &S) {
        let Self { points, neighbours, gains, displacements, .. } = self;
        score.evaluate_again(points, neighbours, gains, displacements);
    }

    /// Drops the particles that are not `alive` (n), keeping the order of the others; `points` become `next`.
    pub(super) fn compact(&mut self, d: usize, alive: &[bool]) {
        std::mem::swap(&mut self.points, &mut self.next);
        let survivors = alive.iter().filter(|a| **a).count();
        if survivors == alive.len() {
            return;
        }
        let rules = self.memories.len() / alive.len();
        let carry = self.carry.len() / alive.len();
        let living = (0..alive.len()).filter(|&from| alive[from]);
        for (to, from) in living.enumerate() {
            if to < from {
                self.points.copy_within(from * d..(from + 1) * d, to * d);
                self.memories.copy_within(from * rules..(from + 1) * rules, to * rules);
                self.carry.copy_within(from * carry..(from + 1) * carry, to * carry);
                self.ids[to] = self.ids[from];
                self.times[to] = self.times[from];
                self.last_steps[to] = self.last_steps[from];
                self.steps[to] = self.steps[from];
                self.neighbours[to] = self.neighbours[from];
                self.under_way[to] = self.under_way[from];
                self.rngs.swap(to, from);
                self.rule_rngs.swap(to, from);
            }
        }
        self.memories.truncate(survivors * rules);
        self.carry.truncate(survivors * carry);
        self.steps.truncate(survivors);
        self.neighbours.truncate(survivors);
        self.under_way.truncate(survivors);
        for array in [&mut self.points, &mut self.next, &mut self.displacements] {
            array.truncate(survivors * d);
        }
        for array in [&mut self.gains, &mut self.uniforms, &mut self.times, &mut self.last_steps] {
            array.truncate(survivors);
        }
        self.atoms.truncate(survivors);
        self.ids.truncate(survivors);
        self.rngs.truncate(survivors);
        self.rule_rngs.truncate(survivors);
    }
}

//! Progress and Ctrl-C while particles go to the horizon.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use resolvent::core::horizon::Observation;

use crate::interrupt;
use crate::progress::Progress;

/// A bar that is told of evaluations.
pub(super) struct Watch {
    progress: Progress,
    /// Which particles have started, where it is not known how many evaluations they need.
    started: Option<Vec<AtomicBool>>,
}

impl Watch {
    /// Over `n` particles. The bar counts their evaluations where each has a known number of them, else the particles
    /// that have started.
    pub(super) fn new(n: usize, evaluations: Option<usize>) -> Self {
        let Some(evaluations) = evaluations else {
            let started = (0..n).map(|_| AtomicBool::new(false)).collect();
            return Self { progress: Progress::new(n as u64, "particles"), started: Some(started) };
        };
        Self { progress: Progress::new(evaluations as u64 * n as u64, "evaluations"), started: None }
    }

    /// Counts, and breaks off after Ctrl-C.
    pub(super) fn observe(&self, at: &Observation<'_>) -> ControlFlow<()> {
        let new = match &self.started {
            None => at.particles.len(),
            Some(started) => at.particles.clone().filter(|&i| !started[i].swap(true, Relaxed)).count(),
        };
        if new > 0 {
            self.progress.inc(new as u64);
        }
        if interrupt::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

//! What every model offers.

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::Ensemble;

use super::Start;
use super::known::Known;

/// A model with its settings and the data, ready to run backward.
pub(super) trait Reversal {
    /// What the reader is told before the run: headings and texts.
    fn words(&self) -> Vec<(&'static str, String)>;

    /// Scalars of the output file.
    fn scalars(&self) -> Vec<(&'static str, f64)>;

    /// `n` draws (d x n) from `start`, which is not a file.
    fn draw(&self, start: &Start, known: &Known, n: usize, seed: u64) -> Result<DMatrix<f64>>;

    /// Observations (d x n) carried to where the backward process starts from them.
    fn place(&self, observations: DMatrix<f64>) -> DMatrix<f64>;

    /// Runs one particle from every column of `starts` (d x n).
    fn run(&self, starts: &DMatrix<f64>, how: &Running) -> Result<Ensemble>;
}

/// What does not change the particles but for `seed`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running {
    pub(super) seed: u64,
    /// Particles whose paths are recorded.
    pub(super) paths: usize,
    /// Particles to a chunk, if not by dimension.
    pub(super) batch: Option<usize>,
}

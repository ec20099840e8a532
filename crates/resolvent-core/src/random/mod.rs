//! Counter-based random streams: one per seed, purpose and particle.
//!
//! Particle `i` owns stream `i`, so what it draws does not depend on how many particles there are, how they are
//! batched, or on how many threads they run.

mod chacha;
mod normal;
mod stream;

pub use stream::Stream;

/// What a stream is used for; streams of different purposes are independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// The forward process: lifetimes and paths started in the data.
    Forward = 1,
    /// Where the backward process starts.
    Start = 2,
    /// The noise of a sampler's steps.
    Path = 3,
    /// The draws of the killing rules, apart from the path so that adding a rule does not change it.
    Killing = 4,
    /// The exact oracle.
    Oracle = 5,
    /// Whatever an experiment draws for itself.
    Experiment = 6,
    /// The probes of a stochastic divergence, apart from the noise that made the points.
    Probe = 7,
    /// Draws of data from a law, apart from the noise that is then put on them.
    Data = 8,
    /// The parameters a network starts from.
    Parameters = 9,
    /// What a step of training draws: data, lifetimes and noise.
    Training = 10,
    /// What training is judged on.
    Validation = 11,
}

/// The stream of particle `index` for `purpose` under `seed` (ChaCha8; key from seed and purpose, nonce `index`).
///
/// ```
/// use rand::RngExt;
/// use resolvent_core::random::{Purpose, stream};
/// let a: f64 = stream(7, Purpose::Path, 3).random();
/// let b: f64 = stream(7, Purpose::Path, 3).random();
/// assert_eq!(a, b);
/// ```
pub fn stream(seed: u64, purpose: Purpose, index: u64) -> Stream {
    Stream::new([seed, purpose as u64], index)
}

//! Diffusions that die, and their Green kernels.

mod brownian;
mod drift;
mod general;
mod green;
mod line;
mod linear;
mod ornstein_uhlenbeck;
mod path;
mod simulation;
mod smoothed;
mod squares;

pub use brownian::KilledBrownianMotion;
pub use drift::KilledDriftedBrownianMotion;
pub use general::Killed;
pub use green::GreenKernel;
pub(crate) use green::{CLOSEST, distance_squared};
pub use line::{LineFunction, LineOccupation, LineResolvent};
pub use linear::{GaussianOccupation, KilledLinear, QuadraticRate, Survivors};
pub use ornstein_uhlenbeck::{KilledOrnsteinUhlenbeck, OrnsteinUhlenbeckGreen};
pub use path::Path;
pub use simulation::{EulerDeaths, Thinning, draw_deaths};
pub use smoothed::SmoothedGreenKernel;

use rand::Rng;

use crate::diffusion::Diffusion;

/// A homogeneous diffusion on R^d (it ignores the time) that dies at the rate r(x).
pub trait KilledDiffusion: Diffusion {
    /// Dimension d.
    fn dim(&self) -> usize;

    /// r(x) >= 0 (per unit time) at `x` (d).
    fn rate(&self, x: &[f64]) -> f64;
}

/// A killed diffusion whose place and time of death can be drawn without a time step.
pub trait ExactDeath: KilledDiffusion {
    /// Draws the place of death from the start `x` (d) into `out` (d) and returns the lifetime.
    fn death_into(&self, x: &[f64], rng: &mut dyn Rng, out: &mut [f64]) -> f64;
}

/// A killed diffusion with constant scalar noise and a constant rate. Whatever its drift, over short distances it is killed
/// Brownian motion; steps and rules that watch the distance to the data read the scales of that.
pub trait LocallyBrownian: KilledDiffusion {
    /// Brownian motion with the same σ and rate.
    fn brownian(&self) -> &KilledBrownianMotion;
}

/// A killed diffusion that is symmetric with respect to a measure m and whose Green kernel is known: G_r(y -> x) dx is the
/// expected time in dx from the start y, and g_r(x, y) = G_r(y -> x)/m(x) = g_r(y, x).
pub trait Resolvent: ExactDeath {
    /// out ← ∇_x log g_r(x, y) (per length); returns log g_r(x, y). All of length d.
    fn log_kernel_and_gradient(&self, x: &[f64], y: &[f64], gradient: &mut [f64]) -> f64;

    /// out ← ∇ log m(x) (per length); returns log m(x), the logarithm of the density against Lebesgue measure.
    fn log_measure_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64;

    /// A draw of the lifetime given that the process goes from `x` to `y` and dies there: its density is proportional to
    /// e^{-rt} p_t(x, y).
    fn lifetime_between(&self, x: &[f64], y: &[f64], rng: &mut dyn Rng) -> f64;
}

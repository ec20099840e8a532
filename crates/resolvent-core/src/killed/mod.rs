//! Diffusions killed at rate r, and their Green kernels.

mod brownian;
mod green;
mod path;

pub use brownian::KilledBrownianMotion;
pub use green::GreenKernel;
pub(crate) use green::{CLOSEST, distance_squared};
pub use path::Path;

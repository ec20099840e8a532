//! Modified Bessel functions in log space, their ratios, and the generalised inverse Gaussian law.
//!
//! In dimension d the Green kernel of killed Brownian motion is a Bessel function of order nu = d/2 - 1, and
//! K_nu(z) over- and underflows long before d or z reach the sizes in use. So the logarithms and the ratios
//! of neighbouring orders are computed directly, in scalar `f64`, for nu in [-1/2, 2e5] and z in [1e-12, 1e8];
//! results stay finite and sensible from 1e-160 to 1e12.
//!
//! * [`bessel_k`]: log K_nu, log(z^nu K_nu), R_nu = K_{nu+1}/K_nu, its derivative and its inverses.
//! * [`bessel_i`]: log I_nu and I_{nu+1}/I_nu.
//! * [`gig`]: density, distribution function, moments and an exact sampler, which needs no Bessel function.
//!
//! ```
//! use resolvent_special::{Gig, inverse_ratio_k, log_k, ratio_k};
//!
//! // K_{1/2}(z) = sqrt(pi/(2z)) e^{-z}, far below the smallest number.
//! let z: f64 = 1e6;
//! assert!((log_k(0.5, z) - (0.5 * (std::f64::consts::FRAC_PI_2 / z).ln() - z)).abs() < 1e-9);
//! assert!((inverse_ratio_k(391.0, ratio_k(391.0, 20.0)) / 20.0 - 1.0).abs() < 1e-12);
//! // The mean lifetime of a Brownian bridge step in R^3 at distance 2, killed at rate 0.02.
//! assert!((Gig::new(-0.5, 0.04, 4.0)?.mean() - 2.0 / 0.2).abs() < 1e-12);
//! # Ok::<(), resolvent_special::Error>(())
//! ```

pub mod bessel_i;
pub mod bessel_k;
mod debye;
mod error;
pub mod gig;
pub mod piecewise;
pub mod quadrature;
pub mod transpose;
pub mod vector;

pub use bessel_i::{log_i, ratio_i};
pub use bessel_k::{
    KOrder, inverse_gain, inverse_ratio_k, log_k, log_k_and_ratio, log_zk, log_zk_and_ratio, ratio_k,
    ratio_k_derivative, ratio_k_excess,
};
pub use error::Error;
pub use gig::Gig;

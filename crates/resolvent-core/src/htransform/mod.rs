//! Doob h-transforms by a Green kernel (R7 to R10).
//!
//! A measure κ ([the representing measure](HTransform)) conditions a killed symmetric diffusion X: with
//! h(x) = ∫ g_r(x, y) κ(dy) the process Z^h has the drift b + Σ ∇ log h outside the support of κ and dies there, in dy with
//! probability g_r(x, y) κ(dy)/h(x) from x (R7; Doob 1957, Chung and Walsh 2005, chapters 11 to 13).
//!
//! | κ | type | what it does |
//! |---|---|---|
//! | r m | [`ExponentialClock`] | h = 1: nothing but the clock |
//! | δ_z | [`Atoms::point`] | every path dies at z |
//! | β(dy)/g_r(x_0, y) | [`Atoms::from_start`] | from x_0 it dies with law β |
//! | Σ κ_i δ_{z_i} | [`Atoms::weighted`] | any of these |
//! | surface measure of \|y\| = R | [`Sphere`] | it dies at the last exit from the sphere (Brownian motion) |
//!
//! Run backward from its death, Z^h from the data α is the h~-transform with the representing measure α/h (R9), which
//! [`backward_measure`] gives, from starts of law h~ κ (R9b), which [`backward_starts`] draws. For Brownian motion the whole
//! backward apparatus then applies to [`EmpiricalScore`](crate::EmpiricalScore) and [`Oracle`](crate::Oracle) of that measure.
//!
//! ```
//! use nalgebra::DMatrix;
//! use resolvent_core::htransform::{Atoms, backward_measure};
//! use resolvent_core::{EmpiricalMeasure, KilledBrownianMotion, Oracle};
//!
//! // Started at a point the backward process ends with the law of the data: nothing is lost at the start.
//! let process = KilledBrownianMotion::new(3, 1.0, 0.5)?;
//! let data = DMatrix::from_column_slice(3, 2, &[0., 0., 1., 0., 2., 0.]);
//! let alpha = EmpiricalMeasure::weighted(data, &[0.3, 0.7])?;
//! let (z, x0) = ([4.0, 0.0, 0.0], [0.0; 3]);
//! let h = Atoms::point(process.clone(), &z, &x0)?;
//! let backward = Oracle::new(process, backward_measure(&h, &alpha)?)?;
//! assert!((backward.end_law(&z)[0] - 0.3).abs() < 1e-14);
//! # Ok::<(), resolvent_core::Error>(())
//! ```

mod atoms;
mod backward;
mod exponential;
mod last_exit;
mod score;
mod sphere;
mod von_mises_fisher;

pub use atoms::Atoms;
pub use backward::{backward_measure, backward_starts, deaths};
pub use exponential::ExponentialClock;
pub use score::TransformScore;
pub use sphere::Sphere;

use rand::Rng;

/// The excessive function h(x) = ∫ g_r(x, y) κ(dy) of a representing measure κ, and the process that it conditions. The scale
/// of h is immaterial.
pub trait HTransform: Sync {
    /// Dimension d.
    fn dim(&self) -> usize;

    /// out ← ∇ log h(x) (per length, d); returns log h(x), which is infinite on points of κ in dimension 2 and above.
    fn log_value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64;

    /// R7: draws the place where Z^h dies from the start `x` (d) into `out` (d), exactly, and returns its lifetime given that
    /// place.
    fn death_into(&self, x: &[f64], rng: &mut dyn Rng, out: &mut [f64]) -> f64;

    /// log h(x).
    fn log_value(&self, x: &[f64]) -> f64 {
        self.log_value_and_gradient(x, &mut vec![0.0; x.len()])
    }
}

//! Ratios of densities estimated from samples of both laws.
//!
//! A classifier that tells the samples of two laws p and q apart knows their ratio: if n_p and n_q of them are shown, the
//! log-odds of the best one are log p(x)/q(x) + log n_p/n_q (Sugiyama, Suzuki and Kanamori 2012, chapter 4). With data from α as p
//! and the places where the forward process from α has died, whose law is r u, as q, the ratio gives the rate of
//! [R13](crate::killing::Hazard), α/u = r e^{ratio}, without a formula for either.
//!
//! ```
//! use nalgebra::DMatrix;
//! use resolvent_core::KilledBrownianMotion;
//! use resolvent_core::density_ratio::{LogisticRegression, Polynomial};
//! use resolvent_core::killing::Hazard;
//!
//! let process = KilledBrownianMotion::new(1, 1.0, 0.1)?;
//! let data = DMatrix::from_fn(1, 500, |_, i| (i as f64 / 500.0).powi(2));
//! let (killed, _) = process.deaths(&data, 7)?;
//! let ratio = LogisticRegression::new(Polynomial::new(4, &killed)?).fit(&data, &killed)?;
//! let hazard = Hazard::new(|x: &[f64]| process.rate().ln() + ratio.value(x));
//! # let _: &dyn resolvent_core::KillingRule = &hazard;
//! # Ok::<(), resolvent_core::Error>(())
//! ```

mod logistic;
mod newton;
mod polynomial;
mod radial_basis;
mod ratio;

pub use logistic::LogisticRegression;
pub use newton::Convergence;
pub use polynomial::Polynomial;
pub use radial_basis::RadialBasis;
pub use ratio::LogDensityRatio;

/// Functions of a point in R^d whose linear combinations, with a constant, are to be log-odds.
pub trait Features: Sync {
    /// Dimension d of the points.
    fn dim(&self) -> usize;

    /// Number of features, the constant not among them.
    fn count(&self) -> usize;

    /// Writes the features at `x` (d) into `out` (count).
    fn evaluate(&self, x: &[f64], out: &mut [f64]);
}

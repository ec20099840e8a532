//! The generalised inverse Gaussian law GIG(p, a, b): density proportional to t^{p-1} exp(-(a t + b/t)/2) on t > 0.
//!
//! It is the law of the lifetime given the end point, R11: p = 1 - d/2, a = 2r, b = rho^2.
//!
//! Everything runs on X = +-log(T/mode of log T), the sign chosen so that the order is |p|: its log-density is
//! psi(x) = -alpha (cosh x - 1) - lambda (e^x - 1 - x), lambda = |p|, alpha = ab/(sqrt(p^2 + ab) + lambda),
//! smooth down to the gamma and inverse gamma laws at alpha = 0.

mod density;
mod law;
mod moments;
mod sampler;

pub use law::Gig;

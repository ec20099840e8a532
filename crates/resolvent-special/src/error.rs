/// What a constructor of this crate refuses.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Error {
    /// The parameters do not make t^{p-1} exp(-(a t + b/t)/2) integrable on (0, inf).
    #[error(
        "no generalised inverse Gaussian law has p = {p}, a = {a}, b = {b}: \
         a and b must be finite and >= 0, with a > 0 if p >= 0 and b > 0 if p <= 0"
    )]
    GigParameters {
        /// Order p.
        p: f64,
        /// Coefficient a of t.
        a: f64,
        /// Coefficient b of 1/t.
        b: f64,
    },
}

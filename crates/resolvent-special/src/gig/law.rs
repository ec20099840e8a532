use super::sampler::Envelope;
use crate::Error;

/// The generalised inverse Gaussian law GIG(p, a, b), density proportional to t^{p-1} exp(-(a t + b/t)/2), t > 0
/// (B. Jorgensen (1982), Lecture Notes in Statistics 9).
///
/// b = 0 gives Gamma(p) with rate a/2, a = 0 the inverse gamma law of order -p and scale b/2. Construction
/// is cheap and calls no Bessel function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gig {
    pub(super) p: f64,
    pub(super) a: f64,
    pub(super) b: f64,
    pub(super) shape: Shape,
    /// Mode of log T is log(mode).
    pub(super) mode: f64,
    pub(super) envelope: Envelope,
}

/// The law of X = +-log(T/mode): its log-density up to a constant, psi, has its maximum 0 at 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shape {
    pub(super) lambda: f64,
    pub(super) alpha: f64,
}

impl Gig {
    /// The law with density proportional to t^{p-1} exp(-(a t + b/t)/2).
    ///
    /// # Errors
    /// [`Error::GigParameters`] unless p, a, b are finite, a, b >= 0, a > 0 if p >= 0 and b > 0 if p <= 0.
    #[inline]
    pub fn new(p: f64, a: f64, b: f64) -> Result<Self, Error> {
        let integrable = (a > 0.0 || p < 0.0) && (b > 0.0 || p > 0.0);
        if !(integrable && a >= 0.0 && b >= 0.0 && p.is_finite() && a.is_finite() && b.is_finite()) {
            return Err(Error::GigParameters { p, a, b });
        }
        let lambda = p.abs();
        // sqrt(a) sqrt(b) neither overflows nor underflows.
        let omega = a.sqrt() * b.sqrt();
        let top = lambda + (lambda * lambda + omega * omega).sqrt().max(omega).max(lambda);
        let alpha = omega * (omega / top);
        let mode = if p < 0.0 { b / top } else { top / a };
        let shape = Shape { lambda, alpha };
        Ok(Self { p, a, b, shape, mode, envelope: Envelope::new(shape) })
    }

    /// The order p.
    #[must_use]
    pub fn p(&self) -> f64 {
        self.p
    }

    /// The coefficient a of t.
    #[must_use]
    pub fn a(&self) -> f64 {
        self.a
    }

    /// The coefficient b of 1/t.
    #[must_use]
    pub fn b(&self) -> f64 {
        self.b
    }

    /// X at the time t: log(t/mode), turned round for p < 0.
    #[inline]
    pub(super) fn to_x(self, t: f64) -> f64 {
        let x = (t / self.mode).ln();
        if self.p < 0.0 { -x } else { x }
    }

    /// T at the value e^x of e^X.
    #[inline]
    pub(super) fn to_t(self, exp_x: f64) -> f64 {
        if self.p < 0.0 { self.mode / exp_x } else { self.mode * exp_x }
    }
}

impl Shape {
    /// psi(x), to full precision.
    #[inline]
    pub(super) fn psi(self, x: f64) -> f64 {
        let (m, e) = exponentials(x);
        self.psi_of(x, m, e)
    }

    /// psi(x) = -alpha (cosh x - 1) - lambda (e^x - 1 - x), given m = e^x - 1 and e = e^x.
    #[inline]
    pub(super) fn psi_of(self, x: f64, m: f64, e: f64) -> f64 {
        -self.alpha * (0.5 * m / e * m) - self.lambda * (m - x)
    }

    /// psi'(x).
    #[inline]
    pub(super) fn slope(self, x: f64) -> f64 {
        let (m, e) = exponentials(x);
        -self.alpha * (0.5 * m * (e + 1.0) / e) - self.lambda * m
    }
}

/// e^x leaves the range of f64 beyond; psi is hugely negative there or linear.
pub(super) const X_MAX: f64 = 700.0;

/// (e^x - 1, e^x), both to full relative precision.
#[inline]
fn exponentials(x: f64) -> (f64, f64) {
    if x.abs() < 1.0 {
        let m = x.exp_m1();
        (m, 1.0 + m)
    } else {
        let e = x.clamp(-X_MAX, X_MAX).exp();
        (e - 1.0, e)
    }
}

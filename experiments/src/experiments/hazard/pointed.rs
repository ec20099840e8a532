//! Brownian motion conditioned to die at a point z, started in data with a density.

use super::line::{Component, Line, simpson};
use crate::experiments::tabulated::Tabulated;

/// Cells of a quadrature on each side of a kink.
const CELLS: u32 = 4_000;
/// Points of a table of the lifetime's law.
const TABLE: usize = 4_000;
/// Places at which the closed form is compared with the quadrature.
const PLACES: u32 = 30;

/// h(x) = G(x, z) and h~(x) = ∫ G(x, y)/h(y) α(dy) (R9), so that u = h h~ is the occupation density of the conditioned process.
pub(super) struct Pointed<'a> {
    line: &'a Line,
    pub(super) z: f64,
}

impl<'a> Pointed<'a> {
    pub(super) fn new(line: &'a Line, z: f64) -> Self {
        Self { line, z }
    }

    /// u = h h~ and u' at `x` in closed form: for x < z,
    ///
    /// kσ² u = α(-∞, x) + e^{-2k(z-x)} α(z, ∞) + e^{2kx} ∫_x^z e^{-2ky} α(dy), σ² u'/2 = the last two terms,
    ///
    /// and its mirror image beyond z. α has a density, so the derivatives of the limits of integration cancel.
    pub(super) fn occupation(&self, x: f64) -> (f64, f64) {
        let (line, k, sign) = (self.line, self.line.decay(), if x < self.z { 1.0 } else { -1.0 });
        let (x, z) = (sign * x, sign * self.z);
        let terms = line.components().map(|Component { weight, mean, deviation: s }| {
            let mean = sign * mean;
            let below = |y: f64| line.normal((y - mean) / s);
            // e^{-2ky} N(y; m, s²) is a multiple of N(y; m - 2ks², s²).
            let tilted = |y: f64| line.normal((y - mean) / s + 2.0 * k * s);
            let beyond = f64::exp(-2.0 * k * (z - x)) * line.normal((mean - z) / s);
            let between =
                f64::exp(2.0 * k * (x - mean) + 2.0 * (k * s).powi(2)) * (tilted(z) - tilted(x)).max(0.0);
            (weight * below(x), weight * (beyond + between))
        });
        let (near, far) = terms.fold((0.0, 0.0), |sum, term| (sum.0 + term.0, sum.1 + term.1));
        let variance = line.process.sigma().powi(2);
        ((near + far) / (k * variance), sign * 2.0 * far / variance)
    }

    /// ∇ log h~ = u'/u - ∇ log h, which drives the backward process.
    pub(super) fn score(&self, x: f64) -> f64 {
        let (value, slope) = self.occupation(x);
        slope / value - self.line.decay() * (self.z - x).signum()
    }

    /// log α/(h h~): the rate at which the backward process dies (R13).
    pub(super) fn log_hazard(&self, x: f64) -> f64 {
        self.line.density(x).ln() - self.occupation(x).0.ln()
    }

    /// The largest relative error of u and of its derivative (over u k) against a quadrature of R9, over the data and their
    /// surroundings.
    pub(super) fn error(&self) -> f64 {
        let (line, k) = (self.line, self.line.decay());
        let (low, high) = line.range(1.0);
        let places = (0..=PLACES).map(|i| low + (high - low) * f64::from(i) / f64::from(PLACES));
        let mut largest: f64 = 0.0;
        for x in places {
            let (first, second) = (x.min(self.z), x.max(self.z));
            let ends = line.range(0.0);
            let pieces =
                [(ends.0.min(first - 1.0), first), (first, second), (second, ends.1.max(second + 1.0))];
            let integral = |f: &dyn Fn(f64) -> f64| -> f64 {
                pieces.iter().map(|piece| simpson(*piece, CELLS, f)).sum()
            };
            // G(x, z) G(x, y)/G(y, z).
            let kernel = |y: f64| {
                let exponent = (y - self.z).abs() - (x - self.z).abs() - (x - y).abs();
                f64::exp(k * exponent) / (k * line.process.sigma().powi(2))
            };
            let u = integral(&|y| kernel(y) * line.density(y));
            let slope = |y: f64| -k * ((x - self.z).signum() + (x - y).signum());
            // The derivative jumps at y = x: the middle of a piece decides its sign.
            let derivative: f64 = pieces
                .iter()
                .map(|piece| {
                    let slope = slope(0.5 * (piece.0 + piece.1));
                    slope * simpson(*piece, CELLS, |y| kernel(y) * line.density(y))
                })
                .sum();
            let (value, closed) = self.occupation(x);
            largest = largest.max((value / u - 1.0).abs()).max((closed - derivative).abs() / (u * k));
        }
        largest
    }

    /// P(lifetime <= t), tabulated: given the end point y it has a density proportional to e^{-rt} p_t(z, y), so that
    /// P(lifetime <= t) = Φ(a√t - ρ/√t) - e^{2aρ} Φ(-a√t - ρ/√t), a = √(2r), ρ = |y - z|/σ (R11 with d = 1).
    pub(super) fn lifetime(&self) -> Tabulated {
        let line = self.line;
        let a = f64::sqrt(2.0 * line.process.rate());
        let given = |t: f64, rho: f64| {
            let (root, over) = (a * t.sqrt(), rho / t.sqrt());
            let late = line.normal(-root - over);
            // The exponential is finite where its factor is not zero.
            let late = if late > 0.0 { f64::exp(2.0 * a * rho + late.ln()) } else { 0.0 };
            line.normal(root - over) - late
        };
        let (low, high) = line.range(0.0);
        let end = 40.0 / line.process.rate();
        // In √t, in which the law is smooth at 0.
        Tabulated::new((0.0, end.sqrt()), TABLE, |root| {
            if root == 0.0 {
                return 0.0;
            }
            let integrand =
                |y: f64| line.density(y) * given(root * root, (y - self.z).abs() / line.process.sigma());
            let (left, right) = (low.min(self.z - 1.0), high.max(self.z + 1.0));
            simpson((left, self.z), 120, integrand) + simpson((self.z, right), 120, integrand)
        })
    }
}

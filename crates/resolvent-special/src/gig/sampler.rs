//! Exact draws by rejection from a three-piece envelope of the log-density (L. Devroye (2014), Stat. Comput. 24:239).

use super::law::{Gig, Shape, X_MAX};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, Exp1};

/// cosh 1 - 1, e - 2 and 1/e: psi(1) and psi(-1) are linear in alpha and lambda.
const COSH_1_LESS_1: f64 = 0.543_080_634_815_243_8;
const E_LESS_2: f64 = 0.718_281_828_459_045_2;
const COSH_1: f64 = 1.543_080_634_815_243_8;
const INVERSE_E: f64 = 0.367_879_441_171_442_33;

/// The envelope: constant 1 between -left and right, tangents of psi at the two points beyond.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Envelope {
    left: f64,
    right: f64,
    /// Scale and intercept of the exponential tails.
    left_scale: f64,
    right_scale: f64,
}

impl Envelope {
    #[inline]
    pub(super) fn new(shape: Shape) -> Self {
        let Shape { alpha, lambda } = shape;
        let drop = alpha * COSH_1_LESS_1 + lambda * E_LESS_2;
        let right = if drop > 2.0 {
            (2.0 / (alpha + lambda)).sqrt()
        } else if drop < 0.5 {
            (4.0 / (alpha + 2.0 * lambda)).ln()
        } else {
            1.0
        };
        let drop = alpha * COSH_1_LESS_1 + lambda * INVERSE_E;
        let left = if drop > 2.0 {
            (4.0 / (alpha * COSH_1 + lambda)).sqrt()
        } else if drop < 0.5 {
            (1.0 / lambda).min(arcosh_1_plus((1.0 / alpha).min(f64::MAX / 4.0)))
        } else {
            1.0
        };
        let (psi_right, psi_left) = (shape.psi(right), shape.psi(-left));
        let (right_scale, left_scale) = (-1.0 / shape.slope(right), 1.0 / shape.slope(-left));
        Envelope {
            left: left + left_scale * psi_left,
            right: right + right_scale * psi_right,
            left_scale,
            right_scale,
        }
    }
}

/// arcosh(1 + x) without overflow.
fn arcosh_1_plus(x: f64) -> f64 {
    (1.0 + x + x.sqrt() * (x + 2.0).sqrt()).ln()
}

impl Distribution<f64> for Gig {
    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let Envelope { left, right, left_scale, right_scale } = self.envelope;
        let middle = left + right;
        let total = middle + left_scale + right_scale;
        loop {
            let u = total * rng.random::<f64>();
            let (x, log_envelope) = if u < middle {
                (u - left, 0.0)
            } else {
                let v: f64 = Exp1.sample(rng);
                if u < middle + right_scale {
                    (right + right_scale * v, -v)
                } else {
                    (-left - left_scale * v, -v)
                }
            };
            // The rounding of e^x - 1 shifts psi by |p| 1e-16 only.
            let exp_x = x.clamp(-X_MAX, X_MAX).exp();
            let level: f64 = Exp1.sample(rng);
            if self.shape.psi_of(x, exp_x - 1.0, exp_x) >= log_envelope - level {
                return self.to_t(if x.abs() <= X_MAX { exp_x } else { x.exp() });
            }
        }
    }
}

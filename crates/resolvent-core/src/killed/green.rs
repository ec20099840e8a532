//! The Green kernel of killed Brownian motion: a radial function in Bessel form.

use std::f64::consts::{LN_2, TAU};

use nalgebra::DMatrix;
use rayon::prelude::*;
use resolvent_special::{Gig, KOrder, inverse_gain, inverse_ratio_k, log_zk};
use statrs::function::gamma::ln_gamma;

use super::squares::Squares;
use crate::error::{Result, dimension};

/// Below this distance kernels are evaluated at this distance: squares stay clear of underflow, and a particle this
/// close is on the support for every rule and step.
pub(crate) const CLOSEST: f64 = 1e-120;

/// Added to the logarithm at the pole: in dimension 2 the kernel itself is only logarithmic there.
const POLE: f64 = 1e4;

/// R3: G_r(x, y) = ∫ e^{-rt} p_t(x, y) dt of dX = σ dW, a function of ρ = |x - y|:
/// 2 (2π)^{-d/2} σ^{-d} (a/ρ')^ν K_ν(aρ') with a = √(2r), ν = d/2 - 1, ρ' = ρ/σ (Borodin and Salminen 2002, appendix 1).
/// As r -> 0 it tends to the Newtonian kernel Γ(ν) π^{-d/2} σ^{-2} ρ^{-2ν} / 2, which is what it is at r = 0 (d >= 3).
///
/// Everything is computed as a logarithm or a ratio, so that d up to 4·10^5 and any ρ > 0 are representable.
#[derive(Debug, Clone, PartialEq)]
pub struct GreenKernel {
    dim: usize,
    sigma: f64,
    rate: f64,
    /// a/σ, per length: z = decay · ρ.
    decay: f64,
    log_scale: f64,
    order: KOrder,
    /// log(z^ν K_ν(z)) at z = 0.
    log_zk_at_zero: f64,
    squares: Squares,
}

impl GreenKernel {
    /// Parameters as checked by [`super::KilledBrownianMotion::new`].
    pub(crate) fn new(dim: usize, sigma: f64, rate: f64) -> Self {
        let (d, a) = (dim as f64, f64::sqrt(2.0 * rate));
        let order = KOrder::new(0.5 * d - 1.0);
        // Of z^ν K_ν(z) / ρ^{2ν}, in which r is in z alone: at r = 0 the limit of z^ν K_ν(z) is all that it takes.
        let log_scale = LN_2 - 0.5 * d * TAU.ln() - 2.0 * sigma.ln();
        let log_zk_at_zero = log_zk(order.nu(), 0.0);
        let squares = Squares::new();
        Self { dim, sigma, rate, decay: a / sigma, log_scale, order, log_zk_at_zero, squares }
    }

    /// Dimension d.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// a/σ = √(2r)/σ, the rate of decay in space (per length); 0 at r = 0, where the decay is algebraic.
    pub fn decay(&self) -> f64 {
        self.decay
    }

    /// log G_r at distance `rho` >= 0 (length). Finite: below 1e-120 a number that outweighs everything else stands for the
    /// pole that the kernel has in dimension 2 and above.
    pub fn log_value(&self, rho: f64) -> f64 {
        self.log_value_and_gain(rho).0
    }

    /// R4: |∇ log G_r| = (a/σ) R_ν(z), z = aρ/σ, at distance `rho` (per length); at least a/σ. (d - 2)/ρ at r = 0.
    pub fn score_norm(&self, rho: f64) -> f64 {
        closest(rho) * self.gain(rho)
    }

    /// g(ρ) = (a/σ) R_ν(z)/ρ (per squared length): ∇_x log G_r(x, y) = g (y - x) (R19).
    pub fn gain(&self, rho: f64) -> f64 {
        self.log_value_and_gain(rho).1
    }

    /// d log g/d log ρ = ρ² g - (a/σ)²/g - d at a distance with the gain `gain` (from R_ν' = R_ν² - (2ν+1)/z R_ν - 1, DLMF
    /// 10.29.2): -2 where ρ is small and d > 2, -1 where it is large.
    pub fn gain_slope(&self, rho: f64, gain: f64) -> f64 {
        rho * rho * gain - self.decay * self.decay / gain - self.dim as f64
    }

    /// [`log_value`](Self::log_value) and [`gain`](Self::gain) at the price of one.
    pub fn log_value_and_gain(&self, rho: f64) -> (f64, f64) {
        let pole = if rho < CLOSEST && self.dim > 1 { POLE } else { 0.0 };
        let rho = closest(rho);
        let nu = self.order.nu();
        let (log_zk, z_ratio) = if self.decay > 0.0 {
            self.order.log_zk_and_z_ratio(self.decay * rho)
        } else {
            (self.log_zk_at_zero, 2.0 * nu)
        };
        (pole + self.log_scale - 2.0 * nu * rho.ln() + log_zk, z_ratio / (rho * rho))
    }

    /// [`log_value_and_gain`](Self::log_value_and_gain) at many squared distances, but for rounding: `squares` become log G_r, and
    /// `gains` (as many) the gains.
    pub(crate) fn log_values_and_gains(&self, squares: &mut [f64], gains: &mut [f64]) {
        self.squares.look_up(squares, gains, |rho| self.log_value_and_gain(rho));
    }

    /// out ← ∇_x log G_r(x, y) (per length), all of length d.
    pub fn gradient_into(&self, x: &[f64], y: &[f64], out: &mut [f64]) {
        let gain = self.gain(distance_squared(x, y).sqrt());
        for (out, (x, y)) in out.iter_mut().zip(x.iter().zip(y)) {
            *out = gain * (y - x);
        }
    }

    /// log G_r between every column of `x` (d x n) and every column of `y` (d x m), on all cores: m x n, one column for each
    /// column of `x`.
    ///
    /// # Errors
    /// If `x` or `y` has not d rows.
    pub fn log_values(&self, x: &DMatrix<f64>, y: &DMatrix<f64>) -> Result<DMatrix<f64>> {
        dimension("x", self.dim, x.nrows())?;
        dimension("y", self.dim, y.nrows())?;
        let mut out = DMatrix::zeros(y.ncols(), x.ncols());
        let rows = x.as_slice().par_chunks(self.dim);
        out.as_mut_slice().par_chunks_mut(y.ncols().max(1)).zip(rows).for_each(|(out, x)| {
            for (out, y) in out.iter_mut().zip(y.as_slice().chunks(self.dim)) {
                *out = self.log_value(distance_squared(x, y).sqrt());
            }
        });
        Ok(out)
    }

    /// ∇_x log G_r(x_i, y_i) for the columns of `x` and `y` (both d x n), on all cores: d x n (per length).
    ///
    /// # Errors
    /// If `x` or `y` has not d rows, or they have not the same number of columns.
    pub fn gradients(&self, x: &DMatrix<f64>, y: &DMatrix<f64>) -> Result<DMatrix<f64>> {
        dimension("x", self.dim, x.nrows())?;
        dimension("y", self.dim, y.nrows())?;
        dimension("the set of y", x.ncols(), y.ncols())?;
        let mut out = DMatrix::zeros(self.dim, x.ncols());
        let pairs = x.as_slice().par_chunks(self.dim).zip(y.as_slice().par_chunks(self.dim));
        out.as_mut_slice()
            .par_chunks_mut(self.dim)
            .zip(pairs)
            .for_each(|(out, (x, y))| self.gradient_into(x, y, out));
        Ok(out)
    }

    /// ρ_g of R19: the distance at which a single atom has the gain `gain` > 0.
    pub fn radius_of_gain(&self, gain: f64) -> f64 {
        if self.decay == 0.0 {
            return (2.0 * self.order.nu() / gain).sqrt();
        }
        inverse_gain(self.order.nu(), gain / (self.decay * self.decay)) / self.decay
    }

    /// The distance at which a single atom has a score of norm `norm`; infinite where `norm` <= a/σ, since no atom has
    /// so small a score, and in dimension 1, where all distances have the same.
    pub fn radius_of_score(&self, norm: f64) -> f64 {
        if self.decay == 0.0 {
            return 2.0 * self.order.nu() / norm;
        }
        let y = norm / self.decay;
        if y > 1.0 && self.dim > 1 { inverse_ratio_k(self.order.nu(), y) / self.decay } else { f64::INFINITY }
    }

    /// R11: the law of the remaining lifetime at distance `rho` from the end point, GIG(1 - d/2, 2r, ρ²/σ²); at r = 0 that of
    /// ρ²/(2 σ² γ), γ ~ Gamma(ν, 1).
    pub fn lifetime(&self, rho: f64) -> Gig {
        let root = closest(rho) / self.sigma;
        // Neither an underflow nor an overflow of the square is a law.
        let b = (root * root).clamp(1e-300, 1e300);
        Gig::new(1.0 - 0.5 * self.dim as f64, 2.0 * self.rate, b).expect("b > 0, and a > 0 where p >= 0")
    }

    /// P(|X_ζ - X_0| <= ρ), the law of the distance covered until death: 1 - z^μ K_μ(z) / (2^{μ-1} Γ(μ)) with μ = d/2,
    /// z = aρ/σ, the integral of r G_r over the ball (DLMF 10.29.4). 0 everywhere at r = 0: there is no death.
    pub fn distance_cdf(&self, rho: f64) -> f64 {
        let (mu, z) = (0.5 * self.dim as f64, self.decay * rho);
        if z <= 0.0 {
            return 0.0;
        }
        (-f64::exp_m1(log_zk(mu, z) - (mu - 1.0) * LN_2 - ln_gamma(mu))).clamp(0.0, 1.0)
    }

    /// A squared distance beyond which the logarithm of the kernel lies at least `drop` below its value at the squared
    /// distance `near`: by z R_ν(z) >= 2ν, or by R_ν >= 1.
    pub(crate) fn beyond(&self, near: f64, drop: f64) -> f64 {
        let near = near.max(CLOSEST * CLOSEST);
        let by_power =
            if self.order.nu() > 0.0 { near * f64::exp(drop / self.order.nu()) } else { f64::INFINITY };
        // R_{-1/2} = 1 and R_nu > 1 above it; at order 0 > nu > -1/2 no dimension lies.
        let by_decay = near.sqrt() + drop / self.decay;
        // At distances beside which the drop is lost to rounding the square must not come out below.
        by_power.min(by_decay * by_decay).max(near)
    }
}

/// The distance at which kernels are evaluated: at least [`CLOSEST`]; NaN stays NaN.
fn closest(rho: f64) -> f64 {
    if rho < CLOSEST { CLOSEST } else { rho }
}

/// |x - y|², the sum in a fixed order with eight running sums so that it vectorises.
pub(crate) fn distance_squared(x: &[f64], y: &[f64]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    let (xs, ys) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
    let tail: f64 = xs.remainder().iter().zip(ys.remainder()).map(|(x, y)| (x - y) * (x - y)).sum();
    for (x, y) in xs.zip(ys) {
        for k in 0..LANES {
            let difference = x[k] - y[k];
            sums[k] += difference * difference;
        }
    }
    tail + sums.iter().sum::<f64>()
}

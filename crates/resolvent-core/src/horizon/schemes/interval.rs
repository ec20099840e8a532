//! What the schemes need to know of a step from one level to the next.

use super::super::linear::{Row, Stage};
use crate::schedule::{Grid, Level};

/// A step from one level of a grid to the next. A prime in the documentation of the schemes means the next level, r
/// is the ratio σ/α, and λ = log(α/σ) is half the log-SNR.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interval {
    pub(super) step: usize,
    pub(super) from: Level,
    pub(super) to: Level,
}

impl Interval {
    /// All steps of `grid`.
    pub(super) fn all(grid: &Grid) -> impl Iterator<Item = Self> {
        let pairs = grid.levels().windows(2).enumerate();
        pairs.map(|(step, pair)| Self { step, from: pair[0], to: pair[1] })
    }

    /// σ'/σ.
    pub(super) fn decay(&self) -> f64 {
        self.to.sigma / self.from.sigma
    }

    /// α/α'.
    pub(super) fn shrink(&self) -> f64 {
        self.from.alpha / self.to.alpha
    }

    /// r - r' > 0, in the units of x/α.
    pub(super) fn drop(&self) -> f64 {
        self.from.ratio() - self.to.ratio()
    }

    /// h = λ' - λ = log(r/r'), infinite if the next level is clean.
    pub(super) fn gain(&self) -> f64 {
        (self.drop() / self.to.ratio()).ln_1p()
    }

    /// σ² - (α/α')² σ'² = α² (r² - r'²), the variance of the forward step from the next level to this one.
    pub(super) fn transition_variance(&self) -> f64 {
        self.from.alpha.powi(2) * self.drop() * (self.from.ratio() + self.to.ratio())
    }

    /// The step of first order that all solvers of the probability flow share, exact for a D that does not change:
    /// x' = (σ'/σ) x + α' (1 - r'/r) D (Song, Meng and Ermon 2021, eq. 13).
    pub(super) fn first_order(&self) -> Row {
        let denoised = self.to.alpha * self.drop() / self.from.ratio();
        Row { x: self.decay(), denoised: [denoised, 0.0, 0.0], ..Row::default() }
    }

    /// The whole step by `next`, with one evaluation at its beginning.
    pub(super) fn stage(&self, next: Row) -> Stage {
        Stage::simple(self.step, self.from, next, self.to)
    }
}

/// φ_k(z) = ∫_0^1 e^{(1-θ)z} θ^{k-1}/(k-1)! dθ for k = 1, 2, 3 and z <= 0, the functions of exponential integrators:
/// φ_1 = (e^z - 1)/z, φ_{k+1} = (φ_k - 1/k!)/z (Hochbruck and Ostermann 2010, Acta Numerica 19, eq. 2.10-2.11).
pub(super) fn phi(z: f64) -> [f64; 3] {
    if z < -1.0 {
        let first = z.exp_m1() / z;
        let second = (first - 1.0) / z;
        return [first, second, (second - 0.5) / z];
    }
    // The recurrence loses digits near 0; downward from the series φ_3 = Σ_j z^j/(j+3)! = 1/6 (1 + z/4 (1 + z/5 (1 +
    // ..))) it loses none.
    let third = (4..24).rev().fold(1.0, |sum, k| 1.0 + z / f64::from(k) * sum) / 6.0;
    let second = 0.5 + z * third;
    [1.0 + z * second, second, third]
}

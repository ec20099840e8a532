//! Discrete betas.

use super::convert::cumulated;
use super::grid::karras_ratios;
use super::{Grid, Level, vp_cosine};
use crate::error::{Error, Result, at_least, nonnegative, positive};

/// The betas β_0 .. β_{n-1} of DDPM (Ho, Jain and Abbeel 2020): at timestep k the level is α² = ᾱ_k = Π_{j <= k} (1 - β_j),
/// σ² = 1 - ᾱ_k. Its grids are those of the `diffusers` library, whose conventions the field's figures rest on.
///
/// ```
/// use resolvent_core::schedule::{DdpmBetas, End, Spacing};
/// let betas = DdpmBetas::linear(1e-4, 0.02, 1_000)?;
/// assert_eq!(betas.timesteps(4, Spacing::Trailing)?, [999.0, 749.0, 499.0, 249.0]);
/// let grid = betas.grid(10, Spacing::Leading { offset: 0 }, End::Clean)?;
/// assert_eq!((grid.steps(), grid.start().time), (10, 900.0));
/// # Ok::<(), resolvent_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct DdpmBetas {
    betas: Vec<f64>,
    alpha_bars: Vec<f64>,
}

/// Which timesteps of the n a sampler of m steps takes, in the field's conventions. Rounding is to the nearest, ties to
/// even.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spacing {
    /// (m - 1 - i) ⌊n/m⌋ + offset, i = 0 .. m-1: DDIM, DDPM.
    Leading {
        /// Added to every timestep; 0 or 1.
        offset: usize,
    },
    /// Round((n - 1)(m - 1 - i)/(m - 1)): DDIM, DDPM.
    Linspace,
    /// Round(n - i n/m) - 1.
    Trailing,
    /// (n - 1)(m - 1 - i)/(m - 1), not rounded: Euler, ancestral Euler and Heun call it linspace.
    LinspaceFractional,
    /// Round((n - 1)(m - i)/m), all but the timestep 0 of m + 1: DPM-Solver and UniPC call it linspace.
    LinspaceAboveZero,
}

/// Where a grid of discrete levels ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum End {
    /// Without noise, ᾱ = 1.
    #[default]
    Clean,
    /// At timestep 0, `sigma_min` of the field. If the grid is there already nothing is added: the step would go nowhere.
    First,
}

/// The timestep that goes with a σ/α that lies between those of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timestep {
    /// Fractional: Euler and Heun.
    Interpolated,
    /// Rounded to the nearest: DPM-Solver and UniPC.
    Rounded,
}

impl Default for DdpmBetas {
    /// Linear from 1e-4 to 0.02 in 1,000 steps.
    fn default() -> Self {
        Self::linear(1e-4, 0.02, 1_000).expect("the betas lie in (0, 1)")
    }
}

impl DdpmBetas {
    /// The given betas, each in (0, 1).
    ///
    /// # Errors
    /// If there is none, or one does not lie in (0, 1).
    pub fn new(betas: Vec<f64>) -> Result<Self> {
        at_least("betas", 1, betas.len())?;
        for &value in &betas {
            if positive("beta", value)? >= 1.0 {
                return Err(Error::Outside { name: "beta (below 1)", low: 0.0, high: 1.0, value });
            }
        }
        let alpha_bars = cumulated(&betas);
        positive("the last alpha_bar", alpha_bars[alpha_bars.len() - 1])?;
        Ok(Self { betas, alpha_bars })
    }

    /// `n` >= 1 betas at equal distances from `beta_start` to `beta_end`, both in (0, 1) (Ho, Jain and Abbeel 2020).
    ///
    /// # Errors
    /// If `n` is zero or a beta does not lie in (0, 1).
    pub fn linear(beta_start: f64, beta_end: f64, n: usize) -> Result<Self> {
        Self::new(linspace(beta_start, beta_end, n))
    }

    /// `n` >= 1 betas whose roots are at equal distances, both ends in (0, 1); `scaled_linear` of latent diffusion models
    /// (Rombach et al. 2022).
    ///
    /// # Errors
    /// If `n` is zero or a beta does not lie in (0, 1).
    pub fn scaled_linear(beta_start: f64, beta_end: f64, n: usize) -> Result<Self> {
        let (low, high) = (positive("beta", beta_start)?.sqrt(), positive("beta", beta_end)?.sqrt());
        Self::new(linspace(low, high, n).into_iter().map(|root| root * root).collect())
    }

    /// The cosine schedule of Nichol and Dhariwal 2021 (eq. 17) in `n` >= 1 steps: ᾱ ∝ cos²(π/2 (t + s)/(1 + s)) with the
    /// `offset` s >= 0, betas at most `max_beta` in (0, 1). Usual are s = 0.008 and 0.999.
    ///
    /// # Errors
    /// If `n` is zero, s is negative or not finite, or `max_beta` does not lie in (0, 1).
    pub fn cosine(n: usize, offset: f64, max_beta: f64) -> Result<Self> {
        let (s, cap) = (nonnegative("offset", offset)?, positive("max_beta", max_beta)?);
        let root = |k: usize| vp_cosine::angle(k as f64 / n as f64, s).cos();
        Self::new((0..n).map(|k| (1.0 - (root(k + 1) / root(k)).powi(2)).min(cap)).collect())
    }

    /// β_0 .. β_{n-1}.
    pub fn betas(&self) -> &[f64] {
        &self.betas
    }

    /// ᾱ_0 .. ᾱ_{n-1}.
    pub fn alpha_bars(&self) -> &[f64] {
        &self.alpha_bars
    }

    /// Number n >= 1 of timesteps.
    pub fn len(&self) -> usize {
        self.betas.len()
    }

    /// Never: there is a beta.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The level at timestep `t` in [0, n - 1]: from ᾱ at a whole number; between two, σ/α is interpolated linearly.
    ///
    /// # Errors
    /// If `t` lies outside.
    pub fn level(&self, t: f64) -> Result<Level> {
        let horizon = (self.len() - 1) as f64;
        if !(0.0..=horizon).contains(&t) {
            return Err(Error::OutsideHorizon { value: t, start: 0.0, end: horizon });
        }
        let (below, part) = (t as usize, t.fract());
        if part == 0.0 {
            return Ok(Level::from_alpha_bar(t, self.alpha_bars[below]));
        }
        Ok(Level::from_ratio(t, (1.0 - part) * self.ratio(below) + part * self.ratio(below + 1)))
    }

    /// The fractional timestep at which σ/α is `ratio` > 0, linear in log(σ/α) between whole ones; beyond the ends of the
    /// table the end.
    pub fn timestep_of_ratio(&self, ratio: f64) -> f64 {
        let above = self.alpha_bars.partition_point(|bar| ratio_of(*bar) < ratio);
        if above == 0 || above == self.len() {
            return above.min(self.len() - 1) as f64;
        }
        let (low, high) = (self.ratio(above - 1).ln(), self.ratio(above).ln());
        (above - 1) as f64 + (ratio.ln() - low) / (high - low)
    }

    /// The timesteps of a sampler of `steps` steps, 1 <= `steps` <= n, descending.
    ///
    /// # Errors
    /// If there is no step, there are more than n, or an offset leads beyond the table.
    pub fn timesteps(&self, steps: usize, spacing: Spacing) -> Result<Vec<f64>> {
        at_least("steps", 1, steps)?;
        at_least("betas", steps, self.len())?;
        let (n, m) = (self.len() as f64, steps as f64);
        let at = |i: usize| match spacing {
            Spacing::Leading { offset } => ((steps - 1 - i) * (self.len() / steps) + offset) as f64,
            Spacing::Linspace => fraction(i, steps, n - 1.0).round_ties_even(),
            Spacing::Trailing => (n - i as f64 * (n / m)).round_ties_even() - 1.0,
            Spacing::LinspaceFractional => fraction(i, steps, n - 1.0),
            Spacing::LinspaceAboveZero => fraction(i, steps + 1, n - 1.0).round_ties_even(),
        };
        let timesteps: Vec<f64> = (0..steps).map(at).collect();
        if timesteps[0] > n - 1.0 {
            return Err(Error::OutsideHorizon { value: timesteps[0], start: 0.0, end: n - 1.0 });
        }
        Ok(timesteps)
    }

    /// The levels at the [timesteps](Self::timesteps) and at `end`.
    ///
    /// The step of DDIM in `diffusers` always goes ⌊n/m⌋ timesteps down, which is to the next level of the grid for
    /// [`Spacing::Leading`] alone; here, as in every other sampler, a step goes to the next level of the grid.
    ///
    /// # Errors
    /// Those of [`timesteps`](Self::timesteps), or if the grid is the single level of timestep 0.
    pub fn grid(&self, steps: usize, spacing: Spacing, end: End) -> Result<Grid> {
        let levels: Result<Vec<Level>> =
            self.timesteps(steps, spacing)?.into_iter().map(|t| self.level(t)).collect();
        self.finish(levels?, end)
    }

    /// `steps` >= 2 levels with σ/α from `sigma_max` to `sigma_min` after Karras et al. 2022 (eq. 5), each with the
    /// timestep at which the table has this σ/α, and then `end`. [`sigma_range`](Self::sigma_range) has the usual ends.
    ///
    /// # Errors
    /// If there are fewer than two steps, a parameter is not positive, or the sigmas do not ascend.
    pub fn karras(
        &self,
        steps: usize,
        (sigma_min, sigma_max): (f64, f64),
        rho: f64,
        timestep: Timestep,
        end: End,
    ) -> Result<Grid> {
        let level = |ratio: f64| {
            let t = self.timestep_of_ratio(ratio);
            let t = if timestep == Timestep::Rounded { t.round_ties_even() } else { t };
            Level::from_ratio(t, ratio)
        };
        let ratios = karras_ratios(steps, sigma_min, sigma_max, rho)?;
        self.finish(ratios.into_iter().map(level).collect(), end)
    }

    /// The least and the greatest σ/α of the table, at timesteps 0 and n - 1.
    pub fn sigma_range(&self) -> (f64, f64) {
        (self.ratio(0), self.ratio(self.len() - 1))
    }

    fn finish(&self, mut levels: Vec<Level>, end: End) -> Result<Grid> {
        let first = Level::from_alpha_bar(0.0, self.alpha_bars[0]);
        match end {
            End::Clean => levels.push(Level::CLEAN),
            // A level with this σ/α but for rounding is there already.
            End::First if levels.last().is_some_and(|l| l.ratio() > first.ratio() * (1.0 + 1e-9)) => {
                levels.push(first);
            }
            End::First => {}
        }
        Grid::new(levels)
    }

    /// σ/α at timestep `k`.
    fn ratio(&self, k: usize) -> f64 {
        ratio_of(self.alpha_bars[k])
    }
}

/// σ/α where α² is `alpha_bar`.
fn ratio_of(alpha_bar: f64) -> f64 {
    Level::from_alpha_bar(0.0, alpha_bar).ratio()
}

/// Entry `i` of the `nodes` equidistant ones from `last` down to 0. A single one is 0.
fn fraction(i: usize, nodes: usize, last: f64) -> f64 {
    last * (nodes - 1 - i) as f64 / (nodes.max(2) - 1) as f64
}

/// `n` numbers at equal distances, both ends included.
fn linspace(low: f64, high: f64, n: usize) -> Vec<f64> {
    (0..n)
        .map(|k| {
            let u = k as f64 / (n.max(2) - 1) as f64;
            low * (1.0 - u) + high * u
        })
        .collect()
}

//! The Fokker-Planck equation of Langevin dynamics on the line, by finite volumes.

use crate::experiments::tabulated::Tabulated;

/// Iterations of the search for the gap: each divides what is left of faster modes by the ratio of their rates to the gap.
const ITERATIONS: usize = 200;

/// Jumps between neighbouring cells whose limit is dX = (log p)' dt + √2 dW on an interval with reflecting ends.
///
/// The rates √(p_{i±1}/p_i)/h² are in detailed balance with p, so p is stationary exactly; the error at finite times is of
/// the second order in the width h (Latorre, Metzner, Hartmann and Schütte 2011, Commun. Math. Sci. 9:1051).
pub(super) struct FokkerPlanck {
    range: (f64, f64),
    /// The stationary law, in cells.
    stationary: Vec<f64>,
    /// Rates from cell i to i + 1.
    up: Vec<f64>,
    /// Rates from cell i + 1 to i.
    down: Vec<f64>,
}

/// An implicit step of fixed length.
pub(super) struct Stepper<'a> {
    equation: &'a FokkerPlanck,
    dt: f64,
    system: Tridiagonal,
    first: Vec<f64>,
    second: Vec<f64>,
}

/// γ of the two-stage singly diagonally implicit method of order 2 (Alexander 1977, SIAM J. Numer. Anal. 14:1006): it is
/// L-stable, so that a start with jumps does not ring.
const GAMMA: f64 = 1.0 - std::f64::consts::FRAC_1_SQRT_2;

impl FokkerPlanck {
    /// The equation for the density p ∝ exp(`log_density`) on `cells` equal cells that divide `range`.
    pub(super) fn new(range: (f64, f64), cells: usize, log_density: impl Fn(f64) -> f64) -> Self {
        let width = (range.1 - range.0) / cells as f64;
        let logs: Vec<f64> = (0..cells).map(|i| log_density(range.0 + width * (i as f64 + 0.5))).collect();
        let rate = |from: f64, to: f64| f64::exp(0.5 * (to - from)) / (width * width);
        let peak = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = logs.iter().map(|l| f64::exp(l - peak)).sum();
        Self {
            range,
            stationary: logs.iter().map(|l| f64::exp(l - peak) / total).collect(),
            up: logs.windows(2).map(|pair| rate(pair[0], pair[1])).collect(),
            down: logs.windows(2).map(|pair| rate(pair[1], pair[0])).collect(),
        }
    }

    /// The masses that the law with `cdf` has in the cells, what lies beyond the ends left out.
    pub(super) fn masses(&self, cdf: impl Fn(f64) -> f64) -> Vec<f64> {
        let (low, high) = self.range;
        let width = (high - low) / self.stationary.len() as f64;
        let edge = |i: usize| cdf(low + width * i as f64);
        (0..self.stationary.len()).map(|i| edge(i + 1) - edge(i)).collect()
    }

    /// The law with these masses.
    pub(super) fn law(&self, masses: &[f64]) -> Tabulated {
        Tabulated::of_cells(self.range, masses)
    }

    /// Steps of length `dt`.
    pub(super) fn stepper(&self, dt: f64) -> Stepper<'_> {
        // I - γ dt A, A the forward operator: column i holds what leaves cell i.
        let scale = GAMMA * dt;
        let system = Tridiagonal::new(
            self.up.iter().map(|up| -scale * up).collect(),
            self.leaving().map(|rate| 1.0 + scale * rate).collect(),
            self.down.iter().map(|down| -scale * down).collect(),
        );
        let zeros = vec![0.0; self.stationary.len()];
        Stepper { equation: self, dt, system, first: zeros.clone(), second: zeros }
    }

    /// The spectral gap: the rate at which the slowest mode dies out, by inverse iteration.
    pub(super) fn gap(&self) -> f64 {
        // The backward operator, shifted off its zero eigenvalue by a rate far below those of the other modes.
        let shift = 1e-6;
        let system = Tridiagonal::new(
            self.down.iter().map(|down| -down).collect(),
            self.leaving().map(|rate| shift + rate).collect(),
            self.up.iter().map(|up| -up).collect(),
        );
        let cells = self.stationary.len();
        let mut mode: Vec<f64> = (0..cells).map(|i| i as f64).collect();
        for _ in 0..ITERATIONS {
            let mean: f64 = self.stationary.iter().zip(&mode).map(|(p, f)| p * f).sum();
            mode.iter_mut().for_each(|f| *f -= mean);
            let norm = self.square(&mode).sqrt();
            mode.iter_mut().for_each(|f| *f /= norm);
            system.solve(&mut mode);
        }
        let steps = mode.windows(2).zip(self.stationary.iter().zip(&self.up));
        let energy: f64 = steps.map(|(f, (p, up))| p * up * (f[1] - f[0]).powi(2)).sum();
        let mean: f64 = self.stationary.iter().zip(&mode).map(|(p, f)| p * f).sum();
        energy / (self.square(&mode) - mean * mean)
    }

    fn square(&self, mode: &[f64]) -> f64 {
        self.stationary.iter().zip(mode).map(|(p, f)| p * f * f).sum()
    }

    /// The rate at which each cell is left.
    fn leaving(&self) -> impl Iterator<Item = f64> {
        let up = self.up.iter().chain([&0.0]);
        let down = [0.0].iter().chain(&self.down);
        up.zip(down).map(|(up, down)| up + down)
    }

    /// out ← A masses, the rate of change.
    fn change(&self, masses: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for i in 0..self.up.len() {
            let flux = self.up[i] * masses[i] - self.down[i] * masses[i + 1];
            out[i] -= flux;
            out[i + 1] += flux;
        }
    }
}

impl Stepper<'_> {
    /// Carries `masses` over `steps` steps.
    pub(super) fn advance(&mut self, masses: &mut [f64], steps: usize) {
        let Self { equation, dt, system, first, second } = self;
        for _ in 0..steps {
            equation.change(masses, first);
            system.solve(first);
            masses.iter_mut().zip(&*first).for_each(|(m, k)| *m += (1.0 - GAMMA) * *dt * k);
            equation.change(masses, second);
            system.solve(second);
            masses.iter_mut().zip(&*second).for_each(|(m, k)| *m += GAMMA * *dt * k);
        }
    }
}

/// A tridiagonal matrix in the form of its elimination without pivots, for matrices that dominate by their diagonal.
struct Tridiagonal {
    lower: Vec<f64>,
    pivots: Vec<f64>,
    upper: Vec<f64>,
}

impl Tridiagonal {
    /// The matrix with these entries below, on and above the diagonal.
    fn new(lower: Vec<f64>, mut diagonal: Vec<f64>, upper: Vec<f64>) -> Self {
        for i in 1..diagonal.len() {
            diagonal[i] -= lower[i - 1] * upper[i - 1] / diagonal[i - 1];
        }
        Self { lower, pivots: diagonal.iter().map(|pivot| 1.0 / pivot).collect(), upper }
    }

    /// `values` ← the solution of the system with `values` on the right.
    fn solve(&self, values: &mut [f64]) {
        for i in 1..values.len() {
            values[i] -= self.lower[i - 1] * self.pivots[i - 1] * values[i - 1];
        }
        let last = values.len() - 1;
        values[last] *= self.pivots[last];
        for i in (0..last).rev() {
            values[i] = (values[i] - self.upper[i] * values[i + 1]) * self.pivots[i];
        }
    }
}

#[cfg(test)]
mod tests {
    use resolvent::core::GaussianMixture;
    use resolvent::core::schedule::Level;

    use super::*;

    fn ornstein_uhlenbeck(cells: usize) -> FokkerPlanck {
        FokkerPlanck::new((-9.0, 9.0), cells, |x| -0.5 * x * x)
    }

    #[test]
    fn the_gap_of_the_ornstein_uhlenbeck_process_is_one() {
        let error = |cells| (ornstein_uhlenbeck(cells).gap() - 1.0).abs();
        assert!(error(800) < 1e-4, "{}", error(800));
        // Second order.
        assert!((error(400) / error(800) - 4.0).abs() < 0.1, "{}", error(400) / error(800));
    }

    #[test]
    fn the_law_of_the_ornstein_uhlenbeck_process_is_gaussian() {
        // From N(1, 0.5²): N(e^{-t}, 1 - 0.75 e^{-2t}).
        let normal = GaussianMixture::one_dimensional(&[1.0], &[0.0], &[1.0]).unwrap();
        let error = |cells, steps: usize| {
            let equation = ornstein_uhlenbeck(cells);
            let mut masses = equation.masses(|x| normal.cdf(&Level::CLEAN, (x - 1.0) / 0.5));
            equation.stepper(0.6 / steps as f64).advance(&mut masses, steps);
            let deviation = (1.0 - 0.75 * f64::exp(-1.2)).sqrt();
            equation.law(&masses).distance(|x| normal.cdf(&Level::CLEAN, (x - f64::exp(-0.6)) / deviation))
        };
        assert!(error(800, 60) < 1e-4, "{}", error(800, 60));
        assert!((error(200, 15) / error(400, 30) - 4.0).abs() < 0.5, "{}", error(200, 15) / error(400, 30));
    }

    #[test]
    fn the_stationary_law_stays_and_mass_is_kept() {
        let equation = ornstein_uhlenbeck(100);
        let mut masses = equation.stationary.clone();
        equation.stepper(0.1).advance(&mut masses, 50);
        let change = masses.iter().zip(&equation.stationary).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(change < 1e-13, "{change}");
        let mut point = vec![0.0; 100];
        point[3] = 1.0;
        equation.stepper(0.1).advance(&mut point, 50);
        assert!((point.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}

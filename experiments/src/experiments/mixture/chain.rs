//! The law of the Euler-Maruyama chain itself, without sampling.

use anyhow::{Result, ensure};

use crate::experiments::tabulated::Tabulated;

/// Standard deviations beyond which a step does not lead.
const REACH: f64 = 8.0;
/// Cells per standard deviation of a step from which the quadrature over the cells has no error to speak of: it falls like
/// exp(-2 (π · 1.5)²) = 5e-20.
const FINE: f64 = 1.5;

/// x' = x + s(x) dt + √(2 dt) ε as an operator on the masses of equal cells, each at its middle.
pub(in crate::experiments) struct EulerChain {
    range: (f64, f64),
    /// The first cell that a step from each cell reaches, and the shares of it and the next ones.
    reached: Vec<(usize, Vec<f64>)>,
    next: Vec<f64>,
}

impl EulerChain {
    /// The chain with the score `score` and steps of length `dt` on `cells` cells that divide `range`.
    ///
    /// # Errors
    /// If the cells are too wide for the step.
    pub(in crate::experiments) fn new(
        range: (f64, f64),
        cells: usize,
        dt: f64,
        score: impl Fn(f64) -> f64,
    ) -> Result<Self> {
        let (low, high) = range;
        let (width, deviation) = ((high - low) / cells as f64, (2.0 * dt).sqrt());
        ensure!(deviation >= FINE * width, "setting `step`: {dt} is too short for cells of width {width}");
        let middle = |i: usize| low + width * (i as f64 + 0.5);
        let reached = (0..cells).map(|from| {
            let mean = middle(from) + score(middle(from)) * dt;
            let first = (((mean - low - REACH * deviation) / width).max(0.0) as usize).min(cells);
            let last = (((mean - low + REACH * deviation) / width).max(0.0) as usize).min(cells);
            let mut shares: Vec<f64> =
                (first..last).map(|to| f64::exp(-0.5 * ((middle(to) - mean) / deviation).powi(2))).collect();
            let total: f64 = shares.iter().sum();
            shares.iter_mut().for_each(|share| *share /= total);
            (first, shares)
        });
        Ok(Self { range, reached: reached.collect(), next: vec![0.0; cells] })
    }

    /// Carries `masses` over `steps` steps.
    pub(in crate::experiments) fn advance(&mut self, masses: &mut [f64], steps: usize) {
        for _ in 0..steps {
            self.next.fill(0.0);
            for (mass, (first, shares)) in masses.iter().zip(&self.reached) {
                let cells = &mut self.next[*first..*first + shares.len()];
                cells.iter_mut().zip(shares).for_each(|(cell, share)| *cell += mass * share);
            }
            masses.copy_from_slice(&self.next);
        }
    }

    /// Carries `values`, a function of the cells, to its expectation `steps` steps later given the cell now.
    pub(super) fn expect(&mut self, values: &mut [f64], steps: usize) {
        for _ in 0..steps {
            for (mean, (first, shares)) in self.next.iter_mut().zip(&self.reached) {
                let cells = &values[*first..*first + shares.len()];
                *mean = cells.iter().zip(shares).map(|(cell, share)| cell * share).sum();
            }
            values.copy_from_slice(&self.next);
        }
    }

    /// The share of every cell that lies beyond `threshold`.
    pub(super) fn beyond(&self, threshold: f64) -> Vec<f64> {
        let (low, high) = self.range;
        let width = (high - low) / self.next.len() as f64;
        let share = |i: usize| ((low - threshold) / width + (i + 1) as f64).clamp(0.0, 1.0);
        (0..self.next.len()).map(share).collect()
    }

    /// The law with these masses.
    pub(in crate::experiments) fn law(&self, masses: &[f64]) -> Tabulated {
        Tabulated::of_cells(self.range, masses)
    }
}

#[cfg(test)]
mod tests {
    use resolvent::core::GaussianMixture;
    use resolvent::core::schedule::Level;

    use super::*;

    #[test]
    fn the_chain_of_a_linear_drift_stays_gaussian() {
        // From N(1, 1) with s = -x: the mean falls by 1 - dt, the variance goes to (1 - dt)² v + 2 dt.
        let (dt, steps) = (0.1, 7);
        let normal = GaussianMixture::one_dimensional(&[1.0], &[0.0], &[1.0]).unwrap();
        let mut chain = EulerChain::new((-10.0, 10.0), 2_000, dt, |x| -x).unwrap();
        let edge = |i: usize| normal.cdf(&Level::CLEAN, -10.0 + 0.01 * i as f64 - 1.0);
        let mut masses: Vec<f64> = (0..2_000).map(|i| edge(i + 1) - edge(i)).collect();
        chain.advance(&mut masses, steps);
        let mean = (1.0 - dt).powi(steps as i32);
        let variance = (0..steps).fold(1.0, |v, _| (1.0 - dt).powi(2) * v + 2.0 * dt);
        let exact = |x: f64| normal.cdf(&Level::CLEAN, (x - mean) / variance.sqrt());
        assert!(chain.law(&masses).distance(exact) < 1e-5);
        assert!(EulerChain::new((-10.0, 10.0), 20, dt, |x| -x).is_err());
    }

    #[test]
    fn expectations_go_backward_as_masses_go_forward() {
        let mut chain = EulerChain::new((-10.0, 10.0), 400, 0.1, |x| -x).unwrap();
        let mut masses = vec![0.0; 400];
        (masses[150], masses[230]) = (0.4, 0.6);
        let start = masses.clone();
        let beyond = chain.beyond(0.33);
        let mut later = beyond.clone();
        chain.advance(&mut masses, 5);
        chain.expect(&mut later, 5);
        let sum = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        assert!((sum(&masses, &beyond) - sum(&start, &later)).abs() < 1e-14);
        assert!((1.0 - chain.law(&masses).at(0.33) - sum(&masses, &beyond)).abs() < 1e-13);
    }
}

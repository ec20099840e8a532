//! Draws of noise levels against their density.

use crate::support::{KOLMOGOROV, kolmogorov};
use resolvent_core::random::{Purpose, stream};
use resolvent_learn::examples::Proposal;

pub(crate) fn all() -> [Proposal; 4] {
    [
        Proposal::Exponential { rate: 1.0 },
        Proposal::Exponential { rate: 0.4 },
        Proposal::LogNormal { mean: -0.6, deviation: 1.2 },
        Proposal::LogUniform { least: 1e-3, most: 6.0 },
    ]
}

#[test]
fn draws_follow_the_density() {
    for proposal in all() {
        // The integral of the density of log σ, by the midpoint rule.
        let (low, high, cells) = (-12.0, 6.0, 200_000);
        let width = (high - low) / f64::from(cells);
        let mut sums = vec![0.0];
        for i in 0..cells {
            let density = proposal.log_density((low + (f64::from(i) + 0.5) * width).exp()).exp();
            sums.push(sums.last().unwrap() + density * width);
        }
        // A density that jumps inside a cell costs its height times half a cell.
        assert!((sums.last().unwrap() - 1.0).abs() < 1e-4, "{proposal:?} has the mass {:?}", sums.last());
        let mut rng = stream(3, Purpose::Experiment, 0);
        let logs: Vec<f64> = (0..20_000).map(|_| proposal.draw(&mut rng).ln()).collect();
        let cdf = |l: f64| sums[(((l - low) / width).max(0.0) as usize).min(sums.len() - 1)];
        let statistic = kolmogorov(&logs, cdf);
        assert!(statistic < KOLMOGOROV, "{proposal:?}: {statistic}");
    }
}

/// Under its importance weight a proposal has the mass and the moments of the clock.
#[test]
fn weights_give_the_clock_back() {
    let (rate, n) = (1.0, 200_000);
    for proposal in all() {
        let mut rng = stream(4, Purpose::Experiment, 0);
        let (mut sums, mut squares) = ([0.0; 3], [0.0; 3]);
        for _ in 0..n {
            let level = proposal.draw(&mut rng);
            let zeta = level * level;
            let weight = proposal.log_weight(rate, level).exp();
            for (k, f) in [1.0, zeta, (-zeta).exp()].into_iter().enumerate() {
                sums[k] += weight * f;
                squares[k] += (weight * f).powi(2);
            }
        }
        // Exp(1): mass 1, mean 1, E e^{-ζ} = 1/2.
        for (k, expected) in [1.0, 1.0, 0.5].into_iter().enumerate() {
            let mean = sums[k] / f64::from(n);
            let error = ((squares[k] / f64::from(n) - mean * mean).max(0.0) / f64::from(n)).sqrt();
            assert!((mean - expected).abs() <= 5.0 * error + 1e-6, "{proposal:?} {k}: {mean} ± {error}");
        }
    }
}

#[test]
fn impossible_laws_are_refused() {
    for proposal in [
        Proposal::Exponential { rate: 0.0 },
        Proposal::LogNormal { mean: f64::NAN, deviation: 1.0 },
        Proposal::LogNormal { mean: 0.0, deviation: 0.0 },
        Proposal::LogUniform { least: 1.0, most: 1.0 },
        Proposal::LogUniform { least: 0.0, most: 1.0 },
    ] {
        assert!(proposal.validate().is_err(), "{proposal:?}");
    }
}

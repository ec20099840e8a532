//! How the cost of the random horizon, which is random, is matched to a budget.

use anyhow::Result;
use resolvent::core::Ensemble;
use resolvent::metrics::mean;

/// Pilot runs at most.
const RUNS: usize = 12;
/// A pilot within this share of the budget, and not above it, is near enough.
const NEAR: f64 = 0.02;
/// Factor by which η is moved at most from one pilot to the next.
const LEAP: f64 = 8.0;

/// The step η at which a particle costs `budget` evaluations on average, from pilot runs of `run` that begin at η = `first`: the
/// smallest η tried whose mean and two of its standard errors are within the budget, so that the mean of a longer run exceeds it
/// with a probability of 2 %, and then hardly. Nothing where no step costs so little: long steps may miss the data and come
/// back.
pub(in crate::experiments) fn matched(
    budget: usize,
    first: f64,
    run: impl Fn(f64) -> Result<Ensemble>,
) -> Result<Option<f64>> {
    let goal = budget as f64;
    let cost = |eta: f64| -> Result<f64> {
        let evaluations: Vec<f64> = run(eta)?.evaluations.iter().map(|&count| count as f64).collect();
        let estimate = mean(&evaluations)?;
        Ok(estimate.value + 2.0 * estimate.standard_error)
    };
    // Log η and log cost on either side of the goal: too dear, affordable.
    let mut dear: Option<(f64, f64)> = None;
    let mut fair: Option<(f64, f64)> = None;
    let mut log_eta = first.ln();
    for _ in 0..RUNS {
        let spent = cost(log_eta.exp())?;
        let here = (log_eta, (spent / goal).ln());
        if spent <= goal {
            // Cost may not be monotone in η where steps are few: the cheapest side is where η is larger.
            fair = Some(fair.filter(|best| best.0 < here.0).unwrap_or(here));
            if spent >= (1.0 - NEAR) * goal {
                break;
            }
        } else {
            dear = Some(dear.filter(|best| best.0 > here.0).unwrap_or(here));
        }
        log_eta = match (dear, fair) {
            (Some((low, above)), Some((high, below))) if low < high => {
                // Between the two, a little on the fair side of where the straight line meets the goal.
                let share = ((above + 0.25 * NEAR) / (above - below)).clamp(0.1, 0.9);
                low + share * (high - low)
            }
            _ => log_eta + (here.1 + 0.5 * NEAR).clamp(-LEAP.ln(), LEAP.ln()),
        };
    }
    Ok(fair.map(|(log_eta, _)| log_eta.exp()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::DMatrix;
    use resolvent::core::Exit;

    fn ensemble(evaluations: Vec<usize>) -> Ensemble {
        let n = evaluations.len();
        Ensemble {
            points: DMatrix::zeros(1, n),
            lifetimes: vec![0.0; n],
            evaluations,
            exits: vec![Exit::Horizon; n],
            rules: Vec::new(),
            paths: Vec::new(),
        }
    }

    /// A cost of 3 + 17/η rounded down is matched from either side, from near and from far.
    #[test]
    fn a_known_cost_is_matched() {
        for first in [1e-3, 0.3, 40.0] {
            for budget in [20, 50, 100] {
                let cost = |eta: f64| (3.0 + 17.0 / eta) as usize;
                let eta = matched(budget, first, |eta| Ok(ensemble(vec![cost(eta); 10]))).unwrap().unwrap();
                let spent = cost(eta);
                assert!(
                    spent <= budget && spent as f64 >= 0.95 * budget as f64,
                    "{first}: {spent} of {budget}"
                );
            }
        }
    }

    /// Where the cost scatters, the mean stays below the budget by two standard errors.
    #[test]
    fn a_margin_is_kept_for_the_scatter() {
        let run = |eta: f64| {
            let mean = 100.0 / eta;
            Ok(ensemble((0..100).map(|i| (mean * (0.5 + i as f64 / 99.0)) as usize).collect()))
        };
        let eta = matched(50, 1.0, run).unwrap().unwrap();
        let mean = run(eta).unwrap().mean_evaluations();
        assert!(mean < 50.0 * (1.0 - 0.05) && mean > 50.0 * 0.88, "{mean}");
    }

    #[test]
    fn what_cannot_be_had_is_nothing() {
        assert!(matched(10, 1.0, |_| Ok(ensemble(vec![20; 5]))).unwrap().is_none());
    }
}

//! Exact draws of the time that a path between two places takes.

use rand::{Rng, RngExt};

use super::quadrature::{Integrand, Node};

/// A cell is so narrow that the bound on it exceeds the integrand at the mode by about this factor in the logarithm.
const SLACK: f64 = 0.5;
/// The most cells: beyond, draws are refused more often.
const MOST: f64 = 1e5;
/// Refusals, a few being usual, after which rounding must be to blame and the mode is taken.
const REFUSALS: usize = 10_000;

/// A draw of t (in units of 1/θ) with a density proportional to the integrand of R6, by rejection in s = log t: a cell is
/// chosen by an upper bound of the integrand on it, a point in the cell uniformly, and accepted by the ratio of the integrand
/// to the bound. Exact but for the tails below e^-40 of the peak, which are left out.
pub(super) fn draw(integrand: &Integrand<'_>, rng: &mut dyn Rng) -> f64 {
    let window = integrand.window();
    let (low, range) = (window.low, window.high - window.low);
    // The bound exceeds the integrand by what the rising and the falling factors change along the cell.
    let (probe, here) = (1e-3 * range, integrand.at(window.mode));
    let rise =
        integrand.bound(integrand.node(window.mode), integrand.node(window.mode + probe), probe) - here;
    let slope = (2.0 * rise - (integrand.at(window.mode + probe) - here)) / probe;
    let cells = (range * (1.0 + slope) / SLACK).ceil().min(MOST);
    let width = range / cells;
    let cells = cells as usize;
    let edge = |k: usize| integrand.node(low + k as f64 * width);
    let total = pick(integrand, cells, width, edge, window.peak, f64::INFINITY).1;
    for _ in 0..REFUSALS {
        let target = rng.random::<f64>() * total;
        let (cell, _) = pick(integrand, cells, width, edge, window.peak, target);
        let s = low + (cell as f64 + rng.random::<f64>()) * width;
        let bound = integrand.bound(edge(cell), edge(cell + 1), width);
        if f64::ln(1.0 - rng.random::<f64>()) < integrand.at(s) - bound {
            return s.exp();
        }
    }
    window.mode.exp()
}

/// The first cell at which the weights add up to `target`, or the last, and what they add up to there.
fn pick(
    integrand: &Integrand<'_>,
    cells: usize,
    width: f64,
    edge: impl Fn(usize) -> Node,
    peak: f64,
    target: f64,
) -> (usize, f64) {
    let (mut sum, mut left) = (0.0, edge(0));
    for cell in 0..cells {
        let right = edge(cell + 1);
        sum += f64::exp(integrand.bound(left, right, width) - peak);
        if sum > target {
            return (cell, sum);
        }
        left = right;
    }
    (cells - 1, sum)
}

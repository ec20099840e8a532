//! What the first-entrance rule does to data with a density, exactly.

use anyhow::{Result, ensure};

use super::line::{Component, Line, simpson};

/// The middle 95 % of a normal law, in standard deviations to either side.
const MIDDLE: f64 = 1.959_963_984_540_054;
/// Cells of a quadrature between two marks, and of a table of the end law within an interval.
const CELLS: u32 = 2_000;

/// Death at the first entrance into the middle 95 % of a component.
///
/// A particle that starts there dies where it starts. Another one moves by the drift ∇ log u until it enters: beyond the data
/// surely at the nearest end, in a gap at either of its two with the probabilities of the scale function ∫ u^{-2}.
pub(super) struct Entrance {
    /// Disjoint intervals, ascending.
    pub(super) intervals: Vec<(f64, f64)>,
    /// P(end <= x) at the marks: place, from the left, from the right.
    law: Vec<(f64, f64, f64)>,
}

impl Entrance {
    pub(super) fn new(line: &Line, delta: f64) -> Result<Self> {
        let intervals = intervals(line, delta)?;
        let (low, high) = line.range(36.0);
        let start = |x: f64| line.process.rate() * line.log_occupation(x).exp();
        // Masses that arrive at the two ends of every interval.
        let mut arrivals = vec![(0.0, 0.0); intervals.len()];
        arrivals[0].0 = simpson((low, intervals[0].0), CELLS, start);
        let last = intervals.len() - 1;
        arrivals[last].1 = simpson((intervals[last].1, high), CELLS, start);
        for i in 0..last {
            let gap = (intervals[i].1, intervals[i + 1].0);
            let scale = |to: f64| simpson((gap.0, to), 100, |x| f64::exp(-2.0 * line.log_occupation(x)));
            let whole = scale(gap.1);
            let right = simpson(gap, CELLS / 10, |x| start(x) * scale(x) / whole);
            arrivals[i].1 = simpson(gap, CELLS, start) - right;
            arrivals[i + 1].0 = right;
        }
        let (mut law, mut below) = (Vec::new(), 0.0);
        for ((left, right), (arrive_left, arrive_right)) in intervals.iter().zip(arrivals) {
            law.push((*left, below, below + arrive_left));
            below += arrive_left;
            let h = (right - left) / f64::from(CELLS);
            for i in 0..CELLS {
                let x = left + h * f64::from(i);
                below += simpson((x, x + h), 1, start);
                law.push((x + h, below, below));
            }
            law.push((*right, below, below + arrive_right));
            below += arrive_right;
        }
        ensure!((below - 1.0).abs() < 1e-6, "the first-entrance law has mass {below}");
        Ok(Self { intervals, law })
    }

    /// The Kolmogorov-Smirnov distance of its end law from the data law.
    pub(super) fn distance(&self, line: &Line) -> f64 {
        let gaps = self.law.iter().map(|(x, left, right)| {
            let cdf = line.cdf(*x);
            (left - cdf).abs().max((right - cdf).abs())
        });
        gaps.fold(0.0, f64::max)
    }

    /// The share that dies at the start.
    pub(super) fn at_once(&self, line: &Line) -> f64 {
        let start = |x: f64| line.process.rate() * line.log_occupation(x).exp();
        self.intervals.iter().map(|interval| simpson(*interval, CELLS, start)).sum()
    }

    /// The distance from `x` to the intervals.
    pub(super) fn outside(intervals: &[(f64, f64)], x: f64) -> f64 {
        let away = |(left, right): &(f64, f64)| (left - x).max(x - right).max(0.0);
        intervals.iter().map(away).fold(f64::INFINITY, f64::min)
    }

    /// The set that a particle within `delta` of is in the intervals.
    pub(super) fn core(&self, delta: f64) -> Vec<(f64, f64)> {
        self.intervals.iter().map(|(left, right)| (left + delta, right - delta)).collect()
    }
}

/// The union of the middles, ascending.
fn intervals(line: &Line, delta: f64) -> Result<Vec<(f64, f64)>> {
    let middle = |c: Component| (c.mean - MIDDLE * c.deviation, c.mean + MIDDLE * c.deviation);
    let mut intervals: Vec<_> = line.components().map(middle).collect();
    intervals.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut union: Vec<(f64, f64)> = Vec::new();
    for (left, right) in intervals {
        ensure!(right - left > 4.0 * delta, "setting `delta` must be far below `deviations`, got {delta}");
        match union.last_mut() {
            Some(last) if left <= last.1 => last.1 = last.1.max(right),
            _ => union.push((left, right)),
        }
    }
    Ok(union)
}

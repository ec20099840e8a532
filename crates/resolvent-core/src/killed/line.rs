//! The resolvent of any killed diffusion on a line, solved on a grid.

use super::KilledDiffusion;
use crate::diffusion::Dispersion;
use crate::error::{Error, Result, at_least, dimension};
use crate::measure::EmpiricalMeasure;

/// The resolvent of a killed diffusion in dimension 1, whatever its b, σ and r are functions of: finite volumes on an
/// interval with reflecting ends, one linear system of three diagonals.
///
/// The flux b u - ½ (σ² u)' between two nodes is that of the solution with constant b/σ² and constant flux between them
/// (Scharfetter and Gummel 1969, IEEE Trans. Electron Devices 16:64), so the system is that of a Markov chain that jumps
/// between neighbouring nodes and is killed at the rate r: values are positive and no mass is lost. The error is of the second order in the
/// spacing where b, σ and r are smooth. The elimination has no differences (Grassmann, Taksar and Heyman 1985, Oper. Res.
/// 33:1107) and is carried out on logarithms, so values far below the smallest number are right too.
///
/// Where the process would leave the interval it is reflected: choose ends that it hardly reaches before death.
///
/// ```
/// use resolvent_core::killed::LineResolvent;
/// use resolvent_core::KilledBrownianMotion;
/// let process = KilledBrownianMotion::new(1, 1.0, 0.5)?;
/// let occupation = LineResolvent::uniform(&process, (-20.0, 20.0), 4_000)?.point(1.0)?;
/// // u = e^{-|x - 1|} for r = 1/2.
/// assert!((occupation.log_value(4.0) + 3.0).abs() < 1e-4);
/// assert!((occupation.derivative(4.0) + 1.0).abs() < 1e-4);
/// assert!((occupation.mean_lifetime() - 2.0).abs() < 1e-6);
/// # Ok::<(), resolvent_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct LineResolvent {
    nodes: Vec<f64>,
    /// The length of each node's cell, from midpoint to midpoint (n).
    widths: Vec<f64>,
    /// r times the width (n).
    killing: Vec<f64>,
    /// What flows from node i to i + 1, per unit of density (n, the last is zero).
    up: Vec<f64>,
    /// What flows from node i to i - 1, per unit of density (n, the first is zero).
    down: Vec<f64>,
    /// The pivots of the elimination from the left (n).
    pivots: Vec<f64>,
}

/// A positive function on the interval, by its logarithm at the nodes.
#[derive(Debug, Clone)]
pub struct LineFunction {
    nodes: Vec<f64>,
    log_values: Vec<f64>,
}

/// The occupation density u of the process from a start law α: (adjoint generator - r) u = -α.
#[derive(Debug, Clone)]
pub struct LineOccupation {
    density: LineFunction,
    /// P(dead left of the cell of each node) and, at last, the whole mass (n + 1).
    deaths: Vec<f64>,
    mean_lifetime: f64,
}

impl LineResolvent {
    /// The resolvent of `process` with the nodes `nodes` (ascending, at least three); the first and the last are the ends.
    ///
    /// # Errors
    /// If the process has not dimension 1, the nodes do not ascend, or σ² is not positive or r is negative at one of them,
    /// or r is zero everywhere.
    pub fn new(process: &dyn KilledDiffusion, nodes: Vec<f64>) -> Result<Self> {
        dimension("the process on a line", 1, process.dim())?;
        at_least("the number of nodes", 3, nodes.len())?;
        let ascends = |i: &usize| nodes[*i].is_finite() && (*i == 0 || nodes[*i] > nodes[*i - 1]);
        if let Some(index) = (0..nodes.len()).find(|i| !ascends(i)) {
            return Err(Error::NotAscending { name: "nodes", index, value: nodes[index] });
        }
        let n = nodes.len();
        let faces: Vec<f64> = nodes.windows(2).map(|pair| 0.5 * (pair[0] + pair[1])).collect();
        let edge = |i: usize| if i == 0 { nodes[0] } else { *faces.get(i - 1).unwrap_or(&nodes[n - 1]) };
        let widths: Vec<f64> = (0..n).map(|i| edge(i + 1) - edge(i)).collect();
        let mut killing = Vec::with_capacity(n);
        for (x, width) in nodes.iter().zip(&widths) {
            let rate = process.rate(&[*x]);
            if !(rate.is_finite() && rate >= 0.0) {
                return Err(Error::Negative { name: "the killing rate on the line", value: rate });
            }
            killing.push(rate * width);
        }
        if killing.iter().all(|k| *k == 0.0) {
            return Err(Error::NotPositive { name: "the largest killing rate on the line", value: 0.0 });
        }
        let variances = nodes.iter().map(|x| variance(process, *x)).collect::<Result<Vec<_>>>()?;
        let (mut up, mut down) = (vec![0.0; n], vec![0.0; n]);
        for i in 0..n - 1 {
            let (gap, mut drift) = (nodes[i + 1] - nodes[i], [0.0]);
            process.drift(0.0, &[faces[i]], &mut drift);
            let peclet = 2.0 * drift[0] / variance(process, faces[i])? * gap;
            up[i] = bernoulli(-peclet) * variances[i] / (2.0 * gap);
            down[i + 1] = bernoulli(peclet) * variances[i + 1] / (2.0 * gap);
        }
        // What is left of the outflow of a node when the nodes before it are eliminated: killing, there or on the way.
        let mut lost = vec![killing[0]; n];
        for i in 1..n {
            let before = lost[i - 1];
            let share = if before > 0.0 { before / (before + up[i - 1]) } else { 0.0 };
            lost[i] = killing[i] + down[i] * share;
        }
        let pivots = lost.iter().zip(&up).map(|(lost, up)| lost + up).collect();
        Ok(Self { nodes, widths, killing, up, down, pivots })
    }

    /// As [`new`](Self::new) with `cells` >= 2 equal gaps between the nodes from `interval.0` to `interval.1`.
    ///
    /// # Errors
    /// Those of [`new`](Self::new), and if there are fewer than two gaps.
    pub fn uniform(process: &dyn KilledDiffusion, interval: (f64, f64), cells: usize) -> Result<Self> {
        at_least("cells", 2, cells)?;
        let (low, high) = interval;
        let node = |i: usize| low + (high - low) * (i as f64 / cells as f64);
        Self::new(process, (0..=cells).map(node).collect())
    }

    /// The nodes (n).
    pub fn nodes(&self) -> &[f64] {
        &self.nodes
    }

    /// u from the start `x`: the Green kernel G_r(x -> ·) as a function of the end.
    ///
    /// # Errors
    /// If `x` does not lie in the interval.
    pub fn point(&self, x: f64) -> Result<LineOccupation> {
        self.points(&[x], &[1.0])
    }

    /// u from the weighted points `measure`.
    ///
    /// # Errors
    /// If its dimension is not 1, or a point does not lie in the interval.
    pub fn measure(&self, measure: &EmpiricalMeasure) -> Result<LineOccupation> {
        dimension("data", 1, measure.dim())?;
        let weights: Vec<f64> = measure.log_weights().iter().map(|w| w.exp()).collect();
        self.points(measure.points().as_slice(), &weights)
    }

    /// u from a start law with the density `density` (per length) at the nodes. What of it lies beyond the ends is left out;
    /// [`LineOccupation::mass`] tells how much is there.
    ///
    /// # Errors
    /// If the density is negative or not finite at a node, or zero at all.
    pub fn density(&self, density: impl Fn(f64) -> f64) -> Result<LineOccupation> {
        let start = self.at_nodes("the density of the start", density)?;
        let total = start.iter().zip(&self.widths).map(|(f, w)| f * w).sum::<f64>();
        if total == 0.0 {
            return Err(Error::NoMass);
        }
        Ok(self.occupation(start.iter().zip(&self.widths).map(|(f, w)| f * w).collect()))
    }

    /// x -> E_x[∫_0^ζ f(X_t) dt] for a function f >= 0: f = 1 gives the mean lifetime from x, f = r φ gives E_x[φ(X_ζ)] at the
    /// place of death.
    ///
    /// # Errors
    /// If f is negative or not finite at a node, or zero at all.
    pub fn potential(&self, f: impl Fn(f64) -> f64) -> Result<LineFunction> {
        let values = self.at_nodes("the function of the potential", f)?;
        if values.iter().all(|v| *v == 0.0) {
            return Err(Error::NoMass);
        }
        // The transposed system has the same pivots; what flowed into a node is now what it sees.
        let sources = values.iter().zip(&self.widths).map(|(f, w)| f * w).collect();
        Ok(self.solve(sources, |i| self.down[i], |i| self.up[i]))
    }

    /// Weighted points, each split between its two neighbours so that its place is kept.
    fn points(&self, points: &[f64], weights: &[f64]) -> Result<LineOccupation> {
        let n = self.nodes.len();
        let (low, high) = (self.nodes[0], self.nodes[n - 1]);
        let mut masses = vec![0.0; n];
        for (x, weight) in points.iter().zip(weights) {
            if !(low..=high).contains(x) {
                return Err(Error::Outside { name: "a start on the line", low, high, value: *x });
            }
            let i = interval(&self.nodes, *x);
            let share = (x - self.nodes[i]) / (self.nodes[i + 1] - self.nodes[i]);
            masses[i] += weight * (1.0 - share);
            masses[i + 1] += weight * share;
        }
        Ok(self.occupation(masses))
    }

    /// u from the masses at the nodes.
    fn occupation(&self, masses: Vec<f64>) -> LineOccupation {
        let density = self.solve(masses, |i| self.up[i - 1], |i| self.down[i + 1]);
        let (mut deaths, mut dead, mut mean_lifetime) = (vec![0.0], 0.0, 0.0);
        for (i, log_value) in density.log_values.iter().enumerate() {
            dead += self.killing[i] * log_value.exp();
            mean_lifetime += self.widths[i] * log_value.exp();
            deaths.push(dead);
        }
        LineOccupation { density, deaths, mean_lifetime }
    }

    /// Elimination from the left and substitution from the right: `below(i)` and `above(i)` are the entries of row i beside
    /// the diagonal, with the opposite sign.
    fn solve(
        &self,
        sources: Vec<f64>,
        below: impl Fn(usize) -> f64,
        above: impl Fn(usize) -> f64,
    ) -> LineFunction {
        let n = sources.len();
        let mut logs: Vec<f64> = sources.into_iter().map(f64::ln).collect();
        for i in 1..n {
            logs[i] = log_add(logs[i], logs[i - 1] + (below(i) / self.pivots[i - 1]).ln());
        }
        logs[n - 1] -= self.pivots[n - 1].ln();
        for i in (0..n - 1).rev() {
            logs[i] = log_add(logs[i], above(i).ln() + logs[i + 1]) - self.pivots[i].ln();
        }
        LineFunction { nodes: self.nodes.clone(), log_values: logs }
    }

    fn at_nodes(&self, name: &'static str, f: impl Fn(f64) -> f64) -> Result<Vec<f64>> {
        let value = |x: &f64| {
            let value = f(*x);
            if value.is_finite() && value >= 0.0 { Ok(value) } else { Err(Error::Negative { name, value }) }
        };
        self.nodes.iter().map(value).collect()
    }
}

impl LineFunction {
    /// The nodes (n).
    pub fn nodes(&self) -> &[f64] {
        &self.nodes
    }

    /// The logarithm of the function at the nodes (n).
    pub fn log_values(&self) -> &[f64] {
        &self.log_values
    }

    /// The logarithm of the function at `x`, linear between the nodes and beyond the ends.
    pub fn log_value(&self, x: f64) -> f64 {
        let i = interval(&self.nodes, x);
        self.log_values[i] + self.slope(i) * (x - self.nodes[i])
    }

    /// The derivative of the logarithm at `x` (per length): differences between neighbouring nodes, linear between the midpoints of
    /// the gaps and constant beyond the outermost. A jump, as at an atom of α, is smeared over one gap.
    pub fn derivative(&self, x: f64) -> f64 {
        let midpoint = |i: usize| 0.5 * (self.nodes[i] + self.nodes[i + 1]);
        let (i, last) = (interval(&self.nodes, x), self.nodes.len() - 2);
        let (left, right) = if x < midpoint(i) { (i.max(1) - 1, i) } else { (i, (i + 1).min(last)) };
        if left == right {
            return self.slope(left);
        }
        let share = ((x - midpoint(left)) / (midpoint(right) - midpoint(left))).clamp(0.0, 1.0);
        (1.0 - share) * self.slope(left) + share * self.slope(right)
    }

    fn slope(&self, i: usize) -> f64 {
        (self.log_values[i + 1] - self.log_values[i]) / (self.nodes[i + 1] - self.nodes[i])
    }
}

impl LineOccupation {
    /// u as a function.
    pub fn density(&self) -> &LineFunction {
        &self.density
    }

    /// log u at `x`, see [`LineFunction::log_value`].
    pub fn log_value(&self, x: f64) -> f64 {
        self.density.log_value(x)
    }

    /// (log u)' at `x` (per length), see [`LineFunction::derivative`]: the score of the reversal.
    pub fn derivative(&self, x: f64) -> f64 {
        self.density.derivative(x)
    }

    /// ∫ r u, all that dies: the mass of the start law on the interval, which is one unless a part of it lies outside.
    pub fn mass(&self) -> f64 {
        self.deaths[self.deaths.len() - 1]
    }

    /// E ζ = ∫ u.
    pub fn mean_lifetime(&self) -> f64 {
        self.mean_lifetime
    }

    /// P(X_ζ <= x), the law of the place of death: ∫ r u up to `x`, linear within the cell of a node.
    pub fn death_cdf(&self, x: f64) -> f64 {
        let nodes = &self.density.nodes;
        let n = nodes.len();
        if x <= nodes[0] {
            return 0.0;
        }
        if x >= nodes[n - 1] {
            return self.mass();
        }
        let i = interval(nodes, x);
        let middle = 0.5 * (nodes[i] + nodes[i + 1]);
        // The cell that x lies in goes from midpoint to midpoint.
        let cell = if x < middle { i } else { i + 1 };
        let low = if cell == 0 { nodes[0] } else { 0.5 * (nodes[cell - 1] + nodes[cell]) };
        let high = if cell == n - 1 { nodes[n - 1] } else { 0.5 * (nodes[cell] + nodes[cell + 1]) };
        let share = (x - low) / (high - low);
        self.deaths[cell] + share * (self.deaths[cell + 1] - self.deaths[cell])
    }
}

/// The gap between nodes that `x` lies in, or the outermost on its side.
fn interval(nodes: &[f64], x: f64) -> usize {
    nodes.partition_point(|node| *node <= x).clamp(1, nodes.len() - 1) - 1
}

/// σ² at `x`.
fn variance(process: &dyn KilledDiffusion, x: f64) -> Result<f64> {
    let mut dispersion = Dispersion::default();
    process.dispersion(0.0, &[x], &mut dispersion);
    let variance = dispersion.covariance(1)[(0, 0)];
    crate::error::positive("the variance on the line", variance)
}

/// z/(e^z - 1).
fn bernoulli(z: f64) -> f64 {
    if z == 0.0 { 1.0 } else { z / z.exp_m1() }
}

/// log(e^a + e^b).
fn log_add(a: f64, b: f64) -> f64 {
    let (small, large) = if a < b { (a, b) } else { (b, a) };
    if small == f64::NEG_INFINITY { large } else { large + f64::ln_1p(f64::exp(small - large)) }
}

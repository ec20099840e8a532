//! The trapezoidal rule in the logarithm of time for the integrand of R6, in units of 1/θ.

/// The widest step in s = log t: 2^-COARSEST.
const COARSEST: u32 = 1;
/// The narrowest step. Peaks narrower than that, of levels beyond 10¹⁶, are lost in rounding anyway.
const FINEST: u32 = 28;
/// Nodes down to this step are tabulated.
const TABULATED: u32 = 5;
/// What the table spans in s: from where the killing rate ends the integrand this much downwards, and to LOWEST at least.
const SPAN: f64 = 64.0;
const LOWEST: f64 = -48.0;
/// Nodes of a level after which no finer one is tried. Where the levels are so large that rounding shows, sums never agree.
const MOST_NODES: f64 = 1e5;
/// No level exceeds the peak by more, but for rounding.
const ABOVE: f64 = 2.0;
/// e^-CUT of the peak is left out.
const CUT: f64 = 40.0;
/// Two sums whose relative difference is below this are taken to agree: the rule converges geometrically, so the next halving
/// would change the finer one by the square of that.
const AGREE: f64 = 1e-7;
/// Below this share of the integral a mean does not count in the gradient, and need not agree.
const NEGLIGIBLE: f64 = 1e-9;
/// Golden sections of a bracket of a mode: down to the finest step.
const SECTIONS: u32 = 50;
/// Modes that are kept. There are two at most: Brownian motion from x to y, and the time to death.
const MODES: usize = 4;

/// What of the integrand depends on t alone: f(t) t = exp(own + sum · |x + y|² - difference · |x - y|²).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Node {
    /// s - r t - (d/2) log(1 - q²).
    own: f64,
    /// q/(4(1 + q)).
    sum: f64,
    /// q/(4(1 - q)).
    difference: f64,
}

/// The nodes s = k 2^-TABULATED of a process, tabulated where they are needed most.
#[derive(Debug, Clone)]
pub(super) struct Lattice {
    half_dim: f64,
    rate: f64,
    first: i64,
    nodes: Vec<Node>,
}

impl Lattice {
    /// In dimension `dim` with the killing rate `rate` per unit of 1/θ.
    pub(super) fn new(dim: usize, rate: f64) -> Self {
        let mut lattice = Self { half_dim: 0.5 * dim as f64, rate, first: 0, nodes: Vec::new() };
        let per_unit = f64::from(1 << TABULATED);
        // Where r t = 64 and beyond.
        let last = (f64::ln(64.0 / rate) * per_unit).ceil() as i64;
        lattice.first = (last - (SPAN * per_unit) as i64).min((LOWEST * per_unit) as i64);
        lattice.nodes = (lattice.first..=last).map(|k| lattice.compute(k as f64 / per_unit)).collect();
        lattice
    }

    /// The node at s = log t.
    fn compute(&self, s: f64) -> Node {
        let t = s.exp();
        let (q, one_minus_q) = (f64::exp(-t), -f64::exp_m1(-t));
        // log(1 - q²) in the form that is exact at either end.
        let log_spread = if t < 1.0 { (one_minus_q * (1.0 + q)).ln() } else { f64::ln_1p(-q * q) };
        Node {
            own: s - self.rate * t - self.half_dim * log_spread,
            sum: 0.25 * q / (1.0 + q),
            difference: 0.25 * q / one_minus_q,
        }
    }

    /// The node at s = k 2^-level.
    fn node(&self, k: i64, level: u32) -> Node {
        if level <= TABULATED {
            let index = (k << (TABULATED - level)) - self.first;
            if let Some(node) = usize::try_from(index).ok().and_then(|i| self.nodes.get(i)) {
                return *node;
            }
        }
        self.compute(k as f64 / f64::from(1 << level))
    }

    /// The coarsest indices that the table covers.
    fn covered(&self, level: u32) -> std::ops::RangeInclusive<i64> {
        let stride = 1_i64 << (TABULATED - level);
        let last = self.first + self.nodes.len() as i64 - 1;
        self.first.div_euclid(stride) + 1..=last.div_euclid(stride)
    }
}

/// The integrand for one pair of places, in stationary deviations.
#[derive(Debug, Clone, Copy)]
pub(super) struct Integrand<'a> {
    pub(super) lattice: &'a Lattice,
    /// |x + y|².
    pub(super) sum: f64,
    /// |x - y|² > 0.
    pub(super) apart: f64,
}

/// The integral and the means of the two factors that its gradient needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sums {
    /// log ∫ f dt.
    pub(super) log_mass: f64,
    /// The mean of q/(4(1 + q)) under f.
    pub(super) sum: f64,
    /// The mean of q/(4(1 - q)) under f.
    pub(super) difference: f64,
    /// Estimated relative error of the integral.
    pub(super) error: f64,
}

/// Where the integrand counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// Its largest logarithm, to about one.
    pub(super) peak: f64,
    /// s at the peak.
    pub(super) mode: f64,
    /// The first level at which no peak can be missed: its step is at most the width of the narrowest.
    level: u32,
    /// The ends in s.
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Integrand<'_> {
    /// The logarithm of the integrand in s, and its node.
    fn level(&self, node: Node) -> f64 {
        node.own + node.sum * self.sum - node.difference * self.apart
    }

    /// The logarithm of the integrand at s.
    pub(super) fn at(&self, s: f64) -> f64 {
        self.level(self.lattice.compute(s))
    }

    /// The node at s.
    pub(super) fn node(&self, s: f64) -> Node {
        self.lattice.compute(s)
    }

    /// An upper bound of the logarithm of the integrand between two nodes that are `width` apart in s: every factor is
    /// monotone in t.
    pub(super) fn bound(&self, low: Node, high: Node, width: f64) -> f64 {
        // own holds s, which grows, and two factors that fall.
        width + low.own + low.sum * self.sum - high.difference * self.apart
    }

    /// The logarithm at an index of the coarsest level.
    fn coarse(&self, k: i64) -> f64 {
        self.level(self.lattice.node(k, COARSEST))
    }

    /// What the gradient makes of a level: there a node counts by q/(1 - q) |x - y| too, which grows towards t = 0.
    fn reach(&self, node: Node) -> f64 {
        self.level(node) + f64::max(0.0, (node.difference * self.apart.sqrt()).ln())
    }

    /// The mode, the ends beyond which the integrand is below e^-CUT of its peak, and the step that its peaks ask for.
    pub(super) fn window(&self) -> Window {
        let covered = self.lattice.covered(COARSEST);
        let (mut first, mut last) = (*covered.start(), *covered.end());
        // Beyond the table, should the integrand still rise there.
        while self.coarse(first - 1) > self.coarse(first) {
            first -= 1;
        }
        while self.coarse(last + 1) > self.coarse(last) {
            last += 1;
        }
        let mut modes = [(0.0, f64::NEG_INFINITY); MODES];
        let (mut before, mut here) = (self.coarse(first - 1), self.coarse(first));
        for k in first..=last {
            let after = self.coarse(k + 1);
            if here >= before && here >= after {
                // Rounding may feign more of them than there is room for.
                let least = modes.iter_mut().min_by(|a, b| a.1.total_cmp(&b.1)).expect("there are some");
                let mode = self.climb(k);
                if mode.1 > least.1 {
                    *least = mode;
                }
            }
            (before, here) = (here, after);
        }
        let (mode, peak) = modes.into_iter().fold(modes[0], |a, b| if b.1 > a.1 { b } else { a });
        let floor = peak - CUT;
        let curvature = modes.iter().filter(|m| m.1 > floor).map(|m| self.curvature(m.0)).fold(0.0, f64::max);
        let level = (COARSEST..FINEST).find(|&l| f64::from(1 << l) >= curvature.sqrt()).unwrap_or(FINEST);
        // The valley between two peaks may be deeper than the cut, so look from outside, and walk on where the table ends.
        let width = f64::from(1 << COARSEST);
        let nearest = (mode * width).floor() as i64;
        let reaches = |k: i64| self.reach(self.lattice.node(k, COARSEST)) > floor;
        let rises = |k: i64| self.coarse(k) > floor;
        let mut low = (first..=nearest).find(|&k| reaches(k)).map_or(nearest, |k| k - 1);
        let mut high = (nearest + 1..=last).rev().find(|&k| rises(k)).map_or(nearest + 1, |k| k + 1);
        while low < first && reaches(low) {
            low -= 1;
        }
        while high > last && rises(high) {
            high += 1;
        }
        let low = self.edge(low as f64 / width, f64::min((low + 1) as f64 / width, mode), floor, level);
        let high = self.edge(high as f64 / width, f64::max((high - 1) as f64 / width, mode), floor, level);
        Window { peak, mode, level, low, high }
    }

    /// The end of the window between `outside` and `inside`, to the resolution of `level`.
    fn edge(&self, mut outside: f64, mut inside: f64, floor: f64, level: u32) -> f64 {
        for _ in COARSEST..level {
            let middle = 0.5 * (outside + inside);
            if self.reach(self.node(middle)) > floor {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        outside
    }

    /// The maximum of the level between the neighbours of the coarse index `k`, by golden sections down to where the level
    /// varies by one.
    fn climb(&self, k: i64) -> (f64, f64) {
        const GOLDEN: f64 = 0.618_033_988_749_895;
        let width = f64::from(1 << COARSEST);
        let (mut a, mut b) = ((k - 1) as f64 / width, (k + 1) as f64 / width);
        let (mut left, mut right) = (b - GOLDEN * (b - a), a + GOLDEN * (b - a));
        let (mut at_left, mut at_right) = (self.at(left), self.at(right));
        for _ in 0..SECTIONS {
            if at_left.max(at_right) - self.at(a).min(self.at(b)) < 1.0 {
                break;
            }
            if at_left > at_right {
                (b, right, at_right) = (right, left, at_left);
                left = b - GOLDEN * (b - a);
                at_left = self.at(left);
            } else {
                (a, left, at_left) = (left, right, at_right);
                right = a + GOLDEN * (b - a);
                at_right = self.at(right);
            }
        }
        if at_left > at_right { (left, at_left) } else { (right, at_right) }
    }

    /// The largest relative change of the integral and the two means; of those what would not be seen in the gradient does not
    /// count.
    fn change(&self, now: [f64; 3], before: [f64; 3]) -> f64 {
        let least = NEGLIGIBLE * now[0];
        let floors = [f64::MIN_POSITIVE, least, least / self.apart.sqrt()];
        let changes = now.iter().zip(before).zip(floors).map(|((n, b), floor)| (n - b).abs() / n.max(floor));
        changes.fold(0.0, f64::max)
    }

    /// What rounding does to the logarithm: some units in the last place of each of its terms at the peak.
    fn rounding(&self, window: &Window) -> f64 {
        let node = self.node(window.mode);
        let own = self.lattice.rate * window.mode.exp() + self.lattice.half_dim * window.mode.abs();
        4.0 * f64::EPSILON * (1.0 + own + node.sum * self.sum + node.difference * self.apart)
    }

    /// -(d/ds)² of the level at s, roughly.
    fn curvature(&self, s: f64) -> f64 {
        let probe = 1e-3;
        (2.0 * self.at(s) - self.at(s - probe) - self.at(s + probe)) / (probe * probe)
    }
}

/// ∫ f dt, the step halved until two sums agree.
pub(super) fn integrate(integrand: &Integrand<'_>) -> Sums {
    let window = integrand.window();
    let mut totals = [0.0; 3];
    let mut previous = totals;
    let mut level = window.level;
    loop {
        // After the first level only the odd nodes, which the level before had not.
        let refined = level > window.level;
        let per_unit = f64::from(1 << level);
        let (mut k, last) = ((window.low * per_unit).floor() as i64, (window.high * per_unit).ceil() as i64);
        k += i64::from(refined && k % 2 == 0);
        while k <= last {
            let node = integrand.lattice.node(k, level);
            let weight = f64::exp((integrand.level(node) - window.peak).min(ABOVE));
            totals[0] += weight;
            totals[1] += weight * node.sum;
            totals[2] += weight * node.difference;
            k += 1 + i64::from(refined);
        }
        let values = totals.map(|t| t / per_unit);
        let change = if refined { integrand.change(values, previous) } else { f64::INFINITY };
        let finest = level >= FINEST || (window.high - window.low) * per_unit > MOST_NODES;
        if change <= AGREE || (finest && refined) {
            let error = if change <= AGREE { change * change } else { change } + integrand.rounding(&window);
            if totals[0] == 0.0 {
                // Levels beyond 10¹⁷: rounding has swallowed all but the peak.
                let node = integrand.node(window.mode);
                return Sums { log_mass: window.peak, sum: node.sum, difference: node.difference, error };
            }
            return Sums {
                log_mass: window.peak + values[0].ln(),
                sum: totals[1] / totals[0],
                difference: totals[2] / totals[0],
                error,
            };
        }
        previous = values;
        level += 1;
    }
}

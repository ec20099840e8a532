//! Integrals over the angle between a point and the data on a circle or sphere.

use std::f64::consts::PI;

use crate::killed::{CLOSEST, GreenKernel};

/// Nodes of the rule that serves any integral here.
const NODES: usize = 40;
/// Nodes of the rule for axes no longer than [`SHORT`], where the singularities are far away.
const FEWER: usize = 24;
const SHORT: f64 = 4.0;
/// What lies this far below the peak, as a logarithm, adds nothing.
const NEGLIGIBLE: f64 = 40.0;
/// A rule of which less than this share of the nodes matters is laid out again.
const SHARE: f64 = 0.6;
/// Layouts before the last is taken as it is.
const LAYOUTS: usize = 6;

/// Integrals over the angle θ in [-π, π] from the nearest point of a circle of radius R to the others, of w = f(θ) G_r(ρ) and of
/// w g (R19), where ρ² = δ² + 4 q R sin²(θ/2), q is the distance from the centre within the plane and δ that to the circle.
///
/// Opposite angles have ρ in common and are taken together. Both are singular at θ = ±i α, α = 2 asinh(δ/(2√(qR))), and almost so on the real axis when δ is small. With
/// θ = α sinh w the singularities lie at w = ±iπ/2 whatever δ is, and the axis grows with log(1/δ) alone, so that one
/// Gauss-Legendre rule serves all distances. Where less than the axis matters (in high dimension, or under a
/// narrow f) the rule is laid out over that part.
#[derive(Debug, Clone)]
pub(super) struct AngleQuadrature {
    green: GreenKernel,
    radius: f64,
    rule: [(f64, f64); NODES],
    short_rule: [(f64, f64); FEWER],
}

/// A density of the angle from the nearest point, on both sides of it.
pub(super) trait Angular {
    /// f(θ) + f(-θ) and f(θ) - f(-θ) at θ in [0, π], and the logarithm of a factor to both; `sine` is sin θ.
    fn density(&self, theta: f64, sine: f64) -> Sides;

    /// How much larger than at angles up to `near` f is elsewhere, as a logarithm; infinite if that is not known.
    fn swing(&self, near: f64) -> f64;

    /// May w have its peak away from θ = 0?
    fn repels(&self) -> bool;
}

/// What a density is at two opposite angles.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sides {
    pub(super) log_factor: f64,
    pub(super) sum: f64,
    pub(super) difference: f64,
}

/// Where a point is with respect to the circle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Distance q from the centre within the plane.
    pub(super) in_plane: f64,
    /// δ².
    squared: f64,
    /// α, or less.
    scale: f64,
}

/// Sums over nodes; weights are relative to e^peak.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sums {
    peak: f64,
    /// Σ w.
    mass: f64,
    /// Σ w g.
    pull: f64,
    /// Σ w g 2 sin²(θ/2).
    versine: f64,
    /// Σ w g sin θ.
    sine: f64,
}

impl AngleQuadrature {
    /// For data on circles of `radius` > 0 under the kernel `green`.
    pub(super) fn new(green: &GreenKernel, radius: f64) -> Self {
        Self { green: green.clone(), radius, rule: gauss_legendre(), short_rule: gauss_legendre() }
    }

    pub(super) fn radius(&self) -> f64 {
        self.radius
    }

    pub(super) fn dim(&self) -> usize {
        self.green.dim()
    }

    /// The place of a point at squared distance `in_plane` from the centre within the space of the circle and `off_plane`
    /// from that space.
    pub(super) fn place(&self, in_plane: f64, off_plane: f64) -> Place {
        let q = in_plane.sqrt();
        let squared = ((q - self.radius).powi(2) + off_plane).max(CLOSEST * CLOSEST);
        let scale = 2.0 * f64::asinh(0.5 * f64::sqrt(squared / (q * self.radius)));
        // Beyond, there is nothing to be drawn together.
        Place { in_plane: q, squared, scale: scale.min(2.0) }
    }

    /// The integrals with the density f.
    pub(super) fn integrate(&self, place: &Place, f: &impl Angular) -> Sums {
        let (mut low, mut high) = (0.0, self.reach(place, f));
        for layout in 1.. {
            let short = high - low <= SHORT && !f.repels();
            let (sums, part) = if short {
                self.lay_out(&self.short_rule, place, f, low, high)
            } else {
                self.lay_out(&self.rule, place, f, low, high)
            };
            match part {
                Some(part) if layout < LAYOUTS => (low, high) = part,
                _ => return sums,
            }
        }
        unreachable!("the last layout returns")
    }

    /// How far along the axis w is not negligible, or somewhat farther.
    fn reach(&self, place: &Place, f: &impl Angular) -> f64 {
        let cross = 4.0 * place.in_plane * self.radius;
        let width = place.scale / (self.dim() as f64).sqrt();
        let drop = NEGLIGIBLE + f.swing(width);
        let sine_squared = (self.green.beyond(place.squared, drop) - place.squared) / cross;
        // NaN at the centre, where all angles count.
        let farthest = if sine_squared < 1.0 { 2.0 * sine_squared.sqrt().asin() } else { PI };
        f64::asinh(farthest / place.scale)
    }

    /// The sums of `rule` over [`low`, `high`] of the axis, and the part of it that matters if it is a small one.
    fn lay_out<const N: usize>(
        &self,
        rule: &[(f64, f64); N],
        place: &Place,
        f: &impl Angular,
        low: f64,
        high: f64,
    ) -> (Sums, Option<(f64, f64)>) {
        let cross = 4.0 * place.in_plane * self.radius;
        let mut nodes = [Node::default(); N];
        let mut peak = f64::NEG_INFINITY;
        for (node, (at, _)) in nodes.iter_mut().zip(rule) {
            node.axis = low + (high - low) * at;
            let up = node.axis.exp();
            let theta = (place.scale * 0.5 * (up - 1.0 / up)).min(PI);
            let (sin, cos) = f64::sin_cos(0.5 * theta);
            node.sine = 2.0 * sin * cos;
            node.versine = 2.0 * sin * sin;
            let (log_value, gain) =
                self.green.log_value_and_gain(f64::sqrt(place.squared + cross * sin * sin));
            let sides = f.density(theta, node.sine);
            node.log_weight = log_value + sides.log_factor;
            node.weight = sides.sum * 0.5 * (up + 1.0 / up);
            node.sine *= sides.difference * 0.5 * (up + 1.0 / up);
            node.gain = gain;
            peak = peak.max(node.log_weight);
        }
        let (mut mass, mut pull) = (0.0, 0.0);
        for node in &mut nodes {
            let share = f64::exp(node.log_weight - peak);
            node.weight *= share;
            node.sine *= share;
            mass = node.weight.max(mass);
            pull = (node.weight * node.gain).max(pull);
        }
        let negligible = f64::exp(-NEGLIGIBLE);
        let matters = |n: &Node| n.weight > negligible * mass || n.weight * n.gain > negligible * pull;
        let first = nodes.iter().position(matters).unwrap_or(0);
        let last = nodes.iter().rposition(matters).unwrap_or(N - 1);
        let part = ((last + 1 - first) as f64) < SHARE * N as f64;
        let part = part.then(|| {
            let low = if first == 0 { low } else { nodes[first - 1].axis };
            (low, if last + 1 == N { high } else { nodes[last + 1].axis })
        });
        let mut sums = Sums { peak, mass: 0.0, pull: 0.0, versine: 0.0, sine: 0.0 };
        for (node, (_, weight)) in nodes.iter().zip(rule) {
            let weight = weight * (high - low) * place.scale;
            let mass = weight * node.weight;
            let pull = mass * node.gain;
            sums.mass += mass;
            sums.pull += pull;
            sums.versine += pull * node.versine;
            sums.sine += weight * node.gain * node.sine;
        }
        (sums, part)
    }

    /// The length of D - x along the direction from the centre to x, and at right angles to it within the circle's plane,
    /// in the direction of growing angle.
    pub(super) fn displacement(&self, place: &Place, sums: &Sums) -> (f64, f64) {
        let along = (self.radius - place.in_plane) - self.radius * (sums.versine / sums.pull);
        (along, self.radius * (sums.sine / sums.pull))
    }
}

impl Sums {
    /// log ∫ w dθ.
    pub(super) fn log_mass(&self) -> f64 {
        self.peak + self.mass.ln()
    }

    /// g of R19.
    pub(super) fn gain(&self) -> f64 {
        self.pull / self.mass
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Node {
    axis: f64,
    log_weight: f64,
    weight: f64,
    gain: f64,
    versine: f64,
    /// sin θ, and later times the part of the weight that is odd in θ.
    sine: f64,
}

/// Nodes and weights of the Gauss-Legendre rule on [0, 1]: the zeros of the Legendre polynomial by Newton's method from
/// the asymptotic places cos(π (i + 3/4)/(n + 1/2)) (DLMF 18.16).
fn gauss_legendre<const N: usize>() -> [(f64, f64); N] {
    let n = N as f64;
    std::array::from_fn(|i| {
        let mut x = f64::cos(PI * (i as f64 + 0.75) / (n + 0.5));
        let mut slope = 0.0;
        for _ in 0..8 {
            let (mut before, mut value) = (1.0, x);
            for k in 2..=N {
                let k = k as f64;
                (before, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k);
            }
            slope = n * (x * value - before) / (x * x - 1.0);
            x -= value / slope;
        }
        (0.5 * (1.0 - x), 1.0 / ((1.0 - x * x) * slope * slope))
    })
}

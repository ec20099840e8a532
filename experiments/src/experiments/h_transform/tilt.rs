//! The exit from a large sphere: von Mises-Fisher, and when it is nearly uniform.

use std::f64::consts::PI;

use resolvent::core::KilledBrownianMotion;

/// Pieces of [0, π], two nodes of Gauss and Legendre each.
const PIECES: usize = 2_000;

/// The law of the angle at the last exit from the sphere of radius R, beside its limit and the uniform law.
pub(super) struct Tilt {
    pub(super) radius: f64,
    /// Total variation from von Mises-Fisher of concentration a|x|.
    pub(super) from_fisher: f64,
    pub(super) from_uniform: f64,
}

/// Unit Brownian motion killed at rate r, from |x| = s.
pub(super) struct Exit {
    pub(super) process: KilledBrownianMotion,
    pub(super) s: f64,
}

impl Exit {
    /// a|x|.
    pub(super) fn concentration(&self) -> f64 {
        self.process.green().decay() * self.s
    }

    /// The law of the angle on the sphere |y| = `radius` (R7), against both.
    pub(super) fn tilt(&self, radius: f64) -> Tilt {
        let nodes = nodes();
        let exit = self.normalised(&nodes, |cosine| self.log_kernel(radius, cosine));
        let fisher = self.normalised(&nodes, |cosine| self.concentration() * cosine);
        let uniform = self.normalised(&nodes, |_| 0.0);
        let between = |p: &[f64], q: &[f64]| 0.5 * p.iter().zip(q).map(|(p, q)| (p - q).abs()).sum::<f64>();
        Tilt { radius, from_fisher: between(&exit, &fisher), from_uniform: between(&exit, &uniform) }
    }

    /// The total variation between von Mises-Fisher of concentration a|x| and the uniform law.
    pub(super) fn limit_from_uniform(&self) -> f64 {
        let nodes = nodes();
        let fisher = self.normalised(&nodes, |cosine| self.concentration() * cosine);
        let uniform = self.normalised(&nodes, |_| 0.0);
        0.5 * fisher.iter().zip(&uniform).map(|(p, q)| (p - q).abs()).sum::<f64>()
    }

    /// A bound on the total variation from von Mises-Fisher to the first order in 1/R: a quarter of the oscillation of
    /// log(G_r/e^{a s cos θ}), where -a|x - y| gives a s²/(2R) and the power of the distance (d - 1) s/R.
    pub(super) fn fisher_bound(&self, radius: f64) -> f64 {
        let dims = self.process.dim() as f64 - 1.0;
        (0.5 * self.concentration() * self.s + dims * self.s) / (4.0 * radius)
    }

    /// A bound on the total variation from the uniform law to the first order in the slope κ of log G_r in cos θ, at most
    /// s |∇ log G_r|(R - s): half the standard deviation κ/√d of κ cos θ.
    pub(super) fn uniform_bound(&self, radius: f64) -> f64 {
        0.5 * self.s * self.process.green().score_norm(radius - self.s) / (self.process.dim() as f64).sqrt()
    }

    /// (θ, density with respect to the uniform law).
    pub(super) fn relative_density(&self, radius: Option<f64>, count: usize) -> Vec<(f64, f64)> {
        let nodes = nodes();
        let log_density = |cosine: f64| match radius {
            Some(radius) => self.log_kernel(radius, cosine) - self.log_kernel(radius, 0.0),
            None => self.concentration() * cosine,
        };
        let uniform = self.normalised(&nodes, |_| 0.0);
        let mean: f64 =
            uniform.iter().zip(&nodes).map(|(p, (theta, _))| p * log_density(theta.cos()).exp()).sum();
        (0..=count)
            .map(|k| PI * k as f64 / count as f64)
            .map(|theta| (theta, log_density(theta.cos()).exp() / mean))
            .collect()
    }

    fn log_kernel(&self, radius: f64, cosine: f64) -> f64 {
        let s = self.s;
        let rho = (s * s + radius * radius - 2.0 * s * radius * cosine).sqrt();
        self.process.green().log_value(rho)
    }

    /// Masses at the nodes of the law with density e^{log_density(cos θ)} against the surface measure.
    fn normalised(&self, nodes: &[(f64, f64)], log_density: impl Fn(f64) -> f64) -> Vec<f64> {
        let power = self.process.dim() as f64 - 2.0;
        let logs: Vec<f64> = nodes
            .iter()
            .map(|(theta, weight)| log_density(theta.cos()) + power * theta.sin().ln() + weight.ln())
            .collect();
        let peak = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = logs.iter().map(|l| f64::exp(l - peak)).sum();
        logs.iter().map(|l| f64::exp(l - peak) / total).collect()
    }
}

/// Nodes and weights on [0, π].
fn nodes() -> Vec<(f64, f64)> {
    let h = PI / PIECES as f64;
    let offset = 0.5 / 3f64.sqrt();
    (0..PIECES)
        .flat_map(|k| [0.5 - offset, 0.5 + offset].map(|share| ((k as f64 + share) * h, 0.5 * h)))
        .collect()
}

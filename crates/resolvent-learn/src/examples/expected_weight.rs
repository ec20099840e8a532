//! Which importance weight a point meets.

use super::Proposal;

/// Distances between which it is tabulated, as multiples of the clock's length 1/√r.
const RANGE: (f64, f64) = (1e-6, 1e3);
/// Points of the table for each unit of log ρ.
const DENSITY: f64 = 32.0;
/// Points of the integrals for each unit of log σ at the most, and for each standard deviation of log σ given ρ at the least.
const FINENESS: (f64, f64) = (64.0, 8.0);

/// log of E[w²]/E[w], w the importance weight of the examples at distance ρ from one data point, tabulated over log ρ.
///
/// λ = E[w]/E[w²] makes λ w near 1 where w is known from the point, which it is in high dimension, since ρ tells σ ≈ ρ/√d
/// there. In low dimension one distance is reached at many levels, w scatters, and its inverse at σ = ρ/√d could outweigh
/// everything else; with this λ the mean of (λ w)² is at most 1 at every point.
#[derive(Debug, Clone)]
pub(super) struct ExpectedWeight {
    first: f64,
    step: f64,
    log_values: Vec<f64>,
}

impl ExpectedWeight {
    /// Of the clock Exp(`rate`) drawn from `proposal` in dimension `dim`.
    pub(super) fn new(dim: usize, rate: f64, proposal: &Proposal) -> Self {
        let unit = -0.5 * rate.ln();
        let (first, last) = (unit + RANGE.0.ln(), unit + RANGE.1.ln());
        let count = ((last - first) * DENSITY).ceil() as usize;
        let step = (last - first) / count as f64;
        let log_values =
            (0..=count).map(|i| log_ratio(dim, rate, proposal, first + i as f64 * step)).collect();
        Self { first, step, log_values }
    }

    /// At log-distance `log_rho`; beyond the table as at its edge.
    pub(super) fn log_value(&self, log_rho: f64) -> f64 {
        let last = self.log_values.len() - 1;
        let place = ((log_rho - self.first) / self.step).clamp(0.0, last as f64);
        let cell = (place as usize).min(last - 1);
        let share = place - cell as f64;
        self.log_values[cell] * (1.0 - share) + self.log_values[cell + 1] * share
    }
}

/// log of ∫ q w² N / ∫ q w N over log σ: q the proposal, w = p/q for the clock p, N = N(ρ; 0, σ²) in R^d up to a constant.
fn log_ratio(dim: usize, rate: f64, proposal: &Proposal, log_rho: f64) -> f64 {
    let (d, clock) = (dim as f64, Proposal::Exponential { rate });
    let step = 1.0 / f64::max(FINENESS.0, FINENESS.1 * (2.0 * d).sqrt());
    // N falls off fast below its peak at σ = ρ/√d, q w = p above its own at 1/√r.
    let peak = log_rho - 0.5 * d.ln();
    let (low, high) = match *proposal {
        Proposal::LogUniform { least, most } => (least.ln(), most.ln()),
        _ => (peak - 4.0, f64::max(peak, -0.5 * rate.ln()) + 4.0),
    };
    let cells = ((high - low) / step).ceil();
    let step = (high - low) / cells;
    let (mut once, mut twice) = (LogSum::default(), LogSum::default());
    for i in 0..cells as usize {
        let log_sigma = low + (i as f64 + 0.5) * step;
        let level = log_sigma.exp();
        let log_clock = clock.log_density(level);
        let normal = -d * (log_sigma - peak) - 0.5 * (2.0 * (log_rho - log_sigma)).exp();
        once.add(log_clock + normal);
        twice.add(2.0 * log_clock - proposal.log_density(level) + normal);
    }
    twice.log() - once.log()
}

/// A sum of exponentials relative to the largest so far.
#[derive(Default)]
struct LogSum {
    peak: Option<f64>,
    sum: f64,
}

impl LogSum {
    fn add(&mut self, log_term: f64) {
        if log_term == f64::NEG_INFINITY {
            return;
        }
        let peak = self.peak.unwrap_or(log_term);
        if log_term > peak {
            self.sum = self.sum * (peak - log_term).exp() + 1.0;
            self.peak = Some(log_term);
        } else {
            self.sum += (log_term - peak).exp();
            self.peak = Some(peak);
        }
    }

    fn log(&self) -> f64 {
        self.peak.unwrap_or(f64::NEG_INFINITY) + self.sum.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use resolvent_core::KilledBrownianMotion;

    /// Between two clocks both integrals are Green kernels: ∫ q w N = r G_r and ∫ q w² N = (r²/r') G_{2r - r'}.
    #[test]
    fn between_two_clocks_it_is_a_ratio_of_green_kernels() {
        for (dim, rate, other) in
            [(1, 1.0, 0.4), (2, 0.3, 0.2), (3, 1.0, 1.5), (64, 2.0, 0.5), (784, 1.0, 0.7)]
        {
            let green = |rate| KilledBrownianMotion::new(dim, 1.0, rate).unwrap().green().clone();
            let (own, third) = (green(rate), green(2.0 * rate - other));
            let expected = ExpectedWeight::new(dim, rate, &Proposal::Exponential { rate: other });
            for rho in [1e-3, 0.03, 0.4, 1.0, 3.0, 10.0] {
                let exact = (rate / other).ln() + third.log_value(rho) - own.log_value(rho);
                let found = expected.log_value(f64::ln(rho));
                // Linear between the points of the table.
                let bound = 1e-3 * (1.0 + exact.abs());
                assert!((found - exact).abs() < bound, "d = {dim}, ρ = {rho}: {found}, exactly {exact}");
            }
        }
    }

    #[test]
    fn in_high_dimension_it_is_the_weight_itself() {
        let proposal = Proposal::LogNormal { mean: -0.6, deviation: 1.2 };
        let expected = ExpectedWeight::new(20_000, 1.0, &proposal);
        for level in [0.01, 0.1, 0.5, 1.0, 2.0] {
            let found = expected.log_value(f64::ln(level * f64::sqrt(20_000.0)));
            assert!((found - proposal.log_weight(1.0, level)).abs() < 0.01, "{level}: {found}");
        }
    }
}

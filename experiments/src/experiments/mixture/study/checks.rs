//! What the theory promises of the reversed mixture.

use anyhow::Result;
use resolvent::metrics;

use super::{Report, SIGNIFICANCE, Start, Study};
use crate::outcome::Check;

/// What the steps may add to a Kolmogorov-Smirnov distance.
const DISCRETISATION: f64 = 0.005;
/// Standard errors within which a bias is found.
const ERRORS: f64 = 3.0;

impl Study<'_> {
    pub(super) fn checks(&self, reports: &[Report]) -> Result<Vec<Check>> {
        let mut checks = Vec::new();
        let critical = metrics::ks_critical(self.particles, SIGNIFICANCE)?;
        let on_the_way = metrics::ks_critical(self.particles, SIGNIFICANCE / self.times.len() as f64)?;
        for Report { method, start, fits, .. } in reports {
            let name = format!("{} from {}", method.name(), start.name());
            let (end, way) = fits.split_last().expect("the end is always wanted");
            let law = match start {
                Start::Exact => "the marginal",
                Start::Prior => "the exact law from the prior",
            };
            checks.push(Check::at_most(
                format!("{name}: KS of the end law to {law}"),
                end.own.statistic,
                critical + DISCRETISATION,
                "R1, R2; critical value at 1e-3 + 0.005 for the steps",
            ));
            let largest = way.iter().map(|fit| fit.own.statistic).fold(0.0, f64::max);
            checks.push(Check::at_most(
                format!("{name}: largest KS to {law} at {} times on the way", way.len()),
                largest,
                on_the_way + DISCRETISATION,
                format!("R1, R2; critical value at 1e-3 over {} tests + 0.005 for the steps", way.len()),
            ));
            if *start == Start::Exact {
                continue;
            }
            let (seen, error) = end.seen;
            checks.push(Check::at_most(
                format!("{name}: initialisation bias at its largest, |measured − exact| / standard error"),
                (seen - end.bias.1).abs() / error,
                ERRORS,
                format!(
                    "quadrature: {:.5} at x = {:.3}, {:.2} standard errors from no bias",
                    end.bias.1,
                    end.bias.0,
                    end.bias.1.abs() / error
                ),
            ));
            // Below that a distance shows the sampling error, not the bias.
            if end.bias.1.abs() > critical {
                checks.push(Check::at_most(
                    format!("{name}: |KS to p_end − bias| / standard error"),
                    (end.marginal.statistic - end.bias.1.abs()).abs() / error,
                    ERRORS,
                    format!(
                        "quadrature: sup |F_biased − F_end| = {:.5}, {:.2} standard errors",
                        end.bias.1.abs(),
                        end.bias.1.abs() / error
                    ),
                ));
            }
        }
        let diverged: usize = reports.iter().map(|report| report.run.diverged).sum();
        let source = "the exact score is finite";
        checks.push(Check::at_most("particles that diverged, all runs", diverged as f64, 0.0, source));
        Ok(checks)
    }
}

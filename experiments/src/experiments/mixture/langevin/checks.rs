//! What the theory promises of Langevin dynamics.

use anyhow::Result;
use resolvent::core::schedule::Level;
use resolvent::metrics;

use super::{Findings, Report, SIGNIFICANCE};
use crate::outcome::Check;

/// What the grids of the Fokker-Planck equation and of the chain may add to a distribution function.
const GRID_ERROR: f64 = 1e-4;
/// Standard errors of the fitted rate; a normal law exceeds them with probability 5e-4.
const RATE_ERRORS: f64 = 3.50;

impl Findings<'_> {
    /// What the theory promises, with its bounds.
    pub(super) fn checks(&self) -> Result<Vec<Check>> {
        let Self { settings, law, landscape, clock, reports, rates, gap } = self;
        let gap = *gap;
        let tests = settings.times.len() as f64;
        let critical = metrics::ks_critical(settings.particles, SIGNIFICANCE / tests)?;
        let kramers: f64 = landscape.modes.iter().map(|mode| landscape.escape(law, *mode)).sum();
        let mut checks = Vec::new();
        for (Report { start, exact, run }, rates) in reports.iter().zip(rates) {
            let name = start.name();
            let at = || settings.times.iter().map(|t| clock.index(*t));
            let mut largest = 0.0_f64;
            for k in at() {
                let test = metrics::ks_one_sample(&run.places[k], |x| exact.chain[k].at(x))?;
                largest = largest.max(test.statistic);
            }
            let weak = at().map(|k| exact.chain[k].distance(|x| exact.laws[k].at(x))).fold(0.0, f64::max);
            checks.push(Check::at_most(
                format!(
                    "from {name}: largest KS of the marginals to the law of the Euler-Maruyama chain at {tests} times"
                ),
                largest,
                critical,
                format!(
                    "critical value at 1e-3 over {tests} tests; by quadrature the chain is within {weak:.5} of \
                     Fokker-Planck"
                ),
            ));
            let errors = at().map(|k| {
                let right = 1.0 - exact.chain[k].at(landscape.saddle);
                let error = (right * (1.0 - right) / settings.particles as f64).sqrt();
                (landscape.share(&run.places[k]) - right).abs() / error
            });
            checks.push(Check::at_most(
                format!("from {name}: mass right of the saddle, largest |measured − chain| / standard error"),
                errors.fold(0.0, f64::max),
                4.0,
                format!("binomial law; 4 errors are exceeded with probability 6e-5 in each of {tests} tests"),
            ));
            let early = clock.index(settings.shown);
            let target = |x: f64| law.cdf(&Level::CLEAN, x);
            checks.push(Check::at_least(
                format!("from {name}: KS to the mixture at t = {}", settings.shown),
                metrics::ks_one_sample(&run.places[early], target)?.statistic,
                metrics::ks_critical(settings.particles, SIGNIFICANCE)?,
                format!(
                    "the law is not the mixture yet: {:.4} by Fokker-Planck; critical value at 1e-3",
                    exact.laws[early].distance(target)
                ),
            ));
            let bound = RATE_ERRORS * rates.standard_error + (rates.chain - gap).abs();
            // A bound that would let Kramers' formula pass says nothing; such a fit stands in the table alone.
            if bound < (kramers - gap).abs() {
                checks.push(Check::at_most(
                    format!("from {name}: |fitted rate − spectral gap|"),
                    (rates.measured - gap).abs(),
                    bound,
                    format!(
                        "spectral gap {gap:.6} by inverse iteration; 3.5 standard errors by the law of the chain + the \
                         same fit to the chain; Kramers' formula is {:.6} off",
                        (kramers - gap).abs()
                    ),
                ));
            }
            checks.push(Check::at_most(
                format!("from {name}: error of the grids of equation and chain"),
                exact.grid_error,
                GRID_ERROR,
                "far below Monte-Carlo error; difference to half the cells, over 3",
            ));
        }
        let diverged: usize = reports.iter().map(|report| report.run.diverged).sum();
        checks.push(Check::at_most(
            "particles that diverged",
            diverged as f64,
            0.0,
            "the exact score is finite",
        ));
        Ok(checks)
    }
}

//! What the theory promises, with its bounds.

use anyhow::Result;
use resolvent::metrics::ks_critical;

use super::pointed::Pointed;
use super::runs::Deaths;
use super::{Report, Settings, plane};
use crate::outcome::Check;

/// The distance that the end law and the lifetime must not exceed at [`AT`] particles,
const DISTANCE: f64 = 0.008;
/// as a learned rate must not.
const LEARNED: f64 = 0.03;
const AT: f64 = 50_000.0;
/// Significance of a test of fit without a stated bound.
const SIGNIFICANCE: f64 = 1e-3;
/// Two formulas for the same number.
const FORMULAS: f64 = 1e-7;

pub(super) fn checks(report: &Report, settings: &Settings) -> Result<Vec<Check>> {
    let Report { line, exact, pointed, entrance, plane, .. } = report;
    let n = settings.particles;
    // The same significance with other numbers of particles: 0.33 % for a right sampler.
    let bound = DISTANCE * f64::sqrt(AT / n as f64);
    let source = "R13: α/u; 0.008 at 50,000 particles, as 1/√n";
    let mut checks = vec![
        Check::at_most(
            "u of the mixture: log of the library's quadrature against the closed form, largest difference",
            line.occupation_error(),
            FORMULAS,
            "e^{-k|x-y|}/(kσ²) against a Gaussian, in closed form",
        ),
        Check::at_most("exact rate: KS of the end law", exact.place.statistic, bound, source),
        Check::at_most("exact rate: KS of the lifetime to Exp(r)", exact.lifetime.statistic, bound, source),
    ];
    let learned = &report.learned_deaths[report.best];
    checks.push(Check::at_most(
        format!("learned rate ({}): KS of the end law", learned.rule),
        learned.place.statistic,
        LEARNED + (bound - DISTANCE).max(0.0),
        "R13 by logistic regression; 0.03, and Monte Carlo where there are fewer than 50,000 particles",
    ));
    let wrong = report.entrance_law.distance(line);
    checks.push(Check::at_least(
        "first entrance: KS of the end law from the data law",
        entrance.place.statistic,
        wrong - ks_critical(n, SIGNIFICANCE)?,
        format!("not a hitting rule: {wrong:.4} by quadrature, less Monte Carlo at 1e-3"),
    ));
    let closed = Pointed::new(line, settings.point).error();
    checks.push(Check::at_most(
        "conditioned to die at a point: h h~ and its derivative in closed form against quadrature, relative",
        closed,
        FORMULAS,
        "R9",
    ));
    let source = "R13: α/(h h~), h = G(·, z); 0.008 at 50,000 particles, as 1/√n";
    checks.push(Check::at_most("from the point: KS of the end law", pointed.place.statistic, bound, source));
    checks.push(Check::at_most(
        "from the point: KS of the lifetime to the mixture of its laws given the end",
        pointed.lifetime.statistic,
        bound,
        "R11; 0.008 at 50,000 particles, as 1/√n",
    ));
    let tests = plane::DIRECTIONS + 1;
    let critical = ks_critical(settings.plane_particles, SIGNIFICANCE / tests as f64)?;
    let source = format!("R13; critical value at 1e-3 over {tests} tests");
    let worst = plane.projections.iter().map(|ks| ks.statistic).fold(0.0, f64::max);
    checks.push(Check::at_most(
        format!("plane: largest KS of the end law's projections on {} directions", plane::DIRECTIONS),
        worst,
        critical,
        &source,
    ));
    checks.push(Check::at_most(
        "plane: KS of the lifetime to Exp(r)",
        plane.lifetime.statistic,
        critical,
        source,
    ));
    let unfinished = [exact, pointed, learned].map(|deaths: &Deaths| deaths.unfinished).iter().sum::<usize>()
        + plane.unfinished;
    checks.push(Check::at_most(
        "exact, learned, from the point, plane: particles not killed within 40/r, or diverged",
        unfinished as f64,
        0.0,
        "e^-40 of them live so long",
    ));
    Ok(checks)
}

//! On the line: noise that depends on the place, a rate that is not quadratic, u from a numerical resolvent.

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::GaussianMixture;
use resolvent::core::diffusion::{Dispersion, Field};
use resolvent::core::killed::{Killed, LineResolvent};
use resolvent::core::schedule::Level;
use resolvent::metrics;

use super::super::reverse_time::derived_seed;
use super::trial::{PATIENCE, Plain, Problem, Statistic};
use super::{SIGNIFICANCE, Settings, figures};
use crate::experiment::Context;
use crate::outcome::{Check, Outcome, Table, cells};

/// Ends of the grid: eight standard deviations of the process.
const ENDS: (f64, f64) = (-14.0, 14.0);

/// r(x).
fn rate(x: &[f64]) -> f64 {
    0.05 + 0.3 / (1.0 + x[0] * x[0])
}

/// σ(x).
fn sigma(x: f64) -> f64 {
    1.0 + 0.4 * x.sin()
}

/// Everything about the line.
pub(super) fn line(settings: &Settings, context: &Context) -> Result<Outcome> {
    let diffusion = Field::new(
        |_t, x: &[f64], out: &mut [f64]| out[0] = -0.3 * x[0],
        |_t, x: &[f64], out: &mut Dispersion| *out = Dispersion::Scalar(sigma(x[0])),
    )
    .with_divergence(|_t, x: &[f64], out: &mut [f64]| out[0] = 0.8 * sigma(x[0]) * x[0].cos());
    let process = Killed::new(1, diffusion, rate)?;
    let data = GaussianMixture::one_dimensional(&[0.3, 0.7], &[-3.0, 2.0], &[0.8, 0.6])?;
    let occupation =
        LineResolvent::uniform(&process, ENDS, settings.cells)?.density(|x| data.log_density(&[x]).exp())?;
    let score = Plain { dim: 1, field: |x: &[f64], out: &mut [f64]| out[0] = occupation.derivative(x[0]) };
    // log α at the nodes, linear between them as u is.
    let spacing = (ENDS.1 - ENDS.0) / settings.cells as f64;
    let log_data: Vec<f64> =
        (0..=settings.cells).map(|k| data.log_density(&[ENDS.0 + spacing * k as f64])).collect();
    let log_hazard = |x: &[f64]| {
        let place = ((x[0] - ENDS.0) / spacing).clamp(0.0, settings.cells as f64);
        let k = (place as usize).min(settings.cells - 1);
        let share = place - k as f64;
        (1.0 - share) * log_data[k] + share * log_data[k + 1] - occupation.log_value(x[0])
    };
    let mean_lifetime = occupation.mean_lifetime();
    let problem = Problem { process: &process, data: &data, log_hazard: &log_hazard, mean_lifetime };
    let (n, dt) = (settings.particles, settings.dt);
    let seed = |k: u64| derived_seed(context.seed, k);
    let forward = problem.forward(n, dt, seed(40))?;
    context.proceed()?;
    let starts = problem.forward(n, dt, seed(41))?;
    context.proceed()?;
    let backward = problem.backward(&score, starts.deaths, dt, PATIENCE, seed(42))?;

    let one = metrics::ks_critical(n, SIGNIFICANCE)?;
    let two = metrics::ks_critical(n / 2, SIGNIFICANCE)?;
    let mut outcome = Outcome::default();
    let mut table = Table::new(
        "line: tests of fit",
        format!(
            "{n} particles, steps of {dt}, mean lifetime {mean_lifetime:.4}; dX = -0.3 X dt + (1 + 0.4 sin X) dW, killed at the rate \
             0.05 + 0.3/(1 + x²). Kolmogorov-Smirnov distances and the values exceeded once in 10,000 by chance."
        ),
        &["what", "against", "KS", "critical at 1e-4"],
    );
    let mut test = |what: &str, against: &str, value: f64, critical: f64, source: &str| {
        table.push(cells![what, against, value, critical]);
        outcome.checks.push(Check::at_most(
            format!("line: KS of {what}, to {against}"),
            value,
            critical,
            source,
        ));
    };
    let at_death = metrics::ks_one_sample(forward.deaths.as_slice(), |x| occupation.death_cdf(x).min(1.0))?;
    test(
        "x at death, forward",
        "r u",
        at_death.statistic,
        one,
        "the place of death has the density r u; critical value at 1e-4",
    );
    let ends = metrics::ks_one_sample(backward.data.as_slice(), |x| data.cdf(&Level::CLEAN, x))?;
    test(
        "x at the end, backward",
        "α",
        ends.statistic,
        one,
        "R1 with div Σ from the law r u, killed at the rate α/u (R13), ends in α; critical value at 1e-4",
    );
    let pairs: [(&str, Statistic); 2] = [
        ("the lifetime, backward", |lives| lives.lifetimes.clone()),
        ("X_ζ - X_0, backward", |lives| difference(&lives.deaths, &lives.data)),
    ];
    for (name, statistic) in pairs {
        test(
            name,
            "forward simulation",
            metrics::ks_two_sample(&statistic(&forward), &statistic(&backward))?.statistic,
            two,
            "both ends of a life and its length have one joint law, run either way; two-sample critical value at 1e-4",
        );
    }
    outcome.tables.push(table);
    outcome.checks.push(Check::at_most(
        "line: particles that did not die, forward or backward",
        (forward.unfinished + starts.unfinished + backward.unfinished) as f64,
        0.0,
        "every life ends, within 40 mean lifetimes",
    ));
    let death_density = |x: f64| rate(&[x]) * occupation.log_value(x).exp();
    outcome.figures = figures::line(&data, death_density, &forward, &backward)?;
    Ok(outcome)
}

fn difference(a: &DMatrix<f64>, b: &DMatrix<f64>) -> Vec<f64> {
    (a - b).as_slice().to_vec()
}

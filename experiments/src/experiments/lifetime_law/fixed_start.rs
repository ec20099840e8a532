//! The lifetime from one distance (R11) and its limit as r → 0.

use anyhow::Result;
use resolvent::core::killing::{DistanceToSupport, LocalTime, PointsOnLine};
use resolvent::core::step::{Bridge, EulerMaruyama};
use resolvent::core::{Ensemble, FixedStep, Sampler, ScoreAdaptive};
use resolvent::metrics::{self, Estimate, KsResult};
use resolvent::special::ratio_k;

use super::super::reverse_time::{cdf, critical_z, derived_seed, gaussian, share_below};
use super::{Atom, SIGNIFICANCE, START, Settings, norm, observer, starts};
use crate::experiment::Context;
use crate::outcome::{Check, Figure, Outcome, Table, cells};
use crate::plot::{Axis, Chart, Series};
use crate::progress::Progress;

/// Steps of Euler-Maruyama on the line, where the score has no scale, in units of 1/r.
const LINE_STEP: f64 = 5e-3;
/// Points of a curve.
const CURVE: usize = 120;

/// The lifetimes of one run against R11.
struct Row {
    dim: usize,
    rate: f64,
    name: &'static str,
    ks: KsResult,
    mean: Estimate,
    exact: f64,
    evaluations: f64,
    sample: Vec<f64>,
}

/// The lifetimes at a vanishing rate against the inverse gamma law.
struct Limit {
    dim: usize,
    /// The largest difference of the two distribution functions.
    law: f64,
    ks: KsResult,
}

pub(super) fn run(
    settings: &Settings,
    context: &Context,
    progress: &Progress,
    outcome: &mut Outcome,
) -> Result<()> {
    let (mut rows, mut limits) = (Vec::new(), Vec::new());
    for (&dim, &rate) in settings.dims.iter().zip(&settings.rates) {
        let atom = Atom::new(dim, rate)?;
        rows.push(row(&atom, "bridge", bridge(&atom, settings, context, progress)?)?);
        rows.push(row(&atom, "euler", euler(&atom, settings, context, progress)?)?);
        if dim >= 3 {
            let atom = Atom::new(dim, settings.vanishing)?;
            limits.push(limit(&atom, &bridge(&atom, settings, context, progress)?)?);
        }
    }
    checks(&rows, &limits, settings, outcome)?;
    outcome.tables.push(table(&rows, settings)?);
    outcome.tables.push(limit_table(&limits, settings)?);
    outcome.figures.push(Figure::new(
        "fixed-start",
        format!(
            "Distribution function of the lifetime from the distance {START} of one atom: {} particles by the bridge step (dots), R11 (lines), \
             in units of its mean. Dashed: the exponential law, which it is not.",
            settings.particles
        ),
        figure(&rows)?,
    ));
    Ok(())
}

fn bridge(atom: &Atom, settings: &Settings, context: &Context, progress: &Progress) -> Result<Ensemble> {
    let dim = atom.process.dim();
    let (step, control) =
        (Bridge::new(&atom.score), ScoreAdaptive::new(settings.bridge_eta, settings.floor)?);
    // Other draws at the vanishing rate.
    let seed =
        derived_seed(context.seed, 10 * dim as u64 + u64::from(atom.process.rate() == settings.vanishing));
    Ok(Sampler::new(&atom.process, &step, &control).run_observed(
        &starts(dim, settings.particles),
        seed,
        &observer(context, progress),
    )?)
}

/// Killed at δ, or by local time on the line.
fn euler(atom: &Atom, settings: &Settings, context: &Context, progress: &Progress) -> Result<Ensemble> {
    let dim = atom.process.dim();
    let seed = derived_seed(context.seed, 10 * dim as u64 + 2);
    let starts = starts(dim, settings.particles);
    let step = EulerMaruyama::new(&atom.score);
    let observer = observer(context, progress);
    if dim == 1 {
        let control = FixedStep::new(LINE_STEP / atom.process.rate())?;
        let rule = LocalTime::new(PointsOnLine::new(&atom.process, &atom.measure)?);
        let sampler = Sampler::new(&atom.process, &step, &control).killing("local time", &rule);
        return Ok(sampler.run_observed(&starts, seed, &observer)?);
    }
    let control = ScoreAdaptive::new(settings.euler_eta, 0.0)?;
    let rule = DistanceToSupport::new(norm, settings.delta)?;
    let sampler = Sampler::new(&atom.process, &step, &control).killing("distance", &rule);
    Ok(sampler.run_observed(&starts, seed, &observer)?)
}

fn row(atom: &Atom, name: &'static str, ensemble: Ensemble) -> Result<Row> {
    let law = atom.process.green().lifetime(START);
    Ok(Row {
        dim: atom.process.dim(),
        rate: atom.process.rate(),
        name,
        ks: metrics::ks_one_sample(&ensemble.lifetimes, |t| law.cdf(t))?,
        mean: metrics::mean(&ensemble.lifetimes)?,
        exact: mean_lifetime(atom.process.dim(), atom.process.rate(), START),
        evaluations: ensemble.mean_evaluations(),
        sample: ensemble.lifetimes,
    })
}

/// (ρ/a) K_{ν-1}(aρ)/K_ν(aρ), with K_{-μ} = K_μ.
pub(super) fn mean_lifetime(dim: usize, rate: f64, rho: f64) -> f64 {
    let (nu, a) = (0.5 * dim as f64 - 1.0, f64::sqrt(2.0 * rate));
    let ratio = match dim {
        1 => ratio_k(0.5, a * rho),
        2 => ratio_k(0.0, a * rho),
        // K_{1/2} has both orders.
        3 => 1.0,
        _ => 1.0 / ratio_k(nu - 1.0, a * rho),
    };
    rho / a * ratio
}

fn limit(atom: &Atom, ensemble: &Ensemble) -> Result<Limit> {
    let dim = atom.process.dim();
    let (law, inverse) = (atom.process.green().lifetime(START), inverse_gamma(dim)?);
    let times = (0..400).map(|k| f64::exp(-6.0 + 0.03 * f64::from(k)));
    Ok(Limit {
        dim,
        law: times.map(|t| (law.cdf(t) - inverse(t)).abs()).fold(0.0, f64::max),
        ks: metrics::ks_one_sample(&ensemble.lifetimes, &inverse)?,
    })
}

/// P(ρ²/(2γ) <= t) for γ ~ Gamma(ν): the upper incomplete gamma function, by partial integration
/// Q(ν, x) = Q(ν - 1, x) + x^{ν-1} e^{-x}/Γ(ν) from Q(1, x) = e^{-x} or Q(1/2, x) = P(|N| > √(2x)).
pub(super) fn inverse_gamma(dim: usize) -> Result<impl Fn(f64) -> f64 + Sync> {
    let normal = gaussian(0.0, 1.0)?;
    Ok(move |t: f64| {
        let x = 0.5 * START * START / t;
        let (mut value, mut order, mut term) = if dim.is_multiple_of(2) {
            (f64::exp(-x), 1.0, f64::exp(-x))
        } else {
            // Γ(1/2) = √π.
            (2.0 * cdf(&normal)(-f64::sqrt(2.0 * x)), 0.5, f64::exp(-x) / f64::sqrt(std::f64::consts::PI * x))
        };
        while order + 0.75 < 0.5 * dim as f64 - 1.0 {
            term *= x / order;
            value += term;
            order += 1.0;
        }
        value.clamp(0.0, 1.0)
    })
}

fn checks(rows: &[Row], limits: &[Limit], settings: &Settings, outcome: &mut Outcome) -> Result<()> {
    let bridge: Vec<&Row> = rows.iter().filter(|row| row.name == "bridge").collect();
    let count = bridge.len();
    outcome.checks.push(Check::at_most(
        format!("bridge step: KS of the lifetime to R11, largest of {count}"),
        bridge.iter().map(|row| row.ks.statistic).fold(0.0, f64::max),
        metrics::ks_critical(settings.particles, SIGNIFICANCE / count as f64)?,
        "GIG(1 - d/2, 2r, ρ²), exact for one atom; 1e-3 over all",
    ));
    outcome.checks.push(Check::at_most(
        format!("bridge step: mean lifetime, largest deviation of {count} in standard errors"),
        bridge
            .iter()
            .map(|row| (row.mean.value - row.exact).abs() / row.mean.standard_error)
            .fold(0.0, f64::max),
        critical_z(SIGNIFICANCE, count)?,
        "(ρ/a) K_{ν-1}(aρ)/K_ν(aρ); 1e-3 over all",
    ));
    if let Some(line) = rows.iter().find(|row| row.name == "euler" && row.dim == 1) {
        outcome.checks.push(Check::at_most(
            "Euler-Maruyama on the line by local time: KS of the lifetime to R11",
            line.ks.statistic,
            metrics::ks_critical(settings.particles, SIGNIFICANCE)?,
            "exact at every step size for one point; critical value at 1e-3",
        ));
    }
    outcome.checks.push(Check::at_most(
        format!("r = {}: GIG against inverse gamma, largest difference", settings.vanishing),
        limits.iter().map(|limit| limit.law).fold(0.0, f64::max),
        // For d = 3 the factor is e^{a ρ} to first order.
        f64::sqrt(2.0 * settings.vanishing) * START + 1e-9,
        "R11 as r → 0; the density changes by the factor e^{-rt} and its norm, aρ for d = 3",
    ));
    outcome.checks.push(Check::at_most(
        format!("r = {}: KS of the lifetime to ρ²/(2γ), largest of {}", settings.vanishing, limits.len()),
        limits.iter().map(|limit| limit.ks.statistic).fold(0.0, f64::max),
        metrics::ks_critical(settings.particles, SIGNIFICANCE / limits.len().max(1) as f64)?,
        "γ ~ Gamma(d/2 - 1); 1e-3 over all",
    ));
    Ok(())
}

fn table(rows: &[Row], settings: &Settings) -> Result<Table> {
    let mut table = Table::new(
        "Lifetime from a fixed start",
        format!(
            "{} particles from the distance {START} of one atom, σ = 1: the bridge step at η = {} with the floor {}, Euler-Maruyama at η = {} killed at \
             δ = {} (by local time on the line). Critical KS at 1e-3 for one comparison: {:.5}.",
            settings.particles,
            settings.bridge_eta,
            settings.floor,
            settings.euler_eta,
            settings.delta,
            metrics::ks_critical(settings.particles, SIGNIFICANCE)?
        ),
        &["d", "r", "step", "KS", "p-value", "mean", "error", "exact mean", "evaluations"],
    );
    for row in rows {
        table.push(cells![
            row.dim,
            row.rate,
            row.name,
            row.ks.statistic,
            row.ks.p_value,
            row.mean.value,
            row.mean.standard_error,
            row.exact,
            row.evaluations,
        ]);
    }
    Ok(table)
}

fn limit_table(limits: &[Limit], settings: &Settings) -> Result<Table> {
    let mut table = Table::new(
        "Vanishing rate",
        format!(
            "r = {}: the law R11 against that of ρ²/(2γ), and {} particles by the bridge step against the latter. Critical KS at 1e-3: {:.5}.",
            settings.vanishing,
            settings.particles,
            metrics::ks_critical(settings.particles, SIGNIFICANCE)?
        ),
        &["d", "difference of the laws", "KS", "p-value"],
    );
    for limit in limits {
        table.push(cells![limit.dim, limit.law, limit.ks.statistic, limit.ks.p_value]);
    }
    Ok(table)
}

fn figure(rows: &[Row]) -> Result<String> {
    let last = 3.0;
    let mut chart = Chart::new(
        Axis::linear("lifetime in units of its mean").range(0.0, last),
        Axis::linear("distribution function").range(0.0, 1.0),
    );
    for (colour, row) in rows.iter().filter(|row| row.name == "bridge").enumerate() {
        let law = Atom::new(row.dim, row.rate)?.process.green().lifetime(START);
        let at = |k: usize, of: usize| last * k as f64 / of as f64;
        let line = (0..=CURVE).map(|k| (at(k, CURVE), law.cdf(at(k, CURVE) * row.exact))).collect();
        let dots = (1..15).map(|k| (at(k, 15), share_below(&row.sample, at(k, 15) * row.exact))).collect();
        chart = chart
            .series(Series::line(format!("d = {}, r = {}", row.dim, row.rate), line).colour(colour))
            .series(Series::dots("", dots).colour(colour));
    }
    let exponential =
        (0..=CURVE).map(|k| last * k as f64 / CURVE as f64).map(|t| (t, -f64::exp_m1(-t))).collect();
    chart.series(Series::dashed("exponential", exponential).exact()).svg()
}

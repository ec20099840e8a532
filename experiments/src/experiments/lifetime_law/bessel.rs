//! R12: as r → 0 the distance to one atom is a Bessel process of dimension 4 - d, absorbed at 0.

use anyhow::Result;
use resolvent::core::killing::{DistanceToSupport, FixedTime};
use resolvent::core::step::{Bridge, EulerMaruyama};
use resolvent::core::{Ensemble, Sampler, ScoreAdaptive};
use resolvent::metrics::{self, Estimate, KsResult};
use resolvent::special::log_i;

use super::super::reverse_time::{critical_z, derived_seed};
use super::super::tabulated::Tabulated;
use super::fixed_start::inverse_gamma;
use super::{Atom, SIGNIFICANCE, START, Settings, norm, observer, starts};
use crate::experiment::Context;
use crate::outcome::{Check, Figure, Outcome, Table, cells};
use crate::plot::histogram_with_density;
use crate::progress::Progress;

/// The share of particles that is still alive when they are looked at.
const ALIVE: f64 = 0.6;
/// Cells of the quadrature of the density.
const CELLS: usize = 20_000;

/// Particles looked at after a fixed time.
struct Row {
    dim: usize,
    name: &'static str,
    time: f64,
    alive: Estimate,
    exact_alive: f64,
    /// The squared distance of those alive to its law.
    ks: KsResult,
    /// |Y|² - (4 - d) t at the time or at death, a martingale from ρ².
    martingale: Estimate,
    distances: Vec<f64>,
}

pub(super) fn run(
    settings: &Settings,
    context: &Context,
    progress: &Progress,
    outcome: &mut Outcome,
) -> Result<()> {
    let mut rows = Vec::new();
    for &dim in &settings.bessel_dims {
        let atom = Atom::new(dim, settings.vanishing)?;
        let dead = inverse_gamma(dim)?;
        let time = quantile(&dead, 1.0 - ALIVE);
        for name in ["bridge", "euler"] {
            let ensemble = ensemble(&atom, name, time, settings, context, progress)?;
            rows.push(row(dim, name, time, 1.0 - dead(time), &ensemble)?);
        }
    }
    checks(&rows, outcome)?;
    outcome.tables.push(table(&rows, settings));
    let row = &rows[0];
    let nu = 0.5 * row.dim as f64 - 1.0;
    outcome.figures.push(Figure::new(
        "distance",
        format!(
            "Distance to the atom at time {:.3} of the particles then alive, d = {}, from ρ₀ = {START}: {} by the bridge step, and the Bessel process \
             of dimension {}, absorbed at 0, as a density.",
            row.time,
            row.dim,
            row.distances.len(),
            4 - row.dim as i64
        ),
        histogram_with_density(
            "distance to the atom",
            ("simulated", &row.distances),
            ("exact", |rho| 2.0 * rho * density(nu, row.time, rho * rho) / row.exact_alive),
            (0.0, 1.0 + 3.0 * row.time.sqrt()),
            50,
        )?,
    ));
    Ok(())
}

fn ensemble(
    atom: &Atom,
    name: &str,
    time: f64,
    settings: &Settings,
    context: &Context,
    progress: &Progress,
) -> Result<Ensemble> {
    let dim = atom.process.dim();
    let starts = starts(dim, settings.particles);
    let observer = observer(context, progress);
    let seed = derived_seed(context.seed, 10 * dim as u64 + if name == "bridge" { 3 } else { 4 });
    let look = FixedTime::new(time)?;
    if name == "bridge" {
        let step = Bridge::new(&atom.score);
        let control = ScoreAdaptive::new(settings.bridge_eta, settings.floor)?;
        let sampler = Sampler::new(&atom.process, &step, &control).killing("time", &look);
        return Ok(sampler.run_observed(&starts, seed, &observer)?);
    }
    let step = EulerMaruyama::new(&atom.score);
    let control = ScoreAdaptive::new(settings.euler_eta, 0.0)?;
    let entrance = DistanceToSupport::new(norm, settings.delta)?;
    let sampler =
        Sampler::new(&atom.process, &step, &control).killing("distance", &entrance).killing("time", &look);
    Ok(sampler.run_observed(&starts, seed, &observer)?)
}

/// In both runs the rule of index 0 is death, that of index 1 the time.
fn row(dim: usize, name: &'static str, time: f64, exact_alive: f64, ensemble: &Ensemble) -> Result<Row> {
    let n = ensemble.exits.len();
    let (mut squares, mut martingale) = (Vec::new(), Vec::with_capacity(n));
    for (i, x) in ensemble.points.column_iter().enumerate() {
        let mut square = 0.0;
        if ensemble.exit_code(i) == 1 {
            square = x.norm_squared();
            squares.push(square);
        }
        martingale.push(square - (4.0 - dim as f64) * ensemble.lifetimes[i]);
    }
    let law = squared_distance(dim, time);
    Ok(Row {
        dim,
        name,
        time,
        alive: metrics::proportion(squares.len() as u64, n as u64)?,
        exact_alive,
        ks: metrics::ks_one_sample(&squares, |y| law.at(y))?,
        martingale: metrics::mean(&martingale)?,
        distances: squares.iter().map(|y| y.sqrt()).collect(),
    })
}

/// The density of |Y_t|² on the particles alive, from |Y_0| = [`START`]. A squared Bessel process of dimension 4 - d absorbed at 0
/// is that of dimension d, transformed by |y|^{2-d}: (1/2t) (x/y)^{ν/2} e^{-(x+y)/(2t)} I_ν(√(xy)/t) with ν = d/2 - 1 (Revuz and
/// Yor 1999, chapter XI.1).
fn density(nu: f64, time: f64, y: f64) -> f64 {
    let (x, y) = (START * START, y.max(1e-12));
    let log = 0.5 * nu * (x / y).ln() - 0.5 * (x + y) / time + log_i(nu, (x * y).sqrt() / time);
    0.5 * log.exp() / time
}

/// The law of |Y_t|² given that the particle is alive.
fn squared_distance(dim: usize, time: f64) -> Tabulated {
    let far = (START + 8.0 * time.sqrt()).powi(2);
    let spacing = far / CELLS as f64;
    let nu = 0.5 * dim as f64 - 1.0;
    let values: Vec<f64> = (0..=CELLS).map(|k| density(nu, time, spacing * k as f64)).collect();
    Tabulated::of_density(0.0, spacing, &values)
}

fn quantile(cdf: impl Fn(f64) -> f64, share: f64) -> f64 {
    let (mut low, mut high) = (-20.0_f64, 20.0_f64);
    while high - low > 1e-12 {
        let middle = 0.5 * (low + high);
        if cdf(middle.exp()) < share { low = middle } else { high = middle }
    }
    high.exp()
}

fn checks(rows: &[Row], outcome: &mut Outcome) -> Result<()> {
    let bridge: Vec<&Row> = rows.iter().filter(|row| row.name == "bridge").collect();
    let count = bridge.len();
    let z = critical_z(SIGNIFICANCE, count)?;
    let deviation = |value: &dyn Fn(&Row) -> (Estimate, f64)| {
        let deviations = bridge.iter().map(|row| {
            let (estimate, exact) = value(row);
            (estimate.value - exact).abs() / estimate.standard_error
        });
        deviations.fold(0.0, f64::max)
    };
    outcome.checks.push(Check::at_most(
        format!("share alive at a fixed time, r → 0, largest deviation of {count} in standard errors"),
        deviation(&|row| (row.alive, row.exact_alive)),
        z,
        "P(ρ²/(2γ) > t); 1e-3 over all",
    ));
    outcome.checks.push(Check::at_most(
        format!("|Y|² - (4 - d)t at that time or at death, largest deviation of {count} in standard errors"),
        deviation(&|row| (row.martingale, START * START)),
        z,
        "squared Bessel process of dimension 4 - d (R12); 1e-3 over all",
    ));
    let least = bridge.iter().map(|row| row.ks.p_value).fold(1.0, f64::min);
    outcome.checks.push(Check::at_least(
        format!("law of |Y|² at that time on the particles alive, least of {count} p-values"),
        least,
        SIGNIFICANCE / count as f64,
        "transition density of the Bessel process of dimension 4 - d, absorbed at 0 (R12); 1e-3 over all",
    ));
    Ok(())
}

fn table(rows: &[Row], settings: &Settings) -> Table {
    let mut table = Table::new(
        "Distance to one atom, r → 0",
        format!(
            "{} particles from ρ₀ = {START}, r = {}, looked at when {ALIVE} are to be alive: the share alive, |Y|² of those against the law of a squared \
             Bessel process of dimension 4 − d, and the mean of |Y|² − (4 − d)t at that time or at death, which is ρ₀² = 1. Bridge step at \
             η = {}; Euler-Maruyama at η = {}, killed at δ = {}.",
            settings.particles, settings.vanishing, settings.bridge_eta, settings.euler_eta, settings.delta
        ),
        &["d", "step", "time", "alive", "error", "exact", "KS", "p-value", "|Y|² − (4 − d)t", "error"],
    );
    for row in rows {
        table.push(cells![
            row.dim,
            row.name,
            row.time,
            row.alive.value,
            row.alive.standard_error,
            row.exact_alive,
            row.ks.statistic,
            row.ks.p_value,
            row.martingale.value,
            row.martingale.standard_error,
        ]);
    }
    table
}

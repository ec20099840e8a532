//! `reversal`: the discretised backward process against the exact one, from dimension 2 to 3072.

mod figures;
mod methods;
mod problem;
mod second_order;

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use self::methods::{Measured, Method};
use self::problem::Problem;
use crate::experiment::{Context, Experiment};
use crate::outcome::{Check, Outcome, Table, cells};

/// Significance of every test of fit.
const SIGNIFICANCE: f64 = 1e-3;
/// From here on the accuracy of the mean bridge is declared, and its cost should not depend on the dimension.
const HIGH_DIMENSION: usize = 8;

/// Steps of several sizes against end-point law, lifetime law and cost.
pub(crate) struct Reversal;

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Dimensions d.
    dims: Vec<usize>,
    /// Killing rates r, one for each dimension.
    rates: Vec<f64>,
    /// Independent problems (data and start), as many as said for each dimension.
    problems: Vec<usize>,
    /// Data points of each problem.
    atoms: usize,
    /// Particles of each run.
    particles: usize,
    /// Resolution δ in units of the smallest gap between data.
    floor: f64,
    /// Step sizes η swept in the last figures.
    sweep: Vec<f64>,
    /// Dimension in which they are swept.
    sweep_dim: usize,
    /// Dimensions in which the corrected bridge is compared with the bridge at equal cost.
    equal_cost_dims: Vec<usize>,
    /// How many problems there in each dimension.
    equal_cost_problems: usize,
    /// Particles of each run there, one number for each dimension.
    equal_cost_particles: Vec<usize>,
    /// That cost: evaluations of a particle.
    equal_cost: f64,
    /// Particles with which the order of the steps is measured.
    order_particles: usize,
}

impl Settings {
    /// The rate in the dimension `dim`.
    fn rate(&self, dim: usize) -> Result<f64> {
        let at = self.dims.iter().position(|d| *d == dim);
        let at = at.with_context(|| format!("equal_cost_dims names {dim}, which is not in dims"))?;
        Ok(self.rates[at])
    }
}

impl Experiment for Reversal {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "reversal"
    }

    fn summary(&self) -> &'static str {
        "backward steps against the exact end-point and lifetime law, d = 2 to 3072"
    }

    fn seconds(&self) -> u32 {
        440
    }

    fn full(&self) -> Settings {
        Settings {
            dims: vec![2, 3, 8, 32, 128, 784, 3072],
            rates: vec![0.2, 0.2, 0.05, 0.02, 0.01, 0.01, 0.01],
            problems: vec![3, 3, 3, 3, 3, 1, 1],
            atoms: 5,
            particles: 20_000,
            floor: 1e-2,
            sweep: vec![1.0, 0.5, 0.2, 0.1, 0.05],
            sweep_dim: 8,
            equal_cost_dims: vec![3, 8, 32],
            equal_cost_problems: 3,
            equal_cost_particles: vec![50_000, 200_000, 50_000],
            equal_cost: 50.0,
            order_particles: 200_000,
        }
    }

    fn quick(&self) -> Settings {
        Settings {
            dims: vec![2, 3, 8, 32, 128],
            rates: vec![0.2, 0.2, 0.05, 0.02, 0.01],
            problems: vec![1; 5],
            particles: 3_000,
            equal_cost_dims: vec![3],
            equal_cost_problems: 1,
            equal_cost_particles: vec![20_000],
            order_particles: 100_000,
            ..self.full()
        }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        for (name, length) in [("rates", settings.rates.len()), ("problems", settings.problems.len())] {
            let dims = settings.dims.len();
            ensure!(length == dims, "{name} has {length} entries, dims has {dims}");
        }
        ensure!(
            settings.dims.contains(&settings.sweep_dim),
            "sweep_dim = {} is not in dims",
            settings.sweep_dim
        );
        second_order::validate(settings)?;
        let methods = Method::all();
        let problems: usize = settings.problems.iter().sum();
        let runs = problems * methods.len() + settings.sweep.len() * Method::SWEPT.len();
        let progress = context.progress((runs * settings.particles) as u64, "reversal");
        let mut rows = Vec::new();
        let mut lifetimes = None;
        let cases = settings.dims.iter().zip(&settings.rates).zip(&settings.problems);
        for ((&dim, &rate), &problems) in cases {
            for number in 0..problems {
                let problem = Problem::new(dim, rate, number, settings, context.seed)?;
                for method in &methods {
                    let (measured, ensemble) = method.measure(&problem, settings, context, &progress)?;
                    if dim == settings.sweep_dim && number == 0 && method.is_default_bridge() {
                        lifetimes = Some((problem.lifetime_law(), ensemble.lifetimes));
                    }
                    rows.push(measured);
                }
            }
        }
        let mut sweep = Vec::new();
        let at = settings.dims.iter().position(|d| *d == settings.sweep_dim).expect("checked above");
        let problem = Problem::new(settings.sweep_dim, settings.rates[at], 0, settings, context.seed)?;
        for &eta in &settings.sweep {
            for kind in Method::SWEPT {
                sweep.push(Method { kind, eta }.measure(&problem, settings, context, &progress)?.0);
            }
        }
        let findings = second_order::run(settings, context)?;
        let mut checks = checks(&rows);
        checks.extend(second_order::checks(&findings, settings));
        let mut tables = vec![
            table("all runs", "Every dimension, problem and step.", &rows, settings),
            table("step sizes", "Error against cost as the step size moves.", &sweep, settings),
        ];
        tables.extend(second_order::tables(&findings, settings));
        let mut figures = figures::all(&rows, &sweep, lifetimes, settings)?;
        figures.extend(second_order::figures(&findings, settings)?);
        Ok(Outcome {
            checks,
            tables,
            figures,
            notes: vec![
                "In d = 2 points are barely polar: the particle comes close to every datum and hitting takes \
                 logarithmically long, and small steps may reach the cap. It is reported, not checked; so is d = 3, but for the \
                 exact step."
                    .into(),
                "The problem is hard where the posterior over end points is spread at the start. Steps that heed the \
                 spread (`bridge`) then shorten; the plain rule (`bridge, plain`) takes a step of η time scales towards \
                 the mean of the candidates and can end at the wrong shares in high dimension."
                    .into(),
            ],
        })
    }
}

/// What the theory promises.
fn checks(rows: &[Measured]) -> Vec<Check> {
    let mut checks = Vec::new();
    let polar = |m: &&Measured| m.dim > 2;
    for m in rows.iter().filter(polar).filter(|m| m.method.is_exact()) {
        let case = format!("posterior bridge, d = {}, problem {}", m.dim, m.problem + 1);
        checks.push(Check::at_least(
            format!("p of the end points, {case}"),
            m.end_p,
            SIGNIFICANCE,
            "exact for any data and step size (R18)",
        ));
        checks.push(Check::at_least(
            format!("p of the lifetimes, {case}"),
            m.lifetime_p,
            SIGNIFICANCE,
            "exact for any data and step size (R18)",
        ));
    }
    let bridges: Vec<&Measured> =
        rows.iter().filter(|m| m.dim >= HIGH_DIMENSION && m.method.is_default_bridge()).collect();
    if !bridges.is_empty() {
        let worst = |value: fn(&Measured) -> f64| bridges.iter().map(|m| value(m)).fold(0.0, f64::max);
        let cheapest = bridges.iter().map(|m| m.evaluations).fold(f64::INFINITY, f64::min);
        let accuracy = "declared accuracy of the mean bridge at η = 0.2 (R19)";
        let cost = "2d/(d-2) log(ρ_0/δ)/η evaluations: hardly a function of d";
        let dearest = worst(|m| m.evaluations);
        for (name, value, bound, source) in [
            ("total variation of the mean bridge, d >= 8, worst", worst(|m| m.tv.value), 0.06, accuracy),
            ("lifetime KS of the mean bridge, d >= 8, worst", worst(|m| m.lifetime_ks), 0.07, accuracy),
            ("evaluations of the mean bridge, d >= 8, worst", dearest, 120.0, cost),
            ("their largest over their smallest", dearest / cheapest, 2.0, cost),
        ] {
            checks.push(Check::at_most(name, value, bound, source));
        }
    }
    let bridge_steps = rows.iter().filter(polar).filter(|m| m.method.kills_by_lifetime());
    let lost = bridge_steps.map(|m| 1.0 - m.ended).fold(0.0, f64::max);
    checks.push(Check::at_most(
        "share of particles of bridge steps not ended by their lifetime, d >= 3, worst",
        lost,
        0.0,
        "the lifetime is finite; particles at the cap or diverged would count here",
    ));
    checks
}

fn table(name: &str, caption: &str, rows: &[Measured], settings: &Settings) -> Table {
    let mut table = Table::new(
        name,
        format!(
            "{caption} {} particles a run, {} atoms, resolution {} of the smallest gap. TV: total variation of the end \
             points, beside what a perfect sampler has on average; KS: Kolmogorov-Smirnov distance of the lifetimes (a \
             perfect sampler has {:.4} on average); spread: one less the largest posterior weight at the start; ended: \
             share of particles ended by lifetime or rule, the rest being at the cap.",
            settings.particles,
            settings.atoms,
            settings.floor,
            resolvent::metrics::expected_ks(settings.particles).unwrap_or(f64::NAN),
        ),
        &[
            "d",
            "problem",
            "spread",
            "step",
            "η",
            "TV",
            "TV floor",
            "p",
            "KS",
            "p (KS)",
            "evaluations",
            "ended",
        ],
    );
    for m in rows {
        table.push(cells![
            m.dim,
            m.problem + 1,
            m.spread,
            m.method.kind.name(),
            m.method.eta,
            m.tv.value,
            m.tv_floor,
            m.end_p,
            m.lifetime_ks,
            m.lifetime_p,
            m.evaluations,
            m.ended
        ]);
    }
    table
}

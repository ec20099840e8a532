//! The corrected bridge against the bridge: at equal cost, and as the step goes to zero.

use std::ops::ControlFlow;

use anyhow::{Result, ensure};
use nalgebra::DMatrix;
use resolvent::metrics::{self, Estimate};

use super::Settings;
use super::methods::{Kind, Measured, Method};
use super::problem::Problem;
use crate::experiment::Context;
use crate::outcome::{Check, Figure, Table, cells};
use crate::plot::{Axis, Chart, Series};

/// The two that are compared.
const PAIR: [Kind; 2] = [Kind::Bridge, Kind::CorrectedBridge];
/// Particles with which the step size is tuned, and how often.
const PILOT: (usize, usize) = (500, 10);
/// Between these lies the step size.
const ETA: (f64, f64) = (1e-3, 10.0);
/// From here on R19 is at the Monte-Carlo floor already, and the corrected step is to be no worse.
const AT_FLOOR: usize = 32;
/// Standard errors that are allowed for.
const ERRORS: f64 = 2.0;
/// The problems of this seed are compared on, whatever the seed of the run: what R19 errs by differs from problem to
/// problem more than a few of them average out.
const PROBLEMS: u64 = 0;
/// The order: dimension, share of the first of two data, and step sizes.
const ORDER: (usize, f64, [f64; 3]) = (8, 0.8, [0.8, 0.4, 0.2]);
/// Compared there: the same steps without and with the correction.
const SAME_STEPS: [Kind; 2] = [Kind::UncorrectedBridge, Kind::CorrectedBridge];

/// What both were found to do.
pub(super) struct Findings {
    /// At equal cost.
    pub(super) rows: Vec<Measured>,
    /// At several step sizes, between two data.
    pub(super) order: Vec<Bias>,
}

/// How far the share of the first of two data is from what it should be.
pub(super) struct Bias {
    method: Method,
    value: Estimate,
    evaluations: f64,
}

/// Runs both steps on every problem of every dimension at equal cost, and on the problem of two data.
pub(super) fn run(settings: &Settings, context: &Context) -> Result<Findings> {
    let cases = settings.equal_cost_dims.iter().zip(&settings.equal_cost_particles);
    let each: usize = settings.equal_cost_particles.iter().sum();
    let compared = PAIR.len() * settings.equal_cost_problems * each;
    let ordered = SAME_STEPS.len() * ORDER.2.len() * settings.order_particles;
    let progress = context.progress((compared + ordered) as u64, "second order");
    let mut rows = Vec::new();
    for (&dim, &particles) in cases {
        let rate = settings.rate(dim)?;
        let settings = Settings { particles, ..settings.clone() };
        for number in 0..settings.equal_cost_problems {
            let problem = Problem::new(dim, rate, number, &settings, PROBLEMS)?;
            for kind in PAIR {
                let eta = eta_of_cost(kind, &problem, settings.equal_cost, context)?;
                rows.push(Method { kind, eta }.measure(&problem, &settings, context, &progress)?.0);
            }
        }
    }
    let (dim, share, etas) = ORDER;
    let problem = Problem::two_atoms(dim, share, settings.order_particles)?;
    let mut order = Vec::new();
    for kind in SAME_STEPS {
        for eta in etas {
            context.proceed()?;
            let method = Method { kind, eta };
            let observer = |ended: usize| {
                progress.inc(ended as u64);
                if context.interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let ensemble = method.run(&problem, &problem.starts, context.seed, &observer)?;
            let nearest = metrics::nearest_index(&ensemble.points, problem.measure.points())?;
            let first = nearest.iter().filter(|i| **i == 0).count() as u64;
            let found = metrics::proportion(first, settings.order_particles as u64)?;
            let value = Estimate { value: found.value - problem.end_law()[0], ..found };
            order.push(Bias { method, value, evaluations: ensemble.mean_evaluations() });
        }
    }
    Ok(Findings { rows, order })
}

/// The step size at which a particle is given so many evaluations on average, found by bisection with particles of another
/// seed; the smallest one where even that takes fewer.
fn eta_of_cost(kind: Kind, problem: &Problem, evaluations: f64, context: &Context) -> Result<f64> {
    let pilot = DMatrix::from_fn(problem.process.dim(), PILOT.0, |i, _| problem.starts[(i, 0)]);
    let (mut low, mut high) = (ETA.0.ln(), ETA.1.ln());
    for _ in 0..PILOT.1 {
        context.proceed()?;
        let middle = 0.5 * (low + high);
        let method = Method { kind, eta: middle.exp() };
        let observer =
            |_| if context.interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let ensemble = method.run(problem, &pilot, context.seed.wrapping_add(1), &observer)?;
        if ensemble.mean_evaluations() > evaluations { low = middle } else { high = middle }
    }
    Ok(high.exp())
}

/// The mean over the problems of one dimension of an error above its floor.
fn excess(rows: &[Measured], dim: usize, kind: Kind, value: fn(&Measured) -> Estimate) -> Estimate {
    let of_kind = || rows.iter().filter(|m| m.dim == dim && m.method.kind == kind).map(value);
    let n = of_kind().count() as f64;
    Estimate {
        value: of_kind().map(|e| e.value).sum::<f64>() / n,
        standard_error: of_kind().map(|e| e.standard_error.powi(2)).sum::<f64>().sqrt() / n,
    }
}

fn end_points(m: &Measured) -> Estimate {
    Estimate { value: m.tv.value - m.tv_floor, ..m.tv }
}

/// The standard error is that of an empirical distribution function where it is largest.
fn lifetimes(m: &Measured) -> Estimate {
    let n = m.particles;
    let floor = metrics::expected_ks(n).unwrap_or(f64::NAN);
    Estimate { value: m.lifetime_ks - floor, standard_error: 0.5 / (n as f64).sqrt() }
}

type Error = (&'static str, fn(&Measured) -> Estimate);
const COMPARED: [Error; 2] = [("end-point total variation", end_points), ("lifetime KS", lifetimes)];

/// At most half the error where R19 has one, no worse where it has none; and the order.
pub(super) fn checks(findings: &Findings, settings: &Settings) -> Vec<Check> {
    let mut checks = Vec::new();
    for &dim in &settings.equal_cost_dims {
        for (name, value) in COMPARED {
            let [old, new] = PAIR.map(|kind| excess(&findings.rows, dim, kind, value));
            let cost = settings.equal_cost;
            checks.push(if dim < AT_FLOOR {
                let ratio = new.value / old.value;
                let error = f64::hypot(new.standard_error, ratio * old.standard_error) / old.value;
                Check::at_most(
                    format!(
                        "{name} above the floor, corrected bridge over bridge at {cost} evaluations, d = {dim}, with {ERRORS} \
                         standard errors"
                    ),
                    // A ratio of nothing to nothing would show nothing.
                    if old.value > 0.0 { ratio + ERRORS * error } else { f64::NAN },
                    0.5,
                    "at most half the error of R19 at equal cost",
                )
            } else {
                let error = f64::hypot(new.standard_error, old.standard_error);
                Check::at_most(
                    format!(
                        "{name}, corrected bridge less bridge at {cost} evaluations, d = {dim}, in standard errors"
                    ),
                    (new.value - old.value) / error,
                    ERRORS,
                    "no worse than R19, which is at the Monte-Carlo floor",
                )
            });
        }
    }
    let [order, _] = order_of(&findings.order, Kind::CorrectedBridge);
    checks.push(Check::at_least(
        "order of the end points' bias, corrected bridge",
        order,
        1.5,
        "weak order 2: nearer to 2 than to 1",
    ));
    checks
}

/// The order between the two smallest step sizes and its standard error.
fn order_of(biases: &[Bias], kind: Kind) -> [f64; 2] {
    let mut of_kind = biases.iter().rev().filter(|b| b.method.kind == kind);
    let (Some(fine), Some(coarse)) = (of_kind.next(), of_kind.next()) else { return [f64::NAN; 2] };
    let scale = (coarse.method.eta / fine.method.eta).ln();
    let relative = |b: &Bias| b.value.standard_error / b.value.value;
    [
        (coarse.value.value / fine.value.value).ln() / scale,
        f64::hypot(relative(coarse), relative(fine)) / scale,
    ]
}

/// All runs, their means, and the biases.
pub(super) fn tables(findings: &Findings, settings: &Settings) -> Vec<Table> {
    let mut runs = Table::new(
        "equal cost",
        format!(
            "The bridge and the corrected bridge, each at the step size η at which a particle of that problem is given {} \
             evaluations on average (at most: where the posterior is settled the corrected bridge takes fewer). TV and KS: \
             end-point total variation and lifetime Kolmogorov-Smirnov distance less what a perfect sampler has on average, with \
             standard errors (upper bounds near the floor).",
            settings.equal_cost
        ),
        &["d", "problem", "particles", "spread", "step", "η", "evaluations", "TV", "± TV", "KS", "± KS"],
    );
    for m in &findings.rows {
        let (tv, ks) = (end_points(m), lifetimes(m));
        runs.push(cells![
            m.dim,
            m.problem + 1,
            m.particles,
            m.spread,
            m.method.kind.name(),
            m.method.eta,
            m.evaluations,
            tv.value,
            tv.standard_error,
            ks.value,
            ks.standard_error
        ]);
    }
    let mut means = Table::new(
        "equal cost, means",
        "The same, averaged over the problems of a dimension.",
        &["d", "error", "bridge", "± bridge", "corrected", "± corrected", "ratio"],
    );
    for &dim in &settings.equal_cost_dims {
        for (name, value) in COMPARED {
            let [old, new] = PAIR.map(|kind| excess(&findings.rows, dim, kind, value));
            means.push(cells![
                dim,
                name,
                old.value,
                old.standard_error,
                new.value,
                new.standard_error,
                new.value / old.value
            ]);
        }
    }
    let (dim, share, _) = ORDER;
    let mut order = Table::new(
        "order",
        format!(
            "Share of particles ending in the first of two data less its probability {share}, d = {dim}, {} particles, at \
             the same steps without and with the correction; order: between the two smallest step sizes.",
            settings.order_particles
        ),
        &["step", "η", "evaluations", "bias", "± bias", "order", "± order"],
    );
    for b in &findings.order {
        let [exponent, error] = order_of(&findings.order, b.method.kind);
        order.push(cells![
            b.method.kind.name(),
            b.method.eta,
            b.evaluations,
            b.value.value,
            b.value.standard_error,
            exponent,
            error
        ]);
    }
    vec![runs, means, order]
}

/// The errors by dimension, and the bias by step size.
pub(super) fn figures(findings: &Findings, settings: &Settings) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for ((name, value), stem) in COMPARED.into_iter().zip(["equal-cost-end-points", "equal-cost-lifetimes"]) {
        let mut chart = Chart::new(Axis::log("dimension"), Axis::linear(format!("{name} above the floor")));
        for kind in PAIR {
            let means: Vec<(f64, Estimate)> = settings
                .equal_cost_dims
                .iter()
                .map(|&dim| (dim as f64, excess(&findings.rows, dim, kind, value)))
                .collect();
            let points = means.iter().map(|(dim, e)| (*dim, e.value)).collect();
            let errors = means.iter().map(|(_, e)| ERRORS * e.standard_error).collect();
            chart = chart.series(Series::marked(kind.name(), points).errors(errors));
        }
        figures.push(Figure::new(
            stem,
            format!(
                "{name} above that of a perfect sampler, at {} evaluations of a particle, mean over problems; bars: two standard \
                 errors.",
                settings.equal_cost
            ),
            chart.reference(0.0, "perfect sampler").svg()?,
        ));
    }
    let (dim, share, _) = ORDER;
    let mut chart = Chart::new(Axis::log("step size η"), Axis::log("bias of the share"));
    for kind in SAME_STEPS {
        let of_kind: Vec<&Bias> = findings.order.iter().filter(|b| b.method.kind == kind).collect();
        let points = of_kind.iter().map(|b| (b.method.eta, b.value.value)).collect();
        let errors = of_kind.iter().map(|b| ERRORS * b.value.standard_error).collect();
        chart = chart.series(Series::marked(kind.name(), points).errors(errors));
    }
    if let Some(fine) = findings.order.last() {
        let square = |eta: &f64| (*eta, fine.value.value * (eta / fine.method.eta).powi(2));
        chart = chart.series(Series::dashed("η²", ORDER.2.iter().map(square).collect()).exact());
    }
    figures.push(Figure::new(
        "order",
        format!(
            "Share of particles ending in the first of two data less its probability {share} against the step size, d = {dim}; \
             bars: two standard errors. The same steps without and with the correction."
        ),
        chart.svg()?,
    ));
    Ok(figures)
}

/// The settings must name as many numbers of particles as dimensions, and dimensions of the experiment.
pub(super) fn validate(settings: &Settings) -> Result<()> {
    let (dims, particles) = (settings.equal_cost_dims.len(), settings.equal_cost_particles.len());
    ensure!(dims == particles, "equal_cost_particles has {particles} entries, equal_cost_dims has {dims}");
    let cost = settings.equal_cost;
    ensure!(cost.is_finite() && cost >= 1.0, "equal_cost = {cost} is not a number of evaluations");
    settings.equal_cost_dims.iter().try_for_each(|dim| settings.rate(*dim).map(|_| ()))
}

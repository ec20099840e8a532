//! `h-transform`: where and when a process conditioned by a Green kernel dies.

mod atoms;
mod clock;
mod figures;
mod last_exit;
mod tilt;

use anyhow::{Result, ensure};
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent::core::htransform::Atoms;
use resolvent::core::killed::{KilledDriftedBrownianMotion, KilledOrnsteinUhlenbeck};
use resolvent::core::random::{Purpose, stream};
use resolvent::core::score::KernelScore;
use resolvent::core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion};
use serde::{Deserialize, Serialize};

use self::atoms::Compared;
use self::clock::Clocked;
use self::last_exit::LastExits;
use self::tilt::{Exit, Tilt};
use crate::experiment::{Context, Experiment};
use crate::outcome::{Check, Outcome, Table, cells};

/// Significance of every test of fit.
const SIGNIFICANCE: f64 = 1e-4;
/// The stream of the atoms.
const DATA: u64 = 1 << 40;
/// Dimension of the paths towards atoms.
const DIM: usize = 3;

/// Every representing measure: exact draws against simulated paths.
pub(crate) struct HTransforms;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Paths and exact draws of every comparison.
    particles: usize,
    /// Paths towards atoms at rate 0 and with a constant drift.
    further_particles: usize,
    /// Paths under the Ornstein-Uhlenbeck process towards atoms, whose kernel is a quadrature.
    ornstein_uhlenbeck_particles: usize,
    /// Killing rate r.
    rate: f64,
    /// A path towards atoms dies within this distance of one.
    tolerance: f64,
    /// Steps near the atoms, in local time scales.
    eta: f64,
    /// The longest step of paths towards atoms (time), but that far away a tenth of `eta` is allowed.
    longest_step: f64,
    /// Step of the paths under the clock (time).
    clock_step: f64,
    /// Step next to the sphere (time).
    sphere_step: f64,
    /// Radius R of the sphere.
    radius: f64,
    /// Distances |x| of the starts from its centre.
    starts: Vec<f64>,
    /// Radii of the growing sphere in units of |x|.
    growing: Vec<f64>,
}

impl Experiment for HTransforms {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "h-transform"
    }

    fn summary(&self) -> &'static str {
        "processes conditioned by a Green kernel: place and time of death for every representing measure"
    }

    fn seconds(&self) -> u32 {
        120
    }

    fn full(&self) -> Settings {
        Settings {
            particles: 50_000,
            further_particles: 10_000,
            ornstein_uhlenbeck_particles: 5_000,
            rate: 0.5,
            tolerance: 0.02,
            eta: 0.05,
            longest_step: 3e-3,
            clock_step: 2e-3,
            sphere_step: 5e-4,
            radius: 1.5,
            starts: vec![0.6, 2.2],
            growing: vec![1.5, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0],
        }
    }

    fn quick(&self) -> Settings {
        Settings {
            particles: 1_000,
            further_particles: 500,
            ornstein_uhlenbeck_particles: 50,
            longest_step: 5e-3,
            clock_step: 1e-2,
            sphere_step: 2e-3,
            ..self.full()
        }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        ensure!(!settings.growing.is_empty(), "growing has no radius");
        ensure!(
            settings.growing.iter().all(|r| *r > 1.0),
            "growing must hold radii beyond |x|, that is above 1"
        );
        for (name, value) in [("clock_step", settings.clock_step), ("sphere_step", settings.sphere_step)] {
            ensure!(value > 0.0 && value.is_finite(), "{name} must be positive, got {value}");
        }
        ensure!(settings.starts.iter().all(|s| *s > 0.0), "starts must be positive");
        let progress = context.progress(7 + 2 * settings.starts.len() as u64, "h-transform");
        let clock = clocked(settings, context)?;
        progress.inc(1);
        let mut compared = Vec::new();
        for case in 0..6 {
            context.proceed()?;
            compared.push(towards_atoms(case, settings, context.seed)?);
            progress.inc(1);
        }
        let mut exits = Vec::new();
        for dim in [2, 3] {
            let process = KilledBrownianMotion::new(dim, 1.0, settings.rate)?;
            for &start in &settings.starts {
                context.proceed()?;
                exits.push(last_exit::compare(&process, settings.radius, start, settings, context.seed)?);
                progress.inc(1);
            }
        }
        let exit = Exit { process: KilledBrownianMotion::new(DIM, 1.0, settings.rate)?, s: 1.0 };
        let tilts: Vec<Tilt> = settings.growing.iter().map(|radius| exit.tilt(*radius)).collect();
        let uniform = nearly_uniform()?;
        let mut figures = figures::plane(settings, context)?;
        figures.extend(figures::laws(&compared, &exits, (&exit, &tilts), settings)?);
        Ok(Outcome {
            checks: checks(&clock, &compared, &exits, (&exit, &tilts), &uniform)?,
            tables: vec![
            clock_table(&clock, settings),
            atom_table(&compared, settings)?,
            exit_table(&exits, settings),
            tilt_table(&exit, &tilts),
            uniform_table(&uniform),
        ],
            figures,
            notes: vec![
            "Given the place and the time of its death the path of any h-transform of Brownian motion is a Brownian bridge: this \
             is how the pictures are drawn."
                .into(),
            "The law of the last exit from a large sphere keeps the tilt e^{a x·θ} for good at a fixed rate: the clock rings \
             before the direction of the start is forgotten. Starts for the backward process are nearly uniform only where \
             a diam(M) << √d and R >> √d diam(M)."
                .into(),
        ],
        })
    }
}

/// Five atoms in R^`dim` with weights from 0.1 to 0.3.
fn atoms_in(dim: usize, seed: u64) -> Result<EmpiricalMeasure> {
    let mut rng = stream(seed, Purpose::Experiment, DATA + dim as u64);
    let points = DMatrix::from_fn(dim, 5, |_, _| 0.7 * rng.sample::<f64, _>(StandardNormal));
    Ok(EmpiricalMeasure::weighted(points, &[0.1, 0.15, 0.2, 0.25, 0.3])?)
}

fn ornstein_uhlenbeck(settings: &Settings) -> Result<KilledOrnsteinUhlenbeck> {
    Ok(KilledOrnsteinUhlenbeck::new(DIM, 0.5, 1.0, settings.rate)?)
}

fn clocked(settings: &Settings, context: &Context) -> Result<Clocked> {
    clock::compare(&ornstein_uhlenbeck(settings)?, &[1.0, -0.5, 0.0], settings, context.seed)
}

/// One transform by atoms: its paths against R7.
fn towards_atoms(case: usize, settings: &Settings, seed: u64) -> Result<Compared> {
    // Away from the atoms, but for one seed in thousands.
    let (x0, x) = ([0.3, -2.0, 1.0], [-0.5, -2.0, -1.0]);
    let (z, kappa) = ([1.0, 0.5, 0.0], atoms_in(DIM, seed)?);
    let named = |name, process: &str| (name, process.to_owned());
    let rate = settings.rate;
    let of_brownian = |name, rate: f64, transform: Atoms<KilledBrownianMotion>, x: &[f64]| {
        let score = EmpiricalScore::new(transform.process(), transform.kappa().clone())?;
        let process = format!("Brownian motion, r = {rate}");
        let particles = if rate > 0.0 { settings.particles } else { settings.further_particles };
        atoms::compare((name, process), &transform, &score, x, particles, settings, seed)
    };
    let brownian = KilledBrownianMotion::new(DIM, 1.0, rate)?;
    match case {
        0 => of_brownian("a point", rate, Atoms::point(brownian, &z, &x0)?, &x0),
        1 => of_brownian("a law from a fixed start", rate, Atoms::from_start(brownian, &x0, &kappa)?, &x0),
        2 => of_brownian("weighted atoms", rate, Atoms::weighted(brownian, kappa)?, &x),
        3 => {
            let free = KilledBrownianMotion::new(DIM, 1.0, 0.0)?;
            of_brownian("a law from a fixed start", 0.0, Atoms::from_start(free, &x0, &kappa)?, &x0)
        }
        4 => {
            let process = KilledDriftedBrownianMotion::new(vec![0.5, 0.0, -1.0], 1.0, rate)?;
            let transform = Atoms::from_start(process.clone(), &x0, &kappa)?;
            let score = KernelScore::new(&process, transform.kappa().clone())?;
            let names = named("a law from a fixed start", "Brownian motion with drift");
            atoms::compare(names, &transform, &score, &x0, settings.further_particles, settings, seed)
        }
        _ => {
            let process = ornstein_uhlenbeck(settings)?;
            let transform = Atoms::from_start(process.clone(), &x0, &kappa)?;
            let score = KernelScore::new(&process, transform.kappa().clone())?;
            let names = named("a law from a fixed start", "Ornstein-Uhlenbeck");
            atoms::compare(
                names,
                &transform,
                &score,
                &x0,
                settings.ornstein_uhlenbeck_particles,
                settings,
                seed,
            )
        }
    }
}

/// Exits that the conditions for a uniform start allow, and one that they do not.
fn nearly_uniform() -> Result<Vec<(Exit, f64)>> {
    [(3, 5e-5, 1e3), (50, 1e-3, 1e3), (50, 0.5, 1e3), (784, 1e-2, 5e3), (784, 1e-2, 30.0)]
        .into_iter()
        .map(|(dim, rate, radius)| {
            Ok((Exit { process: KilledBrownianMotion::new(dim, 1.0, rate)?, s: 1.0 }, radius))
        })
        .collect()
}

fn checks(
    clock: &Clocked,
    compared: &[Compared],
    exits: &[LastExits],
    (exit, tilts): (&Exit, &[Tilt]),
    uniform: &[(Exit, f64)],
) -> Result<Vec<Check>> {
    let fits = |name: String, p: f64, source: &str| Check::at_least(name, p, SIGNIFICANCE, source);
    let mut checks = Vec::new();
    for (k, place) in clock.places.iter().enumerate() {
        let name = format!("p of the place of death under the clock, coordinate {}", k + 1);
        checks.push(fits(name, place.p_value, "κ = r m: exact draw against simulated path (R7, h = 1)"));
    }
    checks.push(fits("p of the lifetime under the clock".into(), clock.lifetimes.p_value, "Exp(r)"));
    for c in compared {
        let case = format!("{}, {}", c.name, c.process);
        if c.law.len() > 1 {
            let source = "P(death at z_i) = κ_i g(x, z_i)/h(x) (R7)";
            for (how, counts) in [("simulated paths", &c.simulated), ("exact draws", &c.drawn)] {
                checks.push(fits(
                    format!("p of the place of death of {how}: {case}"),
                    c.place_p(counts)?,
                    source,
                ));
            }
        }
        checks.push(fits(
            format!("p of the lifetime: {case}"),
            c.lifetimes.p_value,
            "exact draw against simulated path; given the place, density e^{-rt} p_t(x, z) (R11)",
        ));
    }
    for e in exits {
        let case = format!("last exit from the sphere, d = {}, |x| = {}", e.dim, e.start);
        checks.push(fits(
            format!("p of the place of death: {case}"),
            e.places.p_value,
            "exact draw against simulated path: G(x, y) on the sphere (R7, R8)",
        ));
        checks.push(fits(
            format!("p of the lifetime: {case}"),
            e.lifetimes.p_value,
            "exact draw against simulated path",
        ));
        checks.push(Check::at_most(
            format!("share of paths that meet the sphere less h(x)/h(R), in standard errors: {case}"),
            (e.met.value - e.meeting).abs() / e.met.standard_error,
            3.9,
            "h is the probability to meet the sphere but for a factor (R8); two-sided normal bound at 1e-4",
        ));
    }
    let missed = compared.iter().map(|c| (c.particles - c.hit) as f64).fold(0.0, f64::max);
    checks.push(Check::at_most(
        "paths that did not come within the tolerance of an atom, worst transform",
        missed,
        0.0,
        "every path of Z^h dies on the support of κ",
    ));
    let last = tilts.last().expect("there is a radius");
    checks.push(Check::at_most(
        format!("total variation from von Mises-Fisher at R = {}|x|", last.radius / exit.s),
        last.from_fisher,
        1.05 * exit.fisher_bound(last.radius),
        "a quarter of the oscillation of log(G_r e^{-a x·θ}), first order in 1/R; the next order is below 5 %",
    ));
    let limit = exit.limit_from_uniform();
    checks.push(Check::at_least(
        "total variation from uniform at that radius, over that of von Mises-Fisher",
        last.from_uniform / limit,
        0.95,
        "at fixed r the exit law does not become uniform",
    ));
    for (exit, radius) in uniform {
        checks.push(Check::at_most(
            format!(
                "total variation from uniform, d = {}, r = {}, R = {radius}|x|",
                exit.process.dim(),
                exit.process.rate()
            ),
            exit.tilt(radius * exit.s).from_uniform,
            1.05 * exit.uniform_bound(radius * exit.s),
            "half of κ/√d, κ = |x| |∇ log G_r|(R - |x|), to first order",
        ));
    }
    Ok(checks)
}

fn clock_table(clock: &Clocked, settings: &Settings) -> Table {
    let mut table = Table::new(
        "exponential clock",
        format!(
            "Ornstein-Uhlenbeck process in R³, θ = 0.5, σ = 1, r = {}: {} paths by Euler-Maruyama with steps of {}, dead in each \
             with probability 1 - e^(-r dt), against as many exact draws.",
            settings.rate, clock.particles, settings.clock_step
        ),
        &["compared", "KS", "p"],
    );
    for (k, place) in clock.places.iter().enumerate() {
        table.push(cells![format!("place, coordinate {}", k + 1), place.statistic, place.p_value]);
    }
    table.push(cells!["lifetime", clock.lifetimes.statistic, clock.lifetimes.p_value]);
    table
}

fn atom_table(compared: &[Compared], settings: &Settings) -> Result<Table> {
    let mut table = Table::new(
        "atoms",
        format!(
            "d = {DIM}. Paths of the drift b + Σ ∇ log h by Euler-Maruyama, steps of {} local time scales and at most {}, dead \
             within {} of an atom; hit: paths that did die there, some of \
             them between two looks, so that the look found them elsewhere: farthest, in units of that distance. p: places of simulated paths and of exact draws against R7 \
             (Pearson), lifetimes of both against each other (Kolmogorov and Smirnov).",
            settings.eta, settings.longest_step, settings.tolerance
        ),
        &[
            "κ",
            "process",
            "paths",
            "hit",
            "farthest",
            "p places",
            "p places, draws",
            "KS lifetimes",
            "p lifetimes",
            "steps",
        ],
    );
    for c in compared {
        table.push(cells![
            c.name,
            c.process.as_str(),
            c.particles,
            c.hit,
            c.farthest,
            c.place_p(&c.simulated)?,
            c.place_p(&c.drawn)?,
            c.lifetimes.statistic,
            c.lifetimes.p_value,
            c.steps
        ]);
    }
    Ok(table)
}

fn exit_table(exits: &[LastExits], settings: &Settings) -> Table {
    let mut table = Table::new(
        "last exit from the sphere",
        format!(
            "Brownian motion, r = {}, R = {}: paths on a grid of steps of {} next to the sphere and up to the exponential \
             time, those that met the sphere, at their last visit; against exact draws.",
            settings.rate, settings.radius, settings.sphere_step
        ),
        &[
            "d",
            "|x|",
            "paths",
            "KS places",
            "p",
            "KS lifetimes",
            "p",
            "share that met",
            "standard error",
            "h(x)/h(R)",
        ],
    );
    for e in exits {
        table.push(cells![
            e.dim,
            e.start,
            e.particles,
            e.places.statistic,
            e.places.p_value,
            e.lifetimes.statistic,
            e.lifetimes.p_value,
            e.met.value,
            e.met.standard_error,
            e.meeting
        ]);
    }
    table
}

fn tilt_table(exit: &Exit, tilts: &[Tilt]) -> Table {
    let mut table = Table::new(
        "growing sphere",
        format!(
            "The law of the last exit from |y| = R, d = {}, r = {}, |x| = {}: total variation, by quadrature, from von \
             Mises-Fisher of concentration a|x| = {} and from the uniform law. Bound: first order in 1/R.",
            exit.process.dim(),
            exit.process.rate(),
            exit.s,
            exit.concentration()
        ),
        &["R", "from von Mises-Fisher", "bound", "from uniform"],
    );
    for tilt in tilts {
        table.push(cells![tilt.radius, tilt.from_fisher, exit.fisher_bound(tilt.radius), tilt.from_uniform]);
    }
    table
}

fn uniform_table(uniform: &[(Exit, f64)]) -> Table {
    let mut table = Table::new(
        "nearly uniform starts",
        "From |x| = 1: the two conditions for a uniform exit, a|x|/√d << 1 and R/(√d|x|) >> 1, and the total variation from \
         uniform. The worse they hold, the farther from uniform is the exit.",
        &["d", "r", "R", "a|x|/√d", "R/(√d|x|)", "from uniform", "first-order bound"],
    );
    for (exit, radius) in uniform {
        let root = (exit.process.dim() as f64).sqrt();
        table.push(cells![
            exit.process.dim(),
            exit.process.rate(),
            *radius,
            exit.concentration() / root,
            radius / (root * exit.s),
            exit.tilt(radius * exit.s).from_uniform,
            exit.uniform_bound(radius * exit.s)
        ]);
    }
    table
}

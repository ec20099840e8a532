//! In the plane: rotation, contraction, anisotropic noise, a quadratic rate.

use anyhow::Result;
use nalgebra::{DMatrix, DVector};
use resolvent::core::diffusion::{Diffusion, Dispersion};
use resolvent::core::killed::{GaussianOccupation, KilledLinear, QuadraticRate, draw_deaths};
use resolvent::core::schedule::Level;
use resolvent::core::{GaussianMixture, Score};
use resolvent::metrics;

use super::super::reverse_time::derived_seed;
use super::super::tabulated::Tabulated;
use super::trial::{Lives, PATIENCE, Plain, Problem, Statistic};
use super::{COARSEST, LARGEST_BIAS, SIGNIFICANCE, Settings, figures};
use crate::experiment::Context;
use crate::outcome::{Check, Outcome, Table, cells};

/// Tolerance of log u: far below what a test sees.
const TOLERANCE: f64 = 1e-5;
/// Points at which the law of the lifetime is tabulated.
const GRID: usize = 4_000;
/// Mean lifetimes that a particle with a wrong drift is given: some of them never die.
const WRONG_PATIENCE: f64 = 10.0;
/// Lines along which laws are compared.
const DIRECTIONS: [(&str, [f64; 2]); 4] = [
    ("x", [1.0, 0.0]),
    ("y", [0.0, 1.0]),
    ("(x + y)/√2", [std::f64::consts::FRAC_1_SQRT_2, std::f64::consts::FRAC_1_SQRT_2]),
    ("(x - y)/√2", [std::f64::consts::FRAC_1_SQRT_2, -std::f64::consts::FRAC_1_SQRT_2]),
];

pub(super) struct Plane {
    pub(super) process: KilledLinear,
    pub(super) data: GaussianMixture,
    pub(super) occupation: GaussianOccupation,
    pub(super) lifetime: Tabulated,
}

impl Plane {
    fn new(settings: &Settings) -> Result<Self> {
        let Settings { omega, theta, .. } = *settings;
        let rows = |rows: [f64; 4]| DMatrix::from_row_slice(2, 2, &rows);
        let process = KilledLinear::new(
            rows([-theta, -omega, omega, -theta]),
            DVector::from_vec(vec![0.3, -0.1]),
            Dispersion::Full(rows([0.9, 0.0, 0.3, 0.5])),
            QuadraticRate::new(0.05, DVector::from_vec(vec![0.5, -0.3]), rows([0.4, 0.1, 0.1, 0.2]))?,
        )?;
        let data = GaussianMixture::new(
            &[0.35, 0.65],
            rows([2.0, -1.0, 0.5, -1.2]),
            [rows([0.5, 0.2, 0.2, 0.4]), rows([0.3, -0.1, -0.1, 0.6])],
        )?;
        let occupation = GaussianOccupation::new(&process, data.clone(), TOLERANCE)?;
        let mut end = occupation.mean_lifetime();
        while dead(&process, &data, end) < 1.0 - 1e-9 {
            end *= 1.25;
        }
        let lifetime = Tabulated::new((0.0, end), GRID, |t| dead(&process, &data, t));
        Ok(Self { process, data, occupation, lifetime })
    }
}

/// P(ζ <= t) from α.
fn dead(process: &KilledLinear, data: &GaussianMixture, t: f64) -> f64 {
    let one = |(k, w): (usize, &f64)| {
        let mean = data.means().column(k).into_owned();
        -w * process.survivors(t, &mean, &data.component_covariance(k)).log_mass.exp_m1()
    };
    data.weights().iter().enumerate().map(one).sum()
}

/// The coordinate along a direction.
pub(super) fn along(points: &DMatrix<f64>, direction: [f64; 2]) -> Vec<f64> {
    points.column_iter().map(|x| direction[0] * x[0] + direction[1] * x[1]).collect()
}

/// The law of the data along a direction.
pub(super) fn projected(data: &GaussianMixture, direction: [f64; 2]) -> Result<GaussianMixture> {
    let line = DMatrix::from_row_slice(1, 2, &direction);
    Ok(data.affine(&line, &DVector::zeros(1), &DMatrix::zeros(1, 1))?)
}

/// The distances of the end law from α along all directions.
fn end_law(data: &GaussianMixture, lives: &Lives) -> Result<Vec<f64>> {
    DIRECTIONS
        .iter()
        .map(|(_, direction)| {
            let law = projected(data, *direction)?;
            let ends = along(&lives.data, *direction);
            Ok(metrics::ks_one_sample(&ends, |x| law.cdf(&Level::CLEAN, x))?.statistic)
        })
        .collect()
}

/// Everything about the plane.
pub(super) fn plane(settings: &Settings, context: &Context) -> Result<Outcome> {
    let plane = Plane::new(settings)?;
    let Plane { process, data, occupation, .. } = &plane;
    let log_hazard = |x: &[f64]| occupation.log_hazard(x);
    let problem =
        Problem { process, data, log_hazard: &log_hazard, mean_lifetime: occupation.mean_lifetime() };
    let (n, dt) = (settings.particles, settings.dt);
    let seed = |k: u64| derived_seed(context.seed, k);
    let forward = problem.forward(n, dt, seed(10))?;
    context.proceed()?;
    let starts = problem.forward(n, dt, seed(11))?;
    context.proceed()?;
    let backward = problem.backward(occupation, starts.deaths.clone(), dt, PATIENCE, seed(12))?;
    context.proceed()?;
    let drawn = draw_deaths(process, &data.sample(n, seed(13)), seed(14))?;

    let one = metrics::ks_critical(n, SIGNIFICANCE)?;
    let two = metrics::ks_critical(n / 2, SIGNIFICANCE)?;
    let mut outcome = Outcome::default();
    let mut table = Table::new(
        "plane: tests of fit",
        format!(
            "{n} particles, steps of {dt}, mean lifetime {:.4}; dX = (F X + c) dt + L dW with rotation ω = {} and contraction θ = {}, \
             killed at a quadratic rate. Kolmogorov-Smirnov distances and the values exceeded once in 10,000 by chance.",
            occupation.mean_lifetime(),
            settings.omega,
            settings.theta
        ),
        &["what", "against", "KS", "critical at 1e-4"],
    );
    let mut test = |what: String, against: &str, value: f64, critical: f64, source: &str| {
        table.push(cells![what.clone(), against, value, critical]);
        outcome.checks.push(Check::at_most(
            format!("plane: KS of {what}, to {against}"),
            value,
            critical,
            source,
        ));
    };
    let life = |sample: &[f64]| -> Result<f64> {
        Ok(metrics::ks_one_sample(sample, |t| plane.lifetime.at(t))?.statistic)
    };
    let feynman_kac = "probability to be alive by Feynman and Kac, in closed form; critical value at 1e-4";
    test("the lifetime, forward".into(), "the exact law", life(&forward.lifetimes)?, one, feynman_kac);
    test("the lifetime, drawn exactly".into(), "the exact law", life(&drawn.lifetimes)?, one, feynman_kac);
    for (name, direction) in DIRECTIONS.iter().take(2) {
        let (a, b) = (along(&forward.deaths, *direction), along(&drawn.points, *direction));
        test(
            format!("{name} at death, forward"),
            "exact draws",
            metrics::ks_two_sample(&a, &b)?.statistic,
            two,
            "steps with an integrated hazard against draws without a step; two-sample critical value at 1e-4",
        );
    }
    for ((name, _), value) in DIRECTIONS.iter().zip(end_law(data, &backward)?) {
        test(
            format!("{name} at the end, backward"),
            "α",
            value,
            one,
            "R1 from the law r u, killed at the rate α/u (R13), ends in α; critical value at 1e-4",
        );
    }
    test(
        "the lifetime, backward".into(),
        "the exact law",
        life(&backward.lifetimes)?,
        one,
        "a reversed life is as long; critical value at 1e-4",
    );
    let pairs: [(&str, Statistic); 4] = [
        ("the lifetime", |lives| lives.lifetimes.clone()),
        ("X_0 · X_ζ", |lives| products(lives, |a, b| a[0] * b[0] + a[1] * b[1])),
        ("X_0 x X_ζ", |lives| products(lives, |a, b| a[0] * b[1] - a[1] * b[0])),
        ("lifetime times x in the data", |lives| {
            lives.data.column_iter().zip(&lives.lifetimes).map(|(x, t)| x[0] * t).collect()
        }),
    ];
    for (name, statistic) in pairs {
        test(
            format!("{name}, backward"),
            "forward simulation",
            metrics::ks_two_sample(&statistic(&forward), &statistic(&backward))?.statistic,
            two,
            "both ends of a life and its length have one joint law, run either way; two-sample critical value at 1e-4",
        );
    }
    outcome.tables.push(table);
    outcome.checks.push(Check::at_most(
        "plane: particles that did not die, forward or backward",
        (forward.unfinished + starts.unfinished + backward.unfinished) as f64,
        0.0,
        "every life ends, within 40 mean lifetimes",
    ));
    context.proceed()?;
    let refinement = refine(&plane, &problem, &starts, settings, context, &mut outcome)?;
    let wrong = wrong_drifts(&plane, &problem, &starts, settings, context, &mut outcome)?;
    outcome.figures = figures::plane(&plane, settings, &forward, &backward, &refinement, &wrong)?;
    Ok(outcome)
}

fn products(lives: &Lives, product: impl Fn([f64; 2], [f64; 2]) -> f64) -> Vec<f64> {
    let pairs = lives.data.column_iter().zip(lives.deaths.column_iter());
    pairs.map(|(a, b)| product([a[0], a[1]], [b[0], b[1]])).collect()
}

/// One row of the refinement: dt, the largest distance of the end law, that of the lifetime.
pub(super) type Refined = (f64, f64, f64);

/// Longer steps from the same starts.
fn refine(
    plane: &Plane,
    problem: &Problem<'_>,
    starts: &Lives,
    settings: &Settings,
    context: &Context,
    outcome: &mut Outcome,
) -> Result<Vec<Refined>> {
    let mut rows: Vec<Refined> = Vec::new();
    let n = settings.refined_particles.min(settings.particles);
    let starts = starts.deaths.columns(0, n).into_owned();
    let mut factor = COARSEST;
    while factor >= 1.0 {
        context.proceed()?;
        let dt = factor * settings.dt;
        let seed = derived_seed(context.seed, 20 + rows.len() as u64);
        let lives = problem.backward(&plane.occupation, starts.clone(), dt, PATIENCE, seed)?;
        let ends = end_law(&plane.data, &lives)?.into_iter().fold(0.0, f64::max);
        let life = metrics::ks_one_sample(&lives.lifetimes, |t| plane.lifetime.at(t))?.statistic;
        rows.push((dt, ends, life));
        factor *= 0.5;
    }
    let critical = metrics::ks_critical(n, SIGNIFICANCE)?;
    let mut table = Table::new(
        "plane: refinement of the backward step",
        format!(
            "{n} particles from the same starts, every length of the step with noise of its own. The largest of the distances of the end law from α along \
         the four lines, and the distance of the lifetime from its exact law: of first order in the step until the Monte-Carlo error \
         is left."
        ),
        &["dt", "largest KS of the end law", "KS of the lifetime", "critical at 1e-4"],
    );
    for (dt, ends, life) in &rows {
        table.push(cells![*dt, *ends, *life, critical]);
    }
    outcome.tables.push(table);
    let (_, ends, life) = rows[0];
    outcome.checks.push(Check::at_most(
        "plane: error of the backward step, extrapolated from the coarsest / critical value of the run",
        ends.max(life) / COARSEST / metrics::ks_critical(settings.particles, SIGNIFICANCE)?,
        LARGEST_BIAS,
        format!("weak order 1: the distance at {COARSEST} times the step, divided by that"),
    ));
    Ok(rows)
}

/// A drift that is not R1, and where it ends.
pub(super) struct Wrong {
    pub(super) name: &'static str,
    pub(super) lives: Lives,
}

/// Drifts that would be right if the process were self-dual, or had no drift.
fn wrong_drifts(
    plane: &Plane,
    problem: &Problem<'_>,
    starts: &Lives,
    settings: &Settings,
    context: &Context,
    outcome: &mut Outcome,
) -> Result<Vec<Wrong>> {
    let Plane { process, occupation, .. } = plane;
    let (mean, covariance) = process.sde().stationary()?;
    let inverse = |matrix: DMatrix<f64>| matrix.try_inverse().expect("positive definite");
    let (precision, noise) = (inverse(covariance), inverse(plane.sigma()));
    // R1 takes off b; a score with Σ⁻¹ b added twice puts it back with the other sign.
    let returned = |x: &[f64], share: f64| {
        let mut drift = DVector::zeros(2);
        process.drift(0.0, x, drift.as_mut_slice());
        &noise * drift * share
    };
    let dual = |x: &[f64], out: &mut [f64]| {
        occupation.log_density_and_gradient(x, out);
        let added = &precision * (DVector::from_column_slice(x) - &mean) + returned(x, 2.0);
        out.iter_mut().zip(&added).for_each(|(o, a)| *o += a);
    };
    let without = |x: &[f64], out: &mut [f64]| {
        occupation.log_density_and_gradient(x, out);
        out.iter_mut().zip(&returned(x, 1.0)).for_each(|(o, a)| *o += a);
    };
    let (dual, without) = (Plain { dim: 2, field: dual }, Plain { dim: 2, field: without });
    let trials: [(&str, &dyn Score); 2] =
        [("b + Σ ∇ log(u/m), as if self-dual", &dual), ("Σ ∇ log u, as if without drift", &without)];
    let n = settings.wrong_particles.min(settings.particles);
    let critical = metrics::ks_critical(n, SIGNIFICANCE)?;
    let mut table = Table::new(
        "plane: drifts that are not R1",
        format!(
            "{n} particles from places of death. For a process symmetric with respect to its stationary law m the reverse drift is \
             b + Σ ∇ log(u/m); with a rotation it is not. Particles that do not die within {WRONG_PATIENCE} mean lifetimes are left where they are."
        ),
        &["drift", "largest KS of the end law", "KS of the lifetime", "not dead", "critical at 1e-4"],
    );
    let mut wrong = Vec::new();
    for (k, (name, score)) in trials.into_iter().enumerate() {
        context.proceed()?;
        let seed = derived_seed(context.seed, 30 + k as u64);
        let lives = problem.backward(
            score,
            starts.deaths.columns(0, n).into_owned(),
            2.0 * settings.dt,
            WRONG_PATIENCE,
            seed,
        )?;
        let ends = end_law(&plane.data, &lives)?.into_iter().fold(0.0, f64::max);
        let life = metrics::ks_one_sample(&lives.lifetimes, |t| plane.lifetime.at(t))?.statistic;
        table.push(cells![name, ends, life, lives.unfinished, critical]);
        outcome.checks.push(Check::at_least(
            format!("plane: largest KS of the end law to α, drift {name}"),
            ends,
            critical,
            "the process is not self-dual and has a drift: only R1 leads back; the test sees it at 1e-4",
        ));
        wrong.push(Wrong { name, lives });
    }
    outcome.tables.push(table);
    Ok(wrong)
}

impl Plane {
    /// Σ.
    fn sigma(&self) -> DMatrix<f64> {
        let mut dispersion = Dispersion::default();
        self.process.dispersion(0.0, &[0.0; 2], &mut dispersion);
        dispersion.covariance(2)
    }
}

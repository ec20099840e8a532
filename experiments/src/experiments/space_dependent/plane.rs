//! A stationary diffusion in the plane that is not its own reversal.

use anyhow::Result;
use nalgebra::{DMatrix, DVector};
use resolvent::core::GaussianMixture;
use resolvent::core::diffusion::{Diffusion, Dispersion, Field, divergence_error};
use resolvent::core::integrate::EulerMaruyama;
use resolvent::core::marginal::MarginalScore;
use resolvent::core::reversal::ReverseSde;
use resolvent::metrics::{self, Estimate};

use super::super::reverse_time::{
    Plan, Run, cdf, critical_z, derived_seed, gaussian, largest_gap, share_below,
};
use super::slip::{DriftOf, Forgetful};
use super::{LARGEST_ALLOWANCE, SIGNIFICANCE, Settings};
use crate::experiment::Context;
use crate::experiments::tabulated::Tabulated;
use crate::outcome::{Check, Figure, Outcome, Table, cells};
use crate::plot::{Axis, Chart, Series, histogram_with_density};

/// Lags at which the rotation is measured.
pub(super) const LAGS: usize = 4;
/// Tests of fit in the plane: radius and coordinate of the two right processes, radius of the wrong one and its distance
/// from N(0, I), and the rotation of the right ones at every lag.
pub(super) const TESTS: usize = 4 + 2 + 2 * LAGS;
/// Places at which the divergence is checked.
const PLACES: usize = 200;
/// The grid of the radius.
const CELLS: usize = 6_000;
const LARGEST_RADIUS: f64 = 12.0;
/// Particles and lags on which the two divergences are compared path by path.
const COMPARED: (usize, usize) = (200, 4);

/// Σ = I + q x xᵀ with q = κ/(1 + r²): variance 1 across the radius and 1 + κ r²/(1 + r²) along it. The drift is
/// b = -½ Σ x + ½ div Σ + ω J x with J the rotation by a right angle, so that N(0, I) is stationary: the last term is
/// orthogonal to x and free of divergence. div Σ = κ (3 + r²)/(1 + r²)² x.
#[derive(Clone, Copy)]
struct Plane {
    kappa: f64,
    omega: f64,
}

impl Plane {
    /// Σ x = this times x.
    fn along(self, r2: f64) -> f64 {
        1.0 + self.kappa * r2 / (1.0 + r2)
    }

    /// div Σ = this times x.
    fn divergence(self, r2: f64) -> f64 {
        self.kappa * (3.0 + r2) / (1.0 + r2).powi(2)
    }

    /// The radial part of the drift is this times x.
    fn inward(self, r2: f64) -> f64 {
        0.5 * (self.divergence(r2) - self.along(r2))
    }

    fn drift(self) -> impl Fn(f64, &[f64], &mut [f64]) + Sync + Copy {
        move |_t, x, out| {
            let radial = self.inward(x[0] * x[0] + x[1] * x[1]);
            out[0] = radial * x[0] - self.omega * x[1];
            out[1] = radial * x[1] + self.omega * x[0];
        }
    }

    /// σ = I + c x xᵀ, the symmetric root: 1 + c r² = √(1 + q r²).
    fn dispersion(self) -> impl Fn(f64, &[f64], &mut Dispersion) + Sync + Copy {
        move |_t, x, out| {
            let r2 = x[0] * x[0] + x[1] * x[1];
            let c = self.kappa / ((1.0 + r2) * (self.along(r2).sqrt() + 1.0));
            if !matches!(out, Dispersion::Full(matrix) if matrix.shape() == (2, 2)) {
                *out = Dispersion::Full(DMatrix::zeros(2, 2));
            }
            if let Dispersion::Full(matrix) = out {
                matrix[(0, 0)] = 1.0 + c * x[0] * x[0];
                matrix[(0, 1)] = c * x[0] * x[1];
                matrix[(1, 0)] = c * x[0] * x[1];
                matrix[(1, 1)] = 1.0 + c * x[1] * x[1];
            }
        }
    }

    /// The law of the radius to which the reversal without div Σ settles. Its drift -½ Σ x - ½ div Σ - ω J x is that of a
    /// stationary density e^{-V} with ∇V = x + 2 Σ⁻¹ div Σ, so e^{-V} = e^{-r²/2} (1 + r²)² (1 + (1+κ) r²)^{-p},
    /// p = (3κ + 2)/(1 + κ); the rotation leaves it alone, for it is radial.
    fn wrong_density(self, r: f64) -> f64 {
        let (r2, factor) = (r * r, 1.0 + self.kappa);
        let power = (3.0 * self.kappa + 2.0) / factor;
        r * f64::exp(-0.5 * r2) * (1.0 + r2).powi(2) * (1.0 + factor * r2).powf(-power)
    }

    /// The mean rate of the radial drift under N(0, I), weighted by r²: by stationarity -E[tr Σ]/4, which is -0.77 at κ = 2.
    fn mean_rate(self) -> f64 {
        let (step, mut rate, mut total) = (0.01, 0.0, 0.0);
        for k in 0..8_000 {
            let r2 = step * (f64::from(k) + 0.5);
            let weight = r2 * f64::exp(-0.5 * r2);
            rate += weight * self.inward(r2);
            total += weight;
        }
        rate / total
    }
}

/// ∇ log p = -x at all times.
struct Stationary;

impl MarginalScore for Stationary {
    fn dim(&self) -> usize {
        2
    }

    fn evaluate(&self, _t: f64, points: &[f64], scores: &mut [f64]) {
        scores.iter_mut().zip(points).for_each(|(s, x)| *s = -x);
    }
}

/// One process in the plane.
struct Trial {
    name: &'static str,
    /// The sense of its rotation.
    sense: f64,
    run: Run,
    radii: Vec<f64>,
    /// What the discretisation may add to the distance of r and of x_1.
    allowances: [f64; 2],
}

const FORWARD: &str = "forward SDE";
const REVERSE: &str = "reverse SDE";
const WITHOUT: &str = "reverse SDE without div Σ";

/// Everything about the plane.
pub(super) fn plane(settings: &Settings, context: &Context) -> Result<Outcome> {
    let plane = Plane { kappa: settings.kappa, omega: settings.omega };
    let by_differences = Field::new(plane.drift(), plane.dispersion());
    let given = by_differences.with_divergence(move |_t, x: &[f64], out: &mut [f64]| {
        let factor = plane.divergence(x[0] * x[0] + x[1] * x[1]);
        out[0] = factor * x[0];
        out[1] = factor * x[1];
    });
    let horizon = settings.lag * settings.lags as f64;
    let forgetful = Forgetful(&given);
    let reverse = ReverseSde { diffusion: &given, score: &Stationary, horizon };
    let differences = ReverseSde { diffusion: &by_differences, score: &Stationary, horizon };
    let without = ReverseSde { diffusion: &forgetful, score: &Stationary, horizon };
    let without = DriftOf { drift: &without, noise: &reverse };

    let start = GaussianMixture::gaussian(&DVector::zeros(2), DMatrix::identity(2, 2))?;
    let plan = |diffusion, segments: usize| Plan {
        diffusion,
        integrator: &EulerMaruyama,
        horizon: settings.lag * segments as f64,
        segments,
        steps: settings.lag_steps,
    };
    let mut trials = Vec::new();
    let runs: [(&str, f64, &dyn Diffusion); 3] =
        [(FORWARD, 1.0, &given), (REVERSE, -1.0, &reverse), (WITHOUT, -1.0, &without)];
    for (k, (name, sense, diffusion)) in runs.into_iter().enumerate() {
        context.proceed()?;
        let seed = derived_seed(context.seed, 4 + k as u64);
        let starts = start.sample(settings.plane_particles, seed);
        let plan = plan(diffusion, settings.lags);
        let run = plan.run(&starts, seed, 0, context)?;
        let [coarse, fine] = plan.halved(&starts, seed);
        let first = |points: &DMatrix<f64>| points.row(0).iter().copied().collect::<Vec<f64>>();
        // Euler-Maruyama has weak order 1: the error is twice what halving the step takes off.
        let allowances = [
            2.0 * metrics::ks_two_sample(&radii(&coarse), &radii(&fine))?.statistic,
            2.0 * metrics::ks_two_sample(&first(&coarse), &first(&fine))?.statistic,
        ];
        trials.push(Trial { name, sense, radii: radii(run.end()), run, allowances });
    }

    let seed = derived_seed(context.seed, 7);
    let some = start.sample(COMPARED.0, seed);
    let short = |diffusion| plan(diffusion, COMPARED.1).run(&some, seed, 0, context);
    let apart = (short(&reverse)?.end() - short(&differences)?.end()).amax();
    let places = start.sample(PLACES, derived_seed(context.seed, 8)) * 2.0;
    let error = places.column_iter().map(|x| divergence_error(&given, 0.0, x.as_slice())).fold(0.0, f64::max);

    let mut outcome = Outcome::default();
    outcome.checks.push(Check::at_most(
        "plane: div Σ given against finite differences",
        error,
        1e-9,
        format!("relative, at {PLACES} places drawn from N(0, 4 I)"),
    ));
    outcome.checks.push(Check::at_most(
        "plane: paths with div Σ given and by differences",
        apart,
        1e-8,
        format!("largest difference after a time {}, same noise", settings.lag * COMPARED.1 as f64),
    ));
    laws(plane, &trials, settings, horizon, &mut outcome)?;
    rotation(plane, &trials, settings, &mut outcome)?;
    Ok(outcome)
}

fn radii(points: &DMatrix<f64>) -> Vec<f64> {
    points.column_iter().map(|x| x[0].hypot(x[1])).collect()
}

/// The radius and a coordinate at the horizon.
fn laws(
    plane: Plane,
    trials: &[Trial],
    settings: &Settings,
    horizon: f64,
    outcome: &mut Outcome,
) -> Result<()> {
    let critical = metrics::ks_critical(settings.plane_particles, SIGNIFICANCE / super::TESTS as f64)?;
    let step = LARGEST_RADIUS / CELLS as f64;
    let values: Vec<f64> = (0..=CELLS).map(|i| plane.wrong_density(step * i as f64)).collect();
    let wrong = Tabulated::of_density(0.0, step, &values);
    let total = step * values.iter().sum::<f64>();
    let rayleigh = |r: f64| -f64::exp_m1(-0.5 * r * r);
    let normal = gaussian(0.0, 1.0)?;
    let mut table = Table::new(
        "plane: laws at the end",
        format!(
            "{} particles from N(0, I), time {horizon}, {} steps, κ = {}, ω = {}. Distances of distribution functions of the radius \
             and of x_1; without div Σ the law settles to a density known in closed form.",
            settings.plane_particles,
            settings.lags * settings.lag_steps,
            settings.kappa,
            settings.omega
        ),
        &[
            "process",
            "KS of the radius to N(0, I)",
            "KS of x_1 to N(0, 1)",
            "predicted distance of the radius",
            "distance at its place",
            "standard error",
            "KS of the radius to the prediction",
            "critical",
            "discretisation allowance, radius",
            "discretisation allowance, x_1",
        ],
    );
    for trial in trials {
        let first: Vec<f64> = trial.run.end().row(0).iter().copied().collect();
        let radius = metrics::ks_one_sample(&trial.radii, rayleigh)?.statistic;
        let coordinate = metrics::ks_one_sample(&first, cdf(&normal))?.statistic;
        let [by_radius, by_coordinate] = trial.allowances;
        let source = format!(
            "stationary law (R1); critical value at 1e-3 over all {} tests of fit, and the discretisation error by halving",
            super::TESTS
        );
        if trial.name == WITHOUT {
            let misfit = metrics::ks_one_sample(&trial.radii, |r| wrong.at(r))?.statistic;
            let (place, gap) = largest_gap(|r| wrong.at(r), rayleigh, (0.0, LARGEST_RADIUS));
            let share = wrong.at(place);
            let error = (share * (1.0 - share) / trial.radii.len() as f64).sqrt();
            let measured = share_below(&trial.radii, place) - rayleigh(place);
            table.push(cells![
                trial.name,
                radius,
                coordinate,
                gap.abs(),
                measured * gap.signum(),
                error,
                misfit,
                critical,
                by_radius,
                by_coordinate
            ]);
            // How fast the law settles is the spectral gap of the radial part, found numerically at κ = 2: 2.37 for the
            // right law, 2.74 for the wrong one. The rate 1 taken here is on the safe side of both.
            let allowance = by_radius + f64::exp(-horizon);
            outcome.checks.push(Check::at_most(
                format!("plane: KS of the radius to the wrong law predicted, {}", trial.name),
                misfit,
                critical + allowance,
                "∇V = x + 2 Σ⁻¹ div Σ; critical value, step halving, and e^{-T} for what has not settled",
            ));
            outcome.checks.push(Check::at_most(
                format!("plane: |z| of the distance of the radius from N(0, I), {}", trial.name),
                (measured - gap).abs() / error,
                critical_z(SIGNIFICANCE, super::TESTS)? + allowance / error,
                format!(
                    "the wrong law is {:.4} away (by quadrature); binomial, 1e-3 over all {} tests of fit, step halving, \
                     and e^{{-T}}",
                    gap.abs(),
                    super::TESTS
                ),
            ));
        } else {
            table.push(cells![
                trial.name,
                radius,
                coordinate,
                0.0,
                radius,
                (),
                radius,
                critical,
                by_radius,
                by_coordinate
            ]);
            outcome.checks.push(Check::at_most(
                format!("plane: KS of the radius to N(0, I), {}", trial.name),
                radius,
                critical + by_radius,
                source.clone(),
            ));
            outcome.checks.push(Check::at_most(
                format!("plane: KS of x_1 to N(0, 1), {}", trial.name),
                coordinate,
                critical + by_coordinate,
                source,
            ));
        }
        if trial.name != FORWARD {
            let right = trial.name == REVERSE;
            let density = |r: f64| {
                if right { r * f64::exp(-0.5 * r * r) } else { plane.wrong_density(r) / total }
            };
            let (stem, law) = if right {
                ("plane-right", "N(0, I)")
            } else {
                ("plane-without-divergence", "predicted wrong law")
            };
            outcome.figures.push(Figure::new(
                stem,
                format!(
                    "Radius in the plane after the {}: {} particles and the {law}.",
                    trial.name, settings.plane_particles
                ),
                histogram_with_density("radius", (trial.name, &trial.radii), (law, density), (0.0, 4.5), 60)?,
            ));
        }
    }
    outcome.checks.push(Check::at_most(
        "plane: largest discretisation allowance / critical value",
        trials.iter().flat_map(|trial| trial.allowances).fold(0.0, f64::max) / critical,
        LARGEST_ALLOWANCE,
        "by halving the step: the scheme has converged at this sample size",
    ));
    let curve = |f: &dyn Fn(f64) -> f64| {
        (0..=200).map(|k| 0.0225 * f64::from(k)).map(|r| (r, f(r))).collect::<Vec<_>>()
    };
    let mut chart = Chart::new(Axis::linear("radius"), Axis::linear("F of the end law - F under N(0, I)"));
    for trial in trials {
        let mut sorted = trial.radii.clone();
        sorted.sort_by(f64::total_cmp);
        let below = |r: f64| sorted.partition_point(|x| *x <= r) as f64 / sorted.len() as f64;
        chart = chart.series(Series::line(trial.name, curve(&|r| below(r) - rayleigh(r))));
    }
    outcome.figures.push(Figure::new(
        "plane-differences",
        format!(
            "Plane: distribution functions of the radius less that of N(0, I), {} particles.",
            settings.plane_particles
        ),
        chart
            .series(Series::dashed("predicted without div Σ", curve(&|r| wrong.at(r) - rayleigh(r))).exact())
            .svg()?,
    ));
    outcome.tables.push(table);
    Ok(())
}

/// The argument of E[conj(z_0) z_h] with z = x_1 + i x_2, and its standard error. Σ and the radial drift commute with
/// rotations, so z_h is e^{±iωh} times the path of a reversible process, and the argument is ±ωh exactly.
fn phase(early: &DMatrix<f64>, late: &DMatrix<f64>) -> Estimate {
    let n = early.ncols() as f64;
    let terms: Vec<(f64, f64)> = early
        .column_iter()
        .zip(late.column_iter())
        .map(|(x, y)| (x[0] * y[0] + x[1] * y[1], x[0] * y[1] - x[1] * y[0]))
        .collect();
    let sum = terms.iter().fold((0.0, 0.0), |s, t| (s.0 + t.0, s.1 + t.1));
    let (real, imaginary) = (sum.0 / n, sum.1 / n);
    let squared = real * real + imaginary * imaginary;
    let influence = terms.iter().map(|t| ((real * t.1 - imaginary * t.0) / squared).powi(2)).sum::<f64>();
    Estimate { value: imaginary.atan2(real), standard_error: (influence / (n - 1.0) / n).sqrt() }
}

/// The sense of rotation.
fn rotation(plane: Plane, trials: &[Trial], settings: &Settings, outcome: &mut Outcome) -> Result<()> {
    let mut table = Table::new(
        "plane: rotation over a lag h",
        "Argument of E[conj(z_0) z_h], z = x_1 + i x_2, in radians: ωh for the forward process and -ωh for its reversal. An \
         Euler-Maruyama step of length dt turns z by ω dt (1 - β dt) to first order, β the rate of the radial drift; in E[conj(z_0) z_h] \
         it is weighted, first by r² and later towards the slower modes, so the bias is at most ωh dt |β| with the mean of β by r². The \
         reversal without div Σ does not stay in the law it starts in, which this bias needs.",
        &[
            "process",
            "h",
            "argument",
            "exact",
            "standard error",
            "z",
            "bias of the step / standard error, at most",
        ],
    );
    let dt = settings.lag / settings.lag_steps as f64;
    let mut chart = Chart::new(Axis::linear("lag h"), Axis::linear("argument of E[conj(z_0) z_h]"));
    for trial in trials {
        let (mut worst, mut bias) = (0.0_f64, 0.0_f64);
        let (mut points, mut errors) = (Vec::new(), Vec::new());
        for k in 1..=LAGS {
            let h = settings.lag * k as f64;
            let exact = trial.sense * settings.omega * h;
            let found = phase(&trial.run.places[0], &trial.run.places[k]);
            let z = (found.value - exact) / found.standard_error;
            let own = settings.omega.abs() * h * dt * plane.mean_rate().abs() / found.standard_error;
            (worst, bias) = (worst.max(z.abs()), bias.max(own));
            let shown = (trial.name != WITHOUT).then_some(own);
            table.push(cells![trial.name, h, found.value, exact, found.standard_error, z, shown]);
            points.push((h, found.value));
            errors.push(3.0 * found.standard_error);
        }
        if trial.name != WITHOUT {
            outcome.checks.push(Check::at_most(
                format!("plane: largest |z| of the rotation, {}", trial.name),
                worst,
                critical_z(SIGNIFICANCE, super::TESTS)? + bias,
                format!(
                    "argument {}ωh; 1e-3 over all {} tests of fit, and a bias of the step of {bias:.2} standard errors at most",
                    if trial.sense > 0.0 { "" } else { "-" },
                    super::TESTS
                ),
            ));
        }
        chart = chart.series(Series::marked(trial.name, points).errors(errors));
    }
    let end = settings.lag * LAGS as f64;
    for sense in [1.0, -1.0] {
        let name = if sense > 0.0 { "exact, ±ωh" } else { "" };
        let line = vec![(0.0, 0.0), (end, sense * settings.omega * end)];
        chart = chart.series(Series::dashed(name, line).exact());
    }
    outcome.figures.push(Figure::new(
        "plane-rotation",
        format!(
            "The reversal turns the other way: rotation over a lag, ω = {}, bars of three standard errors.",
            settings.omega
        ),
        chart.svg()?,
    ));
    outcome.tables.push(table);
    Ok(())
}

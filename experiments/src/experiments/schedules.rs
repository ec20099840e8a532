//! `schedules`: the noise schedules of the field side by side.

use anyhow::Result;
use resolvent::core::schedule::{
    Brownian, DdpmBetas, Edm, Grid, Level, LogLinear, OrnsteinUhlenbeck, Schedule, SubVp, Ve, VpCosine,
    VpLinear,
};
use serde::{Deserialize, Serialize};

use crate::experiment::{Context, Experiment};
use crate::outcome::{Check, Figure, Outcome, Table, cells};
use crate::plot::{Axis, Chart, Series};

/// Schedules against their own moment equations, and the grids on them.
pub(crate) struct Schedules;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Points of every curve.
    points: usize,
    /// Runge-Kutta steps between two of them in the moment equations.
    substeps: usize,
    /// Steps of the grids.
    steps: usize,
    /// Timesteps of the discrete betas.
    timesteps: usize,
}

impl Experiment for Schedules {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "schedules"
    }

    fn summary(&self) -> &'static str {
        "VP, cosine, sub-VP, VE, EDM, log-linear, Ornstein-Uhlenbeck and Brownian schedules, and grids of noise levels"
    }

    fn seconds(&self) -> u32 {
        1
    }

    fn full(&self) -> Settings {
        Settings { points: 200, substeps: 40, steps: 18, timesteps: 1000 }
    }

    fn quick(&self) -> Settings {
        Settings { points: 100, ..self.full() }
    }

    fn run(&self, settings: &Settings, _context: &Context) -> Result<Outcome> {
        anyhow::ensure!(settings.points >= 2, "setting `points` = {}: at least 2", settings.points);
        anyhow::ensure!(settings.substeps >= 1, "setting `substeps` = 0: at least 1");
        let all = all()?;
        let mut outcome = Outcome::default();
        let mut table = Table::new(
            "schedules",
            "dX = f X dt + g dW from 0 to T, with X_t = α x_0 + σ ε. The last column is the largest error of α and σ against \
             the moment equations dα/dt = f α, dσ²/dt = 2 f σ² + g², integrated by Runge-Kutta from the first point on.",
            &[
                "schedule",
                "T",
                "α(T)",
                "σ(T)",
                "log-SNR at T",
                "prior deviation",
                "log-SNR at T/100",
                "error of the moments",
            ],
        );
        for (name, schedule) in &all {
            let horizon = schedule.horizon();
            let (end, early) = (schedule.level(horizon), schedule.level(0.01 * horizon));
            let error = moment_error(schedule.as_ref(), settings);
            table.push(cells![
                *name,
                horizon,
                end.alpha,
                end.sigma,
                end.log_snr(),
                schedule.prior_deviation(),
                early.log_snr(),
                error
            ]);
            outcome.checks.push(Check::at_most(
                format!("α and σ against the moment equations, {name}"),
                error,
                1e-7,
                "dα/dt = f α, dσ²/dt = 2 f σ² + g²; error of the fourth-order integration",
            ));
            outcome.checks.push(Check::at_most(
                format!("time of a level, {name}"),
                inverse_error(schedule.as_ref(), settings.points),
                1e-9,
                "time_of_ratio inverts σ/α",
            ));
        }
        outcome.checks.push(discrete_limit(settings)?);
        outcome.tables.push(table);
        outcome.figures = figures(&all, settings)?;
        Ok(outcome)
    }
}

type Named = (&'static str, Box<dyn Schedule>);

/// Every schedule at the parameters of the field.
fn all() -> Result<Vec<Named>> {
    Ok(vec![
        ("VP linear", Box::new(VpLinear::default())),
        ("VP cosine", Box::new(VpCosine::default())),
        ("sub-VP", Box::new(SubVp::default())),
        ("VE", Box::new(Ve::default())),
        ("EDM", Box::new(Edm::default())),
        ("log-linear", Box::new(LogLinear::new(0.005, 10.0)?)),
        ("Ornstein-Uhlenbeck", Box::new(OrnsteinUhlenbeck::new(1.0, std::f64::consts::SQRT_2, 5.0)?)),
        ("Brownian", Box::new(Brownian::new(1.0, 10.0)?)),
    ])
}

/// Times from T/points to T.
fn times(schedule: &dyn Schedule, points: usize) -> impl Iterator<Item = f64> {
    let horizon = schedule.horizon();
    (1..=points).map(move |k| horizon * k as f64 / points as f64)
}

/// The largest relative error of α and σ² against the moment equations.
fn moment_error(schedule: &dyn Schedule, settings: &Settings) -> f64 {
    let slope = |t: f64, [alpha, variance]: [f64; 2]| {
        let rates = schedule.rates(t);
        [rates.drift * alpha, 2.0 * rates.drift * variance + rates.noise]
    };
    let mut times = times(schedule, settings.points);
    let mut t = times.next().expect("there are points");
    let first = schedule.level(t);
    let (mut state, mut error) = ([first.alpha, first.sigma.powi(2)], 0.0_f64);
    for next in times {
        let h = (next - t) / settings.substeps as f64;
        for k in 0..settings.substeps {
            let t = t + h * k as f64;
            let ahead = |slope: [f64; 2], h: f64| [state[0] + h * slope[0], state[1] + h * slope[1]];
            let k1 = slope(t, state);
            let k2 = slope(t + 0.5 * h, ahead(k1, 0.5 * h));
            let k3 = slope(t + 0.5 * h, ahead(k2, 0.5 * h));
            // The last time of all must not lie beyond the horizon by rounding.
            let k4 = slope((t + h).min(next), ahead(k3, h));
            for i in 0..2 {
                state[i] += h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]);
            }
        }
        t = next;
        let level = schedule.level(t);
        error =
            error.max((state[0] / level.alpha - 1.0).abs()).max((state[1] / level.sigma.powi(2) - 1.0).abs());
    }
    error
}

/// The largest error of the time found from σ/α, in horizons.
fn inverse_error(schedule: &dyn Schedule, points: usize) -> f64 {
    times(schedule, points)
        .map(|t| (schedule.time_of_ratio(schedule.level(t).ratio()) - t).abs() / schedule.horizon())
        .fold(0.0, f64::max)
}

/// DDPM's betas are the linear VP schedule in n steps: log ᾱ_k is -∫ β up to Σ β²/(2 (1 - β)) and, β_j being the value at
/// one end of its interval, up to the variation of β over one step.
fn discrete_limit(settings: &Settings) -> Result<Check> {
    let n = settings.timesteps as f64;
    let (low, high) = (0.1, 20.0);
    let betas = DdpmBetas::linear(low / n, high / n, settings.timesteps)?;
    let schedule = VpLinear::new(low, high, 1.0)?;
    let (mut squares, mut excess) = (0.0, f64::NEG_INFINITY);
    for (k, (bar, beta)) in betas.alpha_bars().iter().zip(betas.betas()).enumerate() {
        squares += beta * beta / (2.0 * (1.0 - beta));
        let continuous = schedule.level((k + 1) as f64 / n);
        let difference = (bar.ln() - 2.0 * continuous.alpha.ln()).abs();
        excess = excess.max(difference - squares - (high - low) / n);
    }
    Ok(Check::at_most(
        format!("log ᾱ of DDPM against VP, excess over the bound, {} steps", settings.timesteps),
        excess,
        0.0,
        "log(1 - β) against -β and a sum against its integral, term by term",
    ))
}

fn figures(all: &[Named], settings: &Settings) -> Result<Vec<Figure>> {
    let curve = |schedule: &dyn Schedule, value: &dyn Fn(f64, Level) -> f64| -> Vec<(f64, f64)> {
        times(schedule, settings.points)
            .map(|t| (t / schedule.horizon(), value(t, schedule.level(t))))
            .collect()
    };
    let chart = |title: &str, logarithmic: bool, value: &dyn Fn(&dyn Schedule, f64, Level) -> f64| {
        let y = if logarithmic { Axis::log(title) } else { Axis::linear(title) };
        all.iter()
            .enumerate()
            .fold(Chart::new(Axis::linear("time t/T"), y), |chart, (k, (name, schedule))| {
                let points = curve(schedule.as_ref(), &|t, level| value(schedule.as_ref(), t, level));
                // Seven colours: the eighth curve is dashed.
                chart.series(if k < 7 { Series::line(*name, points) } else { Series::dashed(*name, points) })
            })
            .svg()
    };
    let edm = Edm::default();
    let grids = [
        ("Karras, ρ = 7", Grid::karras(&edm, settings.steps, 0.002, 80.0, 7.0)?),
        ("uniform in σ", Grid::uniform_sigma(&edm, settings.steps, 0.002)?),
        ("uniform in log-SNR", Grid::uniform_log_snr(&edm, settings.steps, 0.002)?),
        ("VP, uniform in time", Grid::uniform_time(&VpLinear::default(), settings.steps, 1e-3)?),
    ];
    let grids = grids
        .into_iter()
        .fold(Chart::new(Axis::linear("level i"), Axis::log("σ/α of level i")), |chart, (name, grid)| {
            let points = grid.levels().iter().enumerate().map(|(i, level)| (i as f64, level.ratio()));
            chart.series(Series::marked(name, points.filter(|(_, ratio)| *ratio > 0.0).collect()))
        })
        .svg()?;
    Ok(vec![
        Figure::new(
            "signal",
            "The factor α of the signal over the horizon: 1 for VE, EDM, log-linear and Brownian, the same for VP linear and sub-VP.",
            chart("signal α", false, &|_, _, level| level.alpha)?,
        ),
        Figure::new(
            "noise",
            "The deviation σ of the noise over the horizon.",
            chart("noise σ", true, &|_, _, level| level.sigma)?,
        ),
        Figure::new(
            "log-snr",
            "log(α²/σ²) in nats: what a denoiser sees of the time.",
            chart("log-SNR", false, &|_, _, level| level.log_snr())?,
        ),
        Figure::new(
            "speed",
            "Noise put in over the horizon, T g²: where a schedule spends its time.",
            chart("T g²", true, &|schedule, t, _| schedule.horizon() * schedule.rates(t).noise)?,
        ),
        Figure::new(
            "grids",
            format!("Noise levels of {} steps; the clean end is not shown.", settings.steps),
            grids,
        ),
    ])
}

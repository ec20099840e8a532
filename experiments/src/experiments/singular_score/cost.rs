//! What an adaptive solver of the probability flow pays for a small last level.

use anyhow::Result;
use resolvent::core::horizon::ProbabilityFlow;
use resolvent::core::marginal::{Diffused, UniformSphere};
use resolvent::core::schedule::{Edm, VpLinear, prior};
use resolvent::core::{HorizonSampler, Schedule};
use resolvent::metrics::{Estimate, mean};

use super::{Settings, critical, denoiser};
use crate::experiment::Context;
use crate::outcome::{Check, Figure, Outcome, Table, cells};
use crate::plot::{Axis, Chart, Series};

/// Ends σ/α = 10^-1 .. 10^-5.
const DECADES: i32 = 5;
/// Relative tolerance, and an absolute one that no coordinate comes near.
const RELATIVE: f64 = 1e-5;
const NONE: f64 = 1e-14;
/// Evaluations of a step of the Dormand-Prince pair, and of one that is rejected once.
const LEAST: f64 = 7.0;
const STEP: f64 = 14.0;

const CASES: [&str; 3] = ["VP, relative tolerance", "VP, relative and absolute", "EDM, relative tolerance"];

pub(super) fn run(settings: &Settings, context: &Context, outcome: &mut Outcome) -> Result<()> {
    let dim = settings.dims.iter().copied().max().unwrap_or(2);
    let law = denoiser(dim)?;
    let (vp, edm) = (VpLinear::default(), Edm::default());
    let mut cases = Vec::new();
    for decade in 1..=DECADES {
        context.proceed()?;
        let end = 10f64.powi(-decade);
        cases.push((
            end,
            [
                evaluations(&vp, &law, end, NONE, settings, context)?,
                evaluations(&vp, &law, end, RELATIVE, settings, context)?,
                evaluations(&edm, &law, end, NONE, settings, context)?,
            ],
        ));
    }
    // N_i(10^-5) - 2 N_i(10^-4) + N_i(10^-3), particle by particle.
    let last: [&Vec<f64>; 3] = std::array::from_fn(|k| &cases[DECADES as usize - 1 - k].1[0]);
    let bends: Vec<f64> =
        (0..settings.particles).map(|i| last[0][i] - 2.0 * last[1][i] + last[2][i]).collect();
    let bend = mean(&bends)?;
    outcome.checks.push(Check::at_most(
        "VP: evaluations for the last decade of σ less those for the one before, modulus of the mean",
        bend.value.abs(),
        critical(1) * bend.standard_error + 2.0 * STEP,
        "dx/dt = x/(2t) across the curve is scale-free: log(1/t_min); Monte Carlo at 1e-3 + two steps cut by the end",
    ));
    let prices: Vec<f64> = last[0].iter().zip(last[1]).map(|(last, before)| last - before).collect();
    outcome.checks.push(Check::at_least(
        "VP: evaluations for the last decade of σ, mean",
        mean(&prices)?.value,
        2.0 * LEAST,
        "two decades of t; no step of relative error 1e-5 for x ~ √t goes over one",
    ));
    let cases: Vec<(f64, [Estimate; 3])> = cases
        .iter()
        .map(|(end, [a, b, c])| Ok((*end, [mean(a)?, mean(b)?, mean(c)?])))
        .collect::<Result<_>>()?;
    let mut table = Table::new(
        "Adaptive solver",
        format!(
            "Evaluations of the Dormand-Prince pair for the probability flow of the circle in R^{dim} from the prior to the level σ/α, mean over \
             {} particles; rtol = {RELATIVE:e}, atol = {NONE:e} or the same.",
            settings.particles
        ),
        &["end, σ/α", "VP, atol ~ 0", "error", "VP, atol = rtol", "error", "EDM, atol ~ 0", "error"],
    );
    for (end, [a, b, c]) in &cases {
        table.push(cells![
            *end,
            a.value,
            a.standard_error,
            b.value,
            b.standard_error,
            c.value,
            c.standard_error
        ]);
    }
    outcome.tables.push(table);
    let mut chart = Chart::new(Axis::log("end of the flow, σ/α"), Axis::linear("evaluations per particle"));
    for (index, name) in CASES.iter().enumerate() {
        let points = cases.iter().map(|(end, values)| (*end, values[index].value)).collect();
        let errors = cases.iter().map(|(_, values)| values[index].standard_error).collect();
        chart = chart.series(Series::marked(*name, points).errors(errors));
    }
    let caption = format!(
        "Evaluations of an adaptive Runge-Kutta solver of order 5(4) with tolerance 10⁻⁵, from the prior to the circle in R^{dim}, \
         against the noise level at which it ends: mean over {} particles.",
        settings.particles
    );
    outcome.figures.push(Figure::new("cost", caption, chart.svg()?));
    Ok(())
}

fn evaluations<S: Schedule>(
    schedule: &S,
    law: &UniformSphere,
    end: f64,
    absolute: f64,
    settings: &Settings,
    context: &Context,
) -> Result<Vec<f64>> {
    let score = Diffused { schedule, denoiser: law };
    let flow = ProbabilityFlow::from_noise(schedule, &score, schedule.time_of_ratio(end))?
        .tolerances(RELATIVE, absolute)?;
    let dim = resolvent::core::Denoiser::dim(law);
    let starts = prior(schedule, dim, settings.particles, context.seed);
    let ensemble = HorizonSampler::new(&flow).run(&starts, context.seed)?;
    Ok(ensemble.evaluations.iter().map(|count| *count as f64).collect())
}

//! What an adaptive solver of the probability flow pays for a small last level.

use anyhow::Result;
use resolvent::core::horizon::ProbabilityFlow;
use resolvent::core::marginal::Diffused;
use resolvent::core::schedule::{Edm, VpLinear, prior};
use resolvent::core::{Denoiser, EmpiricalMeasure, HorizonSampler, Schedule};
use resolvent::metrics::{Estimate, mean};

use super::{Settings, denoiser, equidistant};
use crate::experiment::Context;
use crate::outcome::{Figure, Outcome, Table, cells};
use crate::plot::{Axis, Chart, Series};

/// Ends σ/α = 10^-1 .. 10^-5.
const DECADES: i32 = 5;
/// Relative tolerance, and an absolute one that no coordinate comes near.
const RELATIVE: f64 = 1e-5;
const NONE: f64 = 1e-14;

const CASES: [&str; 3] = ["VP, relative tolerance", "VP, relative and absolute", "EDM, relative tolerance"];

pub(super) fn run(settings: &Settings, context: &Context, outcome: &mut Outcome) -> Result<()> {
    let dim = settings.dims.iter().copied().max().unwrap_or(2);
    let law = denoiser(dim)?;
    let datum = EmpiricalMeasure::new(equidistant(dim, 1))?;
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
                evaluations(&vp, &datum, end, NONE, settings, context)?,
            ],
        ));
    }
    outcome.tables.push(decades(&cases, settings)?);
    let cases: Vec<(f64, [Estimate; 3])> = cases
        .iter()
        .map(|(end, [a, b, c, _])| Ok((*end, [mean(a)?, mean(b)?, mean(c)?])))
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

/// What the flow pays for each decade, particle by particle.
fn decades(cases: &[(f64, [Vec<f64>; 4])], settings: &Settings) -> Result<Table> {
    let mut table = Table::new(
        "Price of a decade",
        format!(
            "Evaluations that it takes to end the flow a decade of σ/α later, mean over {} particles, for the circle and for the datum \
             (R, 0, ..) alone, for which the flow is the linear equation across the curve in every coordinate but one.",
            settings.particles
        ),
        &[
            "from, σ/α",
            "to",
            "VP, atol ~ 0",
            "error",
            "VP, atol = rtol",
            "error",
            "EDM, atol ~ 0",
            "error",
            "VP, atol ~ 0, one datum",
            "error",
        ],
    );
    for pair in cases.windows(2) {
        let price = |k: usize| {
            let (before, after): (&[f64], &[f64]) = (&pair[0].1[k], &pair[1].1[k]);
            let prices: Vec<f64> = after.iter().zip(before).map(|(after, before)| after - before).collect();
            mean(&prices)
        };
        let [a, b, c, datum] = [price(0)?, price(1)?, price(2)?, price(3)?];
        table.push(cells![
            pair[0].0,
            pair[1].0,
            a.value,
            a.standard_error,
            b.value,
            b.standard_error,
            c.value,
            c.standard_error,
            datum.value,
            datum.standard_error
        ]);
    }
    Ok(table)
}

fn evaluations<S: Schedule, D: Denoiser>(
    schedule: &S,
    law: &D,
    end: f64,
    absolute: f64,
    settings: &Settings,
    context: &Context,
) -> Result<Vec<f64>> {
    let score = Diffused { schedule, denoiser: law };
    let flow = ProbabilityFlow::from_noise(schedule, &score, schedule.time_of_ratio(end))?
        .tolerances(RELATIVE, absolute)?;
    let dim = law.dim();
    let starts = prior(schedule, dim, settings.particles, context.seed);
    let ensemble = HorizonSampler::new(&flow).run(&starts, context.seed)?;
    Ok(ensemble.evaluations.iter().map(|count| *count as f64).collect())
}

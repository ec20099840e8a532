//! Images from noise: the backward process with the spatial score, and the standard samplers with the twin.

use std::ops::ControlFlow;

use anyhow::Result;
use nalgebra::DMatrix;
use rand_distr::{Distribution, StandardNormal};
use resolvent::core::control::Contraction;
use resolvent::core::horizon::{Churn, LinearScheme, Multistep, Observation, ddim, dpm_solver_pp_2m, heun};
use resolvent::core::killing::ResidualNoise;
use resolvent::core::random::{Purpose, stream};
use resolvent::core::schedule::{Edm, Grid, Schedule, Ve, VpLinear, prior};
use resolvent::core::step::{Bridge, MultistepFlux};
use resolvent::core::{Ensemble, Exit, HorizonSampler, KilledBrownianMotion, Sampler, ScoreAdaptive};
use resolvent::learn::score::{LearnedDenoiser, LearnedScore};
use resolvent::metrics::{Estimate, Order, frechet_distance, sliced_wasserstein};

use super::{Settings, TARGET, Twins};
use crate::experiment::Context;
use crate::experiments::judge::Judge;
use crate::experiments::labelled_images::{LabelledImages, grey, pixels};
use crate::outcome::{Check, Figure, Outcome, Table, cells};
use crate::plot::{ImagePanel, image_panels};

/// Particles to a chunk: the tile of the network.
const BATCH: usize = 32;
const PROJECTIONS: usize = 500;
/// Images shown of each sampler.
const SHOWN: usize = 14;
/// No particle is granted more evaluations than so many times the budget.
const CAP: usize = 5;
/// Where sampling ends under VP and VE before the denoising step (Song et al. 2021).
const END_VP: f64 = 1e-3;
const END_VE: f64 = 1e-5;

/// A sampler's images and how they compare with held-out ones.
struct Drawn {
    name: &'static str,
    ensemble: Ensemble,
    transport: Estimate,
    features: Estimate,
    shares: Vec<f64>,
}

/// `samples` draws (d x samples) of N(c, C + σ² I), c and C those of the Gaussian fit to the data (d x n), σ = `level`.
pub(in crate::experiments) fn starts(
    data: &DMatrix<f64>,
    level: f64,
    samples: usize,
    seed: u64,
) -> DMatrix<f64> {
    let (d, n) = data.shape();
    let mean = data.column_mean();
    let mut out = DMatrix::zeros(d, samples);
    for (i, mut column) in out.column_iter_mut().enumerate() {
        let mut rng = stream(seed, Purpose::Start, i as u64);
        let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
        // A combination of the centred data with normal weights has their covariance.
        for datum in data.column_iter() {
            column.axpy(normal() / (n as f64).sqrt(), &(datum - &mean), 1.0);
        }
        column.iter_mut().for_each(|x| *x += level * normal());
        column += &mean;
    }
    out
}

fn killed(
    settings: &Settings,
    twins: &Twins,
    starts: &DMatrix<f64>,
    flux: bool,
    context: &Context,
) -> Result<Ensemble> {
    let saved = &twins.spatial.saved;
    let score = LearnedScore::new(saved.model.clone(), saved.parameters.clone())?.clip(-1.0, 1.0)?;
    let dim = starts.nrows();
    let process = KilledBrownianMotion::new(dim, 1.0, settings.rate)?;
    let floor = settings.floor * (dim as f64).sqrt();
    // The learned gain is known to a few per cent, from which the spread of the posterior cannot be told.
    let (bridge, flow) = (Bridge::new(&score), MultistepFlux::new(&score));
    let (adaptive, contraction) = (
        ScoreAdaptive::new(settings.bridge_eta, floor)?.ignoring_spread(),
        Contraction::new(settings.flux_eta)?,
    );
    let rule = ResidualNoise::new(&process, floor)?;
    let sampler = if flux {
        Sampler::new(&process, &flow, &contraction).killing("noise", &rule)
    } else {
        Sampler::new(&process, &bridge, &adaptive)
    };
    let progress = context.progress(settings.samples as u64, if flux { "flux flow" } else { "bridge" });
    let observer = |ended: usize| {
        progress.inc(ended as u64);
        if context.interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let sampler = sampler.batch(BATCH).cap(CAP * settings.evaluations).final_denoise(true);
    Ok(sampler.run_observed(starts, context.seed, &observer)?)
}

fn scheduled(
    settings: &Settings,
    twins: &Twins,
    table: &LinearScheme,
    schedule: &dyn Schedule,
    context: &Context,
) -> Result<Ensemble> {
    let saved = &twins.told.saved;
    let denoiser = LearnedDenoiser::new(saved.model.clone(), saved.parameters.clone())?.clip(-1.0, 1.0)?;
    let starts = prior(schedule, saved.model.dim(), settings.samples, context.seed);
    let observer = |_: &Observation<'_>| {
        if context.interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    Ok(HorizonSampler::new(&table.with(&denoiser)).batch(BATCH).run_observed(
        &starts,
        context.seed,
        &observer,
    )?)
}

pub(super) fn report(
    settings: &Settings,
    twins: &Twins,
    images: &LabelledImages,
    judge: &Judge,
    context: &Context,
    outcome: &mut Outcome,
) -> Result<()> {
    let starts = starts(&images.data, settings.start_level, settings.samples, context.seed);
    let budget = settings.evaluations;
    let (edm, ve, vp) = (Edm::default(), Ve::default(), VpLinear::default());
    let noisy = |schedule: &dyn Schedule, end| Grid::uniform_time(schedule, budget - 1, end);
    let dpm = |grid: &Grid| dpm_solver_pp_2m(grid, Multistep::default());
    let (heun_edm, dpm_edm) =
        (heun(&edm.karras(budget.div_ceil(2))?, Churn::NONE)?, dpm(&edm.karras(budget)?)?);
    let (ddim_vp, ancestral_ve) =
        (ddim(&noisy(&vp, END_VP)?, 0.0)?.final_denoise(), ddim(&noisy(&ve, END_VE)?, 1.0)?.final_denoise());
    let held_out = judge.features(&images.held_out);
    let compare = |points: &DMatrix<f64>| -> Result<(Estimate, Estimate, Vec<f64>)> {
        let features = judge.features(points);
        let transport = sliced_wasserstein(points, &images.held_out, PROJECTIONS, Order::Two, context.seed)?;
        Ok((transport, frechet_distance(&features, &held_out)?, Judge::shares(&features)))
    };
    let mut all = Vec::new();
    for (name, ensemble) in [
        ("spatial, bridge", killed(settings, twins, &starts, false, context)?),
        ("spatial, flux flow", killed(settings, twins, &starts, true, context)?),
        ("EDM, Heun", scheduled(settings, twins, &heun_edm, &edm, context)?),
        ("EDM, DPM-Solver++ 2M", scheduled(settings, twins, &dpm_edm, &edm, context)?),
        ("VP, DDIM", scheduled(settings, twins, &ddim_vp, &vp, context)?),
        ("VE, ancestral", scheduled(settings, twins, &ancestral_ve, &ve, context)?),
    ] {
        context.proceed()?;
        let (transport, features, shares) = compare(&ensemble.points)?;
        all.push(Drawn { name, ensemble, transport, features, shares });
    }

    let caption = format!(
        "{} images by each sampler against the held-out images: sliced Wasserstein distance of the pixels, Fréchet distance of the \
         log-odds of a classifier trained in this run (accuracy {:.3}), with standard errors; the shares of the ten classes. The \
         last row is the same number of images of the data.",
        settings.samples, judge.accuracy
    );
    let mut columns =
        vec!["sampler", "evaluations", "sliced Wasserstein", "±", "feature distance", "±", "not ended"];
    columns.extend(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    let mut table = Table::new("samples", caption, &columns);
    let mut row = |name: &str,
                   evaluations: Option<f64>,
                   transport: Estimate,
                   features: Estimate,
                   lost: usize,
                   shares: &[f64]| {
        let mut cells = cells![
            name,
            evaluations,
            transport.value,
            transport.standard_error,
            features.value,
            features.standard_error,
            lost
        ];
        cells.extend(shares.iter().map(|share| serde_json::Value::from(*share)));
        table.push(cells);
    };
    for drawn in &all {
        let ended = |exit: &&Exit| matches!(exit, Exit::Killed { .. } | Exit::Horizon);
        let lost = settings.samples - drawn.ensemble.exits.iter().filter(ended).count();
        let evaluations = drawn.ensemble.mean_evaluations();
        row(drawn.name, Some(evaluations), drawn.transport, drawn.features, lost, &drawn.shares);
        let name = |what: &str| format!("{what}, {}", drawn.name);
        let budget = budget as f64;
        outcome.checks.push(Check::at_most(
            name("mean evaluations"),
            evaluations,
            budget,
            "the budget of the comparison",
        ));
        outcome.checks.push(Check::at_most(name("images not ended"), lost as f64, 0.0, TARGET));
    }
    let floor = images.data.columns(0, settings.samples.min(images.data.ncols())).into_owned();
    let (transport, features, shares) = compare(&floor)?;
    row("the data themselves", None, transport, features, 0, &shares);
    outcome.tables.push(table);

    let labels: Vec<String> = all.iter().map(|drawn| drawn.name.to_owned()).collect();
    let shown = SHOWN.min(settings.samples);
    let rows = all
        .iter()
        .map(|drawn| (0..shown).map(|i| grey(pixels(&drawn.ensemble.points, i))).collect())
        .collect();
    let panels =
        [ImagePanel { heading: format!("images from noise, at most {budget} evaluations on average"), rows }];
    let caption = "The first images of each sampler, not chosen. The spatial score starts from noise of its first level around the \
                   mean of the data and is never told a time; the other samplers drive the same network, told the level.";
    outcome.figures.push(Figure::new("samples", caption, image_panels(&labels, &panels)?));
    Ok(())
}

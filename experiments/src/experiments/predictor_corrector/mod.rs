//! `predictor-corrector`: what Langevin moves at every level are worth.

mod alone;
mod gaussian;
mod line;
mod plane;

use anyhow::{Result, ensure};
use resolvent::core::horizon::{Norms, PredictorCorrector, reverse_diffusion};
use resolvent::core::schedule::{Grid, Level, Ve, VpLinear, prior};
use resolvent::core::{Denoiser, GaussianMixture, HorizonSampler, Schedule};
use serde::{Deserialize, Serialize};

use crate::experiment::{Context, Experiment};
use crate::outcome::Outcome;

/// Significance of the largest of several comparisons.
const SIGNIFICANCE: f64 = 1e-3;
/// The signal-to-noise ratio of the field.
const USUAL: f64 = 0.16;
/// The law on the line.
const WEIGHTS: [f64; 2] = [0.3, 0.7];
const MEANS: [f64; 2] = [-1.0, 1.0];
const DEVIATIONS: [f64; 2] = [0.4, 0.2];
/// Mean and deviation of the Gaussian under which every step is affine.
const GAUSSIAN: (f64, f64) = (0.5, 0.3);
/// Doublings of the steps of its recursion.
const DOUBLINGS: u32 = 4;
/// The lattice in the plane: Gaussians along a side, their distance and deviation.
const LATTICE: (usize, f64, f64) = (5, 0.5, 0.05);
/// σ of the level at which the corrector is tried by itself.
const TRIAL: f64 = 0.3;
/// Where the exact law of its moves is carried along, and the widest cells for that.
const RANGE: (f64, f64) = (-6.0, 6.0);
const CELL: f64 = 0.01;
/// Pairs of sets of draws that tell the distance of exact samples in the plane.
const FLOORS: usize = 40;
/// Relaxation times of the noise over which it is tried.
const RELAXATIONS: f64 = 8.0;
/// Particles that fixed step sizes are found with.
const CALIBRATION: usize = 1_000;

/// Predictor-corrector under VE and VP.
pub(crate) struct PredictorCorrectors;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Samples of a run on the line.
    samples: usize,
    /// Samples of a run in the plane, and draws they are compared with.
    planar_samples: usize,
    /// Runs in the plane.
    seeds: usize,
    /// Directions of the sliced Wasserstein distance.
    projections: usize,
    /// Numbers of evaluations.
    evaluations: Vec<usize>,
    /// Corrector moves a level.
    moves: Vec<usize>,
    /// Signal-to-noise ratios.
    snrs: Vec<f64>,
    /// Evaluations at which they are compared.
    snr_evaluations: usize,
    /// Predictor steps of the run that should be exact, one move each.
    many: usize,
    /// Particles of the corrector by itself.
    particles: usize,
}

/// A schedule with its prior and the end of its grids.
struct World {
    name: &'static str,
    schedule: Box<dyn Schedule>,
    end: f64,
}

/// How the size of a move is found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sizes {
    Noise,
    Batch,
    Particle,
}

impl Sizes {
    const ALL: [Self; 3] = [Self::Noise, Self::Batch, Self::Particle];

    fn name(self) -> &'static str {
        match self {
            Self::Noise => "σ",
            Self::Batch => "means over a batch",
            Self::Particle => "each particle's own",
        }
    }
}

/// One run.
#[derive(Clone, Copy)]
struct Plan {
    evaluations: usize,
    moves: usize,
    snr: f64,
    sizes: Sizes,
}

impl Experiment for PredictorCorrectors {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "predictor-corrector"
    }

    fn summary(&self) -> &'static str {
        "Langevin moves between the steps of reverse diffusion, at equal numbers of evaluations, under VE and VP"
    }

    fn seconds(&self) -> u32 {
        12
    }

    fn full(&self) -> Settings {
        Settings {
            samples: 20_000,
            planar_samples: 2_000,
            seeds: 3,
            projections: 64,
            evaluations: vec![20, 50, 100, 200, 500],
            moves: vec![0, 1, 2, 4],
            snrs: vec![0.05, 0.08, 0.12, 0.16, 0.25, 0.4, 0.6],
            snr_evaluations: 100,
            many: 1_000,
            particles: 20_000,
        }
    }

    fn quick(&self) -> Settings {
        Settings {
            samples: 2_000,
            planar_samples: 500,
            seeds: 2,
            projections: 32,
            evaluations: vec![20, 100],
            snrs: vec![0.05, 0.16, 0.4],
            particles: 2_000,
            ..self.full()
        }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        let Settings { seeds, snr_evaluations, .. } = *settings;
        ensure!(seeds >= 2, "setting `seeds` = {seeds}: at least 2");
        let most = settings.moves.iter().copied().max().unwrap_or(0);
        ensure!(!settings.moves.is_empty(), "setting `moves` is empty");
        ensure!(
            settings.evaluations.iter().chain([&snr_evaluations]).all(|count| *count > most),
            "settings `evaluations` and `snr_evaluations`: more than the {most} moves of a level each"
        );
        ensure!(!settings.snrs.is_empty(), "setting `snrs` is empty");
        let worlds = [
            World { name: "VE", schedule: Box::new(Ve::default()), end: 1e-5 },
            World { name: "VP", schedule: Box::new(VpLinear::default()), end: 1e-3 },
        ];
        let mut outcome = Outcome::default();
        gaussian::gaussian(&worlds, settings, context, &mut outcome)?;
        line::line(&worlds, settings, context, &mut outcome)?;
        plane::plane(&worlds, settings, context, &mut outcome)?;
        alone::alone(settings, context, &mut outcome)?;
        outcome.notes = NOTES.map(String::from).to_vec();
        Ok(outcome)
    }
}

const NOTES: [&str; 4] = [
    "A level costs one evaluation for the predictor and one for every move, so that at equal evaluations moves are paid for with \
     longer steps. The law is compared with that of the level at which the grid ends, in closed form; there is no denoising \
     step.",
    "The size of a move is 2 (snr |z|/|s|)² times (α_i/α_{i-1})². With |z|/|s| = σ it depends on the level alone; with the ratio of \
     means over a batch, as in the field's software, nearly so; with each particle's own |z| and |s| small moves lead to another \
     law, on the line one far away. There E[1/|s|²], and with it the variance after such a move, is infinite.",
    "Moves have a bias of their own at every level: the law they leave invariant differs from p_t by the order of snr², and where \
     the data are wider than the noise by less.",
    "Reverse diffusion by itself is of first order in the length of its steps. Moves of fixed snr leave a bias of the order of snr² \
     where σ is near the deviation of the data, which only the moves at the levels after them undo: under VP, with steps uniform in \
     time, it falls more slowly than that of the first order, and in many steps it is the larger.",
];

fn mixture() -> Result<GaussianMixture> {
    Ok(GaussianMixture::one_dimensional(&WEIGHTS, &MEANS, &DEVIATIONS)?)
}

impl World {
    fn grid(&self, steps: usize) -> Result<Grid> {
        Ok(Grid::uniform_time(self.schedule.as_ref(), steps, self.end)?)
    }

    fn last(&self) -> Level {
        self.schedule.level(self.end)
    }

    /// `n` samples at the end of the grid and the evaluations of a particle.
    fn sample(
        &self,
        denoiser: &dyn Denoiser,
        plan: Plan,
        n: usize,
        seed: u64,
    ) -> Result<(nalgebra::DMatrix<f64>, usize)> {
        let Plan { evaluations, moves, snr, sizes } = plan;
        let predictor = reverse_diffusion(&self.grid(evaluations / (1 + moves))?)?;
        let starts = |n, seed| prior(self.schedule.as_ref(), denoiser.dim(), n, seed);
        let ensemble = if moves == 0 {
            HorizonSampler::new(&predictor.with(denoiser)).run(&starts(n, seed), seed)?
        } else {
            let method = PredictorCorrector::new(&predictor, denoiser)?.snr(snr)?.corrector_steps(moves)?;
            let method = match sizes {
                Sizes::Noise => method.norms(Norms::Noise),
                Sizes::Particle => method.norms(Norms::Particle),
                Sizes::Batch => method.calibrated(&starts(CALIBRATION, !seed), !seed)?,
            };
            HorizonSampler::new(&method).run(&starts(n, seed), seed)?
        };
        let most = ensemble.evaluations.iter().copied().max().unwrap_or(0);
        Ok((ensemble.points, most))
    }

    /// Mean and variance at the end of the grid for the Gaussian in `steps` steps, each followed by `moves` moves with |z|/|s| = σ.
    /// At a level where the law has variance V the denoiser is D = m + α s²/V (x - α m), the score (α m - x)/V.
    fn recursion(&self, steps: usize, moves: usize) -> Result<(f64, f64)> {
        let (m, s) = GAUSSIAN;
        let total = |level: &Level| (level.alpha * s).powi(2) + level.sigma.powi(2);
        let grid = self.grid(steps)?;
        let levels = grid.levels();
        let (mut mean, mut variance) = (0.0, self.schedule.prior_deviation().powi(2));
        for (i, stage) in reverse_diffusion(&grid)?.stages().iter().enumerate() {
            let (row, alpha) = (stage.next, stage.level.alpha);
            let gain = alpha * s * s / total(&stage.level);
            let factor = row.x + row.denoised[0] * gain;
            mean = factor * mean + row.denoised[0] * m * (1.0 - gain * alpha);
            variance = factor * factor * variance + row.noise * row.noise;
            let reached = &levels[i + 1];
            let next = levels.get(i + 2).map_or(1.0, |level| level.alpha);
            let size = 2.0 * (reached.alpha / next * USUAL * reached.sigma).powi(2) / total(reached);
            mean = reached.alpha * m + (1.0 - size).powi(moves as i32) * (mean - reached.alpha * m);
            variance = total(reached) * alone::after_moves(variance / total(reached), size, moves);
        }
        Ok((mean, variance))
    }
}

//! `predictor-corrector`: what Langevin moves at every level are worth.

use anyhow::{Result, ensure};
use resolvent::core::horizon::{Norms, PredictorCorrector, reverse_diffusion};
use resolvent::core::schedule::{Edm, Grid, Level, Ve, VpLinear, diffuse, prior};
use resolvent::core::{Denoiser, GaussianMixture, HorizonSampler, Schedule};
use resolvent::data;
use resolvent::metrics::{Order, expected_ks, ks_critical, ks_one_sample, mean, sliced_wasserstein};
use serde::{Deserialize, Serialize};

use super::mixture::chain::EulerChain;
use super::mixture::tabulated::Tabulated;
use super::reverse_time::critical_z;
use crate::experiment::{Context, Experiment};
use crate::outcome::{Check, Figure, Outcome, Table, cells};
use crate::plot::{Axis, Chart, Series};

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
        gaussian(&worlds, settings, context, &mut outcome)?;
        line(&worlds, settings, context, &mut outcome)?;
        plane(&worlds, settings, context, &mut outcome)?;
        alone(settings, context, &mut outcome)?;
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
            variance = total(reached) * after_moves(variance / total(reached), size, moves);
        }
        Ok((mean, variance))
    }
}

/// Gaussian data: every step is affine, so that mean and variance at the end are known exactly for any number of steps.
fn gaussian(worlds: &[World], settings: &Settings, context: &Context, outcome: &mut Outcome) -> Result<()> {
    let (centre, deviation) = GAUSSIAN;
    let law = GaussianMixture::one_dimensional(&[1.0], &[centre], &[deviation])?;
    let n = settings.samples;
    let mut table = Table::new(
        "Gaussian on the line",
        format!(
            "N({centre}, {deviation}²): mean, and variance over that of the law at the end of the grid, of {n} samples, and by the exact \
             recursion of the steps and moves; snr {USUAL}, |z|/|s| = σ."
        ),
        &[
            "schedule",
            "moves a level",
            "evaluations",
            "mean",
            "error",
            "recursion",
            "variance / exact",
            "error",
            "recursion",
        ],
    );
    let mut deviations = Vec::new();
    for world in worlds {
        let exact = law.at(&world.last()).covariance()[(0, 0)];
        for &moves in &settings.moves {
            for &evaluations in &settings.evaluations {
                context.proceed()?;
                let plan = Plan { evaluations, moves, snr: USUAL, sizes: Sizes::Noise };
                let (points, spent) = world.sample(&law, plan, n, context.seed)?;
                let (centre, variance) = world.recursion(evaluations / (1 + moves), moves)?;
                let places = mean(points.as_slice())?;
                let squares: Vec<f64> = points.iter().map(|x| (x - centre).powi(2)).collect();
                let squares = mean(&squares)?;
                deviations.push((places.value - centre).abs() / places.standard_error);
                deviations.push((squares.value - variance).abs() / squares.standard_error);
                table.push(cells![
                    world.name,
                    moves,
                    spent,
                    places.value,
                    places.standard_error,
                    centre,
                    squares.value / exact,
                    squares.standard_error / exact,
                    variance / exact
                ]);
            }
        }
    }
    outcome.tables.push(table);
    let count = deviations.len();
    outcome.checks.push(Check::at_most(
        format!("steps and moves on a Gaussian: mean and variance against their recursion, largest of {count} in standard errors"),
        deviations.into_iter().fold(0.0, f64::max),
        critical_z(SIGNIFICANCE, count)?,
        "reverse diffusion and moves are affine; 1e-3 over all",
    ));
    let mut table = Table::new(
        "Bias on the Gaussian",
        format!(
            "Variance over that of the law at the end of the grid, less 1, by the recursion; snr {USUAL}."
        ),
        &["schedule", "moves a level", "steps", "variance / exact - 1"],
    );
    let mut orders = Vec::new();
    let mut falls = Vec::new();
    for world in worlds {
        let exact = law.at(&world.last()).covariance()[(0, 0)];
        for &moves in &settings.moves {
            let mut biases = Vec::new();
            for doubling in 0..=DOUBLINGS {
                let steps = settings.many << doubling;
                let bias = world.recursion(steps, moves)?.1 / exact - 1.0;
                table.push(cells![world.name, moves, steps, bias]);
                biases.push(bias.abs());
            }
            for pair in biases.windows(2) {
                if moves == 0 {
                    orders.push((pair[1] - 0.5 * pair[0]).abs() / pair[0].powi(2));
                } else {
                    falls.push(pair[1] / pair[0]);
                }
            }
        }
    }
    outcome.tables.push(table);
    if !orders.is_empty() {
        outcome.checks.push(Check::at_most(
            "reverse diffusion on a Gaussian: bias of the variance in 2N steps less half that in N, over the square of the latter",
            orders.into_iter().fold(0.0, f64::max),
            1.0,
            "steps of first order, exact recursion; what is left is of second order",
        ));
    }
    if !falls.is_empty() {
        outcome.checks.push(Check::at_most(
            "with moves: bias of the variance in 2N steps over that in N, largest",
            falls.into_iter().fold(0.0, f64::max),
            1.0,
            "falls at every doubling, exact recursion",
        ));
    }
    Ok(())
}

/// The mixture on the line: Kolmogorov-Smirnov distance to the exact law of the last level.
fn line(worlds: &[World], settings: &Settings, context: &Context, outcome: &mut Outcome) -> Result<()> {
    let law = mixture()?;
    let n = settings.samples;
    let measure = |world: &World, plan: Plan| -> Result<(f64, usize)> {
        context.proceed()?;
        let (points, evaluations) = world.sample(&law, plan, n, context.seed)?;
        let level = world.last();
        Ok((ks_one_sample(points.as_slice(), |x| law.cdf(&level, x))?.statistic, evaluations))
    };
    let floor = expected_ks(n)?;
    let mut table = Table::new(
        "Mixture on the line",
        format!(
            "0.3 N(−1, 0.4²) + 0.7 N(1, 0.2²) by reverse diffusion with Langevin moves: Kolmogorov-Smirnov distance D of {n} samples to \
             the law at the end of the grid. {floor:.5} on average for exact samples, {:.5} at most with probability 0.999.",
            ks_critical(n, SIGNIFICANCE)?
        ),
        &["schedule", "moves a level", "snr", "size from", "evaluations", "D"],
    );
    let many = Plan { evaluations: 2 * settings.many, moves: 1, snr: USUAL, sizes: Sizes::Noise };
    for world in worlds {
        let mut by_moves =
            Chart::new(Axis::log("evaluations per particle"), Axis::log("Kolmogorov-Smirnov distance"));
        for &moves in &settings.moves {
            let mut points = Vec::new();
            for &evaluations in &settings.evaluations {
                let plan = Plan { evaluations, moves, snr: USUAL, sizes: Sizes::Noise };
                let (distance, spent) = measure(world, plan)?;
                let snr = (moves > 0).then_some(USUAL);
                table.push(cells![world.name, moves, snr, plan.sizes.name(), spent, distance]);
                points.push((spent as f64, distance));
            }
            let name = if moves == 1 { "1 move a level".into() } else { format!("{moves} moves a level") };
            by_moves = by_moves.series(Series::marked(name, points));
        }
        let chart = by_moves.reference(floor, "exact samples, on average");
        outcome.figures.push(Figure::new(
            format!("line-{}", world.name.to_lowercase()),
            format!(
                "{}, mixture on the line: distance of {n} samples to the exact law at the end of the grid, against evaluations. \
                 Reverse diffusion with Langevin moves of snr {USUAL} after every step; a level costs one evaluation and one per move.",
                world.name
            ),
            chart.svg()?,
        ));
        let (distance, _) = measure(world, many)?;
        table.push(cells![world.name, 1, USUAL, many.sizes.name(), many.evaluations, distance]);
    }
    let mut by_snr =
        Chart::new(Axis::log("signal-to-noise ratio of a move"), Axis::log("Kolmogorov-Smirnov distance"));
    for world in worlds {
        for sizes in Sizes::ALL {
            let mut points = Vec::new();
            for &snr in &settings.snrs {
                let plan = Plan { evaluations: settings.snr_evaluations, moves: 1, snr, sizes };
                let (distance, spent) = measure(world, plan)?;
                table.push(cells![world.name, 1, snr, sizes.name(), spent, distance]);
                points.push((snr, distance));
            }
            by_snr = by_snr.series(Series::marked(format!("{}, {}", world.name, sizes.name()), points));
        }
    }
    outcome.figures.push(Figure::new(
        "snr",
        format!(
            "Mixture on the line, {} evaluations, one move a level: distance of {n} samples to the exact law against the signal-to-noise \
             ratio, by where |z|/|s| in the size of a move is taken from.",
            settings.snr_evaluations
        ),
        by_snr.reference(floor, "exact samples, on average").svg()?,
    ));
    outcome.tables.push(table);
    Ok(())
}

/// The lattice of Gaussians in the plane: sliced Wasserstein distance.
fn plane(worlds: &[World], settings: &Settings, context: &Context, outcome: &mut Outcome) -> Result<()> {
    let (side, spacing, deviation) = LATTICE;
    let law = data::GaussianMixture::grid(side, spacing, deviation)?;
    let count = law.weights().len();
    let denoiser = GaussianMixture::isotropic(law.weights(), law.means().clone(), &vec![deviation; count])?;
    let n = settings.planar_samples;
    let seed = |k: usize| context.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(k as u64);
    let distance = |points: &nalgebra::DMatrix<f64>, level: &Level, k: usize| -> Result<f64> {
        let draws = diffuse(level, &denoiser.sample(n, !seed(k)), seed(k).wrapping_add(1 << 40));
        Ok(sliced_wasserstein(points, &draws, settings.projections, Order::One, seed(k))?.value)
    };
    let mut table = Table::new(
        "25 Gaussians in the plane",
        format!(
            "Means {spacing} apart, deviation {deviation}. Sliced Wasserstein distance W₁ of {n} samples to {n} draws from the law at the end \
             of the grid, mean and standard error over {} seeds, at snr {USUAL}; the first row of a schedule is that of two sets of \
             draws, over {FLOORS} pairs.",
            settings.seeds
        ),
        &["schedule", "moves a level", "evaluations", "distance", "error"],
    );
    for world in worlds {
        let level = world.last();
        let floors = (0..FLOORS)
            .map(|k| {
                context.proceed()?;
                let again = diffuse(&level, &denoiser.sample(n, seed(k)), seed(k).wrapping_add(2 << 40));
                distance(&again, &level, k)
            })
            .collect::<Result<Vec<_>>>()?;
        let floor = mean(&floors)?;
        table.push(cells![world.name, "draws", None::<u64>, floor.value, floor.standard_error]);
        let mut chart =
            Chart::new(Axis::log("evaluations per particle"), Axis::log("sliced Wasserstein distance"));
        for &moves in &settings.moves {
            let (mut points, mut errors) = (Vec::new(), Vec::new());
            for &evaluations in &settings.evaluations {
                let plan = Plan { evaluations, moves, snr: USUAL, sizes: Sizes::Noise };
                let (mut distances, mut spent) = (Vec::new(), 0);
                for k in 0..settings.seeds {
                    context.proceed()?;
                    let (points, evaluations) = world.sample(&denoiser, plan, n, seed(k))?;
                    distances.push(distance(&points, &level, k)?);
                    spent = evaluations;
                }
                let distance = mean(&distances)?;
                table.push(cells![world.name, moves, spent, distance.value, distance.standard_error]);
                points.push((spent as f64, distance.value));
                errors.push(distance.standard_error);
            }
            let name = if moves == 1 { "1 move a level".into() } else { format!("{moves} moves a level") };
            chart = chart.series(Series::marked(name, points).errors(errors));
        }
        outcome.figures.push(Figure::new(
            format!("plane-{}", world.name.to_lowercase()),
            format!(
                "{}, 25 Gaussians in the plane ({spacing} apart, deviation {deviation}): sliced Wasserstein distance of {n} samples to the law at the end of \
                 the grid, mean and standard error over {} seeds, snr {USUAL}.",
                world.name, settings.seeds
            ),
            chart.reference(floor.value, "floor: two samples of the law").svg()?,
        ));
    }
    outcome.tables.push(table);
    Ok(())
}

/// The corrector by itself, from exact draws of p_t at one level: does p_t stay?
fn alone(settings: &Settings, context: &Context, outcome: &mut Outcome) -> Result<()> {
    let edm = Edm::default();
    let level = edm.level(TRIAL);
    let grid = Grid::new(vec![level, Level::CLEAN])?;
    let laws = [
        ("N(0, 0.05²)", GaussianMixture::one_dimensional(&[1.0], &[0.0], &[0.05])?),
        ("mixture", mixture()?),
    ];
    let n = settings.particles;
    let mut table = Table::new(
        "Corrector by itself",
        format!(
            "Langevin moves at σ = {TRIAL}, α = 1, from {n} exact draws, over {RELAXATIONS} relaxation times of the noise: variance over that of p_t \
             and Kolmogorov-Smirnov distance D to p_t, and that of the exact law of the moves to p_t. For the Gaussian the variance follows v' = (1 − ε/s²)² v + 2ε exactly, with ε = 2 snr² σ² \
             and s² = 0.05² + σ². Of sizes from each particle's own |z| and |s|, the last rows of a law, \
             the variance is infinite."
        ),
        &["law", "size from", "snr", "moves", "variance / exact", "error", "recursion", "D", "D, exact law"],
    );
    let (mut deviations, mut distances) = (Vec::new(), Vec::new());
    let mut chart = Chart::new(
        Axis::log("signal-to-noise ratio of a move"),
        Axis::log("Kolmogorov-Smirnov distance to p_t"),
    );
    for (name, law) in &laws {
        let exact = law.at(&level);
        let (truth, mean_) = (exact.covariance()[(0, 0)], exact.mean()[0]);
        let starts = diffuse(&level, &law.sample(n, context.seed), context.seed);
        let mut points = Vec::new();
        for (sizes, norms) in [(Sizes::Noise, Norms::Noise), (Sizes::Particle, Norms::Particle)] {
            for &snr in &settings.snrs {
                context.proceed()?;
                let size = 2.0 * snr * snr;
                let moves = (RELAXATIONS / size).ceil() as usize;
                let method = PredictorCorrector::corrector_only(&grid, law)
                    .snr(snr)?
                    .corrector_steps(moves)?
                    .norms(norms);
                let ended = HorizonSampler::new(&method).run(&starts, context.seed)?.points;
                let squares: Vec<f64> = ended.iter().map(|x| (x - mean_).powi(2) / truth).collect();
                let variance = mean(&squares)?;
                let distance = ks_one_sample(ended.as_slice(), |x| law.cdf(&level, x))?.statistic;
                let recursion = (law.len() == 1 && sizes == Sizes::Noise)
                    .then(|| after_moves(1.0, size * TRIAL * TRIAL / truth, moves));
                let mut bias = None;
                if sizes == Sizes::Noise {
                    let chain = moved(law, &level, size * TRIAL * TRIAL, moves)?;
                    distances.push(ks_one_sample(ended.as_slice(), |x| chain.at(x))?.statistic);
                    bias = Some(chain.distance(|x| law.cdf(&level, x)));
                    points.push((snr, distance));
                }
                // E[1/|s|²] is infinite.
                let finite = (sizes == Sizes::Noise).then_some(variance);
                table.push(cells![
                    *name,
                    sizes.name(),
                    snr,
                    moves,
                    finite.map(|variance| variance.value),
                    finite.map(|variance| variance.standard_error),
                    recursion,
                    distance,
                    bias
                ]);
                if let Some(recursion) = recursion {
                    deviations.push((variance.value - recursion).abs() / variance.standard_error);
                }
            }
        }
        chart = chart.series(Series::marked(*name, points));
    }
    let count = deviations.len();
    outcome.checks.push(Check::at_most(
        format!(
            "corrector on a Gaussian: variance against its recursion, largest of {count} in standard errors"
        ),
        deviations.iter().copied().fold(0.0, f64::max),
        critical_z(SIGNIFICANCE, count)?,
        "v' = (1 - ε/s²)² v + 2ε; 1e-3 over all",
    ));
    let count = distances.len();
    outcome.checks.push(Check::at_most(
        format!("corrector from p_t: KS to the exact law of the moves, largest of {count}"),
        distances.into_iter().fold(0.0, f64::max),
        ks_critical(n, SIGNIFICANCE / count as f64)?,
        "the transition of a move iterated on cells; critical value at 1e-3 over all",
    ));
    outcome.figures.push(Figure::new(
        "alone",
        format!(
            "Langevin moves with the exact score at σ = {TRIAL}, started from p_t itself: distance of {n} particles to p_t after {RELAXATIONS} \
             relaxation times. Their bias vanishes with their size; for exact draws the distance is {:.4} on average.",
            expected_ks(n)?
        ),
        chart.reference(expected_ks(n)?, "exact samples, on average").svg()?,
    ));
    outcome.tables.push(table);
    Ok(())
}

/// The variance over that of the law, s², after `moves` moves of size `size` = ε/s² from `variance`.
fn after_moves(variance: f64, size: f64, moves: usize) -> f64 {
    (0..moves).fold(variance, |variance, _| (1.0 - size).powi(2) * variance + 2.0 * size)
}

/// The exact law of `moves` moves of size ε = `size` from p_t at `level`: x' = x + ε s(x) + √(2ε) z.
fn moved(law: &GaussianMixture, level: &Level, size: f64, moves: usize) -> Result<Tabulated> {
    let width = CELL.min(0.5 * (2.0 * size).sqrt());
    let cells = ((RANGE.1 - RANGE.0) / width).ceil() as usize;
    let edge = |k: usize| RANGE.0 + (RANGE.1 - RANGE.0) * k as f64 / cells as f64;
    let at = law.at(level);
    let score = |x: f64| {
        let mut score = [0.0];
        at.scores(&Level::CLEAN, &[x], &mut score);
        score[0]
    };
    let mut chain = EulerChain::new(RANGE, cells, size, score)?;
    let mut masses: Vec<f64> =
        (0..cells).map(|k| law.cdf(level, edge(k + 1)) - law.cdf(level, edge(k))).collect();
    chain.advance(&mut masses, moves);
    Ok(chain.law(&masses))
}

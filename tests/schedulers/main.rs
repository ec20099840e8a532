//! Conformance: every linear scheme goes, step by step, where the scheduler of that name in the `diffusers` library
//! goes, with the same model and the same noise, both in f64.
//!
//! The tables were written by generate.py, where the model, the start and the noise are described.

mod cases;
mod table;

use std::ops::ControlFlow;

use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent::core::HorizonSampler;
use resolvent::core::horizon::{
    LinearScheme, Norms, PredictorCorrector, Row, ddim, euler, reverse_diffusion,
};
use resolvent::core::marginal::{DataPrediction, Denoiser, NoisePrediction, ScorePrediction};
use resolvent::core::random::{Purpose, stream};
use resolvent::core::schedule::{DdpmBetas, Edm, End, Grid, Level, Spacing};

use cases::{Case, Evaluation, edm_denoised};
use table::{DIMENSION, Point, draws, names, trajectory};

/// Largest difference allowed after any step.
const TOLERANCE: f64 = 1e-10;

/// Element j of draw k.
fn given_noise(k: usize) -> Point {
    std::array::from_fn(|j| 1.2 * f64::sin(1.0 + 0.7 * j as f64 + 1.3 * k as f64))
}

/// What a scheme passes through.
struct Run {
    /// Before every stage, and at last the end.
    places: Vec<Point>,
    /// After every stage.
    anchors: Vec<Point>,
    /// The end without the noise of the last move.
    mean: Point,
    /// The number of draws.
    draws: usize,
}

/// Reads the table of coefficients as its documentation says, apart from the library's own engine.
fn interpret(
    scheme: &LinearScheme,
    clip: Option<f64>,
    model: impl Fn(Evaluation) -> f64,
    start: Point,
    mut noise: impl FnMut(usize) -> Point,
) -> Run {
    let (mut x, mut anchor, mut memory) = (start, start, [[0.0; DIMENSION]; 3]);
    let mut run = Run { places: vec![start], anchors: Vec::new(), mean: start, draws: 0 };
    let mut draw = |draws: &mut usize| {
        *draws += 1;
        noise(*draws - 1)
    };
    for stage in scheme.stages() {
        let before = x;
        if stage.perturbation > 0.0 {
            let z = draw(&mut run.draws);
            (0..DIMENSION).for_each(|j| x[j] += stage.perturbation * z[j]);
        }
        let level = stage.level;
        memory.rotate_right(1);
        memory[0] = std::array::from_fn(|j| model(Evaluation { level, x: x[j], before: before[j] }));
        let predicted: Point = std::array::from_fn(|j| (x[j] - level.alpha * memory[0][j]) / level.sigma);
        if let Some(bound) = clip {
            memory[0].iter_mut().for_each(|d| *d = d.clamp(-bound, bound));
        }
        let combine = |row: &Row, anchor: &Point| -> Point {
            std::array::from_fn(|j| {
                let remembered: f64 = (0..3).map(|k| row.denoised[k] * memory[k][j]).sum();
                row.x * x[j] + row.anchor * anchor[j] + remembered + row.predicted_noise * predicted[j]
            })
        };
        if let Some(row) = &stage.anchor {
            anchor = combine(row, &anchor);
        }
        run.mean = combine(&stage.next, &anchor);
        x = run.mean;
        if stage.next.noise != 0.0 {
            let z = draw(&mut run.draws);
            (0..DIMENSION).for_each(|j| x[j] += stage.next.noise * z[j]);
        }
        run.places.push(x);
        run.anchors.push(anchor);
    }
    run
}

fn assert_close(found: &[f64], expected: &[f64], at: impl std::fmt::Display) {
    assert_eq!(found.len(), expected.len(), "{at}");
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= TOLERANCE, "{at}: {found:?}, expected {expected:?}");
    }
}

/// The levels and timesteps of the grid are those of the scheduler.
fn assert_grid(name: &str, case: &Case) {
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-10 * b.abs().max(1e-3);
    let second = name.starts_with("heun");
    for row in trajectory(name).iter().filter(|row| row.step < case.levels.len() - 1) {
        let (from, to) = (&case.levels[row.step], &case.levels[row.step + 1]);
        let fits = close(from.alpha, row.alpha) && close(from.sigma, row.sigma);
        assert!(fits, "{name}, step {}: {from:?}, expected {row:?}", row.step);
        if let Some((alpha, sigma)) = row.next.filter(|_| case.contiguous) {
            let fits = close(to.alpha, alpha) && close(to.sigma, sigma);
            assert!(fits, "{name}, step {}: {to:?}, expected {row:?}", row.step);
        }
        let level = if second && row.stage == "predicted" { to } else { from };
        let (found, expected) = ((case.timestep)(level), row.timestep.unwrap());
        // The scheduler interpolates in its own order of operations.
        assert!((found - expected).abs() <= 1e-8, "{name}, step {}: {found}, {expected}", row.step);
    }
}

#[test]
fn every_scheme_follows_its_scheduler() {
    let (mut cases, mut rows) = (0, 0);
    for name in names() {
        let Some(case) = Case::of(&name) else {
            assert_eq!(name, "score_ve", "no scheme for this case");
            continue;
        };
        assert_grid(&name, &case);
        let run = interpret(&case.scheme, case.clip, &case.model, case.start(), given_noise);
        let table = trajectory(&name);
        let mut expected = table.iter().peekable();
        for (k, place) in run.places[..run.places.len() - 1].iter().enumerate() {
            let row = expected.next().unwrap();
            assert_close(place, &row.x, format_args!("{name}, stage {k}, {}", row.stage));
            // The corrected point of a predictor-corrector method.
            if let Some(row) = expected.next_if(|next| next.step == row.step && next.stage == "state") {
                assert_close(&run.anchors[k], &row.x, format_args!("{name}, stage {k}, corrected"));
                rows += 1;
            }
            rows += 1;
        }
        // A step of the scheduler between equal levels goes nowhere and is not in the grid.
        let rest: Vec<_> = expected.collect();
        let nowhere = rest.len() - 1 - usize::from(rest[0].stage == "mean");
        assert!(nowhere <= 1 && (nowhere == 0 || rest[0].goes_nowhere()), "{name}: {rest:?}");
        for row in rest {
            let end = if row.stage == "mean" { &run.mean } else { &run.places[run.places.len() - 1] };
            assert_close(end, &row.x, format_args!("{name}, {} at the end", row.stage));
            rows += 1;
        }
        // Some schedulers draw once more, for a coefficient of zero.
        let wanted = draws(&name);
        assert!(run.draws == wanted || run.draws + 1 == wanted, "{name}: {} draws, {wanted}", run.draws);
        cases += 1;
    }
    assert!(cases >= 52 && rows >= 550, "{cases} cases and {rows} rows");
}

/// The library's own engine does what the table of coefficients says, noise included.
#[test]
fn the_engine_follows_the_table() {
    for name in names() {
        let Some(case) = Case::of(&name) else { continue };
        if name == "edm_euler_churn_stock" {
            // Its model looks at the place before the churn, which no denoiser can.
            continue;
        }
        let model = |level: &Level, points: &[f64], out: &mut [f64]| {
            for (out, x) in out.iter_mut().zip(points) {
                *out = (case.model)(Evaluation { level: *level, x: *x, before: f64::NAN });
            }
        };
        let denoiser = DataPrediction::new(DIMENSION, model).unwrap();
        let starts = DMatrix::from_fn(DIMENSION, 3, |j, i| case.start()[j] * (1.0 + 0.1 * i as f64));
        let scheme = match case.clip {
            Some(bound) => case.scheme.clone().clipped(bound).unwrap(),
            None => case.scheme.clone(),
        };
        let ensemble = HorizonSampler::new(&scheme.with(&denoiser)).run(&starts, 11).unwrap();
        for (i, start) in starts.column_iter().enumerate() {
            let mut rng = stream(11, Purpose::Path, i as u64);
            let start = start.as_slice().try_into().unwrap();
            let noise = |_| std::array::from_fn(|_| rng.sample(StandardNormal));
            let run = interpret(&case.scheme, case.clip, &case.model, start, noise);
            let end = run.places[run.places.len() - 1];
            assert_close(ensemble.points.column(i).as_slice(), &end, format_args!("{name}, particle {i}"));
            assert_eq!(ensemble.evaluations[i], scheme.stages().len());
        }
    }
}

/// The steps of the predictor-corrector pipeline for a variance exploding schedule between its corrections.
#[test]
fn the_predictor_of_score_ve_is_reverse_diffusion() {
    let table = trajectory("score_ve");
    let n = 10;
    for (i, corrected) in table.iter().filter(|row| row.stage == "corrected").enumerate() {
        let level = |sigma: f64| Level { time: sigma, alpha: 1.0, sigma };
        let (from, to) = (level(corrected.sigma), level(corrected.next.unwrap().1));
        let geometric = |t: f64| 0.01 * (50.0_f64 / 0.01).powf(t);
        assert!((from.sigma / geometric((n - 1 - i) as f64 / (n - 1) as f64) - 1.0).abs() < 1e-12);
        let scheme = reverse_diffusion(&Grid::new(vec![from, to]).unwrap()).unwrap();
        // The pipeline asks the model at levels slightly off the grid.
        let asked = geometric(1.0 + i as f64 * (1e-5 - 1.0) / (n - 1) as f64);
        let model = |e: Evaluation| e.x - e.level.sigma.powi(2) * e.x / (1.0 + asked * asked);
        let run = interpret(&scheme, None, model, corrected.x, |_| given_noise(2 * i + 1));
        let last = i + 1 == n;
        let wanted = if last { "mean" } else { "state" };
        let expected = table.iter().find(|row| row.step == i + 1 && row.stage == wanted).unwrap();
        assert_close(&run.places[1], &expected.x, format_args!("step {i}"));
        assert_eq!(run.draws, usize::from(!last));
    }
}

/// One Langevin move of the corrector with a signal-to-noise ratio of 0.15, its size by the norms of this one vector.
fn corrected(x: &[f64], score: impl Fn(f64) -> f64, z: &[f64]) -> Vec<f64> {
    let norm = |v: &mut dyn Iterator<Item = f64>| v.map(|v| v * v).sum::<f64>().sqrt();
    let ratio = norm(&mut z.iter().copied()) / norm(&mut x.iter().map(|x| score(*x)));
    let size = 2.0 * (0.15 * ratio).powi(2);
    x.iter().zip(z).map(|(x, z)| x + size * score(*x) + (2.0 * size).sqrt() * z).collect()
}

/// The corrections of that pipeline, and those of the library with its own noise, are one formula.
#[test]
fn the_corrector_of_score_ve_is_the_predictor_corrector_s() {
    let table = trajectory("score_ve");
    for (i, pair) in table.windows(2).filter(|pair| pair[1].stage == "corrected").enumerate() {
        let asked = 0.01 * (50.0_f64 / 0.01).powf(1.0 + i as f64 * (1e-5 - 1.0) / 9.0);
        let score = |x: f64| -x / (1.0 + asked * asked);
        assert_close(
            &corrected(&pair[0].x, score, &given_noise(2 * i)),
            &pair[1].x,
            format_args!("step {i}"),
        );

        let model = |_: &Level, x: &[f64], out: &mut [f64]| {
            out.iter_mut().zip(x).for_each(|(out, x)| *out = score(*x));
        };
        let denoiser = ScorePrediction::new(DIMENSION, model).unwrap();
        let levels = vec![Level { time: asked, alpha: 1.0, sigma: asked }, Level::CLEAN];
        let method = PredictorCorrector::corrector_only(&Grid::new(levels).unwrap(), &denoiser);
        let method = method.norms(Norms::Particle).snr(0.15).unwrap();
        let starts = DMatrix::from_column_slice(DIMENSION, 1, &pair[0].x);
        let moved = HorizonSampler::new(&method).run(&starts, 3).unwrap().points;
        let mut rng = stream(3, Purpose::Path, 0);
        let z: Point = std::array::from_fn(|_| rng.sample(StandardNormal));
        assert_close(moved.as_slice(), &corrected(&pair[0].x, score, &z), format_args!("engine, step {i}"));
    }
}

/// The sample arange(768)/768 carried by `scheme`, all of it acting on each number alone: the sum and mean of |x|.
fn figures(scheme: &LinearScheme, denoiser: &dyn Denoiser, scale: f64) -> (f64, f64) {
    let starts = DMatrix::from_fn(1, 768, |_, k| scale * k as f64 / 768.0);
    let end = HorizonSampler::new(&scheme.with(denoiser)).run(&starts, 1).unwrap().points;
    let sum = end.iter().map(|x| x.abs()).sum::<f64>();
    (sum, sum / 768.0)
}

/// The figures that `diffusers` itself is tested with: the model x t/(t + 1), ten steps, DDIM with clipping.
#[test]
fn the_field_s_figure_for_ddim() {
    let model = |level: &Level, x: &[f64], out: &mut [f64]| {
        out.iter_mut().zip(x).for_each(|(out, x)| *out = x * level.time / (level.time + 1.0));
    };
    let grid = DdpmBetas::default().grid(10, Spacing::Leading { offset: 0 }, End::Clean).unwrap();
    let scheme = ddim(&grid, 0.0).unwrap().clipped(1.0).unwrap();
    let (sum, mean) = figures(&scheme, &NoisePrediction::new(1, model).unwrap(), 1.0);
    assert!((sum - 172.0067).abs() < 1e-2 && (mean - 0.223967).abs() < 1e-3, "{sum}, {mean}");
    // The same schedulers in f64.
    assert!((sum - 172.0065222).abs() < 1e-7 && (mean - 0.2239668257).abs() < 1e-10, "{sum}, {mean}");
}

#[test]
fn the_field_s_figure_for_euler_edm() {
    let grid = Edm::default().karras(10).unwrap();
    let model = |level: &Level, x: &[f64], out: &mut [f64]| {
        out.iter_mut().zip(x).for_each(|(out, x)| *out = edm_denoised(level.sigma, *x));
    };
    let denoiser = DataPrediction::new(1, model).unwrap();
    let scale = grid.start().sigma.hypot(1.0);
    let (sum, mean) = figures(&euler(&grid).unwrap(), &denoiser, scale);
    assert!((sum - 34.1855).abs() < 1e-3, "{sum}");
    assert!((sum - 34.1854943).abs() < 1e-7 && (mean - 0.04451236237).abs() < 1e-10, "{sum}, {mean}");
}

/// An observer sees the place, step, time, noise level and denoised point of every evaluation.
#[test]
fn the_observer_sees_every_evaluation() {
    let case = Case::of("heun").unwrap();
    let denoiser = DataPrediction::new(DIMENSION, |level: &Level, x: &[f64], out: &mut [f64]| {
        for (out, x) in out.iter_mut().zip(x) {
            *out = (case.model)(Evaluation { level: *level, x: *x, before: *x });
        }
    })
    .unwrap();
    let seen = std::sync::Mutex::new(Vec::new());
    let starts = DMatrix::from_column_slice(DIMENSION, 1, &case.start());
    let method = case.scheme.with(&denoiser);
    let run = HorizonSampler::new(&method).run_observed(&starts, 1, &|o| {
        seen.lock().unwrap().push((o.step, o.time, o.sigma, o.points.to_vec(), o.denoised.to_vec()));
        ControlFlow::Continue(())
    });
    assert_eq!(run.unwrap().evaluations, [19]);
    let table = trajectory("heun");
    for ((step, time, sigma, points, denoised), row) in seen.into_inner().unwrap().into_iter().zip(&table) {
        assert_close(&points, &row.x, step);
        assert_eq!((step, Some(time)), (row.step, row.timestep));
        let level = Level { time, alpha: 1.0, sigma };
        for (x, d) in points.iter().zip(denoised) {
            assert_eq!(d, (case.model)(Evaluation { level, x: *x, before: *x }));
        }
    }
}

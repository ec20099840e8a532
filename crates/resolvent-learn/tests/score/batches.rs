//! The value at a point is the same bits in any batch, on any number of threads.

use super::{PRECONDITIONINGS, mlp, normal, parameters, unet};
use resolvent_core::schedule::Level;
use resolvent_core::step::EulerMaruyama;
use resolvent_core::{Denoiser, KilledBrownianMotion, Sampler, Score, ScoreAdaptive};
use resolvent_learn::model::{Conditioning, Model};
use resolvent_learn::score::{BlindDenoiser, LearnedDenoiser, LearnedScore};

fn models(conditioning: Conditioning) -> Vec<Model> {
    let mlps = PRECONDITIONINGS.iter().map(|p| mlp(5, conditioning, *p));
    let unets = PRECONDITIONINGS.iter().map(|p| unet(conditioning, *p));
    mlps.chain(unets).collect()
}

/// What `evaluate` writes (n numbers to a point) for all points at once and for `size` at a time.
fn in_batches(points: &[f64], d: usize, size: usize, evaluate: impl Fn(&[f64]) -> Vec<f64>) -> Vec<u64> {
    points.chunks(size * d).flat_map(evaluate).map(f64::to_bits).collect()
}

#[test]
fn scores_do_not_depend_on_the_batch() {
    for model in models(Conditioning::Blind) {
        let d = model.dim();
        let points = normal(d, 100, 7) * 1.5;
        let score = LearnedScore::new(model.clone(), parameters(&model)).unwrap();
        let evaluate = |points: &[f64]| {
            let n = points.len() / d;
            let (mut gains, mut moves) = (vec![0.0; n], vec![0.0; n * d]);
            score.evaluate(points, &mut gains, &mut moves);
            let rows = gains.iter().zip(moves.chunks_exact(d));
            rows.flat_map(|(gain, row)| std::iter::once(*gain).chain(row.iter().copied())).collect()
        };
        let whole = in_batches(points.as_slice(), d, 100, evaluate);
        for size in [1, 7, 32] {
            assert_eq!(in_batches(points.as_slice(), d, size, evaluate), whole, "{:?}", model.settings());
        }
    }
}

#[test]
fn denoised_points_do_not_depend_on_the_batch() {
    let level = Level { time: 0.3, alpha: 0.8, sigma: 0.5 };
    for (told, blind) in models(Conditioning::Told).into_iter().zip(models(Conditioning::Blind)) {
        let d = told.dim();
        let points = normal(d, 100, 7);
        let denoisers: [Box<dyn Denoiser>; 2] = [
            Box::new(LearnedDenoiser::new(told.clone(), parameters(&told)).unwrap()),
            Box::new(BlindDenoiser::new(blind.clone(), parameters(&blind)).unwrap()),
        ];
        for denoiser in denoisers {
            let evaluate = |points: &[f64]| {
                let mut out = vec![0.0; points.len()];
                denoiser.denoise(&level, points, &mut out);
                out
            };
            let whole = in_batches(points.as_slice(), d, 100, evaluate);
            for size in [1, 7, 32] {
                assert_eq!(in_batches(points.as_slice(), d, size, evaluate), whole, "{:?}", told.settings());
            }
        }
    }
}

#[test]
fn samples_do_not_depend_on_batch_or_threads() {
    let model = mlp(5, Conditioning::Blind, PRECONDITIONINGS[5]);
    let process = KilledBrownianMotion::new(5, 1.0, model.settings().rate).unwrap();
    let score = LearnedScore::new(model.clone(), parameters(&model)).unwrap();
    let (step, control) = (EulerMaruyama::new(&score), ScoreAdaptive::new(0.2, 0.05).unwrap());
    let starts = normal(5, 70, 8) * 2.0;
    let run = |threads: usize, batch: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let rule = Box::new(resolvent_core::killing::FixedSteps::new(20));
        let sampler = Sampler::new(&process, &step, &control).killing("steps", &*rule).batch(batch);
        pool.install(|| sampler.run(&starts, 3)).unwrap().points
    };
    let once = run(1, 70);
    assert!(once.iter().all(|x| x.is_finite()));
    for (threads, batch) in [(1, 1), (2, 7), (3, 33)] {
        assert_eq!(run(threads, batch), once);
    }
}

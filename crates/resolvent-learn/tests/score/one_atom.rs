//! A blind network that says nothing, and predicts the data themselves, takes them for one atom at their mean.

use super::{data, mlp, normal, zeros};
use nalgebra::DMatrix;
use resolvent_core::step::Bridge;
use resolvent_core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion, Sampler, Score, ScoreAdaptive};
use resolvent_learn::model::{Conditioning, Preconditioning};
use resolvent_learn::score::LearnedScore;

const D: usize = 5;

fn scores() -> (KilledBrownianMotion, LearnedScore, EmpiricalScore) {
    let model = mlp(D, Conditioning::Blind, Preconditioning::Direct);
    let process = KilledBrownianMotion::new(D, 1.0, model.settings().rate).unwrap();
    let mean = DMatrix::from_columns(&[data(D, 400).column_mean()]);
    let exact = EmpiricalScore::new(&process, EmpiricalMeasure::new(mean).unwrap()).unwrap();
    (process, LearnedScore::new(model.clone(), zeros(&model)).unwrap(), exact)
}

#[test]
fn has_its_score() {
    let (_, learned, exact) = scores();
    let points = normal(D, 50, 4) * 2.0;
    let at = |score: &dyn Score| {
        let (mut gains, mut moves) = (vec![0.0; 50], vec![0.0; 50 * D]);
        score.evaluate(points.as_slice(), &mut gains, &mut moves);
        (gains, moves)
    };
    let ((gains, moves), (exact_gains, exact_moves)) = (at(&learned), at(&exact));
    for (a, b) in gains.iter().zip(&exact_gains) {
        assert!((a / b - 1.0).abs() < 1e-5, "{a} {b}");
    }
    for (a, b) in moves.iter().zip(&exact_moves) {
        assert!((a - b).abs() < 1e-5, "{a} {b}");
    }
    let mut levels = vec![0.0; 50];
    learned.noise_levels(points.as_slice(), &mut levels);
    for (level, v) in levels.iter().zip(exact_moves.chunks_exact(D)) {
        let distance = v.iter().map(|v| v * v).sum::<f64>().sqrt();
        assert!((level * (D as f64).sqrt() / distance - 1.0).abs() < 1e-5);
    }
}

#[test]
fn has_its_jacobian() {
    let (_, learned, exact) = scores();
    let (points, directions) = (normal(D, 10, 4) * 2.0, normal(D, 10, 5));
    for (x, v) in points.column_iter().zip(directions.column_iter()) {
        let h = 1e-5;
        let (ahead, behind) = (x + v * h, x - v * h);
        let at = |x| exact.score(&DMatrix::from_columns(&[x])).unwrap();
        let expected = (at(ahead) - at(behind)) / (2.0 * h);
        let mut found = [0.0; D];
        learned.jacobian_product(x.as_slice(), v.as_slice(), &mut found);
        for (a, b) in found.iter().zip(expected.iter()) {
            assert!((a - b).abs() < 1e-5 * expected.norm(), "{a} {b}");
        }
    }
}

/// Same seed, same noise: the two ensembles are the same but for the rounding of f32.
#[test]
fn is_reached_by_the_sampler() {
    let (process, learned, exact) = scores();
    let starts = normal(D, 60, 6) * 2.0;
    let control = ScoreAdaptive::new(0.2, 0.01).unwrap();
    let run =
        |score: &dyn Score| Sampler::new(&process, &Bridge::new(score), &control).run(&starts, 2).unwrap();
    let (a, b) = (run(&learned), run(&exact));
    let mean = data(D, 400).column_mean();
    for (i, x) in a.points.column_iter().enumerate() {
        assert!((x - &mean).norm() < 1e-5);
        // The lifetime follows from the distance where the step was taken, to its rounding.
        assert!((a.lifetimes[i] - b.lifetimes[i]).abs() < 1e-3 * b.lifetimes[i].max(1e-3));
    }
}

//! Score matching from samples of a law alone.

use crate::oracle::Oracle;
use crate::support::{Cells, FIVE, exact, mlp, relative_error, train};
use nalgebra::DMatrix;
use resolvent_core::GaussianMixture;
use resolvent_learn::engine::Native;
use resolvent_learn::examples::{Deaths, Proposal, Samples};
use resolvent_learn::objective::{Divergence, Probe, RawNetwork, ScoreMatching};
use resolvent_learn::train::Task;

fn divergences() -> [Divergence; 3] {
    [
        Divergence::Exact,
        Divergence::Sliced { probes: 1, law: Probe::Rademacher },
        Divergence::Sliced { probes: 2, law: Probe::Gaussian },
    ]
}

fn mixture() -> GaussianMixture {
    let means = DMatrix::from_column_slice(2, 2, &[-1.0, 0.5, 1.5, -0.5]);
    GaussianMixture::isotropic(&[0.4, 0.6], means, &[0.7, 1.0]).unwrap()
}

fn score(law: &GaussianMixture, points: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; points.len()];
    points.chunks_exact(2).zip(out.chunks_exact_mut(2)).for_each(|(x, s)| law.score_into(x, s));
    out
}

/// In the direction of the fields φ_k = f_k(x) e_j the loss has the slope E[s·φ + div φ] = 0 at the exact score.
#[test]
fn the_exact_score_is_where_the_loss_is_flat() {
    let law = mixture();
    let (centre, scale) = ([0.3, -0.1], 1.3);
    let samples = law.sample(100_000, 11);
    let model = RawNetwork::new(mlp(3, 0), 2, &centre, scale).unwrap();
    let source = Samples::new(&samples).unwrap();
    let point = |z: &[f64]| [centre[0] + scale * z[0], centre[1] + scale * z[1]];
    // Bumps and their gradients, in z.
    let bumps: Vec<[f64; 2]> = vec![[-1.0, 0.0], [0.0, 0.5], [1.0, -0.5], [0.3, -1.0]];
    let bump = |c: &[f64; 2], z: &[f64]| {
        let (a, b) = (z[0] - c[0], z[1] - c[1]);
        let value = (-a * a - b * b).exp();
        (value, [-2.0 * a * value, -2.0 * b * value])
    };
    for divergence in divergences() {
        for (factor, flat) in [(1.0, true), (1.1, false)] {
            let oracle = Oracle::new(|z: &[f64], _: &[f64]| {
                let field = score(&law, &point(z)).iter().map(|s| factor * scale * s).collect();
                (field, Vec::new(), vec![0.0; 2])
            });
            let task = ScoreMatching::new(&model, &oracle, &source, &source, divergence, 3, 1).unwrap();
            task.gradient(&[], 0..40_000, &mut []);
            let mut cells = Cells::new(2 * bumps.len());
            let wanted = oracle.wanted();
            for copies in wanted.chunks_exact(wanted.len() / 40_000) {
                for (b, centre) in bumps.iter().enumerate() {
                    for j in 0..2 {
                        let terms = copies.iter().map(|w| {
                            let (value, gradient) = bump(centre, &w.input);
                            let along: f64 =
                                gradient.iter().zip(&w.direction).map(|(g, v)| g * f64::from(*v)).sum();
                            f64::from(w.field[j]) * value + f64::from(w.derivative[j]) * along
                        });
                        cells.add(2 * b + j, terms.sum());
                    }
                }
            }
            let largest = cells.largest();
            assert!((largest < FIVE) == flat, "{divergence:?} {factor}: {largest}");
        }
    }
}

/// Along the axes the derivatives are those of the network itself: the loss against differences.
#[test]
fn the_exact_divergence_is_that_of_the_network() {
    let samples = mixture().sample(50, 12);
    let model = RawNetwork::new(mlp(9, 2), 2, &[0.3, -0.1], 1.3).unwrap();
    let source = Samples::new(&samples).unwrap();
    let task = ScoreMatching::new(&model, &Native, &source, &source, Divergence::Exact, 3, 1).unwrap();
    let mut parameters = model.network().layout().initial(2);
    parameters.iter_mut().enumerate().for_each(|(i, p)| *p += (0.7 * i as f32).sin() * 0.3);
    let loss = task.gradient(&parameters, 0..50, &mut vec![0.0; parameters.len()]);
    let mut expected = 0.0;
    for i in 0..50 {
        use rand::RngExt;
        let column = resolvent_core::random::stream(3, resolvent_core::random::Purpose::Training, i)
            .random_range(0..50usize);
        let x = samples.column(column);
        let s = task.scores(&parameters, x.as_slice());
        expected += 0.5 * (s[0] * s[0] + s[1] * s[1]);
        let h = 1e-2;
        for k in 0..2 {
            let moved = |sign: f64| {
                let mut x = x.into_owned();
                x[k] += sign * h;
                task.scores(&parameters, x.as_slice())[k]
            };
            expected += (moved(1.0) - moved(-1.0)) / (2.0 * h);
        }
    }
    assert!((loss - expected).abs() < 2e-3 * expected.abs().max(1.0), "{loss} {expected}");
}

#[test]
fn all_divergences_learn_the_score_of_a_mixture() {
    let law = mixture();
    let (samples, test) = (law.sample(60_000, 13), law.sample(2000, 14));
    let model = RawNetwork::new(mlp(48, 2), 2, &[0.3, -0.1], 1.3).unwrap();
    let source = Samples::new(&samples).unwrap();
    for divergence in divergences() {
        let task = ScoreMatching::new(&model, &Native, &source, &source, divergence, 3, 64).unwrap();
        let parameters = train(&task, 1000, 256, 3e-3);
        let error = relative_error(&task.scores(&parameters, test.as_slice()), &score(&law, test.as_slice()));
        println!("{divergence:?}: {error}");
        assert!(error < 0.15, "{divergence:?}: {error}");
    }
}

/// On the line, where u of atoms is smooth enough; from a proposal, so that the weights matter.
#[test]
fn the_score_of_the_deaths_on_a_line() {
    let data = DMatrix::from_column_slice(1, 2, &[-1.0, 1.5]);
    let rate = 0.5;
    let proposal = Proposal::Exponential { rate: 0.35 };
    let source = Deaths::new(&data, rate, proposal, 0.0).unwrap();
    let model = RawNetwork::new(mlp(64, 2), 1, &[0.25], 1.5).unwrap();
    let task = ScoreMatching::new(&model, &Native, &source, &source, Divergence::Exact, 3, 64).unwrap();
    let parameters = train(&task, 1500, 256, 3e-3);
    // The score jumps at the data.
    let points: Vec<f64> = (-40..=40)
        .map(|i| 0.1 * f64::from(i) + 0.05)
        .filter(|x| (x + 1.0).abs() > 0.25 && (x - 1.5).abs() > 0.25)
        .collect();
    let exact = exact(&data, rate);
    let truth: Vec<f64> = points.iter().map(|x| crate::support::at(&exact, &[*x]).1[0]).collect();
    let error = relative_error(&task.scores(&parameters, &points), &truth);
    println!("{error}");
    assert!(error < 0.15, "{error}");
}

#[test]
fn impossible_settings_are_refused() {
    let samples = mixture().sample(5, 1);
    let source = Samples::new(&samples).unwrap();
    let model = RawNetwork::new(mlp(4, 1), 2, &[0.0, 0.0], 1.0).unwrap();
    let refused =
        |divergence| ScoreMatching::new(&model, &Native, &source, &source, divergence, 3, 1).is_err();
    assert!(refused(Divergence::Sliced { probes: 0, law: Probe::Gaussian }));
    assert!(!refused(Divergence::Exact));
    assert!(RawNetwork::new(mlp(4, 1), 2, &[0.0], 0.0).is_err());
    assert!(RawNetwork::new(mlp(4, 1), 2, &[f64::NAN], 1.0).is_err());
    let one = RawNetwork::new(mlp(4, 1), 1, &[0.0, 0.0], 1.0).unwrap();
    assert!(ScoreMatching::new(&one, &Native, &source, &source, Divergence::Exact, 3, 1).is_err());
}

//! A score on a grid against the exact one it was computed from.

use nalgebra::DMatrix;
use rand::RngExt;
use resolvent_core::random::{Purpose, stream};
use resolvent_core::score::{GridScore, Lattice, VectorField};
use resolvent_core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion, Score};

/// Six data in the box [-0.5, 0.5]^d.
fn problem(d: usize) -> (KilledBrownianMotion, EmpiricalScore) {
    let mut rng = stream(3, Purpose::Experiment, d as u64);
    let data = DMatrix::from_fn(d, 6, |_, _| rng.random::<f64>() - 0.5);
    let process = KilledBrownianMotion::new(d, 0.8, 0.4).unwrap();
    let score = EmpiricalScore::new(&process, EmpiricalMeasure::new(data).unwrap()).unwrap();
    (process, score)
}

/// A box beside the data, with n nodes along the first coordinate and n + 1 along the others.
fn lattice(d: usize, n: usize) -> Lattice {
    let counts: Vec<usize> = (0..d).map(|k| if k == 0 { n } else { n + 1 }).collect();
    Lattice::new(&vec![0.8; d], &vec![2.0; d], &counts).unwrap()
}

fn at(score: &dyn Score, x: &[f64]) -> (f64, Vec<f64>) {
    let (mut gain, mut v) = ([0.0], vec![0.0; x.len()]);
    score.evaluate(x, &mut gain, &mut v);
    (gain[0], v)
}

fn vector(score: &dyn Score, x: &[f64]) -> Vec<f64> {
    let (gain, v) = at(score, x);
    v.iter().map(|v| gain * v).collect()
}

/// Root mean square error of the score, relative to its root mean square.
fn error(score: &dyn Score, exact: &dyn Score) -> f64 {
    let d = score.dim();
    let mut rng = stream(4, Purpose::Experiment, d as u64);
    let (mut errors, mut squares) = (0.0, 0.0);
    for _ in 0..500 {
        let x: Vec<f64> = (0..d).map(|_| 0.8 + 1.2 * rng.random::<f64>()).collect();
        for (a, b) in vector(score, &x).iter().zip(vector(exact, &x)) {
            errors += (a - b).powi(2);
            squares += b * b;
        }
    }
    (errors / squares).sqrt()
}

#[test]
fn converges_with_order_two() {
    for d in [1, 2, 3] {
        let (process, exact) = problem(d);
        let errors = [9, 17, 33].map(|n| {
            let tabulated = GridScore::tabulate(lattice(d, n), &exact).unwrap();
            let from_scores = exact.score(&lattice(d, n).nodes()).unwrap();
            let factored = GridScore::from_scores(lattice(d, n), from_scores, process.green(), 3.0).unwrap();
            [error(&tabulated, &exact), error(&factored, &exact)]
        });
        for kind in 0..2 {
            for pair in errors.windows(2) {
                // In one dimension the factored score is constant beside the data, and exact.
                if d == 1 && kind == 1 {
                    assert!(pair[0][1] < 1e-12, "{}", pair[0][1]);
                    continue;
                }
                let order = (pair[0][kind] / pair[1][kind]).log2();
                assert!((order - 2.0).abs() < 0.2, "d = {d}: {errors:?}");
            }
        }
        assert!(errors[2][0] < 2e-3, "d = {d}: {errors:?}");
    }
}

#[test]
fn is_exact_at_the_nodes_and_for_one_linear_in_x() {
    let (_, exact) = problem(3);
    let grid = GridScore::tabulate(lattice(3, 5), &exact).unwrap();
    for node in lattice(3, 5).nodes().column_iter() {
        let ((gain, v), (exact_gain, exact_v)) = (at(&grid, node.as_slice()), at(&exact, node.as_slice()));
        assert!((gain / exact_gain - 1.0).abs() < 1e-12);
        v.iter().zip(exact_v).for_each(|(a, b)| assert!((a - b).abs() < 1e-12));
    }
    // D constant and log g linear.
    let nodes = lattice(2, 4).nodes();
    let gains: Vec<f64> = nodes.column_iter().map(|x| f64::exp(0.3 * x[0] - 0.7 * x[1])).collect();
    let moves = DMatrix::from_fn(2, nodes.ncols(), |k, i| 0.1 * (k + 1) as f64 - nodes[(k, i)]);
    let grid = GridScore::new(lattice(2, 4), &gains, moves).unwrap();
    let (gain, v) = at(&grid, &[1.234, 1.777]);
    assert!((gain - f64::exp(0.3 * 1.234 - 0.7 * 1.777)).abs() < 1e-12);
    assert!((v[0] - (0.1 - 1.234)).abs() < 1e-12 && (v[1] - (0.2 - 1.777)).abs() < 1e-12);
}

#[test]
fn nodes_are_counted_with_the_last_coordinate_fastest() {
    let nodes = Lattice::new(&[0.0, 10.0], &[1.0, 12.0], &[2, 3]).unwrap().nodes();
    let expected = [[0.0, 10.0], [0.0, 11.0], [0.0, 12.0], [1.0, 10.0], [1.0, 11.0], [1.0, 12.0]];
    assert_eq!(nodes, DMatrix::from_fn(2, 6, |k, i| expected[i][k]));
}

#[test]
fn beyond_the_box_it_pulls_back_in() {
    let (process, exact) = problem(2);
    let edge = GridScore::tabulate(lattice(2, 30), &exact).unwrap();
    let atom = edge.clone().atom_beyond(process.green().clone()).unwrap();
    let (inside, outside) = ([2.0, 1.4], [5.0, 1.4]);
    let ((gain, v), (far_gain, far_v)) = (at(&edge, &inside), at(&edge, &outside));
    assert_eq!(gain, far_gain);
    assert!((far_v[0] - (v[0] - 3.0)).abs() < 1e-12 && (far_v[1] - v[1]).abs() < 1e-12);
    // Continuous at the edge, and far out nearly the exact score, which is nearly that of one atom.
    assert!((at(&atom, &[2.0 + 1e-9, 1.4]).0 / gain - 1.0).abs() < 1e-6);
    let (found, expected) = (vector(&atom, &outside), vector(&exact, &outside));
    for (a, b) in found.iter().zip(&expected) {
        assert!((a - b).abs() < 0.02 * expected[0].abs(), "{found:?} {expected:?}");
    }
    assert!(vector(&edge, &outside)[0] < 1.5 * expected[0], "the edge's gain pulls too hard");
    assert!(at(&atom, &[f64::NAN, 1.0]).0.is_nan());
}

/// A vector field on the grid and the same field as a closure are factored alike.
#[test]
fn vectors_are_factored_as_in_a_field() {
    let (process, exact) = problem(3);
    let field = VectorField::new(process.green().clone(), 3.0, |x: &[f64], out: &mut [f64]| {
        out.copy_from_slice(&vector(&exact, x));
    })
    .unwrap();
    let nodes = lattice(3, 4).nodes();
    let scores = exact.score(&nodes).unwrap();
    let grid = GridScore::from_scores(lattice(3, 4), scores, process.green(), 3.0).unwrap();
    for node in nodes.column_iter() {
        let ((gain, v), (other_gain, other_v)) = (at(&grid, node.as_slice()), at(&field, node.as_slice()));
        assert!((gain / other_gain - 1.0).abs() < 1e-10);
        v.iter().zip(other_v).for_each(|(a, b)| assert!((a - b).abs() < 1e-10));
    }
}

#[test]
fn refuses_what_does_not_fit() {
    let message = |result: Result<GridScore, resolvent_core::Error>| result.unwrap_err().to_string();
    let lattice = || lattice(2, 3);
    let (gains, moves) = (vec![1.0; 12], DMatrix::zeros(2, 12));
    assert!(GridScore::new(lattice(), &gains, moves.clone()).is_ok());
    assert_eq!(
        message(GridScore::new(lattice(), &gains[1..], moves.clone())),
        "gains has dimension 11, expected 12"
    );
    assert_eq!(
        message(GridScore::new(lattice(), &[0.0; 12], moves.clone())),
        "gains must be positive and finite, got 0"
    );
    let mut odd = moves;
    odd[(1, 4)] = f64::NAN;
    assert_eq!(
        message(GridScore::new(lattice(), &gains, odd)),
        "displacements is not finite at point 4, coordinate 1: NaN"
    );
    let lattice = |upper: f64, count| Lattice::new(&[0.0], &[upper], &[count]).unwrap_err().to_string();
    assert_eq!(lattice(1.0, 1), "counts must be at least 2, got 1");
    assert_eq!(lattice(0.0, 3), "upper - lower must be positive and finite, got 0");
    assert!(Lattice::new(&[0.0; 3], &[1.0; 3], &[1 << 30; 3]).is_err());
}

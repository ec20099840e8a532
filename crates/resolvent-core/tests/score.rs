//! The exact score against its definition, and in the places where arithmetic is hard.

use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent_core::random::{Purpose, stream};
use resolvent_core::score::{Neighbour, VectorField};
use resolvent_core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion, PosteriorScore, Score};

fn normal(d: usize, n: usize, seed: u64) -> DMatrix<f64> {
    let mut rng = stream(seed, Purpose::Experiment, 0);
    DMatrix::from_fn(d, n, |_, _| rng.sample(StandardNormal))
}

fn problem(d: usize, m: usize, sigma: f64, rate: f64) -> (KilledBrownianMotion, EmpiricalScore) {
    let process = KilledBrownianMotion::new(d, sigma, rate).unwrap();
    let weights: Vec<f64> = (0..m).map(|i| 1.0 + (i % 5) as f64).collect();
    let measure = EmpiricalMeasure::weighted(normal(d, m, 11), &weights).unwrap();
    (process.clone(), EmpiricalScore::new(&process, measure).unwrap())
}

/// The score summed naively from the definition, with the same Green kernel.
fn naive(process: &KilledBrownianMotion, score: &EmpiricalScore, x: &[f64]) -> (f64, Vec<f64>) {
    let measure = score.measure();
    let terms: Vec<(f64, Vec<f64>)> = (0..measure.len())
        .map(|i| {
            let y = measure.point(i);
            let rho = x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum::<f64>().sqrt();
            let mut gradient = vec![0.0; x.len()];
            process.green().gradient_into(x, y, &mut gradient);
            (process.green().log_value(rho) + measure.log_weights()[i], gradient)
        })
        .collect();
    let peak = terms.iter().map(|t| t.0).fold(f64::NEG_INFINITY, f64::max);
    let mass: f64 = terms.iter().map(|t| (t.0 - peak).exp()).sum();
    let mut s = vec![0.0; x.len()];
    for (log_weight, gradient) in &terms {
        for (s, g) in s.iter_mut().zip(gradient) {
            *s += (log_weight - peak).exp() / mass * g;
        }
    }
    (peak + mass.ln(), s)
}

#[test]
fn agrees_with_the_sum_of_its_definition() {
    for (d, m) in [(1, 7), (2, 700), (3, 40), (15, 300), (16, 300), (100, 700), (784, 300)] {
        let (process, score) = problem(d, m, 0.7, 0.3);
        // Next to the middle, among the data, and so far away that all of them count alike.
        let spread = |j: usize| [0.05, 1.5, 30.0][j % 3];
        let mut points = normal(d, 40, 5);
        points.column_iter_mut().enumerate().for_each(|(j, mut x)| x *= spread(j));
        let s = score.score(&points).unwrap();
        for (x, s) in points.column_iter().zip(s.column_iter()) {
            let (log_u, exact) = naive(&process, &score, x.as_slice());
            let norm = exact.iter().map(|e| e * e).sum::<f64>().sqrt();
            let error =
                s.iter().zip(&exact).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt() / norm.max(0.1);
            // Log-weights of size ν log ρ carry ν times the rounding of the squared distances.
            assert!(error < 1e-13 * (d as f64).max(10.0), "d = {d}: {error}");
            let found = score.log_density(x.as_slice());
            assert!((found - log_u).abs() < 1e-13 * log_u.abs().max(10.0), "d = {d}: {found} {log_u}");
        }
    }
}

#[test]
fn is_the_gradient_of_the_log_density() {
    let (_, score) = problem(4, 30, 1.3, 0.2);
    let points = normal(4, 10, 6) * 2.0;
    let s = score.score(&points).unwrap();
    let h = 1e-5;
    for j in 0..points.ncols() {
        for k in 0..4 {
            let shifted = |by: f64| {
                let mut x: Vec<f64> = points.column(j).iter().copied().collect();
                x[k] += by;
                score.log_density(&x)
            };
            let numeric = (shifted(h) - shifted(-h)) / (2.0 * h);
            assert!((numeric - s[(k, j)]).abs() < 1e-7 * s[(k, j)].abs().max(1.0));
        }
    }
}

#[test]
fn extreme_weights_and_numbers_of_data() {
    let process = KilledBrownianMotion::new(3, 1.0, 0.2).unwrap();
    let score = |points: DMatrix<f64>, weights: &[f64]| {
        EmpiricalScore::new(&process, EmpiricalMeasure::weighted(points, weights).unwrap()).unwrap()
    };
    let weak = score(normal(3, 3, 1), &[1e-300, 1e300, 1e300]);
    let log_u = weak.log_density(&[0.1; 3]);
    assert!(log_u.is_finite(), "{log_u}");
    let s = weak.score(&normal(3, 5, 2)).unwrap();
    assert!(s.iter().all(|s| s.is_finite()), "{s}");
    assert!(weak.log_density(&[f64::NAN; 3]).is_nan());
    // Around the edge of a block.
    for (d, m) in [(3, 1), (3, 256), (40, 255), (40, 256), (40, 257), (40, 513)] {
        let (process, score) = problem(d, m, 1.0, 0.2);
        let x = vec![0.3; d];
        let (log_u, _) = naive(&process, &score, &x);
        assert!((score.log_density(&x) - log_u).abs() < 1e-11, "d = {d}, m = {m}");
    }
}

#[test]
fn points_on_and_next_to_a_datum() {
    for d in [2, 3, 40, 784] {
        let (_, score) = problem(d, 50, 1.0, 0.1);
        let y = score.measure().point(17).to_vec();
        let (mut gain, mut v, mut atom) = ([0.0], vec![0.0; d], [0]);
        score.evaluate_and_draw(&y, &[0.999_999], &mut gain, &mut v, &mut atom);
        assert!(gain[0].is_finite() && gain[0] > 1e230 && v.iter().all(|v| *v == 0.0) && atom[0] == 17);
        assert!(score.log_density(&y).is_finite());
        if d == 2 {
            continue; // The pole is logarithmic: at 1e-12 other data still have weight.
        }
        // Next to it: the direction and the length of the displacement are exact to rounding.
        let mut x = y.clone();
        x[0] += 1e-12;
        x[1] -= 1e-12;
        score.evaluate_and_draw(&x, &[0.5], &mut gain, &mut v, &mut atom);
        let distance = ((x[0] - y[0]).powi(2) + (x[1] - y[1]).powi(2)).sqrt();
        assert_eq!(atom[0], 17);
        assert!((v[0] - (y[0] - x[0])).abs() < 1e-14 * distance && v[2..].iter().all(|v| v.abs() < 1e-20));
        let s = gain[0] * distance * distance;
        assert!((s / (d as f64 - 2.0) - 1.0).abs() < 1e-9, "{s}");
    }
}

#[test]
fn far_away_all_kernels_underflow_and_the_score_does_not() {
    let (_, score) = problem(3, 20, 1.0, 10.0);
    let x = [3e4, -2e4, 1e4];
    let (log_u, s) = (score.log_density(&x), score.score(&DMatrix::from_column_slice(3, 1, &x)).unwrap());
    assert!(log_u < -1e5 && log_u.is_finite());
    // Far from everything the score has norm a and points to the data.
    assert!((s.norm() / f64::sqrt(20.0) - 1.0).abs() < 1e-3 && s[0] < 0.0);
}

#[test]
fn the_same_bits_in_any_batch() {
    for d in [3, 64, 200] {
        let (_, score) = problem(d, 600, 1.0, 0.1);
        let points = normal(d, 77, 3);
        let n = points.ncols();
        let evaluate = |from: usize, to: usize| {
            let (mut gains, mut v, mut atoms) =
                (vec![0.0; to - from], vec![0.0; (to - from) * d], vec![0; to - from]);
            let u: Vec<f64> = (from..to).map(|i| (i as f64 + 0.5) / n as f64).collect();
            score.evaluate_and_draw(&points.as_slice()[from * d..to * d], &u, &mut gains, &mut v, &mut atoms);
            (gains, v, atoms)
        };
        let (gains, v, atoms) = evaluate(0, n);
        for size in [1, 7, 32] {
            for from in (0..n).step_by(size) {
                let to = (from + size).min(n);
                let (g, w, a) = evaluate(from, to);
                assert_eq!(g, gains[from..to]);
                assert_eq!(w, v[from * d..to * d]);
                assert_eq!(a, atoms[from..to]);
            }
        }
    }
}

#[test]
fn atoms_are_drawn_with_the_posterior_weights() {
    let (_, score) = problem(3, 12, 1.0, 0.2);
    let x = [0.3, -0.4, 0.2];
    let weights = score.posterior(&x);
    let n = 100_000;
    let mut counts = [0.0; 12];
    let mut rng = stream(5, Purpose::Experiment, 1);
    let (mut gain, mut v, mut atom) = ([0.0], [0.0; 3], [0]);
    for _ in 0..n {
        score.evaluate_and_draw(&x, &[rng.random()], &mut gain, &mut v, &mut atom);
        counts[atom[0]] += 1.0;
    }
    let chi: f64 =
        counts.iter().zip(&weights).map(|(c, w)| (c - w * n as f64).powi(2) / (w * n as f64)).sum();
    // 1e-4 quantile of chi-square with 11 degrees of freedom.
    assert!(chi < 37.37, "{chi}");
}

#[test]
fn a_bare_vector_field_finds_the_atom() {
    let (process, score) = problem(6, 1, 1.2, 0.4);
    let y = score.measure().point(0).to_vec();
    let field = VectorField::new(process.green().clone(), 10.0, |x: &[f64], out: &mut [f64]| {
        process.green().gradient_into(x, &y, out);
    })
    .unwrap();
    let x = normal(6, 1, 9);
    let (mut gain, mut v) = ([0.0], vec![0.0; 6]);
    field.evaluate(x.as_slice(), &mut gain, &mut v);
    for k in 0..6 {
        let miss = x[k] + v[k] - y[k];
        assert!(miss.abs() < 1e-12, "{miss}");
    }
}

/// A point on its way to a datum, looked at again and again, gets what it would get anew; in many dimensions from some distance on from the
/// one datum alone. In three the kernel falls too slowly for that.
#[test]
fn what_is_remembered_of_a_point_makes_no_difference() {
    for (d, m, least) in [(3, 400, 0), (32, 1_000, 140), (100, 300, 140)] {
        let process = KilledBrownianMotion::new(d, 1.0, 0.05).unwrap();
        let mut data = DMatrix::zeros(d, m);
        stream(5, Purpose::Experiment, 0).fill_normals(data.as_mut_slice());
        let mut noise = DMatrix::zeros(d, 50);
        stream(5, Purpose::Experiment, 1).fill_normals(noise.as_mut_slice());
        let score = EmpiricalScore::new(&process, EmpiricalMeasure::new(data.clone()).unwrap()).unwrap();
        let mut neighbours = vec![Neighbour::default(); 50];
        let mut alone = 0;
        for k in 0..24 {
            let points =
                DMatrix::from_fn(d, 50, |i, j| data[(i, 5 * j)] + 2.0 * 0.6_f64.powi(k) * noise[(i, j)]);
            let before = neighbours.clone();
            let (mut gains, mut displacements) = (vec![0.0; 50], vec![0.0; 50 * d]);
            let (mut exact, mut expected) = (gains.clone(), displacements.clone());
            score.evaluate_again(points.as_slice(), &mut neighbours, &mut gains, &mut displacements);
            score.evaluate(points.as_slice(), &mut exact, &mut expected);
            // What has been looked up anew has been remembered anew, but for points that have come no closer.
            alone += usize::from(k > 20)
                * neighbours.iter().zip(before).filter(|(now, then)| *now == then).count();
            for j in 0..50 {
                assert!((gains[j] / exact[j] - 1.0).abs() < 1e-12, "{d} {k} {j}: {} {}", gains[j], exact[j]);
                let (v, w) = (&displacements[j * d..][..d], &expected[j * d..][..d]);
                let gap: f64 = v.iter().zip(w).map(|(v, w)| (v - w).powi(2)).sum();
                let size: f64 = w.iter().map(|w| w * w).sum();
                assert!(gap.sqrt() < 1e-12 * size.sqrt(), "{d} {k} {j}: {gap:e} {size:e}");
            }
        }
        assert!(alone >= least, "d = {d}: {alone} of 150 alone");
    }
}

//! h-transforms by a Green kernel: h against quadrature, deaths against their laws and against paths, backward laws.

mod common;

use std::f64::consts::PI;

use common::{KOLMOGOROV, assert_law, kolmogorov};
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent_core::htransform::{
    Atoms, ExponentialClock, HTransform, Sphere, TransformScore, backward_measure, backward_starts, deaths,
};
use resolvent_core::killed::{KilledDriftedBrownianMotion, KilledOrnsteinUhlenbeck};
use resolvent_core::random::{Purpose, stream};
use resolvent_core::step::{Bridge, EulerMaruyama};
use resolvent_core::{
    EmpiricalMeasure, EmpiricalScore, Error, Exit, KilledBrownianMotion, Oracle, Resolvent, Sampler, Score,
    ScoreAdaptive,
};
use statrs::function::gamma::ln_gamma;

fn process(dim: usize, sigma: f64, rate: f64) -> KilledBrownianMotion {
    KilledBrownianMotion::new(dim, sigma, rate).unwrap()
}

/// Unequal atoms around the origin.
fn atoms(d: usize, n: usize, seed: u64) -> EmpiricalMeasure {
    let mut rng = stream(seed, Purpose::Experiment, d as u64);
    let points = DMatrix::from_fn(d, n, |_, _| rng.sample(StandardNormal));
    let weights: Vec<f64> = (1..=n).map(|i| i as f64).collect();
    EmpiricalMeasure::weighted(points, &weights).unwrap()
}

/// A point at distance `s` from the origin, off the axes.
fn at(d: usize, s: f64) -> Vec<f64> {
    let norm = (0..d).map(|i| ((i + 1) * (i + 1)) as f64).sum::<f64>().sqrt();
    (0..d).map(|i| s * (i + 1) as f64 / norm).collect()
}

/// ∫ G(x, y) f(θ) dS(y) over the angles θ with x from `low` to `high` on the sphere |y| = R, |x| = s, d >= 2.
fn over_sphere(process: &KilledBrownianMotion, radius: f64, s: f64, (low, high): (f64, f64)) -> f64 {
    let d = process.dim() as f64;
    let log_ring =
        (2.0f64).ln() + 0.5 * (d - 1.0) * PI.ln() - ln_gamma(0.5 * (d - 1.0)) + (d - 1.0) * radius.ln();
    let integrand = |theta: f64| {
        let rho = (s * s + radius * radius - 2.0 * s * radius * theta.cos()).sqrt();
        let log_sine = if d == 2.0 { 0.0 } else { (d - 2.0) * theta.sin().ln() };
        f64::exp(log_ring + log_sine + process.green().log_value(rho))
    };
    // Gauss-Legendre with two nodes on 4,000 pieces.
    let n = 4_000;
    let h = (high - low) / f64::from(n);
    (0..n)
        .map(|i| {
            let middle = low + (f64::from(i) + 0.5) * h;
            let node = 0.5 * h / 3.0f64.sqrt();
            0.5 * h * (integrand(middle - node) + integrand(middle + node))
        })
        .sum()
}

#[test]
fn the_surface_measure_has_its_closed_form() {
    for (d, sigma, rate) in [
        (2, 1.0, 0.3),
        (3, 0.6, 0.3),
        (5, 1.5, 2.0),
        (5, 0.7, 1e-9),
        (20, 1.0, 0.1),
        (3, 1.2, 0.0),
        (5, 1.0, 0.0),
    ] {
        let process = process(d, sigma, rate);
        let sphere = Sphere::new(&process, 1.6).unwrap();
        for s in [0.0, 1e-12, 0.4, 1.5, 1.8, 6.0] {
            let exact = over_sphere(&process, 1.6, s, (0.0, PI)).ln();
            let value = sphere.log_value(&at(d, s));
            assert!((value - exact).abs() < 1e-8 * exact.abs().max(1.0), "d = {d}, s = {s}: {value} {exact}");
        }
    }
    // On the sphere the kernel is infinite at one point; in dimension 5 the integrand is not.
    let process5 = process(5, 1.0, 0.4);
    let exact = over_sphere(&process5, 2.0, 2.0, (1e-9, PI)).ln();
    assert!((Sphere::new(&process5, 2.0).unwrap().log_value(&at(5, 2.0)) - exact).abs() < 1e-6);
    // In dimension 1 the sphere is two points.
    let line = process(1, 0.8, 0.3);
    for x in [0.0, 0.5, -1.6, 3.0] {
        let sum: f64 = [1.6f64, -1.6].iter().map(|y| line.green().log_value((y - x).abs()).exp()).sum();
        assert!((Sphere::new(&line, 1.6).unwrap().log_value(&[x]) - sum.ln()).abs() < 1e-13);
    }
}

#[test]
fn gradients_are_slopes() {
    fn check(transform: &dyn HTransform, x: &[f64]) {
        let mut gradient = vec![0.0; x.len()];
        let value = transform.log_value_and_gradient(x, &mut gradient);
        assert!((transform.log_value(x) - value).abs() == 0.0);
        for i in 0..x.len() {
            let shifted = |h: f64| {
                let mut moved = x.to_vec();
                moved[i] += h;
                transform.log_value(&moved)
            };
            let slope = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
            assert!((slope - gradient[i]).abs() < 1e-7 * slope.abs().max(1.0), "{x:?}: {slope} {gradient:?}");
        }
    }
    for (d, rate) in [(1, 0.3), (2, 0.3), (3, 0.3), (3, 0.0), (8, 1.0)] {
        let process = process(d, 0.7, rate);
        let sphere = Sphere::new(&process, 1.1).unwrap();
        let weighted = Atoms::weighted(process.clone(), atoms(d, 4, 1)).unwrap();
        for s in [1e-3, 0.6, 2.3] {
            check(&sphere, &at(d, s));
            check(&weighted, &at(d, s));
            check(&ExponentialClock::new(process.clone()), &at(d, s));
        }
        let mut gradient = vec![1.0; d];
        assert!(sphere.log_value_and_gradient(&vec![0.0; d], &mut gradient).is_finite());
        assert_eq!(gradient, vec![0.0; d], "the origin is a critical point");
    }
    // On the sphere the slope jumps by -2/(σ² h): twice κ over the noise. The value there is the mean.
    let (process, radius) = (process(3, 0.7, 0.3), 1.1);
    let sphere = Sphere::new(&process, radius).unwrap();
    let slope = |s: f64| {
        let mut gradient = [0.0; 3];
        let log_h = sphere.log_value_and_gradient(&[s, 0.0, 0.0], &mut gradient);
        (gradient[0], log_h)
    };
    let (inside, outside) = (slope(radius * (1.0 - 1e-12)).0, slope(radius * (1.0 + 1e-12)).0);
    let jump = -2.0 / (0.49 * slope(radius).1.exp());
    assert!((outside - inside - jump).abs() < 1e-9 * jump.abs(), "{} {jump}", outside - inside);
    assert!((slope(radius).0 - 0.5 * (inside + outside)).abs() < 1e-9);
}

#[test]
fn atoms_are_where_the_process_dies() {
    for (d, rate) in [(1, 0.2), (2, 0.2), (3, 0.0), (8, 0.5)] {
        let process = process(d, 1.2, rate);
        let (x0, n) = (at(d, 0.3), 40_000);
        let beta = atoms(d, 5, 2);
        let h = Atoms::from_start(process.clone(), &x0, &beta).unwrap();
        let law = h.death_law(&x0);
        for (p, log_weight) in law.iter().zip(beta.log_weights()) {
            assert!((p - log_weight.exp()).abs() < 1e-13, "from x0 the law of death is beta");
        }
        let x = at(d, 1.0);
        // R7 by its definition.
        let term = |i: usize| {
            let rho =
                |y: &[f64], x: &[f64]| y.iter().zip(x).map(|(y, x)| (y - x).powi(2)).sum::<f64>().sqrt();
            let green = process.green();
            f64::exp(
                beta.log_weights()[i] + green.log_value(rho(beta.point(i), &x))
                    - green.log_value(rho(beta.point(i), &x0)),
            )
        };
        let total: f64 = (0..5).map(term).sum();
        let exact: Vec<f64> = (0..5).map(|i| term(i) / total).collect();
        assert!(h.death_law(&x).iter().zip(&exact).all(|(p, q)| (p - q).abs() < 1e-12));
        let starts = DMatrix::from_fn(d, n, |i, _| x[i]);
        let (places, lifetimes) = deaths(&h, &starts, 5).unwrap();
        let counts: Vec<usize> =
            (0..5).map(|i| places.column_iter().filter(|p| *p == beta.points().column(i)).count()).collect();
        assert_eq!(counts.iter().sum::<usize>(), n);
        assert_law(&counts, &exact);
        let lifetime_law = Oracle::new(process.clone(), h.kappa().clone()).unwrap().lifetime_law(&x);
        // The law is a quadrature at every time: a part of the sample is enough.
        let lifetimes = &lifetimes[..5_000];
        assert!(kolmogorov(lifetimes, |t| lifetime_law.cdf(t)) < KOLMOGOROV);
        assert!(kolmogorov(lifetimes, |t| lifetime_law.cdf(1.2 * t)) > KOLMOGOROV);
    }
}

#[test]
fn the_last_exit_has_its_law() {
    let n = 40_000;
    for (d, rate, radius, s) in [
        (2, 0.5, 1.0, 0.7),
        (2, 0.1, 1.0, 1.0),
        (2, 3.0, 2.0, 2.3),
        (3, 0.5, 1.0, 0.3),
        (3, 0.0, 1.0, 1.5),
        (5, 1.0, 2.0, 1.99),
        (8, 0.0, 1.0, 1.0),
        (50, 2.0, 3.0, 2.0),
        (784, 1.0, 20.0, 15.0),
    ] {
        let (process, x) = (process(d, 1.3, rate), at(d, s));
        let sphere = Sphere::new(&process, radius).unwrap();
        let (places, lifetimes) = deaths(&sphere, &DMatrix::from_fn(d, n, |i, _| x[i]), 9).unwrap();
        let (mut angles, mut ranks) = (Vec::new(), Vec::new());
        for (y, t) in places.column_iter().zip(&lifetimes) {
            assert!((y.norm() / radius - 1.0).abs() < 1e-12);
            angles.push(
                (y.iter().zip(&x).map(|(y, x)| y * x).sum::<f64>() / (s * radius)).clamp(-1.0, 1.0).acos(),
            );
            // R11: given the place, the lifetime is generalised inverse Gaussian.
            let rho = y.iter().zip(&x).map(|(y, x)| (y - x).powi(2)).sum::<f64>().sqrt();
            if ranks.len() < 2_000 {
                ranks.push(process.green().lifetime(rho).cdf(*t));
            }
        }
        assert!(kolmogorov(&ranks, |p| p.clamp(0.0, 1.0)) < KOLMOGOROV, "d = {d}, s = {s}: lifetimes");
        // R7: the angle has density G(x, y) on the sphere, in cells between quantiles of the first draws, counted on the others.
        let mut edges: Vec<f64> = angles[..4_000].to_vec();
        edges.sort_by(f64::total_cmp);
        let mut edges: Vec<f64> = (1..20).map(|k| edges[200 * k]).collect();
        edges.insert(0, 1e-12);
        edges.push(PI);
        let masses: Vec<f64> = edges
            .windows(2)
            .map(|w| over_sphere(&process, radius, s, (w[0], w[1])) / sphere.log_value(&x).exp())
            .collect();
        // R7 is a law. In the plane the logarithmic pole costs the quadrature digits where the start is on the sphere.
        let total: f64 = masses.iter().sum();
        assert!((total - 1.0).abs() < 1e-4, "d = {d}, s = {s}: mass {total}");
        let mut counts = vec![0; 20];
        for angle in &angles[4_000..] {
            counts[(1..20).filter(|k| *angle >= edges[*k]).count()] += 1;
        }
        assert_law(&counts, &masses.iter().map(|m| m / total).collect::<Vec<_>>());
    }
}

#[test]
fn from_the_centre_and_on_the_line() {
    let sphere = Sphere::new(&process(3, 1.0, 0.5), 2.0).unwrap();
    let (places, lifetimes) = deaths(&sphere, &DMatrix::zeros(3, 20_000), 2).unwrap();
    let heights: Vec<f64> = places.row(2).iter().copied().collect();
    assert!(kolmogorov(&heights, |z| (0.5 + 0.25 * z).clamp(0.0, 1.0)) < KOLMOGOROV, "uniform on the sphere");
    let law = sphere.process().green().lifetime(2.0);
    assert!(kolmogorov(&lifetimes, |t| law.cdf(t)) < KOLMOGOROV);
    let line = process(1, 1.0, 0.5);
    let (places, _) =
        deaths(&Sphere::new(&line, 1.0).unwrap(), &DMatrix::from_element(1, 20_000, 0.4), 3).unwrap();
    let weights = [0.6, 1.4].map(|rho| line.green().log_value(rho).exp());
    let right = places.iter().filter(|y| **y == 1.0).count();
    assert_law(&[right, 20_000 - right], &weights.map(|w| w / (weights[0] + weights[1])));
}

#[test]
fn the_last_exit_of_simulated_paths() {
    // Killed Brownian motion in the plane on a grid, exact at its times, kept if it meets the unit circle.
    let (rate, s, dt) = (1.0, 0.5, 1e-3f64);
    let process = process(2, 1.0, rate);
    let mut cosines = Vec::new();
    for i in 0..20_000 {
        let mut rng = stream(12, Purpose::Experiment, i);
        let mut left = -rng.random::<f64>().ln() / rate;
        let (mut x, mut last) = ([s, 0.0], None);
        while left > 0.0 {
            let step = dt.min(left);
            let next = x.map(|x| x + step.sqrt() * rng.sample::<f64, _>(StandardNormal));
            let (a, b) = (x[0].hypot(x[1]) - 1.0, next[0].hypot(next[1]) - 1.0);
            if a * b < 0.0 || (a * b < 20.0 * step && rng.random::<f64>() < f64::exp(-2.0 * a * b / step)) {
                let share = a.abs() / (a.abs() + b.abs());
                last = Some([0, 1].map(|k| x[k] + share * (next[k] - x[k])));
            }
            (x, left) = (next, left - step);
        }
        if let Some([c, y]) = last {
            cosines.push(c / f64::hypot(c, y));
        }
    }
    // P(it meets the circle) = I_0(k s)/I_0(k): for the radial function is e^{-rt}-harmonic inside.
    let k = process.green().decay();
    let hit = f64::exp(resolvent_special::log_i(0.0, k * s) - resolvent_special::log_i(0.0, k));
    assert_law(&[cosines.len(), 20_000 - cosines.len()], &[hit, 1.0 - hit]);
    let sphere = Sphere::new(&process, 1.0).unwrap();
    let start = DMatrix::from_fn(2, 200_000, |i, _| [s, 0.0][i]);
    let exact: Vec<f64> = deaths(&sphere, &start, 1).unwrap().0.column_iter().map(|y| y[0]).collect();
    let mut sorted = exact;
    sorted.sort_by(f64::total_cmp);
    let cdf = |c: f64| sorted.partition_point(|e| *e <= c) as f64 / sorted.len() as f64;
    let ks = kolmogorov(&cosines, cdf) / (1.0 + cosines.len() as f64 / 200_000.0).sqrt();
    assert!(ks < KOLMOGOROV, "{ks} with {}", cosines.len());
}

#[test]
fn started_at_the_point_the_backward_process_ends_with_the_data() {
    for (d, rate) in [(1, 0.1), (2, 0.5), (3, 0.0), (3, 0.5), (32, 0.02), (784, 0.5)] {
        let process = process(d, 1.0, rate);
        let alpha = atoms(d, 5, 4);
        let z = at(d, 2.5 * (d as f64).sqrt());
        let h = Atoms::point(process.clone(), &z, &vec![0.0; d]).unwrap();
        let measure = backward_measure(&h, &alpha).unwrap();
        // At every level of the apparatus.
        let oracle = Oracle::new(process.clone(), measure.clone()).unwrap().end_law(&z);
        let law = Atoms::weighted(process, measure).unwrap().death_law(&z);
        for ((a, b), log_weight) in oracle.iter().zip(&law).zip(alpha.log_weights()) {
            let exact = log_weight.exp();
            assert!(
                (a - exact).abs() < 1e-12 * d as f64 && (b - exact).abs() < 1e-12 * d as f64,
                "d = {d}: {a} {b}"
            );
        }
        let (starts, _) = backward_starts(&h, &alpha, 10, 1).unwrap();
        assert!(starts.column_iter().all(|x| x.as_slice() == z));
    }
}

#[test]
fn backward_from_its_starts_every_transform_returns_to_the_data() {
    fn check(process: &KilledBrownianMotion, transform: &dyn HTransform, alpha: &EmpiricalMeasure) {
        let n = 30_000;
        // R9b, then R10 and R11.
        let (starts, forward) = backward_starts(transform, alpha, n, 6).unwrap();
        let backward = Atoms::weighted(process.clone(), backward_measure(transform, alpha).unwrap()).unwrap();
        let (ends, lifetimes) = deaths(&backward, &starts, 7).unwrap();
        let counts: Vec<usize> = (0..alpha.len())
            .map(|i| ends.column_iter().filter(|x| *x == alpha.points().column(i)).count())
            .collect();
        let weights: Vec<f64> = alpha.log_weights().iter().map(|w| w.exp()).collect();
        assert_law(&counts, &weights);
        // The time from data to death is the time back: two samples, so √2 times the critical value.
        let mut sorted = forward.clone();
        sorted.sort_by(f64::total_cmp);
        let cdf = |t: f64| sorted.partition_point(|s| *s <= t) as f64 / n as f64;
        assert!(kolmogorov(&lifetimes, cdf) < KOLMOGOROV * 2f64.sqrt());
        // Without 1/h the weights are wrong wherever h varies: the test would see it.
        let start = starts.column(0);
        let plain = Atoms::weighted(process.clone(), alpha.clone()).unwrap().death_law(start.as_slice());
        let right = backward.death_law(start.as_slice());
        let flat = transform.log_value(alpha.point(0)) == transform.log_value(alpha.point(1));
        assert!(flat || plain.iter().zip(&right).any(|(p, q)| (p - q).abs() > 1e-3));
    }
    for (d, rate) in [(1, 0.2), (2, 0.3), (3, 0.3), (3, 0.0), (6, 0.5)] {
        let process = process(d, 1.1, rate);
        let alpha = atoms(d, 3, 4);
        if rate > 0.0 {
            check(&process, &ExponentialClock::new(process.clone()), &alpha);
        }
        check(&process, &Atoms::point(process.clone(), &at(d, 3.0), &vec![0.0; d]).unwrap(), &alpha);
        check(&process, &Atoms::weighted(process.clone(), atoms(d, 4, 9)).unwrap(), &alpha);
        check(&process, &Sphere::new(&process, 0.9).unwrap(), &alpha);
    }
}

#[test]
fn processes_with_a_drift_return_to_the_data_too() {
    fn check<P: Resolvent + Clone>(process: &P, alpha: &EmpiricalMeasure) {
        let (z, n) = (at(alpha.dim(), 2.0), 6_000);
        let weights: Vec<f64> = alpha.log_weights().iter().map(|w| w.exp()).collect();
        let point = Atoms::point(process.clone(), &z, &vec![0.0; z.len()]).unwrap();
        let measure = backward_measure(&point, alpha).unwrap();
        let backward = Atoms::weighted(process.clone(), measure).unwrap();
        assert!(backward.death_law(&z).iter().zip(&weights).all(|(p, w)| (p - w).abs() < 1e-9));
        let clock = ExponentialClock::new(process.clone());
        let (starts, forward) = backward_starts(&clock, alpha, n, 3).unwrap();
        let backward = Atoms::weighted(process.clone(), backward_measure(&clock, alpha).unwrap()).unwrap();
        let (ends, lifetimes) = deaths(&backward, &starts, 4).unwrap();
        let counts: Vec<usize> = (0..alpha.len())
            .map(|i| ends.column_iter().filter(|x| *x == alpha.points().column(i)).count())
            .collect();
        assert_law(&counts, &weights);
        let mut sorted = forward;
        sorted.sort_by(f64::total_cmp);
        let cdf = |t: f64| sorted.partition_point(|s| *s <= t) as f64 / n as f64;
        assert!(kolmogorov(&lifetimes, cdf) < KOLMOGOROV * 2f64.sqrt());
    }
    for d in [1, 2, 3] {
        let alpha = atoms(d, 4, 5);
        check(&KilledDriftedBrownianMotion::new(vec![0.8; d], 1.2, 0.4).unwrap(), &alpha);
        check(&KilledOrnsteinUhlenbeck::new(d, 0.7, 1.2, 0.4).unwrap(), &alpha);
    }
}

#[test]
fn the_sampler_runs_the_forward_path() {
    let process = process(3, 0.8, 0.4);
    let (z, x) = (at(3, 2.0), vec![0.1; 3]);
    let point = Atoms::point(process.clone(), &z, &[0.0; 3]).unwrap();
    let score = TransformScore::new(&process, &point, 100.0).unwrap();
    // For a point its scale is exact, and so is the bridge step at any length.
    let exact = EmpiricalScore::new(&process, point.kappa().clone()).unwrap();
    let (mut gain, mut v) = ([0.0; 2], [0.0; 3]);
    score.evaluate(&x, &mut gain[..1], &mut v);
    exact.evaluate(&x, &mut gain[1..], &mut [0.0; 3]);
    assert!((gain[0] / gain[1] - 1.0).abs() < 1e-11);
    assert!(v.iter().zip(&z).zip(&x).all(|((v, z), x)| (v - (z - x)).abs() < 1e-10));
    let starts = DMatrix::from_element(3, 5_000, 0.1);
    let control = ScoreAdaptive::new(0.5, 0.01).unwrap();
    let run = Sampler::new(&process, &Bridge::new(&score), &control).run(&starts, 8).unwrap();
    assert!(run.exits.iter().all(|e| *e == Exit::Killed { rule: 0 }));
    let miss = run.points.column_iter().map(|p| (p - nalgebra::DVector::from_vec(z.clone())).norm());
    assert!(miss.fold(0.0, f64::max) < 1e-9, "every path dies at the point");
    let law = Oracle::new(process.clone(), point.kappa().clone()).unwrap().lifetime_law(&x);
    assert!(kolmogorov(&run.lifetimes, |t| law.cdf(t)) < KOLMOGOROV);
    // Away from κ the drift is σ² ∇ log h for any transform: one Euler step from the score of a sphere.
    let sphere = Sphere::new(&process, 1.5).unwrap();
    let score = TransformScore::new(&process, &sphere, 5.0).unwrap();
    let (mut gain, mut gradient) = ([0.0], [0.0; 3]);
    score.evaluate(&x, &mut gain, &mut v);
    sphere.log_value_and_gradient(&x, &mut gradient);
    assert!(v.iter().zip(&gradient).all(|(v, s)| (gain[0] * v - s).abs() < 1e-14));
    let _: &dyn resolvent_core::Step = &EulerMaruyama::new(&score);
}

#[test]
fn impossible_transforms_are_named() {
    let process = process(2, 1.0, 0.5);
    let beta = atoms(2, 3, 1);
    let on_support = Atoms::from_start(process.clone(), beta.point(1), &beta).unwrap_err();
    assert_eq!(on_support, Error::OnSupport { name: "point of x0", index: 1, support: "beta" });
    assert!(matches!(Atoms::point(process.clone(), &[1.0, 2.0], &[1.0, 2.0]), Err(Error::OnSupport { .. })));
    assert!(matches!(
        Atoms::point(process.clone(), &[1.0], &[1.0, 2.0]),
        Err(Error::Dimension { name: "beta", .. })
    ));
    assert!(matches!(
        Atoms::point(process.clone(), &[1.0, 0.0], &[1.0]),
        Err(Error::Dimension { name: "x0", .. })
    ));
    assert!(matches!(
        Atoms::point(process.clone(), &[f64::NAN, 0.0], &[1.0, 0.0]),
        Err(Error::NotFinite { .. })
    ));
    assert!(matches!(
        Atoms::weighted(process.clone(), atoms(3, 2, 1)),
        Err(Error::Dimension { name: "kappa", .. })
    ));
    assert_eq!(EmpiricalMeasure::weighted(DMatrix::zeros(2, 2), &[0.0, 0.0]).unwrap_err(), Error::NoMass);
    assert!(matches!(Sphere::new(&process, 0.0), Err(Error::NotPositive { name: "radius", .. })));
    // A datum on the support of the representing measure: Z^h would die where it starts.
    let h = Atoms::weighted(process.clone(), beta.clone()).unwrap();
    for error in [backward_measure(&h, &beta).unwrap_err(), backward_starts(&h, &beta, 3, 1).unwrap_err()] {
        assert_eq!(error, Error::OnSupport { name: "datum", index: 0, support: "the representing measure" });
    }
    let mut place = [0.0; 2];
    assert_eq!(h.death_into(beta.point(2), &mut stream(1, Purpose::Forward, 0), &mut place), 0.0);
    assert_eq!((place.as_slice(), h.death_law(beta.point(2))), (beta.point(2), vec![0.0, 0.0, 1.0]));
    // In dimension 1 points are not polar and nothing is infinite.
    let line = KilledBrownianMotion::new(1, 1.0, 0.5).unwrap();
    assert!(Atoms::point(line, &[1.0], &[1.0]).is_ok());
    let transient = KilledBrownianMotion::new(3, 1.0, 0.0).unwrap();
    let clock = ExponentialClock::new(transient);
    assert_eq!(deaths(&clock, &DMatrix::zeros(3, 2), 1).unwrap_err(), Error::Immortal);
    assert!(matches!(deaths(&h, &DMatrix::zeros(3, 2), 1), Err(Error::Dimension { name: "starts", .. })));
}

//! The exact scores of laws on circles and spheres: against sums over atoms, closed forms and differences.

use std::f64::consts::{PI, TAU};

use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent_core::random::{Purpose, stream};
use resolvent_core::score::{CircleScore, SphereScore};
use resolvent_core::{EmpiricalMeasure, EmpiricalScore, Error, KilledBrownianMotion, Score};
use resolvent_special::{log_i, log_k, ratio_i, ratio_k};
use statrs::function::gamma::ln_gamma;

/// A smooth density with two unequal humps (von Mises with concentrations 4 and 2) over a uniform floor.
fn humps(angle: f64) -> f64 {
    0.5 + f64::exp(4.0 * ((angle - 1.0).cos() - 1.0)) + 2.0 * f64::exp(2.0 * ((angle + 2.0).cos() - 1.0))
}

/// Points at `distance` from the unit sphere S^k in R^d, on both sides and beside it, and some far away.
fn points(k: usize, d: usize, distance: f64) -> Vec<Vec<f64>> {
    let mut rng = stream(5, Purpose::Experiment, d as u64);
    let mut normal = |n: usize| -> Vec<f64> {
        let v: Vec<f64> = (0..n).map(|_| rng.sample::<f64, _>(StandardNormal)).collect();
        let norm = v.iter().map(|v| v * v).sum::<f64>().sqrt();
        v.iter().map(|v| v / norm).collect()
    };
    (0..12)
        .map(|i| {
            let (on, off) = (normal(k + 1), normal((d - k - 1).max(1)));
            let angle = if d == k + 1 { PI * f64::from(i % 2) } else { TAU * f64::from(i) / 12.0 };
            let within = (1.0 + distance * angle.cos()).abs();
            let beside = distance * angle.sin();
            on.iter().map(|v| v * within).chain(off.iter().take(d - k - 1).map(|v| v * beside)).collect()
        })
        .collect()
}

fn evaluate(score: &dyn Score, x: &[f64]) -> (f64, Vec<f64>) {
    let (mut gain, mut v) = ([0.0], vec![0.0; x.len()]);
    score.evaluate(x, &mut gain, &mut v);
    (gain[0], v)
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

fn norm(a: &[f64]) -> f64 {
    a.iter().map(|a| a * a).sum::<f64>().sqrt()
}

/// Equally spaced atoms on the unit circle with weights f: the trapezoidal rule, exact for analytic periodic integrands
/// once the spacing is well below the distance.
fn atoms(process: &KilledBrownianMotion, m: usize, f: impl Fn(f64) -> f64) -> EmpiricalScore {
    let angle = |i: usize| TAU * i as f64 / m as f64;
    let points = DMatrix::from_fn(process.dim(), m, |row, i| match row {
        0 => angle(i).cos(),
        1 => angle(i).sin(),
        _ => 0.0,
    });
    let weights: Vec<f64> = (0..m).map(|i| f(angle(i))).collect();
    EmpiricalScore::new(process, EmpiricalMeasure::weighted(points, &weights).unwrap()).unwrap()
}

#[test]
fn a_circle_is_the_limit_of_many_atoms() {
    // The spacing of the atoms is at most a tenth of the distance over √d, so that their sum is the integral to rounding.
    let near = [(30.0, 2_000), (2.5, 2_000), (0.6, 2_000), (0.05, 20_000)];
    for (d, closest) in
        [(2, 400_000), (3, 1_000_000), (4, 400_000), (8, 1_000_000), (32, 1_600_000), (200, 0)]
    {
        for (sigma, rate) in [(1.0, 0.05), (0.5, 2.0), (1.0, 50.0)] {
            let process = KilledBrownianMotion::new(d, sigma, rate).unwrap();
            let score = CircleScore::new(&process, 1.0, humps).unwrap();
            let last = (1e-4, closest);
            for (to_circle, m) in near.into_iter().chain((closest > 0 && rate < 1.0).then_some(last)) {
                let sum = atoms(&process, m, humps);
                for x in points(1, d, to_circle).iter().take(if m > 20_000 { 1 } else { 5 }) {
                    let (gain, v) = evaluate(&score, x);
                    let (expected_gain, expected) = evaluate(&sum, x);
                    let label = format!("d = {d}, rate {rate}, distance {to_circle}");
                    let errors = [
                        (gain / expected_gain - 1.0).abs(),
                        distance(&v, &expected) / norm(&expected),
                        (score.log_density(x) - sum.log_density(x)).abs(),
                    ];
                    assert!(errors.iter().all(|e| *e < 1e-9), "{label}: {errors:?}");
                }
            }
        }
    }
}

#[test]
fn a_circle_of_constant_density_is_a_sphere_of_dimension_one() {
    for d in [2, 3, 8, 40] {
        let process = KilledBrownianMotion::new(d, 0.7, 0.3).unwrap();
        let sphere = SphereScore::new(&process, 1, 1.0).unwrap();
        let circle = CircleScore::new(&process, 1.0, |_| 7.0).unwrap();
        for x in [1e-6, 0.01, 0.9, 5.0].into_iter().flat_map(|distance| points(1, d, distance)) {
            let ((g, v), (h, w)) = (evaluate(&sphere, &x), evaluate(&circle, &x));
            assert!((g / h - 1.0).abs() < 1e-12 && distance(&v, &w) < 1e-12 * norm(&w), "d = {d}");
            assert!((sphere.log_density(&x) - circle.log_density(&x)).abs() < 1e-12);
        }
    }
}

/// log u, g and the part of D - x away from the centre, for the unit sphere S^k and a point at `q` and `off` from and off
/// its space: the five-point Gauss-Legendre rule on panels that grow by a fiftieth from the nearest angle on.
fn panels(process: &KilledBrownianMotion, k: usize, q: f64, off: f64) -> [f64; 3] {
    let nodes = [
        (0.0, 0.568_888_888_888_888_9),
        (0.538_469_310_105_683, 0.478_628_670_499_366_5),
        (0.906_179_845_938_664, 0.236_926_885_056_189_1),
    ];
    let delta = f64::hypot(q - 1.0, off);
    let mut edges = vec![0.0];
    let mut edge = f64::min(0.02 * delta / (process.dim() as f64).sqrt(), 0.02);
    let first = edge;
    while edge < PI {
        edges.push(edge);
        edge += first.max(0.02 * edge).min(0.02);
    }
    edges.push(PI);
    let mut terms = Vec::new();
    for panel in edges.windows(2) {
        let (middle, half) = (0.5 * (panel[0] + panel[1]), 0.5 * (panel[1] - panel[0]));
        for (node, weight) in nodes.into_iter().flat_map(|(x, w)| [(x, w), (-x, w)]).skip(1) {
            let theta = middle + half * node;
            let versine = 2.0 * (0.5 * theta).sin().powi(2);
            let (log_value, gain) =
                process.green().log_value_and_gain(f64::sqrt(delta * delta + 2.0 * q * versine));
            terms.push((
                log_value + (k as f64 - 1.0) * theta.sin().ln() + (weight * half).ln(),
                gain,
                versine,
            ));
        }
    }
    let peak = terms.iter().fold(f64::NEG_INFINITY, |a, t| a.max(t.0));
    let sum = |f: fn(&(f64, f64, f64)) -> f64| terms.iter().map(|t| f64::exp(t.0 - peak) * f(t)).sum::<f64>();
    let (mass, pull, versine) = (sum(|_| 1.0), sum(|t| t.1), sum(|t| t.1 * t.2));
    let k = k as f64;
    let normaliser = 0.5 * PI.ln() + ln_gamma(0.5 * k) - ln_gamma(0.5 * (k + 1.0));
    [peak + mass.ln() - normaliser, pull / mass, 1.0 - q - versine / pull]
}

#[test]
fn a_sphere_agrees_with_quadrature_on_small_panels() {
    for (k, d) in [(2, 4), (2, 10), (3, 5), (4, 6), (5, 50), (1, 784), (100, 300)] {
        for rate in [0.05, 20.0] {
            let process = KilledBrownianMotion::new(d, 1.0, rate).unwrap();
            let score = SphereScore::new(&process, k, 1.0).unwrap();
            for to in [1e-4, 1e-2, 0.3, 2.0, 40.0] {
                for angle in [0.1_f64, 1.5, 3.0, 4.4] {
                    let (q, off) = ((1.0 + to * angle.cos()).abs(), to * angle.sin().abs());
                    let mut x = vec![0.0; d];
                    (x[0], x[k], x[d - 1]) = (0.6 * q, 0.8 * q, off);
                    let [log_u, gain, along] = panels(&process, k, q, off);
                    let (g, v) = evaluate(&score, &x);
                    let errors = [
                        (score.log_density(&x) - log_u).abs(),
                        (g / gain - 1.0).abs(),
                        (v[0] - 0.6 * along).abs() / f64::hypot(along, off),
                    ];
                    assert!(errors.iter().all(|e| *e < 1e-8), "S^{k} in R^{d} at {to}, {angle}: {errors:?}");
                }
            }
        }
    }
}

#[test]
fn a_sphere_of_codimension_one_has_its_closed_form() {
    // R8 over the area of the sphere.
    for d in [2, 3, 6, 50, 784] {
        let (sigma, rate, radius) = (0.8, 0.3, 1.7);
        let process = KilledBrownianMotion::new(d, sigma, rate).unwrap();
        let score = SphereScore::new(&process, d - 1, radius).unwrap();
        let (half, nu, a) = (0.5 * d as f64, 0.5 * d as f64 - 1.0, f64::sqrt(2.0 * rate) / sigma);
        let log_area = f64::ln(2.0) + half * PI.ln() - ln_gamma(half) + (d as f64 - 1.0) * radius.ln();
        for length in [1e-3, 0.3, 1.0, 1.6, 1.6999, 1.7001, 2.0, 10.0, 100.0_f64] {
            let mut x = vec![0.0; d];
            (x[0], x[d - 1]) = (0.6 * length, -0.8 * length);
            let (inner, outer) = (a * length.min(radius), a * length.max(radius));
            let log_u =
                (2.0 * radius).ln() + nu * (radius / length).ln() + log_i(nu, inner) + log_k(nu, outer)
                    - 2.0 * sigma.ln()
                    - log_area;
            let found = score.log_density(&x);
            // Next to the sphere all angles count, those beside the pole of the kernel as well.
            assert!(
                (found - log_u).abs() < 1e-7 * log_u.abs().max(1.0),
                "d = {d}, |x| = {length}: {found} {log_u}"
            );
            let radial = if length < radius { a * ratio_i(nu, inner) } else { -a * ratio_k(nu, outer) };
            let (gain, v) = evaluate(&score, &x);
            let s: Vec<f64> = v.iter().map(|v| gain * v).collect();
            let expected: Vec<f64> = x.iter().map(|x| radial * x / length).collect();
            // The score is the small difference of large pulls from the near side and the far.
            let error = distance(&s, &expected) / norm(&expected).max(a * f64::sqrt(d as f64));
            assert!(error < 1e-6, "d = {d}, |x| = {length}: {s:?} {expected:?}");
        }
    }
}

#[test]
fn the_score_is_the_gradient_of_the_density() {
    let check =
        |score: &dyn Score, log_density: &dyn Fn(&[f64]) -> f64, x: &[f64], step: f64, label: &str| {
            let (gain, v) = evaluate(score, x);
            let differences: Vec<f64> = (0..x.len())
                .map(|i| {
                    let at = |shift: f64| {
                        let mut x = x.to_vec();
                        x[i] += shift * step;
                        log_density(&x)
                    };
                    (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * step)
                })
                .collect();
            let s: Vec<f64> = v.iter().map(|v| gain * v).collect();
            let error = distance(&s, &differences) / norm(&s);
            assert!(error < 1e-7, "{label}: {error:e}, {s:?} {differences:?}");
        };
    for to in [1e-4, 1e-2, 0.4, 3.0] {
        for (k, d) in [(1, 3), (2, 4), (2, 10), (3, 5), (5, 50), (100, 300)] {
            let process = KilledBrownianMotion::new(d, 0.7, 0.3).unwrap();
            let score = SphereScore::new(&process, k, 1.0).unwrap();
            for x in points(k, d, to).iter().skip(1).step_by(5) {
                let label = format!("S^{k} in R^{d} at {to}");
                check(&score, &|x| score.log_density(x), x, 2e-3 * to, &label);
            }
        }
        for d in [3, 8, 32] {
            let process = KilledBrownianMotion::new(d, 1.3, 0.05).unwrap();
            let score = CircleScore::new(&process, 1.0, humps).unwrap();
            for x in points(1, d, to).iter().skip(1).step_by(5) {
                check(&score, &|x| score.log_density(x), x, 2e-3 * to, &format!("circle in R^{d} at {to}"));
            }
        }
    }
}

#[test]
fn the_centre_and_the_support_are_places_too() {
    let process = KilledBrownianMotion::new(5, 1.0, 0.1).unwrap();
    let sphere = SphereScore::new(&process, 2, 2.0).unwrap();
    let circle = CircleScore::new(&process, 2.0, humps).unwrap();
    let centre = [0.0, 0.0, 0.0, 0.0, 1.5];
    for score in [&sphere as &dyn Score, &circle] {
        // The gain of every datum, all at the distance 2.5.
        let (gain, v) = evaluate(score, &centre);
        assert!((gain / process.green().gain(2.5) - 1.0).abs() < 1e-12);
        assert_eq!(v[4], -1.5);
        let (gain, v) = evaluate(score, &[0.0, -2.0, 0.0, 0.0, 0.0]);
        assert!(gain > 1e200 && norm(&v) < 1e-100, "{gain} {v:?}");
    }
    assert!((sphere.log_density(&centre) - process.green().log_value(2.5)).abs() < 1e-12);
    assert!(norm(&evaluate(&sphere, &centre).1[..4]) < 1e-12);
    // From the centre of its plane a circle pulls towards the mean of its density.
    let angles = (0..1000).map(|i| TAU * f64::from(i) / 1000.0);
    let mean = |f: fn(f64) -> f64| {
        angles.clone().map(|t| humps(t) * f(t)).sum::<f64>() / angles.clone().map(humps).sum::<f64>()
    };
    let v = evaluate(&circle, &centre).1;
    assert!(
        (v[0] - 2.0 * mean(f64::cos)).abs() < 1e-12 && (v[1] - 2.0 * mean(f64::sin)).abs() < 1e-12,
        "{v:?}"
    );
}

#[test]
fn impossible_laws_are_refused() {
    let process = KilledBrownianMotion::new(3, 1.0, 0.1).unwrap();
    let line = KilledBrownianMotion::new(1, 1.0, 0.1).unwrap();
    let circle = |f: fn(f64) -> f64| CircleScore::new(&process, 1.0, f).err();
    assert!(matches!(
        SphereScore::new(&process, 0, 1.0).unwrap_err(),
        Error::TooSmall { name: "intrinsic", .. }
    ));
    assert!(matches!(SphereScore::new(&process, 3, 1.0).unwrap_err(), Error::TooSmall { name: "dim", .. }));
    assert!(matches!(
        SphereScore::new(&process, 1, -1.0).unwrap_err(),
        Error::NotPositive { name: "radius", .. }
    ));
    assert!(matches!(CircleScore::new(&line, 1.0, humps).err(), Some(Error::TooSmall { name: "dim", .. })));
    assert_eq!(circle(|_| 0.0), Some(Error::NoMass));
    assert!(matches!(circle(f64::cos), Some(Error::Weight { .. })));
    assert!(matches!(circle(|_| f64::NAN), Some(Error::Weight { index: 0, .. })));
}

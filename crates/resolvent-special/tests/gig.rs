//! The generalised inverse Gaussian law: draws against the distribution function, that against closed forms.

use rand::{SeedableRng, rngs::ChaCha8Rng};
use rand_distr::Distribution;
use resolvent_special::{Error, Gig};
use statrs::distribution::{ChiSquared, ContinuousCDF, Gamma, InverseGamma};

/// p from 0.5 to -1e5, a b from 1e-12 to 1e8, and the limits b = 0 and a = 0.
const TRIPLES: [[f64; 3]; 20] = [
    [0.5, 2.0, 1.0],
    [0.5, 1e-3, 1e-9],
    [0.5, 2.0, 0.0],
    [3.0, 2.0, 5.0],
    [1e4, 3.0, 7.0],
    [0.0, 2.0, 1.0],
    [0.0, 1e-6, 1e-6],
    [0.0, 1e4, 1e4],
    [-0.5, 2.0, 1.0],
    [-0.5, 2.0, 5e-13],
    [-0.5, 2e4, 5e3],
    [-1.0, 2.0, 1e-4],
    [-2.0, 0.0, 3.0],
    [-7.5, 0.2, 40.0],
    [-10.5, 2.0, 1e-10],
    [-63.0, 50.0, 40.0],
    [-391.0, 2.0, 391.0],
    [-1535.0, 1e-8, 1e4],
    [-1e5, 50.0, 4e6],
    [-1e5, 2.0, 1e5],
];

const BINS: usize = 64;
const DRAWS: usize = 60_000;
const SIGNIFICANCE: f64 = 1e-4;

/// Equiprobable bin edges by bisection of the distribution function on the logarithmic axis.
fn edges(law: &Gig) -> Vec<f64> {
    (1..BINS)
        .map(|i| {
            let (mut low, mut high) = (-800.0f64, 700.0f64);
            for _ in 0..52 {
                let middle = 0.5 * (low + high);
                if law.cdf(middle.exp()) < i as f64 / BINS as f64 { low = middle } else { high = middle }
            }
            high.exp()
        })
        .collect()
}

#[test]
fn draws_follow_the_law() {
    let bound = ChiSquared::new((BINS - 1) as f64).unwrap().inverse_cdf(1.0 - SIGNIFICANCE);
    for (i, [p, a, b]) in TRIPLES.into_iter().enumerate() {
        let law = Gig::new(p, a, b).unwrap();
        let edges = edges(&law);
        let mut rng = ChaCha8Rng::seed_from_u64(100 + i as u64);
        let mut counts = [0u32; BINS];
        for _ in 0..DRAWS {
            let t = law.sample(&mut rng);
            counts[edges.partition_point(|&edge| edge < t)] += 1;
        }
        let expected = DRAWS as f64 / BINS as f64;
        let statistic: f64 = counts.iter().map(|&c| (f64::from(c) - expected).powi(2) / expected).sum();
        assert!(statistic < bound, "GIG({p}, {a}, {b}): chi-squared {statistic:.1} > {bound:.1}");
    }
}

/// T and the law of 1/T under (-p, b, a), to five standard errors.
#[test]
fn sample_means() {
    const N: usize = 100_000;
    for (i, [p, a, b]) in TRIPLES.into_iter().enumerate() {
        let law = Gig::new(p, a, b).unwrap();
        let (mean, variance) = (law.mean(), law.variance());
        if !variance.is_finite() {
            continue;
        }
        let mut rng = ChaCha8Rng::seed_from_u64(i as u64);
        let average = (0..N).map(|_| law.sample(&mut rng)).sum::<f64>() / N as f64;
        let error = (average - mean) / (variance / N as f64).sqrt();
        assert!(
            error.abs() < 5.0,
            "GIG({p}, {a}, {b}): {average} against {mean}, {error:.1} standard errors"
        );
    }
}

#[test]
fn cdf_against_closed_forms() {
    for p in [0.1, 0.5, 1.0, 7.5, 300.0] {
        // b = 0 is the gamma law; a tiny b is indistinguishable from it where t >> b.
        for b in [0.0, 1e-300] {
            let law = Gig::new(p, 3.0, b).unwrap();
            let gamma = Gamma::new(p, 1.5).unwrap();
            let inverse = Gig::new(-p, b, 3.0).unwrap();
            let inverse_gamma = InverseGamma::new(p, 1.5).unwrap();
            for i in 1..60 {
                let t = law.mean() * 0.05 * f64::from(i);
                assert!((law.cdf(t) - gamma.cdf(t)).abs() < 1e-10, "p = {p}, t = {t}");
                assert!(
                    (inverse.cdf(1.0 / t) - inverse_gamma.cdf(1.0 / t)).abs() < 1e-10,
                    "p = {p}, t = {t}"
                );
            }
        }
    }
    // The inverse Gaussian law, p = -1/2 (Jorgensen (1982)): Phi(...) + e^{2 l/m} Phi(...), here with l = b, m = sqrt(b/a).
    let phi = |x: f64| 0.5 * statrs::function::erf::erfc(-x / 2f64.sqrt());
    for (a, b) in [(2.0, 1.0), (0.3, 7.0), (10.0, 3.0)] {
        let law = Gig::new(-0.5, a, b).unwrap();
        let (l, m) = (b, (b / a).sqrt());
        for i in 1..100 {
            let t: f64 = 0.05 * m * f64::from(i);
            let root = (l / t).sqrt();
            let exact = phi(root * (t / m - 1.0)) + (2.0 * l / m).exp() * phi(-root * (t / m + 1.0));
            assert!((law.cdf(t) - exact).abs() < 1e-10, "a = {a}, b = {b}, t = {t}: {} {exact}", law.cdf(t));
        }
    }
}

/// The distribution function has the density as its derivative, and the density the right shape.
#[test]
fn density_is_the_derivative_of_the_cdf() {
    for [p, a, b] in TRIPLES {
        let law = Gig::new(p, a, b).unwrap();
        let centre = law.mean_log().exp();
        let spread = 1.0 / (p.abs() + (a * b).sqrt() + 1.0).sqrt();
        for i in -4..=4 {
            let t = centre * (f64::from(i) * spread / 2.0).exp();
            let h = 1e-3 * spread;
            let slope = (law.cdf(t * h.exp()) - law.cdf(t * (-h).exp())) / (2.0 * h);
            let density = law.log_density(t).exp() * t;
            assert!(
                (slope - density).abs() < 2e-6 * (density + 1.0 / spread),
                "GIG({p}, {a}, {b}) at {t}: {slope} {density}"
            );
        }
        let (s, t) = (centre, centre * (1.0 + spread));
        let ratio = law.log_density(t) - law.log_density(s);
        let exact = (p - 1.0) * (t / s).ln() - 0.5 * (a * (t - s) + b * (1.0 / t - 1.0 / s));
        let scale = 1.0 + p.abs() + a * t + b / s;
        assert!((ratio - exact).abs() < 1e-14 * scale, "GIG({p}, {a}, {b}): {ratio} {exact}");
    }
}

#[test]
fn cdf_runs_from_zero_to_one() {
    for [p, a, b] in TRIPLES.into_iter().chain([[0.0, 1e-150, 1e-150], [-0.5, 1.0, 1e-300], [0.5, 1e4, 1e4]])
    {
        let law = Gig::new(p, a, b).unwrap();
        assert_eq!((law.cdf(0.0), law.cdf(-1.0), law.cdf(f64::INFINITY)), (0.0, 0.0, 1.0));
        let mut last = 0.0;
        for i in -200..=200 {
            let value = law.cdf((law.mean_log() + 0.05 * f64::from(i)).exp());
            assert!((-1e-12..=1.0 + 1e-12).contains(&(value - last)) && value <= 1.0, "GIG({p}, {a}, {b})");
            last = value;
        }
    }
}

/// E[log T] of the gamma law is digamma(p) - log(a/2); 1/T changes its sign.
#[test]
fn mean_log() {
    for p in [0.1, 0.5, 1.0, 12.5, 1e5] {
        let exact = statrs::function::gamma::digamma(p) - 1.5f64.ln();
        let (law, inverse) = (Gig::new(p, 3.0, 0.0).unwrap(), Gig::new(-p, 0.0, 3.0).unwrap());
        assert!((law.mean_log() - exact).abs() < 1e-9, "p = {p}: {} {exact}", law.mean_log());
        assert!((inverse.mean_log() + exact).abs() < 1e-9);
    }
    // p = 0: log T is symmetric about log(b/a)/2.
    assert!((Gig::new(0.0, 5.0, 0.2).unwrap().mean_log() - 0.5 * (0.04f64).ln()).abs() < 1e-12);
}

#[test]
fn moments_of_the_limits() {
    let gamma = Gig::new(3.0, 2.0, 0.0).unwrap();
    assert_eq!((gamma.mean(), gamma.variance(), gamma.mean_inverse(), gamma.mode()), (3.0, 3.0, 0.5, 2.0));
    let inverse = Gig::new(-3.0, 0.0, 2.0).unwrap();
    assert_eq!(
        (inverse.mean(), inverse.variance(), inverse.mean_inverse(), inverse.mode()),
        (0.5, 0.25, 3.0, 0.25)
    );
    assert_eq!(Gig::new(-1.5, 0.0, 2.0).unwrap().variance(), f64::INFINITY);
    // The limits are approached smoothly.
    for (p, a, b) in [(3.0, 2.0, 1e-20), (-3.0, 1e-20, 2.0), (7.5, 2.0, 1e-300), (-99.0, 1e-300, 2.0)] {
        let (law, limit) = (
            Gig::new(p, a, b).unwrap(),
            Gig::new(p, if p < 0.0 { 0.0 } else { a }, if p < 0.0 { b } else { 0.0 }).unwrap(),
        );
        for (value, exact) in [
            (law.mean(), limit.mean()),
            (law.variance(), limit.variance()),
            (law.mean_inverse(), limit.mean_inverse()),
        ] {
            assert!((value / exact - 1.0).abs() < 1e-12, "GIG({p}, {a}, {b}): {value} {exact}");
        }
    }
}

#[test]
fn extremes_stay_finite() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for p in [0.0, 0.5, -0.5, -1.0, -63.0, -1e5, 1e5, 1e-3, -1e-3] {
        for product in [1e-290, 1e-200, 1e-100, 1e-12, 1.0, 1e8] {
            for a in [1e-6, 1.0, 1e6] {
                let law = Gig::new(p, a, product / a).unwrap();
                for _ in 0..200 {
                    let t: f64 = law.sample(&mut rng);
                    assert!(t >= 0.0 && t.is_finite(), "GIG({p}, {a}, {}): {t}", product / a);
                    assert!(p == 1e-3 || t > 0.0, "GIG({p}, {a}, {}): {t}", product / a);
                }
                let values = [
                    law.mean(),
                    law.mean_inverse(),
                    law.variance(),
                    law.mean_log(),
                    law.log_density(law.mean()),
                ];
                assert!(values[..2].iter().all(|v| *v > 0.0 && v.is_finite()), "GIG({p}, {a}): {values:?}");
                assert!(
                    values[2] >= 0.0 && values[3..].iter().all(|v| v.is_finite()),
                    "GIG({p}, {a}): {values:?}"
                );
            }
        }
    }
}

#[test]
fn refuses_what_is_no_law() {
    for (p, a, b) in [
        (0.0, 1.0, 0.0),
        (-1.0, 1.0, 0.0),
        (0.0, 0.0, 1.0),
        (1.0, 0.0, 1.0),
        (1.0, -1.0, 1.0),
        (1.0, 1.0, -1.0),
        (-1.0, -1.0, 1.0),
        (1.0, f64::INFINITY, 1.0),
    ] {
        assert_eq!(Gig::new(p, a, b), Err(Error::GigParameters { p, a, b }));
    }
    assert!(
        Gig::new(f64::NAN, 1.0, 1.0).is_err()
            && Gig::new(1.0, f64::NAN, 1.0).is_err()
            && Gig::new(1.0, 1.0, f64::NAN).is_err()
    );
}

/// The first draws of a fixed stream: a change here changes every simulation that uses the law.
#[test]
fn frozen_draws() {
    let draw = |p, a, b| {
        let mut rng = ChaCha8Rng::seed_from_u64(2025);
        let law = Gig::new(p, a, b).unwrap();
        [law.sample(&mut rng), law.sample(&mut rng), law.sample(&mut rng)]
    };
    let frozen: [([f64; 3], [f64; 3]); 3] = [
        ([-0.5, 2.0, 1.0], [0.17258662507477357, 0.8963348655687808, 0.4190828452189785]),
        ([-391.0, 2.0, 391.0], [0.48498247448269816, 0.5594945120408091, 0.528807973483321]),
        ([0.5, 2.0, 0.0], [0.023126773202221326, 0.0009570834345856774, 0.19675502711771567]),
    ];
    for ([p, a, b], expected) in frozen {
        let drawn = draw(p, a, b);
        // The last digits may depend on the platform's exp and log.
        let close = drawn.iter().zip(expected).all(|(x, y): (&f64, f64)| (x / y - 1.0).abs() < 1e-12);
        assert!(close, "GIG({p}, {a}, {b}): {drawn:?}");
    }
}

//! log K_nu with R_nu, one by one and many at one order, exp and log of many numbers, the inverses, and draws of the generalised
//! inverse Gaussian law.
//!
//! `cargo bench -p resolvent --bench special`; each Bessel figure is the mean over a block of 64 neighbouring arguments.
//! `benches/peers/special_scipy.py` times the same arguments in SciPy.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rand::{SeedableRng, rngs::ChaCha8Rng};
use rand_distr::Distribution;
use resolvent::special::{Gig, KOrder, inverse_gain, log_k_and_ratio, vector};
use std::hint::black_box;
use std::time::Duration;

/// Orders d/2 - 1 from d = 1 on, and a few more.
const ORDERS: [f64; 11] = [-0.5, 0.0, 0.5, 1.0, 3.0, 10.0, 50.0, 100.0, 391.0, 1535.0, 1e5];
/// Temme's series, the continued fraction near its border and above, the Debye expansion (at small orders).
const ARGUMENTS: [f64; 6] = [1e-3, 1.0, 1.6, 10.0, 100.0, 1e4];

const BLOCK: usize = 64;

fn block(z: f64) -> [f64; BLOCK] {
    std::array::from_fn(|i| z * (1.0 + 1e-3 * i as f64 / BLOCK as f64))
}

fn bessel(c: &mut Criterion) {
    let mut group = c.benchmark_group("log_k_and_ratio");
    group.throughput(Throughput::Elements(BLOCK as u64));
    for nu in ORDERS {
        for z in ARGUMENTS {
            let block = block(z);
            group.bench_function(format!("nu={nu},z={z}"), |b| {
                b.iter(|| {
                    for &z in &block {
                        black_box(log_k_and_ratio(black_box(nu), black_box(z)));
                    }
                });
            });
        }
    }
    group.finish();
}

/// Many arguments at once; elements are arguments.
fn many(c: &mut Criterion) {
    const COUNT: usize = 4096;
    let mut group = c.benchmark_group("many at once");
    group.throughput(Throughput::Elements(COUNT as u64));
    let arguments: [f64; COUNT] = std::array::from_fn(|k| 0.01 * (k + 1) as f64);
    let mut values = arguments;
    let mut run = |name: &str, of: &mut dyn FnMut(&mut [f64])| {
        group.bench_function(name, |b| {
            b.iter(|| {
                values.copy_from_slice(black_box(&arguments));
                of(black_box(&mut values));
            });
        });
    };
    run("exp", &mut vector::exp);
    run("log", &mut vector::ln);
    let mut ratios = [0.0; COUNT];
    for nu in [0.5, 30.0, 100.0, 391.0] {
        let order = KOrder::new(nu);
        run(&format!("log z^nu K_nu and z R_nu, nu={nu}"), &mut |z| {
            order.log_zks_and_z_ratios(z, &mut ratios);
        });
    }
    group.finish();
}

fn inverse(c: &mut Criterion) {
    let mut group = c.benchmark_group("inverse_gain");
    group.throughput(Throughput::Elements(BLOCK as u64));
    for nu in [-0.5, 0.0, 0.5, 1.0, 3.0, 15.0, 391.0, 1535.0] {
        for gain in [0.1, 10.0, 1e4] {
            let block = block(gain);
            group.bench_function(format!("nu={nu},w={gain}"), |b| {
                b.iter(|| {
                    for &w in &block {
                        black_box(inverse_gain(black_box(nu), black_box(w)));
                    }
                });
            });
        }
    }
    group.finish();
}

/// Orders p = 1 - d/2 with ab from small to large, as the lifetimes of the killed process need them.
const LAWS: [[f64; 3]; 7] = [
    [0.5, 2.0, 1.0],
    [0.0, 2.0, 1e-6],
    [-0.5, 2.0, 1.0],
    [-10.0, 2.0, 1e-12],
    [-63.0, 2.0, 128.0],
    [-1535.0, 2.0, 3072.0],
    [-1e5, 2.0, 1e5],
];

fn gig(c: &mut Criterion) {
    let mut group = c.benchmark_group("gig");
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for [p, a, b] in LAWS {
        let law = Gig::new(p, a, b).expect("a law of the list");
        group.bench_function(format!("draw p={p},a={a},b={b}"), |bench| bench.iter(|| law.sample(&mut rng)));
        group.bench_function(format!("set-up and draw p={p},a={a},b={b}"), |bench| {
            bench.iter(|| {
                let law = Gig::new(black_box(p), black_box(a), black_box(b)).expect("a law of the list");
                law.sample(&mut rng)
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(400));
    targets = bessel, many, inverse, gig
}
criterion_main!(benches);

//! The deterministic horizon: 100,000 particles through 1,000 Euler-Maruyama steps of the reverse SDE of a mixture in the
//! plane, and the ideal denoiser. `benches/peers/horizon.py` times the same work elsewhere.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent::core::horizon::{HorizonSampler, Simulation, euler_maruyama};
use resolvent::core::integrate::EulerMaruyama;
use resolvent::core::marginal::Diffused;
use resolvent::core::random::{Purpose, stream};
use resolvent::core::reversal::ReverseSde;
use resolvent::core::schedule::{Grid, Level, Schedule, VpLinear, prior};
use resolvent::core::{Denoiser, EmpiricalMeasure, GaussianMixture};

const PARTICLES: usize = 100_000;
const STEPS: usize = 1_000;
const END: f64 = 1e-3;

/// The mixture of `benches/peers/horizon.py`.
fn mixture() -> GaussianMixture {
    let covariance = |a, b, c| DMatrix::from_row_slice(2, 2, &[a, b, b, c]);
    let covariances = [covariance(0.3, 0.1, 0.2), covariance(0.5, -0.3, 0.4), covariance(0.1, 0.05, 0.6)];
    GaussianMixture::new(
        &[0.3, 0.5, 0.2],
        DMatrix::from_column_slice(2, 3, &[-2.0, 0.5, 1.5, 1.5, 0.5, -2.0]),
        covariances,
    )
    .unwrap()
}

/// All threads; elements are particle steps.
fn reverse_sde(c: &mut Criterion) {
    let (law, schedule) = (mixture(), VpLinear::default());
    let starts = prior(&schedule, 2, PARTICLES, 1);
    let mut group = c.benchmark_group("reverse SDE, plane, 100000 particles, 1000 steps, all threads");
    group.sample_size(10);
    group.throughput(Throughput::Elements((PARTICLES * STEPS) as u64));
    let table = euler_maruyama(&schedule, &Grid::uniform_time(&schedule, STEPS, END).unwrap()).unwrap();
    group.bench_function("table", |b| {
        b.iter(|| HorizonSampler::new(&table.with(&law)).run(black_box(&starts), 1).unwrap());
    });
    let score = Diffused { schedule: &schedule, denoiser: &law };
    let reverse = ReverseSde { diffusion: &schedule, score: &score, horizon: schedule.horizon() };
    let simulation = Simulation::uniform(&reverse, &EulerMaruyama, 2, (0.0, 1.0 - END), STEPS).unwrap();
    group.bench_function("any diffusion", |b| {
        b.iter(|| HorizonSampler::new(&simulation).run(black_box(&starts), 1).unwrap());
    });
    group.finish();
}

/// 32 points against m data in R^d, one thread; elements are pairs.
fn ideal_denoiser(c: &mut Criterion) {
    let mut group = c.benchmark_group("ideal denoiser, one thread");
    let normal = |rows, columns, index| {
        let mut rng = stream(1, Purpose::Experiment, index);
        DMatrix::from_fn(rows, columns, |_, _| rng.sample(StandardNormal))
    };
    for (d, m) in [(2, 2_000), (64, 2_000), (784, 8_000)] {
        let data = EmpiricalMeasure::new(normal(d, m, 0)).unwrap();
        let points: DMatrix<f64> = normal(d, 32, 1);
        let mut denoised = vec![0.0; 32 * d];
        let level = Level { time: 1.0, alpha: 1.0, sigma: 1.0 };
        group.throughput(Throughput::Elements(32 * m as u64));
        group.bench_function(BenchmarkId::from_parameter(format!("d={d} m={m}")), |b| {
            b.iter(|| data.denoise(&level, black_box(points.as_slice()), &mut denoised));
        });
    }
    group.finish();
}

criterion_group!(benches, reverse_sde, ideal_denoiser);
criterion_main!(benches);

//! The hot paths of the backward process: the kernel score, random numbers and the samplers.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent::core::random::{Purpose, stream};
use resolvent::core::score::SinglePrecisionScore;
use resolvent::core::step::{Bridge, EulerMaruyama, PosteriorBridge};
use resolvent::core::{
    EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion, Sampler, Score, ScoreAdaptive, Step,
};

fn normal(rows: usize, columns: usize, index: u64) -> DMatrix<f64> {
    let mut rng = stream(1, Purpose::Experiment, index);
    DMatrix::from_fn(rows, columns, |_, _| rng.sample(StandardNormal))
}

/// 32 points against m data in R^d, one thread; elements are pairs. The data lie among the points, where few of them have
/// influence in many dimensions, or close together, where all have.
fn kernel_score(c: &mut Criterion) {
    let mut group = c.benchmark_group("kernel score, one thread");
    let sizes = [(3, 5), (3, 2_000), (8, 2_000), (64, 2_000), (784, 8_000)];
    for ((d, m), spread) in sizes.into_iter().flat_map(|size| [(size, 1.0), (size, 0.02)]) {
        let process = KilledBrownianMotion::new(d, 1.0, 0.1).unwrap();
        let data = EmpiricalMeasure::new(normal(d, m, 0) * spread).unwrap();
        let score = EmpiricalScore::new(&process, data).unwrap();
        let points = normal(d, 32, 1);
        let (mut gains, mut displacements) = (vec![0.0; 32], vec![0.0; 32 * d]);
        group.throughput(Throughput::Elements(32 * m as u64));
        group.bench_function(BenchmarkId::from_parameter(format!("d={d} m={m} spread={spread}")), |b| {
            b.iter(|| score.evaluate(black_box(points.as_slice()), &mut gains, &mut displacements));
        });
    }
    group.finish();
}

/// 64 points against m data in R^784 in single precision, one thread; elements are pairs.
fn single_precision(c: &mut Criterion) {
    let mut group = c.benchmark_group("kernel score in single precision, one thread");
    let (d, m) = (784, 8_000);
    let process = KilledBrownianMotion::new(d, 1.0, 0.1).unwrap();
    for spread in [1.0, 0.02] {
        let data = normal(d, m, 0).map(|x| (spread * x) as f32);
        let score = SinglePrecisionScore::new(&process, data.as_slice()).unwrap();
        let points = normal(d, 64, 1);
        let (mut gains, mut displacements) = (vec![0.0; 64], vec![0.0; 64 * d]);
        group.throughput(Throughput::Elements(64 * m as u64));
        group.bench_function(BenchmarkId::from_parameter(format!("d={d} m={m} spread={spread}")), |b| {
            b.iter(|| score.evaluate(black_box(points.as_slice()), &mut gains, &mut displacements));
        });
    }
    group.finish();
}

/// Standard normal numbers from one stream, and two at a time from each of 512.
fn normals(c: &mut Criterion) {
    let mut group = c.benchmark_group("normal numbers, one thread");
    let mut numbers = vec![0.0; 4_096];
    let mut one = stream(1, Purpose::Experiment, 0);
    group.throughput(Throughput::Elements(4_096));
    group.bench_function("one stream", |b| b.iter(|| one.fill_normals(black_box(&mut numbers))));
    let mut many: Vec<_> = (0..512).map(|i| stream(1, Purpose::Experiment, i)).collect();
    group.throughput(Throughput::Elements(1_024));
    group.bench_function("two from each of 512", |b| {
        b.iter(|| {
            for (stream, numbers) in many.iter_mut().zip(black_box(&mut numbers).chunks_exact_mut(2)) {
                stream.fill_normals(numbers);
            }
        });
    });
    group.finish();
}

/// 1,000 particles from start to death, five data; elements are score evaluations of a particle.
fn sampler(c: &mut Criterion) {
    let mut group = c.benchmark_group("sampler, all threads");
    group.sample_size(10);
    for d in [3, 32, 784] {
        let process = KilledBrownianMotion::new(d, 1.0, 0.05).unwrap();
        let measure = EmpiricalMeasure::new(normal(d, 5, 0)).unwrap();
        let floor = 0.01 * measure.smallest_gap();
        let score = EmpiricalScore::new(&process, measure).unwrap();
        let start = normal(d, 1, 1) * 1.5;
        let starts = DMatrix::from_fn(d, 1_000, |i, _| start[i]);
        let sup = resolvent::core::killing::SupScore::at_distance(&process, d, floor).unwrap();
        let (exact, mean) = (PosteriorBridge::new(&score), Bridge::new(&score));
        let euler = EulerMaruyama::new(&score);
        let steps: [(&str, &dyn Step, f64); 3] =
            [("posterior bridge", &exact, 1.0), ("bridge", &mean, 0.2), ("Euler-Maruyama", &euler, 0.1)];
        for (name, step, eta) in steps {
            let floor = if step.samples_lifetime() { floor } else { 0.0 };
            let control = ScoreAdaptive::new(eta, floor).unwrap();
            let mut sampler = Sampler::new(&process, step, &control);
            if !step.samples_lifetime() {
                sampler = sampler.killing("sup", &sup);
            }
            let evaluations: usize = sampler.run(&starts, 1).unwrap().evaluations.iter().sum();
            group.throughput(Throughput::Elements(evaluations as u64));
            group.bench_function(BenchmarkId::new(name, d), |b| {
                b.iter(|| sampler.run(black_box(&starts), 1).unwrap());
            });
        }
    }
    group.finish();
}

criterion_group!(benches, kernel_score, single_precision, normals, sampler);
criterion_main!(benches);

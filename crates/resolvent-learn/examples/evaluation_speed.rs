//! Times evaluations of networks, without gradients. `benches/peers/evaluation.py` describes the cases and compares with other libraries.
//!
//!     cargo run --release -p resolvent-learn --example evaluation_speed -- --case mlp784 --threads 2 --seconds 5
//!
//! Prints one line of JSON. `--engine burn` times the engine on that framework (with `--features burn`).

mod speed;

use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use resolvent_core::random::{Purpose, stream};
use resolvent_learn::engine::{Batch, Reply};
use resolvent_learn::network::{Architecture, Init, Layout, Network, Parameter};
use serde_json::json;
use speed::{Options, POOL};
use std::error::Error;
use std::time::Instant;

/// Parameters that training starts from, and normal ones where it starts linear maps and kernels from zero.
fn parameters(layout: &Layout) -> Vec<f32> {
    let mut parameters = layout.initial(1);
    let mut rng = stream(2, Purpose::Parameters, 0);
    for entry in layout.entries() {
        if entry.init == Init::Zero && entry.shape.len() > 1 {
            let place = Parameter::new(entry.offset, &entry.shape);
            let scale = ((place.len / place.out) as f32).sqrt().recip();
            let normal = StandardNormal.sample_iter(&mut rng);
            parameters[entry.range()].iter_mut().zip(normal).for_each(|(p, z): (_, f32)| *p = scale * z);
        }
    }
    parameters
}

/// Multiplications and additions of the matrix products for one point; none for images, whose kernels are used more than once.
fn operations(network: &Network) -> Option<usize> {
    let vectors = matches!(network.architecture(), Architecture::Mlp(_));
    let products = network.layout().entries().iter().filter(|entry| entry.shape.len() > 1);
    vectors.then(|| 2 * products.map(|entry| entry.range().len()).sum::<usize>())
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let options = Options::read()?;
    let batch = if options.case == "unet" { 64 } else { 256 };
    let (network, engine) = (&options.network, &options.engine);
    // Small enough that a thread which is held up leaves the others its part.
    let at_a_time = options.shard(batch).min(64);
    let (parameters, dimension) = (parameters(network.layout()), network.sizes().inputs);
    let points = options.points(batch);
    let shard =
        |points: &[f32]| Batch { n: points.len() / dimension, points: points.to_vec(), ..Batch::default() };
    let batches: Vec<Vec<Batch>> = points
        .chunks(batch * dimension)
        .map(|points| points.chunks(at_a_time * dimension).map(shard).collect())
        .collect();
    let evaluate = |shards: &Vec<Batch>| -> Vec<Reply> {
        shards.par_iter().map(|shard| engine.evaluate(network, &parameters, shard)).collect()
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build()?;
    pool.install(|| {
        let run = || batches.iter().map(evaluate).last().expect("there are batches");
        run();
        let mut last = run();
        let (begin, mut calls) = (Instant::now(), 0);
        while begin.elapsed().as_secs_f64() < options.seconds {
            last = run();
            calls += POOL;
        }
        let rate = (calls * batch) as f64 / begin.elapsed().as_secs_f64();
        let field: Vec<f32> = last.into_iter().flat_map(|reply| reply.field).collect();
        let square: f64 = field.iter().map(|x| f64::from(x * x)).sum();
        let line = json!({
            "peer": "resolvent", "version": env!("CARGO_PKG_VERSION"), "case": options.case, "threads": options.threads,
            "batch": batch, "calls": calls, "samples_per_second": rate.round(),
            "gflops": operations(network).map(|work| (1e-8 * rate * work as f64).round() / 10.0),
            "mean_square": square / field.len() as f64,
        });
        println!("{line}");
        Ok(())
    })
}

//! Times training steps: forward, mean squared error, backward, AdamW and moving average. `benches/peers/training.py` describes the cases and
//! compares with other libraries.
//!
//!     cargo run --release -p resolvent-learn --example training_speed -- --case mlp784 --threads 2 --seconds 5
//!
//! Prints one line of JSON. `--engine burn` times the engine on that framework (with `--features burn`).

mod speed;

use resolvent_learn::checkpoint::Subject;
use resolvent_learn::engine::{Batch, Reply};
use resolvent_learn::network::Layout;
use resolvent_learn::train::{Task, Trainer, TrainingSettings};
use serde_json::json;
use speed::{Options, POOL};
use std::error::Error;
use std::ops::Range;
use std::time::Instant;

/// Half of every point is to be found; points follow each other in a pool.
struct Halve {
    options: Options,
    points: Vec<f32>,
}

impl Task for Halve {
    fn layout(&self) -> &Layout {
        self.options.network.layout()
    }

    fn gradient(&self, parameters: &[f32], examples: Range<u64>, gradient: &mut [f32]) -> f64 {
        let Options { network, engine, .. } = &self.options;
        let (dimension, n) = (network.sizes().inputs, (examples.end - examples.start) as usize);
        let start = examples.start as usize * dimension % self.points.len();
        let points = self.points[start..start + n * dimension].to_vec();
        let batch = Batch { n, points, ..Batch::default() };
        let mut sum = 0.0;
        let mut loss = |reply: &Reply, by: &mut Reply| {
            for ((by, field), x) in by.field.iter_mut().zip(&reply.field).zip(&batch.points) {
                let error = field - 0.5 * x;
                *by = 2.0 * error / dimension as f32;
                sum += f64::from(error * error) / dimension as f64;
            }
        };
        engine.gradient(network, parameters, &batch, &mut loss, gradient);
        sum
    }

    fn validate(&self, _: &[f32]) -> Vec<(String, f64)> {
        Vec::new()
    }
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let options = Options::read()?;
    let (name, threads, seconds) = (options.case.clone(), options.threads, options.seconds);
    let batch = if name == "unet" { 64 } else { 512 };
    let settings = TrainingSettings {
        batch,
        shard: options.shard(batch),
        weight_decay: 0.01,
        warmup: 0,
        final_rate: 1.0,
        ..TrainingSettings::default()
    };
    let task = Halve { points: options.points(batch), options };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    pool.install(|| {
        let mut trainer = Trainer::new(&task, Subject::new(json!({"task": "halve"})), settings)?;
        let mut run = |steps: usize| -> Result<f64, &str> {
            let mut loss = 0.0;
            for _ in 0..steps {
                loss = trainer.step().ok_or("the training diverged")?.loss;
            }
            Ok(loss)
        };
        let (first, _) = (run(1)?, run(9)?);
        let (begin, mut steps, mut last) = (Instant::now(), 0, first);
        while begin.elapsed().as_secs_f64() < seconds {
            last = run(POOL)?;
            steps += POOL;
        }
        let rate = (steps * batch) as f64 / begin.elapsed().as_secs_f64();
        let line = json!({
            "peer": "resolvent", "version": env!("CARGO_PKG_VERSION"), "case": name, "threads": threads,
            "batch": batch, "steps": steps, "samples_per_second": rate.round(), "first_loss": first, "last_loss": last,
        });
        println!("{line}");
        Ok(())
    })
}

//! Times training steps: forward, mean squared error, backward, AdamW and moving average. `benches/peers/training.py` describes the cases and
//! compares with other libraries.
//!
//!     cargo run --release -p resolvent-learn --example training_speed -- --case mlp784 --threads 2 --seconds 5
//!
//! Prints one line of JSON. `--engine burn` times the engine on that framework (with `--features burn`).

use rand_distr::{Distribution, StandardNormal};
use resolvent_core::random::{Purpose, stream};
use resolvent_learn::checkpoint::Subject;
use resolvent_learn::engine::{Batch, Engine, Native, Reply};
use resolvent_learn::network::{Architecture, Layout, Network, ResidualMlp, Sizes, UNet};
use resolvent_learn::train::{Task, Trainer, TrainingSettings};
use serde_json::json;
use std::error::Error;
use std::ops::Range;
use std::time::Instant;

/// Batches of points that are gone through in turn.
const POOL: usize = 8;

/// Half of every point is to be found; points follow each other in a pool.
struct Halve {
    network: Network,
    engine: Box<dyn Engine + Send>,
    points: Vec<f32>,
}

impl Task for Halve {
    fn layout(&self) -> &Layout {
        self.network.layout()
    }

    fn gradient(&self, parameters: &[f32], examples: Range<u64>, gradient: &mut [f32]) -> f64 {
        let (dimension, n) = (self.network.sizes().inputs, (examples.end - examples.start) as usize);
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
        self.engine.gradient(&self.network, parameters, &batch, &mut loss, gradient);
        sum
    }

    fn validate(&self, _: &[f32]) -> Vec<(String, f64)> {
        Vec::new()
    }
}

/// The network of a case, its batch and how many of a batch go to a thread at a time: of the MLPs a share for each thread, which
/// keeps the matrices large; of the U-Net as many as stay in cache.
fn case(name: &str, threads: usize) -> Option<(Architecture, usize, usize, usize)> {
    let mlp = |width| Architecture::Mlp(ResidualMlp { width, depth: 2 });
    let unet = UNet { side: 28, folded: true, channels: vec![32, 64], blocks: 2 };
    match name {
        "mlp784" => Some((mlp(512), 784, 512, 512 / threads)),
        "mlp2" => Some((mlp(128), 2, 512, 512 / threads)),
        "unet" => Some((Architecture::UNet(unet), 784, 64, 8)),
        _ => None,
    }
}

fn engine(name: &str) -> Option<Box<dyn Engine + Send>> {
    match name {
        "native" => Some(Box::new(Native)),
        #[cfg(feature = "burn")]
        "burn" => Some(Box::new(resolvent_learn::engine::burn::Burn::flex())),
        _ => None,
    }
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str, default: &str| {
        let given = arguments.chunks_exact(2).find(|pair| pair[0] == name);
        given.map_or_else(|| default.to_owned(), |pair| pair[1].clone())
    };
    let name = option("--case", "mlp784");
    let threads: usize = option("--threads", "1").parse()?;
    if !(1..=512).contains(&threads) {
        return Err("--threads is 1 to 512".into());
    }
    let seconds: f64 = option("--seconds", "5").parse()?;
    let (architecture, dimension, batch, shard) =
        case(&name, threads).ok_or("--case is mlp784, mlp2 or unet")?;
    let engine = engine(&option("--engine", "native")).ok_or("--engine is native or burn")?;

    let sizes = Sizes { inputs: dimension, features: 0, outputs: dimension, heads: 0 };
    let mut rng = stream(1, Purpose::Data, 0);
    let points = StandardNormal.sample_iter(&mut rng).take(POOL * batch * dimension).collect();
    let task = Halve { network: Network::new(architecture, sizes)?, engine, points };
    let settings = TrainingSettings {
        batch,
        shard,
        weight_decay: 0.01,
        warmup: 0,
        final_rate: 1.0,
        ..TrainingSettings::default()
    };
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

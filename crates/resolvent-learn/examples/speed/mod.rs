//! What the timings share: the cases of `benches/peers` and the options.

use rand_distr::{Distribution, StandardNormal};
use resolvent_core::random::{Purpose, stream};
use resolvent_learn::engine::{Engine, Native};
use resolvent_learn::network::{Architecture, Network, ResidualMlp, Sizes, UNet};
use std::error::Error;

/// Batches of points that are gone through in turn.
pub(crate) const POOL: usize = 8;

/// What is timed.
pub(crate) struct Options {
    /// The name of the case.
    pub(crate) case: String,
    pub(crate) network: Network,
    pub(crate) engine: Box<dyn Engine + Send>,
    pub(crate) threads: usize,
    /// For so long.
    pub(crate) seconds: f64,
}

impl Options {
    /// Those of the command line: `--case`, `--threads`, `--seconds` and `--engine`.
    pub(crate) fn read() -> Result<Self, Box<dyn Error + Send + Sync>> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let option = |name: &str, default: &str| {
            let given = arguments.chunks_exact(2).find(|pair| pair[0] == name);
            given.map_or_else(|| default.to_owned(), |pair| pair[1].clone())
        };
        let case = option("--case", "mlp784");
        let threads: usize = option("--threads", "1").parse()?;
        if !(1..=512).contains(&threads) {
            return Err("--threads is 1 to 512".into());
        }
        let (architecture, dimension) = architecture(&case).ok_or("--case is mlp784, mlp2 or unet")?;
        let sizes = Sizes { inputs: dimension, features: 0, outputs: dimension, heads: 0 };
        let network = Network::new(architecture, sizes)?;
        let engine = engine(&option("--engine", "native")).ok_or("--engine is native or burn")?;
        Ok(Self { case, network, engine, threads, seconds: option("--seconds", "5").parse()? })
    }

    /// Batches of points, [`POOL`] x `batch` rows.
    pub(crate) fn points(&self, batch: usize) -> Vec<f32> {
        let mut rng = stream(1, Purpose::Data, 0);
        StandardNormal.sample_iter(&mut rng).take(POOL * batch * self.network.sizes().inputs).collect()
    }

    /// How many of a batch go to a thread at a time: of vectors a share for each thread, which keeps the matrices large; of
    /// images as many as stay in cache.
    pub(crate) fn shard(&self, batch: usize) -> usize {
        match self.network.architecture() {
            Architecture::Mlp(_) => batch.div_ceil(self.threads),
            Architecture::UNet(_) => 8,
        }
    }
}

/// The network of a case and the dimension of its points.
fn architecture(case: &str) -> Option<(Architecture, usize)> {
    let mlp = |width| Architecture::Mlp(ResidualMlp { width, depth: 2 });
    let unet = UNet { side: 28, folded: true, channels: vec![32, 64], blocks: 2 };
    match case {
        "mlp784" => Some((mlp(512), 784)),
        "mlp2" => Some((mlp(128), 2)),
        "unet" => Some((Architecture::UNet(unet), 784)),
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

//! What is trained.

use resolvent::learn::examples::{Proposal, Weighting};
use resolvent::learn::model::{Conditioning, Embedding, ModelSettings, Preconditioning};
use resolvent::learn::network::{Architecture, UNet};
use resolvent::learn::objective::{Objective, Scale};
use resolvent::learn::train::TrainingSettings;
use resolvent::learn::{ExampleSettings, Recipe};

use super::{Settings, Twins};
use crate::experiments::labelled_images::LabelledImages;
use crate::outcome::{Table, cells};

/// Examples to a shard: few enough that their images stay in cache.
const SHARD: usize = 8;

fn recipe(settings: &Settings, conditioning: Conditioning, examples: ExampleSettings, seed: u64) -> Recipe {
    let channels = settings.channels.clone();
    let (objective, rate) = match conditioning {
        Conditioning::Blind => (Objective { scale: Scale::Output, ..Objective::default() }, settings.rate),
        Conditioning::Told => (Objective::default(), ModelSettings::DEFAULT_RATE),
    };
    let unet = UNet { side: 28, folded: true, channels, blocks: settings.blocks };
    Recipe {
        model: ModelSettings {
            architecture: Architecture::UNet(unet),
            conditioning,
            preconditioning: Preconditioning::Eigenbasis,
            embedding: Embedding::SinCos { frequencies: 16 },
            rate,
        },
        directions: 784,
        examples,
        objective,
        validation: 512,
        training: TrainingSettings {
            steps: settings.steps,
            batch: settings.batch,
            shard: SHARD,
            lanes: settings.batch.div_ceil(SHARD).min(8),
            learning_rate: settings.learning_rate,
            betas: [0.9, 0.99],
            clip: Some(1.0),
            validate_every: (settings.steps / 8).max(1),
            checkpoint_every: 0,
            seed,
            ..TrainingSettings::default()
        },
    }
}

fn levels(settings: &Settings) -> Proposal {
    Proposal::LogNormal { mean: settings.level_mean, deviation: settings.level_deviation }
}

/// The spatial score, which knows no time.
pub(super) fn spatial(settings: &Settings, seed: u64) -> Recipe {
    let examples = ExampleSettings::Deaths { proposal: levels(settings), closest: 0.0 };
    recipe(settings, Conditioning::Blind, examples, seed)
}

/// Its twin: the same network with the true level in place of the estimated one.
pub(super) fn told(settings: &Settings, seed: u64) -> Recipe {
    let examples = ExampleSettings::Noised { proposal: levels(settings), weighting: Weighting::Edm };
    recipe(settings, Conditioning::Told, examples, seed)
}

/// What the two models are.
pub(super) fn table(twins: &Twins, images: &LabelledImages) -> Table {
    let caption = format!(
        "The two models, trained on {}: U-Nets around the posterior mean of a Gaussian fit to the data. The spatial one estimates \
         the noise level from the image; its parameters are a head for that level more.",
        images.source
    );
    let mut table = Table::new("models", caption, &["model", "parameters", "steps", "validation loss"]);
    for (name, training) in [("spatial", &twins.spatial), ("time-conditioned", &twins.told)] {
        let saved = &training.saved;
        let loss = saved.validation.get("loss").and_then(serde_json::Value::as_f64);
        table.push(cells![name, saved.parameters.len(), saved.step, loss]);
    }
    table
}

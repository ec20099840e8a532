//! How long and how fast a training runs.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// The settings of a training. Everything but `seconds` and `checkpoint_every` has a part in the result, to the last bit; the
/// number of threads has none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingSettings {
    /// Steps of the optimiser; at least 1.
    pub steps: u64,
    /// Examples in a step; at least 1, at most 2^24.
    pub batch: usize,
    /// Examples whose gradient is taken in one go by one thread; at least 1.
    pub shard: usize,
    /// Shards that are worked on at the same time at most, each with a gradient of its own in memory; at least 1, at most
    /// 1024. More than there are cores gain nothing.
    pub lanes: usize,
    /// The learning rate after the warm-up; positive.
    pub learning_rate: f64,
    /// Steps over which the learning rate grows linearly to its full value.
    pub warmup: u64,
    /// The learning rate in the end, as a fraction of the full one, in \[0, 1\]; it decays to it along a cosine. 1 keeps it
    /// constant.
    pub final_rate: f64,
    /// Decay of the means of the gradient and of its square; in [0, 1).
    pub betas: [f64; 2],
    /// What is added to the root of the mean square; from 1.2e-38 to 1.
    pub epsilon: f64,
    /// Decay of the parameters that are no biases, as a multiple of the learning rate; at least 0.
    pub weight_decay: f64,
    /// The longest gradient, as Euclidean norm over all parameters, of a step: longer ones are shortened to it. Positive;
    /// none leaves all as they are.
    pub clip: Option<f64>,
    /// Decay of the moving average of the parameters, in [0, 1). After t steps it is (1 + t)/(10 + t) where that is less.
    pub average_decay: f64,
    /// Steps between two records of the loss; at least 1.
    pub record_every: u64,
    /// Steps between two validations; 0 for one at the start and one at the end.
    pub validate_every: u64,
    /// Steps between two checkpoints; 0 for one at the end.
    pub checkpoint_every: u64,
    /// Seconds after which a run ends early, resumable; a resumed run has as many again. Positive.
    pub seconds: Option<f64>,
    /// The seed of the initial parameters; in a [`Recipe`](crate::Recipe) of all draws as well.
    pub seed: u64,
}

impl Default for TrainingSettings {
    fn default() -> Self {
        Self {
            steps: 10_000,
            batch: 256,
            shard: 64,
            lanes: 8,
            learning_rate: 1e-3,
            warmup: 200,
            final_rate: 0.01,
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            weight_decay: 0.0,
            clip: None,
            average_decay: 0.999,
            record_every: 10,
            validate_every: 500,
            checkpoint_every: 1000,
            seconds: None,
            seed: 0,
        }
    }
}

impl TrainingSettings {
    /// Whether training can go by these settings.
    ///
    /// # Errors
    /// Names the first field that lies outside its range.
    pub fn validate(&self) -> Result<()> {
        let counts = [
            ("steps", self.steps as usize),
            ("batch", self.batch),
            ("shard", self.shard),
            ("lanes", self.lanes),
            ("record_every", self.record_every as usize),
        ];
        for (name, value) in counts {
            if value == 0 {
                return Err(Error::TooSmall { name, least: 1, value });
            }
        }
        for (name, most, value) in [("batch", 1 << 24, self.batch), ("lanes", 1 << 10, self.lanes)] {
            if value > most {
                return Err(Error::TooLarge { name, most, value });
            }
        }
        if self.steps.checked_mul(self.batch as u64).is_none() {
            let what =
                format!("steps = {} of batch = {} examples are more than 2^64", self.steps, self.batch);
            return Err(Error::Settings { what });
        }
        positive("learning_rate", self.learning_rate)?;
        // It is added in single precision, where nothing would be left of a smaller one.
        let least = f64::from(f32::MIN_POSITIVE);
        number("epsilon", "in [1.2e-38, 1]", self.epsilon, (least..=1.0).contains(&self.epsilon))?;
        number("final_rate", "in [0, 1]", self.final_rate, (0.0..=1.0).contains(&self.final_rate))?;
        for (name, decay) in
            [("betas", self.betas[0]), ("betas", self.betas[1]), ("average_decay", self.average_decay)]
        {
            number(name, "in [0, 1)", decay, (0.0..1.0).contains(&decay))?;
        }
        let decay = self.weight_decay;
        number("weight_decay", "at least 0 and finite", decay, decay >= 0.0 && decay.is_finite())?;
        self.clip.map_or(Ok(()), |clip| positive("clip", clip))?;
        self.seconds.map_or(Ok(()), |seconds| positive("seconds", seconds))
    }

    /// The learning rate of the step that follows `step` steps.
    pub fn rate(&self, step: u64) -> f64 {
        if step < self.warmup {
            return self.learning_rate * (step + 1) as f64 / self.warmup as f64;
        }
        let done = (step - self.warmup) as f64 / self.steps.saturating_sub(self.warmup).max(1) as f64;
        let cosine = 0.5 * (1.0 + (std::f64::consts::PI * done.min(1.0)).cos());
        self.learning_rate * (self.final_rate + (1.0 - self.final_rate) * cosine)
    }

    /// The decay of the moving average in the step that follows `step` steps.
    pub(super) fn average_decay_at(&self, step: u64) -> f64 {
        let t = step as f64;
        self.average_decay.min((1.0 + t) / (10.0 + t))
    }
}

fn number(name: &'static str, allowed: &'static str, value: f64, holds: bool) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::Number { name, allowed, value }) }
}

fn positive(name: &'static str, value: f64) -> Result<()> {
    number(name, "positive and finite", value, value > 0.0 && value.is_finite())
}

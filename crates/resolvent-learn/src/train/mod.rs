//! Training: any task whose gradient can be asked for, shard by shard.

mod adamw;
mod files;
mod gradient;
mod observer;
mod record;
mod settings;
mod state;
mod task;
mod trainer;

pub use files::Files;
pub use observer::Observer;
pub use record::{Record, RecordFile, read_records};
pub use settings::TrainingSettings;
pub use state::State;
pub use task::Task;
pub use trainer::{Outcome, Progress, Trainer};

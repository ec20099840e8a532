//! Learned scores: networks, losses, training and checkpoints.

pub mod checkpoint;
pub mod engine;
mod error;
pub mod examples;
pub mod import;
pub mod model;
pub mod network;
pub mod objective;
mod recipe;
pub mod score;
pub mod train;

pub use error::{Error, Result};
pub use recipe::{ExampleSettings, Recipe, Trained, Training};

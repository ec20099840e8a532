//! A saved model as what it stands for.

use super::{BlindDenoiser, LearnedDenoiser, LearnedScore};
use crate::error::{Error, Result};
use crate::model::SavedModel;

impl SavedModel {
    /// The spatial score of a blind model.
    ///
    /// # Errors
    /// If the model is told the noise level.
    pub fn score(&self) -> Result<LearnedScore> {
        LearnedScore::new(self.model.clone(), self.parameters.clone())
    }

    /// The denoiser of a told model.
    ///
    /// # Errors
    /// If the model is blind.
    pub fn denoiser(&self) -> Result<LearnedDenoiser> {
        LearnedDenoiser::new(self.model.clone(), self.parameters.clone())
    }

    /// The denoiser of a blind model, which ignores the level.
    ///
    /// # Errors
    /// If the model is told the noise level.
    pub fn blind_denoiser(&self) -> Result<BlindDenoiser> {
        BlindDenoiser::new(self.model.clone(), self.parameters.clone())
    }

    /// Whether the points called `name`, of dimension `found`, have that of the data it was trained on.
    ///
    /// # Errors
    /// If they have another one.
    pub fn check_dimension(&self, name: &'static str, found: usize) -> Result<()> {
        let expected = self.model.dim();
        if found == expected { Ok(()) } else { Err(Error::Dimension { name, expected, found }) }
    }
}

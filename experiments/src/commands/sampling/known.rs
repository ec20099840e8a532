//! What is known of the law that particles are carried to: data, a model that was trained on them, or both.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, ensure};
use nalgebra::{DMatrix, DVector};
use resolvent::core::Denoiser;
use resolvent::learn::model::{Conditioning, GaussianFit, SavedModel};
use resolvent::learn::network::Architecture;
use resolvent::learn::score::LearnedScore;

use super::data::Data;

/// The data, or the model in their place; at least one of them is there.
pub(super) struct Known {
    data: Option<Data>,
    learned: Option<Learned>,
}

/// A trained model and where it came from.
struct Learned {
    file: String,
    model: SavedModel,
    clip: Option<(f64, f64)>,
}

impl Known {
    pub(super) fn read(
        data: Option<&Path>,
        weights: Option<&Path>,
        score: Option<&Path>,
        clip: Option<(f64, f64)>,
    ) -> Result<Self> {
        ensure!(data.is_some() || score.is_some(), "--data FILE or --score FILE: one of them must be given");
        let learned = score.map(|path| -> Result<Learned> {
            let model = SavedModel::read(path).context("--score")?;
            Ok(Learned { file: path.display().to_string(), model, clip })
        });
        let known = Self {
            data: data.map(|path| Data::read(path, weights)).transpose()?,
            learned: learned.transpose()?,
        };
        if let (Some(data), Some(learned)) = (&known.data, &known.learned) {
            let (found, expected) = (data.measure.dim(), learned.model.model.dim());
            ensure!(
                found == expected,
                "--score {}: is for points of dimension {expected}, but those of --data have {found}",
                learned.file
            );
        }
        Ok(known)
    }

    pub(super) fn dim(&self) -> usize {
        match (&self.data, &self.learned) {
            (Some(data), _) => data.measure.dim(),
            (None, Some(learned)) => learned.model.model.dim(),
            (None, None) => unreachable!("one of them is there"),
        }
    }

    /// The data, which `flag` asks for.
    pub(super) fn data(&self, flag: &str) -> Result<&Data> {
        self.data
            .as_ref()
            .ok_or_else(|| anyhow!("{flag} needs --data: the model of --score does not keep the data"))
    }

    pub(super) fn data_if_any(&self) -> Option<&Data> {
        self.data.as_ref()
    }

    /// The fit that comes with the model, which `flag` asks for.
    pub(super) fn fit(&self, flag: &str) -> Result<&GaussianFit> {
        let learned = self.learned.as_ref();
        Ok(learned
            .ok_or_else(|| anyhow!("{flag} needs --score, which comes with a Gaussian fit to its data"))?
            .model
            .model
            .fit())
    }

    /// The mean of the data, or that of the fit.
    pub(super) fn mean(&self) -> DVector<f64> {
        match (&self.data, &self.learned) {
            (Some(data), _) => data.mean(),
            (None, Some(learned)) => learned.model.model.fit().mean(),
            (None, None) => unreachable!("one of them is there"),
        }
    }

    /// The datum nearest to each column of `points`, where there are data.
    pub(super) fn nearest(&self, points: &DMatrix<f64>) -> Result<Option<Vec<i64>>> {
        self.data.as_ref().map(|data| data.nearest(points)).transpose()
    }

    /// The spatial score, if there is a model.
    pub(super) fn score(&self) -> Result<Option<LearnedScore>> {
        let score = |learned: &Learned| -> Result<LearnedScore> {
            let score = learned.model.score().with_context(|| format!("--score {}", learned.file))?;
            Ok(match learned.clip {
                Some((low, high)) => score.clip(low, high)?,
                None => score,
            })
        };
        self.learned.as_ref().map(score).transpose()
    }

    /// The denoiser: the model's, or the exact one of the data.
    pub(super) fn denoiser(&self) -> Result<Box<dyn Denoiser + '_>> {
        match (&self.learned, &self.data) {
            (Some(learned), _) => {
                let denoiser =
                    learned.model.denoiser().with_context(|| format!("--score {}", learned.file))?;
                Ok(match learned.clip {
                    Some((low, high)) => Box::new(denoiser.clip(low, high)?),
                    None => Box::new(denoiser),
                })
            }
            (None, Some(data)) => Ok(Box::new(&data.measure)),
            (None, None) => unreachable!("one of them is there"),
        }
    }

    /// Where the score comes from, for the reader.
    pub(super) fn words(&self) -> Option<(&'static str, String)> {
        let Learned { file, model, .. } = self.learned.as_ref()?;
        let network = match model.model.settings().architecture {
            Architecture::Mlp(_) => "MLP",
            Architecture::UNet(_) => "U-Net",
        };
        let kind = match model.model.settings().conditioning {
            Conditioning::Blind => "blind",
            Conditioning::Told => "told the noise level",
        };
        let (parameters, steps) = (model.parameters.len(), model.step);
        Some(("score", format!("{file}: {network}, {kind}, {parameters} parameters after {steps} steps")))
    }
}

//! The checkpoints that come with the command, made by `resolvent train` with the recipes of the same names.

use anyhow::Result;
use resolvent::learn::model::SavedModel;

/// The spatial score of the glyphs.
pub(crate) fn glyphs_spatial() -> Result<SavedModel> {
    let bytes = include_bytes!("../../checkpoints/glyphs-spatial.safetensors");
    Ok(SavedModel::from_bytes("checkpoints/glyphs-spatial.safetensors", bytes)?)
}

/// Its twin, told the noise level.
pub(crate) fn glyphs_told() -> Result<SavedModel> {
    let bytes = include_bytes!("../../checkpoints/glyphs-told.safetensors");
    Ok(SavedModel::from_bytes("checkpoints/glyphs-told.safetensors", bytes)?)
}

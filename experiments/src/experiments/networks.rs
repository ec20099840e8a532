//! The networks of the image studies: a spatial score that is told nothing, its twin that is told the noise level, and one that
//! has seen masked images.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use resolvent::learn::Recipe;
use resolvent::learn::model::SavedModel;
use toml::Table;

use super::labelled_images::LabelledImages;
use super::memo::Memo;
use super::training::train;
use crate::experiment::Context;
use crate::shipped;

/// A pair of trained networks on images of one size.
pub(super) struct Networks {
    pub(super) spatial: SavedModel,
    pub(super) told: SavedModel,
    /// Where they come from, for the reader.
    pub(super) source: &'static str,
}

static LOADED: Memo<Networks> = Memo::new();

impl Networks {
    /// `spatial.safetensors` and `told.safetensors` of `folder`, as `resolvent train` writes them. Where the name is empty, those
    /// that come with the command, which know the built-in glyphs; on images of `--data` the pair is trained by the recipes
    /// for MNIST, in `steps` steps each or, if that is 0, in those of the recipes.
    pub(super) fn load(
        folder: &str,
        steps: u64,
        images: &LabelledImages,
        context: &Context,
    ) -> Result<Arc<Self>> {
        let Context { seed, data } = context;
        let (n, held_out) = (images.data.ncols(), images.held_out.ncols());
        LOADED.get(&format!("{folder} {steps} {seed} {data:?} {n} {held_out}"), || {
            let networks = if !folder.is_empty() {
                let read = |name: &str| {
                    SavedModel::read(Path::new(folder).join(name))
                        .with_context(|| format!("setting `networks` = `{folder}`"))
                };
                let (spatial, told) = (read("spatial.safetensors")?, read("told.safetensors")?);
                Self { spatial, told, source: "given files" }
            } else if data.is_none() {
                let source = "those that come with the command, of one architecture and trained alike";
                Self { spatial: shipped::glyphs_spatial()?, told: shipped::glyphs_told()?, source }
            } else {
                let spatial = include_str!("../../../recipes/mnist-spatial.toml");
                let told = include_str!("../../../recipes/mnist-told.toml");
                let spatial = trained("spatial score", spatial, steps, images, context)?;
                let told = trained("time-conditioned", told, steps, images, context)?;
                Self { spatial, told, source: "trained in this run by the recipes for MNIST, of one architecture and in as many steps" }
            };
            let expected = images.data.nrows();
            for (name, saved) in [("spatial", &networks.spatial), ("told", &networks.told)] {
                let found = saved.model.dim();
                ensure!(
                    found == expected,
                    "the {name} network is for {found} pixels, the images have {expected}"
                );
            }
            Ok(networks)
        })
    }
}

static MASKED: Memo<SavedModel> = Memo::new();

/// A spatial score that has seen masked images beside noisy ones, trained in `steps` steps or, if that is 0, in those of its
/// recipe.
pub(super) fn masked(steps: u64, images: &LabelledImages, context: &Context) -> Result<Arc<SavedModel>> {
    let (n, held_out) = (images.data.ncols(), images.held_out.ncols());
    MASKED.get(&format!("{steps} {} {:?} {n} {held_out}", context.seed, context.data), || {
        let recipe = include_str!("../../../recipes/glyphs-masked.toml");
        trained("score of masked images", recipe, steps, images, context)
    })
}

fn trained(
    name: &str,
    recipe: &str,
    steps: u64,
    images: &LabelledImages,
    context: &Context,
) -> Result<SavedModel> {
    let mut recipe = parsed(recipe)?;
    recipe.training.seed = context.seed;
    if steps > 0 {
        recipe.training.steps = steps;
    }
    Ok(train(context, name, &recipe, &images.data, &images.held_out)?.saved)
}

/// A recipe without the table of the data, which are at hand.
fn parsed(text: &str) -> Result<Recipe> {
    let mut table: Table = toml::from_str(text)?;
    table.remove("data");
    Ok(table.try_into()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recipes_are_read() {
        let spatial = parsed(include_str!("../../../recipes/mnist-spatial.toml")).unwrap();
        let told = parsed(include_str!("../../../recipes/mnist-told.toml")).unwrap();
        let masked = parsed(include_str!("../../../recipes/glyphs-masked.toml")).unwrap();
        for other in [told, masked] {
            assert_eq!(spatial.model.architecture, other.model.architecture);
        }
    }
}

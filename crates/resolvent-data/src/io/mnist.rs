//! A folder with a pair of MNIST-style files.

use super::{read_idx_images, read_idx_labels};
use crate::error::{Error, Result};
use nalgebra::DMatrix;
use std::path::Path;

const IMAGES: &str = "images-idx3-ubyte";
const LABELS: &str = "labels-idx1-ubyte";

/// Reads `*images-idx3-ubyte[.gz]` of a folder and the labels beside it (`*labels-idx1-ubyte[.gz]`): images with values in
/// [-1, 1], one per column (784 x n for MNIST), and n labels. Where there are several pairs, the test set `t10k` is preferred,
/// then the first by name.
///
/// # Errors
/// [`Error::NoDataset`] names the folder and the file looked for; damaged files as in [`read_idx_images`]; as many labels as
/// images are required.
pub fn load_mnist_folder(folder: impl AsRef<Path>) -> Result<(DMatrix<f64>, Vec<u8>)> {
    let folder = folder.as_ref();
    let entries = std::fs::read_dir(folder).map_err(|reason| Error::io(folder, reason))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.strip_suffix(".gz").unwrap_or(name).ends_with(IMAGES))
        .collect();
    names.sort_by_key(|name| (!name.starts_with("t10k"), name.clone()));
    let missing = |name: String| Error::NoDataset { folder: folder.to_owned(), looked_for: name };
    let name = names.first().ok_or_else(|| missing(format!("*{IMAGES} or *{IMAGES}.gz")))?;

    let plain = name.strip_suffix(".gz").unwrap_or(name).replace(IMAGES, LABELS);
    let candidates = [folder.join(&plain), folder.join(format!("{plain}.gz"))];
    let labels_path = candidates
        .iter()
        .find(|path| path.exists())
        .ok_or_else(|| missing(format!("{plain} or {plain}.gz")))?;

    let images = read_idx_images(folder.join(name))?;
    let labels = read_idx_labels(labels_path)?;
    if labels.len() != images.count {
        return Err(Error::format(
            labels_path,
            "number of labels",
            labels.len(),
            format_args!("{}, one for each image of {name}", images.count),
        ));
    }
    Ok((images.to_points(), labels))
}

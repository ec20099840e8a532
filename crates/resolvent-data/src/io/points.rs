//! Points from a file of any known format.

use super::{Npz, read_csv, read_idx_images, read_npy};
use crate::error::{Error, Result};
use nalgebra::DMatrix;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Names under which an npz file may hold its points, the first one present is taken.
const NAMES: [&str; 3] = ["samples", "data", "points"];

/// Reads points, one per column (d x n), from an npy file `[n, d]`, an npz file (its array "samples", "data" or "points", or
/// the only one), a CSV file (one point per row) or an IDX file of images (scaled to [-1, 1]; plain or gzip-compressed).
/// The extensions npy, npz and csv decide; otherwise the first bytes of the file do.
pub fn read_points(path: impl AsRef<Path>) -> Result<DMatrix<f64>> {
    let path = path.as_ref();
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    let mut start = [0; 4];
    let file = File::open(path).map_err(|reason| Error::io(path, reason))?;
    let length = file.take(4).read(&mut start).map_err(|reason| Error::io(path, reason))?;
    match (extension.as_str(), &start[..length]) {
        ("npy", _) => read_npy(path)?.into_points(),
        ("npz", _) => read_npz_points(path),
        ("csv", _) => read_csv(path).map(super::Table::into_points),
        (_, b"\x93NUM") => read_npy(path)?.into_points(),
        (_, [b'P', b'K', ..]) => read_npz_points(path),
        (_, [0x1f, 0x8b, ..] | [0, 0, 8, _]) => read_idx_images(path).map(|images| images.to_points()),
        _ => read_csv(path).map(super::Table::into_points),
    }
}

fn read_npz_points(path: &Path) -> Result<DMatrix<f64>> {
    let mut npz = Npz::open(path)?;
    let named = NAMES.iter().find(|name| npz.names().iter().any(|n| n == *name)).map(|&name| name.to_owned());
    let name = match (named, npz.names()) {
        (Some(name), _) => name,
        (None, [only]) => only.clone(),
        (None, present) => {
            let present = present.to_vec();
            return Err(Error::Missing {
                path: path.to_owned(),
                kind: "array",
                name: NAMES.join(" or "),
                present,
            });
        }
    };
    npz.array(&name)?.into_points()
}

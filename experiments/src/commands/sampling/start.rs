//! Where the backward process starts.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, Result, anyhow, ensure};
use nalgebra::DMatrix;
use resolvent::data::io::read_points;

/// `--start`
#[derive(Clone, Debug)]
pub(crate) enum Start {
    /// The normal law that takes the place of the start law and does not know the data.
    Prior,
    /// The exact start law: data drawn by their weights and run forward, to the horizon or until they are killed.
    Law,
    /// The same from draws of the Gaussian fit that comes with a trained model.
    Fit,
    /// Points of a file.
    File(PathBuf),
}

impl FromStr for Start {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "prior" => Self::Prior,
            "law" => Self::Law,
            "fit" => Self::Fit,
            _ => Self::File(text.into()),
        })
    }
}

/// Points (d x m) that must have the dimension of the data; `option` is what errors name.
pub(super) fn read(option: &str, path: &Path, dim: usize) -> Result<DMatrix<f64>> {
    let points = read_points(path).with_context(|| option.to_owned())?;
    let (d, m) = points.shape();
    let name = path.display();
    ensure!(d == dim, "{option} {name}: {m} points of dimension {d}, expected the {dim} of the data");
    Ok(points)
}

/// Every column of `points` (d x m) `n` times in succession, d x mn.
pub(super) fn repeat(points: &DMatrix<f64>, n: NonZeroUsize) -> Result<DMatrix<f64>> {
    let (d, m) = points.shape();
    let mut values = room(n, m, d)?;
    for x in points.column_iter() {
        for _ in 0..n.get() {
            values.extend_from_slice(x.as_slice());
        }
    }
    Ok(DMatrix::from_vec(d, m * n.get(), values))
}

/// Whether `n` particles from each of `m` starts fit in memory.
pub(super) fn fits(n: NonZeroUsize, m: usize, d: usize) -> Result<()> {
    room(n, m, d).map(drop)
}

/// Room for `n` particles from each of `m` starts; a number beyond memory is an error rather than an abort.
fn room(n: NonZeroUsize, m: usize, d: usize) -> Result<Vec<f64>> {
    let too_many = || anyhow!("--n {n}: {m} x {n} particles of dimension {d} do not fit in memory");
    let values =
        n.get().checked_mul(m).and_then(|particles| particles.checked_mul(d)).ok_or_else(too_many)?;
    let mut room = Vec::new();
    room.try_reserve_exact(values).map_err(|_| too_many())?;
    Ok(room)
}

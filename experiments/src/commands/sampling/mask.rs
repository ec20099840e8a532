//! `--mask` and `--fill`: unknown coordinates of the inputs.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, Result, bail, ensure};
use nalgebra::{DMatrix, DVector};
use resolvent::data::io::read_points;

/// Which coordinates are known, and what stands for the others.
#[derive(Debug, clap::Args)]
pub(crate) struct Mask {
    /// Known coordinates: an array of 1 (known) and 0 (unknown) for one input, used for all, or for each of them
    #[arg(long = "mask", value_name = "FILE")]
    file: Option<PathBuf>,
    /// What unknown coordinates start from: the mean of the data or a number [default: mean]
    #[arg(long, value_name = "mean|VALUE", requires = "file", allow_negative_numbers = true)]
    fill: Option<Fill>,
}

/// `--fill`
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fill {
    /// The weighted mean of the data.
    Mean,
    /// A constant.
    Value(f64),
}

impl FromStr for Fill {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "mean" {
            return Ok(Self::Mean);
        }
        let number = text.parse::<f64>().ok().filter(|x| x.is_finite());
        number.map(Self::Value).ok_or_else(|| "neither `mean` nor a finite number".into())
    }
}

impl Mask {
    pub(super) fn is_given(&self) -> bool {
        self.file.is_some()
    }

    /// Fills the unknown coordinates of `inputs` (d x m); `mean` (d) is that of the data.
    pub(super) fn fill(&self, inputs: &mut DMatrix<f64>, mean: impl Fn() -> DVector<f64>) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let (d, m) = inputs.shape();
        let mask = read(file, d, m)?;
        let fill = match self.fill.unwrap_or(Fill::Mean) {
            Fill::Mean => mean(),
            Fill::Value(value) => DVector::from_element(d, value),
        };
        for (i, mut x) in inputs.column_iter_mut().enumerate() {
            let known = if mask.len() == d { &mask[..] } else { &mask[i * d..(i + 1) * d] };
            for ((x, known), fill) in x.iter_mut().zip(known).zip(&fill) {
                if *known == 0.0 {
                    *x = *fill;
                }
            }
        }
        Ok(())
    }
}

/// The entries of the mask in C order: d for all inputs, or m x d.
fn read(file: &Path, d: usize, m: usize) -> Result<Vec<f64>> {
    let mask = read_points(file).context("--mask")?;
    let name = file.display();
    let (columns, rows) = mask.shape();
    ensure!(
        mask.len() == d || (columns, rows) == (d, m),
        "--mask {name}: has shape [{rows}, {columns}], expected {d} entries or the shape [{m}, {d}] of the input"
    );
    if let Some(i) = mask.iter().position(|&x| x != 0.0 && x != 1.0) {
        let (row, column) = (i / columns, i % columns);
        bail!("--mask {name}: row {row}, column {column} is {}, expected 0 or 1", mask.as_slice()[i]);
    }
    Ok(mask.as_slice().to_vec())
}

//! Gaussian bumps.

use nalgebra::DMatrix;

use super::Features;
use crate::error::{Error, Result, finite, positive};
use crate::killed::distance_squared;

/// Gaussian bumps e^{-|x - c|²/(2h²)} around given centres c with one bandwidth h.
///
/// Far from all centres every bump vanishes and the log-odds tend to a constant that no sample has fixed: the centres
/// should cover the wider of the two laws.
#[derive(Debug, Clone, PartialEq)]
pub struct RadialBasis {
    centres: DMatrix<f64>,
    bandwidth: f64,
}

impl RadialBasis {
    /// One bump around each column of `centres` (d x m), with `bandwidth` > 0 (length).
    ///
    /// # Errors
    /// If `centres` is empty or not finite, or `bandwidth` is not positive and finite.
    pub fn new(centres: DMatrix<f64>, bandwidth: f64) -> Result<Self> {
        if centres.is_empty() {
            return Err(Error::Empty { name: "centres" });
        }
        finite("centres", &centres)?;
        Ok(Self { centres, bandwidth: positive("bandwidth", bandwidth)? })
    }
}

impl Features for RadialBasis {
    fn dim(&self) -> usize {
        self.centres.nrows()
    }

    fn count(&self) -> usize {
        self.centres.ncols()
    }

    fn evaluate(&self, x: &[f64], out: &mut [f64]) {
        let centres = self.centres.as_slice().chunks_exact(x.len());
        for (out, centre) in out.iter_mut().zip(centres) {
            *out = f64::exp(-0.5 * distance_squared(x, centre) / (self.bandwidth * self.bandwidth));
        }
    }
}

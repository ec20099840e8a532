//! The end law against the data law.

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::data::Atoms;
use resolvent::metrics::{
    chi_square_test, expected_ks, expected_total_variation, ks_critical, ks_one_sample, nearest_index,
    total_variation, total_variation_critical,
};

use super::poisson;

/// Cells of equal probability for the chi-square test.
const CELLS: usize = 16;

/// What is looked at to tell the end law from the data law.
#[derive(Clone, Copy)]
pub(in crate::experiments) enum EndLaw {
    /// The angle, against the wrapped Cauchy law: Kolmogorov-Smirnov.
    Angle { concentration: f64 },
    /// The height of the projection to the sphere: Kolmogorov-Smirnov.
    Height { concentration: f64 },
    /// The nearest atom: total variation.
    Nearest,
}

/// The distance between end law and data law.
#[derive(Clone, Copy)]
pub(in crate::experiments) struct EndError {
    pub(in crate::experiments) value: f64,
    /// Its mean for an exact sampler.
    pub(in crate::experiments) floor: f64,
    /// What an exact sampler exceeds with probability 1e-3 at most.
    pub(in crate::experiments) critical: f64,
}

impl EndLaw {
    pub(in crate::experiments) fn measure(self) -> &'static str {
        match self {
            Self::Angle { .. } => "KS of the angle",
            Self::Height { .. } => "KS of the height",
            Self::Nearest => "total variation",
        }
    }

    /// The distance of the law of `points` (d x n), projected to the support, from `law`.
    pub(in crate::experiments) fn error(
        self,
        law: &Atoms,
        points: &DMatrix<f64>,
        alpha: f64,
    ) -> Result<EndError> {
        let n = points.ncols();
        if let Self::Nearest = self {
            let counts = self.counts(law, points)?;
            return Ok(EndError {
                value: total_variation(&counts, law.weights())?.value,
                floor: expected_total_variation(law.weights(), n as u64)?,
                critical: total_variation_critical(law.weights(), n as u64, alpha)?,
            });
        }
        let levels: Vec<f64> = points.column_iter().map(|x| self.level(x.as_slice())).collect();
        Ok(EndError {
            value: ks_one_sample(&levels, |u| u)?.statistic,
            floor: expected_ks(n)?,
            critical: ks_critical(n, alpha)?,
        })
    }

    /// The probability of so bad a fit as that of `points` to `law` on cells, where points are draws from `law`.
    pub(in crate::experiments) fn p_value(self, law: &Atoms, points: &DMatrix<f64>) -> Result<f64> {
        Ok(chi_square_test(&self.counts(law, points)?, &self.probabilities(law))?.p_value)
    }

    /// What `law` gives each of the cells.
    pub(in crate::experiments) fn probabilities(self, law: &Atoms) -> Vec<f64> {
        if let Self::Nearest = self {
            return law.weights().to_vec();
        }
        let mut probabilities = vec![0.0; CELLS];
        for (atom, weight) in law.points().column_iter().zip(law.weights()) {
            probabilities[self.cell(atom.as_slice())] += weight;
        }
        probabilities
    }

    /// How many of `points` (d x n) lie in each cell: nearest to each atom, or where angle or height are as likely as elsewhere.
    pub(in crate::experiments) fn counts(self, law: &Atoms, points: &DMatrix<f64>) -> Result<Vec<u64>> {
        let (cells, count) = match self {
            Self::Nearest => (nearest_index(points, law.points())?, law.points().ncols()),
            _ => (points.column_iter().map(|x| self.cell(x.as_slice())).collect(), CELLS),
        };
        Ok(resolvent::metrics::counts(&cells, count)?)
    }

    fn cell(self, x: &[f64]) -> usize {
        ((CELLS as f64 * self.level(x)) as usize).min(CELLS - 1)
    }

    /// The distribution function of the data law at `x`, which makes angle or height uniform on [0, 1].
    fn level(self, x: &[f64]) -> f64 {
        match self {
            Self::Angle { concentration } => poisson::angle_cdf(concentration, x[1].atan2(x[0])),
            Self::Height { concentration } => {
                poisson::height_cdf(concentration, x[2] / x[0].hypot(x[1]).hypot(x[2]))
            }
            Self::Nearest => unreachable!("atoms are compared by their masses"),
        }
    }
}

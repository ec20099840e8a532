//! The occupation density and the expected lifetime at many points.

use nalgebra::DMatrix;

use super::distances::for_each_point;
use crate::error::{Result, dimension};
use crate::killed::{GreenKernel, KilledBrownianMotion, SmoothedGreenKernel};
use crate::measure::EmpiricalMeasure;

/// Data whose kernels add up to less than e^-40 of the total are passed over.
const NEGLIGIBLE: f64 = 40.0;

/// u of weighted data under killed Brownian motion, the data as they are or smoothed by a Gaussian law.
#[derive(Debug, Clone)]
pub struct Occupation {
    kernel: Radial,
    measure: EmpiricalMeasure,
    /// A log-kernel that far below the nearest datum's has no influence.
    drop: f64,
}

/// What u says at one point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// log u(x), in nats; -log u is a score of anomaly.
    pub log_density: f64,
    /// E[ζ | x] = -∂/∂r log u(x) (time; R4b): how long the way back to the data takes on average. It grows with the
    /// distance from them, and is a score of anomaly too.
    pub expected_lifetime: f64,
}

/// The Green kernel of bare or smoothed data, as a function of the squared distance.
#[derive(Debug, Clone)]
enum Radial {
    Bare(GreenKernel),
    Smoothed(SmoothedGreenKernel),
}

impl Radial {
    fn log_value(&self, squared: f64) -> f64 {
        match self {
            Self::Bare(green) => green.log_value(squared.sqrt()),
            Self::Smoothed(kernel) => kernel.log_value_and_gain_squared(squared).0,
        }
    }

    fn expected_lifetime(&self, squared: f64) -> f64 {
        match self {
            Self::Bare(green) => green.lifetime(squared.sqrt()).mean(),
            Self::Smoothed(kernel) => kernel.expected_lifetime_squared(squared),
        }
    }

    fn beyond(&self, squared: f64, drop: f64) -> f64 {
        match self {
            Self::Bare(green) => green.beyond(squared, drop),
            Self::Smoothed(kernel) => kernel.beyond_squared(squared, drop),
        }
    }
}

impl Occupation {
    /// Of the data as they are.
    ///
    /// # Errors
    /// If the dimensions differ.
    pub fn new(process: &KilledBrownianMotion, measure: EmpiricalMeasure) -> Result<Self> {
        dimension("data", process.dim(), measure.dim())?;
        Ok(Self::with(Radial::Bare(process.green().clone()), measure))
    }

    /// Of the data smoothed by N(0, h² I), h = `bandwidth` (length).
    ///
    /// # Errors
    /// If the dimensions differ, or the bandwidth is out of the range of [`SmoothedGreenKernel::new`].
    pub fn smoothed(
        process: &KilledBrownianMotion,
        measure: EmpiricalMeasure,
        bandwidth: f64,
    ) -> Result<Self> {
        dimension("data", process.dim(), measure.dim())?;
        Ok(Self::with(Radial::Smoothed(SmoothedGreenKernel::new(process, bandwidth)?), measure))
    }

    fn with(kernel: Radial, measure: EmpiricalMeasure) -> Self {
        let drop = NEGLIGIBLE + (measure.len() as f64).ln() + measure.log_spread();
        Self { kernel, measure, drop }
    }

    /// The data.
    pub fn measure(&self) -> &EmpiricalMeasure {
        &self.measure
    }

    /// log u and the expected lifetime at the columns of `points` (d x n), on all cores: n readings.
    ///
    /// # Errors
    /// If `points` has not d rows or is not finite.
    pub fn readings(&self, points: &DMatrix<f64>) -> Result<Vec<Reading>> {
        for_each_point(&self.measure, points, |squared| self.reading_at(squared))
    }

    /// The reading at a point whose squared distances to the data are `squared` (m; see
    /// [`squared_distances`](super::squared_distances)). An infinite distance leaves that datum out.
    ///
    /// # Panics
    /// If `squared` has not length m.
    pub fn reading_at(&self, squared: &[f64]) -> Reading {
        assert_eq!(squared.len(), self.measure.len(), "squared distances");
        let cutoff = self.cutoff(squared.iter().copied());
        let mut sum = LogSum::EMPTY;
        let mut time = 0.0;
        for (&squared, log_weight) in squared.iter().zip(self.measure.log_weights()) {
            if squared <= cutoff {
                let (weight, shrink) = sum.add(self.kernel.log_value(squared) + log_weight);
                time = time * shrink + weight * self.kernel.expected_lifetime(squared);
            }
        }
        Reading { log_density: sum.log(), expected_lifetime: time / sum.mass }
    }

    /// The squared distance beyond which data have no influence; negative if none is near.
    pub(super) fn cutoff(&self, squared: impl Iterator<Item = f64>) -> f64 {
        let nearest = squared.fold(f64::INFINITY, f64::min);
        if nearest.is_finite() { self.kernel.beyond(nearest, self.drop) } else { -1.0 }
    }

    /// log(α_i k(ρ)) for datum `i` at squared distance `squared`.
    pub(super) fn log_term(&self, i: usize, squared: f64) -> f64 {
        self.kernel.log_value(squared) + self.measure.log_weights()[i]
    }
}

/// Σ exp(l) of logarithms that arrive one after the other, relative to the largest so far.
#[derive(Clone, Copy)]
pub(super) struct LogSum {
    peak: f64,
    mass: f64,
}

impl LogSum {
    pub(super) const EMPTY: Self = Self { peak: f64::NEG_INFINITY, mass: 0.0 };

    /// Adds a term; returns its weight, and the factor by which all earlier ones have shrunk.
    pub(super) fn add(&mut self, log_term: f64) -> (f64, f64) {
        // Nothing is added, and to nothing it has no ratio.
        if log_term == f64::NEG_INFINITY {
            return (0.0, 1.0);
        }
        if log_term <= self.peak {
            let weight = f64::exp(log_term - self.peak);
            self.mass += weight;
            return (weight, 1.0);
        }
        let shrink = f64::exp(self.peak - log_term);
        self.mass = self.mass * shrink + 1.0;
        self.peak = log_term;
        (1.0, shrink)
    }

    pub(super) fn log(self) -> f64 {
        self.peak + self.mass.ln()
    }
}

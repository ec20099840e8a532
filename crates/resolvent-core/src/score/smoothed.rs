//! The exact score of smoothed data under killed Brownian motion.

use super::Score;
use super::stream::{Kernel, Origin, Stream};
use crate::error::{Result, dimension};
use crate::killed::{KilledBrownianMotion, SmoothedGreenKernel};
use crate::marginal::NoisyDensity;
use crate::measure::EmpiricalMeasure;
use crate::schedule::Level;

/// s = ∇ log u for the data law α^h = Σ_i α_i N(y_i, h² I): weighted data smoothed by the bandwidth h, with
/// u(x) = Σ_i α_i G^h(|x - y_i|) (R19 with G^h in the place of G_r).
///
/// α^h has a density, so its support absorbs nothing and the backward process dies at the rate α^h/u (R13), not by hitting.
#[derive(Debug, Clone)]
pub struct SmoothedScore {
    kernel: SmoothedGreenKernel,
    measure: EmpiricalMeasure,
}

impl SmoothedScore {
    /// The score of `measure` smoothed by N(0, h² I), h = `bandwidth` (length), under `process`.
    ///
    /// # Errors
    /// If the dimensions differ, or the bandwidth is out of the range of [`SmoothedGreenKernel::new`].
    pub fn new(process: &KilledBrownianMotion, measure: EmpiricalMeasure, bandwidth: f64) -> Result<Self> {
        dimension("data", process.dim(), measure.dim())?;
        Ok(Self { kernel: SmoothedGreenKernel::new(process, bandwidth)?, measure })
    }

    /// The Green kernel of the smoothed data.
    pub fn kernel(&self) -> &SmoothedGreenKernel {
        &self.kernel
    }

    /// log u at `x` (length d), in nats.
    ///
    /// # Panics
    /// If `x` has not length d.
    pub fn log_density(&self, x: &[f64]) -> f64 {
        assert_eq!(x.len(), self.dim(), "length of x");
        let mut moment = vec![0.0; x.len()];
        let mut log_density = f64::NAN;
        self.stream().run(x, None, &mut moment, |_, summary| log_density = summary.log_density);
        log_density
    }

    /// R13: log(α^h/u) at `x` (length d), the logarithm of the rate at which the backward process dies (per unit time).
    ///
    /// # Panics
    /// If `x` has not length d.
    pub fn log_hazard(&self, x: &[f64]) -> f64 {
        let level = Level { sigma: self.kernel.bandwidth(), ..Level::CLEAN };
        let mut log_data = [0.0];
        self.measure.log_densities(&level, x, &mut log_data);
        log_data[0] - self.log_density(x)
    }

    fn stream(&self) -> Stream<'_, SmoothedGreenKernel> {
        Stream { measure: &self.measure, kernel: &self.kernel, scale: 1.0, origin: Origin::Point }
    }
}

impl Kernel for SmoothedGreenKernel {
    fn log_value_and_gain(&self, squared: f64) -> (f64, f64) {
        self.log_value_and_gain_squared(squared)
    }

    fn beyond(&self, squared: f64, drop: f64) -> f64 {
        self.beyond_squared(squared, drop)
    }
}

impl Score for SmoothedScore {
    fn dim(&self) -> usize {
        self.measure.dim()
    }

    fn evaluate(&self, points: &[f64], gains: &mut [f64], displacements: &mut [f64]) {
        self.stream().run(points, None, displacements, |j, summary| gains[j] = summary.gain);
    }
}

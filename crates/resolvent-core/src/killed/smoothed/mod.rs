//! The Green kernel of killed Brownian motion for data under Gaussian noise.

mod moments;
mod table;

use std::f64::consts::TAU;

use self::moments::Times;
use self::table::Table;
use super::{GreenKernel, KilledBrownianMotion};
use crate::error::{Error, Result};

/// The largest r h²/σ²: beyond it the data are spread over a hundred times the distance that a particle covers, and the
/// table grows long.
const WIDEST: f64 = 1e4;

/// G^h(ρ) = ∫ e^{-rt} N(ρ; (h² + σ² t) I) dt: the Green kernel G_r (R3) convolved with N(0, h² I), so that Σ_i α_i G^h(|x - y_i|)
/// is the occupation density u of killed Brownian motion started in the data smoothed by the bandwidth h, a law with a density.
///
/// A function of the distance ρ alone, tabulated over log(1 + ρ²/h²) from an adaptive quadrature in log-space (over the
/// logarithm of the variance the integrand is log-concave and, in high dimension, a narrow peak). The error of the table
/// is below 1e-9 in log G^h, plus the rounding of its size, and below 1e-8 relative to the gain and to the expected
/// lifetime. Farther out, where all of the integral comes from variances above h² (but for e^-45 of it), and as h -> 0,
/// G^h = e^{r h²/σ²} G_r exactly.
#[derive(Debug, Clone)]
pub struct SmoothedGreenKernel {
    green: GreenKernel,
    bandwidth: f64,
    /// h²/σ², the time in which the process spreads as far as the bandwidth.
    time: f64,
    /// r h²/σ².
    log_shift: f64,
    table: Table,
}

impl SmoothedGreenKernel {
    /// For `process` with the data smoothed by N(0, h² I), h = `bandwidth` (length) from 1e-30 to 100 σ/√r.
    ///
    /// # Errors
    /// If the bandwidth is not a number in this range.
    pub fn new(process: &KilledBrownianMotion, bandwidth: f64) -> Result<Self> {
        let (sigma, rate) = (process.sigma(), process.rate());
        let high = (WIDEST / rate).sqrt() * sigma;
        // NaN fails as well.
        if !(bandwidth >= 1e-30 && bandwidth <= high) {
            return Err(Error::Outside { name: "bandwidth", low: 1e-30, high, value: bandwidth });
        }
        let time = (bandwidth / sigma).powi(2);
        let d = process.dim() as f64;
        let log_scale = time.ln() - 0.5 * d * (TAU * bandwidth * bandwidth).ln();
        let table = Table::new(&Times::new(0.5 * d - 1.0, rate * time), log_scale);
        Ok(Self { green: process.green().clone(), bandwidth, time, log_shift: rate * time, table })
    }

    /// Dimension d.
    pub fn dim(&self) -> usize {
        self.green.dim()
    }

    /// The bandwidth h (length).
    pub fn bandwidth(&self) -> f64 {
        self.bandwidth
    }

    /// log G^h at distance `rho` >= 0 (length).
    pub fn log_value(&self, rho: f64) -> f64 {
        self.log_value_and_gain(rho).0
    }

    /// The gain g (per squared length): ∇_x log G^h(|x - y|) = g (y - x); the mean of 1/(h² + σ² t) when t has the law of the
    /// remaining lifetime.
    pub fn gain(&self, rho: f64) -> f64 {
        self.log_value_and_gain(rho).1
    }

    /// [`log_value`](Self::log_value) and [`gain`](Self::gain) at the price of one.
    pub fn log_value_and_gain(&self, rho: f64) -> (f64, f64) {
        self.log_value_and_gain_squared(rho * rho)
    }

    /// -∂/∂r log G^h at distance `rho` (time): the mean remaining lifetime at that distance of a datum (R4b);
    /// infinite at r = 0 in d <= 4.
    pub fn expected_lifetime(&self, rho: f64) -> f64 {
        self.expected_lifetime_squared(rho * rho)
    }

    pub(crate) fn log_value_and_gain_squared(&self, squared: f64) -> (f64, f64) {
        match self.table.log_value_and_slope(self.abscissa(squared)) {
            Some((log_value, slope)) => (log_value, -2.0 * slope / (self.bandwidth.powi(2) + squared)),
            None => {
                let (log_value, gain) = self.green.log_value_and_gain(squared.sqrt());
                (log_value + self.log_shift, gain)
            }
        }
    }

    pub(crate) fn expected_lifetime_squared(&self, squared: f64) -> f64 {
        // Without a clock the tail t^{-d/2} of the law of the time has a mean from d = 5 on alone.
        if self.green.decay() == 0.0 && self.green.dim() < 5 {
            return f64::INFINITY;
        }
        match self.table.log_time(self.abscissa(squared)) {
            Some(log_time) => self.time * log_time.exp(),
            None => self.green.lifetime(squared.sqrt()).mean() - self.time,
        }
    }

    /// A squared distance beyond which log G^h lies at least `drop` below its value at the squared distance `near`.
    pub(crate) fn beyond_squared(&self, near: f64, drop: f64) -> f64 {
        let here = self.log_value_and_gain_squared(near).0;
        let (end, last) = self.table.end();
        let squared = |abscissa: f64| self.bandwidth.powi(2) * abscissa.exp_m1();
        if let Some(abscissa) = self.table.first_at_most(here - drop) {
            return squared(abscissa).max(near);
        }
        let (from, left) =
            if near > squared(end) { (near, drop) } else { (squared(end), drop - (here - last)) };
        self.green.beyond(from, left)
    }

    /// log(1 + ρ²/h²).
    fn abscissa(&self, squared: f64) -> f64 {
        (squared / self.bandwidth.powi(2)).ln_1p()
    }
}

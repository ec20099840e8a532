//! Killed Brownian motion with a constant drift.

use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, Exp, StandardNormal};

use super::brownian::representable;
use super::{
    ExactDeath, GreenKernel, KilledBrownianMotion, KilledDiffusion, LocallyBrownian, Resolvent,
    distance_squared, draw_deaths,
};
use crate::diffusion::{Diffusion, Dispersion};
use crate::error::{Error, Result, dimension, positive};
use crate::measure::EmpiricalMeasure;

/// dX = b dt + σ dW on R^d with a constant vector b, killed at an independent time ζ ~ Exp(r). It is symmetric with respect to
/// m(x) = e^{2 b·x/σ²}, which is no law, and by Girsanov's theorem
///
/// g_r(x, y) = e^{-b·(x + y)/σ²} G_{r'}(|x - y|), r' = r + |b|²/(2σ²),
///
/// with the Green kernel G of Brownian motion (Borodin and Salminen 2002, appendix 1.14, for d = 1).
#[derive(Debug, Clone)]
pub struct KilledDriftedBrownianMotion {
    drift: Vec<f64>,
    clock: Exp<f64>,
    brownian: KilledBrownianMotion,
    /// G_{r'}.
    green: GreenKernel,
}

impl KilledDriftedBrownianMotion {
    /// With the drift `drift` (d >= 1 lengths per unit time), diffusion `sigma` (length per square root of time) and killing
    /// rate `rate` (per unit time), both from 1e-30 to 1e30.
    ///
    /// # Errors
    /// If `drift` is empty or not finite, `sigma` or `rate` is not positive and finite, or they or r' are out of range.
    pub fn new(drift: Vec<f64>, sigma: f64, rate: f64) -> Result<Self> {
        let brownian = KilledBrownianMotion::new(drift.len(), sigma, rate)?;
        // Brownian motion alone can do without a clock.
        positive("rate", rate)?;
        if let Some(coordinate) = drift.iter().position(|b| !b.is_finite()) {
            let value = drift[coordinate];
            return Err(Error::NotFinite { name: "drift", point: 0, coordinate, value });
        }
        let raised = representable("rate + |drift|^2/(2 sigma^2)", raised(&drift, sigma, rate))?;
        let green = GreenKernel::new(drift.len(), sigma, raised);
        Ok(Self { drift, clock: Exp::new(rate).expect("a positive rate"), brownian, green })
    }

    /// Dimension d.
    pub fn dim(&self) -> usize {
        self.drift.len()
    }

    /// Drift b (d).
    pub fn velocity(&self) -> &[f64] {
        &self.drift
    }

    /// Diffusion σ.
    pub fn sigma(&self) -> f64 {
        self.brownian.sigma()
    }

    /// Killing rate r.
    pub fn rate(&self) -> f64 {
        self.brownian.rate()
    }

    /// G_{r'}, the Green kernel of Brownian motion killed at the rate r' = r + |b|²/(2σ²).
    pub fn green(&self) -> &GreenKernel {
        &self.green
    }

    /// The places of death (d x n) and lifetimes (n) of particles started in the columns of `starts` (d x n); particle
    /// i draws from stream i of `seed`.
    ///
    /// # Errors
    /// If `starts` has not d rows or is not finite.
    pub fn deaths(&self, starts: &DMatrix<f64>, seed: u64) -> Result<(DMatrix<f64>, Vec<f64>)> {
        let deaths = draw_deaths(self, starts, seed)?;
        Ok((deaths.points, deaths.lifetimes))
    }

    /// The backward process started in `measure` is that of Brownian motion without drift, killed at the rate r' and started in
    /// the weights α_i e^{-b·y_i/σ²}: with u(x) = e^{b·x/σ²} Σ α_i e^{-b·y_i/σ²} G_{r'}(|x - y_i|) the drift leaves R1. So everything that
    /// needs Brownian motion, the bridges and the oracle, serves this process too.
    ///
    /// # Errors
    /// If the dimensions differ.
    pub fn without_drift(
        &self,
        measure: &EmpiricalMeasure,
    ) -> Result<(KilledBrownianMotion, EmpiricalMeasure)> {
        dimension("data", self.dim(), measure.dim())?;
        let raised = raised(&self.drift, self.sigma(), self.rate());
        let process = KilledBrownianMotion::new(self.dim(), self.sigma(), raised)?;
        let log_weights: Vec<f64> = measure
            .points()
            .column_iter()
            .zip(measure.log_weights())
            .map(|(y, w)| w - self.tilt(y.as_slice()))
            .collect();
        Ok((process, EmpiricalMeasure::log_weighted(measure.points().clone(), &log_weights)?))
    }

    /// b·x/σ².
    fn tilt(&self, x: &[f64]) -> f64 {
        let product: f64 = self.drift.iter().zip(x).map(|(b, x)| b * x).sum();
        product / (self.sigma() * self.sigma())
    }
}

/// r' = r + |b|²/(2σ²).
fn raised(drift: &[f64], sigma: f64, rate: f64) -> f64 {
    rate + 0.5 * drift.iter().map(|b| (b / sigma).powi(2)).sum::<f64>()
}

impl Diffusion for KilledDriftedBrownianMotion {
    fn drift(&self, _t: f64, _x: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&self.drift);
    }

    fn dispersion(&self, _t: f64, _x: &[f64], out: &mut Dispersion) {
        *out = Dispersion::Scalar(self.sigma());
    }
}

impl KilledDiffusion for KilledDriftedBrownianMotion {
    fn dim(&self) -> usize {
        self.drift.len()
    }

    fn rate(&self, _x: &[f64]) -> f64 {
        self.brownian.rate()
    }
}

impl ExactDeath for KilledDriftedBrownianMotion {
    fn death_into(&self, x: &[f64], rng: &mut dyn Rng, out: &mut [f64]) -> f64 {
        let lifetime = rng.sample(self.clock);
        let scale = self.sigma() * f64::sqrt(lifetime);
        for ((out, x), b) in out.iter_mut().zip(x).zip(&self.drift) {
            *out = x + b * lifetime + scale * rng.sample::<f64, _>(StandardNormal);
        }
        lifetime
    }
}

impl LocallyBrownian for KilledDriftedBrownianMotion {
    fn brownian(&self) -> &KilledBrownianMotion {
        &self.brownian
    }
}

/// m(x) = e^{2 b·x/σ²}.
impl Resolvent for KilledDriftedBrownianMotion {
    fn log_kernel_and_gradient(&self, x: &[f64], y: &[f64], gradient: &mut [f64]) -> f64 {
        let (log_value, gain) = self.green.log_value_and_gain(distance_squared(x, y).sqrt());
        let variance = self.sigma() * self.sigma();
        for (((g, x), y), b) in gradient.iter_mut().zip(x).zip(y).zip(&self.drift) {
            *g = gain * (y - x) - b / variance;
        }
        log_value - self.tilt(x) - self.tilt(y)
    }

    fn log_measure_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let variance = self.sigma() * self.sigma();
        for (g, b) in gradient.iter_mut().zip(&self.drift) {
            *g = 2.0 * b / variance;
        }
        2.0 * self.tilt(x)
    }

    /// GIG(1 - d/2, 2r', |x - y|²/σ²): by Girsanov's theorem the drift changes the law of the time only by e^{-|b|² t/(2σ²)}.
    fn lifetime_between(&self, x: &[f64], y: &[f64], mut rng: &mut dyn Rng) -> f64 {
        self.green.lifetime(distance_squared(x, y).sqrt()).sample(&mut rng)
    }
}

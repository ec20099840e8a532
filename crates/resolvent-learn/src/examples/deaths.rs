//! The killed process from the data to its death (R15).

use super::expected_weight::ExpectedWeight;
use super::{Example, Proposal, Source};
use crate::error::{Error, Result, usable};
use crate::model::Conditioning;
use nalgebra::DMatrix;
use rand::RngExt;
use resolvent_core::killed::{GreenKernel, KilledBrownianMotion};
use resolvent_core::random::Stream;

/// Brownian motion (σ = 1) from a data point to its death at rate r, the lifetime drawn from a proposal and corrected by its weight.
#[derive(Debug, Clone)]
pub struct Deaths<'a> {
    data: &'a DMatrix<f64>,
    green: GreenKernel,
    rate: f64,
    proposal: Proposal,
    expected: ExpectedWeight,
    closest: f64,
}

impl<'a> Deaths<'a> {
    /// From the columns of `data` (d x n) at rate r > 0; examples with |Z_ζ - Z_0| <= `closest` (δ of R15) do not count.
    ///
    /// # Errors
    /// If there are no data, they are not finite, the rate or the proposal is impossible, the variance of the weights is infinite
    /// (a clock of twice the rate or more as proposal), or `closest` is negative.
    pub fn new(data: &'a DMatrix<f64>, rate: f64, proposal: Proposal, closest: f64) -> Result<Self> {
        usable("data", data)?;
        proposal.validate()?;
        if !(closest.is_finite() && closest >= 0.0) {
            return Err(Error::Number {
                name: "closest",
                allowed: "finite and not negative",
                value: closest,
            });
        }
        if !(rate.is_finite() && rate > 0.0) {
            return Err(Error::Number { name: "rate", allowed: "positive and finite", value: rate });
        }
        if let Proposal::Exponential { rate: value } = proposal
            && value >= 2.0 * rate
        {
            let allowed = "below twice the rate of the clock";
            return Err(Error::Number { name: "proposal.rate", allowed, value });
        }
        let green = KilledBrownianMotion::new(data.nrows(), 1.0, rate)?.green().clone();
        let expected = ExpectedWeight::new(data.nrows(), rate, &proposal);
        Ok(Self { data, green, rate, proposal, expected, closest })
    }
}

impl Source for Deaths<'_> {
    fn dim(&self) -> usize {
        self.data.nrows()
    }

    fn suits(&self, _conditioning: Conditioning) -> bool {
        true
    }

    fn draw(&self, rng: &mut Stream, point: &mut [f64], target: &mut [f64]) -> Example {
        let origin = rng.random_range(0..self.data.ncols());
        target.copy_from_slice(self.data.column(origin).as_slice());
        let level = self.proposal.draw(rng);
        let mut square = 0.0;
        rng.fill_normals(point);
        for (x, y) in point.iter_mut().zip(&*target) {
            let noise = level * *x;
            *x = y + noise;
            square += noise.powi(2);
        }
        let distance = square.sqrt();
        let weight =
            if distance > self.closest { self.proposal.log_weight(self.rate, level).exp() } else { 0.0 };
        Example { gain: self.green.gain(distance), distance, weight, level }
    }

    fn log_weight(&self, level: f64) -> f64 {
        self.expected.log_value(level.ln() + 0.5 * (self.dim() as f64).ln())
    }
}

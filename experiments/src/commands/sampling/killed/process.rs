//! The forward process, with a rate that suits the data where none is given.

use anyhow::{Context as _, Result, ensure};
use resolvent::core::KilledBrownianMotion;
use resolvent::core::killed::{KilledDriftedBrownianMotion, KilledOrnsteinUhlenbeck};

use super::super::known::Known;
use super::super::start;
use super::{Model, Settings};

/// The relative difference up to which a rate is that of a trained model.
const SAME: f64 = 1e-6;

/// The parameters of the forward process.
pub(super) struct Forward {
    dim: usize,
    sigma: f64,
    rate: f64,
    /// Where the rate comes from.
    origin: &'static str,
    velocity: Vec<f64>,
    theta: f64,
    /// The model in words.
    pub(super) words: String,
    /// The parameters that the output file has.
    pub(super) scalars: Vec<(&'static str, f64)>,
}

impl Forward {
    /// For data, or for the score of a model that knows the rate per unit of diffusion, `learned`.
    pub(super) fn new(settings: &Settings<'_>, known: &Known, learned: Option<f64>) -> Result<Self> {
        let (flags, dim) = (settings.flags, known.dim());
        let sigma = flags.sigma.unwrap_or(1.0);
        let (rate, origin) = match (flags.rate, learned) {
            (Some(rate), None) => (rate, "given"),
            (None, None) => default_rate(sigma, known.data("--rate of the data")?.variance()),
            (given, Some(learned)) => {
                let rate = learned * sigma * sigma;
                let same = given.is_none_or(|given| (given - rate).abs() <= SAME * rate);
                let given = given.unwrap_or(rate);
                ensure!(
                    same,
                    "--rate {given}: with sigma = {sigma} the model of --score is trained for {rate}"
                );
                (rate, "that of the model of --score")
            }
        };
        let velocity = match &flags.drift {
            None => Vec::new(),
            Some(path) => {
                let points = start::read("--drift", path, dim)?;
                let count = points.ncols();
                ensure!(count == 1, "--drift {}: {count} points, expected one velocity", path.display());
                points.as_slice().to_vec()
            }
        };
        let theta = flags.theta.unwrap_or_default();
        let mut scalars = vec![("rate", rate), ("sigma", sigma)];
        let extra = match (settings.model, &flags.drift) {
            (Model::Ou, _) => {
                scalars.push(("theta", theta));
                format!(", theta = {theta}")
            }
            (_, Some(path)) => format!(", drift {}", path.display()),
            _ => String::new(),
        };
        let h = match &settings.transform {
            h if h.is_exponential() => String::new(),
            h => format!(", h = {}", h.text),
        };
        let name = settings.model.name();
        let words = format!("{name}, d = {dim}, sigma = {sigma}, rate = {rate} ({origin}){extra}{h}");
        Ok(Self { dim, sigma, rate, origin, velocity, theta, words, scalars })
    }

    pub(super) fn brownian(&self) -> Result<KilledBrownianMotion> {
        KilledBrownianMotion::new(self.dim, self.sigma, self.rate).with_context(|| self.cause())
    }

    pub(super) fn drifted(&self) -> Result<KilledDriftedBrownianMotion> {
        KilledDriftedBrownianMotion::new(self.velocity.clone(), self.sigma, self.rate)
            .with_context(|| self.cause())
    }

    pub(super) fn ornstein_uhlenbeck(&self) -> Result<KilledOrnsteinUhlenbeck> {
        KilledOrnsteinUhlenbeck::new(self.dim, self.theta, self.sigma, self.rate)
            .with_context(|| self.cause())
    }

    fn cause(&self) -> String {
        format!("rate {}", self.origin)
    }
}

/// σ² over the mean squared distance of the data to their mean. A start that lived the mean time 1/r has noise of that
/// size in every coordinate, so the log-odds between two data are about one there; Song and Ermon (2020, Technique 1)
/// choose the largest noise level by the same reasoning.
fn default_rate(sigma: f64, variance: f64) -> (f64, &'static str) {
    if variance > 0.0 {
        (sigma * sigma / variance, "sigma^2 over the mean squared distance of the data to their mean")
    } else {
        (1.0, "all data are equal")
    }
}

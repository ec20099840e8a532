//! The step and its length.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail, ensure};
use resolvent::core::control::Contraction;
use resolvent::core::killed::LocallyBrownian;
use resolvent::core::{EmpiricalMeasure, FixedStep, ScoreAdaptive, StepControl};

use super::super::numbers::{not_negative, positive};
use super::super::steps;
use super::backward::Target;

/// The share of the smallest gap in the data that is resolved.
const RESOLUTION: f64 = 1e-2;
/// The same of the spread of the data where the score is learned: networks tell levels apart down to a few hundredths of it.
const LEARNED: f64 = 5e-2;
/// In one dimension, where death is not at once at the end point: the shortest step in mean lifetimes.
const SHORTEST: f64 = 0.02;
/// Points among which the smallest gap is looked for.
const SEARCHED: usize = 4096;

/// For how long particles move.
#[derive(Debug, clap::Args)]
pub(super) struct Stepping {
    /// Resolution, a length: no step is shorter than D^2/d in units of time and diffusion, but where a rule of --kill cuts
    /// it to meet its mark [default: bridges 1e-2 of the
    /// smallest gap in the data, among the first 4096 of them, with --score of their root mean square distance to their mean; 1e-2 S/sqrt(R) where there is no gap, sqrt(0.02/R) S in one
    /// dimension; euler 0]
    #[arg(long, value_name = "D", value_parser = not_negative, allow_negative_numbers = true)]
    delta: Option<f64>,
    /// Do not shorten steps where several data are in reach; posterior-bridge, which draws one of them, never does, and
    /// corrected-bridge, which shortens them for nothing else, always does
    #[arg(long)]
    ignore_spread: bool,
    /// Steps of this length in time, instead of --eta
    #[arg(long, value_name = "DT", value_parser = positive, allow_negative_numbers = true)]
    #[arg(conflicts_with_all = ["eta", "delta", "ignore_spread"])]
    dt: Option<f64>,
}

/// The steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Scheme {
    /// Towards a datum drawn from the posterior: exact for any data, at any length of step
    PosteriorBridge,
    /// Towards the denoised point
    Bridge,
    /// Towards the denoised point, corrected to second order at one evaluation a step
    CorrectedBridge,
    /// Euler-Maruyama; needs --kill
    Euler,
    /// The flux flow, without noise, by Heun's scheme; needs --kill. Its time is that of the flow, not a lifetime
    Flux,
}

impl Scheme {
    pub(super) fn samples_lifetime(self) -> bool {
        !matches!(self, Self::Euler | Self::Flux)
    }

    pub(super) fn default_eta(self) -> f64 {
        match self {
            Self::PosteriorBridge => 1.0,
            Self::Bridge => 0.2,
            Self::CorrectedBridge | Self::Euler => 0.1,
            Self::Flux => 0.25,
        }
    }
}

/// How long steps are.
pub(super) struct Control<P> {
    pub(super) rule: Box<dyn StepControl<P>>,
    /// The resolution δ; 0 for steps of fixed length.
    pub(super) delta: f64,
    /// The same in words.
    pub(super) words: String,
}

impl Stepping {
    pub(super) fn given(&self) -> [(&'static str, bool); 3] {
        [
            ("--delta", self.delta.is_some()),
            ("--ignore-spread", self.ignore_spread),
            ("--dt", self.dt.is_some()),
        ]
    }

    pub(super) fn check(&self, scheme: Scheme) -> Result<()> {
        ensure!(
            !self.ignore_spread || scheme != Scheme::PosteriorBridge,
            "--ignore-spread: the step posterior-bridge draws its end point and never heeds the spread"
        );
        ensure!(
            !self.ignore_spread || scheme != Scheme::CorrectedBridge,
            "--ignore-spread: the step corrected-bridge is shortened by the spread alone"
        );
        let needless = [("--delta", self.delta.is_some()), ("--ignore-spread", self.ignore_spread)];
        if let Some((flag, _)) = needless.iter().find(|(_, given)| *given && scheme == Scheme::Flux) {
            bail!(
                "{flag}: the step flux contracts the distance by the same factor in every step and has no use for it"
            );
        }
        Ok(())
    }

    pub(super) fn control<P: LocallyBrownian>(
        &self,
        scheme: Scheme,
        eta: f64,
        process: &P,
        target: &Target,
    ) -> Result<Control<P>> {
        let mut words = steps::name(&scheme);
        if let Some(dt) = self.dt {
            let _ = write!(words, ", dt = {dt}");
            return Ok(Control { rule: Box::new(FixedStep::new(dt)?), delta: 0.0, words });
        }
        if scheme == Scheme::Flux {
            let _ = write!(words, ", eta = {eta}");
            return Ok(Control { rule: Box::new(Contraction::new(eta)?), delta: 0.0, words });
        }
        let (delta, origin) = match self.delta {
            Some(delta) => (delta, "given".into()),
            None if scheme.samples_lifetime() => match target {
                Target::Exact(data) => default_delta(process.brownian(), data)?,
                Target::Learned(score) => {
                    let spread = score.model().spread() * (process.dim() as f64).sqrt();
                    (LEARNED * spread, format!("{LEARNED} of the spread of the data of --score"))
                }
            },
            None => (0.0, "euler needs none".into()),
        };
        // A learned gain is known to a few per cent, from which the spread of the posterior cannot be told in high dimension.
        let ignored = self.ignore_spread || matches!(target, Target::Learned(_));
        let mut rule = ScoreAdaptive::new(eta, delta).context("--delta")?;
        if (ignored && scheme != Scheme::CorrectedBridge) || scheme == Scheme::PosteriorBridge {
            rule = rule.ignoring_spread();
        } else if scheme == Scheme::CorrectedBridge {
            rule = rule.second_order();
        }
        let spread = if ignored && scheme != Scheme::CorrectedBridge { ", ignoring the spread" } else { "" };
        let _ = write!(words, ", eta = {eta}{spread}, delta = {delta:?} ({origin})");
        Ok(Control { rule: Box::new(rule), delta, words })
    }
}

fn default_delta(
    process: &resolvent::core::KilledBrownianMotion,
    data: &EmpiricalMeasure,
) -> Result<(f64, String)> {
    let reach = process.sigma() / process.rate().sqrt();
    if process.dim() == 1 {
        return Ok((SHORTEST.sqrt() * reach, format!("sqrt({SHORTEST}/rate) sigma, in one dimension")));
    }
    let searched = data.len().min(SEARCHED);
    let gap = if searched < data.len() {
        EmpiricalMeasure::new(data.points().columns(0, searched).into_owned())?.smallest_gap()
    } else {
        data.smallest_gap()
    };
    Ok(if gap.is_infinite() {
        (RESOLUTION * reach, format!("{RESOLUTION} sigma/sqrt(rate), the data have no gap"))
    } else if searched < data.len() {
        (RESOLUTION * gap, format!("{RESOLUTION} of the smallest gap among the first {searched} data"))
    } else {
        (RESOLUTION * gap, format!("{RESOLUTION} of the smallest gap in the data"))
    })
}

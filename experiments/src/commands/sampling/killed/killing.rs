//! `--kill`: when a particle is dead.

use std::str::FromStr;

use anyhow::{Context as _, Result, bail, ensure};
use resolvent::core::KillingRule;
use resolvent::core::killed::LocallyBrownian;
use resolvent::core::killing::{
    DistanceToData, DistanceToSupport, ExponentialTime, FixedSteps, FixedTime, L2Score, ResidualNoise,
    SupScore, TangentPlane,
};

use super::super::known::Known;
use super::super::numbers::positive;
use super::super::steps;
use super::stepping::Scheme;
use super::support::Shape;

const RULES: &str = "lifetime, sup:C, l2:M, noise:DELTA, distance:DELTA, tangent:DELTA[:K:M], support:DELTA, time:T, steps:K, exponential:RATE";

/// Neighbours and dimension of the tangent planes, if not said.
const PLANES: (usize, usize) = (12, 2);

/// A rule under the name it was given by.
pub(super) type Named<'a, P> = (&'a str, Box<dyn KillingRule<P>>);

/// What kills a particle, and what is done with it then.
#[derive(Debug, clap::Args)]
pub(super) struct Killing {
    /// When a particle is dead, the first of: lifetime (sampled by the bridge steps, which always die by it), sup:C (the
    /// score reaches the norm C), l2:M (the root of the integral of its square over the path reaches M), noise:DELTA (the
    /// denoised point is within DELTA), distance:DELTA (of the nearest datum), tangent:DELTA:K:M (of the plane of dimension M through
    /// the K data nearest to the nearest one; 12 and 2 if not said), support:DELTA (of --support), time:T, steps:K, exponential:RATE (an
    /// independent time). The rules sup, l2, noise, distance, tangent and support are for a support of codimension 2 or more, which is met at death alone;
    /// points on a line are passed through alive, so none of them works in one dimension
    #[arg(long = "kill", value_name = "RULE,..", value_delimiter = ',')]
    rules: Vec<Rule>,
    /// The support of the rule support:DELTA, around the origin of the first coordinates
    #[arg(long, value_name = "circle:RADIUS|sphere:K:RADIUS|torus:MAJOR:MINOR")]
    support: Option<Shape>,
    /// Move a particle killed by a rule other than its lifetime to its denoised point; its path stays as it was
    #[arg(long)]
    pub(super) denoise: bool,
}

impl Killing {
    pub(super) fn given(&self) -> [(&'static str, bool); 3] {
        [
            ("--kill", !self.rules.is_empty()),
            ("--support", self.support.is_some()),
            ("--denoise", self.denoise),
        ]
    }

    /// Whether the rules go together and with the step.
    pub(super) fn check(&self, scheme: Scheme) -> Result<()> {
        for (i, rule) in self.rules.iter().enumerate() {
            let same = |earlier: &&Rule| earlier.name() == rule.name();
            if let Some(earlier) = self.rules[..i].iter().find(same) {
                bail!("--kill {}: the rule is already there as {}", rule.text, earlier.text);
            }
        }
        let names = |kind: &str| self.rules.iter().any(|rule| rule.name() == kind);
        if !scheme.samples_lifetime() {
            let step = steps::name(&scheme);
            ensure!(!names("lifetime"), "--kill lifetime: the step {step} does not sample the lifetime");
            ensure!(
                !self.rules.is_empty(),
                "the step {step} needs --kill; there are {}",
                &RULES["lifetime, ".len()..]
            );
        }
        match &self.support {
            None => ensure!(!names("support"), "--kill support:DELTA needs --support"),
            Some(_) => ensure!(names("support"), "--support goes with --kill support:DELTA"),
        }
        let others = self.rules.iter().any(|rule| rule.kind != Kind::Lifetime);
        ensure!(
            others || !self.denoise,
            "--denoise goes with a rule of --kill other than lifetime; a sampled lifetime ends at the denoised point anyway"
        );
        Ok(())
    }

    /// The rules beside the lifetime, under the names they were given by.
    ///
    /// # Errors
    /// If a rule that waits for the data is asked for in one dimension, or is out of its range.
    pub(super) fn build<P: LocallyBrownian>(&self, process: &P, known: &Known) -> Result<Vec<Named<'_, P>>> {
        let mut built: Vec<Named<'_, P>> = Vec::with_capacity(self.rules.len());
        for rule in &self.rules {
            ensure!(
                process.dim() > 1 || !rule.kind.waits_for_data(),
                "--kill {}: in one dimension the data have codimension 1, a path passes through them and does not die at \
                 its first visit; use the lifetime that --step posterior-bridge or bridge samples",
                rule.text
            );
            let killer: Box<dyn KillingRule<P>> = match rule.kind {
                Kind::Lifetime => continue,
                Kind::Sup(norm) => Box::new(SupScore::new(norm)?),
                Kind::L2(norm) => Box::new(L2Score::new(norm)?),
                Kind::Noise(delta) => Box::new(ResidualNoise::new(process, delta)?),
                Kind::Distance(delta) => {
                    let data = known.data(&format!("--kill {}", rule.text))?;
                    Box::new(DistanceToData::new(process, data.measure.clone(), delta)?)
                }
                Kind::Tangent { delta, neighbours, intrinsic } => {
                    let data = known.data(&format!("--kill {}", rule.text))?.measure.clone();
                    let planes = TangentPlane::new(process, data, delta, neighbours, intrinsic);
                    Box::new(planes.with_context(|| format!("--kill {}", rule.text))?)
                }
                Kind::Support(delta) => {
                    let Some(shape) = &self.support else { bail!("--kill {} needs --support", rule.text) };
                    let support = shape.build(process.dim())?;
                    Box::new(DistanceToSupport::new(move |x: &[f64]| support.distance(x), delta)?)
                }
                Kind::Time(time) => Box::new(FixedTime::new(time)?),
                Kind::Steps(steps) => Box::new(FixedSteps::new(steps)),
                Kind::Exponential(rate) => Box::new(ExponentialTime::new(rate)?),
            };
            built.push((&rule.text, killer));
        }
        Ok(built)
    }
}

/// One rule and the text it was given by.
#[derive(Clone, Debug, PartialEq)]
struct Rule {
    text: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Lifetime,
    Sup(f64),
    L2(f64),
    Noise(f64),
    Distance(f64),
    Tangent { delta: f64, neighbours: usize, intrinsic: usize },
    Support(f64),
    Time(f64),
    Steps(usize),
    Exponential(f64),
}

impl Kind {
    /// Whether death is taken to be the first visit to the data or their support.
    fn waits_for_data(self) -> bool {
        matches!(
            self,
            Self::Sup(_)
                | Self::L2(_)
                | Self::Noise(_)
                | Self::Distance(_)
                | Self::Tangent { .. }
                | Self::Support(_)
        )
    }
}

impl Rule {
    /// DELTA or DELTA:K:M.
    fn tangent(value: &str) -> Result<Kind, String> {
        let bad = |part: &str, reason: &str| format!("the number of tangent, `{part}`, is {reason}");
        let whole = |part: &str| part.parse::<usize>().map_err(|_| bad(part, "not a whole number"));
        let (delta, (neighbours, intrinsic)) = match value.split(':').collect::<Vec<_>>()[..] {
            [delta] => (delta, PLANES),
            [delta, neighbours, intrinsic] => (delta, (whole(neighbours)?, whole(intrinsic)?)),
            _ => return Err(format!("tangent takes DELTA or DELTA:K:M, got `{value}`")),
        };
        let delta = positive(delta).map_err(|reason| bad(delta, &reason))?;
        Ok(Kind::Tangent { delta, neighbours, intrinsic })
    }

    fn name(&self) -> &str {
        self.text.split(':').next().unwrap_or_default()
    }
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (name, value) = text.split_once(':').map_or((text, None), |(name, value)| (name, Some(value)));
        let given = || value.ok_or_else(|| format!("{name} needs a number, as in {name}:10"));
        let number = || {
            given().and_then(|v| {
                positive(v).map_err(|reason| format!("the number of {name}, `{v}`, is {reason}"))
            })
        };
        let kind = match name {
            "lifetime" => match value {
                None => Kind::Lifetime,
                Some(value) => return Err(format!("lifetime takes no number, got `{value}`")),
            },
            "sup" => Kind::Sup(number()?),
            "l2" => Kind::L2(number()?),
            "noise" => Kind::Noise(number()?),
            "distance" => Kind::Distance(number()?),
            "tangent" => Self::tangent(given()?)?,
            "support" => Kind::Support(number()?),
            "time" => Kind::Time(number()?),
            "steps" => {
                let value = given()?;
                let steps = value
                    .parse()
                    .map_err(|_| format!("the number of steps, `{value}`, is not a whole number"));
                Kind::Steps(steps?)
            }
            "exponential" => Kind::Exponential(number()?),
            _ => return Err(format!("no rule is called `{name}`; there are {RULES}")),
        };
        Ok(Self { text: text.into(), kind })
    }
}

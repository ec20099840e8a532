//! `--h`: what the forward process is conditioned to do.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context as _, Result, ensure};
use resolvent::core::htransform::{Atoms, ExponentialClock, HTransform, Sphere};
use resolvent::core::{EmpiricalMeasure, KilledBrownianMotion, Resolvent};

use super::super::numbers::positive;
use super::super::start;

/// The representing measures of the h-transforms.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Transform {
    pub(super) text: String,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Exponential,
    Point(PathBuf),
    Atoms(PathBuf),
    Sphere(f64),
}

impl Transform {
    /// The plain clock.
    pub(super) fn exponential() -> Self {
        Self { text: "exponential".into(), kind: Kind::Exponential }
    }

    /// The h-transform of a process for which spheres have no closed form.
    pub(super) fn build<P>(&self, process: &P, model: &str) -> Result<Box<dyn HTransform>>
    where
        P: Resolvent + Clone + Sync + 'static,
    {
        let dim = process.dim();
        Ok(match &self.kind {
            Kind::Exponential => Box::new(ExponentialClock::new(process.clone())),
            Kind::Point(path) => {
                let points = start::read("--h", path, dim)?;
                let count = points.ncols();
                ensure!(count == 1, "--h {}: {count} points, expected one; use atoms:FILE", self.text);
                Box::new(Atoms::weighted(process.clone(), EmpiricalMeasure::new(points)?)?)
            }
            Kind::Atoms(path) => {
                let points = start::read("--h", path, dim)?;
                Box::new(Atoms::weighted(process.clone(), EmpiricalMeasure::new(points)?)?)
            }
            Kind::Sphere(_) => anyhow::bail!(
                "--h {}: the last exit from a sphere is known for Brownian motion alone, --model killed, not for {model}",
                self.text
            ),
        })
    }

    /// The h-transform of killed Brownian motion.
    pub(super) fn build_brownian(&self, process: &KilledBrownianMotion) -> Result<Box<dyn HTransform>> {
        match self.kind {
            Kind::Sphere(radius) => {
                Ok(Box::new(Sphere::new(process, radius).with_context(|| format!("--h {}", self.text))?))
            }
            _ => self.build(process, "killed"),
        }
    }

    /// Whether it conditions at all.
    pub(super) fn is_exponential(&self) -> bool {
        self.kind == Kind::Exponential
    }
}

impl FromStr for Transform {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once(':').map_or((text, None), |(name, value)| (name, Some(value)));
        let file = |value: Option<&str>| {
            let value = value.filter(|value| !value.is_empty());
            value.map(PathBuf::from).ok_or_else(|| format!("{name} needs a file, as in {name}:z.npy"))
        };
        let kind = match (name, value) {
            ("exponential", None) => Kind::Exponential,
            ("exponential", Some(value)) => return Err(format!("exponential takes nothing, got `{value}`")),
            ("point", value) => Kind::Point(file(value)?),
            ("atoms", value) => Kind::Atoms(file(value)?),
            ("sphere", Some(value)) => {
                Kind::Sphere(positive(value).map_err(|reason| format!("the radius `{value}` is {reason}"))?)
            }
            _ => return Err("expected exponential, point:FILE, atoms:FILE or sphere:RADIUS".into()),
        };
        Ok(Self { text: text.into(), kind })
    }
}

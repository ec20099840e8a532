//! `--support`: a support whose distance function is known.

use std::str::FromStr;

use anyhow::{Context as _, Result};
use resolvent::data::{Circle, Sphere, Support, Torus};

use super::super::numbers::positive;

/// A known support, before its dimension is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shape {
    text: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Circle { radius: f64 },
    Sphere { k: usize, radius: f64 },
    Torus { major: f64, minor: f64 },
}

impl Shape {
    /// The support in R^dim.
    pub(super) fn build(&self, dim: usize) -> Result<Box<dyn Support>> {
        let support: resolvent::data::Result<Box<dyn Support>> = match self.kind {
            Kind::Circle { radius } => Circle::new(radius, dim).map(|s| Box::new(s) as _),
            Kind::Sphere { k, radius } => Sphere::new(k, radius, dim).map(|s| Box::new(s) as _),
            Kind::Torus { major, minor } => Torus::new(major, minor, dim).map(|s| Box::new(s) as _),
        };
        support.with_context(|| format!("--support {}", self.text))
    }
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let length = |part: &str| positive(part).map_err(|reason| format!("`{part}` is {reason}"));
        let kind = match text.split(':').collect::<Vec<_>>()[..] {
            ["circle", radius] => Kind::Circle { radius: length(radius)? },
            ["sphere", k, radius] => {
                let k = k.parse().map_err(|_| format!("`{k}` is not the dimension of a sphere"))?;
                Kind::Sphere { k, radius: length(radius)? }
            }
            ["torus", major, minor] => Kind::Torus { major: length(major)?, minor: length(minor)? },
            _ => return Err("expected circle:RADIUS, sphere:K:RADIUS or torus:MAJOR:MINOR".into()),
        };
        Ok(Self { text: text.into(), kind })
    }
}

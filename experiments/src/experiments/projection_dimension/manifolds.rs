//! The supports: points of them, their tangent spaces, nearest points and exact scores.

use std::f64::consts::TAU;

use anyhow::{Result, bail, ensure};
use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use resolvent::core::score::{CircleScore, SphereScore};
use resolvent::core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion, Score};
use resolvent::data::{Circle, Glyphs, Sphere, Support};
use serde::{Deserialize, Serialize};

use super::Settings;
use super::curve::{Curve, SPAN};
use super::torus::TorusScore;

/// The radii of the circles of the torus.
const RADII: [f64; 2] = [1.0, 1.0];
/// The density of the angle on the circle is 1 + TILT cos φ, so that the law is not the same everywhere.
const TILT: f64 = 0.5;

/// A support.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// The unit circle with a density of the angle.
    Circle,
    /// The unit sphere S^2, uniform.
    Sphere,
    /// The product of two unit circles, uniform.
    Torus,
    /// A closed curve with random Fourier coefficients.
    Curve,
    /// Images of the glyph family as atoms in R^784.
    Glyphs,
    /// Two atoms for which the bound on the distance to the end is attained; they have units of their own.
    Pair,
}

impl Kind {
    /// Those that are manifolds in a space of any dimension.
    pub(super) const SMOOTH: [Self; 4] = [Self::Circle, Self::Sphere, Self::Torus, Self::Curve];

    /// The name in the names of units.
    pub(super) fn stem(self) -> &'static str {
        match self {
            Self::Circle => "circle",
            Self::Sphere => "sphere",
            Self::Torus => "torus",
            Self::Curve => "curve",
            Self::Glyphs => "glyphs",
            Self::Pair => "pair",
        }
    }

    /// The name on figures and in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Circle => "circle",
            Self::Sphere => "sphere S²",
            Self::Torus => "torus S¹ x S¹",
            Self::Curve => "random curve",
            Self::Glyphs => "glyphs",
            Self::Pair => "two atoms",
        }
    }

    /// Its dimension k.
    pub(super) fn intrinsic(self) -> usize {
        match self {
            Self::Circle | Self::Curve => 1,
            Self::Sphere | Self::Torus => 2,
            Self::Glyphs | Self::Pair => 0,
        }
    }

    /// The coordinates that it takes.
    pub(super) fn span(self) -> usize {
        match self {
            Self::Circle => 2,
            Self::Sphere => 3,
            Self::Torus => 2 * RADII.len(),
            Self::Curve => SPAN,
            Self::Glyphs => resolvent::data::glyphs::PIXELS,
            Self::Pair => 1,
        }
    }
}

/// A support in R^d with what is known of it.
pub(super) enum Manifold {
    Circle(Circle, CircleScore),
    Sphere(Sphere, SphereScore),
    Torus(TorusScore),
    Curve(Curve),
    /// The data, other images beside which starts lie, and the score of the data.
    Glyphs(EmpiricalScore, DMatrix<f64>),
}

/// A point of the support with an orthonormal basis of its tangent space.
pub(super) struct Foot {
    pub(super) place: Vec<f64>,
    pub(super) tangents: Vec<Vec<f64>>,
}

impl Manifold {
    /// The support in the space of `process`; what is random in it comes from `rng`.
    pub(super) fn new(
        kind: Kind,
        process: &KilledBrownianMotion,
        settings: &Settings,
        rng: &mut impl Rng,
    ) -> Result<Self> {
        let d = process.dim();
        Ok(match kind {
            Kind::Circle => Self::Circle(
                Circle::new(1.0, d)?,
                CircleScore::new(process, 1.0, |angle| 1.0 + TILT * angle.cos())?,
            ),
            Kind::Sphere => Self::Sphere(Sphere::new(2, 1.0, d)?, SphereScore::new(process, 2, 1.0)?),
            Kind::Torus => {
                ensure!(d > kind.span(), "the torus needs d > {}, got {d}", kind.span());
                Self::Torus(TorusScore::new(d, process.rate(), &RADII))
            }
            Kind::Curve => Self::Curve(Curve::new(process, settings.curve_points, rng)?),
            Kind::Pair => bail!("two atoms have no starts beside them"),
            Kind::Glyphs => {
                let (data, _) = Glyphs.dataset(settings.glyphs, rng.random());
                let (others, _) = Glyphs.dataset(settings.starts, rng.random());
                Self::Glyphs(EmpiricalScore::new(process, EmpiricalMeasure::new(data)?)?, others)
            }
        })
    }

    /// The exact score of the law on it.
    pub(super) fn score(&self) -> &dyn Score {
        match self {
            Self::Circle(_, score) => score,
            Self::Sphere(_, score) => score,
            Self::Torus(score) => score,
            Self::Curve(curve) => curve,
            Self::Glyphs(score, _) => score,
        }
    }

    /// A point drawn from the law; of the glyphs, number `index` of the images that are not among the data.
    pub(super) fn foot(&self, index: usize, rng: &mut impl Rng) -> Foot {
        let mut place = vec![0.0; self.score().dim()];
        let mut tangents = Vec::new();
        let mut tangent = |at: usize, values: &[f64]| {
            let mut tangent = vec![0.0; self.score().dim()];
            tangent[at..at + values.len()].copy_from_slice(values);
            tangents.push(tangent);
        };
        match self {
            Self::Circle(..) => {
                let angle = loop {
                    let angle = TAU * rng.random::<f64>();
                    if rng.random::<f64>() * (1.0 + TILT) < 1.0 + TILT * angle.cos() {
                        break angle;
                    }
                };
                place[..2].copy_from_slice(&[angle.cos(), angle.sin()]);
                tangent(0, &[-angle.sin(), angle.cos()]);
            }
            Self::Sphere(..) => {
                let mut frame = [0; 3].map(|_| [0; 3].map(|_| rng.sample::<f64, _>(StandardNormal)));
                orthonormalise(&mut frame);
                place[..3].copy_from_slice(&frame[0]);
                tangent(0, &frame[1]);
                tangent(0, &frame[2]);
            }
            Self::Torus(_) => {
                for (j, radius) in RADII.iter().enumerate() {
                    let (sin, cos) = (TAU * rng.random::<f64>()).sin_cos();
                    place[2 * j..2 * j + 2].copy_from_slice(&[radius * cos, radius * sin]);
                    tangent(2 * j, &[-sin, cos]);
                }
            }
            Self::Curve(curve) => {
                let [at, direction, _] = curve.at(TAU * rng.random::<f64>());
                place[..SPAN].copy_from_slice(&at);
                let speed = direction.iter().map(|v| v * v).sum::<f64>().sqrt();
                tangent(0, &direction.map(|v| v / speed));
            }
            Self::Glyphs(_, others) => place.copy_from_slice(others.column(index).as_slice()),
        }
        Foot { place, tangents }
    }

    /// The point of the support nearest to `x`.
    pub(super) fn project(&self, x: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; x.len()];
        match self {
            Self::Circle(law, _) => law.project_into(x, &mut out),
            Self::Sphere(law, _) => law.project_into(x, &mut out),
            Self::Torus(_) => {
                let pairs = out.chunks_exact_mut(2).zip(x.chunks_exact(2));
                for ((out, x), radius) in pairs.zip(RADII) {
                    let q = x[0].hypot(x[1]);
                    out.copy_from_slice(&[radius * x[0] / q, radius * x[1] / q]);
                }
            }
            Self::Curve(curve) => {
                let [place, ..] = curve.at(curve.nearest(x));
                out[..SPAN].copy_from_slice(&place);
            }
            Self::Glyphs(score, _) => {
                let distance = |i: &usize| distance(score.measure().point(*i), x);
                let best = (0..score.measure().len()).min_by(|a, b| distance(a).total_cmp(&distance(b)));
                out.copy_from_slice(score.measure().point(best.unwrap_or(0)));
            }
        }
        out
    }

    /// Distances from `x` to many points of the law, ascending: `count` drawn ones, or all data.
    pub(super) fn distances(&self, x: &[f64], count: usize, rng: &mut impl Rng) -> Vec<f64> {
        let mut distances: Vec<f64> = if let Self::Glyphs(score, _) = self {
            score.measure().points().as_slice().chunks_exact(x.len()).map(|y| distance(x, y)).collect()
        } else {
            (0..count).map(|i| distance(x, &self.foot(i, rng).place)).collect()
        };
        distances.sort_unstable_by(f64::total_cmp);
        distances
    }
}

/// |x - y|.
pub(super) fn distance(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt()
}

fn orthonormalise(frame: &mut [[f64; 3]; 3]) {
    for i in 0..3 {
        let (before, rest) = frame.split_at_mut(i);
        let vector = &mut rest[0];
        for other in before {
            let dot: f64 = vector.iter().zip(&*other).map(|(a, b)| a * b).sum();
            vector.iter_mut().zip(other).for_each(|(v, o)| *v -= dot * *o);
        }
        let norm = vector.iter().map(|v| v * v).sum::<f64>().sqrt();
        vector.iter_mut().for_each(|v| *v /= norm);
    }
}

#[cfg(test)]
mod tests {
    use super::super::quick;
    use super::*;
    use resolvent::core::random::{Purpose, stream};

    /// A short normal displacement leads back, and the tangents are those of the projection's fibres: none other does.
    #[test]
    fn a_normal_displacement_projects_to_its_foot() {
        for kind in Kind::SMOOTH {
            let process = KilledBrownianMotion::new(11, 1.0, 0.1).unwrap();
            let mut rng = stream(5, Purpose::Experiment, 0);
            let manifold = Manifold::new(kind, &process, &quick(), &mut rng).unwrap();
            for index in 0..20 {
                let foot = manifold.foot(index, &mut rng);
                let start = super::super::starts::displaced(&foot, 0.05, &mut rng);
                assert!((distance(&start, &foot.place) - 0.05).abs() < 1e-12);
                assert!(distance(&manifold.project(&start), &foot.place) < 1e-9, "{kind:?}");
            }
        }
    }
}

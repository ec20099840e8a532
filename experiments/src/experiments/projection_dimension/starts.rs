//! Where the backward process starts.

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use super::manifolds::{Foot, Manifold, distance};

/// How a start lies beside the support.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Beside {
    /// A displacement of this length in a uniform direction of the normal space.
    Normal(f64),
    /// Normal noise of this deviation in every coordinate.
    Noise(f64),
}

/// A start with the nearest point of the support.
pub(super) struct Start {
    pub(super) place: Vec<f64>,
    pub(super) nearest: Vec<f64>,
    pub(super) distance: f64,
}

impl Beside {
    /// The name in tables.
    pub(super) fn name(self) -> String {
        match self {
            Self::Normal(length) => format!("displaced by {length}"),
            Self::Noise(level) => format!("noise σ = {level}"),
        }
    }

    /// A start beside point `index` of the support.
    pub(super) fn start(self, manifold: &Manifold, index: usize, rng: &mut impl Rng) -> Start {
        let foot = manifold.foot(index, rng);
        let place = match self {
            Self::Normal(length) => displaced(&foot, length, rng),
            Self::Noise(level) => {
                foot.place.iter().map(|x| x + level * rng.sample::<f64, _>(StandardNormal)).collect()
            }
        };
        let nearest = manifold.project(&place);
        Start { distance: distance(&place, &nearest), place, nearest }
    }
}

/// The foot, displaced by `length` in a uniform direction of the normal space.
pub(super) fn displaced(foot: &Foot, length: f64, rng: &mut impl Rng) -> Vec<f64> {
    let mut normal: Vec<f64> = foot.place.iter().map(|_| rng.sample(StandardNormal)).collect();
    for tangent in &foot.tangents {
        let dot: f64 = normal.iter().zip(tangent).map(|(n, t)| n * t).sum();
        normal.iter_mut().zip(tangent).for_each(|(n, t)| *n -= dot * t);
    }
    let scale = length / normal.iter().map(|n| n * n).sum::<f64>().sqrt();
    foot.place.iter().zip(&normal).map(|(p, n)| p + scale * n).collect()
}

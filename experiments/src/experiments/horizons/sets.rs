//! The laws, each with its exact score for the random horizon and its exact denoisers for the deterministic one.

use anyhow::Result;
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent::core::marginal::{StudentMixture, StudentT, UniformSphere};
use resolvent::core::random::{Purpose, stream};
use resolvent::core::score::{SmoothedScore, SphereScore};
use resolvent::core::{
    Denoiser, EmpiricalMeasure, EmpiricalScore, GaussianMixture, KilledBrownianMotion, Score,
};
use resolvent::data::{Atoms, Checkerboard, Circle, Glyphs, Law, Sphere, Support, SwissRollCurve};

use super::Settings;
use crate::experiments::horizon_methods::{AUGMENTED, Backward, Death, Random};
use crate::experiments::samplers::laws::{DEVIATION, LATTICE, lattice, scaled};

/// Weights of the atoms.
const WEIGHTS: [f64; 5] = [1.0, 2.0, 1.0, 0.5, 1.5];
/// Dimensions around the circle, the sphere and the atoms.
const CIRCLE: usize = 8;
const SPHERE: usize = 10;
const ATOMS: usize = 32;
/// The stream of the atoms.
const STREAM: u64 = 1 << 41;

/// A law of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    Gaussians,
    SwissRoll,
    Checkerboard,
    Circle,
    Sphere,
    Atoms,
    Glyphs,
}

impl Set {
    pub(super) const ALL: [Self; 7] = [
        Self::Gaussians,
        Self::SwissRoll,
        Self::Checkerboard,
        Self::Circle,
        Self::Sphere,
        Self::Atoms,
        Self::Glyphs,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gaussians => "25 Gaussians in the plane",
            Self::SwissRoll => "swiss roll, points in the plane",
            Self::Checkerboard => "checkerboard, points in the plane",
            Self::Circle => "circle in R⁸",
            Self::Sphere => "sphere S² in R¹⁰",
            Self::Atoms => "five atoms in R³²",
            Self::Glyphs => "glyphs, points in R⁷⁸⁴",
        }
    }

    pub(super) fn stem(self) -> &'static str {
        match self {
            Self::Gaussians => "gaussians",
            Self::SwissRoll => "swiss-roll",
            Self::Checkerboard => "checkerboard",
            Self::Circle => "circle",
            Self::Sphere => "sphere",
            Self::Atoms => "atoms",
            Self::Glyphs => "glyphs",
        }
    }

    /// The methods of the random horizon that reach it.
    pub(super) fn methods(self) -> &'static [Random] {
        if self == Self::Gaussians { &Random::DENSITY } else { &Random::HITTING }
    }

    /// Whether the backward process hits the support at once from a noise level that an evaluation sees, so that the theory
    /// has the end law right: codimension of six and more.
    pub(super) fn is_hit_fast(self) -> bool {
        matches!(self, Self::Circle | Self::Sphere | Self::Atoms)
    }

    /// Why a method of the random horizon may fall behind here; true of the law whatever was measured.
    pub(super) fn hardship(self) -> &'static str {
        match self {
            Self::Gaussians => {
                "A density has no support to be hit. Every particle must be killed by a clock, whose rate α/u rises from almost \
                 nothing to its height within the width of a component, 0.02, and the steps must resolve that: evaluations \
                 that a sampler with a last level does not need."
            }
            Self::SwissRoll | Self::Checkerboard => {
                "Points in the plane are hit logarithmically slowly: u is like the logarithm of the distance there, the pull towards \
                 the data is weak far away, a path wanders between the data for most of its life, and the number of steps \
                 grows like the square of the logarithm of the distance over the resolution."
            }
            Self::Circle | Self::Sphere | Self::Atoms => {
                "The number of steps grows with the logarithm of the distance at the start, which is of the order 1/√r and \
                 random, over the resolution; steps in the middle, where the posterior over end points turns, decide which \
                 of the data is reached, and they get no more than their share."
            }
            Self::Glyphs => {
                "In high dimension two data are told apart within a small share of the time in which the distance to them contracts: \
                 of the steps from the start to the resolution only a few fall there, while a grid of noise levels made for images \
                 has most of its levels there."
            }
        }
    }

    /// Particles of one run.
    pub(super) fn samples(self, settings: &Settings) -> usize {
        if self == Self::Glyphs { settings.image_points_samples } else { settings.samples }
    }

    pub(super) fn target(self, settings: &Settings, seed: u64) -> Result<Target> {
        let spread = |k: f64| DEVIATION * (k + 1.0).sqrt();
        let empirical = |points: DMatrix<f64>| Target::empirical(points, None);
        match self {
            Self::Gaussians => {
                let law = lattice()?;
                let (means, weights) = (law.means().clone(), law.weights().to_vec());
                let mixture =
                    || GaussianMixture::isotropic(&weights, means.clone(), &vec![LATTICE.1; weights.len()]);
                Ok(Target {
                    denoiser: Box::new(mixture()?),
                    student: Box::new(StudentMixture::new(mixture()?, AUGMENTED)?),
                    truth: Truth::Density(Box::new(law)),
                    data: None,
                    measure: Some(EmpiricalMeasure::weighted(means, &weights)?),
                    sphere: None,
                })
            }
            Self::SwissRoll => empirical(scaled(&SwissRollCurve::new(1.0, 2)?, settings.data, seed)),
            Self::Checkerboard => empirical(scaled(&Checkerboard::new(4, 1.0)?, settings.data, seed)),
            Self::Circle => {
                let radius = spread(1.0);
                Target::sphere(Box::new(Circle::new(radius, CIRCLE)?), 1, radius, CIRCLE)
            }
            Self::Sphere => {
                let radius = spread(2.0);
                Target::sphere(Box::new(Sphere::new(2, radius, SPHERE)?), 2, radius, SPHERE)
            }
            Self::Atoms => {
                let mut rng = stream(seed, Purpose::Experiment, STREAM);
                let normal = |_, _| DEVIATION * rng.sample::<f64, _>(StandardNormal);
                let mut points = DMatrix::from_fn(ATOMS, WEIGHTS.len(), normal);
                let total: f64 = WEIGHTS.iter().sum();
                let mean = &points * nalgebra::DVector::from_column_slice(&WEIGHTS) / total;
                points.column_iter_mut().for_each(|mut x| x -= &mean);
                Target::empirical(points, Some(&WEIGHTS))
            }
            Self::Glyphs => {
                let mut points = Glyphs.sample(settings.image_points, seed);
                let mean = points.column_mean();
                points.column_iter_mut().for_each(|mut x| x -= &mean);
                empirical(points)
            }
        }
    }
}

/// The law itself, to draw from and to measure distances to.
pub(super) enum Truth {
    Support(Box<dyn Support>),
    Density(Box<dyn Law>),
}

/// A law with what drives the samplers to it.
pub(super) struct Target {
    pub(super) denoiser: Box<dyn Denoiser>,
    /// The same under the noise of PFGM++.
    pub(super) student: Box<dyn Denoiser>,
    truth: Truth,
    /// The data (d x m), where the law is the uniform one on many points.
    data: Option<DMatrix<f64>>,
    measure: Option<EmpiricalMeasure>,
    /// Dimension and radius.
    sphere: Option<(usize, f64)>,
}

impl Target {
    fn empirical(points: DMatrix<f64>, weights: Option<&[f64]>) -> Result<Self> {
        let uniform = vec![1.0; points.ncols()];
        let measure = EmpiricalMeasure::weighted(points.clone(), weights.unwrap_or(&uniform))?;
        Ok(Self {
            denoiser: Box::new(measure.clone()),
            student: Box::new(StudentT::new(measure.clone(), AUGMENTED)?),
            truth: Truth::Support(Box::new(Atoms::new(points.clone(), weights.unwrap_or(&uniform))?)),
            data: weights.is_none().then_some(points),
            measure: Some(measure),
            sphere: None,
        })
    }

    fn sphere(law: Box<dyn Support>, intrinsic: usize, radius: f64, dim: usize) -> Result<Self> {
        let sphere = UniformSphere::new(intrinsic, radius, dim)?;
        Ok(Self {
            denoiser: Box::new(sphere.clone()),
            student: Box::new(StudentMixture::new(sphere, AUGMENTED)?),
            truth: Truth::Support(law),
            data: None,
            measure: None,
            sphere: Some((intrinsic, radius)),
        })
    }

    pub(super) fn dim(&self) -> usize {
        self.denoiser.dim()
    }

    /// `n` independent points (d x n).
    pub(super) fn sample(&self, n: usize, seed: u64) -> DMatrix<f64> {
        match &self.truth {
            Truth::Support(law) => law.sample(n, seed),
            Truth::Density(law) => law.sample(n, seed),
        }
    }

    /// The mean distance of `points` to the support, where there is one.
    pub(super) fn distance(&self, points: &DMatrix<f64>) -> Option<f64> {
        let Truth::Support(support) = &self.truth else { return None };
        let distances = points.column_iter().map(|x| support.distance(x.as_slice()));
        Some(distances.sum::<f64>() / points.ncols() as f64)
    }

    /// Different points that stand for the law where neighbourhoods are compared: the data themselves where they are the law, none
    /// for a few atoms.
    pub(super) fn landmarks(&self, draws: &DMatrix<f64>) -> Option<DMatrix<f64>> {
        match (&self.data, &self.measure) {
            (Some(data), _) => Some(data.clone()),
            (None, Some(_)) if matches!(self.truth, Truth::Support(_)) => None,
            _ => Some(draws.clone()),
        }
    }

    /// Calls `with` with the backward process of killed Brownian motion at the rate and resolution of the settings.
    pub(super) fn backward<T>(
        &self,
        settings: &Settings,
        with: impl FnOnce(&Backward<'_>) -> Result<T>,
    ) -> Result<T> {
        let process = KilledBrownianMotion::new(self.dim(), 1.0, settings.rate)?;
        let floor = settings.floor * (self.dim() as f64).sqrt();
        let run = |score: &dyn Score, death: Death<'_>| {
            let process = process.clone();
            with(&Backward { process, score, death, floor, tells_spread: true, batch: None })
        };
        match (&self.sphere, &self.measure, &self.truth) {
            (Some((intrinsic, radius)), ..) => {
                run(&SphereScore::new(&process, *intrinsic, *radius)?, Death::Hit)
            }
            (None, Some(measure), Truth::Density(_)) => {
                let score = SmoothedScore::new(&process, measure.clone(), LATTICE.1)?;
                run(&score, Death::Rate(&|x: &[f64]| score.log_hazard(x)))
            }
            (None, Some(measure), Truth::Support(_)) => {
                run(&EmpiricalScore::new(&process, measure.clone())?, Death::Hit)
            }
            (None, None, _) => unreachable!("a law is a sphere or made of points"),
        }
    }
}

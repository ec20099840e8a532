//! The laws, each with its exact denoiser.

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::marginal::UniformSphere;
use resolvent::core::{Denoiser, EmpiricalMeasure, GaussianMixture};
use resolvent::data::{self, Atoms, Checkerboard, Circle, Law, SwissRollCurve, Tree};

/// The deviation of a coordinate, over those in which the law lies: what the EDM grid is made for (Karras et al. 2022,
/// table 1).
pub(in crate::experiments) const DEVIATION: f64 = 0.5;
/// Gaussians along a side of the lattice, and the deviation of each.
pub(in crate::experiments) const LATTICE: (usize, f64) = (5, 0.02);
/// Dimension around the circle.
const AROUND: usize = 20;

/// A law that can be drawn from and denoised exactly.
pub(super) struct Target {
    pub(super) name: &'static str,
    pub(super) stem: &'static str,
    pub(super) law: Box<dyn Law>,
    pub(super) denoiser: Box<dyn Denoiser>,
    /// Not the empirical measure of data.
    pub(super) closed_form: bool,
}

/// All laws; `count` data stand for those without a closed form.
pub(super) fn targets(count: usize, seed: u64) -> Result<Vec<Target>> {
    let (_, deviation) = LATTICE;
    let lattice = lattice()?;
    let components = lattice.weights().len();
    let mixture =
        GaussianMixture::isotropic(lattice.weights(), lattice.means().clone(), &vec![deviation; components])?;
    let radius = DEVIATION * f64::sqrt(2.0);
    Ok(vec![
        empirical("swiss roll", "swiss-roll", &SwissRollCurve::new(1.0, 2)?, count, seed)?,
        empirical("checkerboard", "checkerboard", &Checkerboard::new(4, 1.0)?, count, seed)?,
        Target {
            name: "25 Gaussians",
            stem: "gaussians",
            law: Box::new(lattice),
            denoiser: Box::new(mixture),
            closed_form: true,
        },
        empirical("tree", "tree", &Tree::new(7, 0.5, 0.75, 2)?, count, seed)?,
        Target {
            name: "circle in R²⁰",
            stem: "circle",
            law: Box::new(Circle::new(radius, AROUND)?),
            denoiser: Box::new(UniformSphere::new(1, radius, AROUND)?),
            closed_form: true,
        },
    ])
}

/// Gaussians on a lattice in the plane.
pub(in crate::experiments) fn lattice() -> Result<data::GaussianMixture> {
    let (side, deviation) = LATTICE;
    // A lattice of five has deviation √2 spacings.
    Ok(data::GaussianMixture::grid(side, DEVIATION / f64::sqrt(2.0), deviation)?)
}

/// `count` draws from `law`, centred and scaled to the deviation [`DEVIATION`] of a coordinate (d x count).
pub(in crate::experiments) fn scaled(law: &dyn Law, count: usize, seed: u64) -> DMatrix<f64> {
    let mut points = law.sample(count, seed);
    let mean = points.column_mean();
    points.column_iter_mut().for_each(|mut x| x -= &mean);
    let deviation = (points.norm_squared() / points.len() as f64).sqrt();
    points * (DEVIATION / deviation)
}

/// The [`scaled`] draws from `law` as the law itself: its denoiser is the ideal one.
fn empirical(
    name: &'static str,
    stem: &'static str,
    law: &dyn Law,
    count: usize,
    seed: u64,
) -> Result<Target> {
    let points = scaled(law, count, seed);
    let denoiser = Box::new(EmpiricalMeasure::new(points.clone())?);
    Ok(Target { name, stem, law: Box::new(Atoms::uniform(points)?), denoiser, closed_form: false })
}

impl Target {
    /// `n` independent points, d x n.
    pub(super) fn sample(&self, n: usize, seed: u64) -> DMatrix<f64> {
        self.law.sample(n, seed)
    }
}

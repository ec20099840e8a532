//! Circle and sphere as finely spaced weighted points, so that their score is exact.

use std::f64::consts::{PI, TAU};

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::data::Atoms;

use super::poisson;

/// Equally spaced points on the unit circle in the first two of `dim` coordinates, weighted by the density: the
/// trapezoidal rule, whose error at distance ρ is of the order of e^{-2πρ/spacing}.
pub(in crate::experiments) fn circle(dim: usize, count: usize, concentration: f64) -> Result<Atoms> {
    let angle = |k: usize| TAU * (k as f64 + 0.5) / count as f64 - PI;
    let mut points = DMatrix::zeros(dim, count);
    for (k, mut point) in points.column_iter_mut().enumerate() {
        (point[1], point[0]) = angle(k).sin_cos();
    }
    let weights: Vec<_> = (0..count).map(|k| poisson::angle_weight(concentration, angle(k))).collect();
    Ok(Atoms::new(points, &weights)?)
}

/// A spherical Fibonacci lattice on the unit sphere in the first three of `dim` coordinates, every point with the same
/// area, weighted by the density (Swinbank and Purser 2006, Q. J. R. Meteorol. Soc. 132:1769).
pub(in crate::experiments) fn sphere(dim: usize, count: usize, concentration: f64) -> Result<Atoms> {
    let golden = PI * (3.0 - 5f64.sqrt());
    let height = |k: usize| 1.0 - (2.0 * k as f64 + 1.0) / count as f64;
    let mut points = DMatrix::zeros(dim, count);
    for (k, mut point) in points.column_iter_mut().enumerate() {
        let (z, (sin, cos)) = (height(k), (golden * k as f64).sin_cos());
        let radius = (1.0 - z * z).sqrt();
        (point[0], point[1], point[2]) = (radius * cos, radius * sin, z);
    }
    let weights: Vec<_> = (0..count).map(|k| poisson::height_weight(concentration, height(k))).collect();
    Ok(Atoms::new(points, &weights)?)
}

/// How many points of the circle make the spacing `spacing`.
pub(in crate::experiments) fn circle_count(spacing: f64) -> usize {
    (TAU / spacing).ceil() as usize
}

/// How many points of the sphere have the area `spacing`² each.
pub(in crate::experiments) fn sphere_count(spacing: f64) -> usize {
    (4.0 * PI / (spacing * spacing)).ceil() as usize
}

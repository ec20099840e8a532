//! The supports, each with the law on it, the killed process and its exact score.

use std::f64::consts::{FRAC_PI_2, PI, TAU};

use anyhow::Result;
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent::core::killing::SupScore;
use resolvent::core::random::{Purpose, stream};
use resolvent::core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion};
use resolvent::data::{Atoms, Circle, Embedded, Law, Sphere, Support, SwissRoll, Torus};

use super::Settings;
use crate::experiments::harmonic::end_law::EndLaw;
use crate::experiments::harmonic::quadrature::{circle, circle_count, sphere, sphere_count};

/// How unequal the law on circle and sphere is: the distance from the centre of the point whose harmonic measure it is.
const CONCENTRATION: f64 = 0.5;
/// The root mean square of the distance that the killed process goes from the data, in all dimensions: the rate is d over its square.
const SPREAD: f64 = 2.0;
/// Of the atoms: how many, in which dimension.
const ATOMS: (usize, usize) = (20, 32);
/// Dimension around torus and swiss roll.
const AROUND: usize = 10;
/// Radii of the torus.
const TORUS: (f64, f64) = (1.0, 0.4);
/// Of the swiss roll: from which angle to which, height, and what both are multiplied by.
const ROLL: (f64, f64, f64, f64) = (3.0 * FRAC_PI_2, 9.0 * FRAC_PI_2, 10.0, 0.1);
/// Turns torus and swiss roll.
const TURN: u64 = 1;
/// Pairs of data whose mean distance is the unit of end-law errors.
const PAIRS: usize = 2_000;

/// Where the data lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Circle(usize),
    Sphere,
    Atoms,
    Torus,
    SwissRoll,
}

impl Place {
    /// Those on which every rule meets every step and every score.
    pub(super) const FULL: [Self; 3] = [Self::Circle(8), Self::Sphere, Self::Atoms];

    pub(super) fn name(self) -> String {
        match self {
            Self::Circle(dim) => format!("circle in R{}", raised(dim)),
            Self::Sphere => "S² in R¹⁰".into(),
            Self::Atoms => format!("{} atoms in R{}", ATOMS.0, raised(ATOMS.1)),
            Self::Torus => format!("torus in R{}", raised(AROUND)),
            Self::SwissRoll => format!("swiss roll in R{}", raised(AROUND)),
        }
    }

    pub(super) fn stem(self) -> String {
        match self {
            Self::Circle(dim) => format!("circle-{dim}"),
            Self::Sphere => "sphere-10".into(),
            Self::Atoms => format!("atoms-{}", ATOMS.1),
            Self::Torus => format!("torus-{AROUND}"),
            Self::SwissRoll => format!("swiss-roll-{AROUND}"),
        }
    }

    /// The data, the support they lie on, and how the end law is cut into cells.
    pub(super) fn target(self, settings: &Settings) -> Result<Target> {
        let Settings { curve_delta, surface_delta, atom_delta, curve_spacing, surface_spacing, .. } =
            settings;
        let (law, support, delta, end_law): (Atoms, Box<dyn Support>, f64, Option<EndLaw>) = match self {
            Self::Circle(dim) => {
                let law = circle(dim, circle_count(curve_spacing * curve_delta), CONCENTRATION)?;
                let end_law = EndLaw::Angle { concentration: CONCENTRATION };
                (law, Box::new(Circle::new(1.0, dim)?), *curve_delta, Some(end_law))
            }
            Self::Sphere => {
                let law = sphere(10, sphere_count(surface_spacing * surface_delta), CONCENTRATION)?;
                let end_law = EndLaw::Height { concentration: CONCENTRATION };
                (law, Box::new(Sphere::new(2, 1.0, 10)?), *surface_delta, Some(end_law))
            }
            Self::Atoms => {
                let (count, dim) = ATOMS;
                let mut rng = stream(0, Purpose::Experiment, 0);
                let points = DMatrix::from_fn(dim, count, |_, _| rng.sample(StandardNormal));
                let weights: Vec<f64> = (0..count).map(|i| 1.0 + (i % 5) as f64).collect();
                let law = Atoms::new(points, &weights)?;
                (law.clone(), Box::new(law), *atom_delta, Some(EndLaw::Nearest))
            }
            Self::Torus => {
                let law = Embedded::new(Torus::new(TORUS.0, TORUS.1, 3)?, AROUND, TURN)?;
                let (points, weights) = torus(surface_spacing * surface_delta);
                (Atoms::new(law.embed(&points), &weights)?, Box::new(law), *surface_delta, None)
            }
            Self::SwissRoll => {
                let (start, end, height, scale) = ROLL;
                let roll = SwissRoll::with_shape(start, end, height, scale, 3)?;
                let law = Embedded::new(roll, AROUND, TURN)?;
                let (points, weights) = swiss_roll(surface_spacing * surface_delta);
                (Atoms::new(law.embed(&points), &weights)?, Box::new(law), *surface_delta, None)
            }
        };
        let dim = law.dim();
        let process = KilledBrownianMotion::new(dim, 1.0, dim as f64 / (SPREAD * SPREAD))?;
        let measure = EmpiricalMeasure::weighted(law.points().clone(), law.weights())?;
        let score = EmpiricalScore::new(&process, measure)?;
        let scale = mean_distance(&law);
        Ok(Target { process, law, score, support, delta, end_law, scale })
    }
}

/// A number as an exponent.
fn raised(number: usize) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    number.to_string().bytes().map(|digit| DIGITS[usize::from(digit - b'0')]).collect()
}

/// A support, the law on it, and the killed process started in it.
pub(super) struct Target {
    pub(super) process: KilledBrownianMotion,
    /// The data law, as finely spaced weighted points.
    pub(super) law: Atoms,
    pub(super) score: EmpiricalScore,
    pub(super) support: Box<dyn Support>,
    /// The distance at which rules are to kill.
    pub(super) delta: f64,
    /// Cells whose probabilities are known, where the law has some by its symmetry.
    pub(super) end_law: Option<EndLaw>,
    /// Mean distance of two data.
    pub(super) scale: f64,
}

impl Target {
    /// The sup rule, calibrated by R14 to `delta`.
    pub(super) fn sup(&self, delta: f64) -> Result<SupScore> {
        Ok(SupScore::at_distance(&self.process, self.support.codimension(), delta)?)
    }
}

/// E |Y - Y'| over independent data, from pairs that are the same in every run.
pub(super) fn mean_distance(law: &dyn Law) -> f64 {
    let (a, b) = (law.sample(PAIRS, 0), law.sample(PAIRS, 1));
    a.column_iter().zip(b.column_iter()).map(|(a, b)| (a - b).norm()).sum::<f64>() / PAIRS as f64
}

/// A density that no symmetry of circle, torus or roll preserves.
fn tilt(theta: f64) -> f64 {
    1.0 + CONCENTRATION * theta.cos()
}

/// Points on the torus in R³ about `spacing` apart, and their shares of a tilted law.
fn torus(spacing: f64) -> (DMatrix<f64>, Vec<f64>) {
    let (major, minor) = TORUS;
    let count = |length: f64| (length / spacing).ceil() as usize;
    let (around, across) = (count(TAU * (major + minor)), count(TAU * minor));
    let angle = |k: usize, count: usize| TAU * (k as f64 + 0.5) / count as f64 - PI;
    let mut points = DMatrix::zeros(3, around * across);
    let mut weights = Vec::with_capacity(around * across);
    for (k, mut point) in points.column_iter_mut().enumerate() {
        let (theta, phi) = (angle(k % around, around), angle(k / around, across));
        let from_axis = major + minor * phi.cos();
        (point[0], point[1], point[2]) =
            (from_axis * theta.cos(), from_axis * theta.sin(), minor * phi.sin());
        weights.push(from_axis * tilt(theta));
    }
    (points, weights)
}

/// Points on the swiss roll in R³ about `spacing` apart, and their shares of a tilted law.
fn swiss_roll(spacing: f64) -> (DMatrix<f64>, Vec<f64>) {
    let (start, end, height, scale) = ROLL;
    // The arc length is close to t²/2 so far out, so equal steps of t² are nearly equally long.
    let (low, high) = (start * start, end * end);
    let along = (scale * 0.5 * (high - low) / spacing).ceil() as usize;
    let up = (scale * height / spacing).ceil() as usize;
    let middle = |k: usize, count: usize| (k as f64 + 0.5) / count as f64;
    let mut points = DMatrix::zeros(3, along * up);
    let mut weights = Vec::with_capacity(along * up);
    for (k, mut point) in points.column_iter_mut().enumerate() {
        let t = (low + (high - low) * middle(k % along, along)).sqrt();
        let h = height * middle(k / along, up);
        (point[0], point[1], point[2]) = (scale * t * t.cos(), scale * h, scale * t * t.sin());
        // √(1 + t²) dt, t dt being the same for all.
        weights.push((1.0 + t * t).sqrt() / t * tilt(PI * (t - start) / (end - start)));
    }
    (points, weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lattices_lie_on_their_supports_as_closely_as_said() {
        let (torus, _) = torus(0.1);
        let (roll, _) = swiss_roll(0.1);
        let on_torus = Torus::new(TORUS.0, TORUS.1, 3).unwrap();
        let (start, end, height, scale) = ROLL;
        let on_roll = SwissRoll::with_shape(start, end, height, scale, 3).unwrap();
        for (points, support) in [(torus, &on_torus as &dyn Support), (roll, &on_roll)] {
            assert!(points.column_iter().all(|x| support.distance(x.as_slice()) < 1e-12));
            // Half a diagonal of a cell that is a little longer than wide.
            for x in support.sample(500, 3).column_iter() {
                let gap = points.column_iter().map(|y| (x - y).norm()).fold(f64::INFINITY, f64::min);
                assert!(gap < 0.09, "{gap}");
            }
        }
    }

    #[test]
    fn exponents_are_raised() {
        assert_eq!(raised(784), "⁷⁸⁴");
    }
}

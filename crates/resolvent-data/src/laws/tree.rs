//! The uniform law on a fractal tree.

use super::Segments;
use crate::error::{self, Error, Result};
use crate::law::{Law, Support};
use nalgebra::DMatrix;
use rand::Rng;
use std::f64::consts::PI;

/// Levels of the largest tree: 65,535 branches.
const MOST_LEVELS: u32 = 16;
/// The last branches, over the length of the trunk, may not be shorter: their ends would be lost in rounding.
const SHORTEST: f64 = 1e-6;

/// The law uniform with respect to length on the branches of a binary tree in the first two of d coordinates.
///
/// The trunk goes from the origin to (0, 1). At the end of every branch but the last ones two grow, turned to
/// the left and to the right by one angle and shorter by one ratio. Branches may meet and cross; where they
/// coincide lengths add up.
#[derive(Clone, Debug)]
pub struct Tree {
    branches: Segments,
    levels: u32,
}

impl Tree {
    /// The tree with `levels` in 1..=16 generations of branches, the trunk included, in R^dim, dim >= 2.
    /// `angle` (radians) lies strictly between 0 and pi, `ratio` between 0 and 1, 1 included; the last
    /// branches, ratio^(levels - 1) long, must reach 1e-6.
    pub fn new(levels: u32, angle: f64, ratio: f64, dim: usize) -> Result<Self> {
        if !(1..=MOST_LEVELS).contains(&levels) {
            return Err(Error::parameter("levels", levels, format_args!("between 1 and {MOST_LEVELS}")));
        }
        if !(angle > 0.0 && angle < PI) {
            return Err(Error::parameter("angle", angle, "strictly between 0 and pi"));
        }
        if !(ratio > 0.0 && ratio <= 1.0 && ratio.powi(levels as i32 - 1) >= SHORTEST) {
            return Err(Error::parameter(
                "ratio",
                ratio,
                format_args!("at most 1 and its power {} at least {SHORTEST:e}", levels - 1),
            ));
        }
        error::dimension(dim, 2)?;
        let count = (1 << levels) - 1;
        let (mut starts, mut ends) = (DMatrix::zeros(dim, count), DMatrix::zeros(dim, count));
        ends[(1, 0)] = 1.0;
        let (sin, cos) = angle.sin_cos();
        // Branch i bears the branches 2 i + 1 and 2 i + 2.
        for i in 0..count / 2 {
            let (x, y) = (ends[(0, i)], ends[(1, i)]);
            let (u, v) = (ratio * (x - starts[(0, i)]), ratio * (y - starts[(1, i)]));
            for (child, sin) in [(2 * i + 1, sin), (2 * i + 2, -sin)] {
                (starts[(0, child)], starts[(1, child)]) = (x, y);
                (ends[(0, child)], ends[(1, child)]) = (x + cos * u - sin * v, y + sin * u + cos * v);
            }
        }
        Ok(Self { branches: Segments::new(starts, &ends)?, levels })
    }

    /// Generations of branches, the trunk included.
    pub fn levels(&self) -> u32 {
        self.levels
    }

    /// The branches, 2^levels - 1 of them, the trunk first and one generation after the other.
    pub fn branches(&self) -> &Segments {
        &self.branches
    }
}

impl Law for Tree {
    fn dim(&self) -> usize {
        self.branches.dim()
    }

    fn sample_into(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        self.branches.sample_into(rng, out);
    }
}

impl Support for Tree {
    fn intrinsic_dim(&self) -> usize {
        1
    }

    fn project_into(&self, x: &[f64], out: &mut [f64]) {
        self.branches.project_into(x, out);
    }

    fn distance(&self, x: &[f64]) -> f64 {
        self.branches.distance(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::checks::{check_support, chi_square, rng};
    use rand::RngExt;

    /// One branch of the test's own tree: where it starts, where it points (an angle from the vertical), how
    /// long it is.
    type Branch = ([f64; 2], f64, f64);

    /// Grows the tree by recursion over headings.
    fn grow(levels: u32, angle: f64, ratio: f64) -> Vec<Branch> {
        fn add((start, heading, length): Branch, levels: u32, angle: f64, ratio: f64, to: &mut Vec<Branch>) {
            to.push((start, heading, length));
            if levels > 1 {
                let end = at((start, heading, length), 1.0);
                for turn in [-angle, angle] {
                    add((end, heading + turn, ratio * length), levels - 1, angle, ratio, to);
                }
            }
        }
        let mut branches = Vec::new();
        add(([0.0, 0.0], 0.0, 1.0), levels, angle, ratio, &mut branches);
        branches
    }

    /// The point of a branch at a share of its length.
    fn at((start, heading, length): Branch, share: f64) -> [f64; 2] {
        [start[0] + share * length * heading.sin(), start[1] + share * length * heading.cos()]
    }

    #[test]
    fn support() {
        let law = Tree::new(6, 0.5, 0.7, 2).unwrap();
        check_support(&law, 3.0);
        assert_eq!((law.intrinsic_dim(), law.codimension(), law.levels()), (1, 1, 6));
        let law = Tree::new(3, 2.0, 1.0, 5).unwrap();
        check_support(&law, 2.0);
        assert_eq!(law.codimension(), 4);
    }

    /// The distance from random points against 2,000 points on each of 31 branches, which are less than 5e-4
    /// apart.
    #[test]
    fn distances_are_those_of_a_fine_grid() {
        let law = Tree::new(5, 0.6, 0.7, 3).unwrap();
        let grid: Vec<[f64; 2]> = grow(5, 0.6, 0.7)
            .into_iter()
            .flat_map(|branch| (0..2_000).map(move |i| at(branch, (f64::from(i) + 0.5) / 2e3)))
            .collect();
        let mut rng = rng(7);
        for _ in 0..200 {
            let x = [rng.random_range(-2.0..2.0), rng.random_range(-0.5..3.0), rng.random_range(-0.2..0.2)];
            let nearest = grid
                .iter()
                .map(|g| (x[0] - g[0]).hypot(x[1] - g[1]).hypot(x[2]))
                .fold(f64::INFINITY, f64::min);
            let distance = law.distance(&x);
            assert!(
                distance <= nearest + 1e-12 && nearest <= distance + 2.5e-4,
                "{x:?}: {distance} or {nearest}"
            );
        }
    }

    /// Halves of the branches of a tree that does not meet itself, each found by its nearest midpoint among
    /// all quarters.
    #[test]
    fn samples_are_uniform_in_length() {
        let (levels, angle, ratio) = (5, 0.6, 0.55);
        let branches = grow(levels, angle, ratio);
        let total: f64 = branches.iter().map(|b| b.2).sum();
        let masses: Vec<f64> = branches.iter().flat_map(|b| [0.5 * b.2 / total; 2]).collect();
        let part = |x: &[f64]| {
            let from = |(start, heading, length): Branch| {
                let (u, v) = (x[0] - start[0], x[1] - start[1]);
                let (sin, cos) = heading.sin_cos();
                let (along, across) = (u * sin + v * cos, u * cos - v * sin);
                (across.hypot((along - 0.5 * length).abs().max(0.5 * length) - 0.5 * length), along / length)
            };
            let (i, (off, share)) = branches
                .iter()
                .map(|&b| from(b))
                .enumerate()
                .min_by(|a, b| a.1.0.total_cmp(&b.1.0))
                .unwrap_or((usize::MAX, (f64::NAN, f64::NAN)));
            assert!(off < 1e-12, "{x:?} is {off:e} off the tree");
            2 * i + usize::from(share >= 0.5)
        };
        let points = Tree::new(levels, angle, ratio, 2).unwrap().sample(20_000, 4);
        chi_square(points.column_iter().map(|x| part(x.as_slice())), &masses);
    }

    #[test]
    fn parameters_are_checked() {
        let message =
            |levels, angle, ratio, dim| Tree::new(levels, angle, ratio, dim).unwrap_err().to_string();
        assert_eq!(message(0, 0.5, 0.5, 2), "levels = 0: must be between 1 and 16");
        assert_eq!(message(17, 0.5, 0.9, 2), "levels = 17: must be between 1 and 16");
        assert_eq!(message(3, 0.0, 0.5, 2), "angle = 0: must be strictly between 0 and pi");
        assert!(message(3, f64::NAN, 0.5, 2).starts_with("angle = NaN"));
        assert_eq!(message(3, 0.5, 1.5, 2), "ratio = 1.5: must be at most 1 and its power 2 at least 1e-6");
        assert!(message(3, 0.5, 1e-4, 2).starts_with("ratio = 0.0001"));
        assert_eq!(message(3, 0.5, 0.5, 1), "dim = 1: must be at least 2");
    }
}

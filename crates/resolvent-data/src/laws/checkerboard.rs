//! The uniform law on the squares of one colour of a checkerboard.

use crate::error::{self, Error, Result};
use crate::law::{Density, Law};
use rand::{Rng, RngExt};

/// The uniform law on every other square of a board of n x n squares on [-h, h]^2; the square at the lower
/// left is one of them. The usual board has n = 4 and h = 4.
#[derive(Clone, Debug)]
pub struct Checkerboard {
    cells: u32,
    half_width: f64,
    log_level: f64,
}

impl Checkerboard {
    /// The board of `cells` x `cells` squares, cells >= 2, on [-half_width, half_width]^2, half_width > 0.
    pub fn new(cells: u32, half_width: f64) -> Result<Self> {
        if cells < 2 {
            return Err(Error::parameter("cells", cells, "at least 2"));
        }
        error::positive("half_width", half_width)?;
        let squares = (f64::from(cells).powi(2) / 2.0).ceil();
        let log_level = -squares.ln() - 2.0 * (2.0 * half_width / f64::from(cells)).ln();
        Ok(Self { cells, half_width, log_level })
    }

    /// Number n of squares along one side of the board, of both colours.
    pub fn cells(&self) -> u32 {
        self.cells
    }

    /// Half the side h of the board.
    pub fn half_width(&self) -> f64 {
        self.half_width
    }

    /// Whether `x`, of length 2, lies on a square that carries mass. A square owns its left and lower sides.
    pub fn contains(&self, x: &[f64]) -> bool {
        let cells = f64::from(self.cells);
        let [column, row] =
            [x[0], x[1]].map(|x| ((x + self.half_width) / (2.0 * self.half_width) * cells).floor());
        let on_board = |i: f64| (0.0..cells).contains(&i);
        on_board(column) && on_board(row) && (column + row) % 2.0 == 0.0
    }
}

impl Law for Checkerboard {
    fn dim(&self) -> usize {
        2
    }

    /// By rejection from the board, of which at least half carries mass.
    fn sample_into(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        loop {
            out.fill_with(|| self.half_width * (2.0 * rng.random::<f64>() - 1.0));
            if self.contains(out) {
                return;
            }
        }
    }
}

impl Density for Checkerboard {
    fn log_density(&self, x: &[f64]) -> f64 {
        if self.contains(x) { self.log_level } else { f64::NEG_INFINITY }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::checks::{chi_square, kolmogorov};

    /// The board [-4, 4]^2 of four squares a side, square by square.
    #[test]
    fn squares_alternate() {
        let law = Checkerboard::new(4, 4.0).unwrap();
        for (y, row) in [3.0, 1.0, -1.0, -3.0].into_iter().zip(["_#_#", "#_#_", "_#_#", "#_#_"]) {
            for (x, square) in [-3.0, -1.0, 1.0, 3.0].into_iter().zip(row.chars()) {
                assert_eq!(law.contains(&[x, y]), square == '#', "({x}, {y})");
                let density = if square == '#' { 1.0 / 32.0 } else { 0.0 };
                assert!((law.log_density(&[x, y]).exp() - density).abs() < 1e-16, "({x}, {y})");
            }
        }
        assert!(law.contains(&[-4.0, -4.0]) && !law.contains(&[4.0, 4.0]));
        for outside in [[-4.1, -3.0], [3.0, 4.1], [5.0, 5.0], [f64::NAN, 1.0], [f64::INFINITY, 1.0]] {
            assert!(!law.contains(&outside), "{outside:?}");
            assert_eq!(law.log_density(&outside), f64::NEG_INFINITY);
        }
    }

    #[test]
    fn samples_have_the_density() {
        for (cells, half_width, seed) in [(4, 4.0, 1), (3, 0.7, 2)] {
            let law = Checkerboard::new(cells, half_width).unwrap();
            // Twice as many parts as squares along a side; on each the density is constant.
            let parts = 2 * cells as usize;
            let width = 2.0 * half_width / parts as f64;
            let centre = |part: usize| (part as f64 + 0.5) * width - half_width;
            let masses: Vec<f64> = (0..parts * parts)
                .map(|i| law.log_density(&[centre(i % parts), centre(i / parts)]).exp() * width * width)
                .collect();
            assert!((masses.iter().sum::<f64>() - 1.0).abs() < 1e-14);
            let points = law.sample(20_000, seed);
            let part = |x: f64| ((x + half_width) / width) as usize;
            chi_square(points.column_iter().map(|x| part(x[0]) + parts * part(x[1])), &masses);
            for row in points.row_iter() {
                let side = 2.0 * width;
                kolmogorov(row.iter().map(|x| ((x + half_width) / side).fract()), |share| share);
            }
        }
    }

    #[test]
    fn parameters_are_checked() {
        let message = Checkerboard::new(1, 4.0).unwrap_err().to_string();
        assert_eq!(message, "cells = 1: must be at least 2");
        let message = Checkerboard::new(4, -1.0).unwrap_err().to_string();
        assert_eq!(message, "half_width = -1: must be positive and finite");
    }
}

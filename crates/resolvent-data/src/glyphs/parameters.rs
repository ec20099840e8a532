//! The parameters of a glyph and their law.

use rand::{Rng, RngExt};

/// One point of the family: a digit and seven continuous parameters. [`draw`](Self::draw) takes each of them uniformly from
/// the range given here, independently; [`render`](super::render) accepts any finite values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GlyphParameters {
    /// The digit, 0 to 9.
    pub digit: u8,
    /// Clockwise rotation in radians, -0.2 to 0.2.
    pub rotation: f64,
    /// Horizontal scale, 0.8 to 1.15.
    pub scale_x: f64,
    /// Vertical scale, 0.85 to 1.05.
    pub scale_y: f64,
    /// Shear: the shift to the right per unit of height, -0.1 to 0.3.
    pub shear: f64,
    /// Shift to the right in pixels, -1.5 to 1.5.
    pub shift_x: f64,
    /// Shift downwards in pixels, -1.5 to 1.5.
    pub shift_y: f64,
    /// Half the width of the stroke in pixels, 0.9 to 1.7.
    pub width: f64,
}

impl GlyphParameters {
    /// The upright digit of unit scale in the centre of the image, half width 1.3. `digit` is taken modulo 10.
    pub fn upright(digit: u8) -> Self {
        Self {
            digit: digit % 10,
            rotation: 0.0,
            scale_x: 1.0,
            scale_y: 1.0,
            shear: 0.0,
            shift_x: 0.0,
            shift_y: 0.0,
            width: 1.3,
        }
    }

    /// Draws a uniform digit and uniform parameters.
    pub fn draw<R: Rng + ?Sized>(rng: &mut R) -> Self {
        Self {
            digit: rng.random_range(0..10),
            rotation: rng.random_range(-0.2..0.2),
            scale_x: rng.random_range(0.8..1.15),
            scale_y: rng.random_range(0.85..1.05),
            shear: rng.random_range(-0.1..0.3),
            shift_x: rng.random_range(-1.5..1.5),
            shift_y: rng.random_range(-1.5..1.5),
            width: rng.random_range(0.9..1.7),
        }
    }
}

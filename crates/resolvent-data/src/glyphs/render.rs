//! From parameters to pixels.

use super::GlyphParameters;
use super::skeleton::{Point, SKELETONS};

/// Pixels along one side of an image.
pub const SIDE: usize = 28;

/// Pixels per unit of the skeleton: a digit of unit scale is 18 pixels high, which leaves room for the pen and the shifts.
const UNIT: f64 = 9.0;
/// Half the width in pixels of the transition from ink to background.
const SOFTNESS: f64 = 0.9;

/// Draws a glyph into `image` (784 values in [-1, 1], row by row from the top; -1 is background, +1 is ink).
///
/// The grey value of a pixel is a C^1 function of the distance from its centre to the skeleton, and so of the parameters
/// wherever the nearest point of the skeleton is unique.
pub fn render(parameters: &GlyphParameters, image: &mut [f64]) {
    let place = placement(parameters);
    let reach = parameters.width + SOFTNESS;
    // Squared distances up to the square of the reach; beyond it all is background.
    image.fill(reach * reach);
    for stroke in &SKELETONS[usize::from(parameters.digit % 10)] {
        for ends in stroke.windows(2) {
            lower_to_segment(place(ends[0]), place(ends[1]), reach, image);
        }
    }
    for value in image {
        let depth = (0.5 * (reach - value.sqrt()) / SOFTNESS).clamp(0.0, 1.0);
        *value = 2.0 * depth * depth * (3.0 - 2.0 * depth) - 1.0;
    }
}

/// The affine map from skeleton coordinates to pixel coordinates: scale, shear, rotate, shift.
fn placement(p: &GlyphParameters) -> impl Fn(Point) -> Point {
    let (sin, cos) = p.rotation.sin_cos();
    let centre = 0.5 * (SIDE as f64 - 1.0);
    let (ax, ay) = (UNIT * p.scale_x, UNIT * p.scale_y);
    let (shear, x0, y0) = (p.shear, centre + p.shift_x, centre + p.shift_y);
    move |[x, y]| {
        let (x, y) = (ax * x - shear * ay * y, ay * y);
        [x0 + cos * x - sin * y, y0 + sin * x + cos * y]
    }
}

/// Lowers every squared distance within `reach` of the segment to the squared distance from the segment.
fn lower_to_segment(a: Point, b: Point, reach: f64, image: &mut [f64]) {
    let (vx, vy) = (b[0] - a[0], b[1] - a[1]);
    let inverse = 1.0 / (vx * vx + vy * vy).max(f64::MIN_POSITIVE);
    let (rows, columns) = (pixels(a[1], b[1], reach), pixels(a[0], b[0], reach));
    for row in rows {
        let y = row as f64 - a[1];
        for (column, value) in columns.clone().zip(&mut image[row * SIDE..][columns.clone()]) {
            let x = column as f64 - a[0];
            let t = ((x * vx + y * vy) * inverse).clamp(0.0, 1.0);
            let (dx, dy) = (x - t * vx, y - t * vy);
            *value = value.min(dx * dx + dy * dy);
        }
    }
}

/// The pixels of one axis within `reach` of the interval between `a` and `b`.
fn pixels(a: f64, b: f64, reach: f64) -> std::ops::Range<usize> {
    let first = (a.min(b) - reach).ceil().clamp(0.0, SIDE as f64) as usize;
    let last = (a.max(b) + reach).floor().clamp(-1.0, SIDE as f64 - 1.0);
    first..((last + 1.0) as usize).max(first)
}

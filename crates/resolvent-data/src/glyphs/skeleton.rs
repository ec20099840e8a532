//! The centre lines of the ten digits, as polylines.
//!
//! Coordinates: x to the right, y downwards, the digit between -1 and 1 in height, its centre at the origin. Angles run
//! clockwise from the right, in degrees.

use std::sync::LazyLock;

pub(super) type Point = [f64; 2];

/// The strokes of each digit; consecutive points of a stroke are joined by straight segments. A stroke
/// of several pieces runs through them in turn.
pub(super) static SKELETONS: LazyLock<[Vec<Vec<Point>>; 10]> = LazyLock::new(|| {
    [
        vec![arc([0.0, 0.0], [0.6, 1.0], 270.0, 630.0)],
        vec![vec![[-0.34, -0.6], [0.06, -1.0], [0.06, 1.0]]],
        vec![
            [
                arc([0.0, -0.45], [0.56, 0.55], 195.0, 395.0),
                curve([0.459, -0.135], [0.27, 0.24], [-0.35, 0.62], [-0.6, 1.0]),
                vec![[-0.6, 1.0], [0.62, 1.0]],
            ]
            .concat(),
        ],
        vec![
            [arc([-0.02, -0.51], [0.5, 0.49], 205.0, 450.0), arc([-0.02, 0.49], [0.6, 0.51], 270.0, 515.0)]
                .concat(),
        ],
        vec![vec![[0.28, 1.0], [0.28, -1.0], [-0.62, 0.36], [0.64, 0.36]]],
        vec![
            [vec![[0.5, -1.0], [-0.38, -1.0], [-0.45, -0.06]], arc([-0.02, 0.37], [0.6, 0.63], 224.0, 505.0)]
                .concat(),
        ],
        vec![
            [
                curve([0.4, -0.98], [-0.16, -0.84], [-0.58, -0.24], [-0.58, 0.42]),
                arc([0.0, 0.42], [0.58, 0.58], 180.0, 540.0),
            ]
            .concat(),
        ],
        vec![
            [
                vec![[-0.58, -1.0], [0.6, -1.0]],
                curve([0.6, -1.0], [0.26, -0.46], [-0.06, 0.22], [-0.16, 1.0]),
            ]
            .concat(),
        ],
        vec![arc([0.0, -0.52], [0.47, 0.48], 90.0, 450.0), arc([0.0, 0.48], [0.58, 0.52], 270.0, 630.0)],
        vec![
            [
                arc([0.0, -0.42], [0.57, 0.58], 0.0, 360.0),
                curve([0.57, -0.42], [0.57, 0.16], [0.46, 0.62], [0.22, 1.0]),
            ]
            .concat(),
        ],
    ]
});

/// Points per stroke piece: one for each 15 degrees of arc, and 12 for a curve; a chord is then off by less than 0.1 pixel.
const ARC_STEP: f64 = 15.0;
const CURVE_STEPS: usize = 12;

/// An arc of an ellipse with axes along the coordinates.
fn arc(centre: Point, radii: Point, from: f64, to: f64) -> Vec<Point> {
    let steps = ((to - from) / ARC_STEP).ceil();
    (0..=steps as usize)
        .map(|i| {
            let angle = (from + (to - from) * i as f64 / steps).to_radians();
            [centre[0] + radii[0] * angle.cos(), centre[1] + radii[1] * angle.sin()]
        })
        .collect()
}

/// A cubic Bezier curve.
fn curve(a: Point, b: Point, c: Point, d: Point) -> Vec<Point> {
    (0..=CURVE_STEPS)
        .map(|i| {
            let t = i as f64 / CURVE_STEPS as f64;
            let s = 1.0 - t;
            [0, 1].map(|k| s * s * s * a[k] + 3.0 * s * t * (s * b[k] + t * c[k]) + t * t * t * d[k])
        })
        .collect()
}

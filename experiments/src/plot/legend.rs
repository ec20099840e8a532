//! The legend: entries in rows above the data, so that it never covers them.

use super::series::Look;
use super::style::{FONT, LINE, fitted, text_width};
use super::svg::{Anchor, Point, Stroke, Svg};

/// The length of the sample beside a name.
const SAMPLE: f64 = 24.0;
const GAP: f64 = 18.0;

/// One entry: its name and how the thing it names is drawn.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) key: Key,
}

/// The sample of an entry.
#[derive(Clone, Copy)]
pub(super) enum Key {
    Series { look: Look, colour: &'static str, marker: usize },
    Line(Stroke<'static>),
}

/// Entries with their places relative to the upper left corner.
pub(super) struct Legend {
    entries: Vec<(Point, Entry)>,
    /// The height of all rows.
    pub(super) height: f64,
}

impl Legend {
    /// Breaks the entries into rows of at most this width.
    pub(super) fn new(entries: Vec<Entry>, width: f64) -> Self {
        let (mut x, mut y, mut placed) = (0.0, 0.0, Vec::with_capacity(entries.len()));
        for mut entry in entries.into_iter().filter(|entry| !entry.name.is_empty()) {
            entry.name = fitted(&entry.name, width - SAMPLE - 6.0);
            let extent = SAMPLE + 6.0 + text_width(&entry.name);
            if x > 0.0 && x + extent > width {
                (x, y) = (0.0, y + LINE);
            }
            placed.push(((x, y), entry));
            x += extent + GAP;
        }
        let height = if placed.is_empty() { 0.0 } else { y + LINE + 4.0 };
        Self { entries: placed, height }
    }

    /// Draws it with its upper left corner at the point.
    pub(super) fn draw(&self, svg: &mut Svg, (left, top): Point) {
        for ((x, y), Entry { name, key }) in &self.entries {
            let (x, y) = (left + x, top + y + 0.5 * LINE);
            let (from, to, middle) = ((x, y), (x + SAMPLE, y), (x + 0.5 * SAMPLE, y));
            match *key {
                Key::Line(stroke) => svg.line(from, to, stroke),
                Key::Series { look, colour, marker: shape } => match look {
                    Look::Line => svg.line(from, to, Stroke::solid(colour, 2.0)),
                    Look::Dashed => svg.line(from, to, dashed(colour)),
                    Look::Marked => {
                        svg.line(from, to, Stroke::solid(colour, 2.0));
                        marker(svg, middle, shape, colour);
                    }
                    Look::Dots => svg.circle(middle, 4.0, colour, 0.9),
                    Look::Boxes => {
                        let half = 0.4 * FONT;
                        svg.rect((x, y - half), (x + SAMPLE, y + half), colour, BOX_OPACITY);
                    }
                },
            }
            svg.label((x + SAMPLE + 6.0, y), Anchor::Start, 0.0, name);
        }
    }
}

/// Boxes let the grid through.
pub(super) const BOX_OPACITY: f64 = 0.85;

/// The stroke of a dashed series.
pub(super) fn dashed(colour: &str) -> Stroke<'_> {
    Stroke { colour, width: 2.0, dash: "7 4" }
}

/// Draws the marker of the given number: shapes repeat after four.
pub(super) fn marker(svg: &mut Svg, (x, y): Point, shape: usize, colour: &str) {
    match shape % 4 {
        0 => svg.circle((x, y), 4.0, colour, 1.0),
        1 => svg.rect((x - 3.7, y - 3.7), (x + 3.7, y + 3.7), colour, 1.0),
        2 => svg.polygon(&[(x, y - 5.0), (x + 4.8, y + 3.6), (x - 4.8, y + 3.6)], colour, 1.0),
        _ => svg.polygon(&[(x, y - 5.2), (x + 5.2, y), (x, y + 5.2), (x - 5.2, y)], colour, 1.0),
    }
}

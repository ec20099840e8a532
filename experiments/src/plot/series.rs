//! What a chart shows: named lines, points and boxes.

use super::style::INK;

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Line,
    Dashed,
    /// A line with a marker at each point.
    Marked,
    Dots,
    /// Boxes on the floor of the chart; the point holds the middle and the height.
    Boxes,
}

/// A named series. An empty name keeps it out of the legend.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(super) name: String,
    pub(super) look: Look,
    pub(super) points: Vec<(f64, f64)>,
    /// Half the height of the error bar at each point, or nothing.
    pub(super) errors: Vec<f64>,
    /// The width of the boxes.
    pub(super) width: f64,
    pub(super) colour: Colour,
}

/// The colour of a series.
#[derive(Clone, Copy, Debug)]
pub(super) enum Colour {
    /// The next one of the palette.
    Next,
    Palette(usize),
    Ink,
}

impl Series {
    /// A line through the points in their order; a point without a place on the axes interrupts it.
    pub(crate) fn line(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self::new(name.into(), Look::Line, points)
    }

    /// A dashed line.
    pub(crate) fn dashed(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self::new(name.into(), Look::Dashed, points)
    }

    /// A line with a marker at each point: measurements.
    pub(crate) fn marked(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self::new(name.into(), Look::Marked, points)
    }

    /// Points alone: a sample. Each is an element of the file, so thin a sample to a few thousand.
    pub(crate) fn dots(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self::new(name.into(), Look::Dots, points)
    }

    pub(super) fn boxes(name: String, points: Vec<(f64, f64)>, width: f64) -> Self {
        Self { width, ..Self::new(name, Look::Boxes, points) }
    }

    fn new(name: String, look: Look, points: Vec<(f64, f64)>) -> Self {
        Self { name, look, points, errors: Vec::new(), width: 0.0, colour: Colour::Next }
    }

    /// Error bars that reach so far up and down at each point.
    ///
    /// # Panics
    /// If there is not one number per point.
    pub(crate) fn errors(self, errors: Vec<f64>) -> Self {
        assert_eq!(errors.len(), self.points.len(), "series `{}`: error bars against points", self.name);
        Self { errors, ..self }
    }

    /// A colour of the palette by number, to show the same thing alike in several figures.
    pub(crate) fn colour(self, index: usize) -> Self {
        Self { colour: Colour::Palette(index), ..self }
    }

    /// Drawn in black: what is exact.
    pub(crate) fn exact(self) -> Self {
        Self { colour: Colour::Ink, ..self }
    }

    /// The lowest and the highest ordinate at a point.
    pub(super) fn reach(&self, index: usize) -> (f64, f64) {
        let (y, error) = (self.points[index].1, self.errors.get(index).copied().unwrap_or(0.0));
        (y - error, y + error)
    }
}

impl Colour {
    /// The colour as SVG has it; `index` counts the series that left the choice open.
    pub(super) fn resolve(self, index: usize) -> &'static str {
        let palette = super::style::PALETTE;
        match self {
            Self::Next => palette[index % palette.len()],
            Self::Palette(index) => palette[index % palette.len()],
            Self::Ink => INK,
        }
    }
}

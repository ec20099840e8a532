//! A chart: series against two axes.

use anyhow::{Result, ensure};

use super::axis::{Axis, Scale};
use super::legend::{BOX_OPACITY, Entry, Key, Legend, dashed, marker};
use super::raster::Raster;
use super::series::{Look, Series};
use super::style::{EDGE, FONT, GREY, GRID, INK, LINE, fitted, text_width};
use super::svg::{Anchor, Point, Stroke, Svg};
use super::ticks::Tick;

/// The size of the area in which the data are shown, in pixels; what surrounds it is added.
const AREA: (f64, f64) = (460.0, 300.0);
/// From this many dots on they are drawn small and let each other through.
const CROWD: usize = 150;
/// Degrees by which long names of categories are turned.
const SLANT: f64 = -35.0;
/// Horizontal reference lines differ by their dashes.
const DASHES: [&str; 3] = ["2 3", "9 3 2 3", "12 5"];

/// A chart under construction: line charts, scatter plots and what they have in common.
pub(crate) struct Chart {
    x: Axis,
    y: Axis,
    raster: Option<Raster>,
    series: Vec<Series>,
    references: Vec<(f64, String)>,
    equal_units: bool,
    categories: Vec<String>,
}

impl Chart {
    /// An empty chart.
    pub(crate) fn new(x: Axis, y: Axis) -> Self {
        Self {
            x,
            y,
            raster: None,
            series: Vec::new(),
            references: Vec::new(),
            equal_units: false,
            categories: Vec::new(),
        }
    }

    /// Adds a series; later ones are drawn over earlier ones.
    pub(crate) fn series(mut self, series: Series) -> Self {
        self.series.push(series);
        self
    }

    /// Shows a raster behind everything else. Both axes must be linear.
    pub(crate) fn raster(self, raster: Raster) -> Self {
        Self { raster: Some(raster), ..self }
    }

    /// Adds a horizontal line at this ordinate, named in the legend.
    pub(crate) fn reference(mut self, ordinate: f64, name: impl Into<String>) -> Self {
        self.references.push((ordinate, name.into()));
        self
    }

    /// One unit is as long on both axes: for points of the plane. Both axes must be linear.
    pub(crate) fn equal_units(self) -> Self {
        Self { equal_units: true, ..self }
    }

    /// Names in place of numbers along the x axis: category `k` stands at `k` and is one wide.
    pub(crate) fn categories(self, names: Vec<String>) -> Self {
        let x = self.x.range(-0.5, names.len() as f64 - 0.5);
        Self { x, categories: names, ..self }
    }

    /// The picture.
    ///
    /// # Errors
    /// If there is nothing to show on an axis, or its range is empty.
    pub(crate) fn svg(self) -> Result<String> {
        let (x, y) = self.scales()?;
        let x_ticks = if self.categories.is_empty() {
            x.ticks(AREA.0, text_width)
        } else {
            self.categories.iter().enumerate().map(|(k, name)| (k as f64, name.clone())).collect()
        };
        let y_ticks = y.ticks(AREA.1, |_| FONT);
        let slanted = !self.categories.is_empty()
            && x_ticks.iter().any(|(_, name)| text_width(name) + 6.0 > AREA.0 / self.categories.len() as f64);
        let widest = |ticks: &[Tick]| ticks.iter().map(|(_, label)| text_width(label)).fold(0.0, f64::max);

        let below = if slanted { widest(&x_ticks) * (-SLANT).to_radians().sin() + LINE } else { LINE };
        let overhang = if slanted {
            widest(&x_ticks) * SLANT.to_radians().cos() - 0.5 * AREA.0 / x_ticks.len() as f64
        } else {
            0.0
        };
        let left = (EDGE + LINE + 6.0 + widest(&y_ticks) + 8.0).max(EDGE + overhang);
        let last = x_ticks.last().map_or(0.0, |(_, label)| text_width(label));
        let right = if slanted { EDGE } else { (0.5 * last).max(EDGE) + 6.0 };
        let legend = Legend::new(self.entries(), AREA.0 + right - EDGE);
        let top = EDGE + legend.height.max(4.0);
        let size = (left + AREA.0 + right, top + AREA.1 + 8.0 + below + LINE + EDGE);
        let frame = Frame { x, y, left, top };

        let mut svg = Svg::new(size.0, size.1);
        legend.draw(&mut svg, (left, EDGE - 4.0));
        frame.grid(&mut svg, if self.categories.is_empty() { &x_ticks } else { &[] }, &y_ticks);
        svg.clip((left, top), AREA.0, AREA.1);
        if let Some(raster) = &self.raster {
            ensure!(!self.x.logarithmic && !self.y.logarithmic, "a raster needs linear axes");
            let (from, to) = (frame.point((raster.x.0, raster.y.1)), frame.point((raster.x.1, raster.y.0)));
            svg.image(from, to.0 - from.0, to.1 - from.1, &raster.png()?);
        }
        self.draw_series(&mut svg, &frame);
        svg.unclip();
        frame.axes(&mut svg, &x_ticks, &y_ticks, slanted);
        let middle = left + 0.5 * AREA.0;
        svg.label(
            (middle, size.1 - EDGE - 0.5 * LINE + 3.0),
            Anchor::Middle,
            0.0,
            &fitted(&self.x.title, size.0 - 2.0 * EDGE),
        );
        let middle = top + 0.5 * AREA.1;
        svg.label(
            (EDGE + 0.5 * LINE - 2.0, middle),
            Anchor::Middle,
            -90.0,
            &fitted(&self.y.title, AREA.1 + 20.0),
        );
        Ok(svg.finish())
    }

    fn scales(&self) -> Result<(Scale, Scale)> {
        let shown = || {
            self.series
                .iter()
                .flat_map(|series| (0..series.points.len()).map(move |k| (series, k)))
                .filter(|(series, k)| self.x.takes(series.points[*k].0) && self.y.takes(series.points[*k].1))
        };
        let boxes = self.series.iter().any(|series| series.look == Look::Boxes);
        let abscissae = shown().flat_map(|(series, k)| {
            let x = series.points[k].0;
            [x - 0.5 * series.width, x + 0.5 * series.width]
        });
        let ordinates = shown()
            .flat_map(|(series, k)| [series.points[k].1, series.reach(k).0, series.reach(k).1])
            .chain(self.references.iter().map(|&(ordinate, _)| ordinate));
        let corners =
            |side: fn(&Raster) -> (f64, f64)| self.raster.iter().map(side).flat_map(|(lo, hi)| [lo, hi]);
        let x = self.x.fit(abscissae.chain(corners(|raster| raster.x)), None)?;
        let y = self.y.fit(
            ordinates.chain(corners(|raster| raster.y)),
            (boxes && !self.y.logarithmic).then_some(0.0),
        )?;
        if !self.equal_units {
            return Ok((x, y));
        }
        ensure!(!self.x.logarithmic && !self.y.logarithmic, "equal units need linear axes");
        let ratio = ((x.hi - x.lo) / AREA.0) / ((y.hi - y.lo) / AREA.1);
        Ok(if ratio < 1.0 { (x.widened(1.0 / ratio), y) } else { (x, y.widened(ratio)) })
    }

    /// The series with their colours and markers.
    fn styled(&self) -> impl Iterator<Item = (&Series, &'static str, usize)> {
        let mut open = 0;
        self.series.iter().enumerate().map(move |(index, series)| {
            let colour = series.colour.resolve(open);
            open += usize::from(matches!(series.colour, super::series::Colour::Next));
            (series, colour, index)
        })
    }

    fn entries(&self) -> Vec<Entry> {
        let series = self.styled().map(|(series, colour, marker)| Entry {
            name: series.name.clone(),
            key: Key::Series { look: series.look, colour, marker },
        });
        let references = self
            .references
            .iter()
            .enumerate()
            .map(|(index, (_, name))| Entry { name: name.clone(), key: Key::Line(reference_stroke(index)) });
        series.chain(references).collect()
    }

    fn draw_series(&self, svg: &mut Svg, frame: &Frame) {
        // Boxes lie at the bottom: nothing may vanish behind them.
        for (series, colour, _) in self.styled().filter(|(series, ..)| series.look == Look::Boxes) {
            self.draw_boxes(svg, frame, series, colour);
        }
        for (index, &(ordinate, _)) in self.references.iter().enumerate() {
            let y = frame.point((frame.x.lo, ordinate)).1;
            svg.line((frame.left, y), (frame.left + AREA.0, y), reference_stroke(index));
        }
        for (series, colour, shape) in self.styled() {
            let takes = |&(x, y): &(f64, f64)| self.x.takes(x) && self.y.takes(y);
            if matches!(series.look, Look::Line | Look::Dashed | Look::Marked) {
                let stroke =
                    if series.look == Look::Dashed { dashed(colour) } else { Stroke::solid(colour, 2.0) };
                for run in series.points.split(|point| !takes(point)).filter(|run| run.len() > 1) {
                    let run: Vec<_> = run.iter().map(|&point| frame.point(point)).collect();
                    svg.polyline(&run, stroke);
                }
            }
            let (radius, opacity) = if series.points.len() < CROWD { (3.5, 0.8) } else { (2.0, 0.5) };
            for (k, point) in series.points.iter().enumerate().filter(|(_, point)| takes(point)) {
                let place = frame.point(*point);
                match series.look {
                    Look::Line | Look::Dashed | Look::Boxes => {}
                    Look::Marked => marker(svg, place, shape, colour),
                    Look::Dots => svg.circle(place, radius, colour, opacity),
                }
                if !series.errors.is_empty() {
                    let ink = if series.look == Look::Boxes { INK } else { colour };
                    self.error_bar(svg, frame, place, series.reach(k), ink, point.0);
                }
            }
        }
    }

    fn draw_boxes(&self, svg: &mut Svg, frame: &Frame, series: &Series, colour: &str) {
        let floor = frame.y.lo.max(0.0).min(frame.y.hi);
        let floor = if self.y.logarithmic { frame.top + AREA.1 } else { frame.point((frame.x.lo, floor)).1 };
        for &(x, y) in series.points.iter().filter(|&&(x, y)| self.x.takes(x) && self.y.takes(y)) {
            let half = 0.5 * series.width;
            let (a, b) = (frame.point((x - half, y)), frame.point((x + half, y)));
            svg.rect((a.0 + 0.5, a.1), (b.0 - 0.5, floor), colour, BOX_OPACITY);
        }
    }

    fn error_bar(&self, svg: &mut Svg, frame: &Frame, place: Point, (lo, hi): (f64, f64), ink: &str, x: f64) {
        // On a logarithmic axis a bar may reach down to zero and below: it leaves the picture there.
        let end = |y: f64| if self.y.takes(y) { frame.point((x, y)).1 } else { frame.top + AREA.1 + 9.0 };
        if !(lo.is_finite() && hi.is_finite()) {
            return;
        }
        let stroke = Stroke::solid(ink, 1.4);
        svg.line((place.0, end(lo)), (place.0, end(hi)), stroke);
        for y in [end(lo), end(hi)] {
            svg.line((place.0 - 4.0, y), (place.0 + 4.0, y), stroke);
        }
    }
}

fn reference_stroke(index: usize) -> Stroke<'static> {
    Stroke { colour: GREY, width: 1.6, dash: DASHES[index % DASHES.len()] }
}

/// The area of the data on the picture.
struct Frame {
    x: Scale,
    y: Scale,
    left: f64,
    top: f64,
}

impl Frame {
    fn point(&self, (x, y): (f64, f64)) -> Point {
        // Far outside the area, renderers lose digits: a few areas away is as good.
        let (x, y) = (self.x.place(x).clamp(-20.0, 20.0), self.y.place(y).clamp(-20.0, 20.0));
        (self.left + AREA.0 * x, self.top + AREA.1 * (1.0 - y))
    }

    fn grid(&self, svg: &mut Svg, x_ticks: &[Tick], y_ticks: &[Tick]) {
        let stroke = Stroke::solid(GRID, 1.0);
        for &(value, _) in x_ticks {
            let x = self.point((value, self.y.lo)).0;
            svg.line((x, self.top), (x, self.top + AREA.1), stroke);
        }
        for &(value, _) in y_ticks {
            let y = self.point((self.x.lo, value)).1;
            svg.line((self.left, y), (self.left + AREA.0, y), stroke);
        }
    }

    fn axes(&self, svg: &mut Svg, x_ticks: &[Tick], y_ticks: &[Tick], slanted: bool) {
        let (right, bottom) = (self.left + AREA.0, self.top + AREA.1);
        let stroke = Stroke::solid(INK, 1.2);
        svg.polyline(&[(self.left, self.top), (self.left, bottom), (right, bottom)], stroke);
        for (value, label) in x_ticks {
            let x = self.point((*value, self.y.lo)).0;
            svg.line((x, bottom), (x, bottom + 4.0), stroke);
            if slanted {
                svg.label((x + 4.0, bottom + 12.0), Anchor::End, SLANT, label);
            } else {
                svg.label((x, bottom + 8.0 + 0.5 * FONT), Anchor::Middle, 0.0, label);
            }
        }
        for (value, label) in y_ticks {
            let y = self.point((self.x.lo, *value)).1;
            svg.line((self.left - 4.0, y), (self.left, y), stroke);
            svg.label((self.left - 8.0, y), Anchor::End, 0.0, label);
        }
    }
}

//! A writer of SVG text with the few shapes that figures need.

use std::fmt::Write as _;

use super::style::{FONT, INK};

/// A point in pixels from the upper left corner.
pub(super) type Point = (f64, f64);

/// Where a text stands relative to its point.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A stroke: colour, width in pixels, dash pattern (empty for a solid line).
#[derive(Clone, Copy)]
pub(super) struct Stroke<'a> {
    pub(super) colour: &'a str,
    pub(super) width: f64,
    pub(super) dash: &'a str,
}

impl<'a> Stroke<'a> {
    pub(super) fn solid(colour: &'a str, width: f64) -> Self {
        Self { colour, width, dash: "" }
    }

    fn attributes(self) -> String {
        let Self { colour, width, dash } = self;
        let dash = if dash.is_empty() { String::new() } else { format!(r#" stroke-dasharray="{dash}""#) };
        format!(r#"fill="none" stroke="{colour}" stroke-width="{width}"{dash}"#)
    }
}

/// A picture under construction.
pub(super) struct Svg {
    text: String,
}

impl Svg {
    /// A white picture of that many pixels.
    pub(super) fn new(width: f64, height: f64) -> Self {
        let mut svg = Self { text: String::new() };
        svg.push(format_args!(
            concat!(
                r#"<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}" "#,
                r#"font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="{font}" role="img">"#
            ),
            w = number(width),
            h = number(height),
            font = FONT
        ));
        svg.push(format_args!(r##"<rect width="100%" height="100%" fill="#FFFFFF"/>"##));
        svg
    }

    /// The finished text.
    pub(super) fn finish(mut self) -> String {
        self.push(format_args!("</svg>"));
        self.text
    }

    pub(super) fn line(&mut self, from: Point, to: Point, stroke: Stroke<'_>) {
        self.polyline(&[from, to], stroke);
    }

    pub(super) fn polyline(&mut self, points: &[Point], stroke: Stroke<'_>) {
        let points = joined(points);
        self.push(format_args!(
            r#"<polyline points="{points}" stroke-linejoin="round" {}/>"#,
            stroke.attributes()
        ));
    }

    pub(super) fn polygon(&mut self, points: &[Point], fill: &str, opacity: f64) {
        let points = joined(points);
        self.push(format_args!(r#"<polygon points="{points}" fill="{fill}" fill-opacity="{opacity}"/>"#));
    }

    pub(super) fn circle(&mut self, (x, y): Point, radius: f64, fill: &str, opacity: f64) {
        let (x, y) = (number(x), number(y));
        self.push(format_args!(
            r#"<circle cx="{x}" cy="{y}" r="{radius}" fill="{fill}" fill-opacity="{opacity}"/>"#
        ));
    }

    /// The axis-parallel rectangle with these opposite corners.
    pub(super) fn rect(&mut self, a: Point, b: Point, fill: &str, opacity: f64) {
        let (x, y) = (number(a.0.min(b.0)), number(a.1.min(b.1)));
        let (width, height) = (number((a.0 - b.0).abs()), number((a.1 - b.1).abs()));
        self.push(format_args!(
            r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{fill}" fill-opacity="{opacity}"/>"#
        ));
    }

    /// A text whose middle line passes through the point, turned by so many degrees about it.
    pub(super) fn label(&mut self, (x, y): Point, anchor: Anchor, degrees: f64, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let (x, y) = (number(x), number(y));
        let turn =
            if degrees == 0.0 { String::new() } else { format!(r#" transform="rotate({degrees} {x} {y})""#) };
        let text = escaped(text);
        self.push(format_args!(
            r#"<text x="{x}" y="{y}" dy="0.35em" text-anchor="{anchor}" fill="{INK}"{turn}>{text}</text>"#
        ));
    }

    /// A PNG file, its pixels kept sharp.
    pub(super) fn image(&mut self, (x, y): Point, width: f64, height: f64, png: &str) {
        let (x, y, width, height) = (number(x), number(y), number(width), number(height));
        self.push(format_args!(
            concat!(
                r#"<image x="{}" y="{}" width="{}" height="{}" preserveAspectRatio="none" "#,
                r#"style="image-rendering:pixelated" href="data:image/png;base64,{}"/>"#
            ),
            x, y, width, height, png
        ));
    }

    /// What is drawn until [`unclip`](Self::unclip) shows inside this rectangle only; coordinates stay as they are.
    pub(super) fn clip(&mut self, (x, y): Point, width: f64, height: f64) {
        let (x, y, width, height) = (number(x), number(y), number(width), number(height));
        // A nested picture clips without an identifier, which a clipPath would need.
        self.push(format_args!(
            r#"<svg x="{x}" y="{y}" width="{width}" height="{height}" viewBox="{x} {y} {width} {height}">"#
        ));
    }

    /// Ends [`clip`](Self::clip).
    pub(super) fn unclip(&mut self) {
        self.push(format_args!("</svg>"));
    }

    fn push(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.text, "{line}").expect("writing to a string cannot fail");
    }
}

fn joined(points: &[Point]) -> String {
    let points: Vec<_> = points.iter().map(|&(x, y)| format!("{},{}", number(x), number(y))).collect();
    points.join(" ")
}

/// A coordinate with two decimals at most.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short() {
        assert_eq!(number(1.0), "1");
        assert_eq!(number(-0.001), "0");
        assert_eq!(number(10.256), "10.26");
    }

    #[test]
    fn text_is_escaped() {
        let mut svg = Svg::new(10.0, 10.0);
        svg.label((0.0, 0.0), Anchor::Start, 0.0, "a < b & c");
        assert!(svg.finish().contains("a &lt; b &amp; c"));
    }
}

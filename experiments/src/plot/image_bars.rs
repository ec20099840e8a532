//! Rows of images with bars beside them.

use anyhow::{Context as _, Result, ensure};

use super::images::GreyImage;
use super::legend::{BOX_OPACITY, Entry, Key, Legend};
use super::series::Look;
use super::style::{EDGE, GREY, LINE, PALETTE, text_width};
use super::svg::{Anchor, Stroke, Svg};

/// The side of an image, in pixels.
const SIDE: f64 = 64.0;
/// The width of a bar.
const BAR: f64 = 11.0;
/// Between two images.
const GAP: f64 = 14.0;

/// A named row: images that stand for themselves, then images with one number per group.
pub(crate) struct BarRow<'a> {
    pub(crate) label: String,
    pub(crate) lead: Vec<GreyImage<'a>>,
    pub(crate) bars: Vec<(GreyImage<'a>, Vec<f64>)>,
}

/// Images with a bar for each of the named groups beside them, on one scale for the whole picture, and the numbers below.
///
/// # Errors
/// If there is no positive finite number, a row has not one leading image per name, an image not one number per group, or an
/// image is bad as in `GreyImage::draw`.
pub(crate) fn image_bars(rows: &[BarRow<'_>], lead: &[&str], groups: &[&str]) -> Result<String> {
    let numbers = || rows.iter().flat_map(|row| &row.bars).flat_map(|(_, values)| values);
    let largest = numbers().fold(0.0, |a: f64, &b| a.max(b));
    ensure!(largest > 0.0 && numbers().all(|value| value.is_finite()), "image bars: nothing to show");
    let entries = groups.iter().enumerate().map(|(k, &name)| Entry {
        name: name.into(),
        key: Key::Series { look: Look::Boxes, colour: PALETTE[k], marker: 0 },
    });
    let count = rows.iter().map(|row| row.bars.len()).max().unwrap_or(0) as f64;
    let left = EDGE + rows.iter().map(|row| text_width(&row.label)).fold(0.0, f64::max) + 10.0;
    let middle = left + lead.len() as f64 * (SIDE + GAP) + GAP;
    let cell = SIDE + groups.len() as f64 * (BAR + 1.0) + 2.0 * GAP;
    let legend = Legend::new(entries.collect(), count * cell);
    let top = EDGE + legend.height.max(LINE) + 6.0;
    let height = SIDE + LINE + 8.0;

    let mut svg = Svg::new(middle + count * cell - GAP + EDGE, top + rows.len() as f64 * height + EDGE - 8.0);
    legend.draw(&mut svg, (middle, EDGE - 4.0));
    for (k, name) in lead.iter().enumerate() {
        let x = left + k as f64 * (SIDE + GAP) + 0.5 * SIDE;
        svg.label((x, EDGE - 4.0 + 0.5 * LINE), Anchor::Middle, 0.0, name);
    }
    for (index, row) in rows.iter().enumerate() {
        let name = || format!("image bars, row `{}`", row.label);
        ensure!(row.lead.len() == lead.len(), "{}: not one leading image per name", name());
        let y = top + index as f64 * height;
        svg.label((left - 10.0, y + 0.5 * SIDE), Anchor::End, 0.0, &row.label);
        for (k, image) in row.lead.iter().enumerate() {
            image.draw(&mut svg, (left + k as f64 * (SIDE + GAP), y), SIDE).with_context(name)?;
        }
        for (k, (image, values)) in row.bars.iter().enumerate() {
            ensure!(values.len() == groups.len(), "{}: not one number per group", name());
            let x = middle + k as f64 * cell;
            image.draw(&mut svg, (x, y), SIDE).with_context(name)?;
            let foot = y + SIDE;
            let start = x + SIDE + 3.0;
            for (group, value) in values.iter().enumerate() {
                let a = start + group as f64 * (BAR + 1.0);
                svg.rect((a, foot - value / largest * SIDE), (a + BAR, foot), PALETTE[group], BOX_OPACITY);
            }
            let end = start + values.len() as f64 * (BAR + 1.0);
            svg.line((start, foot), (end, foot), Stroke::solid(GREY, 1.0));
            let text: Vec<_> = values.iter().map(|value| format!("{value:.2}")).collect();
            svg.label((0.5 * (x + end), foot + 0.5 * LINE + 1.0), Anchor::Middle, 0.0, &text.join(" | "));
        }
    }
    Ok(svg.finish())
}

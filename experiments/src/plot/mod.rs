//! Figures as SVG text: no fonts, scripts or identifiers in them, so that many can stand on one page.
//!
//! Every helper returns the text of one picture, the same for the same numbers:
//! * [`Chart`]: lines, points and boxes against two axes, linear or logarithmic, over a [`Raster`] if wanted;
//! * [`histogram_with_density`]: a sample against an exact density;
//! * [`bar_chart`]: numbers by category and group;
//! * [`image_panels`]: grids of grey images side by side;
//! * [`image_bars`]: images with bars beside them.

mod axis;
mod bars;
mod chart;
mod histogram;
mod image_bars;
mod images;
mod legend;
mod panels;
mod raster;
mod series;
mod style;
mod svg;
mod ticks;

pub(crate) use axis::Axis;
pub(crate) use bars::bar_chart;
pub(crate) use chart::Chart;
pub(crate) use histogram::histogram_with_density;
pub(crate) use image_bars::{BarRow, image_bars};
pub(crate) use images::GreyImage;
pub(crate) use panels::{ImagePanel, image_panels};
pub(crate) use raster::Raster;
pub(crate) use series::Series;

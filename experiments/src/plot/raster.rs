//! A function of two variables as shades behind the series of a chart.

use anyhow::{Result, ensure};

use super::images;

/// Colour of the largest value; zero is white, and what lies between is mixed by the square root of its share, so that
/// faint parts of a density still show.
const DEEP: [f64; 3] = [0.0, 68.0, 136.0];

/// Values on a grid of `width` x `height` cells that fills a rectangle of the chart.
#[derive(Clone, Debug)]
pub(crate) struct Raster {
    /// From the least to the largest abscissa.
    pub(crate) x: (f64, f64),
    /// From the least to the largest ordinate.
    pub(crate) y: (f64, f64),
    /// Cells along the x axis.
    pub(crate) width: usize,
    /// Cells along the y axis.
    pub(crate) height: usize,
    /// Values >= 0, row by row from the least ordinate up.
    pub(crate) values: Vec<f64>,
}

impl Raster {
    /// `value` at the middle of every cell.
    pub(crate) fn new(
        x: (f64, f64),
        y: (f64, f64),
        (width, height): (usize, usize),
        value: impl Fn(f64, f64) -> f64,
    ) -> Self {
        let middle = |(lo, hi): (f64, f64), k: usize, n: usize| lo + (hi - lo) * (k as f64 + 0.5) / n as f64;
        let values = (0..width * height)
            .map(|i| value(middle(x, i % width, width), middle(y, i / width, height)))
            .collect();
        Self { x, y, width, height, values }
    }

    /// Every column is divided by its largest value, so that a density that spreads stays visible.
    pub(crate) fn by_column(mut self) -> Self {
        for k in 0..self.width {
            let column = || (0..self.height).map(|row| row * self.width + k);
            let largest = column().map(|i| self.values[i]).fold(0.0, f64::max);
            if largest > 0.0 {
                column().for_each(|i| self.values[i] /= largest);
            }
        }
        self
    }

    /// The raster as a PNG file in base 64.
    ///
    /// # Errors
    /// If it has not as many values as its size says, or no positive finite one.
    pub(super) fn png(&self) -> Result<String> {
        let Self { width, height, values, .. } = self;
        ensure!(width * height == values.len(), "{width} x {height} cells, {} values", values.len());
        let largest = values.iter().copied().fold(0.0, f64::max);
        ensure!(largest > 0.0 && values.iter().all(|v| v.is_finite()), "raster: nothing to show");
        let bytes: Vec<u8> = values
            .chunks_exact(*width)
            .rev()
            .flatten()
            .flat_map(|value| {
                let share = (value.max(0.0) / largest).sqrt();
                DEEP.map(|deep| (255.0 + share * (deep - 255.0)).round() as u8)
            })
            .collect();
        images::png(*width, *height, ::png::ColorType::Rgb, &bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_at_the_middle_of_their_cells() {
        let raster = Raster::new((0.0, 2.0), (0.0, 4.0), (2, 2), |x, y| x + 10.0 * y);
        assert_eq!(raster.values, [10.5, 11.5, 30.5, 31.5]);
        let scaled = raster.by_column();
        assert_eq!(&scaled.values[2..], [1.0, 1.0]);
        assert!(scaled.png().is_ok());
    }

    #[test]
    fn an_empty_raster_is_an_error() {
        assert!(Raster::new((0.0, 1.0), (0.0, 1.0), (2, 2), |_, _| 0.0).png().is_err());
        assert!(Raster::new((0.0, 1.0), (0.0, 1.0), (2, 2), |_, _| f64::NAN).png().is_err());
    }
}

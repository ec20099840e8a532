//! Grey images.

use anyhow::{Result, ensure};
use base64::Engine as _;

use super::svg::Svg;

/// A grey image: `width * height` values in [-1, 1], black to white, row by row from the top.
pub(crate) struct GreyImage<'a> {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) values: &'a [f64],
}

impl GreyImage<'_> {
    /// Draws it in the middle of a square cell: the longer side fills it, the image keeps its proportions.
    ///
    /// # Errors
    /// If it has not as many values as its size says, or one that is not a number. Values outside [-1, 1] are cut.
    pub(super) fn draw(&self, svg: &mut Svg, (x, y): (f64, f64), side: f64) -> Result<()> {
        let data = self.png()?;
        let scale = side / self.width.max(self.height) as f64;
        let (w, h) = (self.width as f64 * scale, self.height as f64 * scale);
        svg.image((x + 0.5 * (side - w), y + 0.5 * (side - h)), w, h, &data);
        Ok(())
    }

    /// The image as a PNG file in base 64.
    fn png(&self) -> Result<String> {
        let Self { width, height, values } = *self;
        ensure!(width * height == values.len(), "{width} x {height} pixels, {} values", values.len());
        ensure!(!values.iter().any(|value| value.is_nan()), "a value is not a number");
        let bytes: Vec<u8> = values.iter().map(|value| (127.5 * (value + 1.0)).round() as u8).collect();
        png(width, height, png::ColorType::Grayscale, &bytes)
    }
}

/// Bytes as a PNG file in base 64, eight bits a channel.
pub(super) fn png(width: usize, height: usize, colour: png::ColorType, bytes: &[u8]) -> Result<String> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, u32::try_from(width)?, u32::try_from(height)?);
    encoder.set_color(colour);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(bytes)?;
    writer.finish()?;
    Ok(base64::engine::general_purpose::STANDARD.encode(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_images_are_errors() {
        let draw = |values: &[f64]| {
            GreyImage { width: 2, height: 1, values }.draw(&mut Svg::new(9.0, 9.0), (0.0, 0.0), 9.0)
        };
        assert!(draw(&[0.0, 1.0]).is_ok());
        assert!(draw(&[0.0]).unwrap_err().to_string().contains("2 x 1 pixels, 1 values"));
        assert!(draw(&[0.0, f64::NAN]).is_err());
    }
}

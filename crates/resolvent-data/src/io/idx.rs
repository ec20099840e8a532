//! The IDX format of the MNIST files (Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits"):
//! a big-endian magic number, the length of each axis, then unsigned bytes.

use crate::error::{Error, Result};
use flate2::bufread::MultiGzDecoder;
use nalgebra::DMatrix;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

const IMAGES: u32 = 0x0803;
const LABELS: u32 = 0x0801;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Grey images of one size.
#[derive(Clone, Debug)]
pub struct Images {
    /// Number of images.
    pub count: usize,
    /// Rows of each image.
    pub height: usize,
    /// Columns of each image.
    pub width: usize,
    /// `count * height * width` values, image by image, row by row.
    pub pixels: Vec<u8>,
}

impl Images {
    /// The images as points with values in [-1, 1] (0 goes to -1, 255 to 1): one per column, (height * width) x count.
    pub fn to_points(&self) -> DMatrix<f64> {
        let scaled = self.pixels.iter().map(|&p| f64::from(p) / 127.5 - 1.0);
        DMatrix::from_iterator(self.height * self.width, self.count, scaled)
    }
}

/// Reads an IDX file of images (magic number 0x00000803), plain or gzip-compressed (told by content, not by name).
///
/// # Errors
/// A missing file, another magic number, no images, too few or too many bytes, a damaged compression.
pub fn read_idx_images(path: impl AsRef<Path>) -> Result<Images> {
    let ([count, height, width], pixels) = read_idx(path.as_ref(), IMAGES)?;
    Ok(Images { count, height, width, pixels })
}

/// Reads an IDX file of labels (magic number 0x00000801), plain or gzip-compressed; errors as in [`read_idx_images`].
pub fn read_idx_labels(path: impl AsRef<Path>) -> Result<Vec<u8>> {
    let ([_], labels) = read_idx(path.as_ref(), LABELS)?;
    Ok(labels)
}

fn read_idx<const AXES: usize>(path: &Path, magic: u32) -> Result<([usize; AXES], Vec<u8>)> {
    let failed = |reason: io::Error| match reason.kind() {
        io::ErrorKind::UnexpectedEof => Error::format(path, "length", "too short", "a whole IDX file"),
        _ => Error::io(path, reason),
    };
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    let compressed = file.fill_buf().map_err(failed)?.starts_with(&GZIP);
    let mut content: Box<dyn Read> =
        if compressed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };

    let mut word = || -> io::Result<u32> {
        let mut bytes = [0; 4];
        content.read_exact(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    };
    let found = word().map_err(failed)?;
    if found != magic {
        return Err(Error::format(
            path,
            "magic number",
            format_args!("{found:#010x}"),
            format_args!("{magic:#010x}"),
        ));
    }
    let mut shape = [0; AXES];
    for axis in &mut shape {
        *axis = word().map_err(failed)? as usize;
    }
    let expected = shape.iter().try_fold(1_usize, |product, &n| product.checked_mul(n));
    let Some(expected) = expected.filter(|&n| n > 0 && n < usize::MAX) else {
        return Err(Error::format(
            path,
            "shape",
            format_args!("{shape:?}"),
            "positive lengths that fit in memory",
        ));
    };

    // One byte more is asked for than belongs there, so that trailing bytes are noticed.
    let mut data = Vec::new();
    content.take(expected as u64 + 1).read_to_end(&mut data).map_err(failed)?;
    if data.len() != expected {
        let amount = if data.len() > expected { "more".to_owned() } else { format!("{} bytes", data.len()) };
        return Err(Error::format(
            path,
            "data",
            amount,
            format_args!("{expected} bytes for shape {shape:?}"),
        ));
    }
    Ok((shape, data))
}

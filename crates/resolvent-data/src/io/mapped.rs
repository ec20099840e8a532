//! Points in a file that is not read into memory.

use std::fs::File;
use std::ops::Range;
use std::path::Path;

use memmap2::Mmap;

use super::npy::Header;
use crate::error::{Error, Result};

/// Points of single precision in an npy file, mapped into memory: the system reads what is looked at and may forget it again, so the points
/// may be more than fit.
///
/// The file must not be changed as long as it is mapped.
#[derive(Debug)]
pub struct MappedPoints {
    map: Mmap,
    data: Range<usize>,
    dim: usize,
}

impl MappedPoints {
    /// Maps the npy file `path` of dtype `<f4` in C order: an array of shape `[m, ..]`, m points whose coordinates are the other axes.
    ///
    /// # Errors
    /// [`Error::Io`] where the file cannot be opened, [`Error::Format`] where it is damaged, has another dtype or order, no point or no
    /// coordinate.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let map = map(path)?;
        let (header, data) = Header::parse(path, &map)?;
        let refuse = |field: &str, found: &dyn std::fmt::Display, wanted: &str| {
            Err(Error::format(path, field, found, wanted))
        };
        if header.descr != "<f4" || cfg!(target_endian = "big") {
            return refuse(
                "dtype",
                &header.descr,
                "'<f4' (float32, little-endian), on a little-endian machine",
            );
        }
        if header.fortran && header.shape.len() > 1 {
            return refuse("fortran_order", &"True", "False: one point after the other");
        }
        header.check_length(path, data, size_of::<f32>())?;
        let (count, dim) = match &header.shape[..] {
            [count, axes @ ..] => (*count, axes.iter().product::<usize>()),
            [] => (0, 0),
        };
        if count == 0 || dim == 0 {
            return refuse(
                "shape",
                &format_args!("{:?}", header.shape),
                "at least one point and one coordinate",
            );
        }
        let start = map.len() - data.len();
        let data = start..start + count * dim * size_of::<f32>();
        if bytemuck::try_cast_slice::<u8, f32>(&map[data.clone()]).is_err() {
            return refuse("header", &format_args!("{start} bytes long"), "a multiple of 4 bytes");
        }
        Ok(Self { map, data, dim })
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.values().len() / self.dim
    }

    /// Never: there is a point.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Dimension d.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// All coordinates, one point after the other.
    pub fn values(&self) -> &[f32] {
        bytemuck::cast_slice(&self.map[self.data.clone()])
    }
}

#[expect(unsafe_code, reason = "what a mapped file holds is beyond the language; the caller is told")]
fn map(path: &Path) -> Result<Mmap> {
    let file = File::open(path).map_err(|reason| Error::io(path, reason))?;
    // SAFETY: nobody changes the file as long as it is mapped, by the contract of `MappedPoints`.
    unsafe { Mmap::map(&file) }.map_err(|reason| Error::io(path, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An npy file as NumPy writes it.
    fn file(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> tempfile::TempPath {
        let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}");
        let length = (header.len() + 11).next_multiple_of(64) - 10;
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend(u16::try_from(length).unwrap().to_le_bytes());
        bytes.extend(format!("{header:<width$}\n", width = length - 1).as_bytes());
        bytes.extend(data);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        file.into_temp_path()
    }

    #[test]
    fn holds_what_the_file_holds() {
        let values: Vec<f32> = (0..12).map(|k| k as f32 / 7.0).collect();
        let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        for (shape, dim) in [("(4, 3)", 3), ("(2, 3, 2)", 6), ("(12,)", 1)] {
            let points = MappedPoints::open(file("<f4", "False", shape, &bytes)).unwrap();
            assert_eq!(
                (points.len(), points.dim(), points.values()),
                (12 / dim, dim, &values[..]),
                "{shape}"
            );
        }
    }

    #[test]
    fn bad_files_are_refused_by_field() {
        let data = [0; 48];
        let cases = [
            (file("<f8", "False", "(2, 3)", &data), "dtype is <f8"),
            (file(">f4", "False", "(4, 3)", &data), "dtype is >f4"),
            (file("<f4", "True", "(4, 3)", &data), "fortran_order is True"),
            (file("<f4", "False", "(4, 4)", &data), "data is 48 bytes"),
            (file("<f4", "False", "(0, 3)", &[]), "shape is [0, 3]"),
            (file("<f4", "False", "()", &data[..4]), "shape is []"),
        ];
        for (path, expected) in cases {
            let message = MappedPoints::open(&path).unwrap_err().to_string();
            assert!(message.contains(expected) && message.contains(path.to_str().unwrap()), "{message}");
        }
        assert!(matches!(MappedPoints::open("nowhere.npy"), Err(Error::Io { .. })));
        let empty = tempfile::NamedTempFile::new().unwrap();
        assert!(MappedPoints::open(empty.path()).is_err());
    }
}

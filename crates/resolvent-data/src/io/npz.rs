//! The npz format: a zip archive of npy files.

use super::array::{Array, Values};
use super::{npy, write_atomically};
use crate::error::{Error, Result};
use nalgebra::DMatrix;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// An npz file open for reading.
#[derive(Debug)]
pub struct Npz {
    path: PathBuf,
    archive: ZipArchive<BufReader<File>>,
    names: Vec<String>,
}

impl Npz {
    /// Opens the file and reads its table of contents.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|reason| Error::io(path, reason))?;
        let archive = ZipArchive::new(BufReader::new(file))
            .map_err(|reason| Error::format(path, "archive", reason, "a zip archive of npy files (npz)"))?;
        let names = archive
            .file_names()
            .filter_map(|name| name.ok()?.strip_suffix(".npy").map(str::to_owned))
            .collect();
        Ok(Self { path: path.to_owned(), archive, names })
    }

    /// Names of the arrays, in the order of the file.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// A numeric array; [`Error::Missing`] lists the names present where there is none of this name.
    pub fn array(&mut self, name: &str) -> Result<Array> {
        let bytes = self.bytes(name)?;
        npy::parse(&self.origin(name), &bytes)
    }

    /// An array of strings, in C order.
    pub fn strings(&mut self, name: &str) -> Result<Vec<String>> {
        let bytes = self.bytes(name)?;
        npy::parse_strings(&self.origin(name), &bytes)
    }

    fn bytes(&mut self, name: &str) -> Result<Vec<u8>> {
        if !self.names.iter().any(|present| present == name) {
            return Err(Error::Missing {
                path: self.path.clone(),
                kind: "array",
                name: name.to_owned(),
                present: self.names.clone(),
            });
        }
        let mut bytes = Vec::new();
        let read = match self.archive.by_name(&format!("{name}.npy")) {
            Ok(mut entry) => entry.read_to_end(&mut bytes).map(drop),
            Err(error) => Err(error.into()),
        };
        read.map_err(|reason| Error::io(&self.origin(name), reason))?;
        Ok(bytes)
    }

    /// What errors about one array call it: "file.npz[name]".
    fn origin(&self, name: &str) -> PathBuf {
        let mut text = self.path.clone().into_os_string();
        text.push(format!("[{name}]"));
        text.into()
    }
}

/// An npz file to be written: stored without compression, with fixed time stamps, so that equal arrays give equal bytes.
///
/// ```
/// # use resolvent_data::io::{Npz, NpzWriter};
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("out.npz");
/// let points = nalgebra::DMatrix::from_row_slice(2, 3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// NpzWriter::new()
///     .points("samples", &points)
///     .vector("lifetimes", &[0.5, 0.25, 1.0][..])
///     .strings("exit_names", &["killed", "cap"])
///     .write(&path)?;
/// assert_eq!(Npz::open(&path)?.array("samples")?.into_points()?, points);
/// # Ok::<(), resolvent_data::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct NpzWriter<'a> {
    arrays: Vec<(String, Vec<usize>, Values<'a>)>,
}

impl<'a> NpzWriter<'a> {
    /// No arrays yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Points, d x n with one point per column, as the float64 array `[n, d]`.
    pub fn points(self, name: &str, points: &'a DMatrix<f64>) -> Self {
        self.array(name, &[points.ncols(), points.nrows()], points.as_slice())
    }

    /// A one-dimensional array.
    pub fn vector(self, name: &str, values: impl Into<Values<'a>>) -> Self {
        let values = values.into();
        let shape = [values.len()];
        self.array(name, &shape, values)
    }

    /// A one-dimensional array of strings.
    pub fn strings<S: AsRef<str>>(self, name: &str, values: &[S]) -> Self {
        let values: Vec<String> = values.iter().map(|s| s.as_ref().to_owned()).collect();
        self.vector(name, values)
    }

    /// An array of any shape, values in C order.
    pub fn array(mut self, name: &str, shape: &[usize], values: impl Into<Values<'a>>) -> Self {
        self.arrays.push((name.to_owned(), shape.to_vec(), values.into()));
        self
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a name given twice or a shape that does not fit its values, [`Error::Io`] where writing fails.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        for (i, (name, shape, values)) in self.arrays.iter().enumerate() {
            npy::check_shape(shape, values)?;
            if self.arrays[..i].iter().any(|(earlier, ..)| earlier == name) {
                return Err(Error::parameter("name", name, "given to one array only"));
            }
        }
        write_atomically(path, |writer| self.archive(writer))
    }

    fn archive(&self, writer: &mut (impl Write + Seek)) -> io::Result<()> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644);
        let mut zip = ZipWriter::new(writer);
        for (name, shape, values) in &self.arrays {
            // The zip format needs to be told of entries beyond 4 GiB before they are written.
            let large = values.len() as u64 >= u64::from(u32::MAX) / 64;
            zip.start_file(format!("{name}.npy"), options.large_file(large))?;
            npy::encode(&mut zip, shape, values)?;
        }
        zip.finish()?;
        Ok(())
    }
}

//! The npy format, version 1.0 to 3.0 (NumPy Enhancement Proposal 1).
//!
//! The header is parsed here rather than by a library, so that a damaged one (a shape whose product overflows, a length
//! beyond the file) is an error that names the field.

use super::array::{Array, Values};
use super::write_atomically;
use crate::error::{Error, Result};
use nalgebra::DMatrix;
use std::io::{self, Write};
use std::path::Path;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Reads an npy file: float32, float64, integers of 8 to 64 bits and bool, of either byte order, in C or Fortran order and of
/// any shape. Integers beyond 2^53 are rounded.
pub fn read_npy(path: impl AsRef<Path>) -> Result<Array> {
    let path = path.as_ref();
    parse(path, &std::fs::read(path).map_err(|reason| Error::io(path, reason))?)
}

/// Writes an npy file of version 1.0, little-endian, C order.
///
/// # Errors
/// [`Error::Parameter`] where the number of values is not the product of `shape`, [`Error::Io`] where writing fails.
pub fn write_npy<'a>(path: impl AsRef<Path>, shape: &[usize], values: impl Into<Values<'a>>) -> Result<()> {
    let values = values.into();
    check_shape(shape, &values)?;
    write_atomically(path, |writer| encode(writer, shape, &values))
}

/// Writes points, d x n with one point per column, as the float64 array `[n, d]`.
pub fn write_npy_points(path: impl AsRef<Path>, points: &DMatrix<f64>) -> Result<()> {
    write_npy(path, &[points.ncols(), points.nrows()], points.as_slice())
}

pub(super) fn check_shape(shape: &[usize], values: &Values<'_>) -> Result<()> {
    if shape.iter().product::<usize>() == values.len() {
        Ok(())
    } else {
        Err(Error::parameter("shape", format_args!("{shape:?}"), format_args!("of product {}", values.len())))
    }
}

/// Writes header and data.
pub(super) fn encode(writer: &mut impl Write, shape: &[usize], values: &Values<'_>) -> io::Result<()> {
    let width = match values {
        Values::Text(strings) => strings.iter().map(|s| s.chars().count()).max().unwrap_or(0).max(1),
        _ => 0,
    };
    let descr = match values {
        Values::F64(_) => "<f8".to_owned(),
        Values::I64(_) => "<i8".to_owned(),
        Values::U8(_) => "|u1".to_owned(),
        Values::Text(_) => format!("<U{width}"),
    };
    let axes: String = shape.iter().map(|n| format!("{n}, ")).collect();
    // A tuple of one needs its comma, a longer one may not end in two.
    let axes = if shape.len() == 1 { axes.trim_end() } else { axes.trim_end_matches(", ") };
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({axes}), }}");
    // The data starts at a multiple of 64 bytes, after 10 bytes before the text and a line end after it.
    let length = (header.len() + 11).next_multiple_of(64) - 10;
    header.extend(std::iter::repeat_n(' ', length - header.len() - 1));
    header.push('\n');

    writer.write_all(MAGIC)?;
    writer.write_all(&[1, 0])?;
    let length = u16::try_from(length).map_err(|_| io::Error::other("too many axes for an npy header"))?;
    writer.write_all(&length.to_le_bytes())?;
    writer.write_all(header.as_bytes())?;
    match values {
        Values::F64(v) => v.iter().try_for_each(|x| writer.write_all(&x.to_le_bytes())),
        Values::I64(v) => v.iter().try_for_each(|x| writer.write_all(&x.to_le_bytes())),
        Values::U8(v) => writer.write_all(v),
        Values::Text(strings) => strings.iter().try_for_each(|s| {
            let padded = s.chars().map(u32::from).chain(std::iter::repeat(0)).take(width);
            padded.into_iter().try_for_each(|c| writer.write_all(&c.to_le_bytes()))
        }),
    }
}

/// A numeric array from the bytes of an npy file; `origin` is what errors name.
pub(super) fn parse(origin: &Path, bytes: &[u8]) -> Result<Array> {
    let (header, data) = Header::parse(origin, bytes)?;
    let (kind, size) = header.dtype(origin)?;
    let unsupported = || {
        Error::format(origin, "dtype", &header.descr, "float32, float64, an integer of 8 to 64 bits or bool")
    };
    let swap = header.descr.starts_with('>');
    macro_rules! decode {
        ($type:ty) => {
            data.chunks_exact(size)
                .map(|chunk| {
                    let chunk = chunk.try_into().expect("chunks have the size of the type");
                    (if swap { <$type>::from_be_bytes(chunk) } else { <$type>::from_le_bytes(chunk) }) as f64
                })
                .collect()
        };
    }
    let values: Vec<f64> = match (kind, size) {
        ('f', 8) => decode!(f64),
        ('f', 4) => decode!(f32),
        ('i', 1) => decode!(i8),
        ('i', 2) => decode!(i16),
        ('i', 4) => decode!(i32),
        ('i', 8) => decode!(i64),
        ('u' | 'b', 1) => decode!(u8),
        ('u', 2) => decode!(u16),
        ('u', 4) => decode!(u32),
        ('u', 8) => decode!(u64),
        _ => return Err(unsupported()),
    };
    header.check_length(origin, data, size)?;
    let values = if header.fortran { c_order(&values, &header.shape) } else { values };
    Ok(Array::new(origin, header.shape, values))
}

/// The strings of an array of dtype U, in C order.
pub(super) fn parse_strings(origin: &Path, bytes: &[u8]) -> Result<Vec<String>> {
    let (header, data) = Header::parse(origin, bytes)?;
    let (kind, width) = header.dtype(origin)?;
    if kind != 'U' || width == 0 || header.fortran && header.shape.len() > 1 {
        return Err(Error::format(origin, "dtype", &header.descr, "unicode strings (U) in C order"));
    }
    let width = width.saturating_mul(4);
    header.check_length(origin, data, width)?;
    let big = header.descr.starts_with('>');
    data.chunks_exact(width)
        .map(|item| {
            let codes = item.chunks_exact(4).map(|c| {
                let c = c.try_into().expect("four bytes");
                if big { u32::from_be_bytes(c) } else { u32::from_le_bytes(c) }
            });
            let text: Option<String> = codes.map(char::from_u32).collect();
            let text = text.ok_or_else(|| Error::format(origin, "a string", "not Unicode", "code points"))?;
            Ok(text.trim_end_matches('\0').to_owned())
        })
        .collect()
}

pub(super) struct Header {
    pub(super) descr: String,
    pub(super) fortran: bool,
    pub(super) shape: Vec<usize>,
}

impl Header {
    /// Splits a file into its header and its data.
    pub(super) fn parse<'a>(origin: &Path, bytes: &'a [u8]) -> Result<(Self, &'a [u8])> {
        let start = &bytes[..bytes.len().min(MAGIC.len())];
        if start != MAGIC {
            return Err(Error::format(
                origin,
                "magic",
                format_args!("{start:02x?}"),
                format_args!("{MAGIC:02x?} (npy)"),
            ));
        }
        let truncated =
            || Error::format(origin, "length", format_args!("{} bytes", bytes.len()), "a whole npy header");
        let version = *bytes.get(6).ok_or_else(truncated)?;
        let (length, text) = match (version, &bytes[6..]) {
            (1, [_, _, a, b, text @ ..]) => (usize::from(u16::from_le_bytes([*a, *b])), text),
            (2 | 3, [_, _, a, b, c, d, text @ ..]) => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, text),
            (1..=3, _) => return Err(truncated()),
            _ => return Err(Error::format(origin, "npy version", version, "1, 2 or 3")),
        };
        let (text, data) = text.split_at_checked(length).ok_or_else(truncated)?;
        let text = String::from_utf8_lossy(text);
        let field = |name: &str| {
            entry(&text, name).ok_or_else(|| {
                Error::format(
                    origin,
                    "header",
                    format_args!("{:?}", text.trim()),
                    format_args!("a dict with {name:?}"),
                )
            })
        };
        let descr = field("descr")?;
        let fortran = match field("fortran_order")? {
            "True" => true,
            "False" => false,
            other => return Err(Error::format(origin, "fortran_order", other, "True or False")),
        };
        let shape_text = field("shape")?;
        let shape = parse_shape(shape_text).ok_or_else(|| {
            Error::format(origin, "shape", shape_text, "a tuple of lengths that fits in memory")
        })?;
        Ok((Self { descr: descr.trim_matches(['\'', '"']).to_owned(), fortran, shape }, data))
    }

    /// Kind and size of a plain dtype such as "<f8".
    fn dtype(&self, origin: &Path) -> Result<(char, usize)> {
        let code = self.descr.trim_start_matches(['<', '>', '|', '=']);
        let mut rest = code.chars();
        match (rest.next(), rest.as_str().parse()) {
            (Some(kind), Ok(size)) => Ok((kind, size)),
            _ => Err(Error::format(origin, "dtype", &self.descr, "a plain numeric type such as '<f8'")),
        }
    }

    pub(super) fn check_length(&self, origin: &Path, data: &[u8], size: usize) -> Result<()> {
        let expected = self.shape.iter().product::<usize>().checked_mul(size);
        if expected == Some(data.len()) {
            return Ok(());
        }
        let expected = expected.map_or("fewer".to_owned(), |n| n.to_string());
        Err(Error::format(
            origin,
            "data",
            format_args!("{} bytes", data.len()),
            format_args!("{expected} bytes for shape {:?} of {}", self.shape, self.descr),
        ))
    }
}

/// The text of one value of a Python dict literal that holds plain values, tuples and lists.
fn entry<'a>(dict: &'a str, key: &str) -> Option<&'a str> {
    let after = ["'", "\""]
        .iter()
        .find_map(|quote| dict.split_once(&format!("{quote}{key}{quote}")))
        .map(|(_, after)| after)?;
    let value = after.trim_start().strip_prefix(':')?.trim_start();
    let end = match value.chars().next()? {
        '(' => value.find(')')? + 1,
        '[' => value.find(']')? + 1,
        _ => value.find([',', '}'])?,
    };
    Some(value[..end].trim())
}

fn parse_shape(text: &str) -> Option<Vec<usize>> {
    let inner = text.strip_prefix('(')?.strip_suffix(')')?;
    let axes = inner.split(',').map(str::trim).filter(|axis| !axis.is_empty());
    let shape = axes.map(|axis| axis.trim_end_matches('L').parse().ok()).collect::<Option<Vec<usize>>>()?;
    // An axis of length zero must not hide that the others overflow.
    shape.iter().try_fold(1_usize, |product, &n| product.checked_mul(n.max(1)))?;
    Some(shape)
}

/// Rearranges Fortran order (first index fastest) to C order (last index fastest).
fn c_order(values: &[f64], shape: &[usize]) -> Vec<f64> {
    let mut index = vec![0; shape.len()];
    let mut out = Vec::with_capacity(values.len());
    for _ in 0..values.len() {
        let offset = index.iter().zip(shape).rev().fold(0, |offset, (i, n)| offset * n + i);
        out.push(values[offset]);
        for (i, n) in index.iter_mut().zip(shape).rev() {
            *i += 1;
            if *i < *n {
                break;
            }
            *i = 0;
        }
    }
    out
}

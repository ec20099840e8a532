//! Numeric tables as comma-separated values.

use super::write_atomically;
use crate::error::{Error, Result};
use nalgebra::DMatrix;
use std::fs;
use std::path::{Path, PathBuf};

/// A numeric table read from a CSV file: named columns of finite values.
#[derive(Clone, Debug)]
pub struct Table {
    path: PathBuf,
    columns: Vec<String>,
    values: Vec<f64>,
    /// The line of each row.
    lines: Vec<u64>,
}

impl Table {
    /// Names of the columns; "0", "1", ... where the file has no header.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The rows, in the order of the file.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.values.chunks_exact(self.columns.len())
    }

    /// The line of the file, from 1, on which row `row`, counted from 0, starts.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn line(&self, row: usize) -> u64 {
        self.lines[row]
    }

    /// One column by name; [`Error::Missing`] lists the names present.
    pub fn column(&self, name: &str) -> Result<Vec<f64>> {
        match self.columns.iter().position(|column| column == name) {
            Some(i) => Ok(self.rows().map(|row| row[i]).collect()),
            None => Err(Error::Missing {
                path: self.path.clone(),
                kind: "column",
                name: name.to_owned(),
                present: self.columns.clone(),
            }),
        }
    }

    /// The rows as points, one per column of the matrix: (number of columns) x (number of rows).
    pub fn into_points(self) -> DMatrix<f64> {
        let d = self.columns.len();
        DMatrix::from_vec(d, self.values.len() / d, self.values)
    }
}

/// Reads a CSV file of finite numbers. The first line is a header where none of its fields is a number. Lines that start with
/// `#` are comments.
///
/// # Errors
/// [`Error::Cell`] names file, line, column and text of what is not a finite number; lines of different length and a table
/// without rows are errors too.
pub fn read_csv(path: impl AsRef<Path>) -> Result<Table> {
    let path = path.as_ref();
    let mut text = fs::read(path).map_err(|reason| Error::io(path, reason))?;
    // Without it the parser takes a comment that ends the file for a record.
    text.push(b'\n');
    let mut reader = ::csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(::csv::Trim::All)
        .comment(Some(b'#'))
        .from_reader(&text[..]);
    let mut table =
        Table { path: path.to_owned(), columns: Vec::new(), values: Vec::new(), lines: Vec::new() };
    for record in reader.records() {
        let record = record.map_err(|reason| Error::format(path, "table", reason, "text"))?;
        let columns = &mut table.columns;
        if columns.is_empty() {
            if record.iter().all(|field| field.parse::<f64>().is_err()) {
                columns.extend(record.iter().map(str::to_owned));
                continue;
            }
            columns.extend((0..record.len()).map(|i| i.to_string()));
        }
        let line = record.position().map_or(0, |position| line_of(&text, position));
        if record.len() != columns.len() {
            let (field, value) = (format!("line {line}"), format!("of {} fields", record.len()));
            let expected = format!("lines of equal length, here of {} fields", columns.len());
            return Err(Error::format(path, field, value, expected));
        }
        for (field, column) in record.iter().zip(columns) {
            match field.parse::<f64>() {
                Ok(value) if value.is_finite() => table.values.push(value),
                _ => {
                    let (column, value) = (column.clone(), field.to_owned());
                    return Err(Error::Cell { path: path.to_owned(), line, column, value });
                }
            }
        }
        table.lines.push(line);
    }
    if table.values.is_empty() {
        return Err(Error::format(path, "table", "without rows", "at least one row of numbers"));
    }
    Ok(table)
}

/// The line of the file on which a record starts. The reader's own position is that before the comments, the empty lines
/// and the rest of a line end that may precede the record.
fn line_of(text: &[u8], position: &::csv::Position) -> u64 {
    let rest = text.get(position.byte() as usize..).unwrap_or_default();
    let skipped = |line: &&[u8]| line.is_empty() || *line == b"\r" || line.starts_with(b"#");
    position.line() + rest.split(|&byte| byte == b'\n').take_while(skipped).count() as u64
}

/// Writes a CSV file: a header and rows as long as the header. Numbers have 17 significant digits, integers are written as such.
///
/// # Errors
/// [`Error::Parameter`] for a row of another length, [`Error::Io`] where writing fails.
pub fn write_csv<R: AsRef<[f64]>>(path: impl AsRef<Path>, columns: &[&str], rows: &[R]) -> Result<()> {
    if let Some(i) = rows.iter().position(|row| row.as_ref().len() != columns.len()) {
        let length = rows[i].as_ref().len();
        return Err(Error::parameter(
            "rows",
            format_args!("{length} values in row {i}"),
            format_args!("{} values each", columns.len()),
        ));
    }
    write_atomically(path, |file| {
        let mut writer = ::csv::Writer::from_writer(file);
        writer.write_record(columns)?;
        for row in rows {
            writer.write_record(row.as_ref().iter().map(|&x| number(x)))?;
        }
        writer.flush()
    })
}

fn number(x: f64) -> String {
    let exact_integer = x.fract() == 0.0 && x.abs() < 1e15;
    if exact_integer { format!("{x}") } else { format!("{x:.16e}") }
}

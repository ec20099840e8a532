//! The kernel score of 512 points against data in R^784 in a mapped file, and the memory that it takes. The file is written if it is not there.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use nalgebra::DMatrix;
use resolvent::core::KilledBrownianMotion;
use resolvent::core::random::{Purpose, stream};
use resolvent::core::score::SinglePrecisionScore;
use resolvent::data::io::MappedPoints;

use crate::memory::field;
use crate::{Options, Report, Result};

const DIM: usize = 784;
const POINTS: usize = 512;
const LEVEL: f64 = 0.5;

/// Ten centres, with noise.
fn write(path: &Path, count: usize) -> Result<()> {
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({count}, {DIM}), }}");
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(b"\x93NUMPY\x01\x00\x76\x00")?;
    writeln!(file, "{header:<117}")?;
    let mut centres = vec![0.0; 10 * DIM];
    stream(1, Purpose::Data, 0).fill_normals(&mut centres);
    let (mut row, mut bytes) = (vec![0.0; DIM], Vec::new());
    for k in 0..count {
        stream(1, Purpose::Data, 1 + k as u64).fill_normals(&mut row);
        bytes.clear();
        for (x, centre) in row.iter().zip(&centres[k % 10 * DIM..]) {
            bytes.extend(((0.5 * centre + 0.3 * x) as f32).to_le_bytes());
        }
        file.write_all(&bytes)?;
    }
    Ok(file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?)
}

pub(crate) fn run(options: &Options) -> Result<Report> {
    if !options.file.exists() {
        write(&options.file, options.data)?;
    }
    let data = MappedPoints::open(&options.file)?;
    let process = KilledBrownianMotion::new(DIM, 1.0, 0.1)?;
    let score = SinglePrecisionScore::new(&process, data.values())?;
    let mut points = DMatrix::zeros(DIM, POINTS);
    stream(1, Purpose::Start, 0).fill_normals(points.as_mut_slice());
    for (j, mut point) in points.column_iter_mut().enumerate() {
        let datum = &data.values()[j * DIM..(j + 1) * DIM];
        point.iter_mut().zip(datum).for_each(|(x, y)| *x = LEVEL * *x + f64::from(*y));
    }
    let mut out = Ok(DMatrix::zeros(0, 0));
    let seconds = options.fastest(|| out = score.score(&points));
    out?;
    let rate = (POINTS * data.len()) as f64 / seconds;
    let fields = [("private_bytes", "RssAnon:"), ("mapped_bytes", "RssFile:")];
    let more = fields.into_iter().filter_map(|(name, key)| Some((name, field(key)?))).collect();
    Ok(Report { rate, unit: "pairs", error: None, more })
}

//! `resolvent tabulate bessel`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use resolvent::data::io::read_csv;
use resolvent::special::{log_i, log_k, ratio_i, ratio_k};

use super::Csv;
use super::grid::LogGrid;

/// The arguments from a file, or all pairs of orders and a grid.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// CSV file of numbers with the columns nu >= -1/2 and z > 0
    #[arg(long, value_name = "FILE", required_unless_present = "nu")]
    input: Option<PathBuf>,
    /// Orders, instead of a file
    #[arg(long, value_name = "A,B,..", value_delimiter = ',', allow_hyphen_values = true)]
    #[arg(requires = "z", conflicts_with = "input")]
    nu: Vec<f64>,
    /// Logarithmic grid of arguments for the orders
    #[arg(long, value_name = "FROM:TO:N", requires = "nu", conflicts_with = "input")]
    z: Option<LogGrid>,
    /// File to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn execute(args: &Args, out: &mut impl Write) -> Result<()> {
    let mut table = Csv::new(&["nu", "z", "log_k", "ratio_k", "log_i", "ratio_i"]);
    if let Some(path) = &args.input {
        tabulate_file(path, &mut table)?;
    }
    for &nu in &args.nu {
        ensure!(nu >= -0.5 && nu.is_finite(), "--nu {nu}: must be a finite number >= -0.5");
        for z in args.z.into_iter().flat_map(LogGrid::points) {
            table.push(&values(nu, z), || format!("nu = {nu}, z = {z}"))?;
        }
    }
    table.emit(args.out.as_deref(), out)
}

fn values(nu: f64, z: f64) -> [f64; 6] {
    [nu, z, log_k(nu, z), ratio_k(nu, z), log_i(nu, z), ratio_i(nu, z)]
}

/// Tabulates at the arguments of a file; every complaint names its line.
fn tabulate_file(path: &Path, table: &mut Csv) -> Result<()> {
    let name = path.display();
    let arguments = read_csv(path).context("--input")?;
    let column = |name: &str| arguments.column(name).context("--input");
    let (orders, points) = (column("nu")?, column("z")?);
    for (row, (nu, z)) in orders.into_iter().zip(points).enumerate() {
        let line = arguments.line(row);
        ensure!(nu >= -0.5, "--input {name}: line {line}, column nu: {nu} is not >= -0.5");
        ensure!(z > 0.0, "--input {name}: line {line}, column z: {z} is not > 0");
        table.push(&values(nu, z), || format!("{name}: line {line}, nu = {nu}, z = {z}"))?;
    }
    Ok(())
}

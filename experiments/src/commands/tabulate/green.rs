//! `resolvent tabulate green`

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use resolvent::core::KilledBrownianMotion;

use super::Csv;
use super::grid::LogGrid;

/// The process and the distances.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Dimension of the space
    #[arg(long, value_name = "D")]
    dim: usize,
    /// Killing rate per unit of time
    #[arg(long, value_name = "R", allow_negative_numbers = true)]
    rate: f64,
    /// Diffusion: length per square root of time
    #[arg(long, value_name = "S", default_value_t = 1.0, allow_negative_numbers = true)]
    sigma: f64,
    /// Logarithmic grid of distances
    #[arg(long, value_name = "FROM:TO:N")]
    rho: LogGrid,
    /// File to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Per distance: log G, log of the density r G of the place of death, |grad log G|, that over the distance, and the
/// mean lifetime of a particle that ends at this distance from its start.
pub(super) fn execute(args: &Args, out: &mut impl Write) -> Result<()> {
    let process = KilledBrownianMotion::new(args.dim, args.sigma, args.rate)?;
    let green = process.green();
    let mut table = Csv::new(&["rho", "log_green", "log_density", "score", "gain", "mean_lifetime"]);
    for rho in args.rho.points() {
        let (log_green, gain) = green.log_value_and_gain(rho);
        let mean_lifetime = green.lifetime(rho).mean();
        let row = [rho, log_green, args.rate.ln() + log_green, green.score_norm(rho), gain, mean_lifetime];
        table.push(&row, || format!("rho = {rho}"))?;
    }
    table.emit(args.out.as_deref(), out)
}

//! How fast the deterministic solvers of second order converge: end points against those of a fine run from the same
//! starts, so that no sampling error hides the rate.

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::HorizonSampler;
use resolvent::core::horizon::{LinearScheme, UniPc, unipc};
use resolvent::core::schedule::{Edm, Grid, prior};

use super::laws::Target;
use super::methods::Sampler;
use crate::outcome::{Check, Table, cells};

/// The solvers, all of second order at least.
const SOLVERS: [Sampler; 4] = [Sampler::Heun, Sampler::Multistep, Sampler::Singlestep, Sampler::UniPc];
/// Evaluations, doubled from one to the next. The order is a statement about short steps: the check takes the last two.
const EVALUATIONS: [usize; 4] = [50, 100, 200, 400];
/// The fine run is UniPC's, of third order, in so many steps.
const FINE: usize = 1_000;
/// The level σ where the laws in closed form end for the check. Their denoisers are smooth at this scale: the
/// Gaussians are 3.5 deviations apart.
const SMOOTH: f64 = 0.1;
/// The last noisy level of EDM.
const LAST: f64 = 0.002;
/// What the error falls by at least when the steps are halved: 4 in the limit for order 2, 2 for order 1.
const FALL: f64 = 3.0;

/// Distances of the end points of one solver from those of the fine run.
pub(super) struct Convergence {
    end: f64,
    solver: Sampler,
    /// Root mean square over the starts at every number of evaluations.
    differences: [f64; EVALUATIONS.len()],
}

impl Convergence {
    /// What the distance falls by at every doubling.
    fn falls(&self) -> [f64; EVALUATIONS.len() - 1] {
        std::array::from_fn(|k| self.differences[k] / self.differences[k + 1])
    }
}

/// All solvers on `target` from `starts` draws of the prior.
pub(super) fn convergence(target: &Target, starts: usize, seed: u64) -> Result<Vec<Convergence>> {
    let schedule = Edm::default();
    let starts = prior(&schedule, target.denoiser.dim(), starts, seed);
    let run = |table: LinearScheme| -> Result<DMatrix<f64>> {
        Ok(HorizonSampler::new(&table.with(target.denoiser.as_ref())).run(&starts, seed)?.points)
    };
    let mut all = Vec::new();
    for &end in if target.closed_form { &[LAST, SMOOTH][..] } else { &[LAST] } {
        let grid = |steps| Grid::uniform_log_snr(&schedule, steps, end);
        let fine = run(unipc(&grid(FINE)?, UniPc { lower_order_final: false, ..UniPc::default() })?)?;
        for solver in SOLVERS {
            let mut differences = [0.0; EVALUATIONS.len()];
            for (difference, evaluations) in differences.iter_mut().zip(EVALUATIONS) {
                let table = solver.second_order(&grid(evaluations / solver.evaluations_per_step())?)?;
                *difference = ((run(table)? - &fine).norm_squared() / starts.ncols() as f64).sqrt();
            }
            all.push(Convergence { end, solver, differences });
        }
    }
    Ok(all)
}

/// One for a law in closed form, none for another.
pub(super) fn check(law: &str, rows: &[Convergence]) -> Option<Check> {
    let [.., from, to] = EVALUATIONS;
    let falls = rows.iter().filter(|row| row.end == SMOOTH).map(|row| row.falls()[EVALUATIONS.len() - 2]);
    let least = falls.reduce(|a, b| if b >= a { a } else { b })?;
    Some(Check::at_least(
        format!(
            "{law}: fall of the error at σ = {SMOOTH} from {from} to {to} evaluations, least of four solvers"
        ),
        least,
        FALL,
        "order 2: a factor of 4 in the limit; order 1 has 2",
    ))
}

/// Every solver on every law, the law first in a row.
pub(super) fn table<'a>(laws: impl Iterator<Item = (&'a str, &'a [Convergence])>, starts: usize) -> Table {
    let [a, b, c, d] = EVALUATIONS;
    let mut table = Table::new(
        "convergence of the deterministic solvers",
        format!(
            "Root mean square distance of {starts} end points from those of UniPC of third order in {FINE} steps, all from the same \
             starts at σ = 80, on grids even in log σ down to the level `end`. Factors: what it falls by when the evaluations \
             double. The checks take the last factor at σ = {SMOOTH}, where the denoisers are smooth. At σ = {LAST} they are steep \
             between points or Gaussians: a start next to a boundary can go to either side, which no order describes, and there is \
             no check."
        ),
        &[
            "law",
            "end",
            "solver",
            &format!("{a}"),
            &format!("{b}"),
            &format!("{c}"),
            &format!("{d}"),
            &format!("{a} to {b}"),
            &format!("{b} to {c}"),
            &format!("{c} to {d}"),
        ],
    );
    for (law, rows) in laws {
        for row in rows {
            let mut cells = cells![law, row.end, row.solver.name()];
            cells.extend(row.differences.into_iter().chain(row.falls()).map(serde_json::Value::from));
            table.push(cells);
        }
    }
    table
}

//! The npz file, and the summary for the reader.

use std::path::Path;

use anyhow::{Context as _, Result};
use nalgebra::DMatrix;
use resolvent::core::{Ensemble, Exit};
use resolvent::data::io::NpzWriter;

/// What the file holds, for `--help`.
pub(crate) const ARRAYS: &str = "\
Arrays of FILE.npz, P particles in all, d coordinates:
  samples [P,d]       where they ended
  lifetimes [P]       backward time from start to end; with --step flux the time of the flow, which is no lifetime
  evaluations [P]     score evaluations of each
  exits [P]           how they ended, as an index into exit_names
  exit_names          the killing rules as they were given, then step-cap, diverged and horizon; with the bridge
                      steps lifetime is always the first, whether and wherever --kill has it
  starts [P,d]        where they started
Scalars of the models killed, drift, ou:
  delta, rate, sigma  the resolution (0 with --dt, for flux, and for euler without --delta), r and sigma of the process
  theta               of ou, its rate of return
Scalars of the models vp, subvp, ve, edm:
  time, alpha, sigma  the level of the start: starts are alpha x_0 + sigma times standard normal noise
With --paths K: path_lengths [K], and path_times [L] and path_points [L,d] with the K paths end to end.
Of project: inputs [m,d] after filling, nearest [m] the row of the nearest datum of each in --data, if given.

Exit status: 0 done, 2 bad use or input; then no file is written.";

/// Everything that is written.
pub(super) struct Contents<'a> {
    pub(super) ensemble: &'a Ensemble,
    /// Where the particles started (d x n).
    pub(super) starts: &'a DMatrix<f64>,
    /// Scalars that the model adds.
    pub(super) scalars: &'a [(&'static str, f64)],
    /// The inputs of a projection (d x m).
    pub(super) inputs: Option<&'a DMatrix<f64>>,
    /// The rows of their nearest data (m), where there are data.
    pub(super) nearest: Option<&'a [i64]>,
}

/// Writes the file, whole or not at all.
pub(super) fn write(path: &Path, contents: &Contents<'_>) -> Result<()> {
    let Contents { ensemble, starts, scalars, inputs, nearest } = contents;
    let n = ensemble.exits.len();
    let evaluations: Vec<i64> = ensemble.evaluations.iter().map(|&k| k as i64).collect();
    let exits: Vec<i64> = (0..n).map(|i| ensemble.exit_code(i) as i64).collect();
    let lengths: Vec<i64> = ensemble.paths.iter().map(|path| path.times.len() as i64).collect();
    let times: Vec<f64> = ensemble.paths.iter().flat_map(|path| path.times.iter().copied()).collect();
    let points: Vec<f64> = ensemble.paths.iter().flat_map(|path| path.points.iter().copied()).collect();

    let mut npz = NpzWriter::new()
        .points("samples", &ensemble.points)
        .vector("lifetimes", &ensemble.lifetimes[..])
        .vector("evaluations", &evaluations[..])
        .vector("exits", &exits[..])
        .strings("exit_names", &ensemble.exit_names())
        .points("starts", starts);
    for (name, value) in *scalars {
        npz = npz.array(name, &[], std::slice::from_ref(value));
    }
    if let Some(inputs) = inputs {
        npz = npz.points("inputs", inputs);
    }
    if let Some(nearest) = nearest {
        npz = npz.vector("nearest", *nearest);
    }
    if !ensemble.paths.is_empty() {
        npz = npz.vector("path_lengths", &lengths[..]).vector("path_times", &times[..]).array(
            "path_points",
            &[times.len(), starts.nrows()],
            &points[..],
        );
    }
    npz.write(path).context("--out")
}

/// How the particles ended, for the reader; every one of them is counted.
pub(super) fn summary(ensemble: &Ensemble, seconds: f64, path: &Path) -> String {
    let n = ensemble.exits.len();
    let counts: Vec<String> =
        ensemble.exit_counts().iter().map(|(name, count)| format!("{name} {count}")).collect();
    let finite: Vec<f64> = ensemble.lifetimes.iter().copied().filter(|time| time.is_finite()).collect();
    let mean = finite.iter().sum::<f64>() / finite.len() as f64;
    let lifetime = match finite.len() {
        0 => "none is finite".into(),
        count if count == n => format!("mean {mean:.6}"),
        count => format!("mean {mean:.6} of the {count} of {n} that are finite"),
    };
    let largest = ensemble.evaluations.iter().max().copied().unwrap_or(0);
    let evaluations = ensemble.mean_evaluations();
    let diverged = match ensemble.exits.iter().filter(|exit| matches!(exit, Exit::Diverged { .. })).count() {
        0 => String::new(),
        count if count == n => format!("DIVERGED     all {n} particles\n"),
        count => format!("DIVERGED     {count} of {n} particles\n"),
    };
    format!(
        "exits        {} of {n}\n\
         {diverged}\
         evaluations  mean {evaluations:.2}, largest {largest}\n\
         lifetime     {lifetime}\n\
         time         {seconds:.2} s\n\
         written      {}\n",
        counts.join(", "),
        path.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diverged_particles_are_counted_and_spoil_no_mean() {
        let summary = |particles: &[(f64, Exit)]| {
            let ensemble = Ensemble {
                points: DMatrix::zeros(1, particles.len()),
                lifetimes: particles.iter().map(|particle| particle.0).collect(),
                evaluations: vec![1; particles.len()],
                exits: particles.iter().map(|particle| particle.1).collect(),
                rules: vec!["lifetime".into()],
                paths: Vec::new(),
            };
            super::summary(&ensemble, 1.0, Path::new("o.npz"))
        };
        let (dead, lost) = (Exit::Killed { rule: 0 }, Exit::Diverged { step: 0 });
        let text = summary(&[(1.0, dead), (2.0, dead)]);
        assert!(text.contains("mean 1.500000\n") && !text.contains("DIVERGED"), "{text}");
        let text = summary(&[(1.0, dead), (f64::NAN, lost), (2.0, dead), (f64::INFINITY, lost)]);
        assert!(text.contains("mean 1.500000 of the 2 of 4 that are finite\n"), "{text}");
        assert!(text.contains("DIVERGED     2 of 4 particles\n"), "{text}");
        let text = summary(&[(f64::NAN, lost)]);
        assert!(text.contains("DIVERGED     all 1 particles\n") && text.contains("none is finite"), "{text}");
    }
}

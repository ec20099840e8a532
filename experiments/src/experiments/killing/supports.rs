//! The four supports, each with its process, its exact score and the distance at which the rules kill.

use anyhow::{Result, ensure};
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use rayon::prelude::*;
use resolvent::core::random::{Purpose, stream};
use resolvent::core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion};
use resolvent::data::{Atoms, Circle, Law, Sphere, Support};

use super::Settings;
use crate::experiments::harmonic::end_law::EndLaw;
use crate::experiments::harmonic::quadrature::{circle, circle_count, sphere, sphere_count};

/// How much finer the quadrature is that the score is compared with.
const FINER: usize = 4;
/// Unequal shares of the five atoms.
const SHARES: [f64; 5] = [1.0, 2.0, 1.0, 0.5, 1.5];

/// How far a datum is moved, as a share of the way to where the process died, before it is projected back.
const NUDGE: f64 = 1e-2;
/// Relative change of the rate for a derivative.
const SHIFT: f64 = 1e-3;

/// The number of supports.
pub(super) const COUNT: usize = 4;

/// A support, the law on it, and the killed process started in it.
pub(super) struct Target {
    pub(super) name: &'static str,
    /// For the names of files.
    pub(super) stem: &'static str,
    pub(super) process: KilledBrownianMotion,
    /// The data law: all atoms, or the quadrature.
    pub(super) law: Atoms,
    pub(super) score: EmpiricalScore,
    pub(super) support: Box<dyn Support>,
    /// The distance at which rules are to kill.
    pub(super) delta: f64,
    /// Spacing of the quadrature over `delta`; 0 for atoms.
    pub(super) spacing: f64,
    pub(super) end_law: EndLaw,
    finer: Option<Atoms>,
}

/// All supports.
pub(super) fn targets(settings: &Settings) -> Result<[Target; COUNT]> {
    let Settings { rates, deltas, concentration, spacing, .. } = settings;
    let (concentration, spacing) = (*concentration, *spacing);
    for (name, list) in [("rates", rates), ("deltas", deltas)] {
        ensure!(list.len() == COUNT, "setting `{name}`: {} numbers for {COUNT} supports", list.len());
    }
    ensure!(concentration > 0.0 && concentration < 1.0, "setting `concentration` must lie in (0, 1)");
    ensure!(spacing > 0.0 && spacing <= 1.0, "setting `spacing` must lie in (0, 1]");
    let on_circle = |index: usize, names, dim| {
        let count = circle_count(spacing * deltas[index]);
        let law = circle(dim, count, concentration)?;
        let finer = Some(circle(dim, FINER * count, concentration)?);
        let support = Box::new(Circle::new(1.0, dim)?);
        Target::new(
            names,
            rates[index],
            deltas[index],
            spacing,
            law,
            support,
            EndLaw::Angle { concentration },
            finer,
        )
    };
    let count = sphere_count(spacing * deltas[2]);
    let on_sphere = sphere(10, count, concentration)?;
    let finer = Some(sphere(10, FINER * count, concentration)?);
    let mut rng = stream(0, Purpose::Experiment, 0);
    let five = Atoms::new(DMatrix::from_fn(32, 5, |_, _| rng.sample(StandardNormal)), &SHARES)?;
    Ok([
        on_circle(0, ("circle in R³", "circle-3"), 3)?,
        on_circle(1, ("circle in R⁸", "circle-8"), 8)?,
        Target::new(
            ("S² in R¹⁰", "sphere-10"),
            rates[2],
            deltas[2],
            spacing,
            on_sphere,
            Box::new(Sphere::new(2, 1.0, 10)?),
            EndLaw::Height { concentration },
            finer,
        )?,
        Target::new(
            ("5 atoms in R³²", "atoms-32"),
            rates[3],
            deltas[3],
            0.0,
            five.clone(),
            Box::new(five),
            EndLaw::Nearest,
            None,
        )?,
    ])
}

impl Target {
    #[expect(clippy::too_many_arguments, reason = "one per field")]
    fn new(
        (name, stem): (&'static str, &'static str),
        rate: f64,
        delta: f64,
        spacing: f64,
        law: Atoms,
        support: Box<dyn Support>,
        end_law: EndLaw,
        finer: Option<Atoms>,
    ) -> Result<Self> {
        let process = KilledBrownianMotion::new(law.dim(), 1.0, rate)?;
        let score = EmpiricalScore::new(&process, measure(&law)?)?;
        Ok(Self { name, stem, process, law, score, support, delta, spacing, end_law, finer })
    }

    /// `n` places of death of the forward process started in the data (d x n): the backward start law, exactly.
    pub(super) fn starts(&self, n: usize, seed: u64) -> Result<DMatrix<f64>> {
        Ok(self.process.deaths(&self.law.sample(n, seed), seed)?.0)
    }

    /// The mean lifetime left at distance δ of a flat support of the same codimension (R11), in units of 1/r.
    pub(super) fn flat_remainder(&self) -> Result<f64> {
        let rate = self.process.rate();
        let normal = KilledBrownianMotion::new(self.support.codimension(), 1.0, rate)?;
        Ok(rate * normal.green().lifetime(self.delta).mean())
    }

    /// The mean lifetime left at each column of `points`, in units of 1/r: -r d/dr log u (R4b).
    pub(super) fn remainders(&self, points: &DMatrix<f64>) -> Result<Vec<f64>> {
        let score = |factor: f64| -> Result<EmpiricalScore> {
            let process = KilledBrownianMotion::new(self.process.dim(), 1.0, factor * self.process.rate())?;
            Ok(EmpiricalScore::new(&process, self.score.measure().clone())?)
        };
        let (slower, faster) = (score(1.0 - SHIFT)?, score(1.0 + SHIFT)?);
        let columns = points.as_slice().par_chunks_exact(points.nrows());
        Ok(columns.map(|x| (slower.log_density(x) - faster.log_density(x)) / (2.0 * SHIFT)).collect())
    }

    /// Distances from the columns of `points` to the support.
    pub(super) fn distances(&self, points: &DMatrix<f64>) -> Vec<f64> {
        points.column_iter().map(|x| self.support.distance(x.as_slice())).collect()
    }

    /// `n` places on the support, drawn from the data law, and unit normals there in random directions (both d x n).
    pub(super) fn normals(&self, n: usize, seed: u64) -> Result<(DMatrix<f64>, DMatrix<f64>)> {
        let data = self.law.sample(n, seed);
        let mut normals = &data + NUDGE * (self.starts(n, seed)? - &data);
        let mut feet = DMatrix::zeros(normals.nrows(), n);
        for (mut x, mut foot) in normals.column_iter_mut().zip(feet.column_iter_mut()) {
            self.support.project_into(x.as_slice(), foot.as_mut_slice());
            x -= &foot;
            x.normalize_mut();
        }
        Ok((feet, normals))
    }

    /// The largest relative difference between the scores of the quadrature and of one with four times as many points
    /// at `n` places at distance δ; nothing for atoms.
    pub(super) fn quadrature_error(&self, n: usize, seed: u64) -> Result<Option<f64>> {
        let Some(finer) = &self.finer else { return Ok(None) };
        let (feet, normals) = self.normals(n, seed)?;
        let points = feet + normals * self.delta;
        let fine = EmpiricalScore::new(&self.process, measure(finer)?)?.score(&points)?;
        let coarse = self.score.score(&points)?;
        let relative = coarse.column_iter().zip(fine.column_iter()).map(|(a, b)| (a - b).norm() / b.norm());
        Ok(Some(relative.fold(0.0, f64::max)))
    }
}

fn measure(law: &Atoms) -> Result<EmpiricalMeasure> {
    Ok(EmpiricalMeasure::weighted(law.points().clone(), law.weights())?)
}

//! What a run is judged by: the same for every rule, step, score and support.

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::{Ensemble, Exit};
use resolvent::data::Support;
use resolvent::metrics::{energy_distance, ks_one_sample, mean, quantile};
use serde::{Deserialize, Serialize};

use super::rules::Rule;

/// A particle killed further from the support than this many thresholds was killed too early.
pub(super) const PREMATURE: f64 = 3.0;

/// How one run ended: the numbers of one rule at one threshold.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::experiments) struct Cell {
    pub(super) rule: Rule,
    /// The threshold over δ.
    pub(super) factor: f64,
    pub(super) particles: usize,
    /// Killed by the rule, caught by the cap, diverged: all particles together.
    pub(super) killed: usize,
    pub(super) capped: usize,
    pub(super) diverged: usize,
    /// Of the killed, those that a bridge killed by its lifetime under another rule.
    pub(super) by_lifetime: usize,
    /// Killed too far away; nothing where the support is not known.
    pub(super) premature: Option<usize>,
    /// Energy distance of the ends from independent exact draws, over the mean distance of two data; 0 on average for an exact
    /// sampler. Nothing where too few ends are left.
    pub(super) end: Option<f64>,
    /// The same for the projections of the ends to the support.
    pub(super) foot: Option<f64>,
    /// Mean distance of the ends to the support, over δ.
    pub(super) distance: Option<f64>,
    /// Their 95 % quantile.
    pub(super) far: Option<f64>,
    /// Mean distance of the ends from the projection of their starts.
    pub(super) projection: Option<f64>,
    /// Kolmogorov-Smirnov distance of the lifetimes from Exp(r), that of exact ones.
    pub(super) lifetime: Option<f64>,
    /// Mean evaluations of the score.
    pub(super) evaluations: f64,
    /// Ends in each cell of the end law, where it has cells.
    pub(super) counts: Option<Vec<u64>>,
}

/// Counts ends in cells.
pub(super) type Counter<'a> = Box<dyn Fn(&DMatrix<f64>) -> Result<Vec<u64>> + 'a>;

/// What the runs of a unit are compared with.
pub(super) struct Judge<'a> {
    /// Independent exact draws of the end law.
    pub(super) reference: DMatrix<f64>,
    /// Mean distance of two data.
    pub(super) scale: f64,
    /// The killing distance.
    pub(super) delta: f64,
    /// The killing rate.
    pub(super) rate: f64,
    pub(super) support: Option<&'a dyn Support>,
    pub(super) counter: Option<Counter<'a>>,
}

impl Judge<'_> {
    /// The cell of `ensemble`, run from `starts`; `flows` says that its times are those of a flow.
    pub(super) fn cell(
        &self,
        rule: Rule,
        factor: f64,
        starts: &DMatrix<f64>,
        ensemble: &Ensemble,
        flows: bool,
    ) -> Result<Cell> {
        let n = ensemble.exits.len();
        let count = |kind: fn(&Exit) -> bool| ensemble.exits.iter().filter(|exit| kind(exit)).count();
        // Particles that diverged or were never killed are counted and have no end.
        let kept: Vec<usize> = (0..n).filter(|&i| matches!(ensemble.exits[i], Exit::Killed { .. })).collect();
        let ends = ensemble.points.select_columns(&kept);
        // A particle that was never killed has lived at least as long as it was given.
        let lifetimes: Vec<f64> = (0..n)
            .filter(|&i| !matches!(ensemble.exits[i], Exit::Diverged { .. }))
            .map(|i| ensemble.lifetimes[i])
            .collect();
        let evaluations: Vec<f64> = ensemble.evaluations.iter().map(|&count| count as f64).collect();
        let premature = self.support.map(|support| {
            let far = |i: &usize| {
                let threshold = if rule.has_threshold() { factor } else { 1.0 } * self.delta;
                matches!(ensemble.exits[*i], Exit::Killed { .. })
                    && support.distance(ensemble.points.column(*i).as_slice()) > PREMATURE * threshold
            };
            (0..n).filter(far).count()
        });
        let lifetime = if flows || lifetimes.is_empty() { None } else { Some(self.lifetime(&lifetimes)?) };
        let own = ensemble.rules.iter().position(|name| name == "lifetime");
        let by_lifetime = if rule == Rule::Lifetime {
            0
        } else {
            let dies = |exit: &&Exit| matches!(exit, Exit::Killed { rule } if Some(*rule) == own);
            ensemble.exits.iter().filter(dies).count()
        };
        let mut cell = Cell {
            killed: kept.len(),
            capped: count(|exit| *exit == Exit::StepCap),
            diverged: count(|exit| matches!(exit, Exit::Diverged { .. })),
            by_lifetime,
            particles: n,
            premature,
            lifetime,
            evaluations: mean(&evaluations)?.value,
            ..Cell::empty(rule, factor)
        };
        self.judge(&mut cell, &starts.select_columns(&kept), &ends)?;
        Ok(cell)
    }

    /// The cell of exact draws: what the same number of particles show without any error.
    pub(super) fn floor(
        &self,
        starts: &DMatrix<f64>,
        ends: &DMatrix<f64>,
        lifetimes: Option<&[f64]>,
    ) -> Result<Cell> {
        let n = ends.ncols();
        let lifetime = match lifetimes {
            Some(times) => Some(self.lifetime(times)?),
            None => None,
        };
        let premature = self.support.map(|_| 0);
        let mut cell =
            Cell { particles: n, killed: n, premature, lifetime, ..Cell::empty(Rule::Oracle, 1.0) };
        self.judge(&mut cell, starts, ends)?;
        Ok(cell)
    }

    /// The Kolmogorov-Smirnov distance of `times` from Exp(r).
    fn lifetime(&self, times: &[f64]) -> Result<f64> {
        let rate = self.rate;
        Ok(ks_one_sample(times, |t| -f64::exp_m1(-rate * t))?.statistic)
    }

    fn judge(&self, cell: &mut Cell, starts: &DMatrix<f64>, ends: &DMatrix<f64>) -> Result<()> {
        // Fewer than four are no sample to the energy distance.
        if ends.ncols() < 4 {
            return Ok(());
        }
        let energy = |points: &DMatrix<f64>| -> Result<Option<f64>> {
            Ok(Some(energy_distance(points, &self.reference)?.value / self.scale))
        };
        cell.end = energy(ends)?;
        if let Some(counter) = &self.counter {
            cell.counts = Some(counter(ends)?);
        }
        let Some(support) = self.support else { return Ok(()) };
        let project = |points: &DMatrix<f64>| {
            let mut feet = points.clone();
            for (mut foot, x) in feet.column_iter_mut().zip(points.column_iter()) {
                support.project_into(x.as_slice(), foot.as_mut_slice());
            }
            feet
        };
        cell.foot = energy(&project(ends))?;
        let moved = ends - project(starts);
        let moves: Vec<f64> = moved.column_iter().map(|v| v.norm()).collect();
        cell.projection = Some(mean(&moves)?.value);
        let mut distances: Vec<f64> =
            ends.column_iter().map(|x| support.distance(x.as_slice()) / self.delta).collect();
        cell.distance = Some(mean(&distances)?.value);
        distances.sort_unstable_by(f64::total_cmp);
        cell.far = Some(quantile(&distances, 0.95)?);
        Ok(())
    }
}

impl Cell {
    fn empty(rule: Rule, factor: f64) -> Self {
        Self {
            rule,
            factor,
            particles: 0,
            killed: 0,
            capped: 0,
            diverged: 0,
            by_lifetime: 0,
            premature: None,
            end: None,
            foot: None,
            distance: None,
            far: None,
            projection: None,
            lifetime: None,
            evaluations: 0.0,
            counts: None,
        }
    }

    /// The end-law error, and the share of particles that were never killed or diverged: those have no end.
    pub(super) fn loss(&self) -> Option<f64> {
        let share = (self.capped + self.diverged) as f64 / self.particles as f64;
        // Where hardly any was killed there is no sample of ends, and the share says it all.
        if share > 0.0 { Some(self.end.unwrap_or(0.0) + share) } else { self.end }
    }
}

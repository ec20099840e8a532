//! `polarity`: when hitting is the right rule, by codimension.

mod atom;
mod ends;
mod hitting;
mod report;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use crate::experiment::Context;
use crate::outcome::Outcome;
use crate::sweep::Sweep;

/// Distance rules on atoms in R^c as the distance vanishes.
pub(crate) struct Polarity;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Codimensions c: atoms in R^c.
    codimensions: Vec<usize>,
    /// Killing rate r.
    rate: f64,
    /// The distances at which the rule kills, descending.
    deltas: Vec<f64>,
    /// Particles of every run.
    particles: usize,
}

impl Sweep for Polarity {
    type Settings = Settings;
    type Unit = usize;
    type Measured = Measured;

    fn name(&self) -> &'static str {
        "polarity"
    }

    fn summary(&self) -> &'static str {
        "when hitting the data is the right rule: distance rules in codimension 1 to 5 as the distance vanishes"
    }

    fn seconds(&self) -> u32 {
        20
    }

    fn full(&self) -> Settings {
        Settings {
            codimensions: vec![1, 2, 3, 4, 5],
            rate: 0.5,
            deltas: vec![0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3],
            particles: 10_000,
        }
    }

    fn quick(&self) -> Settings {
        Settings { deltas: vec![0.3, 0.03, 3e-3], particles: 500, ..self.full() }
    }

    fn units(&self, settings: &Settings) -> Result<Vec<(String, usize)>> {
        let Settings { codimensions, deltas, particles, .. } = settings;
        ensure!(codimensions.len() >= 2, "setting `codimensions`: at least two");
        ensure!(codimensions.iter().all(|c| (1..=20).contains(c)), "setting `codimensions`: from 1 to 20");
        let descending = deltas.windows(2).all(|pair| pair[0] > pair[1]);
        ensure!(descending && deltas.len() >= 2, "setting `deltas`: at least two, descending");
        ensure!(deltas.iter().all(|delta| *delta > 0.0 && *delta < 0.5), "setting `deltas`: in (0, 0.5)");
        ensure!(*particles >= 100, "setting `particles` = {particles}: at least 100");
        Ok(codimensions.iter().map(|c| (format!("codimension-{c}"), *c)).collect())
    }

    fn measure(&self, codimension: &usize, settings: &Settings, context: &Context) -> Result<Measured> {
        Ok(Measured {
            atom: atom::rows(*codimension, settings, context)?,
            ends: ends::rows(*codimension, settings, context)?,
        })
    }

    fn conclude(&self, settings: &Settings, measured: Vec<(usize, Measured)>) -> Result<Outcome> {
        let (mut atoms, mut ends) = (Vec::new(), Vec::new());
        for (_, one) in measured {
            atoms.extend(one.atom);
            ends.extend(one.ends);
        }
        report::outcome(&atoms, &ends, settings)
    }
}

/// What the rule does in one codimension, at every δ.
#[derive(Serialize, Deserialize)]
pub(crate) struct Measured {
    atom: Vec<atom::Row>,
    ends: Vec<ends::Row>,
}

//! `projection-dimension`: how near the backward process ends to the point of the support that is nearest to its start.

mod curve;
mod manifolds;
mod pair;
mod report;
mod runs;
mod starts;
mod theory;
mod torus;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use self::manifolds::Kind;
use self::runs::Case;
use crate::experiment::Context;
use crate::outcome::Outcome;
use crate::sweep::Sweep;

/// Projection onto known supports in dimensions from three to hundreds.
pub(crate) struct ProjectionDimension;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Codimensions c; a support of dimension k lies in R^(k + c), and where it does not fit it is left out.
    codimensions: Vec<usize>,
    /// Repetitions with other starts, noise and curves.
    seeds: u64,
    /// Starts of each kind beside each support.
    starts: usize,
    /// Runs of the backward process from each start.
    runs: usize,
    /// Killing rate r, σ = 1.
    rate: f64,
    /// Length of the normal displacement; the supports have a curvature of about one.
    displacement: f64,
    /// Deviation of the noise of the other kind of start, per coordinate.
    noise: f64,
    /// Images of the glyph family, and deviations of the noise on others from which the process starts.
    glyphs: usize,
    glyph_noise: Vec<f64>,
    /// Points that make the law on the random curve.
    curve_points: usize,
    /// η of the bridge and of the flux flow, and the resolution δ of both over the distance of the start.
    bridge_eta: f64,
    flux_eta: f64,
    floor: f64,
    /// R16: shares ε of the law in a ball around the start, and margins δ beyond it.
    ball_masses: Vec<f64>,
    ball_margins: Vec<f64>,
}

/// A support in one dimension with one seed.
pub(crate) struct Unit {
    kind: Kind,
    codimension: usize,
    seed: u64,
}

fn full() -> Settings {
    Settings {
        codimensions: vec![2, 3, 5, 10, 30, 100, 300],
        seeds: 10,
        starts: 24,
        runs: 64,
        rate: 0.1,
        displacement: 0.3,
        noise: 0.1,
        glyphs: 500,
        glyph_noise: vec![2.0, 8.0],
        curve_points: 1024,
        bridge_eta: 0.1,
        flux_eta: 0.1,
        floor: 0.01,
        ball_masses: vec![0.02, 0.1, 0.4],
        ball_margins: vec![0.02, 0.1, 0.4],
    }
}

fn quick() -> Settings {
    Settings {
        codimensions: vec![3, 10, 30],
        seeds: 3,
        starts: 4,
        runs: 32,
        glyphs: 30,
        glyph_noise: vec![8.0],
        curve_points: 256,
        bridge_eta: 0.2,
        flux_eta: 0.2,
        floor: 0.03,
        ball_masses: vec![0.1],
        ..full()
    }
}

impl Settings {
    fn validate(&self) -> Result<()> {
        ensure!(self.seeds >= 2, "setting `seeds` = {}: at least 2, for standard errors", self.seeds);
        ensure!(self.starts > 0 && self.runs > 0, "settings `starts` and `runs` must not be 0");
        for (name, values) in [("glyph_noise", &self.glyph_noise), ("ball_margins", &self.ball_margins)] {
            let good = values.iter().all(|value| value.is_finite() && *value > 0.0);
            ensure!(good, "setting `{name}` = {values:?}: must be positive and finite");
        }
        for (name, value) in
            [("displacement", self.displacement), ("noise", self.noise), ("floor", self.floor)]
        {
            ensure!(
                value.is_finite() && value > 0.0,
                "setting `{name}` = {value}: must be positive and finite"
            );
        }
        let share = |mass: &f64| *mass > 0.0 && *mass < 1.0;
        ensure!(
            self.ball_masses.iter().all(share),
            "setting `ball_masses` = {:?}: must lie between 0 and 1",
            self.ball_masses
        );
        let polar = self.codimensions.iter().all(|c| *c >= 2);
        ensure!(polar, "setting `codimensions` = {:?}: at least 2, below it nothing dies", self.codimensions);
        ensure!(self.curve_points >= 8, "setting `curve_points` = {}: at least 8", self.curve_points);
        ensure!(self.glyphs > 0, "setting `glyphs` = 0");
        Ok(())
    }
}

impl Sweep for ProjectionDimension {
    type Settings = Settings;
    type Unit = Unit;
    type Measured = Vec<Case>;

    fn name(&self) -> &'static str {
        "projection-dimension"
    }

    fn summary(&self) -> &'static str {
        "error of the projection onto known manifolds against the dimension, and the bound on the distance to the end"
    }

    fn seconds(&self) -> u32 {
        900
    }

    fn full(&self) -> Settings {
        full()
    }

    fn quick(&self) -> Settings {
        quick()
    }

    fn units(&self, settings: &Settings) -> Result<Vec<(String, Unit)>> {
        settings.validate()?;
        let mut units = Vec::new();
        let mut add = |kind: Kind, codimension: usize, name: String| {
            for seed in 0..settings.seeds {
                units.push((format!("{name}-s{seed}"), Unit { kind, codimension, seed }));
            }
        };
        for kind in Kind::SMOOTH {
            for &codimension in settings.codimensions.iter().filter(|c| kind.intrinsic() + **c > kind.span())
            {
                add(kind, codimension, format!("{}-c{codimension}", kind.stem()));
            }
        }
        for &codimension in settings.codimensions.iter().filter(|c| **c >= 3) {
            add(Kind::Pair, codimension, format!("{}-c{codimension}", Kind::Pair.stem()));
        }
        add(Kind::Glyphs, Kind::Glyphs.span(), Kind::Glyphs.stem().to_owned());
        Ok(units)
    }

    fn measure(&self, unit: &Unit, settings: &Settings, context: &Context) -> Result<Vec<Case>> {
        runs::measure(unit, settings, context)
    }

    fn conclude(&self, settings: &Settings, measured: Vec<(Unit, Vec<Case>)>) -> Result<Outcome> {
        report::conclude(settings, measured)
    }
}

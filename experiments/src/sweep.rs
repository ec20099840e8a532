//! Experiments made of independent units, each a setting with a seed.

use anyhow::{Context as _, Result, anyhow, ensure};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::experiment::{AnyExperiment, Context, Prepared, Work};
use crate::outcome::Outcome;
use crate::settings::{self, Assignment, SettingDocs};
use crate::units::Units;

/// An experiment that splits into units which know nothing of each other, so that they may be measured in any order, on several
/// machines, and again after an interruption only where they are missing.
pub(crate) trait Sweep: Sync {
    /// As [`Experiment::Settings`](crate::experiment::Experiment::Settings).
    type Settings: Serialize + DeserializeOwned + Send + Sync;
    /// One setting with one seed.
    type Unit: Send + Sync;
    /// What a unit leaves behind; its numbers survive JSON unchanged if they are finite, so others are counts or options.
    type Measured: Serialize + DeserializeOwned + Send;

    /// The name on the command line and of the folder: lower-case words joined by hyphens.
    fn name(&self) -> &'static str;

    /// One line: what it reproduces.
    fn summary(&self) -> &'static str;

    /// Seconds that the full settings take on two cores, roughly.
    fn seconds(&self) -> u32;

    /// The settings that reproduce the claim.
    fn full(&self) -> Self::Settings;

    /// Settings that go through the same code in a few seconds.
    fn quick(&self) -> Self::Settings;

    /// The units with their names: lower-case letters, digits, hyphens and dots, different from each other, the same in every
    /// version of the list that has the unit at all. Cheap: nothing is measured, no data are read.
    fn units(&self, settings: &Self::Settings) -> Result<Vec<(String, Self::Unit)>>;

    /// Measures one unit. A function of unit, settings, seed and data alone; the seed of a unit is made of the context's and
    /// its own.
    fn measure(
        &self,
        unit: &Self::Unit,
        settings: &Self::Settings,
        context: &Context,
    ) -> Result<Self::Measured>;

    /// What all units together show, in the order of [`Sweep::units`].
    fn conclude(
        &self,
        settings: &Self::Settings,
        measured: Vec<(Self::Unit, Self::Measured)>,
    ) -> Result<Outcome>;
}

/// A [`Sweep`] as one of the experiments.
pub(crate) struct Swept<S>(pub(crate) S);

impl<S: Sweep> AnyExperiment for Swept<S> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn summary(&self) -> &'static str {
        self.0.summary()
    }

    fn seconds(&self) -> u32 {
        self.0.seconds()
    }

    fn setting_docs(&self) -> SettingDocs {
        settings::docs::<S::Settings>()
    }

    fn in_units(&self) -> bool {
        true
    }

    fn prepare(&self, quick: bool, assignments: &[Assignment]) -> Result<Prepared<'_>> {
        let defaults = if quick { self.0.quick() } else { self.0.full() };
        settings::overridden(&defaults, assignments)
            .and_then(|settings| prepared(&self.0, settings))
            .with_context(|| format!("experiment {}", self.0.name()))
    }

    fn restore(&self, settings: &Map<String, Value>) -> Result<Prepared<'_>> {
        settings::restored(settings)
            .and_then(|settings| prepared(&self.0, settings))
            .with_context(|| format!("experiment {}", self.0.name()))
    }
}

fn prepared<S: Sweep>(sweep: &S, settings: S::Settings) -> Result<Prepared<'_>> {
    let shown = settings::shown(&settings)?;
    let units = sweep.units(&settings)?;
    ensure!(!units.is_empty(), "the settings leave no unit to measure");
    for (index, (name, _)) in units.iter().enumerate() {
        ensure!(is_plain(name), "the unit `{name}` has no plain name");
        let twice = units[..index].iter().any(|(other, _)| other == name);
        ensure!(!twice, "two units are called `{name}`");
    }
    Ok(Prepared { settings: shown, work: Work::Units(Box::new(Planned { sweep, settings, units })) })
}

/// Whether a name makes a file of its own: lower-case letters, digits, hyphens and dots, no dot first.
fn is_plain(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    !name.is_empty() && !name.starts_with('.') && name.chars().all(allowed)
}

/// A sweep with its settings and its units.
struct Planned<'a, S: Sweep> {
    sweep: &'a S,
    settings: S::Settings,
    units: Vec<(String, S::Unit)>,
}

impl<S: Sweep> Units for Planned<'_, S> {
    fn names(&self) -> Vec<&str> {
        self.units.iter().map(|(name, _)| name.as_str()).collect()
    }

    fn measure(&self, index: usize, context: &Context) -> Result<Value> {
        let measured = self.sweep.measure(&self.units[index].1, &self.settings, context)?;
        let value = serde_json::to_value(measured)?;
        // What JSON does not carry is found here and not when everything is done.
        typed::<S>(&value)?;
        Ok(value)
    }

    fn conclude(self: Box<Self>, measured: Vec<Value>) -> Result<Outcome> {
        let Self { sweep, settings, units } = *self;
        ensure!(measured.len() == units.len(), "{} of {} units", measured.len(), units.len());
        let pairs = units.into_iter().zip(&measured).map(|((name, unit), value)| {
            Ok((unit, typed::<S>(value).with_context(|| format!("unit {name}"))?))
        });
        sweep.conclude(&settings, pairs.collect::<Result<_>>()?)
    }
}

fn typed<S: Sweep>(value: &Value) -> Result<S::Measured> {
    serde_path_to_error::deserialize(value)
        .map_err(|error| anyhow!("field `{}` of what was measured: {}", error.path(), error.inner()))
}

//! What an experiment is, and what it is given.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::interrupt;
use crate::outcome::Outcome;
use crate::progress::Progress;
use crate::settings::{self, Assignment, SettingDocs};
use crate::units::Units;

/// One experiment: a file in `experiments/` with a type that implements this, and a line in `experiments::ALL`.
pub(crate) trait Experiment: Sync {
    /// A flat struct of finite numbers, booleans, strings and lists of them; derive `Serialize`, `Deserialize`
    /// and put `#[serde(deny_unknown_fields)]` on it.
    type Settings: Serialize + DeserializeOwned + Send;

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

    /// Runs. The outcome is a function of settings, seed and data alone, not of the number of threads.
    fn run(&self, settings: &Self::Settings, context: &Context) -> Result<Outcome>;
}

/// What a run is given beside its settings.
pub(crate) struct Context {
    /// The seed of every random stream.
    pub(crate) seed: u64,
    /// The folder of data sets, where one was given.
    pub(crate) data: Option<PathBuf>,
}

impl Context {
    /// A progress bar of `length` units of work, advanced with [`Progress::inc`] from any thread.
    pub(crate) fn progress(&self, length: u64, message: &str) -> Progress {
        Progress::new(length, message)
    }

    /// Whether the user asked to stop; what is returned after that is thrown away.
    pub(crate) fn interrupted(&self) -> bool {
        interrupt::requested()
    }

    /// An error once the user asked to stop: `context.proceed()?` between two pieces of work.
    pub(crate) fn proceed(&self) -> Result<()> {
        if self.interrupted() {
            bail!("interrupted");
        }
        Ok(())
    }
}

/// An [`Experiment`] whose settings type is forgotten.
pub(crate) trait AnyExperiment: Sync {
    /// As [`Experiment::name`].
    fn name(&self) -> &'static str;
    /// As [`Experiment::summary`].
    fn summary(&self) -> &'static str;
    /// As [`Experiment::seconds`].
    fn seconds(&self) -> u32;
    /// What the settings mean, as their type documents them.
    fn setting_docs(&self) -> SettingDocs;
    /// Whether it is made of units, which are stored one by one.
    fn in_units(&self) -> bool;
    /// The full or quick settings with the assignments applied, ready to run.
    fn prepare(&self, quick: bool, assignments: &[Assignment]) -> Result<Prepared<'_>>;
    /// The settings as a record shows them, ready to run.
    fn restore(&self, settings: &Map<String, Value>) -> Result<Prepared<'_>>;
}

/// [`Experiment::run`] with everything but the context given.
pub(crate) type Run<'a> = Box<dyn FnOnce(&Context) -> Result<Outcome> + 'a>;

/// What there is to do.
pub(crate) enum Work<'a> {
    /// All at once.
    Whole(Run<'a>),
    /// Unit by unit.
    Units(Box<dyn Units + 'a>),
}

impl Work<'_> {
    /// The number of pieces that may be done on different machines.
    pub(crate) fn pieces(&self) -> usize {
        match self {
            Self::Whole(_) => 1,
            Self::Units(units) => units.names().len(),
        }
    }
}

/// An experiment with its final settings.
pub(crate) struct Prepared<'a> {
    /// The settings as the record shows them.
    pub(crate) settings: Map<String, Value>,
    /// What there is to do with these settings.
    pub(crate) work: Work<'a>,
}

impl<E: Experiment> AnyExperiment for E {
    fn name(&self) -> &'static str {
        Experiment::name(self)
    }

    fn summary(&self) -> &'static str {
        Experiment::summary(self)
    }

    fn seconds(&self) -> u32 {
        Experiment::seconds(self)
    }

    fn setting_docs(&self) -> SettingDocs {
        settings::docs::<E::Settings>()
    }

    fn in_units(&self) -> bool {
        false
    }

    fn prepare(&self, quick: bool, assignments: &[Assignment]) -> Result<Prepared<'_>> {
        let defaults = if quick { self.quick() } else { self.full() };
        settings::overridden(&defaults, assignments)
            .and_then(|settings| prepared(self, settings))
            .with_context(|| format!("experiment {}", Experiment::name(self)))
    }

    fn restore(&self, settings: &Map<String, Value>) -> Result<Prepared<'_>> {
        settings::restored(settings)
            .and_then(|settings| prepared(self, settings))
            .with_context(|| format!("experiment {}", Experiment::name(self)))
    }
}

fn prepared<E: Experiment>(experiment: &E, settings: E::Settings) -> Result<Prepared<'_>> {
    let shown = settings::shown(&settings)?;
    let run = move |context: &Context| experiment.run(&settings, context);
    Ok(Prepared { settings: shown, work: Work::Whole(Box::new(run)) })
}

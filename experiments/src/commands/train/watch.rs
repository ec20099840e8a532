//! Files, progress and Ctrl-C while a training runs.

use std::path::{Path, PathBuf};

use resolvent::learn::Result;
use resolvent::learn::train::{Files, Observer, Record, State};

use crate::interrupt;
use crate::progress::Progress;

/// Writes the files and advances a bar.
pub(super) struct Watch {
    stem: PathBuf,
    resume: bool,
    /// Opened with the first thing to be written: a training that is refused leaves no file, and none changed.
    files: Option<Files>,
    progress: Progress,
}

impl Watch {
    /// Of a training of `steps` steps, of which `done` are done.
    pub(super) fn new(stem: &Path, resume: bool, done: u64, steps: u64) -> Self {
        let progress = Progress::new(steps, "training");
        progress.skip(done);
        Self { stem: stem.to_owned(), resume, files: None, progress }
    }

    fn files(&mut self) -> Result<&mut Files> {
        let files = match self.files.take() {
            Some(files) => files,
            None if self.resume => Files::resume(&self.stem)?.0,
            None => Files::create(&self.stem)?,
        };
        Ok(self.files.insert(files))
    }
}

impl Observer for Watch {
    fn record(&mut self, record: &Record) -> Result<()> {
        self.files()?.record(record)?;
        if let Some(loss) = record.smoothed_loss {
            self.progress.say(format!("training, loss {loss:.4}"));
        }
        self.progress.at(record.step);
        Ok(())
    }

    fn stop(&mut self) -> bool {
        interrupt::requested()
    }

    fn checkpoint(&mut self, state: &State) -> Result<()> {
        self.files()?.checkpoint(state)
    }

    fn diverged(&mut self, state: &State) -> Result<()> {
        self.files()?.diverged(state)
    }
}

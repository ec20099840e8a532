//! What watches a training.

use super::record::Record;
use super::state::State;
use crate::error::Result;

/// Watches a training: writes it down, shows it, ends it.
pub trait Observer {
    /// There is a new record.
    ///
    /// # Errors
    /// Whatever ends the run.
    fn record(&mut self, record: &Record) -> Result<()>;

    /// Whether the run shall end before the next step; it can be resumed.
    fn stop(&mut self) -> bool {
        false
    }

    /// A checkpoint is due: every so many steps, and at the end of every run that did not diverge.
    ///
    /// # Errors
    /// Whatever ends the run.
    fn checkpoint(&mut self, _state: &State) -> Result<()> {
        Ok(())
    }

    /// The training diverged. What is left of it is [`State::last_good`].
    ///
    /// # Errors
    /// Whatever ends the run.
    fn diverged(&mut self, _state: &State) -> Result<()> {
        Ok(())
    }
}

/// Watches nothing.
impl Observer for () {
    fn record(&mut self, _: &Record) -> Result<()> {
        Ok(())
    }
}

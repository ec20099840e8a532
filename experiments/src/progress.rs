//! Progress bars on standard error, absent where that is not a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar of known length. It may be advanced from several threads and vanishes when dropped.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar of `length` units of work.
    pub(crate) fn new(length: u64, message: &str) -> Self {
        let style = ProgressStyle::with_template("{msg:32} {bar:32} {percent:>3}%  {elapsed} + {eta}")
            .expect("the template is a constant that parses");
        Self { bar: ProgressBar::new(length).with_style(style).with_message(message.to_owned()) }
    }

    /// What stands before the bar from now on.
    pub(crate) fn say(&self, message: String) {
        self.bar.set_message(message);
    }

    /// `units` were done before the bar was there; they do not count for the time that is left.
    pub(crate) fn skip(&self, units: u64) {
        self.bar.set_position(units);
        self.bar.reset_eta();
    }

    /// `units` are done in all.
    pub(crate) fn at(&self, units: u64) {
        self.bar.set_position(units);
    }

    /// `units` more are done.
    pub(crate) fn inc(&self, units: u64) {
        self.bar.inc(units);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

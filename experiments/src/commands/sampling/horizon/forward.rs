//! A schedule up to a time.

use resolvent::core::schedule::{Level, Rates, Schedule};

/// A schedule that ends at `horizon`, which may come before its own end: what starts there starts in the middle.
pub(super) struct Forward<'a> {
    schedule: &'a dyn Schedule,
    horizon: f64,
}

impl<'a> Forward<'a> {
    pub(super) fn whole(schedule: &'a dyn Schedule) -> Self {
        Self { schedule, horizon: schedule.horizon() }
    }

    /// `horizon` lies within the schedule.
    pub(super) fn until(schedule: &'a dyn Schedule, horizon: f64) -> Self {
        Self { schedule, horizon }
    }
}

impl Schedule for Forward<'_> {
    fn horizon(&self) -> f64 {
        self.horizon
    }

    fn level(&self, t: f64) -> Level {
        self.schedule.level(t)
    }

    fn rates(&self, t: f64) -> Rates {
        self.schedule.rates(t)
    }

    fn time_of_ratio(&self, ratio: f64) -> f64 {
        self.schedule.time_of_ratio(ratio)
    }

    fn prior_deviation(&self) -> f64 {
        self.schedule.prior_deviation()
    }
}

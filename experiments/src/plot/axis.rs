//! An axis: its title, its scale and its range.

use anyhow::{Result, ensure};

use super::ticks::{self, Tick};

/// An axis as asked for. Without a range it takes that of the data.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    pub(super) title: String,
    pub(super) logarithmic: bool,
    range: Option<(f64, f64)>,
}

impl Axis {
    /// An axis with a linear scale.
    pub(crate) fn linear(title: impl Into<String>) -> Self {
        Self { title: title.into(), logarithmic: false, range: None }
    }

    /// An axis with a logarithmic scale; numbers that are not positive are left out of the picture.
    pub(crate) fn log(title: impl Into<String>) -> Self {
        Self { title: title.into(), logarithmic: true, range: None }
    }

    /// Shows `[lo, hi]` and cuts off what lies outside.
    pub(crate) fn range(self, lo: f64, hi: f64) -> Self {
        Self { range: Some((lo, hi)), ..self }
    }

    /// Whether the axis has a place for this number.
    pub(super) fn takes(&self, value: f64) -> bool {
        value.is_finite() && (!self.logarithmic || value > 0.0)
    }

    /// The scale that shows the data, with some air around them unless they start at `floor`.
    pub(super) fn fit(&self, data: impl IntoIterator<Item = f64>, floor: Option<f64>) -> Result<Scale> {
        let title = &self.title;
        if let Some((lo, hi)) = self.range {
            ensure!(self.takes(lo) && self.takes(hi) && lo < hi, "axis `{title}`: no range [{lo}, {hi}]");
            return Ok(Scale { logarithmic: self.logarithmic, lo, hi });
        }
        let (mut lo, mut hi) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in data.into_iter().chain(floor).filter(|&value| self.takes(value)) {
            (lo, hi) = (lo.min(value), hi.max(value));
        }
        ensure!(lo <= hi, "axis `{title}`: no number to show");
        let scale = Scale { logarithmic: self.logarithmic, lo, hi };
        let (a, b) = (scale.warp(lo), scale.warp(hi));
        let air = if a < b { 0.04 * (b - a) } else { 0.5 * a.abs().max(0.2) };
        let below = if floor.is_some_and(|floor| floor <= lo) { 0.0 } else { air };
        Ok(Scale { lo: scale.unwarp(a - below), hi: scale.unwarp(b + air), ..scale })
    }
}

/// An axis with its final range.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    logarithmic: bool,
    pub(super) lo: f64,
    pub(super) hi: f64,
}

impl Scale {
    /// The place of a number as a fraction of the axis; outside `[0, 1]` where it lies beyond the range.
    pub(super) fn place(&self, value: f64) -> f64 {
        let (a, b) = (self.warp(self.lo), self.warp(self.hi));
        (self.warp(value) - a) / (b - a)
    }

    /// The ticks, so many that neighbouring labels of the given extent stay apart on an axis of that length.
    pub(super) fn ticks(&self, length: f64, extent: impl Fn(&str) -> f64) -> Vec<Tick> {
        let attempt = |count| {
            if self.logarithmic {
                ticks::logarithmic(self.lo, self.hi, count)
            } else {
                ticks::linear(self.lo, self.hi, count)
            }
        };
        let fits = |ticks: &[Tick]| {
            ticks.windows(2).all(|pair| {
                let gap = (self.place(pair[1].0) - self.place(pair[0].0)) * length;
                gap >= 0.5 * (extent(&pair[0].1) + extent(&pair[1].1)) + 8.0
            })
        };
        let roomy = (2..=7).rev().map(attempt).find(|ticks| fits(ticks));
        roomy.unwrap_or_else(|| attempt(2))
    }

    /// The scale with the range widened on both sides by this factor; linear scales only.
    pub(super) fn widened(self, factor: f64) -> Self {
        let (middle, half) = (0.5 * (self.lo + self.hi), 0.5 * (self.hi - self.lo) * factor);
        Self { lo: middle - half, hi: middle + half, ..self }
    }

    fn warp(&self, value: f64) -> f64 {
        if self.logarithmic { value.ln() } else { value }
    }

    fn unwarp(&self, value: f64) -> f64 {
        if self.logarithmic { value.exp() } else { value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_holds_the_data_and_leaves_out_what_has_no_place() {
        let scale = Axis::log("x").fit([0.0, 1.0, f64::NAN, 100.0, -3.0], None).unwrap();
        assert!(scale.lo < 1.0 && scale.lo > 0.5 && scale.hi > 100.0 && scale.hi < 150.0);
        assert!((scale.place(10.0) - 0.5).abs() < 1e-12);
        assert!(Axis::log("x").fit([0.0, -1.0], None).is_err());
        assert!(Axis::linear("x").range(1.0, 1.0).fit([0.0], None).is_err());
    }

    #[test]
    fn equal_numbers_still_have_a_range() {
        for axis in [Axis::linear("x"), Axis::log("x")] {
            let scale = axis.fit([3.0, 3.0], None).unwrap();
            assert!(scale.lo < 3.0 && scale.hi > 3.0);
            assert!(scale.ticks(300.0, |_| 20.0).len() >= 2);
        }
    }

    #[test]
    fn bars_stand_on_the_axis() {
        assert_eq!(Axis::linear("y").fit([1.0, 2.0], Some(0.0)).unwrap().lo, 0.0);
    }
}

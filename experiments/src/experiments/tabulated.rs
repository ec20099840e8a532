//! A distribution function known at equally spaced points.

/// A distribution function between whose values lie straight lines: 0 before the first point, 1 behind the last.
#[derive(Clone, Debug)]
pub(super) struct Tabulated {
    low: f64,
    spacing: f64,
    values: Vec<f64>,
}

impl Tabulated {
    /// `cdf` at `points` >= 2 points that divide `range` equally.
    pub(super) fn new((low, high): (f64, f64), points: usize, cdf: impl Fn(f64) -> f64) -> Self {
        let spacing = (high - low) / (points - 1) as f64;
        Self { low, spacing, values: (0..points).map(|k| cdf(low + spacing * k as f64)).collect() }
    }

    /// The law of `masses` in equal cells that divide `range`: the points are the edges of the cells.
    pub(super) fn of_cells((low, high): (f64, f64), masses: &[f64]) -> Self {
        let mut below = 0.0;
        let sums = masses.iter().map(|mass| {
            below += mass;
            below
        });
        let values = std::iter::once(0.0).chain(sums).collect();
        Self { low, spacing: (high - low) / masses.len() as f64, values }
    }

    /// The law with a density proportional to `density`, given at points from `low` on at distances `spacing`, by the
    /// trapezoidal rule.
    pub(super) fn of_density(low: f64, spacing: f64, density: &[f64]) -> Self {
        let mut sum = 0.0;
        let mut values = vec![0.0];
        for pair in density.windows(2) {
            sum += 0.5 * spacing * (pair[0] + pair[1]);
            values.push(sum);
        }
        values.iter_mut().for_each(|v| *v /= sum);
        Self { low, spacing, values }
    }

    /// The limit of a method of first order, from this law and that of `half` the step on the same points.
    pub(super) fn extrapolated(mut self, half: &Self) -> Self {
        self.values.iter_mut().zip(&half.values).for_each(|(whole, half)| *whole = 2.0 * half - *whole);
        self
    }

    /// The first and the last point.
    pub(super) fn range(&self) -> (f64, f64) {
        (self.low, self.low + self.spacing * (self.values.len() - 1) as f64)
    }

    /// The distribution function at `x`.
    pub(super) fn at(&self, x: f64) -> f64 {
        let place = (x - self.low) / self.spacing;
        if place <= 0.0 {
            return 0.0;
        }
        let (cell, share) = (place as usize, place.fract());
        match (self.values.get(cell), self.values.get(cell + 1)) {
            (Some(a), Some(b)) => (a + share * (b - a)).clamp(0.0, 1.0),
            _ => 1.0,
        }
    }

    /// The mass between each point and the next.
    pub(super) fn masses(&self) -> impl Iterator<Item = f64> {
        self.values.windows(2).map(|pair| pair[1] - pair[0])
    }

    /// The points and the values there.
    pub(super) fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        self.values.iter().enumerate().map(|(k, value)| (self.low + self.spacing * k as f64, *value))
    }

    /// The largest difference from `cdf` over the points, with its sign, and where it is.
    pub(super) fn furthest(&self, cdf: impl Fn(f64) -> f64) -> (f64, f64) {
        self.points()
            .map(|(x, value)| (x, value - cdf(x)))
            .fold((f64::NAN, 0.0), |best, here| if here.1.abs() > best.1.abs() { here } else { best })
    }

    /// The Kolmogorov-Smirnov distance to the law with `cdf`, over the points.
    pub(super) fn distance(&self, cdf: impl Fn(f64) -> f64) -> f64 {
        self.furthest(cdf).1.abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_the_points_lie_straight_lines() {
        let table = Tabulated::new((0.0, 2.0), 3, |x| x * x / 4.0);
        assert_eq!([-1.0, 0.5, 1.5, 2.0, 7.0].map(|x| table.at(x)), [0.0, 0.125, 0.625, 1.0, 1.0]);
        let cells = Tabulated::of_cells((0.0, 2.0), &[0.25, 0.75]);
        assert_eq!(cells.distance(|x| x / 2.0), 0.25);
        assert_eq!(cells.furthest(|x| x / 2.0), (1.0, -0.25));
    }
}

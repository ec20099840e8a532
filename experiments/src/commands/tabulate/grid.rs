//! Grids on the command line: `from:to:n`.

use std::str::FromStr;

/// The most points of a grid: a table of them is a gigabyte.
const MOST: usize = 10_000_000;

/// `n >= 2` positive numbers from `from` to `to`, equally spaced in their logarithm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LogGrid {
    from: f64,
    to: f64,
    n: usize,
}

impl LogGrid {
    /// The points; the ends are met exactly.
    pub(super) fn points(self) -> impl Iterator<Item = f64> {
        let Self { from, to, n } = self;
        let (a, b) = (from.log10(), to.log10());
        (0..n).map(move |k| match k {
            0 => from,
            _ if k + 1 == n => to,
            _ => 10f64.powf(a + (b - a) * k as f64 / (n - 1) as f64),
        })
    }
}

impl FromStr for LogGrid {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<_> = text.split(':').collect();
        let [from, to, n] = parts[..] else { return Err(format!("`{text}` is not from:to:n")) };
        let number = |part: &str| part.parse::<f64>().map_err(|_| format!("`{part}` is not a number"));
        let (from, to) = (number(from)?, number(to)?);
        let n = n.parse::<usize>().map_err(|_| format!("`{n}` is not a number of points"))?;
        if !(0.0 < from && from < to && to.is_finite() && n >= 2) {
            return Err(format!("`{text}`: needs 0 < from < to and n >= 2"));
        }
        if n > MOST {
            return Err(format!("`{text}`: {n} points are more than {MOST}"));
        }
        Ok(Self { from, to, n })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decades_are_met() {
        let grid: LogGrid = "1e-3:1e2:6".parse().unwrap();
        for (point, exact) in grid.points().zip([1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0]) {
            assert!((point / exact - 1.0).abs() < 1e-15);
        }
    }

    #[test]
    fn bad_grids_are_refused() {
        for text in
            ["1:2", "0:1:5", "2:1:5", "1:2:1", "a:2:3", "1:inf:3", "nan:1:3", "1:2:-3", "1:2:10000001"]
        {
            assert!(text.parse::<LogGrid>().is_err(), "{text}");
        }
        assert!("1:2:10000000".parse::<LogGrid>().is_ok());
    }
}

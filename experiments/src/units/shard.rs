//! Which of the units are whose.

use std::fmt;
use std::str::FromStr;

/// Part I of N of a list, I from 1: every N-th entry, so that the parts take about the same time where neighbours do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    index: usize,
    count: usize,
}

impl Shard {
    /// Everything in one part.
    pub(crate) const WHOLE: Self = Self { index: 1, count: 1 };

    /// Which of `length` entries are in this part, when the first of them has the number `first` in the whole list.
    pub(crate) fn of(self, first: usize, length: usize) -> Vec<usize> {
        (0..length).filter(|k| (first + k) % self.count == self.index - 1).collect()
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        let Some((index, count)) = numbers else { return Err(format!("`{text}` is not I/N, as in 1/3")) };
        if index < 1 || index > count {
            return Err(format!("`{text}`: I must be from 1 to N"));
        }
        Ok(Self { index, count })
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_in_one_part() {
        let lengths = [5, 1, 0, 7];
        let parts: Vec<Shard> = ["1/3", "2/3", "3/3"].iter().map(|text| text.parse().unwrap()).collect();
        let mut first = 0;
        for length in lengths {
            let mut all: Vec<usize> = parts.iter().flat_map(|part| part.of(first, length)).collect();
            all.sort();
            assert_eq!(all, (0..length).collect::<Vec<_>>());
            assert_eq!(Shard::WHOLE.of(first, length), all);
            first += length;
        }
        // The numbers go on from one experiment to the next: 5 and 6 are in the third part and in the first.
        assert_eq!((parts[2].of(5, 1), parts[0].of(5, 1)), (vec![0], vec![]));
    }

    #[test]
    fn bad_parts_are_refused() {
        for text in ["0/3", "4/3", "1/0", "3", "1/", "-1/3", "a/b", "1/2/3", ""] {
            assert!(text.parse::<Shard>().unwrap_err().contains(&format!("`{text}`")));
        }
    }
}

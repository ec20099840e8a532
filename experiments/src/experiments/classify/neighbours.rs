//! k nearest neighbours that vote, and probabilities from their votes.

use serde::{Deserialize, Serialize};

/// How a neighbour's vote counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Weighting {
    /// All the same.
    Majority,
    /// In proportion to the inverse distance.
    Distance,
}

impl Weighting {
    pub(super) const ALL: [Self; 2] = [Self::Majority, Self::Distance];
}

/// k neighbours whose votes, k in all, are turned into probabilities by adding the same number to every class (Laplace's rule).
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) k: usize,
    pub(super) weighting: Weighting,
    pub(super) added: f64,
}

impl Rule {
    /// out ← log-probabilities of the classes at a point with these squared distances to the data.
    pub(super) fn log_probabilities(&self, squared: &[f64], labels: &[usize], out: &mut [f64]) {
        let votes = self.votes(&nearest(squared, self.k), labels, out.len());
        self.log_probabilities_of(&votes, out);
    }

    /// The votes that each class gets from the first k of `neighbours` (squared distance and index, ascending).
    pub(super) fn votes(&self, neighbours: &[(f64, usize)], labels: &[usize], classes: usize) -> Vec<f64> {
        let mut votes = vec![0.0; classes];
        for &(squared, index) in &neighbours[..self.k] {
            votes[labels[index]] += match self.weighting {
                Weighting::Majority => 1.0,
                Weighting::Distance => 1.0 / squared.sqrt().max(1e-12),
            };
        }
        let total: f64 = votes.iter().sum();
        votes.iter_mut().for_each(|v| *v *= self.k as f64 / total);
        // Of classes with equal votes the one of the nearest neighbour wins.
        votes[labels[neighbours[0].1]] += 1e-9;
        votes
    }

    pub(super) fn log_probabilities_of(&self, votes: &[f64], out: &mut [f64]) {
        let total: f64 = votes.iter().map(|v| v + self.added).sum();
        out.iter_mut().zip(votes).for_each(|(out, v)| *out = ((v + self.added) / total).ln());
    }
}

/// The `k` least of the squared distances, ascending, with their indices.
pub(super) fn nearest(squared: &[f64], k: usize) -> Vec<(f64, usize)> {
    let mut all: Vec<(f64, usize)> = squared.iter().copied().zip(0..).collect();
    let order = |a: &(f64, usize), b: &(f64, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    if k < all.len() {
        all.select_nth_unstable_by(k, order);
        all.truncate(k);
    }
    all.sort_unstable_by(order);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_vote() {
        let squared = [4.0, 1.0, 9.0, 1.0, 0.25];
        let found = nearest(&squared, 3);
        assert_eq!(found, [(0.25, 4), (1.0, 1), (1.0, 3)]);
        let labels = [0, 1, 0, 1, 0];
        let rule = Rule { k: 3, weighting: Weighting::Majority, added: 1.0 };
        let mut out = [0.0; 3];
        rule.log_probabilities(&squared, &labels, &mut out);
        let shares = out.map(f64::exp);
        // Votes 1, 2, 0 and one added to each.
        shares.iter().zip([2.0, 3.0, 1.0]).for_each(|(p, v)| assert!((p - v / 6.0).abs() < 1e-8));
        let rule = Rule { weighting: Weighting::Distance, ..rule };
        let votes = rule.votes(&found, &labels, 3);
        votes.iter().zip([1.5, 1.5, 0.0]).for_each(|(v, w)| assert!((v - w).abs() < 1e-8));
        assert!(votes[0] > votes[1], "the class of the nearest wins a tie");
    }
}

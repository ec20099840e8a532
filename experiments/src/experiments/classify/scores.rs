//! How good the predictions of one predictor are, input by input.

use nalgebra::DMatrix;

/// The predictions for n inputs.
pub(super) struct Scores {
    /// Whether the likeliest class is the right one.
    pub(super) correct: Vec<bool>,
    /// -log of the probability of the right class, in nats.
    pub(super) log_loss: Vec<f64>,
    /// Σ_k (p_k - 1{k right})².
    pub(super) brier: Vec<f64>,
    /// The likeliest class.
    pub(super) predicted: Vec<usize>,
    /// Its probability.
    pub(super) confidence: Vec<f64>,
}

impl Scores {
    /// From log-probabilities (classes x n) and the right classes (n).
    pub(super) fn new(logs: &DMatrix<f64>, labels: &[usize]) -> Self {
        let predicted: Vec<usize> = logs.column_iter().map(|column| column.imax()).collect();
        let brier = logs.column_iter().zip(labels).map(|(column, &label)| {
            let square = |(k, log): (usize, &f64)| (log.exp() - f64::from(u8::from(k == label))).powi(2);
            column.iter().enumerate().map(square).sum()
        });
        Self {
            correct: predicted.iter().zip(labels).map(|(a, b)| a == b).collect(),
            log_loss: labels.iter().enumerate().map(|(j, &label)| -logs[(label, j)]).collect(),
            brier: brier.collect(),
            confidence: predicted.iter().enumerate().map(|(j, &k)| logs[(k, j)].exp()).collect(),
            predicted,
        }
    }

    pub(super) fn accuracy(&self) -> f64 {
        self.correct.iter().filter(|&&c| c).count() as f64 / self.correct.len() as f64
    }

    pub(super) fn mean_log_loss(&self) -> f64 {
        self.log_loss.iter().sum::<f64>() / self.log_loss.len() as f64
    }

    pub(super) fn mean_brier(&self) -> f64 {
        self.brier.iter().sum::<f64>() / self.brier.len() as f64
    }
}

/// Inputs in one bin of confidence.
#[derive(Clone, Copy, Default)]
pub(super) struct Bin {
    pub(super) count: usize,
    pub(super) correct: usize,
    pub(super) confidence: f64,
}

/// The inputs of several runs by confidence, in `bins` equal bins.
pub(super) fn reliability<'a>(runs: impl Iterator<Item = &'a Scores>, bins: usize) -> Vec<Bin> {
    let mut out = vec![Bin::default(); bins];
    for scores in runs {
        for (&confidence, &correct) in scores.confidence.iter().zip(&scores.correct) {
            let bin = &mut out[((confidence * bins as f64) as usize).min(bins - 1)];
            bin.count += 1;
            bin.correct += usize::from(correct);
            bin.confidence += confidence;
        }
    }
    out
}

/// The expected calibration error: the mean distance between confidence and share of right answers over the bins, weighted by
/// their inputs (Guo et al. 2017).
pub(super) fn calibration_error(bins: &[Bin]) -> f64 {
    let total: usize = bins.iter().map(|bin| bin.count).sum();
    bins.iter().map(|bin| (bin.correct as f64 - bin.confidence).abs()).sum::<f64>() / total as f64
}

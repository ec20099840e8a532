//! The area under the curve of true against false alarms.

use resolvent::metrics::Estimate;

/// How a score tells anomalies from the normal: P(score of an anomaly > that of a normal one), equal scores counting half,
/// with the components of its error (DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44:837).
pub(super) struct Auc {
    value: f64,
    /// For each anomaly the share of the normal that score less.
    anomalies: Vec<f64>,
    /// For each normal one the share of anomalies that score more.
    normal: Vec<f64>,
}

impl Auc {
    pub(super) fn new(normal: &[f64], anomalies: &[f64]) -> Self {
        let (a, b) = (shares_below(anomalies, normal), shares_below(normal, anomalies));
        let value = a.iter().sum::<f64>() / a.len() as f64;
        Self { value, anomalies: a, normal: b.into_iter().map(|share| 1.0 - share).collect() }
    }

    pub(super) fn estimate(&self) -> Estimate {
        let variance = spread(&self.anomalies) + spread(&self.normal);
        Estimate { value: self.value, standard_error: variance.sqrt() }
    }

    /// This area less another one of the same normal ones and anomalies, paired.
    pub(super) fn less(&self, other: &Self) -> Estimate {
        let difference = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>();
        let variance = spread(&difference(&self.anomalies, &other.anomalies))
            + spread(&difference(&self.normal, &other.normal));
        Estimate { value: self.value - other.value, standard_error: variance.sqrt() }
    }
}

/// For each of `values` the share of `others` below it, equal ones counting half.
fn shares_below(values: &[f64], others: &[f64]) -> Vec<f64> {
    let mut sorted = others.to_vec();
    sorted.sort_by(f64::total_cmp);
    let share = |v: &f64| {
        let (below, up_to) = (sorted.partition_point(|o| o < v), sorted.partition_point(|o| o <= v));
        0.5 * (below + up_to) as f64 / sorted.len() as f64
    };
    values.iter().map(share).collect()
}

/// The squared standard error of the mean.
fn spread(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0) / n
}

/// True alarms against false ones as the threshold falls, thinned to a few hundred points.
pub(super) fn curve(normal: &[f64], anomalies: &[f64]) -> Vec<(f64, f64)> {
    let mut thresholds = normal.to_vec();
    thresholds.sort_by(f64::total_cmp);
    let mut sorted = anomalies.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = thresholds.len();
    let mut points: Vec<(f64, f64)> = (0..=n)
        .step_by((n / 200).max(1))
        .map(|k| {
            let above = if k == n { 0 } else { sorted.partition_point(|a| *a <= thresholds[n - 1 - k]) };
            (k as f64 / n as f64, 1.0 - above as f64 / sorted.len() as f64)
        })
        .collect();
    points.push((1.0, 1.0));
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_counts_pairs() {
        let auc = Auc::new(&[0.0, 1.0, 2.0], &[1.0, 3.0]);
        // Of the six pairs the anomaly is above in 1 + 3 and level in one.
        assert!((auc.estimate().value - 4.5 / 6.0).abs() < 1e-15);
        let same = auc.less(&auc);
        assert_eq!((same.value, same.standard_error), (0.0, 0.0));
        let turned = Auc::new(&[0.0, -1.0, -2.0], &[-1.0, -3.0]);
        assert!((turned.estimate().value - 1.5 / 6.0).abs() < 1e-15);
    }
}

//! What every law with a support has to satisfy, used by the tests of each.

use super::squared_distance;
use crate::Support;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use statrs::distribution::{ChiSquared, ContinuousCDF};

pub(super) fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Samples lie on the support; the projection stays there, is idempotent, agrees with the distance, and is never farther than
/// the nearest of 20,000 samples. `size` is the scale of the support.
pub(super) fn check_support(law: &dyn Support, size: f64) {
    let d = law.dim();
    let samples = law.sample(20_000, 5);
    for sample in samples.column_iter() {
        let distance = law.distance(sample.as_slice());
        assert!(distance <= 1e-12 * size, "a sample is {distance:e} off the support");
    }
    let mut rng = rng(6);
    let (mut projected, mut again) = (vec![f64::NAN; d], vec![f64::NAN; d]);
    for i in 0..200 {
        let noise = size * [1e-9, 0.01, 0.3, 3.0][i % 4];
        let x: Vec<f64> = samples
            .column(i)
            .iter()
            .map(|s| s + noise * Distribution::<f64>::sample(&StandardNormal, &mut rng))
            .collect();
        law.project_into(&x, &mut projected);
        law.project_into(&projected, &mut again);
        let off = law.distance(&projected);
        assert!(off <= 1e-12 * size, "a projected point is {off:e} off the support");
        let moved = squared_distance(&projected, &again).sqrt();
        assert!(moved <= 1e-12 * size, "projecting again moves by {moved:e}");
        let distance = squared_distance(&x, &projected).sqrt();
        assert!(
            (distance - law.distance(&x)).abs() <= 1e-12 * (size + noise),
            "{distance} or {}",
            law.distance(&x)
        );
        let nearest =
            samples.column_iter().map(|s| squared_distance(s.as_slice(), &x)).fold(f64::INFINITY, f64::min);
        assert!(
            distance <= nearest.sqrt() + 1e-12 * size,
            "{distance} to the projection, {} to a sample",
            nearest.sqrt()
        );
    }
}

/// Kolmogorov-Smirnov test at significance 1e-4.
pub(super) fn kolmogorov(values: impl Iterator<Item = f64>, cdf: impl Fn(f64) -> f64) {
    let mut levels: Vec<f64> = values.map(cdf).collect();
    levels.sort_by(f64::total_cmp);
    let n = levels.len() as f64;
    let statistic = levels
        .iter()
        .enumerate()
        .map(|(i, u)| (u - i as f64 / n).max((i as f64 + 1.0) / n - u))
        .fold(0.0, f64::max);
    let bound = ((2e4_f64).ln() / (2.0 * n)).sqrt();
    assert!(statistic <= bound, "Kolmogorov-Smirnov statistic {statistic:.5}, bound {bound:.5} at 1e-4");
}

/// Chi-square test at significance 1e-4 that the `parts` drawn have the probabilities `masses`; parts of mass zero must not
/// be drawn at all.
pub(super) fn chi_square(parts: impl Iterator<Item = usize>, masses: &[f64]) {
    let mut counts = vec![0_u32; masses.len()];
    parts.for_each(|part| counts[part] += 1);
    let n = f64::from(counts.iter().sum::<u32>());
    let (mut statistic, mut cells) = (0.0, 0_u32);
    for (part, (&count, mass)) in counts.iter().zip(masses).enumerate() {
        if *mass > 0.0 {
            statistic += (f64::from(count) - n * mass).powi(2) / (n * mass);
            cells += 1;
        } else {
            assert_eq!(count, 0, "part {part} without mass was drawn");
        }
    }
    let p = ChiSquared::new(f64::from(cells - 1)).unwrap().sf(statistic);
    assert!(p > 1e-4, "chi-square {statistic} in {cells} parts, p = {p}");
}

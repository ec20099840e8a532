//! Stochastic coarse-to-fine ascent with a blind denoiser.

use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use rayon::prelude::*;
use resolvent::core::Denoiser;
use resolvent::core::random::{Purpose, Stream, stream};
use resolvent::core::schedule::Level;

/// Images that go through a network together.
const TOGETHER: usize = 32;

/// The ascent of Kadkhodaie and Simoncelli (2020, arXiv 2007.13640, algorithms 1 and 2): with the residual d = D(y) - y of a blind
/// denoiser and σ² = |d|²/N, iteration t goes to
///
/// y + h d + γ z,   h = h_0 t/(1 + h_0 (t - 1)),   γ² = ((1 - β h)² - (1 - h)²) σ²,
///
/// z standard normal, until σ <= σ_L, and ends with D(y). Where pixels are known, their part of d is the way to the known value.
pub(crate) struct CoarseToFine {
    /// h_0, the first step as a share of the residual.
    pub(crate) first_step: f64,
    /// β, the share of a step by which the noise goes down, in (0, 1].
    pub(crate) damping: f64,
    /// σ_L, the noise per pixel at which it ends.
    pub(crate) last_level: f64,
    /// Iterations of an image at most.
    pub(crate) cap: usize,
}

/// Known pixels: which, and their values (d x n, read where known).
pub(crate) struct Known<'a> {
    pub(crate) pixels: &'a [bool],
    pub(crate) values: &'a DMatrix<f64>,
}

/// What came of it.
pub(crate) struct Ascended {
    /// d x n.
    pub(crate) points: DMatrix<f64>,
    /// Evaluations of the denoiser for each image.
    pub(crate) evaluations: Vec<usize>,
    /// Images that had not reached σ_L at the cap.
    pub(crate) capped: usize,
}

impl CoarseToFine {
    /// The published choice, h_0 = β = 0.01 and σ_L = 0.01 for pixels in [0, 1], with lengths doubled for pixels in [-1, 1].
    pub(crate) fn published(cap: usize) -> Self {
        Self { first_step: 0.01, damping: 0.01, last_level: 0.02, cap }
    }

    /// From the columns of `starts` (d x n); image i draws from stream i of `seed`.
    pub(crate) fn run(
        &self,
        denoiser: &dyn Denoiser,
        starts: &DMatrix<f64>,
        known: Option<&Known<'_>>,
        seed: u64,
    ) -> Ascended {
        let d = starts.nrows();
        let mut points = starts.clone();
        let mut evaluations = vec![0; starts.ncols()];
        let capped = points
            .as_mut_slice()
            .par_chunks_mut(TOGETHER * d)
            .zip(evaluations.par_chunks_mut(TOGETHER))
            .enumerate()
            .map(|(chunk, (points, evaluations))| {
                self.climb(denoiser, chunk * TOGETHER, points, evaluations, known, seed)
            })
            .sum();
        Ascended { points, evaluations, capped }
    }

    fn climb(
        &self,
        denoiser: &dyn Denoiser,
        first: usize,
        points: &mut [f64],
        evaluations: &mut [usize],
        known: Option<&Known<'_>>,
        seed: u64,
    ) -> usize {
        let d = denoiser.dim();
        let mut climbing: Vec<usize> = (0..evaluations.len()).collect();
        let mut rngs: Vec<Stream> =
            climbing.iter().map(|i| stream(seed, Purpose::Path, (first + i) as u64)).collect();
        let (mut places, mut denoised) = (Vec::new(), vec![0.0; points.len()]);
        for t in 1..=self.cap {
            places.clear();
            climbing.iter().for_each(|i| places.extend_from_slice(&points[i * d..(i + 1) * d]));
            denoiser.denoise(&Level::CLEAN, &places, &mut denoised[..places.len()]);
            let step = self.first_step * t as f64 / (1.0 + self.first_step * (t as f64 - 1.0));
            let spread = ((1.0 - self.damping * step).powi(2) - (1.0 - step).powi(2)).sqrt();
            let rows: Vec<usize> = climbing.clone();
            for (&i, denoised) in rows.iter().zip(denoised.chunks_exact_mut(d)) {
                evaluations[i] += 1;
                let place = &mut points[i * d..(i + 1) * d];
                let mut squared = 0.0;
                for (k, (r, y)) in denoised.iter_mut().zip(&*place).enumerate() {
                    let target = match known {
                        Some(known) if known.pixels[k] => known.values[(k, first + i)],
                        _ => *r,
                    };
                    *r = target - y;
                    squared += *r * *r;
                }
                let level = (squared / d as f64).sqrt();
                if level <= self.last_level {
                    place.iter_mut().zip(&*denoised).for_each(|(y, r)| *y += r);
                    climbing.retain(|&other| other != i);
                    continue;
                }
                let rng = &mut rngs[i];
                for (y, r) in place.iter_mut().zip(&*denoised) {
                    *y += step * r + spread * level * rng.sample::<f64, _>(StandardNormal);
                }
            }
            if climbing.is_empty() {
                return 0;
            }
        }
        climbing.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The blind denoiser of a single point in so many dimensions.
    struct Point(usize);

    impl Denoiser for Point {
        fn dim(&self) -> usize {
            self.0
        }

        fn denoise(&self, _level: &Level, _points: &[f64], denoised: &mut [f64]) {
            denoised.fill(0.5);
        }
    }

    /// With D constant the level falls by 1 - β h, in high dimension without scatter, so the iterations are so many as
    /// Π (1 - β h_t) takes to reach σ_L.
    #[test]
    fn the_level_falls_as_the_schedule_says() {
        let ascent = CoarseToFine { last_level: 0.05, damping: 0.3, ..CoarseToFine::published(5000) };
        let starts = DMatrix::from_fn(4000, 3, |i, j| 0.5 + if (i + j) % 2 == 0 { 1.0 } else { -1.0 });
        let ascended = ascent.run(&Point(4000), &starts, None, 1);
        assert!(ascended.capped == 0 && ascended.points.iter().all(|x| (x - 0.5).abs() < 1e-12));
        let (mut level, mut expected) = (1.0, 1);
        while level > 0.05 {
            let t = f64::from(expected);
            level *= 1.0 - 0.3 * 0.01 * t / (1.0 + 0.01 * (t - 1.0));
            expected += 1;
        }
        for count in ascended.evaluations {
            assert!((count as f64 / f64::from(expected) - 1.0).abs() < 0.04, "{count} {expected}");
        }
    }

    #[test]
    fn known_pixels_come_out_as_they_are_known() {
        let values = DMatrix::from_element(3, 2, -0.25);
        let known = Known { pixels: &[true, false, true], values: &values };
        let starts = DMatrix::from_element(3, 2, 2.0);
        let ascended = CoarseToFine::published(5000).run(&Point(3), &starts, Some(&known), 1);
        for point in ascended.points.column_iter() {
            assert!((point[0] + 0.25).abs() < 1e-12 && (point[1] - 0.5).abs() < 1e-12);
        }
    }
}

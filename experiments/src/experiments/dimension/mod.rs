//! `dimension`: the dimension of the support of the data, read from the score beside it.

mod figures;
mod places;

use anyhow::{Result, ensure};
use resolvent::core::score::SphereScore;
use resolvent::core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion, Score};
use resolvent::data::{Law, Sphere};
use serde::{Deserialize, Serialize};

use self::places::{Estimates, Places, spacing};
use crate::experiment::{Context, Experiment};
use crate::outcome::{Check, Figure, Outcome, Table, cells, largest};

/// dist |s| + 2 and singular values of scores, on spheres.
pub(crate) struct Dimension;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Dimensions k of the unit spheres.
    intrinsic: Vec<usize>,
    /// Dimensions d of the spaces they lie in, one for each.
    dims: Vec<usize>,
    /// Killing rate r, σ = 1.
    rate: f64,
    /// Data drawn from the sphere for the empirical score.
    samples: usize,
    /// Places at each distance.
    places: usize,
    /// Scores whose singular values are taken, in multiples of d.
    scores_per_dim: usize,
    /// The distance at which the exact score must give the right dimension.
    distance: f64,
    /// The least and the largest distance shown.
    range: (f64, f64),
    /// Distances shown.
    steps: usize,
}

impl Experiment for Dimension {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "dimension"
    }

    fn summary(&self) -> &'static str {
        "the dimension of the support read from the score beside it: |v||s| + 2 and singular values"
    }

    fn seconds(&self) -> u32 {
        40
    }

    fn full(&self) -> Settings {
        Settings {
            intrinsic: vec![1, 2, 5],
            dims: vec![5, 10, 50],
            rate: 0.1,
            samples: 10_000,
            places: 16,
            scores_per_dim: 4,
            distance: 0.05,
            range: (1e-4, 1.0),
            steps: 17,
        }
    }

    fn quick(&self) -> Settings {
        Settings { samples: 2000, places: 4, steps: 9, ..self.full() }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        settings.validate()?;
        let mut outcome = Outcome::default();
        let mut table = Table::new(
            "codimension against distance",
            format!(
                "Means over {} places of |v||s| + 2 with the displacement v = D - x of the score itself as the distance, of \
                 dist |s| + 2 with the true distance to the sphere, and of the number of large singular values of {} d scores \
                 around a point of the support, as far away on average. Empirical: {} data drawn from the sphere, and the \
                 places beside one of the data. The estimate of the dimension is d less the codimension.",
                settings.places, settings.scores_per_dim, settings.samples
            ),
            &[
                "k",
                "d",
                "distance",
                "codimension",
                "exact |v||s| + 2",
                "exact dist |s| + 2",
                "exact singular values",
                "empirical |v||s| + 2",
                "empirical dist |s| + 2",
                "empirical singular values",
                "spacing of the data",
            ],
        );
        let progress = context.progress((settings.dims.len() * (settings.steps + 1)) as u64, "dimension");
        for (&k, &d) in settings.intrinsic.iter().zip(&settings.dims) {
            let process = KilledBrownianMotion::new(d, 1.0, settings.rate)?;
            let exact = SphereScore::new(&process, k, 1.0)?;
            let sample = Sphere::new(k, 1.0, d)?.sample(settings.samples, context.seed);
            let (gap, least_gap) = spacing(&sample, settings.places)?;
            let empirical = EmpiricalScore::new(&process, EmpiricalMeasure::new(sample)?)?;
            let codimension = (d - k) as f64;
            let places = Places::new(k, d, settings, context.seed)?;
            let at_random: Vec<Vec<f64>> = (0..settings.places).map(|i| places.on_sphere(i)).collect();
            let at_data: Vec<Vec<f64>> =
                (0..settings.places).map(|i| empirical.measure().point(i).to_vec()).collect();

            let estimates =
                |score: &dyn Score, feet: &[Vec<f64>], distance| places.estimates(score, feet, distance);
            let tested = estimates(&exact, &at_random, settings.distance)?;
            outcome.checks.extend(right(&tested, k, d, settings));
            progress.inc(1);
            let mut rows = Vec::new();
            for distance in settings.distances() {
                context.proceed()?;
                let row = (
                    distance,
                    estimates(&exact, &at_random, distance)?,
                    estimates(&empirical, &at_data, distance)?,
                );
                let means = |e: &Estimates| [mean(&e.by_norm), mean(&e.by_distance), mean(&e.by_gap)];
                let (a, b) = (means(&row.1), means(&row.2));
                table.push(cells![k, d, distance, codimension, a[0], a[1], a[2], b[0], b[1], b[2], gap]);
                rows.push(row);
                progress.inc(1);
            }
            // Next to a datum, at a thousandth of the distance to the next one, the support is a point.
            let off = 1e-3 * least_gap;
            let near = estimates(&empirical, &at_data, off)?;
            outcome.checks.push(Check::at_most(
                format!(
                    "{} data on S^{k} in R^{d}: |v||s| + 2 less d, a thousandth of the gap off a datum",
                    settings.samples
                ),
                largest(near.by_norm.iter().map(|c| (c - d as f64).abs())),
                point_error(&process, settings.samples, off),
                "a datum is a point, of codimension d; all other data have a weight below m 999^(2-d) there (R10)",
            ));
            outcome.figures.push(Figure::new(
                format!("codimension-{k}-{d}"),
                format!(
                    "S^{k} in R^{d}: the estimated codimension against the distance from the support, by the exact score of the \
                     sphere and by that of {} data on it. Lines: |v||s| + 2; crosses: the number of large singular values of {} \
                     scores. Nearer than the data lie to each other they are points, of codimension d.",
                    settings.samples,
                    settings.scores_per_dim * d
                ),
                figures::codimension(&rows, (k, d), gap)?,
            ));
        }
        outcome.tables.push(table);
        outcome.notes = vec![
            "dist |s| tends to c - 2 near a smooth support of codimension c >= 3; |v|, the displacement to the denoised point, \
             stands for the distance, which need not be known. Rounding |v||s| + 2 to a whole number gives c. At c = 2 the \
             excess over 2 vanishes only like 1/log(1/distance), so that 2 means at most 2."
                .into(),
            "Singular values count as large up to the largest ratio of neighbours, if any exceeds 2. Around a point of the \
             support the scores point along its normal space, but for the curvature times the radius."
                .into(),
            "A data set is not a manifold: nearer to a datum than the spacing of the data its score says d, however many there \
             are. Between several spacings and the radius of curvature, 1, it says d - k; S^5 has no such range with so few data."
                .into(),
        ];
        Ok(outcome)
    }
}

impl Settings {
    fn validate(&self) -> Result<()> {
        ensure!(
            !self.dims.is_empty() && self.dims.len() == self.intrinsic.len(),
            "settings `intrinsic`, `dims`: one dimension of the space for each sphere"
        );
        for (&k, &d) in self.intrinsic.iter().zip(&self.dims) {
            ensure!(
                k >= 1 && d >= k + 3,
                "settings `intrinsic`, `dims`: S^{k} in R^{d} has codimension below 3"
            );
        }
        ensure!(
            self.places >= 2 && self.places <= self.samples,
            "setting `places` = {}: 2 to `samples`",
            self.places
        );
        ensure!(self.scores_per_dim >= 2, "setting `scores_per_dim` = {}: at least 2", self.scores_per_dim);
        ensure!(self.steps >= 2, "setting `steps` = {}: at least 2", self.steps);
        let (low, high) = self.range;
        ensure!(low > 0.0 && low < high && high <= 2.0, "setting `range` = [{low}, {high}]: in (0, 2]");
        ensure!(
            self.distance > 0.0 && self.distance < 1.0,
            "setting `distance` = {}: in (0, 1)",
            self.distance
        );
        Ok(())
    }

    fn distances(&self) -> impl Iterator<Item = f64> {
        let (low, high) = self.range;
        let last = (self.steps - 1) as f64;
        (0..self.steps).map(move |i| low * (high / low).powf(i as f64 / last))
    }
}

/// The exact score gives the right dimension at every place, by both estimates.
fn right(estimates: &Estimates, k: usize, d: usize, settings: &Settings) -> [Check; 2] {
    let share = |estimates: &[f64]| {
        let right = estimates.iter().filter(|c| d as f64 - c.round() == k as f64);
        right.count() as f64 / estimates.len() as f64
    };
    [(&estimates.by_norm, "|v||s| + 2, rounded"), (&estimates.by_gap, "singular values")].map(
        |(values, name)| {
            Check::at_least(
                format!("S^{k} in R^{d}, exact score: places with the right dimension, {name}"),
                share(values),
                1.0,
                format!(
                    "|s| ~ (c - 2)/dist (R12); {} places {} off the sphere",
                    values.len(),
                    settings.distance
                ),
            )
        },
    )
}

/// The largest difference of |v||s| + 2 from d at the distance `off` of a datum when all other data are 999 times farther
/// away: their weights add up to ω <= m 999^{2-d}, since z R_ν(z) >= d - 2, so that |s| errs by 2ω of that of the datum and the gain
/// by ω of its; and z R_ν(z) exceeds d - 2 by what killing adds.
fn point_error(process: &KilledBrownianMotion, samples: usize, off: f64) -> f64 {
    let d = process.dim() as f64;
    let alone = off * process.green().score_norm(off);
    let omega = samples as f64 * 999_f64.powf(2.0 - d);
    let rounding = 1e-9;
    (alone - (d - 2.0)) + alone * ((1.0 + 2.0 * omega).powi(2) / (1.0 - omega) - 1.0) + rounding
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

//! `anomaly`: what is not like the data, by -log u and by the expected lifetime.

mod auc;
mod exact;

use anyhow::{Context as _, Result, ensure};
use nalgebra::DMatrix;
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_distr::StandardNormal;
use rayon::prelude::*;
use resolvent::core::occupation::{Occupation, squared_distances};
use resolvent::core::random::{Purpose, stream};
use resolvent::core::{EmpiricalMeasure, KilledBrownianMotion};
use serde::{Deserialize, Serialize};

use self::auc::{Auc, curve};
use super::labelled_images::{LabelledImages, grey, pixels};
use crate::experiment::{Context, Experiment};
use crate::outcome::{Check, Figure, Outcome, Table, cells};
use crate::plot::{Axis, Chart, ImagePanel, Series, image_panels};

/// Significance of the tests of fit of the experiment.
const SIGNIFICANCE: f64 = 1e-3;
/// Images of each kind shown.
const SHOWN: usize = 8;

/// -log u and the expected lifetime as scores of anomaly.
pub(crate) struct Anomaly;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Images from which the data are taken.
    n_data: usize,
    /// Images held out.
    n_held_out: usize,
    /// Classes that are normal; images of the others are anomalies.
    normal_classes: Vec<u8>,
    /// Standard deviation of the noise that makes an anomaly.
    noise: f64,
    /// Killing rate r of the images, σ = 1.
    rate: f64,
    /// Bandwidths h of the smoothed data.
    bandwidths: Vec<f64>,
    /// Numbers of neighbours compared with.
    neighbours: Vec<usize>,
    /// Dimensions of the exact part.
    exact_dims: Vec<usize>,
    /// Killing rate of the exact part.
    exact_rate: f64,
    /// Bandwidth of the exact part.
    exact_bandwidth: f64,
    /// Starts of the backward process.
    starts: usize,
    /// Backward particles from each.
    particles: usize,
    /// Forward particles.
    forward_particles: usize,
}

impl Experiment for Anomaly {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "anomaly"
    }

    fn summary(&self) -> &'static str {
        "what is unlike the data by -log u and by the expected lifetime -d/dr log u, against neighbour distances"
    }

    fn seconds(&self) -> u32 {
        20
    }

    fn full(&self) -> Settings {
        Settings {
            n_data: 8000,
            n_held_out: 2000,
            normal_classes: vec![0, 1, 2, 3, 4],
            noise: 0.5,
            rate: 0.01,
            bandwidths: vec![1.0, 2.0],
            neighbours: vec![1, 5, 10, 50],
            exact_dims: vec![2, 3, 8],
            exact_rate: 0.2,
            exact_bandwidth: 0.5,
            starts: 8,
            particles: 10_000,
            forward_particles: 200_000,
        }
    }

    fn quick(&self) -> Settings {
        Settings { n_data: 1000, n_held_out: 400, particles: 1000, forward_particles: 20_000, ..self.full() }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        settings.validate()?;
        let (mut checks, mut tables) = exact::run(settings, context)?;
        context.proceed()?;
        let images = LabelledImages::load(settings.n_data, settings.n_held_out, context)?;
        let kinds = Kinds::new(&images, settings, context.seed)?;
        let scorer = Scorer::new(&kinds.data, settings)?;
        context.proceed()?;
        let normal = scorer.scores(&kinds.normal)?;
        let progress = context.progress(kinds.anomalies.len() as u64, "anomaly: images");
        let mut table = Table::new(
            "areas under the curve",
            format!(
                "The probability that an anomaly has the higher score, with its standard error (DeLong), and how much it exceeds \
                 that of the distance to the nearest datum (paired). {} data, {} more images of their classes.",
                kinds.data.ncols(),
                kinds.normal.ncols()
            ),
            &["anomalies", "score", "area", "standard error", "above 1-NN", "standard error"],
        );
        let mut figures = vec![Figure::new(
            "images",
            "Normal images, and anomalies of each kind.",
            image_panels(&kinds.labels(), &[ImagePanel { heading: String::new(), rows: kinds.rows() }])?,
        )];
        for (kind, batch) in &kinds.anomalies {
            context.proceed()?;
            let scores = scorer.scores(batch)?;
            let areas: Vec<Auc> = normal.iter().zip(&scores).map(|(n, a)| Auc::new(&n.1, &a.1)).collect();
            let nearest = &areas[scorer.nearest()];
            for ((name, _), area) in scores.iter().zip(&areas) {
                let (value, above) = (area.estimate(), area.less(nearest));
                table.push(cells![
                    kind.as_str(),
                    name.as_str(),
                    value.value,
                    value.standard_error,
                    above.value,
                    above.standard_error
                ]);
            }
            checks.push(Check::at_most(
                format!("{kind}: area of the bare -log u less that of the nearest distance"),
                areas[BARE_DENSITY].less(nearest).value.abs(),
                undecided(&normal[scorer.nearest()].1, &scores[scorer.nearest()].1, &kinds.data),
                "u lies between the kernel of the nearest datum over m and the kernel: both scores order a pair alike unless the \
                 nearest distances differ by less than m^(1/(d-2)); the share of such pairs",
            ));
            let mut chart = Chart::new(Axis::linear("false alarms"), Axis::linear("alarms at anomalies"));
            for k in scorer.shown() {
                chart = chart.series(Series::line(normal[k].0.as_str(), curve(&normal[k].1, &scores[k].1)));
            }
            figures.push(Figure::new(
                format!("roc-{}", kind.replace([' ', '.'], "-")),
                format!(
                    "Anomalies: {kind}. Share of anomalies above a threshold against the share of normal images above it. The \
                     bare expected lifetime and the distance to the nearest datum order images as the bare -log u does."
                ),
                chart.svg()?,
            ));
            progress.inc(1);
        }
        tables.insert(0, table);
        let (picture, longest) = exact::picture(settings, context)?;
        figures.push(Figure::new(
            "expected-lifetime",
            format!(
                "The expected lifetime -d/dr log u in the plane, r = {}: white is 0, the darkest shade {longest:.2}, and the shade \
                 goes with the square root.",
                settings.exact_rate
            ),
            picture,
        ));
        Ok(Outcome {
            checks,
            tables,
            figures,
            notes: vec![
                format!(
                    "Data: {}, of which the classes {:?} are normal. The score is exact: nothing is trained.",
                    images.source, settings.normal_classes
                ),
                "In R^784 the bare u knows the nearest datum alone: -log u is (d - 2) times the logarithm of its distance, the \
                 expected lifetime its square over d - 4, and both order images as the distance does. Smoothed data order them by \
                 a soft count of the near ones. No bandwidth is chosen: the likelihood of r u at data left out grows as h falls, \
                 down to the bare kernel. What is gained over neighbours, or lost, is in the table; the theory \
                 promises nothing."
                    .into(),
            ],
        })
    }
}

impl Settings {
    fn validate(&self) -> Result<()> {
        ensure!(!self.normal_classes.is_empty(), "setting `normal_classes` is empty");
        ensure!(!self.bandwidths.is_empty(), "setting `bandwidths` is empty");
        ensure!(self.noise > 0.0, "setting `noise` = {}: positive", self.noise);
        ensure!(
            !self.neighbours.is_empty() && self.neighbours[0] == 1,
            "setting `neighbours`: its first entry is 1"
        );
        ensure!(
            !self.exact_dims.is_empty() && self.starts >= 1,
            "settings `exact_dims`, `starts`: none is left"
        );
        ensure!(self.exact_bandwidth > 0.0, "setting `exact_bandwidth` = {}: positive", self.exact_bandwidth);
        ensure!(self.particles >= 100, "setting `particles` = {}: at least 100", self.particles);
        ensure!(
            self.forward_particles >= 1000,
            "setting `forward_particles` = {}: at least 1000",
            self.forward_particles
        );
        Ok(())
    }
}

/// The data, images like them, and images unlike them in several ways.
struct Kinds {
    data: DMatrix<f64>,
    normal: DMatrix<f64>,
    anomalies: Vec<(String, DMatrix<f64>)>,
}

impl Kinds {
    fn new(images: &LabelledImages, settings: &Settings, seed: u64) -> Result<Self> {
        let of = |batch: &DMatrix<f64>, labels: &[u8], normal: bool| {
            let kept: Vec<usize> = (0..labels.len())
                .filter(|&i| settings.normal_classes.contains(&labels[i]) == normal)
                .collect();
            batch.select_columns(&kept)
        };
        let data = of(&images.data, &images.labels, true);
        let normal = of(&images.held_out, &images.held_out_labels, true);
        let others = of(&images.held_out, &images.held_out_labels, false);
        let most = settings.neighbours.iter().copied().max().context("no number of neighbours")?;
        ensure!(data.ncols() > most, "only {} data are of the normal classes", data.ncols());
        ensure!(
            normal.ncols() >= 2 && others.ncols() >= 2,
            "of the images held out {} are normal and {} not",
            normal.ncols(),
            others.ncols()
        );
        let changed = |tag: u64, change: &dyn Fn(&mut [f64], u64)| {
            let mut batch = normal.clone();
            let d = batch.nrows();
            for (i, image) in batch.as_mut_slice().chunks_exact_mut(d).enumerate() {
                change(image, tag << 32 | i as u64);
            }
            batch
        };
        let noisy = changed(1, &|image, index| {
            let mut rng = stream(seed, Purpose::Experiment, index);
            image.iter_mut().for_each(|v| *v += settings.noise * rng.sample::<f64, _>(StandardNormal));
        });
        // A new order for every image: the same for all would be another set of images, as alike among themselves.
        let shuffled =
            changed(2, &|image, index| image.shuffle(&mut stream(seed, Purpose::Experiment, index)));
        let anomalies = vec![
            ("other classes".to_owned(), others),
            (format!("noise {}", settings.noise), noisy),
            ("shuffled pixels".to_owned(), shuffled),
        ];
        Ok(Self { data, normal, anomalies })
    }

    fn batches(&self) -> impl Iterator<Item = (&str, &DMatrix<f64>)> {
        let anomalies = self.anomalies.iter().map(|(kind, batch)| (kind.as_str(), batch));
        std::iter::once(("normal", &self.normal)).chain(anomalies)
    }

    fn labels(&self) -> Vec<String> {
        self.batches().map(|(kind, _)| kind.to_owned()).collect()
    }

    fn rows(&self) -> Vec<Vec<crate::plot::GreyImage<'_>>> {
        self.batches()
            .map(|(_, batch)| (0..SHOWN.min(batch.ncols())).map(|i| grey(pixels(batch, i))).collect())
            .collect()
    }
}

/// Number of the bare -log u among the scores.
const BARE_DENSITY: usize = 0;

/// All scores, larger for what is less like the data: two of the bare u, two of u for every bandwidth, and the distances to
/// neighbours.
struct Scorer {
    measure: EmpiricalMeasure,
    occupations: Vec<(String, Occupation)>,
    neighbours: Vec<usize>,
}

impl Scorer {
    fn new(data: &DMatrix<f64>, settings: &Settings) -> Result<Self> {
        let measure = EmpiricalMeasure::new(data.clone())?;
        let process = KilledBrownianMotion::new(measure.dim(), 1.0, settings.rate)?;
        let mut occupations = vec![(String::new(), Occupation::new(&process, measure.clone())?)];
        for &bandwidth in &settings.bandwidths {
            let occupation = Occupation::smoothed(&process, measure.clone(), bandwidth)?;
            occupations.push((format!(", h = {bandwidth}"), occupation));
        }
        Ok(Self { measure, occupations, neighbours: settings.neighbours.clone() })
    }

    /// Every score by name, at the columns of `batch`.
    fn scores(&self, batch: &DMatrix<f64>) -> Result<Vec<(String, Vec<f64>)>> {
        let squared = squared_distances(&self.measure, batch)?;
        let rows: Vec<Vec<f64>> = squared
            .as_slice()
            .par_chunks_exact(self.measure.len())
            .map(|squared| {
                let from_u = self.occupations.iter().flat_map(|(_, occupation)| {
                    let reading = occupation.reading_at(squared);
                    [-reading.log_density, reading.expected_lifetime]
                });
                let mut sorted = squared.to_vec();
                sorted.sort_unstable_by(f64::total_cmp);
                from_u.chain(self.neighbours.iter().map(|k| sorted[k - 1].sqrt())).collect()
            })
            .collect();
        let from_u = self
            .occupations
            .iter()
            .flat_map(|(h, _)| [format!("-log u{h}"), format!("expected lifetime{h}")]);
        let neighbours = self.neighbours.iter().map(|k| format!("distance to neighbour {k}"));
        let names = from_u.chain(neighbours).enumerate();
        Ok(names.map(|(k, name)| (name, rows.iter().map(|row| row[k]).collect())).collect())
    }

    /// Number of the distance to the nearest datum.
    fn nearest(&self) -> usize {
        2 * self.occupations.len()
    }

    /// Numbers of the scores in the figures: the bare expected lifetime and the distance to the nearest datum order images as the
    /// bare -log u does, and are left out.
    fn shown(&self) -> impl Iterator<Item = usize> {
        let all = 0..self.nearest() + self.neighbours.len();
        all.filter(|k| *k != BARE_DENSITY + 1 && *k != self.nearest())
    }
}

/// The share of pairs of a normal image and an anomaly whose nearest distances differ by a factor below m^{1/(d-2)}.
fn undecided(normal: &[f64], anomalies: &[f64], data: &DMatrix<f64>) -> f64 {
    let factor = (data.ncols() as f64).powf(1.0 / (data.nrows() as f64 - 2.0));
    let mut sorted = anomalies.to_vec();
    sorted.sort_by(f64::total_cmp);
    let near = normal.iter().map(|distance| {
        let (from, to) = (distance / factor, distance * factor);
        sorted.partition_point(|a| *a <= to) - sorted.partition_point(|a| *a < from)
    });
    near.sum::<usize>() as f64 / (normal.len() * anomalies.len()) as f64
}

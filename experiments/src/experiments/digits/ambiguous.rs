//! Inputs with several plausible end points: laws of end point and lifetime against the exact ones.

use anyhow::{Result, ensure};
use nalgebra::DMatrix;
use rayon::prelude::*;
use resolvent::core::LifetimeLaw;
use resolvent::metrics::{self, KsResult, TestResult};

use super::images::{Images, grey, pixels};
use super::method::{Ends, Method, Scheme};
use super::{SIGNIFICANCE, Settings};
use crate::experiment::Context;
use crate::experiments::corruption::{Corruption, damage};
use crate::outcome::{Check, Table, cells};
use crate::plot::{BarRow, image_bars};

/// Inputs that are looked for.
const INPUTS: usize = 5;
/// Data shown beside each input at most, and the least weight that is worth it.
const SHOWN: (usize, f64) = (6, 5e-3);
/// Points at which a distribution function is tabulated; between them a line errs by less than 2e-4.
const GRID: usize = 128;

/// One input without a clear end point.
pub(super) struct Candidate {
    image: usize,
    corruption: Corruption,
    pub(super) input: Vec<f64>,
    /// The weights of R10.
    pub(super) weights: Vec<f64>,
}

/// The inputs, the number of candidates looked at, and the particles started at them.
pub(super) struct Ambiguous {
    pub(super) inputs: Vec<Candidate>,
    looked_at: usize,
    /// As many particles for each input, side by side.
    pub(super) posterior: Ends,
    bridge: Ends,
    particles: usize,
    bridge_particles: usize,
}

/// How the particles of one input compare with the exact laws.
struct Fit {
    chi_square: TestResult,
    total_variation: f64,
    critical: f64,
    lifetimes: KsResult,
}

impl Ambiguous {
    /// Goes through the held-out images in their order, for each through `corruptions`, and takes the first damaged image
    /// whose largest R10 weight is small enough, one for each original; then starts the particles.
    pub(super) fn find(
        corruptions: &[Corruption],
        images: &Images,
        method: &Method<'_>,
        settings: &Settings,
        context: &Context,
    ) -> Result<Self> {
        let fill = settings.fill.image(images);
        let (mut inputs, mut looked_at) = (Vec::new(), 0);
        'images: for image in 0..images.held_out.ncols() {
            context.proceed()?;
            for (tag, &corruption) in corruptions.iter().enumerate() {
                let input = damage(corruption, images.original(image), &fill, (tag, image), context.seed);
                let weights = method.posterior(&input);
                looked_at += 1;
                if weights.iter().all(|&weight| weight <= settings.ambiguous_weight) {
                    inputs.push(Candidate { image, corruption, input, weights });
                    if inputs.len() == INPUTS {
                        break 'images;
                    }
                    break;
                }
            }
        }
        ensure!(
            inputs.len() == INPUTS,
            "{} of {looked_at} inputs have no end point of weight above {}, {INPUTS} are needed: raise `noise_levels`",
            inputs.len(),
            settings.ambiguous_weight
        );
        let starts = |times: usize| {
            let columns = inputs.iter().flat_map(|candidate| {
                candidate.input.iter().copied().cycle().take(times * candidate.input.len())
            });
            DMatrix::from_iterator(images.data.nrows(), times * inputs.len(), columns)
        };
        let (particles, bridge_particles) = (settings.particles, settings.bridge_particles);
        let part = 2 * corruptions.len() as u64;
        let posterior = method.run(Scheme::Posterior, &starts(particles), part, "ambiguous inputs")?;
        let bridge =
            method.run(Scheme::Mean, &starts(bridge_particles), part + 1, "ambiguous inputs, bridge")?;
        Ok(Self { inputs, looked_at, posterior, bridge, particles, bridge_particles })
    }

    /// Indices of the end points of input `i`.
    pub(super) fn end_points(&self, i: usize) -> &[usize] {
        &self.posterior.nearest.indices[i * self.particles..(i + 1) * self.particles]
    }

    /// The laws of end point and lifetime from each input against R10 and R11: checks and table.
    pub(super) fn laws(&self, images: &Images, method: &Method<'_>) -> Result<(Vec<Check>, Table)> {
        let mut table = Table::new(
            "Inputs without a clear end point",
            format!(
                "The first {INPUTS} held-out images for which damage leaves no end point of clear majority ({} inputs looked \
                 at), {} particles each. Effective end points: 1 / Σ w². TV and KS: distances of the end-point and lifetime \
                 laws to R10 and R11; beside TV its mean for draws from R10 itself and the value at significance {SIGNIFICANCE:e} / {INPUTS}. \
                 Bridge: {} particles with steps towards the posterior mean.",
                self.looked_at, self.particles, self.bridge_particles
            ),
            &[
                "image",
                "class",
                "input",
                "largest weight",
                "effective end points",
                "evaluations",
                "chi-square p",
                "TV",
                "mean",
                "critical",
                "KS lifetime",
                "p",
                "evaluations, bridge",
                "TV, bridge",
                "mean",
            ],
        );
        let oracle = method.oracle()?;
        let (mut chi_square, mut ratio, mut lifetimes) = (1.0_f64, 0.0_f64, 1.0_f64);
        for (i, candidate) in self.inputs.iter().enumerate() {
            let fit = self.fit(i, &oracle.lifetime_law(&candidate.input))?;
            chi_square = chi_square.min(fit.chi_square.p_value);
            ratio = ratio.max(fit.total_variation / fit.critical);
            lifetimes = lifetimes.min(fit.lifetimes.p_value);
            let weights = &candidate.weights;
            let n = self.bridge_particles;
            let bridge_counts =
                metrics::counts(&self.bridge.nearest.indices[i * n..(i + 1) * n], weights.len())?;
            let evaluations = |ends: &Ends, n: usize| metrics::mean(&ends.evaluations()[i * n..(i + 1) * n]);
            table.push(cells![
                candidate.image,
                images.held_out_labels[candidate.image],
                candidate.corruption.name(),
                weights.iter().fold(0.0, |a: f64, &b| a.max(b)),
                1.0 / weights.iter().map(|w| w * w).sum::<f64>(),
                evaluations(&self.posterior, self.particles)?.value,
                fit.chi_square.p_value,
                fit.total_variation,
                metrics::expected_total_variation(weights, self.particles as u64)?,
                fit.critical,
                fit.lifetimes.statistic,
                fit.lifetimes.p_value,
                evaluations(&self.bridge, n)?.value,
                metrics::total_variation(&bridge_counts, weights)?.value,
                metrics::expected_total_variation(weights, n as u64)?,
            ]);
        }
        let level = SIGNIFICANCE / INPUTS as f64;
        let significance = format!("significance {SIGNIFICANCE:e} over {INPUTS} inputs");
        let checks = vec![
            Check::at_least(
                "end points of ambiguous inputs against R10: smallest chi-square p-value",
                chi_square,
                level,
                format!("P(end in y_i) ∝ G_r(x, y_i) (R10); {significance}"),
            ),
            Check::at_most(
                "end points of ambiguous inputs against R10: total variation / critical value, largest",
                ratio,
                1.0,
                format!("R10; McDiarmid's inequality, {significance}"),
            ),
            Check::at_least(
                "lifetimes from ambiguous inputs: smallest KS p-value",
                lifetimes,
                level,
                format!("mixture of GIG(1 - d/2, 2r, ρ²) (R11) with weights R10; {significance}"),
            ),
        ];
        Ok((checks, table))
    }

    fn fit(&self, i: usize, law: &LifetimeLaw) -> Result<Fit> {
        let weights = &self.inputs[i].weights;
        let counts = metrics::counts(self.end_points(i), weights.len())?;
        let lifetimes = &self.posterior.ensemble.lifetimes[i * self.particles..(i + 1) * self.particles];
        let cdf = tabulated(law, lifetimes);
        Ok(Fit {
            chi_square: metrics::chi_square_test(&counts, weights)?,
            total_variation: metrics::total_variation(&counts, weights)?.value,
            critical: metrics::total_variation_critical(
                weights,
                self.particles as u64,
                SIGNIFICANCE / INPUTS as f64,
            )?,
            lifetimes: metrics::ks_one_sample(lifetimes, cdf)?,
        })
    }

    /// The leading data of each input with their weights and the shares observed.
    pub(super) fn figure(&self, images: &Images) -> Result<String> {
        let rows = self.inputs.iter().enumerate().map(|(i, candidate)| {
            let mut order: Vec<usize> = (0..candidate.weights.len()).collect();
            order.sort_by(|&a, &b| candidate.weights[b].total_cmp(&candidate.weights[a]));
            let observed = |datum: usize| {
                let count = self.end_points(i).iter().filter(|&&end| end == datum).count();
                count as f64 / self.particles as f64
            };
            let bar = |&k: &usize| (grey(pixels(&images.data, k)), vec![candidate.weights[k], observed(k)]);
            BarRow {
                label: candidate.corruption.name(),
                lead: vec![grey(images.original(candidate.image)), grey(&candidate.input)],
                bars: order
                    .iter()
                    .take(SHOWN.0)
                    .take_while(|&&k| candidate.weights[k] >= SHOWN.1)
                    .map(bar)
                    .collect(),
            }
        });
        let rows: Vec<BarRow<'_>> = rows.collect();
        image_bars(
            &rows,
            &["original", "input"],
            &["exact weight (R10)", "share of particles that end there"],
        )
    }
}

/// The distribution function of a lifetime, a mixture of many parts, by lines between its values on a grid over the sample.
fn tabulated(law: &LifetimeLaw, sample: &[f64]) -> impl Fn(f64) -> f64 + Sync {
    let (lo, hi) = sample.iter().fold((f64::INFINITY, 0.0_f64), |(lo, hi), &t| (lo.min(t), hi.max(t)));
    let step = (hi - lo) / GRID as f64;
    let values: Vec<f64> =
        (0..=GRID).into_par_iter().map(|k| law.cdf(lo + k as f64 * step).clamp(0.0, 1.0)).collect();
    move |t| {
        let place = (t - lo) / step;
        let k = (place as usize).min(GRID - 1);
        values[k] + (place - k as f64) * (values[k + 1] - values[k])
    }
}

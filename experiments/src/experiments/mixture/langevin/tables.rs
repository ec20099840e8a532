//! The numbers of Langevin dynamics.

use anyhow::Result;
use resolvent::core::schedule::Level;
use resolvent::metrics;

use super::{Findings, Report, SIGNIFICANCE};
use crate::outcome::{Table, cells};

/// Distances to the law whose times are looked for.
const CLOSE: [f64; 4] = [0.1, 0.05, 0.02, 0.01];

impl Findings<'_> {
    /// The numbers.
    pub(super) fn tables(&self) -> Result<Vec<Table>> {
        let Self { settings, law, landscape, clock, reports, rates, gap } = self;
        let gap = *gap;
        let target = |x: f64| law.cdf(&Level::CLEAN, x);
        let mut laws = Table::new(
            "Marginals",
            format!(
                "{} particles, Euler-Maruyama with step {}. KS to the law of the Euler-Maruyama chain and to the \
                 Fokker-Planck equation, and the critical value at 1e-3 without correction for the number of tests; the \
                 exact distance of chain and equation; distance to the mixture, exact and as measured; mass to the \
                 right of the saddle at x = {:.4} by the equation, by the Euler-Maruyama chain and in the sample (the \
                 mixture has {:.6}).",
                settings.particles, settings.step, landscape.saddle, landscape.right
            ),
            &[
                "start",
                "t",
                "KS to chain",
                "KS to equation",
                "critical",
                "chain to equation",
                "exact distance to mixture",
                "KS to mixture",
                "mass right, equation",
                "chain",
                "measured",
                "standard error",
            ],
        );
        let critical = metrics::ks_critical(settings.particles, SIGNIFICANCE)?;
        for Report { start, exact, run } in reports {
            for time in &settings.times {
                let k = clock.index(*time);
                let (sample, equation) = (&run.places[k], &exact.laws[k]);
                let share = landscape.share(sample);
                laws.push(cells![
                    start.name(),
                    *time,
                    metrics::ks_one_sample(sample, |x| exact.chain[k].at(x))?.statistic,
                    metrics::ks_one_sample(sample, |x| equation.at(x))?.statistic,
                    critical,
                    exact.chain[k].distance(|x| equation.at(x)),
                    equation.distance(target),
                    metrics::ks_one_sample(sample, target)?.statistic,
                    1.0 - equation.at(landscape.saddle),
                    1.0 - exact.chain[k].at(landscape.saddle),
                    share,
                    (share * (1.0 - share) / sample.len() as f64).sqrt(),
                ]);
            }
        }
        let mut relaxation = Table::new(
            "Relaxation rate",
            format!(
                "of the mass to the right of the saddle, per unit of time. Fits of C e^(−λt) to its distance from the \
                 limit at t = {} to {}; the standard error follows from the law of the chain. A fit is checked against the \
                 gap where that error could tell it from Kramers' formula, which is asymptotic for high barriers; these \
                 are {:.2} and {:.2} high.",
                settings.fit[0],
                settings.fit[1],
                law.log_density(&[landscape.modes[0]]) - law.log_density(&[landscape.saddle]),
                law.log_density(&[landscape.modes[1]]) - law.log_density(&[landscape.saddle]),
            ),
            &["rate", "value", "standard error", "relative to the gap", "time 1/rate"],
        );
        let mut row = |name: String, rate: f64, error: Option<f64>| {
            relaxation.push(cells![name, rate, error, rate / gap, 1.0 / rate]);
        };
        row("spectral gap of the Fokker-Planck operator".into(), gap, None);
        for (Report { start, .. }, rates) in reports.iter().zip(rates) {
            let start = start.name();
            row(format!("fit to the sample from {start}"), rates.measured, Some(rates.standard_error));
            row(format!("fit to the equation from {start}"), rates.equation, None);
            row(format!("fit to the chain from {start}"), rates.chain, None);
        }
        let [left, right] = landscape.modes.map(|mode| landscape.escape(law, mode));
        row("Kramers, left to right".into(), left, None);
        row("Kramers, right to left".into(), right, None);
        row("Kramers, sum".into(), left + right, None);

        let mut close = Table::new(
            "Time until the law is close",
            "to the mixture in Kolmogorov-Smirnov distance, by the Fokker-Planck equation, to one unit of time.",
            &["distance", "from N(0, 1)", "from U[−20, 20]"],
        );
        for distance in CLOSE {
            let [normal, uniform] = [0, 1]
                .map(|k| reports[k].exact.distances.iter().find(|(_, d)| *d <= distance).map(|(t, _)| *t));
            close.push(cells![distance, normal, uniform]);
        }
        Ok(vec![laws, relaxation, close])
    }

    /// What no check states.
    pub(super) fn notes(&self) -> Vec<String> {
        let Self { settings, law, reports, gap, .. } = self;
        let gap = *gap;
        let distance = |report: &Report, time: f64| {
            let mut distances = report.exact.distances.iter();
            distances.find(|(t, _)| *t >= time).map_or(f64::NAN, |(_, distance)| *distance)
        };
        let last = *settings.times.last().expect("there are times");
        let [normal, uniform] = &reports[..] else { unreachable!("there are two starts") };
        vec![
            format!(
                "The tutorial shows the histograms and says that the process reaches the mixture from any start; it \
                 gives neither a step nor a duration. Within a mode the law settles in a time of about {:.0}, and from t \
                 = {} on the picture hardly changes. Yet the modes then have the weights that the start gave them: the \
                 law is at a Kolmogorov-Smirnov distance of {:.4} from the mixture from N(0, 1) and of {:.4} from U[−20, \
                 20], not 0, and approaches it only at the rate {gap:.5}, a time of {:.1}.",
                law.component_covariance(0)[(0, 0)],
                settings.shown,
                distance(normal, settings.shown),
                distance(uniform, settings.shown),
                1.0 / gap
            ),
            format!(
                "At t = {last} the distances are {:.5} and {:.5}.",
                distance(normal, last),
                distance(uniform, last)
            ),
            "N(0, 1) does better by luck alone: the saddle happens to divide it nearly as the weights of the mixture do.".into(),
        ]
    }
}

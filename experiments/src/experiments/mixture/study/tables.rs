//! The numbers of the reversed mixture.

use anyhow::Result;
use resolvent::core::GaussianMixture;
use resolvent::core::schedule::{Level, Schedule};
use resolvent::metrics;

use super::super::initialisation::{Initialisation, range};
use super::{Report, SIGNIFICANCE, Start, Study};
use crate::experiments::tabulated::Tabulated;
use crate::outcome::{Table, cells};

/// Points at which two exact laws are compared.
const FINE: usize = 10_001;

impl Study<'_> {
    pub(super) fn tables(&self, reports: &[Report]) -> Result<Vec<Table>> {
        let mut ends = Table::new(
            "End laws",
            format!(
                "{}, {} particles, {} evaluations of the score each, the same noise from both starts. KS: to the \
                 exact law of what is simulated, which from the prior is the biased law of the quadrature; critical \
                 value at 1e-3. Bias: F_biased − F where it is largest, exact and in the sample, with the standard \
                 error. The last columns are the distance to the law at the end of sampling, as a user measures it, \
                 and its excess over the bias in standard errors; and that to the data law. Exactly, p_end is at a \
                 distance of {:.3e} from the data law.",
                self.name,
                self.particles,
                self.steps,
                Tabulated::new(range(self.law, &Level::CLEAN), FINE, |x| self
                    .law
                    .cdf(&self.schedule.level(self.end), x))
                .distance(|x| self.law.cdf(&Level::CLEAN, x))
            ),
            &[
                "method",
                "start",
                "KS",
                "p",
                "critical",
                "bias",
                "at x",
                "measured",
                "standard error",
                "KS to p_end",
                "KS − |bias|, errors",
                "KS to data law",
            ],
        );
        let mut way = Table::new(
            "Marginals on the way",
            "as above, at every time at which they were compared; without correction for the number of tests.",
            &["t", "α", "σ", "method", "start", "KS", "p", "bias", "KS to p_t"],
        );
        let critical = metrics::ks_critical(self.particles, SIGNIFICANCE)?;
        for Report { method, start, run, fits } in reports {
            let end = fits.last().expect("the end is always wanted");
            let places = run.places.last().expect("the end is always wanted");
            let biased = |value: f64| (*start == Start::Prior).then_some(value);
            ends.push(cells![
                method.name(),
                start.name(),
                end.own.statistic,
                end.own.p_value,
                critical,
                biased(end.bias.1),
                biased(end.bias.0),
                biased(end.seen.0),
                biased(end.seen.1),
                end.marginal.statistic,
                biased((end.marginal.statistic - end.bias.1.abs()) / end.seen.1),
                metrics::ks_one_sample(places, |x| self.law.cdf(&Level::CLEAN, x))?.statistic,
            ]);
            for fit in fits {
                way.push(cells![
                    fit.level.time,
                    fit.level.alpha,
                    fit.level.sigma,
                    method.name(),
                    start.name(),
                    fit.own.statistic,
                    fit.own.p_value,
                    biased(fit.bias.1),
                    fit.marginal.statistic,
                ]);
            }
        }
        Ok(vec![ends, way])
    }

    /// The initialisation bias of other schedules, exactly: no sampling.
    pub(in super::super) fn biases<'s>(
        &self,
        parameter: &str,
        schedules: impl IntoIterator<Item = (f64, &'s dyn Schedule)>,
    ) -> Result<Table> {
        let mut table = Table::new(
            "Initialisation bias",
            "sup |F_biased − F| at the end by quadrature, for a start in the prior: of the data as they are, and \
             shifted to mean zero.",
            &[parameter, "data", "p_T against prior", "reverse SDE", "probability flow"],
        );
        let shift = self.law.mean()[0];
        let variances = (0..self.law.len()).map(|k| self.law.component_covariance(k)[(0, 0)].sqrt());
        let means: Vec<f64> = self.law.means().iter().map(|m| m - shift).collect();
        let centred =
            GaussianMixture::one_dimensional(self.law.weights(), &means, &variances.collect::<Vec<_>>())?;
        for (value, schedule) in schedules {
            for (name, law) in [("as they are", self.law), ("shifted", &centred)] {
                let (from, to) = (schedule.level(schedule.horizon()), schedule.level(self.end));
                let start = Initialisation { law, from, deviation: schedule.prior_deviation() };
                let bias = |table: Tabulated| table.distance(|x| law.cdf(&to, x));
                let at_start = start.flow(&from)?.distance(|x| law.cdf(&from, x));
                table.push(cells![value, name, at_start, bias(start.sde(&to)?), bias(start.flow(&to)?)]);
            }
        }
        Ok(table)
    }
}

//! The end law in space from a wrong start, by draws of the right one.

use anyhow::{Result, bail};
use resolvent::core::EmpiricalMeasure;
use resolvent::core::schedule::diffuse;
use resolvent::data::{Atoms, Law};
use resolvent::metrics;
use serde::{Deserialize, Serialize};

use super::WEIGHTS;
use super::model::Model;
use crate::experiments::three_starts::bias::of_laplace;

/// An end law and how well it is known.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Predicted {
    /// The probability of each atom.
    pub(super) law: Vec<f64>,
    /// Total variation from the data, with its standard error over the draws.
    pub(super) distance: f64,
    pub(super) error: f64,
}

pub(super) fn end_law(
    model: Model,
    level: f64,
    alpha: &EmpiricalMeasure,
    draws: usize,
    seed: u64,
) -> Result<Predicted> {
    match model {
        // Every path of the conditioned process dies at the point, so its reversal starts there (R9b).
        Model::Point => Ok(Predicted { law: WEIGHTS.to_vec(), distance: 0.0, error: 0.0 }),
        Model::Laplace => {
            let bias = of_laplace(Model::rate(level), &vec![0.0; alpha.dim()], alpha, Some((draws, seed)))?;
            Ok(Predicted {
                law: WEIGHTS.iter().zip(&bias.shifts).map(|(w, shift)| w + shift).collect(),
                distance: bias.total_variation.value,
                error: bias.total_variation.standard_error,
            })
        }
        Model::VeSde | Model::VpSde => sde(model, level, alpha, draws, seed),
        Model::VeFlow | Model::VpFlow | Model::Pfgm => bail!("the end law of a flow in space is not known"),
    }
}

/// The mean of (w_i - α_i)(s/p_T - 1) over draws of p_T, w_i the posterior weights: where the start goes under the reverse SDE.
fn sde(model: Model, level: f64, alpha: &EmpiricalMeasure, draws: usize, seed: u64) -> Result<Predicted> {
    let (start, deviation) = model.start(level)?;
    let data = Atoms::new(alpha.points().clone(), &WEIGHTS)?.sample(draws, seed);
    let noisy = diffuse(&start, &data, seed);
    let d = alpha.dim() as f64;
    let terms: Vec<[f64; 5]> = noisy
        .column_iter()
        .map(|x| {
            let logs: [f64; 5] = std::array::from_fn(|i| {
                let squared: f64 =
                    x.iter().zip(alpha.point(i)).map(|(x, y)| (x - start.alpha * y).powi(2)).sum();
                WEIGHTS[i].ln() - 0.5 * squared / start.sigma.powi(2) - d * start.sigma.ln()
            });
            let peak = logs.iter().fold(f64::NEG_INFINITY, |a, b| a.max(*b));
            let right = peak + logs.iter().map(|l| f64::exp(l - peak)).sum::<f64>().ln();
            let wrong = -0.5 * x.norm_squared() / (deviation * deviation) - d * deviation.ln();
            let ratio = f64::exp_m1(wrong - right);
            std::array::from_fn(|i| (f64::exp(logs[i] - right) - WEIGHTS[i]) * ratio)
        })
        .collect();
    let shifts: [f64; 5] = std::array::from_fn(|i| terms.iter().map(|t| t[i]).sum::<f64>() / draws as f64);
    let signed: Vec<f64> = terms
        .iter()
        .map(|term| 0.5 * term.iter().zip(shifts).map(|(t, s)| t * s.signum()).sum::<f64>())
        .collect();
    let distance = metrics::mean(&signed)?;
    Ok(Predicted {
        law: WEIGHTS.iter().zip(shifts).map(|(w, shift)| w + shift).collect(),
        distance: distance.value,
        error: distance.standard_error,
    })
}

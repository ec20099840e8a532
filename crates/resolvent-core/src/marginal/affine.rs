//! The data under an affine SDE.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use nalgebra::DMatrix;

use super::{Denoiser, GaussianMixture, MarginalScore, NoisyDensity};
use crate::affine::{Affine, Transition, Whitening};
use crate::error::{Result, dimension};
use crate::measure::EmpiricalMeasure;
use crate::schedule::Level;

/// Times whose laws are kept: chunks of particles on several threads go through the same times, but not together.
const KEPT: usize = 64;

/// p_t, the law of an affine SDE started at time 0 in the data: with the transition N(M x + m, P), a component N(μ, S) of the
/// data becomes N(M μ + m, M S Mᵀ + P), a point y becomes N(M y + m, P).
///
/// Points have no density at time 0, nor later as long as the noise has not reached every direction: where a covariance is
/// singular to rounding, [`law`](Self::law) is an error, and scores and log-densities are NaN (a sampler counts its particles
/// as diverged). End a reversal before.
pub struct AffineMarginal<'a, A: ?Sized> {
    process: &'a A,
    data: Data,
    /// By the bits of t, the latest last; none where there is no density.
    kept: Mutex<VecDeque<(u64, Option<Arc<Law>>)>>,
}

enum Data {
    Mixture(GaussianMixture),
    Points(EmpiricalMeasure),
}

/// p_t ready for evaluation.
enum Law {
    Mixture(GaussianMixture),
    /// Components with one covariance: of unit covariance after whitening.
    White {
        whitening: Whitening,
        white: GaussianMixture,
    },
}

impl<'a, A: Affine + ?Sized> AffineMarginal<'a, A> {
    /// `process` started in the mixture `data`.
    ///
    /// # Errors
    /// If the dimensions differ.
    pub fn of_mixture(process: &'a A, data: GaussianMixture) -> Result<Self> {
        dimension("data", process.dim(), data.means().nrows())?;
        Ok(Self { process, data: Data::Mixture(data), kept: Mutex::default() })
    }

    /// `process` started in the weighted points `data`: the scores of the "ideal denoiser".
    ///
    /// # Errors
    /// If the dimensions differ.
    pub fn of_points(process: &'a A, data: EmpiricalMeasure) -> Result<Self> {
        dimension("data", process.dim(), data.dim())?;
        Ok(Self { process, data: Data::Points(data), kept: Mutex::default() })
    }

    /// p_t itself.
    ///
    /// # Errors
    /// If a covariance is singular.
    pub fn law(&self, t: f64) -> Result<GaussianMixture> {
        let transition = self.process.transition(0.0, t);
        match &self.data {
            Data::Mixture(data) => {
                data.affine(&transition.matrix, &transition.offset, &transition.covariance)
            }
            Data::Points(data) => {
                let (weights, means) = carried(data, &transition);
                let count = data.len();
                GaussianMixture::new(&weights, means, std::iter::repeat_n(transition.covariance, count))
            }
        }
    }

    /// Writes log p_t at `points` (n rows of d) into `out` (n), in nats.
    pub fn log_densities(&self, t: f64, points: &[f64], out: &mut [f64]) {
        match self.ready(t).as_deref() {
            None => out.fill(f64::NAN),
            Some(Law::Mixture(law)) => law.log_densities(&Level::CLEAN, points, out),
            Some(Law::White { whitening, white }) => {
                white.log_densities(&Level::CLEAN, &whitened(whitening, points), out);
                out.iter_mut().for_each(|o| *o += whitening.log_determinant);
            }
        }
    }

    /// p_t, kept or made anew: the same bits either way.
    fn ready(&self, t: f64) -> Option<Arc<Law>> {
        let key = t.to_bits();
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, law)) = kept().iter().rev().find(|(bits, _)| *bits == key) {
            return law.clone();
        }
        let law = self.make(t).ok().map(Arc::new);
        let mut kept = kept();
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back((key, law.clone()));
        law
    }

    fn make(&self, t: f64) -> Result<Law> {
        let Data::Points(data) = &self.data else { return Ok(Law::Mixture(self.law(t)?)) };
        let transition = self.process.transition(0.0, t);
        let whitening = Whitening::new("covariance of the marginal", &transition.covariance)?;
        let (weights, means) = carried(data, &transition);
        let white = GaussianMixture::isotropic(&weights, &whitening.matrix * means, &vec![1.0; data.len()])?;
        Ok(Law::White { whitening, white })
    }
}

impl<A: Affine + ?Sized> MarginalScore for AffineMarginal<'_, A> {
    fn dim(&self) -> usize {
        self.process.dim()
    }

    fn evaluate(&self, t: f64, points: &[f64], scores: &mut [f64]) {
        match self.ready(t).as_deref() {
            None => scores.fill(f64::NAN),
            Some(Law::Mixture(law)) => law.scores(&Level::CLEAN, points, scores),
            // ∇ log p(x) = Wᵀ (∇ log p_white)(W x).
            Some(Law::White { whitening, white }) => {
                let d = self.dim();
                let mut places = whitened(whitening, points);
                white.scores(&Level::CLEAN, &places, scores);
                for (row, score) in places.chunks_exact_mut(d).zip(scores.chunks_exact_mut(d)) {
                    row.copy_from_slice(score);
                    whitening.apply_transpose(row, score);
                }
            }
        }
    }
}

/// The weights, and M y + m for all points y (d x m).
fn carried(data: &EmpiricalMeasure, transition: &Transition) -> (Vec<f64>, DMatrix<f64>) {
    let mut means = &transition.matrix * data.points();
    means.column_iter_mut().for_each(|mut mean| mean += &transition.offset);
    (data.log_weights().iter().map(|w| w.exp()).collect(), means)
}

/// W x at all points (n rows of d).
fn whitened(whitening: &Whitening, points: &[f64]) -> Vec<f64> {
    let d = whitening.matrix.nrows();
    let mut places = vec![0.0; points.len()];
    for (x, out) in points.chunks_exact(d).zip(places.chunks_exact_mut(d)) {
        whitening.apply(x, out);
    }
    places
}

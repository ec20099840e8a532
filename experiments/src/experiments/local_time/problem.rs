//! Data of codimension one, each with its exact laws of end point and lifetime from one start.

use std::f64::consts::PI;

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::htransform::{HTransform, Sphere, TransformScore};
use resolvent::core::killing::{Hypersurface, PointsOnLine, Shell};
use resolvent::core::marginal::{NoisyDensity, UniformSphere};
use resolvent::core::schedule::Level;
use resolvent::core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion, Oracle, Score};

use super::super::tabulated::Tabulated;

/// Cells of the quadratures.
const CELLS: usize = 20_000;
/// Times between which a lifetime lies, in units of 1/r.
const TIMES: (f64, f64) = (1e-6, 50.0);
/// Relative change of the rate for a derivative.
const SHIFT: f64 = 1e-4;
/// The length taken for the scale of a score that vanishes.
const FARTHEST: f64 = 10.0;
/// Places and weights of the two points on the line.
const TWO: ([f64; 2], [f64; 2]) = ([-1.0, 1.0], [0.7, 0.3]);

/// Which data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Data {
    /// One point on the line.
    Point,
    /// Two points on the line.
    Two,
    /// The uniform law on the unit sphere in R^d.
    Sphere(usize),
}

/// Data, a start, and what is known of the backward process from there.
pub(super) struct Problem {
    pub(super) data: Data,
    pub(super) name: String,
    pub(super) process: KilledBrownianMotion,
    /// |x| of the start, which lies on the first axis.
    pub(super) start: f64,
    sphere: Sphere,
    measure: EmpiricalMeasure,
    /// The law of the end point: the angle to the start on a sphere, the share of the first point on the line.
    pub(super) ends: Ends,
    /// The distribution function of the lifetime, on the logarithmic axis.
    lifetimes: Tabulated,
    pub(super) mean_lifetime: f64,
    /// Mean lifetime that is left at the first entrance.
    pub(super) left_at_entrance: f64,
    /// Relative difference of ∫ e^{-rt} p_t dt by quadrature and u by R8, for a sphere.
    pub(super) mass_error: Option<f64>,
}

/// Where the backward process ends.
pub(super) enum Ends {
    /// Probability of the first point, and that of hitting it first.
    Share(f64, f64),
    /// Distribution function of the angle to the start.
    Angle(Tabulated),
}

impl Problem {
    pub(super) fn new(data: Data, rate: f64, start: f64) -> Result<Self> {
        let (dim, name) = match data {
            Data::Point => (1, format!("one point, from {start}")),
            Data::Two => (1, format!("two points, from {start}")),
            Data::Sphere(2) => (2, format!("circle, from {start}")),
            Data::Sphere(d) => (d, format!("sphere in R^{d}, from {start}")),
        };
        let process = KilledBrownianMotion::new(dim, 1.0, rate)?;
        let sphere = Sphere::new(&process, 1.0)?;
        let measure = match data {
            Data::Two => EmpiricalMeasure::weighted(DMatrix::from_row_slice(1, 2, &TWO.0), &TWO.1)?,
            _ => EmpiricalMeasure::new(DMatrix::zeros(dim, 1))?,
        };
        let oracle = Oracle::new(process.clone(), measure.clone())?;
        let (ends, left_at_entrance) = match data {
            Data::Point => (Ends::Share(1.0, 1.0), 0.5 / rate),
            Data::Two => {
                let first = hits_first(&process, &measure, start)?;
                let left = |i: usize| oracle.lifetime_law(measure.point(i)).mean();
                let ends = Ends::Share(oracle.end_law(&[start])[0], first);
                (ends, first * left(0) + (1.0 - first) * left(1))
            }
            Data::Sphere(_) => {
                // u at the sphere is one over the surface and the rate, so -d log u/dr is d log q/dr (R4b).
                let log_rate = |factor: f64| -> Result<f64> {
                    let process = KilledBrownianMotion::new(dim, 1.0, factor * rate)?;
                    Ok(Shell::new(&Sphere::new(&process, 1.0)?).rate(&vec![0.0; dim]).ln())
                };
                let left = (log_rate(1.0 + SHIFT)? - log_rate(1.0 - SHIFT)?) / (2.0 * SHIFT * rate);
                (Ends::Angle(angles(&process, start)), left)
            }
        };
        let (low, high) = (f64::ln(TIMES.0 / rate), f64::ln(TIMES.1 / rate));
        let spacing = (high - low) / CELLS as f64;
        let log_times = (0..=CELLS).map(|k| low + spacing * k as f64);
        let lifetimes: Vec<f64> = match data {
            Data::Sphere(_) => {
                let noisy = UniformSphere::new(dim - 1, 1.0, dim)?;
                log_times.map(|u| lifetime_density(&noisy, &process, start, u.exp()) * u.exp()).collect()
            }
            _ => {
                let law = oracle.lifetime_law(&[start]);
                log_times.map(|u| law.density(u.exp()) * u.exp()).collect()
            }
        };
        let weighted = lifetimes.iter().enumerate().map(|(k, f)| f * f64::exp(low + spacing * k as f64));
        let mean_lifetime = weighted.sum::<f64>() / lifetimes.iter().sum::<f64>();
        let mass_error = matches!(data, Data::Sphere(_)).then(|| {
            let mut x = vec![0.0; dim];
            x[0] = start;
            let density = f64::exp(sphere.log_value(&x)) / surface(dim);
            (spacing * lifetimes.iter().sum::<f64>() / density - 1.0).abs()
        });
        let lifetimes = Tabulated::of_density(low, spacing, &lifetimes);
        Ok(Self {
            data,
            name,
            process,
            start,
            sphere,
            measure,
            ends,
            lifetimes,
            mean_lifetime,
            left_at_entrance,
            mass_error,
        })
    }

    pub(super) fn score(&self) -> Result<Box<dyn Score + '_>> {
        Ok(match self.data {
            Data::Sphere(_) => Box::new(TransformScore::new(&self.process, &self.sphere, FARTHEST)?),
            _ => Box::new(self.empirical()?),
        })
    }

    /// The score of the points on the line; on a circle that of `count` equal points.
    pub(super) fn atoms(&self, count: usize) -> Result<EmpiricalScore> {
        if self.data != Data::Sphere(2) {
            return self.empirical();
        }
        let angle = |k: usize| 2.0 * PI * (k as f64 + 0.5) / count as f64;
        let points = DMatrix::from_fn(2, count, |i, k| if i == 0 { angle(k).cos() } else { angle(k).sin() });
        Ok(EmpiricalScore::new(&self.process, EmpiricalMeasure::new(points)?)?)
    }

    fn empirical(&self) -> Result<EmpiricalScore> {
        Ok(EmpiricalScore::new(&self.process, self.measure.clone())?)
    }

    pub(super) fn surface(&self) -> Result<Box<dyn Hypersurface>> {
        Ok(match self.data {
            Data::Sphere(_) => Box::new(Shell::new(&self.sphere)),
            _ => Box::new(PointsOnLine::new(&self.process, &self.measure)?),
        })
    }

    /// The start, `n` times (d x n).
    pub(super) fn starts(&self, n: usize) -> DMatrix<f64> {
        let mut starts = DMatrix::zeros(self.process.dim(), n);
        starts.row_mut(0).fill(self.start);
        starts
    }

    pub(super) fn lifetime_cdf(&self, t: f64) -> f64 {
        if t > 0.0 { self.lifetimes.at(t.ln()) } else { 0.0 }
    }
}

/// The surface of the unit sphere in R^`dim`.
fn surface(dim: usize) -> f64 {
    let first = if dim.is_multiple_of(2) { 2.0 * PI } else { 2.0 };
    (1..=dim).rev().step_by(2).filter(|d| *d >= 3).map(|d| 2.0 * PI / (d as f64 - 2.0)).product::<f64>()
        * first
}

/// The probability from `start` between two points of hitting the left one first: E_x[e^{-rT}; X_T = y] u(y)/u(x), the first
/// factor by the sine hyperbolic.
fn hits_first(process: &KilledBrownianMotion, measure: &EmpiricalMeasure, start: f64) -> Result<f64> {
    let score = EmpiricalScore::new(process, measure.clone())?;
    let (left, right) = (measure.point(0)[0], measure.point(1)[0]);
    let decay = process.green().decay();
    let reach = f64::sinh(decay * (right - start)) / f64::sinh(decay * (right - left));
    Ok(reach * f64::exp(score.log_density(&[left]) - score.log_density(&[start])))
}

/// R10: the density of the angle is proportional to G_r times sin^{d-2}.
fn angles(process: &KilledBrownianMotion, start: f64) -> Tabulated {
    let spacing = PI / CELLS as f64;
    let power = process.dim() as i32 - 2;
    let density: Vec<f64> = (0..=CELLS)
        .map(|k| {
            let (sin, cos) = (spacing * k as f64).sin_cos();
            let rho = (start * start + 1.0 - 2.0 * start * cos).sqrt();
            process.green().log_value(rho).exp() * sin.powi(power)
        })
        .collect();
    Tabulated::of_density(0.0, spacing, &density)
}

/// e^{-rt} p_t, with p_t the uniform law under noise of variance t, at the start.
fn lifetime_density(noisy: &UniformSphere, process: &KilledBrownianMotion, start: f64, t: f64) -> f64 {
    let mut x = vec![0.0; process.dim()];
    x[0] = start;
    let mut log_density = [0.0];
    noisy.log_densities(&Level { time: t, alpha: 1.0, sigma: t.sqrt() }, &x, &mut log_density);
    f64::exp(log_density[0] - process.rate() * t)
}

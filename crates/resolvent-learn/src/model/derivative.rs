//! What a model says, differentiated along a direction of the points: the network by forward differentiation, what stands
//! around it by hand.

use super::gaussian::GaussianFit;
use super::{Conditioning, Estimate, FINEST, Model, Preconditioning, Prepared, embedding};
use crate::engine::{Engine, Reply};

/// The step in log σ with which the factors of a preconditioning are differenced, in f64.
const STEP: f64 = 1e-5;

/// The derivative of a [`Prepared`].
struct Along {
    skip: Vec<f32>,
    out: Vec<f32>,
    log_base: Vec<f64>,
}

impl Model {
    /// As [`estimate`](Self::estimate), and beside it the derivative of the estimate along `directions` (n rows of d). A level
    /// that was told does not change.
    pub fn estimate_along(
        &self,
        engine: &dyn Engine,
        parameters: &[f32],
        points: &[f64],
        levels: Option<&[f64]>,
        directions: &[f64],
    ) -> (Estimate, Estimate) {
        let mut prepared = self.prepare(points, levels);
        let along = self.prepare_along(points, directions, &mut prepared);
        let reply = engine.evaluate(&self.network, parameters, &prepared.batch);
        let estimate = self.read(&prepared, &reply);
        let derivative = self.read_along(&prepared, &along, directions, &reply, &estimate);
        (estimate, derivative)
    }

    /// Gives the batch its directions and returns the derivative of what surrounds the network.
    fn prepare_along(&self, points: &[f64], directions: &[f64], prepared: &mut Prepared) -> Along {
        let (d, k) = (self.dim(), self.fit.variances.len());
        let variance = self.fit.variance();
        let preconditioning = self.settings.preconditioning;
        let eigenbasis = preconditioning == Preconditioning::Eigenbasis;
        let estimated = self.settings.conditioning == Conditioning::Blind && preconditioning.needs_level();
        let centre = |x: &[f64]| -> Vec<f32> {
            x.iter().zip(&self.fit.mean).map(|(x, c)| (x - f64::from(*c)) as f32).collect()
        };
        let single = |v: &[f64]| -> Vec<f32> { v.iter().map(|v| *v as f32).collect() };
        let mut along = Along { skip: Vec::new(), out: Vec::new(), log_base: Vec::new() };
        let within = (1.0 / variance.sqrt()) as f32;
        for (i, (x, v)) in points.chunks_exact(d).zip(directions.chunks_exact(d)).enumerate() {
            let (c, v) = (centre(x), single(v));
            let [norm, slope] =
                [&c, &v].map(|w| c.iter().zip(w).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum());
            let [a, da] = if estimated || eigenbasis {
                [&c, &v].map(|w| self.fit.coefficients(w))
            } else {
                [Vec::new(), Vec::new()]
            };
            let base = prepared.log_base.get(i).copied();
            let change = match base {
                Some(l) if estimated => self.fit.likeliest_slope(l, (&a, &da), (norm, 2.0 * slope)),
                _ => 0.0,
            };
            let (scale, scale_change) = match base {
                None => {
                    let scale = 1.0 / (variance + norm / d as f64).sqrt();
                    (scale, -scale.powi(3) * slope / d as f64)
                }
                Some(l) => {
                    let scale = 1.0 / (variance + (2.0 * l).exp()).sqrt();
                    (scale, -scale.powi(3) * (2.0 * l).exp() * change)
                }
            };
            let factors = |l: f64| match preconditioning {
                Preconditioning::Eigenbasis => (0.0, self.fit.posterior_deviation(l.exp())),
                other => other.coefficients(l.exp(), variance),
            };
            let (skip, skip_change, out_change) = base.map_or((0.0, 0.0, 0.0), |l| {
                let (ahead, behind) = (factors(l + STEP), factors(l - STEP));
                let difference = |a: f64, b: f64| change * (a - b) / (2.0 * STEP);
                (factors(l).0, difference(ahead.0, behind.0), difference(ahead.1, behind.1))
            });
            let mut mean: Vec<f32> =
                c.iter().zip(&v).map(|(c, v)| skip_change as f32 * c + skip as f32 * v).collect();
            if eigenbasis {
                let l = base.expect("it needs a level");
                let mut shrunken = vec![0.0; k];
                self.fit.shrink(l.exp(), &v, &da, &mut mean, &mut shrunken);
                self.fit.shrink_slope(l.exp(), change, &c, &a, &mut mean, &mut shrunken);
                self.fit.combine(&shrunken, &mut mean);
            }
            let inputs = c.iter().zip(&v).map(|(c, v)| scale_change as f32 * c + scale as f32 * v);
            let batch = &mut prepared.batch;
            if eigenbasis {
                batch.directions.extend(inputs.zip(&mean).flat_map(|(x, mean)| [x, within * mean]));
            } else {
                batch.directions.extend(inputs);
            }
            if let Some(l) = base {
                if estimated {
                    embedding::embed_along(&self.frequencies, l, change, &mut batch.feature_directions);
                }
                along.log_base.push(change);
            }
            along.skip.extend(mean);
            along.out.push(out_change as f32);
        }
        along
    }

    fn read_along(
        &self,
        prepared: &Prepared,
        along: &Along,
        directions: &[f64],
        reply: &Reply,
        estimate: &Estimate,
    ) -> Estimate {
        let d = self.dim();
        let mut denoised = along.skip.clone();
        for (i, row) in denoised.chunks_exact_mut(d).enumerate() {
            let place = i * d..(i + 1) * d;
            let network = reply.field[place.clone()].iter().zip(&reply.derivative[place]);
            row.iter_mut()
                .zip(network)
                .for_each(|(o, (f, df))| *o += along.out[i] * f + prepared.out[i] * df);
        }
        let mut log_levels = along.log_base.clone();
        if log_levels.is_empty() {
            let finest = FINEST * self.spread();
            for i in 0..prepared.batch.n {
                let (mut square, mut slope) = (0.0, 0.0);
                for j in i * d..(i + 1) * d {
                    let v = f64::from(estimate.denoised[j] - prepared.points[j]);
                    square += v * v;
                    slope += v * (f64::from(denoised[j]) - directions[j]);
                }
                let told_apart = (square / d as f64).sqrt() > finest;
                log_levels.push(if told_apart { slope / square } else { 0.0 });
            }
        }
        for ((l, head), change) in log_levels.iter_mut().zip(&reply.heads).zip(&reply.head_derivative) {
            *l += if head.abs() < super::LARGEST_HEAD { f64::from(*change) } else { 0.0 };
        }
        Estimate { denoised, log_levels }
    }
}

impl GaussianFit {
    /// The derivative of log σ of the [likeliest level](Self::likeliest_level), σ = e^`log_level`, given the coefficients and
    /// |x|² with their derivatives: that of the root of the slope of the likelihood. Zero at the ends of the range.
    fn likeliest_slope(
        &self,
        log_level: f64,
        (coefficients, changes): (&[f32], &[f32]),
        (norm_squared, norm_change): (f64, f64),
    ) -> f64 {
        let (spread, v) = (self.variance(), (2.0 * log_level).exp());
        if v <= 1.001e-8 * spread || v >= 0.999e8 * spread {
            return 0.0;
        }
        let (mut force, mut curvature) = (0.0, 0.0);
        let mut direction = |variance: f64, energy: f64, change: f64, count: f64| {
            let precision = 1.0 / (variance + v);
            let share = v * precision;
            force += share * precision * change;
            curvature += share * ((1.0 - share) * (energy * precision - count) - share * energy * precision);
        };
        let (mut rest, mut rest_change) = (norm_squared, norm_change);
        for (variance, (c, dc)) in self.variances.iter().zip(coefficients.iter().zip(changes)) {
            let (energy, change) = (f64::from(*c).powi(2), 2.0 * f64::from(*c) * f64::from(*dc));
            direction(f64::from(*variance), energy, change, 1.0);
            rest -= energy;
            rest_change -= change;
        }
        if self.dim() > self.variances.len() && rest > 0.0 {
            let count = (self.dim() - self.variances.len()) as f64;
            direction(f64::from(self.rest), rest, rest_change, count);
        }
        if curvature < 0.0 { -0.5 * force / curvature } else { 0.0 }
    }

    /// Adds to what [`shrink`](Self::shrink) writes its derivative along a change of log σ.
    fn shrink_slope(
        &self,
        level: f64,
        change: f64,
        centred: &[f32],
        coefficients: &[f32],
        out: &mut [f32],
        shrunken: &mut [f32],
    ) {
        let v = level * level;
        // With keep = λ/(λ + σ²), d keep/d log σ = -2 keep (1 - keep).
        let slope = |variance: f32| {
            let keep = f64::from(variance) / (f64::from(variance) + v);
            (-2.0 * keep * (1.0 - keep) * change) as f32
        };
        let rest = slope(self.rest);
        out.iter_mut().zip(centred).for_each(|(o, c)| *o += rest * c);
        for ((s, c), variance) in shrunken.iter_mut().zip(coefficients).zip(&self.variances) {
            *s += (slope(*variance) - rest) * c;
        }
    }
}

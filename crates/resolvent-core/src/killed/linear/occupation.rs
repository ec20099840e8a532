//! The occupation density of a Gaussian mixture.

use nalgebra::{DMatrix, DVector, SymmetricEigen};

use super::KilledLinear;
use super::gaussians::Gaussians;
use super::kernel::Survivors;
use super::quadrature::Rule;
use crate::error::{Error, Result, dimension};
use crate::marginal::GaussianMixture;
use crate::score::Score;

/// The coarsest step of the quadrature in log t, and how often it may be halved.
const STEP: (f64, usize) = (0.5, 6);
/// Where the quadrature begins in units of the shortest time: its weight is below e^-30 of that time there.
const FROM: f64 = -3.4;
/// The error is looked for up to the time that no more than this share outlives,
const SHARE: f64 = 1e-6;
/// at these distances from the mean, in standard deviations.
const DISTANCES: [f64; 5] = [-5.0, -2.5, 0.0, 2.5, 5.0];

/// u, the occupation density of the data law α = Σ_k w_k N(μ_k, S_k) under a [`KilledLinear`] process: u(x) dx is the expected
/// time in dx before death, u(x) = ∫_0^∞ Σ_k w_k mass_k(t) N(x; m_k(t), P_k(t)) dt.
///
/// The integral is a quadrature in log t whose nodes are chosen once; the moments at the nodes are exact. u is then a weighted
/// sum of Gaussians, and its gradient is that of the sum. An evaluation takes some hundred Gaussians for each component.
/// Inverses of their covariances are kept: meant for dimensions of some ten at most.
///
/// As a [`Score`] it is ∇ log u with the gain E[tr P(t)⁻¹]/d, the mean taken over the time and component behind x: of a single
/// Gaussian without drift and of isotropic covariance the displacement leads to its mean.
///
/// ```
/// use resolvent_core::killed::{GaussianOccupation, KilledLinear};
/// use resolvent_core::{GaussianMixture, KilledBrownianMotion};
/// let law = GaussianMixture::one_dimensional(&[0.3, 0.7], &[-5.0, 5.0], &[2.0, 2.0])?;
/// let process = KilledLinear::brownian(&KilledBrownianMotion::new(1, 1.0, 0.02)?)?;
/// let occupation = GaussianOccupation::new(&process, law, 1e-8)?;
/// assert!((occupation.mean_lifetime() - 50.0).abs() < 1e-5);
/// let mut gradient = [f64::NAN];
/// occupation.log_density_and_gradient(&[-8.0], &mut gradient);
/// assert!(gradient[0] > 0.0);
/// # Ok::<(), resolvent_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct GaussianOccupation {
    data: GaussianMixture,
    density: Gaussians,
    occupation: Gaussians,
    nodes: usize,
    mean_lifetime: f64,
    mean_death: f64,
}

impl GaussianOccupation {
    /// The law `data` under `process`, log u and its gradient (in units of the local length) to the absolute `tolerance`, within
    /// five standard deviations of the process at any time that more than a millionth survive; beyond, the error grows slowly.
    ///
    /// # Errors
    /// If the dimensions differ, the tolerance is not between 1e-12 and 0.1, or cannot be reached with steps of 1/128 in log t,
    /// or a covariance is singular to rounding at a time that counts.
    pub fn new(process: &KilledLinear, data: GaussianMixture, tolerance: f64) -> Result<Self> {
        dimension("data", process.dim(), data.means().nrows())?;
        if !(1e-12..=0.1).contains(&tolerance) {
            return Err(Error::Outside { name: "tolerance", low: 1e-12, high: 0.1, value: tolerance });
        }
        let components = Components::new(process, &data);
        let mut rule = Rule {
            shortest: components.shortest(),
            longest: components.longest(30.0 - tolerance.ln()),
            step: STEP.0,
            from: FROM,
        };
        let mut coarse = Sum::new(&components, rule)?;
        let mut error = f64::INFINITY;
        for _ in 0..STEP.1 {
            let fine = Sum::new(&components, rule.refined())?;
            error = coarse.difference(&fine, &components.probes());
            if error <= tolerance {
                let density = components.density()?;
                let Sum { gaussians: occupation, nodes, mean_lifetime, mean_death } = coarse;
                return Ok(Self { data, density, occupation, nodes, mean_lifetime, mean_death });
            }
            rule.step *= 0.5;
            coarse = Sum::new(&components, rule)?;
        }
        Err(Error::Quadrature { error, tolerance })
    }

    /// Dimension d.
    pub fn dim(&self) -> usize {
        self.data.means().nrows()
    }

    /// The data law α.
    pub fn data(&self) -> &GaussianMixture {
        &self.data
    }

    /// Gaussians in the sum.
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// ∫ u, the expected lifetime from α.
    pub fn mean_lifetime(&self) -> f64 {
        self.mean_lifetime
    }

    /// ∫ r u, the probability to be killed: one, but for the error of the quadrature.
    pub fn mean_death(&self) -> f64 {
        self.mean_death
    }

    /// log u at `x` (d).
    ///
    /// # Panics
    /// If `x` has not length d.
    pub fn log_density(&self, x: &[f64]) -> f64 {
        assert_eq!(x.len(), self.dim(), "length of x");
        self.occupation.log_value(x)
    }

    /// gradient ← ∇ log u at `x`, both of length d; returns log u.
    ///
    /// # Panics
    /// If the lengths are not d.
    pub fn log_density_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        assert_eq!(x.len(), self.dim(), "length of x");
        let mut log = f64::NAN;
        self.occupation.evaluate(x, |_, value, slope| {
            log = value.log;
            gradient.copy_from_slice(slope);
        });
        log
    }

    /// log α(x) - log u(x) at `x` (d): the logarithm of the rate (per unit time) at which the backward process dies (R13).
    ///
    /// # Panics
    /// If `x` has not length d.
    pub fn log_hazard(&self, x: &[f64]) -> f64 {
        assert_eq!(x.len(), self.dim(), "length of x");
        self.density.log_value(x) - self.occupation.log_value(x)
    }
}

impl Score for GaussianOccupation {
    fn dim(&self) -> usize {
        self.data.means().nrows()
    }

    fn evaluate(&self, points: &[f64], gains: &mut [f64], displacements: &mut [f64]) {
        let d = GaussianOccupation::dim(self);
        self.occupation.evaluate(points, |i, value, gradient| {
            gains[i] = value.gain;
            for (v, slope) in displacements[i * d..][..d].iter_mut().zip(gradient) {
                *v = slope / value.gain;
            }
        });
    }
}

/// The components of the data and what becomes of them.
struct Components<'a> {
    process: &'a KilledLinear,
    weights: &'a [f64],
    /// Means and covariances.
    laws: Vec<(DVector<f64>, DMatrix<f64>)>,
}

impl<'a> Components<'a> {
    fn new(process: &'a KilledLinear, data: &'a GaussianMixture) -> Self {
        let law = |(k, mean): (usize, nalgebra::DVectorView<'_, f64>)| {
            (mean.into_owned(), data.component_covariance(k))
        };
        let laws = data.means().column_iter().enumerate().map(law).collect();
        Self { process, weights: data.weights(), laws }
    }

    /// A time within which no component changes much.
    fn shortest(&self) -> f64 {
        let process = self.process;
        let speed = |(mean, covariance): &(DVector<f64>, DMatrix<f64>)| {
            let smallest = covariance.symmetric_eigenvalues().min();
            let mut drift = vec![0.0; mean.len()];
            crate::diffusion::Diffusion::drift(process, 0.0, mean.as_slice(), &mut drift);
            let drift = drift.iter().map(|b| b * b).sum::<f64>();
            process.coefficients.covariance.trace() / smallest
                + (drift / smallest).sqrt()
                + process.rate.mean(mean, covariance)
        };
        let fastest = self.laws.iter().map(speed).fold(0.0, f64::max);
        1.0 / (fastest + process.coefficients.speed())
    }

    /// The time at which every component has lost e^-`drop` of its mass, found to a factor of 1.1.
    fn longest(&self, drop: f64) -> f64 {
        let alive = |t: f64| {
            let log_mass = |(m, p): &(DVector<f64>, DMatrix<f64>)| self.process.survivors(t, m, p).log_mass;
            self.laws.iter().map(log_mass).fold(f64::NEG_INFINITY, f64::max)
        };
        let mut end = self.process.ladder.longest;
        while alive(end) > -drop {
            end *= 2.0;
        }
        while alive(end / 1.1) < -drop {
            end /= 1.1;
        }
        end
    }

    /// All components at the times of `rule`, component by component: log weights, log masses and laws.
    fn at(&self, rule: Rule) -> Vec<(f64, Survivors)> {
        let kernels: Vec<_> =
            rule.nodes().map(|(t, weight)| (weight, self.process.coefficients.kernel(t))).collect();
        let carried = self.weights.iter().zip(&self.laws).filter(|(w, _)| **w > 0.0);
        carried
            .flat_map(|(w, (mean, covariance))| {
                kernels.iter().map(move |(weight, kernel)| {
                    ((w * weight).ln(), self.process.alive(kernel, mean, covariance))
                })
            })
            .collect()
    }

    /// α.
    fn density(&self) -> Result<Gaussians> {
        let terms =
            self.weights.iter().zip(&self.laws).map(|(w, (mean, covariance))| (w.ln(), mean, covariance));
        Gaussians::new("covariance of the data", self.process.dim(), terms)
    }

    /// Places where the error is looked for, one after the other: along the longest and the shortest axis of every component
    /// at some times.
    fn probes(&self) -> Vec<f64> {
        let mut places = Vec::new();
        for (mean, covariance) in &self.laws {
            let log_mass = |t: f64| self.process.survivors(t, mean, covariance).log_mass;
            let (low, high) = (self.shortest(), self.process.ladder.longest);
            let times = (0..=12).map(|k| low * (high / low).powf(f64::from(k) / 12.0));
            for t in std::iter::once(0.0).chain(times.filter(|t| log_mass(*t) > SHARE.ln())) {
                let Survivors { mean, covariance, .. } = self.process.survivors(t, mean, covariance);
                let SymmetricEigen { eigenvectors, eigenvalues } = SymmetricEigen::new(covariance);
                for i in [eigenvalues.imax(), eigenvalues.imin()] {
                    for far in DISTANCES {
                        let step = eigenvectors.column(i) * (far * eigenvalues[i].max(0.0).sqrt());
                        places.extend_from_slice((&mean + step).as_slice());
                    }
                }
            }
        }
        places
    }
}

/// u by one rule.
struct Sum {
    gaussians: Gaussians,
    nodes: usize,
    mean_lifetime: f64,
    mean_death: f64,
}

impl Sum {
    fn new(components: &Components<'_>, rule: Rule) -> Result<Self> {
        let laws = components.at(rule);
        let mass = |(weight, alive): &(f64, Survivors)| (weight + alive.log_mass).exp();
        let rate =
            |(_, alive): &(f64, Survivors)| components.process.rate.mean(&alive.mean, &alive.covariance);
        let terms =
            laws.iter().map(|(weight, alive)| (weight + alive.log_mass, &alive.mean, &alive.covariance));
        Ok(Self {
            gaussians: Gaussians::new("covariance at a node", components.process.dim(), terms)?,
            nodes: laws.len(),
            mean_lifetime: laws.iter().map(mass).sum(),
            mean_death: laws.iter().map(|term| mass(term) * rate(term)).sum(),
        })
    }

    /// The largest difference of log u, and of its gradient in units of the local length, at `places`.
    fn difference(&self, other: &Self, places: &[f64]) -> f64 {
        let values = |sum: &Self| {
            let mut values = Vec::new();
            sum.gaussians.evaluate(places, |_, value, gradient| {
                values.push((value, DVector::from_column_slice(gradient)));
            });
            values
        };
        let pairs = values(self).into_iter().zip(values(other));
        let gaps = pairs.map(|((a, slope), (b, other))| {
            (a.log - b.log).abs().max((slope - other).norm() / b.gain.sqrt())
        });
        // A NaN must not pass.
        gaps.fold(0.0, |most, gap| if gap <= most { most } else { gap })
    }
}

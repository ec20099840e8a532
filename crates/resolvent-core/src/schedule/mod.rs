//! Noise schedules: the isotropic affine diffusions dX = f(t) X dt + g(t) dW with X_t = α(t) x_0 + σ(t) ε, one per file,
//! and grids of noise levels.

mod brownian;
mod convert;
mod ddpm;
mod edm;
mod grid;
mod linear_beta;
mod log_linear;
mod ornstein_uhlenbeck;
mod sub_vp;
mod ve;
mod vp_beta;
mod vp_cosine;
mod vp_linear;
mod vp_log_snr;

pub use brownian::Brownian;
pub use ddpm::{DdpmBetas, End, Spacing, Timestep};
pub use edm::Edm;
pub use grid::Grid;
pub use log_linear::LogLinear;
pub use ornstein_uhlenbeck::OrnsteinUhlenbeck;
pub use sub_vp::SubVp;
pub use ve::Ve;
pub use vp_beta::VpBeta;
pub use vp_cosine::VpCosine;
pub use vp_linear::VpLinear;
pub use vp_log_snr::VpLogSnr;

use nalgebra::DMatrix;

use crate::diffusion::{Diffusion, Dispersion};
use crate::random::{Purpose, stream};

/// A noise level: the law of α x_0 + σ ε with ε standard normal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// The time t at which a schedule is there.
    pub time: f64,
    /// α >= 0, the factor of the signal.
    pub alpha: f64,
    /// σ >= 0, the standard deviation of the noise.
    pub sigma: f64,
}

impl Level {
    /// No noise: α = 1, σ = 0, at time 0.
    pub const CLEAN: Self = Self { time: 0.0, alpha: 1.0, sigma: 0.0 };

    /// σ/α, the noise level of x/α; EDM's sigma (Karras et al. 2022).
    pub fn ratio(&self) -> f64 {
        self.sigma / self.alpha
    }

    /// log(α²/σ²), the logarithm of the signal-to-noise ratio, in nats (Kingma et al. 2021).
    pub fn log_snr(&self) -> f64 {
        2.0 * (self.alpha / self.sigma).ln()
    }
}

/// f = d log α/dt and g², the coefficients of dX = f X dt + g dW, per unit of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// f(t).
    pub drift: f64,
    /// g²(t) >= 0.
    pub noise: f64,
}

/// A noise schedule α(t), σ(t) on [0, T], from the data at 0 to noise at T. It is a [`Diffusion`].
pub trait Schedule: Sync {
    /// T.
    fn horizon(&self) -> f64;

    /// α and σ at t in [0, T]: X_t given x_0 is N(α x_0, σ² I) (`marginal_prob`).
    fn level(&self, t: f64) -> Level;

    /// f = d log α/dt and g² = dσ²/dt - 2 f σ² at t in [0, T].
    fn rates(&self, t: f64) -> Rates;

    /// The time at which σ/α is `ratio`, in [0, T]: a ratio beyond the ends gives the end. The inverse of
    /// [`Level::ratio`], by bisection unless there is a closed form.
    fn time_of_ratio(&self, ratio: f64) -> f64 {
        let (mut low, mut high) = (0.0, self.horizon());
        // Halving stops at neighbouring numbers.
        loop {
            let middle = 0.5 * (low + high);
            if middle <= low || middle >= high {
                return if self.level(high).ratio() <= ratio { high } else { low };
            }
            if self.level(middle).ratio() <= ratio { low = middle } else { high = middle }
        }
    }

    /// Standard deviation of the prior N(0, σ² I), the law from which sampling starts.
    fn prior_deviation(&self) -> f64 {
        self.level(self.horizon()).sigma
    }
}

impl<S: Schedule + ?Sized> Diffusion for S {
    fn drift(&self, t: f64, x: &[f64], out: &mut [f64]) {
        let f = self.rates(t).drift;
        out.iter_mut().zip(x).for_each(|(b, x)| *b = f * x);
    }

    fn dispersion(&self, t: f64, _x: &[f64], out: &mut Dispersion) {
        *out = Dispersion::Scalar(self.rates(t).noise.max(0.0).sqrt());
    }

    fn drifts(&self, t: f64, _dim: usize, points: &[f64], out: &mut [f64]) {
        self.drift(t, points, out);
    }

    fn span(&self) -> (f64, f64) {
        (0.0, self.horizon())
    }
}

/// n draws from the prior N(0, σ² I) of `schedule` in R^d (d x n). Particle i draws from stream i of `seed`.
pub fn prior(schedule: &(impl Schedule + ?Sized), dim: usize, n: usize, seed: u64) -> DMatrix<f64> {
    normals(dim, n, schedule.prior_deviation(), seed)
}

/// `data` (d x n) carried to `level`, α x_0 + σ ε: exact draws from p_t. Particle i draws from stream i of `seed`.
pub fn diffuse(level: &Level, data: &DMatrix<f64>, seed: u64) -> DMatrix<f64> {
    let (d, n) = data.shape();
    normals(d, n, level.sigma, seed) + data * level.alpha
}

fn normals(dim: usize, n: usize, deviation: f64, seed: u64) -> DMatrix<f64> {
    let mut points = DMatrix::zeros(dim, n);
    for (i, mut column) in points.column_iter_mut().enumerate() {
        stream(seed, Purpose::Start, i as u64).fill_normals(column.as_mut_slice());
        column *= deviation;
    }
    points
}

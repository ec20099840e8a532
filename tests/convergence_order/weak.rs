//! Weak errors without a Monte-Carlo error, on the circle: the mean of a function after many steps is found backward, one
//! step at a time, by quadrature over the increment and trigonometric interpolation in the place. The reference is the
//! backward Kolmogorov equation by a spectral method.

use std::f64::consts::TAU;

use nalgebra::{DMatrix, DVector};
use resolvent::core::diffusion::{Diffusion, Dispersion, Field};
use resolvent::core::integrate::{Increments, Integrator, Milstein, Scratch};

use crate::Measured;

/// Numbers of steps over the time from 0 to 1.
const STEPS: [usize; 5] = [8, 16, 32, 64, 128];
/// Places on the circle.
const PLACES: usize = 32;
/// Points of the quadrature over an increment.
const QUADRATURE: usize = 24;

/// Milstein's scheme for multiplicative noise.
pub(crate) fn milstein() -> Vec<Measured> {
    let noise = |_t, x: &[f64], out: &mut Dispersion| *out = Dispersion::Scalar(1.0 + 0.4 * x[0].sin());
    let diffusion = Field::new(|_t, _x: &[f64], out: &mut [f64]| out[0] = 0.0, noise);
    multiplicative(&Milstein::new(&diffusion, 0.0, &[1.0]).unwrap())
}

/// A scheme for dX = (½ + sin X) dt + (1 + 0.4 sin X) dW.
pub(crate) fn multiplicative(scheme: &dyn Integrator) -> Vec<Measured> {
    errors(scheme, |_t, x| 0.5 + x.sin(), |_t, x| 1.0 + 0.4 * x.sin())
}

/// A scheme for dX = (sin X + ½ cos t) dt + (0.8 + 0.4 sin 3t) dW.
pub(crate) fn additive(scheme: &dyn Integrator) -> Vec<Measured> {
    errors(scheme, |t, x| x.sin() + 0.5 * t.cos(), |t, _x| 0.8 + 0.4 * (3.0 * t).sin())
}

fn function(x: f64) -> f64 {
    (x - 0.5).cos().exp()
}

/// The largest error over the places x of E[f(X_1) | X_0 = x] for dX = b dt + σ dW.
fn errors(scheme: &dyn Integrator, b: fn(f64, f64) -> f64, sigma: fn(f64, f64) -> f64) -> Vec<Measured> {
    let diffusion = Field::new(
        move |t, x: &[f64], out: &mut [f64]| out[0] = b(t, x[0]),
        move |t, x: &[f64], out: &mut Dispersion| *out = Dispersion::Scalar(sigma(t, x[0])),
    );
    let exact = kolmogorov(b, sigma);
    let measured = STEPS.map(|steps| {
        let error = (means(scheme, &diffusion, steps) - &exact).amax();
        // All are known equally well: what is left out is far below.
        Measured { step: 1.0 / steps as f64, error, noise: 1e-3 * error }
    });
    measured.into()
}

fn place(i: usize) -> f64 {
    TAU * i as f64 / PLACES as f64
}

/// E[f(X)] after `steps` steps from each place.
fn means(scheme: &dyn Integrator, diffusion: &dyn Diffusion, steps: usize) -> DVector<f64> {
    let (nodes, weights) = gauss_hermite();
    let dt = 1.0 / steps as f64;
    let dw: Vec<f64> = (0..PLACES).flat_map(|_| nodes.iter().map(|z| dt.sqrt() * z)).collect();
    let mut values = DVector::from_fn(PLACES, |i, _| function(place(i)));
    let mut scratch = Scratch::default();
    for k in (0..steps).rev() {
        let mut points: Vec<f64> = (0..PLACES).flat_map(|i| [place(i); QUADRATURE]).collect();
        let increments = Increments { dw: &dw, dz: &[] };
        scheme.step(diffusion, k as f64 * dt, dt, 1, increments, &mut points, &mut scratch);
        let series = Series::through(&values);
        for (value, ends) in values.iter_mut().zip(points.chunks_exact(QUADRATURE)) {
            *value = ends.iter().zip(&weights).map(|(x, w)| w * series.at(*x)).sum();
        }
    }
    values
}

/// The standard normal law as a sum of point masses (Golub and Welsch 1969).
fn gauss_hermite() -> (Vec<f64>, Vec<f64>) {
    let jacobi = DMatrix::from_fn(QUADRATURE, QUADRATURE, |i, j| {
        if i.abs_diff(j) == 1 { (i.max(j) as f64).sqrt() } else { 0.0 }
    });
    let eigen = jacobi.symmetric_eigen();
    let weights = eigen.eigenvectors.row(0).iter().map(|v| v * v).collect();
    (eigen.eigenvalues.iter().copied().collect(), weights)
}

/// A trigonometric polynomial by its coefficients.
struct Series {
    cosines: Vec<f64>,
    sines: Vec<f64>,
}

impl Series {
    fn through(values: &DVector<f64>) -> Self {
        let half = PLACES / 2;
        let coefficient = |k: usize, wave: fn(f64) -> f64| {
            let sum: f64 = values.iter().enumerate().map(|(i, v)| v * wave(k as f64 * place(i))).sum();
            sum * if k == 0 || k == half { 1.0 } else { 2.0 } / PLACES as f64
        };
        Self {
            cosines: (0..=half).map(|k| coefficient(k, f64::cos)).collect(),
            sines: (0..=half).map(|k| coefficient(k, f64::sin)).collect(),
        }
    }

    fn at(&self, x: f64) -> f64 {
        let (sine, cosine) = x.sin_cos();
        let (mut c, mut s, mut sum) = (1.0, 0.0, 0.0);
        for (a, b) in self.cosines.iter().zip(&self.sines) {
            sum += a * c + b * s;
            (c, s) = (c * cosine - s * sine, s * cosine + c * sine);
        }
        sum
    }
}

/// u(0) of u_t + b u' + ½ σ² u'' = 0 with u(1) = f, by collocation at the places and Runge-Kutta steps in time.
fn kolmogorov(b: fn(f64, f64) -> f64, sigma: fn(f64, f64) -> f64) -> DVector<f64> {
    let alternating = |i: usize, j: usize| if i.abs_diff(j).is_multiple_of(2) { 1.0 } else { -1.0 };
    let half_angle = |i: usize, j: usize| 0.5 * (place(i) - place(j));
    let first = DMatrix::from_fn(PLACES, PLACES, |i, j| {
        if i == j { 0.0 } else { 0.5 * alternating(i, j) / half_angle(i, j).tan() }
    });
    let second = DMatrix::from_fn(PLACES, PLACES, |i, j| {
        if i == j {
            -((PLACES * PLACES) as f64) / 12.0 - 1.0 / 6.0
        } else {
            -0.5 * alternating(i, j) / half_angle(i, j).sin().powi(2)
        }
    });
    let slope = |t: f64, u: &DVector<f64>| {
        let (u1, u2) = (&first * u, &second * u);
        DVector::from_fn(PLACES, |i, _| {
            let x = place(i);
            b(t, x) * u1[i] + 0.5 * sigma(t, x).powi(2) * u2[i]
        })
    };
    let steps = 2_000;
    let h = 1.0 / f64::from(steps);
    let mut u = DVector::from_fn(PLACES, |i, _| function(place(i)));
    for k in 0..steps {
        let t = 1.0 - f64::from(k) * h;
        let k1 = slope(t, &u);
        let k2 = slope(t - 0.5 * h, &(&u + &k1 * (0.5 * h)));
        let k3 = slope(t - 0.5 * h, &(&u + &k2 * (0.5 * h)));
        let k4 = slope(t - h, &(&u + &k3 * h));
        u += (k1 + (k2 + k3) * 2.0 + k4) * (h / 6.0);
    }
    u
}

//! Jacobian-vector products against differences of the whole score.

use super::{PRECONDITIONINGS, mlp, normal, parameters, unet};
use resolvent_core::schedule::Level;
use resolvent_core::{Denoiser, Score};
use resolvent_learn::model::Conditioning;
use resolvent_learn::score::{BlindDenoiser, LearnedDenoiser, LearnedScore};

/// The largest share of |J v| by which `product` may miss central differences of fourth order of a field in f32.
const TOLERANCE: f64 = 1e-3;

fn agrees(
    what: &str,
    d: usize,
    field: impl Fn(&[f64]) -> Vec<f64>,
    product: impl Fn(&[f64], &[f64]) -> Vec<f64>,
) {
    let (places, directions) = (normal(d, 6, 21) * 1.2, normal(d, 6, 22));
    for (x, v) in places.column_iter().zip(directions.column_iter()) {
        let h = 0.04 / v.norm();
        let mut expected = vec![0.0; d];
        for (shift, weight) in [(-2.0, 1.0), (-1.0, -8.0), (1.0, 8.0), (2.0, -1.0)] {
            let moved: Vec<f64> = x.iter().zip(v.iter()).map(|(x, v)| x + shift * h * v).collect();
            let values = field(&moved);
            expected.iter_mut().zip(values).for_each(|(e, f)| *e += weight * f / (12.0 * h));
        }
        let found = product(x.as_slice(), v.as_slice());
        let norm = |v: &mut dyn Iterator<Item = f64>| v.map(|v| v * v).sum::<f64>().sqrt();
        let error = norm(&mut found.iter().zip(&expected).map(|(a, b)| a - b));
        let size = norm(&mut expected.iter().copied());
        assert!(error < TOLERANCE * size, "{what}: {error} of {size}");
    }
}

#[test]
fn of_spatial_scores() {
    for preconditioning in PRECONDITIONINGS {
        for model in
            [mlp(5, Conditioning::Blind, preconditioning), unet(Conditioning::Blind, preconditioning)]
        {
            let d = model.dim();
            let score = LearnedScore::new(model.clone(), parameters(&model)).unwrap();
            let field = |x: &[f64]| {
                let (mut gain, mut v) = ([0.0], vec![0.0; d]);
                score.evaluate(x, &mut gain, &mut v);
                v.iter_mut().for_each(|v| *v *= gain[0]);
                v
            };
            let product = |x: &[f64], v: &[f64]| {
                let mut out = vec![0.0; d];
                score.jacobian_product(x, v, &mut out);
                out
            };
            agrees(&format!("{:?}", model.settings()), d, field, product);
        }
    }
}

#[test]
fn of_denoisers() {
    for preconditioning in PRECONDITIONINGS {
        for (alpha, sigma) in [(1.0, 0.3), (0.6, 0.8)] {
            let level = Level { time: 0.0, alpha, sigma };
            let models = |c| [mlp(5, c, preconditioning), unet(c, preconditioning)];
            let told = models(Conditioning::Told).map(|model| -> Box<dyn Denoiser> {
                Box::new(LearnedDenoiser::new(model.clone(), parameters(&model)).unwrap())
            });
            let blind = models(Conditioning::Blind).map(|model| -> Box<dyn Denoiser> {
                Box::new(BlindDenoiser::new(model.clone(), parameters(&model)).unwrap())
            });
            for denoiser in told.into_iter().chain(blind) {
                let d = denoiser.dim();
                let field = |x: &[f64]| {
                    let mut out = vec![0.0; d];
                    denoiser.denoise(&level, x, &mut out);
                    out
                };
                let product = |x: &[f64], v: &[f64]| {
                    let mut out = vec![0.0; d];
                    denoiser.jacobian_product(&level, x, v, &mut out);
                    out
                };
                agrees(&format!("{preconditioning:?} at {level:?}"), d, field, product);
            }
        }
    }
}

/// Where D is clipped it does not move, and the score moves with x and the gain alone.
#[test]
fn of_a_clipped_denoiser() {
    let model = mlp(5, Conditioning::Told, PRECONDITIONINGS[4]);
    let level = Level { time: 0.0, alpha: 1.0, sigma: 0.5 };
    let make = || LearnedDenoiser::new(model.clone(), parameters(&model)).unwrap();
    let (free, clipped) = (make(), make().clip(-0.2, 0.2).unwrap());
    let points = normal(5, 20, 9);
    let (mut inside, mut outside) = (0, 0);
    for x in points.column_iter() {
        let at = |denoiser: &LearnedDenoiser| {
            let (mut value, mut product) = (vec![0.0; 5], vec![0.0; 5]);
            denoiser.denoise(&level, x.as_slice(), &mut value);
            denoiser.jacobian_product(&level, x.as_slice(), &[1.0; 5], &mut product);
            (value, product)
        };
        let ((free, j), (clipped, k)) = (at(&free), at(&clipped));
        for i in 0..5 {
            assert!((clipped[i] - free[i].clamp(-0.2, 0.2)).abs() < 1e-7);
            let within = free[i].abs() < 0.2;
            assert_eq!(k[i], if within { j[i] } else { 0.0 });
            if within { inside += 1 } else { outside += 1 }
        }
    }
    assert!(inside > 10 && outside > 10, "{inside} {outside}");
}

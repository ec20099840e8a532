//! Projection from a known noise level.

use resolvent::core::schedule::{Edm, Schedule, SubVp, Ve, VpLinear};
use resolvent::metrics::{chi_square_test, counts};

use super::{ALPHA, ATOMS, Bench, WEIGHTS, nearest_atoms, points, scalar, vector};

/// P(datum i | x) for x = datum + noise of this standard deviation.
fn posterior(x: &[f64], noise: f64) -> Vec<f64> {
    let squared = |y: &[f64]| y.iter().zip(x).map(|(y, x)| (x - y).powi(2)).sum::<f64>();
    let mut law: Vec<f64> = ATOMS
        .chunks(3)
        .zip(WEIGHTS)
        .map(|(y, w)| w * f64::exp(-0.5 * squared(y) / (noise * noise)))
        .collect();
    let total: f64 = law.iter().sum();
    law.iter_mut().for_each(|p| *p /= total);
    law
}

#[test]
fn noisy_inputs_end_at_the_data_by_their_posterior_law() {
    let bench = Bench::new();
    let (x, noise) = ([0.2, 0.1, -0.3], 0.8);
    bench.file("x.npy", &[1, 3], &x);
    let law = posterior(&x, noise);
    assert!(law.iter().all(|&p| p < 0.6), "{law:?}");
    let schedules: [(&str, Box<dyn Schedule>); 4] = [
        ("vp --step ddpm", Box::new(VpLinear::default())),
        ("subvp --step adaptive-sde --rtol 2e-3 --atol 2e-3", Box::new(SubVp::default())),
        ("ve --step euler-maruyama", Box::new(Ve::default())),
        ("edm --step sde-dpm++2m --steps 200", Box::new(Edm::default())),
    ];
    for (model, schedule) in schedules {
        let line = format!(
            "project --data y.npy --weights w.npy --input x.npy --noise {noise} --n 4000 --seed 6 --model {model}"
        );
        let mut npz = bench.run(&line);
        // The start is alpha x at the time at which sigma/alpha is the noise.
        let [time, alpha, sigma] = ["time", "alpha", "sigma"].map(|name| scalar(&mut npz, name));
        let level = schedule.level(time);
        assert_eq!((alpha, sigma), (level.alpha, level.sigma));
        assert!((sigma / alpha - noise).abs() < 1e-9);
        let (starts, inputs) = (points(&mut npz, "starts"), points(&mut npz, "inputs"));
        assert_eq!((starts.ncols(), inputs.as_slice()), (4000, &x[..]));
        assert!(starts.column_iter().all(|start| start == &inputs * alpha));
        assert!(vector(&mut npz, "lifetimes").iter().all(|t| *t <= time && *t > time - 0.01));
        assert_eq!(vector(&mut npz, "nearest"), [0.0]);
        let ends = counts(&nearest_atoms(&points(&mut npz, "samples")), 5).unwrap();
        assert!(chi_square_test(&ends, &law).unwrap().p_value > ALPHA, "{line}: {ends:?} {law:?}");
    }
}

#[test]
fn a_deterministic_sampler_carries_an_input_to_one_datum() {
    let bench = Bench::new();
    let near: Vec<f64> = ATOMS.iter().enumerate().map(|(i, y)| y + 0.05 * (i as f64).sin()).collect();
    bench.file("near.npy", &[5, 3], &near);
    for model in
        ["vp", "subvp --step ode", "ve --step unipc --grid log-snr", "edm", "edm --step ddim --no-denoise"]
    {
        let line = format!("project --data y.npy --input near.npy --noise 0.06 --n 2 --model {model}");
        let mut npz = bench.run(&line);
        let samples = points(&mut npz, "samples");
        for (i, x) in samples.column_iter().enumerate() {
            let y = &ATOMS[3 * (i / 2)..3 * (i / 2) + 3];
            assert!(x.iter().zip(y).all(|(x, y)| (x - y).abs() < 4e-3), "{line}: {x} {y:?}");
        }
        assert_eq!(vector(&mut npz, "nearest"), [0.0, 1.0, 2.0, 3.0, 4.0]);
    }
}

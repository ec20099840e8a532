//! The models with a deterministic horizon.

use resolvent::core::schedule::{Edm, Schedule, SubVp, Ve, VpLinear};
use resolvent::data::io::Npz;
use resolvent::metrics::{chi_square_test, counts, ks_one_sample};

use super::{ALPHA, ATOMS, Bench, WEIGHTS, nearest_atoms, points, scalar, vector};

/// The distribution function of the standard normal law, by its power series.
pub(super) fn normal(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for k in (3..).step_by(2).take_while(|k| *k < 400) {
        term *= x * x / f64::from(k);
        sum += term;
    }
    0.5 + sum * (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

fn horizon(npz: &mut Npz, n: usize) {
    assert_eq!(npz.strings("exit_names").unwrap(), ["step-cap", "diverged", "horizon"]);
    assert_eq!(vector(npz, "exits"), vec![2.0; n]);
}

#[test]
fn every_sampler_ends_at_the_data_in_proportion_to_their_weights() {
    let bench = Bench::new();
    let (n, mut seed) = (4000, 0);
    // From the exact law at the horizon; the steps are so many that their error is small against the Monte-Carlo error.
    for (model, steps) in [
        ("vp", &["--steps 60", "--step ddpm", "--step unipc --steps 60 --grid log-snr", "--step ode"][..]),
        ("subvp", &["--steps 60", "--step euler-maruyama --grid log-snr", "--step adaptive-sde --rtol 5e-3"]),
        (
            "ve",
            &[
                "--step heun --steps 60",
                "--step reverse-diffusion",
                "--step pc --steps 400",
                "--step dpm++2s --steps 60",
            ],
        ),
        (
            "edm",
            &[
                "--steps 60",
                "--steps 300 --churn 60 --churn-min 0.01 --churn-max 40",
                "--step ddim --eta 0.5 --steps 1000",
                "--step sde-dpm++2m --steps 300",
                "--step euler-ancestral --steps 1000",
                "--step euler --steps 1000 --grid log-snr",
            ],
        ),
    ] {
        for step in steps {
            seed += 1;
            let line = format!(
                "sample --data y.npy --weights w.npy --model {model} {step} --start law --n {n} --seed {seed}"
            );
            let mut npz = bench.run(&line);
            horizon(&mut npz, n);
            let ends = counts(&nearest_atoms(&points(&mut npz, "samples")), 5).unwrap();
            assert!(chi_square_test(&ends, &WEIGHTS).unwrap().p_value > ALPHA, "{line}: {ends:?}");
        }
    }
}

#[test]
fn the_default_start_is_the_prior() {
    let bench = Bench::new();
    for (model, deviation) in [
        ("vp", 1.0),
        ("subvp", 1.0),
        ("ve", 50.0),
        ("ve --sigma-max 7", 7.0),
        ("edm", 80.0),
        ("edm --sigma-max 9", 9.0),
    ] {
        let mut npz = bench.run(&format!("sample --data y.npy --model {model} --steps 3 --n 3000"));
        let starts: Vec<f64> = points(&mut npz, "starts").iter().map(|x| x / deviation).collect();
        assert!(ks_one_sample(&starts, normal).unwrap().p_value > ALPHA, "{model}");
    }
}

#[test]
fn the_start_law_is_the_law_of_the_schedule_at_its_horizon() {
    let bench = Bench::new();
    // So far apart that the datum behind a start is the nearest one.
    bench.file("far.npy", &[5, 1], &[0.0, 1e4, 2e4, 3e4, 4e4]);
    let schedules: [(&str, Box<dyn Schedule>); 4] = [
        ("vp --beta-min 0.3 --beta-max 3", Box::new(VpLinear::new(0.3, 3.0, 1.0).unwrap())),
        ("subvp --beta-min 0.3 --beta-max 3", Box::new(SubVp::new(0.3, 3.0, 1.0).unwrap())),
        ("ve --sigma-min 0.1 --sigma-max 5", Box::new(Ve::new(0.1, 5.0, 1.0).unwrap())),
        ("edm --sigma-max 6", Box::new(Edm::new(6.0).unwrap())),
    ];
    for (model, schedule) in schedules {
        let level = schedule.level(schedule.horizon());
        let line = format!(
            "sample --data far.npy --weights w.npy --model {model} --start law --steps 3 --n 5000 --seed 8"
        );
        let mut npz = bench.run(&line);
        let found = ["time", "alpha", "sigma"].map(|name| scalar(&mut npz, name));
        assert_eq!(found, [level.time, level.alpha, level.sigma]);
        let starts = points(&mut npz, "starts");
        let nearest: Vec<usize> = starts.iter().map(|x| (x / level.alpha / 1e4).round() as usize).collect();
        let noise: Vec<f64> = starts
            .iter()
            .zip(&nearest)
            .map(|(x, i)| (x - level.alpha * 1e4 * *i as f64) / level.sigma)
            .collect();
        assert!(ks_one_sample(&noise, normal).unwrap().p_value > ALPHA, "{model}");
        let drawn = counts(&nearest, 5).unwrap();
        assert!(chi_square_test(&drawn, &WEIGHTS).unwrap().p_value > ALPHA, "{model} {drawn:?}");
    }
}

#[test]
fn evaluations_lifetimes_and_paths_are_those_of_the_grid() {
    let bench = Bench::new();
    for (line, evaluations, places, lifetime) in [
        // K steps and the denoising step; two evaluations a step but the one to the clean end.
        ("vp", 21.0, 22, 1.0 - 1e-3),
        ("vp --no-denoise --t-end 0.1", 20.0, 21, 0.9),
        ("ve --step ddpm --steps 7", 8.0, 9, 1.0 - 1e-5),
        ("edm", 35.0, 19, 80.0),
        ("vp --step pc --steps 6", 13.0, 8, 1.0 - 1e-3),
        ("ve --step pc --steps 6 --corrector-steps 2 --no-denoise --grid karras", 18.0, 7, 1.0 - 1e-5),
        ("edm --step pc --steps 6", 11.0, 7, 80.0),
        ("edm --no-denoise", 36.0, 19, 80.0 - 0.002),
        ("edm --step euler-maruyama --steps 9", 10.0, 11, 80.0 - 0.002),
        ("edm --sigma-min 0.5 --sigma-max 3 --grid time --step heun --steps 5", 11.0, 7, 2.5),
    ] {
        let mut npz = bench.run(&format!("sample --data y.npy --n 4 --paths 2 --model {line}"));
        horizon(&mut npz, 4);
        assert_eq!(vector(&mut npz, "evaluations"), [evaluations; 4], "{line}");
        let lifetimes = vector(&mut npz, "lifetimes");
        assert!(lifetimes.iter().all(|t| (t - lifetime).abs() < 1e-12), "{line}: {lifetimes:?}");
        assert_eq!(vector(&mut npz, "path_lengths"), [f64::from(places); 2], "{line}");
        let (times, path) = (vector(&mut npz, "path_times"), points(&mut npz, "path_points"));
        let (starts, samples) = (points(&mut npz, "starts"), points(&mut npz, "samples"));
        for (i, first) in [0, places as usize].into_iter().enumerate() {
            let last = first + places as usize - 1;
            assert!(times[first..=last].is_sorted());
            assert_eq!((times[first], times[last]), (0.0, lifetimes[i]), "{line}");
            assert_eq!((path.column(first), path.column(last)), (starts.column(i), samples.column(i)));
        }
    }
    let npz = bench.run("sample --data y.npy --model vp --n 3");
    let names =
        ["samples", "lifetimes", "evaluations", "exits", "exit_names", "starts", "time", "alpha", "sigma"];
    assert_eq!(npz.names(), names);
}

#[test]
fn without_the_denoising_step_the_noise_of_the_last_level_is_left() {
    let bench = Bench::new();
    bench.file("one.npy", &[1, 2], &[0.4, -0.6]);
    // For one datum DDPM's ancestral step is exact at any length, and so is the level it ends at.
    for (model, alpha, sigma) in
        [("vp --t-end 0.1", (-0.05475_f64).exp(), 0.0), ("edm --sigma-min 0.3", 1.0, 0.3)]
    {
        let sigma = if sigma > 0.0 { sigma } else { f64::sqrt(1.0 - alpha * alpha) };
        let line =
            format!("sample --data one.npy --model {model} --step ddpm --steps 6 --start law --n 3000");
        let mut npz = bench.run(&format!("{line} --no-denoise"));
        let samples = points(&mut npz, "samples");
        let noise: Vec<f64> = samples
            .column_iter()
            .flat_map(|x| [(x[0] - 0.4 * alpha) / sigma, (x[1] + 0.6 * alpha) / sigma])
            .collect();
        assert!(ks_one_sample(&noise, normal).unwrap().p_value > ALPHA, "{model}");
        let denoised = points(&mut bench.run(&line), "samples");
        assert!(denoised.column_iter().all(|x| x.as_slice() == [0.4, -0.6]));
    }
}

#[test]
fn an_adaptive_sampler_counts_its_denoising_step() {
    let bench = Bench::new();
    for step in ["ode", "adaptive-sde"] {
        let line = format!("sample --data y.npy --model edm --step {step} --n 6 --paths 6");
        let mut plain = bench.run(&format!("{line} --no-denoise"));
        let mut denoised = bench.run(&line);
        let more: Vec<f64> = vector(&mut plain, "evaluations").iter().map(|count| count + 1.0).collect();
        assert_eq!(vector(&mut denoised, "evaluations"), more);
        let places: Vec<f64> = vector(&mut plain, "path_lengths").iter().map(|count| count + 1.0).collect();
        assert_eq!(vector(&mut denoised, "path_lengths"), places);
        let (near, at) = (points(&mut plain, "samples"), points(&mut denoised, "samples"));
        assert!(near.iter().zip(&at).all(|(x, y)| x != y && (x - y).abs() < 0.02), "{near} {at}");
        nearest_atoms(&at);
    }
}

#[test]
fn points_of_a_file_are_in_the_scale_of_the_model() {
    let bench = Bench::new();
    // The probability flow of one datum is a scaling about it: x - alpha y is proportional to sigma.
    bench.file("one.npy", &[1, 3], &ATOMS[..3]);
    bench.file("x.npy", &[2, 3], &[1.0, 2.0, 3.0, -4.0, -5.0, -6.0]);
    let mut npz = bench.run(
        "sample --data one.npy --model vp --step ode --no-denoise --t-end 0.2 --rtol 1e-9 --atol 1e-9 --start x.npy --n 2",
    );
    let (starts, samples) = (points(&mut npz, "starts"), points(&mut npz, "samples"));
    assert_eq!(starts.shape(), (3, 4));
    let schedule = VpLinear::default();
    let (from, to) = (schedule.level(1.0), schedule.level(0.2));
    for (x, end) in starts.column_iter().zip(samples.column_iter()) {
        for k in 0..3 {
            let exact = to.alpha * ATOMS[k] + to.sigma / from.sigma * (x[k] - from.alpha * ATOMS[k]);
            assert!((end[k] - exact).abs() < 1e-7, "{} {exact}", end[k]);
        }
    }
    assert_eq!(starts.column(0), starts.column(1));
    assert_eq!(starts.column(2).as_slice(), [-4.0, -5.0, -6.0]);
}

#[test]
fn particles_that_need_too_many_evaluations_are_counted() {
    let bench = Bench::new();
    for step in ["ode --rtol 1e-12 --atol 1e-12", "adaptive-sde --rtol 1e-6 --atol 1e-6"] {
        let mut npz = bench.run(&format!("sample --data y.npy --model vp --step {step} --cap 40 --n 5"));
        assert_eq!(vector(&mut npz, "exits"), [0.0; 5]);
        assert!(vector(&mut npz, "evaluations").iter().all(|&count| count <= 40.0));
    }
}

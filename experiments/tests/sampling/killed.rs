//! Brownian motion with drift, the Ornstein-Uhlenbeck process, and h-transforms.

use super::{ALPHA, Bench, WEIGHTS, atoms, points, scalar, vector};
use resolvent::metrics::{chi_square_test, counts, ks_one_sample};

#[test]
fn from_a_point_the_end_law_is_that_of_the_data() {
    let bench = Bench::new();
    bench.file("z.npy", &[1, 3], &[0.4, -0.2, 0.3]);
    bench.file("b.npy", &[1, 3], &[0.6, -0.3, 0.1]);
    for model in ["killed", "drift --drift b.npy"] {
        let line = format!(
            "sample --data y.npy --weights w.npy --model {model} --rate 0.4 --h point:z.npy --n 20000 --seed 2"
        );
        let mut npz = bench.run(&line);
        let starts = points(&mut npz, "starts");
        assert!(starts.column_iter().all(|x| x.as_slice() == [0.4, -0.2, 0.3]));
        let ends = counts(&atoms(&points(&mut npz, "samples")), 5).unwrap();
        assert!(chi_square_test(&ends, &WEIGHTS).unwrap().p_value > ALPHA, "{model}: {ends:?}");
    }
}

#[test]
fn every_model_and_transform_carries_its_start_law_back_to_the_data() {
    let bench = Bench::new();
    bench.file("b.npy", &[1, 3], &[0.6, -0.3, 0.1]);
    bench.file("z.npy", &[2, 3], &[1.0, 1.0, 0.0, -1.0, 0.5, -1.0]);
    let euler = "--step euler --eta 0.05 --kill distance:0.02 --delta 0.01";
    for (model, n) in [
        ("drift --drift b.npy".to_owned(), 20_000),
        ("killed --h sphere:2".to_owned(), 20_000),
        ("killed --h atoms:z.npy --rate 0".to_owned(), 20_000),
        ("drift --drift b.npy --h atoms:z.npy".to_owned(), 20_000),
        (format!("ou --theta 0.7 {euler}"), 4_000),
        (format!("ou --theta 0.7 --h atoms:z.npy {euler}"), 4_000),
        ("ou --theta 0.7 --step flux --kill noise:0.01 --denoise".to_owned(), 4_000),
    ] {
        let line = format!("sample --data y.npy --weights w.npy --model {model} --n {n} --seed 3");
        let mut npz = bench.run(&line);
        let samples = points(&mut npz, "samples");
        let ends = match model.starts_with("ou") {
            false => atoms(&samples),
            // Euler's particles stop within the distance, and the denoised point of this process is the atom to second order in it.
            true => within(&samples, 0.03),
        };
        let ends = counts(&ends, 5).unwrap();
        assert!(chi_square_test(&ends, &WEIGHTS).unwrap().p_value > ALPHA, "{model}: {ends:?}");
        if model == "drift --drift b.npy" {
            let (lifetimes, rate) = (vector(&mut npz, "lifetimes"), scalar(&mut npz, "rate"));
            let ks = ks_one_sample(&lifetimes, |t| -(-rate * t).exp_m1()).unwrap();
            assert!(ks.p_value > ALPHA, "{ks:?}");
        }
        if model.starts_with("ou") {
            assert_eq!(scalar(&mut npz, "theta"), 0.7);
        }
    }
}

/// Which atom each column is within `radius` of.
fn within(samples: &nalgebra::DMatrix<f64>, radius: f64) -> Vec<usize> {
    let near =
        |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum::<f64>() <= radius * radius;
    let which = |x: &[f64]| super::ATOMS.chunks(3).position(|y| near(x, y)).expect("an end near an atom");
    samples.column_iter().map(|x| which(x.as_slice())).collect()
}

#[test]
fn models_and_transforms_that_do_not_exist_are_refused() {
    let bench = Bench::new();
    bench.file("z.npy", &[2, 3], &[1.0, 1.0, 0.0, -1.0, 0.5, -1.0]);
    bench.file("plane.npy", &[2, 2], &[1.0, 1.0, 0.0, -1.0]);
    for (options, words) in [
        ("--model drift", &["--model drift needs --drift"][..]),
        ("--model ou", &["--model ou needs --theta"]),
        ("--model killed --theta 1", &["--theta: only with --model ou, not with killed"]),
        ("--model ou --theta 1 --drift z.npy", &["--drift: only with --model drift, not with ou"]),
        ("--model ou --theta -1", &["--theta", "not a positive finite number"]),
        ("--model ou --theta 1 --step bridge", &["--step bridge", "the steps of --model ou are euler, flux"]),
        ("--model ou --theta 1", &["the step euler needs --kill", "noise:DELTA"]),
        ("--model drift --drift z.npy", &["--drift z.npy: 2 points, expected one velocity"]),
        ("--model vp --h sphere:1", &["--h: only with --model killed, drift or ou, not with vp"]),
        ("--step flux --kill noise:0.1 --delta 0.1", &["--delta: the step flux"]),
        ("--step flux --kill lifetime", &["--kill lifetime: the step flux does not sample"]),
        ("--h point:z.npy", &["--h point:z.npy: 2 points, expected one", "atoms:FILE"]),
        ("--h point:none.npy", &["--h", "none.npy"]),
        ("--h point:plane.npy", &["--h plane.npy", "dimension 2, expected the 3"]),
        ("--h point:", &["point needs a file"]),
        ("--h ball:2", &["exponential, point:FILE, atoms:FILE or sphere:RADIUS"]),
        ("--h sphere:-1", &["radius `-1` is not a positive finite number"]),
        ("--h atoms:y.npy", &["datum 0 lies on the support of the representing measure"]),
        ("--model ou --theta 1 --step euler --kill distance:1 --h sphere:1", &["--h sphere:1", "not for ou"]),
        ("--rate 0", &["rate"]),
    ] {
        bench.refuse(&format!("sample --data y.npy --n 2 {options}"), words);
    }
    for rule in ["--kill noise:0.1", "--rate 0"] {
        bench.file("line.npy", &[2, 1], &[0.0, 1.0]);
        let words = if rule == "--rate 0" { "recurrent" } else { "codimension 1" };
        bench.refuse(&format!("sample --data line.npy --n 2 {rule}"), &[words]);
    }
}

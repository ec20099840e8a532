//! `resolvent sample` and `resolvent project` as a user meets them.

mod horizon;
mod killed;
mod learned;
mod project;
mod refusals;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use nalgebra::DMatrix;
use predicates::str::{contains, starts_with};
use resolvent::data::io::{Npz, write_npy};
use resolvent::metrics::{chi_square_test, counts, ks_one_sample};

/// Significance of every statistical test here.
const ALPHA: f64 = 1e-3;
/// Five atoms in R^3, one per row.
const ATOMS: [f64; 15] = [0.3, 0.8, -0.5, -1.2, 0.4, 0.1, 0.9, -0.7, 1.0, -0.2, -0.4, -0.9, 1.4, 0.6, 0.2];
const WEIGHTS: [f64; 5] = [0.2, 0.3, 0.05, 0.15, 0.3];

/// A folder with the atoms `y.npy`, their weights `w.npy` and what a test adds.
struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let bench = Self { dir: tempfile::tempdir().unwrap() };
        write_npy(bench.path("y.npy"), &[5, 3], &ATOMS[..]).unwrap();
        write_npy(bench.path("w.npy"), &[5], &WEIGHTS[..]).unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn file(&self, name: &str, shape: &[usize], values: &[f64]) {
        write_npy(self.path(name), shape, values).unwrap();
    }

    /// `resolvent` in this folder; `line` is split at blanks.
    fn command(&self, line: &str) -> Command {
        let mut command = Command::cargo_bin("resolvent").expect("cargo builds the program before its tests");
        command.current_dir(self.dir.path()).args(line.split_whitespace());
        command
    }

    /// Runs to success and opens the file written.
    fn run(&self, line: &str) -> Npz {
        self.command(line).args(["--out", "o.npz"]).assert().code(0).stdout("");
        Npz::open(self.path("o.npz")).unwrap()
    }

    /// Runs into an error with these words, exit status 2 and no file left behind.
    fn refuse(&self, line: &str, words: &[&str]) {
        let before = entries(self.dir.path());
        let mut command = self.command(line);
        if !line.contains("--out") {
            command.args(["--out", "o.npz"]);
        }
        let mut assert = command.assert().code(2).stdout("").stderr(starts_with("error: "));
        for word in words {
            assert = assert.stderr(contains(*word));
        }
        drop(assert);
        assert_eq!(entries(self.dir.path()), before, "{line}");
    }
}

fn entries(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn points(npz: &mut Npz, name: &str) -> DMatrix<f64> {
    npz.array(name).unwrap().into_points().unwrap()
}

fn vector(npz: &mut Npz, name: &str) -> Vec<f64> {
    npz.array(name).unwrap().into_vector().unwrap()
}

fn scalar(npz: &mut Npz, name: &str) -> f64 {
    let array = npz.array(name).unwrap();
    assert!(array.shape().is_empty());
    array.values()[0]
}

/// Which atom each column of `samples` is, to the last bit.
fn atoms(samples: &DMatrix<f64>) -> Vec<usize> {
    let which = |x: &[f64]| ATOMS.chunks(3).position(|y| x == y).expect("an exact step ends at a datum");
    samples.column_iter().map(|x| which(x.as_slice())).collect()
}

/// Which atom each column of `samples` is, but for the last bits that a combination of denoised points leaves.
fn nearest_atoms(samples: &DMatrix<f64>) -> Vec<usize> {
    let near = |x: &[f64], y: &[f64]| x.iter().zip(y).all(|(x, y)| (x - y).abs() < 1e-6);
    let which = |x: &[f64]| ATOMS.chunks(3).position(|y| near(x, y)).expect("a denoised point is a datum");
    samples.column_iter().map(|x| which(x.as_slice())).collect()
}

#[test]
fn end_points_have_their_exact_law() {
    let (bench, x, rate, sigma) = (Bench::new(), [0.4, -0.2, 0.3], 0.3_f64, 0.8);
    bench.file("x.npy", &[1, 3], &x);
    let mut npz = bench
        .run("sample --data y.npy --weights w.npy --rate 0.3 --sigma 0.8 --start x.npy --n 20000 --seed 5");
    // R10 with the kernel of three dimensions, e^{-a rho / sigma} / rho up to a constant.
    let green = |y: &[f64]| {
        let rho = y.iter().zip(x).map(|(y, x)| (y - x).powi(2)).sum::<f64>().sqrt();
        f64::exp(-f64::sqrt(2.0 * rate) * rho / sigma) / rho
    };
    let mut law: Vec<f64> = ATOMS.chunks(3).zip(WEIGHTS).map(|(y, w)| w * green(y)).collect();
    let total: f64 = law.iter().sum();
    law.iter_mut().for_each(|p| *p /= total);
    let ends = counts(&atoms(&points(&mut npz, "samples")), 5).unwrap();
    assert!(chi_square_test(&ends, &law).unwrap().p_value > ALPHA, "{ends:?} {law:?}");
    assert_eq!(scalar(&mut npz, "rate"), rate);
    assert_eq!(scalar(&mut npz, "sigma"), sigma);
}

#[test]
fn from_the_start_law_particles_return_to_the_data_law_after_an_exponential_time() {
    let bench = Bench::new();
    let mut npz = bench.run("sample --data y.npy --weights w.npy --n 20000 --seed 3");
    let ends = counts(&atoms(&points(&mut npz, "samples")), 5).unwrap();
    assert!(chi_square_test(&ends, &WEIGHTS).unwrap().p_value > ALPHA, "{ends:?}");
    let (lifetimes, rate) = (vector(&mut npz, "lifetimes"), scalar(&mut npz, "rate"));
    let ks = ks_one_sample(&lifetimes, |t| -(-rate * t).exp_m1()).unwrap();
    assert!(ks.p_value > ALPHA, "{ks:?}");

    // The defaults: sigma^2 over the mean squared distance to the mean, and 1e-2 of the smallest gap.
    let mean: Vec<f64> = (0..3).map(|k| ATOMS.chunks(3).zip(WEIGHTS).map(|(y, w)| w * y[k]).sum()).collect();
    let squared = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum::<f64>();
    let variance: f64 = ATOMS.chunks(3).zip(WEIGHTS).map(|(y, w)| w * squared(y, &mean)).sum();
    assert!((rate * variance - 1.0).abs() < 1e-12);
    let pairs = (0..5).flat_map(|i| (0..i).map(move |j| (i, j)));
    let gap = pairs.map(|(i, j)| squared(&ATOMS[3 * i..3 * i + 3], &ATOMS[3 * j..3 * j + 3]).sqrt());
    assert!((scalar(&mut npz, "delta") / gap.fold(f64::INFINITY, f64::min) - 0.01).abs() < 1e-12);
}

#[test]
fn the_start_law_is_the_law_of_the_killed_process() {
    let bench = Bench::new();
    bench.file("one.npy", &[1, 3], &[1.0, 2.0, 3.0]);
    let mut npz = bench.run("sample --data one.npy --rate 0.5 --sigma 2 --n 20000");
    let starts = points(&mut npz, "starts");
    // From a point in R^3, sigma = 2, r = 1/2, so a / sigma = 1/2: |X - y| has the density z e^{-z/2} / 4.
    let distances: Vec<f64> = starts
        .column_iter()
        .map(|x| f64::sqrt((x[0] - 1.0).powi(2) + (x[1] - 2.0).powi(2) + (x[2] - 3.0).powi(2)))
        .collect();
    let ks = ks_one_sample(&distances, |z| 1.0 - (1.0 + 0.5 * z) * (-0.5 * z).exp()).unwrap();
    assert!(ks.p_value > ALPHA, "{ks:?}");
    assert!((scalar(&mut npz, "delta") - 0.01 * 2.0 / 0.5f64.sqrt()).abs() < 1e-15);
}

#[test]
fn the_bytes_do_not_depend_on_threads_and_batch() {
    let bench = Bench::new();
    let inputs: Vec<f64> = (0..30).map(|i| (i as f64).sin()).collect();
    bench.file("x.npy", &[10, 3], &inputs);
    for line in [
        "sample --data y.npy --weights w.npy --n 300 --paths 9 --seed 11",
        "sample --data y.npy --start x.npy --n 20 --step euler --kill sup:30,exponential:1 --delta 0.05 --denoise",
        "project --data y.npy --input x.npy --n 7 --step bridge --paths 20",
        "sample --data y.npy --weights w.npy --model vp --n 300 --paths 9 --seed 11",
        "sample --data y.npy --model edm --churn 4 --start law --n 200",
        "sample --data y.npy --model ve --step adaptive-sde --n 150 --paths 3",
        "sample --data y.npy --model ve --step pc --steps 50 --n 150",
        "project --data y.npy --input x.npy --model subvp --step ode --noise 0.7 --n 13",
    ] {
        let mut first: Option<Vec<u8>> = None;
        bench.command(line).args(["--out", "o.npz"]).assert().code(0);
        first.replace(fs::read(bench.path("o.npz")).unwrap());
        for threads in ["1", "2"] {
            for batch in ["1", "7", "128", "100000"] {
                let out = ["--threads", threads, "--batch", batch, "--out", "o.npz"];
                bench.command(line).args(out).assert().code(0);
                let bytes = fs::read(bench.path("o.npz")).unwrap();
                assert!(*first.get_or_insert_with(|| bytes.clone()) == bytes, "{line} {threads} {batch}");
            }
        }
    }
    let sample = |seed: &str| {
        bench.run(&format!("sample --data y.npy --n 5 --seed {seed}"));
        fs::read(bench.path("o.npz")).unwrap()
    };
    assert_ne!(sample("1"), sample("2"));
}

#[test]
fn starts_are_repeated_in_order_and_paths_join_start_and_end() {
    let bench = Bench::new();
    bench.file("x.npy", &[2, 3], &[1.0, 2.0, 3.0, -4.0, -5.0, -6.0]);
    let mut npz = bench.run("sample --data y.npy --start x.npy --n 3 --step bridge --paths 4");
    let (starts, samples) = (points(&mut npz, "starts"), points(&mut npz, "samples"));
    assert_eq!(starts.shape(), (3, 6));
    for i in 0..6 {
        let expected = if i < 3 { [1.0, 2.0, 3.0] } else { [-4.0, -5.0, -6.0] };
        assert_eq!(starts.column(i).as_slice(), expected);
    }
    let lifetimes = vector(&mut npz, "lifetimes");
    let evaluations = vector(&mut npz, "evaluations");
    let (lengths, times) = (vector(&mut npz, "path_lengths"), vector(&mut npz, "path_times"));
    let path = points(&mut npz, "path_points");
    assert_eq!((lengths.len(), times.len()), (4, path.ncols()));
    assert_eq!(lengths.iter().sum::<f64>(), times.len() as f64);
    let mut first = 0;
    for (i, length) in lengths.iter().enumerate() {
        let last = first + *length as usize - 1;
        assert_eq!((times[first], times[last]), (0.0, lifetimes[i]));
        assert!(times[first..=last].is_sorted());
        assert_eq!(path.column(first), starts.column(i));
        assert_eq!(path.column(last), samples.column(i));
        assert_eq!(*length, evaluations[i] + 1.0);
        first = last + 1;
    }
    // Without --paths there are none.
    let npz = bench.run("sample --data y.npy --n 3");
    let names =
        ["samples", "lifetimes", "evaluations", "exits", "exit_names", "starts", "delta", "rate", "sigma"];
    assert_eq!(npz.names(), names);
}

#[test]
fn exits_are_the_rules_in_the_order_given() {
    let bench = Bench::new();
    let line = "sample --data y.npy --n 400 --step euler --kill steps:12,time:0.9,sup:5 --eta 0.3 --cap 12";
    let mut npz = bench.run(line);
    let names = npz.strings("exit_names").unwrap();
    assert_eq!(names, ["steps:12", "time:0.9", "sup:5", "step-cap", "diverged", "horizon"]);
    let (exits, lifetimes) = (vector(&mut npz, "exits"), vector(&mut npz, "lifetimes"));
    let evaluations = vector(&mut npz, "evaluations");
    let mut seen = [0; 5];
    for ((exit, lifetime), evaluations) in exits.iter().zip(&lifetimes).zip(&evaluations) {
        seen[*exit as usize] += 1;
        match *exit as usize {
            1 => assert!((lifetime - 0.9).abs() < 1e-9),
            2 => assert!(*evaluations <= 12.0 && *lifetime < 0.9),
            3 => assert_eq!(*evaluations, 12.0),
            other => panic!("twelve evaluations are eleven steps, so no exit {other}"),
        }
    }
    assert!(seen[1] > 0 && seen[2] > 0 && seen[3] > 0, "{seen:?}");
    let summary = format!(
        "exits        steps:12 0, time:0.9 {}, sup:5 {}, step-cap {}, diverged 0, horizon 0 of 400",
        seen[1], seen[2], seen[3]
    );
    bench.command(line).args(["--out", "o.npz"]).assert().code(0).stderr(contains(summary));

    // A bridge dies by its lifetime too, whether that is said or not.
    for kill in ["time:0.2", "time:0.2,lifetime"] {
        let mut npz = bench.run(&format!("sample --data y.npy --n 200 --kill {kill}"));
        assert_eq!(
            npz.strings("exit_names").unwrap(),
            ["lifetime", "time:0.2", "step-cap", "diverged", "horizon"]
        );
        assert!((0..2).all(|code| vector(&mut npz, "exits").contains(&f64::from(code))));
    }
}

#[test]
fn a_known_support_kills_and_denoising_moves() {
    let bench = Bench::new();
    let circle: Vec<f64> =
        (0..60).flat_map(|i| [(0.1 * f64::from(i)).cos(), (0.1 * f64::from(i)).sin(), 0.0, 0.0]).collect();
    bench.file("circle.npy", &[60, 4], &circle);
    let line = "sample --data circle.npy --n 50 --step euler --kill support:0.1 --support circle:1";
    let distance = |x: &[f64]| ((x[0].hypot(x[1]) - 1.0).powi(2) + x[2].powi(2) + x[3].powi(2)).sqrt();
    let samples = points(&mut bench.run(line), "samples");
    let denoised = points(&mut bench.run(&format!("{line} --denoise")), "samples");
    // A particle may be found slightly inside, or just outside where it crossed between two steps.
    assert!(samples.column_iter().all(|x| distance(x.as_slice()) < 0.2));
    assert!(samples.column_iter().all(|x| distance(x.as_slice()) > 0.02));
    let mean = |x: &DMatrix<f64>| x.column_iter().map(|x| distance(x.as_slice())).sum::<f64>() / 50.0;
    assert!(mean(&denoised) < 0.2 * mean(&samples));
    for support in ["sphere:2:1", "torus:1:0.3"] {
        let mut npz = bench.run(&format!(
            "sample --data circle.npy --n 2 --step euler --kill support:0.1,steps:5 --support {support}"
        ));
        assert_eq!(npz.strings("exit_names").unwrap()[0], "support:0.1");
    }
}

#[test]
fn masked_inputs_are_filled_and_carried_to_the_data() {
    let bench = Bench::new();
    bench.file("x.npy", &[2, 3], &[0.31, 0.79, 7.0, 8.0, -0.41, -0.89]);
    bench.file("each.npy", &[2, 3], &[1.0, 1.0, 0.0, 0.0, 1.0, 1.0]);
    bench.file("all.npy", &[3], &[1.0, 1.0, 0.0]);
    bench.file("row.npy", &[1, 3], &[1.0, 1.0, 0.0]);

    let mut npz = bench.run("project --data y.npy --weights w.npy --input x.npy --mask each.npy --n 2");
    let mean = |k: usize| ATOMS.chunks(3).zip(WEIGHTS).map(|(y, w)| w * y[k]).sum::<f64>();
    let inputs = points(&mut npz, "inputs");
    let expected = [0.31, 0.79, mean(2), mean(0), -0.41, -0.89];
    assert!(inputs.iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-12), "{inputs}");
    let starts = points(&mut npz, "starts");
    assert_eq!(starts.shape(), (3, 4));
    assert!((0..4).all(|i| starts.column(i) == inputs.column(i / 2)));
    assert_eq!(vector(&mut npz, "nearest"), [0.0, 3.0]);
    atoms(&points(&mut npz, "samples"));

    for (mask, fill, expected) in [
        ("all.npy", "-0.5", [0.31, 0.79, -0.5, 8.0, -0.41, -0.5]),
        ("row.npy", "2", [0.31, 0.79, 2.0, 8.0, -0.41, 2.0]),
    ] {
        let mut npz = bench.run(&format!("project --data y.npy --input x.npy --mask {mask} --fill {fill}"));
        assert_eq!(points(&mut npz, "inputs").as_slice(), expected);
        assert_eq!(npz.array("samples").unwrap().shape(), [2, 3]);
    }
    // Without a mask the inputs are as they were, and a close one ends at its nearest datum. By R16 the odds against are
    // at most (1 - w)/w 0.0174/1.29: 0.26 for the weight 0.05, 0.077 for the others, so 179 of 200 are expected.
    bench.file("near.npy", &[5, 3], &ATOMS.map(|y| y + 0.01));
    let mut npz = bench.run("project --data y.npy --weights w.npy --input near.npy --n 40");
    let ends = atoms(&points(&mut npz, "samples"));
    let there = ends.iter().enumerate().filter(|(i, end)| i / 40 == **end).count();
    assert_eq!(vector(&mut npz, "nearest"), [0.0, 1.0, 2.0, 3.0, 4.0]);
    assert!(there > 160, "{there} of 200");
}

#[test]
fn nearest_is_a_row_of_the_file_even_when_points_without_weight_are_left_out() {
    let bench = Bench::new();
    bench.file("w.npy", &[5, 1], &[0.0, 1.0, 0.0, 1.0, 2.0]);
    bench.file("x.npy", &[2, 3], &[-0.2, -0.4, -0.9, 1.3, 0.6, 0.2]);
    let mut npz = bench.run("project --data y.npy --weights w.npy --input x.npy --n 30");
    assert_eq!(vector(&mut npz, "nearest"), [3.0, 4.0]);
    assert!(atoms(&points(&mut npz, "samples")).iter().all(|i| [1, 3, 4].contains(i)));
}

#[test]
fn every_layout_of_an_array_is_the_same_data() {
    let bench = Bench::new();
    bench.run("sample --data y.npy --n 20");
    let expected = fs::read(bench.path("o.npz")).unwrap();
    let npy = |descr: &str, fortran: &str, bytes: Vec<u8>| {
        let mut header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': (5, 3), }}");
        header += &" ".repeat(117 - header.len());
        let mut file = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        file.extend(header.bytes().chain([b'\n']).chain(bytes));
        file
    };
    let columns = (0..15).map(|i| ATOMS[3 * (i % 5) + i / 5]);
    let text: Vec<String> = ATOMS.chunks(3).map(|y| format!("{},{},{}", y[0], y[1], y[2])).collect();
    let files = [
        ("fortran.npy", npy("<f8", "True", columns.flat_map(f64::to_le_bytes).collect())),
        ("big.npy", npy(">f8", "False", ATOMS.iter().flat_map(|x| x.to_be_bytes()).collect())),
        ("table.csv", (text.join("\n") + "\n").into_bytes()),
    ];
    for (name, bytes) in files {
        fs::write(bench.path(name), bytes).unwrap();
        bench.run(&format!("sample --data {name} --n 20"));
        assert!(fs::read(bench.path("o.npz")).unwrap() == expected, "{name}");
    }
    // What sample writes can be read as data again.
    bench.run("sample --data y.npy --n 4");
    fs::rename(bench.path("o.npz"), bench.path("again.npz")).unwrap();
    assert_eq!(points(&mut bench.run("sample --data again.npz --n 3"), "samples").shape(), (3, 3));
}

#[test]
fn diverged_particles_are_told_loudly() {
    let bench = Bench::new();
    bench.file("far.npy", &[1, 3], &[1e300, 1e300, 0.0]);
    let mut command = bench.command("sample --data y.npy --start far.npy --n 4 --out o.npz");
    command.assert().code(0).stderr(contains("DIVERGED     all 4 particles"));
}

#[cfg(unix)]
#[test]
fn an_interrupt_stops_the_run_and_leaves_no_file() {
    let bench = Bench::new();
    for line in [
        "sample --data y.npy --n 1000 --step euler --dt 1e-9 --kill time:1e9 --cap 1000000000000 --out o.npz",
        "sample --data y.npy --n 1000 --model vp --step ddpm --steps 200000 --out o.npz",
    ] {
        let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin!("resolvent"))
            .current_dir(bench.dir.path())
            .args(line.split_whitespace())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        // The parameters are said when everything is ready to run.
        assert!(lines.next().unwrap().unwrap().starts_with("data"));
        let kill = ["-INT", &child.id().to_string()].join(" ");
        assert!(
            std::process::Command::new("sh")
                .args(["-c", &format!("kill {kill}")])
                .status()
                .unwrap()
                .success()
        );
        let rest: Vec<String> = lines.map(Result::unwrap).collect();
        assert_eq!(child.wait().unwrap().code(), Some(2));
        assert!(rest.iter().any(|l| l.contains("error: interrupted after 0 of 1000")), "{rest:?}");
        assert_eq!(entries(bench.dir.path()), ["w.npy", "y.npy"]);
    }
}

#[test]
fn help_says_what_is_written() {
    let bench = Bench::new();
    for (command, option) in [("sample", "--start"), ("project", "--mask")] {
        let mut assert = bench.command(&format!("{command} --help")).assert().code(0);
        for word in [
            option,
            "Options of --model killed",
            "Options of --model vp, subvp, ve, edm",
            "sde-dpm++2m",
            "posterior-bridge: ",
            "exit_names",
            "path_lengths",
            "Exit status",
            "codimension 2",
            "lifetime is always the first",
        ] {
            assert = assert.stdout(contains(word));
        }
    }
}

//! `resolvent train` and `resolvent inspect` as a user meets them.

mod refusals;

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use predicates::str::{contains, starts_with};
use resolvent::data::io::{read_points, write_npy};
use resolvent::learn::checkpoint::read_tensors;
use resolvent::learn::engine::Native;
use resolvent::learn::model::SavedModel;
use resolvent::learn::train::read_records;

/// A spatial score of points on a circle in the plane, in well under a second.
const CIRCLE: &str = r#"
validation = 70
[data]
law = { circle = { dim = 2 } }
points = 300
held_out = 50
seed = 4
[model]
conditioning = "blind"
preconditioning = "direct"
[model.architecture.mlp]
width = 12
depth = 2
[examples.deaths]
proposal = { exponential = { rate = 1 } }
[objective]
scale = "output"
matched = false
[training]
steps = 300
batch = 48
shard = 16
learning_rate = 5e-3
warmup = 20
validate_every = 70
checkpoint_every = 40
"#;

/// A folder with the settings `circle.toml` and what a test adds.
struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let bench = Self { dir: tempfile::tempdir().unwrap() };
        bench.write("circle.toml", CIRCLE);
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn points(&self, name: &str, shape: &[usize], values: &[f64]) {
        write_npy(self.path(name), shape, values).unwrap();
    }

    /// `resolvent` in this folder; `line` is split at blanks.
    fn command(&self, line: &str) -> Command {
        let mut command = Command::cargo_bin("resolvent").expect("cargo builds the program before its tests");
        command.current_dir(self.dir.path()).args(line.split_whitespace());
        command
    }

    /// Runs to success and returns what it told.
    fn run(&self, line: &str) -> String {
        let assert = self.command(line).assert().code(0).stdout("");
        String::from_utf8(assert.get_output().stderr.clone()).unwrap()
    }

    /// Runs into an error with these words and exit status 2, and leaves all files as they were.
    fn refuse(&self, line: &str, words: &[&str]) {
        let before = files(self.dir.path());
        let mut assert = self.command(line).assert().code(2).stdout("");
        for word in words {
            assert = assert.stderr(contains(*word));
        }
        assert.stderr(contains("error: "));
        assert!(files(self.dir.path()) == before, "{line}");
    }

    /// The model, the state and the records of a training, but for its times.
    fn result(&self, stem: &str) -> (Vec<u8>, String, String) {
        let model = fs::read(self.path(&format!("{stem}.safetensors"))).unwrap();
        let state = read_tensors(self.path(&format!("{stem}.state.safetensors"))).unwrap();
        let mut records = read_records(self.path(&format!("{stem}.jsonl"))).unwrap();
        for record in &mut records {
            (record.seconds, record.samples_per_second) = (0.0, None);
        }
        (model, format!("{state:?}"), format!("{records:?}"))
    }
}

/// Names and contents of the files in a folder, sorted.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap_or_default()))
        .collect();
    files.sort();
    files
}

#[test]
fn a_training_ends_with_a_model_that_has_learned() {
    let bench = Bench::new();
    let told = bench.run("train circle.toml");
    for words in [
        "law = { circle = { dim = 2, radius = 1.0 } }, points = 300",
        "spatial score in R^2, residual MLP of width 12, depth 2",
        "deaths = { closest = 0.0, proposal = { exponential = { rate = 1.0 } } }",
        "300 steps of 48 examples",
        "validation   loss ",
        "written      circle.safetensors, circle.state.safetensors, circle.jsonl",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let saved = SavedModel::read(bench.path("circle.safetensors")).unwrap();
    assert!(told.contains(&format!(": {} parameters", saved.parameters.len())), "{told}");
    assert_eq!((saved.step, saved.model.dim()), (300, 2));
    let records = read_records(bench.path("circle.jsonl")).unwrap();
    assert_eq!(records.last().unwrap().step, 300);
    assert!(
        told.contains(&format!("loss {:.4}", records.last().unwrap().validation["loss"].as_f64().unwrap()))
    );

    // Before it has learned anything a model takes every point to the middle of the data, at distance 1 from the circle.
    let angles = (0..36).map(|k| f64::from(k) * std::f64::consts::TAU / 36.0);
    let circle: Vec<f64> = angles.flat_map(|angle| [angle.cos(), angle.sin()]).collect();
    let outside: Vec<f64> = circle.iter().map(|x| 1.3 * x).collect();
    let denoised = saved.model.estimate(&Native, &saved.parameters, &outside, None).denoised;
    let squares = denoised.iter().zip(&circle).map(|(d, x)| (f64::from(*d) - x).powi(2));
    let error = (squares.sum::<f64>() / 36.0).sqrt();
    assert!(error < 0.5, "{error}");
}

#[test]
fn an_interrupted_training_that_is_resumed_equals_the_uninterrupted_one() {
    let bench = Bench::new();
    bench.run("train circle.toml --out whole --threads 2");
    let told = bench.run("train circle.toml --out parts --seconds 1e-9 --threads 1");
    assert!(told.contains("out of time  after 0 of 300 steps"), "{told}");
    // Where a run breaks off does not matter.
    bench.run("train circle.toml --out parts --seconds 0.003 --resume --threads 1");
    bench.run("train circle.toml --out parts --seconds 0.003 --resume --threads 1");
    let told = bench.run("train circle.toml --out parts --resume --threads 2");
    let done = told.split_once("resumed      after ").unwrap().1.split(' ').next().unwrap();
    assert!((1..300).contains(&done.parse().unwrap()), "{told}");
    assert!(bench.result("whole") == bench.result("parts"));

    // Another seed is another training, and a finished one has nothing left to do.
    bench.run("train circle.toml --out other --seed 1");
    assert!(bench.result("whole").0 != bench.result("other").0);
    let before = files(bench.dir.path());
    bench.run("train circle.toml --out whole --resume");
    assert!(files(bench.dir.path()) == before);
}

#[cfg(unix)]
#[test]
fn an_interrupt_leaves_a_checkpoint_that_goes_on() {
    let bench = Bench::new();
    let long = "train circle.toml --set training.steps=100000000 --set training.record_every=1";
    let child = std::process::Command::new(assert_cmd::cargo::cargo_bin!("resolvent"))
        .current_dir(bench.dir.path())
        .args(long.split_whitespace())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // It runs when its second record is there, within a minute.
    let running =
        || fs::read_to_string(bench.path("circle.jsonl")).is_ok_and(|text| text.lines().count() > 1);
    for _ in 0..600 {
        if running() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let kill = format!("kill -INT {}", child.id());
    assert!(std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("error: interrupted after ") && told.contains("--resume"), "{told}");
    let step = SavedModel::read(bench.path("circle.safetensors")).unwrap().step;
    assert!(step >= 1);
    bench.run(&format!("{long} --resume --seconds 0.2"));
    assert!(SavedModel::read(bench.path("circle.safetensors")).unwrap().step > step);
}

#[test]
fn a_training_that_diverges_keeps_the_last_good_model() {
    let bench = Bench::new();
    let line = "train circle.toml --set training.learning_rate=1e30 --set training.warmup=0 --set training.average_decay=0";
    let assert = bench.command(line).assert().code(1).stdout("");
    assert
        .stderr(contains("DIVERGED     after "))
        .stderr(contains("circle.safetensors is the last good model"));
    let saved = SavedModel::read(bench.path("circle.safetensors")).unwrap();
    assert!(saved.parameters.iter().all(|p| p.is_finite()));
}

#[test]
fn inspect_shows_settings_from_which_the_same_model_is_trained() {
    let bench = Bench::new();
    let told = bench.run("train circle.toml --set training.steps=50 --out first");
    let output = bench.command("inspect first.safetensors").assert().code(0).stderr("").get_output().clone();
    let shown = String::from_utf8(output.stdout).unwrap();
    for words in
        ["# first.safetensors", "spatial score in R^2", "# trained      50 steps", "# validation   loss "]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let figures = |text: &str| text.split_once("validation   ").unwrap().1.lines().next().unwrap().to_owned();
    assert_eq!(figures(&told), figures(&shown));
    bench.write("again.toml", &shown);
    bench.run("train again.toml");
    let parameters =
        |stem: &str| SavedModel::read(bench.path(&format!("{stem}.safetensors"))).unwrap().parameters;
    assert_eq!(parameters("first"), parameters("again"));

    bench.refuse("inspect none.safetensors", &["none.safetensors", "No such file"]);
    bench.refuse("inspect circle.toml", &["circle.toml"]);
    bench.refuse("inspect first.state.safetensors", &["first.state.safetensors", "training state"]);
    let bytes = fs::read(bench.path("first.safetensors")).unwrap();
    fs::write(bench.path("cut.safetensors"), &bytes[..bytes.len() - 9]).unwrap();
    bench.refuse("inspect cut.safetensors", &["cut.safetensors"]);
}

#[test]
fn data_come_from_laws_files_and_folders() {
    let bench = Bench::new();
    bench.run("train circle.toml --set training.steps=2 --out law");
    let values: Vec<f64> = (0..120).map(|i| f64::from(i).sin()).collect();
    bench.points("x.npy", &[40, 3], &values);
    let rows: Vec<String> = values.chunks(3).map(|row| format!("{},{},{}", row[0], row[1], row[2])).collect();
    bench.write("x.csv", &(rows.join("\n") + "\n"));
    assert_eq!(read_points(bench.path("x.csv")).unwrap(), read_points(bench.path("x.npy")).unwrap());
    let counts = "--set training.steps=2 --set data.points=30 --set data.held_out=10";
    let told = bench.run(&format!("train circle.toml {counts} --data x.npy --out npy"));
    assert!(
        told.contains("file = \"x.npy\", held_out = 10, points = 30") && told.contains("in R^3"),
        "{told}"
    );
    bench.run(&format!("train circle.toml {counts} --data x.csv --out csv"));
    let parameters =
        |stem: &str| SavedModel::read(bench.path(&format!("{stem}.safetensors"))).unwrap().parameters;
    assert_eq!(parameters("npy"), parameters("csv"));

    // Two classes of four images of 4 x 4 pixels.
    let folder = bench.path("digits");
    fs::create_dir(&folder).unwrap();
    let images: Vec<u8> =
        [0, 0, 8, 3, 0, 0, 0, 8, 0, 0, 0, 4, 0, 0, 0, 4].into_iter().chain((0..128).map(|i| 2 * i)).collect();
    fs::write(folder.join("t10k-images-idx3-ubyte"), images).unwrap();
    fs::write(folder.join("t10k-labels-idx1-ubyte"), [0, 0, 8, 1, 0, 0, 0, 8, 0, 1, 0, 1, 0, 1, 0, 1])
        .unwrap();
    let counts = "--set training.steps=2 --set data.points=5 --set data.held_out=3";
    let told = bench.run(&format!("train circle.toml {counts} --data digits --out mnist"));
    assert!(told.contains("mnist = \"digits\"") && told.contains("in R^16"), "{told}");
    let unet = "--set model.architecture={unet={side=4,folded=false,channels=[4,8],blocks=1}}";
    let told = bench.run(&format!(
        "train circle.toml {counts} {unet} --set model.preconditioning=eigenbasis --data digits --out unet"
    ));
    assert!(told.contains("U-Net for 4 x 4 pixels, channels [4, 8], 1 blocks"), "{told}");
    let told_model = "--set model.conditioning=told --set examples={noised={proposal={exponential={rate=1}},weighting='edm'}}";
    let line = format!("train circle.toml --set training.steps=2 {told_model} --out told");
    bench.refuse(&line, &["objective", "has none to choose"]);
    let line = format!("{line} --set objective={{scale='distance',matched=true}}");
    bench.refuse(&format!("{line} --set model.rate=0.5"), &["model.rate", "do not die"]);
    let told = bench.run(&line);
    assert!(told.contains("denoiser told the noise level"), "{told}");
}

#[test]
fn help_says_what_the_file_holds_and_what_is_written() {
    let mut assert = Bench::new().command("train --help").assert().code(0);
    for word in
        ["[data]", "[training]", "--resume", "STEM.state.safetensors", "Exit status", "swiss-roll-curve"]
    {
        assert = assert.stdout(contains(word));
    }
    Bench::new().command("train").assert().code(2).stderr(starts_with("error: "));
}

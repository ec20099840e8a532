//! A test-only experiment that shows every kind of figure, and the tests of the frame around experiments.
//!
//! `RESOLVENT_GALLERY=DIR cargo test -p resolvent-experiments gallery` leaves its page in DIR to be looked at.

mod figures;
mod sweep;

use std::fs;
use std::path::Path;

use anyhow::{Result, bail, ensure};
use clap::Parser;
use serde::{Deserialize, Serialize};

use crate::Verdict;
use crate::commands::{RunArgs, run_experiments};
use crate::experiment::{AnyExperiment, Context, Experiment};
use crate::outcome::{Check, Outcome, Table, cells};

struct Gallery;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    samples: usize,
    rates: Vec<f64>,
    bound: f64,
    model: String,
}

impl Experiment for Gallery {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "gallery"
    }

    fn summary(&self) -> &'static str {
        "Every kind of figure, table and check on one page"
    }

    fn seconds(&self) -> u32 {
        1
    }

    fn full(&self) -> Settings {
        Settings { samples: 4000, rates: vec![0.02, 0.5], bound: 0.05, model: "killed".into() }
    }

    fn quick(&self) -> Settings {
        Settings { samples: 500, ..self.full() }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        ensure!(settings.samples > 0, "setting `samples` = 0");
        let progress = context.progress(settings.samples as u64, "drawing");
        let normals = normals(settings.samples, context.seed);
        progress.inc(settings.samples as u64);
        context.proceed()?;
        let mean = normals.iter().sum::<f64>() / settings.samples as f64;
        let mut table = Table::new(
            "Moments",
            "of the sample, against the exact ones",
            &["moment", "exact", "measured", "n"],
        );
        for (order, exact) in [(1, 0.0), (2, 1.0), (4, 3.0)] {
            let measured = normals.iter().map(|x| x.powi(order)).sum::<f64>() / settings.samples as f64;
            table.push(cells![order, exact, measured, settings.samples]);
        }
        Ok(Outcome {
            checks: vec![
                Check::at_most("|mean| of the sample", mean.abs(), settings.bound, "law of large numbers"),
                Check::at_least("samples", settings.samples as f64, 1.0, "R5"),
                Check::at_most(
                    "a tiny number",
                    1.23456789e-7,
                    1e-6,
                    "L. Trottner et al., slide 12, with a source that is rather long",
                ),
            ],
            tables: vec![table],
            figures: figures::figures(&normals)?,
            notes: vec!["A note: what was seen that no check states & what is < or > it.".into()],
        })
    }
}

/// Standard normals by Box and Muller from a congruential generator: enough for a picture.
fn normals(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed ^ 0x9E37_79B9_7F4A_7C15;
    let mut uniform = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    };
    (0..count).map(|_| (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos()).collect()
}

/// An experiment that always fails, after the gallery in the registry.
struct Broken;

impl Experiment for Broken {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "broken"
    }

    fn summary(&self) -> &'static str {
        "Fails"
    }

    fn seconds(&self) -> u32 {
        0
    }

    fn full(&self) -> Settings {
        Gallery.full()
    }

    fn quick(&self) -> Settings {
        Gallery.quick()
    }

    fn run(&self, _: &Settings, _: &Context) -> Result<Outcome> {
        bail!("broken as ever")
    }
}

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    run: RunArgs,
}

const BOTH: &[&dyn AnyExperiment] = &[&Broken, &Gallery];

fn run(dir: &Path, words: &[&str]) -> Result<(Verdict, String)> {
    let dir = dir.to_str().unwrap();
    let line = Line::try_parse_from(["run", "--out", dir].iter().chain(words))?;
    let mut text = Vec::new();
    let verdict = run_experiments(&line.run, BOTH, &mut text)?;
    Ok((verdict, String::from_utf8(text)?))
}

fn read(dir: &Path, file: &str) -> String {
    fs::read_to_string(dir.join(file)).unwrap()
}

/// The record without what may differ between two runs.
fn law(dir: &Path) -> serde_json::Value {
    let mut record: serde_json::Value = serde_json::from_str(&read(dir, "gallery/record.json")).unwrap();
    record.as_object_mut().unwrap().remove("seconds").unwrap();
    record
}

#[test]
fn gallery_page_is_self_contained() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = std::env::var_os("RESOLVENT_GALLERY").map_or(scratch.path().to_owned(), Into::into);
    run(&dir, &["gallery"]).unwrap();
    let page = read(&dir, "index.html").replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for outside in ["http://", "https://", "src=", "url(", "@import", "<script", "<link", " id=\"clip"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(page.matches("<figure").count(), 11);
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    assert!(page.contains("title=\"1.23456789e-7\"") && page.contains("1.235e-7"));
    assert!(page.contains("no check states &amp; what is &lt; or &gt; it"));
}

#[test]
fn the_record_is_a_function_of_settings_and_seed() {
    let (a, b, c) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for dir in [&a, &b] {
        run(dir.path(), &["gallery", "--quick", "--seed", "3"]).unwrap();
    }
    run(c.path(), &["gallery", "--quick", "--seed", "4"]).unwrap();
    assert_eq!(law(a.path()), law(b.path()));
    assert_ne!(law(a.path()), law(c.path()));
    assert_eq!(read(a.path(), "gallery/histogram.svg"), read(b.path(), "gallery/histogram.svg"));
}

#[test]
fn settings_and_verdict_reach_the_record() {
    let dir = tempfile::tempdir().unwrap();
    let (verdict, text) =
        run(dir.path(), &["gallery", "--quick", "--set", "bound=0", "--set", "rates=[1]"]).unwrap();
    assert_eq!(verdict, Verdict::Fails);
    assert!(
        text.contains("FAIL  |mean|") && text.contains("2 of 3 checks hold") && text.contains("index.html")
    );
    let record = law(dir.path());
    assert_eq!(record["settings"]["rates"], serde_json::json!([1.0]));
    assert_eq!(record["checks"][0]["holds"], false);
    assert!(read(dir.path(), "index.html").contains("FAIL"));
}

#[test]
fn all_resumes_and_a_failure_keeps_nothing_and_stops_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let seconds = || {
        let record: serde_json::Value =
            serde_json::from_str(&read(dir.path(), "gallery/record.json")).unwrap();
        record["seconds"].clone()
    };
    let error = run(dir.path(), &["all", "--quick"]).unwrap_err().to_string();
    assert_eq!(error, "did not finish: broken");
    assert!(!dir.path().join("broken").exists());
    let first = seconds();
    assert!(run(dir.path(), &["all", "--quick"]).is_err());
    assert_eq!(seconds(), first);
    assert!(run(dir.path(), &["all", "--quick", "--fresh"]).is_err());
    assert_ne!(seconds(), first);
    assert!(run(dir.path(), &["all", "--quick", "--seed", "9"]).is_err());
    assert_eq!(law(dir.path())["seed"], 9);
}

#[test]
fn other_data_another_commit_and_a_damaged_figure_are_not_up_to_date() {
    let (dir, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folder = data.path().to_str().unwrap();
    let all = |words: &[&str]| {
        assert!(run(dir.path(), &[&["all", "--quick"], words].concat()).is_err());
        let text = read(dir.path(), "gallery/record.json");
        (law(dir.path())["data"].as_str().unwrap().to_owned(), text)
    };
    let (without, first) = all(&[]);
    assert_eq!((without.as_str(), all(&[]).1), ("none", first.clone()));
    fs::write(data.path().join("digits"), "123").unwrap();
    let (with, second) = all(&["--data", folder]);
    assert_eq!(with, "digits (3 bytes, 884863d2)");
    assert!(second != first && !second.contains(folder));
    assert_eq!(all(&["--data", folder]).1, second);
    fs::write(data.path().join("digits"), "1234").unwrap();
    assert_ne!(all(&["--data", folder]).1, second);

    let place = dir.path().join("gallery/record.json");
    let mut record: serde_json::Value = serde_json::from_str(&all(&[]).1).unwrap();
    assert_eq!(record["git"], env!("RESOLVENT_GIT"));
    record["git"] = "another".into();
    fs::write(&place, record.to_string()).unwrap();
    assert_eq!(law(dir.path())["git"], "another");
    all(&[]);
    assert_eq!(law(dir.path())["git"], env!("RESOLVENT_GIT"));

    fs::write(dir.path().join("gallery/bars.svg"), "not a figure").unwrap();
    all(&[]);
    assert!(read(dir.path(), "gallery/bars.svg").starts_with("<svg"));
}

#[test]
fn a_bad_figure_leaves_its_record_out_and_the_others_in() {
    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), &["gallery", "--quick"]).unwrap();
    let other = dir.path().join("other");
    fs::create_dir(&other).unwrap();
    let record = read(dir.path(), "gallery/record.json").replace("\"gallery\"", "\"other\"");
    fs::write(other.join("record.json"), record).unwrap();
    for entry in fs::read_dir(dir.path().join("gallery")).unwrap().map(Result::unwrap) {
        if entry.file_name() != "record.json" {
            fs::copy(entry.path(), other.join(entry.file_name())).unwrap();
        }
    }
    run(dir.path(), &["gallery", "--quick"]).unwrap();
    assert!(read(dir.path(), "index.html").contains("id=\"other\""));
    fs::write(other.join("bars.svg"), "<html><svg></svg></html>").unwrap();
    run(dir.path(), &["gallery", "--quick"]).unwrap();
    let page = read(dir.path(), "index.html");
    assert!(page.contains("id=\"gallery\"") && !page.contains("id=\"other\""));
    // Who asks for the page alone is told.
    let message = crate::one_line(&crate::commands::rebuild(dir.path(), &[]).unwrap_err());
    assert!(message.contains("other/bars.svg: no figure of this program"), "{message}");
}

#[test]
fn what_is_no_record_is_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let thesis = dir.path().join("gallery/thesis.tex");
    fs::create_dir(dir.path().join("gallery")).unwrap();
    fs::write(&thesis, "years of work").unwrap();
    for words in [&["gallery"][..], &["all"], &["all", "--fresh"]] {
        let message = crate::one_line(&run(dir.path(), words).unwrap_err());
        assert!(message.contains("gallery: holds no record"), "{message}");
        assert_eq!(fs::read_to_string(&thesis).unwrap(), "years of work");
    }
    assert!(!dir.path().join("index.html").exists());
}

#[test]
fn bad_use_is_found_before_anything_runs() {
    let dir = tempfile::tempdir().unwrap();
    let cases: [(&[&str], &str); 7] = [
        (&["galery"], "no experiment `galery`; there are all, broken, gallery"),
        (&["gallery", "gallery"], "named twice"),
        (&["gallery", "all"], "stands alone"),
        (&["gallery", "--fresh"], "--fresh"),
        (&["gallery", "--set", "sample=1"], "no setting `sample`"),
        (&["gallery", "--set", "samples=few"], "setting `samples` = `few`"),
        (&["gallery", "--data", "/no/such/folder"], "/no/such/folder"),
    ];
    for (words, expected) in cases {
        let message = crate::one_line(&run(dir.path(), words).unwrap_err());
        assert!(message.contains(expected), "{message}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn the_page_can_be_rebuilt_from_the_records_alone() {
    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), &["gallery", "--quick"]).unwrap();
    let page = read(dir.path(), "index.html");
    fs::remove_file(dir.path().join("index.html")).unwrap();
    fs::create_dir(dir.path().join("notes")).unwrap();
    crate::commands::rebuild(dir.path(), &[]).unwrap();
    assert_eq!(read(dir.path(), "index.html"), page);
}

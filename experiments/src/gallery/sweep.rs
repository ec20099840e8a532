//! The tests of sweeps: stored units, restarts, failures, parts and their merging.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use clap::Parser;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Broken, Line, read};
use crate::Verdict;
use crate::commands::{MergeArgs, merge_parts, run_experiments};
use crate::experiment::{AnyExperiment, Context};
use crate::outcome::{Check, Outcome, Table, cells};
use crate::sweep::{Sweep, Swept};

/// Units that return a number each, fail or panic as the settings say.
struct Numbers;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    units: usize,
    fails: Vec<usize>,
    panics: Vec<usize>,
    infinite: Vec<usize>,
    twins: bool,
}

#[derive(Serialize, Deserialize)]
struct Measured {
    number: f64,
    absent: Option<f64>,
}

impl Sweep for Numbers {
    type Settings = Settings;
    type Unit = usize;
    type Measured = Measured;

    fn name(&self) -> &'static str {
        "numbers"
    }

    fn summary(&self) -> &'static str {
        "A sweep that can do everything wrong"
    }

    fn seconds(&self) -> u32 {
        0
    }

    fn full(&self) -> Settings {
        Settings { units: 7, fails: vec![], panics: vec![], infinite: vec![], twins: false }
    }

    fn quick(&self) -> Settings {
        self.full()
    }

    fn units(&self, settings: &Settings) -> Result<Vec<(String, usize)>> {
        let name = |k: usize| if settings.twins { "same".into() } else { format!("unit-{k}.5") };
        Ok((0..settings.units).map(|k| (name(k), k)).collect())
    }

    fn measure(&self, unit: &usize, settings: &Settings, context: &Context) -> Result<Measured> {
        if settings.fails.contains(unit) {
            bail!("no number for {unit}");
        }
        assert!(!settings.panics.contains(unit), "out of numbers at {unit}");
        if settings.infinite.contains(unit) {
            return Ok(Measured { number: f64::INFINITY, absent: None });
        }
        Ok(Measured { number: (*unit as f64 + context.seed as f64 + 0.1).sqrt(), absent: None })
    }

    fn conclude(&self, settings: &Settings, measured: Vec<(usize, Measured)>) -> Result<Outcome> {
        ensure!(measured.iter().enumerate().all(|(k, (unit, _))| k == *unit), "out of order");
        let mut table = Table::new("Numbers", "of all units", &["unit", "number"]);
        measured.iter().for_each(|(unit, found)| table.push(cells![*unit, found.number]));
        let sum: f64 = measured.iter().map(|(_, found)| found.number).sum();
        let checks = vec![Check::at_most("sum", sum, 1e3, format!("{} units", settings.units))];
        Ok(Outcome { checks, tables: vec![table], ..Outcome::default() })
    }
}

const ALL: &[&dyn AnyExperiment] = &[&super::Gallery, &Swept(Numbers)];

fn run_in(registry: &[&dyn AnyExperiment], dir: &Path, words: &[&str]) -> Result<(Verdict, String)> {
    let dir = dir.to_str().unwrap();
    let line = Line::try_parse_from(["run", "--out", dir].iter().chain(words))?;
    let mut text = Vec::new();
    let verdict = run_experiments(&line.run, registry, &mut text)?;
    Ok((verdict, String::from_utf8(text)?))
}

fn run(dir: &Path, words: &[&str]) -> Result<(Verdict, String)> {
    run_in(ALL, dir, words)
}

#[derive(Parser)]
struct MergeLine {
    #[command(flatten)]
    merge: MergeArgs,
}

fn merge(dirs: &[&Path], out: &Path) -> Result<Verdict> {
    let dirs = dirs.iter().map(|dir| dir.to_str().unwrap());
    let words = ["merge", "--out", out.to_str().unwrap()].into_iter().chain(dirs);
    let line = MergeLine::try_parse_from(words)?;
    merge_parts(&line.merge, ALL, &mut Vec::new())
}

fn failure<T>(result: Result<T>) -> String {
    crate::one_line(&result.err().expect("it fails"))
}

fn unit(dir: &Path, k: usize) -> PathBuf {
    dir.join(format!("units/numbers/unit-{k}.5.json"))
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn change(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value = json(path);
    change(&mut value);
    fs::write(path, value.to_string()).unwrap();
}

/// The record without its seconds.
fn law(dir: &Path, name: &str) -> Value {
    let mut record = json(&dir.join(name).join("record.json"));
    record.as_object_mut().unwrap().remove("seconds").unwrap();
    record
}

/// The number of a unit as the record has it.
fn number(dir: &Path, k: usize) -> f64 {
    law(dir, "numbers")["tables"][0]["rows"][k][1].as_f64().unwrap()
}

#[test]
fn stored_units_are_taken_where_they_are_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    run(dir, &["numbers"]).unwrap();
    let first = law(dir, "numbers");
    // A number of our own tells a unit that is taken from one that is measured.
    change(&unit(dir, 2), |stored| stored["measured"]["number"] = 9.5.into());
    run(dir, &["numbers"]).unwrap();
    assert_eq!(number(dir, 2), 9.5);
    run(dir, &["numbers", "--fresh"]).unwrap();
    assert_eq!(law(dir, "numbers"), first);
    change(&unit(dir, 2), |stored| stored["measured"]["number"] = 9.5.into());
    for words in [&["--seed", "1"][..], &["--quick"], &["--set", "units=6"]] {
        let other = tempfile::tempdir().unwrap();
        let words = [&["numbers"], words].concat();
        fs::create_dir_all(other.path().join("units/numbers")).unwrap();
        fs::copy(unit(dir, 2), unit(other.path(), 2)).unwrap();
        run(other.path(), &words).unwrap();
        assert_ne!(number(other.path(), 2), 9.5, "{words:?}");
    }
    // A damaged file is measured again, the others are not.
    fs::write(unit(dir, 1), "{").unwrap();
    run(dir, &["numbers"]).unwrap();
    assert_eq!((number(dir, 1), number(dir, 2)), (1.1f64.sqrt(), 9.5));
    assert_eq!(json(&unit(dir, 1))["measured"]["number"], 1.1f64.sqrt());
}

#[test]
fn a_unit_that_fails_is_named_and_the_others_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (dir, bad) = (dir.path(), ["--set", "fails=[1]", "--set", "panics=[3]", "--set", "infinite=[5]"]);
    let message = failure(run(dir, &[&["numbers"], &bad[..]].concat()));
    assert_eq!(message, "did not finish: numbers");
    let there: Vec<_> = (0..7).filter(|k| unit(dir, *k).exists()).collect();
    assert_eq!(there, [0, 2, 4, 6]);
    assert!(!dir.join("numbers").exists());
    let message = failure(merge(&[dir], dir));
    assert_eq!(message, "did not merge: numbers");
}

#[test]
fn three_parts_make_the_record_of_one_run() {
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name);
    run(&at("one"), &["all"]).unwrap();
    for k in 1..=3 {
        let (dir, part) = (at(&format!("part-{k}")), format!("{k}/3"));
        let (_, text) = run(&dir, &["all", "--shard", &part]).unwrap();
        assert!(text.contains(&format!("part {part} of 8 units")) && text.contains("resolvent merge"));
        assert!(!dir.join("numbers").exists() && !dir.join("index.html").exists());
    }
    let parts = [at("part-1"), at("part-2"), at("part-3")];
    let dirs: Vec<&Path> = parts.iter().map(PathBuf::as_path).collect();
    assert_eq!(merge(&dirs, &at("merged")).unwrap(), Verdict::Holds);
    for name in ["gallery", "numbers"] {
        assert_eq!(law(&at("merged"), name), law(&at("one"), name));
    }
    assert_eq!(read(&at("merged"), "gallery/bars.svg"), read(&at("one"), "gallery/bars.svg"));
    assert!(at("merged").join("index.html").exists());
    let seconds = |k| json(&unit(&at("merged"), k))["seconds"].as_f64().unwrap();
    let all = json(&at("merged").join("numbers/record.json"))["seconds"].as_f64().unwrap();
    assert!(all >= (0..7).map(seconds).sum());

    // Once more into a folder that is one of those joined, and with a part twice.
    merge(&[dirs[0], dirs[1], dirs[2], dirs[0]], dirs[0]).unwrap();
    assert_eq!(law(dirs[0], "numbers"), law(&at("one"), "numbers"));
    // What is merged is complete: a run goes on from it.
    change(&unit(&at("merged"), 4), |stored| stored["measured"]["number"] = 9.5.into());
    run(&at("merged"), &["numbers"]).unwrap();
    assert_eq!(number(&at("merged"), 4), 9.5);
}

#[test]
fn parts_that_do_not_fit_are_refused_by_name() {
    let scratch = tempfile::tempdir().unwrap();
    let (a, b, out) = (scratch.path().join("a"), scratch.path().join("b"), scratch.path().join("out"));
    run(&a, &["all", "--shard", "1/2"]).unwrap();
    run(&b, &["all", "--shard", "2/2"]).unwrap();
    // The first of the eight units is the gallery, so that b has the units 0, 2, 4, 6 of the sweep.
    let (ours, theirs) = (unit(&a, 1), unit(&b, 2));
    let (sound, name) = (fs::read_to_string(&theirs).unwrap(), "numbers".to_owned());
    let refused = |file: &Path| {
        let sweeps = crate::commands::unit_files(&[a.clone(), b.clone()]).unwrap();
        let message = failure(crate::commands::join_units(&name, &sweeps[&name], ALL, &out));
        assert!(message.contains(file.to_str().unwrap()), "{message}");
        // The whole command reports it and merges the rest.
        assert_eq!(failure(merge(&[&a, &b], &out)), "did not merge: numbers");
        assert!(out.join("gallery/record.json").exists() && !out.join("numbers").exists());
        message
    };
    type Change<'a> = &'a dyn Fn(&mut Value);
    let cases: [(Change<'_>, &str); 5] = [
        (&|v| v["identity"]["seed"] = 5.into(), "field `seed`: 0 and 5"),
        (&|v| v["identity"]["git"] = "x".into(), "field `git`"),
        (&|v| v["identity"]["settings"]["units"] = 8.into(), "field `settings.units`: 7 and 8"),
        (&|v| v["identity"]["data"] = "x".into(), "field `data`"),
        (&|v| v["seconds"] = "x".into(), "field `seconds`"),
    ];
    for (spoil, expected) in &cases {
        change(&theirs, spoil);
        let message = refused(&theirs);
        assert!(message.contains(expected), "{message}");
        fs::write(&theirs, &sound).unwrap();
    }
    // The same unit with two values, and one that there should not be.
    fs::copy(&ours, unit(&b, 1)).unwrap();
    change(&unit(&b, 1), |stored| stored["measured"]["number"] = 2.into());
    let message = refused(&ours);
    assert!(message.contains("contradict") && message.contains(unit(&b, 1).to_str().unwrap()), "{message}");
    fs::remove_file(unit(&b, 1)).unwrap();
    fs::copy(&ours, unit(&b, 9)).unwrap();
    change(&unit(&b, 9), |stored| stored["unit"] = "unit-9.5".into());
    assert!(refused(&unit(&b, 9)).contains("have no unit `unit-9.5`"));
    fs::remove_file(unit(&b, 9)).unwrap();
    // Another program's units.
    for file in [1, 3, 5].map(|k| unit(&a, k)).into_iter().chain([0, 2, 4, 6].map(|k| unit(&b, k))) {
        change(&file, |stored| stored["identity"]["version"] = "0.0.0".into());
    }
    assert!(refused(&ours).contains("not of this program: field `version`"));
}

#[test]
fn missing_units_are_named_and_what_is_there_goes_on() {
    let scratch = tempfile::tempdir().unwrap();
    let (a, out) = (scratch.path().join("a"), scratch.path().join("out"));
    run(&a, &["all", "--shard", "1/2"]).unwrap();
    let sweeps = crate::commands::unit_files(std::slice::from_ref(&a)).unwrap();
    let message = failure(crate::commands::join_units("numbers", &sweeps["numbers"], ALL, &out));
    assert_eq!(message, "4 of 7 units are missing: unit-0.5, unit-2.5, unit-4.5, unit-6.5");
    assert_eq!(failure(merge(&[&a], &out)), "did not merge: numbers");
    assert!(out.join("gallery/record.json").exists() && out.join("index.html").exists());
    // The units are in the merged folder, where a run measures the others.
    run(&out, &["numbers"]).unwrap();
    let one = scratch.path().join("one");
    run(&one, &["numbers"]).unwrap();
    assert_eq!(law(&out, "numbers"), law(&one, "numbers"));
    assert!(failure(merge(&[&scratch.path().join("none")], &out)).contains("no such folder"));
    fs::create_dir(scratch.path().join("empty")).unwrap();
    assert!(failure(merge(&[&scratch.path().join("empty")], &out)).contains("no units and no records"));
}

#[test]
fn records_that_contradict_each_other_are_both_named() {
    let scratch = tempfile::tempdir().unwrap();
    let (a, b, out) = (scratch.path().join("a"), scratch.path().join("b"), scratch.path().join("out"));
    run(&a, &["gallery", "--quick"]).unwrap();
    run(&b, &["gallery", "--quick"]).unwrap();
    merge(&[&a, &b], &out).unwrap();
    run(&b, &["gallery", "--quick", "--seed", "1"]).unwrap();
    assert_eq!(failure(merge(&[&a, &b], &out)), "did not merge: gallery");
    let message = failure(crate::commands::join_records("gallery", &[&a, &b], &out));
    assert!(
        message.contains("a/gallery/record.json") && message.contains("b/gallery/record.json"),
        "{message}"
    );
    assert!(message.contains("field `seed`"), "{message}");
}

#[test]
fn bad_sweeps_and_bad_parts_are_found_before_anything_runs() {
    let dir = tempfile::tempdir().unwrap();
    let cases: [(&[&str], &str); 4] = [
        (&["numbers", "--set", "twins=true"], "two units are called `same`"),
        (&["numbers", "--set", "units=0"], "no unit to measure"),
        (&["numbers", "--shard", "4/3"], "I must be from 1 to N"),
        (&["gallery", "--fresh"], "--fresh"),
    ];
    for (words, expected) in cases {
        let message = failure(run(dir.path(), words));
        assert!(message.contains(expected), "{message}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    // A part without units is no error, nor is one of an experiment that fails elsewhere.
    run_in(&[&Broken, &Swept(Numbers)], dir.path(), &["all", "--shard", "9/9"]).unwrap();
}

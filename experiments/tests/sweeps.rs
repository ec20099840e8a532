//! Sweeps over several processes: parts, restarts and merging, as a user starts them.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;

/// A sweep that takes a second.
const NAME: &str = "polarity";
const SETTINGS: [&str; 5] = [NAME, "--quick", "--set", "particles=100", "--shard"];

fn resolvent() -> Command {
    Command::cargo_bin("resolvent").expect("cargo builds the program before its tests")
}

/// The record without its seconds, and its figures.
fn result(dir: &Path) -> (Value, Vec<(String, String)>) {
    let folder = dir.join(NAME);
    let text = fs::read_to_string(folder.join("record.json")).unwrap();
    let mut record: Value = serde_json::from_str(&text).unwrap();
    record.as_object_mut().unwrap().remove("seconds").unwrap();
    let figures = record["figures"].as_array().unwrap().clone();
    let figure = |name: &Value| {
        let name = name.as_str().unwrap().to_owned();
        (name.clone(), fs::read_to_string(folder.join(&name)).unwrap())
    };
    let figures = figures.iter().map(figure).collect();
    (record, figures)
}

/// Whatever the checks say: with so few particles one may fail.
fn finished(output: &std::process::Output) {
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn three_parts_are_one_run() {
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name);
    finished(&resolvent().arg("run").args(&SETTINGS[..4]).arg("--out").arg(at("one")).output().unwrap());
    for part in ["1/3", "2/3", "3/3"] {
        let out = at(&part.replace('/', "-"));
        resolvent().arg("run").args(SETTINGS).arg(part).arg("--out").arg(out).assert().code(0);
    }
    let parts = ["1-3", "2-3", "3-3"].map(at);
    let incomplete =
        contains("1 of 5 units are missing: codimension-3").and(contains("did not merge: polarity"));
    resolvent()
        .arg("merge")
        .args(&parts[..2])
        .arg("--out")
        .arg(at("two"))
        .assert()
        .code(2)
        .stderr(incomplete);
    finished(&resolvent().arg("merge").args(&parts).arg("--out").arg(at("merged")).output().unwrap());
    assert_eq!(result(&at("merged")), result(&at("one")));
    // The parts were measured by the same program; what they hold is what the run stored.
    for unit in fs::read_dir(at("one").join("units").join(NAME)).unwrap().map(Result::unwrap) {
        let read = |dir: &Path| -> Value {
            let path = dir.join("units").join(NAME).join(unit.file_name());
            serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
        };
        assert_eq!(read(&at("merged"))["measured"], read(&at("one"))["measured"]);
    }
    // A second run has nothing left to measure.
    let again = resolvent().arg("run").args(&SETTINGS[..4]).arg("--out").arg(at("one")).output().unwrap();
    let said = String::from_utf8(again.stderr).unwrap();
    assert!(said.contains("0 units measured, 5 units up to date and skipped"), "{said}");
}

#[test]
fn gnu_parallel_runs_the_parts() {
    let version = std::process::Command::new("parallel").arg("--version").stderr(Stdio::null()).output();
    if !version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("GNU parallel")) {
        eprintln!("skipped: there is no GNU parallel here");
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let (out, merged, one) =
        (scratch.path().join("out"), scratch.path().join("merged"), scratch.path().join("one"));
    let program = assert_cmd::cargo::cargo_bin("resolvent");
    // The line of docs/sweeps.md: all parts at once into one folder.
    let status = std::process::Command::new("parallel")
        .args(["--will-cite", "--jobs", "3"])
        .arg(&program)
        .arg("run")
        .args(SETTINGS)
        .arg("{}/3")
        .arg("--threads")
        .arg("1")
        .arg("--out")
        .arg(&out)
        .args([":::", "1", "2", "3"])
        .output()
        .unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    finished(&resolvent().arg("merge").arg(&out).arg("--out").arg(&merged).output().unwrap());
    finished(&resolvent().arg("run").args(&SETTINGS[..4]).arg("--out").arg(&one).output().unwrap());
    assert_eq!(result(&merged), result(&one));
}

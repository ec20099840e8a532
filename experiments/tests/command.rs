//! The command as a user meets it: messages, exit statuses, tables.

use std::fs;

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::{contains, starts_with};

fn resolvent() -> Command {
    Command::cargo_bin("resolvent").expect("cargo builds the program before its tests")
}

#[test]
fn help_names_the_subcommands_and_the_exit_status() {
    let all = contains("list").and(contains("run")).and(contains("tabulate")).and(contains("report"));
    let all = all.and(contains("merge")).and(contains("claims"));
    resolvent().arg("--help").assert().code(0).stdout(all.and(contains("Exit status")));
    resolvent().args(["run", "--help"]).assert().code(0).stdout(contains("--quick").and(contains("--set")));
    resolvent().arg("list").assert().code(0);
}

#[test]
fn bad_use_is_one_error_with_status_two() {
    resolvent().assert().code(2);
    resolvent().arg("fly").assert().code(2).stderr(starts_with("error: "));
    resolvent().args(["run", "--quick"]).assert().code(2).stderr(starts_with("error: "));
    let unknown = starts_with("error: no experiment `no-such`; there are all").and(contains("\n").count(1));
    resolvent().args(["run", "no-such"]).assert().code(2).stderr(unknown).stdout("");
    resolvent().args(["run", "all", "--threads", "0"]).assert().code(2);
    resolvent()
        .args(["run", "all", "--set", "rate"])
        .assert()
        .code(2)
        .stderr(contains("`rate` is not key=value"));
    for out in ["/proc", "/dev/null", "/dev/null/out"] {
        let named = starts_with(format!("error: --out {out}: ")).and(contains("\n").count(1));
        resolvent().args(["run", "green-law", "--quick", "--out", out]).assert().code(2).stderr(named);
    }
    resolvent().args(["run", "all", "--data", "/no/such"]).assert().code(2).stderr(contains("/no/such"));
}

#[test]
fn a_folder_that_is_no_record_is_never_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let thesis = dir.path().join("green-law/thesis.tex");
    fs::create_dir(dir.path().join("green-law")).unwrap();
    fs::write(&thesis, "years of work").unwrap();
    let mut command = resolvent();
    command.args(["run", "green-law", "--quick", "--out"]).arg(dir.path());
    let named = starts_with("error: ").and(contains("green-law: holds no record"));
    command.assert().code(2).stderr(named).stdout("");
    assert_eq!(fs::read_to_string(&thesis).unwrap(), "years of work");
}

#[test]
fn a_report_needs_sound_records() {
    resolvent().args(["report", "/no/such/folder"]).assert().code(2).stderr(contains("/no/such/folder"));
    let dir = tempfile::tempdir().unwrap();
    let report = || {
        let mut command = resolvent();
        command.arg("report").arg(dir.path());
        command.assert().code(2)
    };
    report().stderr(contains("no records"));
    fs::create_dir(dir.path().join("green-law")).unwrap();
    report().stderr(contains("no records"));
    fs::write(dir.path().join("green-law/record.json"), r#"{"experiment": 3}"#).unwrap();
    report().stderr(contains("green-law/record.json").and(contains("field `experiment`")));
    assert!(!dir.path().join("index.html").exists());
}

#[test]
fn claims_are_judged_by_the_records_there_are() {
    resolvent().args(["claims", "/no/such/folder"]).assert().code(2).stderr(contains("/no/such/folder"));
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("claims.md");
    let claims = || {
        let mut command = resolvent();
        command.arg("claims").arg(dir.path());
        command.assert()
    };
    claims().code(0).stdout(contains("no records").and(contains("`green-law` (no record)")));
    resolvent().args(["run", "green-law", "--quick", "--out"]).arg(dir.path()).assert().code(0);
    claims().code(0).stdout(contains("`green-law` (10 checks)").and(contains("quick settings, seed 0")));
    resolvent().arg("claims").arg(dir.path()).arg("--out").arg(&page).assert().code(0).stdout("");
    assert!(fs::read_to_string(&page).unwrap().starts_with("# Claims of the sources"));
    fs::write(dir.path().join("green-law/record.json"), "{").unwrap();
    claims().code(2).stderr(contains("green-law/record.json"));
}

#[test]
fn bessel_functions_have_their_closed_forms_at_order_one_half() {
    let output =
        resolvent().args(["tabulate", "bessel", "--nu", "-0.5,0.5", "--z", "1e-2:1e2:5"]).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("nu,z,log_k,ratio_k,log_i,ratio_i"));
    let rows: Vec<Vec<f64>> =
        lines.map(|line| line.split(',').map(|x| x.parse().unwrap()).collect()).collect();
    assert_eq!(rows.len(), 10);
    for row in &rows[5..] {
        let (z, log_k, ratio_k, log_i) = (row[1], row[2], row[3], row[4]);
        assert!(
            (log_k - (0.5 * (std::f64::consts::FRAC_PI_2 / z).ln() - z)).abs() < 1e-13 * log_k.abs().max(1.0)
        );
        assert!((ratio_k / (1.0 + 1.0 / z) - 1.0).abs() < 1e-14);
        let log_sinh = z + (-(-2.0 * z).exp()).ln_1p() - 2f64.ln();
        let exact = 0.5 * (2.0 / (std::f64::consts::PI * z)).ln() + log_sinh;
        assert!((log_i - exact).abs() < 1e-13 * exact.abs().max(1.0));
    }
}

#[test]
fn a_bessel_table_from_a_file_is_written_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let (input, out) = (dir.path().join("in.csv"), dir.path().join("out.csv"));
    let tabulate = |text: &str| {
        fs::write(&input, text).unwrap();
        let mut command = resolvent();
        command.args(["tabulate", "bessel", "--input"]).arg(&input).arg("--out").arg(&out);
        command.assert()
    };
    let cases = [
        ("nu,x\n1,2\n", "no column named \"z\"; it holds nu, x"),
        ("nu,z\n1,2\n3,-1\n", "in.csv: line 3, column z: -1 is not > 0"),
        ("nu,z\n# a comment\n1,nan\n", "line 3, column \"z\": \"nan\""),
        ("z,nu\n1,-0.6\n", "line 2, column nu: -0.6 is not >= -0.5"),
        ("z,nu\n1\n", "line 2 is of 1 fields"),
        ("", "without rows"),
    ];
    for (text, message) in cases {
        tabulate(text).code(2).stderr(starts_with("error: ").and(contains(message)));
        assert!(!out.exists());
    }
    tabulate("extra, nu, z\n0, 195462, 1e-12\n").code(0).stdout("");
    let table = fs::read_to_string(&out).unwrap();
    let row = table.lines().nth(1).unwrap();
    assert!(row.starts_with("1.9546200000000000e5,"), "{row}");
    assert_eq!(row.split(',').count(), 6);
}

#[test]
fn the_green_table_agrees_with_the_closed_form_in_three_dimensions() {
    let args = ["tabulate", "green", "--dim", "3", "--rate", "0.5", "--rho", "0.1:10:3"];
    let output = resolvent().args(args).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for line in text.lines().skip(1) {
        let row: Vec<f64> = line.split(',').map(|x| x.parse().unwrap()).collect();
        let rho = row[0];
        // G = exp(-a rho)/(2 pi rho) with a = 1, so |grad log G| = 1 + 1/rho and the mean lifetime is rho/a.
        let exact = -rho - (std::f64::consts::TAU * rho).ln();
        let expected = [rho, exact, exact + 0.5f64.ln(), 1.0 + 1.0 / rho, (1.0 + 1.0 / rho) / rho, rho];
        for (value, exact) in row.iter().zip(expected) {
            assert!((value - exact).abs() < 1e-12 * exact.abs().max(1.0), "{value} {exact}");
        }
    }
    let bad = ["tabulate", "green", "--dim", "3", "--rate", "-1", "--rho", "0.1:10:3"];
    resolvent().args(bad).assert().code(2).stderr(starts_with("error: ").and(contains("rate")));
}

#[test]
fn tables_need_one_source_of_arguments() {
    let refused: [&[&str]; 6] = [
        &["bessel"],
        &["bessel", "--nu", "1"],
        &["bessel", "--z", "1:2:3"],
        &["bessel", "--input", "x.csv", "--nu", "1", "--z", "1:2:3"],
        &["bessel", "--nu", "1", "--z", "0:2:3"],
        &["bessel", "--nu", "1", "--z", "1:2:999999999999"],
    ];
    for args in refused {
        resolvent().arg("tabulate").args(args).assert().code(2).stderr(starts_with("error: "));
    }
    resolvent()
        .args(["tabulate", "bessel", "--nu", "-3", "--z", "1:2:3"])
        .assert()
        .code(2)
        .stderr(contains("--nu -3"));
}

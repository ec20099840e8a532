//! What `sample` and `project` refuse, and how they say it.

use super::Bench;

#[test]
fn options_that_do_not_go_together_are_refused() {
    let bench = Bench::new();
    for (options, words) in [
        ("--dt 0.1 --eta 0.2", &["--dt", "--eta"][..]),
        ("--dt 0.1 --delta 0.2", &["--dt", "--delta"]),
        ("--dt 0.1 --step bridge --ignore-spread", &["--dt", "--ignore-spread"]),
        ("--ignore-spread", &["--ignore-spread", "posterior-bridge"]),
        ("--step euler", &["euler needs --kill", "sup:C", "l2:M", "distance:DELTA", "exponential:RATE"]),
        ("--step euler --kill lifetime,time:1", &["--kill lifetime", "euler"]),
        ("--kill support:0.1", &["--kill support:DELTA needs --support"]),
        ("--support circle:1", &["--support goes with --kill support:DELTA"]),
        ("--support circle:1 --kill distance:1", &["--support goes with"]),
        ("--kill time:1,sup:3,time:2", &["--kill time:2", "already", "time:1"]),
        ("--kill lifetime,lifetime", &["--kill lifetime", "already"]),
        ("--denoise", &["--denoise", "--kill"]),
        ("--kill lifetime --denoise", &["--denoise"]),
        ("--paths 3", &["--paths 3", "2 particles"]),
        ("--out o.npy", &["--out o.npy", ".npz"]),
        ("--out none/o.npz", &["--out none/o.npz", "no folder none"]),
        ("--model vp", &["vp", "killed"]),
        ("--fly", &["--fly"]),
    ] {
        bench.refuse(&format!("sample --data y.npy --n 2 {options}"), words);
    }
    bench.refuse("project --data y.npy --input y.npy --fill 1", &["--mask"]);
    bench.refuse("project --data y.npy --input y.npy --start law", &["--start"]);
    bench.refuse("project --data y.npy", &["--input"]);
    bench.refuse("sample --data y.npy", &["--n"]);
}

#[test]
fn rules_that_wait_for_the_data_are_refused_in_one_dimension() {
    let bench = Bench::new();
    bench.file("line.npy", &[4, 1], &[0.0, 1.0, 2.5, 4.0]);
    for rule in ["sup:3", "l2:3", "distance:0.1", "support:0.1 --support circle:1"] {
        for more in ["", "--step euler"] {
            let line = format!("sample --data line.npy --n 2 {more} --kill {rule}");
            bench.refuse(&line, &["codimension 1", "the lifetime that --step posterior-bridge"]);
        }
    }
    bench.run("sample --data line.npy --n 2 --kill lifetime,time:3,steps:9,exponential:1");
    bench.run("sample --data line.npy --n 2 --step euler --kill exponential:1");
    bench.run("sample --data y.npy --n 2 --kill sup:3,distance:0.1");
}

#[test]
fn bad_numbers_and_rules_are_named() {
    let bench = Bench::new();
    for (options, words) in [
        ("--rate 0", &["'0'", "--rate"][..]),
        ("--rate -1", &["'-1'", "--rate"]),
        ("--sigma nan", &["'nan'", "--sigma"]),
        ("--eta 0", &["'0'", "--eta"]),
        ("--delta -1", &["'-1'", "--delta"]),
        ("--dt inf", &["'inf'", "--dt"]),
        ("--cap 0", &["'0'", "--cap"]),
        ("--batch 0", &["'0'", "--batch"]),
        ("--threads 0", &["'0'", "--threads"]),
        ("--kill fly:3", &["`fly`", "lifetime, sup:C"]),
        ("--kill time:1,sup", &["'sup'", "sup needs a number"]),
        ("--kill sup:", &["'sup:'", "not a positive finite number"]),
        ("--kill sup:many", &["sup, `many`"]),
        ("--kill l2:-3", &["l2, `-3`"]),
        ("--kill distance:0", &["distance, `0`"]),
        ("--kill exponential:inf", &["exponential, `inf`"]),
        ("--kill steps:2.5", &["steps, `2.5`, is not a whole number"]),
        ("--kill lifetime:3", &["lifetime takes no number, got `3`"]),
        ("--kill support:1 --support ring:1", &["ring:1", "circle:RADIUS"]),
        ("--kill support:1 --support circle:-1", &["`-1`"]),
        ("--kill support:1 --support torus:1:2", &["--support torus:1:2", "minor = 2"]),
        ("--kill support:1 --support sphere:3:1", &["--support sphere:3:1", "dim = 3"]),
    ] {
        bench.refuse(&format!("sample --data y.npy --n 2 {options}"), words);
    }
    bench.refuse("sample --data y.npy --n 0", &["'0'", "--n"]);
    bench.refuse("sample --data y.npy --n 9000000000000000000", &["--n 9000000000000000000", "memory"]);
    bench.refuse("project --data y.npy --input y.npy --mask y.npy --fill grey", &["grey", "`mean`"]);
}

#[test]
fn bad_files_are_named_with_the_place() {
    let bench = Bench::new();
    bench.file("nan.npy", &[2, 3], &[1.0, 2.0, 3.0, 4.0, f64::NAN, 6.0]);
    bench.file("flat.npy", &[2, 2], &[1.0; 4]);
    bench.file("four.npy", &[4], &[1.0; 4]);
    bench.file("negative.npy", &[5], &[1.0, -2.0, 1.0, 1.0, 1.0]);
    bench.file("nothing.npy", &[5], &[0.0; 5]);
    bench.file("grey.npy", &[5, 3], &[1., 1., 1., 0., 0., 0., 1., 1., 0.5, 1., 1., 1., 1., 1., 1.]);
    for (line, words) in [
        ("sample --n 1 --data none.npy", &["--data", "none.npy", "No such file"][..]),
        ("sample --n 1 --data nan.npy", &["--data", "nan.npy", "row 1, column 1", "NaN"]),
        ("sample --n 1 --data y.npy --start none.npy", &["--start", "none.npy", "No such file"]),
        ("sample --n 1 --data y.npy --start nan.npy", &["--start", "nan.npy", "row 1, column 1"]),
        (
            "sample --n 1 --data y.npy --start flat.npy",
            &["--start flat.npy", "dimension 2", "the 3 of the data"],
        ),
        (
            "sample --n 1 --data y.npy --weights four.npy",
            &["--weights four.npy", "4 weights", "5 points of y.npy"],
        ),
        ("sample --n 1 --data y.npy --weights flat.npy", &["--weights flat.npy", "[2, 2]"]),
        ("sample --n 1 --data y.npy --weights negative.npy", &["--weights negative.npy", "weight 1", "-2"]),
        ("sample --n 1 --data y.npy --weights nothing.npy", &["--weights nothing.npy", "zero"]),
        ("project --data y.npy --input flat.npy", &["--input flat.npy", "dimension 2"]),
        ("project --data y.npy --input y.npy --mask flat.npy", &["--mask flat.npy", "[2, 2]", "[5, 3]"]),
        (
            "project --data y.npy --input y.npy --mask grey.npy",
            &["grey.npy", "row 2, column 2 is 0.5", "0 or 1"],
        ),
        ("project --data y.npy --input y.npy --mask none.npy", &["--mask", "none.npy"]),
    ] {
        bench.refuse(line, words);
    }
}

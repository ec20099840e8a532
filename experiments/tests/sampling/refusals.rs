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
        ("--model ddpm", &["ddpm", "killed, drift, ou, vp, subvp, ve, edm"]),
        ("--fly", &["--fly"]),
    ] {
        bench.refuse(&format!("sample --data y.npy --n 2 {options}"), words);
    }
    for (options, words) in [
        ("--beta-min 1", &["--beta-min: not with --model killed"][..]),
        ("--churn 1 --steps 3", &["--steps, --churn: not with --model killed"]),
        ("--no-denoise", &["--no-denoise"]),
        (
            "--step ddim",
            &["--step ddim", "--model killed are posterior-bridge, bridge, corrected-bridge, euler, flux"],
        ),
        ("--start prior", &["--start prior", "killed has no prior"]),
        ("--model vp --rate 1", &["--rate: only with --model killed, drift or ou, not with vp"]),
        ("--model vp --kill time:1 --denoise", &["--kill, --denoise: only with --model killed, drift or ou"]),
        ("--model ve --sigma 1", &["--sigma: only"]),
        ("--model edm --delta 1 --ignore-spread", &["--delta, --ignore-spread: only"]),
        ("--model vp --dt 0.1", &["--dt: only"]),
        ("--model vp --step bridge", &["--step bridge", "--model vp are ddim", "adaptive-sde"]),
        ("--model vp --sigma-max 3", &["--sigma-max: only with --model ve or edm", "--model vp"]),
        ("--model ve --beta-max 3", &["--beta-max: only with --model vp or subvp", "--model ve"]),
        ("--model edm --t-end 1", &["--t-end: only with --model vp, subvp or ve", "--sigma-min"]),
        ("--model vp --rho 3", &["--rho: only with --grid karras"]),
        ("--model vp --eta 0.5", &["--eta: only with --step ddim or euler-ancestral", "dpm++2m"]),
        ("--model vp --step ddim --churn 5", &["--churn: only with --step heun or euler", "ddim"]),
        ("--model vp --churn-noise 1", &["--churn"]),
        ("--model vp --snr 0.1", &["--snr: only with --step pc"]),
        ("--model vp --step ddpm --corrector-steps 2", &["--corrector-steps: only with --step pc"]),
        ("--model vp --rtol 1", &["--rtol: only with --step ode or adaptive-sde", "dpm++2m"]),
        ("--model vp --step ode --steps 5", &["--steps: only with a step through a grid", "ode"]),
        ("--model vp --step ode --grid time", &["--grid: only with a step through a grid"]),
        ("--model vp --cap 100", &["--cap: only with --step ode or adaptive-sde"]),
    ] {
        bench.refuse(&format!("sample --data y.npy --n 2 {options}"), words);
    }
    let project = "project --data y.npy --input y.npy";
    bench.refuse(&format!("{project} --noise 1"), &["--noise", "--model killed"]);
    bench.refuse(&format!("{project} --model vp"), &["--model vp needs --noise"]);
    let masked = format!("{project} --model vp --noise 1 --mask y.npy");
    bench.refuse(
        &masked,
        &["--mask goes with --model killed, drift and ou", "one noise level for all coordinates"],
    );
    bench.refuse("sample --data y.npy --n 2 --model vp --noise 1", &["--noise"]);
    bench.refuse("project --data y.npy --input y.npy --fill 1", &["--mask"]);
    bench.refuse("project --data y.npy --input y.npy --start law", &["--start"]);
    bench.refuse("project --data y.npy", &["--input"]);
    bench.refuse("sample --data y.npy", &["--n"]);
}

#[test]
fn rules_that_wait_for_the_data_are_refused_in_one_dimension() {
    let bench = Bench::new();
    bench.file("line.npy", &[4, 1], &[0.0, 1.0, 2.5, 4.0]);
    for rule in ["sup:3", "l2:3", "distance:0.1", "tangent:0.1:3:1", "support:0.1 --support circle:1"] {
        for more in ["", "--step euler"] {
            let line = format!("sample --data line.npy --n 2 {more} --kill {rule}");
            bench.refuse(&line, &["codimension 1", "the lifetime that --step posterior-bridge"]);
        }
    }
    bench.run("sample --data line.npy --n 2 --kill lifetime,time:3,steps:9,exponential:1");
    bench.run("sample --data line.npy --n 2 --step euler --kill exponential:1");
    bench.run("sample --data y.npy --n 2 --kill sup:3,distance:0.1,tangent:0.1:4:1");
}

#[test]
fn bad_numbers_and_rules_are_named() {
    let bench = Bench::new();
    for (options, words) in [
        ("--model vp --beta-min 0", &["'0'", "--beta-min"][..]),
        ("--model ve --sigma-max -1", &["'-1'", "--sigma-max"]),
        ("--model ve --sigma-min 60", &["--sigma-min", "60", "50"]),
        ("--model edm --sigma-min 90", &["--sigma-min 90", "80"]),
        ("--model vp --t-end 1", &["--t-end 1", "the start, at 1"]),
        ("--model vp --steps 0", &["'0'", "--steps"]),
        ("--model edm --steps 1", &["--steps", "at least 2, got 1"]),
        ("--model edm --rho 0", &["'0'", "--rho"]),
        ("--model vp --step ddim --eta 1.5", &["--eta 1.5", "between 0"]),
        ("--model vp --step ddim --eta -1", &["'-1'", "--eta"]),
        ("--model edm --churn -1", &["'-1'", "--churn"]),
        ("--model edm --churn 1 --churn-min 2 --churn-max 1", &["--churn-max 1", "--churn-min 2"]),
        ("--model vp --step pc --snr 0", &["'0'", "--snr"]),
        ("--model vp --step pc --corrector-steps 0", &["'0'", "--corrector-steps"]),
        ("--model vp --step ode --rtol 0", &["'0'", "--rtol"]),
        ("--model vp --step ode --cap 3", &["--cap", "got 3"]),
        ("--model vp --step adaptive-sde --cap 1", &["--cap", "got 1"]),
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
        ("--kill tangent:0", &["tangent, `0`"]),
        ("--kill tangent:0.1:4", &["DELTA or DELTA:K:M, got `0.1:4`"]),
        ("--kill tangent:0.1:x:1", &["tangent, `x`, is not a whole number"]),
        ("--kill tangent:0.1:9:1", &["--kill tangent:0.1:9:1", "data must be at least 9, got 5"]),
        ("--kill tangent:0.1:3:2", &["--kill tangent:0.1:3:2", "codimension 1 is not polar"]),
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
    for noise in ["0", "0.001", "200"] {
        let line = format!("project --data y.npy --input y.npy --model vp --noise {noise}");
        bench.refuse(&line, &["--noise", noise]);
    }
    bench.refuse("sample --data y.npy --n 0", &["'0'", "--n"]);
    bench.refuse("sample --data y.npy --n 9000000000000000000", &["--n 9000000000000000000", "memory"]);
    for flag in ["--steps", "--corrector-steps"] {
        let line = format!("sample --data y.npy --n 2 --model vp --step pc {flag} 9000000000000000000");
        bench.refuse(&line, &[flag, "9000000000000000000"]);
    }
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

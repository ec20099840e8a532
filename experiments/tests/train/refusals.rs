//! What `train` refuses, and how it says it.

use super::{Bench, CIRCLE};

use std::fs;

#[test]
fn bad_settings_are_named_with_file_key_and_value() {
    let bench = Bench::new();
    for (options, words) in [
        ("training.stepz=3", &["training.stepz = 3", "unknown field", "steps"][..]),
        ("modell.rate=1", &["modell", "unknown field"]),
        ("data.pointz=3", &["data.pointz = 3", "unknown field"]),
        ("model.architecture.mlp.widht=3", &["model.architecture.mlp.widht = 3", "unknown field"]),
        (
            "examples.deaths.proposal.exponential.rat=1",
            &["examples.deaths.proposal.exponential.rat = 1", "unknown field"],
        ),
        ("data.law={circel={dim=2}}", &["data.law", "circel", "circle"]),
        ("data.law.circle.dim=two", &["data.law.circle.dim = \"two\"", "expected usize"]),
        ("training.steps=many", &["training.steps = \"many\"", "expected u64"]),
        ("training.batch=-1", &["training.batch = -1"]),
        ("training.learning_rate=[1]", &["training.learning_rate = [1]", "expected f64"]),
        ("training.betas=[0.9,0.9,0.9]", &["training.betas"]),
        ("training.steps.more=1", &["training.steps.more", "`steps` is no table"]),
        ("model.conditioning=deaf", &["model.conditioning = \"deaf\"", "blind"]),
        ("training.learning_rate=nan", &["training.learning_rate = NaN is not finite"]),
        ("examples.deaths.closest=nan", &["examples.deaths.closest = NaN is not finite"]),
        ("training.clip=inf", &["training.clip = inf is not finite"]),
        ("training.learning_rate=0", &["learning_rate must be positive and finite, got 0"]),
        ("training.steps=0", &["steps must be at least 1, got 0"]),
        ("training.batch=0", &["batch must be at least 1, got 0"]),
        ("training.average_decay=1", &["average_decay must be in [0, 1), got 1"]),
        ("model.architecture.mlp.width=0", &["width must be at least 1, got 0"]),
        ("model.architecture={unet={side=28,folded=true,channels=[8],blocks=1}}", &["28 x 28", "2 numbers"]),
        ("model.rate=-1", &["rate", "-1"]),
        ("validation=0", &["validation must be at least 1, got 0"]),
        (
            "examples.deaths.proposal.exponential.rate=0",
            &["proposal.rate must be positive and finite, got 0"],
        ),
        (
            "examples.deaths.proposal.log-normal.deviation=0",
            &["examples.deaths.proposal: takes one of its kinds, got exponential, log-normal"],
        ),
        ("data.law.circle.radius=-1", &["data.law", "radius = -1"]),
        ("data.law.circle.dim=1", &["data.law", "dim = 1"]),
        ("data.points=0", &["data.points = 0"]),
        ("data.held_out=0", &["data.held_out = 0"]),
        ("data.points=9000000000000000000", &["data.points = 9000000000000000000", "memory"]),
        ("data.file=x.npy", &["only one of law, file and mnist"]),
        (
            "examples={noised={proposal={exponential={rate=1}},weighting='edm'}}",
            &["a blind model cannot learn from examples that have no gain"],
        ),
    ] {
        let words = [&["circle.toml with", options.split('=').next().unwrap()][..], words].concat();
        bench.refuse(&format!("train circle.toml --set {options}"), &words);
    }
    bench.refuse("train circle.toml --seed 1 --set training.seed=2", &["training.seed", "given twice"]);
    bench.refuse("train circle.toml --set rate", &["`rate` is not key=value"]);
    bench.refuse("train circle.toml --seconds 0", &["'0'", "--seconds"]);
    bench.refuse("train circle.toml --threads 0", &["'0'", "--threads"]);
    for (text, words) in [
        ("validation = 3\nsteps = = 2\n", &["bad.toml", "line 2"][..]),
        ("", &["bad.toml", "has no table [data]"]),
        ("[data]\nlaw = \"glyphs\"\n", &["bad.toml", "missing field `model`"]),
        (&CIRCLE.replace("width = 12\n", ""), &["model.architecture.mlp", "missing field `width`"]),
        (&CIRCLE.replace("points = 300\n", ""), &["data.points", "missing"]),
        (&CIRCLE.replace("law = { circle = { dim = 2 } }", ""), &["needs one of law, file and mnist"]),
    ] {
        bench.write("bad.toml", text);
        bench.refuse("train bad.toml", &[&["bad.toml"][..], words].concat());
    }
    bench.refuse("train none.toml", &["none.toml", "No such file"]);
}

#[test]
fn bad_data_are_named() {
    let bench = Bench::new();
    bench.points("nan.npy", &[2, 2], &[1.0, 2.0, f64::NAN, 4.0]);
    bench.points("empty.npy", &[0, 2], &[]);
    bench.points("one.npy", &[1, 2], &[1.0, 2.0]);
    bench.points("same.npy", &[4, 2], &[1.0; 8]);
    bench.points("five.npy", &[5, 2], &[1.0, 2.0, 3.0, 5.0, 8.0, 1.0, 2.0, 3.0, 5.0, 8.0]);
    fs::create_dir(bench.path("folder")).unwrap();
    let few = "--set data.points=3 --set data.held_out=1";
    for (data, words) in [
        ("none.npy", &["--data none.npy", "no such file"][..]),
        ("nan.npy", &["nan.npy", "row 1, column 0", "NaN"]),
        ("empty.npy", &["empty.npy"]),
        ("one.npy", &["one.npy", "holds 1 points"]),
        ("same.npy", &["do not vary"]),
        ("folder", &["folder", "images-idx3-ubyte"]),
    ] {
        bench.refuse(&format!("train circle.toml {few} --data {data}"), words);
    }
    let words = &["five.npy", "holds 5 points", "data.points = 300", "data.held_out = 50"];
    bench.refuse("train circle.toml --data five.npy", words);
    // The architecture is for images of another size.
    let unet = "--set model.architecture={unet={side=4,folded=false,channels=[4],blocks=1}}";
    bench.refuse(&format!("train circle.toml {few} {unet} --data five.npy"), &["data", "4 x 4"]);
}

#[test]
fn files_that_are_there_are_never_replaced() {
    let bench = Bench::new();
    bench.refuse("train circle.toml --resume", &["--resume", "circle.state.safetensors", "No such file"]);
    bench.refuse("train circle.toml --out none/o", &["--out none/o", "no folder none"]);
    bench.refuse("train circle.toml --out o.safetensors", &["--out o.safetensors", "without ending"]);
    bench.refuse("train circle.toml --out ..", &["--out ..", "names no file"]);
    for name in ["a.safetensors", "a.state.safetensors", "a.jsonl"] {
        bench.write(name, "years of work");
        bench.refuse("train circle.toml --out a", &[name, "is there already", "--resume"]);
        fs::remove_file(bench.path(name)).unwrap();
    }
}

#[test]
fn a_checkpoint_of_another_training_is_not_gone_on_with() {
    let bench = Bench::new();
    let few = "--set training.steps=4";
    bench.run(&format!("train circle.toml {few}"));
    for (options, words) in [
        ("--set training.steps=5", &["another training", "steps is 4 there, 5 here"][..]),
        ("--seed 3", &["another training", "seed is 0 there, 3 here"]),
        ("--set model.architecture.mlp.width=13", &["another training", "width is 12 there, 13 here"]),
        ("--set data.seed=5", &["another training", "seed is 4 there, 5 here"]),
    ] {
        let steps = if options.contains("steps") { "" } else { few };
        bench.refuse(&format!("train circle.toml --resume {steps} {options}"), words);
    }
    let state = fs::read(bench.path("circle.state.safetensors")).unwrap();
    let resume = format!("train circle.toml --resume {few}");
    for cut in [0, 7, 100, state.len() - 9] {
        fs::write(bench.path("circle.state.safetensors"), &state[..cut]).unwrap();
        bench.refuse(&resume, &["--resume", "circle.state.safetensors"]);
    }
    fs::copy(bench.path("circle.safetensors"), bench.path("circle.state.safetensors")).unwrap();
    bench.refuse(&resume, &["--resume", "circle.state.safetensors", "training state"]);
    let text = String::from_utf8_lossy(&state);
    assert!(text.contains(r#"\"version\":1"#));
    let at = state.windows(13).position(|window| window == br#"\"version\":1"#).unwrap();
    let mut newer = state.clone();
    newer[at + 12] = b'7';
    fs::write(bench.path("circle.state.safetensors"), newer).unwrap();
    bench.refuse(&resume, &["--resume", "circle.state.safetensors", "version"]);
}

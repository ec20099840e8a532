//! Tells the program which sources it is built from, as `RESOLVENT_GIT`, and what the settings of its experiments mean, as
//! `setting_docs.rs`.

use std::collections::hash_map::DefaultHasher;
use std::fmt::Write as _;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the sources are that the program is made of.
const SOURCES: [&str; 9] = [
    "build.rs",
    "Cargo.toml",
    "src",
    "../src",
    "../crates",
    "../checkpoints",
    "../recipes",
    "../Cargo.toml",
    "../Cargo.lock",
];

fn main() {
    // The commit; its hash whatever tags there are.
    let commit = git(&["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]);
    let commit = match commit {
        Some(commit) if !commit.ends_with("-dirty") => commit,
        // Results of changed sources must not be taken for each other.
        Some(changed) => format!("{changed}-{:016x}", hash()),
        None => format!("unknown-{:016x}", hash()),
    };
    println!("cargo::rustc-env=RESOLVENT_GIT={commit}");
    // The sources are in the list for the sake of the hash. What is not there is left out, as cargo would otherwise run
    // this program every time.
    let inside = |path| git(&["rev-parse", "--git-path", path]);
    let heads = ["HEAD", "refs", "packed-refs"].into_iter().filter_map(inside);
    let sources = SOURCES.map(String::from);
    for path in heads.chain(sources).filter(|path| Path::new(path).exists()) {
        println!("cargo::rerun-if-changed={path}");
    }
    let out = std::env::var_os("OUT_DIR").expect("cargo gives build scripts a folder");
    fs::write(Path::new(&out).join("setting_docs.rs"), setting_docs()).expect("the folder is there");
}

/// The output of a git command in the folder of this package; nothing without git or outside a checkout.
fn git(arguments: &[&str]) -> Option<String> {
    let output =
        Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

/// A hash of the names and contents of all sources.
fn hash() -> u64 {
    let mut hasher = DefaultHasher::new();
    for path in SOURCES.iter().flat_map(|path| files(Path::new(path))) {
        path.hash(&mut hasher);
        fs::read(&path).unwrap_or_default().hash(&mut hasher);
    }
    hasher.finish()
}

/// The files in a folder and all folders below, or the file itself, in order.
fn files(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(path) else {
        return if path.is_file() { vec![path.to_owned()] } else { Vec::new() };
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().flat_map(|path| files(path)).collect()
}

/// The constant `SETTING_DOCS`: for every struct below `src/experiments` its path in the program with the names and the
/// documentation of its fields.
fn setting_docs() -> String {
    let mut text = "const SETTING_DOCS: &[(&str, SettingDocs)] = &[\n".to_owned();
    for file in files(Path::new("src/experiments")) {
        let source = fs::read_to_string(&file).unwrap_or_default();
        let module = file.with_extension("").to_string_lossy().replace('/', "::");
        let module = module.trim_start_matches("src").trim_end_matches("::mod").to_owned();
        for (name, fields) in structs(&source) {
            writeln!(text, "    ({:?}, &{fields:?}),", format!("{module}::{name}")).expect("a string grows");
        }
    }
    text + "];\n"
}

/// The structs with named fields of a formatted source, and the documentation of those fields. A field without any shares that
/// of the field above it.
fn structs(source: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut found = Vec::new();
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        let Some((visibility, rest)) = line.split_once("struct ") else { continue };
        let Some(name) = rest.strip_suffix(" {") else { continue };
        if !visibility.is_empty() && !visibility.starts_with("pub") {
            continue;
        }
        let (mut fields, mut doc, mut fresh) = (Vec::new(), Vec::new(), true);
        for line in lines.by_ref().take_while(|line| *line != "}").map(str::trim) {
            if let Some(words) = line.strip_prefix("///") {
                if fresh {
                    doc.clear();
                }
                doc.push(words.trim());
                fresh = false;
            } else if let Some((field, _)) = line.split_once(": ").filter(|_| !line.starts_with(['#', '/'])) {
                let field = field.rsplit(' ').next().unwrap_or(field).to_owned();
                fields.push((field, doc.join(" ")));
                fresh = true;
            }
        }
        found.push((name.to_owned(), fields));
    }
    found
}

//! Tells the program which commit it is built from, as `RESOLVENT_GIT`.

use std::path::Path;
use std::process::Command;

fn main() {
    // The commit, with `-dirty` after it where tracked files differ from it; its hash whatever tags there are.
    let commit = git(&["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]);
    println!("cargo::rustc-env=RESOLVENT_GIT={}", commit.unwrap_or_else(|| "unknown".into()));
    // The sources are in the list for the sake of `-dirty`. What is not there is left out, as cargo would otherwise run
    // this program every time.
    let inside = |path| git(&["rev-parse", "--git-path", path]);
    let heads = ["HEAD", "refs", "packed-refs"].into_iter().filter_map(inside);
    let sources = ["build.rs", "src", "../src", "../crates"].map(String::from);
    for path in heads.chain(sources).filter(|path| Path::new(path).exists()) {
        println!("cargo::rerun-if-changed={path}");
    }
}

/// The output of a git command in the folder of this package; nothing without git or outside a checkout.
fn git(arguments: &[&str]) -> Option<String> {
    let output =
        Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

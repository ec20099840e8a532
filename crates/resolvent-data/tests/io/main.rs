//! Files of every format: what is written is read back, and what is damaged is named.

mod atomic;
mod csv;
mod idx;
mod mnist;
mod npy;
mod npz;
mod points;

use std::path::PathBuf;
use tempfile::TempDir;

/// A file with this content in a folder of its own, which lives as long as the first value.
fn file(name: &str, content: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

/// The message of a failure, which has to name the file and every one of `parts`.
#[track_caller]
fn assert_names<T: std::fmt::Debug>(
    result: resolvent_data::Result<T>,
    path: &std::path::Path,
    parts: &[&str],
) {
    let message = result.expect_err("a bad file was accepted").to_string();
    let name = path.file_name().unwrap().to_str().unwrap();
    for part in parts.iter().chain([&name]) {
        assert!(message.contains(part), "{part:?} is missing in {message:?}");
    }
}

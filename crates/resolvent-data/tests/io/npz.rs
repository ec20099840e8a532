use super::{assert_names, file};
use nalgebra::DMatrix;
use resolvent_data::io::{Npz, NpzWriter};

fn points() -> DMatrix<f64> {
    DMatrix::from_fn(3, 4, |i, j| (i as f64 + 0.1) * (j as f64 - 1.5))
}

#[test]
fn every_kind_of_array_is_read_back() {
    let (_folder, path) = file("out.npz", b"");
    let points = points();
    NpzWriter::new()
        .points("samples", &points)
        .vector("lifetimes", &[0.5, f64::NAN][..])
        .vector("evaluations", &[3_i64, -4][..])
        .array("mask", &[2, 1, 2], &[0_u8, 1, 1, 0][..])
        .strings("exit_names", &["killed", "", "größer"])
        .write(&path)
        .unwrap();
    let mut npz = Npz::open(&path).unwrap();
    assert_eq!(npz.names(), ["samples", "lifetimes", "evaluations", "mask", "exit_names"]);
    assert_eq!(npz.array("samples").unwrap().into_points().unwrap(), points);
    assert_eq!(npz.array("evaluations").unwrap().into_vector().unwrap(), [3.0, -4.0]);
    assert_eq!(npz.array("mask").unwrap().shape(), [2, 1, 2]);
    assert_eq!(npz.strings("exit_names").unwrap(), ["killed", "", "größer"]);
    // What is not finite can be looked at, but is no vector of points.
    assert!(npz.array("lifetimes").unwrap().values()[1].is_nan());
    assert_names(
        npz.array("lifetimes").unwrap().into_vector(),
        &path.with_file_name("out.npz[lifetimes]"),
        &["row 1"],
    );
}

#[test]
fn equal_content_gives_equal_bytes() {
    let (folder, first) = file("a.npz", b"");
    let second = folder.path().join("b.npz");
    let points = points();
    let writer = NpzWriter::new().points("samples", &points).strings("exit_names", &["a"]);
    writer.write(&first).unwrap();
    writer.write(&second).unwrap();
    assert_eq!(std::fs::read(first).unwrap(), std::fs::read(second).unwrap());
}

#[test]
fn bad_names_and_shapes_are_refused_before_anything_is_written() {
    let (_folder, path) = file("out.npz", b"old");
    let twice = NpzWriter::new().vector("a", &[1.0][..]).vector("a", &[2.0][..]).write(&path);
    assert_eq!(twice.unwrap_err().to_string(), "name = a: must be given to one array only");
    assert!(NpzWriter::new().array("a", &[2, 2], &[1.0][..]).write(&path).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
}

#[test]
fn missing_arrays_and_damaged_files_are_named() {
    let (folder, path) = file("out.npz", b"");
    NpzWriter::new().vector("a", &[1.0][..]).strings("b", &["x"]).write(&path).unwrap();
    let mut npz = Npz::open(&path).unwrap();
    assert_names(npz.array("c"), &path, &["no array named \"c\"", "it holds a, b"]);
    assert_names(npz.array("b"), &path.with_file_name("out.npz[b]"), &["dtype is <U1"]);
    assert_names(npz.strings("a"), &path.with_file_name("out.npz[a]"), &["dtype is <f8"]);

    let bytes = std::fs::read(&path).unwrap();
    let truncated = folder.path().join("truncated.npz");
    std::fs::write(&truncated, &bytes[..bytes.len() / 2]).unwrap();
    assert_names(Npz::open(&truncated), &truncated, &["archive"]);

    // A flipped bit of the data is caught by the checksum.
    let mut flipped = bytes;
    let data = flipped.windows(8).position(|bytes| bytes == 1.0_f64.to_le_bytes()).unwrap();
    flipped[data] ^= 1;
    let damaged = folder.path().join("damaged.npz");
    std::fs::write(&damaged, flipped).unwrap();
    assert_names(
        Npz::open(&damaged).unwrap().array("a"),
        &damaged.with_file_name("damaged.npz[a]"),
        &["checksum"],
    );

    let none = folder.path().join("none.npz");
    assert_names(Npz::open(&none), &none, &["No such file"]);
}

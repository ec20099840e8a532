use super::{assert_names, file, idx};
use nalgebra::DMatrix;
use resolvent_data::io::{NpzWriter, read_points, write_npy_points};

fn points() -> DMatrix<f64> {
    DMatrix::from_vec(2, 3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
}

#[test]
fn every_format_is_recognised() {
    let (folder, csv) = file("a.csv", b"x,y\n1,2\n3,4\n5,6\n");
    let path = |name: &str| folder.path().join(name);
    write_npy_points(path("a.npy"), &points()).unwrap();
    write_npy_points(path("npy-without-extension"), &points()).unwrap();
    let points = points();
    NpzWriter::new().points("anything", &points).write(path("a.npz")).unwrap();
    NpzWriter::new().vector("first", &[1.0][..]).points("data", &points).write(path("b.NPZ")).unwrap();
    std::fs::write(path("table.txt"), "1,2\n3,4\n5,6").unwrap();
    for name in ["a.npy", "npy-without-extension", "a.npz", "b.NPZ", "table.txt"] {
        assert_eq!(read_points(path(name)).unwrap(), points, "{name}");
    }
    assert_eq!(read_points(csv).unwrap(), points);

    let images = idx::images(2, 1, 2, &[0, 255, 255, 0]);
    std::fs::write(path("images"), &images).unwrap();
    std::fs::write(path("images.gz"), idx::gzip(&images)).unwrap();
    for name in ["images", "images.gz"] {
        assert_eq!(read_points(path(name)).unwrap().as_slice(), [-1.0, 1.0, 1.0, -1.0]);
    }
}

#[test]
fn unclear_and_wrong_files_are_named() {
    let (folder, path) = file("a.npz", b"");
    NpzWriter::new().vector("a", &[1.0][..]).vector("b", &[1.0][..]).write(&path).unwrap();
    assert_names(read_points(&path), &path, &["samples or data or points", "it holds a, b"]);

    let (_folder, path) = file("not.npy", b"1,2\n");
    assert_names(read_points(&path), &path, &["magic"]);
    let (_folder, path) = file("binary", &[0xff, 0xfe, 1, 2]);
    assert_names(read_points(&path), &path, &["table"]);
    let path = folder.path().join("none.npy");
    assert_names(read_points(&path), &path, &["No such file"]);
    assert_names(read_points(folder.path()), folder.path(), &["directory"]);
}

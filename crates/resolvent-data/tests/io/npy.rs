use super::{assert_names, file};
use nalgebra::DMatrix;
use proptest::prelude::*;
use resolvent_data::io::{read_npy, write_npy, write_npy_points};

/// An npy file of version 1.0 with this header text.
pub(crate) fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn header(descr: &str, fortran: bool, shape: &str) -> String {
    let fortran = if fortran { "True" } else { "False" };
    format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n")
}

fn le(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

const SIX: [f64; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];

#[test]
fn c_order_gives_one_point_per_row() {
    let (_folder, path) = file("a.npy", &npy(&header("<f8", false, "(3, 2)"), &le(&SIX)));
    let points = read_npy(&path).unwrap().into_points().unwrap();
    assert_eq!(points, DMatrix::from_fn(2, 3, |i, j| (1 + i + 2 * j) as f64));
}

#[test]
fn fortran_order_gives_the_same_points() {
    let (_folder, path) =
        file("a.npy", &npy(&header("<f8", true, "(3, 2)"), &le(&[1.0, 3.0, 5.0, 2.0, 4.0, 6.0])));
    assert_eq!(read_npy(&path).unwrap().values(), SIX);
    // Three axes: value = 4 i + 2 j + k + 1 is stored with i fastest.
    let eight = [1.0, 5.0, 3.0, 7.0, 2.0, 6.0, 4.0, 8.0];
    let (_folder, path) = file("a.npy", &npy(&header("<f8", true, "(2, 2, 2)"), &le(&eight)));
    assert_eq!(read_npy(&path).unwrap().values(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
}

#[test]
fn every_number_type_and_byte_order_is_read() {
    let values = [1.0_f32, -2.0, 3.5];
    let as_f64 = [1.0_f64, -2.0, 3.5];
    let read = |descr: &str, data: Vec<u8>| {
        let (_folder, path) = file("a.npy", &npy(&header(descr, false, "(3,)"), &data));
        read_npy(&path).unwrap().into_vector().unwrap()
    };
    assert_eq!(read(">f8", as_f64.iter().flat_map(|x| x.to_be_bytes()).collect()), as_f64);
    assert_eq!(read("<f4", values.iter().flat_map(|x| x.to_le_bytes()).collect()), as_f64);
    assert_eq!(read(">f4", values.iter().flat_map(|x| x.to_be_bytes()).collect()), as_f64);
    assert_eq!(read("|u1", vec![0, 7, 255]), [0.0, 7.0, 255.0]);
    assert_eq!(read("|b1", vec![0, 1, 1]), [0.0, 1.0, 1.0]);
    assert_eq!(read("<i4", [-1_i32, 2, 3].iter().flat_map(|x| x.to_le_bytes()).collect()), [-1.0, 2.0, 3.0]);
    assert_eq!(read(">i4", [-1_i32, 2, 3].iter().flat_map(|x| x.to_be_bytes()).collect()), [-1.0, 2.0, 3.0]);
    assert_eq!(read("<i8", [-1_i64, 2, 3].iter().flat_map(|x| x.to_le_bytes()).collect()), [-1.0, 2.0, 3.0]);
    assert_eq!(
        read("<u2", [1_u16, 2, 65535].iter().flat_map(|x| x.to_le_bytes()).collect()),
        [1.0, 2.0, 65535.0]
    );
}

#[test]
fn trailing_axes_are_flattened_and_a_vector_is_points_on_a_line() {
    let (_folder, path) = file("a.npy", &npy(&header("|u1", false, "(2, 2, 3)"), &[1; 12]));
    assert_eq!(read_npy(&path).unwrap().into_points().unwrap().shape(), (6, 2));
    let (_folder, path) = file("a.npy", &npy(&header("|u1", false, "(4,)"), &[1; 4]));
    assert_eq!(read_npy(&path).unwrap().into_points().unwrap().shape(), (1, 4));
}

#[test]
fn versions_two_and_three_and_keys_in_any_order_are_read() {
    let text = "{\"shape\": (2, 1), \"fortran_order\": False, \"descr\": \"<f8\"}\n";
    for version in [2, 3] {
        let mut bytes = vec![0x93, b'N', b'U', b'M', b'P', b'Y', version, 0];
        bytes.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
        bytes.extend(text.as_bytes());
        bytes.extend(le(&[1.0, 2.0]));
        let (_folder, path) = file("a.npy", &bytes);
        assert_eq!(read_npy(&path).unwrap().values(), [1.0, 2.0]);
    }
}

#[test]
fn values_that_are_not_finite_are_named_with_their_place() {
    for (value, text) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
        let mut values = SIX;
        values[3] = value;
        let (_folder, path) = file("a.npy", &npy(&header("<f8", false, "(3, 2)"), &le(&values)));
        assert_names(read_npy(&path).unwrap().into_points(), &path, &["row 1, column 1", text]);
    }
    let (_folder, path) = file("a.npy", &npy(&header("<f8", false, "(2,)"), &le(&[0.0, f64::NAN])));
    assert_names(read_npy(&path).unwrap().into_vector(), &path, &["row 1, column 0", "NaN"]);
}

#[test]
fn wrong_shapes_are_named() {
    for (shape, length) in [("()", 1), ("(0,)", 0), ("(0, 3)", 0), ("(3, 0)", 0)] {
        let (_folder, path) = file("a.npy", &npy(&header("<f8", false, shape), &le(&SIX[..length])));
        assert_names(read_npy(&path).unwrap().into_points(), &path, &["shape"]);
    }
    let (_folder, path) = file("a.npy", &npy(&header("<f8", false, "(3, 2)"), &le(&SIX)));
    assert_names(read_npy(&path).unwrap().into_vector(), &path, &["shape is [3, 2]", "one-dimensional"]);
}

#[test]
fn damaged_files_are_named() {
    let good = npy(&header("<f8", false, "(3, 2)"), &le(&SIX));
    let bad = |bytes: &[u8], parts: &[&str]| {
        let (_folder, path) = file("a.npy", bytes);
        assert_names(read_npy(&path), &path, parts);
    };
    bad(&good[..good.len() - 1], &["data is 47 bytes", "48 bytes"]);
    bad(&[&good[..], &[0]].concat(), &["data is 49 bytes", "48 bytes"]);
    for end in [0, 3, 7, 9, 30] {
        bad(&good[..end], &[if end < 6 { "magic" } else { "length" }]);
    }
    bad(b"PK\x03\x04 and so on", &["magic"]);
    bad(b"\x93NUMPY\x09\x00\x00\x00", &["version is 9"]);
    bad(&npy(&header("|O", false, "(3,)"), &[]), &["dtype is |O"]);
    bad(&npy(&header("<U3", false, "(3,)"), &[0; 36]), &["dtype is <U3"]);
    bad(&npy(&header("<f2", false, "(3,)"), &[0; 6]), &["dtype is <f2"]);
    bad(&npy(&header("<c16", false, "(1,)"), &[0; 16]), &["dtype is <c16"]);
    bad(&npy("{'descr': [('x', '<f8')], 'fortran_order': False, 'shape': (1,)}", &[0; 8]), &["dtype"]);
    bad(&npy(&header("<f8", false, "(9999999999, 9999999999)"), &[]), &["shape"]);
    bad(&npy(&header("<f8", false, "(0, 9999999999, 9999999999)"), &[]), &["shape"]);
    bad(&npy(&header("<f8", false, "(2305843009213693952,)"), &[]), &["data is 0 bytes"]);
    bad(&npy(&header("<f8", false, "(-1,)"), &[]), &["shape is (-1,)"]);
    bad(&npy(&header("<f8", false, "3"), &[]), &["shape is 3"]);
    bad(&npy("{'descr': '<f8', 'shape': (1,)}", &[0; 8]), &["fortran_order"]);
    bad(&npy("nonsense", &[]), &["header"]);
    let (folder, _) = file("x", b"");
    let path = folder.path().join("none.npy");
    assert_names(read_npy(&path), &path, &["No such file"]);
}

#[test]
fn files_written_are_aligned_and_read_back() {
    let (_folder, path) = file("a.npy", b"");
    let points = DMatrix::from_fn(3, 4, |i, j| (i + 10 * j) as f64 + 1e-17);
    write_npy_points(&path, &points).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!((bytes.len() - 12 * 8) % 64, 0);
    assert!(String::from_utf8_lossy(&bytes).contains("'fortran_order': False, 'shape': (4, 3), }"));
    assert_eq!(read_npy(&path).unwrap().into_points().unwrap(), points);

    write_npy(&path, &[2, 1, 2], &[1_i64, -2, 3, 4][..]).unwrap();
    assert_eq!(read_npy(&path).unwrap().shape(), [2, 1, 2]);
    write_npy(&path, &[3], &[1_u8, 2, 255][..]).unwrap();
    assert_eq!(read_npy(&path).unwrap().into_vector().unwrap(), [1.0, 2.0, 255.0]);
    let message = write_npy(&path, &[3], &[1.0][..]).unwrap_err().to_string();
    assert_eq!(message, "shape = [3]: must be of product 1");
}

proptest! {
    #[test]
    fn any_finite_matrix_survives(d in 1_usize..5, n in 1_usize..5, seed in prop::collection::vec(prop::num::f64::NORMAL, 25)) {
        let (_folder, path) = file("a.npy", b"");
        let points = DMatrix::from_fn(d, n, |i, j| seed[i + 5 * j]);
        write_npy_points(&path, &points).unwrap();
        prop_assert_eq!(read_npy(&path).unwrap().into_points().unwrap(), points);
    }

    #[test]
    fn no_damage_to_the_header_makes_a_panic(place in 0_usize..80, byte: u8) {
        let mut bytes = npy(&header("<f8", false, "(3, 2)"), &le(&SIX));
        bytes[place] = byte;
        let (_folder, path) = file("a.npy", &bytes);
        let _ = read_npy(&path).and_then(resolvent_data::io::Array::into_points);
    }
}

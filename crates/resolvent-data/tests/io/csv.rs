use super::{assert_names, file};
use resolvent_data::io::{read_csv, write_csv};

#[test]
fn header_is_detected() {
    let (_folder, path) = file("t.csv", b"nu, z\n0.5,1\n# between\n1.5, 2e-3\n");
    let table = read_csv(&path).unwrap();
    assert_eq!(table.columns(), ["nu", "z"]);
    assert_eq!(table.column("z").unwrap(), [1.0, 2e-3]);
    assert_eq!(table.rows().len(), 2);
    assert_eq!(table.into_points(), nalgebra::DMatrix::from_vec(2, 2, vec![0.5, 1.0, 1.5, 2e-3]));

    let (_folder, path) = file("t.csv", b"1,2\r\n3,4\r\n");
    let table = read_csv(&path).unwrap();
    assert_eq!(table.columns(), ["0", "1"]);
    assert_eq!(table.column("1").unwrap(), [2.0, 4.0]);
}

#[test]
fn bad_cells_are_named() {
    let bad = |content: &str, parts: &[&str]| {
        let (_folder, path) = file("t.csv", content.as_bytes());
        assert_names(read_csv(&path), &path, parts);
    };
    bad("nu,z\n1,2\n3,x4\n", &["line 3", "column \"z\"", "\"x4\""]);
    bad("nu,z\n1,nan\n", &["line 2", "column \"z\"", "\"nan\""]);
    bad("nu,z\n1,-inf\n", &["\"-inf\""]);
    bad("nu,z\n1,\n", &["column \"z\"", "\"\""]);
    bad("1,oops\n3,4\n", &["line 1", "column \"1\"", "\"oops\""]);
    bad("nu,z\n1,2\n3\n", &["line 3 is of 1 fields", "equal length, here of 2"]);
    bad("nu,z\n", &["without rows"]);
    bad("", &["without rows"]);
    let (folder, _) = file("x", b"");
    let path = folder.path().join("none.csv");
    assert_names(read_csv(&path), &path, &["No such file"]);
}

#[test]
fn lines_are_those_of_the_file() {
    for end in ["\n", "\r\n"] {
        let text =
            ["# one", "", "nu,z", "# four, with a \"", "#", "1,2", "", "# eight", "3,4", "# ten", "5,x"];
        let (_folder, path) = file("t.csv", text.join(end).as_bytes());
        assert_names(read_csv(&path), &path, &["line 11, column \"z\""]);
        let (_folder, path) = file("t.csv", text[..10].join(end).as_bytes());
        let table = read_csv(&path).unwrap();
        assert_eq!([table.line(0), table.line(1)], [6, 9]);
        let (_folder, path) = file("t.csv", (text[..10].join(end) + end + "5").as_bytes());
        assert_names(read_csv(&path), &path, &["line 11 is of 1 fields"]);
    }
    let (_folder, path) = file("t.csv", b"\"nu\nof two lines\",z\n# three\n1,2\n");
    assert_eq!(read_csv(&path).unwrap().line(0), 4);
}

#[test]
fn missing_columns_are_named() {
    let (_folder, path) = file("t.csv", b"nu,z\n1,2\n");
    assert_names(read_csv(&path).unwrap().column("x"), &path, &["no column named \"x\"", "it holds nu, z"]);
}

#[test]
fn numbers_are_read_back_exactly() {
    let (_folder, path) = file("t.csv", b"");
    let rows = [[1.0, 0.1], [-2e300, 5e-324], [1e15 + 0.5, f64::MAX]];
    write_csv(&path, &["a", "b, quoted"], &rows).unwrap();
    let table = read_csv(&path).unwrap();
    assert_eq!(table.columns(), ["a", "b, quoted"]);
    assert!(table.rows().zip(&rows).all(|(read, written)| read == written));
    assert!(std::fs::read_to_string(&path).unwrap().contains("1,1.0000000000000001e-1"));
    assert!(write_csv(&path, &["a"], &rows).unwrap_err().to_string().contains("2 values in row 0"));
}

use super::{assert_names, file};
use resolvent_data::io::write_atomically;
use std::io::{self, Write};

#[test]
fn failure_leaves_the_old_file_and_nothing_else() {
    let (folder, path) = file("out.txt", b"old");
    let result = write_atomically(&path, |writer| {
        writer.write_all(b"half of the n")?;
        Err(io::Error::other("no more ink"))
    });
    assert_names(result, &path, &["no more ink"]);
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn success_replaces_the_file() {
    let (folder, path) = file("out.txt", b"old");
    write_atomically(&path, |writer| writer.write_all(b"new")).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"new");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn permissions_are_those_of_any_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, ordinary) = file("ordinary", b"");
    let path = folder.path().join("written");
    write_atomically(&path, |_| Ok(())).unwrap();
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&path), mode(&ordinary));
}

#[test]
fn missing_folder_is_named() {
    let (folder, _) = file("x", b"");
    let path = folder.path().join("nowhere").join("out.txt");
    assert_names(write_atomically(&path, |_| Ok(())), &path, &["nowhere"]);
}

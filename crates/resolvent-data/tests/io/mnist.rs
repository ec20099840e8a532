use super::{assert_names, file, idx};
use resolvent_data::io::load_mnist_folder;

#[test]
fn the_test_set_is_preferred() {
    let (folder, _) = file("train-images-idx3-ubyte", &idx::images(1, 1, 1, &[0]));
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("train-labels-idx1-ubyte.gz", &idx::gzip(&idx::labels(&[3])));
    let (images, labels) = load_mnist_folder(folder.path()).unwrap();
    assert_eq!((images.shape(), labels), ((1, 1), vec![3]));

    write("t10k-images-idx3-ubyte.gz", &idx::gzip(&idx::images(2, 1, 1, &[0, 255])));
    write("t10k-labels-idx1-ubyte", &idx::labels(&[7, 2]));
    let (images, labels) = load_mnist_folder(folder.path()).unwrap();
    assert_eq!((images.as_slice(), labels), (&[-1.0, 1.0][..], vec![7, 2]));
}

#[test]
fn incomplete_folders_are_named() {
    let (folder, path) = file("something-else", b"");
    assert_names(load_mnist_folder(folder.path()), folder.path(), &["*images-idx3-ubyte"]);
    assert_names(load_mnist_folder(&path), &path, &["Not a directory"]);

    let (folder, _) = file("a-images-idx3-ubyte", &idx::images(2, 1, 1, &[0, 255]));
    assert_names(load_mnist_folder(folder.path()), folder.path(), &["a-labels-idx1-ubyte"]);
    let labels = folder.path().join("a-labels-idx1-ubyte");
    std::fs::write(&labels, idx::labels(&[1])).unwrap();
    assert_names(load_mnist_folder(folder.path()), &labels, &["number of labels is 1, expected 2"]);
}

/// The files of MNIST themselves, where the environment says in which folder they are.
#[test]
fn mnist_is_read() {
    let Some(folder) = std::env::var_os("RESOLVENT_DATA") else {
        println!("skipped: RESOLVENT_DATA is not set to a folder with the MNIST test set");
        return;
    };
    let (images, labels) = load_mnist_folder(folder).unwrap();
    assert_eq!(images.shape(), (784, 10_000));
    assert_eq!(labels.len(), 10_000);
    assert_eq!(labels[..5], [7, 2, 1, 0, 4]);
    let mean = (images.mean() + 1.0) * 127.5;
    assert!((mean - 33.8).abs() < 0.05, "mean pixel {mean}");
}

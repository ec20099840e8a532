use super::{assert_names, file};
use flate2::{Compression, write::GzEncoder};
use resolvent_data::io::{read_idx_images, read_idx_labels};
use std::io::Write;

pub(crate) fn images(count: u32, height: u32, width: u32, pixels: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 3];
    [count, height, width].iter().for_each(|n| bytes.extend(n.to_be_bytes()));
    bytes.extend(pixels);
    bytes
}

pub(crate) fn labels(values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 1];
    bytes.extend(u32::try_from(values.len()).unwrap().to_be_bytes());
    bytes.extend(values);
    bytes
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const PIXELS: [u8; 12] = [0, 255, 51, 1, 2, 3, 4, 5, 6, 7, 8, 9];

#[test]
fn plain_and_compressed_files_are_read_whatever_their_name() {
    let plain = images(2, 2, 3, &PIXELS);
    for (name, bytes) in
        [("i", plain.clone()), ("i.gz", plain.clone()), ("j.gz", gzip(&plain)), ("j", gzip(&plain))]
    {
        let (_folder, path) = file(name, &bytes);
        let images = read_idx_images(&path).unwrap();
        assert_eq!((images.count, images.height, images.width), (2, 2, 3));
        assert_eq!(images.pixels, PIXELS);
        let points = images.to_points();
        assert_eq!(points.shape(), (6, 2));
        assert_eq!((points[(0, 0)], points[(1, 0)]), (-1.0, 1.0));
        assert!((points[(2, 0)] + 0.6).abs() < 1e-15);
    }
    let (_folder, path) = file("l", &gzip(&labels(&[7, 2, 1])));
    assert_eq!(read_idx_labels(&path).unwrap(), [7, 2, 1]);
}

#[test]
fn damaged_files_are_named() {
    let good = images(2, 2, 3, &PIXELS);
    let bad = |bytes: &[u8], parts: &[&str]| {
        let (_folder, path) = file("bad-images", bytes);
        assert_names(read_idx_images(&path), &path, parts);
    };
    for end in [0, 3, 4, 15] {
        bad(&good[..end], &["too short"]);
    }
    bad(&good[..good.len() - 1], &["data is 11 bytes", "12 bytes", "[2, 2, 3]"]);
    bad(&[&good[..], &[0]].concat(), &["data is more", "12 bytes"]);
    bad(&labels(&[1, 2]), &["magic number is 0x00000801", "0x00000803"]);
    bad(b"P5\n28 28\n", &["magic number is 0x50350a32"]);
    bad(&images(0, 28, 28, &[]), &["shape is [0, 28, 28]"]);
    bad(&images(2, 0, 28, &[]), &["shape is [2, 0, 28]"]);
    bad(&images(u32::MAX, u32::MAX, u32::MAX, &[]), &["shape", "memory"]);
    bad(&images(u32::MAX, 1, 1, &PIXELS), &["data is 12 bytes"]);

    let packed = gzip(&good);
    bad(&packed[..packed.len() / 2], &["too short"]);
    bad(&[0x1f, 0x8b], &["too short"]);
    let mut wrong_sum = packed.clone();
    let crc = wrong_sum.len() - 8;
    wrong_sum[crc] ^= 1;
    bad(&wrong_sum, &["corrupt"]);
    bad(&[&packed[..10], &[0xff; 20]].concat(), &["corrupt"]);

    let (_folder, path) = file("labels", &good);
    assert_names(read_idx_labels(&path), &path, &["magic number is 0x00000803"]);
    let path = path.with_file_name("none");
    assert_names(read_idx_images(&path), &path, &["No such file"]);
}

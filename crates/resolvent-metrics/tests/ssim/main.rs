//! Structural similarity against scikit-image.

use nalgebra::DMatrix;
use resolvent_metrics::{Error, mean_ssim, ssim};

fn image(rows: usize, width: usize) -> Vec<f64> {
    pixels(rows, width, |i, j| 0.6 * (0.3 * i + 0.5 * j).sin() + 0.3 * (0.11 * i * j).cos())
}

fn disturbance(rows: usize, width: usize) -> Vec<f64> {
    pixels(rows, width, |i, j| (1.7 * i * i + 0.9 * j).sin() + 0.2)
}

fn pixels(rows: usize, width: usize, value: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    (0..rows * width).map(|k| value((k / width) as f64, (k % width) as f64)).collect()
}

#[test]
fn values_are_those_of_scikit_image() {
    let mut cases = 0;
    for line in include_str!("values.csv").lines().skip(1) {
        let cells: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
        let [rows, width, amplitude, range, expected] = cells[..] else { panic!("{line}") };
        let (rows, width) = (rows as usize, width as usize);
        let x = image(rows, width);
        let y: Vec<f64> = x.iter().zip(disturbance(rows, width)).map(|(x, n)| x + amplitude * n).collect();
        let value = ssim(&x, &y, width, range).unwrap();
        assert!((value - expected).abs() < 1e-10, "{line}: {value}");
        cases += 1;
    }
    assert_eq!(cases, 5);
}

#[test]
fn equal_images_are_similar_and_bad_input_is_refused() {
    let x = image(12, 14);
    assert_eq!(ssim(&x, &x, 14, 2.0), Ok(1.0));
    for (width, range) in [(0, 2.0), (13, 2.0), (168, 2.0), (14, 0.0), (14, f64::NAN)] {
        assert!(matches!(ssim(&x, &x, width, range), Err(Error::Parameter { .. })), "{width} {range}");
    }
    assert!(matches!(ssim(&x, &x[1..], 14, 2.0), Err(Error::Mismatch { .. })));
    let batch = DMatrix::from_fn(168, 3, |row, column| x[row] * (1.0 + 0.3 * column as f64));
    let references = DMatrix::from_fn(168, 3, |row, _| x[row]);
    let estimate = mean_ssim(&batch, &references, 14, 2.0).unwrap();
    assert!(estimate.value < 1.0 && estimate.value > 0.8 && estimate.standard_error > 0.0);
}

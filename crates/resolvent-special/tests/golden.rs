//! The accuracy claims, on every row of the golden tables (`golden/generate.py` recomputes them).

use resolvent_special::{Gig, log_i, log_k, log_k_and_ratio, log_zk, ratio_i, ratio_k};

fn rows<const N: usize>(file: &str) -> Vec<[f64; N]> {
    let path = format!("{}/golden/{file}", env!("CARGO_MANIFEST_DIR"));
    csv::Reader::from_path(path)
        .unwrap()
        .records()
        .map(|record| {
            let record = record.unwrap();
            std::array::from_fn(|i| record[i].parse().unwrap())
        })
        .collect()
}

fn relative(value: f64, exact: f64) -> f64 {
    ((value - exact) / exact).abs()
}

/// Error of a logarithm, against max(1, |log|).
fn mixed(value: f64, exact: f64) -> f64 {
    (value - exact).abs() / exact.abs().max(1.0)
}

/// Largest error over the table; a NaN anywhere is reported as such.
fn worst<const N: usize>(rows: &[[f64; N]], error: impl Fn(&[f64; N]) -> f64) -> (f64, [f64; N]) {
    let mut top = (0.0, rows[0]);
    for row in rows {
        let e = error(row);
        if e.is_nan() || e > top.0 {
            top = (e, *row);
        }
        assert!(!e.is_nan(), "NaN at {row:?}");
    }
    println!("{:.2e} at nu = {}, z = {}", top.0, top.1[0], top.1[1]);
    top
}

#[test]
fn bessel_table() {
    let table = rows::<6>("bessel.csv");
    assert_eq!(table.len(), 1500);
    assert!(worst(&table, |r| relative(ratio_k(r[0], r[1]), r[3])).0 <= 5e-15);
    assert!(worst(&table, |r| relative(ratio_i(r[0], r[1]), r[5])).0 <= 5e-15);
    assert!(worst(&table, |r| mixed(log_k(r[0], r[1]), r[2])).0 <= 1e-13);
    assert!(worst(&table, |r| mixed(log_i(r[0], r[1]), r[4])).0 <= 1e-13);
    assert!(worst(&table, |r| mixed(log_k_and_ratio(r[0], r[1]).0, r[2])).0 <= 1e-13);
    assert!(worst(&table, |r| relative(log_k_and_ratio(r[0], r[1]).1, r[3])).0 <= 5e-15);
    // log(z^nu K) against the table's log K, where nu log z is not what limits the comparison.
    let scaled = |r: &[f64; 6]| {
        let shift = r[0] * r[1].ln();
        (log_zk(r[0], r[1]) - r[2] - shift).abs() / (r[2].abs() + shift.abs()).max(1.0)
    };
    assert!(worst(&table, scaled).0 <= 1e-13);
}

#[test]
fn gig_moments_table() {
    let table = rows::<6>("gig_moments.csv");
    assert_eq!(table.len(), 20);
    let law = |r: &[f64; 6]| Gig::new(r[0], r[1], r[2]).unwrap();
    assert!(worst(&table, |r| relative(law(r).mean(), r[3])).0 <= 1e-13);
    assert!(worst(&table, |r| relative(law(r).mean_inverse(), r[4])).0 <= 1e-13);
    assert!(worst(&table, |r| relative(law(r).variance(), r[5])).0 <= 1e-12);
}

//! Laws of points off the data.

use crate::support::{KOLMOGOROV, kolmogorov};
use nalgebra::DMatrix;
use resolvent_core::random::{Purpose, stream};
use resolvent_learn::examples::Proposal;
use resolvent_learn::examples::places::{Fill, Part, Place, PlaceSettings, Places, WeightedPlace};
use statrs::distribution::{ContinuousCDF, Normal};

/// As good as one level.
const HALF: Proposal = Proposal::LogUniform { least: 0.5, most: 0.5 + 1e-12 };

fn draws(place: &dyn Place, n: u64) -> Vec<Vec<f64>> {
    let draw = |i| {
        let mut point = vec![f64::NAN; place.dim()];
        place.draw(&mut stream(5, Purpose::Experiment, i), &mut point);
        point
    };
    (0..n).map(draw).collect()
}

/// An image with a different number in every pixel.
fn image(side: usize) -> DMatrix<f64> {
    DMatrix::from_fn(side * side, 1, |i, _| (1.7 * i as f64).sin())
}

#[test]
fn noise_is_normal_and_everywhere() {
    let data = image(2);
    let place = PlaceSettings::Noise { level: HALF }.build(&data).unwrap();
    let law = Normal::new(0.0, 0.5).unwrap();
    let noise: Vec<f64> = draws(&*place, 4000)
        .iter()
        .flat_map(|x| (0..4).map(|k| x[k] - data[k]).collect::<Vec<_>>())
        .collect();
    assert!(kolmogorov(&noise, |x| law.cdf(x)) < KOLMOGOROV);
}

#[test]
fn partial_noise_leaves_the_rest_alone() {
    let data = image(2);
    let count = |x: &Vec<f64>| (0..4).filter(|&k| x[k] != data[k]).count();
    let n = 10_000;
    // Binomial with a share that is given; uniform over 0..=4 with one that is uniform itself.
    for (share, law) in
        [(Some(0.3), [0.2401, 0.4116, 0.2646, 0.0756, 0.0081]), (None, [0.2, 0.2, 0.2, 0.2, 0.2])]
    {
        let place = PlaceSettings::PartialNoise { level: HALF, share }.build(&data).unwrap();
        let points = draws(&*place, n);
        for (k, p) in law.into_iter().enumerate() {
            let found = points.iter().filter(|x| count(x) == k).count() as f64;
            let (n, p): (f64, f64) = (n as f64, p);
            assert!(
                (found - n * p).abs() < 5.0 * (n * p * (1.0 - p)).sqrt(),
                "{share:?}, {k} changed: {found}"
            );
        }
        let noise: Vec<f64> = points
            .iter()
            .flat_map(|x| (0..4).map(|k| x[k] - data[k]).filter(|v| *v != 0.0).collect::<Vec<_>>())
            .collect();
        let law = Normal::new(0.0, 0.5).unwrap();
        assert!(kolmogorov(&noise, |x| law.cdf(x)) < KOLMOGOROV);
    }
}

#[test]
fn masks_cover_what_they_say() {
    let data = image(5);
    let build = |part, fill| PlaceSettings::Masked { part, fill }.build(&data).unwrap();
    let covered = |x: &[f64]| -> Vec<usize> { (0..25).filter(|&k| x[k] == 9.0).collect() };
    let constant = Fill::Constant(9.0);
    for x in draws(&*build(Part::LowerHalf, constant), 3) {
        assert_eq!(covered(&x), (15..25).collect::<Vec<_>>());
        assert!((0..15).all(|k| x[k] == data[k]));
    }
    for x in draws(&*build(Part::Coordinates { from: 3, to: 8 }, constant), 3) {
        assert_eq!(covered(&x), (3..8).collect::<Vec<_>>());
    }
    let (mut corners, mut single, n) = (0, 0, 4000);
    for x in draws(&*build(Part::Rectangle, constant), n) {
        let hit = covered(&x);
        let (rows, columns): (Vec<_>, Vec<_>) = hit.iter().map(|k| (k / 5, k % 5)).unzip();
        let extent = |v: &[usize]| v.iter().max().unwrap() - v.iter().min().unwrap() + 1;
        assert_eq!(hit.len(), extent(&rows) * extent(&columns));
        corners += usize::from(hit[0] == 0);
        single += usize::from(hit.len() == 1);
    }
    // A stretch begins at 0 with probability (1/5)(1/5 + 1/4 + 1/3 + 1/2 + 1), and is of one pixel with 1/5.
    let begins: f64 = 0.2 * (0.2 + 0.25 + 1.0 / 3.0 + 0.5 + 1.0);
    for (found, p) in [(corners, begins * begins), (single, 0.04)] {
        let expected = n as f64 * p;
        assert!((found as f64 - expected).abs() < 5.0 * (expected * (1.0 - p)).sqrt(), "{found} {expected}");
    }
    let share: usize = draws(&*build(Part::Random { share: Some(0.3) }, constant), 4000)
        .iter()
        .map(|x| covered(x).len())
        .sum();
    assert!((share as f64 - 30_000.0).abs() < 5.0 * (1e5f64 * 0.21).sqrt(), "{share}");
}

#[test]
fn masks_are_filled_with_what_they_say() {
    let data = DMatrix::from_column_slice(2, 2, &[1.0, 2.0, 3.0, 8.0]);
    let part = Part::Coordinates { from: 1, to: 2 };
    let second = |fill| -> Vec<f64> {
        draws(&*PlaceSettings::Masked { part, fill }.build(&data).unwrap(), 4000)
            .iter()
            .map(|x| x[1])
            .collect()
    };
    assert!(second(Fill::Mean).iter().all(|x| *x == 5.0));
    let law = Normal::new(5.0, 0.7).unwrap();
    assert!(kolmogorov(&second(Fill::Noise { deviation: 0.7 }), |x| law.cdf(x)) < KOLMOGOROV);
}

/// Against the sum over all pairs of pixels of the image continued beyond its edges.
#[test]
fn blur_is_a_gaussian_kernel() {
    let (side, width) = (6, 0.9);
    let data = image(side);
    let place = PlaceSettings::Blurred { least: width, most: width + 1e-12 }.build(&data).unwrap();
    let blurred = &draws(&*place, 1)[0];
    let edge = |i: i32| i.clamp(0, side as i32 - 1) as usize;
    for (row, column) in (0..side * side).map(|k| (k / side, k % side)) {
        let (mut sum, mut mass) = (0.0, 0.0);
        for (dr, dc) in (-12..=12).flat_map(|dr| (-12..=12).map(move |dc| (dr, dc))) {
            let weight = (-0.5 * f64::from(dr * dr + dc * dc) / (width * width)).exp();
            sum += weight * data[edge(row as i32 + dr) * side + edge(column as i32 + dc)];
            mass += weight;
        }
        // The kernel is cut at four standard deviations, where 6e-5 of its mass is left on each axis.
        assert!((blurred[row * side + column] - sum / mass).abs() < 3e-4);
    }
    let narrow = PlaceSettings::Blurred { least: 1e-3, most: 2e-3 }.build(&data).unwrap();
    assert_eq!(draws(&*narrow, 1)[0], data.as_slice());
}

#[test]
fn combinations_are_uniform_on_the_simplex() {
    let data = DMatrix::identity(400, 400);
    for of in [2, 3] {
        let place = PlaceSettings::Combination { of }.build(&data).unwrap();
        // Of different data, as most are, the coordinates that are not zero are the shares.
        let shares: Vec<f64> = draws(&*place, 4000)
            .iter()
            .filter_map(|x| {
                assert!((x.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                let shares: Vec<f64> = x.iter().copied().filter(|v| *v > 0.0).collect();
                (shares.len() == of).then(|| shares[0])
            })
            .collect();
        assert!(shares.len() > 3900);
        assert!(kolmogorov(&shares, |s| 1.0 - (1.0 - s).powi(of as i32 - 1)) < KOLMOGOROV);
    }
}

#[test]
fn mixtures_keep_their_shares() {
    let data = DMatrix::from_column_slice(1, 1, &[0.0]);
    let masked = |value| PlaceSettings::Masked {
        part: Part::Coordinates { from: 0, to: 1 },
        fill: Fill::Constant(value),
    };
    let laws = [
        WeightedPlace { weight: 3.0, place: masked(10.0), noise: None },
        WeightedPlace { weight: 1.0, place: masked(20.0), noise: Some(HALF) },
    ];
    let points = draws(&Places::new(&data, &laws).unwrap(), 10_000);
    let first = points.iter().filter(|x| x[0] == 10.0).count();
    assert!((first as f64 - 7500.0).abs() < 5.0 * (10_000.0f64 * 0.1875).sqrt(), "{first}");
    let rest: Vec<f64> = points.iter().map(|x| x[0]).filter(|x| *x != 10.0).collect();
    let law = Normal::new(20.0, 0.5).unwrap();
    assert!(kolmogorov(&rest, |x| law.cdf(x)) < KOLMOGOROV);
}

#[test]
fn settings_are_read_strictly_and_checked() {
    let good = r#"{"place": {"masked": {"part": "lower-half", "fill": {"constant": -1.0}}},
        "noise": {"log-uniform": {"least": 0.01, "most": 0.1}}}"#;
    let read: WeightedPlace = serde_json::from_str(good).unwrap();
    assert_eq!(read.weight, 1.0);
    assert_eq!(serde_json::from_str::<WeightedPlace>(&serde_json::to_string(&read).unwrap()).unwrap(), read);
    for bad in [
        r#"{"combination": {"of": 2, "colour": 3}}"#,
        r#"{"sharpened": {}}"#,
        r#"{"masked": {"part": {"random": {"shape": 1}}, "fill": "mean"}}"#,
    ] {
        assert!(serde_json::from_str::<PlaceSettings>(bad).is_err(), "{bad}");
    }
    let (pixels, data, none) = (image(3), DMatrix::zeros(5, 2), DMatrix::zeros(4, 0));
    let masked = |part, fill| PlaceSettings::Masked { part, fill };
    let level = HALF;
    for (settings, data) in [
        (PlaceSettings::Noise { level }, &none),
        (PlaceSettings::Noise { level: Proposal::Exponential { rate: -1.0 } }, &data),
        (PlaceSettings::PartialNoise { level, share: Some(0.0) }, &data),
        (PlaceSettings::PartialNoise { level, share: Some(f64::NAN) }, &data),
        (masked(Part::LowerHalf, Fill::Mean), &data),
        (masked(Part::Coordinates { from: 2, to: 6 }, Fill::Mean), &data),
        (masked(Part::Coordinates { from: 2, to: 2 }, Fill::Mean), &data),
        (masked(Part::Random { share: None }, Fill::Constant(f64::INFINITY)), &data),
        (masked(Part::Random { share: None }, Fill::Noise { deviation: 0.0 }), &data),
        (PlaceSettings::Blurred { least: 0.5, most: 1.0 }, &data),
        (PlaceSettings::Blurred { least: 0.0, most: 1.0 }, &pixels),
        (PlaceSettings::Blurred { least: 1.0, most: 4.0 }, &pixels),
        (PlaceSettings::Combination { of: 1 }, &data),
    ] {
        assert!(settings.build(data).is_err(), "{settings:?}");
    }
    assert!(Places::new(&data, &[]).is_err());
    let place = PlaceSettings::Combination { of: 2 };
    assert!(Places::new(&data, &[WeightedPlace { weight: 0.0, place, noise: None }]).is_err());
}

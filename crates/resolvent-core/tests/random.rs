//! The streams of particles: their normal numbers have the law they should, and different streams know nothing of each other.
//!
//! Every statistic is compared with its exact mean at 4.5 of its exact standard deviations, a two-sided level of 7e-6; there are about
//! 40 of them. Counts of rare events are compared with the Poisson law at the same level.

use rayon::prelude::*;
use resolvent_core::random::{Purpose, stream};
use statrs::distribution::{DiscreteCDF, Poisson};
use statrs::function::erf::erfc;

const LEVEL: f64 = 4.5;
const STREAMS: u64 = 100_000;
const LENGTH: usize = 4_000;

/// E[x^k] of a standard normal number.
fn moment(k: i32) -> f64 {
    if k % 2 == 1 { 0.0 } else { (1..k).step_by(2).map(f64::from).product() }
}

#[derive(Default, Clone)]
struct Sums {
    powers: [f64; 8],
    /// How many lie beyond 1, .., 6 on either side.
    beyond: [[u64; 2]; 6],
    /// Products with the number before, with the same one of the next stream, with that of another purpose; and of their squares.
    products: [f64; 3],
    square_products: [f64; 3],
}

impl Sums {
    fn add(mut self, other: &Self) -> Self {
        let add = |a: &mut [f64], b: &[f64]| a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        add(&mut self.powers, &other.powers);
        add(&mut self.products, &other.products);
        add(&mut self.square_products, &other.square_products);
        for (a, b) in self.beyond.as_flattened_mut().iter_mut().zip(other.beyond.as_flattened()) {
            *a += b;
        }
        self
    }
}

fn sums_of(index: u64) -> Sums {
    let draw = |purpose, index| {
        let mut numbers = vec![0.0; LENGTH];
        stream(11, purpose, index).fill_normals(&mut numbers);
        numbers
    };
    let own = draw(Purpose::Path, index);
    let others = [draw(Purpose::Path, index + 1), draw(Purpose::Killing, index)];
    let mut sums = Sums::default();
    for x in &own {
        let mut power = 1.0;
        for sum in &mut sums.powers {
            power *= x;
            *sum += power;
        }
        for (k, beyond) in sums.beyond.iter_mut().enumerate() {
            beyond[usize::from(*x < 0.0)] += u64::from(x.abs() > (k + 1) as f64);
        }
    }
    let mut pair = |k: usize, a: &[f64], b: &[f64]| {
        for (a, b) in a.iter().zip(b) {
            sums.products[k] += a * b;
            sums.square_products[k] += (a * a - 1.0) * (b * b - 1.0);
        }
    };
    pair(0, &own[1..], &own[..LENGTH - 1]);
    pair(1, &own, &others[0]);
    pair(2, &own, &others[1]);
    sums
}

#[test]
fn normals_have_their_law_and_streams_are_independent() {
    let sums = (0..STREAMS)
        .into_par_iter()
        .fold(Sums::default, |sums, index| sums.add(&sums_of(index)))
        .reduce(Sums::default, |a, b| a.add(&b));
    let n = STREAMS as f64 * LENGTH as f64;
    for (k, sum) in (1..).zip(sums.powers) {
        let deviation = ((moment(2 * k) - moment(k).powi(2)) / n).sqrt();
        let z = (sum / n - moment(k)) / deviation;
        assert!(z.abs() < LEVEL, "moment {k}: {z} standard deviations");
    }
    let rare = erfc(LEVEL / 2.0_f64.sqrt()) / 2.0;
    for (k, sides) in (1..).zip(sums.beyond) {
        for (side, count) in ["above", "below"].iter().zip(sides) {
            let expected = n * 0.5 * erfc(f64::from(k) / 2.0_f64.sqrt());
            if expected > 1e6 {
                let z = (count as f64 - expected) / expected.sqrt();
                assert!(z.abs() < LEVEL, "{side} {k}: {z} standard deviations");
                continue;
            }
            let law = Poisson::new(expected).unwrap();
            let (few, many) = (law.cdf(count), if count == 0 { 1.0 } else { law.sf(count - 1) });
            assert!(few > rare && many > rare, "{side} {k}: {count} of {expected} expected");
        }
    }
    let pairs = ["lag one", "next stream", "other purpose"];
    for (k, pair) in pairs.iter().enumerate() {
        let count = if k == 0 { n - STREAMS as f64 } else { n };
        let z = sums.products[k] / count.sqrt();
        assert!(z.abs() < LEVEL, "correlation, {pair}: {z} standard deviations");
        // Var (x² - 1) = 2.
        let z = sums.square_products[k] / (2.0 * count.sqrt());
        assert!(z.abs() < LEVEL, "correlation of squares, {pair}: {z} standard deviations");
    }
}

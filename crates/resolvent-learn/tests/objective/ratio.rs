//! The log-ratio of two densities.

use crate::oracle::Oracle;
use crate::support::{Cells, FIVE, mlp, train};
use nalgebra::DMatrix;
use resolvent_core::killing::Hazard;
use resolvent_core::{GaussianMixture, KilledBrownianMotion, KillingRule};
use resolvent_learn::engine::Native;
use resolvent_learn::examples::{Deaths, Proposal, Samples, Source};
use resolvent_learn::objective::{DensityRatio, RawNetwork};
use resolvent_learn::train::Task;

const RATE: f64 = 0.3;

fn law() -> GaussianMixture {
    GaussianMixture::one_dimensional(&[0.3, 0.7], &[-2.0, 1.5], &[0.8, 0.6]).unwrap()
}

/// log α/(r u) at equidistant points, u = ∫ G_r(x, y) α(y) dy by the midpoint rule; linear in between.
struct Truth(Vec<f64>);

impl Truth {
    fn new() -> Self {
        let (law, process) = (law(), KilledBrownianMotion::new(1, 1.0, RATE).unwrap());
        let terms: Vec<(f64, f64)> = (0..1600)
            .map(|i| -8.0 + 0.01 * (f64::from(i) + 0.5))
            .map(|y| (y, 0.01 * law.log_density(&[y]).exp()))
            .collect();
        let value = |x: f64| {
            let green = |y: f64| process.green().log_value((x - y).abs()).exp();
            let u: f64 = terms.iter().map(|(y, mass)| mass * green(*y)).sum();
            law.log_density(&[x]) - (RATE * u).ln()
        };
        Self((0..=1200).map(|i| value(-6.0 + 0.01 * f64::from(i))).collect())
    }

    fn at(&self, x: f64) -> f64 {
        let place = ((x + 6.0) / 0.01).clamp(0.0, 1199.0);
        let (cell, share) = (place as usize, place.fract());
        self.0[cell] * (1.0 - share) + self.0[cell + 1] * share
    }
}

/// Data and deaths from a proposal, with the importance weights.
fn with_sources<T>(then: impl FnOnce([&dyn Source; 2]) -> T) -> T {
    let data: DMatrix<f64> = law().sample(200_000, 21);
    let deaths = Deaths::new(&data, RATE, Proposal::LogNormal { mean: 0.3, deviation: 1.0 }, 0.0).unwrap();
    then([&Samples::new(&data).unwrap(), &deaths])
}

#[test]
fn the_exact_ratio_is_where_the_loss_is_flat() {
    let truth = Truth::new();
    let model = RawNetwork::new(mlp(3, 0), 1, &[0.4], 2.0).unwrap();
    with_sources(|sources| {
        for (shift, flat) in [(0.0, true), (0.2, false)] {
            let oracle = Oracle::new(|z: &[f64], _: &[f64]| {
                (vec![truth.at(0.4 + 2.0 * z[0]) + shift], Vec::new(), Vec::new())
            });
            let task = DensityRatio::new(&model, &oracle, sources, sources, 5, 1).unwrap();
            task.gradient(&[], 0..20_000, &mut []);
            let mut cells = Cells::new(5);
            for wanted in oracle.wanted() {
                let x = 0.4 + 2.0 * wanted.input[0];
                if (-4.0..3.5).contains(&x) {
                    cells.add(((x + 4.0) / 1.5) as usize, f64::from(wanted.field[0]));
                }
            }
            assert!((cells.largest() < FIVE) == flat, "{shift}: {}", cells.largest());
        }
    });
}

#[test]
fn a_network_learns_it_and_serves_as_a_hazard() {
    let truth = Truth::new();
    let model = RawNetwork::new(mlp(32, 2), 1, &[0.4], 2.0).unwrap();
    with_sources(|sources| {
        let task = DensityRatio::new(&model, &Native, sources, sources, 5, 64).unwrap();
        let before = task.validate(&task.layout().initial(1))[0].1;
        let ratio = task.learned(train(&task, 800, 256, 3e-3), 2000);
        // Over the data: where particles die.
        let points = law().sample(500, 22);
        let errors = points.iter().map(|x| (ratio.value(&[*x]) - truth.at(*x)).abs());
        let error = errors.sum::<f64>() / 500.0;
        println!("{error}");
        assert!(error < 0.1, "{error}");
        // Two classes told apart by nothing cost 2 log 2 (the weights of the deaths have mean 1 up to their noise).
        assert!((before - 2.0 * std::f64::consts::LN_2).abs() < 0.3, "{before}");
        assert!(ratio.values(&[-40.0, 0.0, 40.0]).iter().all(|v| *v <= ratio.ceiling()));
        let hazard = Hazard::new(|x: &[f64]| RATE.ln() + ratio.value(x));
        let _: &dyn KillingRule = &hazard;
    });
}

#[test]
fn impossible_settings_are_refused() {
    let model = RawNetwork::new(mlp(3, 0), 2, &[0.4], 2.0).unwrap();
    with_sources(|sources| assert!(DensityRatio::new(&model, &Native, sources, sources, 5, 1).is_err()));
    let model = RawNetwork::new(mlp(3, 0), 1, &[0.4, 0.0], 2.0).unwrap();
    with_sources(|sources| assert!(DensityRatio::new(&model, &Native, sources, sources, 5, 1).is_err()));
}

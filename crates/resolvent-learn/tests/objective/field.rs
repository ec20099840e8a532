//! Field regression.

use crate::regression::{error_on, model};
use crate::support::{at, atoms, exact, train};
use nalgebra::DMatrix;
use resolvent_core::random::{Purpose, stream};
use resolvent_learn::engine::Native;
use resolvent_learn::examples::places::{Fill, Part, Place, PlaceSettings, Places, WeightedPlace};
use resolvent_learn::examples::{Field, Proposal, Source};
use resolvent_learn::objective::{Objective, Regression};

const WIDE: Proposal = Proposal::LogUniform { least: 0.05, most: 3.0 };

fn laws() -> Vec<WeightedPlace> {
    let masked =
        PlaceSettings::Masked { part: Part::Coordinates { from: 1, to: 2 }, fill: Fill::Constant(-2.0) };
    let place = |place, noise| WeightedPlace { weight: 1.0, place, noise };
    vec![
        place(PlaceSettings::Noise { level: WIDE }, None),
        place(masked, Some(Proposal::LogUniform { least: 0.05, most: 0.5 })),
        place(PlaceSettings::Combination { of: 2 }, Some(Proposal::LogUniform { least: 0.05, most: 0.5 })),
    ]
}

#[test]
fn targets_are_the_exact_field_in_any_batch() {
    // Above 16 dimensions the data pass by in matrix products.
    for d in [2, 20] {
        let data = DMatrix::from_fn(d, 6, |i, j| (1.3 * i as f64 + 2.1 * j as f64).sin());
        let (score, closest) = (exact(&data, 1.0), 0.3);
        let places = Places::new(&data, &laws()).unwrap();
        let field = Field::new(&score, &places, 1.0, closest).unwrap();
        let n = 200;
        let (mut points, mut targets) = (vec![0.0; n * d], vec![0.0; n * d]);
        let mut examples: Vec<_> = (0..n)
            .map(|i| {
                let row = i * d..(i + 1) * d;
                let mut rng = stream(2, Purpose::Training, i as u64);
                field.draw(&mut rng, &mut points[row.clone()], &mut targets[row])
            })
            .collect();
        field.complete(&points, &mut targets, &mut examples);
        let mut dropped = 0;
        for (i, x) in points.chunks_exact(d).enumerate() {
            let (gain, truth) = at(&score, x);
            assert!((examples[i].gain / gain - 1.0).abs() < 1e-9);
            for k in 0..d {
                let found = examples[i].gain * (targets[i * d + k] - x[k]);
                assert!((found - truth[k]).abs() < 1e-6 * (1.0 + truth[k].abs()), "{found} {}", truth[k]);
            }
            assert!(examples[i].weight == f64::from(examples[i].distance > closest));
            dropped += usize::from(examples[i].weight == 0.0);
        }
        assert!(dropped > 0 || d > 2);
        assert!(Field::new(&score, &places, 1.0, 0.0).is_err());
    }
}

/// In points that isotropic noise does not visit, too.
#[test]
fn the_score_is_learned_where_the_points_lie() {
    let data = atoms();
    let (score, places) = (exact(&data, 1.0), Places::new(&data, &laws()).unwrap());
    let field = Field::new(&score, &places, 1.0, 1e-3).unwrap();
    let model = model(&data, 48);
    let task = Regression::new(&model, &Native, &field, &field, Objective::default(), 1, 256).unwrap();
    let parameters = train(&task, 6000, 256, 4e-3);
    for law in laws() {
        let place = Places::new(&data, &[law]).unwrap();
        let mut points = vec![0.0; 2000];
        for (i, x) in points.chunks_exact_mut(2).enumerate() {
            place.draw(&mut stream(9, Purpose::Experiment, i as u64), x);
        }
        let error = error_on(&model, &parameters, &data, &points);
        println!("{law:?}: {error}");
        assert!(error < 0.1, "{law:?}: {error}");
    }
}

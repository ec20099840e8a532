//! Known coordinates that a step must leave alone.

use nalgebra::DMatrix;
use resolvent_core::control::Contraction;
use resolvent_core::killing::{FixedSteps, ResidualNoise};
use resolvent_core::step::{Bridge, Imposed, MultistepFlux};
use resolvent_core::{
    EmpiricalMeasure, EmpiricalScore, Error, KilledBrownianMotion, Sampler, ScoreAdaptive, Step,
};

const DIM: usize = 40;
const KNOWN: usize = 10;

fn problem() -> (KilledBrownianMotion, EmpiricalScore, DMatrix<f64>, Vec<bool>) {
    let process = KilledBrownianMotion::new(DIM, 1.0, 0.05).unwrap();
    // Two data that differ everywhere; the starts have the known coordinates of the first and lie nearer to the second elsewhere.
    let data = DMatrix::from_fn(DIM, 2, |row, column| {
        let sign = if row % 3 == 0 { -1.0 } else { 1.0 };
        if column == 0 { sign } else { -sign }
    });
    let starts = DMatrix::from_fn(DIM, 60, |row, column| {
        if row < KNOWN { data[(row, 0)] } else { 0.05 * data[(row, 1)] + 1e-3 * column as f64 }
    });
    let score = EmpiricalScore::new(&process, EmpiricalMeasure::new(data).unwrap()).unwrap();
    (process, score, starts, (0..DIM).map(|i| i < KNOWN).collect())
}

#[test]
fn known_coordinates_stay_and_decide_the_others() {
    let (process, score, starts, known) = problem();
    let control = ScoreAdaptive::new(0.1, 0.05).unwrap();
    let bridge = Bridge::new(&score);
    let imposed = Imposed::new(DIM, &bridge, &known).unwrap();
    let ends = Sampler::new(&process, &imposed, &control).run(&starts, 3).unwrap();
    for (end, start) in ends.points.column_iter().zip(starts.column_iter()) {
        assert_eq!(end.rows(0, KNOWN), start.rows(0, KNOWN));
    }
    let first = score.measure().point(0);
    let near = ends
        .points
        .column_iter()
        .filter(|end| end.iter().zip(first).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt() < 0.5);
    assert_eq!(near.count(), 60);
}

#[test]
fn a_flow_keeps_them_on_its_way() {
    let (process, score, starts, known) = problem();
    let flow = MultistepFlux::new(&score);
    let imposed = Imposed::new(DIM, &flow, &known).unwrap();
    assert!(Step::<KilledBrownianMotion>::is_flow(&imposed));
    let (control, rule) = (Contraction::new(0.2).unwrap(), ResidualNoise::new(&process, 0.05).unwrap());
    let cut = FixedSteps::new(7);
    let sampler = Sampler::new(&process, &imposed, &control).killing("noise", &rule).killing("cut", &cut);
    let ends = sampler.run(&starts, 3).unwrap();
    for (end, start) in ends.points.column_iter().zip(starts.column_iter()) {
        assert_eq!(end.rows(0, KNOWN), start.rows(0, KNOWN));
        assert_ne!(end[KNOWN], start[KNOWN]);
    }
}

#[test]
fn a_mask_of_another_length_is_refused() {
    let (_, score, _, known) = problem();
    let refused = Imposed::new(DIM, &Bridge::new(&score), &known[1..]).err();
    assert!(matches!(refused, Some(Error::Dimension { .. })));
}

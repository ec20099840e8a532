//! A score of your own: the sampler takes any type that implements `Score`, a closure that writes ∇ log u, or a table.
//!
//! The data are two points in space, of weights 0.3 and 0.7, so that the law of the end is known (R10). Three spellings of the
//! same score are handed to the same sampler. Run with `cargo run --release --example own_score`.

use nalgebra::DMatrix;
use resolvent::core::killing::DistanceToData;
use resolvent::core::score::{GridScore, Lattice, VectorField};
use resolvent::core::step::Bridge;
use resolvent::core::{
    EmpiricalMeasure, EmpiricalScore, GreenKernel, KilledBrownianMotion, Sampler, Score, ScoreAdaptive,
};

const POINTS: [[f64; 3]; 2] = [[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]];
const WEIGHTS: [f64; 2] = [0.3, 0.7];

/// 1. A type of your own, which knows a gain g and a displacement D - x: the best a step can be given.
struct TwoPoints {
    green: GreenKernel,
}

impl Score for TwoPoints {
    fn dim(&self) -> usize {
        3
    }

    fn evaluate(&self, points: &[f64], gains: &mut [f64], displacements: &mut [f64]) {
        let rows = points.chunks_exact(3).zip(displacements.chunks_exact_mut(3));
        for ((x, v), gain) in rows.zip(gains) {
            let atoms = POINTS.map(|y| {
                let rho = x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt();
                self.green.log_value_and_gain(rho)
            });
            let peak = atoms[0].0.max(atoms[1].0);
            let weights = [0, 1].map(|i| WEIGHTS[i] * (atoms[i].0 - peak).exp());
            let total = weights[0] + weights[1];
            let pulls = [0, 1].map(|i| weights[i] / total * atoms[i].1);
            *gain = pulls[0] + pulls[1];
            for k in 0..3 {
                v[k] = (0..2).map(|i| pulls[i] * (POINTS[i][k] - x[k])).sum::<f64>() / *gain;
            }
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let process = KilledBrownianMotion::new(3, 1.0, 0.2)?;
    let own = TwoPoints { green: process.green().clone() };

    // 2. A closure that writes the vector ∇ log u and nothing else; 5 is the distance taken where the vector is too short to
    // tell one.
    let field = VectorField::new(process.green().clone(), 5.0, |x: &[f64], out: &mut [f64]| {
        let mut gain = [0.0];
        own.evaluate(x, &mut gain, out);
        out.iter_mut().for_each(|v| *v *= gain[0]);
    })?;

    // 3. A table on a grid, here of a score at hand; `GridScore::new` and `from_scores` take arrays from elsewhere.
    let lattice = Lattice::new(&[-3.0; 3], &[3.0; 3], &[60; 3])?;
    let table = GridScore::tabulate(lattice, &own)?.atom_beyond(process.green().clone())?;

    let data = DMatrix::from_column_slice(3, 2, POINTS.as_flattened());
    let exact = EmpiricalScore::new(&process, EmpiricalMeasure::weighted(data, &WEIGHTS)?)?;
    let start = [0.2, 1.0, 0.0];
    println!("P(end at the second point): exact {:.3}", exact.posterior(&start)[1]);
    let starts = DMatrix::from_fn(3, 4_000, |k, _| start[k]);
    let control = ScoreAdaptive::new(0.1, 0.05)?;
    // A table knows nothing finer than its spacing, so particles are stopped before, and moved to D.
    let near = DistanceToData::new(&process, exact.measure().clone(), 0.2)?;
    let scores: [(&str, &dyn Score); 3] = [("own type", &own), ("closure", &field), ("table", &table)];
    for (name, score) in scores {
        let step = Bridge::new(score);
        let sampler = Sampler::new(&process, &step, &control).killing("near", &near).final_denoise(true);
        let ensemble = sampler.run(&starts, 7)?;
        let second = ensemble.points.column_iter().filter(|x| x[0] > 0.0).count();
        println!("{name:>8}: {:.3} of {} particles", second as f64 / 4_000.0, starts.ncols());
    }
    Ok(())
}

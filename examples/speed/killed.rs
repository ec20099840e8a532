//! Particles from one place to their deaths at 1,000 atoms in R^32, by the bridge step with its own step control.

use nalgebra::DMatrix;
use resolvent::core::step::Bridge;
use resolvent::core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion, Sampler, ScoreAdaptive};

use crate::{Options, Report, Result};

/// Of one run; the rate is that of 100,000.
const PARTICLES: usize = 8_192;
const ATOMS: usize = 1_000;
const DIM: usize = 32;
const ETA: f64 = 0.2;

/// Standard normal numbers by SplitMix64 and Box-Muller, which are the same in every language.
fn normals(count: u64, seed: u64) -> Vec<f64> {
    let unit = |k: u64| {
        let mut state = seed.wrapping_add(k.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^= state >> 31;
        ((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    };
    let pair = |k: u64| {
        let (length, turn) = ((-2.0 * unit(2 * k + 1).ln()).sqrt(), std::f64::consts::TAU * unit(2 * k + 2));
        [length * turn.cos(), length * turn.sin()]
    };
    (0..count / 2).flat_map(pair).collect()
}

pub(crate) fn run(options: &Options) -> Result<Report> {
    let process = KilledBrownianMotion::new(DIM, 1.0, 0.05)?;
    let numbers = normals(((ATOMS + 1) * DIM) as u64, 1);
    let (atoms, start) = numbers.split_at(ATOMS * DIM);
    let measure = EmpiricalMeasure::new(DMatrix::from_column_slice(DIM, ATOMS, atoms))?;
    let floor = 0.01 * measure.smallest_gap();
    let score = EmpiricalScore::new(&process, measure)?;
    let starts = DMatrix::from_fn(DIM, PARTICLES, |i, _| 1.5 * start[i]);
    let (step, control) = (Bridge::new(&score), ScoreAdaptive::new(ETA, floor)?);
    let sampler = Sampler::new(&process, &step, &control);
    let (mut evaluations, mut lifetimes, mut failure) = (0, Vec::new(), None);
    let seconds = options.fastest(|| match sampler.run(&starts, 1) {
        Ok(ensemble) => {
            evaluations = ensemble.evaluations.iter().sum();
            lifetimes = ensemble.lifetimes;
        }
        Err(error) => failure = Some(error),
    });
    if let Some(error) = failure {
        return Err(error.into());
    }
    let n = PARTICLES as f64;
    let lifetime = lifetimes.iter().sum::<f64>() / n;
    let more = vec![("evaluations", evaluations as f64 / n), ("lifetime", lifetime)];
    Ok(Report { rate: evaluations as f64 / seconds, unit: "evaluations", error: None, more })
}

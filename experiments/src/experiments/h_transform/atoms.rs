//! Paths towards atoms: the drift b + Σ ∇ log h against the law R7.

use anyhow::{Result, ensure};
use nalgebra::DMatrix;
use resolvent::core::htransform::{Atoms, deaths};
use resolvent::core::killed::LocallyBrownian;
use resolvent::core::killing::DistanceToData;
use resolvent::core::step::EulerMaruyama;
use resolvent::core::{Exit, Local, Resolvent, Sampler, Score, ScoreAdaptive, StepControl};
use resolvent::metrics;

use super::Settings;

/// What the simulated paths of one transform did, against its exact law.
pub(super) struct Compared {
    pub(super) name: &'static str,
    pub(super) process: String,
    pub(super) particles: usize,
    /// Paths that came within the tolerance of an atom, at a look or between two, and died there.
    pub(super) hit: usize,
    /// The largest distance from an atom at death, in units of the tolerance; beyond 1 the path was within between two looks.
    pub(super) farthest: f64,
    /// R7.
    pub(super) law: Vec<f64>,
    /// Places of death of the simulated paths, by atom.
    pub(super) simulated: Vec<u64>,
    /// Places of exact draws.
    pub(super) drawn: Vec<u64>,
    /// Simulated lifetimes against exact ones.
    pub(super) lifetimes: metrics::KsResult,
    /// Mean steps of a path.
    pub(super) steps: f64,
    pub(super) simulated_lifetimes: Vec<f64>,
    pub(super) drawn_lifetimes: Vec<f64>,
}

impl Compared {
    /// p-value of places against R7; one atom leaves nothing to test but that all are there.
    pub(super) fn place_p(&self, counts: &[u64]) -> Result<f64> {
        if counts.len() == 1 {
            return Ok(if counts[0] as usize == self.particles { 1.0 } else { 0.0 });
        }
        Ok(metrics::chi_square_test(counts, &self.law)?.p_value)
    }
}

/// Steps of a share of the local time scale near the atoms. Where the lifetime is made, far away, they are no longer than
/// `longest` or a tenth of that share, whichever is more: from r = 0 on there is no end to how far a path may go.
struct Fine {
    near: ScoreAdaptive,
    far: ScoreAdaptive,
    longest: f64,
}

impl<P: LocallyBrownian + ?Sized> StepControl<P> for Fine {
    fn step(&self, at: &Local<'_, P>) -> f64 {
        self.near.step(at).min(self.longest.max(self.far.step(at)))
    }
}

/// Runs `particles` paths from `x` by Euler-Maruyama with `score` = ∇ log(h m) until they are within `settings.tolerance` of
/// an atom, and as many exact draws.
pub(super) fn compare<P: Resolvent + LocallyBrownian>(
    (name, process): (&'static str, String),
    transform: &Atoms<P>,
    score: &dyn Score,
    x: &[f64],
    particles: usize,
    settings: &Settings,
    seed: u64,
) -> Result<Compared> {
    let starts = DMatrix::from_fn(x.len(), particles, |k, _| x[k]);
    let step = EulerMaruyama::new(score);
    let control = Fine {
        near: ScoreAdaptive::new(settings.eta, 0.0)?,
        far: ScoreAdaptive::new(0.1 * settings.eta, 0.0)?,
        longest: settings.longest_step,
    };
    let rule = DistanceToData::new(transform.process(), transform.kappa().clone(), settings.tolerance)?;
    let sampler = Sampler::new(transform.process(), &step, &control).killing("distance", &rule).cap(100_000);
    let run = sampler.run(&starts, seed)?;
    let atoms = transform.kappa().points();
    let nearest = metrics::nearest(&run.points, atoms)?;
    let hit = run.exits.iter().filter(|exit| **exit == Exit::Killed { rule: 0 }).count();
    let farthest = nearest.distances.iter().copied().fold(0.0, f64::max) / settings.tolerance;
    let (places, drawn_lifetimes) = deaths(transform, &starts, seed)?;
    let drawn = metrics::counts(&metrics::nearest_index(&places, atoms)?, atoms.ncols())?;
    ensure!(drawn.iter().sum::<u64>() as usize == particles, "{name}: exact draws lost");
    Ok(Compared {
        name,
        process,
        particles,
        hit,
        farthest,
        law: transform.death_law(x),
        simulated: metrics::counts(&nearest.indices, atoms.ncols())?,
        drawn,
        lifetimes: metrics::ks_two_sample(&run.lifetimes, &drawn_lifetimes)?,
        steps: run.mean_evaluations(),
        simulated_lifetimes: run.lifetimes,
        drawn_lifetimes,
    })
}

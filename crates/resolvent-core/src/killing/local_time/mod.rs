//! Dead by local time on a support of codimension one.

mod line;
mod shell;
mod surface;

pub use line::PointsOnLine;
pub use shell::Shell;
pub use surface::Hypersurface;

use rand::RngExt;
use rand_distr::Exp1;

use super::{KillingRule, Memory};
use crate::error::{Error, Result, positive};
use crate::killed::LocallyBrownian;
use crate::random::Stream;
use crate::sampler::Local;

/// A step covers at most this share of the distance to the support, or of the gap between two pieces of it.
const SHARE: f64 = 0.25;
/// The resolution next to the support, if nothing else is said, as a share of the length σ²/q over which the score jumps
/// by 2.
const RESOLUTION: f64 = 0.1;

/// The local time that a step from one signed distance to the next adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Increment {
    /// That of Tanaka's formula for the steps themselves, |s'| - sign(s) s': twice the overshoot of a step that crosses,
    /// |s'| from a place on M, 0 else.
    Tanaka,
    /// A draw for the Brownian bridge between the two looks:
    /// P(L > l) = exp(-[(|s| + |s'| + l)² - (s - s')²] / (2 σ² dt)) (Borodin and Salminen 2002, part II, chapter 1).
    Bridge,
}

/// Killed by local time on a hypersurface M that carries the data with the surface density α_M: the backward process
/// passes through M many times, and dies at the rate q = α_M/u per unit of the local time
/// L = lim (1/2ε) ∫ 1{dist(X, M) < ε} dt, whose Revuz measure is the surface (R13 for a density on a surface). In units of the semimartingale
/// local time of the signed distance the rate is q/σ².
///
/// The score jumps across M, by 2q/σ² towards it, and Euler-Maruyama goes on with the drift of the side that it has left.
/// With [`Increment::Tanaka`] this costs nothing: the process that survives has the transition density
/// e^{-r dt} p_dt(x, x') u(x')/u(x), and of the jump in ∇ log u there remains, for a step that crosses, the factor
/// exp(-2q |s'|/σ²), which is e^{-qL} for the L of Tanaka's formula. For one point on the line the killed scheme has the exact
/// law at every step size; elsewhere the error is that of Euler-Maruyama on either side. With [`Increment::Bridge`], the local
/// time of the continuous path, the drift after the crossing is wrong, which shows in the law unless steps are short.
///
/// A particle dies at its projection to M, at a time uniform in the step. Rules of this kind are for steps with noise: a
/// [flow](crate::Step::is_flow) has no local time and is not killed.
#[derive(Debug, Clone)]
pub struct LocalTime<H> {
    surface: H,
    increment: Increment,
    resolution: Option<f64>,
}

impl<H: Hypersurface> LocalTime<H> {
    /// Killing on `surface` by [`Increment::Tanaka`]. Steps are no longer than takes the noise over a quarter of the
    /// distance to M, or over a tenth of σ²/q but no more than a quarter of the [gap](Hypersurface::gap) between two pieces
    /// of M, whichever is longer.
    pub fn new(surface: H) -> Self {
        Self { surface, increment: Increment::Tanaka, resolution: None }
    }

    /// Another way to measure the local time of a step.
    #[must_use]
    pub fn increment(self, increment: Increment) -> Self {
        Self { increment, ..self }
    }

    /// The length `resolution` > 0 over which the noise of a step next to M may go, in place of that of [`new`](Self::new).
    /// It should be small against the gaps in M.
    ///
    /// # Errors
    /// If `resolution` is not positive and finite.
    pub fn resolution(self, resolution: f64) -> Result<Self> {
        Ok(Self { resolution: Some(positive("resolution", resolution)?), ..self })
    }

    /// The hypersurface.
    pub fn surface(&self) -> &H {
        &self.surface
    }
}

/// Why there is no killing by local time on a support of which only the codimension is known.
pub fn no_local_time(codimension: usize) -> Error {
    let reason = match codimension {
        0 => "data with a density kill at the rate alpha/u per unit of time: use the hazard",
        1 => {
            "it needs the signed distance to the support and the surface density of the data, which are known for points on \
             a line and for a uniform sphere around the origin"
        }
        _ => "it is polar, and the process dies where it first enters it: use a distance rule",
    };
    Error::NoLocalTime { codimension, reason }
}

impl<P: LocallyBrownian + ?Sized, H: Hypersurface> KillingRule<P> for LocalTime<H> {
    fn begin(&self, rng: &mut Stream) -> Memory {
        [rng.sample(Exp1), 0.0]
    }

    fn kills(&self, [clock, last]: &mut Memory, at: &Local<'_, P>, rng: &mut Stream) -> bool {
        let now = self.surface.signed_distance(at.point);
        let before = std::mem::replace(last, now);
        if at.steps == 0 || at.flows {
            return false;
        }
        let variance = at.process.brownian().sigma().powi(2);
        let local_time = match self.increment {
            Increment::Tanaka => tanaka(before, now),
            Increment::Bridge => bridge(before, now, variance * at.last_step, rng),
        };
        if local_time <= 0.0 {
            return false;
        }
        *clock -= self.surface.rate(at.point) * local_time / variance;
        if *clock > 0.0 {
            return false;
        }
        // From now on the share of the last step that has passed since death.
        *clock = rng.random();
        true
    }

    fn longest_step(&self, _memory: &Memory, at: &Local<'_, P>) -> f64 {
        let sigma = at.process.brownian().sigma();
        let distance = self.surface.signed_distance(at.point).abs();
        let resolution = match self.resolution {
            Some(resolution) => resolution,
            None => f64::min(
                RESOLUTION * sigma * sigma / self.surface.rate(at.point),
                SHARE * self.surface.gap(at.point),
            ),
        };
        (f64::max(SHARE * distance, resolution) / sigma).powi(2)
    }

    fn death(&self, [share, _]: &Memory, at: &Local<'_, P>, place: &mut [f64]) -> f64 {
        self.surface.project(place);
        share * at.last_step
    }
}

/// The semimartingale local time at 0 of a path with the looks s and s' by Tanaka's formula.
fn tanaka(before: f64, now: f64) -> f64 {
    if before == 0.0 {
        now.abs()
    } else if before * now < 0.0 {
        2.0 * now.abs()
    } else {
        0.0
    }
}

/// A draw of the semimartingale local time at 0 of a Brownian bridge of the given variance between the looks s and s'.
fn bridge(before: f64, now: f64, variance: f64, rng: &mut Stream) -> f64 {
    let exponential: f64 = rng.sample(Exp1);
    f64::sqrt((before - now).powi(2) + 2.0 * variance * exponential) - before.abs() - now.abs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, stream};

    /// Both ways agree in the mean over all steps next to 0: ∫∫ L p(s, s') ds ds' = σ² dt.
    #[test]
    fn both_increments_have_the_mean_of_the_occupation_formula() {
        let (variance, reach, n) = (0.3, 5.0, 400_000);
        let mut rng = stream(1, Purpose::Experiment, 0);
        let mut sums = [[0.0; 2]; 2];
        for _ in 0..n {
            let before = reach * (2.0 * rng.random::<f64>() - 1.0);
            let now = before + f64::sqrt(variance) * rng.sample::<f64, _>(rand_distr::StandardNormal);
            let draws = [tanaka(before, now), bridge(before, now, variance, &mut rng).max(0.0)];
            for (sum, draw) in sums.iter_mut().zip(draws) {
                sum[0] += 2.0 * reach * draw;
                sum[1] += (2.0 * reach * draw).powi(2);
            }
        }
        for [sum, squares] in sums {
            let mean = sum / f64::from(n);
            let error = f64::sqrt((squares / f64::from(n) - mean * mean) / f64::from(n));
            assert!((mean - variance).abs() < 4.0 * error, "{mean} {error}");
        }
    }
}

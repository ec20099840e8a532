//! Is the noise of a kind whose iterated integrals are functions of its increments?

use crate::diffusion::{Diffusion, Dispersion};
use crate::error::{Error, Result};

/// A relative change of σ per unit of max(1, |x|) below this is rounding.
const NEGLIGIBLE: f64 = 1e-6;

/// Passes in one dimension, if σ(t, ·) is diagonal near x with σ_i a function of x_i alone, or if it does not change at
/// all, by central differences at `x`.
///
/// # Errors
/// If a derivative of σ is found that must not be there.
pub(crate) fn commuting(diffusion: &dyn Diffusion, t: f64, x: &[f64]) -> Result<()> {
    if x.len() == 1 {
        return Ok(());
    }
    let (mut here, mut there) = (Dispersion::default(), Dispersion::default());
    diffusion.dispersion(t, x, &mut here);
    // One difference in no particular direction settles most cases, whatever the dimension.
    let moved: Vec<f64> = (1..).zip(x).map(|(i, x)| x + 0.1 * f64::sin(f64::from(i))).collect();
    diffusion.dispersion(t, &moved, &mut there);
    if here == there {
        return Ok(());
    }
    let sigma = here.matrix(x.len());
    let diagonal = sigma.iter().enumerate().all(|(k, s)| k % (x.len() + 1) == 0 || *s == 0.0);
    let mut at = x.to_vec();
    for j in 0..x.len() {
        let h = f64::EPSILON.cbrt() * x[j].abs().max(1.0);
        at[j] = x[j] + h;
        diffusion.dispersion(t, &at, &mut there);
        let mut change = there.matrix(x.len());
        at[j] = x[j] - h;
        diffusion.dispersion(t, &at, &mut there);
        change -= there.matrix(x.len());
        at[j] = x[j];
        if diagonal {
            change[(j, j)] = 0.0;
        }
        let derivative = change.amax() / (2.0 * h);
        if derivative * x[j].abs().max(1.0) > NEGLIGIBLE * sigma.amax() {
            return Err(Error::NoncommutingNoise { derivative });
        }
    }
    Ok(())
}

//! The uniform law on a sphere of codimension one.

use super::Hypersurface;
use crate::htransform::{HTransform, Sphere};

/// The surface measure of the sphere |x| = R in R^d under killed Brownian motion: two points for d = 1, a circle for d = 2.
///
/// With h of R8 the uniform law has u = h over the surface, so q = 1/h(R). That is also the rate at which Z^h forward
/// dies: local time at this rate is the clock of the last exit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shell {
    radius: f64,
    rate: f64,
}

impl Shell {
    /// The sphere whose surface measure represents h.
    pub fn new(sphere: &Sphere) -> Self {
        let mut place = vec![0.0; sphere.dim()];
        place[0] = sphere.radius();
        Self { radius: sphere.radius(), rate: f64::exp(-sphere.log_value(&place)) }
    }
}

impl Hypersurface for Shell {
    fn signed_distance(&self, x: &[f64]) -> f64 {
        norm(x) - self.radius
    }

    fn rate(&self, _x: &[f64]) -> f64 {
        self.rate
    }

    /// The centre goes to the pole (R, 0, .., 0).
    fn project(&self, x: &mut [f64]) {
        let norm = norm(x);
        if norm > 0.0 {
            x.iter_mut().for_each(|x| *x *= self.radius / norm);
        } else {
            x[0] = self.radius;
        }
    }

    fn gap(&self, _x: &[f64]) -> f64 {
        2.0 * self.radius
    }
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

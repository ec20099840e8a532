//! Several laws of points in given shares.

use super::{Place, WeightedPlace, add_noise};
use crate::error::{Error, Result};
use crate::examples::Proposal;
use nalgebra::DMatrix;
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use resolvent_core::random::Stream;

/// Draws from one of several laws, chosen by its weight, with noise on top where it has any.
pub struct Places<'a> {
    dim: usize,
    choice: WeightedIndex<f64>,
    laws: Vec<(Box<dyn Place + 'a>, Option<Proposal>)>,
}

impl<'a> Places<'a> {
    /// The mixture of `laws`, all from the columns of `data` (d x n).
    ///
    /// # Errors
    /// If there are no laws, a weight is not positive and finite, or a law cannot be built.
    pub fn new(data: &'a DMatrix<f64>, laws: &[WeightedPlace]) -> Result<Self> {
        for law in laws {
            if !(law.weight.is_finite() && law.weight > 0.0) {
                let name = "places.weight";
                return Err(Error::Number { name, allowed: "positive and finite", value: law.weight });
            }
            law.noise.iter().try_for_each(Proposal::validate)?;
        }
        let choice = WeightedIndex::new(laws.iter().map(|law| law.weight))
            .map_err(|_| Error::Empty { name: "places" })?;
        let laws =
            laws.iter().map(|law| Ok((law.place.build(data)?, law.noise))).collect::<Result<Vec<_>>>()?;
        Ok(Self { dim: data.nrows(), choice, laws })
    }
}

impl Place for Places<'_> {
    fn dim(&self) -> usize {
        self.dim
    }

    fn draw(&self, rng: &mut Stream, point: &mut [f64]) {
        let (place, noise) = &self.laws[self.choice.sample(rng)];
        place.draw(rng, point);
        if let Some(noise) = noise {
            add_noise(noise.draw(rng), rng, point);
        }
    }
}

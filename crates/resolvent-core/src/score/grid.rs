//! A score computed beforehand on a regular grid.

use nalgebra::DMatrix;
use rayon::prelude::*;

use super::Score;
use super::field::factor;
use super::products::TILE;
use crate::error::{Error, Result, at_least, dimension, finite, positive};
use crate::killed::GreenKernel;

/// The nodes of a regular grid in a box of R^d, d small: there are Π n_k of them.
///
/// They are counted with the last coordinate running fastest, as NumPy counts the entries of an array of shape
/// (n_1, .., n_d).
#[derive(Debug, Clone, PartialEq)]
pub struct Lattice {
    lower: Vec<f64>,
    spacings: Vec<f64>,
    counts: Vec<usize>,
    nodes: usize,
}

impl Lattice {
    /// `counts` (d) nodes along each coordinate, at least two, from `lower` (d) to `upper` (d), ends included.
    ///
    /// # Errors
    /// If the lengths differ, d is zero, an edge is not positive and finite, or there are too few nodes or too many to count.
    pub fn new(lower: &[f64], upper: &[f64], counts: &[usize]) -> Result<Self> {
        at_least("dim", 1, lower.len())?;
        dimension("upper", lower.len(), upper.len())?;
        dimension("counts", lower.len(), counts.len())?;
        let mut spacings = Vec::with_capacity(lower.len());
        let mut nodes = 1_usize;
        for ((low, high), &count) in lower.iter().zip(upper).zip(counts) {
            at_least("counts", 2, count)?;
            spacings.push(positive("upper - lower", high - low)? / (count - 1) as f64);
            nodes = nodes
                .checked_mul(count)
                .filter(|n| n.checked_mul(8 * lower.len()).is_some())
                .ok_or(Error::Outside { name: "counts", low: 2.0, high: 1e18, value: count as f64 })?;
        }
        Ok(Self { lower: lower.to_vec(), spacings, counts: counts.to_vec(), nodes })
    }

    /// Dimension d.
    pub fn dim(&self) -> usize {
        self.lower.len()
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes
    }

    /// Whether there is none, which cannot be.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The places of the nodes (d x Π n_k).
    pub fn nodes(&self) -> DMatrix<f64> {
        let mut places = DMatrix::zeros(self.dim(), self.nodes);
        for (mut index, mut place) in places.column_iter_mut().enumerate() {
            for k in (0..self.dim()).rev() {
                place[k] = self.lower[k] + (index % self.counts[k]) as f64 * self.spacings[k];
                index /= self.counts[k];
            }
        }
        places
    }

    /// The node at the lower corner of the cell of `x`, or of the point of the box nearest to it. The point's place within
    /// the cell goes to `shares` (d), in units of the cell, and how far `x` lies beyond it to `beyond` (d).
    fn cell(&self, x: &[f64], shares: &mut [f64], beyond: &mut [f64]) -> usize {
        let mut corner = 0;
        for (k, x) in x.iter().enumerate() {
            let last = (self.counts[k] - 1) as f64;
            let position = (x - self.lower[k]) / self.spacings[k];
            // NaN stays NaN.
            let held = position.clamp(0.0, last);
            let index = held.floor().min(last - 1.0);
            shares[k] = held - index;
            beyond[k] = if held == position { 0.0 } else { (position - held) * self.spacings[k] };
            corner = corner * self.counts[k] + index as usize;
        }
        corner
    }
}

/// A score g (D - x) known at the nodes of a [`Lattice`]. In between log g and D are interpolated linearly in every coordinate, so
/// that away from the data the error falls with the square of the spacing; data finer than the spacing are not resolved.
///
/// Beyond the box D is that of the nearest point of the box, so that particles out there are pulled back in, and the gain is
/// that point's too, unless [`atom_beyond`](Self::atom_beyond) says how it falls off.
///
/// ```
/// use nalgebra::DMatrix;
/// use resolvent_core::score::{GridScore, Lattice};
/// use resolvent_core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion, Score};
///
/// let process = KilledBrownianMotion::new(2, 1.0, 0.5)?;
/// let data = EmpiricalMeasure::new(DMatrix::from_column_slice(2, 2, &[0.0, 0.0, 1.0, 0.0]))?;
/// let exact = EmpiricalScore::new(&process, data)?;
/// // Gains and displacements at the nodes could come from a file as well.
/// let lattice = Lattice::new(&[1.0, 1.0], &[3.0, 3.0], &[41, 41])?;
/// let grid = GridScore::tabulate(lattice, &exact)?.atom_beyond(process.green().clone())?;
/// let (mut gain, mut v) = ([0.0], [0.0; 2]);
/// grid.evaluate(&[1.51, 2.03], &mut gain, &mut v);
/// let s = exact.score(&DMatrix::from_column_slice(2, 1, &[1.51, 2.03]))?;
/// assert!((gain[0] * v[0] - s[0]).abs() < 1e-3);
/// # Ok::<(), resolvent_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct GridScore {
    lattice: Lattice,
    log_gains: Vec<f64>,
    displacements: DMatrix<f64>,
    beyond: Option<GreenKernel>,
}

impl GridScore {
    /// From the gains (Π n_k, > 0) and the displacements (d x Π n_k) at the nodes.
    ///
    /// # Errors
    /// If there are not as many as nodes, a gain is not positive and finite, or a displacement not finite.
    pub fn new(lattice: Lattice, gains: &[f64], displacements: DMatrix<f64>) -> Result<Self> {
        dimension("gains", lattice.len(), gains.len())?;
        dimension("displacements", lattice.dim(), displacements.nrows())?;
        dimension("nodes of the displacements", lattice.len(), displacements.ncols())?;
        finite("displacements", &displacements)?;
        gains.iter().try_for_each(|gain| positive("gains", *gain).map(drop))?;
        let log_gains = gains.iter().map(|gain| gain.ln()).collect();
        Ok(Self { lattice, log_gains, displacements, beyond: None })
    }

    /// From the scores ∇ log u (d x Π n_k) at the nodes, factored as in [`VectorField`](super::VectorField): `green` is the
    /// kernel of the process, `farthest` > 0 the length taken where a score is too small to tell one.
    ///
    /// # Errors
    /// If there are not as many as nodes, a score is not finite, as on a datum, or `farthest` is not positive and finite.
    pub fn from_scores(
        lattice: Lattice,
        scores: DMatrix<f64>,
        green: &GreenKernel,
        farthest: f64,
    ) -> Result<Self> {
        dimension("green", lattice.dim(), green.dim())?;
        dimension("scores", lattice.dim(), scores.nrows())?;
        finite("scores", &scores)?;
        let farthest = positive("farthest", farthest)?;
        let mut displacements = scores;
        let gains: Vec<f64> = displacements
            .as_mut_slice()
            .chunks_exact_mut(lattice.dim())
            .map(|v| factor(green, farthest, v))
            .collect();
        Self::new(lattice, &gains, displacements)
    }

    /// From another score, evaluated at all nodes on all cores.
    ///
    /// # Errors
    /// If the dimensions differ, or the score is not finite at a node.
    pub fn tabulate(lattice: Lattice, score: &dyn Score) -> Result<Self> {
        let d = lattice.dim();
        dimension("score", d, score.dim())?;
        let nodes = lattice.nodes();
        let mut gains = vec![0.0; lattice.len()];
        let mut displacements = DMatrix::zeros(d, lattice.len());
        nodes
            .as_slice()
            .par_chunks(d * TILE)
            .zip(gains.par_chunks_mut(TILE))
            .zip(displacements.as_mut_slice().par_chunks_mut(d * TILE))
            .for_each(|((points, gains), displacements)| score.evaluate(points, gains, displacements));
        Self::new(lattice, &gains, displacements)
    }

    /// Beyond the box the gain falls off like that of an atom at D under `green`, starting from its value at the nearest point
    /// of the box.
    ///
    /// # Errors
    /// If the dimensions differ.
    pub fn atom_beyond(self, green: GreenKernel) -> Result<Self> {
        dimension("green", self.lattice.dim(), green.dim())?;
        Ok(Self { beyond: Some(green), ..self })
    }

    /// The grid.
    pub fn lattice(&self) -> &Lattice {
        &self.lattice
    }
}

impl Score for GridScore {
    fn dim(&self) -> usize {
        self.lattice.dim()
    }

    fn evaluate(&self, points: &[f64], gains: &mut [f64], displacements: &mut [f64]) {
        let d = self.dim();
        let (mut shares, mut beyond) = (vec![0.0; d], vec![0.0; d]);
        let rows = points.chunks_exact(d).zip(displacements.chunks_exact_mut(d));
        for ((x, v), gain) in rows.zip(gains) {
            let corner = self.lattice.cell(x, &mut shares, &mut beyond);
            let mut log_gain = 0.0;
            v.fill(0.0);
            for choice in 0..1_usize << d {
                let (mut weight, mut node, mut stride) = (1.0, corner, 1);
                for k in (0..d).rev() {
                    let upper = choice >> k & 1;
                    weight *= if upper == 1 { shares[k] } else { 1.0 - shares[k] };
                    node += upper * stride;
                    stride *= self.lattice.counts[k];
                }
                log_gain += weight * self.log_gains[node];
                let at_node = self.displacements.column(node);
                v.iter_mut().zip(at_node.iter()).for_each(|(v, at)| *v += weight * at);
            }
            let squared = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>();
            let within = squared(v);
            v.iter_mut().zip(&beyond).for_each(|(v, beyond)| *v -= beyond);
            *gain = log_gain.exp();
            if let (Some(green), true) = (&self.beyond, beyond.iter().any(|b| *b != 0.0)) {
                *gain *= green.gain(squared(v).sqrt()) / green.gain(within.sqrt());
            }
        }
    }
}

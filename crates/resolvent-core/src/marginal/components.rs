//! The components of a Gaussian mixture at one noise level, made ready for many points.

use std::sync::LazyLock;

use pulp::{Arch, Simd, WithSimd};

use super::lanes::{
    LANES, add_product, add_square, add_weighted, add_weighted_each, add_weights, differ, gather, multiply,
};

/// Finding out what the processor has takes longer than a short loop.
static ARCH: LazyLock<Arch> = LazyLock::new(Arch::new);

/// Components N(m_k, V_k) with weights w_k, and for each a linear map of x - m_k whose posterior mean is wanted.
pub(super) struct Components {
    pub(super) dim: usize,
    /// m_k (k rows of d).
    pub(super) centres: Vec<f64>,
    /// log w_k - ½ log det(2π V_k).
    pub(super) constants: Vec<f64>,
    pub(super) shape: Shape,
    /// What is added to the linear part: the value at the centre, or for isotropic components at the origin, where it
    /// saves a subtraction (k rows of d).
    pub(super) offsets: Vec<f64>,
}

/// The matrices of all components.
pub(super) enum Shape {
    /// V_k = v_k I: 1/v_k and the factor of x in the map.
    Isotropic { precisions: Vec<f64>, gains: Vec<f64> },
    /// W_k with W_kᵀ W_k = V_k⁻¹, and G_k, which takes W_k (x - m_k) to the linear part of the map (row by row).
    Full { whitenings: Vec<f64>, gains: Vec<f64> },
}

/// [`Components::posterior_means`] in dimension D with finite numbers, or in any if D is 0; to be compiled for several sets of vector
/// instructions. None of them fuses a product with a sum, so all give the same bits.
struct Means<'a, const D: usize> {
    components: &'a Components,
    points: &'a [f64],
    out: &'a mut [f64],
}

impl<const D: usize> WithSimd for Means<'_, D> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { components, points, out } = self;
        let d = if D == 0 { components.dim } else { D };
        let mut block = Block::new(d, components.len());
        for (points, out) in points.chunks(LANES * d).zip(out.chunks_mut(LANES * d)) {
            block.gather(d, points);
            if D == 0 {
                components.block_means(d, &mut block, out);
            } else {
                components.few_means::<D>(&mut block, out);
            }
        }
    }
}

/// Scratch for a block of up to [`LANES`] points; rows of [`LANES`] numbers.
pub(super) struct Block {
    /// Number of points.
    n: usize,
    pub(super) x: Vec<f64>,
    /// x - m_k.
    away: Vec<f64>,
    /// W_k (x - m_k).
    white: Vec<f64>,
    /// log w_k N(x; m_k, V_k), a row for each component.
    pub(super) logs: Vec<f64>,
    moment: Vec<f64>,
    /// The largest of the logs.
    pub(super) peak: [f64; LANES],
}

impl Components {
    /// Number of components.
    fn len(&self) -> usize {
        self.constants.len()
    }

    /// Writes Σ_k p_k(x) (map of x by component k), p the posterior weights, at `points` (n rows of d) into `out` (n rows
    /// of d).
    pub(super) fn posterior_means(&self, points: &[f64], out: &mut [f64]) {
        let finite = |values: &[f64]| values.iter().all(|v| v.is_finite());
        let shapes = match &self.shape {
            Shape::Isotropic { precisions, gains } => finite(precisions) && finite(gains),
            Shape::Full { whitenings, gains } => finite(whitenings) && finite(gains),
        };
        // A dimension known at compile time unrolls the loops over coordinates.
        match if shapes && finite(&self.offsets) { self.dim } else { 0 } {
            1 => ARCH.dispatch(Means::<1> { components: self, points, out }),
            2 => ARCH.dispatch(Means::<2> { components: self, points, out }),
            3 => ARCH.dispatch(Means::<3> { components: self, points, out }),
            _ => ARCH.dispatch(Means::<0> { components: self, points, out }),
        }
    }

    /// Writes log Σ_k w_k N(x; m_k, V_k) at `points` (n rows of d) into `out` (n).
    pub(super) fn log_densities(&self, points: &[f64], out: &mut [f64]) {
        let d = self.dim;
        let mut block = Block::new(d, self.len());
        for (points, out) in points.chunks(LANES * d).zip(out.chunks_mut(LANES)) {
            block.gather(d, points);
            self.weigh(d, &mut block);
            let Block { n, logs, peak, .. } = &block;
            let (mut weights, mut total) = ([0.0; LANES], [0.0; LANES]);
            for logs in logs.chunks_exact(LANES) {
                add_weights(&logs[..*n], &peak[..*n], &mut weights[..*n], &mut total[..*n]);
            }
            for (out, (peak, total)) in out.iter_mut().zip(peak.iter().zip(total)) {
                *out = peak + total.ln();
            }
        }
    }

    #[inline(always)]
    fn block_means(&self, d: usize, block: &mut Block, out: &mut [f64]) {
        self.weigh(d, block);
        let Block { n, x, away, white, logs, moment, peak } = block;
        let n = *n;
        let (mut weights, mut total, mut pull) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        let (weights, total, pull, peak) = (&mut weights[..n], &mut total[..n], &mut pull[..n], &peak[..n]);
        moment.fill(0.0);
        for (k, logs) in logs.chunks_exact(LANES).enumerate() {
            if !add_weights(&logs[..n], peak, weights, total) {
                continue;
            }
            for (i, moment) in moment.chunks_exact_mut(LANES).take(d).enumerate() {
                add_weighted(&mut moment[..n], self.offsets[k * d + i], weights);
            }
            match &self.shape {
                Shape::Isotropic { gains, .. } => add_weighted(pull, gains[k], weights),
                Shape::Full { whitenings, gains } => {
                    self.differ(d, n, k, x, away);
                    multiply(d, n, &whitenings[k * d * d..][..d * d], away, white);
                    multiply(d, n, &gains[k * d * d..][..d * d], white, away);
                    for (moment, value) in
                        moment.chunks_exact_mut(LANES).zip(away.chunks_exact(LANES)).take(d)
                    {
                        add_weighted_each(&mut moment[..n], value, weights);
                    }
                }
            }
        }
        for (i, (moment, x)) in moment.chunks_exact_mut(LANES).zip(x.chunks_exact(LANES)).take(d).enumerate()
        {
            if let Shape::Isotropic { .. } = self.shape {
                add_product(&mut moment[..n], x, pull);
            }
            for (out, (moment, total)) in out.chunks_exact_mut(d).zip(moment.iter().zip(&*total)) {
                out[i] = moment / total;
            }
        }
    }

    /// Fills in the logarithms of the weights of all components and the largest.
    #[inline(always)]
    fn weigh(&self, d: usize, block: &mut Block) {
        let Block { n, x, away, white, logs, peak, .. } = block;
        let n = *n;
        let peak = &mut peak[..n];
        peak.fill(f64::NEG_INFINITY);
        for (k, logs) in logs.chunks_exact_mut(LANES).enumerate() {
            self.differ(d, n, k, x, away);
            let (squares, precision) = match &self.shape {
                Shape::Isotropic { precisions, .. } => (&*away, precisions[k]),
                Shape::Full { whitenings, .. } => {
                    multiply(d, n, &whitenings[k * d * d..][..d * d], away, white);
                    (&*white, 1.0)
                }
            };
            let logs = &mut logs[..n];
            logs.fill(0.0);
            for row in squares.chunks_exact(LANES).take(d) {
                add_square(logs, row);
            }
            let constant = self.constants[k];
            for (l, p) in logs.iter_mut().zip(&mut *peak) {
                *l = constant - 0.5 * precision * *l;
                *p = if *l > *p { *l } else { *p };
            }
        }
    }

    /// away ← x - m_k.
    #[inline(always)]
    fn differ(&self, d: usize, n: usize, k: usize, x: &[f64], away: &mut [f64]) {
        let rows = away.chunks_exact_mut(LANES).zip(x.chunks_exact(LANES));
        for ((away, x), centre) in rows.zip(&self.centres[k * d..][..d]) {
            differ(&mut away[..n], x, *centre);
        }
    }

    /// The posterior weights p_k at `x` (d) into `out` (k).
    pub(super) fn responsibilities(&self, x: &[f64], out: &mut [f64]) {
        let mut block = Block::new(self.dim, self.len());
        block.gather(self.dim, x);
        self.weigh(self.dim, &mut block);
        for (out, logs) in out.iter_mut().zip(block.logs.chunks_exact(LANES)) {
            *out = f64::exp(logs[0] - block.peak[0]);
        }
        let total: f64 = out.iter().sum();
        out.iter_mut().for_each(|p| *p /= total);
    }

    /// out ← J v, J the Jacobian at `x` of the posterior mean of the maps; all of length d.
    ///
    /// With c_k = (W_k v)·(W_k (x - m_k)) = -v·∇ log N_k it is Σ p_k [A_k v - (c_k - Σ p c) (map of x by k)], A_k the
    /// linear part of the map.
    pub(super) fn jacobian_product(&self, x: &[f64], v: &[f64], out: &mut [f64]) {
        let (d, count) = (self.dim, self.len());
        let (mut weights, mut pairings) = (vec![0.0; count], vec![0.0; count]);
        let (mut away, mut white, mut along) = (vec![0.0; d], vec![0.0; d], vec![0.0; d]);
        self.responsibilities(x, &mut weights);
        let mut whiten = |k: usize, white: &mut [f64], along: &mut [f64]| {
            away.iter_mut().zip(x.iter().zip(&self.centres[k * d..])).for_each(|(a, (x, m))| *a = x - m);
            match &self.shape {
                Shape::Isotropic { precisions, .. } => {
                    let root = precisions[k].sqrt();
                    white.iter_mut().zip(&away).for_each(|(w, a)| *w = root * a);
                    along.iter_mut().zip(v).for_each(|(w, v)| *w = root * v);
                }
                Shape::Full { whitenings, .. } => {
                    for (i, row) in whitenings[k * d * d..][..d * d].chunks_exact(d).enumerate() {
                        white[i] = dot(row, &away);
                        along[i] = dot(row, v);
                    }
                }
            }
        };
        for (k, pairing) in pairings.iter_mut().enumerate() {
            whiten(k, &mut white, &mut along);
            *pairing = dot(&white, &along);
        }
        let reached = |k: &usize| weights[*k] > 0.0;
        let mean: f64 = (0..count).filter(reached).map(|k| weights[k] * pairings[k]).sum();
        out.fill(0.0);
        for k in (0..count).filter(reached) {
            whiten(k, &mut white, &mut along);
            let (weight, tilt) = (weights[k], pairings[k] - mean);
            for i in 0..d {
                let linear = match &self.shape {
                    Shape::Isotropic { gains, .. } => gains[k] * (v[i] - tilt * x[i]),
                    Shape::Full { gains, .. } => {
                        let row = &gains[(k * d + i) * d..][..d];
                        dot(row, &along) - tilt * dot(row, &white)
                    }
                };
                out[i] += weight * (linear - tilt * self.offsets[k * d + i]);
            }
        }
    }
}

impl Block {
    fn new(d: usize, components: usize) -> Self {
        let rows = vec![0.0; d * LANES];
        let logs = vec![0.0; components * LANES];
        let (x, away, white) = (rows.clone(), rows.clone(), rows.clone());
        Self { n: 0, x, away, white, logs, moment: rows, peak: [0.0; LANES] }
    }

    fn gather(&mut self, d: usize, points: &[f64]) {
        self.n = points.len() / d;
        gather(d, points, &mut self.x);
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

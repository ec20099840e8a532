//! The sets, each with its exact score.

use std::f64::consts::{FRAC_PI_2, PI};

use anyhow::Result;
use nalgebra::{DMatrix, SymmetricEigen};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use resolvent::core::random::{Purpose, stream};
use resolvent::core::score::{CircleScore, SmoothedScore, SphereScore};
use resolvent::core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion, Score};
use resolvent::data::{Checkerboard, Circle, Law, Sphere, Support, SwissRollCurve};
use resolvent::learn::Recipe;
use resolvent::learn::examples::Proposal;
use resolvent::learn::{ExampleSettings, model, network};

use super::Settings;

/// Length of the unit of the Swiss roll.
const ROLL: f64 = 0.1;
/// Half the side of the board, its squares along a side, and the centres along a side of a square.
const BOARD: (f64, u32, usize) = (1.0, 4, 8);
/// The deviation by which the edges of the squares are softened.
const SOFTENED: f64 = 0.045;
/// Deaths as close to their start do not count where data have a density (δ of R15).
const CLOSEST: f64 = 0.03;

/// Data and their exact score.
pub(super) struct Set {
    pub(super) name: &'static str,
    /// For the names of files.
    pub(super) stem: &'static str,
    pub(super) process: KilledBrownianMotion,
    pub(super) data: Data,
    /// Whether its error is held to the marks.
    pub(super) marked: bool,
}

/// A law with its score.
pub(super) enum Data {
    /// Of codimension at least two: the score explodes there.
    Polar { law: Box<dyn Support>, score: Box<dyn Score> },
    /// With a density: particles die at the rate α/u.
    Dense { law: Squares, score: Box<SmoothedScore> },
}

pub(super) fn sets(settings: &Settings) -> Result<Vec<Set>> {
    let process = |dim| KilledBrownianMotion::new(dim, 1.0, settings.rate);
    let (circle, sphere, plane, space) = (process(8)?, process(10)?, process(2)?, process(3)?);
    let squares = Squares::new()?;
    let softened = SmoothedScore::new(&plane, EmpiricalMeasure::new(squares.centres.clone())?, SOFTENED)?;
    Ok(vec![
        Set {
            name: "circle in R⁸",
            stem: "circle",
            data: Data::Polar {
                law: Box::new(Circle::new(1.0, 8)?),
                score: Box::new(CircleScore::new(&circle, 1.0, |_| 1.0)?),
            },
            process: circle,
            marked: true,
        },
        Set {
            name: "S² in R¹⁰",
            stem: "sphere",
            data: Data::Polar {
                law: Box::new(Sphere::new(2, 1.0, 10)?),
                score: Box::new(SphereScore::new(&sphere, 2, 1.0)?),
            },
            process: sphere,
            marked: true,
        },
        Set {
            name: "Swiss roll in R³",
            stem: "swiss-roll",
            data: Data::Polar {
                law: Box::new(SwissRollCurve::new(ROLL, 3)?),
                score: Box::new(EmpiricalScore::new(&space, roll(settings.quadrature)?)?),
            },
            process: space,
            marked: false,
        },
        Set {
            name: "checkerboard",
            stem: "checkerboard",
            data: Data::Dense { law: squares, score: Box::new(softened) },
            process: plane,
            marked: false,
        },
    ])
}

impl Set {
    pub(super) fn law(&self) -> &dyn Law {
        match &self.data {
            Data::Polar { law, .. } => &**law,
            Data::Dense { law, .. } => law,
        }
    }

    pub(super) fn score(&self) -> &dyn Score {
        match &self.data {
            Data::Polar { score, .. } => &**score,
            Data::Dense { score, .. } => &**score,
        }
    }

    /// The distance from `x` to the set M.
    pub(super) fn distance(&self, x: &[f64]) -> f64 {
        match &self.data {
            Data::Polar { law, .. } => law.distance(x),
            Data::Dense { law, .. } => law.distance(x),
        }
    }

    /// Codimension of the data, where they are polar.
    pub(super) fn codimension(&self) -> Option<usize> {
        match &self.data {
            Data::Polar { law, .. } => Some(law.codimension()),
            Data::Dense { .. } => None,
        }
    }

    /// How its score is learned.
    pub(super) fn recipe(&self, settings: &Settings, seed: u64) -> Recipe {
        let (mean, deviation) = (settings.proposal_mean, settings.proposal_deviation);
        Recipe {
            model: model::ModelSettings {
                architecture: network::Architecture::Mlp(network::ResidualMlp {
                    width: settings.width,
                    depth: settings.depth,
                }),
                conditioning: model::Conditioning::Blind,
                preconditioning: model::Preconditioning::Direct,
                embedding: model::Embedding::SinCos { frequencies: 16 },
                rate: settings.rate,
            },
            directions: self.law().dim(),
            examples: ExampleSettings::Deaths {
                proposal: Proposal::LogNormal { mean, deviation },
                closest: if self.codimension().is_some() { 0.0 } else { CLOSEST },
            },
            objective: resolvent::learn::objective::Objective::default(),
            validation: settings.validation,
            training: settings.training(seed),
        }
    }

    /// A start law that knows no more of the data than their mean and covariance: points of the normal law that has them,
    /// moved to their deaths (d x n).
    pub(super) fn rough_starts(&self, data: &DMatrix<f64>, n: usize, seed: u64) -> Result<DMatrix<f64>> {
        let d = data.nrows();
        let mean = data.column_mean();
        let mut centred = data.clone();
        centred.column_iter_mut().for_each(|mut column| column -= &mean);
        let eigen = SymmetricEigen::new(&centred * centred.transpose() / data.ncols() as f64);
        let deviations = eigen.eigenvalues.map(|variance| variance.max(0.0).sqrt());
        let mut points = DMatrix::zeros(d, n);
        for (i, mut point) in points.column_iter_mut().enumerate() {
            let mut rng = stream(seed, Purpose::Start, i as u64);
            let along = deviations.map(|deviation| deviation * rng.sample::<f64, _>(StandardNormal));
            point.copy_from(&(&eigen.eigenvectors * along + &mean));
        }
        Ok(self.process.deaths(&points, seed)?.0)
    }
}

/// The uniform law on the Swiss roll of the plane as weighted points, `count` of them: the rule of midpoints in t.
pub(super) fn roll(count: usize) -> Result<EmpiricalMeasure> {
    let t = |i: usize| 1.5 * PI + 6.0 * FRAC_PI_2 * (i as f64 + 0.5) / count as f64;
    let weights: Vec<f64> = (0..count).map(|i| t(i).hypot(1.0)).collect();
    let points = DMatrix::from_fn(3, count, |row, i| match row {
        0 => ROLL * t(i) * t(i).cos(),
        1 => ROLL * t(i) * t(i).sin(),
        _ => 0.0,
    });
    Ok(EmpiricalMeasure::weighted(points, &weights)?)
}

/// A checkerboard with softened edges: normal laws around the points of a fine lattice on its squares, so that its
/// occupation density is known exactly.
pub(super) struct Squares {
    centres: DMatrix<f64>,
}

impl Squares {
    fn new() -> Result<Self> {
        let (half, squares, fine) = BOARD;
        let board = Checkerboard::new(squares, half)?;
        let side = fine * squares as usize;
        let at = |k: usize| half * (2.0 * (k as f64 + 0.5) / side as f64 - 1.0);
        let centres: Vec<f64> = (0..side * side)
            .map(|k| [at(k % side), at(k / side)])
            .filter(|point| board.contains(point))
            .flatten()
            .collect();
        Ok(Self { centres: DMatrix::from_column_slice(2, centres.len() / 2, &centres) })
    }

    /// The distance from `x` to the nearest of the squares as they are before their edges are softened.
    fn distance(&self, x: &[f64]) -> f64 {
        let (half, squares, _) = BOARD;
        let side = 2.0 * half / f64::from(squares);
        let mut least = f64::INFINITY;
        for (column, row) in (0..squares).flat_map(|k| (0..squares).map(move |l| (k, l))) {
            if (column + row) % 2 == 0 {
                let away = |x: f64, k: u32| {
                    let low = -half + side * f64::from(k);
                    (low - x).max(x - low - side).max(0.0)
                };
                least = least.min(away(x[0], column).hypot(away(x[1], row)));
            }
        }
        least
    }
}

impl Law for Squares {
    fn dim(&self) -> usize {
        2
    }

    fn sample_into(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        let centre = rng.random_range(0..self.centres.ncols());
        for (out, c) in out.iter_mut().zip(self.centres.column(centre).iter()) {
            *out = c + SOFTENED * rng.sample::<f64, _>(StandardNormal);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On the curve, with the mean and the second moments of draws from the law.
    #[test]
    fn quadrature_over_the_roll_is_its_uniform_law() {
        let (law, measure) = (SwissRollCurve::new(ROLL, 3).unwrap(), roll(2_000).unwrap());
        let draws = law.sample(40_000, 1);
        let mut moments = [[0.0; 2]; 4];
        for i in 0..measure.len() {
            let (x, w) = (measure.point(i), measure.log_weights()[i].exp());
            assert!(law.distance(x) < 1e-9);
            for (moment, value) in moments.iter_mut().zip([x[0], x[1], x[0] * x[0], x[0] * x[1]]) {
                moment[0] += w * value;
                moment[1] += w * value * value;
            }
        }
        for (k, [mean, square]) in moments.into_iter().enumerate() {
            let value = |x: &[f64]| [x[0], x[1], x[0] * x[0], x[0] * x[1]][k];
            let found = draws.column_iter().map(|x| value(x.as_slice())).sum::<f64>() / 40_000.0;
            let error = ((square - mean * mean) / 40_000.0).sqrt();
            assert!((found - mean).abs() < 4.0 * error, "moment {k}: {found} of draws, {mean} ± {error}");
        }
    }

    #[test]
    fn squares_lie_where_the_board_has_them() {
        let (half, cells, _) = BOARD;
        let (squares, board) = (Squares::new().unwrap(), Checkerboard::new(cells, half).unwrap());
        assert_eq!(squares.centres.ncols(), 8 * 64);
        for k in 0..1_000 {
            // None on an edge, which belongs to one square alone.
            let x = [f64::from(k % 37) / 15.0 - 1.213, f64::from(k) / 400.0 - 1.2507];
            assert_eq!(squares.distance(&x) == 0.0, board.contains(&x), "{x:?}");
        }
        // 0.1 off the corner, to the left and below.
        assert!((squares.distance(&[-half - 0.06, -half - 0.08]) - 0.1).abs() < 1e-12);
        let draws = squares.sample(2_000, 3);
        let outside = draws.column_iter().filter(|x| squares.distance(x.as_slice()) > 4.0 * SOFTENED);
        assert!(outside.count() < 5);
    }
}

//! What is trained on.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use nalgebra::DMatrix;
use resolvent::data::{
    Checkerboard, Circle, GaussianMixture, Glyphs, Law, Sphere, SwissRoll, SwissRollCurve, Torus, Tree, io,
};
use serde::{Deserialize, Serialize};

/// Without a number, one point in so many is held out.
const ONE_IN: usize = 10;

/// The table `[data]`: one of `law`, `file` and `mnist`, and how many points of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DataSettings {
    /// A law to draw from.
    #[serde(skip_serializing_if = "Option::is_none")]
    law: Option<LawSettings>,
    /// A file of points [n, d].
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    /// A folder of MNIST files.
    #[serde(skip_serializing_if = "Option::is_none")]
    mnist: Option<PathBuf>,
    /// Points to train on: drawn, or the first ones; of a file all that are not held out, if it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    points: Option<usize>,
    /// Points to validate on: drawn, or the last ones; a tenth, if it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    held_out: Option<usize>,
    /// The seed of the draws; 0, if it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
}

/// A law with its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum LawSettings {
    Circle {
        #[serde(default = "one")]
        radius: f64,
        dim: usize,
    },
    Sphere {
        k: usize,
        #[serde(default = "one")]
        radius: f64,
        dim: usize,
    },
    Torus {
        major: f64,
        minor: f64,
        dim: usize,
    },
    SwissRoll {
        scale: f64,
        dim: usize,
    },
    SwissRollCurve {
        scale: f64,
        dim: usize,
    },
    Tree {
        levels: u32,
        angle: f64,
        ratio: f64,
        dim: usize,
    },
    Checkerboard {
        cells: u32,
        half_width: f64,
    },
    GaussianGrid {
        side: usize,
        spacing: f64,
        sd: f64,
    },
    Glyphs,
}

fn one() -> f64 {
    1.0
}

impl LawSettings {
    fn build(&self) -> resolvent::data::Result<Box<dyn Law>> {
        Ok(match *self {
            Self::Circle { radius, dim } => Box::new(Circle::new(radius, dim)?),
            Self::Sphere { k, radius, dim } => Box::new(Sphere::new(k, radius, dim)?),
            Self::Torus { major, minor, dim } => Box::new(Torus::new(major, minor, dim)?),
            Self::SwissRoll { scale, dim } => Box::new(SwissRoll::new(scale, dim)?),
            Self::SwissRollCurve { scale, dim } => Box::new(SwissRollCurve::new(scale, dim)?),
            Self::Tree { levels, angle, ratio, dim } => Box::new(Tree::new(levels, angle, ratio, dim)?),
            Self::Checkerboard { cells, half_width } => Box::new(Checkerboard::new(cells, half_width)?),
            Self::GaussianGrid { side, spacing, sd } => Box::new(GaussianMixture::grid(side, spacing, sd)?),
            Self::Glyphs => Box::new(Glyphs),
        })
    }
}

/// Points to train on and to validate on (d x n).
pub(super) struct Data {
    /// Where they are from, with the numbers that were left open; without the folders of files.
    pub(super) settings: DataSettings,
    pub(super) points: DMatrix<f64>,
    pub(super) held_out: DMatrix<f64>,
}

impl DataSettings {
    /// Puts a file or a folder in the place of what was there.
    pub(super) fn replace(&mut self, place: &Path) -> Result<()> {
        let name = place.display();
        ensure!(place.exists(), "--data {name}: no such file or folder");
        let (file, mnist) = if place.is_dir() { (None, Some(place)) } else { (Some(place), None) };
        let (points, held_out) = (self.points, self.held_out);
        *self = Self {
            law: None,
            file: file.map(Path::to_owned),
            mnist: mnist.map(Path::to_owned),
            points,
            held_out,
            seed: None,
        };
        Ok(())
    }

    /// Draws or reads the points.
    pub(super) fn load(&self) -> Result<Data> {
        for (key, value) in [("points", self.points), ("held_out", self.held_out)] {
            ensure!(value != Some(0), "data.{key} = 0: must be at least 1");
        }
        match (&self.law, &self.file, &self.mnist) {
            (Some(law), None, None) => self.draw(law),
            (None, Some(path), None) => {
                self.only_for_laws()?;
                let all = io::read_points(path).context("data.file")?;
                self.split(path, "file", &all)
            }
            (None, None, Some(path)) => {
                self.only_for_laws()?;
                let (all, _) = io::load_mnist_folder(path).context("data.mnist")?;
                self.split(path, "mnist", &all)
            }
            (None, None, None) => bail!("data: needs one of law, file and mnist"),
            _ => bail!("data: takes only one of law, file and mnist"),
        }
    }

    fn only_for_laws(&self) -> Result<()> {
        match self.seed {
            Some(seed) => bail!("data.seed = {seed}: goes with data.law"),
            None => Ok(()),
        }
    }

    fn draw(&self, law: &LawSettings) -> Result<Data> {
        let built = law.build().context("data.law")?;
        let Some(points) = self.points else {
            bail!("data.points: is missing; how many to draw from data.law?")
        };
        let held_out = self.held_out.unwrap_or_else(|| points.div_ceil(ONE_IN));
        let seed = self.seed.unwrap_or(0);
        let d = built.dim();
        let room = || {
            let numbers = points.checked_add(held_out)?.checked_mul(d)?;
            Vec::<f64>::new().try_reserve_exact(numbers).ok()?;
            Some(points + held_out)
        };
        let both = room().ok_or_else(|| {
            anyhow!("data.points = {points}, data.held_out = {held_out}: points of dimension {d} do not fit in memory")
        })?;
        let all = built.sample(both, seed);
        let settings =
            Self { points: Some(points), held_out: Some(held_out), seed: Some(seed), ..self.clone() };
        Ok(Data {
            settings,
            points: all.columns(0, points).into_owned(),
            held_out: all.columns(points, held_out).into_owned(),
        })
    }

    /// The first and the last of the points of a file or folder.
    fn split(&self, path: &Path, key: &str, all: &DMatrix<f64>) -> Result<Data> {
        let (total, name) = (all.ncols(), path.display());
        ensure!(
            total >= 2,
            "data.{key} = {name}: holds {total} points; at least 2 are needed, one of them held out"
        );
        let held_out = match (self.held_out, self.points) {
            (Some(held_out), _) => held_out,
            (None, Some(points)) => points.div_ceil(ONE_IN),
            (None, None) => total.div_ceil(ONE_IN),
        };
        let points = self.points.unwrap_or_else(|| total.saturating_sub(held_out));
        let fits = points > 0 && points.checked_add(held_out).is_some_and(|both| both <= total);
        ensure!(
            fits,
            "data.{key} = {name}: holds {total} points; data.points = {points} and data.held_out = {held_out} are more"
        );
        let file_name = |path: &PathBuf| path.file_name().map(PathBuf::from).unwrap_or_default();
        let settings = Self {
            file: self.file.as_ref().map(file_name),
            mnist: self.mnist.as_ref().map(file_name),
            points: Some(points),
            held_out: Some(held_out),
            ..self.clone()
        };
        Ok(Data {
            settings,
            points: all.columns(0, points).into_owned(),
            held_out: all.columns(total - held_out, held_out).into_owned(),
        })
    }
}

//! Target laws with known support or density, and readers and writers of arrays and images.
//!
//! * [`Law`], [`Support`] and [`Density`]: what a target law can do (be sampled; project onto its support
//!   exactly; evaluate its density).
//! * [`Atoms`], [`Circle`], [`Sphere`], [`Torus`], [`SwissRoll`], [`SwissRollCurve`], [`Segments`], [`Tree`]:
//!   laws on sets whose projection is known.
//! * [`Embedded`]: any of them turned into a space of higher dimension.
//! * [`GaussianMixture`], [`Checkerboard`]: laws whose density is known.
//! * [`Glyphs`]: a procedural family of 28 x 28 digits, a seven-dimensional image manifold per digit.
//! * [`io`]: npy, npz, CSV and IDX files.
//!
//! A batch of points is a `DMatrix<f64>` of size d x n, one point per column; in memory that is a C-order `[n, d]` array.
//!
//! ```
//! use resolvent_data::{Circle, Law, Support};
//!
//! let circle = Circle::new(2.0, 8)?;
//! let points = circle.sample(100, 7);
//! assert_eq!(points.shape(), (8, 100));
//! assert!(circle.distance(points.column(3).as_slice()) < 1e-12);
//! assert_eq!(circle.codimension(), 7);
//! # Ok::<(), resolvent_data::Error>(())
//! ```

mod error;
pub mod glyphs;
pub mod io;
mod law;
mod laws;

pub use error::{Error, Result};
pub use glyphs::Glyphs;
pub use law::{Density, Law, Support};
pub use laws::{
    Atoms, Checkerboard, Circle, Embedded, GaussianMixture, Segments, Sphere, SwissRoll, SwissRollCurve,
    Torus, Tree,
};

//! Readers and writers: npy, npz, CSV and IDX files.
//!
//! Readers check what they read: an error names the file, the place in it and the value found there. Writers leave a whole
//! file or none, and the same content gives the same bytes.

mod array;
mod atomic;
mod csv;
mod idx;
mod mapped;
mod mnist;
mod npy;
mod npz;
mod points;

pub use self::csv::{Table, read_csv, write_csv};
pub use array::{Array, Values};
pub use atomic::write_atomically;
pub use idx::{Images, read_idx_images, read_idx_labels};
pub use mapped::MappedPoints;
pub use mnist::load_mnist_folder;
pub use npy::{read_npy, write_npy, write_npy_points};
pub use npz::{Npz, NpzWriter};
pub use points::read_points;

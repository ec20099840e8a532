//! Checkpoints: safetensors files whose metadata say, as JSON, what is in them. A file is written whole or not at all, and
//! read with every tensor accounted for.

mod file;
mod model_file;
mod subject;
mod tensor;

pub use file::{Contents, read_tensors, write};
pub use model_file::ModelFile;
pub use subject::Subject;
pub use tensor::{Tensor, Values};

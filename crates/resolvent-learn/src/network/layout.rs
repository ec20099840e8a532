//! The names, shapes and places of a network's parameters, found by walking through it without computing anything.

use super::{Architecture, Init, Inputs, Ops, Parameter, Sizes};
use rand_distr::{Distribution, StandardNormal};
use resolvent_core::random::{Purpose, stream};

/// One parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its name, unique within the network.
    pub name: String,
    /// Its shape: `[out, in]` for a linear map, `[3, 3, in, out]` for a kernel, `[out]` for a bias.
    pub shape: Vec<usize>,
    /// Where it starts in the flat list.
    pub offset: usize,
    /// What it starts from.
    pub init: Init,
}

impl Entry {
    /// Where it lies in the flat list.
    pub fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.shape.iter().product::<usize>()
    }
}

/// All parameters of a network, one behind the other in one flat list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Layout {
    entries: Vec<Entry>,
    len: usize,
}

impl Layout {
    pub(super) fn of(architecture: &Architecture, sizes: &Sizes) -> Self {
        let mut layout = Self::default();
        let features = (sizes.features > 0).then_some(());
        super::forward(architecture, sizes, &mut layout, &Inputs { points: (), features });
        layout
    }

    /// The parameters in their order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How many numbers there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Parameters to start training from; each has its own stream under `seed`.
    pub fn initial(&self, seed: u64) -> Vec<f32> {
        let mut parameters = vec![0.0; self.len];
        for (index, entry) in self.entries.iter().enumerate() {
            if let Init::Normal { fan_in, gain } = entry.init {
                let mut rng = stream(seed, Purpose::Parameters, index as u64);
                let scale = gain / (fan_in as f32).sqrt();
                for p in &mut parameters[entry.range()] {
                    let z: f32 = StandardNormal.sample(&mut rng);
                    *p = scale * z;
                }
            }
        }
        parameters
    }
}

impl Ops for Layout {
    type Tensor = ();

    fn parameter(&mut self, name: &str, shape: &[usize], init: Init) -> Parameter {
        let parameter = Parameter::new(self.len, shape);
        self.entries.push(Entry { name: name.to_owned(), shape: shape.to_vec(), offset: self.len, init });
        self.len += parameter.len;
        parameter
    }

    fn linear(&mut self, (): &(), _: Parameter, _: Option<Parameter>) {}
    fn convolution(&mut self, (): &(), _: Parameter, _: Option<Parameter>) {}
    fn silu(&mut self, (): &()) {}
    fn silu_tangent(&mut self, (): &(), (): &()) {}
    fn add(&mut self, (): &(), (): &()) {}
    fn add_to_pixels(&mut self, (): &(), (): &()) {}
    fn fold(&mut self, (): &()) {}
    fn unfold(&mut self, (): &()) {}
    fn mean(&mut self, (): &()) {}
}

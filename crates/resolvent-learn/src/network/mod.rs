//! Networks: each is one function over the operations [`Ops`], so that what evaluates, what differentiates and what runs on
//! a device all compute the same network.

mod layers;
mod layout;
mod mlp;
mod ops;
mod tangent;
mod unet;

pub use layout::{Entry, Layout};
pub use mlp::ResidualMlp;
pub use ops::{Init, Ops, Parameter};
pub use tangent::{Pair, Tangent};
pub use unet::UNet;

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// The shape of a network, apart from what goes in and out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// For vectors.
    Mlp(ResidualMlp),
    /// For square images.
    UNet(UNet),
}

/// How many numbers go in and out of a network, for each point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sizes {
    /// Numbers of the point; for a U-Net a multiple of its pixels.
    pub inputs: usize,
    /// Numbers of the embedding of the noise level; 0 for a network that is not told any.
    pub features: usize,
    /// Numbers of the field; for a U-Net a multiple of its pixels.
    pub outputs: usize,
    /// Numbers beside the field.
    pub heads: usize,
}

/// What goes in.
pub struct Inputs<T> {
    /// The points.
    pub points: T,
    /// The embedding of the noise level.
    pub features: Option<T>,
}

/// What comes out.
pub struct Outputs<T> {
    /// The field: a vector as long as the points, or several.
    pub field: T,
    /// The numbers beside it.
    pub heads: Option<T>,
}

/// A network: an architecture, its sizes and the layout of its parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    architecture: Architecture,
    sizes: Sizes,
    layout: Layout,
}

/// The largest extent of anything, so that no number of parameters overflows.
const WIDEST: usize = 1 << 20;
/// The most layers of one kind.
const DEEPEST: usize = 1000;
/// The most parameters.
const LARGEST: usize = 1 << 32;

impl Network {
    /// The network of that architecture.
    ///
    /// # Errors
    /// If a width is zero or above 2^20, there are more than 1000 layers or 2^32 parameters, or the sides and channels of a
    /// U-Net do not fit each other.
    pub fn new(architecture: Architecture, sizes: Sizes) -> Result<Self> {
        let limited = |name: &'static str, most: usize, value: usize| {
            if value > most { Err(Error::TooLarge { name, most, value }) } else { Ok(()) }
        };
        let positive = |name: &'static str, value: usize| match value {
            0 => Err(Error::TooSmall { name, least: 1, value }),
            _ => limited(name, WIDEST, value),
        };
        positive("inputs", sizes.inputs)?;
        positive("outputs", sizes.outputs)?;
        limited("features", WIDEST, sizes.features)?;
        limited("heads", WIDEST, sizes.heads)?;
        match &architecture {
            Architecture::Mlp(mlp) => {
                positive("width", mlp.width)?;
                limited("depth", DEEPEST, mlp.depth)?;
            }
            Architecture::UNet(unet) => {
                positive("side", unet.side)?;
                positive("channels", unet.channels.len())?;
                unet.channels.iter().try_for_each(|&c| positive("channels", c))?;
                positive("blocks", unet.blocks)?;
                limited("blocks", DEEPEST, unet.blocks)?;
                let pixels = unet.side * unet.side;
                for (name, found) in [("inputs", sizes.inputs), ("outputs", sizes.outputs)] {
                    if found % pixels != 0 {
                        return Err(Error::Pixels { name, found, side: unet.side });
                    }
                }
                let halvings = unet.channels.len() - 1 + usize::from(unet.folded);
                if halvings > 16 || unet.side % (1 << halvings) != 0 {
                    return Err(Error::Side { side: unet.side, halvings });
                }
            }
        }
        let layout = Layout::of(&architecture, &sizes);
        limited("parameters of the network", LARGEST, layout.len())?;
        Ok(Self { architecture, sizes, layout })
    }

    /// The architecture.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The numbers in and out.
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// The names, shapes and places of the parameters.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The sides of the images that go through: 1 for vectors.
    pub fn side(&self) -> usize {
        match &self.architecture {
            Architecture::Mlp(_) => 1,
            Architecture::UNet(unet) => unet.side,
        }
    }

    /// The network, computed by `ops`.
    pub fn forward<O: Ops>(&self, ops: &mut O, inputs: &Inputs<O::Tensor>) -> Outputs<O::Tensor> {
        forward(&self.architecture, &self.sizes, ops, inputs)
    }
}

fn forward<O: Ops>(
    architecture: &Architecture,
    sizes: &Sizes,
    ops: &mut O,
    inputs: &Inputs<O::Tensor>,
) -> Outputs<O::Tensor> {
    match architecture {
        Architecture::Mlp(mlp) => mlp.forward(ops, sizes, inputs),
        Architecture::UNet(unet) => unet.forward(ops, sizes, inputs),
    }
}

//! Small networks and batches for the tests of the engines.

use resolvent_learn::engine::{Batch, Reply};
use resolvent_learn::network::{Architecture, Network, ResidualMlp, Sizes, UNet};

/// Numbers in [-1, 1) without any pattern.
pub(crate) fn numbers(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    (0..n)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

/// Both architectures, folded or not, told a noise level or not, all with heads.
pub(crate) fn networks() -> Vec<Network> {
    let mlp = Architecture::Mlp(ResidualMlp { width: 9, depth: 2 });
    let unet = |folded| Architecture::UNet(UNet { side: 8, folded, channels: vec![3, 5], blocks: 1 });
    let sizes = |inputs, features, outputs| Sizes { inputs, features, outputs, heads: 2 };
    vec![
        Network::new(mlp.clone(), sizes(3, 0, 4)).unwrap(),
        Network::new(mlp, sizes(3, 6, 4)).unwrap(),
        Network::new(unet(false), sizes(128, 6, 64)).unwrap(),
        Network::new(unet(true), sizes(64, 0, 64)).unwrap(),
    ]
}

/// The gradient of a smooth function of everything that comes out.
pub(crate) fn loss_gradient(reply: &Reply, by: &mut Reply) {
    let part = |v: &[f32], w: f64, out: &mut [f32]| {
        out.iter_mut()
            .zip(v)
            .enumerate()
            .for_each(|(i, (o, &v))| *o = ((i as f64 * w).sin() + 0.6 * f64::from(v)) as f32);
    };
    part(&reply.field, 1.3, &mut by.field);
    part(&reply.heads, 0.7, &mut by.heads);
    part(&reply.derivative, 0.9, &mut by.derivative);
    part(&reply.head_derivative, 1.1, &mut by.head_derivative);
}

/// A batch for a network, with directions or without.
pub(crate) fn batch(network: &Network, n: usize, directions: bool) -> Batch {
    let sizes = network.sizes();
    Batch {
        n,
        points: numbers(n * sizes.inputs, 1),
        features: numbers(n * sizes.features, 2),
        directions: if directions { numbers(n * sizes.inputs, 3) } else { Vec::new() },
        feature_directions: if directions { numbers(n * sizes.features, 4) } else { Vec::new() },
    }
}

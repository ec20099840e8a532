//! Evaluation without a gradient against what comes out on the way to one, which the processor's engine computes in another order.

mod support;

use resolvent_learn::engine::{Batch, Engine, Native, Reply};
use resolvent_learn::network::{Architecture, Network, Parameter, ResidualMlp, Sizes};
use support::{batch, loss_gradient, networks, numbers};

/// The small networks, and one of a size in use.
fn all() -> Vec<Network> {
    let mlp = Architecture::Mlp(ResidualMlp { width: 96, depth: 2 });
    let mut all = networks();
    all.push(Network::new(mlp, Sizes { inputs: 784, features: 32, outputs: 40, heads: 1 }).unwrap());
    all
}

/// Parameters of the size that training starts from, none of them zero.
fn parameters(network: &Network) -> Vec<f32> {
    let mut parameters = numbers(network.layout().len(), 5);
    for entry in network.layout().entries() {
        let place = Parameter::new(entry.offset, &entry.shape);
        let fan_in = (place.len / place.out) as f32;
        parameters[entry.range()].iter_mut().for_each(|p| *p *= (3.0 / fan_in).sqrt());
    }
    parameters
}

/// What a loss gets to see.
fn seen(network: &Network, parameters: &[f32], batch: &Batch) -> Reply {
    let (mut seen, mut gradient) = (Reply::default(), vec![0.0; parameters.len()]);
    let mut loss = |reply: &Reply, by: &mut Reply| {
        seen = reply.clone();
        loss_gradient(reply, by);
    };
    Native.gradient(network, parameters, batch, &mut loss, &mut gradient);
    seen
}

fn agree(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0f32, |m, v| m.max(v.abs()));
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= 1e-5 * largest, "{f} instead of {e}, the largest {largest}");
    }
}

#[test]
fn what_comes_out_is_what_a_loss_sees() {
    for network in all() {
        let parameters = parameters(&network);
        for (n, directions) in [(0, false), (1, true), (16, false), (17, true), (150, true)] {
            let batch = batch(&network, n, directions);
            let (found, expected) =
                (Native.evaluate(&network, &parameters, &batch), seen(&network, &parameters, &batch));
            agree(&found.field, &expected.field);
            agree(&found.heads, &expected.heads);
            agree(&found.derivative, &expected.derivative);
            agree(&found.head_derivative, &expected.head_derivative);
        }
    }
}

#[test]
fn a_vector_alone_is_the_same_bits_as_in_a_batch() {
    for network in all().iter().filter(|network| network.side() == 1) {
        let (sizes, parameters) = (network.sizes(), parameters(network));
        let together = batch(network, 150, false);
        let expected = Native.evaluate(network, &parameters, &together);
        for i in 0..together.n {
            let row = |values: &[f32], len: usize| values[i * len..(i + 1) * len].to_vec();
            let (points, features) =
                (row(&together.points, sizes.inputs), row(&together.features, sizes.features));
            let alone =
                Native.evaluate(network, &parameters, &Batch { n: 1, points, features, ..Batch::default() });
            assert_eq!(alone.field, row(&expected.field, sizes.outputs));
            assert_eq!(alone.heads, row(&expected.heads, sizes.heads));
        }
    }
}

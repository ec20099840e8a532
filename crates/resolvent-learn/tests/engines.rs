//! The engine on the burn framework against the processor's own. With the features `cuda` and `wgpu` also on the first device
//! of each kind, if there is one.

mod support;

use resolvent_learn::engine::burn::Burn;
use resolvent_learn::engine::{Engine, Native, Reply};
use resolvent_learn::network::{Architecture, Network, ResidualMlp, Sizes, UNet};
use support::{batch, loss_gradient, networks, numbers};

/// The engines, and how far they may be off in units of the largest number: by sums in another order on the processor, by
/// factors of matrix products that are rounded to 10 bits (TF32) on a device.
fn engines() -> Vec<(Burn, f32)> {
    #[allow(unused_mut, reason = "there are others with other features")]
    let mut engines = vec![(Burn::flex(), 1e-5)];
    #[cfg(feature = "cuda")]
    engines.extend(Burn::cuda(0).ok().map(|engine| (engine, 5e-3)));
    #[cfg(feature = "wgpu")]
    engines.extend(Burn::wgpu(0).ok().map(|engine| (engine, 5e-3)));
    engines
}

fn agree(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0f32, |m, v| m.max(v.abs()));
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!(
            (f - e).abs() <= tolerance * largest,
            "{what}: at {i} {f} instead of {e}, the largest {largest}"
        );
    }
}

/// The small networks, and two of the sizes in use, whose matrix products take other ways.
fn all() -> Vec<Network> {
    let mlp = Architecture::Mlp(ResidualMlp { width: 128, depth: 2 });
    let unet = Architecture::UNet(UNet { side: 12, folded: true, channels: vec![16, 32], blocks: 2 });
    let mut all = networks();
    all.push(Network::new(mlp, Sizes { inputs: 784, features: 32, outputs: 784, heads: 1 }).unwrap());
    all.push(Network::new(unet, Sizes { inputs: 144, features: 32, outputs: 144, heads: 1 }).unwrap());
    all
}

/// Parameters of the size that training starts from, none of them zero.
fn parameters(network: &Network) -> Vec<f32> {
    let mut parameters = numbers(network.layout().len(), 4);
    for entry in network.layout().entries() {
        let fan_in: usize = match entry.shape[..] {
            [_, ins] => ins,
            [3, 3, ins, _] => 9 * ins,
            _ => 1,
        };
        parameters[entry.range()].iter_mut().for_each(|p| *p *= (3.0 / fan_in as f32).sqrt());
    }
    parameters
}

#[test]
fn values_and_directional_derivatives_agree() {
    for network in all() {
        let parameters = parameters(&network);
        for directions in [false, true] {
            let batch = batch(&network, 5, directions);
            let expected = Native.evaluate(&network, &parameters, &batch);
            for (engine, tolerance) in engines() {
                let found = engine.evaluate(&network, &parameters, &batch);
                agree("field", &found.field, &expected.field, tolerance);
                agree("heads", &found.heads, &expected.heads, tolerance);
                agree("derivative", &found.derivative, &expected.derivative, tolerance);
                agree("head derivative", &found.head_derivative, &expected.head_derivative, tolerance);
                assert_eq!(found.derivative.is_empty(), !directions);
            }
        }
    }
}

#[test]
fn gradients_agree_parameter_by_parameter() {
    for network in all() {
        let parameters = parameters(&network);
        for directions in [false, true] {
            let batch = batch(&network, 5, directions);
            // The same gradient by what came out for both.
            let reply = Native.evaluate(&network, &parameters, &batch);
            let mut by = reply.clone();
            loss_gradient(&reply, &mut by);
            let gradient = |engine: &dyn Engine| {
                let mut gradient = vec![0.0; parameters.len()];
                // Twice, because it is added to what is there.
                for _ in 0..2 {
                    let mut loss = |_: &Reply, out: &mut Reply| out.clone_from(&by);
                    engine.gradient(&network, &parameters, &batch, &mut loss, &mut gradient);
                }
                gradient
            };
            let expected = gradient(&Native);
            for (engine, tolerance) in engines() {
                let found = gradient(&engine);
                for entry in network.layout().entries() {
                    agree(&entry.name, &found[entry.range()], &expected[entry.range()], tolerance);
                }
            }
        }
    }
}

#[test]
fn the_loss_sees_what_came_out() {
    for network in networks() {
        let (parameters, batch) = (parameters(&network), batch(&network, 3, true));
        let expected = Burn::flex().evaluate(&network, &parameters, &batch);
        let mut seen = Reply::default();
        let mut loss = |reply: &Reply, by: &mut Reply| {
            let all = by.field.iter().chain(&by.heads).chain(&by.derivative).chain(&by.head_derivative);
            assert!(all.into_iter().all(|b| *b == 0.0));
            seen.clone_from(reply);
        };
        let mut gradient = vec![0.0; parameters.len()];
        Burn::flex().gradient(&network, &parameters, &batch, &mut loss, &mut gradient);
        assert_eq!(seen, expected);
        assert!(gradient.iter().all(|g| *g == 0.0));
    }
}

#[cfg(any(feature = "cuda", feature = "wgpu"))]
#[test]
fn a_device_that_is_not_there_is_refused() {
    #[cfg(feature = "cuda")]
    let refused = Burn::cuda(99);
    #[cfg(not(feature = "cuda"))]
    let refused = Burn::wgpu(99);
    let why = refused.unwrap_err().to_string();
    assert!(why.contains("device 99"), "{why}");
}

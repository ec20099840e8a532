//! The gradients and directional derivatives of the processor's engine against differences of its own values.

mod support;

use resolvent_learn::engine::{Batch, Engine, Native, Reply};
use resolvent_learn::network::{Architecture, Network, Sizes, UNet};
use support::{batch, loss_gradient, networks, numbers};

/// A smooth function of everything that comes out.
fn loss(reply: &Reply) -> f64 {
    let part = |v: &[f32], w: f64| {
        v.iter()
            .enumerate()
            .map(|(i, &v)| ((i as f64 * w).sin() + 0.3 * f64::from(v)) * f64::from(v))
            .sum::<f64>()
    };
    part(&reply.field, 1.3)
        + part(&reply.heads, 0.7)
        + part(&reply.derivative, 0.9)
        + part(&reply.head_derivative, 1.1)
}

#[test]
fn gradients_by_the_parameters() {
    for network in networks() {
        for directions in [false, true] {
            let batch = batch(&network, 3, directions);
            let parameters: Vec<f32> = numbers(network.layout().len(), 4).iter().map(|p| 0.25 * p).collect();
            let mut gradient = vec![0.0; parameters.len()];
            Native.gradient(&network, &parameters, &batch, &mut loss_gradient, &mut gradient);
            let (mut dot, mut moved) = (0.0, parameters.clone());
            // Along the gradient itself and along two directions without any relation to it.
            for k in 0..3 {
                let along = if k == 0 { gradient.clone() } else { numbers(parameters.len(), 10 + k) };
                let norm = along.iter().map(|v| v * v).sum::<f32>().sqrt();
                let h = 2e-2 / norm;
                let mut at = |sign: f32| {
                    moved
                        .iter_mut()
                        .zip(&parameters)
                        .zip(&along)
                        .for_each(|((m, p), v)| *m = p + sign * h * v);
                    loss(&Native.evaluate(&network, &moved, &batch))
                };
                let difference = (at(1.0) - at(-1.0)) / (2.0 * f64::from(h));
                let exact: f64 =
                    gradient.iter().zip(&along).map(|(g, v)| f64::from(*g) * f64::from(*v)).sum();
                let scale = gradient.iter().map(|v| v * v).sum::<f32>().sqrt() * norm;
                assert!((difference - exact).abs() < 2e-3 * f64::from(scale), "{difference} {exact} {scale}");
                dot += exact;
            }
            assert!(dot != 0.0);
        }
    }
}

#[test]
fn every_parameter_matters() {
    for network in networks() {
        let batch = batch(&network, 3, true);
        let parameters = numbers(network.layout().len(), 4);
        let mut gradient = vec![0.0; parameters.len()];
        Native.gradient(&network, &parameters, &batch, &mut loss_gradient, &mut gradient);
        for entry in network.layout().entries() {
            assert!(gradient[entry.range()].iter().any(|g| *g != 0.0), "{}", entry.name);
        }
    }
}

#[test]
fn directional_derivatives() {
    for network in networks() {
        let batch = batch(&network, 3, true);
        let parameters: Vec<f32> = numbers(network.layout().len(), 4).iter().map(|p| 0.25 * p).collect();
        let reply = Native.evaluate(&network, &parameters, &batch);
        let h = 5e-3;
        let at = |sign: f32| {
            let moved = |x: &[f32], v: &[f32]| x.iter().zip(v).map(|(x, v)| x + sign * h * v).collect();
            let points = moved(&batch.points, &batch.directions);
            let features = moved(&batch.features, &batch.feature_directions);
            Native.evaluate(
                &network,
                &parameters,
                &Batch { n: batch.n, points, features, ..Batch::default() },
            )
        };
        let (ahead, behind) = (at(1.0), at(-1.0));
        for (derivative, ahead, behind) in [
            (&reply.derivative, &ahead.field, &behind.field),
            (&reply.head_derivative, &ahead.heads, &behind.heads),
        ] {
            let norm = derivative.iter().map(|v| v * v).sum::<f32>().sqrt();
            assert_eq!(derivative.len(), ahead.len());
            for ((d, a), b) in derivative.iter().zip(ahead).zip(behind) {
                assert!((d - (a - b) / (2.0 * h)).abs() < 2e-3 * norm, "{d} {}", (a - b) / (2.0 * h));
            }
        }
    }
}

/// The kernel at the centre alone is a linear map; one shifted kernel moves the image.
#[test]
fn a_convolution_sees_its_neighbours_in_order() {
    let unet = UNet { side: 4, folded: false, channels: vec![1], blocks: 1 };
    let network =
        Network::new(Architecture::UNet(unet), Sizes { inputs: 16, features: 0, outputs: 16, heads: 0 })
            .unwrap();
    let mut parameters = vec![0.0; network.layout().len()];
    let place = |name: &str| network.layout().entries().iter().find(|e| e.name == name).unwrap().range();
    // The pixel to the upper left: kernel row 0, column 0. The output passes through silu, so its centre weight is alone.
    parameters[place("input.weight")][0] = 1.0;
    parameters[place("output.weight")][4] = 1.0;
    let points = numbers(16, 5);
    let batch = Batch { n: 1, points: points.clone(), ..Batch::default() };
    let field = Native.evaluate(&network, &parameters, &batch).field;
    for (y, x) in (0..16).map(|i| (i / 4, i % 4)) {
        let from = if y > 0 && x > 0 { points[(y - 1) * 4 + x - 1] } else { 0.0 };
        let silu = from / (1.0 + (-from).exp());
        assert!((field[y * 4 + x] - silu).abs() < 1e-6, "{y} {x}");
    }
}

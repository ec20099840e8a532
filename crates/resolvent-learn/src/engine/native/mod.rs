//! The processor's engine: matrix products of the `gemm` crate, everything else by hand.

mod convolution;
mod pointwise;
mod product;
mod tape;

use super::{Batch, Engine, Reply};
use crate::network::{Inputs, Network, Outputs, Pair, Tangent};
use std::cell::RefCell;
use tape::{Recording, Tape, Var};

/// Computes on the thread that asks, in f32. Many threads share a batch by asking for a part of it each.
#[derive(Debug, Clone, Copy, Default)]
pub struct Native;

thread_local! {
    static TAPE: RefCell<Tape> = RefCell::default();
}

/// The variables of what came out.
struct Out {
    field: Var,
    heads: Option<Var>,
    derivative: Option<Var>,
    head_derivative: Option<Var>,
}

fn record(network: &Network, recording: &mut Recording<'_>, batch: &Batch) -> Out {
    let (side, sizes) = (network.side(), network.sizes());
    let channels = sizes.inputs / (side * side);
    let points = recording.input(side, channels, &batch.points);
    let features = (sizes.features > 0).then(|| recording.input(1, sizes.features, &batch.features));
    if batch.directions.is_empty() {
        let Outputs { field, heads } = network.forward(recording, &Inputs { points, features });
        return Out { field, heads, derivative: None, head_derivative: None };
    }
    let direction = recording.input(side, channels, &batch.directions);
    let points = Pair { value: points, tangent: Some(direction) };
    let features = features.map(|value| {
        let moves = !batch.feature_directions.is_empty();
        let tangent = moves.then(|| recording.input(1, sizes.features, &batch.feature_directions));
        Pair { value, tangent }
    });
    let Outputs { field, heads } = network.forward(&mut Tangent(recording), &Inputs { points, features });
    Out {
        field: field.value,
        heads: heads.as_ref().map(|pair| pair.value),
        derivative: field.tangent,
        head_derivative: heads.and_then(|pair| pair.tangent),
    }
}

fn reply(tape: &Tape, out: &Out) -> Reply {
    let values = |var: Option<Var>| var.map_or_else(Vec::new, |var| tape.value(var).to_vec());
    Reply {
        field: values(Some(out.field)),
        heads: values(out.heads),
        derivative: values(out.derivative),
        head_derivative: values(out.head_derivative),
    }
}

impl Engine for Native {
    fn evaluate(&self, network: &Network, parameters: &[f32], batch: &Batch) -> Reply {
        TAPE.with_borrow_mut(|tape| {
            let out = record(network, &mut tape.record(parameters), batch);
            reply(tape, &out)
        })
    }

    fn gradient(
        &self,
        network: &Network,
        parameters: &[f32],
        batch: &Batch,
        loss: &mut dyn FnMut(&Reply, &mut Reply),
        gradient: &mut [f32],
    ) {
        TAPE.with_borrow_mut(|tape| {
            let out = record(network, &mut tape.record(parameters), batch);
            let reply = reply(tape, &out);
            let zeros = |like: &[f32]| vec![0.0; like.len()];
            let mut by = Reply {
                field: zeros(&reply.field),
                heads: zeros(&reply.heads),
                derivative: zeros(&reply.derivative),
                head_derivative: zeros(&reply.head_derivative),
            };
            loss(&reply, &mut by);
            let mut outputs = vec![(out.field, &by.field[..])];
            outputs.extend(out.heads.map(|heads| (heads, &by.heads[..])));
            outputs.extend(out.derivative.map(|derivative| (derivative, &by.derivative[..])));
            outputs.extend(out.head_derivative.map(|derivative| (derivative, &by.head_derivative[..])));
            tape.backward(parameters, &outputs, gradient);
        });
    }
}

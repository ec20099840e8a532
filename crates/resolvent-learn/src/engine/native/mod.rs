//! The processor's engine: matrix products of the `gemm` crate, everything else by hand.

mod columns;
mod convolution;
mod pointwise;
mod product;
mod tape;

use super::{Batch, Engine, Reply};
use crate::network::{Architecture, Inputs, Network, Ops, Outputs, Pair, Tangent};
use columns::{Columns, Memory, STRIP};
use std::cell::RefCell;
use tape::{Recording, Tape, Var};

/// Computes on the thread that asks, in f32. Many threads share a batch by asking for a part of it each.
#[derive(Debug, Clone, Copy, Default)]
pub struct Native;

thread_local! {
    static TAPE: RefCell<Tape> = RefCell::default();
    static MEMORY: RefCell<Memory> = RefCell::default();
}

/// What came out, as the operations hold it.
struct Out<T> {
    field: T,
    heads: Option<T>,
    derivative: Option<T>,
    head_derivative: Option<T>,
}

/// The network at a batch; `input` takes rows of images of `side` x `side` pixels with some channels.
fn forward<O: Ops>(
    network: &Network,
    ops: &mut O,
    batch: &Batch,
    input: impl Fn(&mut O, usize, usize, &[f32]) -> O::Tensor,
) -> Out<O::Tensor> {
    let (side, sizes) = (network.side(), network.sizes());
    let channels = sizes.inputs / (side * side);
    let points = input(ops, side, channels, &batch.points);
    let features = (sizes.features > 0).then(|| input(ops, 1, sizes.features, &batch.features));
    if batch.directions.is_empty() {
        let Outputs { field, heads } = network.forward(ops, &Inputs { points, features });
        return Out { field, heads, derivative: None, head_derivative: None };
    }
    let direction = input(ops, side, channels, &batch.directions);
    let points = Pair { value: points, tangent: Some(direction) };
    let features = features.map(|value| {
        let moves = !batch.feature_directions.is_empty();
        let tangent = moves.then(|| input(ops, 1, sizes.features, &batch.feature_directions));
        Pair { value, tangent }
    });
    let Outputs { field, heads } = network.forward(&mut Tangent(ops), &Inputs { points, features });
    let (heads, head_derivative) = heads.map_or((None, None), |pair| (Some(pair.value), pair.tangent));
    Out { field: field.value, heads, derivative: field.tangent, head_derivative }
}

fn record(network: &Network, tape: &mut Tape, parameters: &[f32], batch: &Batch) -> Out<Var> {
    forward(network, &mut tape.record(parameters), batch, Recording::input)
}

fn reply(tape: &Tape, out: &Out<Var>) -> Reply {
    let values = |var: Option<Var>| var.map_or_else(Vec::new, |var| tape.value(var).to_vec());
    Reply {
        field: values(Some(out.field)),
        heads: values(out.heads),
        derivative: values(out.derivative),
        head_derivative: values(out.head_derivative),
    }
}

/// The network of vectors at a batch, strip by strip.
fn in_strips(network: &Network, parameters: &[f32], batch: &Batch, memory: &mut Memory) -> Reply {
    let (sizes, n, along) = (network.sizes(), batch.n, !batch.directions.is_empty());
    let zeros = |wanted: bool, channels: usize| vec![0.0; if wanted { n * channels } else { 0 }];
    let mut reply = Reply {
        field: zeros(true, sizes.outputs),
        heads: zeros(true, sizes.heads),
        derivative: zeros(along, sizes.outputs),
        head_derivative: zeros(along, sizes.heads),
    };
    for first in (0..n).step_by(STRIP) {
        let points = STRIP.min(n - first);
        let part = |channels: usize| first * channels..(first + points) * channels;
        let mut strip = Columns::new(memory, parameters, points);
        let out = forward(network, &mut strip, batch, |strip, _, channels, rows| {
            strip.input(channels, &rows[part(channels)])
        });
        let (field, heads) = (part(sizes.outputs), part(sizes.heads));
        strip.output(&out.field, &mut reply.field[field.clone()]);
        out.heads.iter().for_each(|out| strip.output(out, &mut reply.heads[heads.clone()]));
        out.derivative.iter().for_each(|out| strip.output(out, &mut reply.derivative[field.clone()]));
        out.head_derivative
            .iter()
            .for_each(|out| strip.output(out, &mut reply.head_derivative[heads.clone()]));
    }
    reply
}

impl Engine for Native {
    fn evaluate(&self, network: &Network, parameters: &[f32], batch: &Batch) -> Reply {
        match network.architecture() {
            Architecture::Mlp(_) => {
                MEMORY.with_borrow_mut(|memory| in_strips(network, parameters, batch, memory))
            }
            Architecture::UNet(_) => TAPE.with_borrow_mut(|tape| {
                let out = record(network, tape, parameters, batch);
                reply(tape, &out)
            }),
        }
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
            let out = record(network, tape, parameters, batch);
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

//! A tape: the operations of a network on plain memory, and their gradients in the opposite order.

use super::convolution::{Scratch, convolve, convolve_back, convolve_kernel};
use super::pointwise::{add_assign, silu, silu_back, silu_tangent, silu_tangent_back};
use super::product::{View, product};
use crate::network::{Init, Ops, Parameter};

/// A tensor on the tape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Var(usize);

#[derive(Debug, Clone, Copy)]
enum Operation {
    Input,
    Linear { x: Var, weight: Parameter, bias: Option<Parameter> },
    Convolution { x: Var, weight: Parameter, bias: Option<Parameter> },
    Silu { x: Var },
    SiluTangent { x: Var, dx: Var },
    Add { x: Var, y: Var },
    AddToPixels { x: Var, e: Var },
    Fold { x: Var },
    Unfold { x: Var },
    Mean { x: Var },
}

#[derive(Debug)]
struct Node {
    operation: Operation,
    side: usize,
    channels: usize,
    value: Vec<f32>,
    gradient: Vec<f32>,
}

/// What a network did with a batch, and the memory it used, which the next batch uses again.
#[derive(Debug, Default)]
pub(super) struct Tape {
    nodes: Vec<Node>,
    free: Vec<Vec<f32>>,
    scratch: Scratch,
}

/// A tape with the parameters it reads.
pub(super) struct Recording<'a> {
    tape: &'a mut Tape,
    parameters: &'a [f32],
    asked: usize,
}

impl Tape {
    /// Forgets what was done, and starts anew with these parameters.
    pub(super) fn record<'a>(&'a mut self, parameters: &'a [f32]) -> Recording<'a> {
        for node in self.nodes.drain(..) {
            self.free.extend([node.value, node.gradient].into_iter().filter(|memory| memory.capacity() > 0));
        }
        Recording { tape: self, parameters, asked: 0 }
    }

    pub(super) fn value(&self, var: Var) -> &[f32] {
        &self.nodes[var.0].value
    }

    /// Adds to `gradient` the gradient by the parameters of a quantity whose gradient by `outputs` is given.
    pub(super) fn backward(&mut self, parameters: &[f32], outputs: &[(Var, &[f32])], gradient: &mut [f32]) {
        for node in &mut self.nodes {
            if !matches!(node.operation, Operation::Input) {
                let mut memory = self.free.pop().unwrap_or_default();
                memory.clear();
                memory.resize(node.value.len(), 0.0);
                node.gradient = memory;
            }
        }
        for (var, g) in outputs {
            add_assign(&mut self.nodes[var.0].gradient, g);
        }
        for index in (0..self.nodes.len()).rev() {
            let (before, rest) = self.nodes.split_at_mut(index);
            backward(before, &rest[0], parameters, gradient, &mut self.scratch);
        }
    }
}

/// The gradient memory of a node, unless it is an input, whose gradient nobody asks for.
fn wanted(nodes: &mut [Node], var: Var) -> Option<(&[f32], &mut [f32])> {
    let node = &mut nodes[var.0];
    (!matches!(node.operation, Operation::Input)).then_some((&node.value[..], &mut node.gradient[..]))
}

fn add_columns(rows: &[f32], sums: &mut [f32]) {
    rows.chunks_exact(sums.len()).for_each(|row| add_assign(sums, row));
}

fn backward(
    before: &mut [Node],
    node: &Node,
    parameters: &[f32],
    gradient: &mut [f32],
    scratch: &mut Scratch,
) {
    let (g, outs) = (&node.gradient[..], node.channels);
    let place = |p: Parameter| p.offset..p.offset + p.len;
    match node.operation {
        Operation::Input => {}
        Operation::Linear { x, weight, bias } => {
            let ins = before[x.0].channels;
            let rows = g.len() / outs;
            let g_view = View::dense(rows, outs);
            let x_value = (&before[x.0].value[..], View::dense(rows, ins));
            product(
                true,
                (g, g_view.transposed()),
                x_value,
                (&mut gradient[place(weight)], View::dense(outs, ins)),
            );
            if let Some(bias) = bias {
                add_columns(g, &mut gradient[place(bias)]);
            }
            if let Some((_, gx)) = wanted(before, x) {
                let weight = (&parameters[place(weight)], View::dense(outs, ins));
                product(true, (g, g_view), weight, (gx, View::dense(rows, ins)));
            }
        }
        Operation::Convolution { x, weight, bias } => {
            let ins = before[x.0].channels;
            convolve_kernel(
                node.side,
                ins,
                outs,
                &before[x.0].value,
                g,
                &mut gradient[place(weight)],
                scratch,
            );
            if let Some(bias) = bias {
                add_columns(g, &mut gradient[place(bias)]);
            }
            if let Some((_, gx)) = wanted(before, x) {
                convolve_back(node.side, ins, outs, g, &parameters[place(weight)], gx, scratch);
            }
        }
        Operation::Silu { x } => {
            if let Some((x, gx)) = wanted(before, x) {
                silu_back(x, g, gx);
            }
        }
        Operation::SiluTangent { x, dx } => {
            let direction = std::mem::take(&mut before[dx.0].value);
            if let Some((x, gx)) = wanted(before, x) {
                silu_tangent_back(x, &direction, g, gx);
            }
            before[dx.0].value = direction;
            let value = std::mem::take(&mut before[x.0].value);
            if let Some((_, gdx)) = wanted(before, dx) {
                silu_back(&value, g, gdx);
            }
            before[x.0].value = value;
        }
        Operation::Add { x, y } => {
            for var in [x, y] {
                if let Some((_, gx)) = wanted(before, var) {
                    add_assign(gx, g);
                }
            }
        }
        Operation::AddToPixels { x, e } => {
            if let Some((_, gx)) = wanted(before, x) {
                add_assign(gx, g);
            }
            if let Some((_, ge)) = wanted(before, e) {
                let image = node.side * node.side * outs;
                g.chunks_exact(image).zip(ge.chunks_exact_mut(outs)).for_each(|(g, ge)| add_columns(g, ge));
            }
        }
        Operation::Fold { x } => {
            if let Some((_, gx)) = wanted(before, x) {
                squares(
                    2 * node.side,
                    outs / 4,
                    |fine, coarse, len| add_assign(&mut gx[fine..fine + len], &g[coarse..coarse + len]),
                    g.len(),
                );
            }
        }
        Operation::Unfold { x } => {
            if let Some((_, gx)) = wanted(before, x) {
                squares(
                    node.side,
                    outs,
                    |fine, coarse, len| add_assign(&mut gx[coarse..coarse + len], &g[fine..fine + len]),
                    g.len(),
                );
            }
        }
        Operation::Mean { x } => {
            let side = before[x.0].side;
            let share = 1.0 / (side * side) as f32;
            if let Some((_, gx)) = wanted(before, x) {
                for (image, g) in gx.chunks_exact_mut(side * side * outs).zip(g.chunks_exact(outs)) {
                    for pixel in image.chunks_exact_mut(outs) {
                        pixel.iter_mut().zip(g).for_each(|(p, g)| *p += share * g);
                    }
                }
            }
        }
    }
}

/// Calls `each(fine, coarse, len)` for every run of numbers that a fold moves as one: from `fine` among images of `side` x `side`
/// pixels of `channels` to `coarse` among those of half the side and four times the channels; `total` numbers in all.
fn squares(side: usize, channels: usize, mut each: impl FnMut(usize, usize, usize), total: usize) {
    let (half, len) = (side / 2, 2 * channels);
    let mut fine = 0;
    for row in 0..total / (side * channels) {
        let (image, y) = (row / side, row % side);
        let start = ((image * half + y / 2) * half) * 4 * channels + y % 2 * len;
        for x in 0..half {
            each(fine, start + x * 4 * channels, len);
            fine += len;
        }
    }
}

impl Recording<'_> {
    /// Puts an input on the tape: images of `side` x `side` pixels, in the order [n, row, column, channel].
    pub(super) fn input(&mut self, side: usize, channels: usize, values: &[f32]) -> Var {
        let var = self.push(Operation::Input, side, channels, values.len());
        self.tape.nodes[var.0].value.copy_from_slice(values);
        var
    }

    fn push(&mut self, operation: Operation, side: usize, channels: usize, len: usize) -> Var {
        let mut value = self.tape.free.pop().unwrap_or_default();
        value.resize(len, 0.0);
        self.tape.nodes.push(Node { operation, side, channels, value, gradient: Vec::new() });
        Var(self.tape.nodes.len() - 1)
    }

    /// A new node, whose value `write` computes from the nodes before, over whatever is in its memory.
    fn compute(
        &mut self,
        operation: Operation,
        (side, channels, len): (usize, usize, usize),
        write: impl FnOnce(&[Node], &[f32], &mut [f32], &mut Scratch),
    ) -> Var {
        let var = self.push(operation, side, channels, len);
        let (before, node) = self.tape.nodes.split_at_mut(var.0);
        write(before, self.parameters, &mut node[0].value, &mut self.tape.scratch);
        var
    }

    fn node(&self, var: Var) -> &Node {
        &self.tape.nodes[var.0]
    }

    fn like(&self, var: Var) -> (usize, usize, usize) {
        let node = self.node(var);
        (node.side, node.channels, node.value.len())
    }
}

/// out ← the bias in every row, or zero if there is none.
fn start_from(bias: Option<Parameter>, parameters: &[f32], out: &mut [f32]) {
    let Some(bias) = bias else { return out.fill(0.0) };
    let bias = &parameters[bias.offset..bias.offset + bias.len];
    out.chunks_exact_mut(bias.len()).for_each(|row| row.copy_from_slice(bias));
}

impl Ops for Recording<'_> {
    type Tensor = Var;

    fn parameter(&mut self, _: &str, shape: &[usize], _: Init) -> Parameter {
        let parameter = Parameter::new(self.asked, shape);
        self.asked += parameter.len;
        parameter
    }

    fn linear(&mut self, x: &Var, weight: Parameter, bias: Option<Parameter>) -> Var {
        let (side, ins, len) = self.like(*x);
        let (rows, outs) = (len / ins, weight.out);
        self.compute(
            Operation::Linear { x: *x, weight, bias },
            (side, outs, rows * outs),
            |before, parameters, out, scratch| {
                start_from(bias, parameters, out);
                let matrix =
                    scratch.transposed(&parameters[weight.offset..weight.offset + weight.len], outs, ins);
                let x = (&before[x.0].value[..], View::dense(rows, ins));
                product(true, x, (matrix, View::dense(ins, outs)), (out, View::dense(rows, outs)));
            },
        )
    }

    fn convolution(&mut self, x: &Var, weight: Parameter, bias: Option<Parameter>) -> Var {
        let (side, ins, len) = self.like(*x);
        let outs = weight.out;
        let shape = (side, outs, len / ins * outs);
        self.compute(
            Operation::Convolution { x: *x, weight, bias },
            shape,
            |before, parameters, out, scratch| {
                start_from(bias, parameters, out);
                let kernel = &parameters[weight.offset..weight.offset + weight.len];
                convolve(side, ins, outs, &before[x.0].value, kernel, out, scratch);
            },
        )
    }

    fn silu(&mut self, x: &Var) -> Var {
        self.compute(Operation::Silu { x: *x }, self.like(*x), |before, _, out, _| {
            silu(&before[x.0].value, out);
        })
    }

    fn silu_tangent(&mut self, x: &Var, dx: &Var) -> Var {
        self.compute(Operation::SiluTangent { x: *x, dx: *dx }, self.like(*x), |before, _, out, _| {
            silu_tangent(&before[x.0].value, &before[dx.0].value, out);
        })
    }

    fn add(&mut self, x: &Var, y: &Var) -> Var {
        self.compute(Operation::Add { x: *x, y: *y }, self.like(*x), |before, _, out, _| {
            out.copy_from_slice(&before[x.0].value);
            add_assign(out, &before[y.0].value);
        })
    }

    fn add_to_pixels(&mut self, x: &Var, e: &Var) -> Var {
        let (side, channels, len) = self.like(*x);
        self.compute(Operation::AddToPixels { x: *x, e: *e }, (side, channels, len), |before, _, out, _| {
            out.copy_from_slice(&before[x.0].value);
            let images =
                out.chunks_exact_mut(side * side * channels).zip(before[e.0].value.chunks_exact(channels));
            images.for_each(|(image, e)| {
                image.chunks_exact_mut(channels).for_each(|pixel| add_assign(pixel, e));
            });
        })
    }

    fn fold(&mut self, x: &Var) -> Var {
        let (side, channels, len) = self.like(*x);
        self.compute(Operation::Fold { x: *x }, (side / 2, 4 * channels, len), |before, _, out, _| {
            let x = &before[x.0].value;
            squares(
                side,
                channels,
                |fine, coarse, n| out[coarse..coarse + n].copy_from_slice(&x[fine..fine + n]),
                len,
            );
        })
    }

    fn unfold(&mut self, x: &Var) -> Var {
        let (side, channels, len) = self.like(*x);
        self.compute(Operation::Unfold { x: *x }, (2 * side, channels / 4, len), |before, _, out, _| {
            let x = &before[x.0].value;
            squares(
                2 * side,
                channels / 4,
                |fine, coarse, n| out[fine..fine + n].copy_from_slice(&x[coarse..coarse + n]),
                len,
            );
        })
    }

    fn mean(&mut self, x: &Var) -> Var {
        let (side, channels, len) = self.like(*x);
        let pixels = side * side;
        self.compute(Operation::Mean { x: *x }, (1, channels, len / pixels), |before, _, out, _| {
            for (image, mean) in
                before[x.0].value.chunks_exact(pixels * channels).zip(out.chunks_exact_mut(channels))
            {
                mean.fill(0.0);
                add_columns(image, mean);
                mean.iter_mut().for_each(|m| *m /= pixels as f32);
            }
        })
    }
}

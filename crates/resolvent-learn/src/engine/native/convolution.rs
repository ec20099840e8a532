//! 3 x 3 convolution as three matrix products, without copying every neighbourhood.
//!
//! With one column of zeros behind every row, one row of zeros behind every image and as many before the first, the
//! three neighbours of a pixel in one row lie next to each other, channels and all. A row of the kernel is then one product of a matrix with
//! overlapping rows, (pixels) x (3 in), by (3 in) x (out); what it computes at the zeros is thrown away.

use super::product::{View, product};

/// A batch of padded images.
pub(super) struct Padded {
    side: usize,
    images: usize,
    channels: usize,
    values: Vec<f32>,
}

impl Padded {
    /// Positions of an image with its zeros.
    fn stride(side: usize) -> usize {
        (side + 1) * (side + 1)
    }

    /// Zeros before the first pixel.
    fn lead(side: usize) -> usize {
        side + 2
    }

    /// The images `dense` (n images of side x side pixels of `channels`) with zeros around, in the memory of `scratch`.
    fn new(side: usize, channels: usize, dense: &[f32], mut scratch: Vec<f32>) -> Self {
        let images = dense.len() / (side * side * channels);
        scratch.clear();
        scratch.resize((images * Self::stride(side) + 2 * Self::lead(side)) * channels, 0.0);
        let mut padded = Self { side, images, channels, values: scratch };
        for (row, pixels) in dense.chunks_exact(side * channels).enumerate() {
            let start = (Self::lead(side) + padded.position(row)) * channels;
            padded.values[start..start + side * channels].copy_from_slice(pixels);
        }
        padded
    }

    /// Where the first pixel of a row stands among the positions; rows are counted through all images.
    fn position(&self, row: usize) -> usize {
        row / self.side * Self::stride(self.side) + row % self.side * (self.side + 1)
    }

    fn positions(&self) -> usize {
        self.images * Self::stride(self.side)
    }

    /// The neighbours in row `ky` of the kernel of every position: positions x 3 channels.
    fn neighbours(&self, ky: usize) -> View {
        View {
            start: ky * (self.side + 1) * self.channels,
            rows: self.positions(),
            columns: 3 * self.channels,
            down: self.channels,
            across: 1,
        }
    }

    /// All positions themselves: positions x channels.
    fn here(&self) -> View {
        View::dense(self.positions(), self.channels).from(Self::lead(self.side) * self.channels)
    }
}

/// Memory that convolutions use again and again.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    inputs: Vec<f32>,
    outputs: Vec<f32>,
    kernel: Vec<f32>,
}

impl Scratch {
    /// The transpose of a matrix of `rows` x `columns`. The product crate packs a matrix across its rows slowly, at half the
    /// rate where their length is a power of two.
    pub(super) fn transposed(&mut self, matrix: &[f32], rows: usize, columns: usize) -> &[f32] {
        // Few enough lines that they stay in the first cache even if a power of two lies between them.
        const LINES: usize = 8;
        self.kernel.resize(rows * columns, 0.0);
        for (block, lines) in matrix.chunks(LINES * columns).enumerate() {
            let first = block * LINES;
            for column in 0..columns {
                let out = &mut self.kernel[column * rows + first..][..lines.len() / columns];
                out.iter_mut().zip(lines[column..].iter().step_by(columns)).for_each(|(o, v)| *o = *v);
            }
        }
        &self.kernel[..rows * columns]
    }
}

/// Images that are worked on together: about as many positions as keep both sides of the products in cache.
fn together(side: usize) -> usize {
    (1024 / Padded::stride(side)).max(1)
}

/// out ← out + x * kernel; `x` holds images of `ins` channels, `out` of `outs`.
pub(super) fn convolve(
    side: usize,
    ins: usize,
    outs: usize,
    x: &[f32],
    kernel: &[f32],
    out: &mut [f32],
    scratch: &mut Scratch,
) {
    let pixels = together(side) * side * side;
    for (x, out) in x.chunks(pixels * ins).zip(out.chunks_mut(pixels * outs)) {
        let x = Padded::new(side, ins, x, std::mem::take(&mut scratch.inputs));
        let all = View::dense(x.positions(), outs);
        scratch.outputs.resize(x.positions() * outs, 0.0);
        for ky in 0..3 {
            let weight = View::dense(3 * ins, outs).from(ky * 3 * ins * outs);
            product(ky > 0, (&x.values, x.neighbours(ky)), (kernel, weight), (&mut scratch.outputs, all));
        }
        for (row, out) in out.chunks_exact_mut(side * outs).enumerate() {
            super::pointwise::add_assign(out, &scratch.outputs[x.position(row) * outs..][..side * outs]);
        }
        scratch.inputs = x.values;
    }
}

/// gx ← gx + the gradient by the images: the convolution of `g` with the kernel turned round.
pub(super) fn convolve_back(
    side: usize,
    ins: usize,
    outs: usize,
    g: &[f32],
    kernel: &[f32],
    gx: &mut [f32],
    scratch: &mut Scratch,
) {
    let mut turned = std::mem::take(&mut scratch.kernel);
    turned.resize(kernel.len(), 0.0);
    for (k, turned) in turned.chunks_exact_mut(ins * outs).enumerate() {
        let kernel = &kernel[(8 - k) * ins * outs..][..ins * outs];
        for (i, row) in kernel.chunks_exact(outs).enumerate() {
            row.iter().enumerate().for_each(|(o, w)| turned[o * ins + i] = *w);
        }
    }
    convolve(side, outs, ins, g, &turned, gx, scratch);
    scratch.kernel = turned;
}

/// gk ← gk + the gradient by the kernel.
pub(super) fn convolve_kernel(
    side: usize,
    ins: usize,
    outs: usize,
    x: &[f32],
    g: &[f32],
    gk: &mut [f32],
    scratch: &mut Scratch,
) {
    let pixels = together(side) * side * side;
    for (x, g) in x.chunks(pixels * ins).zip(g.chunks(pixels * outs)) {
        let x = Padded::new(side, ins, x, std::mem::take(&mut scratch.inputs));
        let g = Padded::new(side, outs, g, std::mem::take(&mut scratch.outputs));
        for ky in 0..3 {
            let weight = View::dense(3 * ins, outs).from(ky * 3 * ins * outs);
            product(
                true,
                (&x.values, x.neighbours(ky).transposed()),
                (&g.values, g.here()),
                (&mut *gk, weight),
            );
        }
        scratch.inputs = x.values;
        scratch.outputs = g.values;
    }
}

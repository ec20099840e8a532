//! Transposition of matrices, on the vector units.

use crate::vector::widest;

/// Rows that are turned together: the numbers in a register of 512 bits.
const ROWS: usize = 16;
/// Columns that are turned together: few enough that both blocks stay in the first cache.
const COLUMNS: usize = 64;

/// Aligned, so that no register is written across a border of cache lines.
#[repr(align(64))]
struct Block<T>([T; ROWS * COLUMNS]);

/// A matrix of `rows` x `columns` at the head of a slice, the entry (i, j) at i * `stride` + j.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
    /// From the beginning of a row to that of the next.
    pub stride: usize,
}

/// out ← the transpose of `matrix`, the entry (i, j) at i * `stride` + j; what lies between the rows of `out` stays.
///
/// # Panics
/// If one of them does not fit into its slice.
pub fn transpose<T: Copy + Default>(matrix: &[T], shape: Shape, out: &mut [T], stride: usize) {
    let (mut block, mut scratch) =
        (Block([T::default(); ROWS * COLUMNS]), Block([T::default(); ROWS * COLUMNS]));
    widest(
        #[inline(always)]
        || {
            for i in (0..shape.rows).step_by(ROWS) {
                for j in (0..shape.columns).step_by(COLUMNS) {
                    let (height, width) = (ROWS.min(shape.rows - i), COLUMNS.min(shape.columns - j));
                    for k in 0..height {
                        let row = &matrix[(i + k) * shape.stride + j..][..width];
                        block.0[k * width..][..width].copy_from_slice(row);
                    }
                    turn(&mut block, &mut scratch, width);
                    let columns = block.0[..ROWS * width].chunks_exact(ROWS);
                    let to = out[j * stride + i..].chunks_mut(stride).zip(columns);
                    // Copies of a fixed length in a loop of their own are single instructions.
                    if height == ROWS {
                        to.for_each(|(to, column)| to[..ROWS].copy_from_slice(column));
                    } else {
                        to.for_each(|(to, column)| to[..height].copy_from_slice(&column[..height]));
                    }
                }
            }
        },
    );
}

/// Transposes a block of `width` columns: four times rows are interleaved by twos, each with the one half of all rows further on,
/// so that the number of the row ends up, digit by digit, behind that of the column. Four is even: what comes out is in `block` again.
#[inline(always)]
fn turn<T: Copy>(block: &mut Block<T>, scratch: &mut Block<T>, width: usize) {
    let (mut rows, mut from, mut to) = (ROWS, block, scratch);
    while rows > 1 {
        rows /= 2;
        let (first, second) = from.0[..ROWS * width].split_at(ROWS / 2 * width);
        interleave(first, second, &mut to.0[..ROWS * width]);
        std::mem::swap(&mut from, &mut to);
    }
}

#[inline(always)]
fn interleave<T: Copy>(first: &[T], second: &[T], out: &mut [T]) {
    for ((out, a), b) in out.chunks_exact_mut(2).zip(first).zip(second) {
        out[0] = *a;
        out[1] = *b;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_arrives() {
        for (rows, columns) in [(1, 1), (16, 16), (3, 40), (40, 3), (33, 64), (64, 33), (20, 100)] {
            let shape = Shape { rows, columns, stride: columns + 2 };
            let matrix: Vec<f32> = (0..rows * shape.stride).map(|k| k as f32).collect();
            let stride = rows + 1;
            let mut out = vec![-1.0; columns * stride];
            transpose(&matrix, shape, &mut out, stride);
            for (k, value) in out.iter().enumerate() {
                let (j, i) = (k / stride, k % stride);
                let expected = if i < rows { matrix[i * shape.stride + j] } else { -1.0 };
                assert_eq!(*value, expected, "{rows} x {columns} at {i}, {j}");
            }
        }
    }
}

//! Matrix products, on slices with their bounds checked.

/// A matrix within a slice: `rows` x `columns`, the entry (i, j) at `start + i * down + j * across`. Rows may overlap.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub(super) start: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) down: usize,
    pub(super) across: usize,
}

impl View {
    /// The dense matrix at the head of a slice.
    pub(super) fn dense(rows: usize, columns: usize) -> Self {
        Self { start: 0, rows, columns, down: columns, across: 1 }
    }

    pub(super) fn from(self, start: usize) -> Self {
        Self { start, ..self }
    }

    pub(super) fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, down: self.across, across: self.down, ..self }
    }

    fn fits(&self, len: usize) -> bool {
        let last = |extent: usize, stride: usize| extent.saturating_sub(1) * stride;
        let empty = self.rows == 0 || self.columns == 0;
        let end = self.start + last(self.rows, self.down) + last(self.columns, self.across);
        if empty { self.start <= len } else { end < len }
    }
}

/// out ← a b, or out ← out + a b.
#[expect(unsafe_code, reason = "the product crate takes raw pointers; the bounds are checked here")]
pub(super) fn product(add: bool, a: (&[f32], View), b: (&[f32], View), out: (&mut [f32], View)) {
    let ((a, av), (b, bv), (out, ov)) = (a, b, out);
    assert!(av.columns == bv.rows && ov.rows == av.rows && ov.columns == bv.columns);
    assert!(av.fits(a.len()) && bv.fits(b.len()) && ov.fits(out.len()));
    assert!(ov.across == 1 && ov.down >= ov.columns, "entries of the result do not overlap");
    // SAFETY: every entry of the three views lies within its slice, as asserted; `out` is borrowed mutably, so it overlaps
    // neither input, and its own entries are distinct.
    unsafe {
        gemm::gemm(
            ov.rows,
            ov.columns,
            av.columns,
            out.as_mut_ptr().add(ov.start),
            ov.across as isize,
            ov.down as isize,
            add,
            a.as_ptr().add(av.start),
            av.across as isize,
            av.down as isize,
            b.as_ptr().add(bv.start),
            bv.across as isize,
            bv.down as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

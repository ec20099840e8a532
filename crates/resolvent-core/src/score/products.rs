//! Inner products of a tile of points with a block of data, by one matrix product of fixed shape.

/// Points to a tile. Tiles are padded to this width, so that a point's products do not depend on its neighbours' number.
pub(crate) const TILE: usize = 32;

/// out ← blockᵀ tile: `out[k + rows * j]` = ⟨block k, tile j⟩ for the `rows` data (rows of d) of `block` and the [`TILE`]
/// points of `tile`.
#[expect(unsafe_code, reason = "the product crate takes raw pointers; the lengths are checked here")]
pub(crate) fn inner_products(d: usize, block: &[f64], tile: &[f64], out: &mut [f64]) {
    let rows = block.len() / d;
    assert!(block.len() == rows * d && tile.len() == TILE * d && out.len() == rows * TILE);
    let (d_, rows_) = (d as isize, rows as isize);
    // SAFETY: the three slices hold exactly rows x d, d x TILE and rows x TILE numbers at the strides given, as
    // asserted above, and `out` is borrowed mutably, so it overlaps neither input.
    unsafe {
        gemm::gemm(
            rows,
            TILE,
            d,
            out.as_mut_ptr(),
            rows_,
            1,
            false,
            block.as_ptr(),
            1,
            d_,
            tile.as_ptr(),
            d_,
            1,
            0.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

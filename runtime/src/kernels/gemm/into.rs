//! The product stored as it is, for where no epilogue is fused.

use super::{Element, Operand, Out, Right, Tile, product};

/// Where the tiles go: threads write to disjoint elements of it.
pub(super) struct Target<'o, T> {
    data: *mut T,
    row_stride: usize,
    owner: std::marker::PhantomData<&'o mut [T]>,
}

// SAFETY: the pointer is only written through `store`, whose callers write disjoint elements.
unsafe impl<T: Send> Sync for Target<'_, T> {}

impl<'o, T: Copy> Target<'o, T> {
    /// Panics unless a result `[m, n]` fits, with rows that don't overlap.
    pub(super) fn new([m, n]: [usize; 2], out: &'o mut [T], row_stride: usize) -> Target<'o, T> {
        assert!(row_stride >= n, "gemm_into: rows of {n} elements overlap with row stride {row_stride}");
        let (need, have) = ((m - 1) * row_stride + n, out.len());
        assert!(
            need <= have,
            "gemm_into: a result [{m}, {n}] with row stride {row_stride} needs {need} elements, but there are {have}"
        );
        Target { data: out.as_mut_ptr(), row_stride, owner: std::marker::PhantomData }
    }

    /// Where an element is, and how far the next row's. It is for the writer to see that it lies in the result.
    pub(super) fn at(&self, row: usize, col: usize) -> (*mut T, usize) {
        (self.data.wrapping_add(row * self.row_stride + col), self.row_stride)
    }

    /// # Safety
    /// The tile must lie in the result `[m, n]`, and no other call may store to the same elements at the same time.
    pub(super) unsafe fn store(&self, tile: Tile<T>) {
        for i in 0..tile.rows {
            let at = (tile.row + i) * self.row_stride + tile.col;
            // SAFETY: the caller's promise; the source is a slice of `cols` elements, never part of the result.
            unsafe { self.data.add(at).copy_from_nonoverlapping(tile.line(i).as_ptr(), tile.cols) };
        }
    }
}

/// `out[i * row_stride + j]` becomes element `(i, j)` of the product; what lies between rows is left alone.
///
/// # Panics
/// If an operand's data or `out` don't hold all elements, or rows overlap.
pub fn gemm_into<'a, T: Element>(
    m: usize,
    n: usize,
    k: usize,
    a: impl Into<Operand<'a, T>>,
    b: impl Into<Right<'a, T>>,
    out: &mut [T],
    row_stride: usize,
) {
    if m == 0 || n == 0 {
        return;
    }
    let target = Target::new([m, n], out, row_stride);
    // SAFETY: `gemm` hands out each element of `[m, n]` once, and all of them lie in the target.
    let store = |tile: Tile<T>| unsafe { target.store(tile) };
    product([m, n, k], a.into(), b.into(), Out { epilogue: &store, rows: Some(&target) });
}

//! Right operands of products that are packed before them.

use super::{output, walked};
use crate::Tensor;
use crate::kernels::gemm::{Element, Packed, pack, with_packed};

/// The operand that lies packed in these elements.
#[inline]
pub fn packed<T>(data: &[T], size: [usize; 2]) -> Packed<'_, T> {
    crate::kernels::gemm::packed(data, size)
}

/// Each of several operands, whose sides run over axes of `(length, stride)`, packed into `len` elements, for a model that
/// keeps them.
///
/// # Panics
/// If the tensor has fewer elements, or `len` are too few.
pub fn in_panels<T: Element + crate::Element>(
    of: &Tensor<T>,
    operands: usize,
    rows: &[(usize, usize)],
    cols: &[(usize, usize)],
    len: usize,
) -> Tensor<T> {
    let mut panels: Tensor<T> = output(&[operands * len]);
    let (all, each) = (of.as_slice(), of.len() / operands.max(1));
    let to = panels.as_mut_slice();
    // What is kept is compared and printed: nothing in it may be left over from before.
    to.fill(<T as crate::Element>::ZERO);
    for (i, to) in to.chunks_exact_mut(len.max(1)).enumerate() {
        pack(size(rows, cols), walked(&all[i * each..][..each], 0, rows, cols), to);
    }
    panels
}

/// Calls `f` with an operand packed, whose sides run over axes of `(length, stride)`: for a loop that multiplies by it in each
/// turn.
pub fn with_panels<T: Element, R>(
    data: &[T],
    rows: &[(usize, usize)],
    cols: &[(usize, usize)],
    f: impl FnOnce(&[T]) -> R,
) -> R {
    with_packed(size(rows, cols), walked(data, 0, rows, cols), f)
}

fn size(rows: &[(usize, usize)], cols: &[(usize, usize)]) -> [usize; 2] {
    [rows, cols].map(|side| side.iter().map(|(len, _)| len).product())
}

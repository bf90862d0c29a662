//! Right operands of products that are packed before them.

use super::walked;
use crate::Tensor;
use crate::kernels::gemm::{Element, Packed, pack, pack_away, with_packed};

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
    of: Tensor<T>,
    operands: usize,
    rows: &[(usize, usize)],
    cols: &[(usize, usize)],
    len: usize,
) -> Tensor<T> {
    if operands == 1 {
        return layers_in_panels(vec![of], rows, cols, len);
    }
    let each = of.len() / operands.max(1);
    let mut panels = Tensor::zeros([operands * len]);
    for (i, to) in panels.as_mut_slice().chunks_exact_mut(len.max(1)).enumerate() {
        pack(size(rows, cols), walked(&of.as_slice()[i * each..][..each], 0, rows, cols), to);
    }
    panels
}

/// [`in_panels`] of operands that are tensors of their own: each is let go of as soon as it is packed.
///
/// # Panics
/// Likewise.
pub fn layers_in_panels<T: Element + crate::Element>(
    of: Vec<Tensor<T>>,
    rows: &[(usize, usize)],
    cols: &[(usize, usize)],
    len: usize,
) -> Tensor<T> {
    let mut panels = Tensor::zeros([of.len() * len]);
    for (of, to) in of.into_iter().zip(panels.as_mut_slice().chunks_exact_mut(len.max(1))) {
        packed_into(of, rows, cols, to);
    }
    panels
}

fn packed_into<T: Element + crate::Element>(
    of: Tensor<T>,
    rows: &[(usize, usize)],
    cols: &[(usize, usize)],
    to: &mut [T],
) {
    let size = size(rows, cols);
    // Columns that lie one after the other can be let go of on the way, if nobody else has them.
    let one_by_one = matches!(cols, [(_, stride)] if *stride == size[0]);
    if !one_by_one {
        return pack(size, walked(of.as_slice(), 0, rows, cols), to);
    }
    let own = match of.into_unshared() {
        Ok(own) => own,
        Err(of) => return pack(size, walked(of.as_slice(), 0, rows, cols), to),
    };
    pack_away(size, own, |data, left| walked(data, 0, rows, &[(left, size[0])]).into(), to);
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

//! What emitted code calls. No part of the public surface: it may change with any release.

mod frozen;
mod kept;
mod leaves;
mod panels;
mod scalar;
mod sizes;
mod table;

pub use crate::__kiln_fold as fold;
pub use crate::half::{bf16, f16};
pub use crate::kernels::cut::{by_rows, turnwise};
pub use crate::kernels::fold::{BLOCK, ahead, blocks, total};
pub use crate::kernels::gemm::{
    Finish, Plane, Source, Together, computed_cols, computed_rows, gemm_finish, gemm_into, plane, winograd,
    winograd_finish, winograd_gradient_finish, winograd_gradient_into, winograd_into,
};
pub use crate::kernels::launch::{Kernel, Part, batched, launch, part};
pub use crate::kernels::math::Math;
pub use crate::kernels::scratch::{Plain, Scratch, Slot, scratch, slot_bytes};
pub use crate::kernels::total::{Total, total as total_of};
pub use crate::params::leaf::stored;
pub use frozen::{CalledInModels, HasOneGraph, HasParams, ReturnsTensors, UpdatesNoParams};
pub use kept::{joined, taken, taken_layers};
pub use leaves::{Stored, gathered, layer, layers, leaf, leaf_mut, named, numbered, of_layer, spread, zero};
pub use panels::{in_panels, layers_in_panels, packed, with_panels};
pub use scalar::*;
pub use sizes::{Place, agree, bound, extents, fit, room, same};
pub use table::{Each, Row, all, elements, outputs, put, table, table_both, table_mut};

use crate::kernels::gemm::{Matrix, Pixels, Tiles, Walk, Walked, Windows, winograd_len, winograd_weights};
pub use crate::rng::{random_bits, random_uniform};
use crate::{Element, Shape, Tensor};

#[cfg(feature = "eager")]
pub use crate::eager::body as eager;

/// The name of the leaf `name` under `prefix`, joined as PyTorch's `state_dict` does.
///
/// ```
/// assert_eq!(kiln::rt::join("fc1", "weight"), "fc1.weight");
/// assert_eq!(kiln::rt::join("", "weight"), "weight");
/// assert_eq!(kiln::rt::join("fc1", ""), "fc1");
/// assert_eq!(kiln::rt::join("lstm.*_l1", "weight_ih"), "lstm.weight_ih_l1");
/// ```
pub fn join(prefix: &str, name: &str) -> String {
    // The owner says where in a name the leaf's own stands.
    if prefix.contains('*') {
        return prefix.replace('*', name);
    }
    let dot = if prefix.is_empty() || name.is_empty() { "" } else { "." };
    format!("{prefix}{dot}{name}")
}

/// The elements of one turn of a loop, `len` of them, of what it scans.
#[inline]
pub fn turn<T>(all: &[T], turn: usize, len: usize) -> &[T] {
    &all[turn * len..][..len]
}

/// The elements of one turn of a loop, `len` of them, of what it yields.
#[inline]
pub fn turn_mut<T>(all: &mut [T], turn: usize, len: usize) -> &mut [T] {
    &mut all[turn * len..][..len]
}

/// Truth values as bytes, as they lie in the scratch area.
#[inline]
pub fn bytes_of(to: &mut [u8], from: &[bool]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = u8::from(*from));
}

/// Bytes as truth values.
#[inline]
pub fn truths_of(to: &mut [bool], from: &[u8]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from != 0);
}

/// The matrix of the elements from `offset` on, with the distances of two rows and of two columns.
#[inline]
pub fn matrix<T>(data: &[T], offset: usize, [row, col]: [usize; 2]) -> Matrix<'_, T> {
    Matrix { data, offset, row_stride: row as isize, col_stride: col as isize }
}

/// The matrix of the elements from `offset` on whose sides run over several axes of `(length, stride)`.
#[inline]
pub fn walked<'a, T>(
    data: &'a [T],
    offset: usize,
    rows: &[(usize, usize)],
    cols: &[(usize, usize)],
) -> Walked<'a, T> {
    Walked { data, offset, rows: Walk::new(rows), cols: Walk::new(cols), skipped: [0, 0] }
}

/// Windows over images of `[height, width]`: `channels` of them for each row of the product, and from one to the next; with `each`,
/// rows have images of their own, so far apart. `first` is where the first window begins, before the image below 0, wrapped around;
/// then places in a window, down and along, and windows, each with the distance of two.
#[inline]
pub fn windows<T>(
    data: &[T],
    offset: usize,
    each: usize,
    channels: (usize, usize),
    size: [usize; 2],
    first: [usize; 2],
    [places, windows]: [[(usize, usize); 2]; 2],
) -> Windows<'_, T> {
    let first = first.map(usize::cast_signed);
    Windows { data, offset, each, channels, images: (1, 0), size, first, places, windows, skipped: [0, 0] }
}

/// Windows over images of `[height, width]` pixels, which lie `pitch` apart: `channels` of each for all columns of the product, or
/// one for each column where that is 0; `images` and from one to the next. The rest as of [`windows`].
#[inline]
pub fn pixels<T>(
    data: &[T],
    offset: usize,
    [channels, pitch]: [usize; 2],
    images: (usize, usize),
    size: [usize; 2],
    first: [usize; 2],
    [places, windows]: [[(usize, usize); 2]; 2],
) -> Pixels<'_, T> {
    let first = first.map(usize::cast_signed);
    let (own, channels) = (channels == 0, channels.max(1));
    Pixels { data, offset, own, channels, pitch, images, size, first, places, windows, skipped: [0, 0] }
}

/// A row of zeros and, if it is `inside`, of the elements `from[start + j]` for which `first + j < span`; positions below 0
/// wrap around.
#[inline]
pub fn padded<T: Copy + Default>(
    to: &mut [T],
    inside: bool,
    from: &[T],
    start: usize,
    first: usize,
    span: usize,
) {
    // `j` counts from where `first + j` is 0 or more.
    let low = if first.cast_signed() < 0 { first.wrapping_neg().min(to.len()) } else { 0 };
    let here = span.saturating_sub(first.wrapping_add(low)).min(to.len() - low);
    if !inside || here == 0 || first.wrapping_add(low) >= span {
        return to.fill(T::default());
    }
    let (zeros, rest) = to.split_at_mut(low);
    let (own, more) = rest.split_at_mut(here);
    zeros.fill(T::default());
    own.copy_from_slice(&from[start.wrapping_add(low)..][..here]);
    more.fill(T::default());
}

/// The factors `[m, channels · 9]` of a convolution at Winograd's points for tiles of so many pixels along a side, for a model that
/// keeps them.
///
/// # Panics
/// If the tensor has another size.
pub fn at_points(factors: Tensor, tiles: impl Into<Tiles>, m: usize, channels: usize) -> Tensor {
    let tiles = tiles.into();
    let mut points: Tensor = Tensor::zeros([winograd_len(tiles.side(), m, channels)]);
    let rows = Matrix::rows(factors.as_slice(), 9 * channels);
    winograd_weights(tiles, m, channels, rows, points.as_mut_slice());
    // No pool keeps them.
    drop(factors.into_unshared());
    points
}

/// A tensor of this shape whose elements the caller overwrites, all of them: they may be an earlier result's.
///
/// The storage goes back to the thread that drops its last owner, so that a model that is called again and again
/// allocates nothing for its results after the first call.
///
/// # Panics
/// If the rank is above [`crate::MAX_RANK`] or the elements exceed the address space.
pub fn output<T: Element>(shape: &[usize]) -> Tensor<T> {
    Tensor::recycled(Shape::new(shape).unwrap_or_else(|error| panic!("{error}")))
}

//! Matrix product with strided operands and an epilogue: `[m, k] × [k, n] → tiles of [m, n]`.
//!
//! The result isn't stored here: each finished tile goes to the epilogue, which adds the bias, applies the
//! activation and stores, while the tile is in L1. Blocking after Goto and van de Geijn, *Anatomy of
//! High-Performance Matrix Multiplication* (2008), with the loop over k inside the one over columns, so that only one
//! strip of partial sums is alive. Kernels are chosen when the program runs; everything is compiled here, once.

mod channels;
mod computed;
mod cross;
mod depthwise;
mod drive;
mod finish;
mod into;
mod kernel;
mod lines;
#[cfg(target_arch = "aarch64")]
mod neon;
mod pack;
mod pixels;
mod skinny;
mod stored;
mod strips;
mod sweep;
#[cfg(test)]
mod tests;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod vector;
mod walk;
mod windows;
mod winograd;
#[cfg(target_arch = "x86_64")]
mod x86;

use super::isa::Isa;
pub use computed::{Computed, Source, computed_cols, computed_rows};
pub use finish::{Finish, Plane, Planes, gemm_finish, plane};
use into::Target;
pub use into::gemm_into;
use kernel::Kernels;
pub use pack::{Packed, pack, pack_away, packed, packed_room, with_packed};
pub use pixels::Pixels;
pub use walk::{MAX_AXES, Operand, Right, Walk, Walked};
pub use windows::Windows;
pub use winograd::{
    Images, Tiles, Together, winograd, winograd_finish, winograd_gradient_finish, winograd_gradient_into,
    winograd_into, winograd_len, winograd_weights,
};

/// A strided operand: element `(i, j)` is `data[offset + i * row_stride + j * col_stride]`.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, T> {
    /// The elements, in any order.
    pub data: &'a [T],
    /// Where element `(0, 0)` is.
    pub offset: usize,
    /// From one row to the next; 0 repeats one row.
    pub row_stride: isize,
    /// From one column to the next; 0 repeats one column.
    pub col_stride: isize,
}

impl<'a, T> Matrix<'a, T> {
    /// A matrix whose rows of `cols` elements follow each other.
    pub fn rows(data: &'a [T], cols: usize) -> Self {
        Matrix { data, offset: 0, row_stride: cols as isize, col_stride: 1 }
    }

    /// The transpose, without moving an element.
    pub fn transposed(self) -> Self {
        Matrix { row_stride: self.col_stride, col_stride: self.row_stride, ..self }
    }

    /// Panics unless every element of `[rows, cols]` lies in the data.
    fn check(&self, name: &str, rows: usize, cols: usize) {
        if rows == 0 || cols == 0 {
            return;
        }
        let down = (rows as i128 - 1) * self.row_stride as i128;
        let right = (cols as i128 - 1) * self.col_stride as i128;
        let first = self.offset as i128 + down.min(0) + right.min(0);
        let last = self.offset as i128 + down.max(0) + right.max(0);
        let (len, offset, rs, cs) = (self.data.len(), self.offset, self.row_stride, self.col_stride);
        assert!(
            first >= 0 && last < len as i128,
            "gemm: operand {name} [{rows}, {cols}] with offset {offset} and strides [{rs}, {cs}] needs elements \
             {first}..={last}, but its data has {len}"
        );
    }

    /// Where element `(i, j)` is. It must be within what [`Matrix::check`] has checked.
    #[inline(always)]
    fn at(&self, i: usize, j: usize) -> usize {
        (self.offset as isize + i as isize * self.row_stride + j as isize * self.col_stride) as usize
    }
}

/// A finished part of the product: element `(row + i, col + j)` is `acc[i * stride + j]`.
#[derive(Clone, Copy, Debug)]
pub struct Tile<'a, T> {
    /// The first row of the product that is in the tile.
    pub row: usize,
    /// The first column of the product that is in the tile.
    pub col: usize,
    /// How many rows.
    pub rows: usize,
    /// How many columns.
    pub cols: usize,
    /// From one row of `acc` to the next.
    pub stride: usize,
    /// The sums; what lies past the columns of a row means nothing.
    pub acc: &'a [T],
}

impl<'a, T> Tile<'a, T> {
    /// The columns of row `i` of the tile.
    #[inline(always)]
    pub fn line(&self, i: usize) -> &'a [T] {
        &self.acc[i * self.stride..][..self.cols]
    }
}

/// What receives the tiles, each once, from any thread.
pub type Epilogue<'a, T> = &'a (dyn Fn(Tile<T>) + Sync);

/// What receives a product: its tiles, or, where they are only stored, the rows that they are stored in.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Out<'a, T> {
    epilogue: Epilogue<'a, T>,
    rows: Option<&'a Target<'a, T>>,
}

impl<'a, T> Out<'a, T> {
    fn tiles(epilogue: Epilogue<'a, T>) -> Self {
        Out { epilogue, rows: None }
    }
}

/// An element type with kernels: `f32` or `f64`.
pub trait Element: kernel::Scalar {
    /// [`gemm`] for this type, on the instruction set given.
    #[doc(hidden)]
    fn gemm_on(isa: Isa, size: [usize; 3], a: Operand<Self>, b: Operand<Self>, out: Out<Self>);
    /// [`gemm`] for this type with a right operand that was packed before, for the instruction set given.
    #[doc(hidden)]
    fn gemm_packed_on(isa: Isa, size: [usize; 3], a: Operand<Self>, b: Packed<Self>, out: Out<Self>);
    /// [`pack`] for this type, on the instruction set given, from a column on where a panel begins.
    #[doc(hidden)]
    fn pack_on(isa: Isa, size: [usize; 2], first: usize, b: Operand<Self>, to: &mut [Self]);
}

/// Not generic, so that a crate that uses it doesn't compile the driver again.
macro_rules! element {
    ($($t:ty),*) => {$(
        impl Element for $t {
            fn gemm_on(isa: Isa, size: [usize; 3], a: Operand<Self>, b: Operand<Self>, out: Out<Self>) {
                drive::gemm(Kernels::of(isa), size, a, b, out);
            }

            fn gemm_packed_on(
                isa: Isa,
                size: [usize; 3],
                a: Operand<Self>,
                b: Packed<Self>,
                out: Out<Self>,
            ) {
                drive::gemm_packed(Kernels::of(isa), size, a, b, out);
            }

            fn pack_on(isa: Isa, size: [usize; 2], first: usize, b: Operand<Self>, to: &mut [Self]) {
                pack::pack_for(&Kernels::of(isa), size, first, &b, to);
            }
        }
    )*};
}
element!(f32, f64);

/// The product of `a: [m, k]` and `b: [k, n]`, tile by tile to the epilogue.
///
/// With `k == 0` the sums are 0; with `m == 0` or `n == 0` nothing is called. Which tiles there are is not fixed.
///
/// # Panics
/// If an operand's data doesn't hold all its elements.
#[inline]
pub fn gemm<'a, T: Element>(
    m: usize,
    n: usize,
    k: usize,
    a: impl Into<Operand<'a, T>>,
    b: impl Into<Right<'a, T>>,
    epilogue: Epilogue<T>,
) {
    product([m, n, k], a.into(), b.into(), Out::tiles(epilogue));
}

fn product<T: Element>(size: [usize; 3], a: Operand<T>, b: Right<T>, out: Out<T>) {
    match b {
        Right::Operand(b) => T::gemm_on(Isa::detect(), size, a, b, out),
        Right::Packed(b) => T::gemm_packed_on(Isa::detect(), size, a, b, out),
    }
}

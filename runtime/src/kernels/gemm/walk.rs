//! Operands whose sides run over several axes: the windows of a convolution, heads beside time. A side is walked
//! axis by axis while it is packed, so that no such matrix is ever written out (implicit GEMM, Chetlur et al., *cuDNN:
//! Efficient Primitives for Deep Learning*, 2014).

use super::Matrix;
use super::computed::Computed;
use super::kernel::Scalar;
use super::pack::Packed;
use super::pixels::Pixels;
use super::stored::Stored;
use super::windows::Windows;
use crate::half::{bf16, f16};
use std::ops::Range;

/// Most axes of a side.
pub const MAX_AXES: usize = 8;

/// Where the indices of a side lie: several axes, the last one fastest.
#[derive(Clone, Copy, Debug, Default)]
pub struct Walk {
    len: [usize; MAX_AXES],
    stride: [usize; MAX_AXES],
    axes: usize,
}

impl Walk {
    /// The walk over axes of these lengths and strides, outermost first.
    ///
    /// # Panics
    /// If there are more than [`MAX_AXES`].
    pub fn new(axes: &[(usize, usize)]) -> Walk {
        assert!(
            axes.len() <= MAX_AXES,
            "a side of a product has {} axes, at most {MAX_AXES} are possible",
            axes.len()
        );
        let mut walk = Walk { axes: axes.len(), ..Walk::default() };
        for (i, (len, stride)) in axes.iter().enumerate() {
            (walk.len[i], walk.stride[i]) = (*len, *stride);
        }
        walk
    }

    /// The last axis as lines: where each begins, elements of one, and from one element to the next.
    pub(super) fn lines(&self) -> (Walk, usize, usize) {
        let Some(last) = self.axes.checked_sub(1) else { return (*self, 1, 1) };
        (Walk { axes: last, ..*self }, self.len[last], self.stride[last])
    }

    /// Whether it goes from element to element.
    pub(super) fn is_run(&self) -> bool {
        self.axes == 1 && self.stride[0] == 1
    }

    /// Number of indices.
    fn indices(&self) -> usize {
        self.len[..self.axes].iter().product()
    }

    /// The largest offset.
    fn last(&self) -> usize {
        (0..self.axes).map(|i| (self.len[i] - 1) * self.stride[i]).sum()
    }

    /// The offsets of the indices from `start` on, without end.
    pub(super) fn from(&self, start: usize) -> Steps<'_> {
        let mut at = [0; MAX_AXES];
        let (mut rest, mut offset) = (start, 0);
        for i in (0..self.axes).rev() {
            (at[i], rest) = (rest % self.len[i].max(1), rest / self.len[i].max(1));
            offset += at[i] * self.stride[i];
        }
        Steps { walk: self, at, offset }
    }
}

/// The offsets of a walk.
pub(super) struct Steps<'a> {
    walk: &'a Walk,
    at: [usize; MAX_AXES],
    offset: usize,
}

impl Steps<'_> {
    /// The next offset.
    #[inline(always)]
    pub(super) fn step(&mut self) -> usize {
        let here = self.offset;
        for i in (0..self.walk.axes).rev() {
            self.at[i] += 1;
            self.offset += self.walk.stride[i];
            if self.at[i] < self.walk.len[i] {
                break;
            }
            self.offset -= self.at[i] * self.walk.stride[i];
            self.at[i] = 0;
        }
        here
    }
}

/// An operand whose element `(i, j)` is `data[offset + rows(i) + cols(j)]`.
#[derive(Clone, Copy, Debug)]
pub struct Walked<'a, T> {
    /// The elements, in any order.
    pub data: &'a [T],
    /// Where element `(0, 0)` is.
    pub offset: usize,
    /// Offsets of rows.
    pub rows: Walk,
    /// Offsets of columns.
    pub cols: Walk,
    /// Rows and columns passed over before element `(0, 0)`.
    pub skipped: [usize; 2],
}

impl<T> Walked<'_, T> {
    /// Panics unless the operand is of that size and its elements lie in the data.
    pub(super) fn check(&self, name: &str, want: [usize; 2]) {
        let have = [self.rows.indices(), self.cols.indices()];
        assert_eq!(have, want, "gemm: operand {name} is {have:?}, not {want:?}");
        if !want.contains(&0) {
            let last = self.offset + self.rows.last() + self.cols.last();
            let len = self.data.len();
            assert!(last < len, "gemm: operand {name} needs element {last}, but its data has {len}");
        }
    }
}

/// An operand of a product: made once a product, so that its size costs nothing.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::large_enum_variant)]
pub enum Operand<'a, T> {
    /// Elements of the product's type.
    Own(Stored<'a, T>),
    /// bf16, widened where it is read.
    Bf16(Stored<'a, bf16>),
    /// f16, widened where it is read.
    F16(Stored<'a, f16>),
    /// Computed when it is packed.
    Computed(Computed<'a, T>),
}

/// What is the same for however elements are stored: `$stored` of each kind, `$computed` of what is computed.
macro_rules! by_kind {
    ($operand:expr, |$s:ident| $stored:expr, |$c:ident| $computed:expr) => {
        match $operand {
            Operand::Own($s) => $stored,
            Operand::Bf16($s) => $stored,
            Operand::F16($s) => $stored,
            Operand::Computed($c) => $computed,
        }
    };
}
pub(super) use by_kind;

impl<'a, T> From<Matrix<'a, T>> for Operand<'a, T> {
    fn from(matrix: Matrix<'a, T>) -> Self {
        Operand::Own(Stored::Strided(matrix))
    }
}

impl<'a, T> From<Walked<'a, T>> for Operand<'a, T> {
    fn from(walked: Walked<'a, T>) -> Self {
        Operand::Own(Stored::Walked(walked))
    }
}

impl<'a, T> From<Windows<'a, T>> for Operand<'a, T> {
    fn from(windows: Windows<'a, T>) -> Self {
        Operand::Own(Stored::Windows(windows))
    }
}

impl<'a, T> From<Pixels<'a, T>> for Operand<'a, T> {
    fn from(pixels: Pixels<'a, T>) -> Self {
        Operand::Own(Stored::Pixels(pixels))
    }
}

macro_rules! from_narrow {
    ($($of:ident $variant:ident;)*) => {$(
        impl<'a> From<Matrix<'a, $of>> for Operand<'a, f32> {
            fn from(matrix: Matrix<'a, $of>) -> Self {
                Operand::$variant(Stored::Strided(matrix))
            }
        }

        impl<'a> From<Walked<'a, $of>> for Operand<'a, f32> {
            fn from(walked: Walked<'a, $of>) -> Self {
                Operand::$variant(Stored::Walked(walked))
            }
        }

        impl<'a> From<Windows<'a, $of>> for Operand<'a, f32> {
            fn from(windows: Windows<'a, $of>) -> Self {
                Operand::$variant(Stored::Windows(windows))
            }
        }

        impl<'a> From<Pixels<'a, $of>> for Operand<'a, f32> {
            fn from(pixels: Pixels<'a, $of>) -> Self {
                Operand::$variant(Stored::Pixels(pixels))
            }
        }
    )*};
}
from_narrow!(bf16 Bf16; f16 F16;);

impl<'a, T> From<Computed<'a, T>> for Operand<'a, T> {
    fn from(computed: Computed<'a, T>) -> Self {
        Operand::Computed(computed)
    }
}

/// The right operand of a product.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::large_enum_variant)]
pub enum Right<'a, T> {
    /// What the product packs, if it must.
    Operand(Operand<'a, T>),
    /// What was packed before.
    Packed(Packed<'a, T>),
}

impl<'a, T, O: Into<Operand<'a, T>>> From<O> for Right<'a, T> {
    fn from(operand: O) -> Self {
        Right::Operand(operand.into())
    }
}

impl<'a, T> From<Packed<'a, T>> for Right<'a, T> {
    fn from(packed: Packed<'a, T>) -> Self {
        Right::Packed(packed)
    }
}

impl<T: Scalar> Operand<'_, T> {
    /// Panics unless every element of `[rows, cols]` lies in the data.
    pub(super) fn check(&self, name: &str, rows: usize, cols: usize) {
        by_kind!(self, |s| s.check(name, rows, cols), |c| c.check(name, [rows, cols]));
    }

    /// The operand from a row or column on.
    pub(super) fn from(self, side: Side, start: usize) -> Self {
        match self {
            Operand::Own(s) => Operand::Own(s.from(side, start)),
            Operand::Bf16(s) => Operand::Bf16(s.from(side, start)),
            Operand::F16(s) => Operand::F16(s.from(side, start)),
            Operand::Computed(c) => Operand::Computed(c.from(side, start)),
        }
    }

    /// Whether it goes from element to element along that side.
    pub(super) fn runs_along(&self, side: Side) -> bool {
        by_kind!(self, |s| s.runs_along(side), |c| c.along() == side)
    }

    /// Whether its elements are stored, under one stride a side.
    pub(super) fn is_strided(&self) -> bool {
        by_kind!(self, |s| matches!(s, Stored::Strided(_)), |_c| false)
    }

    /// Whether it is windows whose rows are packed as columns are.
    pub(super) fn is_windows(&self) -> bool {
        by_kind!(self, |s| matches!(s, Stored::Windows(_)), |_c| false)
    }

    /// Rows of `k` elements into `to`, one behind the other.
    pub(super) fn lines(&self, rows: Range<usize>, k: usize, to: &mut [T]) {
        by_kind!(
            self,
            |s| match s {
                Stored::Strided(m) => m.lines(rows, k, to),
                Stored::Walked(w) => w.lines(rows, k, to),
                Stored::Pixels(p) => p.lines(rows, k, to),
                Stored::Windows(_) => unreachable!("windows are packed"),
            },
            |c| c.rows(rows, 0, k, to)
        );
    }

    /// Rows and columns exchanged.
    pub(super) fn transposed(self) -> Self {
        match self {
            Operand::Own(s) => Operand::Own(s.transposed()),
            Operand::Bf16(s) => Operand::Bf16(s.transposed()),
            Operand::F16(s) => Operand::F16(s.transposed()),
            Operand::Computed(c) => Operand::Computed(c.transposed()),
        }
    }
}

/// A side of an operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Rows,
    Cols,
}

impl Side {
    pub(super) fn other(self) -> Side {
        match self {
            Side::Rows => Side::Cols,
            Side::Cols => Side::Rows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_goes_through_its_axes() {
        let walk = Walk::new(&[(2, 100), (3, 7), (2, 1)]);
        let all: Vec<usize> =
            (0..2).flat_map(|i| (0..3).flat_map(move |j| (0..2).map(move |k| i * 100 + j * 7 + k))).collect();
        for start in 0..all.len() {
            let mut steps = walk.from(start);
            assert!(all[start..].iter().all(|want| steps.step() == *want));
        }
        assert_eq!((walk.indices(), walk.last()), (12, 115));
    }

    #[test]
    #[should_panic(expected = "operand b needs element 115, but its data has 115")]
    fn a_walk_beyond_the_data_is_refused() {
        let (rows, cols) = (Walk::new(&[(2, 100)]), Walk::new(&[(3, 7), (2, 1)]));
        Walked { data: &[0.0f32; 115], offset: 0, rows, cols, skipped: [0, 0] }.check("b", [2, 6]);
    }
}

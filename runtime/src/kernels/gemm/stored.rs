//! Elements as they lie in memory: of the product's type, or narrow floats that are widened while they are packed.

use super::Matrix;
use super::kernel::Scalar;
use super::pixels::Pixels;
use super::walk::{Side, Walked};
use super::windows::Windows;
use crate::half::{bf16, f16};
use crate::kernels::isa::{Body, simd_run};
use crate::kernels::math::Math;
use std::ops::Range;

/// An element that is read as a `T`.
pub(super) trait Reads<T>: Copy + Send + Sync {
    /// The same number.
    fn read(self) -> T;
    /// The same numbers.
    fn several<const N: usize>(from: &[Self; N]) -> [T; N];
    /// As many as there are, one by one.
    fn copy(from: &[Self], to: &mut [T]);
}

impl<T: Scalar> Reads<T> for T {
    #[inline(always)]
    fn read(self) -> T {
        self
    }

    #[inline(always)]
    fn several<const N: usize>(from: &[T; N]) -> [T; N] {
        *from
    }

    #[inline(always)]
    fn copy(from: &[T], to: &mut [T]) {
        match to.len() {
            16..=64 => by::<T, 16>(from, to),
            8..=15 => by::<T, 8>(from, to),
            4..=7 => by::<T, 4>(from, to),
            _ => to.copy_from_slice(from),
        }
    }
}

/// `W` elements at a time, the last ones over some of those before: short runs take less than a call would.
#[inline(always)]
fn by<T: Copy, const W: usize>(from: &[T], to: &mut [T]) {
    for at in (0..to.len()).step_by(W) {
        let at = at.min(to.len() - W);
        let from: &[T; W] = from[at..].first_chunk().expect("as many as there are to write");
        *to[at..].first_chunk_mut().expect("whole steps") = *from;
    }
}

macro_rules! narrow {
    ($($t:ident)*) => {$(
        impl<T: Scalar> Reads<T> for $t {
            #[inline(always)]
            fn read(self) -> T {
                <T as Scalar>::wide(self.to_f32())
            }

            #[inline(always)]
            fn several<const N: usize>(from: &[$t; N]) -> [T; N] {
                from.map(Reads::read)
            }

            #[inline]
            fn copy(from: &[$t], to: &mut [T]) {
                simd_run(Widen { from, to });
            }
        }
    )*};
}
narrow!(bf16 f16);

struct Widen<'a, S, T> {
    from: &'a [S],
    to: &'a mut [T],
}

impl<T, S: Reads<T>> Body for Widen<'_, S, T> {
    type Output = ();
    #[inline(always)]
    fn run<M: Math>(self) {
        self.to.iter_mut().zip(self.from).for_each(|(to, x)| *to = x.read());
    }
}

/// An operand's elements, under one stride a side or several axes.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::large_enum_variant)]
pub enum Stored<'a, S> {
    /// One stride a side.
    Strided(Matrix<'a, S>),
    /// Several axes a side.
    Walked(Walked<'a, S>),
    /// Windows over images; a right operand, or the transpose as a left one.
    Windows(Windows<'a, S>),
    /// Windows over images of pixels; a left operand.
    Pixels(Pixels<'a, S>),
}

impl<'a, S> Stored<'a, S> {
    /// Panics unless every element of `[rows, cols]` lies in the data.
    pub(super) fn check(&self, name: &str, rows: usize, cols: usize) {
        match self {
            Stored::Strided(matrix) => matrix.check(name, rows, cols),
            Stored::Walked(walked) => walked.check(name, [rows, cols]),
            Stored::Windows(windows) => windows.check(name, [rows, cols]),
            Stored::Pixels(pixels) => pixels.check(name, [rows, cols]),
        }
    }

    /// The operand from a row or column on.
    pub(super) fn from(self, side: Side, start: usize) -> Self {
        match self {
            Stored::Strided(m) => {
                let (row, col) = if side == Side::Rows { (start, 0) } else { (0, start) };
                Stored::Strided(Matrix { offset: m.at(row, col), ..m })
            }
            Stored::Walked(mut w) => {
                w.skipped[side as usize] += start;
                Stored::Walked(w)
            }
            Stored::Windows(w) => Stored::Windows(w.from(side, start)),
            Stored::Pixels(p) => Stored::Pixels(p.from(side, start)),
        }
    }

    /// Whether it goes from element to element along that side.
    pub(super) fn runs_along(&self, side: Side) -> bool {
        match (self, side) {
            (Stored::Strided(m), Side::Rows) => m.row_stride == 1,
            (Stored::Strided(m), Side::Cols) => m.col_stride == 1,
            (Stored::Walked(w), Side::Rows) => w.rows.is_run(),
            (Stored::Walked(w), Side::Cols) => w.cols.is_run(),
            (Stored::Windows(_), _) => false,
            (Stored::Pixels(_), side) => side == Side::Cols,
        }
    }

    /// Rows and columns exchanged.
    pub(super) fn transposed(self) -> Self {
        match self {
            Stored::Strided(m) => Stored::Strided(m.transposed()),
            Stored::Walked(w) => {
                let [down, right] = w.skipped;
                Stored::Walked(Walked { rows: w.cols, cols: w.rows, skipped: [right, down], ..w })
            }
            Stored::Windows(_) | Stored::Pixels(_) => unreachable!("windows have a side"),
        }
    }

    /// The elements.
    pub(super) fn data(&self) -> &'a [S] {
        match self {
            Stored::Strided(m) => m.data,
            Stored::Walked(w) => w.data,
            Stored::Windows(w) => w.data,
            Stored::Pixels(p) => p.data,
        }
    }

    /// Fills `to` with the offsets of the rows (or columns) from `start` on, the operand's own offset not among them.
    pub(super) fn offsets(&self, side: Side, start: usize, to: &mut [isize]) {
        match self {
            Stored::Strided(m) => {
                let stride = if side == Side::Rows { m.row_stride } else { m.col_stride };
                to.iter_mut().enumerate().for_each(|(i, x)| *x = (start + i) as isize * stride);
            }
            Stored::Walked(w) => {
                let walk = if side == Side::Rows { &w.rows } else { &w.cols };
                let mut steps = walk.from(w.skipped[side as usize] + start);
                to.iter_mut().for_each(|x| *x = steps.step() as isize);
            }
            Stored::Windows(_) | Stored::Pixels(_) => unreachable!("windows have no offset of their own"),
        }
    }

    /// Where element `(0, 0)` is.
    pub(super) fn start(&self) -> isize {
        match self {
            Stored::Strided(m) => m.offset as isize,
            Stored::Walked(w) => w.offset as isize,
            Stored::Windows(w) => w.offset as isize,
            Stored::Pixels(p) => p.offset as isize,
        }
    }
}

impl<S> Walked<'_, S> {
    /// Rows of `k` elements into `to`, one behind the other; the columns are a run.
    pub(super) fn lines<T>(&self, rows: Range<usize>, k: usize, to: &mut [T])
    where
        S: Reads<T>,
    {
        let [down, right] = self.skipped;
        let mut steps = self.rows.from(down + rows.start);
        for line in to.chunks_exact_mut(k.max(1)).take(rows.len()) {
            S::copy(&self.data[self.offset + steps.step() + right..][..k], line);
        }
    }
}

impl<S> Matrix<'_, S> {
    /// Rows of `k` elements into `to`, one behind the other.
    pub(super) fn lines<T>(&self, rows: Range<usize>, k: usize, to: &mut [T])
    where
        S: Reads<T>,
    {
        for (row, line) in rows.zip(to.chunks_exact_mut(k.max(1))) {
            match self.col_stride {
                1 => S::copy(&self.data[self.at(row, 0)..][..k], line),
                _ => line.iter_mut().enumerate().for_each(|(p, x)| *x = self.data[self.at(row, p)].read()),
            }
        }
    }
}

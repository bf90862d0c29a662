//! Operands that are computed while they are packed: what is mapped over a matrix before the product costs no pass of
//! its own over memory.

use super::Element;
use super::kernel::Scalar;
use super::pack::{self, with_buffer};
use super::walk::Side;
use crate::kernels::isa::{Body, simd_run_at};
use crate::kernels::math::Math;
use std::fmt::{self, Debug};
use std::ops::Range;

/// An emitted operand. Mark `line` `#[inline(always)]`.
pub trait Source: Sync {
    /// Element type of the product.
    type Element: Element;
    /// The elements `at..at + to.len()` of a line.
    fn line<M: Math>(&self, line: usize, at: usize, to: &mut [Self::Element]);
}

/// Lines one after the other: what stands between the product, which is compiled once, and what is emitted.
trait Lines<T>: Sync {
    /// The elements `at..at + to.len()` of a line, compiled for the instruction set in use.
    fn fill(&self, line: usize, at: usize, to: &mut [T]);
}

impl<S: Source> Lines<S::Element> for S {
    fn fill(&self, line: usize, at: usize, to: &mut [S::Element]) {
        simd_run_at::<S, _>(Line { source: self, line, at, to });
    }
}

struct Line<'s, 't, S: Source> {
    source: &'s S,
    line: usize,
    at: usize,
    to: &'t mut [S::Element],
}

impl<S: Source> Body for Line<'_, '_, S> {
    type Output = ();
    #[inline(always)]
    fn run<M: Math>(self) {
        self.source.line::<M>(self.line, self.at, self.to);
    }
}

/// A computed operand `[rows, cols]`.
#[derive(Clone, Copy)]
pub struct Computed<'a, T> {
    source: &'a dyn Lines<T>,
    size: [usize; 2],
    /// The side that runs along a line.
    along: Side,
    /// Rows and columns passed over before element `(0, 0)`.
    skipped: [usize; 2],
}

impl<T> Debug for Computed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Computed")
            .field("size", &self.size)
            .field("along", &self.along)
            .finish_non_exhaustive()
    }
}

/// An operand `[rows, cols]` whose lines are its rows.
#[inline]
pub fn computed_rows<S: Source>(source: &S, size: [usize; 2]) -> Computed<'_, S::Element> {
    Computed { source, size, along: Side::Cols, skipped: [0, 0] }
}

/// An operand `[rows, cols]` whose lines are its columns.
#[inline]
pub fn computed_cols<S: Source>(source: &S, size: [usize; 2]) -> Computed<'_, S::Element> {
    Computed { source, size, along: Side::Rows, skipped: [0, 0] }
}

impl<T: Scalar> Computed<'_, T> {
    /// Panics unless the operand is of that size.
    pub(super) fn check(&self, name: &str, want: [usize; 2]) {
        assert_eq!(self.size, want, "gemm: operand {name} is {:?}, not {want:?}", self.size);
    }

    /// The operand from a row or column on.
    pub(super) fn from(mut self, side: Side, start: usize) -> Self {
        self.skipped[side as usize] += start;
        self.size[side as usize] -= start;
        self
    }

    /// Rows and columns exchanged.
    pub(super) fn transposed(mut self) -> Self {
        self.along = self.along.other();
        self.size.reverse();
        self.skipped.reverse();
        self
    }

    /// The side that runs along a line.
    pub(super) fn along(&self) -> Side {
        self.along
    }

    /// Rows of `to.len()` elements, from a column on: `[rows, cols]` of the operand into `to`.
    pub(super) fn rows(&self, rows: Range<usize>, col: usize, cols: usize, to: &mut [T]) {
        let [down, right] = self.skipped;
        if self.along == Side::Cols {
            for (row, to) in rows.zip(to.chunks_exact_mut(cols.max(1))) {
                self.source.fill(down + row, right + col, to);
            }
            return;
        }
        let height = rows.len();
        with_buffer(pack::LINE_OF, height, |line| {
            for j in 0..cols {
                self.source.fill(right + col + j, down + rows.start, line);
                line.iter().enumerate().for_each(|(i, x)| to[i * cols + j] = *x);
            }
        });
    }

    /// A panel of B: row `p` of the operand's columns `col..col + cols` at `to[p * width..]`.
    pub(super) fn panel(&self, col: usize, cols: usize, width: usize, to: &mut [T]) {
        let [down, right] = self.skipped;
        if self.along == Side::Cols {
            for (p, line) in to.chunks_exact_mut(width).enumerate() {
                self.source.fill(down + p, right + col, &mut line[..cols]);
            }
            return;
        }
        let mut part = [T::default(); PART];
        for (n, to) in to.chunks_mut(PART * width).enumerate() {
            let terms = to.len() / width;
            for j in 0..cols {
                self.source.fill(right + col + j, down + n * PART, &mut part[..terms]);
                to.chunks_exact_mut(width).zip(&part).for_each(|(line, x)| line[j] = *x);
            }
        }
    }

    /// Strips of A: `rows` of the operand, each strip `[k, strip]`.
    pub(super) fn strips(&self, strip: usize, rows: Range<usize>, k: usize, to: &mut [T]) {
        let [down, right] = self.skipped;
        with_buffer(pack::LINE_OF, rows.len(), |line| {
            for p in 0..k {
                self.source.fill(right + p, down + rows.start, line);
                for (s, part) in line.chunks(strip).enumerate() {
                    to[s * strip * k + p * strip..][..part.len()].copy_from_slice(part);
                }
            }
        });
    }
}

/// Elements of a line computed at a time, where lines are turned.
const PART: usize = 64;

#[cfg(test)]
mod tests {
    use super::super::{Matrix, gemm_into};
    use super::*;

    /// `2 x - 1`, zero below the mask.
    struct Mapped<'a> {
        x: &'a [f32],
        mask: &'a [u8],
        width: usize,
    }

    impl Source for Mapped<'_> {
        type Element = f32;
        #[inline(always)]
        fn line<M: Math>(&self, line: usize, at: usize, to: &mut [f32]) {
            let (x, mask) = (&self.x[line * self.width + at..], &self.mask[line * self.width + at..]);
            for j in 0..to.len() {
                to[j] = (2.0 * x[j] - 1.0) * f32::from(mask[j]);
            }
        }
    }

    fn stored(of: &Mapped) -> Vec<f32> {
        of.x.iter().zip(of.mask).map(|(x, m)| (2.0 * x - 1.0) * f32::from(*m)).collect()
    }

    fn transposed(x: &[f32], cols: usize) -> Vec<f32> {
        (0..x.len()).map(|i| x[i % (x.len() / cols) * cols + i / (x.len() / cols)]).collect()
    }

    #[test]
    fn either_operand_and_either_side_along_a_line() {
        for [m, n, k] in
            [[1, 1, 1], [3, 130, 70], [5, 7, 9], [70, 9, 130], [100, 200, 300], [2, 3, 0], [7, 5, 17_000]]
        {
            let numbers =
                |len: usize, by: usize| (0..len).map(|i| (i * by % 7) as f32 - 3.0).collect::<Vec<_>>();
            let (x, y) = (numbers(m * k, 3), numbers(k * n, 5));
            let mask = |len: usize| (0..len).map(|i| (i % 3) as u8).collect::<Vec<_>>();
            let (xm, ym) = (mask(m * k), mask(k * n));
            let a = Mapped { x: &x, mask: &xm, width: k };
            let b = Mapped { x: &y, mask: &ym, width: n };
            let (sa, sb) = (stored(&a), stored(&b));
            let mut want = vec![0.0; m * n];
            gemm_into(m, n, k, Matrix::rows(&sa, k), Matrix::rows(&sb, n), &mut want, n);
            let (tx, txm) = (
                transposed(&x, k.max(1)),
                transposed(&xm.iter().map(|m| f32::from(*m)).collect::<Vec<_>>(), k.max(1)),
            );
            let txm: Vec<u8> = txm.iter().map(|m| *m as u8).collect();
            let turned = Mapped { x: &tx, mask: &txm, width: m };
            let tb = transposed(&sb, n);
            let by_rows = Matrix::rows(&sb, n);
            let by_cols = Matrix::rows(&tb, k).transposed();
            let mut got = vec![f32::NAN; m * n];
            for b in [by_rows, by_cols] {
                for a in [computed_rows(&a, [m, k]), computed_cols(&turned, [m, k])] {
                    gemm_into(m, n, k, a, b, &mut got, n);
                    assert_eq!(got, want, "{m} {n} {k}");
                }
            }
            gemm_into(m, n, k, Matrix::rows(&sa, k), computed_rows(&b, [k, n]), &mut got, n);
            assert_eq!(got, want, "{m} {n} {k}");
            gemm_into(m, n, k, computed_rows(&a, [m, k]), computed_rows(&b, [k, n]), &mut got, n);
            assert_eq!(got, want, "{m} {n} {k}");
        }
    }

    #[test]
    #[should_panic(expected = "gemm: operand a is [2, 3], not [2, 4]")]
    fn another_size_is_refused() {
        let a = Mapped { x: &[0.0; 6], mask: &[1; 6], width: 3 };
        gemm_into(2, 1, 4, computed_rows(&a, [2, 3]), Matrix::rows(&[0.0; 4], 1), &mut [0.0; 2], 1);
    }
}

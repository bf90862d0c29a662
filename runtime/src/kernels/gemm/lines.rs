//! Products with few rows and few terms over the lines of an image, as a convolution of each channel by itself: the
//! lines are added where they are, nothing is packed.

use super::kernel::Scalar;
use super::pack::{self, with_buffer};
use super::stored::Stored;
use super::walk::{Operand, Side, Walk, Walked};
use super::{Epilogue, Tile};
use crate::kernels::isa::{Body, simd_run};
use crate::kernels::math::Math;
use crate::kernels::threads::parallel;

/// Most terms.
const TERMS: usize = 64;
/// Columns of a piece of work: their sums stay in L1.
const COLS: usize = 1024;

/// Whether a right operand of `k` terms can be read so.
pub(super) fn fits<T>(k: usize, b: &Walked<T>) -> bool {
    (1..=TERMS).contains(&k) && b.skipped == [0, 0] && b.cols.lines().2 > 0
}

/// The product for few rows, `0 < k <= TERMS`, and a `b` that fits. The operands have been checked.
pub(super) fn gemm<T: Scalar>([m, n, k]: [usize; 3], a: &Operand<T>, b: &Walked<T>, epilogue: Epilogue<T>) {
    let (lines, len, step) = b.cols.lines();
    let count = n / len;
    let group = (COLS / len).max(1);
    let mut down = [0; TERMS];
    let down = &mut down[..k];
    let operand = Stored::Walked(*b);
    operand.offsets(Side::Rows, 0, down);
    let (down, start) = (&*down, operand.start());
    with_buffer(pack::A, m * k, |factors| {
        // Strips of `m` rows: term by term.
        pack::pack_a(m, 0, m, k, a, factors);
        let factors = &*factors;
        parallel(count.div_ceil(group), 2 * m * k * group * len, &|pieces| {
            for first in pieces.map(|piece| piece * group) {
                let here = group.min(count - first);
                with_buffer(pack::SUMS, m * here * len, |sums| {
                    let data = b.data;
                    simd_run(AddLines { m, here, len, step, first, factors, data, start, down, lines, sums });
                    let (col, cols) = (first * len, here * len);
                    epilogue(Tile { row: 0, col, rows: m, cols, stride: cols, acc: sums });
                });
            }
        });
    });
}

struct AddLines<'a, T> {
    m: usize,
    /// Lines.
    here: usize,
    /// Elements of a line, and from one to the next.
    len: usize,
    step: usize,
    /// The first line.
    first: usize,
    /// A, term by term.
    factors: &'a [T],
    data: &'a [T],
    start: isize,
    /// Offsets of the terms.
    down: &'a [isize],
    /// Offsets of the lines.
    lines: Walk,
    /// `[m, here * len]`
    sums: &'a mut [T],
}

impl<T: Scalar> Body for AddLines<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<M: Math>(self) {
        match self.step {
            1 => self.all::<M, 1>(),
            2 => self.all::<M, 2>(),
            _ => self.all::<M, ANY>(),
        }
    }
}

/// A step that is known only when the program runs.
const ANY: usize = 0;

impl<T: Scalar> AddLines<'_, T> {
    #[inline(always)]
    fn all<M: Math, const STEP: usize>(self) {
        let mut offsets = self.lines.from(self.first);
        for line in 0..self.here {
            let start = self.start + offsets.step() as isize;
            for i in 0..self.m {
                let to = &mut self.sums[(i * self.here + line) * self.len..][..self.len];
                let terms = Terms {
                    factors: self.factors,
                    rows: (self.m, i),
                    data: self.data,
                    start,
                    down: self.down,
                    step: self.step,
                };
                match self.len {
                    32.. => terms.line::<M, 32, STEP>(to),
                    16.. => terms.line::<M, 16, STEP>(to),
                    8.. => terms.line::<M, 8, STEP>(to),
                    4.. => terms.line::<M, 4, STEP>(to),
                    _ => terms.line::<M, 1, STEP>(to),
                }
            }
        }
    }
}

/// The terms of one line of sums.
#[derive(Clone, Copy)]
struct Terms<'a, T> {
    factors: &'a [T],
    /// How many rows, and the line's.
    rows: (usize, usize),
    data: &'a [T],
    start: isize,
    down: &'a [isize],
    step: usize,
}

impl<T: Scalar> Terms<'_, T> {
    /// The sums of a line, `W` at a time, which stay in registers: the last ones overlap those before.
    #[inline(always)]
    fn line<M: Math, const W: usize, const STEP: usize>(self, to: &mut [T]) {
        for at in (0..to.len()).step_by(W) {
            let at = at.min(to.len() - W);
            to[at..at + W].copy_from_slice(&self.sums::<M, W, STEP>(at));
        }
    }

    /// The sums from column `at` on.
    #[inline(always)]
    fn sums<M: Math, const W: usize, const STEP: usize>(self, at: usize) -> [T; W] {
        let step = if STEP == ANY { self.step } else { STEP };
        let mut sums = [T::default(); W];
        for (p, down) in self.down.iter().enumerate() {
            let x = self.factors[p * self.rows.0 + self.rows.1];
            let from = &self.data[(self.start + down) as usize + at * step..][..(W - 1) * step + 1];
            for l in 0..W {
                sums[l] = M::mul_add(x, from[l * step], sums[l]);
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Matrix, gemm_into};
    use super::*;

    /// Lines of every length that is summed in another way, steps of every kind, several rows.
    #[test]
    fn lines_of_every_length_and_step() {
        let small = |n: usize| (0..n).map(|i| (i * 7 % 11) as f32 - 5.0).collect::<Vec<_>>();
        for len in [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 70] {
            for (step, m) in [(1, 1), (2, 1), (3, 1), (1, 2), (2, 4)] {
                let (height, width) = (4, 2 + len * step);
                let (a, b) = (small(m * 9), small((2 + height) * width));
                let walk = Walked {
                    data: &b,
                    offset: 0,
                    rows: Walk::new(&[(3, width), (3, 1)]),
                    cols: Walk::new(&[(height, width), (len, step)]),
                    skipped: [0, 0],
                };
                let n = height * len;
                let mut got = vec![f32::NAN; m * n];
                gemm_into(m, n, 9, Matrix::rows(&a, 9), walk, &mut got, n);
                for (at, got) in got.iter().enumerate() {
                    let (i, y, x) = (at / n, at % n / len, at % len * step);
                    let term = |p: usize| a[i * 9 + p] * b[(y + p / 3) * width + x + p % 3];
                    assert_eq!(*got, (0..9).map(term).sum::<f32>(), "{len} by {step}, {m} rows, at {at}");
                }
            }
        }
    }
}

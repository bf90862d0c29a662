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
        let AddLines { m, here, len, step, first, factors, data, start, down, lines, sums } = self;
        sums.fill(T::default());
        let mut offsets = lines.from(first);
        for line in 0..here {
            let start = start + offsets.step() as isize;
            for i in 0..m {
                let to = &mut sums[(i * here + line) * len..][..len];
                for (p, at) in down.iter().enumerate() {
                    let (x, from) = (factors[p * m + i], &data[(start + at) as usize..]);
                    match step {
                        1 => to.iter_mut().zip(&from[..len]).for_each(|(sum, b)| *sum += x * *b),
                        _ => to.iter_mut().zip(from.iter().step_by(step)).for_each(|(sum, b)| *sum += x * *b),
                    }
                }
            }
        }
    }
}

//! Products over very many terms whose operands both have them in lines, as the gradient of a convolution's factors: dot
//! products of lines where they are. Nothing is packed, which would cost as much as the product of so few rows and columns.

use super::kernel::{CROSS, Kernels, Scalar};
use super::pack::{self, with_buffer};
use super::stored::Stored;
use super::walk::Side;
use super::{Epilogue, Tile};
use crate::kernels::threads::parallel;
use std::ops::Range;

/// Elements of both operands that stay in L2 while all rows meet all columns. Of windows, several columns share theirs.
const NEAR: usize = 1 << 17;
/// Columns that share elements, about.
const SHARED: usize = 8;
/// Fewest terms for which adding up lanes is little beside the products.
const TERMS: usize = 1024;
/// Most lines whose offsets are looked up at a time.
const LINES: usize = 256;

/// The terms that follow each other in memory.
fn line<T: Scalar>(operand: &Stored<T>, side: Side, k: usize) -> Option<usize> {
    match (operand, side) {
        (Stored::Strided(_), _) => operand.runs_along(side).then_some(k),
        (Stored::Walked(w), _) if w.skipped != [0, 0] => None,
        (Stored::Windows(_) | Stored::Pixels(_), _) => None,
        (Stored::Walked(w), side) => {
            let (_, len, step) = if side == Side::Rows { w.rows.lines() } else { w.cols.lines() };
            (step == 1).then_some(len)
        }
    }
}

/// Terms that all rows and columns pass at a time.
fn chunk(m: usize, n: usize) -> usize {
    NEAR / (m + n / SHARED).max(1)
}

/// The length of the lines that both operands have, if the product is one for them.
pub(super) fn lines<T: Scalar>(
    kernels: &Kernels<T>,
    [m, n, k]: [usize; 3],
    a: &Stored<T>,
    b: &Stored<T>,
) -> Option<usize> {
    let walked = matches!(a, Stored::Walked(_)) || matches!(b, Stored::Walked(_));
    let (one, other) = (line(a, Side::Cols, k)?, line(b, Side::Rows, k)?);
    let len = one.min(other);
    let fits = len > 0 && one.is_multiple_of(len) && other.is_multiple_of(len);
    let wide = fits && len.is_multiple_of(kernels.lanes) && len <= chunk(m, n);
    (walked && wide && m >= CROSS[0] && k >= 2 * TERMS && chunk(m, n) >= TERMS).then_some(len)
}

/// The product over lines of `len` terms. The operands have been checked.
pub(super) fn gemm<T: Scalar>(
    kernels: Kernels<T>,
    [m, n, k]: [usize; 3],
    len: usize,
    [a, b]: [&Stored<T>; 2],
    epilogue: Epilogue<T>,
) {
    with_buffer(pack::TOTALS, m * n, |totals| {
        totals.fill(T::default());
        let cross = Cross { kernels, size: [m, n, k / len], len, a, b, totals: totals.as_mut_ptr() };
        parallel(n.div_ceil(CROSS[1]), 2 * m * k * CROSS[1], &|tiles| cross.columns(tiles));
        epilogue(Tile { row: 0, col: 0, rows: m, cols: n, stride: n, acc: totals });
    });
}

struct Cross<'a, T: 'static> {
    kernels: Kernels<T>,
    /// Rows, columns, lines.
    size: [usize; 3],
    len: usize,
    a: &'a Stored<'a, T>,
    b: &'a Stored<'a, T>,
    /// `[m, n]`
    totals: *mut T,
}

// SAFETY: a column's sums are written by the one thread that has it.
unsafe impl<T: Scalar> Sync for Cross<'_, T> {}

impl<T: Scalar> Cross<'_, T> {
    /// All terms of some tiles of columns, a chunk of lines after the other.
    fn columns(&self, tiles: Range<usize>) {
        let [m, n, lines] = self.size;
        let step = (chunk(m, n) / self.len).clamp(1, LINES);
        let mut at = [[0; 2]; LINES];
        for first in (0..lines).step_by(step) {
            let at = &mut at[..step.min(lines - first)];
            for (i, at) in at.iter_mut().enumerate() {
                let mut offset = [[0]; 2];
                self.a.offsets(Side::Cols, (first + i) * self.len, &mut offset[0]);
                self.b.offsets(Side::Rows, (first + i) * self.len, &mut offset[1]);
                *at = [offset[0][0], offset[1][0]];
            }
            for col in tiles.clone().map(|tile| tile * CROSS[1]) {
                let b = self.starts(self.b, Side::Cols, col, n);
                for row in (0..m).step_by(CROSS[0]) {
                    self.tile(row, self.starts(self.a, Side::Rows, row, m), col, b, at);
                }
            }
        }
    }

    /// Where some rows or columns begin; past the last one, the last one again.
    fn starts<const N: usize>(&self, of: &Stored<T>, side: Side, first: usize, all: usize) -> [*const T; N] {
        let mut offsets = [0; N];
        let here = N.min(all - first);
        of.offsets(side, first, &mut offsets[..here]);
        let from = of.data().as_ptr().wrapping_offset(of.start());
        std::array::from_fn(|i| from.wrapping_offset(offsets[i.min(here - 1)]))
    }

    /// Adds the terms of some lines to the sums of a tile.
    fn tile(
        &self,
        row: usize,
        a: [*const T; CROSS[0]],
        col: usize,
        b: [*const T; CROSS[1]],
        at: &[[isize; 2]],
    ) {
        let [m, n, _] = self.size;
        // SAFETY: `Kernels::of` gave functions that the processor can run; the operands were checked to hold all rows
        // and columns at all lines, `len` elements each.
        let sums = unsafe { (self.kernels.cross)(self.len, at, a, b) };
        for (i, sums) in sums.iter().enumerate().take(m - row) {
            for (j, sum) in sums.iter().enumerate().take(n - col) {
                // SAFETY: row and column are of `[m, n]`, which the totals hold, and the column is this thread's.
                unsafe { *self.totals.add((row + i) * n + col + j) += *sum };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::walk::Walk;
    use super::super::{Walked, gemm_into};

    /// Gradients of a convolution's factors: `Σ g[image, o, y, x] d[image, i, y + r, x + s]`.
    #[test]
    fn gradients_of_factors() {
        let small = |n: usize| (0..n).map(|i| (i * 7 % 11) as f32 - 5.0).collect::<Vec<_>>();
        for [images, m, channels, height, width] in
            [[5, 6, 3, 16, 32], [9, 4, 1, 15, 16], [3, 16, 16, 32, 32], [20, 7, 5, 8, 16], [9, 5, 2, 30, 8]]
        {
            let (line, plane, pixels) = (width + 2, (height + 2) * (width + 2), height * width);
            let (g, d) = (small(images * m * pixels), small(images * channels * plane));
            let a = Walked {
                data: &g,
                offset: 0,
                rows: Walk::new(&[(m, pixels)]),
                cols: Walk::new(&[(images, m * pixels), (pixels, 1)]),
                skipped: [0, 0],
            };
            let b = Walked {
                data: &d,
                offset: 0,
                rows: Walk::new(&[(images, channels * plane), (height, line), (width, 1)]),
                cols: Walk::new(&[(channels, plane), (3, line), (3, 1)]),
                skipped: [0, 0],
            };
            let (n, k) = (9 * channels, images * pixels);
            let mut got = vec![f32::NAN; m * n];
            gemm_into(m, n, k, a, b, &mut got, n);
            for o in 0..m {
                for j in 0..n {
                    let (i, r, s) = (j / 9, j % 9 / 3, j % 3);
                    let term = |p: usize| {
                        let (image, y, x) = (p / pixels, p % pixels / width, p % width);
                        let pixel = d[(image * channels + i) * plane + (y + r) * line + x + s];
                        g[(image * m + o) * pixels + p % pixels] * pixel
                    };
                    // Whole numbers: any order gives the same.
                    assert_eq!(
                        got[o * n + j],
                        (0..k).map(term).sum::<f32>(),
                        "{images} {m} {channels} at {o} {j}"
                    );
                }
            }
        }
    }
}

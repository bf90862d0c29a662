//! What several threads multiply by at once: as many panels each, or all strips of a left side that each would pack again.

use super::Matrix;
use super::kernel::Scalar;
use super::pack::{self, pack_a, with_buffer};
use super::stored::Stored;
use super::sweep::{BLOCK, NEAR, Task};
use super::walk::{Operand, Side};
use crate::kernels::threads::{parallel, threads_for};

/// Elements of a left side that is packed whole, at most: the strips of a block stay in L2.
const WHOLE: usize = 4 * BLOCK;

/// Memory of which threads write parts of their own.
pub(super) struct Parts<T>(pub *mut T);

// SAFETY: the parts are disjoint, which is for those who write to them to see to.
unsafe impl<T: Send> Sync for Parts<T> {}

impl<T> Parts<T> {
    pub fn at(&self, at: usize) -> *mut T {
        self.0.wrapping_add(at)
    }
}

impl<T: Scalar> Task<'_, T> {
    fn threads(&self) -> usize {
        let [m, n, k] = self.size;
        threads_for(usize::MAX, (2 * m * k).saturating_mul(n))
    }

    /// The right side if its panels are packed on the way.
    pub(super) fn fills<'b>(&self, b: &Operand<'b, T>) -> Option<Matrix<'b, T>> {
        match b {
            Operand::Own(Stored::Strided(b)) if b.col_stride == 1 => {
                Some(*b).filter(|_| self.kernels.fill.is_some() && self.size[0] >= self.kernels.rows)
            }
            _ => None,
        }
    }

    /// Whether there are panels enough that each thread packs its own, for rows that are read where they are.
    pub(super) fn is_wide(&self) -> bool {
        let [_, n, _] = self.size;
        let in_place = matches!(&self.a, Operand::Own(Stored::Strided(a)) if a.col_stride == 1);
        in_place && n.div_ceil(self.kernels.cols()) >= 4 * self.threads()
    }

    /// Whether threads may have as many panels each, which they pack and multiply by at once, of sides that are all near.
    pub(super) fn is_even(&self) -> bool {
        let [m, n, k] = self.size;
        let in_place = matches!(&self.a, Operand::Own(Stored::Strided(a)) if a.col_stride == 1);
        let threads = self.threads();
        let near = m * k <= BLOCK && k * n <= NEAR;
        in_place && near && threads > 1 && n.is_multiple_of(self.kernels.cols() * threads)
    }

    /// Whether blocks of rows are so few that several groups of panels meet each, for each of which it would be packed.
    pub(super) fn packs_again(&self) -> bool {
        let [m, _, k] = self.size;
        let in_place = matches!(&self.a, Operand::Own(Stored::Strided(a)) if a.col_stride == 1 || k <= 1);
        let (threads, block) = (self.threads(), self.kernels.rows * self.most_strips());
        !in_place
            && !self.a.runs_along(Side::Cols)
            && threads > 1
            && m * k <= WHOLE
            && m < 4 * threads * block
    }

    /// Calls `f` with the same product whose left side is packed.
    pub(super) fn with_strips(&self, f: impl FnOnce(&Task<T>)) {
        let ([m, _, k], strip) = (self.size, self.kernels.rows);
        let all = m.div_ceil(strip);
        with_buffer(pack::STRIPS, all * strip * k, |strips| {
            let parts = Parts(strips.as_mut_ptr());
            let pieces = self.threads().min(all);
            // A copied element costs about as much as 8 operations.
            parallel(pieces, 8 * m * k / pieces, &|range| {
                let [first, end] = [range.start, range.end].map(|piece| piece * all / pieces);
                // SAFETY: pieces are disjoint ranges of the strips that there are, and each is taken by one thread.
                let to = unsafe {
                    std::slice::from_raw_parts_mut(parts.at(first * strip * k), (end - first) * strip * k)
                };
                let rows = (end * strip).min(m) - first * strip;
                pack_a(strip, first * strip, rows, k, &self.a, to);
            });
            f(&Task { strips: Some(strips), ..*self });
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Matrix, gemm_into};
    use crate::kernels::threads::{set_threads, threads};

    /// Whole numbers, so that sums are exact in any order.
    fn numbers(n: usize) -> Vec<f32> {
        (0..n).map(|i| (i * 37 % 11) as f32 - 5.0).collect()
    }

    #[test]
    fn products_that_threads_share_by_panels_and_strips() {
        let before = threads();
        let sizes = [[6, 512, 400], [97, 130, 300], [100, 70, 700], [192, 64, 512], [200, 333, 129]];
        let even = [[128, 128, 128], [33, 128, 130], [129, 256, 70], [16, 512, 128]];
        for [m, n, k] in sizes.into_iter().chain(even) {
            let (lines, b) = (numbers(m * k), numbers(k * n));
            let sum = |i: usize, j: usize, turned: bool| -> f32 {
                let a = |p: usize| if turned { lines[p * m + i] } else { lines[i * k + p] };
                (0..k).map(|p| a(p) * b[p * n + j]).sum()
            };
            for threads in [1, 2, 3] {
                set_threads(threads);
                for turned in [false, true] {
                    let a =
                        if turned { Matrix::rows(&lines, m).transposed() } else { Matrix::rows(&lines, k) };
                    let mut c = vec![f32::NAN; m * n];
                    gemm_into(m, n, k, a, Matrix::rows(&b, n), &mut c, n);
                    for i in [0, 1, m / 2, m - 1] {
                        for j in 0..n {
                            assert_eq!(
                                c[i * n + j],
                                sum(i, j, turned),
                                "{m} {n} {k} {threads} {turned} {i} {j}"
                            );
                        }
                    }
                }
            }
        }
        set_threads(before);
    }
}

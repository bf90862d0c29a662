//! The product with an emitted epilogue: each line of a finished tile goes, with its part of every result, through
//! a function of the user's graph.

use super::{Element, Operand, Right, Tile, gemm};
use crate::kernels::isa::{Body, simd_run_at};
use crate::kernels::math::Math;

/// An emitted epilogue. Mark `line` `#[inline(always)]`.
pub trait Finish: Sync {
    /// Element type of the product.
    type Acc: Element;
    /// Where it writes: pairs of [`Plane`]s.
    type Out<'o>: Planes;
    /// Maps the product's elements `(row, col..col + acc.len())` to those of the results.
    fn line<M: Math>(
        &self,
        row: usize,
        col: usize,
        acc: &[Self::Acc],
        out: <Self::Out<'_> as Planes>::Lines<'_>,
    );
}

/// Several results, as pairs `(first, (second, … ()))`.
pub trait Planes: Sync {
    /// A part of a row of each.
    type Lines<'l>
    where
        Self: 'l;

    /// Panics unless each holds `[m, n]`.
    fn check(&self, m: usize, n: usize);

    /// The elements `(row, col..col + len)` of each.
    ///
    /// # Safety
    /// They must lie in what was checked, and no other lines that hold them may be alive.
    unsafe fn lines(&self, row: usize, col: usize, len: usize) -> Self::Lines<'_>;
}

impl Planes for () {
    type Lines<'l> = ();
    fn check(&self, _: usize, _: usize) {}
    unsafe fn lines(&self, _: usize, _: usize, _: usize) {}
}

/// A result of rows that are some distance apart.
#[derive(Debug)]
pub struct Plane<'o, T> {
    data: *mut T,
    len: usize,
    stride: usize,
    owner: std::marker::PhantomData<&'o mut [T]>,
}

// SAFETY: as `&mut [T]` shared by threads that take disjoint lines: `lines` is unsafe and asks for that.
unsafe impl<T: Send> Sync for Plane<'_, T> {}

/// A result whose row `i` starts at `i * stride`.
#[inline]
pub fn plane<T>(data: &mut [T], stride: usize) -> Plane<'_, T> {
    Plane { data: data.as_mut_ptr(), len: data.len(), stride, owner: std::marker::PhantomData }
}

impl<T: Send, R: Planes> Planes for (Plane<'_, T>, R) {
    type Lines<'l>
        = (&'l mut [T], R::Lines<'l>)
    where
        Self: 'l;

    fn check(&self, m: usize, n: usize) {
        let Plane { len, stride, .. } = self.0;
        assert!(m <= 1 || stride >= n, "gemm: rows of {n} elements overlap with row stride {stride}");
        let need = (m - 1) * stride + n;
        assert!(need <= len, "gemm: a result [{m}, {n}] needs {need} elements, but there are {len}");
        self.1.check(m, n);
    }

    #[inline(always)]
    unsafe fn lines(&self, row: usize, col: usize, len: usize) -> Self::Lines<'_> {
        // SAFETY: `check` has placed row and column in the data, which this plane borrows mutably; the caller takes
        // no element twice.
        unsafe {
            let line = std::slice::from_raw_parts_mut(self.0.data.add(row * self.0.stride + col), len);
            (line, self.1.lines(row, col, len))
        }
    }
}

struct Finished<'f, 't, F: Finish, P> {
    finish: &'f F,
    out: &'f P,
    /// Not copied: its fields have just been written, and wider reads would wait for them.
    tile: &'f Tile<'t, F::Acc>,
}

impl<'o, F: Finish> Body for Finished<'_, '_, F, F::Out<'o>> {
    type Output = ();
    #[inline(always)]
    fn run<M: Math>(self) {
        let Tile { row, col, rows, .. } = *self.tile;
        for i in 0..rows {
            let acc = self.tile.line(i);
            // SAFETY: the tile lies in `[m, n]`, which the planes were checked to hold, and `gemm` hands out each
            // element once; the lines end before the next ones are taken.
            let lines = unsafe { self.out.lines(row + i, col, acc.len()) };
            self.finish.line::<M>(row + i, col, acc, lines);
        }
    }
}

/// The product of `a: [m, k]` and `b: [k, n]`, each line through `finish` into the results.
///
/// # Panics
/// If an operand or a result doesn't hold all its elements, or rows of a result overlap.
pub fn gemm_finish<'a, F: Finish>(
    [m, n, k]: [usize; 3],
    a: impl Into<Operand<'a, F::Acc>>,
    b: impl Into<Right<'a, F::Acc>>,
    finish: &F,
    out: &F::Out<'_>,
) {
    if m == 0 || n == 0 {
        return;
    }
    out.check(m, n);
    gemm(m, n, k, a, b, &|tile| finished(finish, out, &tile));
}

/// A tile through `finish` into the results, which have been checked to hold it.
#[inline(always)]
pub(super) fn finished<F: Finish>(finish: &F, out: &F::Out<'_>, tile: &Tile<F::Acc>) {
    simd_run_at::<F, _>(Finished { finish, out, tile });
}

#[cfg(test)]
mod tests {
    use super::super::Matrix;
    use super::*;

    struct Bias<'a>(&'a [f32]);

    impl Finish for Bias<'_> {
        type Acc = f32;
        type Out<'o> = (Plane<'o, f32>, (Plane<'o, u8>, ()));
        #[inline(always)]
        fn line<M: Math>(
            &self,
            _: usize,
            col: usize,
            acc: &[f32],
            (y, (mask, ())): (&mut [f32], (&mut [u8], ())),
        ) {
            let bias = &self.0[col..][..acc.len()];
            for j in 0..acc.len() {
                y[j] = (acc[j] + bias[j]).max(0.0);
                mask[j] = u8::from(acc[j] + bias[j] > 0.0);
            }
        }
    }

    #[test]
    fn two_results_of_one_product() {
        for (m, n, k) in [(1, 1, 1), (3, 5, 2), (33, 70, 17), (130, 257, 40), (0, 3, 2), (3, 4, 0)] {
            let a: Vec<f32> = (0..m * k).map(|i| (i % 7) as f32 - 3.0).collect();
            let b: Vec<f32> = (0..k * n).map(|i| (i % 5) as f32 - 2.0).collect();
            let bias: Vec<f32> = (0..n).map(|i| i as f32 % 3.0 - 1.0).collect();
            let (mut y, mut mask) = (vec![f32::NAN; m * n], vec![9; m * n]);
            let (left, right) = (Matrix::rows(&a, k), Matrix::rows(&b, n));
            gemm_finish([m, n, k], left, right, &Bias(&bias), &(plane(&mut y, n), (plane(&mut mask, n), ())));
            for i in 0..m {
                for j in 0..n {
                    let sum: f32 = (0..k).map(|l| a[i * k + l] * b[l * n + j]).sum::<f32>() + bias[j];
                    assert_eq!(y[i * n + j], sum.max(0.0));
                    assert_eq!(mask[i * n + j], u8::from(sum > 0.0));
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "needs 12 elements, but there are 11")]
    fn a_short_result_is_refused() {
        let (a, b, mut y) = ([0.0f32; 6], [0.0f32; 8], [0.0f32; 11]);
        let mut mask = [0u8; 12];
        let out = (plane(&mut y, 4), (plane(&mut mask, 4), ()));
        gemm_finish([3, 4, 2], Matrix::rows(&a, 2), Matrix::rows(&b, 4), &Bias(&[0.0; 4]), &out);
    }
}

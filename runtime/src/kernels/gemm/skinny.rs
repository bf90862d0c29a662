//! Products with few rows: bound by reading B, so B is read once, where it is.
//!
//! B contiguous along k: dot products. B contiguous along n: a few rows of B at a time are added to the sums.

use super::kernel::{DOTS, Dots, Kernels, Scalar};
use super::pack::{self, with_buffer};
use super::stored::{Reads, Stored};
use super::walk::Operand;
use super::{Epilogue, Matrix, Tile};
use crate::kernels::isa::{Body, simd_run};
use crate::kernels::math::Math;
use crate::kernels::threads::{parallel, threads_for};

/// Up to so many rows B isn't packed.
pub(super) const FEW_ROWS: usize = 4;
/// Rows of B added at a time.
const STEP: usize = 4;
/// Operations that take as long as loading an element of B from beyond L2.
pub(super) const LOAD: usize = 8;
/// Columns of a piece of work: their sums stay in L1.
const COLS: usize = 1024;
/// Columns are shared out by so many.
const COLS_STEP: usize = 64;

/// The product for `m <= FEW_ROWS`, `k > 0` and a strided `b` with a stride of 1. The operands have been checked.
pub(super) fn gemm<T: Scalar>(
    kernels: Kernels<T>,
    [m, n, k]: [usize; 3],
    a: Operand<T>,
    b: Operand<T>,
    epilogue: Epilogue<T>,
) {
    with_buffer(pack::A, m * k, |lines| {
        a.lines(0..m, k, lines);
        let lines = &*lines;
        match b {
            Operand::Own(Stored::Strided(b)) => pieces([m, n, k], lines, b, kernels.dots, epilogue),
            Operand::Bf16(Stored::Strided(b)) => pieces([m, n, k], lines, b, kernels.narrow_dots.0, epilogue),
            Operand::F16(Stored::Strided(b)) => pieces([m, n, k], lines, b, kernels.narrow_dots.1, epilogue),
            _ => unreachable!("the operand is strided"),
        }
    });
}

/// Pieces of columns over threads. The processor can run `of`, which is of the kernels of the instruction set.
fn pieces<T: Scalar, S: Reads<T>>(
    [m, n, k]: [usize; 3],
    lines: &[T],
    b: Matrix<S>,
    of: Dots<T, S>,
    epilogue: Epilogue<T>,
) {
    let cost = (2 * m * k).max(LOAD * k);
    let threads = threads_for(n, cost);
    let piece =
        if threads == 1 { COLS } else { n.div_ceil(4 * threads).next_multiple_of(COLS_STEP).min(COLS) };
    parallel(n.div_ceil(piece), cost * piece.min(n), &|pieces| {
        for col in pieces.map(|piece_at| piece_at * piece) {
            let cols = piece.min(n - col);
            with_buffer(pack::SUMS, m * cols, |sums| {
                if b.col_stride == 1 {
                    simd_run(AddRows((k, cols, lines, b, col, &mut *sums)));
                } else {
                    dots((k, cols, lines, b, col, &mut *sums), of);
                }
                epilogue(Tile { row: 0, col, rows: m, cols, stride: cols, acc: sums });
            });
        }
    });
}

/// `k`, columns, A by rows, B, the first column, and the sums by rows.
type Args<'a, T, S> = (usize, usize, &'a [T], Matrix<'a, S>, usize, &'a mut [T]);

struct AddRows<'a, T, S>(Args<'a, T, S>);

impl<T: Scalar, S: Reads<T>> Body for AddRows<'_, T, S> {
    type Output = ();
    #[inline(always)]
    fn run<M: Math>(self) {
        add_rows(self.0);
    }
}

/// `sums[i, j] = Σ_p a[i, p] b[p, col + j]`, `STEP` rows of B at a time.
#[inline(always)]
fn add_rows<T: Scalar, S: Reads<T>>((k, cols, a, b, col, sums): Args<T, S>) {
    sums.fill(T::default());
    let whole = k - k % STEP;
    for p in (0..whole).step_by(STEP) {
        let lines: [&[S]; STEP] = std::array::from_fn(|s| &b.data[b.at(p + s, col)..][..cols]);
        for (i, sums) in sums.chunks_exact_mut(cols).enumerate() {
            let [a0, a1, a2, a3]: [T; STEP] = std::array::from_fn(|s| a[i * k + p + s]);
            let [b0, b1, b2, b3] = lines;
            let pairs = sums.iter_mut().zip(b0).zip(b1).zip(b2).zip(b3);
            for ((((sum, b0), b1), b2), b3) in pairs {
                *sum += (a0 * b0.read() + a1 * b1.read()) + (a2 * b2.read() + a3 * b3.read());
            }
        }
    }
    for p in whole..k {
        let line = &b.data[b.at(p, col)..][..cols];
        for (i, sums) in sums.chunks_exact_mut(cols).enumerate() {
            let a = a[i * k + p];
            sums.iter_mut().zip(line).for_each(|(sum, b)| *sum += a * b.read());
        }
    }
}

/// `sums[i, j] = Σ_p a[i, p] b[p, col + j]`, `DOTS` dot products at a time, so that A is loaded once for all of them and
/// several streams of B are under way.
fn dots<T: Scalar, S: Reads<T>>((k, cols, a, b, col, sums): Args<T, S>, of: Dots<T, S>) {
    for j in (0..cols).step_by(DOTS) {
        // Past the last column the last one is computed again.
        let lines: [&[S]; DOTS] =
            std::array::from_fn(|c| &b.data[b.at(0, col + (j + c).min(cols - 1))..][..k]);
        for (i, a) in a.chunks_exact(k).enumerate() {
            // SAFETY: `Kernels::of` gave functions that the processor can run; `a` and each line have `k` elements.
            let dots = unsafe { of(k, a.as_ptr(), lines.map(<[S]>::as_ptr)) };
            let out = &mut sums[i * cols + j..];
            match out.first_chunk_mut() {
                // A copy of a length that isn't known would be a call.
                Some(out) if j + DOTS <= cols => *out = dots,
                _ => last(&mut out[..cols - j], &dots),
            }
        }
    }
}

/// The sums of the last columns, which are fewer than `DOTS`.
#[cold]
#[inline(never)]
fn last<T: Copy>(out: &mut [T], dots: &[T]) {
    out.copy_from_slice(&dots[..out.len()]);
}

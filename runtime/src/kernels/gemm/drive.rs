//! The choice among the ways to multiply: by the operands' sizes and by how they lie.

use super::kernel::{Kernels, Scalar};
use super::pack::{self, Packed, pack_panels, packed_len, with_buffer};
use super::skinny::{self, FEW_ROWS};
use super::stored::Stored;
use super::strips::Parts;
use super::sweep::{Panels, Task};
use super::walk::{Operand, Side};
use super::{Out, Tile};
use super::{channels, cross, depthwise, lines};
use crate::kernels::threads::parallel;

/// Terms packed at a time, at most: 2 MB of a panel of 32 floats.
const MANY_TERMS: usize = 1 << 14;
/// Terms from which on exchanging rows and columns of the sums takes little beside summing.
const MANY_LINES: usize = 128;
/// Up to so many elements, B stays in L1 and is read where it is.
const DIRECT: usize = 1 << 13;

/// See [`super::gemm`].
pub(super) fn gemm<T: Scalar>(
    kernels: Kernels<T>,
    [m, n, k]: [usize; 3],
    a: Operand<T>,
    b: Operand<T>,
    out: Out<T>,
) {
    let turned = a.is_windows();
    if turned {
        a.check("a", k, m)
    } else {
        a.check("a", m, k)
    }
    b.check("b", k, n);
    if m == 0 || n == 0 {
        return;
    }
    if turned {
        // Windows are packed as columns: the product's transpose.
        return Task { turned: true, ..Task::new(kernels, [n, m, k], b.transposed(), out) }.packed(&a);
    }
    if let Operand::Own(Stored::Pixels(a)) = &a
        && a.own
    {
        return with_buffer(pack::B, packed_len(&kernels, k, n), |panels| {
            pack_panels(&kernels, k, 0, n, &b, panels);
            depthwise::gemm(&kernels, [m, n, k], a, panels, out.epilogue);
        });
    }
    if let (Operand::Own(a), Operand::Own(b)) = (&a, &b)
        && let Some(len) = cross::lines(&kernels, [m, n, k], a, b)
    {
        return cross::gemm(kernels, [m, n, k], len, [a, b], out.epilogue);
    }
    if k > MANY_TERMS {
        return in_parts(kernels, [m, n, k], a, b, out);
    }
    product(kernels, [m, n, k], a, b, out);
}

/// A sum of so many terms that packing all of them would fill memory: part by part, into sums of the whole product.
fn in_parts<T: Scalar>(
    kernels: Kernels<T>,
    [m, n, k]: [usize; 3],
    a: Operand<T>,
    b: Operand<T>,
    out: Out<T>,
) {
    with_buffer(pack::TOTALS, m * n, |totals| {
        totals.fill(T::default());
        let shared = Parts(totals.as_mut_ptr());
        for done in (0..k).step_by(MANY_TERMS) {
            let (a, b) = (a.from(Side::Cols, done), b.from(Side::Rows, done));
            let size = [m, n, MANY_TERMS.min(k - done)];
            let add = |tile: Tile<T>| {
                for i in 0..tile.rows {
                    let at = (tile.row + i) * n + tile.col;
                    // SAFETY: a tile lies in `[m, n]`, and each element is in one tile, so in one thread's hands.
                    let sums = unsafe { std::slice::from_raw_parts_mut(shared.at(at), tile.cols) };
                    sums.iter_mut().zip(tile.line(i)).for_each(|(sum, x)| *sum += *x);
                }
            };
            product(kernels, size, a, b, Out::tiles(&add));
        }
        let totals = &*totals;
        parallel(m, 8 * n, &|rows| {
            let (row, acc) = (rows.start, &totals[rows.start * n..rows.end * n]);
            (out.epilogue)(Tile { row, col: 0, rows: rows.len(), cols: n, stride: n, acc });
        });
    });
}

fn product<T: Scalar>(kernels: Kernels<T>, [m, n, k]: [usize; 3], a: Operand<T>, b: Operand<T>, out: Out<T>) {
    if b.is_strided() && (a.is_strided() || matches!(a, Operand::Computed(_))) {
        return strided(kernels, [m, n, k], a, b, out);
    }
    if let Operand::Own(Stored::Windows(b)) = &b
        && channels::fits(m, k, b)
    {
        return channels::gemm([m, n, k], &a, b, out.epilogue);
    }
    if let Operand::Own(Stored::Walked(b)) = &b
        && !matches!(a, Operand::Computed(_) | Operand::Own(Stored::Pixels(_)))
        && m <= FEW_ROWS
        && lines::fits(k, b)
    {
        return lines::gemm([m, n, k], &a, b, out.epilogue);
    }
    multiply(kernels, [m, n, k], a, b, out);
}

/// The product with its right side packed, or, where both sides lie in lines of their terms and the right one is much
/// smaller, the transposed product: a left side is packed in strips, a right side in lines as good as for nothing.
fn multiply<T: Scalar>(
    kernels: Kernels<T>,
    [m, n, k]: [usize; 3],
    a: Operand<T>,
    b: Operand<T>,
    out: Out<T>,
) {
    let left = matches!(&a, Operand::Own(Stored::Strided(a)) if a.row_stride == 1 && a.col_stride != 1);
    let right =
        matches!(&b, Operand::Own(Stored::Strided(_) | Stored::Walked(_))) && b.runs_along(Side::Cols);
    if left && right && n > FEW_ROWS && m >= 2 * n && k >= MANY_LINES {
        let task = Task { turned: true, ..Task::new(kernels, [n, m, k], b.transposed(), out) };
        return task.packed(&a.transposed());
    }
    Task::new(kernels, [m, n, k], a, out).packed(&b);
}

fn strided<T: Scalar>(kernels: Kernels<T>, [m, n, k]: [usize; 3], a: Operand<T>, b: Operand<T>, out: Out<T>) {
    let [down, right] = [Side::Rows, Side::Cols].map(|side| b.runs_along(side));
    if m <= FEW_ROWS && k > 0 && (down || right) {
        return skinny::gemm(kernels, [m, n, k], a, b, out.epilogue);
    }
    if down && !right && a.runs_along(Side::Cols) && m <= n / 2 {
        // Both run along k, as in `x Wᵀ`: the smaller one is packed, which turns it, the other read where it is.
        let task = Task { turned: true, ..Task::new(kernels, [n, m, k], b.transposed(), out) };
        return task.packed(&a.transposed());
    }
    let task = Task::new(kernels, [m, n, k], a, out);
    if let Operand::Own(Stored::Strided(b)) = b
        && b.col_stride == 1
        && n.is_multiple_of(kernels.lanes)
        && k * n <= DIRECT
    {
        let first = b.data.as_ptr().wrapping_add(b.offset);
        return task.run(
            0,
            0,
            n,
            Panels { first, panel: kernels.cols(), row: Some(b.row_stride), raw: None },
        );
    }
    multiply(kernels, [m, n, k], a, b, out);
}

/// See [`super::gemm`], with a `b` that was packed before.
pub(super) fn gemm_packed<T: Scalar>(
    kernels: Kernels<T>,
    [m, n, k]: [usize; 3],
    a: Operand<T>,
    b: Packed<T>,
    out: Out<T>,
) {
    a.check("a", m, k);
    assert_eq!(b.size, [k, n], "gemm: the packed operand is {:?}, not [{k}, {n}]", b.size);
    if m == 0 || n == 0 {
        return;
    }
    let panels = b.panels(&kernels);
    if let Operand::Own(Stored::Pixels(a)) = &a
        && a.own
    {
        return depthwise::gemm(&kernels, [m, n, k], a, panels, out.epilogue);
    }
    let first = panels.as_ptr();
    let panels = Panels { first, panel: kernels.cols() * k, row: None, raw: None };
    Task::new(kernels, [m, n, k], a, out).run(0, 0, n, panels);
}

//! The loops around the micro-kernels, and the choice between packing and not.
//!
//! A block of rows stays in L2 while the panels of B pass; of a panel, a range of k while the block's strips pass.

use super::kernel::{Call, Kernels, Scalar};
use super::pack::{self, Packed, pack_a, pack_panels, packed_len, with_buffer};
use super::skinny::{self, FEW_ROWS, LOAD};
use super::stored::Stored;
use super::walk::{Operand, Side};
use super::{Epilogue, Matrix, Tile};
use super::{channels, cross, lines};
use crate::kernels::threads::{parallel, threads_for};
use std::ops::Range;

/// Terms summed in one call of a kernel: a range of a panel is in L1 or near.
const TERMS: usize = 256;
/// Rows of a block, in strips.
const STRIPS: usize = 16;
/// Elements of B packed at a time: they stay in L3.
const PACKED: usize = 1 << 21;
/// Terms packed at a time, at most: 2 MB of a panel of 32 floats.
const MANY_TERMS: usize = 1 << 14;
/// Up to so many elements, all of packed B stays in the L2 of each thread.
const NEAR: usize = 1 << 17;
/// Up to so many elements, B stays in L2 and is read where it is.
const DIRECT: usize = 1 << 15;

/// See [`super::gemm`].
pub(super) fn gemm<T: Scalar>(
    kernels: Kernels<T>,
    [m, n, k]: [usize; 3],
    a: Operand<T>,
    b: Operand<T>,
    epilogue: Epilogue<T>,
) {
    a.check("a", m, k);
    b.check("b", k, n);
    if m == 0 || n == 0 {
        return;
    }
    if let (Operand::Own(a), Operand::Own(b)) = (&a, &b)
        && let Some(len) = cross::lines(&kernels, [m, n, k], a, b)
    {
        return cross::gemm(kernels, [m, n, k], len, [a, b], epilogue);
    }
    if k > MANY_TERMS {
        return in_parts(kernels, [m, n, k], a, b, epilogue);
    }
    product(kernels, [m, n, k], a, b, epilogue);
}

/// A sum of so many terms that packing all of them would fill memory: part by part, into sums of the whole product.
fn in_parts<T: Scalar>(
    kernels: Kernels<T>,
    [m, n, k]: [usize; 3],
    a: Operand<T>,
    b: Operand<T>,
    epilogue: Epilogue<T>,
) {
    with_buffer(pack::TOTALS, m * n, |totals| {
        totals.fill(T::default());
        let shared = Totals(totals.as_mut_ptr());
        for done in (0..k).step_by(MANY_TERMS) {
            let (a, b) = (a.from(Side::Cols, done), b.from(Side::Rows, done));
            product(kernels, [m, n, MANY_TERMS.min(k - done)], a, b, &|tile| {
                for i in 0..tile.rows {
                    let at = (tile.row + i) * n + tile.col;
                    // SAFETY: a tile lies in `[m, n]`, and each element is in one tile, so in one thread's hands.
                    let sums = unsafe { std::slice::from_raw_parts_mut(shared.at(at), tile.cols) };
                    sums.iter_mut().zip(tile.line(i)).for_each(|(sum, x)| *sum += *x);
                }
            });
        }
        let totals = &*totals;
        parallel(m, 8 * n, &|rows| {
            let (row, acc) = (rows.start, &totals[rows.start * n..rows.end * n]);
            epilogue(Tile { row, col: 0, rows: rows.len(), cols: n, stride: n, acc });
        });
    });
}

/// The sums of a whole product, of which threads write disjoint elements.
struct Totals<T>(*mut T);

impl<T> Totals<T> {
    fn at(&self, at: usize) -> *mut T {
        self.0.wrapping_add(at)
    }
}

// SAFETY: the elements that threads write are disjoint, which is for those who use the pointer to see to.
unsafe impl<T: Send> Sync for Totals<T> {}

fn product<T: Scalar>(
    kernels: Kernels<T>,
    [m, n, k]: [usize; 3],
    a: Operand<T>,
    b: Operand<T>,
    epilogue: Epilogue<T>,
) {
    if b.is_strided() && (a.is_strided() || matches!(a, Operand::Computed(_))) {
        return strided(kernels, [m, n, k], a, b, epilogue);
    }
    if let Operand::Own(Stored::Windows(b)) = &b
        && channels::fits(m, k, b)
    {
        return channels::gemm([m, n, k], &a, b, epilogue);
    }
    if let Operand::Own(Stored::Walked(b)) = &b
        && !matches!(a, Operand::Computed(_))
        && m <= FEW_ROWS
        && lines::fits(k, b)
    {
        return lines::gemm([m, n, k], &a, b, epilogue);
    }
    Task { kernels, size: [m, n, k], a, epilogue, turned: false }.packed(&b);
}

fn strided<T: Scalar>(
    kernels: Kernels<T>,
    [m, n, k]: [usize; 3],
    a: Operand<T>,
    b: Operand<T>,
    epilogue: Epilogue<T>,
) {
    let [down, right] = [Side::Rows, Side::Cols].map(|side| b.runs_along(side));
    if m <= FEW_ROWS && k > 0 && (down || right) {
        return skinny::gemm(kernels, [m, n, k], a, b, epilogue);
    }
    if down && !right && a.runs_along(Side::Cols) && m <= n / 2 {
        // Both run along k, as in `x Wᵀ`: the smaller one is packed, which turns it, the other read where it is.
        let task = Task { kernels, size: [n, m, k], a: b.transposed(), epilogue, turned: true };
        return task.packed(&a.transposed());
    }
    let task = Task { kernels, size: [m, n, k], a, epilogue, turned: false };
    if let Operand::Own(Stored::Strided(b)) = b
        && b.col_stride == 1
        && n.is_multiple_of(kernels.lanes)
        && k * n <= DIRECT
    {
        let panels = Panels { data: b.data, start: b.offset, panel: kernels.cols(), row: Some(b.row_stride) };
        return task.run(0, n, panels);
    }
    task.packed(&b);
}

/// See [`super::gemm`], with a `b` that was packed before.
pub(super) fn gemm_packed<T: Scalar>(
    kernels: Kernels<T>,
    [m, n, k]: [usize; 3],
    a: Operand<T>,
    b: Packed<T>,
    epilogue: Epilogue<T>,
) {
    a.check("a", m, k);
    assert_eq!(b.size, [k, n], "gemm: the packed operand is {:?}, not [{k}, {n}]", b.size);
    if m == 0 || n == 0 {
        return;
    }
    let panels = Panels { data: b.panels(&kernels), start: 0, panel: kernels.cols() * k, row: None };
    Task { kernels, size: [m, n, k], a, epilogue, turned: false }.run(0, n, panels);
}

/// Where the panels of B are.
#[derive(Clone, Copy)]
struct Panels<'a, T> {
    data: &'a [T],
    /// Where the first one begins.
    start: usize,
    /// From one panel to the next.
    panel: usize,
    /// From one row of a panel to the next, if not the panel's width.
    row: Option<isize>,
}

/// Where a block's rows of A are read.
#[derive(Clone, Copy)]
enum Rows<'a, T> {
    /// Where they are.
    InPlace(Matrix<'a, T>),
    /// Strips, packed.
    Packed(&'a [T]),
    /// The block's lines of k, computed or widened.
    Lines(&'a [T]),
}

struct Task<'a, T: 'static> {
    kernels: Kernels<T>,
    size: [usize; 3],
    a: Operand<'a, T>,
    epilogue: Epilogue<'a, T>,
    /// Whether the product is the transpose of what the epilogue wants.
    turned: bool,
}

impl<T: Scalar> Task<'_, T> {
    /// The product with `b: [k, n]`, packed a few panels at a time.
    fn packed(&self, b: &Operand<T>) {
        let (kernels, [_, n, k]) = (&self.kernels, self.size);
        let panel = kernels.cols();
        if self.is_wide() {
            return self.by_panels(b);
        }
        let most = (PACKED / k.max(1) / panel).max(4) * panel;
        for col in (0..n).step_by(most) {
            let cols = most.min(n - col);
            with_buffer(pack::B, packed_len(kernels, k, cols), |packed| {
                pack_panels(kernels, k, col, cols, b, packed);
                self.run(col, cols, Panels { data: packed, start: 0, panel: panel * k, row: None });
            });
        }
    }

    /// Whether there are panels enough that each thread packs its own, for rows that are read where they are.
    fn is_wide(&self) -> bool {
        let [m, n, k] = self.size;
        let in_place = matches!(&self.a, Operand::Own(Stored::Strided(a)) if a.col_stride == 1);
        let threads = threads_for(usize::MAX, (2 * m * k).saturating_mul(n));
        in_place && !self.turned && n.div_ceil(self.kernels.cols()) >= 4 * threads
    }

    /// The product panel by panel: one is packed, near, and meets all rows.
    fn by_panels(&self, b: &Operand<T>) {
        let (kernels, [m, n, k], panel) = (&self.kernels, self.size, self.kernels.cols());
        let block = kernels.rows * STRIPS;
        parallel(n.div_ceil(panel), (2 * m * k).saturating_mul(panel), &|items| {
            for first in items.map(|item| item * panel) {
                let cols = panel.min(n - first);
                with_buffer(pack::B, packed_len(kernels, k, cols), |packed| {
                    pack::pack_panel(k, cols, kernels.width(cols), b, first, packed);
                    let panels = Panels { data: packed, start: 0, panel: panel * k, row: None };
                    for row in (0..m).step_by(block) {
                        self.block(row..(row + block).min(m), 0..1, first, cols, panels);
                    }
                });
            }
        });
    }

    /// Hands out a block of rows of a panel with rows and columns exchanged.
    fn turn(&self, rows: &Range<usize>, col: usize, cols: usize, sums: &[T], stride: usize) {
        let height = rows.len();
        with_buffer(pack::TURNED, height * cols, |turned| {
            for (j, line) in turned.chunks_exact_mut(height).enumerate() {
                for (x, row) in line.iter_mut().zip(sums.chunks_exact(stride)) {
                    *x = row[j];
                }
            }
            let tile =
                Tile { row: col, col: rows.start, rows: cols, cols: height, stride: height, acc: turned };
            (self.epilogue)(tile);
        });
    }

    /// The product's columns `col..col + cols`, whose panels are given.
    fn run(&self, col: usize, cols: usize, panels: Panels<T>) {
        let [m, _, k] = self.size;
        let strip = self.kernels.rows;
        let count = cols.div_ceil(self.kernels.cols());
        let work = ((2 * m).max(LOAD) * k).saturating_mul(cols);
        let threads = threads_for(usize::MAX, work);
        // Several pieces a thread: lower blocks where there would be too few.
        let pieces = if threads == 1 { 1 } else { 4 * threads };
        let all = m.div_ceil(strip);
        let strips = STRIPS.min((all * count).div_ceil(pieces));
        // Where every thread has all of B near, each keeps to rows of its own: what comes next finds them where they are.
        let own = if k * cols <= NEAR { all.div_ceil(threads) } else { strips };
        let block = strip * strips.min(own);
        let blocks = m.div_ceil(block);
        let groups = pieces.div_ceil(blocks).min(count);
        let group = count.div_ceil(groups);
        let groups = count.div_ceil(group);
        let cost = work / (blocks * groups);
        parallel(blocks * groups, cost, &|items| {
            for item in items {
                let (row, first) = (item / groups * block, item % groups * group);
                let range = first..(first + group).min(count);
                self.block(row..(row + block).min(m), range, col, cols, panels);
            }
        });
    }

    /// A block of rows by a range of panels. Packs the rows unless they can be read along k where they are.
    fn block(&self, rows: Range<usize>, range: Range<usize>, col: usize, cols: usize, panels: Panels<T>) {
        let [_, _, k] = self.size;
        let strip = self.kernels.rows;
        if let Operand::Own(Stored::Strided(a)) = self.a
            && (a.col_stride == 1 || k <= 1)
        {
            return self.sweep(rows, range, col, cols, panels, Rows::InPlace(a));
        }
        if self.a.runs_along(Side::Cols) {
            return with_buffer(pack::A, rows.len() * k, |lines| {
                self.a.lines(rows.clone(), k, lines);
                self.sweep(rows, range, col, cols, panels, Rows::Lines(lines));
            });
        }
        with_buffer(pack::A, rows.len().next_multiple_of(strip) * k, |packed| {
            pack_a(strip, rows.start, rows.len(), k, &self.a, packed);
            self.sweep(rows, range, col, cols, panels, Rows::Packed(packed));
        });
    }

    /// A block of rows by a range of panels: panel by panel, over k, strip by strip.
    fn sweep(
        &self,
        rows: Range<usize>,
        range: Range<usize>,
        col: usize,
        cols: usize,
        panels: Panels<T>,
        source: Rows<T>,
    ) {
        let (kernels, [_, _, k]) = (&self.kernels, self.size);
        let (strip, panel) = (kernels.rows, kernels.cols());
        let (stride, far) = (panel, k * cols > NEAR);
        with_buffer(pack::SUMS, rows.len() * stride, |sums| {
            for p in range {
                let used = panel.min(cols - p * panel);
                let width = kernels.width(used);
                let b_stride = panels.row.unwrap_or(width as isize);
                let mut done = 0;
                loop {
                    let terms = TERMS.min(k - done);
                    let last = done + terms == k;
                    for row in rows.clone().step_by(strip) {
                        let (height, at) = (strip.min(rows.end - row), row - rows.start);
                        let c = &mut sums[at * stride..][..height * stride];
                        let (a, a_strides) = match source {
                            Rows::Packed(packed) => {
                                (packed[at * k + done * strip..].as_ptr(), (1, strip as isize))
                            }
                            Rows::Lines(lines) => (lines[at * k + done..].as_ptr(), (k as isize, 1)),
                            Rows::InPlace(a) if terms == 0 => (a.data.as_ptr(), (0, 0)),
                            Rows::InPlace(a) => {
                                let first = a.data.as_ptr().wrapping_add(a.at(row, done));
                                (first, (a.row_stride, a.col_stride))
                            }
                        };
                        let b = panels.data.as_ptr().wrapping_add(panels.start + p * panels.panel);
                        let b = b.wrapping_offset(done as isize * b_stride);
                        // The range that follows lies behind this one: the first strips bring it near, a part each.
                        let part = at / strip * terms * (pack::LINE / size_of::<T>());
                        let next = terms * width + part;
                        let ahead = if far && part < terms * width { b.wrapping_add(next) } else { b };
                        let call = Call {
                            k: terms,
                            a,
                            a_strides,
                            b,
                            b_stride,
                            c: c.as_mut_ptr(),
                            c_stride: stride,
                            add: done > 0,
                            ahead,
                        };
                        // SAFETY: `Kernels::of` gave a table that the processor can run. A was checked to hold rows
                        // below `m` by k, and packed or computed A holds this block's. B was checked, if direct, to hold
                        // `k` rows of `n` columns, whole vectors, or packed to whole vectors. `c` holds `height` rows
                        // of `stride >= width`, and has been written by the ranges before if `add`.
                        unsafe { kernels.table[height - 1][width / kernels.lanes - 1](call) };
                        if last && !self.turned {
                            let (col, cols) = (col + p * panel, used);
                            (self.epilogue)(Tile { row, col, rows: height, cols, stride, acc: c });
                        }
                    }
                    done += terms;
                    if last {
                        break;
                    }
                }
                if self.turned {
                    self.turn(&rows, col + p * panel, used, sums, stride);
                }
            }
        });
    }
}

//! The loops around the micro-kernels: blocks of rows by panels of B, range by range of the terms.
//!
//! A block of rows stays in L2 while the panels pass; of a panel, a range of terms stays in L1 while the block's strips pass.
//! A right side in rows is packed on the way: the first strip reads a panel where it is and leaves it in order.

use super::kernel::{Call, Kernels, SIDE, Scalar};
use super::pack::{self, pack_a, pack_panels, packed_len, with_buffer};
use super::skinny::LOAD;
use super::stored::Stored;
use super::walk::{Operand, Side};
use super::{Matrix, Out, Tile};
use crate::kernels::threads::{parallel, threads_for};
use std::ops::Range;

/// Bytes of a panel's range of terms: it stays in L1 while a block's strips pass.
const RANGE: usize = 1 << 15;
/// Terms summed in one call of a kernel, at most.
const TERMS: usize = 256;
/// Rows of a block, in strips.
const STRIPS: usize = 16;
/// Elements of a block of rows, at most: they stay in L2 beside a panel.
pub(super) const BLOCK: usize = 1 << 18;
/// Bytes from one row to the next from which on the lines of rows fall in the same few sets of L1, and each in a page of its own.
const FAR_ROWS: usize = 1 << 12;
/// Panels that a copy of such rows pays for.
const MANY_PANELS: usize = 8;
/// Elements of B packed at a time: they stay in L3.
const PACKED: usize = 1 << 21;
/// Up to so many elements, all of packed B stays in the L2 of each thread.
pub(super) const NEAR: usize = 1 << 17;
/// Up to so many elements, all of packed B stays in L1: whole rows are summed and handed out at a time.
const NEAREST: usize = 1 << 13;

/// Where the panels of B are, or will be.
#[derive(Clone, Copy)]
pub(super) struct Panels<'a, T> {
    /// Where the first one begins.
    pub first: *const T,
    /// From one panel to the next.
    pub panel: usize,
    /// From one row of a panel to the next, if not the panel's width.
    pub row: Option<isize>,
    /// What a block's first strip reads and leaves in the panels, if they aren't filled yet: threads fill panels of their own.
    pub raw: Option<Matrix<'a, T>>,
}

// SAFETY: elements behind the pointer are read, but where `raw` says that they are written first, by the thread that reads them.
unsafe impl<T: Sync> Sync for Panels<'_, T> {}

/// Where a block's rows of A are read.
#[derive(Clone, Copy)]
enum Rows<'a, T> {
    /// Where they are.
    InPlace(Matrix<'a, T>),
    /// Strips, packed.
    Packed(&'a [T]),
    /// The block's lines of k, computed or widened.
    Lines(&'a [T]),
    /// Of each strip, range by range of the terms, its lines.
    Pieces(&'a [T]),
}

pub(super) struct Task<'a, T: 'static> {
    pub kernels: Kernels<T>,
    pub size: [usize; 3],
    pub a: Operand<'a, T>,
    pub out: Out<'a, T>,
    /// Whether the product is the transpose of what is wanted.
    pub turned: bool,
    /// All strips of A, if they are packed already.
    pub strips: Option<&'a [T]>,
}

impl<'a, T: Scalar> Task<'a, T> {
    pub(super) fn new(kernels: Kernels<T>, size: [usize; 3], a: Operand<'a, T>, out: Out<'a, T>) -> Self {
        Task { kernels, size, a, out, turned: false, strips: None }
    }

    /// The product with `b: [k, n]`, packed a few panels at a time.
    pub(super) fn packed(&self, b: &Operand<T>) {
        let (kernels, [m, n, k]) = (&self.kernels, self.size);
        let (panel, raw) = (kernels.cols(), self.fills(b));
        let few = m <= kernels.rows * STRIPS || (raw.is_none() && m * k <= BLOCK);
        if (few && self.is_wide()) || self.is_even() {
            return self.by_panels(b, raw);
        }
        if self.strips.is_none() && self.packs_again() {
            return self.with_strips(|task| task.packed(b));
        }
        let most = (PACKED / k.max(1) / panel).max(4) * panel;
        for col in (0..n).step_by(most) {
            let cols = most.min(n - col);
            with_buffer(pack::B, packed_len(kernels, k, cols), |packed| {
                let panels = Panels { first: packed.as_mut_ptr(), panel: panel * k, row: None, raw };
                if raw.is_some() {
                    let done = self.open(b, col, cols, panels);
                    return self.run(done, col, cols, Panels { raw: None, ..panels });
                }
                pack_panels(kernels, k, col, cols, b, packed);
                self.run(0, col, cols, Panels { first: packed.as_ptr(), ..panels });
            });
        }
    }

    /// The product panel by panel: one is packed, near, and meets all rows.
    fn by_panels(&self, b: &Operand<T>, raw: Option<Matrix<T>>) {
        let (kernels, [m, n, k], panel) = (&self.kernels, self.size, self.kernels.cols());
        let block = kernels.rows * STRIPS;
        parallel(n.div_ceil(panel), (2 * m * k).saturating_mul(panel), &|items| {
            for first in items.map(|item| item * panel) {
                let cols = panel.min(n - first);
                with_buffer(pack::B, packed_len(kernels, k, cols), |packed| {
                    let raw = raw.filter(|_| cols == panel);
                    if raw.is_none() {
                        pack::pack_panel(k, cols, kernels.width(cols), b, first, packed);
                    }
                    let panels = Panels { first: packed.as_mut_ptr(), panel: panel * k, row: None, raw };
                    for row in (0..m).step_by(block) {
                        let panels = Panels { raw: raw.filter(|_| row == 0), ..panels };
                        self.block(row..(row + block).min(m), 0..1, first, cols, panels);
                    }
                });
            }
        });
    }

    /// The first rows by all panels, which their first strip packs. Returns how many rows.
    fn open(&self, b: &Operand<T>, col: usize, cols: usize, panels: Panels<T>) -> usize {
        let (kernels, [m, _, k], panel) = (&self.kernels, self.size, self.kernels.cols());
        let rows = (kernels.rows * self.most_strips()).min(m);
        parallel(cols.div_ceil(panel), 2 * rows * k * panel, &|range| {
            let (last, width) = (range.end * panel, kernels.width(cols % panel));
            if last > cols {
                // The last panel isn't a full tile's.
                let first = panels.first.wrapping_add((last - panel) * k).cast_mut();
                // SAFETY: `packed_len` elements are there, this panel's being the last ones, and this thread's alone.
                let to = unsafe { std::slice::from_raw_parts_mut(first, k * width) };
                pack::pack_panel(k, cols % panel, width, b, col + last - panel, to);
            }
            self.block(0..rows, range, col, cols, panels);
        });
        rows
    }

    /// Strips of a block, at most.
    pub(super) fn most_strips(&self) -> usize {
        STRIPS.min(BLOCK / (self.size[2].max(1) * self.kernels.rows)).max(4)
    }

    /// Terms summed in one call: about as many in each, none that stands alone with few.
    fn terms(&self) -> usize {
        let (k, most) = (self.size[2], (RANGE / (self.kernels.cols() * size_of::<T>())).min(TERMS));
        k.div_ceil(((k + most * 3 / 4 - 1) / most).max(1)).max(1)
    }

    /// Hands out a block of rows of a panel with rows and columns exchanged.
    fn turn(&self, rows: &Range<usize>, col: usize, cols: usize, sums: &[T], stride: usize) {
        let height = rows.len();
        with_buffer(pack::TURNED, height * cols, |turned| {
            let [down, right] = [height, cols].map(|len| len - len % SIDE);
            for i in (0..down).step_by(SIDE) {
                for j in (0..right).step_by(SIDE) {
                    let row = |r| *sums[(i + r) * stride + j..].first_chunk::<SIDE>().expect("whole");
                    for (c, col) in T::turn(std::array::from_fn(row)).iter().enumerate() {
                        turned[(j + c) * height + i..][..SIDE].copy_from_slice(col);
                    }
                }
            }
            for j in 0..cols {
                for i in if j < right { down } else { 0 }..height {
                    turned[j * height + i] = sums[i * stride + j];
                }
            }
            let tile =
                Tile { row: col, col: rows.start, rows: cols, cols: height, stride: height, acc: turned };
            (self.out.epilogue)(tile);
        });
    }

    /// The product's rows from `top` on by columns `col..col + cols`, whose panels are given.
    pub(super) fn run(&self, top: usize, col: usize, cols: usize, panels: Panels<T>) {
        let (m, k) = (self.size[0] - top, self.size[2]);
        if m == 0 {
            return;
        }
        let strip = self.kernels.rows;
        let count = cols.div_ceil(self.kernels.cols());
        let work = ((2 * m).max(LOAD) * k).saturating_mul(cols);
        let threads = threads_for(usize::MAX, work);
        // Several pieces a thread: lower blocks where there would be too few.
        let pieces = if threads == 1 { 1 } else { 4 * threads };
        let all = m.div_ceil(strip);
        let strips = self.most_strips().min((all * count).div_ceil(pieces));
        // Where every thread has all of B near, each keeps to rows of its own: what comes next finds them where they are.
        let own = if k * cols <= NEAR { all.div_ceil(threads) } else { strips };
        let block = match own < strips && self.strips.is_none() {
            true => m.div_ceil(threads),
            false => strip * strips.min(own),
        };
        let blocks = m.div_ceil(block);
        let groups = pieces.div_ceil(blocks).min(count);
        let group = count.div_ceil(groups);
        let groups = count.div_ceil(group);
        let cost = work / (blocks * groups);
        parallel(blocks * groups, cost, &|items| {
            for item in items {
                let (row, first) = (top + item / groups * block, item % groups * group);
                let range = first..(first + group).min(count);
                self.block(row..(row + block).min(top + m), range, col, cols, panels);
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
            if a.row_stride.unsigned_abs() * size_of::<T>() < FAR_ROWS || range.len() < MANY_PANELS {
                return self.sweep(rows, range, col, cols, panels, Rows::InPlace(a));
            }
            return with_buffer(pack::A, rows.len() * k, |pieces| {
                self.pieces(a, rows.clone(), pieces);
                self.sweep(rows, range, col, cols, panels, Rows::Pieces(pieces));
            });
        }
        if self.a.runs_along(Side::Cols) {
            return with_buffer(pack::A, rows.len() * k, |lines| {
                self.a.lines(rows.clone(), k, lines);
                self.sweep(rows, range, col, cols, panels, Rows::Lines(lines));
            });
        }
        if let Some(strips) = self.strips {
            return self.sweep(
                rows.clone(),
                range,
                col,
                cols,
                panels,
                Rows::Packed(&strips[rows.start * k..]),
            );
        }
        with_buffer(pack::A, rows.len().next_multiple_of(strip) * k, |packed| {
            pack_a(strip, rows.start, rows.len(), k, &self.a, packed);
            self.sweep(rows, range, col, cols, panels, Rows::Packed(packed));
        });
    }

    /// The rows of each strip, range by range of the terms.
    fn pieces(&self, a: Matrix<T>, rows: Range<usize>, mut to: &mut [T]) {
        let ([_, _, k], strip, most) = (self.size, self.kernels.rows, self.terms());
        for row in rows.clone().step_by(strip) {
            for done in (0..k).step_by(most) {
                let terms = most.min(k - done);
                for row in row..(row + strip).min(rows.end) {
                    let (piece, rest) = to.split_at_mut(terms);
                    piece.copy_from_slice(&a.data[a.at(row, done)..][..terms]);
                    to = rest;
                }
            }
        }
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
        let (kernels, [_, _, k], most) = (&self.kernels, self.size, self.terms());
        let (strip, panel) = (kernels.rows, kernels.cols());
        let far = k * cols > NEAR;
        let whole = k <= most && k * cols <= NEAREST && panels.raw.is_none() && self.out.rows.is_none();
        if whole && !self.turned {
            return self.by_strips(rows, range, col, cols, panels, source);
        }
        with_buffer(pack::SUMS, rows.len() * panel, |sums| {
            for p in range {
                let used = panel.min(cols - p * panel);
                let width = kernels.width(used);
                let b_stride = panels.row.unwrap_or(width as isize);
                // Where only whole vectors are wanted, they are summed where they stay.
                let target = self.out.rows.filter(|_| width == used && !self.turned);
                let mut done = 0;
                loop {
                    let terms = most.min(k - done);
                    let last = done + terms == k;
                    for row in rows.clone().step_by(strip) {
                        let (height, at) = (strip.min(rows.end - row), row - rows.start);
                        let (c, c_stride) = match target {
                            Some(target) => target.at(row, col + p * panel),
                            None => (sums[at * panel..][..height * panel].as_mut_ptr(), panel),
                        };
                        let (a, a_strides) = source.strip(row, at, [strip, height], done, terms, k);
                        let b = panels.first.wrapping_add(p * panels.panel);
                        let b = b.wrapping_offset(done as isize * b_stride);
                        // The range that follows lies behind this one: the first strips bring it near, a part each.
                        let part = at / strip * terms * (pack::LINE / size_of::<T>());
                        let next = terms * width + part;
                        let ahead = if far && part < terms * width { b.wrapping_add(next) } else { b };
                        let add = done > 0;
                        let call = Call { k: terms, a, a_strides, b, b_stride, c, c_stride, add, ahead };
                        let raw = panels.raw.filter(|_| row == rows.start && used == panel);
                        // SAFETY: `Kernels::of` gave a table that the processor can run. A was checked to hold rows
                        // below `m` by k, and packed or computed A holds this block's. B was checked, if direct or to be
                        // packed, to hold `k` rows of `n` columns, whole vectors, or packed to whole vectors. `c` holds
                        // `height` rows of `width`, this thread's, and has been written by the ranges before if `add`.
                        unsafe {
                            match (raw, kernels.fill) {
                                (Some(raw), Some(fill)) => {
                                    let b = raw.data.as_ptr().wrapping_add(raw.at(done, col + p * panel));
                                    fill(Call { b, b_stride: raw.row_stride, ..call }, call.b.cast_mut());
                                }
                                _ => kernels.table[height - 1][width / kernels.lanes - 1](call),
                            }
                        }
                        if last && !self.turned && target.is_none() {
                            let (col, cols, acc) =
                                (col + p * panel, used, &sums[at * panel..][..height * panel]);
                            (self.out.epilogue)(Tile { row, col, rows: height, cols, stride: panel, acc });
                        }
                    }
                    done += terms;
                    if last {
                        break;
                    }
                }
                if self.turned {
                    self.turn(&rows, col + p * panel, used, sums, panel);
                }
            }
        });
    }
}

impl<T: Scalar> Task<'_, T> {
    /// A block of rows by a range of panels that are all near: strip by strip, panel by panel, whole rows of which are handed out.
    fn by_strips(
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
        let first = range.start * panel;
        let used = cols.min(range.end * panel) - first;
        let stride = kernels.width(used);
        with_buffer(pack::SUMS, strip * stride, |sums| {
            for row in rows.clone().step_by(strip) {
                let (height, at) = (strip.min(rows.end - row), row - rows.start);
                for p in range.clone() {
                    let width = kernels.width(panel.min(cols - p * panel));
                    let (a, a_strides) = source.strip(row, at, [strip, height], 0, k, k);
                    let (b, b_stride) =
                        (panels.first.wrapping_add(p * panels.panel), panels.row.unwrap_or(width as isize));
                    let c = sums[p * panel - first..][..(height - 1) * stride + width].as_mut_ptr();
                    let call =
                        Call { k, a, a_strides, b, b_stride, c, c_stride: stride, add: false, ahead: b };
                    // SAFETY: as of `sweep`.
                    unsafe { kernels.table[height - 1][width / kernels.lanes - 1](call) };
                }
                let (col, acc) = (col + first, &sums[..height * stride]);
                (self.out.epilogue)(Tile { row, col, rows: height, cols: used, stride, acc });
            }
        });
    }
}

impl<T> Rows<'_, T> {
    /// Where the terms `done..done + terms` of a strip are, which begins with row `at` of the block, and their strides.
    fn strip(
        &self,
        row: usize,
        at: usize,
        [strip, height]: [usize; 2],
        done: usize,
        terms: usize,
        k: usize,
    ) -> (*const T, (isize, isize)) {
        match self {
            Rows::Packed(packed) => (packed[at * k + done * strip..].as_ptr(), (1, strip as isize)),
            Rows::Lines(lines) => (lines[at * k + done..].as_ptr(), (k as isize, 1)),
            Rows::Pieces(pieces) => (pieces[at * k + done * height..].as_ptr(), (terms as isize, 1)),
            Rows::InPlace(a) if terms == 0 => (a.data.as_ptr(), (0, 0)),
            Rows::InPlace(a) => (a.data.as_ptr().wrapping_add(a.at(row, done)), (a.row_stride, a.col_stride)),
        }
    }
}

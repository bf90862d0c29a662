//! Operands copied into the order in which the micro-kernels read them, and the buffers they are copied to.
//!
//! B: panels of a tile's columns, panel after panel, each `[k, width]`, the last one narrower, padded with 0 to whole
//! vectors. A: strips of a tile's rows, each `[k, rows]`.

use super::kernel::{Kernels, SIDE, Scalar};
use super::stored::{Reads, Stored};
use super::walk::{Operand, Side, by_kind};
use super::{Element, Isa};
use crate::kernels::threads::parallel;
use std::ops::Range;

/// Bytes of a cache line: a vector must not straddle two.
pub(super) const LINE: usize = 64;

/// This thread's buffer for packed B.
pub(super) const B: usize = 0;
/// This thread's buffer for packed A.
pub(super) const A: usize = 1;
/// This thread's buffer for sums.
pub(super) const SUMS: usize = 2;
/// This thread's buffer for sums with rows and columns exchanged.
pub(super) const TURNED: usize = 3;
/// This thread's buffer for the sums of a whole product.
pub(super) const TOTALS: usize = 4;
/// This thread's buffer for a computed line.
pub(super) const LINE_OF: usize = 5;
/// This thread's buffer for patches at Winograd's points.
pub(super) const PATCHES: usize = 6;
/// This thread's buffer for factors at the points.
pub(super) const FACTORS: usize = 7;
/// This thread's buffer for products at the points.
pub(super) const POINTS: usize = 8;
/// This thread's buffer for all strips of a left side.
pub(super) const STRIPS: usize = 9;

/// Lends `f` a buffer of `len` elements that begins at a cache line; allocates only if none was as large before.
///
/// The contents are those of earlier calls.
pub(super) fn with_buffer<T: Scalar, R>(usage: usize, len: usize, f: impl FnOnce(&mut [T]) -> R) -> R {
    let spare = T::spare(usage);
    let mut buffer = spare.take();
    let result = f(aligned(&mut buffer, len));
    spare.set(buffer);
    result
}

/// `len` elements of the buffer from a cache line on, growing it if need be.
fn aligned<T: Scalar>(buffer: &mut Vec<T>, len: usize) -> &mut [T] {
    let slack = LINE / size_of::<T>();
    if buffer.len() < len + slack {
        buffer.resize(len + slack, T::default());
    }
    let start = buffer.as_ptr().align_offset(LINE);
    &mut buffer[start..start + len]
}

/// A right operand `[k, n]` that was packed before: the first element says where the panels begin, at a cache line.
#[derive(Clone, Copy, Debug)]
pub struct Packed<'a, T> {
    data: &'a [T],
    pub(super) size: [usize; 2],
}

/// The operand `[k, n]` that [`pack`] has made.
///
/// # Panics
/// A product with it panics if the elements are fewer than those of a packed `[k, n]`.
#[inline]
pub fn packed<T>(data: &[T], size: [usize; 2]) -> Packed<'_, T> {
    Packed { data, size }
}

impl<'a, T: Scalar> Packed<'a, T> {
    /// The panels for these kernels.
    pub(super) fn panels(&self, kernels: &Kernels<T>) -> &'a [T] {
        let [k, n] = self.size;
        let start = self.data.first().map_or(0, |start| start.wide() as usize);
        &self.data[start..][..packed_len(kernels, k, n)]
    }
}

/// Elements of a cache line of floats: what a width is rounded up to for any instruction set.
const WIDEST: usize = 16;

/// Elements that [`pack`] wants for `[k, n]`, at least.
pub const fn packed_room(k: usize, n: usize) -> usize {
    k * n.next_multiple_of(WIDEST) + 2 * WIDEST
}

/// Packs `b: [k, n]` for [`packed`], which the instruction set in use reads.
///
/// # Panics
/// If the operand isn't of that size, or there is less than [`packed_room`].
pub fn pack<'a, T: Element>([k, n]: [usize; 2], b: impl Into<Operand<'a, T>>, to: &mut [T]) {
    T::pack_on(Isa::detect(), [k, n], 0, b.into(), to);
}

/// Columns that are a whole number of panels on every instruction set.
const WHOLE: usize = 64;

/// Bytes of columns that are packed before their memory is given back.
const GIVEN_BACK: usize = 1 << 23;

/// [`pack`] of columns that lie one after the other in `data`, `[n, k]`: the last first, and the memory of what is packed is given
/// back on the way, so that little is held twice. `operand` views as many of them as it is given.
///
/// # Panics
/// Likewise.
pub fn pack_away<T: Element>(
    [k, n]: [usize; 2],
    mut data: Vec<T>,
    operand: impl for<'a> Fn(&'a [T], usize) -> Operand<'a, T>,
    to: &mut [T],
) {
    let step = (GIVEN_BACK / (k * size_of::<T>()).max(1)).next_multiple_of(WHOLE).max(WHOLE);
    let mut left = n;
    while left > 0 {
        let first = (left - 1) / step * step;
        T::pack_on(Isa::detect(), [k, left], first, operand(&data, left), to);
        data.truncate(first * k);
        data.shrink_to_fit();
        left = first;
    }
}

/// Packs the columns from `first` on, where a panel begins. See [`pack`].
pub(super) fn pack_for<T: Scalar>(
    kernels: &Kernels<T>,
    [k, n]: [usize; 2],
    first: usize,
    b: &Operand<T>,
    to: &mut [T],
) {
    b.check("b", k, n);
    assert!(first.is_multiple_of(kernels.cols()) && first <= n, "pack: from a column within a panel");
    let start = 1 + to[1..].as_ptr().align_offset(LINE).min(WIDEST);
    to[0] = <T as Scalar>::wide(start as f32);
    let len = packed_len(kernels, k, n);
    pack_panels(kernels, k, first, n - first, b, &mut to[start + first * k..start + len]);
}

/// Lends `f` what [`pack`] makes of `b: [k, n]`. Calls may be within each other: each has a buffer of its own, which the
/// thread keeps.
pub fn with_packed<'a, T: Element, R>(
    [k, n]: [usize; 2],
    b: impl Into<Operand<'a, T>>,
    f: impl FnOnce(&[T]) -> R,
) -> R {
    let mut buffer = T::held().with_borrow_mut(Vec::pop).unwrap_or_default();
    let room = packed_room(k, n);
    if buffer.len() < room {
        buffer.resize(room, T::default());
    }
    pack([k, n], b, &mut buffer);
    let result = f(&buffer);
    T::held().with_borrow_mut(|held| held.push(buffer));
    result
}

/// Elements of a packed `[k, n]`.
pub(super) fn packed_len<T: Scalar>(kernels: &Kernels<T>, k: usize, n: usize) -> usize {
    k * kernels.width(n)
}

/// Packs columns `col..col + n` of `b: [k, ..]` into `to`.
pub(super) fn pack_panels<T: Scalar>(
    kernels: &Kernels<T>,
    k: usize,
    col: usize,
    n: usize,
    b: &Operand<T>,
    to: &mut [T],
) {
    let panel = kernels.cols();
    let to = Shared(to.as_mut_ptr(), to.len());
    // A copied element costs about as much as 8 operations.
    parallel(n.div_ceil(panel), 8 * k * panel, &|panels| {
        for p in panels {
            let cols = panel.min(n - p * panel);
            let width = kernels.width(cols);
            let start = p * panel * k;
            assert!(start + k * width <= to.1);
            // SAFETY: in bounds by the assert; panels don't overlap, and each is taken by one thread.
            let to = unsafe { std::slice::from_raw_parts_mut(to.start().add(start), k * width) };
            pack_panel(k, cols, width, b, col + p * panel, to);
        }
    });
}

/// Offsets looked up at a time.
const LOOKUP: usize = 64;

/// Elements of a run from which on copying it pays.
const SHORT: usize = 6;

/// Columns whose elements follow each other.
#[derive(Clone, Copy, Default)]
struct Run {
    /// The first column.
    at: usize,
    len: usize,
    /// Its offset.
    from: isize,
}

/// The runs of columns with these offsets: of a convolution's, those that lie in one row of the image.
fn runs_of<'r>(offsets: &[isize], runs: &'r mut [Run; LOOKUP]) -> &'r [Run] {
    let mut count = 0;
    for (at, &from) in offsets.iter().enumerate() {
        match runs[..count].last_mut() {
            Some(run) if run.from + run.len as isize == from => run.len += 1,
            _ => {
                runs[count] = Run { at, len: 1, from };
                count += 1;
            }
        }
    }
    &runs[..count]
}

/// One panel: `[k, width]`, of which `cols` columns are there.
pub(super) fn pack_panel<T: Scalar>(
    k: usize,
    cols: usize,
    width: usize,
    b: &Operand<T>,
    col: usize,
    to: &mut [T],
) {
    by_kind!(b, |stored| panel_of(stored, [k, cols, width], col, to), |computed| {
        computed.panel(col, cols, width, to);
        to.chunks_exact_mut(width).for_each(|line| line[cols..].fill(T::default()));
    });
}

fn panel_of<T: Scalar, S: Reads<T>>(b: &Stored<S>, [k, cols, width]: [usize; 3], col: usize, to: &mut [T]) {
    if let Stored::Windows(windows) = b {
        return windows.panel(col, cols, width, to);
    }
    if b.runs_along(Side::Rows) && cols > 1 {
        return turned(b, [k, cols, width], col, to);
    }
    let (data, start) = (b.data(), b.start());
    let (mut across, mut down) = ([0; LOOKUP], [0; LOOKUP]);
    let across = &mut across[..cols];
    b.offsets(Side::Cols, col, across);
    let mut runs = [Run::default(); LOOKUP];
    let runs = runs_of(across, &mut runs);
    // The elements of short runs are copied one by one.
    let long = runs.len() <= 1 || runs.len() * SHORT <= cols;
    for first in (0..k).step_by(LOOKUP) {
        let rows = LOOKUP.min(k - first);
        let down = &mut down[..rows];
        b.offsets(Side::Rows, first, down);
        let to = &mut to[first * width..][..rows * width];
        if long {
            for (line, at) in to.chunks_exact_mut(width).zip(&*down) {
                for run in runs {
                    let from = &data[(start + at + run.from) as usize..][..run.len];
                    S::copy(from, &mut line[run.at..][..run.len]);
                }
                line[cols..].fill(T::default());
            }
            continue;
        }
        // Column by column, so that what lies along k is read in order.
        for (j, right) in across.iter().enumerate() {
            for (line, at) in to.chunks_exact_mut(width).zip(&*down) {
                line[j] = data[(start + at + right) as usize].read();
            }
        }
        to.chunks_exact_mut(width).for_each(|line| line[cols..].fill(T::default()));
    }
}

/// Terms of a panel that are turned before the next columns: they stay in L1.
const TURNED_TERMS: usize = 128;

/// One panel of columns whose elements follow each other: blocks are turned in registers.
fn turned<T: Scalar, S: Reads<T>>(b: &Stored<S>, [k, cols, width]: [usize; 3], col: usize, to: &mut [T]) {
    let (mut across, mut top) = ([0; LOOKUP], [0]);
    let across = &mut across[..cols];
    b.offsets(Side::Cols, col, across);
    b.offsets(Side::Rows, 0, &mut top);
    for first in (0..k).step_by(TURNED_TERMS) {
        let terms = TURNED_TERMS.min(k - first);
        let start = b.start() + top[0] + first as isize;
        let to = &mut to[first * width..][..terms * width];
        let line = |right: isize| &b.data()[(start + right) as usize..][..terms];
        let (groups, rest) = across.as_chunks::<SIDE>();
        for (group, right) in groups.iter().enumerate() {
            let lines = right.map(line);
            for p in (0..terms - terms % SIDE).step_by(SIDE) {
                let row = |r: usize| S::several(lines[r][p..].first_chunk::<SIDE>().expect("whole"));
                let block = [row(0), row(1), row(2), row(3)];
                for (i, row) in T::turn(block).iter().enumerate() {
                    to[(p + i) * width + SIDE * group..][..SIDE].copy_from_slice(row);
                }
            }
            for p in terms - terms % SIDE..terms {
                lines
                    .iter()
                    .enumerate()
                    .for_each(|(j, line)| to[p * width + SIDE * group + j] = line[p].read());
            }
        }
        for (j, right) in rest.iter().enumerate() {
            let lines = to.chunks_exact_mut(width).zip(line(*right));
            lines.for_each(|(to, x)| to[cols - rest.len() + j] = x.read());
        }
        to.chunks_exact_mut(width).for_each(|line| line[cols..].fill(T::default()));
    }
}

/// Packs rows `row..row + m` of `a: [.., k]` into strips of `strip` rows.
pub(super) fn pack_a<T: Scalar>(strip: usize, row: usize, m: usize, k: usize, a: &Operand<T>, to: &mut [T]) {
    by_kind!(a, |stored| strips_of(stored, strip, row..row + m, k, to), |computed| {
        computed.strips(strip, row..row + m, k, to)
    });
}

fn strips_of<T: Scalar, S: Reads<T>>(
    a: &Stored<S>,
    strip: usize,
    rows: Range<usize>,
    k: usize,
    to: &mut [T],
) {
    match (a.runs_along(Side::Rows), strip) {
        (true, 6) => return strips_along::<_, _, 6>(a, rows, k, to),
        (true, 4) => return strips_along::<_, _, 4>(a, rows, k, to),
        _ => {}
    }
    let (data, start, m) = (a.data(), a.start(), rows.len());
    for (s, to) in to.chunks_exact_mut((strip * k).max(1)).take(m.div_ceil(strip)).enumerate() {
        let (mut down, mut across) = ([0; LOOKUP], [0; LOOKUP]);
        let down = &mut down[..strip.min(m - s * strip)];
        a.offsets(Side::Rows, rows.start + s * strip, down);
        for first in (0..k).step_by(LOOKUP) {
            let cols = LOOKUP.min(k - first);
            let across = &mut across[..cols];
            a.offsets(Side::Cols, first, across);
            for (line, right) in to[first * strip..].chunks_exact_mut(strip).zip(&*across) {
                for (x, at) in line.iter_mut().zip(&*down) {
                    *x = data[(start + at + right) as usize].read();
                }
            }
        }
    }
}

/// Terms of all strips that are packed at a time: their lines are near until the last strip, even if all fall in a few sets
/// of the cache.
const NEAR: usize = 16;

/// Strips of rows that follow each other, each element of a term beside the next.
fn strips_along<T: Scalar, S: Reads<T>, const STRIP: usize>(
    a: &Stored<S>,
    rows: Range<usize>,
    k: usize,
    to: &mut [T],
) {
    let (data, mut top) = (a.data(), [0]);
    a.offsets(Side::Rows, rows.start, &mut top);
    for first in (0..k).step_by(NEAR) {
        let mut across = [0; NEAR];
        let across = &mut across[..NEAR.min(k - first)];
        a.offsets(Side::Cols, first, across);
        for s in 0..rows.len().div_ceil(STRIP) {
            let here = STRIP.min(rows.len() - s * STRIP);
            let start = a.start() + top[0] + (s * STRIP) as isize;
            let to = &mut to[(s * k + first) * STRIP..][..across.len() * STRIP];
            for (line, right) in to.chunks_exact_mut(STRIP).zip(&*across) {
                let from = &data[(start + right) as usize..][..here];
                match (line.first_chunk_mut::<STRIP>(), from.first_chunk::<STRIP>()) {
                    // As many as are known while compiling need no loop.
                    (Some(line), Some(from)) => *line = S::several(from),
                    _ => line.iter_mut().zip(from).for_each(|(x, from)| *x = from.read()),
                }
            }
        }
    }
}

/// A buffer whose disjoint parts several threads write.
struct Shared<T>(*mut T, usize);

impl<T> Shared<T> {
    fn start(&self) -> *mut T {
        self.0
    }
}

// SAFETY: the threads write disjoint parts, which is for those who use the pointer to see to.
unsafe impl<T: Send> Sync for Shared<T> {}

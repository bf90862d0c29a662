//! Operands copied into the order in which the micro-kernels read them, and the buffers they are copied to.
//!
//! B: panels of a tile's columns, panel after panel, each `[k, width]`, the last one narrower, padded with 0 to whole
//! vectors. A: strips of a tile's rows, each `[k, rows]`.

use super::kernel::{Kernels, Scalar};
use super::stored::{Reads, Stored};
use super::walk::{Operand, Side, by_kind};
use super::{Element, Isa, Matrix};
use crate::kernels::threads::parallel;
use std::ops::Range;

/// Bytes of a cache line: a vector must not straddle two.
const LINE: usize = 64;

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

/// A right operand packed once, for one instruction set.
#[derive(Debug)]
pub struct PackedB<T: 'static> {
    pub(super) kernels: Kernels<T>,
    pub(super) k: usize,
    pub(super) n: usize,
    buffer: Vec<T>,
}

impl<T: Element> PackedB<T> {
    /// Packs `b: [k, n]`.
    ///
    /// # Panics
    /// If the data doesn't hold all elements.
    pub fn new(k: usize, n: usize, b: Matrix<T>) -> Self {
        T::pack_on(Isa::detect(), k, n, b)
    }

    /// `[k, n]`.
    pub fn shape(&self) -> [usize; 2] {
        [self.k, self.n]
    }
}

impl<T: Scalar> PackedB<T> {
    /// The panels.
    pub(super) fn panels(&self) -> &[T] {
        let start = self.buffer.as_ptr().align_offset(LINE);
        &self.buffer[start..][..packed_len(&self.kernels, self.k, self.n)]
    }
}

/// Packs all of `b: [k, n]`, which has been checked, into a buffer of its own.
pub(super) fn pack_b<T: Scalar>(kernels: Kernels<T>, k: usize, n: usize, b: Matrix<T>) -> PackedB<T> {
    let mut buffer = Vec::new();
    pack_panels(
        &kernels,
        k,
        0,
        n,
        &Operand::Own(Stored::Strided(b)),
        aligned(&mut buffer, packed_len(&kernels, k, n)),
    );
    PackedB { kernels, k, n, buffer }
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
fn pack_panel<T: Scalar>(k: usize, cols: usize, width: usize, b: &Operand<T>, col: usize, to: &mut [T]) {
    by_kind!(b, |stored| panel_of(stored, [k, cols, width], col, to), |computed| {
        computed.panel(col, cols, width, to);
        to.chunks_exact_mut(width).for_each(|line| line[cols..].fill(T::default()));
    });
}

fn panel_of<T: Scalar, S: Reads<T>>(b: &Stored<S>, [k, cols, width]: [usize; 3], col: usize, to: &mut [T]) {
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

/// A buffer whose disjoint parts several threads write.
struct Shared<T>(*mut T, usize);

impl<T> Shared<T> {
    fn start(&self) -> *mut T {
        self.0
    }
}

// SAFETY: the threads write disjoint parts, which is for those who use the pointer to see to.
unsafe impl<T: Send> Sync for Shared<T> {}

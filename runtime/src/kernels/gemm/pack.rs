//! Operands copied into the order in which the micro-kernels read them, and the buffers they are copied to.
//!
//! B: panels of a tile's columns, panel after panel, each `[k, width]`, the last one narrower, padded with 0 to whole
//! vectors. A: strips of a tile's rows, each `[k, rows]`.

use super::kernel::{Kernels, Scalar};
use super::{Element, Isa, Matrix};
use crate::kernels::threads::parallel;

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
    pack_panels(&kernels, k, 0, n, b, aligned(&mut buffer, packed_len(&kernels, k, n)));
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
    b: Matrix<T>,
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

/// One panel: `[k, width]`, of which `cols` columns are there.
fn pack_panel<T: Scalar>(k: usize, cols: usize, width: usize, b: Matrix<T>, col: usize, to: &mut [T]) {
    if b.col_stride == 1 {
        for (p, line) in to.chunks_exact_mut(width.max(1)).enumerate() {
            line[..cols].copy_from_slice(&b.data[b.at(p, col)..][..cols]);
            line[cols..].fill(T::default());
        }
        return;
    }
    // Squares of 16, so that both sides stay in few cache lines.
    for rows in (0..k).step_by(16) {
        let rows = rows..(rows + 16).min(k);
        for j in 0..width {
            for p in rows.clone() {
                to[p * width + j] = if j < cols { b.data[b.at(p, col + j)] } else { T::default() };
            }
        }
    }
}

/// Packs rows `row..row + m` of `a: [.., k]` into strips of `strip` rows.
pub(super) fn pack_a<T: Scalar>(strip: usize, row: usize, m: usize, k: usize, a: Matrix<T>, to: &mut [T]) {
    for (s, to) in to.chunks_exact_mut((strip * k).max(1)).take(m.div_ceil(strip)).enumerate() {
        let rows = strip.min(m - s * strip);
        for (p, line) in to.chunks_exact_mut(strip).enumerate() {
            for (i, x) in line[..rows].iter_mut().enumerate() {
                *x = a.data[a.at(row + s * strip + i, p)];
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

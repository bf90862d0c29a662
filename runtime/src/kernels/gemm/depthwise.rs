//! Convolutions of each channel by itself over images whose pixels keep their channels together. Nothing is packed or laid out:
//! a vector holds channels, so that a term is a product of two vectors as they lie. Windows that lie side by side share factors and,
//! where they are three pixels wide, pixels: each is loaded once a line.

use super::kernel::{Kernels, Scalar};
use super::pack::{self, with_buffer};
use super::pixels::Pixels;
use super::{Epilogue, Tile};
use crate::kernels::isa::{Body, simd_run};
use crate::kernels::math::Math;
use crate::kernels::threads::parallel;
use std::ops::Range;

/// Most terms.
const TERMS: usize = 64;
/// Windows that share factors.
const SHARE: usize = 4;
/// Channels of a step.
const LANES: usize = 16;
/// Sums of a tile, about, and most windows of one: they are handed out while they are in L1.
const SUMS: usize = 1 << 12;
const WINDOWS: usize = 16;
/// Pixels of a line that windows which share them reach, at most.
const PIXELS: usize = 2 * (SHARE - 1) + 3;

/// The product of windows whose columns have channels of their own with the panels of B. The operands have been checked.
///
/// # Panics
/// If there are more than [`TERMS`], or the pixels have less channels than the product has columns.
pub(super) fn gemm<T: Scalar>(
    kernels: &Kernels<T>,
    [_, n, k]: [usize; 3],
    a: &Pixels<T>,
    panels: &[T],
    epilogue: Epilogue<T>,
) {
    assert!(k <= TERMS && a.skipped == [0, 0], "gemm: {k} terms of a channel by itself");
    a.check_channels("a", n);
    let [(height, _), (width, _)] = a.windows;
    let (panel, lanes) = (kernels.cols(), kernels.lanes);
    let tile = (SUMS / n / SHARE * SHARE).clamp(SHARE, WINDOWS);
    // The first tile of a line is shorter, so that others are whole groups.
    let edge = inside(a).start.min(SHARE);
    let first = if edge > 0 && width > tile { edge + tile - SHARE } else { tile };
    // What is read and written costs about as much as two terms.
    parallel(a.images.0 * height, 2 * (k + 2) * width * n, &|lines| {
        with_buffer(pack::SUMS, tile * n, |acc| {
            for line in lines {
                let mut x = 0;
                while x < width {
                    let end = if x == 0 { first } else { x + tile };
                    let (row, rows) = (line * width + x, end.min(width) - x);
                    let of = Line { a, row, columns: x..x + rows, n, k, panel, lanes, panels };
                    simd_run(Sums { of, acc: &mut *acc });
                    epilogue(Tile { row, col: 0, rows, cols: n, stride: n, acc });
                    x += rows;
                }
            }
        });
    });
}

/// Some windows of a line.
struct Line<'a, T> {
    a: &'a Pixels<'a, T>,
    /// The first window, and which of its line they are.
    row: usize,
    columns: Range<usize>,
    n: usize,
    k: usize,
    /// Columns of a panel, and elements of a vector, of which a panel has a whole number.
    panel: usize,
    lanes: usize,
    panels: &'a [T],
}

/// The sums of a line's windows, `[columns, n]`.
struct Sums<'a, T> {
    of: Line<'a, T>,
    acc: &'a mut [T],
}

/// Some channels: their factors, `[k, width]`, the first one, and how many.
#[derive(Clone, Copy)]
struct Channels<'a, T> {
    factors: &'a [T],
    width: usize,
    col: usize,
    cols: usize,
}

/// A term: which, and its pixel.
type Term = [usize; 2];

impl<T: Scalar> Body for Sums<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<M: Math>(self) {
        let Line { columns, n, row, .. } = &self.of;
        let (inside, mut terms, mut x) = (inside(self.of.a), [[0; 2]; TERMS], columns.start);
        let (low, high) = (columns.start.max(inside.start), columns.end.min(inside.end));
        while x < columns.end {
            let all = (low..high).contains(&x) && low + SHARE <= high;
            let share = if all { SHARE } else { 1 };
            // The last group is over some windows of the one before.
            let first = if all { x.min(high - SHARE) } else { x };
            let count = self.of.terms(row + first - columns.start, &mut terms);
            let to = &mut self.acc[(first - columns.start) * n..][..share * n];
            self.of.windows::<M>(&terms[..count], share, to);
            x = first + share;
        }
    }
}

/// The windows of a line of which no place is before or behind it.
#[inline(always)]
fn inside<T>(a: &Pixels<T>) -> Range<usize> {
    let ((places, near), (_, step)) = (a.places[1], a.windows[1]);
    let (first, reach) = (a.first[1], ((places - 1) * near) as isize);
    let start = (-first).max(0) as usize;
    let end = a.size[1] as isize - first - reach;
    start.div_ceil(step)..(end.max(0) as usize).div_ceil(step)
}

impl<T: Scalar> Line<'_, T> {
    /// The terms of a window that aren't zeros.
    #[inline(always)]
    fn terms(&self, window: usize, terms: &mut [Term; TERMS]) -> usize {
        let [(_, far), (along, near)] = self.a.places;
        let (image, [y, x]) = self.a.window(window);
        let (mut count, mut r, mut s) = (0, 0, 0);
        for p in 0..self.k {
            if let Some(pixel) = self.a.pixel(image, [y + (r * far) as isize, x + (s * near) as isize]) {
                terms[count] = [p, pixel];
                count += 1;
            }
            s += 1;
            if s == along {
                (r, s) = (r + 1, 0);
            }
        }
        count
    }

    /// The sums of one window or of `SHARE`, of all channels.
    #[inline(always)]
    fn windows<M: Math>(&self, terms: &[Term], share: usize, to: &mut [T]) {
        let Line { a, n, k, panel, lanes, panels, .. } = *self;
        for col in (0..n).step_by(panel) {
            let cols = panel.min(n - col);
            let width = cols.next_multiple_of(lanes);
            let of = Channels { factors: &panels[col * k..][..k * width], width, col, cols };
            match (share, cols, a.places[1], a.windows[1].1) {
                (SHARE, LANES.., (3, 1), 1) => self.slid::<M, 1>(terms, &of, to),
                (SHARE, LANES.., (3, 1), 2) => self.slid::<M, 2>(terms, &of, to),
                (_, LANES.., ..) => self.each::<M, LANES>(terms, &of, to),
                (_, 4.., ..) => self.each::<M, 4>(terms, &of, to),
                _ => self.each::<M, 1>(terms, &of, to),
            }
        }
    }

    /// The sums of windows one by one. No closures: they would be compiled without the instruction set.
    #[inline(always)]
    fn each<M: Math, const W: usize>(&self, terms: &[Term], of: &Channels<T>, to: &mut [T]) {
        let step = self.a.windows[1].1 * self.a.pitch;
        for (i, to) in to.chunks_exact_mut(self.n).enumerate() {
            self.sums::<M, W>(terms, i * step, of, to);
        }
    }

    /// The sums of the window that lies `behind` the terms', `W` channels at a time: the last ones over some of those before.
    #[inline(always)]
    fn sums<M: Math, const W: usize>(&self, terms: &[Term], behind: usize, of: &Channels<T>, to: &mut [T]) {
        for at in (0..of.cols).step_by(W) {
            let at = at.min(of.cols - W);
            let mut sums = [T::default(); W];
            for [p, pixel] in terms {
                let (x, y) = (of.factor::<W>(*p, at), self.channels::<W>(pixel + behind + of.col + at));
                for l in 0..W {
                    sums[l] = M::mul_add(x[l], y[l], sums[l]);
                }
            }
            *to[of.col + at..].first_chunk_mut().expect("a window's channels") = sums;
        }
    }

    /// The sums of windows side by side that are three pixels wide and `STEP` apart; all terms of a line are there.
    #[inline(always)]
    fn slid<M: Math, const STEP: usize>(&self, terms: &[Term], of: &Channels<T>, to: &mut [T]) {
        for at in (0..of.cols).step_by(LANES) {
            let at = at.min(of.cols - LANES);
            let mut sums = [[T::default(); LANES]; SHARE];
            for line in terms.chunks_exact(3) {
                let [p, pixel] = line[0];
                let mut pixels = [[T::default(); LANES]; PIXELS];
                for (i, x) in pixels.iter_mut().enumerate().take(STEP * (SHARE - 1) + 3) {
                    *x = self.channels(pixel + i * self.a.pitch + of.col + at);
                }
                for s in 0..3 {
                    let x: [T; LANES] = of.factor(p + s, at);
                    for (i, sums) in sums.iter_mut().enumerate() {
                        for l in 0..LANES {
                            sums[l] = M::mul_add(x[l], pixels[i * STEP + s][l], sums[l]);
                        }
                    }
                }
            }
            for (i, sums) in sums.iter().enumerate() {
                *to[i * self.n + of.col + at..].first_chunk_mut().expect("a window's channels") = *sums;
            }
        }
    }

    /// Channels as they lie.
    #[inline(always)]
    fn channels<const W: usize>(&self, at: usize) -> [T; W] {
        debug_assert!(at + W <= self.a.data.len());
        // SAFETY: pixels of terms are in the image, as are those of the windows beside, if all terms of the last one are; of each, the
        // product's columns were checked to be in the data.
        unsafe { self.a.data.as_ptr().add(at).cast::<[T; W]>().read() }
    }
}

impl<T: Scalar> Channels<'_, T> {
    /// Factors of a term.
    #[inline(always)]
    fn factor<const W: usize>(&self, p: usize, at: usize) -> [T; W] {
        debug_assert!(p * self.width + at + W <= self.factors.len());
        // SAFETY: terms are below `k`, and a row of factors has `cols` elements at least, of which `at + W` are no more.
        unsafe { self.factors.as_ptr().add(p * self.width + at).cast::<[T; W]>().read() }
    }
}

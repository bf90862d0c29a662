//! Products of few rows and few terms over the windows of images, as a convolution of each channel by itself.
//!
//! Nothing is packed term by term. The images' lines are laid out between their zeros in a buffer of this thread, and by the
//! remainder of a pixel's place by the windows' distance: then a term is a run of pixels from end to end, whatever the
//! windows are, lines included; what a run has between two lines is computed and left out.

use super::kernel::Scalar;
use super::pack::{self, with_buffer};
use super::stored::{Reads, Stored};
use super::walk::Operand;
use super::windows::Windows;
use super::{Epilogue, Tile};
use crate::kernels::isa::{Body, simd_run};
use crate::kernels::math::Math;
use crate::kernels::threads::parallel;
use std::ops::Range;

/// Most rows that share their images.
const ROWS: usize = 4;
/// Most terms.
const TERMS: usize = 64;
/// Pixels laid out at a time, about: they stay in L1.
const PIXELS: usize = 1 << 12;
/// Sums computed at a time.
const LANES: usize = 16;

/// Whether a product of `m` rows and `k` terms is for this room.
pub(super) fn fits<T>(m: usize, k: usize, b: &Windows<T>) -> bool {
    (b.each > 0 || m <= ROWS) && b.images.0 == 1 && (1..=TERMS).contains(&k) && b.skipped == [0, 0]
}

/// The product of what fits. The operands have been checked.
pub(super) fn gemm<T: Scalar>([m, _, k]: [usize; 3], a: &Operand<T>, b: &Windows<T>, epilogue: Epilogue<T>) {
    if let Operand::Own(Stored::Strided(a)) = a
        && a.col_stride == 1
        && a.row_stride >= 0
    {
        let factors = Factors { data: &a.data[a.offset..], distance: a.row_stride as usize };
        return product([m, k], factors, b, epilogue);
    }
    with_buffer(pack::FACTORS, m * k, |data| {
        // Strips of one row: a row's factors follow each other.
        pack::pack_a(1, 0, m, k, a, data);
        product([m, k], Factors { data, distance: k }, b, epilogue);
    });
}

/// Rows of factors that are some distance apart.
#[derive(Clone, Copy)]
struct Factors<'a, T> {
    data: &'a [T],
    distance: usize,
}

fn product<T: Scalar>([m, k]: [usize; 2], factors: Factors<T>, b: &Windows<T>, epilogue: Epilogue<T>) {
    let [(height, _), (width, _)] = b.windows;
    let mut terms = [Term::default(); TERMS];
    let layout = Layout::of(b, &mut terms[..k]);
    let lines = layout.lines().clamp(1, height);
    let groups = height.div_ceil(lines);
    // Rows that share images, and how many images there are.
    let (rows, images) = if b.each > 0 { (1, m) } else { (m, 1) };
    // What is laid out costs about as much as two terms.
    let cost = 2 * (rows * k + 2) * lines * width;
    parallel(images * groups, cost, &|items| {
        for item in items {
            let (image, first) = (item / groups, item % groups * lines);
            let here = first..(first + lines).min(height);
            block(&layout, factors, [image * rows, rows], b, here, epilogue);
        }
    });
}

/// The sums of some lines of windows for the rows that share their images.
fn block<T: Scalar>(
    layout: &Layout,
    factors: Factors<T>,
    [row, rows]: [usize; 2],
    b: &Windows<T>,
    here: Range<usize>,
    epilogue: Epilogue<T>,
) {
    let (width, height) = (b.windows[1].0, here.len());
    let [planes, run] = [layout.planes * layout.plane(height), layout.run(width, height)];
    let (col, cols) = (here.start * width, height * width);
    with_buffer(pack::PATCHES, planes + LANES, |pixels| {
        with_buffer(pack::SUMS, run + rows * cols, |sums| {
            let (run, acc) = sums.split_at_mut(run);
            let image = b.offset + row * b.each;
            simd_run(Block { layout, b, image, here, factors, row, pixels, run, acc: &mut *acc });
            epilogue(Tile { row, col, rows, cols, stride: cols, acc });
        });
    });
}

/// Where a term's run begins: in which plane, and from there on.
#[derive(Clone, Copy, Default)]
struct Term {
    plane: usize,
    at: usize,
}

/// How images are laid out: a plane for each channel and remainder.
struct Layout<'t> {
    terms: &'t [Term],
    planes: usize,
    /// Remainders that terms have, down and along.
    remainders: [usize; 2],
    /// Lines beyond the windows' own that terms reach.
    below: usize,
    /// Pixels of a line.
    pitch: usize,
}

impl<'t> Layout<'t> {
    fn of<T>(b: &Windows<T>, terms: &'t mut [Term]) -> Layout<'t> {
        let side = |i: usize| {
            let ((places, far), (_, step)) = (b.places[i], b.windows[i]);
            let last = places.saturating_sub(1) * far;
            (step.min(last + 1), last / step)
        };
        let ((down, below), (along, behind)) = (side(0), side(1));
        let pitch = b.windows[1].0 + behind;
        for (p, term) in terms.iter_mut().enumerate() {
            let ([channel, r, s], [(_, by), (_, step)]) = (b.place(p), b.windows);
            let plane = (channel * down + r % by) * along + s % step;
            *term = Term { plane, at: r / by * pitch + s / step };
        }
        Layout { terms, planes: b.channels.0 * down * along, remainders: [down, along], below, pitch }
    }

    /// Lines of windows whose pixels are laid out at a time.
    fn lines(&self) -> usize {
        (PIXELS / (self.planes * self.pitch)).saturating_sub(self.below)
    }

    /// Pixels of a plane under some lines of windows.
    fn plane(&self, lines: usize) -> usize {
        (lines + self.below) * self.pitch
    }

    /// Sums of a run over some lines of windows, in whole vectors.
    fn run(&self, width: usize, lines: usize) -> usize {
        ((lines - 1) * self.pitch + width).next_multiple_of(LANES)
    }
}

struct Block<'a, T> {
    layout: &'a Layout<'a>,
    b: &'a Windows<'a, T>,
    /// Where the first image begins.
    image: usize,
    /// Lines of windows.
    here: Range<usize>,
    factors: Factors<'a, T>,
    /// The first row.
    row: usize,
    /// The planes, and a vector more: whole vectors of a run may end there.
    pixels: &'a mut [T],
    run: &'a mut [T],
    /// `[rows, lines, width]`
    acc: &'a mut [T],
}

impl<T: Scalar> Body for Block<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<M: Math>(mut self) {
        self.lay_out();
        let (width, lines, terms) = (self.b.windows[1].0, self.here.len(), self.layout.terms);
        let (mut at, plane, k) = ([0; TERMS], self.layout.plane(lines), terms.len());
        for (at, term) in at.iter_mut().zip(terms) {
            *at = term.plane * plane + term.at;
        }
        let (at, pixels) = (&at[..k], &*self.pixels);
        for (i, acc) in self.acc.chunks_exact_mut(lines * width).enumerate() {
            let factors = &self.factors.data[(self.row + i) * self.factors.distance..][..k];
            match k {
                9 => sums::<M, T, 9>(factors, pixels, at, self.run),
                25 => sums::<M, T, 25>(factors, pixels, at, self.run),
                _ => sums::<M, T, ANY>(factors, pixels, at, self.run),
            }
            for (to, from) in acc.chunks_exact_mut(width).zip(self.run.chunks(self.layout.pitch)) {
                T::copy(&from[..width], to);
            }
        }
    }
}

impl<T: Scalar> Block<'_, T> {
    /// The pixels under the windows.
    #[inline(always)]
    fn lay_out(&mut self) {
        let Layout { remainders, below, pitch, planes, .. } = *self.layout;
        let (b, lines) = (self.b, self.here.len() + below);
        let [(_, down), (_, along)] = b.windows;
        self.pixels.fill(T::default());
        for (n, plane) in self.pixels.chunks_exact_mut(lines * pitch).take(planes).enumerate() {
            let (of, s) = (n / remainders[1], n % remainders[1]);
            let (channel, r) = (of / remainders[0], of % remainders[0]);
            let image = self.image + channel * b.channels.1;
            let x = b.first[1] + s as isize;
            let there = b.there(x, along, pitch);
            let x = x + (there.start * along) as isize;
            if there.is_empty() {
                continue;
            }
            for (i, line) in plane.chunks_exact_mut(pitch).enumerate() {
                let y = b.first[0] + ((self.here.start + i) * down + r) as isize;
                b.pixels(image, [y, x], along, &mut line[there.clone()]);
            }
        }
    }
}

/// A number of terms that is known only when the program runs.
const ANY: usize = 0;

/// The sums of a run, some vectors at a time: `K` terms.
#[inline(always)]
fn sums<M: Math, T: Scalar, const K: usize>(factors: &[T], pixels: &[T], at: &[usize], to: &mut [T]) {
    let k = if K == ANY { at.len() } else { K };
    let (factors, at) = (&factors[..k], &at[..k]);
    let whole = to.len() - to.len() % WIDE;
    for first in (0..whole).step_by(WIDE) {
        *to[first..].first_chunk_mut().expect("as many") = chunk::<M, T, WIDE>(factors, pixels, at, first);
    }
    for first in (whole..to.len()).step_by(LANES) {
        *to[first..].first_chunk_mut().expect("a vector") = chunk::<M, T, LANES>(factors, pixels, at, first);
    }
}

/// Sums of a step: enough vectors to hide what an addition takes.
const WIDE: usize = 2 * LANES;

#[inline(always)]
fn chunk<M: Math, T: Scalar, const W: usize>(
    factors: &[T],
    pixels: &[T],
    at: &[usize],
    first: usize,
) -> [T; W] {
    let mut sums = [T::default(); W];
    for (x, at) in factors.iter().zip(at) {
        let from: &[T; W] = pixels[at + first..].first_chunk().expect("a run and what is beyond it");
        for l in 0..W {
            sums[l] = M::mul_add(*x, from[l], sums[l]);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::super::{Element, Isa, Matrix, gemm_into};
    use super::*;
    use crate::kernels::gemm::Out;
    use crate::kernels::gemm::into::Target;

    fn small(n: usize) -> Vec<f32> {
        (0..n).map(|i| (i * 7 % 11) as f32 - 5.0).collect()
    }

    /// A sum of the definition.
    fn sum(a: &[f32], b: &Windows<f32>, row: usize, at: usize) -> f32 {
        let [k, _] = b.shape();
        let [(height, down), (across, along)] = b.windows;
        let (image, line) = (at / across / height * b.images.1, at / across % height);
        let term = |p: usize| {
            let [channel, r, s] = b.place(p);
            let y = b.first[0] + (line * down + r) as isize;
            let x = b.first[1] + (at % across * along + s) as isize;
            let inside = (0..b.size[0] as isize).contains(&y) && (0..b.size[1] as isize).contains(&x);
            let image = image + b.offset + row * b.each + channel * b.channels.1;
            if inside { a[row * k + p] * b.data[image + y as usize * b.size[1] + x as usize] } else { 0.0 }
        };
        (0..k).map(term).sum()
    }

    /// Small whole numbers, so that sums are exact in any order.
    fn check(m: usize, b: &Windows<f32>) {
        let [k, n] = b.shape();
        let a = small(m * k);
        for isa in Isa::available() {
            let mut got = vec![f32::NAN; m * n];
            let target = Target::new([m, n], &mut got, n);
            let size = [m, n, k];
            // SAFETY: each element is handed out once, and all of them lie in the target.
            let store = |tile: Tile<f32>| unsafe { target.store(tile) };
            f32::gemm_on(isa, size, Matrix::rows(&a, k).into(), (*b).into(), Out::tiles(&store));
            for (i, got) in got.iter().enumerate() {
                assert_eq!(*got, sum(&a, b, i / n, i % n), "{m} rows, {b:?}, at {i}");
            }
        }
    }

    /// An image's size, places of windows with their distance, the windows' distance, and where the first one begins.
    type Case = ([usize; 2], [(usize, usize); 2], [usize; 2], [isize; 2]);

    /// Strides, dilations and sizes of windows; images that are narrow, wide and laid out in several parts; all in zeros.
    #[test]
    fn windows_of_every_kind() {
        let cases: [Case; 7] = [
            ([7, 7], [(3, 1), (3, 1)], [1, 1], [-1, -1]),
            ([8, 14], [(3, 1), (3, 1)], [2, 2], [-1, -1]),
            ([9, 5], [(5, 1), (5, 1)], [1, 2], [-2, -2]),
            ([6, 70], [(3, 2), (2, 3)], [1, 1], [0, -4]),
            ([90, 61], [(3, 1), (3, 1)], [2, 3], [-1, 0]),
            ([1, 40], [(1, 1), (4, 1)], [1, 4], [0, 0]),
            ([3, 2], [(4, 2), (1, 1)], [3, 1], [-6, -2]),
        ];
        for (size, places, steps, first) in cases {
            let count = |i: usize| {
                let (len, far) = places[i];
                // As much zero behind the image as before it.
                (size[i] + 2 * first[i].unsigned_abs()).saturating_sub((len - 1) * far + 1) / steps[i] + 1
            };
            let plane = size[0] * size[1];
            let data = small(5 * plane + 3);
            let windows = [(count(0), steps[0]), (count(1), steps[1])];
            let b = |each, channels| Windows {
                data: &data,
                offset: 3,
                each,
                channels: (channels, plane),
                images: (1, 0),
                size,
                first,
                places,
                windows,
                skipped: [0, 0],
            };
            // A row with an image of its own; rows that share images; and more of them, which are packed.
            check(5, &b(plane, 1));
            check(3, &b(0, 2));
            check(7, &b(0, 5));
            // Two channels of two images, which overlap here, or lie one behind the other.
            check(3, &b(0, 2).images(2, plane));
            check(7, &b(0, 2).images(3, plane));
        }
    }

    #[test]
    #[should_panic(expected = "operand b needs element 26, but its data has 26")]
    fn images_beyond_the_data_are_refused() {
        let (places, windows) = ([(3, 1); 2], [(1, 1); 2]);
        let (data, channels) = (&[0.0; 26], (3, 9));
        let b = Windows {
            data,
            offset: 0,
            each: 0,
            channels,
            images: (1, 0),
            size: [3, 3],
            first: [0, 0],
            places,
            windows,
            skipped: [0, 0],
        };
        gemm_into(1, 1, 27, Matrix::rows(&[0.0; 27], 27), b, &mut [0.0], 1);
    }
}

//! Windows over images, the right operand of a convolution: no window is ever written out, and the zeros between which an
//! image lies are stored nowhere.

use super::kernel::Scalar;
use super::stored::Reads;
use super::walk::Side;
use crate::kernels::isa::{Body, simd_run};
use crate::kernels::math::Math;
use std::ops::Range;

/// Windows as a matrix: a row for each place in a window of each channel, a column for each window.
#[derive(Clone, Copy, Debug)]
pub struct Windows<'a, T> {
    /// The pixels: an image's lines follow each other.
    pub data: &'a [T],
    /// Where the first image begins.
    pub offset: usize,
    /// From the images of one row of the product to those of the next; 0 if all rows share theirs.
    pub each: usize,
    /// Images whose products are summed, and from one to the next.
    pub channels: (usize, usize),
    /// Images with windows of their own, whose columns follow each other, and from one to the next.
    pub images: (usize, usize),
    /// Lines of an image, and pixels of a line.
    pub size: [usize; 2],
    /// Where the first window begins, down and along; below 0 in what is 0.
    pub first: [isize; 2],
    /// Places of a window, and the distance of two, down and along.
    pub places: [(usize, usize); 2],
    /// Windows, and the distance of two, down and along.
    pub windows: [(usize, usize); 2],
    /// Rows and columns passed over before element `(0, 0)`.
    pub skipped: [usize; 2],
}

impl<'a, T> Windows<'a, T> {
    /// The windows over so many images, one behind the other, `by` apart.
    #[must_use]
    pub fn images(self, images: usize, by: usize) -> Self {
        Windows { images: (images, by), ..self }
    }

    /// Terms and windows.
    pub(super) fn shape(&self) -> [usize; 2] {
        let [[(r, _), (s, _)], [(y, _), (x, _)]] = [self.places, self.windows];
        [self.channels.0 * r * s, self.images.0 * y * x]
    }

    /// Panics unless the operand is of that size and the pixels for a row of the product lie in the data.
    pub(super) fn check(&self, name: &str, want: [usize; 2]) {
        let have = self.shape();
        assert_eq!(have, want, "gemm: operand {name} is {have:?}, not {want:?}");
        let [height, width] = self.size;
        if !want.contains(&0) && height * width > 0 {
            let last = [self.channels, self.images].iter().map(|(n, by)| (n - 1) * by).sum::<usize>();
            let last = self.offset + last + height * width - 1;
            let len = self.data.len();
            assert!(last < len, "gemm: operand {name} needs element {last}, but its data has {len}");
        }
    }

    /// The operand from a row or column on.
    pub(super) fn from(mut self, side: Side, start: usize) -> Self {
        self.skipped[side as usize] += start;
        self
    }

    /// Channel, line and pixel of a term's place in the first window.
    #[inline(always)]
    pub(super) fn place(&self, term: usize) -> [usize; 3] {
        let [(down, far), (along, near)] = self.places;
        [term / along / down, term / along % down * far, term % along * near]
    }

    /// Which of `len` pixels `x`, `x + step`, … of a line are there.
    #[inline(always)]
    pub(super) fn there(&self, x: isize, step: usize, len: usize) -> Range<usize> {
        let end = self.size[1] as isize - x;
        // A division takes as long as copying a short line.
        let [low, high] = [-x, end].map(|end| {
            let end = end.max(0) as usize;
            match step {
                1 => end,
                2 => end.div_ceil(2),
                _ => end.div_ceil(step),
            }
        });
        let high = high.min(len);
        low.min(high)..high
    }

    /// Copies as many pixels as `to` has, every `step`-th from `x` on, of line `y` of an image that begins at `image`; leaves `to`
    /// alone where there is no such line.
    #[inline(always)]
    pub(super) fn pixels<U>(&self, image: usize, [y, x]: [isize; 2], step: usize, to: &mut [U]) -> bool
    where
        T: Reads<U>,
        U: Scalar,
    {
        let [height, width] = self.size;
        if y < 0 || y >= height as isize {
            return false;
        }
        let from = &self.data[image + y as usize * width..][..width][x as usize..];
        match step {
            1 => T::copy(&from[..to.len()], to),
            2 => every::<T, U, 2>(from, to),
            _ => {
                for (j, to) in to.iter_mut().enumerate() {
                    *to = from[j * step].read();
                }
            }
        }
        true
    }

    /// A panel of B: row `p` of the operand's columns `col..col + cols` at `to[p * width..]`, then zeros.
    pub(super) fn panel<U>(&self, col: usize, cols: usize, width: usize, to: &mut [U])
    where
        T: Reads<U>,
        U: Scalar,
    {
        simd_run(Panel { b: self, col: self.skipped[1] + col, cols, width, to });
    }

    /// Windows of a panel, line by line.
    #[inline(always)]
    fn runs<'r>(&self, col: usize, cols: usize, runs: &'r mut [Run; WIDEST]) -> &'r [Run] {
        let [(height, down), (across, along)] = self.windows;
        let (line, mut x, mut at, mut count) = (col / across, col % across, 0, 0);
        let (mut image, mut y) = (line / height, line % height);
        while at < cols {
            let len = (across - x).min(cols - at);
            let place = [self.first[0] + (y * down) as isize, self.first[1] + (x * along) as isize];
            runs[count] = Run { image: image * self.images.1, place, at, len };
            (y, x, at, count) = (y + 1, 0, at + len, count + 1);
            if y == height {
                (image, y) = (image + 1, 0);
            }
        }
        &runs[..count]
    }
}

/// Most columns of a panel.
const WIDEST: usize = 64;

/// Windows that follow each other along a line.
#[derive(Clone, Copy, Default)]
struct Run {
    /// From the first image to theirs.
    image: usize,
    /// Where the first one begins.
    place: [isize; 2],
    /// Its column in the panel.
    at: usize,
    len: usize,
}

struct Panel<'p, T, U> {
    b: &'p Windows<'p, T>,
    col: usize,
    cols: usize,
    width: usize,
    to: &'p mut [U],
}

impl<T: Reads<U>, U: Scalar> Body for Panel<'_, T, U> {
    type Output = ();
    #[inline(always)]
    fn run<M: Math>(self) {
        let Panel { b, col, cols, width, to } = self;
        let mut runs = [Run::default(); WIDEST];
        let runs = b.runs(col, cols, &mut runs);
        let ([(down, far), (along, near)], step) = (b.places, b.windows[1].1);
        let term = b.skipped[0];
        let (mut channel, mut r, mut s) = (term / along / down, term / along % down, term % along);
        for line in to.chunks_exact_mut(width) {
            let image = b.offset + channel * b.channels.1;
            for run in runs {
                let [y, x] = [run.place[0] + (r * far) as isize, run.place[1] + (s * near) as isize];
                let to = &mut line[run.at..][..run.len];
                let there = b.there(x, step, run.len);
                if there.len() < run.len {
                    to.fill(U::default());
                }
                let first = x + (there.start * step) as isize;
                let image = image + run.image;
                if there.is_empty() || !b.pixels(image, [y, first], step, &mut to[there]) {
                    to.fill(U::default());
                }
            }
            line[cols..].fill(U::default());
            s += 1;
            if s == along {
                (r, s) = (r + 1, 0);
            }
            if r == down {
                (channel, r) = (channel + 1, 0);
            }
        }
    }
}

/// Every `STEP`-th element.
#[inline(always)]
fn every<T: Reads<U>, U: Scalar, const STEP: usize>(from: &[T], to: &mut [U]) {
    // All but the last one, which may have nothing behind it, with what is passed over.
    let whole = to.len().saturating_sub(1);
    let pairs = from[..whole * STEP].chunks_exact(STEP);
    for (to, x) in to.iter_mut().zip(pairs) {
        *to = x[0].read();
    }
    if let Some(last) = to.last_mut() {
        *last = from[whole * STEP].read();
    }
}

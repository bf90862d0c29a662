//! Windows over images, the right operand of a convolution: no window is ever written out, and the zeros between which an
//! image lies are stored nowhere.

use super::kernel::Scalar;
use super::stored::Reads;
use super::walk::Side;
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

/// A run of pixels of a line: windows that follow each other.
#[derive(Clone, Copy)]
struct Run {
    /// The window's place down and along.
    at: [usize; 2],
    len: usize,
}

impl<'a, T> Windows<'a, T> {
    /// Terms and windows.
    pub(super) fn shape(&self) -> [usize; 2] {
        let [[(r, _), (s, _)], [(y, _), (x, _)]] = [self.places, self.windows];
        [self.channels.0 * r * s, y * x]
    }

    /// Panics unless the operand is of that size and the pixels for a row of the product lie in the data.
    pub(super) fn check(&self, name: &str, want: [usize; 2]) {
        let have = self.shape();
        assert_eq!(have, want, "gemm: operand {name} is {have:?}, not {want:?}");
        let [height, width] = self.size;
        if !want.contains(&0) && height * width > 0 {
            let (channels, plane) = self.channels;
            let last = self.offset + (channels - 1) * plane + height * width - 1;
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
            if step == 1 { end } else { end.div_ceil(step) }
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
        let [(_, down), (across, along)] = self.windows;
        for (p, line) in to.chunks_exact_mut(width).enumerate() {
            let [channel, r, s] = self.place(self.skipped[0] + p);
            let image = self.offset + channel * self.channels.1;
            let (line, rest) = line.split_at_mut(cols);
            let mut at = 0;
            for Run { at: [y, x], len } in runs(self.skipped[1] + col, cols, across) {
                let [y, x] =
                    [self.first[0] + (y * down + r) as isize, self.first[1] + (x * along + s) as isize];
                let to = &mut line[at..at + len];
                let there = self.there(x, along, len);
                let first = x + (there.start * along) as isize;
                if there.is_empty() || !self.pixels(image, [y, first], along, &mut to[there.clone()]) {
                    to.fill(U::default());
                } else {
                    to[..there.start].fill(U::default());
                    to[there.end..].fill(U::default());
                }
                at += len;
            }
            rest.fill(U::default());
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

/// Windows from `first` on, line by line of `across` windows.
fn runs(first: usize, count: usize, across: usize) -> impl Iterator<Item = Run> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = [(first + done) / across, (first + done) % across];
        let len = (across - at[1]).min(count - done);
        done += len;
        (len > 0).then_some(Run { at, len })
    })
}

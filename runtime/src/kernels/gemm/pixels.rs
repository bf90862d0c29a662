//! Windows over images whose pixels keep their channels together, the left operand of a convolution: a row for each window, a column
//! for each place in it and channel. A row is a few runs of channels, copied line by line while a block of rows is made.
//!
//! Where columns have channels of their own (a convolution of each channel by itself), nothing is copied: `depthwise` sums pixels
//! where they lie.

use super::kernel::Scalar;
use super::stored::Reads;
use super::walk::Side;
use std::ops::Range;

/// Windows as a matrix: a row for each window of each image, a column for each channel of each place.
#[derive(Clone, Copy, Debug)]
pub struct Pixels<'a, T> {
    /// The pixels: an image's lines follow each other.
    pub data: &'a [T],
    /// Where the first image begins, or the first of the channels that count.
    pub offset: usize,
    /// Whether each column of the product has a channel of its own, and sums over places only.
    pub own: bool,
    /// Channels that are summed over; 1 if they are the columns' own.
    pub channels: usize,
    /// From one pixel to the next.
    pub pitch: usize,
    /// Images, and from one to the next.
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

impl<T> Pixels<'_, T> {
    /// Windows and terms.
    fn shape(&self) -> [usize; 2] {
        let [[(r, _), (s, _)], [(y, _), (x, _)]] = [self.places, self.windows];
        [self.images.0 * y * x, self.channels * r * s]
    }

    /// Panics unless the operand is of that size and its pixels lie in the data.
    pub(super) fn check(&self, name: &str, want: [usize; 2]) {
        let have = self.shape();
        assert_eq!(have, want, "gemm: operand {name} is {have:?}, not {want:?}");
        self.check_channels(name, self.channels);
    }

    /// Panics unless so many channels of each pixel lie in the data.
    pub(super) fn check_channels(&self, name: &str, channels: usize) {
        let [height, width] = self.size;
        if self.images.0 * height * width * channels > 0 {
            let last = (self.images.0 - 1) * self.images.1 + (height * width - 1) * self.pitch + channels - 1;
            let (last, len) = (self.offset + last, self.data.len());
            assert!(channels <= self.pitch, "gemm: operand {name} has {channels} channels in {}", self.pitch);
            assert!(last < len, "gemm: operand {name} needs element {last}, but its data has {len}");
        }
    }

    /// The operand from a row or column on.
    pub(super) fn from(mut self, side: Side, start: usize) -> Self {
        self.skipped[side as usize] += start;
        self
    }

    /// Where a window's first pixel is in its image, which is where its image begins.
    #[inline(always)]
    pub(super) fn window(&self, at: usize) -> (usize, [isize; 2]) {
        let [(height, down), (width, along)] = self.windows;
        let (line, x) = (at / width, at % width);
        let (image, y) = (line / height, line % height);
        let place = [self.first[0] + (y * down) as isize, self.first[1] + (x * along) as isize];
        (self.offset + image * self.images.1, place)
    }

    /// Where the pixel of an image is, if it is there.
    #[inline(always)]
    pub(super) fn pixel(&self, image: usize, [y, x]: [isize; 2]) -> Option<usize> {
        let [height, width] = self.size;
        // Below 0 is beyond the end as well.
        let (y, x) = (y as usize, x as usize);
        (y < height && x < width).then(|| image + (y * width + x) * self.pitch)
    }

    /// Rows of `k` elements into `to`, one behind the other.
    pub(super) fn lines<U: Scalar>(&self, rows: Range<usize>, k: usize, to: &mut [U])
    where
        T: Reads<U>,
    {
        let [(_, far), (along, near)] = self.places;
        let ([down, skip], channels) = (self.skipped, self.channels);
        for (row, line) in rows.zip(to.chunks_exact_mut(k.max(1))) {
            let (image, [y, x]) = self.window(down + row);
            let (mut at, mut place, mut start) = (0, skip / channels, skip % channels);
            while at < k {
                let here = &mut line[at..k.min(at + channels - start)];
                let (r, s) = (place / along, place % along);
                match self.pixel(image, [y + (r * far) as isize, x + (s * near) as isize]) {
                    Some(pixel) => T::copy(&self.data[pixel + start..][..here.len()], here),
                    None => here.fill(U::default()),
                }
                (at, place, start) = (at + here.len(), place + 1, 0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::into::Target;
    use super::super::{Element, Isa, Matrix, Operand, Out, Right, Windows, packed, packed_room};
    use super::*;

    /// Small whole numbers, so that sums are exact in any order.
    fn small(n: usize) -> Vec<f32> {
        (0..n).map(|i| (i * 7 % 11) as f32 - 5.0).collect()
    }

    fn product(
        isa: Isa,
        [m, n, k]: [usize; 3],
        a: impl Into<Operand<'static, f32>>,
        b: Right<f32>,
    ) -> Vec<f32> {
        let mut got = vec![f32::NAN; m * n];
        let target = Target::new([m, n], &mut got, n);
        // SAFETY: each element is handed out once, and all of them lie in the target.
        let store = |tile: super::super::Tile<f32>| unsafe { target.store(tile) };
        match b {
            Right::Operand(b) => f32::gemm_on(isa, [m, n, k], a.into(), b, Out::tiles(&store)),
            Right::Packed(b) => f32::gemm_packed_on(isa, [m, n, k], a.into(), b, Out::tiles(&store)),
        }
        got
    }

    /// Against sums of the definition, with factors packed before and not.
    fn check(a: &Pixels<'static, f32>, n: usize) {
        let [m, k] = a.shape();
        let b = small(k * n);
        let along = a.places[1].0;
        let sum = |i: usize, j: usize| -> f32 {
            let (image, [y, x]) = a.window(i);
            let term = |p: usize| {
                let (place, c) = (p / a.channels, p % a.channels);
                let (r, s) = (place / along * a.places[0].1, place % along * a.places[1].1);
                let pixel = a.pixel(image, [y + r as isize, x + s as isize]);
                pixel.map_or(0.0, |at| a.data[at + if a.own { j } else { c }] * b[p * n + j])
            };
            (0..k).map(term).sum()
        };
        for isa in Isa::available() {
            let plain: Operand<f32> = Matrix::rows(&b, n).into();
            let mut panels = vec![f32::NAN; packed_room(k, n)];
            f32::pack_on(isa, [k, n], 0, plain, &mut panels);
            for right in [Right::Operand(plain), Right::Packed(packed(&panels, [k, n]))] {
                let got = product(isa, [m, n, k], *a, right);
                for (at, got) in got.iter().enumerate() {
                    assert_eq!(*got, sum(at / n, at % n), "{isa:?}, {n} columns, {a:?}, at {at}");
                }
            }
        }
    }

    /// An image's size, places of windows with their distance, the windows' distance, and zeros before an image.
    type Case = ([usize; 2], [(usize, usize); 2], [usize; 2], [usize; 2]);

    const CASES: [Case; 6] = [
        ([7, 7], [(3, 1), (3, 1)], [1, 1], [1, 1]),
        ([8, 30], [(3, 1), (3, 1)], [2, 2], [1, 1]),
        ([9, 5], [(5, 1), (5, 1)], [1, 2], [2, 2]),
        ([6, 40], [(3, 2), (2, 3)], [1, 1], [0, 4]),
        ([1, 40], [(1, 1), (4, 1)], [1, 3], [0, 0]),
        ([3, 2], [(4, 2), (1, 1)], [3, 1], [6, 2]),
    ];

    /// Windows over two images of pixels of so many channels.
    fn windows(case: &Case, channels: usize, own: bool) -> Pixels<'static, f32> {
        let (size, places, steps, zeros) = *case;
        let count = |i: usize| {
            let (len, far) = places[i];
            (size[i] + 2 * zeros[i]).saturating_sub((len - 1) * far + 1) / steps[i] + 1
        };
        let pitch = channels + usize::from(channels > 4);
        let image = size[0] * size[1] * pitch;
        Pixels {
            data: small(2 * image + 3).leak(),
            offset: 3,
            own,
            channels: if own { 1 } else { channels },
            pitch,
            images: (2, image),
            size,
            first: zeros.map(|n| -(n as isize)),
            places,
            windows: [(count(0), steps[0]), (count(1), steps[1])],
            skipped: [0, 0],
        }
    }

    #[test]
    fn columns_that_share_channels() {
        for case in &CASES {
            for (channels, n) in [(1, 1), (3, 5), (16, 70), (37, 16)] {
                check(&windows(case, channels, false), n);
            }
        }
    }

    #[test]
    fn columns_with_channels_of_their_own() {
        for case in &CASES {
            for channels in [1, 3, 4, 9, 16, 24, 65, 144] {
                check(&windows(case, channels, true), channels);
            }
        }
    }

    /// Images that keep their channels apart are read from the left as well.
    #[test]
    fn transposed_windows() {
        let data: &[f32] = small(3 * 80).leak();
        let b = Windows {
            data,
            offset: 0,
            each: 0,
            channels: (3, 80),
            images: (1, 0),
            size: [8, 10],
            first: [-1, -1],
            places: [(3, 1); 2],
            windows: [(4, 2), (5, 2)],
            skipped: [0, 0],
        };
        let factors = small(27 * 21);
        for isa in Isa::available() {
            let got = product(isa, [20, 21, 27], b, Right::Operand(Matrix::rows(&factors, 21).into()));
            let mut turned = vec![f32::NAN; 21 * 20];
            let target = Target::new([21, 20], &mut turned, 20);
            let left = Matrix::rows(&factors, 21).transposed();
            // SAFETY: as above.
            let store = |tile: super::super::Tile<f32>| unsafe { target.store(tile) };
            f32::gemm_on(isa, [21, 20, 27], left.into(), b.into(), Out::tiles(&store));
            for (at, got) in got.iter().enumerate() {
                assert_eq!(*got, turned[at % 21 * 20 + at / 21], "{isa:?} at {at}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "needs element 290, but its data has 290")]
    fn pixels_beyond_the_data_are_refused() {
        let mut a = windows(&([6, 6], [(3, 1); 2], [1, 1], [1, 1]), 4, true);
        a.data = &a.data[..290];
        product(Isa::Portable, [72, 4, 9], a, Right::Operand(Matrix::rows(&[0.0; 36], 4).into()));
    }
}

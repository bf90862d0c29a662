//! Tiles of images whose pixels keep their channels together: a lane is a channel, so that tiles need no order of their own, and of
//! small images none is computed in vain. A tile is a row of a product, `[tiles, channels] × [channels, n]` at each point.

use super::transform::{Along, By, Cut, column};
use super::weights;
use crate::kernels::gemm::kernel::{Call, Kernels};
use crate::kernels::gemm::pack::{self, with_buffer};
use crate::kernels::gemm::pixels::Pixels;
use crate::kernels::gemm::{Epilogue, Tile};
use crate::kernels::isa::{Body, Isa, simd_run};
use crate::kernels::lanes::{LANES, Lanes};
use crate::kernels::math::Math;
use crate::kernels::threads::{parallel, threads_for};
use std::ops::Range;

/// Elements of a group's patches at the points: they stay in L2.
const NEAR: usize = 1 << 18;
/// Elements of factors that stay there as well: others are read once for as many tiles as that takes no longer than their products.
const FACTORS: usize = 1 << 18;
const TILES: usize = 64;
/// Tiles of a line whose pixels are handed out at a time.
const HANDED: usize = 4;
/// Operations that evaluating a patch at a point takes.
const PATCHING: usize = 8;

/// The convolution of the windows `a` with factors at the points, in panels, some pixels at a time to the epilogue.
///
/// # Panics
/// If the windows aren't 3 × 3 of stride 1, channels or columns aren't whole vectors, or an operand doesn't hold all its elements.
pub(super) fn convolve(
    tile: usize,
    [m, n]: [usize; 2],
    factors: &[f32],
    a: &Pixels<f32>,
    epilogue: Epilogue<f32>,
) {
    a.check("a", [m, 9 * a.channels]);
    let slides =
        a.places == [(3, 1); 2] && a.windows.iter().all(|w| w.1 == 1) && !a.own && a.skipped == [0, 0];
    assert!(slides, "winograd: no windows of 3 × 3 with stride 1: {:?}, {:?}", a.places, a.windows);
    let whole = a.channels.is_multiple_of(LANES) && n.is_multiple_of(LANES);
    assert!(whole, "winograd: {} channels of pixels, {n} columns", a.channels);
    assert_eq!(factors.len(), weights::len(tile, n, a.channels), "winograd: elements of the factors");
    match tile {
        2 => Images::<2, 4>::new(a, n, factors, epilogue).all(),
        4 => Images::<4, 6>::new(a, n, factors, epilogue).all(),
        _ => panic!("winograd: tiles of {tile} pixels along a side, not of 2 or 4"),
    }
}

/// What is convolved.
struct Images<'a, const T: usize, const P: usize> {
    a: &'a Pixels<'a, f32>,
    n: usize,
    factors: &'a [f32],
    epilogue: Epilogue<'a, f32>,
    kernels: Kernels<f32>,
    /// Tiles down and along an image.
    down: usize,
    across: usize,
}

/// Where a tile is: the image, its pixels, and the first of its patch.
#[derive(Clone, Copy)]
struct Place {
    image: usize,
    at: [usize; 2],
}

impl<'a, const T: usize, const P: usize> Images<'a, T, P>
where
    By: Cut<T, P>,
{
    fn new(a: &'a Pixels<'a, f32>, n: usize, factors: &'a [f32], epilogue: Epilogue<'a, f32>) -> Self {
        let [down, across] = a.windows.map(|(len, _)| len.div_ceil(T));
        Images { a, n, factors, epilogue, kernels: Kernels::of(Isa::detect()), down, across }
    }

    /// All tiles, group by group. Groups share threads where there are enough of them, else each group's parts do.
    fn all(&self) {
        let (tiles, channels) = (self.a.images.0 * self.down * self.across, self.a.channels);
        if tiles == 0 || self.n == 0 {
            return;
        }
        let cost = 2 * P * P * channels * self.n;
        let threads = threads_for(usize::MAX, cost.saturating_mul(tiles));
        let near = (NEAR / (P * P * channels)).max(self.kernels.rows);
        let most = match P * P * channels * self.n <= FACTORS {
            true if threads > 1 => near.min(tiles.div_ceil(4 * threads).max(self.kernels.rows)),
            true => near,
            false => near.max(TILES),
        };
        let groups = tiles.div_ceil(most);
        let each = tiles.div_ceil(groups);
        let run = |groups: Range<usize>| {
            for first in groups.map(|group| group * each) {
                self.group(first, each.min(tiles.saturating_sub(first)));
            }
        };
        if groups >= threads { parallel(groups, cost * each, &run) } else { run(0..groups) }
    }

    fn group(&self, first: usize, tiles: usize) {
        let channels = self.a.channels;
        let point = tiles * channels + LANES;
        with_buffer(pack::PATCHES, P * P * point, |patches| {
            let shared = Shared(patches.as_mut_ptr(), patches.len());
            parallel(tiles, PATCHING * P * P * channels, &|tiles| {
                simd_run(Patches { of: self, first, tiles, point, to: &shared });
            });
            // A tile's pixels are whole vectors of `LANES`, however few columns a kernel has.
            let (patches, panel) = (&*patches, self.kernels.cols().max(LANES));
            parallel(self.n.div_ceil(panel), 2 * P * P * channels * tiles * panel, &|panels| {
                for col in panels.map(|p| p * panel) {
                    self.panel([first, tiles], [col, panel.min(self.n - col)], patches);
                }
            });
        });
    }

    /// The pixels of a group's tiles for a panel's columns.
    fn panel(&self, [first, tiles]: [usize; 2], [col, cols]: [usize; 2], patches: &[f32]) {
        let point = tiles * cols + LANES;
        with_buffer(pack::POINTS, P * P * point, |products| {
            for p in 0..P * P {
                self.product(p, tiles, [col, cols], patches, &mut products[p * point..][..tiles * cols]);
            }
            with_buffer(pack::SUMS, T * HANDED * T * cols, |pixels| {
                let mut done = 0;
                while done < tiles {
                    let left = self.across - (first + done) % self.across;
                    let here = HANDED.min(left).min(tiles - done);
                    simd_run(Sums::<T, P> {
                        products,
                        point,
                        first: done,
                        tiles: here,
                        cols,
                        to: &mut *pixels,
                    });
                    self.hand_out(first + done, here, [col, cols], pixels);
                    done += here;
                }
            });
        });
    }

    /// The product at one point.
    fn product(&self, p: usize, tiles: usize, [col, cols]: [usize; 2], patches: &[f32], to: &mut [f32]) {
        let (kernels, k) = (&self.kernels, self.a.channels);
        let a = &patches[p * (tiles * k + LANES)..][..tiles * k];
        let plane = weights::point(self.n, k);
        for first in (0..cols).step_by(kernels.cols()) {
            let width = kernels.cols().min(cols - first);
            let b = &self.factors[p * plane + (col + first) * k..][..k * width];
            for row in (0..tiles).step_by(kernels.rows) {
                let height = kernels.rows.min(tiles - row);
                let c = &mut to[row * cols + first..][..(height - 1) * cols + width];
                // The factors at the next point: each strip brings a part of them near.
                let part = (row / kernels.rows * k * LANES).min(k * width);
                let call = Call {
                    k,
                    a: a[row * k..][..height * k].as_ptr(),
                    a_strides: (k as isize, 1),
                    b: b.as_ptr(),
                    b_stride: width as isize,
                    c: c.as_mut_ptr(),
                    c_stride: cols,
                    add: false,
                    ahead: b.as_ptr().wrapping_add(plane + part),
                };
                // SAFETY: `Kernels::of` gave a table that the processor can run. `a` holds `height` rows of `k` elements, `b` as many
                // rows of `width`, whole vectors, and `c` the `height` rows of `width` that are written.
                unsafe { kernels.table[height - 1][width / kernels.lanes - 1](call) };
            }
        }
    }

    /// Hands out the pixels of tiles that lie side by side, line by line.
    fn hand_out(&self, tile: usize, tiles: usize, [col, cols]: [usize; 2], pixels: &[f32]) {
        let [(height, _), (width, _)] = self.a.windows;
        let Place { image, at: [y, x] } = self.place(tile);
        let rows = (tiles * T).min(width - x);
        for r in 0..T.min(height - y) {
            let row = (image * height + y + r) * width + x;
            let acc = &pixels[r * HANDED * T * cols..][..rows * cols];
            (self.epilogue)(Tile { row, col, rows, cols, stride: cols, acc });
        }
    }

    fn place(&self, tile: usize) -> Place {
        let (line, x) = (tile / self.across, tile % self.across);
        Place { image: line / self.down, at: [line % self.down * T, x * T] }
    }

    /// Where the pixels of a tile's patch are; `usize::MAX` where there are zeros.
    #[inline(always)]
    fn patch(&self, tile: usize) -> [[usize; P]; P] {
        let (Place { image, at }, a) = (self.place(tile), self.a);
        let image = a.offset + image * a.images.1;
        let [y, x] = [0, 1].map(|i| a.first[i] + at[i] as isize);
        let mut places = [[usize::MAX; P]; P];
        for (r, line) in places.iter_mut().enumerate() {
            for (c, place) in line.iter_mut().enumerate() {
                // What only windows reach that aren't there is taken for zeros.
                let there = at[0] + r < a.windows[0].0 + 2 && at[1] + c < a.windows[1].0 + 2;
                if let Some(pixel) = a.pixel(image, [y + r as isize, x + c as isize])
                    && there
                {
                    *place = pixel;
                }
            }
        }
        places
    }
}

/// A buffer of which threads write disjoint parts.
struct Shared(*mut f32, usize);

// SAFETY: threads write the parts of different tiles.
unsafe impl Sync for Shared {}

/// Evaluates the patches of some tiles of a group at the points, `[points, tiles, channels]`.
struct Patches<'a, 's, const T: usize, const P: usize> {
    of: &'s Images<'a, T, P>,
    first: usize,
    tiles: Range<usize>,
    point: usize,
    to: &'s Shared,
}

impl<const T: usize, const P: usize> Body for Patches<'_, '_, T, P>
where
    By: Cut<T, P>,
{
    type Output = ();
    #[inline(always)]
    fn run<M: Math>(self) {
        let (a, channels) = (self.of.a, self.of.a.channels);
        for tile in self.tiles.clone() {
            let places = self.of.patch(self.first + tile);
            for channel in (0..channels).step_by(LANES) {
                let mut across = [[M::Lanes::all(0.0); P]; P];
                for (across, places) in across.iter_mut().zip(&places) {
                    let mut pixels = [M::Lanes::all(0.0); P];
                    for (pixel, place) in pixels.iter_mut().zip(places) {
                        if *place != usize::MAX {
                            let from = a.data[place + channel..].first_chunk();
                            *pixel = M::Lanes::of(from.expect("a pixel's channels"));
                        }
                    }
                    *across = <By as Cut<T, P>>::Patch::line(pixels);
                }
                for c in 0..P {
                    let points = <By as Cut<T, P>>::Patch::line(column(&across, c));
                    for (r, x) in points.iter().enumerate() {
                        let place = (r * P + c) * self.point + tile * channels + channel;
                        assert!(place + LANES <= self.to.1);
                        // SAFETY: in bounds by the assertion; a tile's places are written by the one thread that has it.
                        x.put(unsafe { &mut *self.to.0.add(place).cast() });
                    }
                }
            }
        }
    }
}

/// The pixels of tiles that lie side by side, from the products at the points: `[T, HANDED · T, cols]`.
struct Sums<'p, const T: usize, const P: usize> {
    /// `[points, tiles, cols]`
    products: &'p [f32],
    point: usize,
    first: usize,
    tiles: usize,
    cols: usize,
    to: &'p mut [f32],
}

impl<const T: usize, const P: usize> Body for Sums<'_, T, P>
where
    By: Cut<T, P>,
{
    type Output = ();
    #[inline(always)]
    fn run<M: Math>(self) {
        let Sums { products, point, first, tiles, cols, to } = self;
        for tile in 0..tiles {
            for at in (0..cols).step_by(LANES) {
                let from = (first + tile) * cols + at;
                let mut across = [[M::Lanes::all(0.0); T]; P];
                for (r, across) in across.iter_mut().enumerate() {
                    let mut points = [M::Lanes::all(0.0); P];
                    for (c, x) in points.iter_mut().enumerate() {
                        let from = &products[(r * P + c) * point + from..];
                        *x = M::Lanes::of(from.first_chunk().expect("a vector"));
                    }
                    *across = <By as Cut<T, P>>::Tile::line(points);
                }
                for c in 0..T {
                    let pixels = <By as Cut<T, P>>::Tile::line(column(&across, c));
                    for (r, x) in pixels.iter().enumerate() {
                        let place = ((r * HANDED + tile) * T + c) * cols + at;
                        x.put(to[place..].first_chunk_mut().expect("a vector"));
                    }
                }
            }
        }
    }
}

//! The gradient of a convolution's factors by the same points. What is linear in factors has as its gradient the transposed algorithm:
//! patches of the images at the points as ever, tiles of the result's gradient at the points, for each point a product over all tiles,
//! `[m, tiles] × [tiles, channels]`, and these sums taken back to 3 × 3 factors, once.
//!
//! A lane is a channel: sixteen channels' lines are turned, so that products find `[tiles, channels]` as they lie. All tiles are in as many
//! shares as the sizes say, whatever threads there are, and each has sums of its own.

use super::super::kernel::{Call, Kernels};
use super::super::pack::{self, with_buffer};
use super::super::windows::Windows;
use super::super::{Epilogue, Tile};
use super::image::Segment;
use super::transform::{By, Cut, both};
use crate::kernels::isa::{Body, Isa, simd_run};
use crate::kernels::lanes::{LANES, Lanes};
use crate::kernels::math::Math;
use crate::kernels::threads::parallel;
use std::ops::Range;

/// Elements at the points of tiles that are multiplied at a time: they stay in L2.
const NEAR: usize = 1 << 18;
/// Shares of the tiles, at most, elements of the sums of all, and tiles of one at least.
const SHARES: usize = 16;
const SUMS: usize = 1 << 20;
const TILES: usize = 32;
/// Rows of a share's piece.
const ROWS: usize = 128;
/// Pixels that are turned at a time.
const TURN: usize = 4;

/// The gradient `[m, channels · 9]` of the factors by which the windows `b`, of 3 × 3 with stride 1, have made what has the gradient
/// `a`, whose windows are its pixels; to the epilogue row by row.
///
/// # Panics
/// If windows aren't such, or aren't as many as pixels.
pub(super) fn gradient(tile: usize, a: &Windows<f32>, b: &Windows<f32>, epilogue: Epilogue<f32>) {
    let all = |w: &Windows<f32>, side: usize| {
        w.places == [(side, 1); 2] && w.windows.iter().all(|x| x.1 == 1) && w.each == 0 && w.skipped == [0, 0]
    };
    assert!(all(a, 1) && all(b, 3), "winograd: no windows of 1 and of 3 × 3: {:?}, {:?}", a.places, b.places);
    let same = a.images.0 == b.images.0 && a.windows == b.windows;
    assert!(same, "winograd: {:?} pixels of {}, {:?} windows", a.windows, a.images.0, b.windows);
    let n = a.images.0 * a.windows[0].0 * a.windows[1].0;
    a.check("a", [a.channels.0, n]);
    b.check("b", [9 * b.channels.0, n]);
    match tile {
        2 => Gradient::<2, 4>::new(a, b).all(epilogue),
        4 => Gradient::<4, 6>::new(a, b).all(epilogue),
        _ => panic!("winograd: tiles of {tile} pixels along a side, not of 2 or 4"),
    }
}

struct Gradient<'a, const T: usize, const P: usize> {
    a: &'a Windows<'a, f32>,
    b: &'a Windows<'a, f32>,
    kernels: Kernels<f32>,
    /// Columns of a product, whole vectors.
    n: usize,
    /// Tiles down and along an image.
    down: usize,
    across: usize,
}

impl<'a, const T: usize, const P: usize> Gradient<'a, T, P>
where
    By: Cut<T, P>,
{
    fn new(a: &'a Windows<'a, f32>, b: &'a Windows<'a, f32>) -> Self {
        let [down, across] = b.windows.map(|(len, _)| len.div_ceil(T));
        let n = b.channels.0.next_multiple_of(LANES);
        Gradient { a, b, kernels: Kernels::of(Isa::detect()), n, down, across }
    }

    /// Elements of the sums at all points: rows that are there, and columns.
    fn sums(&self) -> usize {
        P * P * self.point()
    }

    /// From one point's sums to the next.
    fn point(&self) -> usize {
        self.a.channels.0 * self.n
    }

    fn all(&self, epilogue: Epilogue<f32>) {
        let (tiles, [m, channels]) =
            (self.b.images.0 * self.down * self.across, [self.a, self.b].map(|w| w.channels.0));
        if m * channels == 0 {
            return;
        }
        let most = (SUMS / self.sums()).min(tiles / TILES).clamp(1, SHARES);
        let shares = if most.is_power_of_two() { most } else { most.next_power_of_two() / 2 };
        let each = tiles.div_ceil(shares);
        let pieces = m.div_ceil(ROWS);
        with_buffer(pack::TOTALS, shares * self.sums(), |sums| {
            let shared = Shared(sums.as_mut_ptr(), sums.len());
            let cost = 2 * P * P * each * ROWS.min(m) * self.n;
            parallel(shares * pieces, cost, &|items| {
                for item in items {
                    let (share, first) = (item / pieces, item % pieces * ROWS);
                    let tiles = (share * each).min(tiles)..((share + 1) * each).min(tiles);
                    self.share(share, tiles, first..(first + ROWS).min(m), &shared);
                }
            });
            let sums = &*sums;
            parallel(m, 2 * P * P * shares * self.n, &|rows| {
                with_buffer(pack::SUMS, 9 * self.n, |line| {
                    for row in rows {
                        simd_run(Factors { of: self, row, shares, sums, to: &mut *line });
                        let (cols, acc) = (9 * channels, &line[..9 * channels]);
                        epilogue(Tile { row, col: 0, rows: 1, cols, stride: cols, acc });
                    }
                });
            });
        });
    }

    /// The sums of a share's tiles for some rows.
    fn share(&self, share: usize, tiles: Range<usize>, rows: Range<usize>, sums: &Shared) {
        let height = rows.len().next_multiple_of(LANES);
        let line = self.across.max(1);
        let most = NEAR / (P * P * (height + self.n));
        // Whole lines of tiles share the lines of pixels between them.
        let most = if most >= line { most / line * line } else { most }.max(TILES);
        let (mut done, mut add) = (tiles.start, false);
        while done < tiles.end || !add {
            let here = done..(done + most).min(tiles.end);
            let count = here.len();
            let size = |width: usize| P * P * (count * width + LANES);
            with_buffer(pack::POINTS, size(height), |left| {
                with_buffer(pack::PATCHES, size(self.n), |right| {
                    let (down, across) = (self.down, self.across);
                    let [a, b] = [(self.a, rows.clone(), T), (self.b, 0..self.b.channels.0, P)]
                        .map(|(w, channels, pixels)| Images { w, channels, pixels, down, across });
                    for (of, width, to) in [(&a, height, &mut *left), (&b, self.n, &mut *right)] {
                        with_buffer(pack::LINE_OF, P * of.reach::<T, P>() * LANES, |lines| {
                            simd_run(Points::<T, P> { of, tiles: here.clone(), width, lines, to });
                        });
                    }
                    for p in 0..P * P {
                        let place = (share * P * P + p) * self.point() + rows.start * self.n;
                        let len = rows.len() * self.n;
                        assert!(place + len <= sums.1);
                        // SAFETY: in bounds by the assertion; these rows of a share's sums are written by the one thread that has them.
                        let to = unsafe { std::slice::from_raw_parts_mut(sums.0.add(place), len) };
                        let left = &left[p * (count * height + LANES)..][..count * height];
                        let right = &right[p * (count * self.n + LANES)..][..count * self.n];
                        self.product([rows.len(), height, count], left, right, add, to);
                    }
                });
            });
            (done, add) = (here.end, true);
        }
    }

    /// The product at one point: `[rows, tiles] × [tiles, n]`, of a left side in lines of `height`.
    fn product(&self, [rows, height, k]: [usize; 3], left: &[f32], right: &[f32], add: bool, to: &mut [f32]) {
        let (kernels, n) = (&self.kernels, self.n);
        if k == 0 {
            to.fill(0.0);
            return;
        }
        for col in (0..n).step_by(kernels.cols()) {
            let width = kernels.cols().min(n - col);
            for row in (0..rows).step_by(kernels.rows) {
                let strip = kernels.rows.min(rows - row);
                let a = &left[row..][..(k - 1) * height + strip];
                let b = &right[col..][..(k - 1) * n + width];
                let c = &mut to[row * n + col..][..(strip - 1) * n + width];
                let call = Call {
                    k,
                    a: a.as_ptr(),
                    a_strides: (1, height as isize),
                    b: b.as_ptr(),
                    b_stride: n as isize,
                    c: c.as_mut_ptr(),
                    c_stride: n,
                    add,
                    ahead: b.as_ptr(),
                };
                // SAFETY: `Kernels::of` gave a table that the processor can run. `a` holds `strip` elements in each of `k` lines, `b`
                // `width` of them, whole vectors, and `c` the `strip` rows of `width` that are written.
                unsafe { kernels.table[strip - 1][width / kernels.lanes - 1](call) };
            }
        }
    }
}

/// A buffer of which threads write disjoint parts.
struct Shared(*mut f32, usize);

// SAFETY: threads write the sums of different shares and rows.
unsafe impl Sync for Shared {}

/// Some channels of images in tiles.
struct Images<'a> {
    w: &'a Windows<'a, f32>,
    channels: Range<usize>,
    /// Pixels of a tile or patch along a side.
    pixels: usize,
    down: usize,
    across: usize,
}

impl Images<'_> {
    /// Pixels of a line under all patches.
    fn reach<const T: usize, const P: usize>(&self) -> usize {
        self.across * T + P - T
    }

    /// Some tiles as parts of rows of tiles.
    fn segments(&self, tiles: Range<usize>) -> impl Iterator<Item = Segment> {
        let (down, across, mut at) = (self.down, self.across, 0);
        std::iter::from_fn(move || {
            if at == tiles.len() {
                return None;
            }
            let (row, col) = ((tiles.start + at) / across, (tiles.start + at) % across);
            let tiles = (across - col).min(tiles.len() - at);
            let here = Segment { image: row / down, row: row % down, col, tiles, at };
            at += tiles;
            Some(here)
        })
    }

    /// Line `y` of sixteen channels from `channel` on, `[pixels, channels]`, with zeros beyond the image and what windows reach.
    #[inline(always)]
    fn turned<V: Lanes>(&self, channel: usize, image: usize, y: usize, to: &mut [[f32; LANES]]) {
        let w = self.w;
        let [height, width] = w.size;
        let beyond = [0, 1].map(|i| w.windows[i].0 + w.places[i].0 - 1);
        let (line, first) = (w.first[0] + y as isize, w.first[1]);
        if line < 0 || line >= height as isize || y >= beyond[0] {
            return to.fill([0.0; LANES]);
        }
        let low = ((-first).max(0) as usize).min(to.len());
        let reach = (width as isize - first).min(beyond[1] as isize);
        let high = reach.clamp(low as isize, to.len() as isize) as usize;
        to[..low].fill([0.0; LANES]);
        to[high..].fill([0.0; LANES]);
        if low == high {
            return;
        }
        let start = w.offset + image * w.images.1 + line as usize * width + (first + low as isize) as usize;
        let last = self.channels.end - 1;
        // Lanes of channels that aren't there are as the last one.
        let mut lines = [&[][..]; LANES];
        for (l, line) in lines.iter_mut().enumerate() {
            *line = &w.data[start + (channel + l).min(last) * w.channels.1..][..high - low];
        }
        let to = &mut to[low..high];
        if to.len() < TURN {
            for (i, to) in to.iter_mut().enumerate() {
                (0..LANES).for_each(|l| to[l] = lines[l][i]);
            }
            return;
        }
        for at in (0..to.len()).step_by(TURN) {
            // The last four are over some of those before.
            let at = at.min(to.len() - TURN);
            let mut fours = [&[0.0; TURN]; LANES];
            for (four, line) in fours.iter_mut().zip(lines) {
                *four = line[at..].first_chunk().expect("four pixels");
            }
            let four: &mut [[f32; LANES]; TURN] = to[at..].first_chunk_mut().expect("four pixels");
            for (to, turned) in four.iter_mut().zip(V::turn(&fours)) {
                turned.put(to);
            }
        }
    }
}

/// Tiles of images at the points, `[points, tiles, width]`.
struct Points<'i, 't, const T: usize, const P: usize> {
    of: &'i Images<'i>,
    tiles: Range<usize>,
    width: usize,
    /// Turned lines of pixels.
    lines: &'t mut [f32],
    to: &'t mut [f32],
}

impl<const T: usize, const P: usize> Body for Points<'_, '_, T, P>
where
    By: Cut<T, P>,
{
    type Output = ();
    #[inline(always)]
    fn run<M: Math>(self) {
        let Points { of, tiles, width, lines, to } = self;
        let (point, reach) = (tiles.len() * width + LANES, of.reach::<T, P>());
        let lines = lines.as_chunks_mut::<LANES>().0;
        for block in (0..width).step_by(LANES) {
            // Which lines of which image are there.
            let mut there = (usize::MAX, 0..0);
            for segment in of.segments(tiles.clone()) {
                let top = segment.row * T;
                let wanted = top..top + of.pixels;
                for y in wanted.clone() {
                    // A line has a place by its remainder, so that those that two rows of tiles share stay.
                    if there.0 != segment.image || !there.1.contains(&y) {
                        let line = &mut lines[y % P * reach..][..reach];
                        of.turned::<M::Lanes>(of.channels.start + block, segment.image, y, line);
                    }
                }
                there = (segment.image, wanted);
                let rows: [usize; P] = std::array::from_fn(|r| (top + r) % P * reach + segment.col * T);
                for tile in 0..segment.tiles {
                    let place = (segment.at + tile) * width + block;
                    let points = match of.pixels == P {
                        true => both::<<By as Cut<T, P>>::Patch, _, _, _>(&square::<M::Lanes, P>(
                            lines,
                            &rows,
                            tile * T,
                        )),
                        false => both::<<By as Cut<T, P>>::Pixels, _, _, _>(&square::<M::Lanes, T>(
                            lines,
                            &rows,
                            tile * T,
                        )),
                    };
                    for (p, x) in points.as_flattened().iter().enumerate() {
                        x.put(to[p * point + place..].first_chunk_mut().expect("a vector"));
                    }
                }
            }
        }
    }
}

/// Pixels from place `at` on of lines that begin there.
#[inline(always)]
fn square<V: Lanes, const N: usize>(lines: &[[f32; LANES]], rows: &[usize], at: usize) -> [[V; N]; N] {
    let mut pixels = [[V::all(0.0); N]; N];
    for (pixels, row) in pixels.iter_mut().zip(rows) {
        for (pixel, from) in pixels.iter_mut().zip(&lines[row + at..][..N]) {
            *pixel = V::of(from);
        }
    }
    pixels
}

/// A row of the gradient from the sums of all shares.
struct Factors<'g, const T: usize, const P: usize> {
    of: &'g Gradient<'g, T, P>,
    row: usize,
    shares: usize,
    sums: &'g [f32],
    /// `[n, 9]`
    to: &'g mut [f32],
}

impl<const T: usize, const P: usize> Body for Factors<'_, T, P>
where
    By: Cut<T, P>,
{
    type Output = ();
    #[inline(always)]
    fn run<M: Math>(self) {
        let (n, point) = (self.of.n, self.of.point());
        for col in (0..n).step_by(LANES) {
            let mut points = [[M::Lanes::all(0.0); P]; P];
            for (p, sum) in points.as_flattened_mut().iter_mut().enumerate() {
                for share in 0..self.shares {
                    let from = (share * P * P + p) * point + self.row * n + col;
                    *sum = *sum + M::Lanes::of(self.sums[from..].first_chunk().expect("a vector"));
                }
            }
            let factors = both::<<By as Cut<T, P>>::Sums, _, _, _>(&points);
            for (at, x) in factors.as_flattened().iter().enumerate() {
                let mut lanes = [0.0; LANES];
                x.put(&mut lanes);
                (0..LANES).for_each(|l| self.to[(col + l) * 9 + at] = lanes[l]);
            }
        }
    }
}

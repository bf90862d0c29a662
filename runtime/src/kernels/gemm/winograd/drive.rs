//! A group of tiles after the other: their patches at the points, the products, their pixels.

use super::image::{GROUP, Image, LINE, Lines, Segment};
use super::transform::{LANES, PATCH, POINTS, TILE, patch, tile};
use super::{checked, weights};
use crate::kernels::gemm::kernel::{Call, Kernels};
use crate::kernels::gemm::pack::{self, with_buffer};
use crate::kernels::gemm::windows::Windows;
use crate::kernels::gemm::{Epilogue, Tile};
use crate::kernels::isa::{Body, Isa, simd_run};
use crate::kernels::math::Math;
use crate::kernels::threads::{parallel, threads_for};
use std::ops::Range;

/// Rows of a piece of work: their products at all points stay in L2.
const ROWS: usize = 96;
/// Rows whose pixels are handed out at a time.
const HANDED: usize = 8;
/// Operations that evaluating a patch at the points takes.
const PATCHING: usize = 300;
/// From one channel to the next at a point: vectors are written beyond the last tile.
const CHANNEL: usize = GROUP + LANES;

/// The convolution of the windows `b` with factors at the points, tile by tile to the epilogue.
pub(super) fn convolve([m, n]: [usize; 2], factors: &[f32], b: &Windows<f32>, epilogue: Epilogue<f32>) {
    let image = checked(b, n);
    assert_eq!(factors.len(), weights::len(m, image.channels), "winograd: elements of the factors");
    let kernels = Kernels::of(Isa::detect());
    let point = image.channels * CHANNEL + LANES;
    with_buffer(pack::PATCHES, POINTS * point, |patches| {
        for first in (0..image.tiles()).step_by(GROUP) {
            let tiles = GROUP.min(image.tiles() - first);
            let shared = Shared(patches.as_mut_ptr(), patches.len());
            parallel(image.channels, PATCHING * tiles, &|channels| {
                simd_run(Patches { image, first, tiles, channels, point, to: &shared });
            });
            let group = Group { image, first, tiles, m, factors, patches, point, kernels };
            let cost = 2 * POINTS * image.channels * tiles;
            let threads = threads_for(m, cost);
            let rows = if threads > 1 { m.div_ceil(4 * threads).next_multiple_of(kernels.rows) } else { m };
            let rows = rows.min(ROWS);
            parallel(m.div_ceil(rows), cost * rows, &|pieces| {
                for piece in pieces {
                    group.rows(piece * rows..m.min((piece + 1) * rows), epilogue);
                }
            });
        }
    });
}

/// A buffer of which threads write disjoint parts.
struct Shared(*mut f32, usize);

// SAFETY: threads write the parts of different channels.
unsafe impl Sync for Shared {}

/// Evaluates the patches of some channels of a group at the points.
struct Patches<'a, 's> {
    image: Image<'a>,
    first: usize,
    tiles: usize,
    channels: Range<usize>,
    /// From one point to the next.
    point: usize,
    to: &'s Shared,
}

impl Body for Patches<'_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<M: Math>(self) {
        let mut lines = Lines { own: [[0.0; LINE]; PATCH], next: [[0.0; LINE]; PATCH] };
        for channel in self.channels {
            for segment in self.image.segments(self.first, self.tiles) {
                self.image.lines(channel, segment, &mut lines);
            }
            let pixels = self.tiles.next_multiple_of(LANES) * TILE;
            down::<M>(&mut lines.own, pixels);
            down::<M>(&mut lines.next, pixels);
            for r in 0..PATCH {
                for at in (0..self.tiles).step_by(LANES) {
                    let place = r * PATCH * self.point + channel * CHANNEL + at;
                    for (c, line) in across::<M>(&lines.own[r], &lines.next[r], at * TILE).iter().enumerate()
                    {
                        let place = place + c * self.point;
                        assert!(place + LANES <= self.to.1);
                        // SAFETY: in bounds by the assertion; a channel's places, up to `CHANNEL` at each point, are
                        // written by the one thread that has it.
                        unsafe { self.to.0.add(place).cast::<[f32; LANES]>().write_unaligned(*line) };
                    }
                }
            }
        }
    }
}

/// Six lines of pixels, evaluated down the columns.
#[inline(always)]
fn down<M: Math>(lines: &mut [[f32; LINE]; PATCH], pixels: usize) {
    let [a, b, c, d, e, f] = lines;
    for x in 0..pixels.min(LINE) {
        [a[x], b[x], c[x], d[x], e[x], f[x]] = patch::<M>([a[x], b[x], c[x], d[x], e[x], f[x]]);
    }
}

/// A line of several patches, evaluated along it.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // Lanes.
fn across<M: Math>(own: &[f32; LINE], next: &[f32; LINE], at: usize) -> [[f32; LANES]; PATCH] {
    let (own, next) = (&own[at..][..LANES * TILE], &next[at..][..LANES * TILE]);
    let mut to = [[0.0; LANES]; PATCH];
    for l in 0..LANES {
        let x = l * TILE;
        let line = patch::<M>([own[x], own[x + 1], own[x + 2], own[x + 3], next[x], next[x + 1]]);
        (0..PATCH).for_each(|c| to[c][l] = line[c]);
    }
    to
}

/// A group whose patches are evaluated.
struct Group<'a> {
    image: Image<'a>,
    first: usize,
    tiles: usize,
    m: usize,
    factors: &'a [f32],
    patches: &'a [f32],
    point: usize,
    kernels: Kernels<f32>,
}

impl Group<'_> {
    /// Products at all points for some rows, and the pixels that they are.
    fn rows(&self, rows: Range<usize>, epilogue: Epilogue<f32>) {
        let height = rows.len();
        let point = height * GROUP + LANES;
        with_buffer(pack::POINTS, POINTS * point, |products| {
            for p in 0..POINTS {
                self.product(p, rows.clone(), &mut products[p * point..][..height * GROUP]);
            }
            with_buffer(pack::SUMS, HANDED * TILE * LINE, |pixels| {
                for first in (0..height).step_by(HANDED) {
                    let here = HANDED.min(height - first);
                    let products = &products[first * GROUP..];
                    simd_run(Pixels { products, point, rows: here, tiles: self.tiles, to: &mut *pixels });
                    for segment in self.image.segments(self.first, self.tiles) {
                        self.hand_out(rows.start + first, here, segment, pixels, epilogue);
                    }
                }
            });
        });
    }

    /// The product at one point: `[rows, channels] × [channels, tiles]`.
    fn product(&self, p: usize, rows: Range<usize>, to: &mut [f32]) {
        let (kernels, channels) = (&self.kernels, self.image.channels);
        let a = &self.factors[p * weights::point(self.m, channels)..][..self.m * channels];
        let b = &self.patches[p * self.point..][..channels * CHANNEL];
        for col in (0..self.tiles).step_by(kernels.cols()) {
            let width = kernels.width(kernels.cols().min(self.tiles - col));
            for row in rows.clone().step_by(kernels.rows) {
                let height = kernels.rows.min(rows.end - row);
                let a = &a[row * channels..][..height * channels];
                let c = &mut to[(row - rows.start) * GROUP + col..][..(height - 1) * GROUP + width];
                let call = Call {
                    k: channels,
                    a: a.as_ptr(),
                    a_strides: (1, height as isize),
                    b: b[col..].as_ptr(),
                    b_stride: CHANNEL as isize,
                    c: c.as_mut_ptr(),
                    c_stride: GROUP,
                    add: false,
                };
                // SAFETY: `Kernels::of` gave a table that the processor can run. `a` holds a strip, `channels` times `height`
                // elements, `b` as many rows of `CHANNEL`, of which `col + width <= GROUP` are read, and `c` the
                // `height` rows of `width` that are written.
                unsafe { kernels.table[height - 1][width / kernels.lanes - 1](call) };
            }
        }
    }

    /// Hands the pixels of a segment to the epilogue, line by line.
    fn hand_out(&self, row: usize, rows: usize, segment: Segment, pixels: &[f32], epilogue: Epilogue<f32>) {
        let (height, width) = (self.image.height, self.image.width);
        let (y, x) = (segment.row * TILE, segment.col * TILE);
        let cols = (segment.tiles * TILE).min(width - x);
        for r in 0..TILE.min(height - y) {
            let acc = &pixels[r * LINE + segment.at * TILE..];
            epilogue(Tile { row, col: (y + r) * width + x, rows, cols, stride: TILE * LINE, acc });
        }
    }
}

/// The pixels of some rows' tiles, from the products at the points: `[rows, 4, LINE]`.
struct Pixels<'p> {
    products: &'p [f32],
    point: usize,
    rows: usize,
    tiles: usize,
    to: &'p mut [f32],
}

impl Body for Pixels<'_> {
    type Output = ();
    #[inline(always)]
    fn run<M: Math>(self) {
        for row in 0..self.rows {
            let lines = &mut self.to[row * TILE * LINE..][..TILE * LINE];
            for at in (0..self.tiles).step_by(LANES) {
                let mut columns = [[[0.0; LANES]; TILE]; PATCH];
                for (r, columns) in columns.iter_mut().enumerate() {
                    let line: [&[f32; LANES]; PATCH] = std::array::from_fn(|c| {
                        let from = (r * PATCH + c) * self.point + row * GROUP + at;
                        self.products[from..].first_chunk().expect("whole vectors")
                    });
                    for l in 0..LANES {
                        let sums = tile::<M>(std::array::from_fn(|c| line[c][l]));
                        (0..TILE).for_each(|c| columns[c][l] = sums[c]);
                    }
                }
                pixels::<M>(&columns, at * TILE, lines);
            }
        }
    }
}

/// Lines of pixels from what the products are down the columns.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // Lanes.
fn pixels<M: Math>(columns: &[[[f32; LANES]; TILE]; PATCH], at: usize, lines: &mut [f32]) {
    let (one, rest) = lines.split_at_mut(LINE);
    let (two, rest) = rest.split_at_mut(LINE);
    let (three, four) = rest.split_at_mut(LINE);
    let [one, two, three, four] = [one, two, three, four].map(|line| &mut line[at..][..LANES * TILE]);
    for c in 0..TILE {
        for l in 0..LANES {
            let x = l * TILE + c;
            [one[x], two[x], three[x], four[x]] = tile::<M>(std::array::from_fn(|r| columns[r][c][l]));
        }
    }
}

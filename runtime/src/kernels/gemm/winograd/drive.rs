//! A group of tiles after the other: their patches at the points, the products, their pixels.

use super::image::{GROUP, Image, LINE, Segment};
use super::patches::{CHANNEL, Patches, Shared};
use super::transform::{Along, By, Cut, column};
use super::{checked, weights};
use crate::kernels::gemm::kernel::{Call, Kernels};
use crate::kernels::gemm::pack::{self, with_buffer};
use crate::kernels::gemm::windows::Windows;
use crate::kernels::gemm::{Epilogue, Tile};
use crate::kernels::isa::{Body, Isa, simd_run};
use crate::kernels::lanes::{LANES, Lanes};
use crate::kernels::math::Math;
use crate::kernels::threads::{parallel, threads_for};
use std::ops::Range;

/// Rows of a piece of work: their products at all points stay in L2.
const ROWS: usize = 96;
/// Rows whose pixels are handed out at a time.
const HANDED: usize = 8;
/// Operations that evaluating a patch at a point takes.
const PATCHING: usize = 8;
/// The convolution of the windows `b` with factors at the points, tile by tile to the epilogue.
pub(super) fn convolve(
    tile: usize,
    size: [usize; 2],
    factors: &[f32],
    b: &Windows<f32>,
    epilogue: Epilogue<f32>,
) {
    match tile {
        2 => by_tiles::<2, 4>(size, factors, b, epilogue),
        4 => by_tiles::<4, 6>(size, factors, b, epilogue),
        _ => panic!("winograd: tiles of {tile} pixels along a side, not of 2 or 4"),
    }
}

fn by_tiles<const T: usize, const P: usize>(
    [m, n]: [usize; 2],
    factors: &[f32],
    b: &Windows<f32>,
    epilogue: Epilogue<f32>,
) where
    By: Cut<T, P>,
{
    let image = checked(b, T, n);
    assert_eq!(factors.len(), weights::len(T, m, image.channels), "winograd: elements of the factors");
    let all = All::<T, P> { image, m, factors, kernels: Kernels::of(Isa::detect()), epilogue };
    let (groups, cost) = (image.tiles().div_ceil(GROUP), 2 * P * P * GROUP * image.channels * m);
    // Groups share threads where there are enough of them, else each group's parts do.
    match groups >= 4 * threads_for(groups, cost) {
        true => parallel(groups, cost, &|groups| groups.for_each(|group| all.group(group * GROUP))),
        false => (0..groups).for_each(|group| all.group(group * GROUP)),
    }
}

/// What is convolved.
struct All<'a, const T: usize, const P: usize> {
    image: Image<'a>,
    m: usize,
    factors: &'a [f32],
    kernels: Kernels<f32>,
    epilogue: Epilogue<'a, f32>,
}

impl<const T: usize, const P: usize> All<'_, T, P>
where
    By: Cut<T, P>,
{
    /// A group of tiles, from the first one.
    fn group(&self, first: usize) {
        let &All { image, m, factors, kernels, epilogue } = self;
        let point = image.channels * CHANNEL + LANES;
        with_buffer(pack::PATCHES, P * P * point, |patches| {
            let tiles = GROUP.min(image.tiles() - first);
            let shared = Shared(patches.as_mut_ptr(), patches.len());
            parallel(image.channels, PATCHING * P * P * tiles, &|channels| {
                simd_run(Patches::<T, P> { image, first, tiles, channels, point, to: &shared });
            });
            let group = Group::<T, P> { image, first, tiles, m, factors, patches, point, kernels };
            let cost = 2 * P * P * image.channels * tiles;
            let threads = threads_for(m, cost);
            let rows = if threads > 1 { m.div_ceil(4 * threads).next_multiple_of(kernels.rows) } else { m };
            let rows = rows.min(ROWS);
            parallel(m.div_ceil(rows), cost * rows, &|pieces| {
                for piece in pieces {
                    group.rows(piece * rows..m.min((piece + 1) * rows), epilogue);
                }
            });
        });
    }
}

/// A group whose patches are evaluated.
struct Group<'a, const T: usize, const P: usize> {
    image: Image<'a>,
    first: usize,
    tiles: usize,
    m: usize,
    factors: &'a [f32],
    patches: &'a [f32],
    point: usize,
    kernels: Kernels<f32>,
}

impl<const T: usize, const P: usize> Group<'_, T, P>
where
    By: Cut<T, P>,
{
    /// Products at all points for some rows, and the pixels that they are.
    fn rows(&self, rows: Range<usize>, epilogue: Epilogue<f32>) {
        let height = rows.len();
        let point = height * GROUP + LANES;
        with_buffer(pack::POINTS, P * P * point, |products| {
            for p in 0..P * P {
                self.product(p, rows.clone(), &mut products[p * point..][..height * GROUP]);
            }
            with_buffer(pack::SUMS, HANDED * T * LINE, |pixels| {
                for first in (0..height).step_by(HANDED) {
                    let here = HANDED.min(height - first);
                    let products = &products[first * GROUP..];
                    simd_run(Pixels::<T, P> {
                        products,
                        point,
                        rows: here,
                        tiles: self.tiles,
                        to: &mut *pixels,
                    });
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
                    // The factors of the next rows.
                    ahead: a.as_ptr_range().end,
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
        let (y, x) = (segment.row * T, segment.col * T);
        let cols = (segment.tiles * T).min(width - x);
        for r in 0..T.min(height - y) {
            let acc = &pixels[r * LINE + segment.at * T..];
            let col = (segment.image * height + y + r) * width + x;
            epilogue(Tile { row, col, rows, cols, stride: T * LINE, acc });
        }
    }
}

/// The pixels of some rows' tiles, from the products at the points: `[rows, T, LINE]`.
struct Pixels<'p, const T: usize, const P: usize> {
    products: &'p [f32],
    point: usize,
    rows: usize,
    tiles: usize,
    to: &'p mut [f32],
}

impl<const T: usize, const P: usize> Body for Pixels<'_, T, P>
where
    By: Cut<T, P>,
{
    type Output = ();
    #[inline(always)]
    fn run<M: Math>(self) {
        for row in 0..self.rows {
            let lines = &mut self.to[row * T * LINE..][..T * LINE];
            for at in (0..self.tiles).step_by(LANES) {
                let mut down = [[M::Lanes::all(0.0); T]; P];
                for (c, down) in down.iter_mut().enumerate() {
                    let mut points = [M::Lanes::all(0.0); P];
                    for (r, x) in points.iter_mut().enumerate() {
                        let from = (r * P + c) * self.point + row * GROUP + at;
                        *x = M::Lanes::of(self.products[from..].first_chunk().expect("whole vectors"));
                    }
                    *down = <By as Cut<T, P>>::Tile::line(points);
                }
                for (r, line) in lines.chunks_exact_mut(LINE).enumerate() {
                    let pixels = <By as Cut<T, P>>::Tile::line(column(&down, r));
                    join(&pixels, &mut line[at * T..][..LANES * T]);
                }
            }
        }
    }
}

/// Pixels of several tiles' line, a vector each, as they follow each other.
#[inline(always)]
fn join<V: Lanes, const T: usize>(pixels: &[V; T], to: &mut [f32]) {
    if let (Some(pixels), Some(to)) = (pixels.first_chunk::<4>(), to.first_chunk_mut()) {
        return V::join(*pixels, to);
    }
    for (c, pixels) in pixels.iter().enumerate() {
        let mut every = [0.0; LANES];
        pixels.put(&mut every);
        (0..LANES).for_each(|l| to[l * T + c] = every[l]);
    }
}

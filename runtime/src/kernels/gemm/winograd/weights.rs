//! The factors at the points: at each, strips of as many rows as a kernel has, or panels of as many columns, term by term, so that a product reads them from end
//! to end. They are more than any cache near a core holds, and read once.

use super::transform::{By, Cut, both};
use crate::kernels::gemm::kernel::Kernels;
use crate::kernels::gemm::pack::{self, with_buffer};
use crate::kernels::gemm::stored::Stored;
use crate::kernels::gemm::walk::{Operand, Side};
use crate::kernels::isa::{Body, Isa, simd_run};
use crate::kernels::lanes::{LANES, Lanes};
use crate::kernels::math::Math;

/// Elements of the factors at one point: `m · channels`, and some so that points don't meet in a set of the cache.
pub(super) fn point(m: usize, channels: usize) -> usize {
    m * channels + LANES
}

/// Elements of the factors of `m` rows and as many channels, at all points of tiles of so many pixels along a side.
pub fn len(tile: usize, m: usize, channels: usize) -> usize {
    (tile + 2) * (tile + 2) * point(m, channels)
}

/// Tiles of so many pixels along a side, whose factors are in strips of as many rows as a kernel has, or in panels of its columns.
#[derive(Clone, Copy, Debug)]
pub struct Tiles {
    side: usize,
    panels: bool,
}

/// Tiles of images whose pixels keep their channels together: their factors are in panels.
#[derive(Clone, Copy, Debug)]
pub struct Together(pub usize);

impl From<usize> for Tiles {
    fn from(side: usize) -> Self {
        Tiles { side, panels: false }
    }
}

impl From<Together> for Tiles {
    fn from(Together(side): Together) -> Self {
        Tiles { side, panels: true }
    }
}

impl Tiles {
    /// Pixels along a side.
    pub fn side(self) -> usize {
        self.side
    }
}

/// What the factors `a`, `[m, channels · 9]`, are at the points of tiles.
///
/// # Panics
/// If the operand doesn't hold all its elements, is computed or narrow, tiles aren't of 2 or 4 pixels, or `to` isn't of [`len`]
/// elements.
pub fn winograd_weights<'a>(
    tiles: impl Into<Tiles>,
    m: usize,
    channels: usize,
    a: impl Into<Operand<'a, f32>>,
    to: &mut [f32],
) {
    let (a, Tiles { side: tile, panels }) = (a.into(), tiles.into());
    a.check("a", m, 9 * channels);
    assert_eq!(to.len(), len(tile, m, channels), "winograd: elements of the factors");
    let Operand::Own(a) = a else { panic!("winograd: factors are stored as f32") };
    let mut across = vec![0; 9 * channels];
    a.offsets(Side::Cols, 0, &mut across);
    let mut down = vec![0; m];
    a.offsets(Side::Rows, 0, &mut down);
    let kernels = Kernels::<f32>::of(Isa::detect());
    let strip = if panels { kernels.cols() } else { kernels.rows };
    let factors = Factors { a: &a, across: &across, down: &down, strip, channels, to };
    match tile {
        2 => simd_run(At::<2, 4>(factors)),
        4 => simd_run(At::<4, 6>(factors)),
        _ => panic!("winograd: tiles of {tile} pixels along a side, not of 2 or 4"),
    }
}

/// Calls `f` with what the factors are at the points, in a buffer of this thread.
pub fn with_weights<'a, R>(
    tiles: impl Into<Tiles>,
    m: usize,
    channels: usize,
    a: impl Into<Operand<'a, f32>>,
    f: impl FnOnce(&[f32]) -> R,
) -> R {
    let tiles = tiles.into();
    with_buffer(pack::FACTORS, len(tiles.side, m, channels), |to| {
        winograd_weights(tiles, m, channels, a, to);
        f(to)
    })
}

struct Factors<'f> {
    a: &'f Stored<'f, f32>,
    across: &'f [isize],
    down: &'f [isize],
    /// Rows of a strip.
    strip: usize,
    channels: usize,
    to: &'f mut [f32],
}

/// Factors at the points of a cut.
struct At<'f, const T: usize, const P: usize>(Factors<'f>);

impl<const T: usize, const P: usize> Body for At<'_, T, P>
where
    By: Cut<T, P>,
{
    type Output = ();
    #[inline(always)]
    fn run<M: Math>(self) {
        let Factors { a, across, down, strip, channels, to } = self.0;
        let (data, start, plane) = (a.data(), a.start(), point(down.len(), channels));
        for (n, down) in down.chunks(strip).enumerate() {
            let (all, mut channel, mut row) = (down.len() * channels, 0, 0);
            for first in (0..all).step_by(LANES) {
                let here = LANES.min(all - first);
                let mut g = [[0.0; LANES]; 9];
                for i in 0..here {
                    let at = &across[channel * 9..][..9];
                    for (g, at) in g.iter_mut().zip(at) {
                        g[i] = data[(start + down[row] + at) as usize];
                    }
                    row += 1;
                    if row == down.len() {
                        (channel, row) = (channel + 1, 0);
                    }
                }
                let mut rows = [[M::Lanes::all(0.0); 3]; 3];
                for (x, g) in rows.as_flattened_mut().iter_mut().zip(&g) {
                    *x = M::Lanes::of(g);
                }
                let points = both::<<By as Cut<T, P>>::Factors, _, _, _>(&rows);
                for (p, x) in points.as_flattened().iter().enumerate() {
                    let to = &mut to[p * plane + n * strip * channels + first..];
                    match to.first_chunk_mut() {
                        Some(to) if here == LANES => x.put(to),
                        _ => {
                            let mut line = [0.0; LANES];
                            x.put(&mut line);
                            to[..here].copy_from_slice(&line[..here]);
                        }
                    }
                }
            }
        }
    }
}

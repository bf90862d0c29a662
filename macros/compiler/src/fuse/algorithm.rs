//! How a product is computed: as one, or, where it is a convolution of 3 × 3, by Winograd's tiles. The one place that says
//! which costs less.
//!
//! Costs are in multiplications with their addition, of which a core with AVX-512 does 32 a cycle. Constants are from
//! measurements of `kernels::gemm`. Tiles of 4 × 4 pixels have in f32 some 3 times the error of the direct sum (2.5e-7 of the
//! norms, which the kernel's tests state), far below the 1e-4 that is allowed; those of 2 × 2 about as much as it. These are for
//! images of 8 × 8, of which they fill a vector, and where factors come from memory: there are less than half as many.
//! The gradient of factors by tiles is off by no more than 3e-7 of the norms.

mod gradient;

pub use gradient::{Gradient, gradient};

use super::affine::Affine;
use super::kernel::{Gemm, Kernel, Matrix, Operand, Pixels, Role, Sides};
use kiln_ir::{DType, Dim, Func, Value};

/// A convolution of 3 × 3 and stride 1 that is cheaper by tiles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Winograd {
    /// Pixels of a tile along a side.
    pub tile: i64,
    /// Rows: the result's channels.
    pub m: i64,
    /// Channels that are summed over.
    pub channels: i64,
    /// Whether pixels keep their channels together, so that factors are in panels.
    pub together: bool,
    /// Per cent of the direct product's cost.
    pub percent: i64,
}

impl Winograd {
    /// Elements of the factors at the points, as `kernels::gemm::winograd` lays them out.
    pub fn elements(&self) -> i64 {
        points(self.tile) * (self.m * self.channels + LANES)
    }
}

/// Pixels of tiles along a side: of small images only small tiles fill a vector.
const TILES: [i64; 2] = [2, 4];
/// Tiles of a vector, and of those that are computed at a time.
const LANES: i64 = 16;
const GROUP: i64 = 64;
/// Evaluating a patch at a point, or a tile from it.
const TRANSFORM: i64 = 8;
/// Evaluating a factor at a point, where they aren't frozen.
const FACTOR: i64 = 14;
/// Reading a factor from beyond L2, once a group.
const FAR: i64 = 32;
/// The same where what comes next is prefetched.
const NEARER: i64 = 14;
/// Bytes of factors that stay in L2.
const NEAR: i64 = 1 << 20;
/// Packing an element of a direct product's windows.
const PACK: i64 = 8;
/// Per cent of the direct cost from which on tiles aren't worth their error.
const WORTH: i64 = 80;

/// Whether a product is a convolution that tiles make cheaper. `frozen`: whether its factors are at the points already.
pub fn winograd(func: &Func, kernel: &Kernel, gemm: &Gemm, frozen: bool) -> Option<Winograd> {
    let f32s = |v: Value| func.ty(v).dtype == DType::F32;
    let all = [&gemm.a, &gemm.b].iter().flat_map(|o| o.reads()).chain([gemm.value]).all(f32s);
    if !all || factors(gemm)?.offset != Affine::zero() {
        return None;
    }
    if let Operand::Pixels(a) = &gemm.a {
        return together(kernel, gemm, a, frozen);
    }
    let Operand::Windows(b) = &gemm.b else { return None };
    if !b.each.is(0) {
        return None;
    }
    let [channels, height, width] = windows(b.channels.0.literal()?, &b.places, &b.windows)?;
    let m = gemm.roles.iter().position(|r| *r == Role::M).map_or(Some(1), |i| kernel.axes[i].literal())?;
    let batch = (0..gemm.roles.len()).filter(|i| gemm.roles[*i] == Role::Batch);
    let times = batch.map(|i| kernel.axes[i].literal()).try_fold(1, |n, len| Some(n * len?))?;
    // Tiles of several images share vectors where these follow each other.
    let images = b.images.0.literal().unwrap_or(1);
    let cheapest = |tile: i64| {
        let cost = by_tiles(tile, [m, channels], images * up(height, tile) * up(width, tile), times, frozen);
        let percent = 100 * cost / direct(m, channels, images * height * width).max(1);
        Winograd { tile, m, channels, together: false, percent }
    };
    TILES.map(cheapest).into_iter().min_by_key(|w| w.percent).filter(|w| w.percent < WORTH)
}

/// Whether a product of pixels that keep their channels together is such a convolution. Factors from far come while products run.
fn together(kernel: &Kernel, gemm: &Gemm, a: &Pixels, frozen: bool) -> Option<Winograd> {
    let [channels, height, width] = windows(a.channels.as_ref()?.literal()?, &a.places, &a.windows)?;
    let m = gemm.roles.iter().position(|r| *r == Role::N).map_or(Some(1), |i| kernel.axes[i].literal())?;
    let others = (0..gemm.roles.len()).filter(|i| gemm.roles[*i] == Role::Batch);
    if channels % LANES != 0 || m % LANES != 0 || others.count() > 0 {
        return None;
    }
    let images = a.images.0.literal().unwrap_or(1);
    let cost = |products: i64, factors: i64, times: i64| {
        let far = if 4 * factors > NEAR { NEARER * factors * times } else { 0 };
        products.max(far) + far / 4
    };
    let direct = cost(9 * channels * m * images * height * width, 9 * m * channels, 1);
    let cheapest = |tile: i64| {
        let (points, tiles) = (points(tile), images * up(height, tile) * up(width, tile));
        let transforms = TRANSFORM * points * tiles * (m + channels);
        let factors = if frozen { 0 } else { FACTOR * points * m * channels };
        let products = cost(points * m * channels * tiles, points * m * channels, up(tiles, GROUP));
        let percent = 100 * (products + transforms + factors) / direct.max(1);
        Winograd { tile, m, channels, together: true, percent }
    };
    TILES.map(cheapest).into_iter().min_by_key(|w| w.percent).filter(|w| w.percent < WORTH)
}

/// The factors of a convolution, a row for each of its results: the places of a channel follow each other, if they do so in memory.
pub fn factors(gemm: &Gemm) -> Option<Matrix> {
    match (&gemm.a, &gemm.b) {
        (Operand::Stored(a), Operand::Windows(_)) => Some(a.clone()),
        (Operand::Pixels(a), Operand::Stored(b)) if a.channels.is_some() => {
            let (channels, places) = b.rows.split_last()?;
            let mut cols: Vec<(Dim, Dim)> = vec![channels.clone()];
            for (len, stride) in places {
                match cols.last_mut() {
                    Some((n, before)) if *before == stride.clone() * len.clone() => {
                        (*n, *before) = (n.clone() * len.clone(), stride.clone());
                    }
                    _ => cols.push((len.clone(), stride.clone())),
                }
            }
            let many = channels.0.literal() == a.channels.as_ref()?.literal();
            many.then(|| Matrix { rows: b.cols.clone(), cols, ..b.clone() })
        }
        _ => None,
    }
}

/// Points at which a tile is a product.
fn points(tile: i64) -> i64 {
    (tile + 2) * (tile + 2)
}

/// What factors cost that come from beyond L2, `times` over.
fn far(factors: i64, times: i64) -> i64 {
    if 4 * factors > NEAR { FAR * factors * times } else { 0 }
}

/// A product over windows, whose columns are whole vectors.
fn direct(m: i64, channels: i64, pixels: i64) -> i64 {
    9 * channels * (up(pixels, LANES) * LANES * m + pixels * PACK) + far(9 * m * channels, 1)
}

/// So many tiles at a time, `times` over.
fn by_tiles(tile: i64, [m, channels]: [i64; 2], tiles: i64, times: i64, frozen: bool) -> i64 {
    let points = points(tile);
    let products = points * m * channels * LANES * up(tiles, LANES);
    let transforms = TRANSFORM * points * tiles * (m + channels);
    let factors = if frozen { 0 } else { FACTOR * points * m * channels / times.max(1) };
    products + transforms + factors + far(points * m * channels, up(tiles, GROUP))
}

fn up(n: i64, by: i64) -> i64 {
    (n + by - 1) / by
}

/// Channels, height and width of what windows of 3 × 3 pixels with stride 1 make.
fn windows(channels: i64, places: &Sides, windows: &Sides) -> Option<[i64; 3]> {
    let is = |(len, by): &(Dim, Dim), want: i64| len.is(want) && by.is(1);
    let [height, width] = windows;
    let slides = places.iter().all(|p| is(p, 3)) && height.1.is(1) && width.1.is(1);
    slides.then_some(())?;
    Some([channels, height.0.literal()?, width.0.literal()?])
}

/// Whether the factors fill their buffer, row by row.
pub fn is_whole(func: &Func, a: &Matrix, w: &Winograd) -> bool {
    let is =
        |side: &[(Dim, Dim)], len: i64, stride: i64| matches!(side, [(n, s)] if n.is(len) && s.is(stride));
    is(&a.rows, w.m, 9 * w.channels)
        && is(&a.cols, 9 * w.channels, 1)
        && func.ty(a.buffer).numel().is(w.m * w.channels * 9)
}

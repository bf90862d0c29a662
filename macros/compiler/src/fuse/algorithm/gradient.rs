//! Gradients of a convolution's factors: a product of which one side are windows that are summed over, by Winograd's tiles if that
//! costs less.

use super::super::affine::Affine;
use super::super::kernel::{Gemm, Matrix, Operand, Role, Windows};
use super::{FACTOR, FAR, LANES, NEAR, TILES, TRANSFORM, WORTH, points, up};
use kiln_ir::{DType, Dim, Func};

/// A gradient of the factors of a convolution of 3 × 3 and stride 1 that is cheaper by tiles.
#[derive(Clone, Debug)]
pub struct Gradient {
    /// Pixels of a tile along a side.
    pub tile: i64,
    /// Per cent of the direct product's cost.
    pub percent: i64,
    /// The gradient of what the convolution makes, a pixel a window.
    pub of: Windows,
    /// The windows that are convolved.
    pub images: Windows,
}

/// Most elements of the sums at all points.
const SUMS: i64 = 1 << 22;

/// Whether a product is such a gradient that tiles make cheaper.
pub fn gradient(func: &Func, gemm: &Gemm) -> Option<Gradient> {
    let (Operand::Stored(a), Operand::Stored(b)) = (&gemm.a, &gemm.b) else { return None };
    let all = [a.buffer, b.buffer, gemm.value].iter().all(|v| func.ty(*v).dtype == DType::F32);
    let whole = a.offset == Affine::zero() && b.offset == Affine::zero();
    if !all || !whole || gemm.roles.contains(&Role::Batch) {
        return None;
    }
    let images = convolved(b)?;
    let of = pixels(a, &images)?;
    let [m, channels] = [&of, &images].map(|w| w.channels.0.literal());
    let [count, height, width] =
        [&images.images, &images.windows[0], &images.windows[1]].map(|side| side.0.literal());
    let (m, channels, count, size) = (m?, channels?, count?, [height?, width?]);
    let direct = 9 * m * channels * count * size[0] * size[1];
    let percent = |tile: i64| {
        100 * by_tiles(tile, [m, channels], count * up(size[0], tile) * up(size[1], tile)) / direct.max(1)
    };
    let fits = |tile: &i64| points(*tile) * m * channels <= SUMS;
    let tile = TILES
        .into_iter()
        .filter(fits)
        .min_by_key(|tile| percent(*tile))
        .filter(|tile| percent(*tile) < WORTH)?;
    Some(Gradient { tile, percent: percent(tile), of, images })
}

/// Products of whole vectors of channels, tiles of both sides at the points, and the sums, taken back to factors.
fn by_tiles(tile: i64, [m, channels]: [i64; 2], tiles: i64) -> i64 {
    let [rows, cols] = [m, channels].map(|n| LANES * up(n, LANES));
    let sums = points(tile) * m * cols;
    let far = if 4 * sums > NEAR { FAR * sums } else { 0 };
    sums * tiles + TRANSFORM * points(tile) * tiles * (rows + cols) + FACTOR * sums + far
}

/// The windows that a matrix is, a row for each window and a column for each place in it of each channel.
fn convolved(b: &Matrix) -> Option<Windows> {
    let (images, [height, width]) = match &*b.rows {
        [images, height, width] => (images.clone(), [height, width]),
        [height, width] => ((Dim::from(1), Dim::from(0)), [height, width]),
        _ => return None,
    };
    let (channels, [down, along]) = match &*b.cols {
        [channels, down, along] => (channels.clone(), [down, along]),
        [down, along] => ((Dim::from(1), Dim::from(0)), [down, along]),
        _ => return None,
    };
    let line = &height.1;
    let slides = width.1.is(1) && along.1.is(1) && down.1 == *line && down.0.is(3) && along.0.is(3);
    let reaches = line.literal()? >= width.0.literal()? + 2;
    let one = || (Dim::from(1), Dim::from(1));
    let three = || (Dim::from(3), Dim::from(1));
    let size = [height.0.clone() + Dim::from(2), line.clone()];
    let windows = [(height.0.clone(), one().1), (width.0.clone(), one().1)];
    (slides && reaches).then(|| of(b, channels, images, size, [three(), three()], windows))
}

/// The pixels that a matrix is, a row for each channel and a column for each pixel of these windows' images.
fn pixels(a: &Matrix, like: &Windows) -> Option<Windows> {
    let [channels] = &*a.rows else { return None };
    let (count, size) = (like.images.0.clone(), like.windows.clone().map(|side| side.0));
    let plane = size[0].clone() * size[1].clone();
    let by = match &*a.cols {
        [(len, one)] if one.is(1) && *len == count.clone() * plane.clone() => plane,
        [(images, by), (len, one)] if one.is(1) && *len == plane && *images == count => by.clone(),
        _ => return None,
    };
    let one = || (Dim::from(1), Dim::from(1));
    Some(of(a, channels.clone(), (count, by), size, [one(), one()], like.windows.clone()))
}

fn of(
    matrix: &Matrix,
    channels: (Dim, Dim),
    images: (Dim, Dim),
    size: [Dim; 2],
    places: [(Dim, Dim); 2],
    windows: [(Dim, Dim); 2],
) -> Windows {
    let (offset, first) = (Affine::zero(), [Affine::zero(), Affine::zero()]);
    Windows { buffer: matrix.buffer, offset, each: 0.into(), channels, images, size, first, places, windows }
}

//! How a product is computed: as one, or, where it is a convolution of 3 × 3, by Winograd's tiles. The one place that says
//! which costs less.
//!
//! Costs are in multiplications with their addition, of which a core with AVX-512 does 32 a cycle. Constants are from
//! measurements of `kernels::gemm`. Tiles are of 4 × 4 pixels: in f32 their error is some 3 times that of the direct sum
//! (2.5e-7 of the norms, which the kernel's tests state), far below the 1e-4 that is allowed.

use super::affine::Affine;
use super::kernel::{Gemm, Kernel, Matrix, Operand, Role, Windows};
use kiln_ir::{DType, Dim, Func, Value};

/// A convolution of 3 × 3 and stride 1 that is cheaper by tiles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Winograd {
    /// Rows: the result's channels.
    pub m: i64,
    /// Channels that are summed over.
    pub channels: i64,
    /// Per cent of the direct product's cost.
    pub percent: i64,
}

impl Winograd {
    /// Elements of the factors at the points, as `kernels::gemm::winograd` lays them out.
    pub fn elements(&self) -> i64 {
        POINTS * (self.m * self.channels + LANES)
    }
}

/// Columns of a tile and of the patch that it is computed from.
const TILE: i64 = 4;
/// Points at which a tile is a product.
const POINTS: i64 = 36;
/// Tiles of a vector, and of those that are computed at a time.
const LANES: i64 = 16;
const GROUP: i64 = 64;
/// Evaluating a patch at the points, or a tile from them.
const TRANSFORM: i64 = 300;
/// Evaluating factors at the points, where they aren't frozen.
const FACTORS: i64 = 500;
/// Reading a factor at the points from beyond L2, once a group.
const FAR: i64 = 600;
/// Bytes of factors that stay in L2.
const NEAR: i64 = 1 << 20;
/// Packing an element of a direct product's windows.
const PACK: i64 = 8;
/// Per cent of the direct cost from which on tiles aren't worth their error.
const WORTH: i64 = 80;

/// Whether a product is a convolution that tiles make cheaper. `frozen`: whether its factors are at the points already.
pub fn winograd(func: &Func, kernel: &Kernel, gemm: &Gemm, frozen: bool) -> Option<Winograd> {
    let (Operand::Stored(a), Operand::Windows(b)) = (&gemm.a, &gemm.b) else { return None };
    let f32s = |v: Value| func.ty(v).dtype == DType::F32;
    if !f32s(a.buffer) || !f32s(b.buffer) || !b.each.is(0) || a.offset != Affine::zero() || !f32s(gemm.value)
    {
        return None;
    }
    let [channels, height, width] = windows(b)?;
    let m = gemm.roles.iter().position(|r| *r == Role::M).map_or(Some(1), |i| kernel.axes[i].literal())?;
    let batch = (0..gemm.roles.len()).filter(|i| gemm.roles[*i] == Role::Batch);
    let images = batch.map(|i| kernel.axes[i].literal()).try_fold(1, |n, len| Some(n * len?))?;
    let pixels = height * width;
    let direct = 9 * channels * pixels * (m + PACK);
    let tiles = up(height, TILE) * up(width, TILE);
    let groups = up(tiles, GROUP);
    let mut cost = POINTS * m * channels * LANES * up(tiles, LANES) + TRANSFORM * tiles * (m + channels);
    if 4 * POINTS * m * channels > NEAR {
        cost += FAR * m * channels * groups;
    }
    if !frozen {
        cost += FACTORS * m * channels / images.max(1);
    }
    let percent = 100 * cost / direct.max(1);
    (percent < WORTH).then_some(Winograd { m, channels, percent })
}

fn up(n: i64, by: i64) -> i64 {
    (n + by - 1) / by
}

/// Channels, height and width of what windows of 3 × 3 pixels with stride 1 make.
fn windows(b: &Windows) -> Option<[i64; 3]> {
    let is = |(len, by): &(Dim, Dim), want: i64| len.is(want) && by.is(1);
    let [height, width] = &b.windows;
    let slides = b.places.iter().all(|p| is(p, 3)) && height.1.is(1) && width.1.is(1);
    slides.then_some(())?;
    Some([b.channels.0.literal()?, height.0.literal()?, width.0.literal()?])
}

/// Whether the factors fill their buffer, row by row.
pub fn is_whole(func: &Func, a: &Matrix, w: &Winograd) -> bool {
    let is =
        |side: &[(Dim, Dim)], len: i64, stride: i64| matches!(side, [(n, s)] if n.is(len) && s.is(stride));
    is(&a.rows, w.m, 9 * w.channels)
        && is(&a.cols, 9 * w.channels, 1)
        && func.ty(a.buffer).numel().is(w.m * w.channels * 9)
}

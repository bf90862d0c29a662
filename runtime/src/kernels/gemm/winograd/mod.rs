//! Convolutions of 3 × 3 and stride 1 by `F(4×4, 3×3)`: a tile of 4 × 4 pixels costs 36 multiplications a channel in place of
//! 144; or, for small images, of which 16 tiles are a vector, by `F(2×2, 3×3)`, 16 in place of 36 (Lavin and Gray, *Fast Algorithms for Convolutional Neural Networks*, 2016).
//!
//! Images and factors are evaluated at 36 or 16 points, where the convolution is a product a point, `[m, channels] ×
//! [channels, tiles]`, by the micro-kernels of all products. In f32 the error is some 3 times that of the direct sum; the
//! tests state it. Which convolutions are computed so is for the compiler to say. The gradient of factors is computed at the same
//! points ([`gradient`]), with an error below 3e-7 of the norms.

mod channels;
mod drive;
mod gradient;
mod image;
mod patches;
#[cfg(test)]
mod tests;
mod transform;
mod weights;

use super::Epilogue;
use super::finish::{Finish, Planes, finished};
use super::into::Target;
use super::pixels::Pixels;
use super::windows::Windows;
pub use weights::{Tiles, Together, len as winograd_len, winograd_weights, with_weights as winograd};

/// What is convolved.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::large_enum_variant)]
pub enum Images<'a> {
    /// Images that keep their channels apart: the product's columns are pixels.
    Apart(Windows<'a, f32>),
    /// Images whose pixels keep their channels together: the product's rows are pixels.
    Together(Pixels<'a, f32>),
}

impl<'a> From<Windows<'a, f32>> for Images<'a> {
    fn from(b: Windows<'a, f32>) -> Self {
        Images::Apart(b)
    }
}

impl<'a> From<Pixels<'a, f32>> for Images<'a> {
    fn from(a: Pixels<'a, f32>) -> Self {
        Images::Together(a)
    }
}

/// The convolution `[m, n]`, some pixels at a time to the epilogue.
fn convolve(tile: usize, size: [usize; 2], factors: &[f32], images: &Images, epilogue: Epilogue<f32>) {
    match images {
        Images::Apart(b) => drive::convolve(tile, size, factors, b, epilogue),
        Images::Together(a) => channels::convolve(tile, size, factors, a, epilogue),
    }
}

/// The convolution of the windows, `[channels, pixels]` or `[pixels, channels]`, by tiles of 2 or 4 pixels along a side, each line through `finish` into the results; `factors` are
/// what [`winograd`] has made of `m` rows.
///
/// # Panics
/// If the windows aren't 3 × 3 of stride 1, or an operand or a result doesn't hold all its elements.
pub fn winograd_finish<'i, F: Finish<Acc = f32>>(
    tile: usize,
    [m, n]: [usize; 2],
    factors: &[f32],
    images: impl Into<Images<'i>>,
    finish: &F,
    out: &F::Out<'_>,
) {
    out.check(m, n);
    convolve(tile, [m, n], factors, &images.into(), &|tile| finished(finish, out, &tile));
}

/// [`winograd_finish`] stored as it is, in rows `row_stride` apart.
///
/// # Panics
/// Likewise.
pub fn winograd_into<'i>(
    tile: usize,
    [m, n]: [usize; 2],
    factors: &[f32],
    images: impl Into<Images<'i>>,
    out: &mut [f32],
    row_stride: usize,
) {
    let target = Target::new([m, n], out, row_stride);
    // SAFETY: `convolve` hands out each element of `[m, n]` once, and all of them lie in the target.
    convolve(tile, [m, n], factors, &images.into(), &|tile| unsafe { target.store(tile) });
}

/// The gradient `[m, channels · 9]` of factors, each row through `finish` into the results: of the windows `images`, 3 × 3 each, and of the
/// gradient `a` of what they and the factors make, whose windows are its pixels.
///
/// # Panics
/// If the windows aren't such, or an operand or a result doesn't hold all its elements.
pub fn winograd_gradient_finish<F: Finish<Acc = f32>>(
    tile: usize,
    a: &Windows<f32>,
    images: &Windows<f32>,
    finish: &F,
    out: &F::Out<'_>,
) {
    out.check(a.channels.0, 9 * images.channels.0);
    gradient::gradient(tile, a, images, &|tile| finished(finish, out, &tile));
}

/// [`winograd_gradient_finish`] stored as it is, in rows `row_stride` apart.
///
/// # Panics
/// Likewise.
pub fn winograd_gradient_into(
    tile: usize,
    a: &Windows<f32>,
    images: &Windows<f32>,
    out: &mut [f32],
    row_stride: usize,
) {
    let target = Target::new([a.channels.0, 9 * images.channels.0], out, row_stride);
    // SAFETY: `gradient` hands out each element once, and all of them lie in the target.
    gradient::gradient(tile, a, images, &|tile| unsafe { target.store(tile) });
}

/// Checks that the data holds all that the windows reach.
fn checked<'a>(b: &Windows<'a, f32>, tile: usize, n: usize) -> image::Image<'a> {
    let image = image::Image::of(b, tile);
    b.check("b", [9 * image.channels, n]);
    image
}

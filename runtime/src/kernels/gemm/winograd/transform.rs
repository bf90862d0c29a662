//! The three transforms of `F(4×4, 3×3)`, many tiles or channels at a time: one lane each.
//!
//! The points are 0, ±√½, ±√2 and ∞, whose products are near 1: of the usual choices that with the smallest error. With
//! `a² = ½` and `b² = 2`, `a² b² = 1`.

use crate::kernels::math::Math;

/// Pixels of a tile of the result along a side.
pub(super) const TILE: usize = 4;
/// Pixels of what a tile is computed from along a side.
pub(super) const PATCH: usize = 6;
/// Products that a tile is.
pub(super) const POINTS: usize = PATCH * PATCH;
/// Lanes of a step.
pub(super) const LANES: usize = 16;

const A: f32 = std::f32::consts::FRAC_1_SQRT_2;
const B: f32 = std::f32::consts::SQRT_2;
/// `a² + b²`
const SUM: f32 = 2.5;

/// A line of six pixels by the points' polynomials.
#[inline(always)]
pub(super) fn patch<M: Math>(d: [f32; PATCH]) -> [f32; PATCH] {
    let add = |a: f32, b: f32, c: f32| M::mul_add(a, b, c);
    let (even_a, odd_a) = (add(-2.0, d[2], d[4]), add(-2.0, d[1], d[3]));
    let (even_b, odd_b) = (add(-0.5, d[2], d[4]), add(-0.5, d[1], d[3]));
    [
        add(-SUM, d[2], d[0] + d[4]),
        add(A, odd_a, even_a),
        add(-A, odd_a, even_a),
        add(B, odd_b, even_b),
        add(-B, odd_b, even_b),
        add(-SUM, d[3], d[1] + d[5]),
    ]
}

/// A line of three factors at the points, each divided by its distances from the others.
#[inline(always)]
pub(super) fn factors<M: Math>(g: [f32; 3]) -> [f32; PATCH] {
    // 2 a² (a² - b²) = -3/2 and 2 b² (b² - a²) = 6
    let (even_a, odd_a) = (M::mul_add(0.5, g[2], g[0]) * (-2.0 / 3.0), g[1] * (A * -2.0 / 3.0));
    let (even_b, odd_b) = (M::mul_add(2.0, g[2], g[0]) / 6.0, g[1] * (B / 6.0));
    [g[0], even_a + odd_a, even_a - odd_a, even_b + odd_b, even_b - odd_b, g[2]]
}

/// The four pixels of a line of products at the points.
#[inline(always)]
pub(super) fn tile<M: Math>(m: [f32; PATCH]) -> [f32; TILE] {
    let (sum_a, difference_a) = (m[1] + m[2], m[1] - m[2]);
    let (sum_b, difference_b) = (m[3] + m[4], m[3] - m[4]);
    [
        m[0] + sum_a + sum_b,
        M::mul_add(B, difference_b, A * difference_a),
        M::mul_add(2.0, sum_b, 0.5 * sum_a),
        M::mul_add(2.0 * B, difference_b, M::mul_add(0.5 * A, difference_a, m[5])),
    ]
}

//! The three transforms of `F(4×4, 3×3)` and of `F(2×2, 3×3)`, many tiles or channels at a time: one lane each.
//!
//! The points of the one are 0, ±√½, ±√2 and ∞, whose products are near 1: of the usual choices that with the smallest error.
//! With `a² = ½` and `b² = 2`, `a² b² = 1`. Those of the other are 0, ±1 and ∞.

use crate::kernels::math::Math;

/// Lanes of a step.
pub(super) const LANES: usize = 16;

/// How a line is evaluated at the points, and back: `T` pixels of a tile from `P` pixels of what it is computed from.
pub(super) trait Cut<const T: usize, const P: usize> {
    /// A line of pixels by the points' polynomials.
    fn patch<M: Math>(d: [f32; P]) -> [f32; P];
    /// A line of three factors at the points, each divided by its distances from the others.
    fn factors<M: Math>(g: [f32; 3]) -> [f32; P];
    /// The pixels of a line of products at the points.
    fn tile<M: Math>(m: [f32; P]) -> [f32; T];
}

/// What knows the cuts.
pub(super) struct By;

const A: f32 = std::f32::consts::FRAC_1_SQRT_2;
const B: f32 = std::f32::consts::SQRT_2;
/// `a² + b²`
const SUM: f32 = 2.5;

impl Cut<4, 6> for By {
    #[inline(always)]
    fn patch<M: Math>(d: [f32; 6]) -> [f32; 6] {
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

    #[inline(always)]
    fn factors<M: Math>(g: [f32; 3]) -> [f32; 6] {
        // 2 a² (a² - b²) = -3/2 and 2 b² (b² - a²) = 6
        let (even_a, odd_a) = (M::mul_add(0.5, g[2], g[0]) * (-2.0 / 3.0), g[1] * (A * -2.0 / 3.0));
        let (even_b, odd_b) = (M::mul_add(2.0, g[2], g[0]) / 6.0, g[1] * (B / 6.0));
        [g[0], even_a + odd_a, even_a - odd_a, even_b + odd_b, even_b - odd_b, g[2]]
    }

    #[inline(always)]
    fn tile<M: Math>(m: [f32; 6]) -> [f32; 4] {
        let (sum_a, difference_a) = (m[1] + m[2], m[1] - m[2]);
        let (sum_b, difference_b) = (m[3] + m[4], m[3] - m[4]);
        [
            m[0] + sum_a + sum_b,
            M::mul_add(B, difference_b, A * difference_a),
            M::mul_add(2.0, sum_b, 0.5 * sum_a),
            M::mul_add(2.0 * B, difference_b, M::mul_add(0.5 * A, difference_a, m[5])),
        ]
    }
}

impl Cut<2, 4> for By {
    #[inline(always)]
    fn patch<M: Math>(d: [f32; 4]) -> [f32; 4] {
        [d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]]
    }

    #[inline(always)]
    fn factors<M: Math>(g: [f32; 3]) -> [f32; 4] {
        let (even, odd) = (0.5 * (g[0] + g[2]), 0.5 * g[1]);
        [g[0], even + odd, even - odd, g[2]]
    }

    #[inline(always)]
    fn tile<M: Math>(m: [f32; 4]) -> [f32; 2] {
        [m[0] + m[1] + m[2], m[1] - m[2] - m[3]]
    }
}

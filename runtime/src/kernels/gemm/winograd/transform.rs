//! The three transforms of `F(4×4, 3×3)` and of `F(2×2, 3×3)`, many tiles or channels at a time: one lane each.
//!
//! The points of the one are 0, ±√½, ±√2 and ∞, whose products are near 1: of the usual choices that with the smallest error.
//! With `a² = ½` and `b² = 2`, `a² b² = 1`. Those of the other are 0, ±1 and ∞.

use crate::kernels::lanes::Lanes;

/// What is done along a line of `N` vectors, which makes `K` of it.
pub(super) trait Along<const N: usize, const K: usize> {
    fn line<V: Lanes>(from: [V; N]) -> [V; K];
}

/// How lines are evaluated at the points, and back: `T` pixels of a tile from `P` pixels of what it is computed from.
pub(super) trait Cut<const T: usize, const P: usize> {
    /// Pixels by the points' polynomials.
    type Patch: Along<P, P>;
    /// Three factors at the points, each divided by its distances from the others.
    type Factors: Along<3, P>;
    /// The pixels of products at the points.
    type Tile: Along<P, T>;
    /// The transpose of `Tile`.
    type Pixels: Along<T, P>;
    /// The transpose of `Factors`.
    type Sums: Along<P, 3>;
}

/// What knows the cuts.
pub(super) struct By;

/// The ways along a line, for tiles of `T` pixels.
pub(super) struct Patch<const T: usize>;
pub(super) struct Factors<const T: usize>;
pub(super) struct Tile<const T: usize>;
pub(super) struct Pixels<const T: usize>;
pub(super) struct Sums<const T: usize>;

macro_rules! cut {
    ($($t:literal $p:literal)*) => {$(
        impl Cut<$t, $p> for By {
            type Patch = Patch<$t>;
            type Factors = Factors<$t>;
            type Tile = Tile<$t>;
            type Pixels = Pixels<$t>;
            type Sums = Sums<$t>;
        }
    )*};
}
cut!(4 6 2 4);

const A: f32 = std::f32::consts::FRAC_1_SQRT_2;
const B: f32 = std::f32::consts::SQRT_2;
/// `a² + b²`
const SUM: f32 = 2.5;

/// `a b + c`
#[inline(always)]
fn add<V: Lanes>(a: f32, b: V, c: V) -> V {
    V::all(a).mul_add(b, c)
}

#[inline(always)]
fn times<V: Lanes>(a: f32, b: V) -> V {
    V::all(a) * b
}

impl Along<6, 6> for Patch<4> {
    #[inline(always)]
    fn line<V: Lanes>(d: [V; 6]) -> [V; 6] {
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
}

impl Along<3, 6> for Factors<4> {
    #[inline(always)]
    fn line<V: Lanes>(g: [V; 3]) -> [V; 6] {
        // 2 a² (a² - b²) = -3/2 and 2 b² (b² - a²) = 6
        let (even_a, odd_a) = (times(-2.0 / 3.0, add(0.5, g[2], g[0])), times(A * -2.0 / 3.0, g[1]));
        let (even_b, odd_b) = (times(1.0 / 6.0, add(2.0, g[2], g[0])), times(B / 6.0, g[1]));
        [g[0], even_a + odd_a, even_a - odd_a, even_b + odd_b, even_b - odd_b, g[2]]
    }
}

impl Along<6, 4> for Tile<4> {
    #[inline(always)]
    fn line<V: Lanes>(m: [V; 6]) -> [V; 4] {
        let (sum_a, difference_a) = (m[1] + m[2], m[1] - m[2]);
        let (sum_b, difference_b) = (m[3] + m[4], m[3] - m[4]);
        [
            m[0] + sum_a + sum_b,
            add(B, difference_b, times(A, difference_a)),
            add(2.0, sum_b, times(0.5, sum_a)),
            add(2.0 * B, difference_b, add(0.5 * A, difference_a, m[5])),
        ]
    }
}

impl Along<4, 6> for Pixels<4> {
    #[inline(always)]
    fn line<V: Lanes>(y: [V; 4]) -> [V; 6] {
        let (even_a, odd_a) = (add(0.5, y[2], y[0]), add(0.5, y[3], y[1]));
        let (even_b, odd_b) = (add(2.0, y[2], y[0]), add(2.0, y[3], y[1]));
        [
            y[0],
            add(A, odd_a, even_a),
            add(-A, odd_a, even_a),
            add(B, odd_b, even_b),
            add(-B, odd_b, even_b),
            y[3],
        ]
    }
}

impl Along<6, 3> for Sums<4> {
    #[inline(always)]
    fn line<V: Lanes>(s: [V; 6]) -> [V; 3] {
        let (sum_a, difference_a) = (times(-1.0 / 3.0, s[1] + s[2]), s[1] - s[2]);
        let (sum_b, difference_b) = (times(1.0 / 3.0, s[3] + s[4]), s[3] - s[4]);
        [
            add(2.0, sum_a, add(0.5, sum_b, s[0])),
            add(A * -2.0 / 3.0, difference_a, times(B / 6.0, difference_b)),
            sum_a + sum_b + s[5],
        ]
    }
}

impl Along<4, 4> for Patch<2> {
    #[inline(always)]
    fn line<V: Lanes>(d: [V; 4]) -> [V; 4] {
        [d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]]
    }
}

impl Along<3, 4> for Factors<2> {
    #[inline(always)]
    fn line<V: Lanes>(g: [V; 3]) -> [V; 4] {
        let (even, odd) = (times(0.5, g[0] + g[2]), times(0.5, g[1]));
        [g[0], even + odd, even - odd, g[2]]
    }
}

impl Along<4, 2> for Tile<2> {
    #[inline(always)]
    fn line<V: Lanes>(m: [V; 4]) -> [V; 2] {
        [m[0] + m[1] + m[2], m[1] - m[2] - m[3]]
    }
}

impl Along<2, 4> for Pixels<2> {
    #[inline(always)]
    fn line<V: Lanes>(y: [V; 2]) -> [V; 4] {
        [y[0], y[0] + y[1], y[0] - y[1], -y[1]]
    }
}

impl Along<4, 3> for Sums<2> {
    #[inline(always)]
    fn line<V: Lanes>(s: [V; 4]) -> [V; 3] {
        let even = times(0.5, s[1] + s[2]);
        [s[0] + even, times(0.5, s[1] - s[2]), even + s[3]]
    }
}

/// A column of lines.
#[inline(always)]
pub(super) fn column<V: Lanes, const N: usize, const K: usize>(lines: &[[V; K]; N], c: usize) -> [V; N] {
    let mut column = [V::all(0.0); N];
    for (x, line) in column.iter_mut().zip(lines) {
        *x = line[c];
    }
    column
}

/// `[N, N]` vectors along both sides: `[K, K]`.
#[inline(always)]
pub(super) fn both<L: Along<N, K>, V: Lanes, const N: usize, const K: usize>(
    rows: &[[V; N]; N],
) -> [[V; K]; K] {
    let zero = V::all(0.0);
    let (mut across, mut to) = ([[zero; K]; N], [[zero; K]; K]);
    for (across, row) in across.iter_mut().zip(rows) {
        *across = L::line(*row);
    }
    for c in 0..K {
        let column = L::line(column(&across, c));
        for (to, x) in to.iter_mut().zip(&column) {
            to[c] = *x;
        }
    }
    to
}

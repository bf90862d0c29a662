//! `f32` functions as polynomials without branches, calls or casts that saturate.
//!
//! The coefficients are our own: least relative (or absolute) error in `f64`, reweighted towards the largest error.
//! Each function states its error in units in the last place; the tests sweep it.

/// `log2(e)`.
const LOG2_E: f32 = std::f32::consts::LOG2_E;
/// `ln 2` in two parts; the first has 9 bits, so that its products with whole numbers are exact.
const LN2_HIGH: f32 = 355.0 / 512.0;
const LN2_LOW: f32 = -0.000_212_194_44;
/// Added and taken away again, it rounds to a whole number, which is then in the low bits.
const ROUNDER: f32 = 12_582_912.0;

/// The polynomial with these coefficients, the constant one first. A macro, as a loop isn't always unrolled in time.
macro_rules! poly {
    ($x:expr, [$c:expr]) => { $c };
    ($x:expr, [$c:expr, $($rest:expr),+]) => { $c + $x * poly!($x, [$($rest),+]) };
}

/// `if` without a branch: a branch in which LLVM hides a computation keeps the loop from being vectorized.
#[inline(always)]
fn select<T>(condition: bool, yes: T, no: T) -> T {
    std::hint::select_unpredictable(condition, yes, no)
}

/// `x = n ln 2 + r`: `(n, e^r - 1)`, for `|x| < 2^22`.
#[inline(always)]
fn reduce(x: f32) -> (i32, f32) {
    let shifted = x * LOG2_E + ROUNDER;
    let n = shifted - ROUNDER;
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;
    let p = poly!(r, [0.5, 0.166_665_18, 0.041_666_204, 0.008_368_954, 0.001_395_059_4]);
    ((shifted.to_bits() as i32).wrapping_sub(ROUNDER.to_bits() as i32), r + r * r * p)
}

/// `2^n` for `-126 <= n <= 127`.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// `x` held within limits; NaN stays.
#[inline(always)]
fn limit(x: f32, low: f32, high: f32) -> f32 {
    let x = select(x > high, high, x);
    select(x < low, low, x)
}

/// `e^x`, within 1.2 ulp, denormal results included.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    let (n, e) = reduce(limit(x, -105.0, 90.0));
    let half = n >> 1;
    (1.0 + e) * power_of_two(half) * power_of_two(n.wrapping_sub(half))
}

/// `e^x - 1`, within 2 ulp.
#[inline(always)]
pub(super) fn expm1(x: f32) -> f32 {
    let (n, e) = reduce(limit(x, -30.0, 90.0));
    let half = n >> 1;
    let (low, high) = (power_of_two(half), power_of_two(n.wrapping_sub(half)));
    let scale = low * high;
    let middle = e * scale + (scale - 1.0);
    let y = select(n > 100, (1.0 + e) * low * high, middle);
    select(x == 0.0, x, y)
}

/// `log x`, within 1 ulp, denormals included.
#[inline(always)]
pub(super) fn log(x: f32) -> f32 {
    let small = x < f32::MIN_POSITIVE;
    let (scaled, shift) = (select(small, x * 8_388_608.0, x), select(small, 23, 0));
    // The mantissa in √½..√2: the exponent is taken after moving √½ to a power of two.
    let bits = scaled.to_bits().wrapping_sub(std::f32::consts::FRAC_1_SQRT_2.to_bits());
    let exponent = ((bits as i32) >> 23).wrapping_sub(shift) as f32;
    let mantissa =
        f32::from_bits((bits & 0x007F_FFFF).wrapping_add(std::f32::consts::FRAC_1_SQRT_2.to_bits()));
    let f = mantissa - 1.0;
    let p = poly!(
        f,
        [
            0.333_333_1,
            -0.249_999_87,
            0.200_022_27,
            -0.166_692_5,
            0.142_186_57,
            -0.123_843_56,
            0.118_729_904,
            -0.117_897_68,
            0.069_152_91
        ]
    );
    let tail = (f * f * f * p + exponent * LN2_LOW) - 0.5 * f * f;
    let y = (f + tail) + exponent * LN2_HIGH;
    let y = select(x == f32::INFINITY, x, y);
    let y = select(x == 0.0, f32::NEG_INFINITY, y);
    select(x >= 0.0, y, f32::NAN)
}

/// `log(1 + x)`, within 2 ulp: the rounding of `1 + x` is made good to first order.
#[inline(always)]
pub(super) fn log1p(x: f32) -> f32 {
    let u = 1.0 + x;
    let lost = select(x > 1.0, 1.0 - (u - x), x - (u - 1.0));
    let y = log(u);
    let corrected = select(u > 0.0 && u < f32::INFINITY, y + lost / u, y);
    select(u == 1.0, x, corrected)
}

/// `tanh x`, within 2 ulp.
#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
    let size = x.abs();
    let s = x * x;
    let p = poly!(s, [-0.333_332_84, 0.133_314_85, -0.053_742_93, 0.020_648_636, -0.005_714_762]);
    let near = x + x * (s * p);
    let far = 1.0 - 2.0 / (exp(2.0 * limit(size, 0.0, 12.0)) + 1.0);
    select(size < 0.625, near, far).copysign(x)
}

/// `erf x`, within 2 ulp. Far from 0 it is `1 - e^(-|x| Q(|x|))`.
#[inline(always)]
pub(super) fn erf(x: f32) -> f32 {
    let size = x.abs();
    let s = x * x;
    let p = poly!(
        s,
        [0.128_379_15, -0.376_124_97, 0.112_818_36, -0.026_766_788, 0.004_992_806_4, -0.000_598_632_7]
    );
    let near = x + x * p;
    let t = limit(size, 0.0, 4.0);
    let q = poly!(
        t,
        [
            1.128_656_5,
            0.635_118_5,
            0.106_291_78,
            -0.023_809_85,
            0.003_665_277_6,
            -0.000_328_467_36,
            0.000_011_801_876
        ]
    );
    let far = 1.0 - exp(-t * q);
    select(size < 0.9277, near, far).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest error of `f` in units in the last place, over every 97th `f32` that `keep` takes.
    fn worst(f: fn(f32) -> f32, exact: fn(f64) -> f64, keep: fn(f32) -> bool) -> (f64, f32) {
        let mut worst = (0.0, 0.0);
        for x in (0..u32::MAX / 97).map(|i| f32::from_bits(i * 97)).filter(|x| keep(*x)) {
            let (y, exact) = (f(x), exact(x.into()));
            if exact as f32 == y {
                continue;
            }
            let nearest = (exact as f32).abs().clamp(f32::MIN_POSITIVE, f32::MAX);
            let ulp = f64::from(nearest) - f64::from(f32::from_bits(nearest.to_bits() - 1));
            let error = (f64::from(y) - exact).abs() / ulp;
            if error.is_nan() || error > worst.0 {
                worst = (error, x);
            }
        }
        worst
    }

    /// Name, function, exact function, domain, bound in ulp.
    type Row = (&'static str, fn(f32) -> f32, fn(f64) -> f64, fn(f32) -> bool, f64);

    #[test]
    fn errors_are_as_stated() {
        let rows: [Row; 6] = [
            ("exp", exp, f64::exp, |x| x.abs() < 200.0, 1.2),
            ("expm1", expm1, f64::exp_m1, |x| x.abs() < 200.0, 2.0),
            ("log", log, f64::ln, |x| x > 0.0 && x.is_finite(), 1.0),
            ("log1p", log1p, f64::ln_1p, |x| x > -1.0 && x.is_finite(), 2.0),
            ("tanh", tanh, f64::tanh, f32::is_finite, 2.0),
            ("erf", erf, super::super::double::erf, |x| x.abs() < 8.0, 2.0),
        ];
        let report = rows.map(|(name, f, exact, keep, bound)| (name, worst(f, exact, keep), bound));
        assert!(report.iter().all(|(_, (error, _), bound)| error <= bound), "{report:?}");
    }
}

//! `f32` functions as polynomials without branches, calls or casts that saturate.
//!
//! The coefficients are our own: least relative (or absolute) error in `f64`, reweighted towards the largest error.
//! Each function states its error in units in the last place, with products fused and rounded; the tests sweep it.

use super::Math;

/// `log2(e)`.
const LOG2_E: f32 = std::f32::consts::LOG2_E;
/// `ln 2` in two parts; the first has 9 bits, so that its products with whole numbers are exact.
const LN2_HIGH: f32 = 355.0 / 512.0;
const LN2_LOW: f32 = -0.000_212_194_44;
/// Added and taken away again, it rounds to a whole number, which is then in the low bits.
const ROUNDER: f32 = 12_582_912.0;
/// What an exponent is stored with.
const BIAS: f32 = 127.0;

/// The polynomial with these coefficients, the constant one first. A macro, as a loop isn't always unrolled in time.
macro_rules! poly {
    ($x:expr, [$c:expr]) => { $c };
    ($x:expr, [$c:expr, $($rest:expr),+]) => { M::mul_add($x, poly!($x, [$($rest),+]), $c) };
}

/// `if` without a branch: a branch in which LLVM hides a computation keeps the loop from being vectorized.
#[inline(always)]
fn select<T>(condition: bool, yes: T, no: T) -> T {
    std::hint::select_unpredictable(condition, yes, no)
}

/// `x = n ln 2 + r`: `(r, n + shift)`, the sum in the low 9 bits, for `|x| < 2^20` and whole shifts in `0..256`.
#[inline(always)]
fn reduce<M: Math>(x: f32, shift: f32) -> (f32, u32) {
    let shifted = M::mul_add(x, LOG2_E, ROUNDER + shift);
    let n = shifted - (ROUNDER + shift);
    (M::mul_add(n, -LN2_LOW, M::mul_add(n, -LN2_HIGH, x)), shifted.to_bits())
}

/// `e^r - 1` for `|r| <= ln 2 / 2`.
#[inline(always)]
fn expm1_near<M: Math>(r: f32) -> f32 {
    let p = poly!(r, [0.5, 0.166_665_18, 0.041_666_204, 0.008_368_954, 0.001_395_059_4]);
    M::mul_add(r * r, p, r)
}

/// `2^n` of the biased `n` in the low 8 bits, the ninth being 0.
#[inline(always)]
fn power_of_two(biased: u32) -> f32 {
    f32::from_bits(biased << 23)
}

/// `x` held within limits; NaN stays.
#[inline(always)]
fn limit(x: f32, low: f32, high: f32) -> f32 {
    let x = select(x > high, high, x);
    select(x < low, low, x)
}

/// `e^x`, within 1.3 ulp, denormal results included.
///
/// `2 e^r` times `2^(n - 1)`, so that the greatest `n`, 128, has a power. Where the least `n` have none, the power is
/// one of a greater exponent and the excess is taken off last.
#[inline(always)]
pub(super) fn exp<M: Math>(x: f32) -> f32 {
    const EXCESS: u32 = 64;
    let tiny = x < -86.0;
    let (r, n) = reduce::<M>(limit(x, -105.0, 89.0), BIAS - 1.0);
    let double = poly!(r, [2.0, 2.0, 0.999_999_8, 0.333_328_96, 0.083_337_07, 0.016_746_37, 0.002_763_172_1]);
    let y = double * power_of_two(select(tiny, n.wrapping_add(EXCESS), n));
    select(tiny, y * power_of_two(127 - EXCESS), y)
}

/// `e^x - 1`, within 2 ulp.
#[inline(always)]
pub(super) fn expm1<M: Math>(x: f32) -> f32 {
    let (r, n) = reduce::<M>(limit(x, -30.0, 89.0), BIAS - 1.0);
    let e = expm1_near::<M>(r);
    // Half of 2^n, which has no power itself for the greatest n.
    let half = power_of_two(n);
    let middle = M::mul_add(2.0 * e, half, 2.0 * half - 1.0);
    let y = select(x > 80.0, (2.0 + 2.0 * e) * half, middle);
    select(x == 0.0, x, y)
}

/// `log x`, within 1 ulp, denormals included.
#[inline(always)]
pub(super) fn log<M: Math>(x: f32) -> f32 {
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
    let s = f * f;
    let tail = M::mul_add(-0.5, s, M::mul_add(s * f, p, exponent * LN2_LOW));
    let y = M::mul_add(exponent, LN2_HIGH, f + tail);
    let y = select(x == f32::INFINITY, x, y);
    let y = select(x == 0.0, f32::NEG_INFINITY, y);
    select(x >= 0.0, y, f32::NAN)
}

/// `log(1 + x)`, within 2 ulp: the rounding of `1 + x` is made good to first order.
#[inline(always)]
pub(super) fn log1p<M: Math>(x: f32) -> f32 {
    let u = 1.0 + x;
    let lost = select(x > 1.0, 1.0 - (u - x), x - (u - 1.0));
    let y = log::<M>(u);
    let corrected = select(u > 0.0 && u < f32::INFINITY, y + lost / u, y);
    select(u == 1.0, x, corrected)
}

/// `tanh x`, within 2 ulp: `m / (m + 1)` for `m = (e^(2|x|) - 1) / 2`, and near 0, where the rounding of the divisor would count,
/// `m - m (m / (m + 1))`.
#[inline(always)]
pub(super) fn tanh<M: Math>(x: f32) -> f32 {
    let size = x.abs();
    let size = select(size > 12.0, 12.0, size);
    // |x| = n (ln 2)/2 + h
    let shifted = M::mul_add(size, 2.0 * LOG2_E, ROUNDER + BIAS);
    let n = shifted - (ROUNDER + BIAS);
    let h = M::mul_add(n, -0.5 * LN2_LOW, M::mul_add(n, -0.5 * LN2_HIGH, size));
    // (e^(2h) - 1) / 2, with the coefficients of `expm1_near`.
    let p = poly!(h, [1.0, 0.666_660_7, 0.333_329_63, 0.133_903_26, 0.044_641_9]);
    let near = M::mul_add(h * h, p, h);
    let power = power_of_two(shifted.to_bits());
    let m = M::mul_add(near, power, M::mul_add(power, 0.5, -0.5));
    let y = m / (m + 1.0);
    select(size < 0.3, M::mul_add(-m, y, m), y).copysign(x)
}

/// `1 / (1 + e^(-x))`, within 2 ulp, denormal results included: both parts are `2^-24` times what they are, so that the power
/// has a number where the result is the least.
#[inline(always)]
pub(super) fn sigmoid<M: Math>(x: f32) -> f32 {
    const SMALL: f32 = 1.0 / 16_777_216.0;
    let x = limit(x, -104.0, 70.0);
    let shift = ROUNDER + (BIAS - 24.0);
    let shifted = M::mul_add(x, -LOG2_E, shift);
    let n = shifted - shift;
    // x = -n ln 2 - r, of which this is -r
    let r = M::mul_add(n, LN2_LOW, M::mul_add(n, LN2_HIGH, x));
    let p = poly!(r, [0.5, -0.166_665_18, 0.041_666_204, -0.008_368_954, 0.001_395_059_4]);
    let (e, power) = (M::mul_add(r * r, p, -r), power_of_two(shifted.to_bits()));
    // The power is added last: it is exact, and greater than the rest.
    SMALL / (power + M::mul_add(e, power, SMALL))
}

/// `erf x`, within 2 ulp: `1 - e^(-t - t S(t))` for `t = |x|`, which is exact enough near 0 as `e^z - 1` is.
#[inline(always)]
pub(super) fn erf<M: Math>(x: f32) -> f32 {
    let t = x.abs();
    let t = select(t > 4.0, 4.0, t);
    let s = poly!(
        t,
        [
            0.128_379_17,
            0.636_619_5,
            0.102_776_8,
            -0.019_149_596,
            -0.000_166_357_98,
            0.001_672_652,
            -0.000_635_767_94,
            0.000_118_428_89,
            -0.000_009_341_088
        ]
    );
    let (r, n) = reduce::<M>(M::mul_add(-t, s, -t), BIAS);
    // As `expm1_near`, by one coefficient more exact.
    let p = poly!(r, [0.5, 0.166_666_66, 0.041_666_362, 0.008_333_39, 0.001_394_062_8, 0.000_198_458_8]);
    let power = power_of_two(n);
    M::mul_add(-power, M::mul_add(r * r, p, r), 1.0 - power).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::super::super::isa::{Body, Isa, simd_as};
    use super::*;

    /// A function by its type, so that it is compiled for each instruction set.
    trait Function {
        fn of<M: Math>(x: f32) -> f32;
    }

    struct Map<'a, F>(&'a [f32], &'a mut [f32], F);

    impl<F: Function> Body for Map<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<M: Math>(self) {
            self.1.iter_mut().zip(self.0).for_each(|(y, x)| *y = F::of::<M>(*x));
        }
    }

    /// The error of `y` in units in the last place.
    fn error(y: f32, exact: f64) -> f64 {
        if exact as f32 == y {
            return 0.0;
        }
        let nearest = (exact as f32).abs().clamp(f32::MIN_POSITIVE, f32::MAX);
        let ulp = f64::from(nearest) - f64::from(f32::from_bits(nearest.to_bits() - 1));
        let error = (f64::from(y) - exact).abs() / ulp;
        if error.is_nan() { f64::INFINITY } else { error }
    }

    /// For each instruction set the largest error over the `f32` that `keep` takes, and where: one in 97 of them, all
    /// if `KILN_EVERY_FLOAT` is set.
    fn worst<F: Function + Copy>(f: F, exact: fn(f64) -> f64, keep: fn(f32) -> bool) -> Vec<(Isa, f64, f32)> {
        let step = if std::env::var_os("KILN_EVERY_FLOAT").is_some() { 1 } else { 97 };
        let mut worst: Vec<_> = Isa::available().into_iter().map(|isa| (isa, 0.0, 0.0)).collect();
        let mut floats =
            (0..=u32::MAX / step).map(|i| f32::from_bits(i * step)).filter(|x| keep(*x)).peekable();
        let mut y = [0.0; 1024];
        while floats.peek().is_some() {
            let x: Vec<f32> = floats.by_ref().take(y.len()).collect();
            let exact: Vec<f64> = x.iter().map(|x| exact(f64::from(*x))).collect();
            for (isa, most, at) in &mut worst {
                simd_as(*isa, Map(&x, &mut y, f));
                for ((x, y), exact) in x.iter().zip(&y).zip(&exact) {
                    if error(*y, *exact) > *most {
                        (*most, *at) = (error(*y, *exact), *x);
                    }
                }
            }
        }
        worst
    }

    macro_rules! errors {
        ($($name:ident $bound:literal: $exact:expr, $keep:expr;)*) => {$(
            #[test]
            #[allow(non_camel_case_types)]
            fn $name() {
                #[derive(Clone, Copy)]
                struct $name;
                impl Function for $name {
                    #[inline(always)]
                    fn of<M: Math>(x: f32) -> f32 {
                        super::$name::<M>(x)
                    }
                }
                let worst = worst($name, $exact, $keep);
                println!("{} {worst:?}", stringify!($name));
                assert!(worst.iter().all(|(_, error, _)| *error <= $bound), "{worst:?}");
            }
        )*};
    }

    errors! {
        exp 1.3: f64::exp, |x| x.abs() < 200.0;
        expm1 2.0: f64::exp_m1, |x| x.abs() < 200.0;
        log 1.0: f64::ln, |x| x > 0.0 && x.is_finite();
        log1p 2.0: f64::ln_1p, |x| x > -1.0 && x.is_finite();
        tanh 2.0: f64::tanh, f32::is_finite;
        sigmoid 2.0: super::super::double::sigmoid, f32::is_finite;
        erf 2.0: super::super::double::erf, |x| x.abs() < 8.0;
    }
}

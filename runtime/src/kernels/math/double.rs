//! What std lacks for `f64`: the error function, and what is made of std's functions.
//!
//! `|x| <= 1`: the Maclaurin series. Beyond: the Taylor series about the middle `c` of the unit interval,
//! `erf(c + h) = erf(c) + 2/√π e^(-c²) Σ (-1)ⁿ Hₙ(c) hⁿ⁺¹ / (n+1)!` with the Hermite polynomials `Hₙ₊₁ = 2c Hₙ - 2n Hₙ₋₁`.

use std::f64::consts::FRAC_2_SQRT_PI;

/// `erf(c)` for c = 1.5, 2.5, … 5.5.
const AT_MIDDLE: [f64; 5] =
    [0.9661051464753108, 0.999593047982555, 0.9999992569016276, 0.9999999998033839, 0.9999999999999927];

/// `1 / (1 + e^(-x))`.
#[inline(always)]
pub(super) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The error function, within 2 units in the last place.
pub(super) fn erf(x: f64) -> f64 {
    let size = x.abs();
    if size.is_nan() || size <= 1.0 {
        return near_zero(x);
    }
    let mut index = 0;
    while index < AT_MIDDLE.len() && size > index as f64 + 2.0 {
        index += 1;
    }
    let Some(at_middle) = AT_MIDDLE.get(index) else { return 1f64.copysign(x) };
    let middle = index as f64 + 1.5;
    (at_middle + beyond(middle, size - middle)).min(1.0).copysign(x)
}

/// `x 2/√π Σ (-x²)ⁿ / (n! (2n+1))`; the first term apart, so that the rest's rounding is small beside it.
fn near_zero(x: f64) -> f64 {
    let square = x * x;
    let (mut power, mut rest) = (1.0, 0.0);
    for n in 1..22 {
        power *= -square / n as f64;
        rest += power / (2 * n + 1) as f64;
    }
    // 2/√π - 1, to full precision.
    const EXCESS: f64 = 0.128_379_167_095_512_57;
    x + x * (EXCESS + FRAC_2_SQRT_PI * rest)
}

/// `erf(c + h) - erf(c)`, for `|h| <= 1/2`.
fn beyond(c: f64, h: f64) -> f64 {
    // `term` is (-1)ⁿ Hₙ(c) hⁿ⁺¹ / (n+1)!, `before` the same for n - 1.
    let (mut before, mut term, mut sum) = (0.0, h, 0.0);
    for n in 0..40 {
        sum += term;
        let n = n as f64;
        let next = -2.0 * h / (n + 2.0) * (c * term + n * h / (n + 1.0) * before);
        (before, term) = (term, next);
    }
    FRAC_2_SQRT_PI * (-c * c).exp() * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erf_within_two_ulps() {
        for (x, y) in KNOWN {
            let ulp = f64::from_bits(y.to_bits() + 1) - y;
            assert!((erf(x) - y).abs() <= 2.0 * ulp, "erf({x}) = {} is not {y}", erf(x));
            assert_eq!(erf(-x), -erf(x));
        }
    }

    #[test]
    fn erf_is_smooth_where_the_series_meet() {
        for i in 0..60_000 {
            let x = i as f64 * 1e-4;
            let slope = (erf(x + 1e-4) - erf(x)) / 1e-4;
            let middle = x + 0.5e-4;
            let exact = FRAC_2_SQRT_PI * (-middle * middle).exp();
            assert!((slope - exact).abs() < 5e-9, "{x}: {slope} {exact}");
            assert!(slope >= -4e-12);
        }
    }

    /// By the C library's `erf`.
    const KNOWN: [(f64, f64); 32] = [
        (1e-300, 1.1283791670955126e-300),
        (1e-09, 1.1283791670955127e-09),
        (0.01, 0.011283415555849616),
        (0.1, 0.1124629160182849),
        (0.25, 0.2763263901682369),
        (0.5, 0.5204998778130465),
        (0.7, 0.6778011938374184),
        (0.84, 0.7651427114549946),
        (0.9, 0.7969082124228322),
        (0.99, 0.8385080695553698),
        (1.0, 0.8427007929497149),
        (1.01, 0.8468104962282768),
        (1.1, 0.8802050695740817),
        (1.25, 0.9229001282564582),
        (1.4, 0.9522851197626487),
        (1.5, 0.9661051464753108),
        (1.7, 0.9837904585907745),
        (1.9, 0.9927904292352575),
        (1.99, 0.995111413199617),
        (2.0, 0.9953222650189527),
        (2.01, 0.9955248493552482),
        (2.3, 0.9988568234026434),
        (2.6, 0.9997639655834707),
        (2.9, 0.9999589021219005),
        (3.0, 0.9999779095030014),
        (3.1, 0.9999883513426328),
        (3.5, 0.9999992569016276),
        (4.2, 0.9999999971445058),
        (5.0, 0.9999999999984626),
        (5.5, 0.9999999999999927),
        (5.8, 0.9999999999999998),
        (5.92, 0.9999999999999999),
    ];
}

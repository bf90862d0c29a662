//! Scalar functions of the emitted loops, for `f32` and `f64`.
//!
//! `f32`: exp, expm1, log, log1p, tanh, sigmoid and erf are polynomials without branches, which LLVM vectorizes inside
//! [`super::isa::simd`]; the rest is std's. `f64`: std's, and an erf of our own. NaN gives NaN, infinities and tails
//! their limits; the tests state the errors. How a polynomial's `a b + c` is rounded is for a type to say, [`Math`],
//! as only what is known while compiling lets the loop around it be vectorized.

mod double;
mod single;
#[cfg(target_arch = "x86_64")]
mod wide;

use super::lanes::{Lanes, Plain};

#[cfg(target_arch = "x86_64")]
pub(super) use wide::Wide;

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// How products are added to: what the instruction set says of it.
pub trait Math: Copy + Send + Sync + 'static {
    /// Sixteen floats.
    type Lanes: Lanes;
    /// `a b + c`
    fn mul_add<T: Real>(a: T, b: T, c: T) -> T;
    /// `e^x`.
    #[inline(always)]
    fn exp<T: Real>(x: T) -> T {
        x.exp::<Self>()
    }
    /// `e^x - 1`, precise near 0.
    #[inline(always)]
    fn expm1<T: Real>(x: T) -> T {
        x.expm1::<Self>()
    }
    /// The natural logarithm; -∞ at 0, NaN below.
    #[inline(always)]
    fn log<T: Real>(x: T) -> T {
        x.log::<Self>()
    }
    /// `log(1 + x)`, precise near 0.
    #[inline(always)]
    fn log1p<T: Real>(x: T) -> T {
        x.log1p::<Self>()
    }
    /// The hyperbolic tangent.
    #[inline(always)]
    fn tanh<T: Real>(x: T) -> T {
        x.tanh::<Self>()
    }
    /// `1 / (1 + e^(-x))`.
    #[inline(always)]
    fn sigmoid<T: Real>(x: T) -> T {
        x.sigmoid::<Self>()
    }
    /// The error function `2/√π ∫₀ˣ e^(-t²) dt`.
    #[inline(always)]
    fn erf<T: Real>(x: T) -> T {
        x.erf::<Self>()
    }
}

/// Products rounded before they are added: where an instruction for both may be missing.
#[derive(Clone, Copy, Debug)]
pub struct Rounded;

/// Products added to unrounded, by one instruction. Without it each would be a call: only for inside a boundary.
#[derive(Clone, Copy, Debug)]
pub struct Fused;

impl Math for Rounded {
    type Lanes = Plain<Self>;
    #[inline(always)]
    fn mul_add<T: Real>(a: T, b: T, c: T) -> T {
        a * b + c
    }
}

impl Math for Fused {
    type Lanes = Plain<Self>;
    #[inline(always)]
    fn mul_add<T: Real>(a: T, b: T, c: T) -> T {
        a.fused(b, c)
    }
}

/// A type of real numbers: `f32` or `f64`.
pub trait Real:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// +∞.
    const INFINITY: Self;
    /// The nearest value to an `f64`.
    fn of(x: f64) -> Self;
    /// The value as an `f64`.
    fn wide(self) -> f64;
    /// `self b + c`, rounded once.
    fn fused(self, b: Self, c: Self) -> Self;
    /// `|x|`.
    fn abs(self) -> Self;
    /// `e^x`.
    fn exp<M: Math>(self) -> Self;
    /// `e^x - 1`, precise near 0.
    fn expm1<M: Math>(self) -> Self;
    /// The natural logarithm; -∞ at 0, NaN below.
    fn log<M: Math>(self) -> Self;
    /// `log(1 + x)`, precise near 0.
    fn log1p<M: Math>(self) -> Self;
    /// The square root, rounded correctly; NaN below 0.
    fn sqrt(self) -> Self;
    /// The sine of an angle in radians.
    fn sin(self) -> Self;
    /// The cosine of an angle in radians.
    fn cos(self) -> Self;
    /// The tangent of an angle in radians.
    fn tan(self) -> Self;
    /// The angle in radians whose tangent it is.
    fn atan(self) -> Self;
    /// The hyperbolic tangent.
    fn tanh<M: Math>(self) -> Self;
    /// `1 / (1 + e^(-x))`.
    fn sigmoid<M: Math>(self) -> Self;
    /// The error function `2/√π ∫₀ˣ e^(-t²) dt`.
    fn erf<M: Math>(self) -> Self;
    /// The angle in radians of the point `(x, self)`.
    fn atan2(self, x: Self) -> Self;
    /// `self` to the power of `y`.
    fn pow(self, y: Self) -> Self;
    /// `self` to a whole power.
    fn powi(self, n: i32) -> Self;
    /// The largest whole number not above.
    fn floor(self) -> Self;
    /// The smallest whole number not below.
    fn ceil(self) -> Self;
    /// The nearest whole number, of two as near the even one.
    fn round(self) -> Self;
    /// The whole part.
    fn trunc(self) -> Self;
    /// The magnitude of `self` with the sign of `sign`.
    fn copysign(self, sign: Self) -> Self;
    /// Whether it isn't a number.
    fn is_nan(self) -> bool;
    /// The greater one; NaN if either is NaN.
    fn max(self, other: Self) -> Self;
    /// The lesser one; NaN if either is NaN.
    fn min(self, other: Self) -> Self;
}

macro_rules! real {
    ($t:ident; $($own:ident = $ours:path),*; $($name:ident = $std:ident),*) => {
        impl Real for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const INFINITY: Self = $t::INFINITY;
            #[inline(always)]
            fn of(x: f64) -> Self {
                x as $t
            }
            #[inline(always)]
            fn wide(self) -> f64 {
                self.into()
            }
            #[inline(always)]
            fn fused(self, b: Self, c: Self) -> Self {
                $t::mul_add(self, b, c)
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                $t::is_nan(self)
            }
            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                $t::copysign(self, sign)
            }
            #[inline(always)]
            fn atan2(self, x: Self) -> Self {
                $t::atan2(self, x)
            }
            #[inline(always)]
            fn pow(self, y: Self) -> Self {
                self.powf(y)
            }
            #[inline(always)]
            fn powi(self, n: i32) -> Self {
                $t::powi(self, n)
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                // The greater by one instruction, a NaN of the other by a comparison that waits for no result before.
                let greater = if other > self { other } else { self };
                if $t::is_nan(other) { other } else { greater }
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                let lesser = if other < self { other } else { self };
                if $t::is_nan(other) { other } else { lesser }
            }
            $(#[inline(always)]
            fn $own<M: Math>(self) -> Self {
                $ours(self)
            })*
            $(#[inline(always)]
            fn $name(self) -> Self {
                $t::$std(self)
            })*
        }
    };
}

real!(f32;
    exp = single::exp::<M>, expm1 = single::expm1::<M>, log = single::log::<M>, log1p = single::log1p::<M>,
    tanh = single::tanh::<M>, sigmoid = single::sigmoid::<M>, erf = single::erf::<M>;
    abs = abs, sqrt = sqrt, sin = sin, cos = cos, tan = tan, atan = atan, floor = floor, ceil = ceil,
    round = round_ties_even, trunc = trunc);
real!(f64;
    exp = f64::exp, expm1 = f64::exp_m1, log = f64::ln, log1p = f64::ln_1p, tanh = f64::tanh,
    sigmoid = double::sigmoid, erf = double::erf;
    abs = abs, sqrt = sqrt, sin = sin, cos = cos,
    tan = tan, atan = atan, floor = floor, ceil = ceil, round = round_ties_even, trunc = trunc);

#[cfg(test)]
mod tests {
    use super::*;

    fn same<T: Real>(x: T, y: f64) {
        let ok = x.wide() == y || (x.is_nan() && y.is_nan());
        assert!(ok && (y != 0.0 || x.wide().is_sign_negative() == y.is_sign_negative()), "{x:?} is not {y}");
    }

    fn limits<T: Real, M: Math>() {
        let (inf, nan, of) = (f64::INFINITY, f64::NAN, T::of);
        for f in [
            T::exp::<M>,
            T::expm1::<M>,
            T::log::<M>,
            T::log1p::<M>,
            T::tanh::<M>,
            T::sigmoid::<M>,
            T::erf::<M>,
            T::sqrt,
            T::sin,
            T::cos,
            T::round,
        ] {
            same(f(of(nan)), nan);
        }
        for f in [T::expm1::<M>, T::log1p::<M>, T::tanh::<M>, T::erf::<M>, T::sqrt, T::sin, T::round] {
            same(f(of(0.0)), 0.0);
            same(f(of(-0.0)), -0.0);
        }
        for (f, below, above) in [
            (T::exp::<M> as fn(T) -> T, 0.0, inf),
            (T::expm1::<M>, -1.0, inf),
            (T::tanh::<M>, -1.0, 1.0),
            (T::sigmoid::<M>, 0.0, 1.0),
            (T::erf::<M>, -1.0, 1.0),
        ] {
            for x in [1e4, 1e30, inf] {
                same(f(of(x)), above);
                same(f(of(-x)), below);
            }
        }
        same(of(0.0).exp::<M>(), 1.0);
        same(of(inf).log::<M>(), inf);
        same(of(0.0).log::<M>(), -inf);
        same(of(1.0).log::<M>(), 0.0);
        same(of(-1.0).log::<M>(), nan);
        same(of(-inf).log::<M>(), nan);
        same(of(inf).log1p::<M>(), inf);
        same(of(-1.0).log1p::<M>(), -inf);
        same(of(-1.5).log1p::<M>(), nan);
        for (x, y) in [(0.5, 0.0), (1.5, 2.0), (2.5, 2.0), (-0.5, -0.0), (-1.5, -2.0), (2.6, 3.0)] {
            same(of(x).round(), y);
        }
        same(of(1.0).max(of(nan)), nan);
        same(of(nan).max(of(1.0)), nan);
        same(of(nan).min(of(1.0)), nan);
        same(of(1.0).min(of(2.0)), 1.0);
        same(of(2.0).pow(of(3.0)), 8.0);
    }

    #[test]
    fn limits_are_exact() {
        limits::<f32, Fused>();
        limits::<f32, Rounded>();
        limits::<f64, Rounded>();
    }
}

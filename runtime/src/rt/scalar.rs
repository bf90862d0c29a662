//! Scalar functions by their names in the graph, for the loops that are emitted.

use crate::kernels::math::Real;

/// Wide enough to be an element.
macro_rules! real {
    ($($name:ident)*) => {$(
        /// The function of [`Real`].
        #[inline(always)]
        pub fn $name<T: Real>(x: T) -> T {
            Real::$name(x)
        }
    )*};
}
real!(sqrt sin cos tan floor ceil round abs);

/// `x + y`, for folds.
#[inline(always)]
pub fn add<T: Real>(x: T, y: T) -> T {
    x + y
}

/// The greater one; NaN if either is.
#[inline(always)]
pub fn max<T: Real>(x: T, y: T) -> T {
    x.max(y)
}

/// The lesser one; NaN if either is.
#[inline(always)]
pub fn min<T: Real>(x: T, y: T) -> T {
    x.min(y)
}

/// `x` to the power of `y`.
#[inline(always)]
pub fn pow<T: Real>(x: T, y: T) -> T {
    x.pow(y)
}

/// The angle of the point `(x, y)`.
#[inline(always)]
pub fn atan2<T: Real>(y: T, x: T) -> T {
    y.atan2(x)
}

/// −1, 0 or 1 as `x` is; zeros and NaN as they are.
#[inline(always)]
pub fn sign<T: Real>(x: T) -> T {
    if x == T::ZERO || x.is_nan() { x } else { T::ONE.copysign(x) }
}

/// The quotient of whole numbers, rounded to 0; 0 where there is none.
macro_rules! quotients {
    ($($name:ident $t:ty),*) => {$(
        /// The quotient, rounded to 0; 0 where there is none.
        #[inline(always)]
        pub fn $name(x: $t, y: $t) -> $t {
            x.checked_div(y).unwrap_or(0)
        }
    )*};
}
quotients!(div_i64 i64, div_i32 i32, div_u8 u8);

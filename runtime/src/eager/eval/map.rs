//! Scalar functions, element by element. Integers wrap; their division truncates and is 0 by 0.

use kiln_ir::Scalar;

use super::view::{Value, View, walk};
use crate::Element;
use crate::kernels::isa::{Body, simd_run};
use crate::kernels::math::{Math, Real, Rounded};

/// What numbers of every type can do.
pub(super) trait Num: Element + PartialOrd {
    /// The maximum over nothing.
    const LEAST: Self;
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    fn over(self, other: Self) -> Self;
    /// The greater one; NaN if either is NaN.
    fn larger(self, other: Self) -> Self;
    /// The lesser one; NaN if either is NaN.
    fn smaller(self, other: Self) -> Self;
    fn negative(self) -> Self;
    fn size(self) -> Self;
    /// −1, 0 or 1; a zero or NaN itself.
    fn signum_or_zero(self) -> Self;
}

macro_rules! floats {
    ($($t:ident)*) => {$(
        impl Num for $t {
            const LEAST: Self = $t::NEG_INFINITY;
            #[inline(always)]
            fn plus(self, other: Self) -> Self { self + other }
            #[inline(always)]
            fn minus(self, other: Self) -> Self { self - other }
            #[inline(always)]
            fn times(self, other: Self) -> Self { self * other }
            #[inline(always)]
            fn over(self, other: Self) -> Self { self / other }
            #[inline(always)]
            fn larger(self, other: Self) -> Self { Real::max(self, other) }
            #[inline(always)]
            fn smaller(self, other: Self) -> Self { Real::min(self, other) }
            #[inline(always)]
            fn negative(self) -> Self { -self }
            #[inline(always)]
            fn size(self) -> Self { $t::abs(self) }
            #[inline(always)]
            fn signum_or_zero(self) -> Self {
                if self == 0.0 || $t::is_nan(self) { self } else { $t::signum(self) }
            }
        }
    )*};
}
floats!(f32 f64);

macro_rules! integers {
    ($($t:ident $sign:expr;)*) => {$(
        impl Num for $t {
            const LEAST: Self = $t::MIN;
            fn plus(self, other: Self) -> Self { self.wrapping_add(other) }
            fn minus(self, other: Self) -> Self { self.wrapping_sub(other) }
            fn times(self, other: Self) -> Self { self.wrapping_mul(other) }
            fn over(self, other: Self) -> Self { if other == 0 { 0 } else { self.wrapping_div(other) } }
            fn larger(self, other: Self) -> Self { self.max(other) }
            fn smaller(self, other: Self) -> Self { self.min(other) }
            fn negative(self) -> Self { (0 as $t).wrapping_sub(self) }
            fn size(self) -> Self { if self < 1 { self.negative() } else { self } }
            fn signum_or_zero(self) -> Self { $sign(self) }
        }
    )*};
}
integers!(i64 i64::signum; i32 i32::signum; u8 |x: u8| x.min(1););

pub(super) fn map(scalar: Scalar, args: &[&Value], shape: &[usize]) -> Value {
    match (scalar, args) {
        (Scalar::Select, [mask, yes, no]) => select(mask, yes, no, shape),
        (_, [Value::F32(x)]) => Value::F32(real(scalar, x)),
        (_, [Value::F64(x)]) => Value::F64(real(scalar, x)),
        (_, [Value::I64(x)]) => Value::I64(one(scalar, x)),
        (_, [Value::I32(x)]) => Value::I32(one(scalar, x)),
        (_, [Value::U8(x)]) => Value::U8(one(scalar, x)),
        (_, [Value::Bool(x)]) => Value::Bool(unary(x, |x| !x)),
        (Scalar::Pow | Scalar::Atan2, [Value::F32(x), Value::F32(y)]) => Value::F32(angle(scalar, x, y)),
        (Scalar::Pow | Scalar::Atan2, [Value::F64(x), Value::F64(y)]) => Value::F64(angle(scalar, x, y)),
        (_, [Value::F32(x), Value::F32(y)]) => {
            compared(scalar, x, y).unwrap_or_else(|| Value::F32(two(scalar, x, y)))
        }
        (_, [Value::F64(x), Value::F64(y)]) => {
            compared(scalar, x, y).unwrap_or_else(|| Value::F64(two(scalar, x, y)))
        }
        (_, [Value::I64(x), Value::I64(y)]) => {
            compared(scalar, x, y).unwrap_or_else(|| Value::I64(two(scalar, x, y)))
        }
        (_, [Value::I32(x), Value::I32(y)]) => {
            compared(scalar, x, y).unwrap_or_else(|| Value::I32(two(scalar, x, y)))
        }
        (_, [Value::U8(x), Value::U8(y)]) => {
            compared(scalar, x, y).unwrap_or_else(|| Value::U8(two(scalar, x, y)))
        }
        (_, [Value::Bool(x), Value::Bool(y)]) => Value::Bool(truth(scalar, x, y)),
        _ => unreachable!("inferred types agree"),
    }
}

fn one<T: Num>(scalar: Scalar, x: &View<T>) -> View<T> {
    match scalar {
        Scalar::Neg => unary(x, T::negative),
        Scalar::Abs => unary(x, T::size),
        _ => unary(x, T::signum_or_zero),
    }
}

fn real<T: Num + Real>(scalar: Scalar, x: &View<T>) -> View<T> {
    match scalar {
        Scalar::Floor => unary(x, Real::floor),
        Scalar::Ceil => unary(x, Real::ceil),
        Scalar::Round => unary(x, Real::round),
        Scalar::Exp => unary(x, Real::exp::<Rounded>),
        Scalar::Expm1 => unary(x, Real::expm1::<Rounded>),
        Scalar::Log => unary(x, Real::log::<Rounded>),
        Scalar::Log1p => unary(x, Real::log1p::<Rounded>),
        Scalar::Sqrt => unary(x, Real::sqrt),
        Scalar::Sin => unary(x, Real::sin),
        Scalar::Cos => unary(x, Real::cos),
        Scalar::Tan => unary(x, Real::tan),
        Scalar::Tanh => unary(x, Real::tanh::<Rounded>),
        Scalar::Sigmoid => unary(x, Real::sigmoid::<Rounded>),
        Scalar::Erf => unary(x, Real::erf::<Rounded>),
        _ => one(scalar, x),
    }
}

fn two<T: Num>(scalar: Scalar, x: &View<T>, y: &View<T>) -> View<T> {
    match scalar {
        Scalar::Add => binary(x, y, T::plus),
        Scalar::Sub => binary(x, y, T::minus),
        Scalar::Mul => binary(x, y, T::times),
        Scalar::Div => binary(x, y, T::over),
        Scalar::Max => binary(x, y, T::larger),
        _ => binary(x, y, T::smaller),
    }
}

fn angle<T: Num + Real>(scalar: Scalar, x: &View<T>, y: &View<T>) -> View<T> {
    match scalar {
        Scalar::Pow => binary(x, y, Real::pow),
        _ => binary(x, y, Real::atan2),
    }
}

fn compared<T: Num>(scalar: Scalar, x: &View<T>, y: &View<T>) -> Option<Value> {
    Some(Value::Bool(match scalar {
        Scalar::Eq => binary(x, y, |x, y| x == y),
        Scalar::Lt => binary(x, y, |x, y| x < y),
        Scalar::Le => binary(x, y, |x, y| x <= y),
        _ => return None,
    }))
}

fn truth(scalar: Scalar, x: &View<bool>, y: &View<bool>) -> View<bool> {
    match scalar {
        Scalar::And => binary(x, y, |x, y| x & y),
        Scalar::Or => binary(x, y, |x, y| x | y),
        _ => binary(x, y, |x, y| x == y),
    }
}

fn unary<T: Element, U: Element>(x: &View<T>, f: impl Fn(T) -> U + Copy) -> View<U> {
    x.mapped(&|from, to| simd_run(One { from, to, f }))
}

struct One<'a, T, U, F> {
    from: &'a [T],
    to: &'a mut [U],
    f: F,
}

impl<T: Copy, U, F: Fn(T) -> U> Body for One<'_, T, U, F> {
    type Output = ();
    #[inline(always)]
    fn run<M: Math>(self) {
        for (to, x) in self.to.iter_mut().zip(self.from) {
            *to = (self.f)(*x);
        }
    }
}

fn binary<T: Element, U: Element>(x: &View<T>, y: &View<T>, f: impl Fn(T, T) -> U + Copy) -> View<U> {
    paired(x, y, &|x, y, to| simd_run(Two { x, y, to, f }))
}

struct Two<'a, T, U, F> {
    x: &'a [T],
    y: &'a [T],
    to: &'a mut [U],
    f: F,
}

impl<T: Copy, U, F: Fn(T, T) -> U> Body for Two<'_, T, U, F> {
    type Output = ();
    #[inline(always)]
    fn run<M: Math>(self) {
        for (to, (x, y)) in self.to.iter_mut().zip(self.x.iter().zip(self.y)) {
            *to = (self.f)(*x, *y);
        }
    }
}

/// Elements that are brought next to each other at a time, where they aren't.
const BLOCK: usize = 512;

/// A function of two elements each, as one of slices of equal length.
type Pairs<'f, T, U> = &'f dyn Fn(&[T], &[T], &mut [U]);

/// Such a function of all elements of two views: this is compiled once, however they lie.
fn paired<T: Element, U: Element>(x: &View<T>, y: &View<T>, f: Pairs<T, U>) -> View<U> {
    if x.is_splat() && y.is_splat() {
        let mut one = [U::ZERO];
        f(&x.data[x.offset..][..1], &y.data[y.offset..][..1], &mut one);
        return View::splat(&x.shape, one[0]);
    }
    View::written(x.shape.clone(), &mut |out| {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        let mut rest = &mut *out;
        walk(&x.shape, [&x.strides, &y.strides], [x.offset, y.offset], &mut |[i, j], n, [di, dj]| {
            let (row, behind) = std::mem::take(&mut rest).split_at_mut(n);
            rest = behind;
            let block = if [di, dj] == [1, 1] { n } else { BLOCK };
            for (b, to) in row.chunks_mut(block).enumerate() {
                let x = together(&x.data[i + b * block * di..], di, to.len(), &mut left);
                let y = together(&y.data[j + b * block * dj..], dj, to.len(), &mut right);
                f(x, y, to);
            }
        });
    })
}

/// So many elements a stride apart as a slice: where they lie, or copied.
fn together<'a, T: Element>(from: &'a [T], stride: usize, n: usize, copy: &'a mut Vec<T>) -> &'a [T] {
    if stride == 1 {
        return &from[..n];
    }
    copy.clear();
    match stride {
        0 => copy.resize(n, from[0]),
        _ => copy.extend(from.iter().step_by(stride).take(n)),
    }
    copy
}

fn select(mask: &Value, yes: &Value, no: &Value, shape: &[usize]) -> Value {
    let Value::Bool(mask) = mask else { unreachable!("infer wants a bool mask") };
    match (yes, no) {
        (Value::F32(x), Value::F32(y)) => Value::F32(chosen(mask, x, y, shape)),
        (Value::F64(x), Value::F64(y)) => Value::F64(chosen(mask, x, y, shape)),
        (Value::I64(x), Value::I64(y)) => Value::I64(chosen(mask, x, y, shape)),
        (Value::I32(x), Value::I32(y)) => Value::I32(chosen(mask, x, y, shape)),
        (Value::U8(x), Value::U8(y)) => Value::U8(chosen(mask, x, y, shape)),
        (Value::Bool(x), Value::Bool(y)) => Value::Bool(chosen(mask, x, y, shape)),
        _ => unreachable!("inferred types agree"),
    }
}

fn chosen<T: Element>(mask: &View<bool>, x: &View<T>, y: &View<T>, shape: &[usize]) -> View<T> {
    View::written(shape.to_vec(), &mut |out| {
        let mut at = 0;
        let strides = [mask.strides.as_slice(), &x.strides, &y.strides];
        walk(shape, strides, [mask.offset, x.offset, y.offset], &mut |[m, i, j], n, [dm, di, dj]| {
            let out = &mut out[at..at + n];
            if [dm, di, dj] == [1, 1, 1] {
                let pairs = x.data[i..i + n].iter().zip(&y.data[j..j + n]).zip(&mask.data[m..m + n]);
                out.iter_mut().zip(pairs).for_each(|(o, ((x, y), m))| *o = if *m { *x } else { *y });
            } else {
                let pick = |k: usize| {
                    if mask.data[m + k * dm] { x.data[i + k * di] } else { y.data[j + k * dj] }
                };
                out.iter_mut().enumerate().for_each(|(k, o)| *o = pick(k));
            }
            at += n;
        });
    })
}

//! Reductions over some dims, or all where none is named.

use super::Built;
use crate::{Builder, DType, Dim, Error, Fault, Op, Reduction, Scalar, Value};

/// Puts axes of length 1 back where a reduction took them.
pub fn keepdim(b: &mut Builder, reduced: Value, of: Value, dims: &[i64]) -> Built {
    let axes = b.axes("keepdim", of, dims)?;
    let mut shape = b.ty(of).shape.clone();
    axes.iter().for_each(|a| shape[*a] = Dim::from(1));
    b.emit(Op::Reshape(shape), &[reduced])
}

/// Sum; of integers and bools in i64, as torch has it.
pub fn sum(b: &mut Builder, x: Value, dims: &[i64]) -> Built {
    let dtype = b.ty(x).dtype;
    let x = if dtype.is_float() { x } else { b.emit(Op::Cast(DType::I64), &[x])? };
    let axes = b.axes("sum", x, dims)?;
    b.emit(Op::Reduce(Reduction::Sum, axes), &[x])
}

/// Largest element; equal ones share the gradient.
pub fn amax(b: &mut Builder, x: Value, dims: &[i64]) -> Built {
    let axes = b.axes("amax", x, dims)?;
    b.emit(Op::Reduce(Reduction::Max, axes), &[x])
}

/// Smallest element; equal ones share the gradient.
pub fn amin(b: &mut Builder, x: Value, dims: &[i64]) -> Built {
    let mirrored = mirror(b, x)?;
    let top = amax(b, mirrored, dims)?;
    mirror(b, top)
}

/// The elements in opposite order: `−x`, and for integers `!x`, which no element type overflows.
fn mirror(b: &mut Builder, x: Value) -> Built {
    match b.ty(x).dtype {
        DType::U8 => from(b, 255.0, x),
        DType::I64 | DType::I32 => from(b, -1.0, x),
        _ => b.map(Scalar::Neg, &[x]),
    }
}

/// `c − x`
fn from(b: &mut Builder, c: f64, x: Value) -> Built {
    let c = b.splat(c, x)?;
    b.map(Scalar::Sub, &[c, x])
}

/// Arithmetic mean; NaN over nothing.
pub fn mean(b: &mut Builder, x: Value, dims: &[i64]) -> Built {
    let got = b.ty(x).clone();
    if !got.dtype.is_float() {
        return Err(b.error(Fault::DType { op: "mean".into(), want: "floats", got }));
    }
    let total = sum(b, x, dims)?;
    let n = count(b, x, dims)?;
    b.div(total, n)
}

/// Number of elements that a reduction combines, as a scalar of the tensor's element type.
pub fn count(b: &mut Builder, x: Value, dims: &[i64]) -> Built {
    let axes = b.axes("count", x, dims)?;
    let ty = b.ty(x).clone();
    let n = axes.iter().fold(Dim::from(1), |n, a| n * ty.shape[*a].clone());
    size(b, &n, ty.dtype)
}

/// A size as a scalar: `n as f32`.
pub fn size(b: &mut Builder, n: &Dim, dtype: DType) -> Built {
    if let Some(n) = n.literal() {
        return Ok(b.constant(n as f64, dtype));
    }
    // A size that only the call knows: the sum of that many ones.
    let one = b.constant(1.0, dtype);
    let ones = b.emit(Op::Broadcast(vec![(0, n.clone())]), &[one])?;
    b.emit(Op::Reduce(Reduction::Sum, vec![0]), &[ones])
}

/// Σ(x − mean)² / (n − correction)
pub fn var(b: &mut Builder, x: Value, dims: &[i64], correction: f64) -> Built {
    let m = mean(b, x, dims)?;
    let m = keepdim(b, m, x, dims)?;
    let off = b.sub(x, m)?;
    let square = b.map(Scalar::Mul, &[off, off])?;
    let total = sum(b, square, dims)?;
    let n = count(b, x, dims)?;
    let n = b.shift(n, -correction)?;
    b.div(total, n)
}

/// √var; where that is 0, so is its derivative.
pub fn std(b: &mut Builder, x: Value, dims: &[i64], correction: f64) -> Built {
    let v = var(b, x, dims, correction)?;
    above_zero(b, v, |b, v| b.map(Scalar::Sqrt, &[v]))
}

/// `root` of what is above 0, and the value itself else: torch takes the derivative at 0 for 0, not for the infinite
/// one of the root.
fn above_zero(b: &mut Builder, x: Value, root: impl Fn(&mut Builder, Value) -> Built) -> Built {
    let (zero, one) = (b.splat(0.0, x)?, b.splat(1.0, x)?);
    let none = b.map(Scalar::Le, &[x, zero])?;
    let safe = b.map(Scalar::Select, &[none, one, x])?;
    let root = root(b, safe)?;
    b.map(Scalar::Select, &[none, x, root])
}

/// (Σ |x|ᵖ)^(1/p); where that is 0, so is its derivative. The largest |x| for p = ∞, how many aren't 0 for p = 0.
pub fn norm(b: &mut Builder, x: Value, p: f64, dims: &[i64]) -> Built {
    let size = b.map(Scalar::Abs, &[x])?;
    if p.is_infinite() {
        return if p > 0.0 { amax(b, size, dims) } else { amin(b, size, dims) };
    }
    if p == 0.0 {
        let (zero, one) = (b.splat(0.0, x)?, b.splat(1.0, x)?);
        let none = b.map(Scalar::Eq, &[x, zero])?;
        let counted = b.map(Scalar::Select, &[none, zero, one])?;
        return sum(b, counted, dims);
    }
    let power = super::activation::pow(b, size, p)?;
    let total = sum(b, power, dims)?;
    match p {
        1.0 => Ok(total),
        2.0 => above_zero(b, total, |b, total| b.map(Scalar::Sqrt, &[total])),
        _ if p > 0.0 => above_zero(b, total, |b, total| super::activation::pow(b, total, 1.0 / p)),
        _ => super::activation::pow(b, total, 1.0 / p),
    }
}

/// ln Σ eˣ, without overflow; an infinite maximum is the result.
pub fn logsumexp(b: &mut Builder, x: Value, dims: &[i64]) -> Built {
    let top = amax(b, x, dims)?;
    let (zero, infinity) = (b.splat(0.0, top)?, b.splat(f64::INFINITY, top)?);
    let size = b.map(Scalar::Abs, &[top])?;
    let infinite = b.map(Scalar::Eq, &[size, infinity])?;
    let top = b.map(Scalar::Select, &[infinite, zero, top])?;
    let top = b.emit(Op::StopGrad, &[top])?;
    let high = keepdim(b, top, x, dims)?;
    let low = b.sub(x, high)?;
    let e = b.map(Scalar::Exp, &[low])?;
    let total = sum(b, e, dims)?;
    let log = b.map(Scalar::Log, &[total])?;
    b.map(Scalar::Add, &[log, top])
}

/// Index of the first maximum along a dim.
pub fn argmax(b: &mut Builder, x: Value, dim: i64) -> Built {
    let axis = b.axis("argmax", x, dim)?;
    b.emit(Op::ArgMax(axis), &[x])
}

/// Largest element along a dim and its index: torch's `max(dim)`. Of equal elements the first has the gradient.
pub fn max_dim(b: &mut Builder, x: Value, dim: i64) -> Result<[Value; 2], Error> {
    let axis = b.axis("max", x, dim)?;
    let shape = b.ty(x).shape.clone();
    let first = argmax(b, x, dim)?;
    let wide = b.emit(Op::Broadcast(vec![(axis, shape[axis].clone())]), &[first])?;
    let index = b.emit(Op::Iota { len: shape[axis].clone(), dtype: DType::I64 }, &[])?;
    let others = shape.into_iter().enumerate().filter(|(i, _)| *i != axis).collect();
    let index = b.emit(Op::Broadcast(others), &[index])?;
    let hit = b.map(Scalar::Eq, &[index, wide])?;
    let zero = b.splat(0.0, x)?;
    let only = b.map(Scalar::Select, &[hit, x, zero])?;
    // Not `sum`: one element is no sum, whatever its type.
    Ok([b.emit(Op::Reduce(Reduction::Sum, vec![axis]), &[only])?, first])
}

/// Smallest element along a dim and its index: torch's `min(dim)`.
pub fn min_dim(b: &mut Builder, x: Value, dim: i64) -> Result<[Value; 2], Error> {
    let mirrored = mirror(b, x)?;
    let [top, index] = max_dim(b, mirrored, dim)?;
    Ok([mirror(b, top)?, index])
}

/// Index of the first minimum along a dim.
pub fn argmin(b: &mut Builder, x: Value, dim: i64) -> Built {
    let mirrored = mirror(b, x)?;
    argmax(b, mirrored, dim)
}

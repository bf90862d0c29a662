//! Numbers as 8-bit integers: `q = clamp(round(x · (1 / scale)) + zero, low, high)`, `x ≈ (q − zero) · scale`. Jacob et al.,
//! *Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference* (2018).
//!
//! As in torch, the quotient is computed in f32 whatever the tensor holds, and halves round to even.

use super::reduce::{amax, amin};
use super::{Built, linalg, shape};
use crate::{Builder, DType, Dim, Error, Fault, Op, Scalar, Value};

/// How real numbers lie on integers.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    /// From one integer to the next.
    pub scale: Value,
    /// The integer that stands for 0.
    pub zero: Value,
    /// The dim that has a scale and a zero for each entry; else there is one of each.
    pub dim: Option<i64>,
}

/// `torch.quantize_per_tensor`, `torch.quantize_per_channel`: the integers, i64.
pub fn quantize(b: &mut Builder, x: Value, grid: Grid, range: (i64, i64)) -> Built {
    let rounded = rounded(b, x, grid)?;
    let q = within(b, rounded, range)?;
    b.emit(Op::Cast(DType::I64), &[q])
}

/// `Tensor.dequantize`: `(q − zero) · scale`, in the element type of the scale.
pub fn dequantize(b: &mut Builder, q: Value, grid: Grid) -> Built {
    let dtype = b.ty(grid.scale).dtype;
    let q = b.emit(Op::Cast(dtype), &[q])?;
    let zero = spread(b, q, grid.zero, grid.dim, dtype)?;
    let scale = spread(b, q, grid.scale, grid.dim, dtype)?;
    let off = b.sub(q, zero)?;
    b.mul(off, scale)
}

/// `torch.fake_quantize_per_tensor_affine`: to integers and back. The gradient passes where they are within the range.
pub fn fake(b: &mut Builder, x: Value, grid: Grid, range: (i64, i64)) -> Built {
    let dtype = b.ty(x).dtype;
    let rounded = rounded(b, x, grid)?;
    let q = within(b, rounded, range)?;
    let inside = b.map(Scalar::Eq, &[q, rounded])?;
    // The scale is an f32 too.
    let scale = spread(b, q, grid.scale, grid.dim, DType::F32)?;
    let zero = spread(b, q, grid.zero, grid.dim, DType::F32)?;
    let off = b.sub(q, zero)?;
    let (off, scale) = (b.emit(Op::Cast(dtype), &[off])?, b.emit(Op::Cast(dtype), &[scale])?);
    let near = b.mul(off, scale)?;
    let near = b.emit(Op::StopGrad, &[near])?;
    // 0, with the derivative 1.
    let still = b.emit(Op::StopGrad, &[x])?;
    let nothing = b.map(Scalar::Sub, &[x, still])?;
    let none = b.splat(0.0, x)?;
    let straight = b.map(Scalar::Select, &[inside, nothing, none])?;
    b.map(Scalar::Add, &[near, straight])
}

/// `torch._choose_qparams_per_tensor`: scale and zero of the integers 0 ..= 255 (127 if reduced) over the range of a tensor
/// and 0.
pub fn choose(b: &mut Builder, x: Value, reduced: bool) -> Result<[Value; 2], Error> {
    // The smallest that has a reciprocal, and the smallest that torch takes.
    const NONE: f64 = 1.0 / f32::MAX as f64;
    const LEAST: f64 = 6.1e-5f32 as f64;
    let dtype = b.ty(x).dtype;
    let (top, nothing) = (top(reduced), b.constant(0.0, DType::F64));
    let mut bound = |least: bool| {
        let narrow = b.emit(Op::Cast(DType::F32), &[x])?;
        let bound = if least { amin(b, narrow, &[])? } else { amax(b, narrow, &[])? };
        let bound = b.emit(Op::Cast(DType::F64), &[bound])?;
        b.map(if least { Scalar::Min } else { Scalar::Max }, &[bound, nothing])
    };
    let (low, high) = (bound(true)?, bound(false)?);
    let range = b.map(Scalar::Sub, &[high, low])?;
    let steps = b.constant(top as f64, DType::F64);
    let step = b.map(Scalar::Div, &[range, steps])?;
    let tenth = b.constant(0.1, DType::F64);
    let step = b.if_below(step, NONE, tenth, step)?;
    let zero = b.map(Scalar::Div, &[low, step])?;
    let zero = b.map(Scalar::Neg, &[zero])?;
    let zero = b.map(Scalar::Round, &[zero])?;
    let zero = b.map(Scalar::Min, &[zero, steps])?;
    let zero = b.emit(Op::Cast(DType::I64), &[zero])?;
    let least = b.constant(LEAST, DType::F64);
    let scale = b.map(Scalar::Max, &[step, least])?;
    let scale = b.emit(Op::Cast(DType::F32), &[scale])?;
    Ok([b.emit(Op::Cast(dtype), &[scale])?, zero])
}

/// `torch.ops.quantized.linear_dynamic`: `x · weightᵀ + bias` by integers. The weight is quantized around 0, `[out, in]`, with
/// a scale or one for each row; `x` is quantized over its own range. Their products are summed in i32, which is exact.
pub fn linear_dynamic(
    b: &mut Builder,
    x: Value,
    [weight, weight_scale]: [Value; 2],
    bias: Option<Value>,
    reduced: bool,
) -> Built {
    let dtype = b.ty(x).dtype;
    let [scale, zero] = choose(b, x, reduced)?;
    let q = quantize(b, x, Grid { scale, zero, dim: None }, (0, top(reduced)))?;
    let off = b.sub(q, zero)?;
    let (off, weight) = (b.emit(Op::Cast(DType::I32), &[off])?, b.emit(Op::Cast(DType::I32), &[weight])?);
    let sums = linalg::linear(b, off, weight, None)?;
    let sums = b.emit(Op::Cast(dtype), &[sums])?;
    let weight_scale = b.emit(Op::Cast(dtype), &[weight_scale])?;
    let step = b.mul(scale, weight_scale)?;
    let y = b.mul(sums, step)?;
    bias.map_or(Ok(y), |bias| b.add(y, bias))
}

/// The largest integer; with some of the range left over, sums of products of pairs fit into 16 bits.
fn top(reduced: bool) -> i64 {
    if reduced { 127 } else { 255 }
}

/// `round(x · (1 / scale)) + zero`, f32.
fn rounded(b: &mut Builder, x: Value, grid: Grid) -> Built {
    let got = b.ty(x).clone();
    if !got.dtype.is_float() {
        return Err(b.error(Fault::DType { op: "quantize".into(), want: "floats", got }));
    }
    let scale = spread(b, x, grid.scale, grid.dim, DType::F32)?;
    let zero = spread(b, x, grid.zero, grid.dim, DType::F32)?;
    let x = b.emit(Op::Cast(DType::F32), &[x])?;
    let each = b.over(1.0, scale)?;
    let places = b.mul(x, each)?;
    let places = b.map(Scalar::Round, &[places])?;
    b.add(places, zero)
}

fn within(b: &mut Builder, q: Value, (low, high): (i64, i64)) -> Built {
    super::activation::clamp(b, q, Some(low as f64), Some(high as f64))
}

/// A number, or one for each entry of a dim of `x`, in a shape that broadcasts.
fn spread(b: &mut Builder, x: Value, v: Value, dim: Option<i64>, dtype: DType) -> Built {
    let v = b.emit(Op::Cast(dtype), &[v])?;
    let got = b.ty(v).clone();
    let axis = match dim {
        Some(dim) => b.axis("quantize", x, dim)?,
        None if got.rank() == 0 => return Ok(v),
        None => {
            return Err(b.error(Fault::Rank { op: "quantize".into(), want: "0 for a scale".into(), got }));
        }
    };
    let mut to = vec![Dim::from(1); b.ty(x).rank()];
    to[axis] = b.ty(x).shape[axis].clone();
    if got.rank() == 1 && got.shape[0] != to[axis] {
        let (left, right) = (got.shape[0].clone(), to[axis].clone());
        return Err(b.error(Fault::Label { op: "quantize".into(), left, right }));
    }
    match got.rank() {
        0 => Ok(v),
        1 => shape::reshape(b, v, &to),
        _ => Err(b.error(Fault::Rank { op: "quantize".into(), want: "1 for scales".into(), got })),
    }
}

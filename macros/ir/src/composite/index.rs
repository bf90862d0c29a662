//! Elements by index. An index outside picks 0 and adds nothing: a kernel can't fail.

use super::{Built, reduce};
use crate::{Builder, DType, Dim, Error, Fault, Op, PadAxis, Scalar, SliceAxis, Value};

/// A vector under a shape, along an axis.
fn along(b: &mut Builder, index: Value, axis: usize, shape: &[Dim]) -> Built {
    let others = shape.iter().cloned().enumerate().filter(|(i, _)| *i != axis).collect();
    b.emit(Op::Broadcast(others), &[index])
}

/// `torch.index_select`: the entries at these indices along a dim.
pub fn index_select(b: &mut Builder, x: Value, dim: i64, index: Value) -> Built {
    let axis = b.axis("index_select", x, dim)?;
    let got = b.ty(index).clone();
    if got.rank() != 1 {
        return Err(b.error(Fault::Rank { op: "index_select".into(), want: "1 for the index".into(), got }));
    }
    let mut to = b.ty(x).shape.clone();
    to[axis] = got.shape[0].clone();
    let index = along(b, index, axis, &to)?;
    b.emit(Op::Gather(axis), &[x, index])
}

/// `F.embedding`: row `index[…]` of `weight: [V, …]`, for an index of any shape.
pub fn embedding(b: &mut Builder, weight: Value, index: Value, padding: Option<i64>) -> Built {
    b.axis("embedding", weight, 0)?;
    let table = match padding {
        Some(row) => without_gradient(b, weight, row)?,
        None => weight,
    };
    let shape = b.ty(index).shape.clone();
    let flat = b.ty(index).numel();
    let flat = b.emit(Op::Reshape(vec![flat]), &[index])?;
    let rows = index_select(b, table, 0, flat)?;
    let to = [&shape[..], &b.ty(weight).shape[1..]].concat();
    b.emit(Op::Reshape(to), &[rows])
}

/// The same rows, of which one has no gradient.
fn without_gradient(b: &mut Builder, x: Value, row: i64) -> Built {
    let shape = b.ty(x).shape.clone();
    let i = b.emit(Op::Iota { len: shape[0].clone(), dtype: DType::I64 }, &[])?;
    let row = b.splat(row as f64, i)?;
    let hit = b.map(Scalar::Eq, &[i, row])?;
    let hit = along(b, hit, 0, &shape)?;
    let still = b.emit(Op::StopGrad, &[x])?;
    b.map(Scalar::Select, &[hit, still, x])
}

/// The part of `x` that an index of another shape reaches: its first elements in all axes but one.
fn reached(b: &mut Builder, op: &str, x: Value, index: Value, but: Option<usize>) -> Built {
    let (own, shape) = (b.ty(x).clone(), b.ty(index).shape.clone());
    let fault = |b: &Builder| {
        let (of, index) = (own.clone(), b.ty(index).clone());
        b.error(Fault::Index { op: op.into(), axis: but.unwrap_or(0), of, index })
    };
    if own.rank() != shape.len() {
        return Err(fault(b));
    }
    let len = |i: usize| if but == Some(i) { own.shape[i].clone() } else { shape[i].clone() };
    let axes = (0..shape.len()).map(|i| SliceAxis { start: Dim::from(0), len: len(i), step: 1 });
    b.emit(Op::Slice(axes.collect()), &[x]).map_err(|_| fault(b))
}

/// `torch.gather`: `out[i, j] = x[index[i, j], j]` for dim 0, likewise for others.
pub fn gather(b: &mut Builder, x: Value, dim: i64, index: Value) -> Built {
    let axis = b.axis("gather", x, dim)?;
    let x = reached(b, "gather", x, index, Some(axis))?;
    b.emit(Op::Gather(axis), &[x, index])
}

/// `torch.scatter_add`: `x`, to which `src[i, j]` is added at `[index[i, j], j]` for dim 0, likewise for others.
pub fn scatter_add(b: &mut Builder, x: Value, dim: i64, index: Value, src: Value) -> Built {
    let axis = b.axis("scatter_add", x, dim)?;
    let src = reached(b, "scatter_add", src, index, None)?;
    // Checks that the index reaches no further than `x` does.
    reached(b, "scatter_add", x, index, Some(axis))?;
    let shape = b.ty(x).shape.clone();
    let sums = b.emit(Op::ScatterAdd(axis, shape[axis].clone()), &[src, index])?;
    let have = b.ty(sums).shape.clone();
    let rest = |(n, m): (&Dim, &Dim)| PadAxis { low: 0.into(), high: n.clone() - m.clone(), step: 1 };
    let wide = b.emit(Op::Pad(shape.iter().zip(&have).map(rest).collect()), &[sums])?;
    b.map(Scalar::Add, &[x, wide])
}

/// `torch.index_add`: `x`, to which entry `i` of `source` along a dim is added at `index[i]`.
pub fn index_add(b: &mut Builder, x: Value, dim: i64, index: Value, source: Value) -> Built {
    let axis = b.axis("index_add", x, dim)?;
    let (own, ids, shape) = (b.ty(x).clone(), b.ty(index).clone(), b.ty(source).shape.clone());
    if ids.rank() != 1 {
        return Err(b.error(Fault::Rank {
            op: "index_add".into(),
            want: "1 for the index".into(),
            got: ids,
        }));
    }
    let mut want = own.shape.clone();
    want[axis] = ids.shape[0].clone();
    if shape != want {
        let show = |shape: &[Dim]| {
            shape.iter().map(|d| d.display(&b.func().syms).to_string()).collect::<Vec<_>>().join(", ")
        };
        let what = format!("the source must be [{}], not [{}]", show(&want), show(&shape));
        return Err(b.error(Fault::Attribute { op: "index_add".into(), what }));
    }
    let index = along(b, index, axis, &shape)?;
    let sums = b.emit(Op::ScatterAdd(axis, own.shape[axis].clone()), &[source, index])?;
    b.map(Scalar::Add, &[x, sums])
}

/// `torch.flip`: the elements in reverse along dims.
pub fn flip(b: &mut Builder, x: Value, dims: &[i64]) -> Result<Value, Error> {
    let mut y = x;
    for dim in dims {
        let axis = b.axis("flip", y, *dim)?;
        let n = b.ty(y).shape[axis].clone();
        let i = b.emit(Op::Iota { len: n.clone(), dtype: DType::I64 }, &[])?;
        let last = reduce::size(b, &n, DType::I64)?;
        let last = b.shift(last, -1.0)?;
        let back = b.sub(last, i)?;
        y = index_select(b, y, axis as i64, back)?;
    }
    Ok(y)
}

/// `len` elements along a dim from `start` on, an i64 scalar that is data: `jax.lax.dynamic_slice_in_dim`. As there, a start
/// from which they would leave the dim is moved to the nearest from which they don't.
pub fn narrow_at(b: &mut Builder, x: Value, dim: i64, start: Value, len: Dim) -> Built {
    let axis = b.axis("narrow_at", x, dim)?;
    let start = clamped(b, "narrow_at", start, x, axis, &len)?;
    crate::ops::update::part(b, x, axis, start, len)
}

/// `x` with `value` written over it along a dim from `start` on, an i64 scalar that is data:
/// `jax.lax.dynamic_update_slice_in_dim`, which moves a start likewise.
pub fn update_at(b: &mut Builder, x: Value, dim: i64, start: Value, value: Value) -> Built {
    let axis = b.axis("update_at", x, dim)?;
    let Some(len) = b.ty(value).shape.get(axis).cloned() else {
        return Err(b.error(crate::ops::update::misfit(axis)));
    };
    let start = clamped(b, "update_at", start, x, axis, &len)?;
    b.emit(Op::Update(axis), &[x, value, start])
}

/// `min(max(start, 0), size − len)`, and that `len` elements have room where both are known.
fn clamped(b: &mut Builder, op: &str, start: Value, x: Value, axis: usize, len: &Dim) -> Built {
    let ty = b.ty(start).clone();
    if ty != crate::Ty::scalar(DType::I64) {
        return Err(b.error(Fault::DType { op: op.into(), want: "an i64 scalar as its start", got: ty }));
    }
    let room = b.ty(x).shape[axis].clone() - len.clone();
    if room.literal().is_some_and(|n| n < 0) || len.literal().is_some_and(|n| n < 0) {
        let of = b.ty(x).clone();
        return Err(b.error(Fault::Slice { axis, of, start: 0.into(), end: len.clone() }));
    }
    let last = match room.literal() {
        Some(n) => b.constant(n as f64, DType::I64),
        None => {
            let (size, len) = (b.ty(x).shape[axis].clone(), count(b, len)?);
            let size = count(b, &size)?;
            b.map(Scalar::Sub, &[size, len])?
        }
    };
    let zero = b.constant(0.0, DType::I64);
    let low = b.map(Scalar::Max, &[start, zero])?;
    b.map(Scalar::Min, &[low, last])
}

/// A size as a value.
fn count(b: &mut Builder, size: &Dim) -> Built {
    if let Some(n) = size.literal() {
        return Ok(b.constant(n as f64, DType::I64));
    }
    let one = b.constant(1.0, DType::I64);
    let ones = b.emit(Op::Broadcast(vec![(0, size.clone())]), &[one])?;
    b.emit(Op::Reduce(crate::Reduction::Sum, vec![0]), &[ones])
}

//! Reshaping by torch's rules.

use super::Built;
use crate::{Builder, DType, Dim, Error, Op, Scalar, SliceAxis, Value};

/// The same elements under another shape; one dim may be −1 and is what is left over.
pub fn reshape(b: &mut Builder, x: Value, to: &[Dim]) -> Built {
    let known = to.iter().filter(|d| !d.is(-1)).fold(Dim::from(1), |n, d| n * d.clone());
    let rest = b.ty(x).numel().divide(&known);
    let fill = |d: &Dim| if d.is(-1) { rest.clone().unwrap_or_else(|| d.clone()) } else { d.clone() };
    b.emit(Op::Reshape(to.iter().map(fill).collect()), &[x])
}

/// Axes `start ..= end` as one.
pub fn flatten(b: &mut Builder, x: Value, start: i64, end: i64) -> Built {
    let (start, end) = (b.axis("flatten", x, start)?, b.axis("flatten", x, end)?);
    let shape = b.ty(x).shape.clone();
    let merged = shape[start..=end.max(start)].iter().fold(Dim::from(1), |n, d| n * d.clone());
    let to = [&shape[..start], &[merged], &shape[end.max(start) + 1..]].concat();
    b.emit(Op::Reshape(to), &[x])
}

/// Two axes swapped.
pub fn transpose(b: &mut Builder, x: Value, dim0: i64, dim1: i64) -> Built {
    let (i, j) = (b.axis("transpose", x, dim0)?, b.axis("transpose", x, dim1)?);
    let mut perm: Vec<usize> = (0..b.ty(x).rank()).collect();
    perm.swap(i, j);
    b.emit(Op::Permute(perm), &[x])
}

/// Axes in another order.
pub fn permute(b: &mut Builder, x: Value, dims: &[i64]) -> Built {
    let perm = dims.iter().map(|d| b.axis("permute", x, *d)).collect::<Result<_, _>>()?;
    b.emit(Op::Permute(perm), &[x])
}

/// Without the axis if its length is 1; without every such axis if none is named.
pub fn squeeze(b: &mut Builder, x: Value, dim: Option<i64>) -> Built {
    let only = dim.map(|d| b.axis("squeeze", x, d)).transpose()?;
    let gone = |i: usize, d: &Dim| d.is(1) && only.is_none_or(|o| o == i);
    let shape = b.ty(x).shape.iter().enumerate().filter(|(i, d)| !gone(*i, d)).map(|(_, d)| d.clone());
    let shape = shape.collect();
    b.emit(Op::Reshape(shape), &[x])
}

/// With an axis of length 1 at that place, for `dim` in `-rank - 1 ..= rank`.
pub fn unsqueeze(b: &mut Builder, x: Value, dim: i64) -> Built {
    let mut shape = b.ty(x).shape.clone();
    let at = if dim < 0 { dim + shape.len() as i64 + 1 } else { dim };
    if !(0..=shape.len() as i64).contains(&at) {
        let of = b.ty(x).clone();
        return Err(b.error(crate::Fault::Axis { op: "unsqueeze".into(), axis: dim, of }));
    }
    shape.insert(at as usize, Dim::from(1));
    b.emit(Op::Reshape(shape), &[x])
}

/// Axes of length 1 repeated; −1 keeps an axis.
pub fn expand(b: &mut Builder, x: Value, to: &[Dim]) -> Built {
    let have = b.ty(x).shape.clone();
    let lead = to.len().saturating_sub(have.len());
    let keep = |(i, d): (usize, &Dim)| match i.checked_sub(lead).and_then(|i| have.get(i)) {
        Some(own) if d.is(-1) => own.clone(),
        _ => d.clone(),
    };
    let shape: Vec<Dim> = to.iter().enumerate().map(keep).collect();
    b.broadcast_to(x, &shape)
}

/// One behind the other along an axis.
pub fn cat(b: &mut Builder, xs: &[Value], dim: i64) -> Built {
    let axis = match xs.first() {
        Some(x) => b.axis("cat", *x, dim)?,
        None => 0,
    };
    b.emit(Op::Concat(axis), xs)
}

/// Side by side along a new axis.
pub fn stack(b: &mut Builder, xs: &[Value], dim: i64) -> Built {
    let raised: Vec<Value> = xs.iter().map(|x| unsqueeze(b, *x, dim)).collect::<Result<_, _>>()?;
    cat(b, &raised, dim)
}

/// `len` elements from `start` on along an axis, every `step`-th.
pub fn slice(b: &mut Builder, x: Value, dim: i64, start: Dim, len: Dim, step: i64) -> Built {
    let axis = b.axis("slice", x, dim)?;
    let whole = |n: &Dim| SliceAxis { start: Dim::from(0), len: n.clone(), step: 1 };
    let mut axes: Vec<SliceAxis> = b.ty(x).shape.iter().map(whole).collect();
    axes[axis] = SliceAxis { start, len, step };
    b.emit(Op::Slice(axes), &[x])
}

/// Consecutive parts of these lengths along an axis.
pub fn split(b: &mut Builder, x: Value, sizes: &[Dim], dim: i64) -> Result<Vec<Value>, Error> {
    let mut start = Dim::from(0);
    let mut parts = Vec::new();
    for size in sizes {
        parts.push(slice(b, x, dim, start.clone(), size.clone(), 1)?);
        start = start + size.clone();
    }
    Ok(parts)
}

/// Zero above the diagonal that is `diagonal` to the right of the main one, in the last two dims.
pub fn tril(b: &mut Builder, x: Value, diagonal: i64) -> Built {
    let above = above_diagonal(b, x, diagonal)?;
    let zero = b.splat(0.0, x)?;
    b.elementwise(Scalar::Select, &[above, zero, x])
}

/// Zero below that diagonal.
pub fn triu(b: &mut Builder, x: Value, diagonal: i64) -> Built {
    let kept = above_diagonal(b, x, diagonal - 1)?;
    let zero = b.splat(0.0, x)?;
    b.elementwise(Scalar::Select, &[kept, x, zero])
}

/// Bool `[rows, columns]`: column − row > diagonal.
fn above_diagonal(b: &mut Builder, x: Value, diagonal: i64) -> Built {
    let (i, j) = (b.axis("tril", x, -2)?, b.axis("tril", x, -1)?);
    let (rows, columns) = (b.ty(x).shape[i].clone(), b.ty(x).shape[j].clone());
    let row = b.emit(Op::Iota { len: rows, dtype: DType::I64 }, &[])?;
    let row = b.shift(row, diagonal as f64)?;
    let row = unsqueeze(b, row, 1)?;
    let column = b.emit(Op::Iota { len: columns, dtype: DType::I64 }, &[])?;
    b.elementwise(Scalar::Lt, &[row, column])
}

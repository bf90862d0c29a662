//! Reshaping by torch's rules.

use super::Built;
use crate::{Builder, DType, Dim, Error, Fault, Op, PadAxis, Scalar, SliceAxis, Value};

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
    if let Some(other) = xs.iter().find(|x| b.ty(**x) != b.ty(xs[0])) {
        let (left, right) = (b.ty(xs[0]).clone(), b.ty(*other).clone());
        return Err(b.error(Fault::Mismatch { op: "stack".into(), left, right }));
    }
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
pub(super) fn above_diagonal(b: &mut Builder, x: Value, diagonal: i64) -> Built {
    let (i, j) = (b.axis("tril", x, -2)?, b.axis("tril", x, -1)?);
    let (rows, columns) = (b.ty(x).shape[i].clone(), b.ty(x).shape[j].clone());
    let row = b.emit(Op::Iota { len: rows, dtype: DType::I64 }, &[])?;
    let row = b.shift(row, diagonal as f64)?;
    let row = unsqueeze(b, row, 1)?;
    let column = b.emit(Op::Iota { len: columns, dtype: DType::I64 }, &[])?;
    b.elementwise(Scalar::Lt, &[row, column])
}

/// The whole tensor repeated along each axis; axes that are new come first.
pub fn repeat(b: &mut Builder, x: Value, times: &[Dim]) -> Built {
    let mut shape = b.ty(x).shape.clone();
    if times.len() < shape.len() {
        let (want, got) = (format!("{} or less", times.len()), b.ty(x).clone());
        return Err(b.error(Fault::Rank { op: "repeat".into(), want, got }));
    }
    shape.splice(0..0, vec![Dim::from(1); times.len() - shape.len()]);
    let x = b.emit(Op::Reshape(shape.clone()), &[x])?;
    // [n, m] as [r, n, s, m] has each axis repeated as a whole.
    let wide = times.iter().enumerate().map(|(i, n)| (2 * i, n.clone())).collect();
    let wide = b.emit(Op::Broadcast(wide), &[x])?;
    b.emit(Op::Reshape(shape.into_iter().zip(times).map(|(n, t)| n * t.clone()).collect()), &[wide])
}

/// Elements moved along an axis; what leaves at the end comes back at the start.
pub fn roll(b: &mut Builder, x: Value, shift: i64, dim: i64) -> Built {
    let axis = b.axis("roll", x, dim)?;
    let n = b.ty(x).shape[axis].clone();
    let head = match n.literal() {
        Some(0) => return Ok(x),
        Some(n) => Dim::from(n - shift.rem_euclid(n)),
        None if shift < 0 => Dim::from(shift.saturating_neg()),
        None => n.clone() - Dim::from(shift),
    };
    let moved = slice(b, x, axis as i64, head.clone(), n - head.clone(), 1)?;
    let rest = slice(b, x, axis as i64, Dim::from(0), head, 1)?;
    cat(b, &[moved, rest], axis as i64)
}

/// A value around, or less where an amount is negative: before and after, from the last axis on, as in `F.pad`.
pub fn pad(b: &mut Builder, x: Value, amounts: &[i64], value: f64) -> Built {
    let shape = b.ty(x).shape.clone();
    if !amounts.len().is_multiple_of(2) || amounts.len() / 2 > shape.len() {
        let what = format!("a pair for each of at most {} dims, from the last on", shape.len());
        return Err(b.error(Fault::Attribute { op: "pad".into(), what }));
    }
    let of = |axis: usize| {
        let i = 2 * (shape.len() - 1 - axis);
        amounts.get(i..i + 2).map_or((0, 0), |pair| (pair[0], pair[1]))
    };
    let cut = |(axis, n): (usize, &Dim)| {
        let (low, high) = of(axis);
        let (low, high) = (Dim::from(low.saturating_neg().max(0)), Dim::from(high.saturating_neg().max(0)));
        SliceAxis { len: n.clone() - low.clone() - high, start: low, step: 1 }
    };
    let kept = b.emit(Op::Slice(shape.iter().enumerate().map(cut).collect()), &[x])?;
    let add = |axis: usize| {
        let (low, high) = of(axis);
        PadAxis { low: Dim::from(low.max(0)), high: Dim::from(high.max(0)), step: 1 }
    };
    let around = Op::Pad((0..shape.len()).map(add).collect());
    let padded = b.emit(around.clone(), &[kept])?;
    if value == 0.0 {
        return Ok(padded);
    }
    let own = b.constant(1.0, DType::Bool);
    let own = b.broadcast_to(own, &b.ty(kept).shape.clone())?;
    let own = b.emit(around, &[own])?;
    let value = b.splat(value, padded)?;
    b.map(Scalar::Select, &[own, padded, value])
}

/// `[…, C·r², H, W]` as `[…, C, H·r, W·r]` (Shi et al., 2016).
pub fn pixel_shuffle(b: &mut Builder, x: Value, factor: i64) -> Built {
    let (lead, [c, h, w]) = image(b, "pixel_shuffle", x)?;
    let r = Dim::from(factor);
    let Some(c) = (factor > 0).then(|| c.divide(&(r.clone() * r.clone()))).flatten() else {
        return Err(uneven(b, "pixel_shuffle", "the channels aren't divisible by the square of the factor"));
    };
    let n = lead.len();
    let apart = [c.clone(), r.clone(), r.clone(), h.clone(), w.clone()];
    let apart = b.emit(Op::Reshape([lead.as_slice(), &apart].concat()), &[x])?;
    let perm = (0..n).chain([0, 3, 1, 4, 2].map(|i| n + i)).collect();
    let beside = b.emit(Op::Permute(perm), &[apart])?;
    b.emit(Op::Reshape([lead.as_slice(), &[c, h * r.clone(), w * r]].concat()), &[beside])
}

/// `[…, C, H·r, W·r]` as `[…, C·r², H, W]`.
pub fn pixel_unshuffle(b: &mut Builder, x: Value, factor: i64) -> Built {
    let (lead, [c, h, w]) = image(b, "pixel_unshuffle", x)?;
    let r = Dim::from(factor);
    let parts = (factor > 0).then(|| Some((h.divide(&r)?, w.divide(&r)?))).flatten();
    let Some((h, w)) = parts else {
        return Err(uneven(b, "pixel_unshuffle", "height and width aren't divisible by the factor"));
    };
    let n = lead.len();
    let apart = [c.clone(), h.clone(), r.clone(), w.clone(), r.clone()];
    let apart = b.emit(Op::Reshape([lead.as_slice(), &apart].concat()), &[x])?;
    let perm = (0..n).chain([0, 2, 4, 1, 3].map(|i| n + i)).collect();
    let deep = b.emit(Op::Permute(perm), &[apart])?;
    b.emit(Op::Reshape([lead.as_slice(), &[c * r.clone() * r, h, w]].concat()), &[deep])
}

/// Channels, height and width, and the dims before.
fn image(b: &Builder, op: &str, x: Value) -> Result<(Vec<Dim>, [Dim; 3]), Error> {
    match b.ty(x).shape.as_slice() {
        [lead @ .., c, h, w] => Ok((lead.to_vec(), [c.clone(), h.clone(), w.clone()])),
        _ => Err(b.error(Fault::Rank { op: op.into(), want: "3 or more".into(), got: b.ty(x).clone() })),
    }
}

fn uneven(b: &Builder, op: &str, what: &str) -> Error {
    b.error(Fault::Attribute { op: op.into(), what: what.into() })
}

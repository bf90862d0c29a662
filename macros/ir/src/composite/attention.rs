//! Attention.

use super::linalg::matmul;
use super::norm::softmax;
use super::reduce::{amax, keepdim, size, sum};
use super::shape::{above_diagonal, cat, flatten, slice, stack, transpose, tril, unsqueeze};
use super::strips::{Strips, by_strips};
use super::{Built, reduce};
use crate::{Builder, DType, Dim, Error, Fault, Op, Scalar, Value};

/// softmax(scale · query · keyᵀ + mask) · value, with query `[…, L, E]`, key `[…, S, E]`, value `[…, S, V]` and a mask
/// that broadcasts to `[…, L, S]`. If causal, a query sees the keys up to its own place. No scale: 1/√E.
/// `F.scaled_dot_product_attention` (Vaswani et al., 2017).
pub fn scaled_dot_product(
    b: &mut Builder,
    [query, key, value]: [Value; 3],
    mask: Option<Value>,
    causal: bool,
    scale: Option<f64>,
) -> Built {
    b.axis("scaled_dot_product_attention", query, -1)?;
    if let Some(all) = by_strips(b, [query, key, value], mask, (causal, scale), Strips::default())? {
        return Ok(all);
    }
    let later = |b: &mut Builder, scores: Value| above_diagonal(b, scores, 0);
    attend(b, [query, key, value], mask, causal.then_some(&later), scale)
}

/// Which of the scores are of keys behind the query's place.
pub(super) type Later<'a> = &'a dyn Fn(&mut Builder, Value) -> Built;

/// Attention of all queries at once.
pub(super) fn attend(
    b: &mut Builder,
    [query, key, value]: [Value; 3],
    mask: Option<Value>,
    later: Option<Later>,
    scale: Option<f64>,
) -> Built {
    let keys = transpose(b, key, -2, -1)?;
    let scores = matmul(b, query, keys)?;
    let mut scores = match scale {
        Some(scale) => b.scale(scores, scale)?,
        None => {
            let ty = b.ty(query).clone();
            let n = size(b, &ty.shape[ty.rank() - 1], ty.dtype)?;
            let root = b.map(Scalar::Sqrt, &[n])?;
            b.div(scores, root)?
        }
    };
    if let Some(later) = later {
        let later = later(b, scores)?;
        let nothing = b.splat(f64::NEG_INFINITY, scores)?;
        scores = b.elementwise(Scalar::Select, &[later, nothing, scores])?;
    }
    if let Some(mask) = mask {
        scores = b.add(scores, mask)?;
    }
    let weights = softmax(b, scores, -1)?;
    matmul(b, weights, value)
}

/// Attention of `[…, H, L, E]` over fewer heads of keys `[…, G, S, E]` and values `[…, G, S, V]`, H / G queries to each:
/// `F.scaled_dot_product_attention(enable_gqa=True)` (Ainslie et al., 2023).
pub fn grouped_query(b: &mut Builder, [query, key, value]: [Value; 3], causal: bool) -> Built {
    let fault = |b: &Builder, what: &str| {
        b.error(Fault::Attribute { op: "grouped_query_attention".into(), what: what.into() })
    };
    let rank = b.ty(query).rank();
    if [query, key, value].iter().any(|x| b.ty(*x).rank() != rank) || rank < 3 {
        return Err(fault(b, "query, key and value are [.., heads, length, width]"));
    }
    let shape = b.ty(query).shape.clone();
    let groups = b.ty(key).shape[rank - 3].clone();
    let Some(each) = shape[rank - 3].divide(&groups) else {
        return Err(fault(b, "the heads of the keys must divide those of the queries"));
    };
    let mut split = shape.clone();
    split.splice(rank - 3..=rank - 3, [groups, each]);
    let query = b.emit(Op::Reshape(split), &[query])?;
    let (key, value) = (unsqueeze(b, key, -3)?, unsqueeze(b, value, -3)?);
    let y = scaled_dot_product(b, [query, key, value], None, causal, None)?;
    let mut joined = shape;
    joined[rank - 1] = b.ty(y).shape[rank].clone();
    b.emit(Op::Reshape(joined), &[y])
}

/// Attention over a few mixtures of the keys and of the values, `keys` and `values` being `[K, S]`, so that it costs as much as the
/// sequence is long (Wang et al., 2020).
pub fn linformer(b: &mut Builder, [query, key, value]: [Value; 3], [keys, values]: [Value; 2]) -> Built {
    let (key, value) = (matmul(b, keys, key)?, matmul(b, values, value)?);
    scaled_dot_product(b, [query, key, value], None, false, None)
}

/// Attention by positive random features of the softmax kernel, FAVOR+, `projection: [M, E]` (Choromanski et al., 2021). If
/// causal, a query sees the keys up to its own place, and its cost is that of all pairs.
pub fn performer(
    b: &mut Builder,
    [query, key, value]: [Value; 3],
    projection: Value,
    causal: bool,
    eps: f64,
) -> Built {
    let query = features(b, query, projection, &[-1], eps)?;
    let key = features(b, key, projection, &[-1, -2], eps)?;
    let across = transpose(b, key, -2, -1)?;
    let (seen, total) = if causal {
        let pairs = matmul(b, query, across)?;
        let pairs = tril(b, pairs, 0)?;
        let total = sum(b, pairs, &[-1])?;
        (matmul(b, pairs, value)?, keepdim(b, total, pairs, &[-1])?)
    } else {
        let mixed = matmul(b, across, value)?;
        let all = sum(b, key, &[-2])?;
        let all = unsqueeze(b, all, -1)?;
        (matmul(b, query, mixed)?, matmul(b, query, all)?)
    };
    b.div(seen, total)
}

/// (exp(x·pᵀ − |x|²/2 − top) + eps) / √M for x / E^¼, `top` being the largest of x·pᵀ over dims: a constant to the derivative, as
/// in the authors' code.
fn features(b: &mut Builder, x: Value, projection: Value, over: &[i64], eps: f64) -> Built {
    let axis = b.axis("performer_attention", x, -1)?;
    let number = |b: &Builder, d: &Dim| match d.literal() {
        Some(n) if n > 0 => Ok(n as f64),
        _ => {
            let what = "the width and the number of features must be known while compiling".into();
            Err(b.error(Fault::Attribute { op: "performer_attention".into(), what }))
        }
    };
    let width = number(b, &b.ty(x).shape[axis].clone())?;
    let last = b.axis("performer_attention", projection, 0)?;
    let count = number(b, &b.ty(projection).shape[last].clone())?;
    let x = b.scale(x, width.powf(-0.25))?;
    let across = transpose(b, projection, -2, -1)?;
    let p = matmul(b, x, across)?;
    let square = b.map(Scalar::Mul, &[x, x])?;
    let half = reduce::sum(b, square, &[-1])?;
    let half = keepdim(b, half, x, &[-1])?;
    let half = b.scale(half, 0.5)?;
    let top = amax(b, p, over)?;
    let top = b.emit(Op::StopGrad, &[top])?;
    let top = keepdim(b, top, p, over)?;
    let low = b.sub(p, half)?;
    let low = b.sub(low, top)?;
    let e = b.map(Scalar::Exp, &[low])?;
    let safe = b.shift(e, eps)?;
    b.scale(safe, 1.0 / count.sqrt())
}

/// Pairs of the last dim of `[…, T, E]` turned by positions `[T]` times a frequency that falls from pair to pair, base^(−2j / E)
/// (Su et al., 2021). A pair is neighbours if interleaved, or else the same place of both halves.
pub fn rotary(b: &mut Builder, x: Value, positions: Value, base: f64, interleaved: bool) -> Built {
    let fault = |b: &Builder, what: &str| -> Error {
        b.error(Fault::Attribute { op: "rotary_embedding".into(), what: what.into() })
    };
    let ty = b.ty(x).clone();
    if ty.rank() < 2 || b.ty(positions).rank() != 1 {
        return Err(fault(b, "x is [.., T, E] and the positions are [T]"));
    }
    let Some(width) = ty.shape[ty.rank() - 1].literal().filter(|n| *n > 0 && n % 2 == 0) else {
        return Err(fault(b, "the last dim is even and known while compiling"));
    };
    if base <= 0.0 {
        return Err(fault(b, "the base is above 0"));
    }
    let half = width / 2;
    let pair = b.emit(Op::Iota { len: Dim::from(half), dtype: DType::I64 }, &[])?;
    let pair = b.emit(Op::Cast(ty.dtype), &[pair])?;
    let falling = b.scale(pair, -2.0 / width as f64 * base.ln())?;
    let frequency = b.map(Scalar::Exp, &[falling])?;
    let at = b.emit(Op::Cast(ty.dtype), &[positions])?;
    let at = unsqueeze(b, at, 1)?;
    let angle = b.mul(at, frequency)?;
    let (cos, sin) = (b.map(Scalar::Cos, &[angle])?, b.map(Scalar::Sin, &[angle])?);
    let (second, step) = if interleaved { (1, 2) } else { (half, 1) };
    let one = slice(b, x, -1, Dim::from(0), Dim::from(half), step)?;
    let other = slice(b, x, -1, Dim::from(second), Dim::from(half), step)?;
    let mut turned = |cosine: Value, sine: Value, minus: bool| {
        let (c, s) = (b.mul(cosine, cos)?, b.mul(sine, sin)?);
        if minus { b.sub(c, s) } else { b.add(c, s) }
    };
    let (first, last) = (turned(one, other, true)?, turned(other, one, false)?);
    if interleaved {
        let pairs = stack(b, &[first, last], -1)?;
        return flatten(b, pairs, -2, -1);
    }
    cat(b, &[first, last], -1)
}

//! Losses of margins and of distances, with torch's formulas and reductions.

use super::activation::{log1p_exp, logsigmoid, relu};
use super::loss::{Reduce, class_dim, class_weights, counted, one_hot_like, reduced};
use super::order::cumsum;
use super::shape::unsqueeze;
use super::{Built, reduce};
use crate::{Builder, DType, Fault, Op, Scalar, Value};

/// max(0, margin − x)
fn hinge(b: &mut Builder, x: Value, margin: f64) -> Built {
    let neg = b.map(Scalar::Neg, &[x])?;
    let short = b.shift(neg, margin)?;
    relu(b, short)
}

/// `value` where the target is this number, else 0; the other way round unless `is`.
fn where_is(b: &mut Builder, target: Value, number: f64, is: bool, value: Value) -> Built {
    let number = b.splat(number, target)?;
    let hit = b.map(Scalar::Eq, &[target, number])?;
    let zero = b.splat(0.0, value)?;
    let (yes, no) = if is { (value, zero) } else { (zero, value) };
    b.elementwise(Scalar::Select, &[hit, yes, no])
}

/// `x` where the target is 1, max(0, margin − x) where it is −1, the sum of both where it is neither.
pub fn hinge_embedding(b: &mut Builder, x: Value, target: Value, margin: f64, how: Reduce) -> Built {
    let short = hinge(b, x, margin)?;
    let (near, far) = (where_is(b, target, -1.0, false, x)?, where_is(b, target, 1.0, false, short)?);
    let loss = b.add(near, far)?;
    reduced(b, loss, how)
}

/// max(0, margin − target·(x − other)): `x` is to be the larger one where the target is 1, `other` where it is −1.
pub fn margin_ranking(
    b: &mut Builder,
    x: Value,
    other: Value,
    target: Value,
    margin: f64,
    how: Reduce,
) -> Built {
    let ahead = b.sub(x, other)?;
    let right = b.mul(target, ahead)?;
    let loss = hinge(b, right, margin)?;
    reduced(b, loss, how)
}

/// ln(1 + e^(−target·x))
pub fn soft_margin(b: &mut Builder, x: Value, target: Value, how: Reduce) -> Built {
    let right = b.mul(target, x)?;
    let wrong = b.map(Scalar::Neg, &[right])?;
    let loss = log1p_exp(b, wrong)?;
    reduced(b, loss, how)
}

/// Binary cross-entropy of logits, the mean over the classes, which are the last dim; weighted by class.
pub fn multilabel_soft_margin(
    b: &mut Builder,
    x: Value,
    target: Value,
    weight: Option<Value>,
    how: Reduce,
) -> Built {
    let neg = b.map(Scalar::Neg, &[x])?;
    let (yes, no) = (logsigmoid(b, x)?, logsigmoid(b, neg)?);
    let off = b.sub(yes, no)?;
    let gain = b.mul(target, off)?;
    let gain = b.add(gain, no)?;
    let mut loss = b.map(Scalar::Neg, &[gain])?;
    if let Some(w) = weight {
        loss = b.mul(loss, w)?;
    }
    let loss = reduce::mean(b, loss, &[-1])?;
    reduced(b, loss, how)
}

/// What `multi_margin` may be told.
#[derive(Clone, Copy, Debug)]
pub struct MultiMargin {
    /// The power of what is missing, 1 or 2.
    pub p: f64,
    /// How far the label's class is to be ahead.
    pub margin: f64,
    /// A weight for each class, `[C]`.
    pub weight: Option<Value>,
    /// How the losses become one.
    pub reduction: Reduce,
}

/// `Σ max(0, margin − x[label] + x)ᵖ` over the other classes, weighted by the label's class, over the number of classes.
/// `x: [N, C]` or `[C]`, `labels: i64 [N]` or `[]`; NaN for a label that is none of the classes.
pub fn multi_margin(b: &mut Builder, x: Value, labels: Value, told: MultiMargin) -> Built {
    labelled(b, "multi_margin_loss", x, labels, 1)?;
    if told.p != 1.0 && told.p != 2.0 {
        let what = format!("`p` is 1 or 2, not {}", told.p);
        return Err(b.error(Fault::Attribute { op: "multi_margin_loss".into(), what }));
    }
    let class = class_dim(b, x);
    let hot = one_hot_like(b, labels, x, class)?;
    let zero = b.splat(0.0, x)?;
    let at_label = b.map(Scalar::Select, &[hot, x, zero])?;
    let at_label = reduce::sum(b, at_label, &[class])?;
    let at_label = unsqueeze(b, at_label, class)?;
    let ahead = b.sub(at_label, x)?;
    let short = hinge(b, ahead, told.margin)?;
    let power = if told.p == 1.0 { short } else { super::activation::pow(b, short, told.p)? };
    let others = b.map(Scalar::Select, &[hot, zero, power])?;
    let loss = reduce::mean(b, others, &[class])?;
    let weights = class_weights(b, x, class, told.weight)?;
    let weight = b.map(Scalar::Select, &[hot, weights, zero])?;
    let weight = reduce::sum(b, weight, &[class])?;
    let found = b.emit(Op::Cast(b.ty(x).dtype), &[hot])?;
    let found = reduce::sum(b, found, &[class])?;
    let never = b.map(Scalar::Lt, &[found, found])?;
    let known = counted(b, found, never)?;
    let loss = b.mul(loss, weight)?;
    let loss = b.mul(loss, known)?;
    reduced(b, loss, told.reduction)
}

/// `Σ max(0, 1 − x[j] + x[i])` over labels j and classes i that are none, over the number of classes. `x: [N, C]` or `[C]`;
/// `labels: i64` of that shape, a row's labels being those before its first negative one.
pub fn multilabel_margin(b: &mut Builder, x: Value, labels: Value, how: Reduce) -> Built {
    labelled(b, "multilabel_margin_loss", x, labels, 0)?;
    let none = b.splat(0.0, labels)?;
    let end = b.map(Scalar::Lt, &[labels, none])?;
    let end = b.emit(Op::Cast(DType::I64), &[end])?;
    let ended = cumsum(b, end, -1)?;
    let valid = b.map(Scalar::Eq, &[ended, none])?;
    // Labels along the last dim but one, classes along the last.
    let label = unsqueeze(b, labels, -1)?;
    let len = b.ty(x).shape.last().expect("checked").clone();
    let class = b.emit(Op::Iota { len, dtype: DType::I64 }, &[])?;
    let hit = b.elementwise(Scalar::Eq, &[label, class])?;
    let valid = unsqueeze(b, valid, -1)?;
    let hit = b.elementwise(Scalar::And, &[hit, valid])?;
    let zero = b.constant(0.0, b.ty(x).dtype);
    let row = unsqueeze(b, x, -2)?;
    let at_label = b.elementwise(Scalar::Select, &[hit, row, zero])?;
    let at_label = reduce::sum(b, at_label, &[-1])?;
    let hits = b.emit(Op::Cast(DType::I64), &[hit])?;
    let is_label = reduce::amax(b, hits, &[-2])?;
    let other = b.map(Scalar::Eq, &[is_label, none])?;
    let other = unsqueeze(b, other, -2)?;
    let at_label = unsqueeze(b, at_label, -1)?;
    let ahead = b.sub(at_label, row)?;
    let short = hinge(b, ahead, 1.0)?;
    let counts = b.elementwise(Scalar::And, &[valid, other])?;
    let pairs = b.elementwise(Scalar::Select, &[counts, short, zero])?;
    let loss = reduce::sum(b, pairs, &[-2])?;
    let loss = reduce::mean(b, loss, &[-1])?;
    reduced(b, loss, how)
}

/// 1 − cos where the target is 1, max(0, cos − margin) where it is −1; `x` and `other` `[N, D]` or `[D]`, squares of norms plus
/// 1e-12, as torch has it.
pub fn cosine_embedding(
    b: &mut Builder,
    x: Value,
    other: Value,
    target: Value,
    margin: f64,
    how: Reduce,
) -> Built {
    let dot = |b: &mut Builder, one, two| {
        let product = b.mul(one, two)?;
        reduce::sum(b, product, &[-1])
    };
    let (cross, one, two) = (dot(b, x, other)?, dot(b, x, x)?, dot(b, other, other)?);
    let (one, two) = (b.shift(one, 1e-12)?, b.shift(two, 1e-12)?);
    let square = b.mul(one, two)?;
    let size = b.map(Scalar::Sqrt, &[square])?;
    let cosine = b.div(cross, size)?;
    let (neg, beyond) = (b.map(Scalar::Neg, &[cosine])?, b.shift(cosine, -margin)?);
    let (off, beyond) = (b.shift(neg, 1.0)?, relu(b, beyond)?);
    let (near, far) = (where_is(b, target, 1.0, true, off)?, where_is(b, target, -1.0, true, beyond)?);
    let loss = b.add(near, far)?;
    reduced(b, loss, how)
}

/// (Σ |x − y + eps|ᵖ)^(1/p) over the last dim.
pub fn pairwise_distance(b: &mut Builder, x: Value, y: Value, p: f64, eps: f64) -> Built {
    let off = b.sub(x, y)?;
    let off = b.shift(off, eps)?;
    reduce::norm(b, off, p, &[-1])
}

/// What `triplet_margin` may be told.
#[derive(Clone, Copy, Debug)]
pub struct Triplet {
    /// How much farther the negative is to be.
    pub margin: f64,
    /// The power of the distance's norm.
    pub p: f64,
    /// What is added to each difference.
    pub eps: f64,
    /// Whether the negative's distance is also taken from the positive, and the smaller one counts (Balntas et al., 2016).
    pub swap: bool,
    /// How the losses become one.
    pub reduction: Reduce,
}

/// max(0, |anchor − positive| − |anchor − negative| + margin). Schroff et al., *FaceNet* (2015).
pub fn triplet_margin(
    b: &mut Builder,
    anchor: Value,
    positive: Value,
    negative: Value,
    told: Triplet,
) -> Built {
    let near = pairwise_distance(b, anchor, positive, told.p, told.eps)?;
    let mut far = pairwise_distance(b, anchor, negative, told.p, told.eps)?;
    if told.swap {
        let other = pairwise_distance(b, positive, negative, told.p, told.eps)?;
        far = b.elementwise(Scalar::Min, &[far, other])?;
    }
    let ahead = b.sub(far, near)?;
    let loss = hinge(b, ahead, told.margin)?;
    reduced(b, loss, told.reduction)
}

/// Checks scores `[N, C]` or `[C]` with i64 labels of `less` dims fewer.
fn labelled(b: &Builder, op: &str, x: Value, labels: Value, less: usize) -> Result<(), crate::Error> {
    let (scores, got) = (b.ty(x).clone(), b.ty(labels).clone());
    if !(1..=2).contains(&scores.rank()) {
        return Err(b.error(Fault::Rank { op: op.into(), want: "1 or 2".into(), got: scores }));
    }
    if got.dtype != DType::I64 {
        return Err(b.error(Fault::DType { op: op.into(), want: "i64 labels", got }));
    }
    if got.shape[..] != scores.shape[..scores.rank() - less] {
        return Err(b.error(Fault::Mismatch { op: op.into(), left: scores, right: got }));
    }
    Ok(())
}

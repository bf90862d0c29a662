//! Losses, with torch's reductions. Targets have no gradient of their own rule: it follows where they are floats.

use super::Built;
use super::activation::log1p_exp;
use super::norm::log_softmax;
use super::reduce;
use super::shape::unsqueeze;
use crate::{Builder, DType, Fault, Op, Scalar, Value};

/// How the losses of the elements become one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reduce {
    /// One loss an element.
    None,
    /// Their sum.
    Sum,
    /// Their mean.
    Mean,
}

pub(super) fn reduced(b: &mut Builder, loss: Value, how: Reduce) -> Built {
    match how {
        Reduce::None => Ok(loss),
        Reduce::Sum => reduce::sum(b, loss, &[]),
        Reduce::Mean => reduce::mean(b, loss, &[]),
    }
}

/// (x − y)²
pub fn mse(b: &mut Builder, x: Value, y: Value, how: Reduce) -> Built {
    let off = b.sub(x, y)?;
    let loss = b.map(Scalar::Mul, &[off, off])?;
    reduced(b, loss, how)
}

/// |x − y|
pub fn l1(b: &mut Builder, x: Value, y: Value, how: Reduce) -> Built {
    let off = b.sub(x, y)?;
    let loss = b.map(Scalar::Abs, &[off])?;
    reduced(b, loss, how)
}

/// ½(x − y)² within δ, δ(|x − y| − δ/2) beyond (Huber, 1964).
pub fn huber(b: &mut Builder, x: Value, y: Value, delta: f64, how: Reduce) -> Built {
    let off = b.sub(x, y)?;
    let size = b.map(Scalar::Abs, &[off])?;
    let square = b.map(Scalar::Mul, &[off, off])?;
    let near = b.scale(square, 0.5)?;
    let far = b.shift(size, -delta / 2.0)?;
    let far = b.scale(far, delta)?;
    let loss = b.if_below(size, delta, near, far)?;
    reduced(b, loss, how)
}

/// huber / β: torch's `smooth_l1_loss`.
pub fn smooth_l1(b: &mut Builder, x: Value, y: Value, beta: f64, how: Reduce) -> Built {
    let loss = huber(b, x, y, beta, how)?;
    b.scale(loss, 1.0 / beta)
}

/// Binary cross-entropy of logits: (1 − y)x + (1 + (p − 1)y)·ln(1 + e⁻ˣ), p the weight of positives.
pub fn bce_with_logits(
    b: &mut Builder,
    x: Value,
    y: Value,
    weight: Option<Value>,
    pos_weight: Option<Value>,
    how: Reduce,
) -> Built {
    let one = b.splat(1.0, y)?;
    let absent = b.map(Scalar::Sub, &[one, y])?;
    let linear = b.mul(absent, x)?;
    let neg = b.map(Scalar::Neg, &[x])?;
    let mut rest = log1p_exp(b, neg)?;
    if let Some(p) = pos_weight {
        let more = b.shift(p, -1.0)?;
        let more = b.mul(more, y)?;
        let factor = b.shift(more, 1.0)?;
        rest = b.mul(factor, rest)?;
    }
    let mut loss = b.add(linear, rest)?;
    if let Some(w) = weight {
        loss = b.mul(loss, w)?;
    }
    reduced(b, loss, how)
}

/// Binary cross-entropy of probabilities: −y·ln x − (1 − y)·ln(1 − x), the logarithms no less than −100.
pub fn bce(b: &mut Builder, x: Value, y: Value, weight: Option<Value>, how: Reduce) -> Built {
    let bounded = |b: &mut Builder, log: Value| super::activation::clamp(b, log, Some(-100.0), None);
    let log = b.map(Scalar::Log, &[x])?;
    let yes = bounded(b, log)?;
    let neg = b.map(Scalar::Neg, &[x])?;
    let log = b.map(Scalar::Log1p, &[neg])?;
    let no = bounded(b, log)?;
    let neg = b.map(Scalar::Neg, &[y])?;
    let absent = b.shift(neg, 1.0)?;
    let (yes, no) = (b.mul(y, yes)?, b.mul(absent, no)?);
    let sum = b.add(yes, no)?;
    let mut loss = b.map(Scalar::Neg, &[sum])?;
    if let Some(w) = weight {
        loss = b.mul(loss, w)?;
    }
    reduced(b, loss, how)
}

/// Negative log-likelihood of a Poisson distribution: eˣ − target·x for the logarithm of its rate, or x − target·ln(x + eps); with
/// `full` Stirling's approximation of ln target! is added where the target is above 1.
pub fn poisson_nll(
    b: &mut Builder,
    x: Value,
    target: Value,
    log_input: bool,
    full: bool,
    eps: f64,
    how: Reduce,
) -> Built {
    let (rate, log) = if log_input {
        (b.map(Scalar::Exp, &[x])?, x)
    } else {
        let above = b.shift(x, eps)?;
        (x, b.map(Scalar::Log, &[above])?)
    };
    let gain = b.mul(target, log)?;
    let mut loss = b.sub(rate, gain)?;
    if full {
        let one = b.splat(1.0, target)?;
        let few = b.map(Scalar::Le, &[target, one])?;
        let many = b.map(Scalar::Select, &[few, one, target])?;
        let log = b.map(Scalar::Log, &[many])?;
        let (product, round) = (b.mul(many, log)?, b.scale(many, std::f64::consts::TAU)?);
        let (round, flat) = (b.map(Scalar::Log, &[round])?, b.sub(product, many)?);
        let half = b.scale(round, 0.5)?;
        let (sum, zero) = (b.add(flat, half)?, b.splat(0.0, target)?);
        let stirling = b.map(Scalar::Select, &[few, zero, sum])?;
        loss = b.add(loss, stirling)?;
    }
    reduced(b, loss, how)
}

/// Negative log-likelihood of a normal distribution with mean `x`: ½(ln var + (x − target)²/var), with `full` plus ½ ln 2π. A variance
/// below `eps` counts as `eps`, and its gradient is what it would be there, as torch has it.
pub fn gaussian_nll(
    b: &mut Builder,
    x: Value,
    target: Value,
    var: Value,
    full: bool,
    eps: f64,
    how: Reduce,
) -> Built {
    let still = b.emit(Op::StopGrad, &[var])?;
    let none = b.sub(var, still)?;
    let least = b.shift(none, eps)?;
    let var = b.if_below(var, eps, least, var)?;
    let off = b.sub(x, target)?;
    let square = b.map(Scalar::Mul, &[off, off])?;
    let (share, log) = (b.div(square, var)?, b.map(Scalar::Log, &[var])?);
    let sum = b.add(log, share)?;
    let mut loss = b.scale(sum, 0.5)?;
    if full {
        loss = b.shift(loss, 0.5 * std::f64::consts::TAU.ln())?;
    }
    reduced(b, loss, how)
}

/// x · y / (|x| |y|) along a dim, the norms no less than `eps`.
pub fn cosine_similarity(b: &mut Builder, x: Value, y: Value, dim: i64, eps: f64) -> Built {
    let product = b.mul(x, y)?;
    let shape = b.ty(product).shape.clone();
    let dot = reduce::sum(b, product, &[b.axis("cosine_similarity", product, dim)? as i64])?;
    let mut cosine = dot;
    for v in [x, y] {
        let v = b.broadcast_to(v, &shape)?;
        let norm = reduce::norm(b, v, 2.0, &[dim])?;
        let norm = super::activation::clamp(b, norm, Some(eps), None)?;
        cosine = b.div(cosine, norm)?;
    }
    Ok(cosine)
}

/// What `cross_entropy` may be told beside logits and labels.
#[derive(Clone, Copy, Debug)]
pub struct CrossEntropy {
    /// A weight for each class, `[classes]`.
    pub weight: Option<Value>,
    /// The label that counts for nothing.
    pub ignore_index: i64,
    /// Share of the target that is spread evenly over the classes (Szegedy et al., 2016).
    pub label_smoothing: f64,
    /// How the losses become one; the mean is weighted by the classes' weights.
    pub reduction: Reduce,
}

impl Default for CrossEntropy {
    fn default() -> Self {
        CrossEntropy { weight: None, ignore_index: -100, label_smoothing: 0.0, reduction: Reduce::Mean }
    }
}

/// −ln softmax(x) at the label. `x: [N, C, …]` or `[C]`, `labels: i64 [N, …]` or `[]`.
pub fn cross_entropy(b: &mut Builder, x: Value, labels: Value, options: CrossEntropy) -> Built {
    let log_p = log_softmax(b, x, class_dim(b, x))?;
    nll(b, log_p, labels, options)
}

/// −x at the label, for `x` the logarithms of probabilities; shapes as in `cross_entropy`.
pub fn nll(b: &mut Builder, log_p: Value, labels: Value, options: CrossEntropy) -> Built {
    if b.ty(labels).dtype != DType::I64 {
        let got = b.ty(labels).clone();
        return Err(b.error(Fault::DType { op: "cross_entropy".into(), want: "i64 labels", got }));
    }
    let (x, class) = (log_p, class_dim(b, log_p));
    let hot = one_hot_like(b, labels, x, class)?;
    let zero = b.splat(0.0, x)?;
    let weights = class_weights(b, x, class, options.weight)?;
    // Weight of the label's class; 0 for the label that is ignored, which also may be out of range.
    let ignored = b.splat(options.ignore_index as f64, labels)?;
    let ignore = b.map(Scalar::Eq, &[labels, ignored])?;
    let at_label = b.map(Scalar::Select, &[hot, weights, zero])?;
    let weight = reduce::sum(b, at_label, &[class])?;
    let found = match options.weight {
        None => weight,
        Some(_) => {
            let hot = b.emit(Op::Cast(b.ty(x).dtype), &[hot])?;
            reduce::sum(b, hot, &[class])?
        }
    };
    let counted = counted(b, found, ignore)?;
    let weight = b.map(Scalar::Mul, &[weight, counted])?;
    let picked = b.map(Scalar::Mul, &[at_label, log_p])?;
    let picked = reduce::sum(b, picked, &[class])?;
    let mut loss = b.scale(picked, options.label_smoothing - 1.0)?;
    if options.label_smoothing > 0.0 {
        let spread = b.map(Scalar::Mul, &[weights, log_p])?;
        let spread = reduce::sum(b, spread, &[class])?;
        let n = reduce::count(b, x, &[class])?;
        let share = b.constant(-options.label_smoothing, b.ty(x).dtype);
        let share = b.div(share, n)?;
        let spread = b.mul(spread, share)?;
        loss = b.add(loss, spread)?;
    }
    let loss = b.map(Scalar::Mul, &[loss, counted])?;
    if options.reduction != Reduce::Mean {
        return reduced(b, loss, options.reduction);
    }
    let (total, weight) = (reduce::sum(b, loss, &[])?, reduce::sum(b, weight, &[])?);
    b.div(total, weight)
}

/// 1 for a label that is one of the classes, 0 for one that is ignored, and NaN else: a wrong label can't be refused
/// where it is met, but it mustn't go unseen.
pub(super) fn counted(b: &mut Builder, found: Value, ignore: Value) -> Built {
    let (zero, one) = (b.splat(0.0, found)?, b.splat(1.0, found)?);
    let wrong = b.splat(f64::NAN, found)?;
    let none = b.map(Scalar::Eq, &[found, zero])?;
    let label = b.map(Scalar::Select, &[none, wrong, one])?;
    b.map(Scalar::Select, &[ignore, zero, label])
}

/// −Σ target · ln softmax(x), the mean over all but the class dim; `target` holds probabilities.
pub fn cross_entropy_soft(b: &mut Builder, x: Value, target: Value, label_smoothing: f64) -> Built {
    let class = class_dim(b, x);
    let log_p = log_softmax(b, x, class)?;
    let n = reduce::count(b, x, &[class])?;
    let mut target = b.scale(target, 1.0 - label_smoothing)?;
    if label_smoothing > 0.0 {
        let share = b.constant(label_smoothing, b.ty(x).dtype);
        let share = b.div(share, n)?;
        target = b.add(target, share)?;
    }
    let product = b.map(Scalar::Mul, &[target, log_p])?;
    let gain = reduce::sum(b, product, &[class])?;
    let loss = b.map(Scalar::Neg, &[gain])?;
    reduce::mean(b, loss, &[])
}

/// The class dim: 1, or 0 of a single row.
pub(super) fn class_dim(b: &Builder, x: Value) -> i64 {
    (b.ty(x).rank() > 1) as i64
}

/// Kullback–Leibler divergence of log-probabilities `x` from `target`: target·(ln target − x), each entry. A target
/// of 0 counts 0. With `log_target`, `target` holds logarithms.
pub fn kl_div(b: &mut Builder, x: Value, target: Value, log_target: bool) -> Built {
    if log_target {
        let (p, off) = (b.map(Scalar::Exp, &[target])?, b.sub(target, x)?);
        return b.mul(p, off);
    }
    let (zero, one) = (b.splat(0.0, target)?, b.splat(1.0, target)?);
    let none = b.map(Scalar::Eq, &[target, zero])?;
    let safe = b.map(Scalar::Select, &[none, one, target])?;
    let log = b.map(Scalar::Log, &[safe])?;
    let off = b.sub(log, x)?;
    b.mul(target, off)
}

/// Share of rows whose largest entry stands at the label, f32. `x: [N, C]`, `labels: i64 [N]`.
pub fn accuracy(b: &mut Builder, x: Value, labels: Value) -> Built {
    let guess = reduce::argmax(b, x, -1)?;
    let hit = b.map(Scalar::Eq, &[guess, labels])?;
    let hit = b.emit(Op::Cast(DType::F32), &[hit])?;
    reduce::mean(b, hit, &[])
}

/// Bool of the shape of `x`: whether the index along `class` is the label.
pub(super) fn one_hot_like(b: &mut Builder, labels: Value, x: Value, class: i64) -> Built {
    let index = along(b, x, class, DType::I64)?;
    let labels = unsqueeze(b, labels, class)?;
    let shape = b.ty(x).shape.clone();
    let (labels, index) = (b.broadcast_to(labels, &shape)?, b.broadcast_to(index, &shape)?);
    b.map(Scalar::Eq, &[labels, index])
}

/// `0 .. C` as `[C, 1, …]`, so that it broadcasts along the class dim.
fn along(b: &mut Builder, x: Value, class: i64, dtype: DType) -> Built {
    let len = b.ty(x).shape[class as usize].clone();
    let index = b.emit(Op::Iota { len, dtype }, &[])?;
    raise(b, index, x, class)
}

fn raise(b: &mut Builder, mut v: Value, x: Value, class: i64) -> Built {
    for _ in class as usize + 1..b.ty(x).rank() {
        v = unsqueeze(b, v, -1)?;
    }
    Ok(v)
}

pub(super) fn class_weights(b: &mut Builder, x: Value, class: i64, weight: Option<Value>) -> Built {
    let Some(w) = weight else { return b.splat(1.0, x) };
    let w = raise(b, w, x, class)?;
    let shape = b.ty(x).shape.clone();
    b.broadcast_to(w, &shape)
}

//! Update rules of optimizers, for one parameter: from the old to the new parameter and state.
//!
//! Hyper-parameters are values, so that a schedule changes them without compiling again.

use super::{Built, reduce};
use crate::{Builder, DType, Error, Op, Scalar, Value, narrow};

/// Hyper-parameters of SGD, rank-0 values of the parameter's element type, but for `nesterov`.
#[derive(Clone, Copy, Debug)]
pub struct Sgd {
    /// Learning rate.
    pub lr: Value,
    /// Share of the velocity that stays; no velocity is kept without it.
    pub momentum: Option<Value>,
    /// Share of the gradient that the velocity does not take, from the second step on.
    pub dampening: Value,
    /// L2 penalty.
    pub weight_decay: Value,
    /// Look ahead by the velocity (Nesterov, 1983).
    pub nesterov: bool,
}

/// One step of SGD: the new parameter and velocity. `first` is a bool scalar: whether it is the first step,
/// whose velocity is the gradient.
pub fn sgd(b: &mut Builder, h: Sgd, p: Value, g: Value, v: Value, first: Value) -> Result<[Value; 2], Error> {
    let decay = b.mul(h.weight_decay, p)?;
    let g = b.add(g, decay)?;
    let (mut step, mut velocity) = (g, v);
    if let Some(momentum) = h.momentum {
        let kept = b.mul(momentum, v)?;
        let one = b.splat(1.0, h.dampening)?;
        let share = b.map(Scalar::Sub, &[one, h.dampening])?;
        let new = b.mul(share, g)?;
        let moved = b.add(kept, new)?;
        velocity = b.elementwise(Scalar::Select, &[first, g, moved])?;
        step = velocity;
        if h.nesterov {
            let ahead = b.mul(momentum, velocity)?;
            step = b.add(g, ahead)?;
        }
    }
    let change = b.mul(h.lr, step)?;
    Ok([b.sub(p, change)?, velocity])
}

/// Hyper-parameters of Adam and AdamW: f64 scalars, because `1 − βᵗ` needs the digits.
#[derive(Clone, Copy, Debug)]
pub struct Adam {
    /// Learning rate.
    pub lr: Value,
    /// Decay of the mean of gradients.
    pub beta1: Value,
    /// Decay of the mean of squares.
    pub beta2: Value,
    /// Keeps the quotient finite.
    pub eps: Value,
    /// L2 penalty, or decay in AdamW.
    pub weight_decay: Value,
    /// Decay apart from the gradient: AdamW (Loshchilov and Hutter, 2019).
    pub decoupled: bool,
}

/// One step of Adam (Kingma and Ba, 2015): the new parameter, mean and mean of squares. `t` is the number of
/// this step, counted from 1, an f64 scalar.
pub fn adam(
    b: &mut Builder,
    h: Adam,
    p: Value,
    g: Value,
    [m, v]: [Value; 2],
    t: Value,
) -> Result<[Value; 3], Error> {
    let decay = if h.decoupled { b.map(Scalar::Mul, &[h.lr, h.weight_decay])? } else { h.weight_decay };
    let decay = scaled(b, decay, p)?;
    let (p, g) = if h.decoupled { (b.sub(p, decay)?, g) } else { (p, b.add(g, decay)?) };
    let [m, v] = means(b, h, g, [m, v])?;
    Ok([moved(b, h, p, [m, v], t)?, m, v])
}

/// One step of AMSGrad (Reddi, Kale and Kumar, 2018): as [`adam`], but divided by the largest mean of squares so far,
/// the last of the moments. `decoupled` is an f64 scalar, 1 for AdamW's decay.
pub fn amsgrad(
    b: &mut Builder,
    h: Adam,
    decoupled: Value,
    p: Value,
    g: Value,
    [m, v, top]: [Value; 3],
    t: Value,
) -> Result<[Value; 4], Error> {
    let apart = b.map(Scalar::Mul, &[h.weight_decay, decoupled])?;
    let penalty = b.map(Scalar::Sub, &[h.weight_decay, apart])?;
    let penalty = scaled(b, penalty, p)?;
    let g = b.add(g, penalty)?;
    let share = b.map(Scalar::Mul, &[h.lr, apart])?;
    let decay = scaled(b, share, p)?;
    let p = b.sub(p, decay)?;
    let [m, v] = means(b, h, g, [m, v])?;
    let top = b.map(Scalar::Max, &[top, v])?;
    Ok([moved(b, h, p, [m, top], t)?, m, v, top])
}

/// The means of gradients and of their squares.
fn means(b: &mut Builder, h: Adam, g: Value, [m, v]: [Value; 2]) -> Result<[Value; 2], Error> {
    let square = b.map(Scalar::Mul, &[g, g])?;
    Ok([moving(b, h.beta1, m, g)?, moving(b, h.beta2, v, square)?])
}

/// `p − lr/(1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + eps)`
fn moved(b: &mut Builder, h: Adam, p: Value, moments: [Value; 2], t: Value) -> Built {
    let (c1, c2) = (correction(b, h.beta1, t)?, correction(b, h.beta2, t)?);
    let rate = b.map(Scalar::Div, &[h.lr, c1])?;
    let rate = narrowed(b, rate, p)?;
    let ratio = ratio(b, h, moments, c2)?;
    let change = b.mul(rate, ratio)?;
    b.sub(p, change)
}

/// `m / (√v / √c₂ + eps)`, `c₂ = 1 − β₂ᵗ`
fn ratio(b: &mut Builder, h: Adam, [m, v]: [Value; 2], c2: Value) -> Built {
    let root = b.map(Scalar::Sqrt, &[c2])?;
    let (root, eps) = (narrowed(b, root, m)?, narrowed(b, h.eps, m)?);
    let spread = b.map(Scalar::Sqrt, &[v])?;
    let spread = b.div(spread, root)?;
    let below = b.add(spread, eps)?;
    b.map(Scalar::Div, &[m, below])
}

/// One step of LAMB (You et al., *Large Batch Optimization for Deep Learning*, 2020, algorithm 2 with φ(z) = z): the new parameter,
/// mean and mean of squares. The step of Adam with decay, as long as the parameter: a parameter or a step of length 0 takes it as
/// it is.
pub fn lamb(
    b: &mut Builder,
    h: Adam,
    [p, g]: [Value; 2],
    moments: [Value; 2],
    t: Value,
) -> Result<[Value; 3], Error> {
    let [m, v] = means(b, h, g, moments)?;
    let (c1, c2) = (correction(b, h.beta1, t)?, correction(b, h.beta2, t)?);
    let ratio = ratio(b, h, [m, v], c2)?;
    let one = b.constant(1.0, DType::F64);
    let debias = b.map(Scalar::Div, &[one, c1])?;
    let step = scaled(b, debias, ratio)?;
    let decay = scaled(b, h.weight_decay, p)?;
    let step = b.add(step, decay)?;
    let trust = trust(b, p, step)?;
    let rate = narrowed(b, h.lr, p)?;
    let rate = b.mul(rate, trust)?;
    let change = b.mul(rate, step)?;
    Ok([b.sub(p, change)?, m, v])
}

/// |p| / |step|, and 1 where one of both is 0.
fn trust(b: &mut Builder, p: Value, step: Value) -> Built {
    let (long, wide) = (reduce::norm(b, p, 2.0, &[])?, reduce::norm(b, step, 2.0, &[])?);
    let (none, one) = (b.splat(0.0, long)?, b.splat(1.0, long)?);
    let share = b.div(long, wide)?;
    let (no_p, no_step) = (b.map(Scalar::Le, &[long, none])?, b.map(Scalar::Le, &[wide, none])?);
    let without = b.map(Scalar::Or, &[no_p, no_step])?;
    b.map(Scalar::Select, &[without, one, share])
}

/// Hyper-parameters of RMSprop: f64 scalars.
#[derive(Clone, Copy, Debug)]
pub struct RmsProp {
    /// Learning rate.
    pub lr: Value,
    /// Decay of the means.
    pub alpha: Value,
    /// Keeps the quotient finite.
    pub eps: Value,
    /// Share of the velocity that stays.
    pub momentum: Value,
    /// L2 penalty.
    pub weight_decay: Value,
    /// 1 if squares are taken around the mean of gradients, else 0.
    pub centered: Value,
}

/// One step of RMSprop (Tieleman and Hinton, 2012): the new parameter, mean of squares, velocity and mean of gradients.
pub fn rmsprop(
    b: &mut Builder,
    h: RmsProp,
    p: Value,
    g: Value,
    [square, velocity, mean]: [Value; 3],
) -> Result<[Value; 4], Error> {
    let penalty = scaled(b, h.weight_decay, p)?;
    let g = b.add(g, penalty)?;
    let own = b.map(Scalar::Mul, &[g, g])?;
    let (square, mean) = (moving(b, h.alpha, square, own)?, moving(b, h.alpha, mean, g)?);
    let around = b.map(Scalar::Mul, &[mean, mean])?;
    let around = scaled(b, h.centered, around)?;
    let spread = b.sub(square, around)?;
    let spread = b.map(Scalar::Sqrt, &[spread])?;
    let eps = narrowed(b, h.eps, p)?;
    let below = b.add(spread, eps)?;
    let ratio = b.map(Scalar::Div, &[g, below])?;
    let kept = scaled(b, h.momentum, velocity)?;
    let velocity = b.add(kept, ratio)?;
    let change = scaled(b, h.lr, velocity)?;
    Ok([b.sub(p, change)?, square, velocity, mean])
}

/// One step of Lion (Chen et al., *Symbolic Discovery of Optimization Algorithms*, 2023): the new parameter and mean of
/// gradients. All numbers are f64 scalars: `lr`, `β₁`, `β₂` and the decay apart from the gradient.
pub fn lion(
    b: &mut Builder,
    [lr, beta1, beta2, decay]: [Value; 4],
    [p, g, m]: [Value; 3],
) -> Result<[Value; 2], Error> {
    let ahead = moving(b, beta1, m, g)?;
    let sign = b.map(Scalar::Sign, &[ahead])?;
    let penalty = scaled(b, decay, p)?;
    let step = b.add(sign, penalty)?;
    let change = scaled(b, lr, step)?;
    Ok([b.sub(p, change)?, moving(b, beta2, m, g)?])
}

/// `factor · x` for an f64 scalar.
fn scaled(b: &mut Builder, factor: Value, x: Value) -> Built {
    let factor = narrowed(b, factor, x)?;
    b.mul(factor, x)
}

/// `β·mean + (1 − β)·x`
fn moving(b: &mut Builder, beta: Value, mean: Value, x: Value) -> Built {
    let one = b.constant(1.0, DType::F64);
    let rest = b.map(Scalar::Sub, &[one, beta])?;
    let (beta, rest) = (narrowed(b, beta, x)?, narrowed(b, rest, x)?);
    let (kept, new) = (b.mul(beta, mean)?, b.mul(rest, x)?);
    b.add(kept, new)
}

/// `1 − βᵗ`
fn correction(b: &mut Builder, beta: Value, t: Value) -> Built {
    let one = b.constant(1.0, DType::F64);
    let power = b.map(Scalar::Pow, &[beta, t])?;
    b.map(Scalar::Sub, &[one, power])
}

fn narrowed(b: &mut Builder, x: Value, like: Value) -> Built {
    let dtype = b.ty(like).dtype;
    b.emit(Op::Cast(dtype), &[x])
}

/// √(Σ over all gradients of the sum of squares); of narrow ones in f32.
pub fn grad_norm(b: &mut Builder, grads: &[Value]) -> Built {
    let mut total: Option<Value> = None;
    for g in narrow::widened(b, grads)? {
        let square = b.map(Scalar::Mul, &[g, g])?;
        let s = reduce::sum(b, square, &[])?;
        total = Some(total.map_or(Ok(s), |t| b.map(Scalar::Add, &[t, s]))?);
    }
    let total = total.unwrap_or_else(|| b.constant(0.0, DType::F32));
    b.map(Scalar::Sqrt, &[total])
}

/// Gradients scaled so that their norm is at most `max`: torch's `clip_grad_norm_` (Pascanu et al., 2013).
pub fn clip_norm(b: &mut Builder, grads: &[Value], max: f64) -> Result<Vec<Value>, Error> {
    let norm = grad_norm(b, grads)?;
    let safe = b.shift(norm, 1e-6)?;
    let factor = b.over(max, safe)?;
    let one = b.splat(1.0, factor)?;
    let factor = b.map(Scalar::Min, &[factor, one])?;
    let scale = |g: &Value| {
        let wide = narrow::widened(b, &[*g])?;
        let scaled = b.mul(wide[0], factor)?;
        narrowed(b, scaled, *g)
    };
    grads.iter().map(scale).collect()
}

/// Gradients with each entry kept within `−max ..= max`.
pub fn clip_value(b: &mut Builder, grads: &[Value], max: f64) -> Result<Vec<Value>, Error> {
    grads.iter().map(|g| super::activation::clamp(b, *g, Some(-max), Some(max))).collect()
}

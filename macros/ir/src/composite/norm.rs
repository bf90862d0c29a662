//! Softmax and the norms: over trailing dims, over channels.

use super::activation::{pow, rsqrt};
use super::reduce::{keepdim, logsumexp, mean, var};
use super::{Built, reduce, shape};
use crate::{Builder, Dim, Error, Fault, Op, Scalar, Value};

/// eˣ / Σ eˣ along a dim.
pub fn softmax(b: &mut Builder, x: Value, dim: i64) -> Built {
    let top = reduce::amax(b, x, &[dim])?;
    let top = b.emit(Op::StopGrad, &[top])?;
    let high = keepdim(b, top, x, &[dim])?;
    let low = b.sub(x, high)?;
    let e = b.map(Scalar::Exp, &[low])?;
    let total = reduce::sum(b, e, &[dim])?;
    // One division a row: the sum is at least 1, so nothing is lost at either end.
    let scale = b.over(1.0, total)?;
    let scale = keepdim(b, scale, x, &[dim])?;
    b.mul(e, scale)
}

/// x − ln Σ eˣ along a dim.
pub fn log_softmax(b: &mut Builder, x: Value, dim: i64) -> Built {
    let log = logsumexp(b, x, &[dim])?;
    let log = keepdim(b, log, x, &[dim])?;
    b.sub(x, log)
}

/// (x − mean) / √(var + eps) · weight + bias over the last `over` dims (Ba et al., 2016).
pub fn layer_norm(
    b: &mut Builder,
    x: Value,
    over: usize,
    weight: Option<Value>,
    bias: Option<Value>,
    eps: f64,
) -> Built {
    let dims = trailing(over);
    let m = mean(b, x, &dims)?;
    let m = keepdim(b, m, x, &dims)?;
    let off = b.sub(x, m)?;
    let v = var(b, x, &dims, 0.0)?;
    let y = normalized(b, off, v, &dims, eps)?;
    affine(b, y, weight, bias)
}

/// x / √(mean x² + eps) · weight over the last `over` dims (Zhang and Sennrich, 2019).
pub fn rms_norm(b: &mut Builder, x: Value, over: usize, weight: Option<Value>, eps: f64) -> Built {
    let dims = trailing(over);
    let square = b.map(Scalar::Mul, &[x, x])?;
    let power = mean(b, square, &dims)?;
    let y = normalized(b, x, power, &dims, eps)?;
    affine(b, y, weight, None)
}

/// (x − mean) / √(var + eps) · weight + bias with an entry of each for every channel, `x: [N, C, …]`. In training mean
/// and variance are the batch's (Ioffe and Szegedy, 2015).
pub fn batch_norm(
    b: &mut Builder,
    x: Value,
    [mean, var]: [Value; 2],
    weight: Option<Value>,
    bias: Option<Value>,
    eps: f64,
) -> Built {
    let mean = channelwise(b, x, mean)?;
    let safe = b.shift(var, eps)?;
    let scale = rsqrt(b, safe)?;
    let scale = channelwise(b, x, scale)?;
    let off = b.sub(x, mean)?;
    let y = b.mul(off, scale)?;
    affine_channels(b, y, weight, bias)
}

/// The same by the batch's own statistics, and the running ones moved towards them by `momentum`: the variance that is kept is
/// the unbiased one, as torch's.
pub fn batch_norm_train(
    b: &mut Builder,
    x: Value,
    running: [Value; 2],
    [weight, bias]: [Option<Value>; 2],
    momentum: f64,
    eps: f64,
) -> Result<[Value; 3], Error> {
    for state in running {
        channelwise(b, x, state)?;
    }
    let shape = b.ty(x).shape.clone();
    let over: Vec<i64> = (0..shape.len() as i64).filter(|i| *i != 1).collect();
    if over.iter().all(|i| shape[*i as usize].literal() == Some(1)) {
        let what = "a channel has one value only, so that there is no variance".into();
        return Err(b.error(Fault::Attribute { op: "batch_norm_train".into(), what }));
    }
    let [m, v, kept] = [mean(b, x, &over)?, var(b, x, &over, 0.0)?, var(b, x, &over, 1.0)?];
    let y = batch_norm(b, x, [m, v], weight, bias, eps)?;
    let mut moved = |old: Value, new: Value| {
        let new = b.emit(Op::StopGrad, &[new])?;
        let (old, new) = (b.scale(old, 1.0 - momentum)?, b.scale(new, momentum)?);
        b.add(old, new)
    };
    Ok([y, moved(running[0], m)?, moved(running[1], kept)?])
}

/// Normalized over each of so many groups of channels and all dims behind, `x: [N, C, …]` (Wu and He, 2018).
pub fn group_norm(
    b: &mut Builder,
    x: Value,
    groups: &Dim,
    weight: Option<Value>,
    bias: Option<Value>,
    eps: f64,
) -> Built {
    let shape = b.ty(x).shape.clone();
    let channels = channels(b, x)?;
    let Some(each) = channels.divide(groups) else {
        let what = match channels.literal() {
            Some(_) => "the channels aren't divisible by the groups".into(),
            None => format!(
                "whether the channels, {}, are divisible by the groups is known only where a model is called with their number: \
                 write `#[model(inline)]`, and call it from one that has it",
                channels.display(&b.func().syms)
            ),
        };
        return Err(b.error(Fault::Attribute { op: "group_norm".into(), what }));
    };
    let size = shape[2..].iter().fold(each, |n, d| n * d.clone());
    let grouped = b.emit(Op::Reshape(vec![shape[0].clone(), groups.clone(), size]), &[x])?;
    let y = layer_norm(b, grouped, 1, None, None, eps)?;
    let y = b.emit(Op::Reshape(shape), &[y])?;
    affine_channels(b, y, weight, bias)
}

/// Normalized over all dims behind the channels, `x: [N, C, …]` (Ulyanov et al., 2016).
pub fn instance_norm(
    b: &mut Builder,
    x: Value,
    weight: Option<Value>,
    bias: Option<Value>,
    eps: f64,
) -> Built {
    let channels = channels(b, x)?;
    group_norm(b, x, &channels, weight, bias, eps)
}

/// x over its 2-norm along a dim, which counts as no less than `eps`.
pub fn normalize(b: &mut Builder, x: Value, dim: i64, eps: f64) -> Built {
    let axis = b.axis("normalize", x, dim)?;
    let norm = reduce::norm(b, x, 2.0, &[dim])?;
    let norm = super::activation::clamp(b, norm, Some(eps), None)?;
    let norm = b.emit(Op::Broadcast(vec![(axis, b.ty(x).shape[axis].clone())]), &[norm])?;
    b.div(x, norm)
}

/// x / (k + alpha · Σx² / size)^beta, the sum over `size` neighbouring channels (Krizhevsky et al., 2012).
pub fn local_response_norm(b: &mut Builder, x: Value, size: i64, alpha: f64, beta: f64, k: f64) -> Built {
    const MOST: i64 = 1024;
    let channels = channels(b, x)?;
    if !(1..=MOST).contains(&size) {
        let what = format!("the size is 1 to {MOST}");
        return Err(b.error(Fault::Attribute { op: "local_response_norm".into(), what }));
    }
    let square = b.map(Scalar::Mul, &[x, x])?;
    let mut amounts = vec![0; 2 * (b.ty(x).rank() - 2)];
    amounts.extend([size / 2, (size - 1) / 2]);
    let wide = shape::pad(b, square, &amounts, 0.0)?;
    let mut total = shape::slice(b, wide, 1, Dim::from(0), channels.clone(), 1)?;
    for i in 1..size {
        let next = shape::slice(b, wide, 1, Dim::from(i), channels.clone(), 1)?;
        total = b.map(Scalar::Add, &[total, next])?;
    }
    let scaled = b.scale(total, alpha / size as f64)?;
    let base = b.shift(scaled, k)?;
    let power = pow(b, base, beta)?;
    b.div(x, power)
}

fn channels(b: &Builder, x: Value) -> Result<Dim, Error> {
    let ty = b.ty(x);
    let rank = || Fault::Rank { op: "norm".into(), want: "2 or more".into(), got: ty.clone() };
    ty.shape.get(1).cloned().ok_or_else(|| b.error(rank()))
}

/// A vector of an entry a channel, in a shape that broadcasts: `[C, 1, …]`.
pub(super) fn channelwise(b: &mut Builder, x: Value, v: Value) -> Built {
    let channels = channels(b, x)?;
    if b.ty(v).shape != [channels.clone()] {
        let show = |d: &Dim| d.display(&b.func().syms).to_string();
        let got: Vec<String> = b.ty(v).shape.iter().map(show).collect();
        let what = format!("an entry a channel has shape [{}], not [{}]", show(&channels), got.join(", "));
        return Err(b.error(Fault::Attribute { op: "norm".into(), what }));
    }
    let behind = b.ty(x).rank() - 2;
    b.emit(Op::Reshape([vec![channels], vec![Dim::from(1); behind]].concat()), &[v])
}

fn affine_channels(b: &mut Builder, x: Value, weight: Option<Value>, bias: Option<Value>) -> Built {
    let weight = weight.map(|w| channelwise(b, x, w)).transpose()?;
    let bias = bias.map(|c| channelwise(b, x, c)).transpose()?;
    affine(b, x, weight, bias)
}

fn trailing(over: usize) -> Vec<i64> {
    (1..=over as i64).map(|i| -i).collect()
}

fn normalized(b: &mut Builder, x: Value, power: Value, dims: &[i64], eps: f64) -> Built {
    let safe = b.shift(power, eps)?;
    let scale = rsqrt(b, safe)?;
    let scale = keepdim(b, scale, x, dims)?;
    b.mul(x, scale)
}

fn affine(b: &mut Builder, x: Value, weight: Option<Value>, bias: Option<Value>) -> Built {
    let y = weight.map_or(Ok(x), |w| b.mul(x, w))?;
    bias.map_or(Ok(y), |c| b.add(y, c))
}

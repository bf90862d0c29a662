//! Softmax and the norms over trailing dims.

use super::activation::rsqrt;
use super::reduce::{keepdim, logsumexp, mean, var};
use super::{Built, reduce};
use crate::{Builder, Op, Scalar, Value};

/// eˣ / Σ eˣ along a dim.
pub fn softmax(b: &mut Builder, x: Value, dim: i64) -> Built {
    let top = reduce::amax(b, x, &[dim])?;
    let top = b.emit(Op::StopGrad, &[top])?;
    let high = keepdim(b, top, x, &[dim])?;
    let low = b.sub(x, high)?;
    let e = b.map(Scalar::Exp, &[low])?;
    let total = reduce::sum(b, e, &[dim])?;
    let total = keepdim(b, total, x, &[dim])?;
    b.div(e, total)
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

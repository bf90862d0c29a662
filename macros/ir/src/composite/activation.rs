//! Activations. Their subgradients at kinks are torch's.

use super::Built;
use crate::{Builder, Scalar, Value};

/// `max(x, 0)`; its derivative at 0 is 0. NaN passes.
pub fn relu(b: &mut Builder, x: Value) -> Built {
    leaky_relu(b, x, 0.0)
}

/// `x` above 0, `slope·x` else; its derivative at 0 is `slope`.
pub fn leaky_relu(b: &mut Builder, x: Value, slope: f64) -> Built {
    let zero = b.splat(0.0, x)?;
    let low = if slope == 0.0 { zero } else { b.scale(x, slope)? };
    let off = b.map(Scalar::Le, &[x, zero])?;
    b.map(Scalar::Select, &[off, low, x])
}

/// `x` kept within `min ..= max`; the derivative on the bounds is 0, as torch 2.15 has it.
pub fn clamp(b: &mut Builder, x: Value, min: Option<f64>, max: Option<f64>) -> Built {
    let mut y = x;
    if let Some(min) = min {
        let bound = b.splat(min, x)?;
        let below = b.map(Scalar::Le, &[x, bound])?;
        y = b.map(Scalar::Select, &[below, bound, y])?;
    }
    if let Some(max) = max {
        let bound = b.splat(max, x)?;
        // Of what the first bound made of it: where they cross, the upper one is the result, as torch has it.
        let above = b.map(Scalar::Le, &[bound, y])?;
        y = b.map(Scalar::Select, &[above, bound, y])?;
    }
    Ok(y)
}

/// `min(max(x, 0), 6)`; its derivative at 0 and 6 is 0.
pub fn relu6(b: &mut Builder, x: Value) -> Built {
    let y = relu(b, x)?;
    let six = b.splat(6.0, x)?;
    b.if_below(y, 6.0, y, six)
}

/// `1 / (1 + e⁻ˣ)`
pub fn sigmoid(b: &mut Builder, x: Value) -> Built {
    b.map(Scalar::Sigmoid, &[x])
}

/// `x · sigmoid(x)`
pub fn silu(b: &mut Builder, x: Value) -> Built {
    let gate = sigmoid(b, x)?;
    b.map(Scalar::Mul, &[x, gate])
}

/// `ln(1 + e^(βx)) / β`, and `x` where `βx` is above the threshold.
pub fn softplus(b: &mut Builder, x: Value, beta: f64, threshold: f64) -> Built {
    let z = b.scale(x, beta)?;
    let smooth = log1p_exp(b, z)?;
    let smooth = b.scale(smooth, 1.0 / beta)?;
    let limit = b.splat(threshold, z)?;
    let linear = b.map(Scalar::Lt, &[limit, z])?;
    b.map(Scalar::Select, &[linear, x, smooth])
}

/// `ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|)`, which never overflows.
pub(super) fn log1p_exp(b: &mut Builder, x: Value) -> Built {
    let zero = b.splat(0.0, x)?;
    let hinge = b.map(Scalar::Max, &[x, zero])?;
    let size = b.map(Scalar::Abs, &[x])?;
    let fall = b.map(Scalar::Neg, &[size])?;
    let e = b.map(Scalar::Exp, &[fall])?;
    let rest = b.map(Scalar::Log1p, &[e])?;
    b.map(Scalar::Add, &[hinge, rest])
}

/// `ln sigmoid(x)`
pub fn logsigmoid(b: &mut Builder, x: Value) -> Built {
    let neg = b.map(Scalar::Neg, &[x])?;
    let y = log1p_exp(b, neg)?;
    b.map(Scalar::Neg, &[y])
}

/// `x · Φ(x)` with the exact normal distribution function (Hendrycks and Gimpel, 2016).
pub fn gelu(b: &mut Builder, x: Value) -> Built {
    let z = b.scale(x, std::f64::consts::FRAC_1_SQRT_2)?;
    let erf = b.map(Scalar::Erf, &[z])?;
    let twice = b.shift(erf, 1.0)?;
    let half = b.scale(x, 0.5)?;
    b.map(Scalar::Mul, &[half, twice])
}

/// GELU by the approximation with tanh.
pub fn gelu_tanh(b: &mut Builder, x: Value) -> Built {
    let square = b.map(Scalar::Mul, &[x, x])?;
    let cubic = b.scale(square, 0.044715)?;
    let factor = b.shift(cubic, 1.0)?;
    let inner = b.map(Scalar::Mul, &[x, factor])?;
    let z = b.scale(inner, (2.0 / std::f64::consts::PI).sqrt())?;
    let tanh = b.map(Scalar::Tanh, &[z])?;
    let twice = b.shift(tanh, 1.0)?;
    let half = b.scale(x, 0.5)?;
    b.map(Scalar::Mul, &[half, twice])
}

/// `x` above 0, `α(eˣ − 1)` else.
pub fn elu(b: &mut Builder, x: Value, alpha: f64) -> Built {
    let zero = b.splat(0.0, x)?;
    let off = b.map(Scalar::Le, &[x, zero])?;
    // The branch not taken must not overflow, so its argument is held at 0.
    let low = b.map(Scalar::Select, &[off, x, zero])?;
    let e = b.map(Scalar::Expm1, &[low])?;
    let e = b.scale(e, alpha)?;
    b.map(Scalar::Select, &[off, e, x])
}

/// `λ·elu(x, α)`, λ and α such that activations keep mean 0 and variance 1 (Klambauer et al., 2017).
pub fn selu(b: &mut Builder, x: Value) -> Built {
    let y = elu(b, x, 1.673_263_242_354_377_3)?;
    b.scale(y, 1.050_700_987_355_480_5)
}

/// The whole number next to `x` towards 0: `sign(x)·⌊|x|⌋`.
pub fn trunc(b: &mut Builder, x: Value) -> Built {
    let size = b.map(Scalar::Abs, &[x])?;
    let whole = b.map(Scalar::Floor, &[size])?;
    let sign = b.map(Scalar::Sign, &[x])?;
    b.map(Scalar::Mul, &[sign, whole])
}

/// `x · tanh(softplus(x))` (Misra, 2019).
pub fn mish(b: &mut Builder, x: Value) -> Built {
    let s = log1p_exp(b, x)?;
    let t = b.map(Scalar::Tanh, &[s])?;
    b.map(Scalar::Mul, &[x, t])
}

/// `relu6(x + 3) / 6`
pub fn hardsigmoid(b: &mut Builder, x: Value) -> Built {
    let moved = b.shift(x, 3.0)?;
    let y = relu6(b, moved)?;
    b.scale(y, 1.0 / 6.0)
}

/// `x · relu6(x + 3) / 6`
pub fn hardswish(b: &mut Builder, x: Value) -> Built {
    let gate = hardsigmoid(b, x)?;
    b.map(Scalar::Mul, &[x, gate])
}

/// `x` to the power of a number.
pub fn pow(b: &mut Builder, x: Value, exponent: f64) -> Built {
    let e = b.splat(exponent, x)?;
    b.map(Scalar::Pow, &[x, e])
}

/// `1 / √x`
pub fn rsqrt(b: &mut Builder, x: Value) -> Built {
    let root = b.map(Scalar::Sqrt, &[x])?;
    b.over(1.0, root)
}

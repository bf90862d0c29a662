//! Element by element: scalars, activations, comparisons, choices, element types.

use super::{Args, table};
use crate::composite::{Built, activation as act};
use crate::{Builder, Fault, Op, Scalar};

table! {
    /// a + b
    Method add(x: Tensor, other: Operand) -> One |b, a| binary(b, a, Scalar::Add);
    /// a − b
    Method sub(x: Operand, other: Operand) -> One |b, a| binary(b, a, Scalar::Sub);
    /// a · b
    Method mul(x: Tensor, other: Operand) -> One |b, a| binary(b, a, Scalar::Mul);
    /// a / b
    Method div(x: Operand, other: Operand) -> One |b, a| quotient(b, a);
    /// The larger of both.
    Method maximum(x: Tensor, other: Operand) -> One |b, a| binary(b, a, Scalar::Max);
    /// The smaller of both.
    Method minimum(x: Tensor, other: Operand) -> One |b, a| binary(b, a, Scalar::Min);
    /// x to a power.
    Method pow(x: Tensor, exponent: Operand) -> One |b, a| match a.number(1) {
        Some(exponent) => act::pow(b, a.tensor(0), exponent),
        None => binary(b, a, Scalar::Pow),
    };
    /// The angle of (other, x): atan(x / other) in the right quadrant.
    Method atan2(x: Tensor, other: Operand) -> One |b, a| binary(b, a, Scalar::Atan2);
    /// −x
    Method neg(x: Tensor) -> One |b, a| b.map(Scalar::Neg, &[a.tensor(0)]);
    /// |x|
    Method abs(x: Tensor) -> One |b, a| b.map(Scalar::Abs, &[a.tensor(0)]);
    /// −1, 0 or 1.
    Method sign(x: Tensor) -> One |b, a| b.map(Scalar::Sign, &[a.tensor(0)]);
    /// The next whole number below.
    Method floor(x: Tensor) -> One |b, a| b.map(Scalar::Floor, &[a.tensor(0)]);
    /// The next whole number above.
    Method ceil(x: Tensor) -> One |b, a| b.map(Scalar::Ceil, &[a.tensor(0)]);
    /// The next whole number towards 0.
    Method trunc(x: Tensor) -> One |b, a| act::trunc(b, a.tensor(0));
    /// The nearest whole number, halves to even.
    Method round(x: Tensor) -> One |b, a| b.map(Scalar::Round, &[a.tensor(0)]);
    /// eˣ
    Method exp(x: Tensor) -> One |b, a| b.map(Scalar::Exp, &[a.tensor(0)]);
    /// eˣ − 1
    Method expm1(x: Tensor) -> One |b, a| b.map(Scalar::Expm1, &[a.tensor(0)]);
    /// ln x
    Method log(x: Tensor) -> One |b, a| b.map(Scalar::Log, &[a.tensor(0)]);
    /// ln(1 + x)
    Method log1p(x: Tensor) -> One |b, a| b.map(Scalar::Log1p, &[a.tensor(0)]);
    /// √x
    Method sqrt(x: Tensor) -> One |b, a| b.map(Scalar::Sqrt, &[a.tensor(0)]);
    /// 1/√x
    Method rsqrt(x: Tensor) -> One |b, a| act::rsqrt(b, a.tensor(0));
    /// x²
    Method square(x: Tensor) -> One |b, a| b.map(Scalar::Mul, &[a.tensor(0), a.tensor(0)]);
    /// 1/x
    Method reciprocal(x: Tensor) -> One |b, a| b.over(1.0, a.tensor(0));
    /// sin x
    Method sin(x: Tensor) -> One |b, a| b.map(Scalar::Sin, &[a.tensor(0)]);
    /// cos x
    Method cos(x: Tensor) -> One |b, a| b.map(Scalar::Cos, &[a.tensor(0)]);
    /// tan x
    Method tan(x: Tensor) -> One |b, a| b.map(Scalar::Tan, &[a.tensor(0)]);
    /// The hyperbolic tangent.
    Method tanh(x: Tensor) -> One |b, a| b.map(Scalar::Tanh, &[a.tensor(0)]);
    /// The error function.
    Method erf(x: Tensor) -> One |b, a| b.map(Scalar::Erf, &[a.tensor(0)]);

    /// max(x, 0)
    Method relu(x: Tensor) -> One |b, a| act::relu(b, a.tensor(0));
    /// x above 0, slope · x below.
    Method leaky_relu(x: Tensor, slope: Float) -> One |b, a| act::leaky_relu(b, a.tensor(0), a.float(1));
    /// min(max(x, 0), 6)
    Method relu6(x: Tensor) -> One |b, a| act::relu6(b, a.tensor(0));
    /// x within min ..= max.
    Method clamp(x: Tensor, min: Float, max: Float) -> One
        |b, a| act::clamp(b, a.tensor(0), Some(a.float(1)), Some(a.float(2)));
    /// x, at least min.
    Method clamp_min(x: Tensor, min: Float) -> One |b, a| act::clamp(b, a.tensor(0), Some(a.float(1)), None);
    /// x, at most max.
    Method clamp_max(x: Tensor, max: Float) -> One |b, a| act::clamp(b, a.tensor(0), None, Some(a.float(1)));
    /// 1 / (1 + e⁻ˣ)
    Method sigmoid(x: Tensor) -> One |b, a| act::sigmoid(b, a.tensor(0));
    /// ln sigmoid x
    Method logsigmoid(x: Tensor) -> One |b, a| act::logsigmoid(b, a.tensor(0));
    /// x · sigmoid x
    Method silu(x: Tensor) -> One |b, a| act::silu(b, a.tensor(0));
    /// x · tanh(softplus x)
    Method mish(x: Tensor) -> One |b, a| act::mish(b, a.tensor(0));
    /// ln(1 + eˣ)
    Method softplus(x: Tensor) -> One |b, a| act::softplus(b, a.tensor(0), 1.0, 20.0);
    /// ln(1 + e^(βx)) / β, and x where βx is above the threshold.
    Method softplus_with(x: Tensor, beta: Float, threshold: Float) -> One
        |b, a| act::softplus(b, a.tensor(0), a.float(1), a.float(2));
    /// x · Φ(x)
    Method gelu(x: Tensor) -> One |b, a| act::gelu(b, a.tensor(0));
    /// GELU, approximated with tanh.
    Method gelu_tanh(x: Tensor) -> One |b, a| act::gelu_tanh(b, a.tensor(0));
    /// x above 0, α(eˣ − 1) below.
    Method elu(x: Tensor, alpha: Float) -> One |b, a| act::elu(b, a.tensor(0), a.float(1));
    /// λ·elu(x, α), which keeps activations at mean 0 and variance 1.
    Method selu(x: Tensor) -> One |b, a| act::selu(b, a.tensor(0));
    /// x within −1 ..= 1.
    Method hardtanh(x: Tensor) -> One |b, a| act::clamp(b, a.tensor(0), Some(-1.0), Some(1.0));
    /// relu6(x + 3) / 6
    Method hardsigmoid(x: Tensor) -> One |b, a| act::hardsigmoid(b, a.tensor(0));
    /// x · relu6(x + 3) / 6
    Method hardswish(x: Tensor) -> One |b, a| act::hardswish(b, a.tensor(0));

    /// Whether both are equal.
    Method eq(x: Tensor, other: Operand) -> One |b, a| binary(b, a, Scalar::Eq);
    /// Whether they differ.
    Method ne(x: Tensor, other: Operand) -> One |b, a| {
        binary(b, a, Scalar::Eq).and_then(|eq| b.map(Scalar::Not, &[eq]))
    };
    /// Whether x is smaller.
    Method lt(x: Tensor, other: Operand) -> One |b, a| binary(b, a, Scalar::Lt);
    /// Whether x is at most the other.
    Method le(x: Tensor, other: Operand) -> One |b, a| binary(b, a, Scalar::Le);
    /// Whether x is larger.
    Method gt(x: Tensor, other: Operand) -> One |b, a| swapped(b, a, Scalar::Lt);
    /// Whether x is at least the other.
    Method ge(x: Tensor, other: Operand) -> One |b, a| swapped(b, a, Scalar::Le);
    /// Whether both are true.
    Method logical_and(x: Tensor, other: Tensor) -> One |b, a| binary(b, a, Scalar::And);
    /// Whether one is true.
    Method logical_or(x: Tensor, other: Tensor) -> One |b, a| binary(b, a, Scalar::Or);
    /// Whether it is false.
    Method logical_not(x: Tensor) -> One |b, a| b.map(Scalar::Not, &[a.tensor(0)]);
    /// a where the mask is true, b elsewhere: torch's `where`.
    Both where_cond(mask: Tensor, a: Operand, b: Operand) -> One |b, a| {
        let (yes, no) = (a.operand(b, 1)?, a.operand(b, 2)?);
        b.elementwise(Scalar::Select, &[a.tensor(0), yes, no])
    };
    /// value where the mask is true, x elsewhere.
    Method masked_fill(x: Tensor, mask: Tensor, value: Operand) -> One |b, a| {
        let value = a.operand(b, 2)?;
        b.elementwise(Scalar::Select, &[a.tensor(1), value, a.tensor(0)])
    };

    /// The elements in another type.
    Method to(x: Tensor, dtype: Dtype) -> One |b, a| b.emit(Op::Cast(a.dtype(1)), &[a.tensor(0)]);
    /// The elements in another type; the same as `to`.
    Method cast(x: Tensor, dtype: Dtype) -> One |b, a| b.emit(Op::Cast(a.dtype(1)), &[a.tensor(0)]);
    /// The same, with derivative 0.
    Method detach(x: Tensor) -> One |b, a| b.emit(Op::StopGrad, &[a.tensor(0)]);
    /// x, through which no gradient goes.
    Function stop_gradient(x: Tensor) -> One |b, a| b.emit(Op::StopGrad, &[a.tensor(0)]);
    /// The same.
    Method clone(x: Tensor) -> One |_b, a| Ok(a.tensor(0));
}

fn binary(b: &mut Builder, a: &Args, scalar: Scalar) -> Built {
    let (left, right) = (a.operand(b, 0)?, a.operand(b, 1)?);
    b.elementwise(scalar, &[left, right])
}

/// Of integers PyTorch's `/` gives floats and Rust's a whole number, so it is neither.
fn quotient(b: &mut Builder, a: &Args) -> Built {
    let (left, right) = (a.operand(b, 0)?, a.operand(b, 1)?);
    for side in [left, right] {
        if !b.ty(side).dtype.is_float() {
            let got = b.ty(side).clone();
            return Err(b.error(Fault::DType { op: "div".to_string(), want: "floats", got }));
        }
    }
    b.elementwise(Scalar::Div, &[left, right])
}

fn swapped(b: &mut Builder, a: &Args, scalar: Scalar) -> Built {
    let (left, right) = (a.operand(b, 0)?, a.operand(b, 1)?);
    b.elementwise(scalar, &[right, left])
}

//! Element by element: arithmetic and elementary functions.

use super::methods;
use crate::Tensor;

methods! {
    /// `x + other`, broadcast as in NumPy: `torch.add`. The operator is the same.
    add(other: Operand) -> One, "[1.0, 2.0]": "x.add(0.5)" => "[1.5, 2.5]";
    /// `x − other`: `torch.sub`.
    sub(other: Operand) -> One, "[1.0, 2.0]": "x.sub(0.5)" => "[0.5, 1.5]";
    /// `x · other`, element by element: `torch.mul`.
    mul(other: Operand) -> One, "[1.0, 2.0]": "x.mul(&x)" => "[1, 4]";
    /// `x / other`: `torch.div`. Integers are cast first, `x.to(f32)`: of them PyTorch's quotient is a float and Rust's is not.
    div(other: Operand) -> One, "[1.0, 2.0]": "x.div(4)" => "[0.25, 0.5]";
    /// The larger of both: `torch.maximum`. NaN wins; equal ones share the gradient.
    maximum(other: Operand) -> One, "[1.0, -2.0]": "x.maximum(0)" => "[1, 0]";
    /// The smaller of both: `torch.minimum`. NaN wins; equal ones share the gradient.
    minimum(other: Operand) -> One, "[1.0, -2.0]": "x.minimum(0)" => "[0, -2]";
    /// `x` to a power: `torch.pow`.
    pow(exponent: Operand) -> One, "[1.0, 3.0]": "x.pow(2)" => "[1, 9]";
    /// The angle of the point (`other`, `x`), −π to π: `torch.atan2`.
    atan2(other: Operand) -> One, "[0.0, 0.0]": "x.atan2(1)" => "[0, 0]";
    /// `−x`: `torch.neg`.
    neg() -> One, "[1.0, -2.0]": "x.neg()" => "[-1, 2]";
    /// `|x|`: `torch.abs`. Its derivative at 0 is 0.
    abs() -> One, "[1.0, -2.0]": "x.abs()" => "[1, 2]";
    /// −1, 0 or 1: `torch.sign`.
    sign() -> One, "[3.0, 0.0, -2.0]": "x.sign()" => "[1, 0, -1]";
    /// The next whole number below: `torch.floor`.
    floor() -> One, "[1.5, -1.5]": "x.floor()" => "[1, -2]";
    /// The next whole number above: `torch.ceil`.
    ceil() -> One, "[1.5, -1.5]": "x.ceil()" => "[2, -1]";
    /// The next whole number towards 0: `torch.trunc`.
    trunc() -> One, "[1.5, -1.5]": "x.trunc()" => "[1, -1]";
    /// The nearest whole number, halves to even: `torch.round`.
    round() -> One, "[0.5, 1.5, -1.2]": "x.round()" => "[0, 2, -1]";
    /// `eˣ`: `torch.exp`.
    exp() -> One, "[0.0, f64::NEG_INFINITY]": "x.exp()" => "[1, 0]";
    /// `eˣ − 1`, exact near 0: `torch.expm1`.
    expm1() -> One, "[0.0, 1e-20]": "x.expm1()" => "[0, 0.00000000000000000001]";
    /// The natural logarithm: `torch.log`.
    log() -> One, "[1.0, 0.0]": "x.log()" => "[0, -inf]";
    /// `ln(1 + x)`, exact near 0: `torch.log1p`.
    log1p() -> One, "[0.0, -1.0]": "x.log1p()" => "[0, -inf]";
    /// `√x`: `torch.sqrt`.
    sqrt() -> One, "[4.0, 9.0]": "x.sqrt()" => "[2, 3]";
    /// `1/√x`: `torch.rsqrt`.
    rsqrt() -> One, "[4.0, 16.0]": "x.rsqrt()" => "[0.5, 0.25]";
    /// `x²`: `torch.square`.
    square() -> One, "[2.0, -3.0]": "x.square()" => "[4, 9]";
    /// `1/x`: `torch.reciprocal`.
    reciprocal() -> One, "[2.0, -4.0]": "x.reciprocal()" => "[0.5, -0.25]";
    /// The sine: `torch.sin`.
    sin() -> One, "[0.0]": "x.sin()" => "[0]";
    /// The cosine: `torch.cos`.
    cos() -> One, "[0.0]": "x.cos()" => "[1]";
    /// The tangent: `torch.tan`.
    tan() -> One, "[0.0]": "x.tan()" => "[0]";
    /// The hyperbolic tangent: `torch.tanh`.
    tanh() -> One, "[0.0, 100.0]": "x.tanh()" => "[0, 1]";
    /// The error function `2/√π ∫₀ˣ e^(−t²) dt`: `torch.erf`.
    erf() -> One, "[0.0, 100.0]": "x.erf()" => "[0, 1]";
}

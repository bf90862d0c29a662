//! Numbers as 8-bit integers.

use super::{Args, table};
use crate::composite::quantize::{self, Grid};
use crate::{Builder, Error};

table! {
    /// The integers low ..= high nearest to x / scale + zero_point (i64).
    Function quantize_per_tensor(x: Tensor, scale: Operand, zero_point: Operand, low: Axis, high: Axis) -> One
        |b, a| grid(b, a, None).and_then(|g| quantize::quantize(b, a.tensor(0), g, (a.axis(3), a.axis(4))));
    /// The same with a scale and a zero point for each entry of a dim.
    Function quantize_per_channel(
        x: Tensor, scales: Operand, zero_points: Operand, dim: Axis, low: Axis, high: Axis
    ) -> One |b, a| grid(b, a, Some(a.axis(3)))
        .and_then(|g| quantize::quantize(b, a.tensor(0), g, (a.axis(4), a.axis(5))));
    /// (q − zero_point) · scale, in the element type of the scale.
    Function dequantize_per_tensor(q: Tensor, scale: Tensor, zero_point: Operand) -> One
        |b, a| grid(b, a, None).and_then(|g| quantize::dequantize(b, a.tensor(0), g));
    /// The same with a scale and a zero point for each entry of a dim.
    Function dequantize_per_channel(q: Tensor, scales: Tensor, zero_points: Operand, dim: Axis) -> One
        |b, a| grid(b, a, Some(a.axis(3))).and_then(|g| quantize::dequantize(b, a.tensor(0), g));
    /// To integers and back; the gradient passes where they are within low ..= high.
    Function fake_quantize_per_tensor_affine(
        x: Tensor, scale: Operand, zero_point: Operand, low: Axis, high: Axis
    ) -> One |b, a| grid(b, a, None).and_then(|g| quantize::fake(b, a.tensor(0), g, (a.axis(3), a.axis(4))));
    /// The scale and zero point of 0 ..= 255 (127 if reduced) over the range of x and 0.
    Function choose_qparams_per_tensor(x: Tensor, reduce_range: Bool) -> Pair
        |b, a| quantize::choose(b, a.tensor(0), a.bool(1));
    /// x · weightᵀ + bias by 8-bit integers, where the weight holds integers and has a scale, or one for each row.
    Function linear_dynamic(x: Tensor, weight: Tensor, weight_scale: Tensor, bias: Maybe, reduce_range: Bool) -> One
        |b, a| quantize::linear_dynamic(b, a.tensor(0), [a.tensor(1), a.tensor(2)], a.maybe(3), a.bool(4));
}

fn grid(b: &mut Builder, a: &Args, dim: Option<i64>) -> Result<Grid, Error> {
    Ok(Grid { scale: a.operand(b, 1)?, zero: a.operand(b, 2)?, dim })
}

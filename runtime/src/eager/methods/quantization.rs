//! Numbers as 8-bit integers, as torch's quantized tensors hold them: `x ≈ (q − zero_point) · scale`. The integers are
//! `Tensor<i64>`; `low` and `high` are −128 and 127 for `qint8`, 0 and 255 for `quint8`. Quotients are computed in f32,
//! and halves round to even.

use super::free_functions;
use crate::Tensor;

free_functions! {
    /// `clamp(round(x / scale) + zero_point, low, high)`: `torch.quantize_per_tensor`.
    quantize_per_tensor[T](x: Tensor, scale: Operand, zero_point: Offset, low: Axis, high: Axis) -> Index,
        "let x: Tensor = Tensor::from([0.26, -0.5, 90.0]);\nassert_eq!(quantize_per_tensor(x, 0.5, 1, -128, 127).as_slice(), [2, 0, 127]);";
    /// The same with a scale and a zero point for each entry of a dim: `torch.quantize_per_channel`.
    quantize_per_channel[T](
        x: Tensor, scales: Operand, zero_points: Offset, dim: Axis, low: Axis, high: Axis
    ) -> Index,
        "let x: Tensor = Tensor::from([[1.0, 1.0]]);\nlet q = quantize_per_channel(x, Tensor::from([0.5, 0.25]), 0, 1, -128, 127);\nassert_eq!(q.as_slice(), [2, 4]);";
    /// `(q − zero_point) · scale`: `Tensor.dequantize`.
    dequantize_per_tensor[T](q: Index, scale: Tensor, zero_point: Offset) -> One,
        "let q = Tensor::<i64>::from([2, 0]);\nassert_eq!(dequantize_per_tensor::<f32>(q, Tensor::scalar(0.5), 1).to_string(), \"[0.5, -0.5]\");";
    /// The same with a scale and a zero point for each entry of a dim.
    dequantize_per_channel[T](q: Index, scales: Tensor, zero_points: Offset, dim: Axis) -> One,
        "let q = Tensor::<i64>::from([[2, 4]]);\nlet x = dequantize_per_channel::<f32>(q, Tensor::from([0.5, 0.25]), 0, 1);\nassert_eq!(x.to_string(), \"[[1, 1]]\");";
    /// To integers and back, which is how a net learns to live with rounding: `torch.fake_quantize_per_tensor_affine`.
    /// The gradient passes where the integer is within `low ..= high`, and is 0 elsewhere.
    fake_quantize_per_tensor_affine[T](x: Tensor, scale: Operand, zero_point: Offset, low: Axis, high: Axis) -> One,
        "let x: Tensor = Tensor::from([0.3, 90.0]).requires_grad();\nlet y = fake_quantize_per_tensor_affine(&x, 0.25, 0, -128, 127);\nassert_eq!(y.to_string(), \"[0.25, 31.75]\");\ny.sum().backward()?;\nassert_eq!(x.grad().map(|g| g.to_string()), Some(\"[1, 0]\".into()));\n# Ok::<(), kiln::Error>(())";
    /// The scale and zero point with which 0 ..= 255 (127 if `reduce_range`) covers the numbers of a tensor and 0:
    /// `torch._choose_qparams_per_tensor`.
    choose_qparams_per_tensor[T](x: Tensor, reduce_range: Bool) -> Pair,
        "let x: Tensor = Tensor::from([-1.0, 1.55]);\nlet (scale, zero_point) = choose_qparams_per_tensor(x, false);\nassert!((scale.item()? - 0.01).abs() < 1e-8);\nassert_eq!(zero_point.item()?, 100);\n# Ok::<(), kiln::Error>(())";
    /// `x · weightᵀ + bias` by 8-bit integers: `torch.ops.quantized.linear_dynamic`. The weight, `[out, in]`, was quantized
    /// around 0 to −128 ..= 127 with one scale or one for each row; `x` is quantized by [`choose_qparams_per_tensor`], and the
    /// sums are exact in i32.
    linear_dynamic[T](x: Tensor, weight: Index, weight_scale: Tensor, bias: Maybe, reduce_range: Bool) -> One,
        "let (x, w): (Tensor, Tensor) = (Tensor::from([[-1.0, 1.55]]), Tensor::from([[0.5, 1.27]]));\nlet scale = w.abs().max() / 127.0;\nlet q = quantize_per_tensor(&w, &scale, 0, -128, 127);\nlet y = linear_dynamic(&x, q, &scale, None, false);\nassert!((y.item()? - x.linear(&w, None).item()?).abs() < 1e-3);\n# Ok::<(), kiln::Error>(())";
}

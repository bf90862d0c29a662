//! Convolutions and pools. A list has a number for each dim behind `[N, C]`; one number is for all.

use super::free_functions;
use crate::Tensor;

free_functions! {
    /// Convolution of `[N, C, L]` with a weight `[O, C, kernel]`: `F.conv1d`.
    conv1d[T](x: Tensor, weight: Tensor, bias: Maybe) -> One,
        "let x: Tensor = Tensor::from([[[1.0, 2.0, 3.0]]]);\nassert_eq!(conv1d(&x, Tensor::from([[[1.0, 1.0]]]), None).flatten(0, -1).to_string(), \"[3, 5]\");";
    /// The same with a weight `[O, C / groups, kernel]`: `F.conv1d(stride=…, padding=…, dilation=…, groups=…)`. One number
    /// is for all dims.
    conv1d_with[T](
        x: Tensor, weight: Tensor, bias: Maybe, stride: Axes, padding: Axes, dilation: Axes, groups: Axis
    ) -> One,
        "let x: Tensor = Tensor::from([[[1.0, 2.0, 3.0]]]);\nassert_eq!(conv1d_with(&x, Tensor::from([[[1.0, 1.0]]]), None, 2, [1], 1, 1).flatten(0, -1).to_string(), \"[1, 5]\");";
    /// Transposed convolution, the adjoint of [`conv1d`], with a weight `[C, O, kernel]`: `F.conv_transpose1d`.
    conv_transpose1d[T](x: Tensor, weight: Tensor, bias: Maybe) -> One,
        "let x: Tensor = Tensor::from([[[1.0, 2.0, 3.0]]]);\nassert_eq!(conv_transpose1d(&x, Tensor::from([[[1.0, 1.0]]]), None).flatten(0, -1).to_string(), \"[1, 3, 5, 3]\");";
    /// The same with a weight `[C, O / groups, kernel]`:
    /// `F.conv_transpose1d(stride=…, padding=…, output_padding=…, groups=…, dilation=…)`.
    conv_transpose1d_with[T](
        x: Tensor, weight: Tensor, bias: Maybe,
        stride: Axes, padding: Axes, output_padding: Axes, groups: Axis, dilation: Axes
    ) -> One,
        "let x: Tensor = Tensor::from([[[1.0, 2.0, 3.0]]]);\nassert_eq!(conv_transpose1d_with(&x, Tensor::from([[[1.0, 1.0]]]), None, 1, [1], 0, 1, 1).flatten(0, -1).to_string(), \"[3, 5]\");";
    /// The largest in each window, one beside the other: `F.max_pool1d`.
    max_pool1d[T](x: Tensor, kernel: Axes) -> One,
        "let x: Tensor = Tensor::from([[[1.0, 2.0, 3.0]]]);\nassert_eq!(max_pool1d(&x, [2]).flatten(0, -1).to_string(), \"[2]\");";
    /// The same, and padding never wins: `F.max_pool1d(stride=…, padding=…, dilation=…, ceil_mode=…)`.
    max_pool1d_with[T](
        x: Tensor, kernel: Axes, stride: Axes, padding: Axes, dilation: Axes, ceil_mode: Bool
    ) -> One,
        "let x: Tensor = Tensor::from([[[1.0, 2.0, 3.0]]]);\nassert_eq!(max_pool1d_with(&x, [2], 2, 0, 1, true).flatten(0, -1).to_string(), \"[2, 3]\");";
    /// The mean of each window, one beside the other: `F.avg_pool1d`.
    avg_pool1d[T](x: Tensor, kernel: Axes) -> One,
        "let x: Tensor = Tensor::from([[[1.0, 2.0, 3.0]]]);\nassert_eq!(avg_pool1d(&x, [2]).flatten(0, -1).to_string(), \"[1.5]\");";
    /// The same: `F.avg_pool1d(stride=…, padding=…, ceil_mode=…, count_include_pad=…)`.
    avg_pool1d_with[T](
        x: Tensor, kernel: Axes, stride: Axes, padding: Axes, ceil_mode: Bool, count_include_pad: Bool
    ) -> One,
        "let x: Tensor = Tensor::from([[[1.0, 2.0, 3.0]]]);\nassert_eq!(avg_pool1d_with(&x, [2], 1, [1], false, false).flatten(0, -1).to_string(), \"[1, 1.5, 2.5, 3]\");";
    /// The mean of so many windows a dim: `F.adaptive_avg_pool1d`.
    adaptive_avg_pool1d[T](x: Tensor, sizes: Axes) -> One,
        "let x: Tensor = Tensor::from([[[1.0, 2.0, 3.0]]]);\nassert_eq!(adaptive_avg_pool1d(&x, 1).flatten(0, -1).to_string(), \"[2]\");";
    /// The largest of so many windows a dim: `F.adaptive_max_pool1d`.
    adaptive_max_pool1d[T](x: Tensor, sizes: Axes) -> One,
        "let x: Tensor = Tensor::from([[[1.0, 2.0, 3.0]]]);\nassert_eq!(adaptive_max_pool1d(&x, 1).flatten(0, -1).to_string(), \"[3]\");";
    /// Convolution of `[N, C, H, W]` with a weight `[O, C, kernel]`: `F.conv2d`.
    conv2d[T](x: Tensor, weight: Tensor, bias: Maybe) -> One,
        "let x: Tensor = Tensor::from([[[[1.0, 2.0, 3.0]]]]);\nassert_eq!(conv2d(&x, Tensor::from([[[[1.0, 1.0]]]]), None).flatten(0, -1).to_string(), \"[3, 5]\");";
    /// The same with a weight `[O, C / groups, kernel]`: `F.conv2d(stride=…, padding=…, dilation=…, groups=…)`. One number
    /// is for all dims.
    conv2d_with[T](
        x: Tensor, weight: Tensor, bias: Maybe, stride: Axes, padding: Axes, dilation: Axes, groups: Axis
    ) -> One,
        "let x: Tensor = Tensor::from([[[[1.0, 2.0, 3.0]]]]);\nassert_eq!(conv2d_with(&x, Tensor::from([[[[1.0, 1.0]]]]), None, 2, [0, 1], 1, 1).flatten(0, -1).to_string(), \"[1, 5]\");";
    /// Transposed convolution, the adjoint of [`conv2d`], with a weight `[C, O, kernel]`: `F.conv_transpose2d`.
    conv_transpose2d[T](x: Tensor, weight: Tensor, bias: Maybe) -> One,
        "let x: Tensor = Tensor::from([[[[1.0, 2.0, 3.0]]]]);\nassert_eq!(conv_transpose2d(&x, Tensor::from([[[[1.0, 1.0]]]]), None).flatten(0, -1).to_string(), \"[1, 3, 5, 3]\");";
    /// The same with a weight `[C, O / groups, kernel]`:
    /// `F.conv_transpose2d(stride=…, padding=…, output_padding=…, groups=…, dilation=…)`.
    conv_transpose2d_with[T](
        x: Tensor, weight: Tensor, bias: Maybe,
        stride: Axes, padding: Axes, output_padding: Axes, groups: Axis, dilation: Axes
    ) -> One,
        "let x: Tensor = Tensor::from([[[[1.0, 2.0, 3.0]]]]);\nassert_eq!(conv_transpose2d_with(&x, Tensor::from([[[[1.0, 1.0]]]]), None, 1, [0, 1], 0, 1, 1).flatten(0, -1).to_string(), \"[3, 5]\");";
    /// The largest in each window, one beside the other: `F.max_pool2d`.
    max_pool2d[T](x: Tensor, kernel: Axes) -> One,
        "let x: Tensor = Tensor::from([[[[1.0, 2.0, 3.0]]]]);\nassert_eq!(max_pool2d(&x, [1, 2]).flatten(0, -1).to_string(), \"[2]\");";
    /// The same, and padding never wins: `F.max_pool2d(stride=…, padding=…, dilation=…, ceil_mode=…)`.
    max_pool2d_with[T](
        x: Tensor, kernel: Axes, stride: Axes, padding: Axes, dilation: Axes, ceil_mode: Bool
    ) -> One,
        "let x: Tensor = Tensor::from([[[[1.0, 2.0, 3.0]]]]);\nassert_eq!(max_pool2d_with(&x, [1, 2], 2, 0, 1, true).flatten(0, -1).to_string(), \"[2, 3]\");";
    /// The mean of each window, one beside the other: `F.avg_pool2d`.
    avg_pool2d[T](x: Tensor, kernel: Axes) -> One,
        "let x: Tensor = Tensor::from([[[[1.0, 2.0, 3.0]]]]);\nassert_eq!(avg_pool2d(&x, [1, 2]).flatten(0, -1).to_string(), \"[1.5]\");";
    /// The same: `F.avg_pool2d(stride=…, padding=…, ceil_mode=…, count_include_pad=…)`.
    avg_pool2d_with[T](
        x: Tensor, kernel: Axes, stride: Axes, padding: Axes, ceil_mode: Bool, count_include_pad: Bool
    ) -> One,
        "let x: Tensor = Tensor::from([[[[1.0, 2.0, 3.0]]]]);\nassert_eq!(avg_pool2d_with(&x, [1, 2], 1, [0, 1], false, false).flatten(0, -1).to_string(), \"[1, 1.5, 2.5, 3]\");";
    /// The mean of so many windows a dim: `F.adaptive_avg_pool2d`.
    adaptive_avg_pool2d[T](x: Tensor, sizes: Axes) -> One,
        "let x: Tensor = Tensor::from([[[[1.0, 2.0, 3.0]]]]);\nassert_eq!(adaptive_avg_pool2d(&x, 1).flatten(0, -1).to_string(), \"[2]\");";
    /// The largest of so many windows a dim: `F.adaptive_max_pool2d`.
    adaptive_max_pool2d[T](x: Tensor, sizes: Axes) -> One,
        "let x: Tensor = Tensor::from([[[[1.0, 2.0, 3.0]]]]);\nassert_eq!(adaptive_max_pool2d(&x, 1).flatten(0, -1).to_string(), \"[3]\");";
    /// Convolution of `[N, C, D, H, W]` with a weight `[O, C, kernel]`: `F.conv3d`.
    conv3d[T](x: Tensor, weight: Tensor, bias: Maybe) -> One,
        "let x: Tensor = Tensor::from([[[[[1.0, 2.0, 3.0]]]]]);\nassert_eq!(conv3d(&x, Tensor::from([[[[[1.0, 1.0]]]]]), None).flatten(0, -1).to_string(), \"[3, 5]\");";
    /// The same with a weight `[O, C / groups, kernel]`: `F.conv3d(stride=…, padding=…, dilation=…, groups=…)`. One number
    /// is for all dims.
    conv3d_with[T](
        x: Tensor, weight: Tensor, bias: Maybe, stride: Axes, padding: Axes, dilation: Axes, groups: Axis
    ) -> One,
        "let x: Tensor = Tensor::from([[[[[1.0, 2.0, 3.0]]]]]);\nassert_eq!(conv3d_with(&x, Tensor::from([[[[[1.0, 1.0]]]]]), None, 2, [0, 0, 1], 1, 1).flatten(0, -1).to_string(), \"[1, 5]\");";
    /// Transposed convolution, the adjoint of [`conv3d`], with a weight `[C, O, kernel]`: `F.conv_transpose3d`.
    conv_transpose3d[T](x: Tensor, weight: Tensor, bias: Maybe) -> One,
        "let x: Tensor = Tensor::from([[[[[1.0, 2.0, 3.0]]]]]);\nassert_eq!(conv_transpose3d(&x, Tensor::from([[[[[1.0, 1.0]]]]]), None).flatten(0, -1).to_string(), \"[1, 3, 5, 3]\");";
    /// The same with a weight `[C, O / groups, kernel]`:
    /// `F.conv_transpose3d(stride=…, padding=…, output_padding=…, groups=…, dilation=…)`.
    conv_transpose3d_with[T](
        x: Tensor, weight: Tensor, bias: Maybe,
        stride: Axes, padding: Axes, output_padding: Axes, groups: Axis, dilation: Axes
    ) -> One,
        "let x: Tensor = Tensor::from([[[[[1.0, 2.0, 3.0]]]]]);\nassert_eq!(conv_transpose3d_with(&x, Tensor::from([[[[[1.0, 1.0]]]]]), None, 1, [0, 0, 1], 0, 1, 1).flatten(0, -1).to_string(), \"[3, 5]\");";
    /// The largest in each window, one beside the other: `F.max_pool3d`.
    max_pool3d[T](x: Tensor, kernel: Axes) -> One,
        "let x: Tensor = Tensor::from([[[[[1.0, 2.0, 3.0]]]]]);\nassert_eq!(max_pool3d(&x, [1, 1, 2]).flatten(0, -1).to_string(), \"[2]\");";
    /// The same, and padding never wins: `F.max_pool3d(stride=…, padding=…, dilation=…, ceil_mode=…)`.
    max_pool3d_with[T](
        x: Tensor, kernel: Axes, stride: Axes, padding: Axes, dilation: Axes, ceil_mode: Bool
    ) -> One,
        "let x: Tensor = Tensor::from([[[[[1.0, 2.0, 3.0]]]]]);\nassert_eq!(max_pool3d_with(&x, [1, 1, 2], 2, 0, 1, true).flatten(0, -1).to_string(), \"[2, 3]\");";
    /// The mean of each window, one beside the other: `F.avg_pool3d`.
    avg_pool3d[T](x: Tensor, kernel: Axes) -> One,
        "let x: Tensor = Tensor::from([[[[[1.0, 2.0, 3.0]]]]]);\nassert_eq!(avg_pool3d(&x, [1, 1, 2]).flatten(0, -1).to_string(), \"[1.5]\");";
    /// The same: `F.avg_pool3d(stride=…, padding=…, ceil_mode=…, count_include_pad=…)`.
    avg_pool3d_with[T](
        x: Tensor, kernel: Axes, stride: Axes, padding: Axes, ceil_mode: Bool, count_include_pad: Bool
    ) -> One,
        "let x: Tensor = Tensor::from([[[[[1.0, 2.0, 3.0]]]]]);\nassert_eq!(avg_pool3d_with(&x, [1, 1, 2], 1, [0, 0, 1], false, false).flatten(0, -1).to_string(), \"[1, 1.5, 2.5, 3]\");";
    /// The mean of so many windows a dim: `F.adaptive_avg_pool3d`.
    adaptive_avg_pool3d[T](x: Tensor, sizes: Axes) -> One,
        "let x: Tensor = Tensor::from([[[[[1.0, 2.0, 3.0]]]]]);\nassert_eq!(adaptive_avg_pool3d(&x, 1).flatten(0, -1).to_string(), \"[2]\");";
    /// The largest of so many windows a dim: `F.adaptive_max_pool3d`.
    adaptive_max_pool3d[T](x: Tensor, sizes: Axes) -> One,
        "let x: Tensor = Tensor::from([[[[[1.0, 2.0, 3.0]]]]]);\nassert_eq!(adaptive_max_pool3d(&x, 1).flatten(0, -1).to_string(), \"[3]\");";
}

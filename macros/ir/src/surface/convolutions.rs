//! Convolutions and pools of 1, 2 and 3 dims behind `[N, C]`.

use super::{Args, table};
use crate::Builder;
use crate::composite::Built;
use crate::composite::conv::{self, Geometry};

table! {
    /// Convolution of [N, C, L] with a weight [O, C, kernel].
    Function conv1d(x: Tensor, weight: Tensor, bias: Maybe) -> One |b, a| convolved(b, a, 1, false);
    /// The same with stride, padding, dilation and groups.
    Function conv1d_with(
        x: Tensor, weight: Tensor, bias: Maybe, stride: Axes, padding: Axes, dilation: Axes, groups: Axis
    ) -> One |b, a| convolved(b, a, 1, true);
    /// Transposed convolution of [N, C, L] with a weight [C, O, kernel].
    Function conv_transpose1d(x: Tensor, weight: Tensor, bias: Maybe) -> One |b, a| transposed(b, a, 1, false);
    /// The same with stride, padding, output padding, groups and dilation.
    Function conv_transpose1d_with(
        x: Tensor, weight: Tensor, bias: Maybe,
        stride: Axes, padding: Axes, output_padding: Axes, groups: Axis, dilation: Axes
    ) -> One |b, a| transposed(b, a, 1, true);
    /// The largest in each window of [N, C, L], one beside the other.
    Function max_pool1d(x: Tensor, kernel: Axes) -> One |b, a| max_pool(b, a, 1, false);
    /// The same with stride, padding and dilation; in ceil mode a part of a window counts.
    Function max_pool1d_with(
        x: Tensor, kernel: Axes, stride: Axes, padding: Axes, dilation: Axes, ceil_mode: Bool
    ) -> One |b, a| max_pool(b, a, 1, true);
    /// The mean of each window of [N, C, L], one beside the other.
    Function avg_pool1d(x: Tensor, kernel: Axes) -> One |b, a| avg_pool(b, a, 1, false);
    /// The same with stride and padding; in ceil mode a part of a window counts.
    Function avg_pool1d_with(
        x: Tensor, kernel: Axes, stride: Axes, padding: Axes, ceil_mode: Bool, count_include_pad: Bool
    ) -> One |b, a| avg_pool(b, a, 1, true);
    /// The mean of so many windows a dim of [N, C, L].
    Function adaptive_avg_pool1d(x: Tensor, sizes: Axes) -> One
        |b, a| conv::adaptive_avg_pool(b, a.tensor(0), &a.axes(1), 1);
    /// The largest in each of so many windows a dim of [N, C, L].
    Function adaptive_max_pool1d(x: Tensor, sizes: Axes) -> One
        |b, a| conv::adaptive_max_pool(b, a.tensor(0), &a.axes(1), 1);
    /// Convolution of [N, C, H, W] with a weight [O, C, kernel].
    Function conv2d(x: Tensor, weight: Tensor, bias: Maybe) -> One |b, a| convolved(b, a, 2, false);
    /// The same with stride, padding, dilation and groups.
    Function conv2d_with(
        x: Tensor, weight: Tensor, bias: Maybe, stride: Axes, padding: Axes, dilation: Axes, groups: Axis
    ) -> One |b, a| convolved(b, a, 2, true);
    /// Transposed convolution of [N, C, H, W] with a weight [C, O, kernel].
    Function conv_transpose2d(x: Tensor, weight: Tensor, bias: Maybe) -> One |b, a| transposed(b, a, 2, false);
    /// The same with stride, padding, output padding, groups and dilation.
    Function conv_transpose2d_with(
        x: Tensor, weight: Tensor, bias: Maybe,
        stride: Axes, padding: Axes, output_padding: Axes, groups: Axis, dilation: Axes
    ) -> One |b, a| transposed(b, a, 2, true);
    /// The largest in each window of [N, C, H, W], one beside the other.
    Function max_pool2d(x: Tensor, kernel: Axes) -> One |b, a| max_pool(b, a, 2, false);
    /// The same with stride, padding and dilation; in ceil mode a part of a window counts.
    Function max_pool2d_with(
        x: Tensor, kernel: Axes, stride: Axes, padding: Axes, dilation: Axes, ceil_mode: Bool
    ) -> One |b, a| max_pool(b, a, 2, true);
    /// The mean of each window of [N, C, H, W], one beside the other.
    Function avg_pool2d(x: Tensor, kernel: Axes) -> One |b, a| avg_pool(b, a, 2, false);
    /// The same with stride and padding; in ceil mode a part of a window counts.
    Function avg_pool2d_with(
        x: Tensor, kernel: Axes, stride: Axes, padding: Axes, ceil_mode: Bool, count_include_pad: Bool
    ) -> One |b, a| avg_pool(b, a, 2, true);
    /// The mean of so many windows a dim of [N, C, H, W].
    Function adaptive_avg_pool2d(x: Tensor, sizes: Axes) -> One
        |b, a| conv::adaptive_avg_pool(b, a.tensor(0), &a.axes(1), 2);
    /// The largest in each of so many windows a dim of [N, C, H, W].
    Function adaptive_max_pool2d(x: Tensor, sizes: Axes) -> One
        |b, a| conv::adaptive_max_pool(b, a.tensor(0), &a.axes(1), 2);
    /// Convolution of [N, C, D, H, W] with a weight [O, C, kernel].
    Function conv3d(x: Tensor, weight: Tensor, bias: Maybe) -> One |b, a| convolved(b, a, 3, false);
    /// The same with stride, padding, dilation and groups.
    Function conv3d_with(
        x: Tensor, weight: Tensor, bias: Maybe, stride: Axes, padding: Axes, dilation: Axes, groups: Axis
    ) -> One |b, a| convolved(b, a, 3, true);
    /// Transposed convolution of [N, C, D, H, W] with a weight [C, O, kernel].
    Function conv_transpose3d(x: Tensor, weight: Tensor, bias: Maybe) -> One |b, a| transposed(b, a, 3, false);
    /// The same with stride, padding, output padding, groups and dilation.
    Function conv_transpose3d_with(
        x: Tensor, weight: Tensor, bias: Maybe,
        stride: Axes, padding: Axes, output_padding: Axes, groups: Axis, dilation: Axes
    ) -> One |b, a| transposed(b, a, 3, true);
    /// The largest in each window of [N, C, D, H, W], one beside the other.
    Function max_pool3d(x: Tensor, kernel: Axes) -> One |b, a| max_pool(b, a, 3, false);
    /// The same with stride, padding and dilation; in ceil mode a part of a window counts.
    Function max_pool3d_with(
        x: Tensor, kernel: Axes, stride: Axes, padding: Axes, dilation: Axes, ceil_mode: Bool
    ) -> One |b, a| max_pool(b, a, 3, true);
    /// The mean of each window of [N, C, D, H, W], one beside the other.
    Function avg_pool3d(x: Tensor, kernel: Axes) -> One |b, a| avg_pool(b, a, 3, false);
    /// The same with stride and padding; in ceil mode a part of a window counts.
    Function avg_pool3d_with(
        x: Tensor, kernel: Axes, stride: Axes, padding: Axes, ceil_mode: Bool, count_include_pad: Bool
    ) -> One |b, a| avg_pool(b, a, 3, true);
    /// The mean of so many windows a dim of [N, C, D, H, W].
    Function adaptive_avg_pool3d(x: Tensor, sizes: Axes) -> One
        |b, a| conv::adaptive_avg_pool(b, a.tensor(0), &a.axes(1), 3);
    /// The largest in each of so many windows a dim of [N, C, D, H, W].
    Function adaptive_max_pool3d(x: Tensor, sizes: Axes) -> One
        |b, a| conv::adaptive_max_pool(b, a.tensor(0), &a.axes(1), 3);
}

fn convolved(b: &mut Builder, a: &Args, dims: usize, told: bool) -> Built {
    let (geometry, groups) = match told {
        true => (Geometry { stride: a.axes(3), padding: a.axes(4), dilation: a.axes(5) }, a.axis(6)),
        false => (Geometry::default(), 1),
    };
    conv::conv(b, [a.tensor(0), a.tensor(1)], a.maybe(2), &geometry, groups, dims)
}

fn transposed(b: &mut Builder, a: &Args, dims: usize, told: bool) -> Built {
    let (geometry, more, groups) = match told {
        true => {
            (Geometry { stride: a.axes(3), padding: a.axes(4), dilation: a.axes(7) }, a.axes(5), a.axis(6))
        }
        false => (Geometry::default(), vec![0], 1),
    };
    conv::conv_transpose(b, [a.tensor(0), a.tensor(1)], a.maybe(2), &geometry, &more, groups, dims)
}

fn max_pool(b: &mut Builder, a: &Args, dims: usize, told: bool) -> Built {
    let (geometry, ceil) = match told {
        true => (Geometry { stride: a.axes(2), padding: a.axes(3), dilation: a.axes(4) }, a.bool(5)),
        false => (Geometry { stride: a.axes(1), ..Geometry::default() }, false),
    };
    conv::max_pool(b, a.tensor(0), &a.axes(1), &geometry, ceil, dims)
}

fn avg_pool(b: &mut Builder, a: &Args, dims: usize, told: bool) -> Built {
    let (geometry, how) = match told {
        true => (
            Geometry { stride: a.axes(2), padding: a.axes(3), ..Geometry::default() },
            (a.bool(4), a.bool(5)),
        ),
        false => (Geometry { stride: a.axes(1), ..Geometry::default() }, (false, true)),
    };
    conv::avg_pool(b, a.tensor(0), &a.axes(1), &geometry, how, dims)
}

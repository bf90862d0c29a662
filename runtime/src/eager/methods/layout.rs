//! Other shapes of the same elements, and products of matrices.

use super::methods;
use crate::Tensor;

methods! {
    /// The product of matrices `[m, k]·[k, n]`, of stacks of them whose leading dims broadcast, or with vectors:
    /// `torch.matmul`. An error unless the inner dims are equal.
    matmul(other: Tensor) -> One, "[[1.0, 2.0], [3.0, 4.0]]": "x.matmul(&x)" => "[[7, 10],\n [15, 22]]";
    /// `x · weightᵀ + bias` with `weight: [out, in]`, `x: [.., in]`: `F.linear`.
    linear(weight: Tensor, bias: Maybe) -> One, "[[1.0, 2.0], [3.0, 4.0]]": "x.linear(&x, None)" => "[[5, 11],\n [11, 25]]";
    /// A matrix transposed; vectors and scalars stay: `torch.t`.
    t() -> One, "[[1.0, 2.0]]": "x.t()" => "[[1],\n [2]]";
    /// Two dims swapped: `torch.transpose`.
    transpose(dim0: Axis, dim1: Axis) -> One, "[[1.0, 2.0]]": "x.transpose(0, -1)" => "[[1],\n [2]]";
    /// The dims in another order: `torch.permute`.
    permute(dims: Axes) -> One, "[[1.0, 2.0]]": "x.permute([1, 0])" => "[[1],\n [2]]";
    /// The elements under another shape, of which one size may be −1 for what is left over: `torch.reshape`.
    reshape(shape: Sizes) -> One, "[1.0, 2.0, 3.0, 4.0]": "x.reshape([2, -1])" => "[[1, 2],\n [3, 4]]";
    /// The same as [`Tensor::reshape`]: `Tensor.view`. ([`Tensor::as_ndarray`] is a view for `ndarray`.)
    view(shape: Sizes) -> One, "[1.0, 2.0, 3.0, 4.0]": "x.view([2, -1])" => "[[1, 2],\n [3, 4]]";
    /// Dims `start ..= end` as one: `torch.flatten`.
    flatten(start: Axis, end: Axis) -> One, "[[1.0, 2.0], [3.0, 4.0]]": "x.flatten(0, -1)" => "[1, 2, 3, 4]";
    /// Without that dim if its size is 1: `torch.squeeze`.
    squeeze(dim: Axis) -> One, "[[1.0, 2.0]]": "x.squeeze(0)" => "[1, 2]";
    /// With a dim of size 1 there: `torch.unsqueeze`.
    unsqueeze(dim: Axis) -> One, "[1.0, 2.0]": "x.unsqueeze(0)" => "[[1, 2]]";
    /// Dims of size 1 repeated, and dims put before; −1 keeps a size: `Tensor.expand`.
    expand(shape: Sizes) -> One, "[1.0, 2.0]": "x.expand([2, -1])" => "[[1, 2],\n [1, 2]]";
    /// The whole repeated so often along each dim, dims that are new coming first: `Tensor.repeat`.
    repeat(times: Sizes) -> One, "[1.0, 2.0]": "x.repeat([2])" => "[1, 2, 1, 2]";
    /// Elements moved by `shift` along a dim; what leaves at the end comes back at the start: `torch.roll`.
    roll(shift: Axis, dim: Axis) -> One, "[1.0, 2.0, 3.0]": "x.roll(1, 0)" => "[3, 1, 2]";
    /// `value` around: before and after, from the last dim on, and less where an amount is negative: `F.pad`.
    pad(amounts: Axes, value: Float) -> One, "[1.0, 2.0]": "x.pad([1, -1], 0.5)" => "[0.5, 1]";
    /// Channels `[.., C·r², H, W]` as pixels `[.., C, H·r, W·r]`: `F.pixel_shuffle`. Shi et al. (2016).
    pixel_shuffle(factor: Axis) -> One, "[[[1.0]], [[2.0]], [[3.0]], [[4.0]]]": "x.pixel_shuffle(2).squeeze(0)" => "[[1, 2],\n [3, 4]]";
    /// Pixels `[.., C, H·r, W·r]` as channels `[.., C·r², H, W]`: `F.pixel_unshuffle`.
    pixel_unshuffle(factor: Axis) -> One, "[[[1.0, 2.0], [3.0, 4.0]]]": "x.pixel_unshuffle(2).flatten(0, -1)" => "[1, 2, 3, 4]";
    /// `len` elements from `start` on along a dim: `torch.narrow`.
    narrow(dim: Axis, start: Size, len: Size) -> One, "[1.0, 2.0, 3.0]": "x.narrow(0, 1, 2)" => "[2, 3]";
    /// Every `step`-th of the elements `start .. end` along a dim: `x[…, start:end:step]`.
    slice(dim: Axis, start: Size, end: Size, step: Axis) -> One, "[1.0, 2.0, 3.0]": "x.slice(0, 0, 3, 2)" => "[1, 3]";
    /// The entry of that index along a dim, which vanishes: `torch.select`.
    select(dim: Axis, index: Size) -> One, "[[1.0, 2.0], [3.0, 4.0]]": "x.select(1, -1)" => "[2, 4]";
    /// Parts of these sizes along a dim, or all of one size but the last: `torch.split`.
    split(sizes: Sizes, dim: Axis) -> List, "[1.0, 2.0, 3.0]": "x.split([1, 2], 0)[1]" => "[2, 3]";
    /// So many parts along a dim, the last one shorter: `torch.chunk`.
    chunk(chunks: Axis, dim: Axis) -> List, "[1.0, 2.0, 3.0]": "x.chunk(2, 0)[0]" => "[1, 2]";
    /// Zero above the diagonal that is `diagonal` to the right of the main one: `torch.tril`.
    tril(diagonal: Axis) -> One, "[[1.0, 2.0], [3.0, 4.0]]": "x.tril(0)" => "[[1, 0],\n [3, 4]]";
    /// Zero below that diagonal: `torch.triu`.
    triu(diagonal: Axis) -> One, "[[1.0, 2.0], [3.0, 4.0]]": "x.triu(0)" => "[[1, 2],\n [0, 4]]";
}

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
    /// The tensor mirrored at its edges around itself: `F.pad(mode="reflect")`.
    pad_reflect(pad: Axes) -> One, "[1.0, 2.0, 3.0]": "x.pad_reflect([2, 1])" => "[3, 2, 1, 2, 3, 2]";
    /// The edges of the tensor around it: `F.pad(mode="replicate")`.
    pad_replicate(pad: Axes) -> One, "[1.0, 2.0]": "x.pad_replicate([1, 1])" => "[1, 1, 2, 2]";
    /// The tensor again around itself: `F.pad(mode="circular")`.
    pad_circular(pad: Axes) -> One, "[1.0, 2.0]": "x.pad_circular([1, 1])" => "[2, 1, 2, 1]";
    /// Row `index[…]` of a table `[V, …]`, 0 for one outside: `F.embedding`.
    embedding(index: Index) -> One, "[[1.0], [2.0]]": "x.embedding(kiln::Tensor::<i64>::from([1, 1]))" => "[[2],\n [2]]";
    /// The same, and the row `padding_idx` has no gradient: `F.embedding(padding_idx=…)`.
    embedding_with(index: Index, padding_idx: Axis) -> One,
        "[[1.0], [2.0]]": "x.embedding_with(kiln::Tensor::<i64>::from([1]), 1)" => "[[2]]";
    /// `len` elements along a dim from `start` on, a scalar that is data: `torch.narrow` of a tensor as start. A start from
    /// which they would leave the dim is moved to the nearest from which they don't, as in `jax.lax.dynamic_slice`.
    narrow_at(dim: Axis, start: Index, len: Size) -> One,
        "[1.0, 2.0, 3.0]": "x.narrow_at(0, kiln::Tensor::<i64>::scalar(1), 2)" => "[2, 3]";
    /// The tensor with `value` written over it along a dim from `start` on, which is moved as that of
    /// [`Tensor::narrow_at`]: `jax.lax.dynamic_update_slice`. In a model `*cache = cache.update_at(dim, start, value)`, of a
    /// `&mut` argument, touches what is written alone.
    update_at(dim: Axis, start: Index, value: Tensor) -> One,
        "[1.0, 2.0, 3.0]": "x.update_at(0, kiln::Tensor::<i64>::scalar(1), &x.narrow(0, 0, 1))" => "[1, 1, 3]";
    /// The entries at these indices along a dim: `torch.index_select`.
    index_select(dim: Axis, index: Index) -> One,
        "[1.0, 2.0]": "x.index_select(0, kiln::Tensor::<i64>::from([1, 0]))" => "[2, 1]";
    /// `x[index[i, j], j]` for dim 0, likewise for others: `torch.gather`.
    gather(dim: Axis, index: Index) -> One,
        "[[1.0, 2.0], [3.0, 4.0]]": "x.gather(1, kiln::Tensor::<i64>::from([[1], [0]]))" => "[[2],\n [3]]";
    /// The tensor with `src[i, j]` added at `[index[i, j], j]` for dim 0, likewise for others: `torch.scatter_add`.
    scatter_add(dim: Axis, index: Index, src: Tensor) -> One,
        "[1.0, 2.0]": "x.scatter_add(0, kiln::Tensor::<i64>::from([1, 1]), &x)" => "[1, 5]";
    /// The tensor with entry `i` of `source` along a dim added at `index[i]`: `torch.index_add`.
    index_add(dim: Axis, index: Index, source: Tensor) -> One,
        "[1.0, 2.0]": "x.index_add(0, kiln::Tensor::<i64>::from([1, 1, 0]), kiln::Tensor::from([1.0, 2.0, 4.0]))" => "[5, 5]";
    /// The elements in reverse along dims: `torch.flip`.
    flip(dims: Axes) -> One, "[1.0, 2.0, 3.0]": "x.flip([0])" => "[3, 2, 1]";
    /// `[N, C, …]` at other sizes, each element the nearest one: `F.interpolate(mode="nearest")`.
    interpolate_nearest(size: Sizes) -> One,
        "[[1.0, 2.0]]": "x.unsqueeze(0).interpolate_nearest(4).flatten(0, -1)" => "[1, 1, 2, 2]";
    /// `[N, C, …]` at other sizes, each element between the nearest two in each dim:
    /// `F.interpolate(mode="linear")`, `"bilinear"`, `"trilinear"`.
    interpolate_linear(size: Sizes, align_corners: Bool) -> One,
        "[[1.0, 3.0]]": "x.unsqueeze(0).interpolate_linear(3, true).flatten(0, -1)" => "[1, 2, 3]";
    /// The same at `⌊scale · size⌋`, in steps of `1 / scale`: `F.interpolate(scale_factor=…)`.
    interpolate_nearest_with(scale: Float) -> One,
        "[[1.0, 2.0, 3.0]]": "x.unsqueeze(0).interpolate_nearest_with(1.5).flatten(0, -1)" => "[1, 1, 2, 3]";
    /// The same at `⌊scale · size⌋`, in steps of `1 / scale`: `F.interpolate(scale_factor=…)`.
    interpolate_linear_with(scale: Float, align_corners: Bool) -> One,
        "[[1.0, 3.0]]": "x.unsqueeze(0).interpolate_linear_with(1.6, false).flatten(0, -1)" => "[1, 1.875, 3]";
    /// Zero above the diagonal that is `diagonal` to the right of the main one: `torch.tril`.
    tril(diagonal: Axis) -> One, "[[1.0, 2.0], [3.0, 4.0]]": "x.tril(0)" => "[[1, 0],\n [3, 4]]";
    /// Zero below that diagonal: `torch.triu`.
    triu(diagonal: Axis) -> One, "[[1.0, 2.0], [3.0, 4.0]]": "x.triu(0)" => "[[1, 2],\n [0, 4]]";
}

//! Reductions, softmax and norms: over all elements, over some dims, or over dims that stay with size 1.

use super::methods;
use crate::Tensor;

methods! {
    /// The sum of all, of integers and bools in i64: `torch.sum`.
    sum() -> Sum, "[[1.0, 2.0], [3.0, 4.0]]": "x.sum()" => "10";
    /// The sum over dims: `torch.sum(dim)`.
    sum_dim(dims: Axes) -> Sum, "[[1.0, 2.0], [3.0, 4.0]]": "x.sum_dim(0)" => "[4, 6]";
    /// The sum over dims, which stay: `torch.sum(dim, keepdim=True)`.
    sum_keepdim(dims: Axes) -> Sum, "[[1.0, 2.0], [3.0, 4.0]]": "x.sum_keepdim(0)" => "[[4, 6]]";
    /// The mean of all: `torch.mean`. NaN over nothing.
    mean() -> One, "[[1.0, 2.0], [3.0, 4.0]]": "x.mean()" => "2.5";
    /// The mean over dims: `torch.mean(dim)`.
    mean_dim(dims: Axes) -> One, "[[1.0, 2.0], [3.0, 4.0]]": "x.mean_dim([0])" => "[2, 3]";
    /// The mean over dims, which stay: `torch.mean(dim, keepdim=True)`.
    mean_keepdim(dims: Axes) -> One, "[[1.0, 2.0], [3.0, 4.0]]": "x.mean_keepdim(-1)" => "[[1.5],\n [3.5]]";
    /// The largest of all: `torch.max`.
    max() -> One, "[[1.0, 2.0], [3.0, 4.0]]": "x.max()" => "4";
    /// The smallest of all: `torch.min`.
    min() -> One, "[[1.0, 2.0], [3.0, 4.0]]": "x.min()" => "1";
    /// The largest over dims; equal ones share the gradient: `torch.amax`.
    amax(dims: Axes) -> One, "[[1.0, 2.0], [3.0, 4.0]]": "x.amax(0)" => "[3, 4]";
    /// The largest over dims, which stay: `torch.amax(keepdim=True)`.
    amax_keepdim(dims: Axes) -> One, "[[1.0, 2.0], [3.0, 4.0]]": "x.amax_keepdim(0)" => "[[3, 4]]";
    /// The smallest over dims; equal ones share the gradient: `torch.amin`.
    amin(dims: Axes) -> One, "[[1.0, 2.0], [3.0, 4.0]]": "x.amin(0)" => "[1, 2]";
    /// The smallest over dims, which stay: `torch.amin(keepdim=True)`.
    amin_keepdim(dims: Axes) -> One, "[[1.0, 2.0], [3.0, 4.0]]": "x.amin_keepdim(0)" => "[[1, 2]]";
    /// The largest along a dim, which has the gradient, and the index of the first: `torch.max(dim)`.
    max_dim(dim: Axis) -> Pair, "[[1.0, 2.0], [4.0, 3.0]]": "x.max_dim(1).1" => "[1, 0]";
    /// The smallest along a dim, which has the gradient, and the index of the first: `torch.min(dim)`.
    min_dim(dim: Axis) -> Pair, "[[1.0, 2.0], [4.0, 3.0]]": "x.min_dim(1).0" => "[1, 3]";
    /// The index of the first of the largest along a dim: `torch.argmax`.
    argmax(dim: Axis) -> Index, "[[1.0, 2.0], [4.0, 3.0]]": "x.argmax(1)" => "[1, 0]";
    /// The index of the first of the smallest along a dim: `torch.argmin`.
    argmin(dim: Axis) -> Index, "[[1.0, 2.0], [4.0, 3.0]]": "x.argmin(1)" => "[0, 1]";
    /// `Σ(x − mean)² / (n − 1)` over all: `torch.var`.
    var() -> One, "[1.0, 3.0]": "x.var()" => "2";
    /// `Σ(x − mean)² / (n − correction)` over dims: `torch.var(dim, correction=…)`.
    var_dim(dims: Axes, correction: Float) -> One, "[1.0, 3.0]": "x.var_dim(0, 0)" => "1";
    /// The same, and the dims stay: `torch.var(keepdim=True)`.
    var_keepdim(dims: Axes, correction: Float) -> One, "[1.0, 3.0]": "x.var_keepdim(0, 0)" => "[1]";
    /// The root of [`Tensor::var`]: `torch.std`.
    std() -> One, "[1.0, 1.0]": "x.std()" => "0";
    /// The root of [`Tensor::var_dim`]: `torch.std(dim, correction=…)`.
    std_dim(dims: Axes, correction: Float) -> One, "[1.0, 3.0]": "x.std_dim(0, 0)" => "1";
    /// The same, and the dims stay: `torch.std(keepdim=True)`.
    std_keepdim(dims: Axes, correction: Float) -> One, "[1.0, 3.0]": "x.std_keepdim(0, 0)" => "[1]";
    /// The product of all: `torch.prod`.
    prod() -> One, "[2.0, 3.0]": "x.prod()" => "6";
    /// The product along a dim: `torch.prod(dim)`.
    prod_dim(dim: Axis) -> One, "[[2.0, 3.0]]": "x.prod_dim(1)" => "[6]";
    /// The sum of all elements up to each along a dim: `torch.cumsum`.
    cumsum(dim: Axis) -> One, "[1.0, 2.0, 3.0]": "x.cumsum(0)" => "[1, 3, 6]";
    /// The `k` largest along a dim, or smallest, and their indices, in order; of equal ones the first comes first:
    /// `torch.topk`.
    topk(k: Size, dim: Axis, largest: Bool) -> Pair, "[1.0, 3.0, 2.0]": "x.topk(2, 0, true).1" => "[1, 2]";
    /// The elements in order along a dim, and their indices: `torch.sort`.
    sort(dim: Axis, descending: Bool) -> Pair, "[1.0, 3.0, 2.0]": "x.sort(0, false).0" => "[1, 2, 3]";
    /// The indices of the elements in order along a dim: `torch.argsort`.
    argsort(dim: Axis, descending: Bool) -> Index, "[1.0, 3.0, 2.0]": "x.argsort(0, true)" => "[1, 2, 0]";
    /// `√Σx²` over all: `torch.linalg.vector_norm`.
    norm() -> One, "[3.0, 4.0]": "x.norm()" => "5";
    /// `(Σ|x|ᵖ)^(1/p)` over dims: `torch.linalg.vector_norm(p, dim)`.
    norm_dim(p: Float, dims: Axes) -> One, "[3.0, 4.0]": "x.norm_dim(1, 0)" => "7";
    /// The same, and the dims stay: `torch.linalg.vector_norm(keepdim=True)`.
    norm_keepdim(p: Float, dims: Axes) -> One, "[3.0, 4.0]": "x.norm_keepdim(2, 0)" => "[5]";
    /// `ln Σeˣ` over dims, without overflow: `torch.logsumexp`.
    logsumexp(dims: Axes) -> One, "[1000.0, 0.0]": "x.logsumexp(0)" => "1000";
    /// The same, and the dims stay: `torch.logsumexp(keepdim=True)`.
    logsumexp_keepdim(dims: Axes) -> One, "[1000.0, 0.0]": "x.logsumexp_keepdim(0)" => "[1000]";
    /// `eˣ / Σeˣ` along a dim: `torch.softmax`.
    softmax(dim: Axis) -> One, "[1.0, 1.0]": "x.softmax(0)" => "[0.5, 0.5]";
    /// `x − ln Σeˣ` along a dim: `torch.log_softmax`.
    log_softmax(dim: Axis) -> One, "[1000.0, 0.0]": "x.log_softmax(0)" => "[0, -1000]";
    /// `(x − mean) / √(var + eps) · weight + bias` over the last dims, of which `shape` gives the sizes:
    /// `F.layer_norm`. Ba, Kiros and Hinton (2016).
    layer_norm(shape: Sizes, weight: Maybe, bias: Maybe, eps: Float) -> One,
        "[1.0, 3.0]": "x.layer_norm([2], None, None, 0)" => "[-1, 1]";
    /// `x / max(‖x‖₂, 1e-12)` along a dim: `F.normalize`.
    normalize(dim: Axis) -> One, "[3.0, 4.0]": "x.normalize(0)" => "[0.6, 0.8]";
    /// `x / √(mean x² + eps) · weight` over the last dims, of which `shape` gives the sizes: `F.rms_norm`.
    /// Zhang and Sennrich (2019).
    rms_norm(shape: Sizes, weight: Maybe, eps: Float) -> One,
        "[2.0, -2.0]": "x.rms_norm([2], None, 0)" => "[1, -1]";
    /// `(x − mean) / √(var + eps) · weight + bias`, an entry of each for every channel of `[N, C, …]`: `F.batch_norm` with
    /// the statistics given, which in training are the batch's. Ioffe and Szegedy (2015).
    batch_norm(mean: Tensor, var: Tensor, weight: Maybe, bias: Maybe, eps: Float) -> One,
        "[[1.0], [3.0]]": "x.batch_norm(x.mean_dim(0), x.var_dim(0, 0), None, None, 0)" => "[[-1],\n [1]]";
    /// Normalized over groups of channels of `[N, C, …]` and all dims behind: `F.group_norm`. Wu and He (2018).
    group_norm(groups: Size, weight: Maybe, bias: Maybe, eps: Float) -> One,
        "[[1.0, 3.0, 2.0, 6.0]]": "x.group_norm(2, None, None, 0)" => "[[-1, 1, -1, 1]]";
    /// Normalized over all dims behind the channels of `[N, C, …]`: `F.instance_norm`. Ulyanov et al. (2016).
    instance_norm(weight: Maybe, bias: Maybe, eps: Float) -> One,
        "[[[1.0, 3.0]]]": "x.instance_norm(None, None, 0).flatten(0, -1)" => "[-1, 1]";
    /// `x / (k + alpha · Σx² / size)^beta`, the sum over `size` neighbouring channels of `[N, C, …]`:
    /// `F.local_response_norm`. Krizhevsky et al. (2012).
    local_response_norm(size: Axis, alpha: Float, beta: Float, k: Float) -> One,
        "[[1.0, 3.0]]": "x.local_response_norm(2, 2, 1, 1)" => "[[0.5, 0.2727272727272727]]";
}

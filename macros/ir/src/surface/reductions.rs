//! Reductions, softmax and norms. Where torch has `dim` and `keepdim` as keywords: `sum()` is over all,
//! `sum_dim(dims)` takes dims away, `sum_keepdim(dims)` leaves them with size 1.

use super::{Args, table};
use crate::composite::{Built, norm, order, reduce, shape};
use crate::{Builder, Dim, Error, Value};

table! {
    /// The sum of all.
    Method sum(x: Tensor) -> One |b, a| reduce::sum(b, a.tensor(0), &[]);
    /// The sum over dims.
    Method sum_dim(x: Tensor, dims: Axes) -> One |b, a| over(b, a, 1, reduce::sum);
    /// The sum over dims, which stay with size 1.
    Method sum_keepdim(x: Tensor, dims: Axes) -> One |b, a| kept(b, a, 1, reduce::sum);
    /// The mean of all.
    Method mean(x: Tensor) -> One |b, a| reduce::mean(b, a.tensor(0), &[]);
    /// The mean over dims.
    Method mean_dim(x: Tensor, dims: Axes) -> One |b, a| over(b, a, 1, reduce::mean);
    /// The mean over dims, which stay with size 1.
    Method mean_keepdim(x: Tensor, dims: Axes) -> One |b, a| kept(b, a, 1, reduce::mean);
    /// The largest of all.
    Method max(x: Tensor) -> One |b, a| reduce::amax(b, a.tensor(0), &[]);
    /// The smallest of all.
    Method min(x: Tensor) -> One |b, a| reduce::amin(b, a.tensor(0), &[]);
    /// The largest over dims; equal ones share the gradient.
    Method amax(x: Tensor, dims: Axes) -> One |b, a| over(b, a, 1, reduce::amax);
    /// The largest over dims, which stay with size 1.
    Method amax_keepdim(x: Tensor, dims: Axes) -> One |b, a| kept(b, a, 1, reduce::amax);
    /// The smallest over dims; equal ones share the gradient.
    Method amin(x: Tensor, dims: Axes) -> One |b, a| over(b, a, 1, reduce::amin);
    /// The smallest over dims, which stay with size 1.
    Method amin_keepdim(x: Tensor, dims: Axes) -> One |b, a| kept(b, a, 1, reduce::amin);
    /// The largest along a dim and its index; the first has the gradient.
    Method max_dim(x: Tensor, dim: Axis) -> Pair |b, a| reduce::max_dim(b, a.tensor(0), a.axis(1));
    /// The smallest along a dim and its index; the first has the gradient.
    Method min_dim(x: Tensor, dim: Axis) -> Pair |b, a| reduce::min_dim(b, a.tensor(0), a.axis(1));
    /// The index of the largest along a dim.
    Method argmax(x: Tensor, dim: Axis) -> One |b, a| reduce::argmax(b, a.tensor(0), a.axis(1));
    /// The index of the smallest along a dim.
    Method argmin(x: Tensor, dim: Axis) -> One |b, a| reduce::argmin(b, a.tensor(0), a.axis(1));
    /// The product of all.
    Method prod(x: Tensor) -> One |b, a| {
        let all = b.ty(a.tensor(0)).numel();
        let flat = shape::reshape(b, a.tensor(0), &[all])?;
        order::prod(b, flat, 0)
    };
    /// The product along a dim.
    Method prod_dim(x: Tensor, dim: Axis) -> One |b, a| order::prod(b, a.tensor(0), a.axis(1));
    /// The sum of all elements up to each along a dim.
    Method cumsum(x: Tensor, dim: Axis) -> One |b, a| order::cumsum(b, a.tensor(0), a.axis(1));
    /// The k largest along a dim, or smallest, and their indices, in order.
    Method topk(x: Tensor, k: Size, dim: Axis, largest: Bool) -> Pair
        |b, a| order::topk(b, a.tensor(0), Some(a.size(1)), a.axis(2), a.bool(3));
    /// The elements in order along a dim, and their indices.
    Method sort(x: Tensor, dim: Axis, descending: Bool) -> Pair
        |b, a| order::topk(b, a.tensor(0), None, a.axis(1), a.bool(2));
    /// The indices of the elements in order along a dim.
    Method argsort(x: Tensor, dim: Axis, descending: Bool) -> One
        |b, a| order::topk(b, a.tensor(0), None, a.axis(1), a.bool(2)).map(|[_, indices]| indices);
    /// Σ(x − mean)² / (n − 1) over all.
    Method var(x: Tensor) -> One |b, a| reduce::var(b, a.tensor(0), &[], 1.0);
    /// Σ(x − mean)² / (n − correction) over dims.
    Method var_dim(x: Tensor, dims: Axes, correction: Float) -> One
        |b, a| over(b, a, 1, |b, x, dims| reduce::var(b, x, dims, a.float(2)));
    /// The same, and the dims stay with size 1.
    Method var_keepdim(x: Tensor, dims: Axes, correction: Float) -> One
        |b, a| kept(b, a, 1, |b, x, dims| reduce::var(b, x, dims, a.float(2)));
    /// The root of `var`.
    Method std(x: Tensor) -> One |b, a| reduce::std(b, a.tensor(0), &[], 1.0);
    /// The root of `var_dim`.
    Method std_dim(x: Tensor, dims: Axes, correction: Float) -> One
        |b, a| over(b, a, 1, |b, x, dims| reduce::std(b, x, dims, a.float(2)));
    /// The root of `var_keepdim`.
    Method std_keepdim(x: Tensor, dims: Axes, correction: Float) -> One
        |b, a| kept(b, a, 1, |b, x, dims| reduce::std(b, x, dims, a.float(2)));
    /// √Σx² over all.
    Method norm(x: Tensor) -> One |b, a| reduce::norm(b, a.tensor(0), 2.0, &[]);
    /// (Σ|x|ᵖ)^(1/p) over dims.
    Method norm_dim(x: Tensor, p: Float, dims: Axes) -> One
        |b, a| over(b, a, 2, |b, x, dims| reduce::norm(b, x, a.float(1), dims));
    /// The same, and the dims stay with size 1.
    Method norm_keepdim(x: Tensor, p: Float, dims: Axes) -> One
        |b, a| kept(b, a, 2, |b, x, dims| reduce::norm(b, x, a.float(1), dims));
    /// ln Σeˣ over dims.
    Method logsumexp(x: Tensor, dims: Axes) -> One |b, a| over(b, a, 1, reduce::logsumexp);
    /// The same, and the dims stay with size 1.
    Method logsumexp_keepdim(x: Tensor, dims: Axes) -> One |b, a| kept(b, a, 1, reduce::logsumexp);
    /// eˣ / Σeˣ along a dim.
    Method softmax(x: Tensor, dim: Axis) -> One |b, a| norm::softmax(b, a.tensor(0), a.axis(1));
    /// x − ln Σeˣ along a dim.
    Method log_softmax(x: Tensor, dim: Axis) -> One |b, a| norm::log_softmax(b, a.tensor(0), a.axis(1));
    /// (x − mean) / √(var + eps) · weight + bias over the last dims, whose sizes are `shape`.
    Both layer_norm(x: Tensor, shape: Sizes, weight: Maybe, bias: Maybe, eps: Float) -> One |b, a| {
        let over = trailing(b, a, a.tensor(0), &a.sizes(1))?;
        norm::layer_norm(b, a.tensor(0), over, a.maybe(2), a.maybe(3), a.float(4))
    };
    /// x over its 2-norm along a dim, which counts as no less than 1e-12.
    Both normalize(x: Tensor, dim: Axis) -> One |b, a| norm::normalize(b, a.tensor(0), a.axis(1), 1e-12);
    /// x / √(mean x² + eps) · weight over the last dims, whose sizes are `shape`.
    Both rms_norm(x: Tensor, shape: Sizes, weight: Maybe, eps: Float) -> One |b, a| {
        let over = trailing(b, a, a.tensor(0), &a.sizes(1))?;
        norm::rms_norm(b, a.tensor(0), over, a.maybe(2), a.float(3))
    };
    /// (x − mean) / √(var + eps) · weight + bias, an entry of each for every channel of [N, C, …].
    Both batch_norm(x: Tensor, mean: Tensor, var: Tensor, weight: Maybe, bias: Maybe, eps: Float) -> One
        |b, a| norm::batch_norm(b, a.tensor(0), [a.tensor(1), a.tensor(2)], a.maybe(3), a.maybe(4), a.float(5));
    /// batch_norm by the batch's statistics, and the running mean and variance moved towards them by `momentum`.
    Function batch_norm_train(
        x: Tensor, running_mean: Tensor, running_var: Tensor, weight: Maybe, bias: Maybe, momentum: Float, eps: Float
    ) -> Triple |b, a| norm::batch_norm_train(
        b, a.tensor(0), [a.tensor(1), a.tensor(2)], [a.maybe(3), a.maybe(4)], a.float(5), a.float(6)
    );
    /// Normalized over groups of channels of [N, C, …] and all dims behind.
    Both group_norm(x: Tensor, groups: Size, weight: Maybe, bias: Maybe, eps: Float) -> One
        |b, a| norm::group_norm(b, a.tensor(0), &a.size(1), a.maybe(2), a.maybe(3), a.float(4));
    /// Normalized over all dims behind the channels of [N, C, …].
    Both instance_norm(x: Tensor, weight: Maybe, bias: Maybe, eps: Float) -> One
        |b, a| norm::instance_norm(b, a.tensor(0), a.maybe(1), a.maybe(2), a.float(3));
    /// x / (k + alpha · Σx² / size)^beta, the sum over size neighbouring channels.
    Both local_response_norm(x: Tensor, size: Axis, alpha: Float, beta: Float, k: Float) -> One
        |b, a| norm::local_response_norm(b, a.tensor(0), a.axis(1), a.float(2), a.float(3), a.float(4));
}

fn over(
    b: &mut Builder,
    a: &Args,
    dims: usize,
    reduce: impl Fn(&mut Builder, Value, &[i64]) -> Built,
) -> Built {
    reduce(b, a.tensor(0), &a.axes(dims))
}

fn kept(
    b: &mut Builder,
    a: &Args,
    dims: usize,
    reduce: impl Fn(&mut Builder, Value, &[i64]) -> Built,
) -> Built {
    let dims = a.axes(dims);
    let reduced = reduce(b, a.tensor(0), &dims)?;
    reduce::keepdim(b, reduced, a.tensor(0), &dims)
}

/// How many dims `shape` names, which must be the last of `x`.
fn trailing(b: &Builder, a: &Args, x: Value, shape: &[Dim]) -> Result<usize, Error> {
    if !shape.is_empty() && b.ty(x).shape.ends_with(shape) {
        return Ok(shape.len());
    }
    let list = |dims: &[Dim]| {
        let shown: Vec<String> = dims.iter().map(|d| d.display(&b.func().syms).to_string()).collect();
        format!("[{}]", shown.join(", "))
    };
    Err(a.fault(b, format!("the last dims of {} aren't {}", list(&b.ty(x).shape), list(shape))))
}

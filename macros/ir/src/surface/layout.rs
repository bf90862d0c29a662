//! Elements move, none changes; and matrix products.

use super::{Args, table};
use crate::composite::pad::{self, Around};
use crate::composite::resize::To;
use crate::composite::{Built, attention, einsum, index, linalg, resize, shape};
use crate::{Builder, Dim, Error, Fault, Value};

table! {
    /// The product of matrices, or of stacks of them.
    Both matmul(x: Tensor, other: Tensor) -> One |b, a| product(b, a, a.tensor(0), a.tensor(1));
    /// x · weightᵀ + bias, weight: [out, in].
    Both linear(x: Tensor, weight: Tensor, bias: Maybe) -> One
        |b, a| rank_within(b, a, a.tensor(0)).and_then(|_| linalg::linear(b, a.tensor(0), a.tensor(1), a.maybe(2)));
    /// Products summed as an equation says: a letter a dim.
    Function einsum(equation: Text, tensors: Tensors) -> One |b, a| {
        a.tensors(1).iter().try_for_each(|x| rank_within(b, a, *x))?;
        einsum::einsum(b, a.text(0), a.tensors(1))
    };
    /// softmax(query · keyᵀ / √E) · value.
    Function scaled_dot_product_attention(query: Tensor, key: Tensor, value: Tensor) -> One
        |b, a| attend(b, a, None, false, None);
    /// softmax(scale · query · keyᵀ + mask) · value; if causal, a query sees the keys up to its own place.
    Function scaled_dot_product_attention_with(
        query: Tensor, key: Tensor, value: Tensor, mask: Maybe, causal: Bool, scale: Float
    ) -> One |b, a| attend(b, a, a.maybe(3), a.bool(4), Some(a.float(5)));
    /// A matrix transposed.
    Method t(x: Tensor) -> One |b, a| match b.ty(a.tensor(0)).rank() {
        0 | 1 => Ok(a.tensor(0)),
        2 => shape::transpose(b, a.tensor(0), 0, 1),
        _ => Err(b.error(Fault::Rank { op: "t".into(), want: "2".into(), got: b.ty(a.tensor(0)).clone() })),
    };
    /// Two dims swapped.
    Method transpose(x: Tensor, dim0: Axis, dim1: Axis) -> One
        |b, a| shape::transpose(b, a.tensor(0), a.axis(1), a.axis(2));
    /// Dims in another order.
    Method permute(x: Tensor, dims: Axes) -> One |b, a| shape::permute(b, a.tensor(0), &a.axes(1));
    /// The elements under another shape; one size may be −1.
    Method reshape(x: Tensor, shape: Sizes) -> One |b, a| shape::reshape(b, a.tensor(0), &a.sizes(1));
    /// The same as `reshape`.
    Method view(x: Tensor, shape: Sizes) -> One |b, a| shape::reshape(b, a.tensor(0), &a.sizes(1));
    /// Dims start ..= end as one.
    Method flatten(x: Tensor, start: Axis, end: Axis) -> One
        |b, a| shape::flatten(b, a.tensor(0), a.axis(1), a.axis(2));
    /// Without a dim of size 1.
    Method squeeze(x: Tensor, dim: Axis) -> One |b, a| shape::squeeze(b, a.tensor(0), Some(a.axis(1)));
    /// With a dim of size 1 there.
    Method unsqueeze(x: Tensor, dim: Axis) -> One |b, a| shape::unsqueeze(b, a.tensor(0), a.axis(1));
    /// Dims of size 1 repeated; −1 keeps a dim.
    Method expand(x: Tensor, shape: Sizes) -> One |b, a| {
        let sizes = a.sizes(1);
        let lead = sizes.len().saturating_sub(b.ty(a.tensor(0)).rank());
        if sizes[..lead].iter().any(|d| d.is(-1)) {
            return Err(a.fault(b, "a dim that is new can't be −1"));
        }
        shape::expand(b, a.tensor(0), &sizes)
    };
    /// The whole repeated so often along each dim; dims that are new come first.
    Method repeat(x: Tensor, times: Sizes) -> One |b, a| shape::repeat(b, a.tensor(0), &a.sizes(1));
    /// Elements moved along a dim; what leaves at the end comes back at the start.
    Method roll(x: Tensor, shift: Axis, dim: Axis) -> One |b, a| shape::roll(b, a.tensor(0), a.axis(1), a.axis(2));
    /// A number around: before and after, from the last dim on; where negative, so much less.
    Method pad(x: Tensor, amounts: Axes, value: Float) -> One
        |b, a| shape::pad(b, a.tensor(0), &a.axes(1), a.float(2));
    /// Channels [.., C·r², H, W] as pixels [.., C, H·r, W·r].
    Method pixel_shuffle(x: Tensor, factor: Axis) -> One |b, a| shape::pixel_shuffle(b, a.tensor(0), a.axis(1));
    /// Pixels [.., C, H·r, W·r] as channels [.., C·r², H, W].
    Method pixel_unshuffle(x: Tensor, factor: Axis) -> One |b, a| shape::pixel_unshuffle(b, a.tensor(0), a.axis(1));
    /// len elements from start on along a dim.
    Method narrow(x: Tensor, dim: Axis, start: Size, len: Size) -> One
        |b, a| shape::slice(b, a.tensor(0), a.axis(1), a.size(2), a.size(3), 1);
    /// Elements start .. end along a dim, every step-th: torch's `x[…, start:end:step]`.
    Method slice(x: Tensor, dim: Axis, start: Size, end: Size, step: Axis) -> One |b, a| slice(b, a);
    /// The entry of that index along a dim, which vanishes.
    Method select(x: Tensor, dim: Axis, index: Size) -> One |b, a| {
        let axis = b.axis("select", a.tensor(0), a.axis(1))? as i64;
        let n = b.ty(a.tensor(0)).shape[axis as usize].clone();
        let index = if a.size(2).literal().is_some_and(|i| i < 0) { n + a.size(2) } else { a.size(2) };
        let one = shape::slice(b, a.tensor(0), axis, index, Dim::from(1), 1)?;
        shape::squeeze(b, one, Some(axis))
    };
    /// Parts of these sizes along a dim; one size is that of each part.
    Method split(x: Tensor, sizes: Sizes, dim: Axis) -> List |b, a| split(b, a);
    /// That many parts along a dim, the last may be shorter.
    Method chunk(x: Tensor, chunks: Axis, dim: Axis) -> List |b, a| chunk(b, a);
    /// The tensor mirrored at its edges around itself.
    Method pad_reflect(x: Tensor, pad: Axes) -> One |b, a| pad::pad(b, a.tensor(0), &a.axes(1), Around::Reflect);
    /// The edges of the tensor around it.
    Method pad_replicate(x: Tensor, pad: Axes) -> One |b, a| pad::pad(b, a.tensor(0), &a.axes(1), Around::Replicate);
    /// The tensor again around itself.
    Method pad_circular(x: Tensor, pad: Axes) -> One |b, a| pad::pad(b, a.tensor(0), &a.axes(1), Around::Circular);
    /// Row index[…] of a table [V, …]; one outside is 0.
    Method embedding(x: Tensor, index: Tensor) -> One |b, a| index::embedding(b, a.tensor(0), a.tensor(1), None);
    /// The same, and one row has no gradient.
    Method embedding_with(x: Tensor, index: Tensor, padding_idx: Axis) -> One
        |b, a| index::embedding(b, a.tensor(0), a.tensor(1), Some(a.axis(2)));
    /// The entries at these indices along a dim.
    Method index_select(x: Tensor, dim: Axis, index: Tensor) -> One
        |b, a| index::index_select(b, a.tensor(0), a.axis(1), a.tensor(2));
    /// len elements along a dim from a start on that is data.
    Method narrow_at(x: Tensor, dim: Axis, start: Tensor, len: Size) -> One
        |b, a| index::narrow_at(b, a.tensor(0), a.axis(1), a.tensor(2), a.size(3));
    /// x with another tensor written over it along a dim, from a start on that is data.
    Method update_at(x: Tensor, dim: Axis, start: Tensor, value: Tensor) -> One
        |b, a| index::update_at(b, a.tensor(0), a.axis(1), a.tensor(2), a.tensor(3));
    /// x[index[i, j], j] for dim 0, likewise for others.
    Method gather(x: Tensor, dim: Axis, index: Tensor) -> One
        |b, a| index::gather(b, a.tensor(0), a.axis(1), a.tensor(2));
    /// x, to which src[i, j] is added at [index[i, j], j] for dim 0, likewise for others.
    Method scatter_add(x: Tensor, dim: Axis, index: Tensor, src: Tensor) -> One
        |b, a| index::scatter_add(b, a.tensor(0), a.axis(1), a.tensor(2), a.tensor(3));
    /// x with the entries of another tensor added at these indices along a dim.
    Method index_add(x: Tensor, dim: Axis, index: Tensor, source: Tensor) -> One
        |b, a| index::index_add(b, a.tensor(0), a.axis(1), a.tensor(2), a.tensor(3));
    /// The elements in reverse along dims.
    Method flip(x: Tensor, dims: Axes) -> One |b, a| index::flip(b, a.tensor(0), &a.axes(1));
    /// [N, C, …] at other sizes, each element the nearest one.
    Method interpolate_nearest(x: Tensor, size: Sizes) -> One |b, a| resize::nearest(b, a.tensor(0), &To::Size(a.sizes(1)));
    /// [N, C, …] so many times as large, each element the nearest one.
    Method interpolate_nearest_with(x: Tensor, scale: Float) -> One
        |b, a| resize::nearest(b, a.tensor(0), &To::Scale(a.float(1)));
    /// [N, C, …] at other sizes, each element between the nearest two in each dim.
    Method interpolate_linear(x: Tensor, size: Sizes, align_corners: Bool) -> One
        |b, a| resize::linear(b, a.tensor(0), &To::Size(a.sizes(1)), a.bool(2));
    /// [N, C, …] so many times as large, each element between the nearest two in each dim.
    Method interpolate_linear_with(x: Tensor, scale: Float, align_corners: Bool) -> One
        |b, a| resize::linear(b, a.tensor(0), &To::Scale(a.float(1)), a.bool(2));
    /// Zero above a diagonal.
    Method tril(x: Tensor, diagonal: Axis) -> One |b, a| shape::tril(b, a.tensor(0), a.axis(1));
    /// Zero below a diagonal.
    Method triu(x: Tensor, diagonal: Axis) -> One |b, a| shape::triu(b, a.tensor(0), a.axis(1));
    /// One behind the other along a dim.
    Function cat(tensors: Tensors, dim: Axis) -> One |b, a| shape::cat(b, a.tensors(0), a.axis(1));
    /// Side by side along a new dim.
    Function stack(tensors: Tensors, dim: Axis) -> One |b, a| shape::stack(b, a.tensors(0), a.axis(1));
}

/// Labels of a contraction are a byte each.
const MOST_DIMS: usize = 64;

fn rank_within(b: &Builder, a: &Args, x: Value) -> Result<(), Error> {
    if b.ty(x).rank() <= MOST_DIMS { Ok(()) } else { Err(a.fault(b, "too many dims")) }
}

fn attend(b: &mut Builder, a: &Args, mask: Option<Value>, causal: bool, scale: Option<f64>) -> Built {
    let tensors = [0, 1, 2].map(|i| a.tensor(i));
    tensors.iter().try_for_each(|x| rank_within(b, a, *x))?;
    attention::scaled_dot_product(b, tensors, mask, causal, scale)
}

fn product(b: &mut Builder, a: &Args, x: Value, y: Value) -> Built {
    rank_within(b, a, x)?;
    rank_within(b, a, y)?;
    linalg::matmul(b, x, y)
}

fn slice(b: &mut Builder, a: &Args) -> Built {
    let axis = b.axis("slice", a.tensor(0), a.axis(1))?;
    let (n, step) = (b.ty(a.tensor(0)).shape[axis].clone(), a.axis(4));
    if step < 1 {
        return Err(a.fault(b, "the step is at least 1"));
    }
    let from_back = |d: Dim| if d.literal().is_some_and(|i| i < 0) { n.clone() + d } else { d };
    let (start, end) = (from_back(a.size(2)), from_back(a.size(3)));
    let span = end - start.clone();
    let len = match (step, span.literal()) {
        (1, _) => Some(span),
        (_, Some(span)) => Some(Dim::from(span.max(0).saturating_add(step - 1) / step)),
        _ => span.divide(&Dim::from(step)),
    };
    let Some(len) = len else { return Err(a.fault(b, "the step doesn't divide a size that is free")) };
    shape::slice(b, a.tensor(0), axis as i64, start, len, step)
}

fn split(b: &mut Builder, a: &Args) -> Result<Vec<Value>, Error> {
    let (x, mut sizes) = (a.tensor(0), a.sizes(1));
    let axis = b.axis("split", x, a.axis(2))?;
    let n = b.ty(x).shape[axis].clone();
    if let [each] = sizes.as_slice() {
        sizes = even(b, a, &n, each)?;
    }
    let total = sizes.iter().fold(Dim::from(0), |sum, d| sum + d.clone());
    if total != n {
        let show = |d: &Dim| d.display(&b.func().syms).to_string();
        return Err(
            a.fault(b, format!("the parts have {} in all, dim {axis} has {}", show(&total), show(&n)))
        );
    }
    shape::split(b, x, &sizes, axis as i64)
}

fn chunk(b: &mut Builder, a: &Args) -> Result<Vec<Value>, Error> {
    let (x, chunks) = (a.tensor(0), a.axis(1));
    let axis = b.axis("chunk", x, a.axis(2))?;
    if !(1..=MOST_PARTS).contains(&chunks) {
        return Err(a.fault(b, format!("the number of parts is 1 to {MOST_PARTS}")));
    }
    let n = b.ty(x).shape[axis].clone();
    let each = match n.literal() {
        Some(n) => Some(Dim::from((n + chunks - 1) / chunks)),
        None => n.divide(&Dim::from(chunks)),
    };
    let Some(each) = each else {
        return Err(a.fault(b, "a size that is free must be divisible by the parts"));
    };
    let sizes = if n.literal().is_some() { even(b, a, &n, &each)? } else { vec![each; chunks as usize] };
    shape::split(b, x, &sizes, axis as i64)
}

const MOST_PARTS: i64 = 4096;

/// Sizes of parts of which each but the last has `each`.
fn even(b: &Builder, a: &Args, n: &Dim, each: &Dim) -> Result<Vec<Dim>, Error> {
    if n == each {
        return Ok(vec![n.clone()]);
    }
    match (n.literal(), each.literal()) {
        (Some(0), Some(_)) => Ok(vec![Dim::from(0)]),
        (Some(n), Some(each)) if each > 0 && n / each < MOST_PARTS => {
            Ok((0..n).step_by(each as usize).map(|at| Dim::from(each.min(n - at))).collect())
        }
        _ => match n.divide(each).and_then(|parts| parts.literal()) {
            Some(parts) if (1..=MOST_PARTS).contains(&parts) => Ok(vec![each.clone(); parts as usize]),
            _ => Err(a.fault(b, "how many parts there are must be known while compiling")),
        },
    }
}

//! Free functions: tensors out of nothing or out of several, and those that PyTorch has beside methods.

use super::free_functions;
use crate::Tensor;

free_functions! {
    /// One tensor behind the other along a dim: `torch.cat`. The other dims must agree.
    cat[T](tensors: Tensors, dim: Axis) -> One,
        "let x: Tensor = Tensor::from([[1.0, 2.0]]);\nassert_eq!(cat([&x, &x].map(Tensor::clone), 0).shape(), [2, 2]);";
    /// Tensors of one shape side by side along a new dim: `torch.stack`.
    stack[T](tensors: Tensors, dim: Axis) -> One,
        "let x: Tensor = Tensor::from([1.0, 2.0]);\nassert_eq!(stack(&[x.clone(), x], 1).to_string(), \"[[1, 1],\\n [2, 2]]\");";
    /// `yes` where the mask is true, `no` elsewhere, all broadcast: `torch.where`.
    where_cond[T](mask: Mask, yes: Operand, no: Operand) -> One,
        "let x: Tensor = Tensor::from([1.0, -2.0]);\nassert_eq!(where_cond(x.gt(0), &x, 0.5).to_string(), \"[1, 0.5]\");";
    /// See [`Tensor::matmul`].
    matmul[T](x: Tensor, other: Tensor) -> One,
        "let x: Tensor = Tensor::from([3.0, 4.0]);\nassert_eq!(matmul(&x, &x).to_string(), \"25\");";
    /// See [`Tensor::linear`].
    linear[T](x: Tensor, weight: Tensor, bias: Maybe) -> One,
        "let w: Tensor = Tensor::from([[3.0, 4.0]]);\nassert_eq!(linear(&w, &w, Some(Tensor::from([1.0]))).to_string(), \"[[26]]\");";
    /// See [`Tensor::layer_norm`].
    layer_norm[T](x: Tensor, shape: Sizes, weight: Maybe, bias: Maybe, eps: Float) -> One,
        "let x: Tensor = Tensor::from([1.0, 3.0]);\nassert_eq!(layer_norm(x, [2], None, None, 0).to_string(), \"[-1, 1]\");";
    /// See [`Tensor::normalize`].
    normalize[T](x: Tensor, dim: Axis) -> One,
        "let x: Tensor = Tensor::from([3.0, 4.0]);\nassert_eq!(normalize(x, 0).to_string(), \"[0.6, 0.8]\");";
    /// The tensor itself, through which no gradient goes: `jax.lax.stop_gradient`, as [`Tensor::detach`].
    stop_gradient[T](x: Tensor) -> One,
        "let x: Tensor = Tensor::from([3.0]).requires_grad();\n(&x * stop_gradient(&x)).sum().backward().unwrap();\nassert_eq!(x.grad().unwrap().to_string(), \"[3]\");";
    /// See [`Tensor::rms_norm`].
    rms_norm[T](x: Tensor, shape: Sizes, weight: Maybe, eps: Float) -> One,
        "let x: Tensor = Tensor::from([2.0, -2.0]);\nassert_eq!(rms_norm(x, [2], None, 0).to_string(), \"[1, -1]\");";
    /// See [`Tensor::batch_norm`].
    batch_norm[T](x: Tensor, mean: Tensor, var: Tensor, weight: Maybe, bias: Maybe, eps: Float) -> One,
        "let x: Tensor = Tensor::from([[1.0], [3.0]]);\nlet (mean, var) = (Tensor::from([2.0]), Tensor::from([1.0]));\nassert_eq!(batch_norm(x, mean, var, None, None, 0).flatten(0, -1).to_string(), \"[-1, 1]\");";
    /// [`Tensor::batch_norm`] by the batch's mean and variance, and the running ones: `F.batch_norm` in training. x is
    /// `[N, C, …]`, all others `[C]`. Yields y, `(1 − momentum)·running_mean + momentum·mean` and
    /// `(1 − momentum)·running_var + momentum·n/(n − 1)·var`, where n is the number of values of a channel; gradients reach only y.
    /// Ioffe and Szegedy (2015).
    batch_norm_train[T](
        x: Tensor, running_mean: Tensor, running_var: Tensor, weight: Maybe, bias: Maybe, momentum: Float, eps: Float
    ) -> Triple,
        "let x: Tensor = Tensor::from([[1.0], [3.0]]);\nlet (mean, var) = (Tensor::from([0.0]), Tensor::from([1.0]));\nlet (y, mean, var) = batch_norm_train(x, mean, var, None, None, 0.5, 0);\nassert_eq!((y.flatten(0, -1).to_string(), mean.to_string(), var.to_string()), (\"[-1, 1]\".into(), \"[1]\".into(), \"[1.5]\".into()));";
    /// See [`Tensor::group_norm`].
    group_norm[T](x: Tensor, groups: Size, weight: Maybe, bias: Maybe, eps: Float) -> One,
        "let x: Tensor = Tensor::from([[1.0, 3.0]]);\nassert_eq!(group_norm(x, 1, None, None, 0).to_string(), \"[[-1, 1]]\");";
    /// See [`Tensor::instance_norm`].
    instance_norm[T](x: Tensor, weight: Maybe, bias: Maybe, eps: Float) -> One,
        "let x: Tensor = Tensor::from([[[1.0, 3.0]]]);\nassert_eq!(instance_norm(x, None, None, 0).flatten(0, -1).to_string(), \"[-1, 1]\");";
    /// See [`Tensor::local_response_norm`].
    local_response_norm[T](x: Tensor, size: Axis, alpha: Float, beta: Float, k: Float) -> One,
        "let x: Tensor = Tensor::from([[1.0]]);\nassert_eq!(local_response_norm(x, 1, 1, 1, 1).to_string(), \"[[0.5]]\");";
    /// Products summed as an equation says, a letter a dim: `torch.einsum`.
    einsum[T](equation: Text, tensors: Tensors) -> One,
        "let x: Tensor = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);\nassert_eq!(einsum(\"ij,jk->ik\", [x.clone(), x.clone()]).to_string(), x.matmul(&x).to_string());\nassert_eq!(einsum(\"ii\", [x]).to_string(), \"5\");";
    /// `softmax(query · keyᵀ / √E) · value` for `[.., L, E]`, `[.., S, E]` and `[.., S, V]`:
    /// `F.scaled_dot_product_attention`. Vaswani et al. (2017). Heads of 512 × 512 scores and more are computed by strips of
    /// queries, whose gradient computes them again, as in Dao et al., *FlashAttention* (2022): memory grows with the length.
    scaled_dot_product_attention[T](query: Tensor, key: Tensor, value: Tensor) -> One,
        "let x: Tensor = Tensor::from([[0.0], [0.0]]);\nlet value = Tensor::from([[1.0], [3.0]]);\nassert_eq!(scaled_dot_product_attention(&x, &x, value).flatten(0, -1).to_string(), \"[2, 2]\");";
    /// The same with a mask that is added to the scores `[.., L, S]` and another scale; if causal, a query sees the keys up
    /// to its own place: `F.scaled_dot_product_attention(attn_mask=…, is_causal=…, scale=…)`.
    scaled_dot_product_attention_with[T](
        query: Tensor, key: Tensor, value: Tensor, mask: Maybe, causal: Bool, scale: Float
    ) -> One,
        "let x: Tensor = Tensor::from([[0.0], [0.0]]);\nlet value = Tensor::from([[1.0], [3.0]]);\nlet y = scaled_dot_product_attention_with(&x, &x, value, None, true, 1);\nassert_eq!(y.flatten(0, -1).to_string(), \"[1, 2]\");";
    /// `softmax(query · keyᵀ / √E) · value` for queries `[.., H, L, E]` and fewer heads of keys `[.., G, S, E]` and values
    /// `[.., G, S, V]`, H / G queries to each: `F.scaled_dot_product_attention(enable_gqa=True)`. Ainslie et al., *GQA* (2023).
    grouped_query_attention[T](query: Tensor, key: Tensor, value: Tensor, causal: Bool) -> One,
        "let x: Tensor = Tensor::from([[[0.0], [0.0]], [[0.0], [0.0]]]);\nlet value = Tensor::from([[[1.0], [3.0]]]);\nlet y = grouped_query_attention(&x, x.narrow(0, 0, 1), value, true);\nassert_eq!(y.flatten(0, -1).to_string(), \"[1, 2, 1, 2]\");";
    /// `softmax(query · (keys · key)ᵀ / √E) · (values · value)` for `[.., L, E]`, `[.., S, E]`, `[.., S, V]` and mixtures `[K, S]`:
    /// attention in time linear in the sequence. Wang et al., *Linformer* (2020).
    linformer_attention[T](query: Tensor, key: Tensor, value: Tensor, keys: Tensor, values: Tensor) -> One,
        "let x: Tensor = Tensor::from([[0.0], [0.0]]);\nlet value = Tensor::from([[1.0], [3.0]]);\nlet mix = Tensor::from([[0.5, 0.5]]);\nassert_eq!(linformer_attention(&x, &x, value, &mix, &mix).flatten(0, -1).to_string(), \"[2, 2]\");";
    /// Attention of `[.., L, E]` over `[.., S, E]` and `[.., S, V]` by the positive features
    /// `φ(x) = (exp(x·pᵀ − |x|²/2 − max) + eps) / √M` of x / E^¼ and a random projection `[M, E]`, FAVOR+:
    /// `φ(q)·(φ(k)ᵀ·v) / φ(q)·Σφ(k)`. Choromanski et al., *Rethinking attention with Performers* (2021).
    performer_attention[T](
        query: Tensor, key: Tensor, value: Tensor, projection: Tensor, causal: Bool, eps: Float
    ) -> One,
        "let x: Tensor = Tensor::from([[0.0], [0.0]]);\nlet value = Tensor::from([[1.0], [3.0]]);\nlet p = Tensor::from([[1.0], [-1.0]]);\nassert_eq!(performer_attention(&x, &x, value, p, true, 0).flatten(0, -1).to_string(), \"[1, 2]\");";
    /// Pairs of the last dim of `[.., T, E]` turned by `positions[t] · base^(−2j / E)`, `positions` being `[T]`: neighbours if
    /// interleaved, or else the same place of both halves, as LLaMA has it. Su et al., *RoFormer* (2021).
    rotary_embedding[T](x: Tensor, positions: Tensor, base: Float, interleaved: Bool) -> One,
        "let x: Tensor = Tensor::from([[1.0, 0.0], [1.0, 0.0]]);\nlet y = rotary_embedding(x, Tensor::from([0.0, 1.0]), 10000, true);\nassert_eq!((y.as_slice()[0], y.as_slice()[2]), (1.0, 1f32.cos()));";
    /// See [`Tensor::one_hot`].
    one_hot[T](labels: Tensor, classes: Size) -> Index,
        "assert_eq!(one_hot(Tensor::<i64>::from([1]), 3).to_string(), \"[[0, 1, 0]]\");";
    /// `0 .. n` as i64: `torch.arange`.
    arange[](n: Size) -> Index, "assert_eq!(arange(3).to_string(), \"[0, 1, 2]\");";
}

/// Zeros (f32) of a shape: `torch.zeros`. [`Tensor::zeros`] makes those of other types.
///
/// ```
/// assert_eq!(kiln::prelude::zeros([2]).to_string(), "[0, 0]");
/// ```
#[track_caller]
pub fn zeros(shape: kind!(Sizes)) -> Tensor<f32> {
    results!(One "zeros", vec![given!(Sizes shape)])
}

/// Ones (f32) of a shape: `torch.ones`. [`Tensor::ones`] makes those of other types.
///
/// ```
/// assert_eq!(kiln::prelude::ones([2]).to_string(), "[1, 1]");
/// ```
#[track_caller]
pub fn ones(shape: kind!(Sizes)) -> Tensor<f32> {
    results!(One "ones", vec![given!(Sizes shape)])
}

/// `value` (f32) everywhere in a shape: `torch.full`. [`Tensor::full`] makes those of other types.
///
/// ```
/// assert_eq!(kiln::prelude::full([2], 0.5).to_string(), "[0.5, 0.5]");
/// ```
#[track_caller]
pub fn full(shape: kind!(Sizes), value: impl Into<f64>) -> Tensor<f32> {
    results!(One "full", vec![given!(Sizes shape), given!(Float value)])
}

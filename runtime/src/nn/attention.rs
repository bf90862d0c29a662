//! Attention of several heads, and the blocks of a transformer.
//!
//! No dropout is in them: they are PyTorch's with `dropout=0`, as they are in evaluation. The number of heads must divide the width,
//! and both must be known as numbers. Inputs are `[N, T, D]`, PyTorch's `batch_first=True`. Under a mask beyond the causal one there are
//! [`masked_attention`](super::masked_attention), [`encoder_layer_masked`](super::encoder_layer_masked) and
//! [`decoder_layer_masked`](super::decoder_layer_masked), with dropout [`attention_train`](super::attention_train),
//! [`encoder_layer_train`](super::encoder_layer_train) and [`decoder_layer_train`](super::decoder_layer_train).

use super::{LayerNorm, Linear};
use crate::{model, params};

/// `softmax(q·kᵀ / √E)·v` in each of HEADS heads of width E = D / HEADS, joined by a dense layer:
/// `torch.nn.MultiheadAttention`. Vaswani et al., *Attention is all you need* (2017).
///
/// `in_proj_weight` starts uniform over ±√(6 / 4D), `out_proj.weight` over ±1/√D, biases at 0, as PyTorch's do.
/// `.forward(x, causal)` takes `[N, T, D]` to the same shape; if causal, a place sees those before it and itself.
/// [`cross_attention`] sees another sequence.
///
/// ```
/// use kiln::prelude::*;
///
/// let layer = MultiheadAttention::<8, 2>::init(&mut Rng::seed(0));
/// assert_eq!(layer.named_leaves()[2].name, "out_proj.weight");
/// let x = init::normal(0.0, 1.0).tensor(&mut Rng::seed(1), &[1, 3, 8]);
/// let (y, first) = (layer.forward(&x, true), layer.forward(x.narrow(1, 0, 1), true));
/// // What is behind the first place changes nothing there.
/// assert!((y.as_slice()[0] - first.as_slice()[0]).abs() < 1e-6);
/// ```
#[params(forward = multihead_attention_forward)]
pub struct MultiheadAttention<const D: usize, const HEADS: usize> {
    /// Factors of query, key and value, one below the other, `[3D, D]`.
    #[init(xavier_uniform())]
    pub in_proj_weight: Tensor<{ 3 * D }, D>,
    /// Offsets of query, key and value, `[3D]`.
    pub in_proj_bias: Tensor<{ 3 * D }>,
    /// Factors of what the heads see, `[D, D]`.
    #[name("out_proj.weight")]
    pub out_weight: Tensor<D, D>,
    /// Offsets of what the heads see, `[D]`.
    #[name("out_proj.bias")]
    pub out_bias: Tensor<D>,
}

/// `.forward(x, causal)` of [`MultiheadAttention`].
#[model(inline)]
pub fn multihead_attention_forward<const D: usize, const HEADS: usize, const N: usize, const T: usize>(
    layer: &MultiheadAttention<D, HEADS>,
    x: Tensor<N, T, D>,
    causal: bool,
) -> Tensor<N, T, D> {
    let all = kiln::linear(x, layer.in_proj_weight, Some(layer.in_proj_bias));
    let parts = all.reshape([N, T, 3, HEADS, D / HEADS]).permute([2, 0, 3, 1, 4]);
    let (query, key, value) = (parts.select(0, 0), parts.select(0, 1), parts.select(0, 2));
    let scale = ((D / HEADS) as f64).sqrt().recip();
    let seen = kiln::scaled_dot_product_attention_with(query, key, value, None, causal, scale);
    kiln::linear(seen.transpose(1, 2).reshape([N, T, D]), layer.out_weight, Some(layer.out_bias))
}

/// Queries of `x` and keys and values of another sequence, by heads of that width: `[N, HEADS, T, width]`.
#[doc(hidden)]
#[model(inline)]
pub fn heads<const D: usize, const HEADS: usize, const N: usize, const T: usize, const S: usize>(
    layer: &MultiheadAttention<D, HEADS>,
    x: Tensor<N, T, D>,
    memory: Tensor<N, S, D>,
    width: usize,
) -> (Tensor, Tensor, Tensor) {
    let (weight, bias) = (layer.in_proj_weight, layer.in_proj_bias);
    let query = kiln::linear(x, weight.narrow(0, 0, D), Some(bias.narrow(0, 0, D)));
    let query = query.reshape([N, T, HEADS, width]).transpose(1, 2);
    let both = kiln::linear(memory, weight.narrow(0, D, 2 * D), Some(bias.narrow(0, D, 2 * D)));
    let both = both.reshape([N, S, 2, HEADS, width]).permute([2, 0, 3, 1, 4]);
    (query, both.select(0, 0), both.select(0, 1))
}

/// [`MultiheadAttention`] of each place of `x` `[N, T, D]` over the places of another sequence `[N, S, D]`; if causal, over as many
/// of them as lie before it and one more.
#[model(inline)]
pub fn cross_attention<const D: usize, const HEADS: usize, const N: usize, const T: usize, const S: usize>(
    layer: &MultiheadAttention<D, HEADS>,
    x: Tensor<N, T, D>,
    memory: Tensor<N, S, D>,
    causal: bool,
) -> Tensor<N, T, D> {
    let (query, key, value) = heads(layer, x, memory, D / HEADS);
    let scale = ((D / HEADS) as f64).sqrt().recip();
    let seen = kiln::scaled_dot_product_attention_with(query, key, value, None, causal, scale);
    kiln::linear(seen.transpose(1, 2).reshape([N, T, D]), layer.out_weight, Some(layer.out_bias))
}

/// The two dense layers of a transformer's block, with GELU or ReLU between.
#[doc(hidden)]
#[model(inline)]
pub fn dense<const D: usize, const FF: usize>(
    first: &Linear<D, FF>,
    second: &Linear<FF, D>,
    x: Tensor,
    gelu: bool,
) -> Tensor {
    let h = first.forward(x);
    second.forward(if gelu { h.gelu() } else { h.relu() })
}

/// Attention and two dense layers of width FF between, each added to what was before: `torch.nn.TransformerEncoderLayer`. Vaswani
/// et al., *Attention is all you need* (2017).
///
/// `.forward(x, causal)` takes `[N, T, D]` to the same shape, with PyTorch's defaults: the norms behind the sums, and ReLU. With the
/// norms first and GELU there is [`encoder_layer_norm_first`].
///
/// ```
/// use kiln::prelude::*;
///
/// let layer = TransformerEncoderLayer::<8, 2, 16>::init(&mut Rng::seed(0));
/// let y = layer.forward(Tensor::ones([1, 3, 8]), false);
/// assert_eq!((y.shape(), &*layer.named_leaves()[2].name), (&[1, 3, 8][..], "self_attn.out_proj.weight"));
/// ```
#[params(forward = encoder_layer_forward)]
pub struct TransformerEncoderLayer<const D: usize, const HEADS: usize, const FF: usize> {
    /// Of the sequence over itself.
    pub self_attn: MultiheadAttention<D, HEADS>,
    /// To width FF.
    pub linear1: Linear<D, FF>,
    /// And back.
    pub linear2: Linear<FF, D>,
    /// Of the attention.
    pub norm1: LayerNorm<D>,
    /// Of the dense layers.
    pub norm2: LayerNorm<D>,
}

/// `.forward(x, causal)` of [`TransformerEncoderLayer`].
#[model(inline)]
pub fn encoder_layer_forward<
    const D: usize,
    const HEADS: usize,
    const FF: usize,
    const N: usize,
    const T: usize,
>(
    layer: &TransformerEncoderLayer<D, HEADS, FF>,
    x: Tensor<N, T, D>,
    causal: bool,
) -> Tensor<N, T, D> {
    let x = layer.norm1.forward(x + layer.self_attn.forward(x, causal));
    layer.norm2.forward(x + dense(&layer.linear1, &layer.linear2, x, false))
}

/// [`TransformerEncoderLayer`] with `norm_first=True` and `activation="gelu"`, as GPT-2 and ViT are built.
#[model(inline)]
pub fn encoder_layer_norm_first<
    const D: usize,
    const HEADS: usize,
    const FF: usize,
    const N: usize,
    const T: usize,
>(
    layer: &TransformerEncoderLayer<D, HEADS, FF>,
    x: Tensor<N, T, D>,
    causal: bool,
) -> Tensor<N, T, D> {
    let x = x + layer.self_attn.forward(layer.norm1.forward(x), causal);
    x + dense(&layer.linear1, &layer.linear2, layer.norm2.forward(x), true)
}

/// Causal attention, attention over another sequence, and two dense layers: `torch.nn.TransformerDecoderLayer` with a causal
/// `tgt_mask`. Vaswani et al., *Attention is all you need* (2017).
///
/// `.forward(x, memory, causal)` takes `[N, T, D]` and `[N, S, D]` to `[N, T, D]`, with PyTorch's defaults: the norms behind the
/// sums, and ReLU. With the norms first and GELU there is [`decoder_layer_norm_first`].
///
/// ```
/// use kiln::prelude::*;
///
/// let layer = TransformerDecoderLayer::<8, 2, 16>::init(&mut Rng::seed(0));
/// let y = layer.forward(Tensor::ones([1, 3, 8]), Tensor::ones([1, 5, 8]), true);
/// assert_eq!(y.shape(), [1, 3, 8]);
/// ```
#[params(forward = decoder_layer_forward)]
pub struct TransformerDecoderLayer<const D: usize, const HEADS: usize, const FF: usize> {
    /// Of the sequence over itself.
    pub self_attn: MultiheadAttention<D, HEADS>,
    /// Over the other sequence.
    pub multihead_attn: MultiheadAttention<D, HEADS>,
    /// To width FF.
    pub linear1: Linear<D, FF>,
    /// And back.
    pub linear2: Linear<FF, D>,
    /// Of the attention over itself.
    pub norm1: LayerNorm<D>,
    /// Of the attention over the other sequence.
    pub norm2: LayerNorm<D>,
    /// Of the dense layers.
    pub norm3: LayerNorm<D>,
}

/// `.forward(x, memory, causal)` of [`TransformerDecoderLayer`].
#[model(inline)]
pub fn decoder_layer_forward<
    const D: usize,
    const HEADS: usize,
    const FF: usize,
    const N: usize,
    const T: usize,
    const S: usize,
>(
    layer: &TransformerDecoderLayer<D, HEADS, FF>,
    x: Tensor<N, T, D>,
    memory: Tensor<N, S, D>,
    causal: bool,
) -> Tensor<N, T, D> {
    let x = layer.norm1.forward(x + layer.self_attn.forward(x, causal));
    let x = layer.norm2.forward(x + cross_attention(&layer.multihead_attn, x, memory, false));
    layer.norm3.forward(x + dense(&layer.linear1, &layer.linear2, x, false))
}

/// [`TransformerDecoderLayer`] with `norm_first=True` and `activation="gelu"`.
#[model(inline)]
pub fn decoder_layer_norm_first<
    const D: usize,
    const HEADS: usize,
    const FF: usize,
    const N: usize,
    const T: usize,
    const S: usize,
>(
    layer: &TransformerDecoderLayer<D, HEADS, FF>,
    x: Tensor<N, T, D>,
    memory: Tensor<N, S, D>,
    causal: bool,
) -> Tensor<N, T, D> {
    let x = x + layer.self_attn.forward(layer.norm1.forward(x), causal);
    let x = x + cross_attention(&layer.multihead_attn, layer.norm2.forward(x), memory, false);
    x + dense(&layer.linear1, &layer.linear2, layer.norm3.forward(x), true)
}

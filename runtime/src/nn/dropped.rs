//! Attention layers as they are trained: with dropout where PyTorch's have it, of the weights of attention, of what each part adds,
//! and between the dense layers. With `p` 0 they are the layers under a mask.

use super::{Linear, MultiheadAttention, TransformerDecoderLayer, TransformerEncoderLayer, heads};
use crate::model;

/// [`masked_attention`](super::masked_attention) that sees each place with probability 1 − p: `torch.nn.MultiheadAttention(dropout=p)`
/// in training.
///
/// ```
/// use kiln::nn::attention_train;
/// use kiln::prelude::*;
///
/// let layer = MultiheadAttention::<8, 2>::init(&mut Rng::seed(0));
/// let (x, mask) = (Tensor::ones([1, 3, 8]), Tensor::zeros([3, 3]));
/// let y = attention_train::eager(&layer, &x, &x, &mask, 1.0, &mut Rng::seed(1));
/// // Nothing is seen.
/// assert_eq!(y, layer.out_bias.expand([1, 3, 8]));
/// ```
#[model(inline)]
pub fn attention_train<const D: usize, const HEADS: usize, const N: usize, const T: usize, const S: usize>(
    layer: &MultiheadAttention<D, HEADS>,
    x: Tensor<N, T, D>,
    memory: Tensor<N, S, D>,
    mask: Tensor,
    p: f64,
    rng: &mut kiln::Rng,
) -> Tensor<N, T, D> {
    let (query, key, value) = heads(layer, x, memory, D / HEADS);
    let scale = ((D / HEADS) as f64).sqrt().recip();
    let scores = query.matmul(key.transpose(-2, -1)) * scale + mask;
    let seen = kiln::dropout(scores.softmax(-1), p, rng).matmul(value);
    kiln::linear(seen.transpose(1, 2).reshape([N, T, D]), layer.out_weight, Some(layer.out_bias))
}

/// The two dense layers of a transformer's block, with GELU or ReLU between, and dropout behind both.
#[doc(hidden)]
#[model(inline)]
pub fn dense_train<const D: usize, const FF: usize>(
    first: &Linear<D, FF>,
    second: &Linear<FF, D>,
    x: Tensor,
    gelu: bool,
    p: f64,
    rng: &mut kiln::Rng,
) -> Tensor {
    let h = first.forward(x);
    let h = if gelu { h.gelu() } else { h.relu() };
    let y = second.forward(kiln::dropout(h, p, rng));
    kiln::dropout(y, p, rng)
}

/// [`encoder_layer_masked`](super::encoder_layer_masked) with dropout: `torch.nn.TransformerEncoderLayer(dropout=p)` in training.
#[model(inline)]
pub fn encoder_layer_train<
    const D: usize,
    const HEADS: usize,
    const FF: usize,
    const N: usize,
    const T: usize,
>(
    layer: &TransformerEncoderLayer<D, HEADS, FF>,
    x: Tensor<N, T, D>,
    mask: Tensor,
    norm_first: bool,
    gelu: bool,
    p: f64,
    rng: &mut kiln::Rng,
) -> Tensor<N, T, D> {
    if norm_first {
        let h = layer.norm1.forward(x);
        let seen = attention_train(&layer.self_attn, h, h, mask, p, rng);
        let x = x + kiln::dropout(seen, p, rng);
        x + dense_train(&layer.linear1, &layer.linear2, layer.norm2.forward(x), gelu, p, rng)
    } else {
        let seen = attention_train(&layer.self_attn, x, x, mask, p, rng);
        let x = layer.norm1.forward(x + kiln::dropout(seen, p, rng));
        layer.norm2.forward(x + dense_train(&layer.linear1, &layer.linear2, x, gelu, p, rng))
    }
}

/// [`decoder_layer_masked`](super::decoder_layer_masked) with dropout: `torch.nn.TransformerDecoderLayer(dropout=p)` in training.
#[model(inline)]
pub fn decoder_layer_train<
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
    mask: Tensor,
    memory_mask: Tensor,
    norm_first: bool,
    gelu: bool,
    p: f64,
    rng: &mut kiln::Rng,
) -> Tensor<N, T, D> {
    if norm_first {
        let h = layer.norm1.forward(x);
        let own = attention_train(&layer.self_attn, h, h, mask, p, rng);
        let x = x + kiln::dropout(own, p, rng);
        let seen =
            attention_train(&layer.multihead_attn, layer.norm2.forward(x), memory, memory_mask, p, rng);
        let x = x + kiln::dropout(seen, p, rng);
        x + dense_train(&layer.linear1, &layer.linear2, layer.norm3.forward(x), gelu, p, rng)
    } else {
        let own = attention_train(&layer.self_attn, x, x, mask, p, rng);
        let x = layer.norm1.forward(x + kiln::dropout(own, p, rng));
        let seen = attention_train(&layer.multihead_attn, x, memory, memory_mask, p, rng);
        let x = layer.norm2.forward(x + kiln::dropout(seen, p, rng));
        layer.norm3.forward(x + dense_train(&layer.linear1, &layer.linear2, x, gelu, p, rng))
    }
}

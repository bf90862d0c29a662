//! Attention layers under masks that are data. A mask is a number that is added to a score: 0 where a place may be seen, −∞ where
//! not, or anything between. It broadcasts to `[N, HEADS, T, S]`; masks of several kinds add up.
//!
//! A place that may see nothing has NaN, as PyTorch's.

use super::{MultiheadAttention, TransformerDecoderLayer, TransformerEncoderLayer, dense, heads};
use crate::model;

/// The mask of a truth value a pair of places `[T, S]`, true where a place may not be seen: PyTorch's `attn_mask` of bools.
///
/// ```
/// use kiln::nn::attention_mask;
/// use kiln::prelude::*;
///
/// let hidden = Tensor::from_vec([1, 2], vec![false, true])?;
/// assert_eq!(attention_mask::eager(&hidden).as_slice(), [0.0, f32::NEG_INFINITY]);
/// # Ok::<(), kiln::Error>(())
/// ```
#[model(inline)]
pub fn attention_mask<const T: usize, const S: usize>(hidden: Tensor<bool, T, S>) -> Tensor<T, S> {
    kiln::zeros([T, S]).masked_fill(hidden, f64::NEG_INFINITY)
}

/// The mask of a truth value a place of each sequence `[N, S]`, true where it is only padding: PyTorch's `key_padding_mask`.
///
/// ```
/// use kiln::nn::key_padding_mask;
/// use kiln::prelude::*;
///
/// let padding = Tensor::from_vec([1, 2], vec![false, true])?;
/// assert_eq!(key_padding_mask::eager(&padding).shape(), [1, 1, 1, 2]);
/// # Ok::<(), kiln::Error>(())
/// ```
#[model(inline)]
pub fn key_padding_mask<const N: usize, const S: usize>(padding: Tensor<bool, N, S>) -> Tensor<N, 1, 1, S> {
    kiln::zeros([N, 1, 1, S]).masked_fill(padding.reshape([N, 1, 1, S]), f64::NEG_INFINITY)
}

/// The mask `[t, t]` that lets each place see those before it and itself: PyTorch's `Transformer.generate_square_subsequent_mask`.
///
/// ```
/// use kiln::nn::causal_mask;
///
/// assert_eq!(causal_mask::eager(2).as_slice(), [0.0, f32::NEG_INFINITY, 0.0, 0.0]);
/// ```
#[model(inline)]
pub fn causal_mask(t: usize) -> Tensor {
    kiln::zeros([t, t]).masked_fill(kiln::ones([t, t]).triu(1).gt(0.0), f64::NEG_INFINITY)
}

/// [`MultiheadAttention`] of each place of `x` `[N, T, D]` over the places of another sequence `[N, S, D]`, or of the same, under a
/// mask; if causal, over those before it and itself alone.
///
/// ```
/// use kiln::nn::{key_padding_mask, masked_attention};
/// use kiln::prelude::*;
///
/// let layer = MultiheadAttention::<8, 2>::init(&mut Rng::seed(0));
/// let x = init::normal(0.0, 1.0).tensor(&mut Rng::seed(1), &[1, 3, 8]);
/// let padding = Tensor::from_vec([1, 3], vec![false, false, true])?;
/// let y = masked_attention::eager(&layer, &x, &x, key_padding_mask::eager(&padding), false);
/// let short = layer.forward(x.narrow(1, 0, 2), false);
/// // The last place is seen by none.
/// assert!((y.as_slice()[0] - short.as_slice()[0]).abs() < 1e-6);
/// # Ok::<(), kiln::Error>(())
/// ```
#[model(inline)]
pub fn masked_attention<
    const D: usize,
    const HEADS: usize,
    const N: usize,
    const T: usize,
    const S: usize,
>(
    layer: &MultiheadAttention<D, HEADS>,
    x: Tensor<N, T, D>,
    memory: Tensor<N, S, D>,
    mask: Tensor,
    causal: bool,
) -> Tensor<N, T, D> {
    let (query, key, value) = heads(layer, x, memory, D / HEADS);
    let scale = ((D / HEADS) as f64).sqrt().recip();
    let seen = kiln::scaled_dot_product_attention_with(query, key, value, Some(mask), causal, scale);
    kiln::linear(seen.transpose(1, 2).reshape([N, T, D]), layer.out_weight, Some(layer.out_bias))
}

/// [`TransformerEncoderLayer`] under a mask; `norm_first` and `activation="gelu"` as in PyTorch.
#[model(inline)]
pub fn encoder_layer_masked<
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
) -> Tensor<N, T, D> {
    if norm_first {
        let h = layer.norm1.forward(x);
        let x = x + masked_attention(&layer.self_attn, h, h, mask, false);
        x + dense(&layer.linear1, &layer.linear2, layer.norm2.forward(x), gelu)
    } else {
        let x = layer.norm1.forward(x + masked_attention(&layer.self_attn, x, x, mask, false));
        layer.norm2.forward(x + dense(&layer.linear1, &layer.linear2, x, gelu))
    }
}

/// [`TransformerDecoderLayer`] under a mask of its own places and one of the other sequence's; `norm_first` and
/// `activation="gelu"` as in PyTorch.
#[model(inline)]
pub fn decoder_layer_masked<
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
) -> Tensor<N, T, D> {
    if norm_first {
        let h = layer.norm1.forward(x);
        let x = x + masked_attention(&layer.self_attn, h, h, mask, false);
        let x =
            x + masked_attention(&layer.multihead_attn, layer.norm2.forward(x), memory, memory_mask, false);
        x + dense(&layer.linear1, &layer.linear2, layer.norm3.forward(x), gelu)
    } else {
        let x = layer.norm1.forward(x + masked_attention(&layer.self_attn, x, x, mask, false));
        let x =
            layer.norm2.forward(x + masked_attention(&layer.multihead_attn, x, memory, memory_mask, false));
        layer.norm3.forward(x + dense(&layer.linear1, &layer.linear2, x, gelu))
    }
}

//! The encoder of Vaswani et al., *Attention is all you need* (2017), with norms before attention and dense layers: what
//! [`linformer`](crate::linformer) and [`performer`](crate::performer) are measured against, of their size and under their names.
//! Scores of all places over all places grow with the square of the length.

use crate::attention::{FeedForward, Projections, joined, split};
use kiln::prelude::*;

const HEADS: usize = 8;
const LAYERS: usize = 6;

/// Attention and two dense layers, a norm before each.
#[params]
pub struct Layer<const D: usize, const FF: usize> {
    #[name("0.norm")]
    norm1: LayerNorm<D>,
    #[name("0.fn")]
    qkv: Projections<D>,
    #[name("1.norm")]
    norm2: LayerNorm<D>,
    #[name("1.fn")]
    feed: FeedForward<D, FF>,
}

/// Six layers of 512 dims and 8 heads.
#[params]
pub struct Transformer {
    #[name("net.layers")]
    layers: [Layer<512, 2048>; LAYERS],
}

/// Each place over all others.
#[model(inline)]
pub fn layer<const N: usize, const T: usize, const D: usize, const FF: usize>(
    l: &Layer<D, FF>,
    x: Tensor<N, T, D>,
    heads: usize,
) -> Tensor<N, T, D> {
    let h = l.norm1.forward(x);
    let (q, k, v) = (l.qkv.to_q.forward(h), l.qkv.to_k.forward(h), l.qkv.to_v.forward(h));
    let seen = scaled_dot_product_attention(split(q, heads), split(k, heads), split(v, heads));
    let x = x + l.qkv.to_out.forward(joined(seen));
    x + l.feed.forward(l.norm2.forward(x))
}

/// Each place over all others.
#[model]
pub fn transformer<const N: usize, const T: usize>(
    net: &Transformer,
    x: Tensor<N, T, 512>,
) -> Tensor<N, T, 512> {
    let mut x = x;
    for l in &net.layers {
        x = layer(l, x, HEADS);
    }
    x
}

//! Linformer: Wang et al., *Linformer: self-attention with linear complexity* (2020), under the names of the usual package
//! (`linformer`). Keys and values of all places are projected to 256, so that scores grow with the length, not with its square.

use crate::attention::{FeedForward, Projections, joined, split};
use kiln::prelude::*;

/// Places.
pub const LONGEST: usize = 4096;
/// What keys and values are projected to.
pub const PROJECTED: usize = 256;
const HEADS: usize = 8;
const LAYERS: usize = 6;

/// Attention over L places at most, projected to K, and two dense layers, a norm before each.
#[params]
pub struct Layer<const D: usize, const FF: usize, const L: usize, const K: usize> {
    #[name("0.norm")]
    norm1: LayerNorm<D>,
    #[name("0.fn")]
    qkv: Projections<D>,
    #[init(normal(0.0, 0.0625))]
    #[name("0.fn.proj_k")]
    keys: Tensor<L, K>,
    #[init(normal(0.0, 0.0625))]
    #[name("0.fn.proj_v")]
    values: Tensor<L, K>,
    #[name("1.norm")]
    norm2: LayerNorm<D>,
    #[name("1.fn")]
    feed: FeedForward<D, FF>,
}

/// Six layers of 512 dims and 8 heads.
#[params]
pub struct Linformer {
    #[name("net.layers")]
    layers: [Layer<512, 2048, LONGEST, PROJECTED>; LAYERS],
}

/// Each place over the projected ones.
#[model(inline)]
pub fn layer<
    const N: usize,
    const T: usize,
    const D: usize,
    const FF: usize,
    const L: usize,
    const K: usize,
>(
    l: &Layer<D, FF, L, K>,
    x: Tensor<N, T, D>,
    heads: usize,
) -> Tensor<N, T, D> {
    let h = l.norm1.forward(x);
    let q = split(l.qkv.to_q.forward(h), heads);
    let k = l.keys.narrow(0, 0, T).transpose(0, 1).matmul(l.qkv.to_k.forward(h));
    let v = l.values.narrow(0, 0, T).transpose(0, 1).matmul(l.qkv.to_v.forward(h));
    let seen = scaled_dot_product_attention(q, split(k, heads), split(v, heads));
    let x = x + l.qkv.to_out.forward(joined(seen));
    x + l.feed.forward(l.norm2.forward(x))
}

/// Each of at most 4,096 places over all others.
#[model]
pub fn linformer<const N: usize, const T: usize>(net: &Linformer, x: Tensor<N, T, 512>) -> Tensor<N, T, 512> {
    let mut x = x;
    for l in &net.layers {
        x = layer(l, x, HEADS);
    }
    x
}

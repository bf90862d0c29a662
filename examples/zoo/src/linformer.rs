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

/// Attention and two dense layers, a norm before each.
#[params]
pub struct Layer {
    #[name("0.norm")]
    norm1: LayerNorm<512>,
    #[name("0.fn")]
    qkv: Projections<512>,
    #[init(normal(0.0, 0.0625))]
    #[name("0.fn.proj_k")]
    keys: Tensor<LONGEST, PROJECTED>,
    #[init(normal(0.0, 0.0625))]
    #[name("0.fn.proj_v")]
    values: Tensor<LONGEST, PROJECTED>,
    #[name("1.norm")]
    norm2: LayerNorm<512>,
    #[name("1.fn")]
    feed: FeedForward<512, 2048>,
}

/// Six layers of 512 dims and 8 heads.
#[params]
pub struct Linformer {
    #[name("net.layers")]
    layers: [Layer; LAYERS],
}

#[model(inline)]
fn layer<const N: usize, const T: usize>(l: &Layer, x: Tensor<N, T, 512>) -> Tensor<N, T, 512> {
    let h = l.norm1.forward(x);
    let q = split(l.qkv.to_q.forward(h), HEADS);
    let k = l.keys.narrow(0, 0, T).transpose(0, 1).matmul(l.qkv.to_k.forward(h));
    let v = l.values.narrow(0, 0, T).transpose(0, 1).matmul(l.qkv.to_v.forward(h));
    let seen = scaled_dot_product_attention(q, split(k, HEADS), split(v, HEADS));
    let x = x + l.qkv.to_out.forward(joined(seen));
    x + l.feed.forward(l.norm2.forward(x))
}

/// Each of at most 4,096 places over all others.
#[model]
pub fn linformer<const N: usize, const T: usize>(net: &Linformer, x: Tensor<N, T, 512>) -> Tensor<N, T, 512> {
    let mut x = x;
    for l in &net.layers {
        x = layer(l, x);
    }
    x
}

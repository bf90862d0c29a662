//! Performer: Choromanski et al., *Rethinking attention with Performers* (2020), under the names of the usual package
//! (`performer-pytorch`). Scores are products of random features, positive ones (FAVOR+), so that the sum over all keys is made once
//! for all queries: time and memory grow with the length, not with its square.

use crate::attention::{FeedForward, Projections, joined, split};
use kiln::prelude::*;

/// Random features of a head: 64 ln 64.
pub const FEATURES: usize = 266;
const HEADS: usize = 8;
const LAYERS: usize = 6;

/// Attention and two dense layers, a norm before each.
#[params]
pub struct Layer {
    #[name("0.norm")]
    norm1: LayerNorm<512>,
    #[name("0.fn")]
    qkv: Projections<512>,
    /// Directions, which aren't trained.
    #[buffer]
    #[init(normal(0.0, 1.0))]
    #[name("0.fn.fast_attention.projection_matrix")]
    directions: Tensor<FEATURES, 64>,
    #[name("1.norm")]
    norm2: LayerNorm<512>,
    #[name("1.fn.fn")]
    feed: FeedForward<512, 2048>,
}

/// Six layers of 512 dims and 8 heads.
#[params]
pub struct Performer {
    #[name("net.layers")]
    layers: [Layer; LAYERS],
}

/// `exp(w·x − |x|² / 2)` for each direction w, whose mean product of two is `exp(x·y)`; what the largest is subtracted over keeps it
/// in range and cancels, as would a factor.
#[model(inline)]
fn features<const N: usize, const T: usize>(
    directions: Tensor<FEATURES, 64>,
    x: Tensor<N, 8, T, 64>,
    queries: bool,
) -> Tensor<N, 8, T, FEATURES> {
    let x = x * 64f64.powf(-0.25);
    let along = x.matmul(directions.transpose(0, 1));
    let half = x.square().sum_dim(-1).unsqueeze(-1) * 0.5;
    let largest = if queries { along.amax_keepdim([-1]) } else { along.amax_keepdim([-2, -1]) };
    (along - half - largest).exp() + 1e-4
}

#[model(inline)]
fn layer<const N: usize, const T: usize>(l: &Layer, x: Tensor<N, T, 512>) -> Tensor<N, T, 512> {
    let h = l.norm1.forward(x);
    let q = features(l.directions, split(l.qkv.to_q.forward(h), HEADS), true);
    let k = features(l.directions, split(l.qkv.to_k.forward(h), HEADS), false);
    let v = split(l.qkv.to_v.forward(h), HEADS);
    let sums = k.transpose(-1, -2).matmul(v);
    let all = q.matmul(k.sum_dim(-2).unsqueeze(-1));
    let x = x + l.qkv.to_out.forward(joined(q.matmul(sums) / all));
    x + l.feed.forward(l.norm2.forward(x))
}

/// Each place over all others.
#[model]
pub fn performer<const N: usize, const T: usize>(net: &Performer, x: Tensor<N, T, 512>) -> Tensor<N, T, 512> {
    let mut x = x;
    for l in &net.layers {
        x = layer(l, x);
    }
    x
}

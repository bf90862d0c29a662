//! Performer: Choromanski et al., *Rethinking attention with Performers* (2020), under the names of the usual package
//! (`performer-pytorch`). Scores are products of random features, positive ones (FAVOR+), so that the sum over all keys is made once
//! for all queries: time and memory grow with the length, not with its square.

use crate::attention::{FeedForward, Projections, joined, split};
use kiln::prelude::*;

/// Random features of a head: 64 ln 64.
pub const FEATURES: usize = 266;
const HEADS: usize = 8;
const LAYERS: usize = 6;

/// Attention by M random features of heads of E dims, and two dense layers, a norm before each.
#[params]
pub struct Layer<const D: usize, const FF: usize, const E: usize, const M: usize> {
    #[name("0.norm")]
    norm1: LayerNorm<D>,
    #[name("0.fn")]
    qkv: Projections<D>,
    /// Directions, which aren't trained.
    #[buffer]
    #[init(normal(0.0, 1.0))]
    #[name("0.fn.fast_attention.projection_matrix")]
    directions: Tensor<M, E>,
    #[name("1.norm")]
    norm2: LayerNorm<D>,
    #[name("1.fn.fn")]
    feed: FeedForward<D, FF>,
}

/// Six layers of 512 dims and 8 heads.
#[params]
pub struct Performer {
    #[name("net.layers")]
    layers: [Layer<512, 2048, 64, FEATURES>; LAYERS],
}

/// `exp(w·x − |x|² / 2)` for each direction w, whose mean product of two is `exp(x·y)`; what the largest is subtracted over keeps it
/// in range and cancels, as would a factor.
#[model(inline)]
fn features<const N: usize, const H: usize, const T: usize, const E: usize, const M: usize>(
    directions: Tensor<M, E>,
    x: Tensor<N, H, T, E>,
    queries: bool,
) -> Tensor<N, H, T, M> {
    let x = x * (E as f64).powf(-0.25);
    let along = x.matmul(directions.transpose(0, 1));
    let half = x.square().sum_dim(-1).unsqueeze(-1) * 0.5;
    let largest = if queries { along.amax_keepdim([-1]) } else { along.amax_keepdim([-2, -1]) };
    (along - half - largest).exp() + 1e-4
}

/// Each place over the sums of all.
#[model(inline)]
pub fn layer<
    const N: usize,
    const T: usize,
    const D: usize,
    const FF: usize,
    const E: usize,
    const M: usize,
>(
    l: &Layer<D, FF, E, M>,
    x: Tensor<N, T, D>,
    heads: usize,
) -> Tensor<N, T, D> {
    let h = l.norm1.forward(x);
    let q = features(l.directions, split(l.qkv.to_q.forward(h), heads), true);
    let k = features(l.directions, split(l.qkv.to_k.forward(h), heads), false);
    let v = split(l.qkv.to_v.forward(h), heads);
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
        x = layer(l, x, HEADS);
    }
    x
}

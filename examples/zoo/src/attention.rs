//! What transformers share: heads.

use kiln::prelude::*;

/// Each head's part of a sequence: `[N, T, D]` to `[N, heads, T, D / heads]`.
#[model(inline)]
pub fn split<const N: usize, const T: usize, const D: usize>(x: Tensor<N, T, D>, heads: usize) -> Tensor {
    x.reshape([N, T, heads, D / heads]).transpose(1, 2)
}

/// What all heads have seen, side by side: `[N, heads, T, D / heads]` to `[N, T, D]`.
#[model(inline)]
pub fn joined<const N: usize, const H: usize, const T: usize, const E: usize>(
    x: Tensor<N, H, T, E>,
) -> Tensor<N, T, { H * E }> {
    x.transpose(1, 2).reshape([N, T, H * E])
}

/// Queries, keys and values, and what becomes of all heads.
#[params]
pub struct Projections<const D: usize> {
    /// To queries.
    pub to_q: LinearNoBias<D, D>,
    /// To keys.
    pub to_k: LinearNoBias<D, D>,
    /// To values.
    pub to_v: LinearNoBias<D, D>,
    /// Of all heads.
    pub to_out: Linear<D, D>,
}

/// Two dense layers behind a norm.
#[params(forward = feed)]
pub struct FeedForward<const D: usize, const FF: usize> {
    w1: Linear<D, FF>,
    w2: Linear<FF, D>,
}

#[model(inline)]
fn feed<const D: usize, const FF: usize>(f: &FeedForward<D, FF>, x: Tensor) -> Tensor {
    f.w2.forward(f.w1.forward(x).gelu())
}

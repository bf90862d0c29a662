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

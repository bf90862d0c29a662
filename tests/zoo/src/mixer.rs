//! A block with private fields, whose width is a constant of this module.

use crate::Scale;
use kiln::prelude::*;

/// The block's width.
pub const WIDTH: usize = 6;

/// A dense layer and a scale.
#[params(forward = block)]
pub struct Block {
    dense: Linear<WIDTH, WIDTH>,
    scale: Scale<WIDTH>,
}

/// `x + relu(scale(dense(x)))`
#[model]
pub fn block<const N: usize>(b: &Block, x: Tensor<N, WIDTH>) -> Tensor<N, WIDTH> {
    x + rectified(b.scale.forward(b.dense.forward(x)))
}

#[model]
fn rectified<const N: usize>(x: Tensor<N, WIDTH>) -> Tensor<N, WIDTH> {
    x.relu()
}

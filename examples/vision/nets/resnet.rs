//! A ResNet's plan (He et al., 2015): what a block of two convolutions makes is added to what came in, in three stages.

use super::trains;
use kiln::prelude::*;
use kiln_zoo::convolutions::{ConvNorm, conv_norm_in};

/// Two convolutions, and one of 1 × 1 for what they are added to.
#[params]
pub struct Stage<const I: usize, const O: usize, const S: usize> {
    conv1: ConvNorm<I, O, 3, S, 1>,
    conv2: ConvNorm<O, O, 3, 1, 1>,
    to: ConvNorm<I, O, 1, S>,
}

#[model(inline)]
fn stage<const I: usize, const O: usize, const S: usize>(
    s: &mut Stage<I, O, S>,
    x: Tensor,
    train: bool,
) -> Tensor {
    let h = conv_norm_in(&mut s.conv1, x, train).relu();
    let h = conv_norm_in(&mut s.conv2, h, train);
    (h + conv_norm_in(&mut s.to, x, train)).relu()
}

/// The net.
#[params]
pub struct ResNet {
    first: ConvNorm<1, 16, 3, 1, 1>,
    stage1: Stage<16, 16, 1>,
    stage2: Stage<16, 32, 2>,
    stage3: Stage<32, 64, 2>,
    fc: Linear<64, 10>,
}

#[model(inline)]
fn scores<const N: usize>(
    net: &mut ResNet,
    x: Tensor<N, 1, 28, 28>,
    rng: &mut Rng,
    train: bool,
) -> Tensor<N, 10> {
    let h = conv_norm_in(&mut net.first, x, train).relu();
    let h = stage(&mut net.stage2, stage(&mut net.stage1, h, train), train);
    let mut h = stage(&mut net.stage3, h, train).mean_dim([2, 3]);
    if train {
        h = dropout(h, 0.2, rng);
    }
    net.fc.forward(h)
}

trains!(ResNet);

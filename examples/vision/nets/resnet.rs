//! A ResNet's plan (He et al., 2015): what a block of two convolutions makes is added to what came in, in three stages.

use super::trains;
use kiln::prelude::*;
use kiln_zoo::convolutions::{ConvNorm, conv_norm_in};
use kiln_zoo::resnet::{WideningBasic, widening_basic_in};

/// The net.
#[params]
pub struct ResNet {
    first: ConvNorm<1, 16, 3, 1, 1>,
    stage1: WideningBasic<16, 16, 1>,
    stage2: WideningBasic<16, 32, 2>,
    stage3: WideningBasic<32, 64, 2>,
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
    let h = widening_basic_in(&mut net.stage2, widening_basic_in(&mut net.stage1, h, train), train);
    let mut h = widening_basic_in(&mut net.stage3, h, train).mean_dim([2, 3]);
    if train {
        h = dropout(h, 0.2, rng);
    }
    net.fc.forward(h)
}

trains!(ResNet);

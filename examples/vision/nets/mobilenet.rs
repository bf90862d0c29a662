//! MobileNetV2's plan (Sandler et al., 2018): blocks that widen, look at each channel by itself, and narrow without a ReLU.

use super::trains;
use kiln::prelude::*;
use kiln_zoo::convolutions::{ConvNorm, conv_norm_in};
use kiln_zoo::mobilenet::{Inverted, inverted_in};

/// The net.
#[params]
pub struct MobileNet {
    first: ConvNorm<1, 16, 3, 2, 1>,
    block1: Inverted<16, 64, 24, 1>,
    block2: Inverted<24, 96, 24, 1>,
    block3: Inverted<24, 96, 40, 2>,
    block4: Inverted<40, 160, 40, 1>,
    last: ConvNorm<40, 160, 1>,
    fc: Linear<160, 10>,
}

#[model(inline)]
fn scores<const N: usize>(
    net: &mut MobileNet,
    x: Tensor<N, 1, 28, 28>,
    rng: &mut Rng,
    train: bool,
) -> Tensor<N, 10> {
    let h = conv_norm_in(&mut net.first, x, train).relu6();
    let h = inverted_in(&mut net.block1, h, train);
    let h = h + inverted_in(&mut net.block2, h, train);
    let h = inverted_in(&mut net.block3, h, train);
    let h = h + inverted_in(&mut net.block4, h, train);
    let mut h = conv_norm_in(&mut net.last, h, train).relu6().mean_dim([2, 3]);
    if train {
        h = dropout(h, 0.2, rng);
    }
    net.fc.forward(h)
}

trains!(MobileNet);

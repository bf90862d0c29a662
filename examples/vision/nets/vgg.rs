//! VGG's plan (Simonyan and Zisserman, 2014) with norms: convolutions of 3 × 3 two by two, a pool behind each pair.

use super::trains;
use kiln::prelude::*;
use kiln_zoo::convolutions::{ConvNorm, conv_norm_in};

/// The net.
#[params]
pub struct Vgg {
    conv1: ConvNorm<1, 16, 3, 1, 1>,
    conv2: ConvNorm<16, 16, 3, 1, 1>,
    conv3: ConvNorm<16, 32, 3, 1, 1>,
    conv4: ConvNorm<32, 32, 3, 1, 1>,
    conv5: ConvNorm<32, 64, 3, 1, 1>,
    conv6: ConvNorm<64, 64, 3, 1, 1>,
    fc1: Linear<576, 128>,
    fc2: Linear<128, 10>,
}

#[model(inline)]
fn scores<const N: usize>(
    net: &mut Vgg,
    x: Tensor<N, 1, 28, 28>,
    rng: &mut Rng,
    train: bool,
) -> Tensor<N, 10> {
    let h = conv_norm_in(&mut net.conv1, x, train).relu();
    let h = max_pool2d(conv_norm_in(&mut net.conv2, h, train).relu(), 2);
    let h = conv_norm_in(&mut net.conv3, h, train).relu();
    let h = max_pool2d(conv_norm_in(&mut net.conv4, h, train).relu(), 2);
    let h = conv_norm_in(&mut net.conv5, h, train).relu();
    let h = max_pool2d(conv_norm_in(&mut net.conv6, h, train).relu(), 2);
    let mut h = net.fc1.forward(h.flatten(1, -1)).relu();
    if train {
        h = dropout(h, 0.4, rng);
    }
    net.fc2.forward(h)
}

trains!(Vgg);

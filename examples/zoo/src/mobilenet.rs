//! MobileNetV2: Sandler et al., *MobileNetV2: inverted residuals and linear bottlenecks* (2018). A block widens the channels,
//! filters each by itself, and narrows them again without an activation.

use crate::convolutions::{ConvNorm, DepthNorm, conv_norm_in, depth_norm_in, norm_in};
use kiln::prelude::*;

/// From I channels over H to O.
#[params]
pub struct Inverted<const I: usize, const H: usize, const O: usize, const S: usize = 1> {
    #[name("conv.0")]
    expand: ConvNorm<I, H, 1>,
    #[name("conv.1")]
    depth: DepthNorm<H, S>,
    #[name("conv.2")]
    project: Conv2dNoBias<H, O, 1>,
    #[name("conv.3")]
    norm: BatchNorm2d<O>,
}

/// [`Inverted`] of an image.
#[model(inline)]
pub fn inverted_in<const I: usize, const H: usize, const O: usize, const S: usize>(
    b: &mut Inverted<I, H, O, S>,
    x: Tensor,
    train: bool,
) -> Tensor {
    let h = conv_norm_in(&mut b.expand, x, train).relu6();
    let h = depth_norm_in(&mut b.depth, h, train).relu6();
    norm_in(&mut b.norm, b.project.forward(h), train)
}

/// 3,504,872 parameters.
#[params]
pub struct MobileNetV2 {
    #[name("features.0")]
    stem: ConvNorm<3, 32, 3, 2, 1>,
    #[name("features.1.conv.0")]
    depth: DepthNorm<32, 1>,
    #[name("features.1.conv.1")]
    project: Conv2dNoBias<32, 16, 1>,
    #[name("features.1.conv.2")]
    norm: BatchNorm2d<16>,
    #[name("features.2")]
    to_24: Inverted<16, 96, 24, 2>,
    #[name("features.3")]
    at_24: Inverted<24, 144, 24>,
    #[name("features.4")]
    to_32: Inverted<24, 144, 32, 2>,
    #[name("features.5", "features.6")]
    at_32: [Inverted<32, 192, 32>; 2],
    #[name("features.7")]
    to_64: Inverted<32, 192, 64, 2>,
    #[name("features.8", "features.9", "features.10")]
    at_64: [Inverted<64, 384, 64>; 3],
    #[name("features.11")]
    to_96: Inverted<64, 384, 96>,
    #[name("features.12", "features.13")]
    at_96: [Inverted<96, 576, 96>; 2],
    #[name("features.14")]
    to_160: Inverted<96, 576, 160, 2>,
    #[name("features.15", "features.16")]
    at_160: [Inverted<160, 960, 160>; 2],
    #[name("features.17")]
    to_320: Inverted<160, 960, 320>,
    #[name("features.18")]
    last: ConvNorm<320, 1280, 1>,
    #[name("classifier.1")]
    head: Linear<1280, 1000>,
}

/// Scores of 1,000 classes.
#[model]
pub fn mobilenet_v2<const N: usize>(net: &MobileNetV2, x: Tensor<N, 3, 224, 224>) -> Tensor<N, 1000> {
    let mut net = net.clone();
    mobilenet_v2_in(&mut net, x, false)
}

/// `mobilenet_v2` that also trains.
#[model(inline)]
pub fn mobilenet_v2_in<const N: usize>(
    net: &mut MobileNetV2,
    x: Tensor<N, 3, 224, 224>,
    train: bool,
) -> Tensor<N, 1000> {
    let x = conv_norm_in(&mut net.stem, x, train).relu6();
    let x = depth_norm_in(&mut net.depth, x, train).relu6();
    let x = norm_in(&mut net.norm, net.project.forward(x), train);
    let mut x = inverted_in(&mut net.to_24, x, train);
    x = x + inverted_in(&mut net.at_24, x, train);
    x = inverted_in(&mut net.to_32, x, train);
    for block in &mut net.at_32 {
        x = x + inverted_in(block, x, train);
    }
    x = inverted_in(&mut net.to_64, x, train);
    for block in &mut net.at_64 {
        x = x + inverted_in(block, x, train);
    }
    x = inverted_in(&mut net.to_96, x, train);
    for block in &mut net.at_96 {
        x = x + inverted_in(block, x, train);
    }
    x = inverted_in(&mut net.to_160, x, train);
    for block in &mut net.at_160 {
        x = x + inverted_in(block, x, train);
    }
    x = inverted_in(&mut net.to_320, x, train);
    x = conv_norm_in(&mut net.last, x, train).relu6();
    net.head.forward(x.mean_dim([2, 3]))
}

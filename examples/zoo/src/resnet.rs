//! ResNets: He et al., *Deep residual learning for image recognition* (2015). Each block adds to what came in; the first of a stage
//! halves the sides and widens the channels, and what it adds to goes through a convolution of 1 × 1.

use crate::convolutions::{ConvNorm, conv_norm_in, norm_in};
use kiln::prelude::*;

/// Two convolutions of 3 × 3.
#[params]
pub struct Basic<const I: usize, const O: usize, const S: usize = 1> {
    conv1: Conv2dNoBias<I, O, 3, S, 1>,
    bn1: BatchNorm2d<O>,
    conv2: Conv2dNoBias<O, O, 3, 1, 1>,
    bn2: BatchNorm2d<O>,
}

/// [`Basic`] that changes the channels.
#[params]
pub struct WideningBasic<const I: usize, const O: usize, const S: usize> {
    #[name("")]
    block: Basic<I, O, S>,
    downsample: ConvNorm<I, O, 1, S>,
}

/// [`Basic`] of an image; `to` is what it adds to.
#[model(inline)]
pub fn basic_in<const I: usize, const O: usize, const S: usize>(
    b: &mut Basic<I, O, S>,
    x: Tensor,
    to: Tensor,
    train: bool,
) -> Tensor {
    let h = norm_in(&mut b.bn1, b.conv1.forward(x), train).relu();
    (norm_in(&mut b.bn2, b.conv2.forward(h), train) + to).relu()
}

/// [`WideningBasic`] of an image.
#[model(inline)]
pub fn widening_basic_in<const I: usize, const O: usize, const S: usize>(
    b: &mut WideningBasic<I, O, S>,
    x: Tensor,
    train: bool,
) -> Tensor {
    let to = conv_norm_in(&mut b.downsample, x, train);
    basic_in(&mut b.block, x, to, train)
}

/// 11,689,512 parameters.
#[params]
pub struct ResNet18 {
    conv1: Conv2dNoBias<3, 64, 7, 2, 3>,
    bn1: BatchNorm2d<64>,
    layer1: [Basic<64, 64>; 2],
    #[name("layer2.0")]
    widen2: WideningBasic<64, 128, 2>,
    #[name("layer2.1")]
    layer2: Basic<128, 128>,
    #[name("layer3.0")]
    widen3: WideningBasic<128, 256, 2>,
    #[name("layer3.1")]
    layer3: Basic<256, 256>,
    #[name("layer4.0")]
    widen4: WideningBasic<256, 512, 2>,
    #[name("layer4.1")]
    layer4: Basic<512, 512>,
    fc: Linear<512, 1000>,
}

/// Scores of 1,000 classes.
#[model]
pub fn resnet18<const N: usize>(net: &ResNet18, x: Tensor<N, 3, 224, 224>) -> Tensor<N, 1000> {
    let mut net = net.clone();
    resnet18_in(&mut net, x, false)
}

/// `resnet18` that also trains.
#[model(inline)]
pub fn resnet18_in<const N: usize>(
    net: &mut ResNet18,
    x: Tensor<N, 3, 224, 224>,
    train: bool,
) -> Tensor<N, 1000> {
    let x = norm_in(&mut net.bn1, net.conv1.forward(x), train).relu();
    let mut x = max_pool2d_with(x, 3, 2, 1, 1, false);
    for block in &mut net.layer1 {
        x = basic_in(block, x, x, train);
    }
    x = widening_basic_in(&mut net.widen2, x, train);
    x = basic_in(&mut net.layer2, x, x, train);
    x = widening_basic_in(&mut net.widen3, x, train);
    x = basic_in(&mut net.layer3, x, x, train);
    x = widening_basic_in(&mut net.widen4, x, train);
    x = basic_in(&mut net.layer4, x, x, train);
    net.fc.forward(x.mean_dim([2, 3]))
}

/// Convolutions of 1 × 1 to fewer channels, of 3 × 3 there, and of 1 × 1 to more again.
#[params]
pub struct Bottleneck<const I: usize, const C: usize, const O: usize, const S: usize = 1> {
    conv1: Conv2dNoBias<I, C, 1>,
    bn1: BatchNorm2d<C>,
    conv2: Conv2dNoBias<C, C, 3, S, 1>,
    bn2: BatchNorm2d<C>,
    conv3: Conv2dNoBias<C, O, 1>,
    bn3: BatchNorm2d<O>,
}

/// [`Bottleneck`] that changes the channels.
#[params]
pub struct WideningBottleneck<const I: usize, const C: usize, const O: usize, const S: usize> {
    #[name("")]
    block: Bottleneck<I, C, O, S>,
    downsample: ConvNorm<I, O, 1, S>,
}

#[model(inline)]
fn bottleneck_in<const I: usize, const C: usize, const O: usize, const S: usize>(
    b: &mut Bottleneck<I, C, O, S>,
    x: Tensor,
    to: Tensor,
    train: bool,
) -> Tensor {
    let h = norm_in(&mut b.bn1, b.conv1.forward(x), train).relu();
    let h = norm_in(&mut b.bn2, b.conv2.forward(h), train).relu();
    (norm_in(&mut b.bn3, b.conv3.forward(h), train) + to).relu()
}

#[model(inline)]
fn widening_bottleneck_in<const I: usize, const C: usize, const O: usize, const S: usize>(
    b: &mut WideningBottleneck<I, C, O, S>,
    x: Tensor,
    train: bool,
) -> Tensor {
    let to = conv_norm_in(&mut b.downsample, x, train);
    bottleneck_in(&mut b.block, x, to, train)
}

/// 25,557,032 parameters.
#[params]
pub struct ResNet50 {
    conv1: Conv2dNoBias<3, 64, 7, 2, 3>,
    bn1: BatchNorm2d<64>,
    #[name("layer1.0")]
    widen1: WideningBottleneck<64, 64, 256, 1>,
    #[name("layer1.1", "layer1.2")]
    layer1: [Bottleneck<256, 64, 256>; 2],
    #[name("layer2.0")]
    widen2: WideningBottleneck<256, 128, 512, 2>,
    #[name("layer2.1", "layer2.2", "layer2.3")]
    layer2: [Bottleneck<512, 128, 512>; 3],
    #[name("layer3.0")]
    widen3: WideningBottleneck<512, 256, 1024, 2>,
    #[name("layer3.1", "layer3.2", "layer3.3", "layer3.4", "layer3.5")]
    layer3: [Bottleneck<1024, 256, 1024>; 5],
    #[name("layer4.0")]
    widen4: WideningBottleneck<1024, 512, 2048, 2>,
    #[name("layer4.1", "layer4.2")]
    layer4: [Bottleneck<2048, 512, 2048>; 2],
    fc: Linear<2048, 1000>,
}

/// Scores of 1,000 classes.
#[model]
pub fn resnet50<const N: usize>(net: &ResNet50, x: Tensor<N, 3, 224, 224>) -> Tensor<N, 1000> {
    let mut net = net.clone();
    resnet50_in(&mut net, x, false)
}

/// `resnet50` that also trains.
#[model(inline)]
pub fn resnet50_in<const N: usize>(
    net: &mut ResNet50,
    x: Tensor<N, 3, 224, 224>,
    train: bool,
) -> Tensor<N, 1000> {
    let x = norm_in(&mut net.bn1, net.conv1.forward(x), train).relu();
    let x = max_pool2d_with(x, 3, 2, 1, 1, false);
    let mut x = widening_bottleneck_in(&mut net.widen1, x, train);
    for block in &mut net.layer1 {
        x = bottleneck_in(block, x, x, train);
    }
    x = widening_bottleneck_in(&mut net.widen2, x, train);
    for block in &mut net.layer2 {
        x = bottleneck_in(block, x, x, train);
    }
    x = widening_bottleneck_in(&mut net.widen3, x, train);
    for block in &mut net.layer3 {
        x = bottleneck_in(block, x, x, train);
    }
    x = widening_bottleneck_in(&mut net.widen4, x, train);
    for block in &mut net.layer4 {
        x = bottleneck_in(block, x, x, train);
    }
    net.fc.forward(x.mean_dim([2, 3]))
}

//! Convolutional nets with PyTorch's shapes: ResNet-18, ResNet-20, MobileNetV2 and VGG16.
//!
//! Inference runs frozen on one image. ResNet-20 is trained on 32 images of 32 × 32, normalized by their own statistics.

use crate::workload::{RELUS, SetUp, classes, inference, normal, training};
use kiln::prelude::*;

/// A convolution without bias, and a normalization of its channels.
#[params]
pub struct ConvNorm<const I: usize, const O: usize, const K: usize, const S: usize, const P: usize> {
    conv: Tensor<O, I, K, K>,
    #[init(ones())]
    weight: Tensor<O>,
    bias: Tensor<O>,
    #[buffer]
    mean: Tensor<O>,
    #[buffer]
    #[init(ones())]
    var: Tensor<O>,
}

#[model(inline)]
fn conv_norm<const I: usize, const O: usize, const K: usize, const S: usize, const P: usize>(
    c: &ConvNorm<I, O, K, S, P>,
    x: Tensor,
) -> Tensor {
    let y = conv2d_with(x, c.conv, None, [S, S], [P, P], [1, 1], 1);
    y.batch_norm(c.mean, c.var, Some(c.weight), Some(c.bias), 1e-5)
}

/// With the batch's statistics.
#[model(inline)]
fn conv_norm_train<const I: usize, const O: usize, const K: usize, const S: usize, const P: usize>(
    c: &ConvNorm<I, O, K, S, P>,
    x: Tensor,
) -> Tensor {
    let y = conv2d_with(x, c.conv, None, [S, S], [P, P], [1, 1], 1);
    y.batch_norm(y.mean_dim([0, 2, 3]), y.var_dim([0, 2, 3], 0.0), Some(c.weight), Some(c.bias), 1e-5)
}

/// A convolution of each channel by itself, and a normalization.
#[params]
pub struct DepthNorm<const C: usize, const S: usize> {
    conv: Tensor<C, 1, 3, 3>,
    #[init(ones())]
    weight: Tensor<C>,
    bias: Tensor<C>,
    #[buffer]
    mean: Tensor<C>,
    #[buffer]
    #[init(ones())]
    var: Tensor<C>,
}

#[model(inline)]
fn depth_norm<const C: usize, const S: usize>(c: &DepthNorm<C, S>, x: Tensor) -> Tensor {
    let y = conv2d_with(x, c.conv, None, [S, S], [1, 1], [1, 1], C);
    y.batch_norm(c.mean, c.var, Some(c.weight), Some(c.bias), 1e-5)
}

/// Two convolutions and the input.
#[params]
pub struct Basic<const C: usize> {
    a: ConvNorm<C, C, 3, 1, 1>,
    b: ConvNorm<C, C, 3, 1, 1>,
}

#[model(inline)]
fn basic<const C: usize>(block: &Basic<C>, x: Tensor) -> Tensor {
    (conv_norm(&block.b, conv_norm(&block.a, x).relu()) + x).relu()
}

#[model(inline)]
fn basic_train<const C: usize>(block: &Basic<C>, x: Tensor) -> Tensor {
    (conv_norm_train(&block.b, conv_norm_train(&block.a, x).relu()) + x).relu()
}

/// A block that halves rows and columns.
#[params]
pub struct Down<const I: usize, const O: usize> {
    a: ConvNorm<I, O, 3, 2, 1>,
    b: ConvNorm<O, O, 3, 1, 1>,
    skip: ConvNorm<I, O, 1, 2, 0>,
}

#[model(inline)]
fn down<const I: usize, const O: usize>(block: &Down<I, O>, x: Tensor) -> Tensor {
    (conv_norm(&block.b, conv_norm(&block.a, x).relu()) + conv_norm(&block.skip, x)).relu()
}

#[model(inline)]
fn down_train<const I: usize, const O: usize>(block: &Down<I, O>, x: Tensor) -> Tensor {
    (conv_norm_train(&block.b, conv_norm_train(&block.a, x).relu()) + conv_norm_train(&block.skip, x)).relu()
}

/// 18 layers.
#[params]
pub struct Resnet18 {
    stem: ConvNorm<3, 64, 7, 2, 3>,
    one: [Basic<64>; 2],
    to_two: Down<64, 128>,
    two: Basic<128>,
    to_three: Down<128, 256>,
    three: Basic<256>,
    to_four: Down<256, 512>,
    four: Basic<512>,
    head: Linear<512, 1000>,
}

#[model]
fn resnet18_b1(net: &Resnet18, x: Tensor<1, 3, 224, 224>) -> Tensor<1, 1000> {
    let x = conv_norm(&net.stem, x).relu();
    let x = max_pool2d_with(x, [3, 3], [2, 2], [1, 1], [1, 1], false);
    let x = basic(&net.one[1], basic(&net.one[0], x));
    let x = basic(&net.two, down(&net.to_two, x));
    let x = basic(&net.three, down(&net.to_three, x));
    let x = basic(&net.four, down(&net.to_four, x));
    net.head.forward(x.mean_dim([2, 3]))
}

/// 20 layers for small images.
#[params]
pub struct Resnet20 {
    stem: ConvNorm<3, 16, 3, 1, 1>,
    one: [Basic<16>; 3],
    to_two: Down<16, 32>,
    two: [Basic<32>; 2],
    to_three: Down<32, 64>,
    three: [Basic<64>; 2],
    head: Linear<64, 10>,
}

#[model]
fn resnet20_loss(net: &Resnet20, x: Tensor<32, 3, 32, 32>, y: Tensor<i64, 32>) -> Tensor {
    let mut x = conv_norm_train(&net.stem, x).relu();
    for block in &net.one {
        x = basic_train(block, x);
    }
    x = down_train(&net.to_two, x);
    for block in &net.two {
        x = basic_train(block, x);
    }
    x = down_train(&net.to_three, x);
    for block in &net.three {
        x = basic_train(block, x);
    }
    cross_entropy(net.head.forward(x.mean_dim([2, 3])), y)
}

#[model]
fn resnet20_step(
    net: &mut Resnet20,
    opt: &mut Adam<Resnet20>,
    x: Tensor<32, 3, 32, 32>,
    y: Tensor<i64, 32>,
) -> Tensor {
    let (loss, grads) = value_and_grad(resnet20_loss)(net, x, y);
    opt.step(net, grads);
    loss
}

/// Expand, filter each channel, project.
#[params]
pub struct Inverted<const I: usize, const H: usize, const O: usize, const S: usize> {
    expand: ConvNorm<I, H, 1, 1, 0>,
    depth: DepthNorm<H, S>,
    project: ConvNorm<H, O, 1, 1, 0>,
}

#[model(inline)]
fn inverted<const I: usize, const H: usize, const O: usize, const S: usize>(
    block: &Inverted<I, H, O, S>,
    x: Tensor,
) -> Tensor {
    let h = conv_norm(&block.expand, x).relu6();
    conv_norm(&block.project, depth_norm(&block.depth, h).relu6())
}

/// MobileNetV2 of width 1.
#[params]
pub struct Mobilenet {
    stem: ConvNorm<3, 32, 3, 2, 1>,
    depth: DepthNorm<32, 1>,
    project: ConvNorm<32, 16, 1, 1, 0>,
    to_24: Inverted<16, 96, 24, 2>,
    at_24: Inverted<24, 144, 24, 1>,
    to_32: Inverted<24, 144, 32, 2>,
    at_32: [Inverted<32, 192, 32, 1>; 2],
    to_64: Inverted<32, 192, 64, 2>,
    at_64: [Inverted<64, 384, 64, 1>; 3],
    to_96: Inverted<64, 384, 96, 1>,
    at_96: [Inverted<96, 576, 96, 1>; 2],
    to_160: Inverted<96, 576, 160, 2>,
    at_160: [Inverted<160, 960, 160, 1>; 2],
    to_320: Inverted<160, 960, 320, 1>,
    last: ConvNorm<320, 1280, 1, 1, 0>,
    head: Linear<1280, 1000>,
}

#[model]
fn mobilenet_v2_b1(net: &Mobilenet, x: Tensor<1, 3, 224, 224>) -> Tensor<1, 1000> {
    let x = conv_norm(&net.stem, x).relu6();
    let x = conv_norm(&net.project, depth_norm(&net.depth, x).relu6());
    let x = inverted(&net.to_24, x);
    let x = x + inverted(&net.at_24, x);
    let mut x = inverted(&net.to_32, x);
    for block in &net.at_32 {
        x = x + inverted(block, x);
    }
    x = inverted(&net.to_64, x);
    for block in &net.at_64 {
        x = x + inverted(block, x);
    }
    x = inverted(&net.to_96, x);
    for block in &net.at_96 {
        x = x + inverted(block, x);
    }
    x = inverted(&net.to_160, x);
    for block in &net.at_160 {
        x = x + inverted(block, x);
    }
    x = inverted(&net.to_320, x);
    let x = conv_norm(&net.last, x).relu6();
    net.head.forward(x.mean_dim([2, 3]))
}

/// A convolution with bias.
#[params]
pub struct Conv<const I: usize, const O: usize> {
    weight: Tensor<O, I, 3, 3>,
    bias: Tensor<O>,
}

#[model(inline)]
fn conv<const I: usize, const O: usize>(c: &Conv<I, O>, x: Tensor) -> Tensor {
    conv2d_with(x, c.weight, Some(c.bias), [1, 1], [1, 1], [1, 1], 1).relu()
}

/// VGG of 16 layers.
#[params]
pub struct Vgg16 {
    one_a: Conv<3, 64>,
    one_b: Conv<64, 64>,
    two_a: Conv<64, 128>,
    two_b: Conv<128, 128>,
    three_a: Conv<128, 256>,
    three: [Conv<256, 256>; 2],
    four_a: Conv<256, 512>,
    four: [Conv<512, 512>; 2],
    five: [Conv<512, 512>; 3],
    fc1: Linear<25088, 4096>,
    fc2: Linear<4096, 4096>,
    fc3: Linear<4096, 1000>,
}

#[model]
fn vgg16_b1(net: &Vgg16, x: Tensor<1, 3, 224, 224>) -> Tensor<1, 1000> {
    let mut x = max_pool2d(conv(&net.one_b, conv(&net.one_a, x)), [2, 2]);
    x = max_pool2d(conv(&net.two_b, conv(&net.two_a, x)), [2, 2]);
    x = conv(&net.three_a, x);
    for layer in &net.three {
        x = conv(layer, x);
    }
    x = conv(&net.four_a, max_pool2d(x, [2, 2]));
    for layer in &net.four {
        x = conv(layer, x);
    }
    x = max_pool2d(x, [2, 2]);
    for layer in &net.five {
        x = conv(layer, x);
    }
    let x = max_pool2d(x, [2, 2]).flatten(1, -1);
    let x = net.fc1.forward(x).relu();
    net.fc3.forward(net.fc2.forward(x).relu())
}

/// An image a call.
pub const RESNET18: SetUp = inference!(resnet18_b1, Resnet18, 11_689_512, [1, 3, 224, 224]);
/// An image a call.
pub const MOBILENET_V2: SetUp = inference!(mobilenet_v2_b1, Mobilenet, 3_504_872, [1, 3, 224, 224]);
/// An image a call.
pub const VGG16: SetUp = inference!(vgg16_b1, Vgg16, 138_357_544, [1, 3, 224, 224]);

/// Forward, backward and Adam a call.
pub const RESNET20: SetUp = training!(resnet20_step, Resnet20, 272_474, RELUS, |rng: &mut Rng| (
    normal(rng, &[32, 3, 32, 32]),
    classes(rng, [32], 10)
));

//! Convolutional nets of the zoo: ResNet-18, MobileNetV2 and VGG16 on one image, frozen, and a training step of ResNet-20 on 32 images of
//! 32 × 32, made of the zoo's blocks.

use crate::workload::{RELUS, SetUp, classes, inference, normal, training};
use kiln::prelude::*;
use kiln_zoo::convolutions::{ConvNorm, conv_norm_in};
use kiln_zoo::mobilenet::{MobileNetV2, mobilenet_v2};
use kiln_zoo::resnet::{Basic, ResNet18, WideningBasic, basic_in, resnet18, widening_basic_in};
use kiln_zoo::vgg::{Vgg16, vgg16};

#[model]
fn resnet18_b1(net: &ResNet18, x: Tensor<1, 3, 224, 224>) -> Tensor<1, 1000> {
    resnet18(net, x)
}

#[model]
fn mobilenet_v2_b1(net: &MobileNetV2, x: Tensor<1, 3, 224, 224>) -> Tensor<1, 1000> {
    mobilenet_v2(net, x)
}

#[model]
fn vgg16_b1(net: &Vgg16, x: Tensor<1, 3, 224, 224>) -> Tensor<1, 1000> {
    vgg16(net, x)
}

/// He et al.'s ResNet for small images, whose widening blocks add to a convolution of 1 × 1.
#[params]
pub struct ResNet20 {
    stem: ConvNorm<3, 16, 3, 1, 1>,
    one: [Basic<16, 16>; 3],
    to_two: WideningBasic<16, 32, 2>,
    two: [Basic<32, 32>; 2],
    to_three: WideningBasic<32, 64, 2>,
    three: [Basic<64, 64>; 2],
    head: Linear<64, 10>,
}

#[model]
fn resnet20_loss(net: &mut ResNet20, x: Tensor<32, 3, 32, 32>, y: Tensor<i64, 32>) -> Tensor {
    let mut x = conv_norm_in(&mut net.stem, x, true).relu();
    for block in &mut net.one {
        x = basic_in(block, x, x, true);
    }
    x = widening_basic_in(&mut net.to_two, x, true);
    for block in &mut net.two {
        x = basic_in(block, x, x, true);
    }
    x = widening_basic_in(&mut net.to_three, x, true);
    for block in &mut net.three {
        x = basic_in(block, x, x, true);
    }
    cross_entropy(net.head.forward(x.mean_dim([2, 3])), y)
}

#[model]
fn resnet20_step(
    net: &mut ResNet20,
    opt: &mut Adam<ResNet20>,
    x: Tensor<32, 3, 32, 32>,
    y: Tensor<i64, 32>,
) -> Tensor {
    let (loss, grads) = value_and_grad(resnet20_loss)(net, x, y);
    opt.step(net, grads);
    loss
}

/// An image a call.
pub const RESNET18: SetUp = inference!(resnet18_b1, ResNet18, 11_689_512, [1, 3, 224, 224]);
/// An image a call.
pub const MOBILENET_V2: SetUp = inference!(mobilenet_v2_b1, MobileNetV2, 3_504_872, [1, 3, 224, 224]);
/// An image a call.
pub const VGG16: SetUp = inference!(vgg16_b1, Vgg16, 138_357_544, [1, 3, 224, 224]);

/// Forward, backward and Adam a call; the running statistics move on.
pub const RESNET20: SetUp = training!(resnet20_step, ResNet20, 272_474, RELUS, |rng: &mut Rng| (
    normal(rng, &[32, 3, 32, 32]),
    classes(rng, [32], 10)
));

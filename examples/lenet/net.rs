//! The net in training and in evaluation, and its training step.

use kiln::nn::batch_norm2d_train;
use kiln::prelude::*;

/// Two convolutions with pools behind them, and two dense layers.
#[params]
pub struct LeNet {
    conv1: Conv2dNoBias<1, 16, 5, 1, 2>,
    bn1: BatchNorm2d<16>,
    conv2: Conv2dNoBias<16, 32, 5>,
    bn2: BatchNorm2d<32>,
    fc1: Linear<800, 128>,
    fc2: Linear<128, 10>,
}

/// The digit that has the highest score.
#[model]
pub fn predict<const N: usize>(net: &LeNet, x: Tensor<N, 1, 28, 28>) -> Tensor<i64, N> {
    let h = max_pool2d(net.bn1.forward(net.conv1.forward(x)).relu(), 2);
    let h = max_pool2d(net.bn2.forward(net.conv2.forward(h)).relu(), 2);
    let h = net.fc1.forward(h.flatten(1, -1)).relu();
    net.fc2.forward(h).argmax(1)
}

/// How far the scores are from the labels; the running statistics move on.
#[model]
pub fn loss<const N: usize>(net: &mut LeNet, x: Tensor<N, 1, 28, 28>, y: Tensor<i64, N>) -> Tensor {
    let h = max_pool2d(batch_norm2d_train(&mut net.bn1, net.conv1.forward(x)).relu(), 2);
    let h = max_pool2d(batch_norm2d_train(&mut net.bn2, net.conv2.forward(h)).relu(), 2);
    let h = net.fc1.forward(h.flatten(1, -1)).relu();
    cross_entropy(net.fc2.forward(h), y)
}

/// Forward, backward and AdamW in one function.
#[model]
pub fn train_step<const N: usize>(
    net: &mut LeNet,
    opt: &mut AdamW<LeNet>,
    x: Tensor<N, 1, 28, 28>,
    y: Tensor<i64, N>,
) -> Tensor {
    let (loss, grads) = value_and_grad(loss)(net, x, y);
    opt.step(net, grads);
    loss
}

//! The net, its loss and its training step: three functions, compiled while this file is.

use kiln::prelude::*;

/// Two dense layers.
#[params]
pub struct Mlp {
    fc1: Linear<784, 128>,
    fc2: Linear<128, 10>,
}

/// Images to scores of the ten digits.
#[model]
pub fn mlp<const N: usize>(net: &Mlp, x: Tensor<N, 784>) -> Tensor<N, 10> {
    let h = net.fc1.forward(x).relu();
    net.fc2.forward(h)
}

/// How far the scores are from the labels.
#[model]
pub fn loss<const N: usize>(net: &Mlp, x: Tensor<N, 784>, y: Tensor<i64, N>) -> Tensor {
    cross_entropy(mlp(net, x), y)
}

/// Forward, backward, clip and Adam in one function.
#[model]
pub fn train_step<const N: usize>(
    net: &mut Mlp,
    opt: &mut Adam<Mlp>,
    x: Tensor<N, 784>,
    y: Tensor<i64, N>,
) -> Tensor {
    let (loss, grads) = value_and_grad(loss)(net, x, y);
    opt.step(net, grads.clip_norm(1.0));
    loss
}

/// The digit that has the highest score.
#[model]
pub fn predict<const N: usize>(net: &Mlp, x: Tensor<N, 784>) -> Tensor<i64, N> {
    mlp(net, x).argmax(1)
}

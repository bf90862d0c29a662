//! A perceptron of three layers: one image, 64 images, and a training step of 64.
//!
//! Inference runs frozen, as a user would deploy it.

use crate::workload::{RELUS, SetUp, classes, inference, normal, training};
use kiln::prelude::*;

const PARAMETERS: usize = 535_818;

/// Images of a batch.
const BATCH: usize = 64;

/// 784 → 512 → 256 → 10.
#[params]
struct Mlp {
    fc1: Linear<784, 512>,
    fc2: Linear<512, 256>,
    fc3: Linear<256, 10>,
}

#[model]
fn mlp<const N: usize>(net: &Mlp, x: Tensor<N, 784>) -> Tensor<N, 10> {
    let h = net.fc1.forward(x).relu();
    let h = net.fc2.forward(h).relu();
    net.fc3.forward(h)
}

#[model]
fn mlp_one(net: &Mlp, x: Tensor<1, 784>) -> Tensor<1, 10> {
    mlp(net, x)
}

#[model]
fn mlp_batch(net: &Mlp, x: Tensor<BATCH, 784>) -> Tensor<BATCH, 10> {
    mlp(net, x)
}

#[model]
fn loss(net: &Mlp, x: Tensor<BATCH, 784>, y: Tensor<i64, BATCH>) -> Tensor {
    cross_entropy(mlp(net, x), y)
}

#[model]
fn train_step(net: &mut Mlp, opt: &mut Adam<Mlp>, x: Tensor<BATCH, 784>, y: Tensor<i64, BATCH>) -> Tensor {
    let (loss, grads) = value_and_grad(loss)(net, x, y);
    opt.step(net, grads);
    loss
}

/// One image a call.
pub const ONE: SetUp = inference!(mlp_one, Mlp, PARAMETERS, [1, 784]);

/// A batch a call.
pub const BATCH_OF_64: SetUp = inference!(mlp_batch, Mlp, PARAMETERS, [BATCH, 784]);

/// Forward, backward and Adam a call.
pub const TRAIN: SetUp = training!(train_step, Mlp, PARAMETERS, RELUS, |rng: &mut Rng| (
    normal(rng, &[BATCH, 784]),
    classes(rng, [BATCH], 10)
));

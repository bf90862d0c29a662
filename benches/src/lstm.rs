//! An LSTM over 64 steps of 64 features, 128 wide, with a linear head on the last state.

use crate::workload::{SMOOTH, SetUp, inference, normal, training};
use kiln::prelude::*;

const PARAMETERS: usize = 99_457;

const STEPS: usize = 64;
const FEATURES: usize = 64;

/// The net.
#[params]
pub struct Net {
    lstm: Lstm<FEATURES, 128>,
    head: Linear<128, 1>,
}

#[model]
fn forecast<const B: usize>(net: &Net, x: Tensor<B, STEPS, FEATURES>) -> Tensor<B, 1> {
    let (_, last, _) = net.lstm.forward(x.transpose(0, 1));
    net.head.forward(last)
}

#[model]
fn one_sequence(net: &Net, x: Tensor<1, STEPS, FEATURES>) -> Tensor<1, 1> {
    forecast(net, x)
}

#[model]
fn batch_of_32(net: &Net, x: Tensor<32, STEPS, FEATURES>) -> Tensor<32, 1> {
    forecast(net, x)
}

#[model]
fn loss(net: &Net, x: Tensor<32, STEPS, FEATURES>, y: Tensor<32, 1>) -> Tensor<f32> {
    mse_loss(batch_of_32(net, x), y)
}

#[model]
fn train_step(
    net: &mut Net,
    opt: &mut Adam<Net>,
    x: Tensor<32, STEPS, FEATURES>,
    y: Tensor<32, 1>,
) -> Tensor<f32> {
    let (loss, grads) = value_and_grad(loss)(net, x, y);
    opt.step(net, grads);
    loss
}

/// Inference of one sequence.
pub const ONE: SetUp = inference!(one_sequence, Net, PARAMETERS, [1, STEPS, FEATURES]);

/// Inference of a batch.
pub const BATCH_OF_32: SetUp = inference!(batch_of_32, Net, PARAMETERS, [32, STEPS, FEATURES]);

/// A training step with Adam.
pub const TRAIN: SetUp = training!(train_step, Net, PARAMETERS, SMOOTH, |rng: &mut Rng| (
    normal(rng, &[32, STEPS, FEATURES]),
    normal(rng, &[32, 1])
));

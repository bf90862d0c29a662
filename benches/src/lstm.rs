//! An LSTM over 64 steps of 64 features, 128 wide, with a linear head on the last state.

use kiln::Tensor;
use kiln::prelude::*;

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

fn normal<const R: usize>(shape: [usize; R], rng: &mut Rng) -> Tensor {
    let n = shape.iter().product::<usize>();
    Tensor::from_vec(shape, (0..n).map(|_| rng.normal()).collect()).expect("as many elements")
}

/// Inference of one sequence.
pub fn one() -> impl FnMut() {
    let mut rng = Rng::seed(0);
    let (net, x) = (Net::init(&mut rng), normal([1, STEPS, FEATURES], &mut rng));
    let net = one_sequence::freeze(&net).expect("weights that fit");
    move || drop(net.run(&x).expect("shapes that fit"))
}

/// Inference of a batch.
pub fn batch() -> impl FnMut() {
    let mut rng = Rng::seed(0);
    let (net, x) = (Net::init(&mut rng), normal([32, STEPS, FEATURES], &mut rng));
    let net = batch_of_32::freeze(&net).expect("weights that fit");
    move || drop(net.run(&x).expect("shapes that fit"))
}

/// A training step with Adam.
pub fn train() -> impl FnMut() {
    let mut rng = Rng::seed(0);
    let mut net = Net::init(&mut rng);
    let mut opt = Adam::new(&net, 1e-3);
    let (x, y) = (normal([32, STEPS, FEATURES], &mut rng), normal([32, 1], &mut rng));
    move || drop(train_step(&mut net, &mut opt, &x, &y).expect("shapes that fit"))
}

//! A perceptron of three layers: one image, 64 images, and a training step of 64.
//!
//! Weights and images are random and the same at every run. Inference runs frozen, as a user would deploy it.

use std::hint::black_box;

use kiln::prelude::*;

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
pub fn one() -> impl FnMut() {
    let (net, mut rng) = net();
    let (net, x) = (mlp_one::freeze(&net).expect("its own shapes"), images(&mut rng, 1));
    move || drop(black_box(net.run(&x).expect("an image")))
}

/// A batch a call.
pub fn batch() -> impl FnMut() {
    let (net, mut rng) = net();
    let (net, x) = (mlp_batch::freeze(&net).expect("its own shapes"), images(&mut rng, BATCH));
    move || drop(black_box(net.run(&x).expect("a batch")))
}

/// Forward, backward and Adam a call.
pub fn train() -> impl FnMut() {
    let (mut net, mut rng) = net();
    let mut opt = Adam::new(&net, 1e-3);
    let x = images(&mut rng, BATCH);
    let y: [i64; BATCH] = std::array::from_fn(|_| rng.below(10) as i64);
    move || drop(black_box(train_step(&mut net, &mut opt, &x, y).expect("a batch")))
}

fn net() -> (Mlp, Rng) {
    let mut rng = Rng::seed(0);
    (Mlp::init(&mut rng), rng)
}

/// Normally distributed, `[n, 784]`.
fn images(rng: &mut Rng, n: usize) -> Tensor {
    init::normal(0.0, 1.0).tensor(rng, &[n, 784])
}

//! A WGAN with a gradient penalty: a gradient within a gradient, two nets, statistics and noise that closures change.

use kiln::prelude::*;

#[params]
pub struct Gen {
    fc1: Linear<16, 64>,
    pub bn: BatchNorm1d<64>,
    fc2: Linear<64, 28>,
}
#[params]
pub struct Dis {
    fc1: Linear<28, 64>,
    fc2: Linear<64, 1>,
}

#[model]
pub fn generate<const N: usize>(g: &mut Gen, z: Tensor<N, 16>, train: bool) -> Tensor<N, 28> {
    let h = g.fc1.forward(z);
    let h = if train { batch_norm1d_train(&mut g.bn, h) } else { g.bn.forward(h) };
    g.fc2.forward(h.leaky_relu(0.2)).tanh()
}
#[model]
pub fn judge<const N: usize>(d: &Dis, x: Tensor<N, 28>) -> Tensor<N> {
    d.fc2.forward(d.fc1.forward(x).leaky_relu(0.2)).squeeze(1)
}
/// WGAN-GP critic loss.
#[model]
pub fn critic_loss<const N: usize>(
    d: &Dis,
    real: Tensor<N, 28>,
    fake: Tensor<N, 28>,
    eps: Tensor<N, 1>,
) -> Tensor {
    let mixed = real * eps + fake * (1.0 - eps);
    let slope = grad(|x| judge(d, x).sum())(mixed);
    let norm = (slope.square().sum_dim(1) + 1e-12).sqrt();
    judge(d, fake).mean() - judge(d, real).mean() + 10.0 * (norm - 1.0).square().mean()
}
#[model]
pub fn step_d<const N: usize>(
    d: &mut Dis,
    opt: &mut Adam<Dis>,
    g: &mut Gen,
    real: Tensor<N, 28>,
    rng: &mut Rng,
) -> Tensor {
    let z = randn([N, 16], rng);
    let fake = generate(g, z, true).detach();
    let eps = rand([N, 1], rng);
    let (loss, grads) = value_and_grad(critic_loss)(d, real, fake, eps);
    opt.step(d, grads);
    loss
}
#[model]
pub fn step_g<const N: usize>(
    g: &mut Gen,
    opt: &mut Adam<Gen>,
    d: &Dis,
    real: Tensor<N, 28>,
    rng: &mut Rng,
) -> Tensor {
    let z = randn([N, 16], rng);
    let (loss, grads) = value_and_grad(|g| -judge(d, generate(g, z, true)).mean())(g);
    opt.step(g, grads);
    loss
}

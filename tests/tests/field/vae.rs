//! A variational autoencoder: what is drawn within a differentiated closure.

use kiln::prelude::*;
#[params]
pub struct Vae {
    enc: Linear<784, 128>,
    mu: Linear<128, 8>,
    logvar: Linear<128, 8>,
    dec1: Linear<8, 128>,
    dec2: Linear<128, 784>,
}
#[model]
pub fn encode<const N: usize>(v: &Vae, x: Tensor<N, 784>) -> (Tensor<N, 8>, Tensor<N, 8>) {
    let h = v.enc.forward(x).relu();
    (v.mu.forward(h), v.logvar.forward(h))
}
#[model]
pub fn decode<const N: usize>(v: &Vae, z: Tensor<N, 8>) -> Tensor<N, 784> {
    v.dec2.forward(v.dec1.forward(z).relu())
}
#[model]
pub fn elbo<const N: usize>(v: &Vae, x: Tensor<N, 784>, rng: &mut Rng) -> (Tensor, (Tensor, Tensor)) {
    let (mu, logvar) = encode(v, x);
    let z = mu + (0.5 * logvar).exp() * mu.randn_like(rng);
    let logits = decode(v, z);
    let rec = binary_cross_entropy_with_logits(logits, x) * 784.0;
    let kl = -0.5 * (1.0 + logvar - mu.square() - logvar.exp()).sum_dim(1).mean();
    (rec + kl, (rec, kl))
}
#[model]
pub fn step<const N: usize>(
    v: &mut Vae,
    opt: &mut AdamW<Vae>,
    x: Tensor<N, 784>,
    rng: &mut Rng,
) -> (Tensor, Tensor) {
    let ((loss, (_, kl)), grads) = value_and_grad(|v| elbo(v, x, rng))(v);
    opt.step(v, grads.clip_norm(1.0));
    (loss, kl)
}

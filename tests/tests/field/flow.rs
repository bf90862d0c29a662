//! A normalizing flow: what a loop over layers swaps.

use kiln::prelude::*;
#[params]
pub struct Coupling {
    s1: Linear<2, 32>,
    s2: Linear<32, 2>,
    t1: Linear<2, 32>,
    t2: Linear<32, 2>,
}
#[params]
pub struct Flow {
    layers: [Coupling; 6],
}
#[model]
pub fn couple<const N: usize>(c: &Coupling, a: Tensor<N, 2>, b: Tensor<N, 2>) -> (Tensor<N, 2>, Tensor<N>) {
    let s = c.s2.forward(c.s1.forward(a).relu()).tanh();
    let t = c.t2.forward(c.t1.forward(a).relu());
    (b * s.exp() + t, s.sum_dim(1))
}
#[model]
pub fn nll<const N: usize>(f: &Flow, x: Tensor<N, 4>) -> Tensor {
    let [mut a, mut b] = x.chunk(2, 1);
    let mut logdet = zeros([N]);
    for l in &f.layers {
        let (y, d) = couple(l, a, b);
        logdet += d;
        (a, b) = (y, a);
    }
    let z = cat([a, b], 1);
    let logp = -0.5 * (z.square() + (2.0 * std::f32::consts::PI).ln()).sum_dim(1);
    -(logp + logdet).mean()
}

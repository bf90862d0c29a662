//! A mixture of experts: the best two of each row, weighed, and the load balanced.

use kiln::prelude::*;
#[params]
pub struct Expert {
    up: Linear<32, 64>,
    down: Linear<64, 32>,
}
#[params]
pub struct Moe {
    gate: LinearNoBias<32, 4>,
    experts: [Expert; 4],
}
#[model]
pub fn moe<const N: usize>(m: &Moe, x: Tensor<N, 32>) -> (Tensor<N, 32>, Tensor) {
    let logits = m.gate.forward(x);
    let probs = logits.softmax(1);
    let (top, idx) = probs.topk(2, 1, true);
    let top = top / top.sum_keepdim(1);
    let w = zeros([N, 4]).scatter_add(1, idx, top);
    let mut y = zeros([N, 32]);
    for (i, e) in m.experts.iter().enumerate() {
        y = y + e.down.forward(e.up.forward(x).gelu()) * w.select(1, i).unsqueeze(1);
    }
    let load = one_hot(idx.select(1, 0), 4).to(f32).mean_dim(0);
    let balance = 4.0 * (load * probs.mean_dim(0)).sum();
    (y, balance)
}
#[model]
pub fn moe_loss<const N: usize>(m: &Moe, x: Tensor<N, 32>, y: Tensor<N, 32>) -> Tensor {
    let (out, balance) = moe(m, x);
    mse_loss(out, y) + 0.01 * balance
}

//! Graph attention over a list of edges: sums by index.

use kiln::prelude::*;
#[params]
pub struct Gat {
    w: LinearNoBias<16, 32>,
    src: Tensor<32>,
    dst: Tensor<32>,
    out: Linear<32, 3>,
}
/// Graph attention over an edge list.
#[model]
pub fn gat<const N: usize, const E: usize>(
    g: &Gat,
    x: Tensor<N, 16>,
    from: Tensor<i64, E>,
    to: Tensor<i64, E>,
) -> Tensor<N, 3> {
    let h = g.w.forward(x);
    let e = ((h * g.src).sum_dim(1).index_select(0, from) + (h * g.dst).sum_dim(1).index_select(0, to))
        .leaky_relu(0.2);
    let e = (e - e.max()).exp();
    let sum = zeros([N]).index_add(0, to, e);
    let a = e / (sum.index_select(0, to) + 1e-9);
    let m = zeros([N, 32]).index_add(0, to, h.index_select(0, from) * a.unsqueeze(1));
    g.out.forward(m.elu(1.0))
}
#[model]
pub fn gat_loss<const N: usize, const E: usize>(
    g: &Gat,
    x: Tensor<N, 16>,
    from: Tensor<i64, E>,
    to: Tensor<i64, E>,
    y: Tensor<i64, N>,
) -> Tensor {
    cross_entropy(gat(g, x, from, to), y)
}

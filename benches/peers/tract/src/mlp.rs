//! A perceptron of three layers: 784 → 512 → 256 → 10.

use crate::graph::Graph;

pub fn net(g: &mut Graph) -> String {
    let h = g.gemm("x0", 784, 512);
    let h = g.op("Relu", &[&h], &[]);
    let h = g.gemm(&h, 512, 256);
    let h = g.op("Relu", &[&h], &[]);
    g.gemm(&h, 256, 10)
}

//! An LSTM over 64 steps of 64 features, 128 wide, with a linear head on the last state.

use crate::graph::{Attribute, Graph};

pub fn net(g: &mut Graph) -> String {
    let x = g.transpose("x0", &[1, 0, 2]);
    let (w, r, b) = (g.weight(&[1, 512, 64], 128), g.weight(&[1, 512, 128], 128), g.weight(&[1, 1024], 128));
    g.node("LSTM", &[&x, &w, &r, &b], &["", "last"], &[("hidden_size", Attribute::Int(128))]);
    let h = g.select("last", 0);
    g.gemm(&h, 128, 1)
}

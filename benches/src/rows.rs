//! One pass over each of 1024 rows: softmax, and a layer norm with GELU.

use std::hint::black_box;

use kiln::prelude::*;

#[model]
fn soft(x: Tensor<1024, 1024>) -> Tensor<1024, 1024> {
    x.softmax(-1)
}

#[model]
fn norm_and_gelu(norm: &LayerNorm<1024>, x: Tensor<1024, 1024>) -> Tensor<1024, 1024> {
    norm.forward(x).gelu() + x
}

fn rows() -> Tensor {
    init::normal(0.0, 1.0).tensor(&mut Rng::seed(0), &[1024, 1024])
}

/// Softmax of each row.
pub fn softmax() -> impl FnMut() {
    let x = rows();
    move || drop(black_box(soft(&x).expect("rows")))
}

/// `gelu(layer_norm(x)) + x`.
pub fn norm_gelu() -> impl FnMut() {
    let net = LayerNorm::init(&mut Rng::seed(0));
    let (net, x) = (norm_and_gelu::freeze(&net).expect("its own shapes"), rows());
    move || drop(black_box(net.run(&x).expect("rows")))
}

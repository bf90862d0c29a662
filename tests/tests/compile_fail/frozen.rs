//! Models that can't be frozen.

use kiln::prelude::*;

#[model]
fn step(net: &mut Linear<3, 3>, x: Tensor<3>) -> Tensor<3> {
    net.bias = net.bias + x;
    x
}

#[model]
fn plain<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    x * 2.0
}

fn main() {
    let net = Linear::<3, 3>::init(&mut Rng::seed(0));
    step::freeze(&net);
    plain::freeze(&net);
}

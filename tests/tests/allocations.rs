//! A compiled model allocates nothing after its first call, gradients and results included.
#![allow(missing_docs)]

use kiln::prelude::*;

#[path = "../../runtime/tests/counting/mod.rs"]
mod counting;

#[params]
struct Net {
    fc1: Linear<8, 16>,
    scale: zoo::Scale<16>,
    fc2: Linear<16, 3>,
}

#[model]
fn net<const N: usize>(net: &Net, x: Tensor<N, 8>) -> Tensor<N, 3> {
    net.fc2.forward(net.scale.forward(net.fc1.forward(x).relu()))
}

#[model]
fn loss<const N: usize>(params: &Net, x: Tensor<N, 8>, y: Tensor<i64, N>) -> Tensor {
    cross_entropy(net(params, x), y)
}

#[model]
fn step<const N: usize>(net: &mut Net, opt: &mut Sgd<Net>, x: Tensor<N, 8>, y: Tensor<i64, N>) -> Tensor {
    let (loss, grads) = value_and_grad(loss)(net, x, y);
    opt.step(net, grads);
    loss
}

/// Allocations of a hundred calls behind the first two.
fn allocations(mut call: impl FnMut()) -> usize {
    call();
    call();
    counting::allocations(|| (0..100).for_each(|_| call()))
}

#[test]
fn nothing_is_allocated_after_the_first_call() {
    let mut params = Net::init(&mut Rng::seed(0));
    let mut opt = Sgd::new(&params, 0.01).momentum(0.9);
    let x = init::uniform(-1.0, 1.0).tensor(&mut Rng::seed(5), &[4, 8]);
    let y = [0i64, 1, 2, 1];
    let frozen = net::freeze(&params).expect("its own shapes");
    let counts = [
        ("net", allocations(|| drop(net(&params, &x).expect("shapes fit")))),
        ("frozen", allocations(|| drop(frozen.run(&x).expect("shapes fit")))),
        ("gradients", allocations(|| drop(loss::value_and_grad(&params, &x, y).expect("shapes fit")))),
        ("step", allocations(|| drop(step(&mut params, &mut opt, &x, y).expect("shapes fit")))),
    ];
    assert!(counts.iter().all(|(_, n)| *n == 0), "{counts:?}");
}

#[test]
fn the_count_notices_an_allocation() {
    assert!(allocations(|| drop(std::hint::black_box(vec![1u8]))) >= 100);
}

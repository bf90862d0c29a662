//! Weights that are packed before their products: frozen, in loops, and where something else reads them too.
#![allow(missing_docs)]

use kiln::prelude::*;

#[params]
struct Net {
    tok: Embedding<30, 24>,
    up: Linear<24, 40>,
    down: Linear<40, 24>,
    layers: [Linear<24, 24>; 12],
}

/// `up` is read twice in one way, the layers in a loop.
#[model]
fn deep<const N: usize>(net: &Net, x: Tensor<N, 24>) -> Tensor<N, 40> {
    let mut h = x;
    for layer in &net.layers {
        h = h + layer.forward(h).tanh();
    }
    net.up.forward(net.down.forward(net.up.forward(h).relu()))
}

/// The embedding is gathered from and multiplied by, `up` multiplied by in two ways.
#[model]
fn tied<const N: usize>(net: &Net, ids: Tensor<i64, 1, N>) -> Tensor<1, N, 30> {
    let x = net.tok.forward(ids);
    let h = net.up.forward(x).relu().matmul(net.up.weight);
    h.matmul(net.tok.weight.t())
}

#[params]
struct Recurrent {
    lstm: Lstm<9, 20>,
    head: Linear<20, 24>,
}

#[model]
fn recurrent<const T: usize, const B: usize>(net: &Recurrent, x: Tensor<T, B, 9>) -> Tensor<B, 24> {
    let (_, last, _) = net.lstm.forward(x);
    net.head.forward(last)
}

#[model]
fn loss<const T: usize, const B: usize>(net: &Recurrent, x: Tensor<T, B, 9>) -> Tensor {
    let y = recurrent(net, x);
    (y * y).mean()
}

fn numbers(shape: &[usize]) -> Tensor {
    init::normal(0.0, 1.0).tensor(&mut Rng::seed(3), shape)
}

fn near(a: &Tensor, b: &Tensor) {
    assert_eq!(a.shape(), b.shape());
    let apart = a.as_slice().iter().zip(b.as_slice()).map(|(a, b)| (a - b).abs() / (1.0 + b.abs()));
    assert!(apart.clone().all(|x| x < 1e-5), "{:?}", apart.fold(0.0, f32::max));
}

#[test]
fn frozen_layers_and_weights_that_are_read_twice() {
    let net = Net::init(&mut Rng::seed(1));
    let frozen = deep::freeze(&net).unwrap();
    for n in [0, 1, 3, 5, 6, 13, 70] {
        let x = numbers(&[n, 24]);
        let eager = deep::eager(&net, &x);
        near(&deep(&net, &x).unwrap(), &eager);
        near(&frozen.run(&x).unwrap(), &eager);
        // A copy lies elsewhere, and need not begin at a cache line.
        near(&frozen.clone().run(&x).unwrap(), &eager);
    }
}

#[test]
fn what_is_read_in_other_ways_stays_as_it_is() {
    let net = Net::init(&mut Rng::seed(1));
    let frozen = tied::freeze(&net).unwrap();
    for n in [1, 7, 70] {
        let ids = Tensor::from_vec([1, n], (0..n as i64).map(|i| i * 7 % 30).collect()).unwrap();
        let eager = tied::eager(&net, &ids);
        near(&tied(&net, &ids).unwrap(), &eager);
        near(&frozen.run(&ids).unwrap(), &eager);
    }
}

#[test]
fn a_loop_packs_what_it_multiplies_by_before_its_first_turn() {
    assert!(recurrent::PLAN.contains("by panels"), "{}", recurrent::PLAN);
    let net = Recurrent::init(&mut Rng::seed(1));
    let frozen = recurrent::freeze(&net).unwrap();
    for (t, b) in [(1, 1), (5, 1), (4, 3), (3, 8), (7, 33)] {
        let x = numbers(&[t, b, 9]);
        let eager = recurrent::eager(&net, &x);
        near(&recurrent(&net, &x).unwrap(), &eager);
        near(&frozen.run(&x).unwrap(), &eager);
    }
}

#[test]
fn gradients_of_a_loop() {
    let net = Recurrent::init(&mut Rng::seed(1));
    for (t, b) in [(1, 1), (5, 2), (6, 9)] {
        let x = numbers(&[t, b, 9]);
        let (value, grads) = loss::value_and_grad(&net, &x).unwrap();
        let mut traced = net.clone();
        traced.lstm.weight_hh_l0 = net.lstm.weight_hh_l0.clone().requires_grad();
        traced.lstm.weight_ih_l0 = net.lstm.weight_ih_l0.clone().requires_grad();
        let eager = loss::eager(&traced, &x);
        eager.backward().unwrap();
        near(&value, &eager);
        near(&grads.lstm.weight_hh_l0, &traced.lstm.weight_hh_l0.grad().unwrap());
        near(&grads.lstm.weight_ih_l0, &traced.lstm.weight_ih_l0.grad().unwrap());
    }
}

//! Arrays of layers: a loop over them is one loop in the program, whatever it reads and changes.
#![allow(missing_docs)]

mod common;

use common::{close, input};
use kiln::prelude::*;

#[params]
struct Block {
    norm: LayerNorm<8>,
    up: Linear<8, 12>,
    down: Linear<12, 8>,
    /// A mean of what has come in.
    #[buffer]
    seen: Tensor<8>,
}

#[params]
struct Net {
    first: Linear<3, 8>,
    blocks: [Block; 7],
    last: Linear<8, 2>,
}

#[model(inline)]
fn block<const N: usize>(block: &Block, x: Tensor<N, 8>) -> Tensor<N, 8> {
    let h = block.up.forward(block.norm.forward(x)).gelu();
    x + block.down.forward(h) - block.seen
}

#[model]
fn net<const N: usize>(net: &Net, x: Tensor<N, 3>) -> Tensor<N, 2> {
    let mut h = net.first.forward(x);
    for b in &net.blocks {
        h = block(b, h);
    }
    net.last.forward(h)
}

#[model]
fn loss<const N: usize>(params: &Net, x: Tensor<N, 3>, y: Tensor<N, 2>) -> Tensor<f32> {
    mse_loss(net(params, x), y)
}

/// The same, but an index takes the array apart.
#[model]
fn unrolled<const N: usize>(params: &Net, x: Tensor<N, 3>, y: Tensor<N, 2>) -> Tensor<f32> {
    let mut h = params.first.forward(x);
    for i in 0..7 {
        h = block(params.blocks[i], h);
    }
    mse_loss(params.last.forward(h), y)
}

macro_rules! steps {
    ($name:ident, $opt:ident, $loss:ident) => {
        #[model]
        fn $name<const N: usize>(
            net: &mut Net,
            opt: &mut $opt<Net>,
            x: Tensor<N, 3>,
            y: Tensor<N, 2>,
        ) -> Tensor<f32> {
            let (loss, grads) = value_and_grad($loss)(net, x, y);
            opt.step(net, grads.clip_norm(0.5));
            loss
        }
    };
}

steps!(adam, Adam, loss);
steps!(adam_unrolled, Adam, unrolled);
steps!(sgd, Sgd, loss);
steps!(sgd_unrolled, Sgd, unrolled);

/// Every tensor of two trees.
fn alike<P: Params>(got: &P, want: &P, what: &str) {
    let (got, want) = (got.named_leaves(), want.named_leaves());
    assert_eq!(got.len(), want.len());
    for (g, w) in got.iter().zip(&want) {
        let f32s = |leaf: &kiln::Leaf| leaf.tensor.as_f32().expect("all are").clone();
        close(&f32s(g), &f32s(w), &format!("{what}: {}", g.name));
    }
}

fn start() -> (Net, Tensor, Tensor) {
    let mut net = Net::init(&mut Rng::seed(4));
    for (i, b) in net.blocks.iter_mut().enumerate() {
        b.seen = input([8]) * (0.01 * i as f64);
    }
    (net, input([5, 3]), input([5, 2]))
}

#[test]
fn a_loop_over_layers_is_one_loop() {
    let (params, x, y) = start();
    assert!(net::PLAN.contains("7 turns"), "{}", net::PLAN);
    assert!(!unrolled::PLAN.contains("turns"), "{}", unrolled::PLAN);
    close(&net(&params, &x).expect("shapes that fit"), &net::eager(&params, &x), "net");
    let frozen = net::freeze(&params).expect("sound");
    close(&frozen.run(&x).expect("shapes that fit"), &net::eager(&params, &x), "frozen");
    close(
        &loss(&params, &x, &y).expect("shapes that fit"),
        &unrolled(&params, &x, &y).expect("shapes that fit"),
        "loss",
    );
}

#[test]
fn its_gradients_are_those_of_each_layer() {
    let (params, x, y) = start();
    let (value, grads) = loss::value_and_grad(&params, &x, &y).expect("shapes that fit");
    let (want, wanted) =
        kiln::autograd::value_and_grad(&params, |p| loss::eager(p, &x, &y)).expect("a scalar");
    close(&value, &want, "loss");
    alike(&grads, &wanted, "gradient");
}

#[test]
fn a_training_step_updates_each_layer_where_it_lies() {
    let (start, x, y) = start();
    let (mut one, mut other) = (start.clone(), start.clone());
    let (mut opt, mut opt_other) = (Adam::new(&one, 0.01), Adam::new(&other, 0.01));
    let at = one.blocks[3].up.weight.as_slice().as_ptr();
    for _ in 0..3 {
        let got = adam(&mut one, &mut opt, &x, &y).expect("shapes that fit");
        let want = adam_unrolled(&mut other, &mut opt_other, &x, &y).expect("shapes that fit");
        close(&got, &want, "loss");
    }
    alike(&one, &other, "Adam");
    // The first write took what the tests share; from then on it stays where it is.
    let before = one.blocks[3].up.weight.as_slice().as_ptr();
    adam(&mut one, &mut opt, &x, &y).expect("shapes that fit");
    assert_eq!(before, one.blocks[3].up.weight.as_slice().as_ptr());
    assert_ne!(before, at);
    assert!(!adam::PLAN.contains("copy"), "{}", adam::PLAN);

    let (mut one, mut other) = (start.clone(), start);
    let (mut opt, mut opt_other) = (Sgd::new(&one, 0.1), Sgd::new(&other, 0.1));
    for _ in 0..3 {
        sgd(&mut one, &mut opt, &x, &y).expect("shapes that fit");
        sgd_unrolled(&mut other, &mut opt_other, &x, &y).expect("shapes that fit");
    }
    alike(&one, &other, "SGD");
}

#[params]
struct Stack {
    cells: [Cell; 6],
}

#[params]
struct Cell {
    input: Tensor<4, 4>,
    hidden: Tensor<4, 4>,
}

#[params]
struct Memory {
    #[buffer]
    state: Tensor<4>,
    #[buffer]
    turns: Tensor<f32>,
}

/// State beside the layers, in pairs and with their numbers.
#[model]
fn remember(stack: &Stack, memory: &mut [Memory; 6], x: Tensor<4>) -> Tensor<4> {
    let mut h = x;
    for (i, (cell, memory)) in stack.cells.iter().zip(memory.iter_mut()).enumerate() {
        memory.state = (cell.input.matmul(h) + cell.hidden.matmul(memory.state)).tanh();
        memory.turns = memory.turns + i as f32;
        h = h * 0.5 + memory.state;
    }
    h
}

/// From the last layer to the first, within a loop over time, with a list.
#[model]
fn backwards<const T: usize>(layers: &Stack, x: Tensor<T, 4>) -> (Tensor<4>, Tensor<6, 4>) {
    let mut h = zeros([4]);
    let mut last = Vec::new();
    for t in 0..T {
        h = h + x.select(0, t);
        for (cell, i) in layers.cells.iter().rev().zip(1..7) {
            h = cell.input.matmul(h).tanh() * (i as f32 / 6.0) + cell.hidden.matmul(h);
        }
    }
    for cell in layers.cells.iter().rev() {
        last.push(cell.hidden.matmul(h));
    }
    (h, stack(&last, 0))
}

#[model]
fn backwards_loss<const T: usize>(layers: &Stack, x: Tensor<T, 4>) -> Tensor<f32> {
    let (h, all) = backwards(layers, x);
    h.square().sum() + all.square().mean()
}

#[test]
fn state_lies_beside_each_layer() {
    let layers = Stack::init(&mut Rng::seed(5));
    let fresh = || -> [Memory; 6] { std::array::from_fn(|_| Memory::init(&mut Rng::seed(1))) };
    let (mut one, mut other, x) = (fresh(), fresh(), input([4]));
    assert!(remember::PLAN.contains("6 turns"), "{}", remember::PLAN);
    for _ in 0..3 {
        let got = remember(&layers, &mut one, &x).expect("shapes that fit");
        close(&got, &remember::eager(&layers, &mut other, &x), "h");
    }
    for (i, (one, other)) in one.iter().zip(&other).enumerate() {
        close(&one.state, &other.state, "state");
        assert_eq!(one.turns.item().expect("a number"), 3.0 * i as f32);
    }
}

#[test]
fn layers_run_backwards_within_loops() {
    let (layers, x) = (Stack::init(&mut Rng::seed(5)), input([5, 4]));
    assert!(backwards::PLAN.contains("6 turns"), "{}", backwards::PLAN);
    let (h, all) = backwards(&layers, &x).expect("shapes that fit");
    let (want_h, want_all) = backwards::eager(&layers, &x);
    close(&h, &want_h, "h");
    close(&all, &want_all, "all");
    let (value, grads) = backwards_loss::value_and_grad(&layers, &x).expect("shapes that fit");
    let (want, wanted) =
        kiln::autograd::value_and_grad(&layers, |l| backwards_loss::eager(l, &x)).expect("a scalar");
    close(&value, &want, "loss");
    alike(&grads, &wanted, "gradient");
}

#[test]
fn a_layer_of_another_shape_is_named() {
    let (mut params, x, _) = start();
    params.blocks[4].up.weight = input([12, 7]);
    let error = net(&params, &x).expect_err("a layer doesn't fit").to_string();
    assert_eq!(error, "`net`: argument `net.blocks.4.up.weight` must have shape [12, 8], but has [12, 7]");
}

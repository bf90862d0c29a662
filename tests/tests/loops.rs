//! Loops over time: compiled as loops, forward and backwards, and equal to what the body does eagerly.
#![allow(missing_docs)]

mod common;

use common::{close, input};
use kiln::prelude::*;

#[params]
struct Cell<const I: usize, const H: usize> {
    input: Tensor<H, I>,
    hidden: Tensor<H, H>,
    bias: Tensor<H>,
}

/// A recurrent layer: all its states, `[B, T, H]`.
#[model]
fn states<const B: usize, const T: usize>(cell: &Cell<3, 5>, x: Tensor<B, T, 3>) -> Tensor<B, T, 5> {
    let mut h = zeros([B, 5]);
    let mut all = Vec::new();
    for t in 0..T {
        h = (linear(x.select(1, t), cell.input, Some(cell.bias)) + h.matmul(cell.hidden.t())).tanh();
        all.push(h);
    }
    stack(&all, 1)
}

#[model]
fn loss<const B: usize, const T: usize>(
    cell: &Cell<3, 5>,
    x: Tensor<B, T, 3>,
    y: Tensor<B, T, 5>,
) -> Tensor<f32> {
    mse_loss(states(cell, x), y)
}

/// From the last step to the first, with the number of the step in it and two lists.
#[model]
fn backwards<const T: usize>(x: Tensor<T, 4>) -> (Tensor<T, 4>, Tensor<4>) {
    let mut sum = x.select(0, 0) * 0.0;
    let mut sums = Vec::new();
    let mut turns = Vec::with_capacity(T);
    for t in (0..T).rev() {
        sum = sum * 0.5 + x.select(0, t) * (t as f32 + 1.0);
        sums.push(sum);
        turns.push(sum.sum());
    }
    (stack(&sums, 0), sum + stack(&turns, 0).sum())
}

/// A loop in a loop, over windows of the past, and state.
#[model]
fn nested<const T: usize>(memory: &mut Tensor<2>, x: Tensor<T, 6, 2>) -> Tensor<2> {
    let mut total = zeros([2]);
    for t in 1..T {
        let before = x.select(0, t - 1);
        for s in 0..6 {
            let row = x.select(0, t).select(0, s);
            total = (total * row + before.select(0, s)).tanh();
            *memory = memory * 0.9 + total;
        }
        total = total + memory;
    }
    total
}

#[test]
fn a_loop_over_time_is_one_loop() {
    let cell = Cell::init(&mut Rng::seed(3));
    assert!(states::PLAN.contains("T turns"), "{}", states::PLAN);
    for (b, t) in [(1, 1), (2, 7), (3, 0), (0, 4), (4, 33)] {
        let x = input([b, t, 3]);
        let got = states(&cell, &x).expect("shapes that fit");
        if t == 0 {
            // Eagerly there is nothing to stack.
            assert_eq!(got.shape(), [b, 0, 5]);
            continue;
        }
        close(&got, &states::eager(&cell, &x), &format!("{b} sequences of {t}"));
    }
}

#[test]
fn its_gradient_is_a_loop_backwards() {
    let cell = Cell::init(&mut Rng::seed(3));
    for (b, t) in [(1, 1), (2, 7), (4, 33)] {
        let (x, y) = (input([b, t, 3]), input([b, t, 5]));
        let (value, grads) = loss::value_and_grad(&cell, &x, &y).expect("shapes that fit");
        let (want, wanted) =
            kiln::autograd::value_and_grad(&cell, |c| loss::eager(c, &x, &y)).expect("a scalar");
        close(&value, &want, "loss");
        close(&grads.input, &wanted.input, "input");
        close(&grads.hidden, &wanted.hidden, "hidden");
        close(&grads.bias, &wanted.bias, "bias");
    }
}

#[test]
fn loops_run_backwards_and_know_the_turn() {
    for t in [1, 5, 12] {
        let x = input([t, 4]);
        let (sums, sum) = backwards(&x).expect("shapes that fit");
        let (want_sums, want_sum) = backwards::eager(&x);
        close(&sums, &want_sums, "sums");
        close(&sum, &want_sum, "sum");
    }
}

#[test]
fn loops_stand_in_loops_and_carry_state() {
    let (mut memory, x) = (input([2]), input([5, 6, 2]));
    let mut other = memory.clone();
    let got = nested(&mut memory, &x).expect("shapes that fit");
    close(&got, &nested::eager(&mut other, &x), "total");
    close(&memory, &other, "memory");
}

mod readme {
    //! The README's loop.
    use kiln::prelude::*;

    #[params]
    pub struct Cell {
        input: Linear<3, 5>,
        hidden: Linear<5, 5>,
    }

    #[model]
    pub fn states<const T: usize, const B: usize>(cell: &Cell, x: Tensor<T, B, 3>) -> Tensor<T, B, 5> {
        let mut h = zeros([B, 5]);
        let mut all = Vec::new();
        for t in 0..T {
            h = (cell.input.forward(x.select(0, t)) + cell.hidden.forward(h)).tanh();
            all.push(h);
        }
        stack(&all, 0)
    }
}

#[test]
fn the_readmes_loop_runs() {
    let cell = readme::Cell::init(&mut Rng::seed(2));
    let x = input([9, 4, 3]);
    let got = readme::states(&cell, &x).expect("shapes that fit");
    close(&got, &readme::states::eager(&cell, &x), "states");
    assert!(readme::states::PLAN.contains("product [T*B, 5]"), "{}", readme::states::PLAN);
}

#[params]
struct Forecaster {
    lstm: Lstm<2, 8>,
    gru: Gru<8, 6>,
    head: Linear<6, 1>,
}

#[model]
fn forecast<const T: usize, const B: usize>(net: &Forecaster, x: Tensor<T, B, 2>) -> Tensor<B, 1> {
    let (all, _, _) = net.lstm.forward(x);
    let (_, last) = net.gru.forward(all);
    net.head.forward(last)
}

#[model]
fn forecast_loss<const T: usize, const B: usize>(
    net: &Forecaster,
    x: Tensor<T, B, 2>,
    y: Tensor<B, 1>,
) -> Tensor<f32> {
    mse_loss(forecast(net, x), y)
}

#[model]
fn forecast_step<const T: usize, const B: usize>(
    net: &mut Forecaster,
    opt: &mut Adam<Forecaster>,
    x: Tensor<T, B, 2>,
    y: Tensor<B, 1>,
) -> Tensor<f32> {
    let (loss, grads) = value_and_grad(forecast_loss)(net, x, y);
    opt.step(net, grads.clip_norm(1.0));
    loss
}

#[test]
fn recurrent_layers_learn() {
    let mut net = Forecaster::init(&mut Rng::seed(1));
    let mut opt = Adam::new(&net, 0.02);
    let x = input([12, 16, 2]);
    // What the first column has summed up to.
    let y = x.select(2, 0).sum_dim(0).unsqueeze(1) * 0.3;
    let first = forecast_step(&mut net, &mut opt, &x, &y).and_then(|l| l.item()).expect("a loss");
    for _ in 0..200 {
        forecast_step(&mut net, &mut opt, &x, &y).expect("shapes that fit");
    }
    let last = forecast_loss(&net, &x, &y).and_then(|l| l.item()).expect("a loss");
    assert!(last < 0.05 * first, "{first} to {last}");
    close(&forecast(&net, &x).expect("shapes that fit"), &forecast::eager(&net, &x), "forecast");
}

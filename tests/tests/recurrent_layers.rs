//! Recurrent layers of several layers and both directions, loaded by torch's names, against torch's own numbers.
#![allow(missing_docs)]

#[path = "common/golden.rs"]
mod golden;

use golden::Golden;
use kiln::nn::{stacked_gru, stacked_lstm};
use kiln::prelude::*;

#[model]
fn lstms<const T: usize, const B: usize>(
    net: &StackedLstm<3, 5, 1>,
    x: Tensor<T, B, 3>,
    h: Tensor<2, B, 5>,
    c: Tensor<2, B, 5>,
) -> (Tensor<T, B, 5>, Tensor<2, B, 5>, Tensor<2, B, 5>) {
    stacked_lstm(net, x, h, c)
}

#[model]
fn grus<const T: usize, const B: usize>(
    net: &StackedGru<3, 5, 1>,
    x: Tensor<T, B, 3>,
    h: Tensor<2, B, 5>,
) -> (Tensor<T, B, 5>, Tensor<2, B, 5>) {
    stacked_gru(net, x, h)
}

#[test]
fn stacked_layers_are_torchs() {
    let golden = Golden::read("lstm--two");
    let net = golden.params();
    let [x, h, c] = ["in.x", "in.h_0", "in.c_0"].map(|name| golden.tensor(name));
    let (y, h_n, c_n) = lstms(&net, &x, &h, &c).expect("shapes fit");
    let (eager, ..) = lstms::eager(&net, &x, &h, &c);
    golden.check(Ok(y), &eager);
    near(&h_n, &golden.tensor("out.h_n"));
    near(&c_n, &golden.tensor("out.c_n"));

    let golden = Golden::read("gru--two");
    let (net, x, h) = (golden.params(), golden.tensor("in.x"), golden.tensor("in.h_0"));
    let (y, h_n) = grus(&net, &x, &h).expect("shapes fit");
    golden.check(Ok(y), &grus::eager(&net, &x, &h).0);
    near(&h_n, &golden.tensor("out.h_n"));
}

/// `torch.nn.LSTM(3, 4, num_layers=2, bidirectional=True)` of cells, each under its owner's names.
#[params]
struct Both {
    #[name("*_l0")]
    to: LstmCell<3, 4>,
    #[name("*_l0_reverse")]
    fro: LstmCell<3, 4>,
    #[name("*_l{1}")]
    later_to: [LstmCell<8, 4>; 1],
    #[name("*_l{1}_reverse")]
    later_fro: [LstmCell<8, 4>; 1],
}

#[model(inline)]
fn way<const I: usize>(cell: &LstmCell<I, 4>, x: Tensor, h: Tensor, c: Tensor, back: bool) -> Tensor {
    let (ih, hh) = (Some(cell.bias_ih), Some(cell.bias_hh));
    let (all, _, _) = lstm(x, Some(h), Some(c), cell.weight_ih, cell.weight_hh, ih, hh, back);
    all
}

#[model]
fn both<const T: usize, const B: usize>(
    net: &Both,
    x: Tensor<B, T, 3>,
    h: Tensor<4, B, 4>,
    c: Tensor<4, B, 4>,
) -> Tensor<B, T, 8> {
    let steps = x.transpose(0, 1);
    let to = way(&net.to, steps, h.select(0, 0), c.select(0, 0), false);
    let fro = way(&net.fro, steps, h.select(0, 1), c.select(0, 1), true);
    let steps = cat(&[to, fro], 2);
    let to = way(&net.later_to[0], steps, h.select(0, 2), c.select(0, 2), false);
    let fro = way(&net.later_fro[0], steps, h.select(0, 3), c.select(0, 3), true);
    cat(&[to, fro], 2).transpose(0, 1)
}

#[test]
fn cells_stand_under_the_names_of_their_owner() {
    let golden = Golden::read("lstm--bidirectional");
    let net = golden.params();
    let [x, h, c] = ["in.x", "in.h_0", "in.c_0"].map(|name| golden.tensor(name));
    golden.check(both(&net, &x, &h, &c), &both::eager(&net, &x, &h, &c));
}

/// Layers alone, and the same by the function that they are of.
#[params]
struct Nets {
    deep: StackedGru<3, 4, 6>,
    ways: BiLstm<3, 4>,
    back: BiGru<3, 4>,
}

#[model]
fn nets<const T: usize>(net: &Nets, x: Tensor<T, 2, 3>) -> [Tensor<T, 2, 4>; 5] {
    let (deep, last) = net.deep.forward(x);
    let (ways, _, c) = net.ways.forward(x);
    let (back, h) = net.back.forward(x);
    let zeros = deep * 0.0;
    [
        deep,
        ways.narrow(2, 0, 4),
        ways.narrow(2, 4, 4),
        back.narrow(2, 4, 4),
        zeros + last.sum() + c.sum() + h.sum(),
    ]
}

#[model]
fn parts<const T: usize>(net: &Nets, x: Tensor<T, 2, 3>) -> [Tensor<T, 2, 4>; 5] {
    let first = &net.deep.first;
    let (ih, hh) = (Some(first.bias_ih), Some(first.bias_hh));
    let (mut deep, mut last) = gru(x, None, first.weight_ih, first.weight_hh, ih, hh, false);
    let mut total = last.sum();
    for cell in &net.deep.rest {
        let (ih, hh) = (Some(cell.bias_ih), Some(cell.bias_hh));
        (deep, last) = gru(deep, None, cell.weight_ih, cell.weight_hh, ih, hh, false);
        total += last.sum();
    }
    let (cell, back) = (&net.ways.forward, &net.ways.backward);
    let (ih, hh) = (Some(cell.bias_ih), Some(cell.bias_hh));
    let (to, _, c) = lstm(x, None, None, cell.weight_ih, cell.weight_hh, ih, hh, false);
    let (ih, hh) = (Some(back.bias_ih), Some(back.bias_hh));
    let (fro, _, d) = lstm(x, None, None, back.weight_ih, back.weight_hh, ih, hh, true);
    let (cell, back) = (&net.back.forward, &net.back.backward);
    let (ih, hh) = (Some(cell.bias_ih), Some(cell.bias_hh));
    let (_, g) = gru(x, None, cell.weight_ih, cell.weight_hh, ih, hh, false);
    let (ih, hh) = (Some(back.bias_ih), Some(back.bias_hh));
    let (reset, e) = gru(x, None, back.weight_ih, back.weight_hh, ih, hh, true);
    [deep, to, fro, reset, deep * 0.0 + total + c.sum() + d.sum() + g.sum() + e.sum()]
}

/// A step at a time is all steps at once.
#[model]
fn step(
    cell: &LstmCell<3, 4>,
    x: Tensor<2, 3>,
    h: Tensor<2, 4>,
    c: Tensor<2, 4>,
) -> (Tensor<2, 4>, Tensor<2, 4>) {
    cell.forward(x, h, c)
}

#[test]
fn layers_are_made_of_cells() {
    let net = Nets::init(&mut Rng::seed(3));
    let x = Tensor::zeros([5, 2, 3]).randn_like(&mut Rng::seed(4));
    let want = parts(&net, &x).expect("shapes fit");
    for got in [nets(&net, &x).expect("shapes fit"), nets::eager(&net, &x)] {
        got.iter().zip(&want).for_each(|(got, want)| near(got, want));
    }
    let names: Vec<String> = net.named_leaves().into_iter().map(|leaf| leaf.name).collect();
    for name in ["deep.weight_hh_l0", "deep.bias_ih_l6", "ways.weight_ih_l0", "back.bias_hh_l0_reverse"] {
        assert!(names.contains(&name.to_string()), "{name} in {names:?}");
    }

    let cell = &net.ways.forward;
    let (mut h, mut c) = (Tensor::zeros([2, 4]), Tensor::zeros([2, 4]));
    for t in 0..5 {
        (h, c) = step(cell, x.select(0, t), &h, &c).expect("shapes fit");
        near(&h, &want[1].select(0, t));
    }
}

fn near(got: &Tensor, want: &Tensor) {
    assert_eq!(got.shape(), want.shape());
    got.as_slice().iter().zip(want.as_slice()).for_each(|(a, b)| assert!((a - b).abs() < 1e-5, "{a} {b}"));
}

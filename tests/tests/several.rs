//! Tuples and arrays of tensors as arguments, state and results.
#![allow(missing_docs)]

mod common;

use common::close as alike;
use kiln::prelude::*;

/// The levels of a pyramid of features.
const LEVELS: usize = 3;

#[params]
struct Backbone {
    stem: Linear<3, 8>,
    stages: [Linear<8, 8>; LEVELS],
}

#[model]
fn features<const N: usize>(net: &Backbone, x: Tensor<N, 3>) -> [Tensor<N, 8>; LEVELS] {
    let mut h = net.stem.forward(x);
    let mut levels = Vec::new();
    for stage in &net.stages {
        h = stage.forward(h).tanh();
        levels.push(h);
    }
    levels
}

#[model]
fn merged<const N: usize>(levels: [Tensor<N, 8>; LEVELS], weights: (Tensor<8>, Tensor<f32>)) -> Tensor<N, 8> {
    let (each, all) = weights;
    let mut sum = levels[0] * each;
    for level in &levels[1..] {
        sum = sum + level;
    }
    sum * all
}

#[model]
fn pyramid<const N: usize>(
    net: &Backbone,
    x: Tensor<N, 3>,
    weights: (Tensor<8>, Tensor<f32>),
) -> Tensor<N, 8> {
    merged(features(net, x), weights)
}

fn input<const R: usize>(shape: [usize; R], seed: i64) -> Tensor {
    (common::input(shape) * (seed as f64 * 0.37)).sin()
}

fn close(got: &Tensor, want: &Tensor) {
    alike(got, want, "a part");
}

fn backbone() -> Backbone {
    Backbone::init(&mut Rng::seed(3))
}

#[test]
fn an_array_is_returned_and_taken() {
    let (net, x) = (backbone(), input([4, 3], 1));
    let weights = (input([8], 2), input([], 3));
    let levels = features(&net, &x).unwrap();
    for (compiled, eager) in levels.iter().zip(features::eager(&net, &x)) {
        close(compiled, &eager);
    }
    let y = merged([&levels[0], &levels[1], &levels[2]], (&weights.0, &weights.1)).unwrap();
    close(&y, &merged::eager([&levels[0], &levels[1], &levels[2]], (&weights.0, &weights.1)));
    close(&pyramid(&net, &x, (&weights.0, &weights.1)).unwrap(), &y);
    close(&pyramid::eager(&net, &x, (&weights.0, &weights.1)), &y);
    let frozen = pyramid::freeze(&net).unwrap();
    close(&frozen.run(&x, (&weights.0, &weights.1)).unwrap(), &y);
}

#[test]
fn a_part_of_another_shape_is_named() {
    let (a, b) = (input([4, 8], 1), input([5, 8], 2));
    let weights = (input([8], 2), input([], 3));
    let error = merged([&a, &b, &a], (&weights.0, &weights.1)).unwrap_err().to_string();
    assert!(error.contains("levels[1]") && error.contains("`N`"), "{error}");
    let error = merged([&a, &a, &a], (&b, &weights.1)).unwrap_err().to_string();
    assert!(error.contains("weights.0"), "{error}");
    let error = merged::eager([&a, &b, &a], (&weights.0, &weights.1)).item().unwrap_err().to_string();
    assert!(error.contains("levels"), "{error}");
}

#[params]
struct Cell {
    input: Linear<4, 8>,
    hidden: Linear<4, 8>,
}

/// Hidden and cell state of a layer.
#[model]
fn cell<const B: usize>(
    net: &Cell,
    x: Tensor<B, 4>,
    state: &mut (Tensor<B, 4>, Tensor<B, 4>),
) -> Tensor<B, 4> {
    let gates = net.input.forward(x) + net.hidden.forward(state.0);
    let keep = gates.narrow(1, 0, 4).sigmoid();
    state.1 = keep * state.1 + gates.narrow(1, 4, 4).tanh();
    state.0 = state.1.tanh() * keep;
    state.0
}

#[model]
fn step<const B: usize>(
    cells: &[Cell; 2],
    x: Tensor<B, 4>,
    state: &mut [(Tensor<B, 4>, Tensor<B, 4>); 2],
) -> Tensor<B, 4> {
    let mut h = x;
    for (net, state) in cells.iter().zip(state) {
        h = cell(net, h, state);
    }
    h
}

/// The same with all taken apart by patterns.
#[model]
fn apart<const B: usize>(
    cells: &[Cell; 2],
    x: Tensor<B, 4>,
    state: &mut [(Tensor<B, 4>, Tensor<B, 4>); 2],
) -> Tensor<B, 4> {
    let [(h0, c0), (h1, c1)] = state;
    let mut first = (h0.clone(), c0.clone());
    let h = cell(&cells[0], x, &mut first);
    *h0 = first.0;
    *c0 = first.1;
    let mut second = (h1.clone(), c1.clone());
    let h = cell(&cells[1], h, &mut second);
    let (new_h, new_c) = second;
    *h1 = new_h;
    *c1 = new_c;
    h
}

fn states() -> [(Tensor, Tensor); 2] {
    [(input([3, 4], 5), input([3, 4], 6)), (input([3, 4], 7), input([3, 4], 8))]
}

#[test]
fn state_in_an_array_of_tuples_is_updated_where_it_lies() {
    let mut rng = Rng::seed(9);
    let cells = [Cell::init(&mut rng), Cell::init(&mut rng)];
    let x = input([3, 4], 4);
    let (mut compiled, mut eager, mut patterns) = (states(), states(), states());
    for _ in 0..3 {
        let y = step(&cells, &x, &mut compiled).unwrap();
        close(&y, &step::eager(&cells, &x, &mut eager));
        close(&y, &apart(&cells, &x, &mut patterns).unwrap());
    }
    for (one, other) in compiled.iter().zip(eager.iter()).chain(compiled.iter().zip(patterns.iter())) {
        close(&one.0, &other.0);
        close(&one.1, &other.1);
    }
    let mut eager = states();
    let y = apart::eager(&cells, &x, &mut eager);
    let mut compiled = states();
    close(&y, &step(&cells, &x, &mut compiled).unwrap());
    close(&compiled[1].1, &eager[1].1);
}

/// Of any number of tensors.
#[model(inline)]
fn total<const L: usize, const N: usize>(xs: [Tensor<N>; L]) -> Tensor<N> {
    let mut sum = zeros([N]);
    for x in &xs {
        sum = sum + x;
    }
    sum / L as f32
}

#[model]
fn totals<const N: usize>(a: Tensor<N>, b: Tensor<N>) -> (Tensor<N>, [Tensor<N>; 2]) {
    let swapped = [b, a];
    (total([a, b, a * b]) + total(swapped), swapped)
}

#[test]
fn the_length_of_an_array_is_told_by_the_call() {
    let (a, b) = (input([5], 1), input([5], 2));
    let (sum, [first, second]) = totals(&a, &b).unwrap();
    let (eager_sum, [eager_first, _]) = totals::eager(&a, &b);
    close(&sum, &eager_sum);
    close(&first, &eager_first);
    close(&first, &b);
    close(&second, &a);
}

#[model(grad(xs))]
fn energy<const N: usize>(xs: [Tensor<N, 2>; 2], mask: (Tensor<bool, N>, Tensor<f32>)) -> Tensor<f32> {
    let kept = xs[0].masked_fill(mask.0.unsqueeze(1), 0.0);
    (kept * xs[1] * mask.1).square().sum()
}

#[model]
fn derivatives<const N: usize>(
    xs: [Tensor<N, 2>; 2],
    mask: (Tensor<bool, N>, Tensor<f32>),
    along: [Tensor<N, 2>; 2],
) -> ([Tensor<N, 2>; 2], Tensor<f32>) {
    let (_, moved) = jvp(energy)(xs, mask, along);
    (grad(energy)(xs, mask), moved)
}

#[test]
fn a_gradient_has_the_form_of_its_argument() {
    let xs = || [input([3, 2], 1), input([3, 2], 2)];
    let mask = Tensor::from([true, false, true]);
    let scale = Tensor::from(0.7f32);
    let (value, grads) = energy::value_and_grad(xs(), (&mask, &scale)).unwrap();
    close(&value, &energy::eager(xs(), (&mask, &scale)));
    let along = || [input([3, 2], 3), input([3, 2], 4)];
    let (inner, moved) = derivatives(xs(), (&mask, &scale), along()).unwrap();
    let (eager, eager_moved) = derivatives::eager(xs(), (&mask, &scale), along());
    let mut expected = 0.0;
    for i in 0..2 {
        close(&grads[i], &inner[i]);
        close(&grads[i], &eager[i]);
        let along = along();
        expected += grads[i].as_slice().iter().zip(along[i].as_slice()).map(|(g, d)| g * d).sum::<f32>();
    }
    close(&moved, &eager_moved);
    assert!((moved.item().unwrap() - expected).abs() < 1e-4, "{moved:?} and {expected}");
}

#[model(inline)]
fn mixed(pair: (Tensor<3>, [Tensor<3>; 2])) -> (Tensor<3>, [Tensor<3>; 2]) {
    let (a, [b, c]) = pair;
    (a * b, [b + c, c.exp()])
}

#[model]
fn rows<const N: usize>(a: Tensor<N, 3>, bs: [Tensor<N, 3>; 2]) -> (Tensor<N, 3>, [Tensor<N, 3>; 2]) {
    vmap(mixed)((a, bs))
}

#[test]
fn vmap_goes_over_the_rows_of_all_parts() {
    let (a, b, c) = (input([4, 3], 1), input([4, 3], 2), input([4, 3], 3));
    let (one, [two, three]) = rows(&a, [&b, &c]).unwrap();
    close(&one, &(&a * &b));
    close(&two, &(&b + &c));
    close(&three, &c.exp());
}

/// What all layers yield, and the sum: a long loop fills the list.
#[model]
fn long<const N: usize>(x: Tensor<N>) -> [Tensor<N>; 9] {
    let mut all = Vec::new();
    let mut h = x;
    for i in 0..9 {
        h = h * 0.5 + i as f32;
        all.push(h);
    }
    all
}

#[test]
fn a_list_that_a_loop_filled_is_an_array() {
    let x = input([3], 1);
    let compiled = long(&x).unwrap();
    for (compiled, eager) in compiled.iter().zip(long::eager(&x)) {
        close(compiled, &eager);
    }
}

/// A pair that a loop over time carries.
#[model]
fn unrolled<const T: usize, const B: usize>(
    net: &Cell,
    xs: Tensor<T, B, 4>,
    h: Tensor<B, 4>,
) -> (Tensor<B, 4>, (Tensor<B, 4>, Tensor<B, 4>)) {
    let mut state = (h, zeros([B, 4]));
    let mut y = h;
    for t in 0..T {
        y = cell(net, xs.select(0, t), &mut state);
        let before = state;
        state.1 = state.1 * 0.5;
        state = (before.0 + before.1, state.1);
    }
    (y, state)
}

#[test]
fn a_pair_is_carried_through_a_loop() {
    let net = Cell::init(&mut Rng::seed(2));
    let (xs, h) = (input([6, 3, 4], 1), input([3, 4], 2));
    let (y, state) = unrolled(&net, &xs, &h).unwrap();
    let (eager, eager_state) = unrolled::eager(&net, &xs, &h);
    close(&y, &eager);
    close(&state.0, &eager_state.0);
    close(&state.1, &eager_state.1);
    let ones = || Tensor::ones([3, 4]);
    let (_, grads) = unrolled::vjp(&net, &xs, &h, ones(), ones(), ones()).unwrap();
    assert!(grads.input.weight.as_slice().iter().all(|g| g.is_finite() && *g != 0.0));
}

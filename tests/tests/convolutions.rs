//! Convolutions that the compiler computes by Winograd's tiles, and gradients that are convolutions themselves: compiled,
//! frozen and exact against eager.
#![allow(missing_docs)]

#[path = "common/sets.rs"]
mod sets;

use kiln::prelude::*;

/// Two convolutions of 3 × 3, wide enough that tiles pay.
#[params]
struct Two {
    first: Conv2d<16, 24, 3, 1, 1>,
    second: Conv2d<24, 16, 3, 1, 1>,
}

#[model]
fn two(net: &Two, x: Tensor<2, 16, 18, 21>) -> Tensor<2, 16, 18, 21> {
    net.second.forward(net.first.forward(x).relu()) + x
}

#[model(exact)]
fn direct(net: &Two, x: Tensor<2, 16, 18, 21>) -> Tensor<2, 16, 18, 21> {
    two(net, x)
}

#[model]
fn loss(net: &Two, x: Tensor<2, 16, 18, 21>) -> Tensor {
    let y = two(net, x);
    (y * y).mean()
}

fn net_and_image() -> (Two, Tensor) {
    let mut rng = Rng::seed(3);
    let net = Two::init(&mut rng);
    let x = init::normal(0.0, 1.0).tensor(&mut rng, &[2, 16, 18, 21]);
    (net, x)
}

/// The largest difference over the largest number.
fn apart(x: &Tensor, y: &Tensor) -> f32 {
    let pairs = || x.as_slice().iter().zip(y.as_slice());
    let most = pairs().map(|(x, _)| x.abs()).fold(0.0, f32::max);
    pairs().map(|(x, y)| (x - y).abs()).max_by(f32::total_cmp).unwrap_or(0.0) / most
}

#[test]
fn the_plan_says_what_is_computed_by_tiles() {
    assert_eq!(two::PLAN.matches("by winograd 4×4").count(), 2, "{}", two::PLAN);
    assert!(!direct::PLAN.contains("winograd"), "{}", direct::PLAN);
}

#[test]
fn by_tiles_frozen_and_directly() {
    let (net, x) = net_and_image();
    let eager = two::eager(&net, &x);
    let frozen = two::freeze(&net).unwrap();
    for y in [two(&net, &x).unwrap(), frozen.run(&x).unwrap(), frozen.clone().run(&x).unwrap()] {
        assert!(apart(&eager, &y) < 2e-6, "{}", apart(&eager, &y));
    }
    assert!(apart(&eager, &direct(&net, &x).unwrap()) < 1e-6);
    assert!(apart(&eager, &direct::freeze(&net).unwrap().run(&x).unwrap()) < 1e-6);
}

#[test]
fn gradients_by_tiles_are_those_of_the_direct_sums() {
    let (net, x) = net_and_image();
    let (value, grads) = loss::value_and_grad(&net, &x).unwrap();
    let mut traced = net.clone();
    for leaf in
        [&mut traced.first.weight, &mut traced.first.bias, &mut traced.second.weight, &mut traced.second.bias]
    {
        *leaf = leaf.clone().requires_grad();
    }
    let eager = loss::eager(&traced, &x);
    eager.backward().unwrap();
    assert!(apart(&eager, &value) < 2e-6);
    for (leaf, grad) in [
        (&traced.first.weight, &grads.first.weight),
        (&traced.first.bias, &grads.first.bias),
        (&traced.second.weight, &grads.second.weight),
        (&traced.second.bias, &grads.second.bias),
    ] {
        let own = leaf.grad().unwrap();
        assert!(apart(&own, grad) < 4e-6, "{}", apart(&own, grad));
    }
}

/// Windows of other sizes, dilated, with other paddings, and of each channel by itself.
#[model(grad(w, d, x))]
fn others(w: Tensor<4, 3, 2, 4>, d: Tensor<4, 1, 3, 3>, x: Tensor<2, 3, 9, 8>) -> Tensor {
    let y = conv2d_with(x, w, None, [1, 1], [0, 2], [3, 1], 1);
    let z = conv2d_with(y, d, None, [1, 1], [1, 1], [1, 1], 4);
    (z * z * z).sum()
}

#[test]
fn gradients_of_other_windows() {
    let mut rng = Rng::seed(5);
    let mut noise = |shape: &[usize]| init::normal(0.0, 0.5).tensor(&mut rng, shape);
    let (w, d, x): (Tensor, Tensor, Tensor) =
        (noise(&[4, 3, 2, 4]), noise(&[4, 1, 3, 3]), noise(&[2, 3, 9, 8]));
    let (_, (dw, dd, dx)) = others::value_and_grad(&w, &d, &x).unwrap();
    let traced = [w, d, x].map(Tensor::requires_grad);
    others::eager(&traced[0], &traced[1], &traced[2]).backward().unwrap();
    for (leaf, grad) in traced.iter().zip([dw, dd, dx]) {
        let own = leaf.grad().unwrap();
        assert!(apart(&own, &grad) < 2e-6, "{}", apart(&own, &grad));
    }
}

/// A row between zeros, wherever its elements begin and end, and where it has none.
#[test]
fn rows_between_zeros() {
    let from: Vec<f32> = (1..=20).map(|i| i as f32).collect();
    for len in 0..7usize {
        for first in [0usize, 1, 5, 9].into_iter().chain((1..9).map(usize::wrapping_neg)) {
            for span in 0..6usize {
                // Where an element is read, its position is not below 0.
                let start = first.wrapping_add(3);
                let mut row = vec![f32::NAN; len];
                kiln::rt::padded(&mut row, true, &from, start, first, span);
                for (j, x) in row.iter().enumerate() {
                    let there = first.wrapping_add(j) < span;
                    let want = if there { from[start.wrapping_add(j)] } else { 0.0 };
                    assert_eq!(*x, want, "{len} {first} {span} at {j}");
                }
                kiln::rt::padded(&mut row, false, &from, start, first, span);
                assert!(row.iter().all(|x| *x == 0.0));
            }
        }
    }
}

#[test]
fn on_every_instruction_set() {
    sets::narrower();
}

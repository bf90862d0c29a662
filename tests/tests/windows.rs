//! Convolutions that read images where they lie, between zeros that are stored nowhere, and those of each channel by itself,
//! which are one kernel: compiled and frozen against eager, on one thread and on two.
#![allow(missing_docs)]

#[path = "common/sets.rs"]
mod sets;

#[path = "common/threads.rs"]
mod threads;

use kiln::prelude::*;
use threads::{apart, noise, on_threads};

/// Expand, filter each channel, project: large enough that threads share each product.
#[params]
struct Inverted {
    expand: Conv2d<8, 48, 1>,
    depth: Tensor<48, 1, 3, 3>,
    bias: Tensor<48>,
    project: Conv2d<48, 8, 1>,
}

#[model]
fn inverted<const N: usize>(net: &Inverted, x: Tensor<N, 8, 60, 57>) -> Tensor<N, 8, 60, 57> {
    let h = net.expand.forward(x).relu6();
    let h = conv2d_with(h, net.depth, Some(net.bias), [1, 1], [1, 1], [1, 1], 48).relu6();
    x + net.project.forward(h)
}

#[model]
fn one_image(net: &Inverted, x: Tensor<1, 8, 60, 57>) -> Tensor<1, 8, 60, 57> {
    inverted(net, x)
}

#[test]
fn each_channel_by_itself_is_one_kernel() {
    assert!(one_image::PLAN.contains("product [48, 3420] of 9 terms, each row of images of its own"));
    assert!(!one_image::PLAN.contains("62"), "the zeros are stored nowhere: {}", one_image::PLAN);
    let mut rng = Rng::seed(1);
    let net = Inverted::init(&mut rng);
    let frozen = one_image::freeze(&net).unwrap();
    for n in [1, 2, 5] {
        let x = noise(&mut rng, [n, 8, 60, 57]);
        let eager = inverted::eager(&net, &x);
        let compiled = on_threads(|| inverted(&net, &x).unwrap().as_slice().to_vec());
        assert!(apart(&eager, &Tensor::from_vec([n, 8, 60, 57], compiled).unwrap()) < 1e-5);
        if n == 1 {
            let y = on_threads(|| frozen.run(&x).unwrap().as_slice().to_vec());
            assert!(apart(&eager, &Tensor::from_vec([1, 8, 60, 57], y).unwrap()) < 1e-5);
        }
    }
}

/// Tiles of 4 × 4 and, for the halved image, of 2 × 2.
#[params]
struct Tiles {
    wide: Conv2d<32, 32, 3, 1, 1>,
    small: Conv2d<32, 48, 3, 1, 1>,
}

#[model]
fn tiles(net: &Tiles, x: Tensor<3, 32, 32, 32>) -> (Tensor<3, 32, 32, 32>, Tensor<3, 48, 8, 8>) {
    let x = net.wide.forward(x).relu();
    (x, net.small.forward(max_pool2d(x, [4, 4])))
}

#[test]
fn tiles_of_both_sizes_on_any_number_of_threads() {
    assert!(
        tiles::PLAN.contains("by winograd 4×4") && tiles::PLAN.contains("by winograd 2×2"),
        "{}",
        tiles::PLAN
    );
    let mut rng = Rng::seed(5);
    let net = Tiles::init(&mut rng);
    let x = noise(&mut rng, [3, 32, 32, 32]);
    let (wide, small) = tiles::eager(&net, &x);
    let frozen = tiles::freeze(&net).unwrap();
    let both = |(wide, small): (Tensor, Tensor)| (wide.as_slice().to_vec(), small.as_slice().to_vec());
    let runs: [&dyn Fn() -> (Tensor, Tensor); 2] =
        [&|| tiles(&net, &x).unwrap(), &|| frozen.run(&x).unwrap()];
    for run in runs {
        let (own_wide, own_small) = on_threads(|| both(run()));
        assert!(apart(&wide, &Tensor::from_vec([3, 32, 32, 32], own_wide).unwrap()) < 2e-6);
        assert!(apart(&small, &Tensor::from_vec([3, 48, 8, 8], own_small).unwrap()) < 2e-6);
    }
}

/// Windows of several kinds over one image, each with its zeros.
#[model]
fn kinds<const N: usize>(
    five: Tensor<6, 1, 5, 5>,
    two: Tensor<12, 1, 3, 3>,
    groups: Tensor<4, 3, 3, 3>,
    all: Tensor<7, 6, 3, 3>,
    far: Tensor<5, 6, 3, 2>,
    x: Tensor<N, 6, 19, 14>,
) -> (
    Tensor<N, 6, 10, 7>,
    Tensor<N, 12, 19, 14>,
    Tensor<N, 4, 10, 7>,
    Tensor<N, 7, 10, 7>,
    Tensor<N, 5, 19, 14>,
) {
    let five = conv2d_with(x, five, None, [2, 2], [2, 2], [1, 1], 6);
    let two = conv2d_with(x, two, None, [1, 1], [1, 1], [1, 1], 6);
    let groups = conv2d_with(x, groups, None, [2, 2], [1, 1], [1, 1], 2);
    let all = conv2d_with(x, all, None, [2, 2], [1, 1], [1, 1], 1);
    let far = conv2d_with(x, far, None, [1, 1], [2, 1], [2, 2], 1);
    (five, two, groups, all, far)
}

#[test]
fn windows_of_several_kinds() {
    let mut rng = Rng::seed(2);
    let (five, two) = (noise(&mut rng, [6, 1, 5, 5]), noise(&mut rng, [12, 1, 3, 3]));
    let groups = noise(&mut rng, [4, 3, 3, 3]);
    let (all, far) = (noise(&mut rng, [7, 6, 3, 3]), noise(&mut rng, [5, 6, 3, 2]));
    for n in [1, 3] {
        let x = noise(&mut rng, [n, 6, 19, 14]);
        let eager = kinds::eager(&five, &two, &groups, &all, &far, &x);
        let y = kinds(&five, &two, &groups, &all, &far, &x).unwrap();
        for (eager, y) in
            [(&eager.0, &y.0), (&eager.1, &y.1), (&eager.2, &y.2), (&eager.3, &y.3), (&eager.4, &y.4)]
        {
            assert!(apart(eager, y) < 1e-5, "{n}: {:?} {}", y.shape(), apart(eager, y));
        }
    }
}

/// What is mapped over a convolution's lines splits its windows: a line a product.
#[model]
fn by_line(
    w: Tensor<4, 3, 3, 3>,
    d: Tensor<3, 1, 3, 3>,
    at: Tensor<8>,
    x: Tensor<2, 3, 9, 8>,
) -> Tensor<2, 4, 9, 8> {
    let d = conv2d_with(x, d, None, [1, 1], [1, 1], [1, 1], 3) * at;
    conv2d_with(d, w, None, [1, 1], [1, 1], [1, 1], 1) * at
}

#[test]
fn a_line_of_windows_at_a_time() {
    let mut rng = Rng::seed(3);
    let (w, d) = (noise(&mut rng, [4, 3, 3, 3]), noise(&mut rng, [3, 1, 3, 3]));
    let (at, x) = (noise(&mut rng, [8]), noise(&mut rng, [2, 3, 9, 8]));
    let y = by_line(&w, &d, &at, &x).unwrap();
    assert!(apart(&by_line::eager(&w, &d, &at, &x), &y) < 1e-5);
}

/// Along one axis, with zeros on one side more than on the other.
#[model(grad(w, d, x))]
fn along(w: Tensor<5, 4, 3>, d: Tensor<4, 1, 3>, x: Tensor<2, 4, 30>) -> Tensor {
    let x = conv1d_with(x.pad([2, 0], 0.0), d, None, 1, 0, 1, 4);
    let y = conv1d_with(x, w, None, 2, 1, 1, 1);
    (y * y).sum()
}

#[test]
fn along_one_axis_and_backwards() {
    let mut rng = Rng::seed(4);
    let (w, d, x) = (noise(&mut rng, [5, 4, 3]), noise(&mut rng, [4, 1, 3]), noise(&mut rng, [2, 4, 30]));
    let (value, (dw, dd, dx)) = along::value_and_grad(&w, &d, &x).unwrap();
    let traced = [w, d, x].map(Tensor::requires_grad);
    let eager = along::eager(&traced[0], &traced[1], &traced[2]);
    eager.backward().unwrap();
    assert!(apart(&eager, &value) < 1e-5);
    for (leaf, grad) in traced.iter().zip([dw, dd, dx]) {
        assert!(apart(&leaf.grad().unwrap(), &grad) < 1e-5);
    }
}

#[test]
fn on_every_instruction_set() {
    sets::narrower();
}

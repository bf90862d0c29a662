//! Nets of convolutions that compute with their channels last, and normalizations that freezing folds into factors: compiled and
//! frozen against eager, on one thread and on two, on every instruction set.
#![allow(missing_docs)]

#[path = "common/sets.rs"]
mod sets;

#[path = "common/threads.rs"]
mod threads;

use kiln::prelude::*;
use threads::{apart, noise, on_threads};

/// A normalization with kept statistics.
#[params]
struct Norm<const C: usize> {
    #[init(normal(0.5, 1.0))]
    weight: Tensor<C>,
    #[init(normal(0.0, 1.0))]
    bias: Tensor<C>,
    #[init(normal(0.0, 1.0))]
    mean: Tensor<C>,
    #[init(normal(1.0, 0.2))]
    var: Tensor<C>,
}

#[model(inline)]
fn norm<const C: usize>(n: &Norm<C>, x: Tensor) -> Tensor {
    x.batch_norm(n.mean, n.var * n.var, Some(n.weight), Some(n.bias), 1e-5)
}

/// A stem, pools, two inverted residuals, a window of 5 × 5 between zeros and one that is dilated, side by side, and a head.
#[params]
struct Net {
    stem: Tensor<20, 3, 3, 3>,
    stem_norm: Norm<20>,
    expand: Tensor<72, 20, 1, 1>,
    expand_norm: Norm<72>,
    depth: Tensor<72, 1, 3, 3>,
    depth_norm: Norm<72>,
    project: Tensor<20, 72, 1, 1>,
    project_norm: Norm<20>,
    halve: Tensor<20, 1, 5, 5>,
    wide: Tensor<24, 20, 5, 5>,
    far: Tensor<9, 20, 3, 2>,
    head: Linear<33, 7>,
}

#[model]
fn net<const N: usize>(p: &Net, x: Tensor<N, 3, 45, 38>) -> Tensor<N, 7> {
    let x = norm(&p.stem_norm, conv2d_with(x, p.stem, None, [2, 2], [1, 1], [1, 1], 1)).relu6();
    let h = norm(&p.expand_norm, conv2d_with(x, p.expand, None, [1, 1], [0, 0], [1, 1], 1)).relu6();
    let h = norm(&p.depth_norm, conv2d_with(h, p.depth, None, [1, 1], [1, 1], [1, 1], 72)).relu6();
    let x = x + norm(&p.project_norm, conv2d_with(h, p.project, None, [1, 1], [0, 0], [1, 1], 1));
    let x = conv2d_with(x, p.halve, None, [2, 1], [2, 2], [1, 1], 20);
    let x = max_pool2d_with(x, [3, 3], [2, 2], [1, 1], [1, 1], false);
    let wide = conv2d_with(x, p.wide, None, [1, 1], [2, 2], [1, 1], 1).relu();
    let far = conv2d_with(x, p.far, None, [1, 1], [2, 1], [2, 2], 1);
    p.head.forward(cat([wide, far], 1).mean_dim([2, 3]))
}

#[model]
fn one_image(p: &Net, x: Tensor<1, 3, 45, 38>) -> Tensor<1, 7> {
    net(p, x)
}

#[model(exact)]
fn exact(p: &Net, x: Tensor<1, 3, 45, 38>) -> Tensor<1, 7> {
    net(p, x)
}

#[test]
fn channels_come_last() {
    for plan in [one_image::PLAN, net::PLAN] {
        assert!(plan.contains("72] of 9 terms, each channel by itself"), "{plan}");
        assert!(plan.contains("24] of 500 terms over pixels"), "{plan}");
    }
}

#[test]
fn compiled_and_frozen_are_eager() {
    let mut rng = Rng::seed(1);
    let p = Net::init(&mut rng);
    let (frozen, kept) = (one_image::freeze(&p).unwrap(), exact::freeze(&p).unwrap());
    let any = net::freeze(&p).unwrap();
    for n in [1, 2, 5] {
        let x = noise(&mut rng, [n, 3, 45, 38]);
        let eager = net::eager(&p, &x);
        let compiled = on_threads(|| net(&p, &x).unwrap());
        assert!(apart(&eager, &compiled) < 1e-5, "{n}: {}", apart(&eager, &compiled));
        let y = on_threads(|| any.run(&x).unwrap());
        assert!(apart(&eager, &y) < 1e-5, "{n}: {}", apart(&eager, &y));
        if n == 1 {
            for y in [on_threads(|| frozen.run(&x).unwrap()), on_threads(|| kept.run(&x).unwrap())] {
                assert!(apart(&eager, &y) < 1e-5, "{}", apart(&eager, &y));
            }
            assert!(apart(&exact(&p, &x).unwrap(), &kept.run(&x).unwrap()) < 1e-6);
        }
    }
}

/// Blocks of a residual net: tiles of both sizes, windows that halve an image, a pool between zeros.
#[params]
struct Residual {
    stem: Tensor<32, 3, 7, 7>,
    stem_norm: Norm<32>,
    a: Tensor<32, 32, 3, 3>,
    a_norm: Norm<32>,
    b: Conv2d<32, 32, 3, 1, 1>,
    down: Tensor<48, 32, 3, 3>,
    down_norm: Norm<48>,
    skip: Tensor<48, 32, 1, 1>,
    small: Conv2d<48, 48, 3, 1, 1>,
    head: Linear<48, 5>,
}

#[model]
fn residual<const N: usize>(p: &Residual, x: Tensor<N, 3, 58, 50>) -> Tensor<N, 5> {
    let x = norm(&p.stem_norm, conv2d_with(x, p.stem, None, [2, 2], [3, 3], [1, 1], 1)).relu();
    let x = max_pool2d_with(x, [3, 3], [2, 2], [1, 1], [1, 1], false);
    let h = norm(&p.a_norm, conv2d_with(x, p.a, None, [1, 1], [1, 1], [1, 1], 1)).relu();
    let x = (p.b.forward(h) + x).relu();
    let h = norm(&p.down_norm, conv2d_with(x, p.down, None, [2, 2], [1, 1], [1, 1], 1)).relu();
    let x = p.small.forward(h) + conv2d_with(x, p.skip, None, [2, 2], [0, 0], [1, 1], 1);
    p.head.forward(x.relu().mean_dim([2, 3]))
}

#[model]
fn residual_of_one(p: &Residual, x: Tensor<1, 3, 58, 50>) -> Tensor<1, 5> {
    residual(p, x)
}

#[test]
fn tiles_of_pixels() {
    let plan = residual_of_one::PLAN;
    assert!(plan.contains("48] of 288 terms over pixels"), "{plan}");
    assert!(plan.matches("by winograd").count() >= 2, "{plan}");
    let mut rng = Rng::seed(3);
    let p = Residual::init(&mut rng);
    let (frozen, any) = (residual_of_one::freeze(&p).unwrap(), residual::freeze(&p).unwrap());
    for n in [1, 3] {
        let x = noise(&mut rng, [n, 3, 58, 50]);
        let eager = residual::eager(&p, &x);
        for y in [on_threads(|| residual(&p, &x).unwrap()), on_threads(|| any.run(&x).unwrap())] {
            assert!(apart(&eager, &y) < 2e-5, "{n}: {}", apart(&eager, &y));
        }
        if n == 1 {
            let y = on_threads(|| frozen.run(&x).unwrap());
            assert!(apart(&eager, &y) < 2e-5, "{}", apart(&eager, &y));
        }
    }
}

/// A normalization of what a linear layer makes, of a product that something else reads, and of one by numbers that a call gives.
#[model]
fn scaled(
    layer: &Linear<6, 5>,
    n: &Norm<5>,
    x: Tensor<4, 6>,
    by: Tensor<5>,
) -> (Tensor<4, 5>, Tensor<4, 5>, Tensor<4, 5>) {
    let y = x.matmul(layer.weight.t());
    let own = (layer.forward(x) - n.mean) / (n.var * n.var + 1.0) * n.weight + n.bias;
    (own, y * n.weight + y, layer.forward(x) * by)
}

#[test]
fn scales_of_products() {
    let mut rng = Rng::seed(2);
    let (layer, n) = (Linear::init(&mut rng), Norm::init(&mut rng));
    let (x, by) = (noise(&mut rng, [4, 6]), noise(&mut rng, [5]));
    let (eager, frozen) = (scaled::eager(&layer, &n, &x, &by), scaled::freeze(&layer, &n).unwrap());
    let y = frozen.run(&x, &by).unwrap();
    for (eager, y) in [(&eager.0, &y.0), (&eager.1, &y.1), (&eager.2, &y.2)] {
        assert!(apart(eager, y) < 1e-5, "{}", apart(eager, y));
    }
}

#[test]
fn on_every_instruction_set() {
    sets::narrower();
}

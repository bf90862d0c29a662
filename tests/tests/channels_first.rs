//! Training of convolutional nets, which compute with their channels first, before the images: compiled against eager, on one thread
//! and on two, on every instruction set. Activations are smooth, so that gradients are comparable to the last bits.
#![allow(missing_docs)]

#[path = "common/sets.rs"]
mod sets;

#[path = "common/threads.rs"]
mod threads;

use kiln::prelude::*;
use threads::{apart, noise, on_threads};

/// A convolution and a normalization by the batch.
#[params]
struct ConvNorm<const I: usize, const O: usize, const K: usize> {
    #[init(normal(0.0, 0.2))]
    conv: Tensor<O, I, K, K>,
    #[init(normal(1.0, 0.2))]
    weight: Tensor<O>,
    #[init(normal(0.0, 0.2))]
    bias: Tensor<O>,
}

#[model(inline)]
fn normalized<const O: usize>(y: Tensor, weight: Tensor<O>, bias: Tensor<O>) -> Tensor {
    y.batch_norm(y.mean_dim([0, 2, 3]), y.var_dim([0, 2, 3], 0.0), Some(weight), Some(bias), 1e-5)
}

/// Residual blocks of 3 × 3, one that halves the images, single pixels, a pool and a window of 5 × 5.
#[params]
struct Net {
    stem: ConvNorm<3, 16, 3>,
    a: ConvNorm<16, 16, 3>,
    down: ConvNorm<16, 20, 3>,
    skip: ConvNorm<16, 20, 1>,
    b: ConvNorm<20, 20, 3>,
    mix: Conv2d<20, 24, 1>,
    wide: Conv2d<24, 7, 5, 1, 2>,
    head: Linear<7, 5>,
}

#[model(grad(net, x))]
fn loss<const N: usize>(net: &Net, x: Tensor<N, 3, 22, 18>) -> Tensor {
    let conv = |x, c, by, pad| conv2d_with(x, c, None, [by, by], [pad, pad], [1, 1], 1);
    let x = normalized(conv(x, net.stem.conv, 1, 1), net.stem.weight, net.stem.bias).tanh();
    let x = (normalized(conv(x, net.a.conv, 1, 1), net.a.weight, net.a.bias) + x).tanh();
    let h = normalized(conv(x, net.down.conv, 2, 1), net.down.weight, net.down.bias).tanh();
    let skip = normalized(conv(x, net.skip.conv, 2, 0), net.skip.weight, net.skip.bias);
    let x = (normalized(conv(h, net.b.conv, 1, 1), net.b.weight, net.b.bias) + skip).tanh();
    let x = avg_pool2d(net.mix.forward(x), [2, 2]);
    let y = net.head.forward(net.wide.forward(x).mean_dim([2, 3]));
    (y * y).mean() + y.mean()
}

#[model(grad(net, x))]
fn of_four(net: &Net, x: Tensor<4, 3, 22, 18>) -> Tensor {
    loss(net, x)
}

#[model]
fn gradients(net: &Net, x: Tensor<4, 3, 22, 18>) -> Net {
    let (_, (grads, _)) = value_and_grad(loss)(net, x);
    grads
}

#[model(exact)]
fn exact_gradients(net: &Net, x: Tensor<4, 3, 22, 18>) -> Net {
    let (_, (grads, _)) = value_and_grad(loss)(net, x);
    grads
}

fn leaves(of: &Net) -> Vec<Tensor> {
    let mut leaves = Vec::new();
    of.leaves("", &mut leaves);
    leaves.iter().map(|leaf| leaf.tensor.as_f32().expect("floats").clone()).collect()
}

#[test]
fn channels_come_first() {
    let plan = gradients::PLAN;
    assert!(plan.contains("[16, 1584] of 144 terms by winograd"), "{plan}");
    assert!(plan.contains("[20, 396] of 144 terms from net.down.conv"), "{plan}");
    assert!(plan.contains("[16, 144] of 1584 terms by winograd 4×4 (64 % of direct)"), "{plan}");
    assert!(!exact_gradients::PLAN.contains("winograd"), "{}", exact_gradients::PLAN);
}

#[test]
fn compiled_gradients_are_eager() {
    let mut rng = Rng::seed(1);
    let net = Net::init(&mut rng);
    for n in [1, 3, 4] {
        let x = noise(&mut rng, [n, 3, 22, 18]);
        let mut traced = net.clone();
        let mut leaves_mut = Vec::new();
        traced.leaves_mut("", &mut leaves_mut);
        for leaf in leaves_mut {
            let leaf = leaf.tensor.into_f32().expect("floats");
            *leaf = leaf.clone().requires_grad();
        }
        let x_traced = x.clone().requires_grad();
        let eager = loss::eager(&traced, &x_traced);
        eager.backward().unwrap();
        let mut want: Vec<Tensor> = leaves(&traced).iter().map(|leaf| leaf.grad().unwrap()).collect();
        want.push(x_traced.grad().unwrap());
        let run = |four: bool| {
            let (value, (grads, dx)) = match four {
                true => of_four::value_and_grad(&net, &x).unwrap(),
                false => loss::value_and_grad(&net, &x).unwrap(),
            };
            (value, leaves(&grads), dx)
        };
        for four in [false, true].into_iter().filter(|four| !four || n == 4) {
            let (value, mut got, dx) = on_threads(|| run(four));
            got.push(dx);
            assert!(apart(&eager, &value) < 1e-5, "{n}: {}", apart(&eager, &value));
            for (i, (want, got)) in want.iter().zip(&got).enumerate() {
                assert!(apart(want, got) < 1e-5, "{n}: {i} {:?}: {}", got.shape(), apart(want, got));
            }
        }
    }
}

#[test]
fn on_every_instruction_set() {
    sets::narrower();
}

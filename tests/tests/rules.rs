//! Lion, compiled and eager, against the paper's rule written by hand in f64.

use kiln::prelude::*;

#[model]
fn loss(net: &LayerNorm<3>, target: Tensor<3>) -> Tensor {
    (net.weight - target).square().sum()
}

#[model]
fn train(net: &mut LayerNorm<3>, opt: &mut Lion<LayerNorm<3>>, target: Tensor<3>) -> Tensor {
    let (loss, grads) = value_and_grad(loss)(net, target);
    opt.step(net, grads);
    loss
}

#[test]
fn steps_are_those_of_the_paper() {
    let mut net = LayerNorm::<3>::init(&mut Rng::seed(0));
    let mut eager = net.clone();
    let mut opt = Lion::new(&net, 0.03).betas(0.8, 0.95).weight_decay(0.1);
    let mut other = opt.clone();
    let target = [0.5f32, 2.0, 1.1];
    let (mut p, mut m) = ([1.0f64; 3], [0.0f64; 3]);
    for _ in 0..12 {
        train(&mut net, &mut opt, target).unwrap();
        train::eager(&mut eager, &mut other, target).item().unwrap();
        for i in 0..3 {
            let g = 2.0 * (p[i] - f64::from(target[i]));
            p[i] -= 0.03 * ((0.8 * m[i] + 0.2 * g).signum() + 0.1 * p[i]);
            m[i] = 0.95 * m[i] + 0.05 * g;
        }
        for (i, want) in p.iter().enumerate() {
            for got in [net.weight.as_slice()[i], eager.weight.as_slice()[i]] {
                assert!((f64::from(got) - want).abs() < 1e-5, "{got} {want}");
            }
        }
    }
    assert_eq!((opt.steps(), other.steps()), (12, 12));
}

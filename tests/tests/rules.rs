//! Lion and LAMB, compiled and eager, against the papers' rules written by hand in f64.

use kiln::prelude::*;

#[model]
fn loss(net: &LayerNorm<3>, target: Tensor<3>) -> Tensor {
    (net.weight - target).square().sum() + (net.bias * net.weight - target).square().sum()
}

#[model]
fn lion(net: &mut LayerNorm<3>, opt: &mut Lion<LayerNorm<3>>, target: Tensor<3>) -> Tensor {
    let (loss, grads) = value_and_grad(loss)(net, target);
    opt.step(net, grads);
    loss
}

#[model]
fn lamb(net: &mut LayerNorm<3>, opt: &mut Lamb<LayerNorm<3>>, target: Tensor<3>) -> Tensor {
    let (loss, grads) = value_and_grad(loss)(net, target);
    opt.step(net, grads);
    loss
}

const TARGET: [f32; 3] = [0.5, 2.0, 1.1];

/// Weight and bias, and what is kept for them.
type Pair = [[f64; 3]; 2];

/// The gradient of `loss`.
fn gradient([w, c]: &Pair) -> Pair {
    let mut grads = [[0.0; 3]; 2];
    for i in 0..3 {
        let target = f64::from(TARGET[i]);
        let off = c[i] * w[i] - target;
        grads[0][i] = 2.0 * (w[i] - target) + 2.0 * off * c[i];
        grads[1][i] = 2.0 * off * w[i];
    }
    grads
}

fn close(net: &LayerNorm<3>, want: &Pair, step: usize) {
    for (leaf, want) in [&net.weight, &net.bias].into_iter().zip(want) {
        for (got, want) in leaf.as_slice().iter().zip(want) {
            assert!((f64::from(*got) - want).abs() < 1e-5, "step {step}: {got} {want}");
        }
    }
}

#[test]
fn lion_is_that_of_the_paper() {
    let mut net = LayerNorm::<3>::init(&mut Rng::seed(0));
    let mut eager = net.clone();
    let mut opt = Lion::new(&net, 0.03).betas(0.8, 0.95).weight_decay(0.1);
    let mut other = opt.clone();
    let (mut p, mut m): (Pair, Pair) = ([[1.0; 3], [0.0; 3]], [[0.0; 3]; 2]);
    for step in 0..12 {
        lion(&mut net, &mut opt, TARGET).unwrap();
        lion::eager(&mut eager, &mut other, TARGET).item().unwrap();
        let grads = gradient(&p);
        for (k, i) in (0..2).flat_map(|k| (0..3).map(move |i| (k, i))) {
            let g = grads[k][i];
            p[k][i] -= 0.03 * ((0.8 * m[k][i] + 0.2 * g).signum() + 0.1 * p[k][i]);
            m[k][i] = 0.95 * m[k][i] + 0.05 * g;
        }
        close(&net, &p, step);
        close(&eager, &p, step);
    }
    assert_eq!((opt.steps(), other.steps()), (12, 12));
}

/// The bias is 0 at first, so that its first step has the length of Adam's.
#[test]
fn lamb_is_that_of_the_paper() {
    let mut net = LayerNorm::<3>::init(&mut Rng::seed(0));
    let mut eager = net.clone();
    let (lr, [beta1, beta2], eps, decay) = (0.05, [0.8, 0.95], 1e-3, 0.1);
    let mut opt = Lamb::new(&net, lr).betas(beta1, beta2).eps(eps).weight_decay(decay);
    let mut other = opt.clone();
    let (mut p, mut m, mut v): (Pair, Pair, Pair) = ([[1.0; 3], [0.0; 3]], [[0.0; 3]; 2], [[0.0; 3]; 2]);
    let length = |x: &[f64; 3]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    for step in 1..=12 {
        lamb(&mut net, &mut opt, TARGET).unwrap();
        lamb::eager(&mut eager, &mut other, TARGET).item().unwrap();
        let grads = gradient(&p);
        for k in 0..2 {
            let mut r = [0.0; 3];
            for i in 0..3 {
                let g = grads[k][i];
                m[k][i] = beta1 * m[k][i] + (1.0 - beta1) * g;
                v[k][i] = beta2 * v[k][i] + (1.0 - beta2) * g * g;
                let (mean, square) = (m[k][i] / (1.0 - beta1.powi(step)), v[k][i] / (1.0 - beta2.powi(step)));
                r[i] = mean / (square.sqrt() + eps) + decay * p[k][i];
            }
            let (long, wide) = (length(&p[k]), length(&r));
            let trust = if long > 0.0 && wide > 0.0 { long / wide } else { 1.0 };
            (0..3).for_each(|i| p[k][i] -= lr * trust * r[i]);
        }
        close(&net, &p, step as usize);
        close(&eager, &p, step as usize);
    }
    assert_eq!((opt.steps(), other.steps()), (12, 12));
}

//! Compiled and eager agree: the values, the gradients, and what training makes of them.
#![allow(missing_docs)]

use kiln::autograd::value_and_grad;
use kiln::prelude::*;

#[params]
struct Mlp {
    fc1: Linear<6, 8>,
    norm: LayerNorm<8>,
    fc2: LinearNoBias<8, 4>,
    #[buffer]
    steps: Tensor<f32>,
}

#[model]
fn mlp<const N: usize>(net: &Mlp, x: Tensor<N, 6>) -> Tensor<N, 4> {
    let h = net.norm.forward(net.fc1.forward(x)).gelu();
    net.fc2.forward(h)
}

#[model]
fn loss<const N: usize>(net: &Mlp, x: Tensor<N, 6>, y: Tensor<i64, N>) -> Tensor<f32> {
    cross_entropy(mlp(net, x), y)
}

macro_rules! train_steps {
    ($($name:ident $opt:ident;)*) => {$(
        #[model]
        fn $name<const N: usize>(
            net: &mut Mlp,
            opt: &mut $opt<Mlp>,
            x: Tensor<N, 6>,
            y: Tensor<i64, N>,
        ) -> Tensor<f32> {
            let (loss, grads) = value_and_grad(loss)(net, x, y);
            opt.step(net, grads.clip_norm(0.5));
            net.steps += 1.0;
            loss
        }
    )*};
}
train_steps!(sgd_step Sgd; adam_step Adam; adamw_step AdamW;);

fn inputs(seed: u64, n: usize) -> (Tensor, Tensor<i64>) {
    let mut rng = Rng::seed(seed);
    let x = (0..n * 6).map(|_| rng.normal()).collect();
    let y = (0..n).map(|_| rng.below(4) as i64).collect();
    (Tensor::from_vec([n, 6], x).expect("[N, 6]"), Tensor::from_vec([n], y).expect("[N]"))
}

fn close(what: &str, a: &Tensor, b: &Tensor) {
    assert_eq!(a.shape(), b.shape(), "{what}");
    for (a, b) in a.as_slice().iter().zip(b.as_slice()) {
        assert!((a - b).abs() <= 2e-5 * (1.0 + a.abs()), "{what}: {a} and {b}");
    }
}

fn same_trees(what: &str, a: &impl Params, b: &impl Params) {
    for (a, b) in a.named_leaves().iter().zip(b.named_leaves()) {
        let (x, y) = (a.tensor.as_f32().expect("f32"), b.tensor.as_f32().expect("f32"));
        close(&format!("{what}, {}", a.name), x, y);
    }
}

#[test]
fn values_and_gradients_agree() {
    let net = Mlp::init(&mut Rng::seed(0));
    for n in [1, 2, 7, 33] {
        let (x, y) = inputs(n as u64, n);
        close("mlp", &mlp(&net, &x).expect("shapes fit"), &mlp::eager(&net, &x));
        let (compiled, grads) = loss::value_and_grad(&net, &x, &y).expect("shapes fit");
        let (eager, wants) = value_and_grad(&net, |net| loss::eager(net, &x, &y)).expect("a scalar");
        close("loss", &compiled, &eager);
        same_trees("gradient", &grads, &wants);
    }
}

#[test]
fn training_agrees() {
    macro_rules! check {
        ($step:ident, $opt:expr) => {{
            let mut compiled = Mlp::init(&mut Rng::seed(0));
            let mut eager = compiled.clone();
            let (mut opt, mut other) = ($opt(&compiled), $opt(&eager));
            for seed in 0..5 {
                let (x, y) = inputs(seed, 16);
                let got = $step(&mut compiled, &mut opt, &x, &y).expect("shapes fit");
                close(stringify!($step), &got, &$step::eager(&mut eager, &mut other, &x, &y));
            }
            same_trees(stringify!($step), &compiled, &eager);
            assert_eq!((opt.steps(), other.steps(), compiled.steps.item().ok()), (5, 5, Some(5.0)));
        }};
    }
    check!(sgd_step, |net| Sgd::new(net, 0.1));
    check!(sgd_step, |net| Sgd::new(net, 0.1).momentum(0.9).nesterov(true).weight_decay(0.01));
    check!(adam_step, |net| Adam::new(net, 0.01).weight_decay(0.01));
    check!(adamw_step, |net| AdamW::new(net, 0.01).betas(0.8, 0.9));
}

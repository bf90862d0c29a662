//! Arguments that are known while compiling: `bool`s that an entry is compiled for each value of, enums and numbers that
//! callers hand on, and `match` on them.
#![allow(missing_docs)]

mod common;

use common::{close, input};
use kiln::nn::batch_norm1d_train;
use kiln::prelude::*;

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Act {
    Relu,
    Tanh,
    Leaky,
}

mod kinds {
    /// Variants in capitals, as constants are written.
    #[derive(Clone, Copy, PartialEq, Debug)]
    #[allow(clippy::upper_case_acronyms)]
    pub enum Norm {
        L1,
        L2,
        MAX,
    }
}

use kinds::Norm;

const WIDE: usize = 8;
const NARROW: usize = 4;

#[params]
struct Net {
    up: Linear<3, WIDE>,
    norm: BatchNorm1d<WIDE>,
    down: Linear<WIDE, 2>,
}

#[model]
fn activated<const N: usize, const C: usize>(x: Tensor<N, C>, act: Act, slope: f32) -> Tensor<N, C> {
    match act {
        Act::Relu => x.relu(),
        Act::Leaky if slope == 0.0 => x.relu(),
        Act::Leaky => where_cond(x.gt(0.0), x, x * slope),
        other => match (other, x.size(1)) {
            (Act::Tanh, NARROW) => x,
            (Act::Tanh, 5..=WIDE) => x.tanh(),
            _ => -x,
        },
    }
}

#[model]
fn hidden<const N: usize>(x: Tensor<N, WIDE>, act: Act, slope: f32, twice: bool) -> Tensor<N, WIDE> {
    let h = activated(x, act, slope);
    if !twice {
        return h;
    }
    activated(h, Act::Tanh, slope)
}

#[model]
fn measured<const N: usize>(x: Tensor<N, 3>, norm: Norm) -> Tensor<N> {
    match norm {
        Norm::L1 => x.abs().sum_dim(1),
        kinds::Norm::L2 => (x * x).sum_dim(1).sqrt(),
        Norm::MAX => x.abs().amax(1),
    }
}

#[model]
fn norms<const N: usize>(x: Tensor<N, 3>) -> (Tensor<N>, Tensor<N>, Tensor<N>) {
    let most = if Norm::MAX == Norm::L1 { Norm::L1 } else { kinds::Norm::MAX };
    (measured(x, Norm::L1), measured(x, Norm::L2), measured(x, most))
}

#[model]
fn net<const N: usize>(net: &mut Net, x: Tensor<N, 3>, train: bool) -> Tensor<N, 2> {
    let h = net.up.forward(x);
    let h = if train { batch_norm1d_train(&mut net.norm, h) } else { net.norm.forward(h) };
    net.down.forward(hidden(h, Act::Leaky, 0.1, train))
}

#[model]
fn loss<const N: usize>(
    params: &mut Net,
    x: Tensor<N, 3>,
    y: Tensor<N, 2>,
    train: bool,
    root: bool,
) -> Tensor<f32> {
    let off = mse_loss(net(params, x, train), y);
    match (train, root) {
        (_, true) => off.sqrt(),
        (true | false, false) => off,
    }
}

#[model]
fn all<const N: usize>(x: Tensor<N, WIDE>, y: Tensor<N, NARROW>) -> (Tensor<N, WIDE>, Tensor<N, NARROW>) {
    (
        hidden(x, Act::Relu, 0.3, false)
            + hidden(x, Act::Leaky, 0.3, true) * 2.0
            + activated(x, Act::Leaky, 0.0),
        activated(y, Act::Tanh, 0.3),
    )
}

fn start() -> (Net, Tensor, Tensor) {
    (Net::init(&mut Rng::seed(3)), input([6, 3]), input([6, 2]))
}

fn alike(got: &Net, want: &Net, what: &str) {
    for (g, w) in got.named_leaves().iter().zip(&want.named_leaves()) {
        let f32s = |leaf: &kiln::Leaf| leaf.tensor.as_f32().expect("all are").clone();
        close(&f32s(g), &f32s(w), &format!("{what}: {}", g.name));
    }
}

#[test]
fn an_entry_has_a_graph_for_each_value_of_its_bool() {
    for train in [false, true] {
        let ((mut compiled, x, _), (mut eager, ..)) = (start(), start());
        for turn in 0..3 {
            let what = format!("train {train}, turn {turn}");
            let got = net(&mut compiled, &x, train).expect("shapes that fit");
            close(&got, &net::eager(&mut eager, &x, train), &what);
            alike(&compiled, &eager, &what);
        }
        let moved = compiled.norm.running_mean != start().0.norm.running_mean;
        assert_eq!(moved, train, "the running mean");
    }
    assert!(net::PLAN.contains("train = false\n") && net::PLAN.contains("train = true\n"), "{}", net::PLAN);
}

#[test]
fn gradients_are_of_the_graph_that_was_chosen() {
    let mut values = Vec::new();
    for (train, root) in [(false, false), (true, false), (false, true), (true, true)] {
        let ((mut compiled, x, y), (eager, ..)) = (start(), start());
        let (value, grads) =
            loss::value_and_grad(&mut compiled, &x, &y, train, root).expect("shapes that fit");
        let (want, wanted) =
            kiln::autograd::value_and_grad(&eager, |p| loss::eager(&mut p.clone(), &x, &y, train, root))
                .expect("a scalar");
        close(&value, &want, &format!("{train} {root}"));
        alike(&grads, &wanted, &format!("gradient, {train} {root}"));
        values.push(value.item().expect("a scalar"));
    }
    assert!(
        (values[2] - values[0].sqrt()).abs() < 1e-5 && (values[3] - values[1].sqrt()).abs() < 1e-5,
        "{values:?}"
    );
    assert!((values[0] - values[1]).abs() > 1e-3, "{values:?}");
}

#[test]
fn enums_and_numbers_pass_through_models() {
    let (x, y) = (input([4, WIDE]), input([4, NARROW]));
    let (got, same) = all(&x, &y).expect("shapes that fit");
    let leaky = |v: f32, slope: f32| if v > 0.0 { v } else { v * slope };
    let want: Vec<f32> =
        x.as_slice().iter().map(|&v| 2.0 * v.max(0.0) + 2.0 * leaky(v, 0.3).tanh()).collect();
    close(&got, &Tensor::from_vec([4, WIDE], want).expect("as many"), "by hand");
    assert_eq!(same, y);
    let (eager, same) = all::eager(&x, &y);
    close(&got, &eager, "eager");
    assert_eq!(same, y);
    close(
        &activated::eager(&x, Act::Leaky, 0.5f32),
        &x.relu().add(x.relu().sub(&x) * -0.5),
        "called by itself",
    );
}

#[test]
fn variants_in_capitals_are_no_constants() {
    let x = input([4, 3]);
    let (one, two, most) = norms(&x).expect("shapes that fit");
    close(&one, &x.abs().sum_dim(1), "L1");
    close(&two, &(&x * &x).sum_dim(1).sqrt(), "L2");
    close(&most, &x.abs().amax(1), "MAX");
    let eager = norms::eager(&x);
    close(&one, &eager.0, "L1, eager");
    close(&two, &eager.1, "L2, eager");
    close(&most, &eager.2, "MAX, eager");
}

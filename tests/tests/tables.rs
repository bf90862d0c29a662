//! Trees of so many leaves that a table takes them apart: read, updated, differentiated, frozen; and what misfits in them.
#![allow(missing_docs)]

use kiln::prelude::*;

#[params]
pub struct Four {
    a: BatchNorm1d<4>,
    b: BatchNorm1d<4>,
    c: BatchNorm1d<4>,
    d: BatchNorm1d<4>,
}

/// 144 leaves, of which `unused` has 16.
#[params]
pub struct Many {
    a: Four,
    unused: Four,
    rest: [Four; 7],
}

#[model(inline)]
fn four<const N: usize>(net: &Four, x: Tensor<N, 4>) -> Tensor<N, 4> {
    let x = net.b.forward(net.a.forward(x).tanh()).sigmoid();
    net.d.forward(net.c.forward(x).tanh())
}

#[model]
pub fn many<const N: usize>(net: &Many, x: Tensor<N, 4>) -> Tensor<N, 4> {
    let x = four(&net.rest[0], four(&net.a, x));
    let x = four(&net.rest[2], four(&net.rest[1], x));
    let x = four(&net.rest[4], four(&net.rest[3], x));
    four(&net.rest[6], four(&net.rest[5], x))
}

#[model]
pub fn loss<const N: usize>(net: &Many, x: Tensor<N, 4>) -> Tensor {
    many(net, x).square().mean()
}

#[model]
pub fn step<const N: usize>(net: &mut Many, opt: &mut Adam<Many>, x: Tensor<N, 4>) -> Tensor {
    let (loss, grads) = value_and_grad(loss)(net, x);
    opt.step(net, grads);
    loss
}

#[model(inline)]
fn four_train<const N: usize>(net: &mut Four, x: Tensor<N, 4>) -> Tensor<N, 4> {
    let x = batch_norm1d_train(&mut net.a, x).tanh();
    let x = batch_norm1d_train(&mut net.b, x).sigmoid();
    let x = batch_norm1d_train(&mut net.c, x).tanh();
    batch_norm1d_train(&mut net.d, x)
}

#[model]
pub fn seen<const N: usize>(net: &mut Many, x: Tensor<N, 4>) -> Tensor<N, 4> {
    let x = four_train(&mut net.a, x);
    let x = four_train(&mut net.rest[0], x);
    let x = four_train(&mut net.rest[1], x);
    let x = four_train(&mut net.rest[2], x);
    let x = four_train(&mut net.rest[3], x);
    let x = four_train(&mut net.rest[4], x);
    let x = four_train(&mut net.rest[5], x);
    four_train(&mut net.rest[6], x)
}

const X: [[f32; 4]; 3] = [[1.0, -2.0, 0.5, 3.0], [0.0, 1.5, -1.0, 0.25], [-0.5, 1.0, 2.0, -3.0]];

/// A net whose leaves all differ.
fn net() -> Many {
    let mut net = Many::init(&mut Rng::seed(5));
    let mut rng = Rng::seed(6);
    let mut leaves = Vec::new();
    net.leaves_mut("", &mut leaves);
    for leaf in leaves {
        let tensor = leaf.tensor.into_f32().expect("all are");
        tensor.as_mut_slice().iter_mut().for_each(|x| *x = 0.5 + rng.uniform());
    }
    net
}

fn near(a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len());
    assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 2e-5 * (1.0 + b.abs())), "{a:?}\n{b:?}");
}

fn all_near(a: &Many, b: &Many) {
    for (a, b) in a.named_leaves().iter().zip(b.named_leaves()) {
        near(&a.tensor.to_f32(), &b.tensor.to_f32());
    }
}

#[test]
fn read_and_frozen() {
    let mut net = net();
    let want = many::eager(&net, X);
    let frozen = many::freeze(&net).unwrap();
    near(many(&net, X).unwrap().as_slice(), want.as_slice());
    near(frozen.run(X).unwrap().as_slice(), want.as_slice());
    // What is kept is shared until one side is written to; the last layers are those that the result hangs on.
    net.rest[6].c.bias.as_mut_slice()[2] = 7.0;
    near(frozen.run(X).unwrap().as_slice(), want.as_slice());
    assert_ne!(many(&net, X).unwrap().as_slice(), want.as_slice());
}

#[test]
fn updated() {
    let (mut net, mut other) = (net(), net());
    near(seen(&mut net, X).unwrap().as_slice(), seen::eager(&mut other, X).as_slice());
    all_near(&net, &other);
    let (mut opt, mut other_opt) = (Adam::new(&net, 0.01), Adam::new(&other, 0.01));
    for _ in 0..2 {
        let (loss, want) = (step(&mut net, &mut opt, X).unwrap(), step::eager(&mut other, &mut other_opt, X));
        near(loss.as_slice(), want.as_slice());
    }
    all_near(&net, &other);
}

#[test]
fn differentiated() {
    let net = net();
    let (value, grads) = loss::value_and_grad(&net, X).unwrap();
    near(value.as_slice(), loss::eager(&net, X).as_slice());
    let unused = grads.unused.named_leaves();
    assert!(unused.iter().all(|leaf| leaf.tensor.to_f32() == [0.0; 4]));
    // Against differences of each weight's first element.
    for leaf in ["a.b.weight", "rest.0.a.bias", "rest.6.d.weight"] {
        let moved = |by: f32| {
            let mut net = net.clone();
            let mut leaves = Vec::new();
            net.leaves_mut("", &mut leaves);
            let found = leaves.into_iter().find(|l| l.name == leaf).expect("it is there");
            found.tensor.into_f32().expect("it is").as_mut_slice()[0] += by;
            loss(&net, X).unwrap().item().unwrap()
        };
        let want = (moved(1e-2) - moved(-1e-2)) / 2e-2;
        let got =
            grads.named_leaves().into_iter().find(|l| l.name == leaf).expect("it is there").tensor.to_f32()
                [0];
        assert!((got - want).abs() < 1e-2 * (1.0 + want.abs()), "{leaf}: {got}, not {want}");
    }
}

#[test]
fn a_misfit_is_named() {
    let mut net = net();
    net.rest[1].c.bias = Tensor::zeros([5]);
    let told = "`many`: argument `net.rest.1.c.bias` must have shape [4], but has [5]";
    assert_eq!(many(&net, X).unwrap_err().to_string(), told);
    assert_eq!(many::freeze(&net).unwrap_err().to_string(), told);
    let error = seen(&mut net, X).unwrap_err().to_string();
    assert_eq!(error, told.replace("many", "seen"));
}

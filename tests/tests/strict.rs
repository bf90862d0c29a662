//! A crate that denies what can be denied, with names that are hard on macros.
#![deny(warnings, unused, missing_docs, nonstandard_style, unreachable_pub, missing_debug_implementations)]
#![deny(clippy::pedantic)]
#![forbid(unsafe_code)]

use kiln::prelude::*;

/// A struct in capitals, which is no constant.
#[params]
#[derive(PartialEq)]
pub struct MLP {
    /// A field that is a keyword.
    pub r#type: Tensor<2>,
}

/// A model and arguments that are keywords.
#[must_use]
#[model]
pub fn r#match<const N: usize>(r#in: Tensor<N>) -> Tensor<N> {
    let r#fn = r#in;
    r#fn * 2.0
}

/// An argument of a name that is emitted, too.
#[model]
pub fn named<const N: usize>(net: &MLP, cotangent: Tensor<N, 2>, mut out: Tensor<N, 2>) -> Tensor<N, 2> {
    out *= cotangent;
    r#match(net.r#type).unsqueeze(0) * out
}

/// What trains it.
#[model]
pub fn loss(net: &MLP, x: Tensor<2>) -> Tensor {
    (net.r#type * x).sum()
}

/// A step, the optimizer's params in capitals, too.
#[model]
pub fn step(net: &mut MLP, opt: &mut Sgd<MLP>, x: Tensor<2>) -> Tensor {
    let (loss, grads) = value_and_grad(loss)(net, x);
    opt.step(net, grads);
    loss
}

mod collisions {
    //! Names of Rust's own and of kiln's, taken for something else.
    #![allow(dead_code, missing_debug_implementations, unreachable_pub, missing_docs, clippy::pedantic)]
    use super::*;

    mod core {}
    mod std {}
    mod alloc {}
    mod rt {}
    struct Vec;
    struct Option;
    struct Clone;
    enum Of {
        Ok,
        Err,
        Some,
        None,
    }
    #[allow(unused_imports)]
    use Of::*;

    #[model]
    pub(super) fn doubled<const N: usize>(net: &super::MLP, x: Tensor<N, 2>) -> Tensor<N, 2> {
        named(net, x, x.relu())
    }
}

fn net() -> MLP {
    MLP { r#type: Tensor::from([1.0, 10.0]) }
}

#[test]
fn hard_names_compute() {
    let y = named(&net(), [[1.0, 2.0]], [[3.0, 4.0]]).expect("shapes fit");
    assert_eq!(y.as_slice(), [6.0, 160.0]);
    let (_, grads) = named::vjp(&net(), [[1.0, 2.0]], [[3.0, 4.0]], [[1.0, 1.0]]).expect("shapes fit");
    assert_eq!(grads.r#type.as_slice(), [6.0, 16.0]);
    assert_eq!(collisions::doubled(&net(), [[1.0, 2.0]]).expect("shapes fit").as_slice(), [2.0, 80.0]);
}

#[test]
fn params_in_capitals_are_trained() {
    let (mut net, mut opt) = (net(), Sgd::new(&net(), 0.5));
    step(&mut net, &mut opt, [2.0, 4.0]).expect("shapes fit");
    assert_eq!(net.r#type.as_slice(), [0.0, 8.0]);
}

#[test]
fn figures_of_free_dims_are_functions_whatever_the_body() {
    assert_eq!(r#match::scratch_bytes(7), r#match::SCRATCH_BYTES);
}

//! Models whose names the library or std has, and models of a crate that knows the library under another name.
#![allow(missing_docs)]

use kiln::prelude::*;

/// A model named like a function of the prelude, beside the prelude.
#[model]
pub fn l1_loss<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    x * 2.0
}

#[model]
fn calls_l1_loss<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    l1_loss(l1_loss(x))
}

/// Models named like macros of std.
#[model]
fn vec<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    x + 1.0
}

#[model(inline)]
fn concat(x: Tensor) -> Tensor {
    x + 2.0
}

#[model]
fn calls_vec<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    concat(vec(x))
}

mod other {
    use kiln::prelude::*;

    #[model]
    pub fn mse_loss<const N: usize>(x: Tensor<N>) -> Tensor<N> {
        x * 3.0
    }

    #[model]
    pub fn line<const N: usize>(x: Tensor<N>) -> Tensor<N> {
        x + 4.0
    }

    #[model]
    pub fn plain<const N: usize>(x: Tensor<N>) -> Tensor<N> {
        super::l1_loss(line(x))
    }
}

mod imports {
    use super::other::{line, line as segment, mse_loss, mse_loss as tripled};
    use kiln::prelude::*;

    #[model]
    pub fn all<const N: usize>(x: Tensor<N>) -> Tensor<N> {
        tripled(segment(line(mse_loss(x))))
    }
}

mod below {
    use super::*;

    #[model]
    pub fn calls_from_below<const N: usize>(x: Tensor<N>) -> Tensor<N> {
        l1_loss(vec(x)) + other::mse_loss(x) + other::line(x)
    }
}

mod elsewhere {
    use kiln::prelude::{self as library, *};
    use zoo::named::{self, l1_loss, l1_loss as fivefold, vec};

    #[model]
    pub fn all<const N: usize>(x: Tensor<N>) -> Tensor<N> {
        l1_loss(vec(x)) + fivefold(x) + zoo::named::l1_loss(x) + named::vec(x) + library::l1_loss(x, x * 0.0)
    }
}

mod across {
    use kiln::prelude::*;
    use renamed::{Net, halved, net as whole};

    #[model]
    pub fn doubly<const N: usize>(net: &Net, x: Tensor<N, 3>) -> Tensor<N, 2> {
        halved(whole(net, x)) + renamed::net(net, x)
    }
}

fn values(result: Result<Tensor>) -> Vec<f32> {
    result.expect("its own shapes").into_vec()
}

#[test]
fn names_of_the_library_and_of_std() {
    assert_eq!(values(calls_l1_loss([1.0])), [4.0]);
    assert_eq!(values(l1_loss([1.0])), [2.0]);
    assert_eq!(values(calls_vec([1.0])), [4.0]);
    assert_eq!(values(other::plain([1.0])), [10.0]);
    assert_eq!(values(imports::all([1.0])), [33.0]);
    assert_eq!(values(below::calls_from_below([1.0])), [12.0]);
    assert_eq!(values(elsewhere::all([1.0])), [53.0]);
    assert_eq!(vec![1, 2].len(), 2);
}

#[test]
fn a_crate_that_renames_the_library() {
    let net = renamed::Net::init(&mut Rng::seed(0));
    let one = values(renamed::net(&net, [[1.0, 2.0, 3.0]]));
    let both = values(across::doubly(&net, [[1.0, 2.0, 3.0]]));
    assert_eq!(both, one.iter().map(|x| x * 1.5).collect::<Vec<_>>());
}

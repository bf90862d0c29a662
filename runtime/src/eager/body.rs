//! What the eager form of a model's body calls beside tensors' own methods.

use std::array;
use std::panic::Location;

use super::Any;
use super::args::TensorArg;
use super::tape::Track;
use crate::{AsTensor, Element, Error, Result, Shape, Tensor};

pub use super::element::{AsIs, Taken};
pub use super::forward::{Rows, jvp, vmap};
pub use super::rule::custom_vjp;
pub use super::transform::{Outcome, Returned, Scope, Wrt, value_and_grad, vjp};
pub use super::trees::{Whole, tree_map};

/// A number as the tensors' methods take dims and sizes.
pub fn int<N: TryInto<i64>>(n: N) -> i64 {
    n.try_into().unwrap_or(i64::MAX)
}

/// An argument as a tensor; what can't be one stands for the error.
#[track_caller]
pub fn argument<T: Element>(x: impl AsTensor<T>) -> Tensor<T> {
    match x.to_tensor() {
        Ok(x) => x,
        Err(error) => failure(error),
    }
}

/// The extent of an axis; 0 of one that isn't there, which [`fit`] finds.
pub fn size<T: Element>(x: &Tensor<T>, axis: usize) -> usize {
    x.shape().get(axis).copied().unwrap_or(0)
}

/// The model called, the argument's name, and the dims that it must have, as the signature writes them.
type Place = (&'static str, &'static str, &'static str);

/// The argument, or a tensor that stands for the error that it has another shape than the model wants.
#[track_caller]
pub fn fit<T: Element>(x: Tensor<T>, place: Place, dims: &[usize]) -> Tensor<T> {
    match misfit(&x, place, dims) {
        Some(error) => failure(error),
        None => x,
    }
}

/// What is wrong with an argument, if something is: its own error comes first.
pub fn misfit<T: Element>(x: &Tensor<T>, (model, argument, wanted): Place, dims: &[usize]) -> Option<Error> {
    if let Err(error) = x.sound() {
        return Some(error);
    }
    let given = || Box::new(Shape::clipped(x.shape()));
    (x.shape() != dims).then(|| Error::Argument { model, argument: argument.into(), wanted, given: given() })
}

/// What decides between branches: one truth value.
///
/// # Errors
/// If it stands for an operation that failed, or has several elements.
pub fn decided(pred: impl Decides) -> Result<bool> {
    pred.decides()
}

/// What a branch can go by.
pub trait Decides {
    /// The truth value.
    #[doc(hidden)]
    fn decides(self) -> Result<bool>;
}

impl Decides for Tensor<bool> {
    fn decides(self) -> Result<bool> {
        self.item()
    }
}

impl Decides for bool {
    fn decides(self) -> Result<bool> {
        Ok(self)
    }
}

/// A result that stands for an error.
#[track_caller]
pub fn failure<R: Returned>(error: Error) -> R {
    let fault = match error {
        Error::Operation { what, at } => Track::fault(what, at),
        other => Track::fault(other.to_string(), Location::caller()),
    };
    R::failed(fault)
}

/// A result that says that a model can't run eagerly.
#[track_caller]
pub fn unsupported<R: Returned>(why: &str) -> R {
    R::failed(Track::fault(why.to_owned(), Location::caller()))
}

/// A cotangent.
pub fn cotangent<T: Element>(x: impl TensorArg<T>) -> Any {
    x.any()
}

/// So many parts, as an array pattern takes them.
pub trait Parts<const N: usize> {
    /// What the parts are.
    type Part;
    /// The parts; tensors that stand for an error where there is another number of them.
    fn parts(self) -> [Self::Part; N];
}

/// See [`Parts`].
#[track_caller]
pub fn parts<P: Parts<N>, const N: usize>(parts: P) -> [P::Part; N] {
    parts.parts()
}

impl<T, const N: usize> Parts<N> for [T; N] {
    type Part = T;

    fn parts(self) -> [T; N] {
        self
    }
}

impl<R: Returned, const N: usize> Parts<N> for Vec<R> {
    type Part = R;

    #[track_caller]
    fn parts(self) -> [R; N] {
        let at = Location::caller();
        self.try_into().unwrap_or_else(|given: Vec<R>| {
            let mut tensors = Vec::new();
            given.iter().for_each(|part| part.tensors(&mut tensors));
            let first = tensors.iter().map(Any::track).find(|track| track.is_fault()).cloned();
            let what = format!("{} parts for {N} names", given.len());
            let fault = first.unwrap_or_else(|| Track::fault(what, at));
            array::from_fn(|_| R::failed(fault.clone()))
        })
    }
}

/// The extents of a shape; zeros where there is another number of them.
impl<const N: usize> Parts<N> for &[usize] {
    type Part = usize;

    fn parts(self) -> [usize; N] {
        self.try_into().unwrap_or([0; N])
    }
}

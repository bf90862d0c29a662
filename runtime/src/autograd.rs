//! Gradients outside of models, as PyTorch has them.
//!
//! ```
//! use kiln::autograd::grad;
//! use kiln::prelude::*;
//!
//! let x = Tensor::<f64>::from(2.0).requires_grad();
//! let y = x.pow(3) + 2.0 * &x;
//!
//! y.backward()?;
//! assert_eq!(x.grad().expect("a gradient").item()?, 14.0);
//!
//! // A gradient that is itself recorded can be differentiated again.
//! let slope = grad(&y, &[&x], true)?.remove(0);
//! assert_eq!(grad(&slope, &[&x], false)?[0].item()?, 12.0);
//! # Ok::<(), kiln::Error>(())
//! ```
//!
//! Each operation computes at once; what depends on a tensor with [`Tensor::requires_grad`] remembers how. An
//! operation's meaning, its shapes and its derivative are those that models are compiled with.
//!
//! # Errors
//! An operation whose arguments don't fit doesn't panic. Its result stands for the error, as does all that is computed
//! from it, and [`Tensor::ok`], [`Tensor::item`], [`Tensor::backward`], and the call of a compiled model report it with
//! the place of the operation. Printing shows it, too. Such a tensor has shape `[0]` and no elements.

use crate::eager::tape::with_recording;
use crate::eager::{Any, backward, transform};
use crate::{Element, Params, Result, Tensor};

pub use crate::eager::args::{Dims, ElementType, Operand, Size, Sizes, TensorArg};
#[doc(hidden)]
pub use crate::eager::args::{bf16, bool, f16, f32, f64, i32, i64, u8};
pub use crate::eager::transform::Outcome;

/// The gradients of `of`, which has one element, with respect to tensors it was computed from: `torch.autograd.grad`.
///
/// They are zeros for a tensor that `of` doesn't depend on. With `create_graph` the gradients are recorded, so that they
/// can be differentiated again. [`Tensor::grad`] is left as it is.
///
/// # Errors
/// If `of` has several elements, depends on nothing that requires a gradient, or stands for an operation that failed.
#[track_caller]
pub fn grad<T: Element>(of: &Tensor<T>, wrt: &[&Tensor<T>], create_graph: bool) -> Result<Vec<Tensor<T>>> {
    backward::grad(&Any::new(of.clone()), wrt, create_graph)
}

/// Runs `f` without recording: for what needs no gradient. `torch.no_grad`.
///
/// ```
/// use kiln::{Tensor, autograd::no_grad};
///
/// let x = Tensor::<f64>::from(2.0).requires_grad();
/// assert!(!no_grad(|| x.exp()).is_recorded());
/// assert!(x.exp().is_recorded());
/// ```
pub fn no_grad<R>(f: impl FnOnce() -> R) -> R {
    with_recording(false, f)
}

/// The result of `f` and its gradient, a tree of the form of `params`: `jax.value_and_grad`.
///
/// `f` returns a tensor of one element, or a tuple that starts with one. Buffers have gradient 0.
///
/// ```
/// use kiln::autograd::value_and_grad;
/// use kiln::prelude::*;
///
/// let layer = Linear::<2, 1>::init(&mut Rng::seed(0));
/// let x: Tensor = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
/// let (loss, grads) = value_and_grad(&layer, |layer| {
///     x.linear(&layer.weight, Some(layer.bias.clone())).sum()
/// })?;
/// assert_eq!(grads.weight.to_string(), "[[4, 6]]");
/// assert_eq!(grads.bias.to_string(), "[2]");
/// assert!(!loss.is_recorded());
/// # Ok::<(), kiln::Error>(())
/// ```
///
/// # Errors
/// If `f` returns no scalar, what doesn't depend on the parameters, or what stands for an operation that failed.
#[track_caller]
pub fn value_and_grad<P: Params, R: Outcome>(params: &P, f: impl FnOnce(&P) -> R) -> Result<(R, P)> {
    transform::of_tree(params, f)
}

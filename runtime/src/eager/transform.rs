//! Gradients of functions: what `value_and_grad(f)(…)` in a model is when the model runs eagerly.
//!
//! The arguments to differentiate become leaves of their own; if something outside is being differentiated, they hang
//! on what they were by an identity, so that derivatives of any order come out.

use std::cell::Cell;
use std::panic::Location;

use super::Any;
use super::any::each_tensor;
use super::backward::grad_of;
use super::call::{Given, call, failed, first, one};
use super::tape::{Track, recording, with_recording};
use super::trees::{trained, with_leaves, with_trained};
use crate::{Element, LeafKind, Params, Result, Rng, Tensor};

thread_local!(static DEPTH: Cell<usize> = const { Cell::new(0) });

/// A gradient being taken.
pub struct Scope {
    /// Whether what is computed may be differentiated again, by someone outside.
    again: bool,
}

impl Scope {
    /// Opens one. Its arguments become leaves by [`Wrt::__kiln_leaf`].
    #[allow(clippy::new_without_default)]
    pub fn new() -> Scope {
        let depth = DEPTH.get();
        DEPTH.set(depth + 1);
        Scope { again: depth > 0 && recording() }
    }

    /// Whether what is computed may be differentiated again.
    pub(crate) fn again(&self) -> bool {
        self.again
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

/// What a gradient may be taken with respect to: a tensor, or the trained leaves of a tree.
pub trait Wrt: Clone {
    /// A copy to differentiate with respect to.
    #[doc(hidden)]
    fn __kiln_leaf(&self, scope: &mut Scope) -> Self;

    /// Hands what the function changed in this copy, but for what is trained, on to where it was copied from.
    #[doc(hidden)]
    fn __kiln_keep(&self, scope: &Scope, original: &mut Self);

    /// What of it is differentiated by.
    #[doc(hidden)]
    fn __kiln_leaves(&self) -> Vec<Any>;

    /// The gradient of `of` with respect to this copy, or a fault everywhere.
    #[doc(hidden)]
    fn __kiln_gradient(&self, of: &Result<Any, Track>, again: bool, at: &'static Location<'static>) -> Self;
}

fn leaf<T: Element>(x: &Tensor<T>, scope: &mut Scope) -> Tensor<T> {
    if x.is_recorded() && recording() {
        scope.again = true;
        // Its gradient ends here, and yet it hangs on what it was.
        return one("clone", vec![Given::Tensor(Any::new(x.clone()))]);
    }
    x.detach().requires_grad()
}

/// State that a differentiated function left; nothing reaches back into the function unless someone outside asks.
fn kept(state: Any, scope: &Scope) -> Any {
    if scope.again { state } else { state.detach() }
}

fn gradients(
    of: &Result<Any, Track>,
    wrt: &[Any],
    again: bool,
    at: &'static Location<'static>,
) -> Result<Vec<Any>, Track> {
    let of = of.as_ref().map_err(Track::clone)?;
    if of.track().origin().is_none() {
        // It hangs on none of them.
        let zeros = wrt.iter().map(|x| Any::full(x.dtype(), x.shape(), 0.0));
        return zeros.map(|zero| zero.map_err(|error| Track::fault(error.to_string(), at))).collect();
    }
    grad_of(of, wrt, again).map_err(|error| Track::fault(error.to_string(), at))
}

impl<T: Element> Wrt for Tensor<T> {
    fn __kiln_leaf(&self, scope: &mut Scope) -> Self {
        leaf(self, scope)
    }

    fn __kiln_keep(&self, scope: &Scope, original: &mut Self) {
        *original = if scope.again { self.clone() } else { self.detach() };
    }

    fn __kiln_leaves(&self) -> Vec<Any> {
        vec![Any::new(self.clone())]
    }

    fn __kiln_gradient(&self, of: &Result<Any, Track>, again: bool, at: &'static Location<'static>) -> Self {
        match gradients(of, &[Any::new(self.clone())], again, at) {
            Ok(grads) => first(grads),
            Err(fault) => failed(fault),
        }
    }
}

impl<P: Params> Wrt for P {
    fn __kiln_leaf(&self, scope: &mut Scope) -> Self {
        with_trained(self, |x| each_tensor!(x, |t| Any::new(leaf(&t, scope))))
    }

    fn __kiln_keep(&self, scope: &Scope, original: &mut Self) {
        let (copies, mut originals) = (self.named_leaves(), Vec::new());
        original.leaves_mut("", &mut originals);
        for (copy, original) in copies.iter().zip(originals) {
            if original.kind == LeafKind::Buffer {
                original.tensor.set(kept(copy.tensor.any(), scope));
            }
        }
    }

    fn __kiln_leaves(&self) -> Vec<Any> {
        trained(self)
    }

    fn __kiln_gradient(&self, of: &Result<Any, Track>, again: bool, at: &'static Location<'static>) -> Self {
        let grads = gradients(of, &trained(self), again, at);
        let mut next = grads.as_ref().map(|grads| grads.iter());
        let zeros = self.zeros_like();
        with_trained(&zeros, |zero| match &mut next {
            Ok(grads) => grads.next().cloned().unwrap_or(zero),
            Err(fault) => zero.failed(fault.clone()),
        })
    }
}

/// What a model returns: a tensor, or a tuple or array of which the first is differentiated.
pub trait Outcome: Sized {
    /// The tensors.
    #[doc(hidden)]
    fn tensors(&self, out: &mut Vec<Any>);
    /// The same, cut off from what it was computed from.
    #[doc(hidden)]
    fn detached(self) -> Self;
    /// The same with other tensors.
    #[doc(hidden)]
    fn rebuilt(&self, with: &mut dyn Iterator<Item = Any>) -> Self;
}

/// What a model returns to its caller, which may be an error.
pub trait Returned: Outcome {
    /// What stands for it.
    #[doc(hidden)]
    fn failed(fault: Track) -> Self;
}

impl<T: Element> Returned for Tensor<T> {
    fn failed(fault: Track) -> Self {
        failed(fault)
    }
}

impl<T: Element> Outcome for Tensor<T> {
    fn tensors(&self, out: &mut Vec<Any>) {
        out.push(Any::new(self.clone()));
    }

    fn detached(self) -> Self {
        self.detach()
    }

    fn rebuilt(&self, with: &mut dyn Iterator<Item = Any>) -> Self {
        match with.next() {
            Some(x) if x.track().is_fault() => failed(x.track().clone()),
            Some(x) => T::restored(x).unwrap_or_else(|| self.same_shape_zeros()),
            None => self.same_shape_zeros(),
        }
    }
}

impl<P: Params> Outcome for P {
    fn tensors(&self, out: &mut Vec<Any>) {
        out.extend(self.named_leaves().into_iter().map(|leaf| leaf.tensor.any()));
    }

    fn detached(self) -> Self {
        with_leaves(&self, |_| true, |x| x.detach())
    }

    fn rebuilt(&self, with: &mut dyn Iterator<Item = Any>) -> Self {
        with_leaves(self, |_| true, |x| each_tensor!(x, |t| Any::new(t.rebuilt(with))))
    }
}

impl<P: Params> Returned for P {
    fn failed(fault: Track) -> Self {
        with_leaves(&P::init(&mut Rng::seed(0)), |_| true, |x| x.failed(fault.clone()))
    }
}

/// Several arguments to differentiate, one alone not as a tuple.
pub trait Gradients {
    /// A gradient for each.
    type Output;
    #[doc(hidden)]
    fn gradients(self, of: &Result<Any, Track>, again: bool, at: &'static Location<'static>) -> Self::Output;
}

impl<A: Wrt> Gradients for (&A,) {
    type Output = A;

    fn gradients(self, of: &Result<Any, Track>, again: bool, at: &'static Location<'static>) -> A {
        self.0.__kiln_gradient(of, again, at)
    }
}

macro_rules! several {
    ($(($($name:ident)*))*) => {$(
        #[allow(non_snake_case)]
        impl<$($name: Wrt),*> Gradients for ($(&$name,)*) {
            type Output = ($($name,)*);

            fn gradients(self, of: &Result<Any, Track>, again: bool, at: &'static Location<'static>) -> Self::Output {
                let ($($name,)*) = self;
                ($($name.__kiln_gradient(of, again, at),)*)
            }
        }
    )*};
}
several!((A B)(A B C)(A B C D));

/// The value and its gradients with respect to leaves of the scope.
#[track_caller]
pub fn value_and_grad<R: Outcome, G: Gradients>(scope: Scope, value: R, wrt: G) -> (R, G::Output) {
    let at = Location::caller();
    let mut tensors = Vec::new();
    value.tensors(&mut tensors);
    let of = sound(tensors.into_iter().next(), at);
    let grads = wrt.gradients(&of, scope.again, at);
    (if scope.again { value } else { value.detached() }, grads)
}

/// The value, and the gradients of the sum of each float result times its cotangent.
#[track_caller]
pub fn vjp<R: Outcome, G: Gradients>(scope: Scope, value: R, cotangents: Vec<Any>, wrt: G) -> (R, G::Output) {
    let at = Location::caller();
    let mut tensors = Vec::new();
    value.tensors(&mut tensors);
    tensors.retain(|x| x.dtype().is_float() || x.track().is_fault());
    let of = weighted(tensors, cotangents, at);
    let grads = wrt.gradients(&of, scope.again, at);
    (if scope.again { value } else { value.detached() }, grads)
}

fn sound(of: Option<Any>, at: &'static Location<'static>) -> Result<Any, Track> {
    match of {
        Some(of) if of.track().is_fault() => Err(of.track().clone()),
        Some(of) => Ok(of),
        None => Err(Track::fault("a gradient needs a result".into(), at)),
    }
}

fn weighted(tensors: Vec<Any>, cotangents: Vec<Any>, at: &'static Location<'static>) -> Result<Any, Track> {
    let mut total = None;
    for (x, cotangent) in tensors.into_iter().zip(cotangents) {
        if x.shape() != cotangent.shape() && !x.track().is_fault() && !cotangent.track().is_fault() {
            let what = format!("a result has shape {:?}, its cotangent {:?}", x.shape(), cotangent.shape());
            return Err(Track::fault(what, at));
        }
        let product = call("mul", vec![Given::Tensor(x), Given::Tensor(cotangent)])?.remove(0);
        let sum = call("sum", vec![Given::Tensor(product)])?.remove(0);
        total = Some(match total {
            None => sum,
            Some(known) => call("add", vec![Given::Tensor(known), Given::Tensor(sum)])?.remove(0),
        });
    }
    sound(total, at)
}

/// See [`crate::autograd::value_and_grad`].
#[track_caller]
pub(crate) fn of_tree<P: Params, R: Outcome>(params: &P, f: impl FnOnce(&P) -> R) -> Result<(R, P)> {
    let (value, grads) = with_recording(true, || {
        let mut scope = Scope::new();
        let leaves = Wrt::__kiln_leaf(params, &mut scope);
        let value = f(&leaves);
        value_and_grad(scope, value, (&leaves,))
    });
    let mut tensors = Vec::new();
    value.tensors(&mut tensors);
    tensors.iter().try_for_each(|x| x.track().sound())?;
    trained(&grads).iter().try_for_each(|x| x.sound())?;
    Ok((value, grads))
}

//! Gradients: from a result back through the calls, each handing its cotangent on by the graph's own derivative.

use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::Arc;

use super::Any;
use super::call::{Given, apply, call, failed};
use super::rule;
use super::tape::{Call, Leaf, Origin, Track, with_recording};
use crate::{Element, Error, Result, Tensor};

/// Cotangents that have arrived, but haven't been handed on.
#[derive(Default)]
struct Arrived {
    /// By the number of the call: one an output.
    calls: BTreeMap<u64, (Arc<Call>, Vec<Option<Any>>)>,
    leaves: BTreeMap<u64, (Arc<Leaf>, Any)>,
}

impl Arrived {
    fn add(&mut self, origin: &Origin, cotangent: Any) -> Result<()> {
        match origin {
            Origin::Fault(_) => {}
            Origin::Leaf(leaf) => {
                let known = self.leaves.remove(&leaf.id).map(|(_, known)| known);
                self.leaves.insert(leaf.id, (Arc::clone(leaf), sum(known, cotangent)?));
            }
            Origin::Output(call, i) => {
                let outputs = call.function.func.outputs.len();
                let (_, slots) =
                    self.calls.entry(call.id).or_insert_with(|| (Arc::clone(call), vec![None; outputs]));
                slots[*i] = Some(sum(slots[*i].take(), cotangent)?);
            }
        }
        Ok(())
    }
}

fn sum(known: Option<Any>, more: Any) -> Result<Any> {
    let Some(known) = known else { return Ok(more) };
    let both = call("add", vec![Given::Tensor(known), Given::Tensor(more)]);
    Ok(both.map_err(|fault| error(&fault))?.remove(0))
}

fn error(fault: &Track) -> Error {
    fault.sound().expect_err("a fault isn't sound")
}

/// The gradients of `of`, which has one element: of every leaf, and of the tensors that `wanted` come from.
fn sweep(of: &Any, wanted: &[&Track], at: &'static Location<'static>) -> Result<(Arrived, Vec<Option<Any>>)> {
    of.track().sound()?;
    let refuse = |what: String| Err(Error::Operation { what, at });
    if of.shape().iter().product::<usize>() != 1 || !of.dtype().is_float() {
        let shape = of.shape();
        return refuse(format!("a gradient needs one float, not {} {shape:?}", of.dtype().name()));
    }
    let mut found = vec![None; wanted.len()];
    let mut arrived = Arrived::default();
    let Some(origin) = of.track().origin() else {
        return refuse("a gradient needs a tensor that was computed from one with `requires_grad()`".into());
    };
    arrived.add(origin, Any::full(of.dtype(), of.shape(), 1.0)?)?;
    while let Some((id, (call, cotangents))) = arrived.calls.pop_last() {
        for (slot, track) in found.iter_mut().zip(wanted) {
            match track.origin() {
                Some(Origin::Output(made, i)) if made.id == id => *slot = cotangents[*i].clone(),
                _ => {}
            }
        }
        hand_on(&call, cotangents, &mut arrived, at)?;
    }
    for (slot, track) in found.iter_mut().zip(wanted) {
        if let Some(Origin::Leaf(leaf)) = track.origin() {
            *slot = arrived.leaves.get(&leaf.id).map(|(_, grad)| grad.clone());
        }
    }
    Ok((arrived, found))
}

/// Adds what a call's arguments get from the cotangents of its outputs.
fn hand_on(
    call: &Arc<Call>,
    mut cotangents: Vec<Option<Any>>,
    arrived: &mut Arrived,
    at: &'static Location<'static>,
) -> Result<()> {
    if call.rule.is_some() {
        return by_rule(call, cotangents.remove(0), arrived, at);
    }
    let active = |i: &usize| call.inputs[*i].track().is_active() && call.inputs[*i].dtype().is_float();
    let wrt: Vec<usize> = (0..call.inputs.len()).filter(active).collect();
    let vjp = call.function.vjp(&wrt).map_err(|error| Error::Operation { what: error.to_string(), at })?;
    let func = &call.function.func;
    let mut inputs = call.inputs.clone();
    for (output, cotangent) in func.outputs.iter().zip(cotangents) {
        let ty = func.ty(output.value);
        if ty.dtype.is_float() {
            let shape = || ty.shape.iter().map(|d| d.literal().unwrap_or(0) as usize).collect::<Vec<_>>();
            inputs.push(cotangent.map_or_else(|| Any::full(ty.dtype, &shape(), 0.0), Ok)?);
        }
    }
    for (i, cotangent) in wrt.iter().zip(apply(&vjp, inputs)?) {
        if let Some(origin) = call.inputs[*i].track().origin() {
            arrived.add(origin, cotangent)?;
        }
    }
    Ok(())
}

/// The same for a call that has a rule.
fn by_rule(
    call: &Arc<Call>,
    cotangent: Option<Any>,
    arrived: &mut Arrived,
    at: &'static Location<'static>,
) -> Result<()> {
    let Some(cotangent) = cotangent else { return Ok(()) };
    for (i, cotangent) in rule::cotangents(call, cotangent, at)?.into_iter().flatten() {
        if let Some(origin) = call.inputs[i].track().origin() {
            arrived.add(origin, cotangent)?;
        }
    }
    Ok(())
}

/// See [`crate::autograd::grad`].
#[track_caller]
pub(crate) fn grad<T: Element>(of: &Any, wrt: &[&Tensor<T>], create_graph: bool) -> Result<Vec<Tensor<T>>> {
    let all: Vec<Any> = wrt.iter().map(|x| Any::new((*x).clone())).collect();
    let grads = grad_of(of, &all, create_graph)?.into_iter();
    Ok(wrt
        .iter()
        .zip(grads)
        .map(|(x, grad)| T::restored(grad).unwrap_or_else(|| x.same_shape_zeros()))
        .collect())
}

/// [`grad`] with respect to tensors of any element type.
#[track_caller]
pub(crate) fn grad_of(of: &Any, wrt: &[Any], create_graph: bool) -> Result<Vec<Any>> {
    let at = Location::caller();
    let tracks: Vec<&Track> = wrt.iter().map(|x| x.track()).collect();
    tracks.iter().try_for_each(|track| track.sound())?;
    let (_, found) = with_recording(create_graph, || sweep(of, &tracks, at))?;
    let zeros = |x: &Any| Any::full(x.dtype(), x.shape(), 0.0);
    wrt.iter().zip(found).map(|(x, found)| found.map_or_else(|| zeros(x), Ok)).collect()
}

/// The gradients of `of` with respect to tensors of any element type; zeros where it doesn't depend on one.
pub(crate) fn gradients(
    of: &Any,
    wrt: &[Any],
    create_graph: bool,
    at: &'static Location<'static>,
) -> Result<Vec<Any>> {
    let zeros = |x: &Any| Any::full(x.dtype(), x.shape(), 0.0);
    if !of.track().is_active() {
        return wrt.iter().map(zeros).collect();
    }
    let tracks: Vec<&Track> = wrt.iter().map(|x| x.track()).collect();
    let (_, found) = with_recording(create_graph, || sweep(of, &tracks, at))?;
    wrt.iter().zip(found).map(|(x, found)| found.map_or_else(|| zeros(x), Ok)).collect()
}

impl<T: Element> Tensor<T> {
    /// The same elements, of which gradients may be asked: everything computed from the tensor or its clones is
    /// recorded. Only floats have gradients.
    ///
    /// ```
    /// let x = kiln::Tensor::<f64>::from(2.0).requires_grad();
    /// let y = x.pow(3) + 2.0 * &x;
    /// y.backward()?;
    /// assert_eq!(x.grad().expect("a gradient").item()?, 14.0);
    /// # Ok::<(), kiln::Error>(())
    /// ```
    #[track_caller]
    pub fn requires_grad(self) -> Self {
        if self.track().is_fault() {
            return self;
        }
        if !T::DTYPE.is_float() {
            let what = format!("`requires_grad` needs floats, not {}", T::NAME);
            return failed(Track::fault(what, Location::caller()));
        }
        self.tracked(Track::leaf())
    }

    /// Whether gradients may be asked of the tensor: it [`Tensor::requires_grad`], or was computed from one that does.
    pub fn is_recorded(&self) -> bool {
        self.track().is_active()
    }

    /// Adds the gradient of this tensor, which has one element, to every tensor with [`Tensor::requires_grad`] that
    /// it was computed from, as PyTorch's `backward`.
    ///
    /// # Errors
    /// If the tensor has several elements, depends on nothing that requires a gradient, or stands for an operation
    /// that failed.
    #[track_caller]
    pub fn backward(&self) -> Result<()> {
        let at = Location::caller();
        let (arrived, _) = with_recording(false, || sweep(&Any::new(self.clone()), &[], at))?;
        for (leaf, grad) in arrived.leaves.into_values() {
            let total = with_recording(false, || sum(leaf.grad(), grad))?;
            leaf.set_grad(Some(total));
        }
        Ok(())
    }

    /// The gradients that [`Tensor::backward`] has added up, if any.
    pub fn grad(&self) -> Option<Tensor<T>> {
        match self.track().origin() {
            Some(Origin::Leaf(leaf)) => leaf.grad().and_then(T::restored),
            _ => None,
        }
    }

    /// Forgets the gradient: the next [`Tensor::backward`] starts anew.
    pub fn zero_grad(&self) {
        if let Some(Origin::Leaf(leaf)) = self.track().origin() {
            leaf.set_grad(None);
        }
    }

    /// The same elements, not part of any computation: gradients stop here.
    ///
    /// ```
    /// let x = kiln::Tensor::<f64>::from(3.0).requires_grad();
    /// (&x * x.detach()).backward()?;
    /// assert_eq!(x.grad().expect("a gradient").item()?, 3.0);
    /// # Ok::<(), kiln::Error>(())
    /// ```
    pub fn detach(&self) -> Tensor<T> {
        if self.track().is_fault() {
            return self.clone();
        }
        self.clone().tracked(Track::default())
    }

    /// The tensor, or the first error of the operations it was computed by.
    ///
    /// ```
    /// use kiln::Tensor;
    ///
    /// let (a, b) = (Tensor::<f64>::ones([2, 3]), Tensor::ones([4]));
    /// let error = (a + b).relu().ok().expect_err("they don't broadcast").to_string();
    /// assert!(error.contains("shapes [2, 3] and [4] don't broadcast"), "{error}");
    /// ```
    ///
    /// # Errors
    /// That error, with the place of the operation that failed.
    pub fn ok(self) -> Result<Self> {
        self.sound()?;
        Ok(self)
    }
}

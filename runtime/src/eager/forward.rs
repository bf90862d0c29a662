//! `jvp(f)(…)` and `vmap(f)(…)` when a model runs eagerly.
//!
//! A tangent is the derivative of the gradient by its cotangent, in which it is linear; a batch is a loop over its rows,
//! which is what the compiled one must agree with.

use std::panic::Location;

use kiln_ir::DType;

use super::Any;
use super::backward::gradients;
use super::call::{Given, call, failed, one};
use super::tape::{Track, with_recording};
use super::transform::{Outcome, Scope};
use crate::{Element, Params, Tensor};

/// The value, and what it moves by where the leaves of the scope move along these tensors.
#[track_caller]
pub fn jvp<R: Outcome>(scope: Scope, value: R, wrt: Vec<Any>, along: Vec<Any>) -> (R, R) {
    let at = Location::caller();
    let mut tensors = Vec::new();
    value.tensors(&mut tensors);
    let moved = with_recording(true, || moves(&tensors, &wrt, along, scope.again(), at));
    let moved =
        moved.unwrap_or_else(|fault| tensors.iter().map(|x| x.clone().tracked(fault.clone())).collect());
    let tangent = value.rebuilt(&mut moved.into_iter());
    if scope.again() { (value, tangent) } else { (value.detached(), tangent.detached()) }
}

fn moves(
    of: &[Any],
    wrt: &[Any],
    along: Vec<Any>,
    again: bool,
    at: &'static Location<'static>,
) -> Result<Vec<Any>, Track> {
    let fault = |what: String| Track::fault(what, at);
    if let Some(bad) = of.iter().chain(&along).find(|x| x.track().is_fault()) {
        return Err(bad.track().clone());
    }
    if wrt.len() != along.len() || wrt.iter().zip(&along).any(|(x, d)| x.ty() != d.ty()) {
        return Err(fault("a tangent has not the type of its argument".into()));
    }
    // What is no float has a cotangent that nothing depends on.
    let cotangents: Result<Vec<Any>, Track> = of
        .iter()
        .map(|x| Any::full(x.dtype(), x.shape(), 0.0).map_err(|error| fault(error.to_string())))
        .map(|x| x.map(|x| x.tracked(Track::leaf())))
        .collect();
    let cotangents = cotangents?;
    let floats = of.iter().zip(&cotangents).filter(|(x, _)| x.dtype().is_float());
    let Some(total) = inner(floats.map(|(x, ct)| (x.clone(), ct.clone())))? else { return Ok(cotangents) };
    let grads = gradients(&total, wrt, true, at).map_err(|error| fault(error.to_string()))?;
    let Some(total) = inner(grads.into_iter().zip(along))? else { return Ok(cotangents) };
    gradients(&total, &cotangents, again, at).map_err(|error| fault(error.to_string()))
}

/// The sum of the inner products, in f64, as a tree's tensors may have several types.
fn inner(pairs: impl Iterator<Item = (Any, Any)>) -> Result<Option<Any>, Track> {
    let mut total = None;
    for (x, y) in pairs {
        let [x, y] = [wide(x)?, wide(y)?];
        let product = call("mul", vec![Given::Tensor(x), Given::Tensor(y)])?.remove(0);
        let sum = call("sum", vec![Given::Tensor(product)])?.remove(0);
        total = Some(match total {
            None => sum,
            Some(known) => call("add", vec![Given::Tensor(known), Given::Tensor(sum)])?.remove(0),
        });
    }
    Ok(total)
}

fn wide(x: Any) -> Result<Any, Track> {
    Ok(call("to", vec![Given::Tensor(x), Given::Dtype(DType::F64)])?.remove(0))
}

/// An argument of a function that runs over a batch: a tensor by its rows, anything else as it is.
pub trait Rows: Clone {
    /// The number of rows.
    #[doc(hidden)]
    fn __kiln_count(&self) -> Option<usize> {
        None
    }

    /// The row of that index, of so many.
    #[doc(hidden)]
    fn __kiln_row(&self, _at: usize, _count: Option<usize>) -> Self {
        self.clone()
    }
}

impl<T: Element> Rows for Tensor<T> {
    fn __kiln_count(&self) -> Option<usize> {
        if self.track().is_fault() { None } else { self.shape().first().copied() }
    }

    #[track_caller]
    fn __kiln_row(&self, at: usize, count: Option<usize>) -> Self {
        let refuse = |what: String| failed(Track::fault(what, Location::caller()));
        match (self.shape(), count) {
            _ if self.track().is_fault() => self.clone(),
            ([], _) => refuse("`vmap` goes over the first dim of each tensor, and this one has none".into()),
            ([0, rest @ ..], Some(0)) => Tensor::zeros(crate::Shape::new(rest).unwrap_or_default()),
            ([own, ..], Some(count)) if *own != count => {
                refuse(format!("`vmap` goes over {count} elements of one tensor and {own} of another"))
            }
            _ => one(
                "select",
                vec![Given::Tensor(Any::new(self.clone())), Given::Int(0), Given::Int(at as i64)],
            ),
        }
    }
}

impl<P: Params> Rows for P {}
impl Rows for f32 {}
impl Rows for f64 {}
impl Rows for usize {}
impl Rows for bool {}

/// The results of all rows: each tensor with one dim more, the first.
#[track_caller]
pub fn vmap<R: Outcome>(rows: Vec<R>, count: Option<usize>) -> R {
    let at = Location::caller();
    let each: Vec<Vec<Any>> = rows
        .iter()
        .map(|row| {
            let mut all = Vec::new();
            row.tensors(&mut all);
            all
        })
        .collect();
    let whole = |i: usize| {
        let parts: Vec<Any> = each.iter().map(|row| row[i].clone()).collect();
        let like = parts[0].clone();
        stacked(parts, count, at).unwrap_or_else(|fault| like.tracked(fault))
    };
    let all: Vec<Any> = (0..each[0].len()).map(whole).collect();
    rows[0].rebuilt(&mut all.into_iter())
}

fn stacked(parts: Vec<Any>, count: Option<usize>, at: &'static Location<'static>) -> Result<Any, Track> {
    let Some(count) = count else {
        let what = "`vmap` goes over the first dim of each tensor among the arguments, and there is none";
        return Err(Track::fault(what.into(), at));
    };
    let all = call("stack", vec![Given::Tensors(parts), Given::Int(0)])?.remove(0);
    if count > 0 {
        return Ok(all);
    }
    let none = vec![Given::Tensor(all), Given::Int(0), Given::Int(0), Given::Int(0)];
    Ok(call("narrow", none)?.remove(0))
}

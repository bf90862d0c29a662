//! Calls: an entry of the surface and its arguments become a function, which is kept for the next call of the form.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};

use kiln_ir::composite::random::Generator;
use kiln_ir::surface::{self, Arg, Results};
use kiln_ir::{Builder, DType, Dim, Func, Role, Syms, Ty, Value, differentiate};

use super::Any;
use super::eval::eval;
use super::tape::{Call, Track, recording};
use crate::{Element, Result, Rng, Shape, Tensor};

/// An argument of a call.
#[derive(Clone)]
#[allow(missing_docs)]
pub enum Given {
    Tensor(Any),
    Tensors(Vec<Any>),
    Int(i64),
    Ints(Vec<i64>),
    Float(f64),
    Bool(bool),
    Dtype(DType),
    Text(String),
    /// Key and counter.
    Rng([Any; 2]),
    Absent,
}

/// A function, and its derivatives where they were asked.
pub(crate) struct Compiled {
    pub func: Func,
    vjps: Mutex<BTreeMap<Vec<usize>, Arc<Compiled>>>,
}

impl Compiled {
    pub fn new(func: Func) -> Arc<Compiled> {
        Arc::new(Compiled { func, vjps: Mutex::default() })
    }

    /// The gradients with respect to these inputs, a function of the inputs and a cotangent of each float output.
    pub fn vjp(&self, wrt: &[usize]) -> Result<Arc<Compiled>, kiln_ir::Error> {
        let mut vjps = self.vjps.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = vjps.get(wrt) {
            return Ok(Arc::clone(known));
        }
        let made = Compiled::new(differentiate::vjp(&self.func, wrt)?);
        vjps.insert(wrt.to_vec(), Arc::clone(&made));
        Ok(made)
    }
}

/// The outputs of a function, kept for gradients if one may be asked.
pub(crate) fn apply(function: &Arc<Compiled>, inputs: Vec<Any>) -> Result<Vec<Any>> {
    let outputs = eval(&function.func, &inputs)?;
    if !recording() || !inputs.iter().any(|x| x.track().is_active()) {
        return Ok(outputs);
    }
    let call = Call::new(Arc::clone(function), inputs);
    let tracked = |(i, out): (usize, Any)| {
        if out.dtype().is_float() { out.tracked(Track::output(&call, i)) } else { out }
    };
    Ok(outputs.into_iter().enumerate().map(tracked).collect())
}

/// The results of an entry of the surface; a failed operation's fault, or that of an argument.
#[track_caller]
pub(crate) fn call(name: &'static str, given: Vec<Given>) -> Result<Vec<Any>, Track> {
    let at = Location::caller();
    let inputs = tensors(&given);
    if let Some(failed) = inputs.iter().find(|x| x.track().is_fault()) {
        return Err(failed.track().clone());
    }
    let function = compiled(name, &given).map_err(|error| Track::fault(error.to_string(), at))?;
    apply(&function, inputs).map_err(|error| Track::fault(error.to_string(), at))
}

/// The one result of an entry, which has the element type `T`.
#[track_caller]
pub(crate) fn one<T: Element>(name: &'static str, given: Vec<Given>) -> Tensor<T> {
    match call(name, given) {
        Ok(results) => first(results),
        Err(fault) => failed(fault),
    }
}

/// The tensor that an entry draws; the generator stays as it is if that fails.
#[track_caller]
pub(crate) fn drawn<T: Element>(name: &'static str, mut given: Vec<Given>, rng: &mut Rng) -> Tensor<T> {
    let (key, counter) = rng.__kiln_fields();
    given.push(Given::Rng([Any::new(Tensor::<i32>::from(*key)), Any::new(Tensor::<i64>::scalar(*counter))]));
    match call(name, given) {
        Ok(mut results) => {
            if let Some(Any::I64(next)) = results.pop() {
                *rng.__kiln_fields_mut().1 = next.as_slice()[0];
            }
            first(results)
        }
        Err(fault) => failed(fault),
    }
}

/// The two results of an entry.
#[track_caller]
pub(crate) fn pair<T: Element, U: Element>(name: &'static str, given: Vec<Given>) -> (Tensor<T>, Tensor<U>) {
    match call(name, given) {
        Ok(mut results) => {
            let second = results.split_off(1);
            (first(results), first(second))
        }
        Err(fault) => (failed(fault.clone()), failed(fault)),
    }
}

/// The three results of an entry.
#[track_caller]
pub(crate) fn triple<T: Element>(name: &'static str, given: Vec<Given>) -> (Tensor<T>, Tensor<T>, Tensor<T>) {
    match call(name, given) {
        Ok(mut results) => {
            let (third, second) = (results.split_off(2), results.split_off(1));
            (first(results), first(second), first(third))
        }
        Err(fault) => (failed(fault.clone()), failed(fault.clone()), failed(fault)),
    }
}

/// The results of an entry that yields any number; a failed one alone if it fails.
#[track_caller]
pub(crate) fn list<T: Element>(name: &'static str, given: Vec<Given>) -> Vec<Tensor<T>> {
    match call(name, given) {
        Ok(results) => results.into_iter().map(|x| first(vec![x])).collect(),
        Err(fault) => vec![failed(fault)],
    }
}

#[track_caller]
pub(crate) fn first<T: Element>(results: Vec<Any>) -> Tensor<T> {
    let found = results.into_iter().next();
    let dtype = found.as_ref().map(|x| x.dtype().name());
    found.and_then(T::restored).unwrap_or_else(|| {
        let what = format!("a result is {}, not {}", dtype.unwrap_or("nothing"), T::NAME);
        failed(Track::fault(what, Location::caller()))
    })
}

/// A tensor that stands for a failed operation.
pub(crate) fn failed<T: Element>(fault: Track) -> Tensor<T> {
    Tensor::zeros([0]).tracked(fault)
}

fn tensors(given: &[Given]) -> Vec<Any> {
    let mut all = Vec::new();
    for arg in given {
        match arg {
            Given::Tensor(x) => all.push(x.clone()),
            Given::Tensors(list) => all.extend(list.iter().cloned()),
            Given::Rng(state) => all.extend(state.iter().cloned()),
            _ => {}
        }
    }
    all
}

/// A call but for the elements of its tensors.
#[derive(PartialEq, Eq, Hash)]
enum Form {
    Tensor(DType, Shape),
    Tensors(Vec<(DType, Shape)>),
    Int(i64),
    Ints(Vec<i64>),
    Float(u64),
    Bool(bool),
    Dtype(DType),
    Text(String),
    Rng,
    Absent,
}

/// Calls that a thread remembers. All are forgotten when there are more.
const REMEMBERED: usize = 4096;

type Known = HashMap<(&'static str, Vec<Form>), Arc<Compiled>>;

thread_local!(static KNOWN: RefCell<Known> = RefCell::default());

fn compiled(name: &'static str, given: &[Given]) -> Result<Arc<Compiled>, kiln_ir::Error> {
    let key = (name, given.iter().map(form).collect::<Vec<_>>());
    if let Some(known) = KNOWN.with_borrow(|known| known.get(&key).cloned()) {
        return Ok(known);
    }
    let made = Compiled::new(build(name, given)?);
    KNOWN.with_borrow_mut(|known| {
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(key, Arc::clone(&made));
    });
    Ok(made)
}

fn form(given: &Given) -> Form {
    let tensor = |x: &Any| (x.dtype(), Shape::clipped(x.shape()));
    match given {
        Given::Tensor(x) => Form::Tensor(x.dtype(), Shape::clipped(x.shape())),
        Given::Tensors(list) => Form::Tensors(list.iter().map(tensor).collect()),
        Given::Int(n) => Form::Int(*n),
        Given::Ints(list) => Form::Ints(list.clone()),
        Given::Float(x) => Form::Float(x.to_bits()),
        Given::Bool(x) => Form::Bool(*x),
        Given::Dtype(d) => Form::Dtype(*d),
        Given::Text(word) => Form::Text(word.clone()),
        Given::Rng(_) => Form::Rng,
        Given::Absent => Form::Absent,
    }
}

fn build(name: &'static str, given: &[Given]) -> Result<Func, kiln_ir::Error> {
    let mut b = Builder::new(name, Syms::default());
    let args: Vec<Arg> = given.iter().map(|g| argument(&mut b, g)).collect();
    let entry = surface::method(name).or_else(|| surface::function(name)).expect("a name of the surface");
    let values = match entry.call(&mut b, &args)? {
        Results::One(v) => vec![v],
        Results::Pair(list) => list.to_vec(),
        Results::Triple(list) => list.to_vec(),
        Results::List(list) => list,
        Results::Drawn(list) => list.to_vec(),
    };
    values.iter().for_each(|v| b.output("out", *v, None));
    Ok(b.finish())
}

fn argument(b: &mut Builder, given: &Given) -> Arg {
    let int = |n: &i64| Dim::from(*n);
    match given {
        Given::Tensor(x) => Arg::Tensor(input(b, x.ty())),
        Given::Tensors(list) => Arg::Tensors(list.iter().map(|x| input(b, x.ty())).collect()),
        Given::Int(n) => Arg::Int(int(n)),
        Given::Ints(list) => Arg::Ints(list.iter().map(int).collect()),
        Given::Float(x) => Arg::Float(*x),
        Given::Bool(x) => Arg::Bool(*x),
        Given::Dtype(d) => Arg::Dtype(*d),
        Given::Text(word) => Arg::Text(word.clone()),
        Given::Rng([key, counter]) => {
            Arg::Rng(Generator { key: input(b, key.ty()), counter: input(b, counter.ty()) })
        }
        Given::Absent => Arg::Absent,
    }
}

fn input(b: &mut Builder, ty: Ty) -> Value {
    b.input("x", ty, Role::Argument)
}

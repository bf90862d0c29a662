//! Gradients of traced functions, as traced functions.

use super::value::Transform;
use crate::traced::{Arg, Ret, Traced, Tree};
use kiln_ir::{Builder, Error, Fault, Op, Role, Scan, Value, differentiate::differentiate};
use std::sync::Arc;

/// The value and its gradients: `f::value_and_grad`.
///
/// # Errors
/// If the first result is no float scalar, or a gradient of what is no float is asked.
pub fn value_and_grad(traced: &Traced) -> Result<Traced, Error> {
    derive(traced, Transform::ValueAndGrad, 0)
}

/// The gradients alone: `f::grad`.
///
/// # Errors
/// As `value_and_grad`.
pub fn grad(traced: &Traced) -> Result<Traced, Error> {
    derive(traced, Transform::Grad, 0)
}

/// The results, and the gradients of the sum of each float result times its cotangent, a further argument:
/// `cotangent`, or `cotangent0`, `cotangent1`, … where the results are several.
///
/// # Errors
/// If a gradient of what is no float is asked.
pub fn vjp(traced: &Traced) -> Result<Traced, Error> {
    derive(traced, Transform::Vjp, 0)
}

/// The function as a loop of one turn whose gradient computes the turn again, from the arguments.
///
/// # Errors
/// If the function is ill-formed.
pub fn checkpoint(traced: &Traced) -> Result<Traced, Error> {
    let func = &traced.func;
    let mut b = Builder::new(&func.name, func.syms.clone());
    let inputs: Vec<Value> = func.inputs.iter().map(|i| b.declare(i)).collect();
    let mut body = func.clone();
    body.outputs.iter_mut().for_each(|o| o.updates = None);
    let (trips, body) = (1.into(), Arc::new(body));
    let once = Scan { body, trips, carries: 0, scanned: 0, reverse: false, again: true, guard: None };
    let results = b.scan(once, &inputs)?;
    for (output, result) in func.outputs.iter().zip(results) {
        let shape = func.ty(output.value).shape.clone();
        let value = b.emit(Op::Reshape(shape), &[result])?;
        b.name(value, &output.name);
        b.output(&output.name, value, output.updates);
    }
    Ok(Traced { func: b.finish(), ..traced.clone() })
}

/// Whether the (first) result is a float scalar, so that it has gradients.
pub fn is_scalar(traced: &Traced) -> bool {
    first(&traced.result).is_some_and(|i| {
        let ty = traced.func.ty(traced.func.outputs[i].value);
        ty.rank() == 0 && ty.dtype.is_float()
    })
}

/// The index of the first tensor of a result.
pub(crate) fn first(result: &Ret) -> Option<usize> {
    match result {
        Ret::Tensor(i) => Some(*i),
        Ret::Tuple(list) | Ret::Array(list) => list.first().and_then(first),
        Ret::Like { .. } | Ret::Seen { .. } => None,
    }
}

/// The float results, by output.
pub(crate) fn float_results(traced: &Traced) -> Vec<usize> {
    let mut all = Vec::new();
    tensors(&traced.result, &mut all);
    all.retain(|i| traced.func.ty(traced.func.outputs[*i].value).dtype.is_float());
    all
}

/// A transform; the last `captured` inputs are no arguments.
pub(crate) fn derive(traced: &Traced, how: Transform, captured: usize) -> Result<Traced, Error> {
    let func = &traced.func;
    let mut b = Builder::new(&func.name, func.syms.clone());
    let own = func.inputs.len() - captured;
    let mut inputs: Vec<Value> = func.inputs[..own].iter().map(|i| b.declare(i)).collect();
    let mut args = traced.args.clone();
    let mut cotangents = Vec::new();
    if how == Transform::Vjp {
        let outputs = float_results(traced);
        for (i, output) in outputs.iter().enumerate() {
            let mut name = if outputs.len() == 1 { "cotangent".to_string() } else { format!("cotangent{i}") };
            while args.iter().any(|arg| arg.name == name) {
                name.push('_');
            }
            let ty = func.ty(func.outputs[*output].value).clone();
            args.push(Arg { name: name.clone(), mutable: false, tree: Tree::Leaf(Some(own + i)) });
            cotangents.push((*output, b.input(&name, ty, Role::Argument)));
        }
    }
    inputs.extend(func.inputs[own..].iter().map(|i| b.declare(i)));
    let further = cotangents.len();
    let results = b.inline(func, &inputs)?;
    let of = match how {
        Transform::Vjp => cotangents.into_iter().map(|(i, cotangent)| (results[i], cotangent)).collect(),
        _ => vec![scalar(&mut b, traced, &results)?],
    };
    let mut leaves = Vec::new();
    traced.wrt.iter().for_each(|i| trained(traced, &traced.args[*i].tree, &mut leaves));
    let wrt: Vec<Value> = leaves.iter().map(|i| inputs[*i]).collect();
    let grads = differentiate(&mut b, &of, &wrt)?;
    let mut outputs = Outputs { b: &mut b, traced, results: &results, prefix: "" };
    let values = (how != Transform::Grad).then(|| outputs.results_of(&traced.result));
    let mut grads = leaves.into_iter().zip(grads);
    let mut forms: Vec<Ret> = traced.wrt.iter().map(|i| outputs.gradient(*i, &mut grads)).collect();
    let gradient = if forms.len() == 1 { forms.remove(0) } else { Ret::Tuple(forms) };
    outputs.state(own, further);
    let result = match values {
        Some(values) => Ret::Tuple(vec![values, gradient]),
        None => gradient,
    };
    // What is differentiated again is the same.
    Ok(Traced { func: b.finish(), args, result, ..traced.clone() })
}

/// The first result and its cotangent, 1.
fn scalar(b: &mut Builder, traced: &Traced, results: &[Value]) -> Result<(Value, Value), Error> {
    let value = first(&traced.result).map(|i| results[i]);
    let Some(value) = value.filter(|v| b.ty(*v).rank() == 0 && b.ty(*v).dtype.is_float()) else {
        let of = results.first().map(|v| b.ty(*v).clone());
        let of = of.unwrap_or(kiln_ir::Ty::scalar(kiln_ir::DType::F32));
        return Err(b.error(Fault::Gradient { of, want: "a float scalar" }));
    };
    let dtype = b.ty(value).dtype;
    let one = b.constant(1.0, dtype);
    Ok((value, one))
}

fn tensors(result: &Ret, out: &mut Vec<usize>) {
    match result {
        Ret::Tensor(i) => out.push(*i),
        Ret::Tuple(list) | Ret::Array(list) => list.iter().for_each(|r| tensors(r, out)),
        Ret::Like { tree, .. } | Ret::Seen { tree, .. } => tree.leaves(out),
    }
}

/// The inputs of an argument that have a gradient: tensors, or the trained ones of a tree.
fn trained(traced: &Traced, tree: &Tree, out: &mut Vec<usize>) {
    let mut all = Vec::new();
    tree.leaves(&mut all);
    let plain = tree.is_plain();
    out.extend(all.into_iter().filter(|i| plain || traced.func.inputs[*i].role == Role::Parameter));
}

/// The outputs of the transformed function, as they are declared.
pub(super) struct Outputs<'a> {
    pub b: &'a mut Builder,
    pub traced: &'a Traced,
    pub results: &'a [Value],
    /// Before the names of results.
    pub prefix: &'a str,
}

impl Outputs<'_> {
    fn push(&mut self, name: &str, value: Value, updates: Option<usize>) -> usize {
        self.b.output(name, value, updates);
        self.b.func().outputs.len() - 1
    }

    pub fn results_of(&mut self, result: &Ret) -> Ret {
        match result {
            Ret::Tensor(i) => {
                let name = format!("{}{}", self.prefix, self.traced.func.outputs[*i].name);
                Ret::Tensor(self.push(&name, self.results[*i], None))
            }
            Ret::Tuple(list) => Ret::Tuple(list.iter().map(|r| self.results_of(r)).collect()),
            Ret::Array(list) => Ret::Array(list.iter().map(|r| self.results_of(r)).collect()),
            Ret::Like { arg, tree } => Ret::Like { arg: *arg, tree: self.moved(tree) },
            Ret::Seen { form, tree } => Ret::Seen { form: *form, tree: self.moved(tree) },
        }
    }

    fn moved(&mut self, tree: &Tree) -> Tree {
        map(tree, &mut |i| {
            let name = format!("{}{}", self.prefix, self.traced.func.outputs[i].name);
            Some(self.push(&name, self.results[i], None))
        })
    }

    fn gradient(&mut self, arg: usize, grads: &mut dyn Iterator<Item = (usize, Value)>) -> Ret {
        let tree = &self.traced.args[arg].tree;
        let plain = tree.is_plain();
        let mut of = |i: usize| {
            if !plain && self.traced.func.inputs[i].role != Role::Parameter {
                return None;
            }
            let (_, value) = grads.next()?;
            let name = format!("grad.{}", self.traced.func.inputs[i].name);
            self.b.output(&name, value, None);
            Some(self.b.func().outputs.len() - 1)
        };
        let tree = map(tree, &mut of);
        if plain && let Some(ret) = tensors_of(&tree) { ret } else { Ret::Like { arg, tree } }
    }

    /// State that changes, does so in the transformed function, too, which has `further` inputs between its `own` and those that are
    /// captured.
    pub fn state(&mut self, own: usize, further: usize) {
        for (i, output) in self.traced.func.outputs.iter().enumerate() {
            let Some(input) = output.updates else { continue };
            let input = if input < own { input } else { input + further };
            self.push(&output.name, self.results[i], Some(input));
        }
    }
}

/// A tree of tensors alone as a result.
fn tensors_of(tree: &Tree) -> Option<Ret> {
    let all = |items: &[Tree]| items.iter().map(tensors_of).collect::<Option<Vec<Ret>>>();
    match tree {
        Tree::Leaf(leaf) => leaf.map(Ret::Tensor),
        Tree::Tuple(items) => all(items).map(Ret::Tuple),
        Tree::Array(items) => all(items).map(Ret::Array),
        Tree::Struct(_) | Tree::Layers(..) => None,
    }
}

/// The tree with other leaves.
pub(super) fn map(tree: &Tree, of: &mut dyn FnMut(usize) -> Option<usize>) -> Tree {
    match tree {
        Tree::Leaf(leaf) => Tree::Leaf(leaf.and_then(of)),
        Tree::Struct(fields) => {
            Tree::Struct(fields.iter().map(|(name, tree)| (name.clone(), map(tree, of))).collect())
        }
        Tree::Array(list) => Tree::Array(list.iter().map(|tree| map(tree, of)).collect()),
        Tree::Tuple(list) => Tree::Tuple(list.iter().map(|tree| map(tree, of)).collect()),
        Tree::Layers(n, each) => Tree::Layers(*n, Box::new(map(each, of))),
    }
}

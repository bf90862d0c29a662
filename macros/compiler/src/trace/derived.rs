//! Transforms of functions: `value_and_grad(f)`, `vjp(f)`, `jvp(f)`, `vmap(f)`, `checkpoint(f)`, in any order, each a function again.

use super::Tracer;
use super::arguments::Given;
use super::value::{Compiled, Function, Transform, Value};
use super::{tangents, transform};
use crate::library::Item;
use crate::link::RNG;
use crate::message::body as message;
use crate::traced::{self, Arg, Ret, Traced};
use kiln_ir::{Builder, Dim, Error, Func, Op, SliceAxis, batch, surface};
use quote::ToTokens;
use std::rc::Rc;
use syn::Expr;

/// How many arguments a transform's function has behind those of the function that it transforms.
fn further(how: Transform, traced: &Traced) -> usize {
    match how {
        Transform::Vjp => transform::float_results(traced).len(),
        Transform::Jvp => traced.wrt.len(),
        _ => 0,
    }
}

impl Tracer<'_> {
    /// `value_and_grad(f)`
    pub(super) fn derived(&mut self, how: Transform, of: &Expr) -> Value {
        let inner = match of {
            Expr::Path(p) => self.callee(&p.path),
            other => self.expr(other),
        };
        match inner {
            Value::Poison => Value::Poison,
            Value::Closure(_) | Value::Function(Function::Model(_) | Function::Transformed(..)) => {
                Value::Function(Function::Transformed(how, Rc::new(inner)))
            }
            Value::Function(Function::Builtin(name)) if surface::function(name).is_some() => {
                Value::Function(Function::Transformed(how, Rc::new(inner)))
            }
            other => {
                let what = self.describe(&other);
                self.fault(of, message::transform_of(how.name(), &what))
            }
        }
    }

    /// A transform as a graph for these arguments.
    pub(super) fn transformed(
        &mut self,
        how: Transform,
        inner: &Value,
        given: &[Given],
        at: &dyn ToTokens,
    ) -> Option<Compiled> {
        match how {
            Transform::Vmap => self.batched(inner, given, at),
            Transform::CustomVjp => self.custom(inner, given, at),
            Transform::TreeMap => self.tree_map(inner, given, at),
            Transform::Checkpoint => {
                let of = self.compiled(inner, given, at)?;
                let traced = self.built(at.to_token_stream(), transform::checkpoint(&of.traced))?;
                Some(Compiled { traced, ..(*of).clone() })
            }
            _ => self.derivative(how, inner, given, at),
        }
    }

    fn derivative(
        &mut self,
        how: Transform,
        inner: &Value,
        given: &[Given],
        at: &dyn ToTokens,
    ) -> Option<Compiled> {
        let own = match how.needs_scalar() {
            true => given.len(),
            false => self.arity(inner, given, at).unwrap_or(given.len()).min(given.len()),
        };
        let of = self.compiled(inner, &given[..own], at)?;
        let name = self.function_name(inner);
        if how.needs_scalar() && !transform::is_scalar(&of.traced) {
            let got = match transform::first(&of.traced.result) {
                Some(i) => self.show_ty(of.traced.func.ty(of.traced.func.outputs[i].value)),
                None => "no tensor".to_string(),
            };
            self.fault(at.to_token_stream(), message::gradient_of_no_scalar(how.name(), &name, &got));
            return None;
        }
        if of.traced.wrt.is_empty() {
            let got: Vec<String> = given[..own].iter().map(|g| self.describe(&g.value)).collect();
            self.fault(
                at.to_token_stream(),
                message::gradient_of_nothing(how.name(), &name, &got.join(", ")),
            );
            return None;
        }
        let further = further(how, &of.traced);
        if given.len() != own + further {
            let message = match how {
                Transform::Jvp => message::tangents(&name, further, given.len() - own),
                _ => message::cotangents(&name, further, given.len() - own),
            };
            self.fault(at.to_token_stream(), message);
            return None;
        }
        let derived = match how {
            Transform::Jvp => tangents::jvp(&of.traced, of.captures.len()),
            _ => transform::derive(&of.traced, how, of.captures.len()),
        };
        let traced = self.built(at.to_token_stream(), derived)?;
        let wrt = of.traced.wrt.iter().map(|i| &given[*i]);
        let mut like = wrt.map(|g| g.value.clone()).collect::<Vec<_>>().into_iter();
        for (arg, given) in traced.args[own..].iter().zip(&given[own..]) {
            if !self.is_direction(&traced, arg, given, like.next(), &name) {
                return None;
            }
        }
        Some(Compiled { traced, ..(*of).clone() })
    }

    /// Whether a cotangent or tangent has the type that it must have; a tree is of the form of what it belongs to.
    fn is_direction(
        &mut self,
        traced: &Traced,
        arg: &Arg,
        given: &Given,
        like: Option<Value>,
        name: &str,
    ) -> bool {
        let want = match (&arg.tree, like) {
            (traced::Tree::Leaf(Some(i)), _) => {
                let want = traced.func.inputs[*i].ty.clone();
                match self.read(given.value.clone()) {
                    Value::Tensor(t) if self.ty(&t) == want => return true,
                    _ => self.show_ty(&want),
                }
            }
            (_, Some(like)) if self.same_type(&given.value, &like) => return true,
            (_, Some(like)) => self.describe(&like),
            _ => return true,
        };
        let got = self.describe(&given.value);
        self.fault(given.expr, message::argument_type(name, &arg.name, &want, &got, ""));
        false
    }

    /// Whether two arguments have the same type.
    fn same_type(&self, one: &Value, other: &Value) -> bool {
        match (self.read(one.clone()), self.read(other.clone())) {
            (Value::Tree(one), Value::Tree(other)) => one.form == other.form,
            (Value::Tensor(one), Value::Tensor(other)) => self.ty(&one) == self.ty(&other),
            (Value::Tuple(a), Value::Tuple(b)) | (Value::Array(a), Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| self.same_type(a, b))
            }
            _ => false,
        }
    }

    /// `vmap(f)`: over the first dim of each tensor; trees, numbers and what a closure captures are the same for all, and a generator
    /// is one for all: the elements draw one after the other.
    fn batched(&mut self, inner: &Value, given: &[Given], at: &dyn ToTokens) -> Option<Compiled> {
        let (rows, mapped, size) = self.rows(given, at)?;
        let of = self.compiled(inner, &rows, at)?;
        let mut traced = of.traced.clone();
        let counters: Vec<usize> = given
            .iter()
            .zip(&traced.args)
            .filter_map(|(g, arg)| self.counter_input(&g.value, &arg.tree))
            .chain(self.captured_counters(&of))
            .collect();
        if traced.func.outputs.iter().filter_map(|o| o.updates).any(|i| !counters.contains(&i)) {
            let name = self.function_name(inner);
            self.fault(at.to_token_stream(), message::vmap_of_state(&name));
            return None;
        }
        let mut over = vec![false; traced.func.inputs.len()];
        for (arg, _) in traced.args.iter().zip(&mapped).filter(|(_, mapped)| **mapped) {
            let mut inputs = Vec::new();
            arg.tree.leaves(&mut inputs);
            inputs.into_iter().for_each(|i| over[i] = true);
        }
        traced.func.syms = self.syms.clone();
        let func = batch::vmap(&traced.func, &over, &size);
        let func = func.and_then(|func| layers_first(&func, &traced.result));
        traced.func = self.built(at.to_token_stream(), func)?;
        Some(Compiled { traced, ..(*of).clone() })
    }

    /// The inputs that are counters of generators from outside, which a closure advances.
    fn captured_counters(&self, of: &Compiled) -> Vec<usize> {
        let own = of.traced.func.inputs.len() - of.captures.len();
        let places = of.captures.iter().enumerate().filter_map(|(i, c)| Some((own + i, c.place?)));
        places.filter(|(_, var)| self.is_counter(*var)).map(|(input, _)| input).collect()
    }

    /// The input that is the counter of an argument, if that is a generator.
    fn counter_input(&self, value: &Value, tree: &traced::Tree) -> Option<usize> {
        match (self.read(value.clone()), tree) {
            (Value::Tree(value), traced::Tree::Struct(fields)) if value.form.key == RNG => {
                match fields.get(1) {
                    Some((_, traced::Tree::Leaf(counter))) => *counter,
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The arguments of one element of a batch, which of them differ from element to element, and how many there are.
    fn rows<'e>(
        &mut self,
        given: &[Given<'e>],
        at: &dyn ToTokens,
    ) -> Option<(Vec<Given<'e>>, Vec<bool>, Dim)> {
        let (mut rows, mut mapped, mut size) = (Vec::new(), Vec::new(), None::<(Dim, String)>);
        for g in given {
            let value = self.read(g.value.clone());
            if self.float(&value).is_none() {
                rows.push(g.clone());
                mapped.push(false);
                continue;
            }
            let mut tensors = Vec::new();
            self.tensors(&value, &mut tensors);
            let each = tensors.iter().map(|t| self.mapped(t, g.expr, &mut size));
            let each = each.collect::<Option<Vec<Value>>>()?;
            rows.push(Given { value: self.replaced(&value, &mut each.into_iter()), expr: g.expr });
            mapped.push(true);
        }
        match size {
            Some((size, _)) => Some((rows, mapped, size)),
            None => {
                self.fault(at.to_token_stream(), message::vmap_of_nothing());
                None
            }
        }
    }

    /// One element of a tensor that is mapped, of as many as the others have.
    fn mapped(
        &mut self,
        t: &super::value::Tensor,
        expr: &Expr,
        size: &mut Option<(Dim, String)>,
    ) -> Option<Value> {
        let (ty, text) = (self.ty(t), self.text(expr));
        let Some(first) = ty.shape.first() else {
            self.fault(expr, message::vmap_scalar(&text));
            return None;
        };
        match size {
            Some((known, by)) if !self.same_size(&known.clone(), first) => {
                let (one, other) = (self.show_dim(known), self.show_dim(first));
                self.fault(expr, message::vmap_sizes(&one, &by.clone(), &other, &text));
                return None;
            }
            Some(_) => {}
            None => *size = Some((first.clone(), text)),
        }
        self.row(t)
    }

    /// The first element, which has the type of each; no code is left of it.
    fn row(&mut self, t: &super::value::Tensor) -> Option<Value> {
        let (at, shape) = (self.here(t), self.ty(t).shape);
        let axis = |(i, n): (usize, &Dim)| {
            let len = if i == 0 { 1.into() } else { n.clone() };
            SliceAxis { start: 0.into(), len, step: 1 }
        };
        let slice = Op::Slice(shape.iter().enumerate().map(axis).collect());
        let first =
            self.b().emit(slice, &[at]).and_then(|v| self.b().emit(Op::Reshape(shape[1..].into()), &[v]));
        first.map(|v| self.tensor(v)).ok()
    }

    /// How many arguments a function has, where these are the first of them.
    fn arity(&mut self, function: &Value, given: &[Given], at: &dyn ToTokens) -> Option<usize> {
        match function {
            Value::Function(Function::Model(key)) => match &self.library.entries.get(key)?.item {
                Item::Model(model) => Some(model.args.len()),
                _ => None,
            },
            Value::Tuple(pair) => self.arity(pair.first()?, given, at),
            Value::Closure(closure) => Some(closure.expr.inputs.len()),
            Value::Function(Function::Builtin(name)) => Some(surface::function(name)?.params.len()),
            Value::Function(Function::Transformed(Transform::Vmap, inner)) => {
                let (rows, ..) = self.rows(given, at)?;
                self.arity(inner, &rows, at)
            }
            Value::Function(Function::Transformed(how, inner)) => {
                let own = self.arity(inner, given, at)?;
                if how.needs_scalar()
                    || matches!(how, Transform::Checkpoint | Transform::CustomVjp | Transform::TreeMap)
                {
                    return Some(own);
                }
                let of = self.compiled(inner, given.get(..own)?, at)?;
                Some(own + further(*how, &of.traced))
            }
            _ => None,
        }
    }

    /// A function as messages call it.
    fn function_name(&self, function: &Value) -> String {
        match function {
            Value::Function(Function::Model(key)) => match self.library.entries.get(key).map(|e| &e.item) {
                Some(Item::Model(model)) => model.ident.to_string(),
                _ => key.clone(),
            },
            Value::Function(Function::Builtin(name)) => name.to_string(),
            Value::Function(Function::Transformed(how, inner)) => {
                format!("{}({})", how.name(), self.function_name(inner))
            }
            Value::Tuple(pair) => pair.first().map_or(String::new(), |of| self.function_name(of)),
            _ => "the closure".to_string(),
        }
    }
}

/// A batched function whose results of layers have these as their first axis again, before the batch.
fn layers_first(func: &Func, result: &Ret) -> Result<Func, Error> {
    let mut layers = Vec::new();
    result.layers(&mut layers);
    if layers.is_empty() {
        return Ok(func.clone());
    }
    let mut b = Builder::new(&func.name, func.syms.clone());
    let inputs: Vec<kiln_ir::Value> = func.inputs.iter().map(|i| b.declare(i)).collect();
    let results = b.inline(func, &inputs)?;
    for (i, (output, mut value)) in func.outputs.iter().zip(results).enumerate() {
        if layers.contains(&i) {
            let rank = b.ty(value).rank();
            value = b.emit(Op::Permute([1, 0].into_iter().chain(2..rank).collect()), &[value])?;
        }
        b.output(&output.name, value, output.updates);
    }
    Ok(b.finish())
}

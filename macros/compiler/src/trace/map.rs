//! `tree_map(f)(net, grads)`: params each of whose tensors is `f` of those that stand in its place.

use super::Tracer;
use super::arguments::Given;
use super::frame::Frame;
use super::value::{Compiled, Function, Transform, Tree, Value, Var};
use crate::message::body as message;
use kiln_ir::{Builder, DType, Op};
use quote::ToTokens;
use std::rc::Rc;

impl Tracer<'_> {
    /// The function of each tensor as a graph of trees of one type.
    pub(super) fn tree_map(&mut self, inner: &Value, given: &[Given], at: &dyn ToTokens) -> Option<Compiled> {
        let trees: Vec<Value> = given.iter().map(|g| self.read(g.value.clone())).collect();
        let alike = |tracer: &Self, first: &Value| {
            tracer.has_params(first) && trees.iter().all(|tree| tracer.same_params(first, tree, false))
        };
        if !trees.first().is_some_and(|first| alike(self, first)) {
            let got: Vec<String> = trees.iter().map(|tree| self.describe(tree)).collect();
            self.fault(at.to_token_stream(), message::tree_map_of(&got.join(", ")));
            return None;
        }
        let (owner, faults) = (self.owner(), self.errors.len());
        let builder = Builder::new("tree_map", self.syms.clone());
        self.frames.push(Frame { changed: Some(Vec::new()), ..Frame::new(builder, owner, Vec::new()) });
        let args: Vec<Value> =
            trees.iter().enumerate().map(|(i, tree)| self.mirror(tree, &format!("tree{i}"), false)).collect();
        let result = self.tree_mapped(inner, &args, given, at);
        let sound = self.errors.len() == faults && !self.again && !result.is_poison();
        let compiled = self.close_changing(&args, Vec::new(), result, sound, at);
        self.frames.pop();
        compiled
    }

    fn tree_mapped(&mut self, f: &Value, parts: &[Value], given: &[Given], at: &dyn ToTokens) -> Value {
        let parts: Vec<Value> = parts.iter().map(|part| self.read(part.clone())).collect();
        let faults = self.errors.len();
        let mut nth = |i: usize| {
            if self.errors.len() != faults {
                // The next tensor has the same fault.
                return Value::Poison;
            }
            let each: Vec<Value> = parts.iter().map(|part| child(part, i)).collect();
            self.tree_mapped(f, &each, given, at)
        };
        match &parts[0] {
            Value::Tree(tree) => {
                let fields = (0..tree.fields.len()).map(&mut nth).collect();
                Value::Tree(Rc::new(Tree { form: tree.form.clone(), fields }))
            }
            Value::Array(list) => Value::Array((0..list.len()).map(&mut nth).collect()),
            Value::Layers(layers) => {
                let each: Vec<Value> = parts.iter().map(|part| child(part, 0)).collect();
                let rows = Value::Function(Function::Transformed(Transform::Vmap, Rc::new(f.clone())));
                let before = self.changed_tensors();
                let mapped = self.tree_mapped(&rows, &each, given, at);
                if self.changed_tensors() != before {
                    // A generator goes through one layer after the other, not through one tensor of all.
                    return self.separate(layers);
                }
                layers.with(mapped)
            }
            _ => self.tensor_mapped(f, &parts, given, at),
        }
    }

    /// The newest values of what the innermost closure has changed outside.
    fn changed_tensors(&mut self) -> Vec<Option<kiln_ir::Value>> {
        let vars: Vec<Var> = self.frame().changed.iter().flatten().map(|(var, _)| *var).collect();
        vars.into_iter().map(|var| self.place_value(var)).collect()
    }

    /// The function of the tensors in one place, each in f32, in the first one's type; what is no part of a gradient is zero.
    fn tensor_mapped(&mut self, f: &Value, parts: &[Value], given: &[Given], at: &dyn ToTokens) -> Value {
        let tensor = |part: &Value| if let Value::Tensor(t) = part { Some(t.clone()) } else { None };
        let Some(like) = parts.iter().find_map(tensor) else { return Value::Absent };
        let (ty, like) = (self.ty(&like), self.here(&like));
        let mut args = Vec::new();
        for (part, given) in parts.iter().zip(given) {
            let wide = match tensor(part) {
                Some(t) => {
                    let t = self.here(&t);
                    self.b().emit(Op::Cast(DType::F32), &[t])
                }
                None => self.b().splat(0.0, like).and_then(|v| self.b().emit(Op::Cast(DType::F32), &[v])),
            };
            let Some(value) = self.built(at.to_token_stream(), wide) else { return Value::Poison };
            args.push(Given { value: self.tensor(value), expr: given.expr });
        }
        match self.run(f, &args, at) {
            Value::Tensor(t) if self.ty(&t).dtype.is_float() => {
                let made = self.here(&t);
                let narrow = self.b().emit(Op::Cast(ty.dtype), &[made]);
                self.built(at.to_token_stream(), narrow).map_or(Value::Poison, |v| self.tensor(v))
            }
            Value::Poison => Value::Poison,
            other => {
                let got = self.describe(&other);
                self.fault(at.to_token_stream(), message::tree_map_result(&got))
            }
        }
    }
}

/// A field, an element, or the layers of an array.
fn child(part: &Value, i: usize) -> Value {
    match part {
        Value::Tree(tree) => tree.fields[i].clone(),
        Value::Array(list) => list[i].clone(),
        Value::Layers(layers) => layers.each.clone(),
        other => other.clone(),
    }
}

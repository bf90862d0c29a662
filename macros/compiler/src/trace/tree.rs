//! Trees walked side by side: an argument as a callee's inputs, results as values, and what a value's type is.

use super::Tracer;
use super::value::{Compiled, Form, Tensor, Tree, Value, Var};
use crate::library::Item;
use crate::syntax::ast::FieldKind;
use crate::traced::{self, Ret};
use kiln_ir::Role;
use std::rc::Rc;

impl Tracer<'_> {
    /// An argument as a callee sees it: each tensor is an input of the innermost frame.
    pub fn mirror(&mut self, value: &Value, name: &str, mutable: bool) -> Value {
        match value {
            Value::Tree(tree) => {
                let fields = tree.form.fields.iter().zip(&tree.fields).enumerate();
                let fields = fields.map(|(i, (n, v))| {
                    let role = self.declared_role(&tree.form, i);
                    self.mirror_leaf(v, &format!("{name}.{n}"), mutable, role)
                });
                let fields = fields.collect();
                Value::Tree(Rc::new(Tree { form: tree.form.clone(), fields }))
            }
            Value::Array(list) => Value::Array(self.mirrored(list, name, mutable)),
            Value::Tuple(list) => Value::Tuple(self.mirrored(list, name, mutable)),
            Value::Layers(layers) => layers.with(self.mirror_leaf(
                &layers.each,
                &super::layers::path(name),
                mutable,
                Role::Parameter,
            )),
            Value::Tensor(t) => {
                let ty = self.ty(t);
                let at = self.b().input(name, ty, Role::Argument);
                self.tensor(at)
            }
            Value::Place(_) => self.mirror_leaf(value, name, mutable, Role::Buffer),
            other => other.clone(),
        }
    }

    fn mirrored(&mut self, list: &[Value], name: &str, mutable: bool) -> Vec<Value> {
        list.iter().enumerate().map(|(i, v)| self.mirror(v, &format!("{name}.{i}"), mutable)).collect()
    }

    /// What a field of a params struct is declared to be.
    fn declared_role(&self, form: &Form, field: usize) -> Role {
        match self.library.entries.get(&form.key).map(|entry| &entry.item) {
            Some(Item::Params(params)) => match params.fields.get(field).map(|f| &f.kind) {
                Some(FieldKind::Buffer(_)) => Role::Buffer,
                _ => Role::Parameter,
            },
            _ => Role::Buffer,
        }
    }

    /// A tensor of a tree, which is a place in the callee whether it is one here or not; `role` is what it is if not.
    fn mirror_leaf(&mut self, value: &Value, name: &str, mutable: bool, role: Role) -> Value {
        let role = match value {
            Value::Place(var) => self.vars[var.0].role.unwrap_or(role),
            _ => role,
        };
        match self.read(value.clone()) {
            Value::Tensor(t) => {
                let ty = self.ty(&t);
                let at = self.b().input(name, ty, role);
                let value = self.tensor(at);
                Value::Place(self.variable(name, value, mutable, Some(role)))
            }
            other => self.mirror(&other, name, mutable),
        }
    }

    /// The type of an argument, so that equal ones need one trace.
    pub fn signature(&self, value: &Value, out: &mut String) {
        match value {
            Value::Tensor(t) => *out += &format!("{:?} ", self.ty(t)),
            Value::Place(var) => {
                *out += &format!("{:?}@", self.vars[var.0].role);
                self.signature(&self.read(value.clone()), out);
            }
            Value::Tree(tree) => {
                *out += &format!("{} {:?}(", tree.form.key, tree.form.generics);
                tree.fields.iter().for_each(|v| self.signature(v, out));
                *out += ")";
            }
            Value::Layers(layers) => {
                *out += &format!("{} of ", layers.count);
                self.signature(&layers.each, out);
            }
            Value::Array(list) | Value::Tuple(list) => {
                *out += "[";
                list.iter().for_each(|v| self.signature(v, out));
                *out += "]";
            }
            other => *out += &format!("{} ", self.describe(other)),
        }
    }

    /// The tensors of an argument in the order of a callee's inputs, and where each may be assigned.
    fn feed(&mut self, value: &Value, tree: &traced::Tree, out: &mut Vec<(kiln_ir::Value, Option<Var>)>) {
        match (value, tree) {
            (Value::Tree(v), traced::Tree::Struct(fields)) => {
                for (value, (_, tree)) in v.fields.iter().zip(fields) {
                    self.feed(value, tree, out);
                }
            }
            (Value::Array(list), traced::Tree::Array(trees))
            | (Value::Tuple(list), traced::Tree::Tuple(trees)) => {
                list.iter().zip(trees).for_each(|(value, tree)| self.feed(value, tree, out));
            }
            (Value::Layers(layers), traced::Tree::Layers(_, tree)) => self.feed(&layers.each, tree, out),
            (_, traced::Tree::Leaf(Some(_))) => {
                let place = match value {
                    Value::Place(var) => Some(*var),
                    _ => None,
                };
                if let Value::Tensor(t) = self.read(value.clone()) {
                    out.push((self.here(&t), place));
                }
            }
            _ => {}
        }
    }

    /// Inlines a callee: its results, and the state that it changes is changed.
    pub fn apply(&mut self, callee: &Compiled, args: &[Value]) -> Result<Value, kiln_ir::Error> {
        let mut fed = Vec::new();
        for (value, arg) in args.iter().zip(&callee.traced.args) {
            self.feed(value, &arg.tree, &mut fed);
        }
        for captured in &callee.captures {
            fed.push((self.here(&captured.tensor), captured.place));
        }
        let inputs: Vec<kiln_ir::Value> = fed.iter().map(|(v, _)| *v).collect();
        let func = &callee.traced.func;
        let results = self.b().inline(func, &inputs)?;
        for (output, value) in func.outputs.iter().zip(&results) {
            let place = output.updates.and_then(|i| fed.get(i)).and_then(|(_, place)| *place);
            if let Some(var) = place {
                let value = self.tensor(*value);
                self.write(var, value);
            }
        }
        Ok(self.result(callee, &callee.traced.result, &results, args))
    }

    fn result(&self, of: &Compiled, ret: &Ret, results: &[kiln_ir::Value], args: &[Value]) -> Value {
        let all = |list: &[Ret]| list.iter().map(|r| self.result(of, r, results, args)).collect();
        match ret {
            Ret::Tensor(i) => self.tensor(results[*i]),
            Ret::Tuple(list) => Value::Tuple(all(list)),
            Ret::Array(list) => Value::Array(all(list)),
            Ret::Like { arg, tree } => self.like(&args[*arg], tree, results),
            Ret::Seen { form, tree } => self.like(&of.forms[*form], tree, results),
        }
    }

    /// A tree of the form of an argument, with the results as its tensors.
    fn like(&self, form: &Value, tree: &traced::Tree, results: &[kiln_ir::Value]) -> Value {
        match (form, tree) {
            (Value::Tree(t), traced::Tree::Struct(fields)) => {
                let each = t.fields.iter().zip(fields).map(|(v, (_, tree))| self.like(v, tree, results));
                Value::Tree(Rc::new(Tree { form: t.form.clone(), fields: each.collect() }))
            }
            (Value::Array(list), traced::Tree::Array(trees)) => {
                Value::Array(list.iter().zip(trees).map(|(v, tree)| self.like(v, tree, results)).collect())
            }
            (Value::Tuple(list), traced::Tree::Tuple(trees)) => {
                Value::Tuple(list.iter().zip(trees).map(|(v, tree)| self.like(v, tree, results)).collect())
            }
            (Value::Layers(layers), traced::Tree::Layers(_, tree)) => {
                layers.with(self.like(&layers.each, tree, results))
            }
            (_, traced::Tree::Leaf(Some(i))) => self.tensor(results[*i]),
            _ => Value::Absent,
        }
    }

    /// The tensors of a tree, places read.
    pub fn tensors(&self, value: &Value, out: &mut Vec<Tensor>) {
        match self.read(value.clone()) {
            Value::Tensor(t) => out.push(t),
            Value::Tree(tree) => tree.fields.iter().for_each(|v| self.tensors(v, out)),
            Value::Array(list) | Value::Tuple(list) => list.iter().for_each(|v| self.tensors(v, out)),
            Value::Layers(layers) => self.tensors(&layers.each, out),
            _ => {}
        }
    }

    /// The tree with other tensors in place of its own, in order.
    pub fn replaced(&self, value: &Value, with: &mut impl Iterator<Item = Value>) -> Value {
        match self.read(value.clone()) {
            Value::Tensor(_) => with.next().unwrap_or(Value::Poison),
            Value::Tree(tree) => {
                let fields = tree.fields.iter().map(|v| self.replaced(v, with)).collect();
                Value::Tree(Rc::new(Tree { form: tree.form.clone(), fields }))
            }
            Value::Array(list) => Value::Array(list.iter().map(|v| self.replaced(v, with)).collect()),
            Value::Tuple(list) => Value::Tuple(list.iter().map(|v| self.replaced(v, with)).collect()),
            Value::Layers(layers) => layers.with(self.replaced(&layers.each, with)),
            other => other,
        }
    }

    /// A tree whose tensors are read: it stays as it is when state changes.
    pub fn snapshot(&self, value: &Value) -> Value {
        let mut tensors = Vec::new();
        self.tensors(value, &mut tensors);
        self.replaced(value, &mut tensors.into_iter().map(Value::Tensor))
    }
}

impl Form {
    /// Its name as users write it, with the sizes.
    pub fn show(&self, tracer: &Tracer) -> String {
        match (&self.inner, self.generics.is_empty()) {
            (Some(inner), _) => format!("{}<{}>", self.name, inner.show(tracer)),
            (None, true) => self.name.clone(),
            (None, false) => {
                let sizes: Vec<String> = self.generics.iter().map(|d| tracer.show_dim(d)).collect();
                format!("{}<{}>", self.name, sizes.join(", "))
            }
        }
    }
}

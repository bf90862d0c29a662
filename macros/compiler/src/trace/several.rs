//! Tensors alone, in tuples and in arrays, as signatures declare them: the inputs of an entry, and what a body returns.

use super::Tracer;
use super::types::Owner;
use super::value::{Tree, Value, Var};
use crate::message::body as message;
use crate::syntax::ast::{Model, TensorTy, Tensors};
use kiln_ir::{Dim, Role, SymKind, Ty};
use quote::ToTokens;
use std::rc::Rc;
use syn::{Expr, Type};

impl<'a> Tracer<'a> {
    /// An argument of the entry: its tensors are inputs, places where it is taken by `&mut`.
    pub(super) fn tensor_inputs(
        &mut self,
        owner: &Owner<'a>,
        tensors: &Tensors,
        name: &str,
        mutable: bool,
    ) -> Option<Value> {
        let part = |tracer: &mut Self, part: &Tensors, i| {
            tracer.tensor_inputs(owner, part, &format!("{name}.{i}"), mutable)
        };
        match tensors {
            Tensors::One(ty) if ty.any => None,
            // Of results alone.
            Tensors::Params(_) => None,
            Tensors::One(ty) => {
                let ty = self.tensor_ty(owner, ty)?;
                let role = if mutable { Role::Buffer } else { Role::Argument };
                let at = self.b().input(name, ty, role);
                let value = self.tensor(at);
                Some(if mutable { Value::Place(self.variable(name, value, true, Some(role))) } else { value })
            }
            Tensors::Tuple(list) => {
                let parts = list.iter().enumerate().map(|(i, each)| part(self, each, i as i64));
                parts.collect::<Option<Vec<_>>>().map(Value::Tuple)
            }
            Tensors::Array(each, length) => {
                let size = self.size(owner, &owner.syms, &length.dim)?;
                if size.syms().iter().any(|s| matches!(self.syms.info(*s).kind, SymKind::Free { .. })) {
                    // A building block: a call tells.
                    return None;
                }
                let count = self.known_length(&size, &length.tokens)?;
                (0..count).map(|i| part(self, each, i)).collect::<Option<Vec<_>>>().map(Value::Array)
            }
        }
    }

    /// What a `mut` local of several tensors, or of params, is: a variable for each, so that a loop carries them and a callee
    /// changes them.
    pub(super) fn spread(&mut self, name: &str, value: Value) -> Value {
        match &value {
            Value::Tuple(_) | Value::Array(_) if self.float(&value).is_some() => {
                self.spread_part(name, value)
            }
            // One that has places is a reference: it leads to what is the caller's.
            Value::Tree(_) if !has_places(&value) => self.spread_part(name, value),
            _ => value,
        }
    }

    fn spread_part(&mut self, name: &str, value: Value) -> Value {
        match self.read(value) {
            tensor @ Value::Tensor(_) => Value::Place(self.variable(name, tensor, true, None)),
            Value::Tuple(list) => Value::Tuple(self.spread_parts(name, list)),
            Value::Array(list) => Value::Array(self.spread_parts(name, list)),
            Value::Tree(tree) => {
                let fields = tree.form.fields.iter().zip(&tree.fields);
                let fields = fields.map(|(field, v)| self.spread_part(&format!("{name}.{field}"), v.clone()));
                let fields = fields.collect();
                Value::Tree(Rc::new(Tree { form: tree.form.clone(), fields }))
            }
            Value::Layers(layers) => {
                layers.with(self.spread_part(&super::layers::path(name), layers.each.clone()))
            }
            other => other,
        }
    }

    fn spread_parts(&mut self, name: &str, list: Vec<Value>) -> Vec<Value> {
        let each = list.into_iter().enumerate();
        each.map(|(i, part)| self.spread_part(&format!("{name}.{i}"), part)).collect()
    }

    /// Whether a value is several variables of a local.
    pub(super) fn is_spread(&self, value: &Value) -> bool {
        let mut all = Vec::new();
        super::entry::places(value, &mut all);
        !matches!(value, Value::Place(_)) && all.iter().any(|var| self.vars[var.0].role.is_none())
    }

    /// `pair = (a, b)`, where `pair` is a variable for each part; `false` if it isn't, or the parts are others.
    pub(super) fn store_spread(&mut self, left: &Expr, var: Var, value: &Value) -> bool {
        let old = self.vars[var.0].value.clone();
        if !self.is_spread(&old) || !self.same_form(&old, value) {
            return false;
        }
        let (mut mine, mut given) = (Vec::new(), Vec::new());
        super::entry::places(&old, &mut mine);
        self.tensors(value, &mut given);
        mine.into_iter()
            .zip(given)
            .for_each(|(var, tensor)| drop(self.store(left, var, Value::Tensor(tensor))));
        true
    }

    fn same_form(&self, one: &Value, other: &Value) -> bool {
        match (self.read(one.clone()), self.read(other.clone())) {
            (Value::Tensor(_), Value::Tensor(_)) => true,
            (Value::Tuple(a), Value::Tuple(b)) | (Value::Array(a), Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| self.same_form(a, b))
            }
            (Value::Tree(a), Value::Tree(b)) => {
                a.form == b.form && a.fields.iter().zip(&b.fields).all(|(a, b)| self.same_form(a, b))
            }
            (Value::Layers(a), Value::Layers(b)) => a.count == b.count && self.same_form(&a.each, &b.each),
            (Value::Absent, Value::Absent) => true,
            _ => false,
        }
    }

    /// A result in the declared form: a list that a loop filled is an array.
    pub(super) fn in_form(&mut self, tensors: &Tensors, value: Value, at: &dyn ToTokens) -> Value {
        match (tensors, self.read(value)) {
            (Tensors::Array(..), list @ Value::Series(_)) => {
                self.listed(&list, at).map_or(Value::Poison, Value::Array)
            }
            (Tensors::Tuple(types), Value::Tuple(list)) if types.len() == list.len() => {
                let each = types.iter().zip(list);
                Value::Tuple(each.map(|(tensors, value)| self.in_form(tensors, value, at)).collect())
            }
            (_, value) => value,
        }
    }

    /// Whether the result has the declared type; else a fault at the expression that gives it.
    pub(super) fn check_result(&mut self, model: &Model, value: &Value, tail: &dyn ToTokens) {
        self.check_part(model, &model.result, value, tail);
    }

    fn check_part(&mut self, model: &Model, want: &Tensors, value: &Value, tail: &dyn ToTokens) {
        let name = model.ident.to_string();
        match (want, value) {
            (_, Value::Poison) => {}
            (Tensors::One(ty), value) => self.check_one(model, ty, value, tail),
            (Tensors::Params(ty), value) => self.check_params(model, ty, value, tail),
            (Tensors::Tuple(types), Value::Unit) if types.is_empty() => {}
            (Tensors::Tuple(types), Value::Tuple(list)) if types.len() == list.len() => {
                let all = types.iter().zip(list).enumerate();
                all.for_each(|(i, (want, value))| self.check_nth(model, want, value, tail, i));
            }
            (Tensors::Array(each, length), Value::Array(list)) if self.is_length(length, list.len()) => {
                let all = list.iter().enumerate();
                all.for_each(|(i, value)| self.check_nth(model, each, value, tail, i));
            }
            (Tensors::Tuple(types), value) if types.is_empty() => {
                let got = self.describe(value);
                self.fault(tail, message::result_unwanted(&name, &got));
            }
            (Tensors::Tuple(types), value) => {
                let got = self.describe(value);
                self.fault(tail, message::result_tuple(&name, types.len(), &got));
            }
            (Tensors::Array(_, length), value) => {
                let (got, length) = (self.describe(value), crate::syntax::tidy(&length.tokens));
                self.fault(tail, message::result_array(&name, &length, &got));
            }
        }
    }

    /// One part of a result, at its own expression where it has one.
    fn check_nth(&mut self, model: &Model, want: &Tensors, value: &Value, tail: &dyn ToTokens, i: usize) {
        let whole = syn::parse2::<Expr>(tail.to_token_stream()).ok();
        match whole.as_ref().and_then(parts).and_then(|parts| parts.get(i).copied()) {
            Some(part) => self.check_part(model, want, value, part),
            None => self.check_part(model, want, value, tail),
        }
    }

    fn is_length(&mut self, length: &crate::syntax::ast::DimExpr, count: usize) -> bool {
        let owner = self.owner();
        let size = self.size(&owner, &owner.syms, &length.dim);
        size.is_some_and(|size| self.number(&size) == i64::try_from(count).ok())
    }

    /// Params in a result have the type of an argument, and tensors of that's types.
    fn check_params(&mut self, model: &Model, ty: &Type, value: &Value, tail: &dyn ToTokens) {
        let (mut owner, value) = ((*self.owner()).clone(), self.read(value.clone()));
        let (name, want) = (model.ident.to_string(), crate::syntax::tidy(ty));
        if !self.fits(&mut owner, ty, &value) {
            let got = self.describe(&value);
            self.fault(tail, message::result_params(&name, &want, &got));
        }
    }

    fn check_one(&mut self, model: &Model, ty: &TensorTy, value: &Value, tail: &dyn ToTokens) {
        let name = model.ident.to_string();
        let value = self.read(value.clone());
        let Value::Tensor(tensor) = &value else {
            if matches!(value, Value::Unit) {
                self.fault(tail, message::result_nothing(&name));
                return;
            }
            if !value.is_poison() {
                let got = self.describe(&value);
                self.fault(tail, message::result_kind(&name, &got));
            }
            return;
        };
        let (owner, got) = (self.owner(), self.ty(tensor));
        if ty.any && ty.takes(got.dtype) {
            return;
        }
        let Some(want) = self.tensor_ty(&owner, ty) else { return };
        if want.dtype != got.dtype || !self.same_shape(&want.shape, &got.shape) {
            let (want, got) = (self.show_ty(&want), self.show_ty(&got));
            self.fault(tail, message::result_differs(&name, &want, &got));
        }
    }

    /// A declared type in words, with the sizes that are known.
    pub(super) fn show_declared(&mut self, owner: &Owner<'a>, tensors: &Tensors) -> String {
        match tensors {
            Tensors::One(ty) => self.show_one(owner, ty),
            Tensors::Params(ty) => crate::syntax::tidy(ty),
            Tensors::Tuple(list) => {
                let list: Vec<String> = list.iter().map(|each| self.show_declared(owner, each)).collect();
                format!("({})", list.join(", "))
            }
            Tensors::Array(each, length) => {
                let each = self.show_declared(owner, each);
                let length = match self.size(owner, &owner.syms, &length.dim) {
                    Some(size) => self.show_dim(&size),
                    None => crate::syntax::tidy(&length.tokens),
                };
                format!("[{each}; {length}]")
            }
        }
    }

    pub(super) fn show_one(&mut self, owner: &Owner<'a>, ty: &TensorTy) -> String {
        match self.tensor_ty(owner, ty) {
            Some(ty) => self.show_ty(&ty),
            None => {
                let shape: Vec<Dim> = ty.dims.iter().map(|d| d.dim.clone()).collect();
                let syms = std::mem::replace(&mut self.syms, owner.syms.clone());
                let shown = self.show_ty(&Ty::new(ty.dtype, shape));
                self.syms = syms;
                shown
            }
        }
    }
}

fn has_places(value: &Value) -> bool {
    let mut all = Vec::new();
    super::entry::places(value, &mut all);
    !all.is_empty()
}

/// The parts of a tuple or array as they are written.
pub(super) fn parts(expr: &Expr) -> Option<Vec<&Expr>> {
    match expr {
        Expr::Tuple(t) => Some(t.elems.iter().collect()),
        Expr::Array(a) => Some(a.elems.iter().collect()),
        Expr::Paren(p) => parts(&p.expr),
        Expr::Group(g) => parts(&g.expr),
        Expr::Reference(r) => parts(&r.expr),
        _ => None,
    }
}

//! Arguments of calls against a callee's signature, whose free dims they give.

use super::Tracer;
use super::types::Owner;
use super::value::{Function, Value, Var};
use crate::library::Item;
use crate::message::body as message;
use crate::syntax::ast::{Arg, ArgKind, Known, Model, TensorTy, Tensors};
use kiln_ir::{Dim, SymKind, Ty};
use quote::ToTokens;
use std::collections::BTreeMap;
use syn::Expr;

/// An argument of a call.
#[derive(Clone)]
pub(crate) struct Given<'e> {
    /// What it is; a place where it may be assigned to.
    pub value: Value,
    /// How it is written.
    pub expr: &'e Expr,
}

/// Where a free dim got its size: the argument's tokens as text.
type Sources = BTreeMap<usize, String>;

impl<'a> Tracer<'a> {
    /// Arguments for a function that is a graph of its own.
    pub fn given<'e>(&mut self, args: &[&'e Expr]) -> Vec<Given<'e>> {
        args.iter().map(|expr| Given { value: self.passed(expr), expr }).collect()
    }

    /// A call with an argument at fault: the others may have faults of their own.
    pub fn poisoned(&mut self, function: &Value, given: &[Given], at: &dyn ToTokens) -> Value {
        let library = self.library;
        if let Value::Function(Function::Model(key)) = function
            && let Some(entry) = library.entries.get(key)
            && let Item::Model(model) = &entry.item
        {
            let mut owner = self.names(key, &model.ident.to_string(), entry, &model.syms);
            self.bind_arguments(model, &mut owner, given, at);
        }
        Value::Poison
    }

    /// Checks arguments against a signature and learns its free dims from them.
    pub fn bind_arguments(
        &mut self,
        model: &'a Model,
        owner: &mut Owner<'a>,
        given: &[Given],
        at: &dyn ToTokens,
    ) -> bool {
        let name = model.ident.to_string();
        if given.len() != model.args.len() {
            let wanted: Vec<String> = model.args.iter().map(|a| a.ident.to_string()).collect();
            let message = message::argument_count(&name, &wanted, given.len());
            self.fault(at.to_token_stream(), message);
            return false;
        }
        let mut sources = Sources::new();
        // Trees and dims that stand alone say what the free dims are; the rest is checked with that.
        for (arg, given) in model.args.iter().zip(given) {
            self.learn(owner, arg, given, &mut sources);
        }
        let faults = self.errors.len();
        let poisoned = given.iter().any(|g| g.value.is_poison());
        for (arg, given) in model.args.iter().zip(given) {
            // What an argument that doesn't fit would have told is no second fault.
            let unlearnt = (poisoned || self.errors.len() != faults) && self.is_unlearnt(owner, arg);
            if unlearnt || given.value.is_poison() {
                continue;
            }
            self.check_argument(&name, owner, arg, given, &sources);
        }
        if self.errors.len() == faults
            && !poisoned
            && let Some(free) = self.unknown_size(owner)
        {
            self.fault(at.to_token_stream(), message::size_unknown(&name, &free));
        }
        self.errors.len() == faults
    }

    /// Whether a size in a tensor's declared type isn't known.
    fn is_unlearnt(&mut self, owner: &Owner<'a>, arg: &Arg) -> bool {
        match &arg.kind {
            ArgKind::Tensor(tensors) | ArgKind::TensorMut(tensors) => {
                tensors.types().into_iter().any(|ty| self.tensor_ty(owner, ty).is_none())
            }
            _ => false,
        }
    }

    fn learn(&mut self, owner: &mut Owner<'a>, arg: &Arg, given: &Given, sources: &mut Sources) {
        let value = self.read(given.value.clone());
        match (&arg.kind, value) {
            (ArgKind::Params(ty) | ArgKind::ParamsMut(ty), value) => {
                let before = owner.sizes.clone();
                self.fits(owner, ty, &value);
                for (i, size) in owner.sizes.iter().enumerate() {
                    if before[i].is_none() && size.is_some() {
                        sources.insert(i, self.text(given.expr));
                    }
                }
            }
            (ArgKind::Tensor(want) | ArgKind::TensorMut(want), value) => {
                self.learn_tensors(owner, want, &value, given.expr, sources);
            }
            _ => {}
        }
    }

    fn learn_tensors(
        &mut self,
        owner: &mut Owner<'a>,
        want: &Tensors,
        value: &Value,
        expr: &Expr,
        sources: &mut Sources,
    ) {
        let mut learn = |tracer: &mut Self, want: &Dim, size: &Dim| {
            let Some(sym) = want.symbol().map(|s| s.0 as usize) else { return };
            let free = matches!(owner.syms.0[sym].kind, SymKind::Free { .. });
            if free && owner.sizes[sym].is_none() {
                owner.sizes[sym] = Some(size.clone());
                sources.insert(sym, tracer.text(expr));
            }
        };
        match (want, self.read(value.clone())) {
            (Tensors::One(ty), Value::Tensor(t)) if !ty.any => {
                let got = self.ty(&t);
                if got.rank() == ty.dims.len() {
                    ty.dims.iter().zip(&got.shape).for_each(|(want, size)| learn(self, &want.dim, size));
                }
            }
            (Tensors::Tuple(wants), Value::Tuple(list)) if wants.len() == list.len() => {
                for (i, (want, value)) in wants.iter().zip(&list).enumerate() {
                    self.learn_tensors(owner, want, value, nth(expr, i), sources);
                }
            }
            (Tensors::Array(each, length), Value::Array(list)) => {
                learn(self, &length.dim, &Dim::from(list.len()));
                for (i, value) in list.iter().enumerate() {
                    self.learn_tensors(owner, each, value, nth(expr, i), sources);
                }
            }
            _ => {}
        }
    }

    fn check_argument(
        &mut self,
        name: &str,
        owner: &mut Owner<'a>,
        arg: &Arg,
        given: &Given,
        sources: &Sources,
    ) {
        let param = arg.ident.to_string();
        match &arg.kind {
            ArgKind::Tensor(want) => self.check_tensors(name, owner, &param, want, given, sources),
            ArgKind::TensorMut(want) => {
                self.check_tensors(name, owner, &param, want, given, sources);
                self.check_mutable(name, &param, given);
            }
            ArgKind::Params(ty) | ArgKind::ParamsMut(ty) => {
                let value = self.read(given.value.clone());
                if !self.fits(owner, ty, &value) {
                    let mutable = if matches!(arg.kind, ArgKind::ParamsMut(_)) { "&mut " } else { "&" };
                    let want = format!("{mutable}{}", crate::syntax::tidy(ty));
                    let got = self.describe(&value);
                    self.fault(given.expr, message::argument_type(name, &param, &want, &got, ""));
                } else if matches!(arg.kind, ArgKind::ParamsMut(_)) {
                    self.check_mutable(name, &param, given);
                }
            }
            ArgKind::Known(known) => self.check_known(name, &param, known, given),
        }
    }

    fn check_known(&mut self, name: &str, param: &str, known: &Known, given: &Given) {
        let fits = match (known, &given.value) {
            (Known::Bool, Value::Bool(_)) => true,
            (Known::Whole(_), Value::Int(_)) | (Known::Float(_), Value::Float(_)) => true,
            (Known::Choice(path), Value::Choice(choice)) => {
                let ty = path.segments.last().map(|s| s.ident.to_string());
                ty.as_ref() == Some(&choice.of)
            }
            _ => false,
        };
        if fits {
            return;
        }
        let got = self.describe(&given.value);
        let hint = match (known, &given.value) {
            (Known::Choice(path), Value::Tree(_)) => message::by_reference(&crate::syntax::tidy(path)),
            (Known::Choice(_), Value::Int(_)) => message::variant_in_capitals(),
            (Known::Float(_), Value::Int(n)) if n.literal().is_some() => message::float_literal(),
            (_, Value::Tensor(_)) => message::known_here(),
            _ => String::new(),
        };
        self.fault(given.expr, message::argument_type(name, param, &known.text(), &got, &hint));
    }

    fn check_tensors(
        &mut self,
        name: &str,
        owner: &mut Owner<'a>,
        param: &str,
        want: &Tensors,
        given: &Given,
        sources: &Sources,
    ) {
        let value = self.read(given.value.clone());
        let list: Vec<(&Tensors, &Value)> = match (want, &value) {
            (Tensors::One(ty), _) => return self.check_tensor(name, owner, param, ty, given, sources),
            (Tensors::Tuple(wants), Value::Tuple(list)) if wants.len() == list.len() => {
                wants.iter().zip(list).collect()
            }
            (Tensors::Array(each, length), Value::Array(list))
                if self.accepts_size(owner, &length.dim, &Dim::from(list.len())) =>
            {
                list.iter().map(|value| (&**each, value)).collect()
            }
            _ => {
                let (want, got) = (self.show_declared(owner, want), self.describe(&value));
                self.fault(given.expr, message::argument_type(name, param, &want, &got, ""));
                return;
            }
        };
        for (i, (want, value)) in list.into_iter().enumerate() {
            let part = Given { value: value.clone(), expr: nth(given.expr, i) };
            self.check_tensors(name, owner, &format!("{param}.{i}"), want, &part, sources);
        }
    }

    fn check_tensor(
        &mut self,
        name: &str,
        owner: &mut Owner<'a>,
        param: &str,
        ty: &TensorTy,
        given: &Given,
        sources: &Sources,
    ) {
        let value = self.read(given.value.clone());
        let Value::Tensor(t) = &value else {
            let (want, got) = (self.show_one(owner, ty), self.describe(&value));
            self.fault(given.expr, message::argument_type(name, param, &want, &got, ""));
            return;
        };
        let got = self.ty(t);
        if (ty.any && ty.takes(got.dtype)) || self.accepts(owner, ty, &got) {
            return;
        }
        if ty.any {
            let want = message::any_shape_of(ty.dtype.name());
            let (text, got) = (self.text(given.expr), self.show_ty(&got));
            let got = format!("`{text}` is {got}");
            self.fault(given.expr, message::argument_tensor(name, param, &want, &got, ty.dtype.name()));
            return;
        }
        if ty.dtype == got.dtype && ty.dims.len() == got.rank() {
            for (want, size) in ty.dims.iter().zip(&got.shape) {
                let Some(sym) = want.dim.symbol().map(|s| s.0 as usize) else { continue };
                let known = owner.sizes.get(sym).cloned().flatten();
                if let (Some(known), Some(source)) = (known, sources.get(&sym))
                    && !self.same_size(&known, size)
                {
                    let free = owner.syms.0[sym].name.clone();
                    let (one, other) = (self.show_dim(&known), self.show_dim(size));
                    let text = self.text(given.expr);
                    self.fault(given.expr, message::size_twice(name, &free, &one, source, &other, &text));
                    return;
                }
            }
        }
        let (want, shown) = (self.show_one(owner, ty), self.show_ty(&got));
        let hint = if ty.dtype != got.dtype && ty.dims.len() == got.rank() { ty.dtype.name() } else { "" };
        let text = self.text(given.expr);
        let got = format!("`{text}` is {shown}");
        self.fault(given.expr, message::argument_tensor(name, param, &want, &got, hint));
    }

    /// Whether a tensor has a declared type; a free dim that is known from nothing else is solved for.
    fn accepts(&mut self, owner: &mut Owner<'a>, ty: &TensorTy, got: &Ty) -> bool {
        if ty.dtype != got.dtype || ty.dims.len() != got.rank() {
            return false;
        }
        ty.dims.iter().zip(&got.shape).all(|(want, size)| self.accepts_size(owner, &want.dim, size))
    }

    fn accepts_size(&mut self, owner: &mut Owner<'a>, want: &Dim, size: &Dim) -> bool {
        let syms = owner.syms.clone();
        match self.size(owner, &syms, want) {
            Some(want) => self.same_size(&want, size),
            None => self.solve_free(owner, want, size),
        }
    }

    /// The one unknown free dim of a sum in which it stands once: `{ 2 * N + 1 }`.
    pub fn solve_free(&mut self, owner: &mut Owner<'a>, want: &Dim, size: &Dim) -> bool {
        let unknown: Vec<usize> = want.syms().iter().map(|s| s.0 as usize).collect();
        let unknown: Vec<usize> = unknown
            .into_iter()
            .filter(|i| matches!(owner.syms.0[*i].kind, SymKind::Free { .. }) && owner.sizes[*i].is_none())
            .collect();
        let [sym] = unknown.as_slice() else { return false };
        let mut at = |value: i64| {
            owner.sizes[*sym] = Some(Dim::from(value));
            let syms = owner.syms.clone();
            self.size(owner, &syms, want)
        };
        let (Some(base), Some(next)) = (at(0), at(1)) else { return false };
        let found = (size.clone() - base.clone()).divide(&(next - base));
        owner.sizes[*sym] = found.clone();
        let syms = owner.syms.clone();
        found.is_some() && self.size(owner, &syms, want).as_ref() == Some(size)
    }

    /// Whether a function without a signature may change an argument: a tree that may be changed here.
    pub fn is_changeable(&self, value: &Value) -> bool {
        let mut places = Vec::new();
        super::entry::places(value, &mut places);
        let may = |var: &Var| self.vars[var.0].mutable && self.reaches(*var);
        matches!(value, Value::Tree(_)) && !places.is_empty() && places.iter().all(may)
    }

    /// Whether a callee may change an argument.
    fn check_mutable(&mut self, name: &str, param: &str, given: &Given) {
        let mut places = Vec::new();
        super::entry::places(&given.value, &mut places);
        let text = self.text(given.expr);
        if places.is_empty() && matches!(given.value, Value::Tensor(_) | Value::Tuple(_) | Value::Array(_)) {
            match given.expr {
                Expr::Reference(r) if r.mutability.is_some() => {
                    let text = self.text(&r.expr);
                    self.fault(&r.expr, message::not_mut(&text));
                }
                _ => drop(self.fault(given.expr, message::wants_mut(name, param, &text))),
            }
        } else if places.iter().any(|p| !self.vars[p.0].mutable) {
            self.fault(given.expr, message::argument_immutable(name, param, &text));
        } else if places.iter().any(|p| !self.reaches(*p)) {
            let message = match given.value {
                Value::Tree(_) => message::tree_outside_of_closure(&text),
                _ => message::outside_of_closure(&text),
            };
            self.fault(given.expr, message);
        }
    }
}

/// A part of a tuple or array as it is written; the whole where it isn't taken apart.
fn nth(expr: &Expr, i: usize) -> &Expr {
    super::several::parts(expr).and_then(|parts| parts.get(i).copied()).unwrap_or(expr)
}

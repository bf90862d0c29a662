//! Functions as values: what `let` calls a closure or a transform, and what is known of a function by its tokens.

use super::calls::{Callee, Given, bare, plain};
use super::hidden;
use super::statements::{Body, Name};
use crate::library::Item;
use crate::link::RNG;
use crate::syntax::ast::{ArgKind, Model, Tensors};
use crate::trace::Transform;
use kiln_ir::composite::rule::Rule;
use kiln_ir::surface::{self, Kind};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use std::collections::BTreeSet;
use syn::visit::{self, Visit};
use syn::{Expr, ExprCall, ExprClosure, ExprPath, Pat, Type, parse_quote};

/// A closure that has a name.
pub struct Named {
    pub closure: ExprClosure,
    /// How many names were bound before.
    pub before: usize,
    /// What the closure captures, and the names under which it is kept, where that is needed.
    pub kept: Vec<(Ident, Ident)>,
}

impl Body<'_> {
    /// `let f = …`, where that is a function: nothing is computed, and `f(x)` is a call of it.
    pub fn function(&mut self, name: &Ident, value: &Expr) -> Option<TokenStream> {
        match bare(value) {
            Expr::Closure(closure) => {
                let (made, closure) = self.closure(closure);
                self.define(name, closure);
                Some(made)
            }
            Expr::Call(call) if self.transform(call).is_some() => {
                let mut closures = TokenStream::new();
                let lifted = Expr::Call(self.lifted(call, &mut closures));
                self.functions.push(lifted.into());
                self.define(name, Name::Function(self.functions.len() - 1));
                Some(closures)
            }
            Expr::Path(path) => match (self.local(value), self.callee(path)) {
                (Some((_, known @ (Name::Closure(_) | Name::Function(_)))), _) => {
                    self.define(name, known);
                    Some(TokenStream::new())
                }
                (None, callee) if is_function(&callee) => {
                    self.functions.push(value.clone().into());
                    self.define(name, Name::Function(self.functions.len() - 1));
                    Some(TokenStream::new())
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn transform(&self, call: &ExprCall) -> Option<Transform> {
        let Expr::Path(path) = bare(&call.func) else { return None };
        let Callee::Builtin(name) = self.callee(path) else { return None };
        Transform::from_name(name)
    }

    /// A transform whose functions have names that nothing shadows: they are what they were where it stands.
    fn lifted(&mut self, transform: &ExprCall, closures: &mut TokenStream) -> ExprCall {
        let mut lifted = transform.clone();
        let is_custom = self.transform(transform) == Some(Transform::CustomVjp);
        for (i, argument) in lifted.args.iter_mut().enumerate() {
            let known = match (bare(argument), self.local(argument)) {
                (Expr::Call(inner), _) if self.transform(inner).is_some() => {
                    *argument = Expr::Call(self.lifted(&inner.clone(), closures));
                    continue;
                }
                (Expr::Closure(closure), _) => {
                    let (made, name) = self.closure(&closure.clone());
                    closures.extend(made);
                    name
                }
                (_, Some((_, known @ (Name::Closure(_) | Name::Function(_))))) => known,
                _ => continue,
            };
            if let (Name::Closure(rule), true) = (known, is_custom && i == 1) {
                let Named { closure, before, .. } = &self.closures[rule];
                let (kept, pairs) = self.keep(&closure.clone(), *before);
                closures.extend(kept);
                self.closures[rule].kept = pairs;
            }
            self.gradients += 1;
            let name = hidden(&format!("function{}", self.gradients));
            self.define(&name, known);
            *argument = parse_quote!(#name);
        }
        lifted
    }

    /// What a rule captures, cloned under names that nothing shadows: a rule is asked when the body is long gone.
    fn keep(&mut self, closure: &ExprClosure, before: usize) -> (TokenStream, Vec<(Ident, Ident)>) {
        let (mut made, mut pairs) = (TokenStream::new(), Vec::new());
        for name in captured(closure) {
            match self.local_since(&name) {
                Some((Name::Value, since)) if since < before => {}
                None | Some((Name::Closure(_) | Name::Function(_), _)) => continue,
                Some((Name::Value, _)) => drop(self.refuse("a rule one of whose names was bound anew")),
                Some(_) => drop(self.refuse("a rule that captures what changes")),
            }
            self.gradients += 1;
            let kept = hidden(&format!("kept{}", self.gradients));
            made.extend(quote!(let #kept = #name.clone();));
            pairs.push((name, kept));
        }
        (made, pairs)
    }

    /// What must be kept for the rule of `custom_vjp`, and the rule for its inputs, which moves what is kept.
    pub fn rule(&mut self, rule: &Expr, inputs: &[Given]) -> (TokenStream, TokenStream) {
        let (closure, before, known) = match (bare(rule), self.local(rule)) {
            (Expr::Closure(closure), _) => (closure.clone(), usize::MAX, Vec::new()),
            (_, Some((_, Name::Closure(i)))) => {
                let Named { closure, before, kept } = &self.closures[i];
                (closure.clone(), *before, kept.clone())
            }
            _ => return (TokenStream::new(), self.called(rule, inputs)),
        };
        let (mut lets, mut pairs) = (TokenStream::new(), known);
        if pairs.is_empty() {
            (lets, pairs) = self.keep(&closure, before);
        } else {
            // It stays for further calls.
            lets.extend(pairs.iter().map(|(_, kept)| quote!(let #kept = #kept.clone();)));
        }
        let applied = self.scoped(|body| {
            pairs.iter().for_each(|(name, _)| body.define(name, Name::Value));
            body.applied(&closure, inputs)
        });
        let back = pairs.iter().map(|(name, kept)| quote!(let #name = ::core::clone::Clone::clone(&#kept);));
        (lets, quote!({ #(#back)* #applied }))
    }

    /// The places of the arguments that a function is differentiated by.
    pub(super) fn differentiated(&self, function: &Expr) -> Vec<usize> {
        match bare(function) {
            Expr::Call(transform) => {
                let Some(inner) = transform.args.first() else { return vec![] };
                match self.transform(transform) {
                    Some(Transform::TreeMap) => (0..self.arity(inner).unwrap_or(1)).collect(),
                    _ => self.differentiated(inner),
                }
            }
            Expr::Path(path) => match self.callee(path) {
                Callee::Model(model) => of_model(self, model),
                Callee::Function(function) => self.differentiated(&function),
                _ => vec![0],
            },
            _ => vec![0],
        }
    }

    /// Whether a function changes its argument of that place.
    pub(super) fn changes(&self, function: &Expr, i: usize) -> bool {
        match bare(function) {
            Expr::Call(transform) => transform.args.first().is_some_and(|inner| self.changes(inner, i)),
            Expr::Closure(closure) => self.closure_changes(closure, i),
            Expr::Path(path) => match self.callee(path) {
                Callee::Model(model) => model
                    .args
                    .get(i)
                    .is_some_and(|a| matches!(a.kind, ArgKind::ParamsMut(_) | ArgKind::TensorMut(_))),
                Callee::Builtin(name) => surface::function(name)
                    .is_some_and(|entry| entry.params.get(i).is_some_and(|p| p.kind == Kind::Rng)),
                Callee::Closure(known) => self.closure_changes(&self.closures[known].closure, i),
                Callee::Function(function) => self.changes(&function, i),
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether a closure hands an argument on to what changes it.
    pub(super) fn closure_changes(&self, closure: &ExprClosure, i: usize) -> bool {
        struct Changes<'a, 'b>(&'a Body<'b>, &'a Ident, bool);
        impl<'ast> Visit<'ast> for Changes<'_, '_> {
            fn visit_expr_call(&mut self, call: &'ast ExprCall) {
                let places = (0..call.args.len()).filter(|place| is_of(&call.args[*place], self.1));
                let function = &call.func;
                self.2 |= places.into_iter().any(|place| self.0.changes(function, place));
                visit::visit_expr_call(self, call);
            }
            fn visit_expr_reference(&mut self, r: &'ast syn::ExprReference) {
                self.2 |= r.mutability.is_some() && is_of(&r.expr, self.1);
                visit::visit_expr_reference(self, r);
            }
            fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
                let mut changed = call.args.first().into_iter().chain([&*call.receiver]);
                self.2 |= call.method == "step" && changed.any(|expr| is_of(expr, self.1));
                visit::visit_expr_method_call(self, call);
            }
        }
        let Some(Pat::Ident(name)) = closure.inputs.get(i).map(super::statements::untyped) else {
            return false;
        };
        let mut changes = Changes(self, &name.ident, false);
        changes.visit_expr(&closure.body);
        changes.2
    }

    /// How many float results a function has.
    fn float_results(&self, function: &Expr) -> Option<usize> {
        let Expr::Path(path) = bare(function) else { return None };
        let model = match self.callee(path) {
            Callee::Model(model) => model,
            Callee::Function(function) => return self.float_results(&function),
            _ => return None,
        };
        let floats = |tensors: &Tensors| tensors.types().iter().filter(|ty| ty.dtype.is_float()).count();
        // How many there are in an array or in params, isn't seen here.
        let seen = model.result.lengths().is_empty() && !model.result.holds_params();
        seen.then(|| floats(&model.result))
    }

    /// How many arguments a function has.
    pub(super) fn arity(&self, function: &Expr) -> Option<usize> {
        match bare(function) {
            Expr::Closure(closure) => Some(closure.inputs.len()),
            Expr::Path(path) => match self.callee(path) {
                Callee::Model(model) => Some(model.args.len()),
                Callee::Builtin(name) => Some(surface::function(name)?.params.len()),
                Callee::Closure(known) => Some(self.closures[known].closure.inputs.len()),
                Callee::Function(function) => self.arity(&function),
                _ => None,
            },
            Expr::Call(transform) => {
                let (inner, Expr::Path(path)) = (transform.args.first()?, bare(&transform.func)) else {
                    return None;
                };
                let further = match self.callee(path) {
                    Callee::Builtin("jvp") => self.differentiated(inner).len(),
                    Callee::Builtin("vjp") => self.float_results(inner)?,
                    _ => 0,
                };
                Some(self.arity(inner)? + further)
            }
            _ => None,
        }
    }
}

fn is_function(callee: &Callee) -> bool {
    match callee {
        Callee::Model(_) => true,
        Callee::Builtin(name) => surface::function(name).is_some(),
        _ => false,
    }
}

/// The trees of parameters and the arguments named by `grad(…)`; else the first of floats.
fn of_model(body: &Body, model: &Model) -> Vec<usize> {
    let named = |i: &usize| model.options.grad.contains(&model.args[*i].ident);
    let trained = |i: &usize| match &model.args[*i].kind {
        ArgKind::Params(ty) | ArgKind::ParamsMut(ty) => !is_optimizer(body, ty),
        _ => false,
    };
    let all = 0..model.args.len();
    let wrt: Vec<usize> = all.clone().filter(trained).chain(all.clone().filter(named)).collect();
    if !wrt.is_empty() {
        return wrt;
    }
    let floats = |i: &usize| match &model.args[*i].kind {
        ArgKind::Tensor(tensors) | ArgKind::TensorMut(tensors) => {
            let types = tensors.types();
            !types.is_empty() && types.iter().all(|ty| ty.dtype.is_float())
        }
        _ => false,
    };
    all.filter(floats).take(1).collect()
}

/// Whether a type is that of an optimizer or generator; only the paths of this body lead somewhere from here, so also by its name.
fn is_optimizer(body: &Body, ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    let key = body.entry.deps.get(&plain(&path.path));
    let builtin =
        key.and_then(|key| body.library.entries.get(key)).is_some_and(|e| matches!(e.item, Item::Builtin(_)));
    let last = path.path.segments.last().map(|s| s.ident.to_string());
    builtin || last.is_some_and(|name| name == RNG || Rule::named(&name).is_some())
}

/// Whether an expression is a variable, a part of it, or a reference to one of both.
fn is_of(expr: &Expr, name: &Ident) -> bool {
    match bare(expr) {
        Expr::Path(path) => path.path.is_ident(name),
        Expr::Reference(r) => is_of(&r.expr, name),
        Expr::Field(field) => is_of(&field.base, name),
        Expr::Index(index) => is_of(&index.expr, name),
        _ => false,
    }
}

/// The names that a closure reads from outside, as far as names tell.
fn captured(closure: &ExprClosure) -> BTreeSet<Ident> {
    #[derive(Default)]
    struct Names {
        read: BTreeSet<Ident>,
        own: BTreeSet<Ident>,
    }
    impl<'ast> Visit<'ast> for Names {
        fn visit_expr_path(&mut self, path: &'ast ExprPath) {
            self.read.extend(path.path.get_ident().cloned());
        }
        fn visit_pat_ident(&mut self, pat: &'ast syn::PatIdent) {
            self.own.insert(pat.ident.clone());
        }
    }
    let mut names = Names::default();
    closure.inputs.iter().for_each(|pat| names.visit_pat(pat));
    names.visit_expr(&closure.body);
    &names.read - &names.own
}

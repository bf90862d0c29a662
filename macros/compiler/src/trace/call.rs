//! Calls: models, functions of the surface, transforms, closures.

use super::Tracer;
use super::arguments::Given;
use super::control::CONTROL;
use super::frame::Frame;
use super::series::is_new_list;
use super::types::{Owner, plain};
use super::value::{Compiled, Function, Transform, Value, Var};
use crate::library::Item;
use crate::message::body as message;
use crate::syntax::ast::{ArgKind, Model};
use kiln_ir::{Builder, SymKind, surface};
use quote::ToTokens;
use std::rc::Rc;
use syn::{Expr, ExprCall, Path};

impl<'a> Tracer<'a> {
    /// `f(x, y)`
    pub fn call(&mut self, call: &ExprCall) -> Value {
        let args: Vec<&Expr> = call.args.iter().collect();
        if let (Expr::Path(p), [arg]) = (&*call.func, args.as_slice())
            && p.path.is_ident("Some")
        {
            return self.expr(arg);
        }
        let callee = match &*call.func {
            Expr::Path(p) if is_new_list(&p.path) => {
                args.iter().for_each(|arg| drop(self.expr(arg)));
                return Value::Array(vec![]);
            }
            Expr::Path(p) => self.callee(&p.path),
            other => self.expr(other),
        };
        match &callee {
            Value::Poison => {
                // The arguments' faults are their own.
                args.iter().for_each(|arg| drop(self.expr(arg)));
                Value::Poison
            }
            Value::Function(Function::Builtin(name)) if CONTROL.contains(name) => {
                self.control(name, &args, call)
            }
            Value::Function(Function::Builtin(name)) => match (Transform::from_name(name), args.as_slice()) {
                (Some(Transform::CustomVjp), [of, rule]) => self.ruled(of, rule),
                (Some(Transform::CustomVjp), _) => self.fault(call, message::custom_arity()),
                (Some(how), [of]) => self.derived(how, of),
                (Some(how), _) => self.fault(call, message::transform_arity(how.name())),
                (None, _) => match surface::function(name) {
                    Some(entry) => self.surface(entry, None, &args, &call.func),
                    None => self.fault(&call.func, message::not_callable(name)),
                },
            },
            Value::Closure(closure) => {
                let args: Vec<Value> = args.iter().map(|arg| self.passed(arg)).collect();
                self.call_closure(&closure.clone(), args, &call.func)
            }
            Value::Function(_) => {
                let given = self.given(&args);
                self.run(&callee, &given, &call.func)
            }
            other => {
                let what = self.describe(other);
                let name = self.text(&call.func);
                self.fault(&call.func, message::hidden(&name, &what))
            }
        }
    }

    /// What a path that is called leads to.
    pub(super) fn callee(&mut self, path: &Path) -> Value {
        if let Some(var) = path.get_ident().and_then(|name| self.lookup(&name.to_string())) {
            return self.read(Value::Place(var));
        }
        let owner = self.owner();
        let name = plain(path);
        match self.item(&owner, path).map(|(key, entry)| (key, &entry.item)) {
            Some((key, Item::Model(_))) => Value::Function(Function::Model(key.to_string())),
            Some((_, Item::Builtin(builtin))) => match builtin_function(builtin) {
                Some(function) => Value::Function(function),
                None => self.fault(path, message::not_callable(&name)),
            },
            Some((_, Item::Params(_))) => self.fault(path, message::struct_called(&name)),
            Some((_, Item::Faulty)) => Value::Poison,
            None if name == owner.name => self.fault(path, message::recursion(&name)),
            None => self.unknown_function(path, &name),
        }
    }

    fn unknown_function(&mut self, path: &Path, name: &str) -> Value {
        if surface::method(name).is_some() {
            return self.fault(path, message::is_method(name));
        }
        let owner = self.owner();
        let mut known: Vec<&str> = owner.deps.keys().map(String::as_str).collect();
        let scopes = self.frames.last().map(|f| f.scopes.clone()).unwrap_or_default();
        known.extend(scopes.iter().map(|(n, _)| n.as_str()));
        let near = surface::nearest(name, known).or_else(|| surface::nearest_function(name));
        let message = message::plain_function(name, near);
        self.fault(path, message)
    }

    /// Calls a function that is a graph of its own.
    pub fn run(&mut self, function: &Value, given: &[Given], at: &dyn ToTokens) -> Value {
        if given.iter().any(|g| g.value.is_poison()) {
            return self.poisoned(function, given, at);
        }
        let Some(compiled) = self.compiled(function, given, at) else { return Value::Poison };
        let args: Vec<Value> = given.iter().map(|g| g.value.clone()).collect();
        self.locate(&at.to_token_stream());
        let result = match self.prefix(&args) {
            Some(prefix) => self.apply(&prefixed(&compiled, &prefix), &args),
            None => self.apply(&compiled, &args),
        };
        self.built(at.to_token_stream(), result).unwrap_or(Value::Poison)
    }

    /// Where the first layer among arguments stands in its net: `blocks_3`.
    fn prefix(&self, args: &[Value]) -> Option<String> {
        args.iter().find_map(|arg| match arg {
            Value::Tree(tree) => self.tree_name(tree),
            _ => None,
        })
    }

    /// A function as a graph for these arguments.
    pub(super) fn compiled(
        &mut self,
        function: &Value,
        given: &[Given],
        at: &dyn ToTokens,
    ) -> Option<Rc<Compiled>> {
        match function {
            Value::Function(Function::Model(key)) => self.model(key, given, at),
            Value::Closure(closure) => {
                self.closure_function(&closure.clone(), given, at, Some(Vec::new())).map(Rc::new)
            }
            Value::Function(Function::Builtin(name)) => self.surface_function(name, given, at).map(Rc::new),
            Value::Function(Function::Transformed(how, inner)) => {
                self.transformed(*how, inner, given, at).map(Rc::new)
            }
            _ => None,
        }
    }

    /// A model as a graph for these arguments.
    pub fn model(&mut self, key: &str, given: &[Given], at: &dyn ToTokens) -> Option<Rc<Compiled>> {
        let entry = self.library.entries.get(key)?;
        let Item::Model(model) = &entry.item else { return None };
        if self.frames.iter().any(|f| f.owner.key == key) {
            self.recursive = true;
            self.fault(at.to_token_stream(), message::recursion(&model.ident.to_string()));
            return None;
        }
        let mut owner = self.names(key, &model.ident.to_string(), entry, &model.syms);
        if !self.bind_arguments(model, &mut owner, given, at) {
            return None;
        }
        if !self.within_bounds(model, &owner, at) {
            return None;
        }
        let mut signature = format!("{key} ");
        given.iter().for_each(|g| self.signature(&g.value, &mut signature));
        if let Some(known) = self.known.get(&signature) {
            return known.clone();
        }
        let compiled = self.trace_model(key, model, owner, given, at).map(Rc::new);
        // What reads a loop's counter holds where it was traced, and nowhere else.
        if compiled.as_ref().is_none_or(|c| c.captures.is_empty()) {
            self.known.insert(signature, compiled.clone());
        }
        compiled
    }

    /// Whether the sizes of a callee stay below its bounds.
    fn within_bounds(&mut self, model: &Model, owner: &Owner<'a>, at: &dyn ToTokens) -> bool {
        for free in &model.frees {
            let (Some(bound), Some(Some(size))) = (free.bound, owner.sizes.get(free.sym.0 as usize)) else {
                continue;
            };
            let most = match size.symbol().map(|s| self.syms.info(s).kind.clone()) {
                Some(SymKind::Free { bound }) => Some(bound.unwrap_or(u64::MAX)),
                Some(SymKind::Const | SymKind::Turn | SymKind::Floor { .. }) => None,
                None => size.literal().and_then(|n| u64::try_from(n).ok()),
            };
            if most.is_some_and(|most| most > bound) {
                let (shown, bound) = (self.show_dim(size), bound.to_string());
                let above =
                    message::above_bound(&model.ident.to_string(), &free.ident.to_string(), &bound, &shown);
                let hint = size.symbol().map_or(String::new(), |_| message::bound_it(&shown, &bound));
                self.fault(at.to_token_stream(), message::misfit(&above, "", &hint));
                return false;
            }
        }
        true
    }

    fn trace_model(
        &mut self,
        key: &str,
        model: &'a Model,
        owner: Owner<'a>,
        given: &[Given],
        at: &dyn ToTokens,
    ) -> Option<Compiled> {
        let caller = std::mem::take(&mut self.errors);
        let builder = Builder::new(&model.ident.to_string(), self.syms.clone());
        self.frames.push(Frame::new(builder, Rc::new(owner), Vec::new()));
        let mut args = Vec::new();
        for (arg, given) in model.args.iter().zip(given) {
            let mutable = matches!(arg.kind, ArgKind::ParamsMut(_) | ArgKind::TensorMut(_));
            let value = if mutable { given.value.clone() } else { self.plain_argument(&given.value) };
            args.push(self.mirror(&value, &arg.ident.to_string(), mutable));
        }
        let compiled = self.function(model, args);
        self.frames.pop();
        let theirs = std::mem::replace(&mut self.errors, caller);
        if !theirs.is_empty() && (self.recursive || !self.is_told(key, model)) {
            let name = model.ident.to_string();
            let values: Vec<Value> = given.iter().map(|g| g.value.clone()).collect();
            let exprs: Vec<&Expr> = given.iter().map(|g| g.expr).collect();
            let operands = if self.in_callee() { String::new() } else { self.operands(&values, &exprs) };
            for fault in theirs {
                let message = message::misfit(&message::inside(&name, &fault.to_string()), &operands, "");
                self.fault(at.to_token_stream(), message);
            }
        }
        compiled
    }

    /// Tensors that are passed by value are no places in the callee.
    fn plain_argument(&self, value: &Value) -> Value {
        match self.read(value.clone()) {
            list @ (Value::Array(_) | Value::Tuple(_)) if self.float(&list).is_some() => self.snapshot(&list),
            other => other,
        }
    }

    /// Whether what is wrong with a model is told where it stands, or at what it calls. A building block may be sound
    /// by itself, or not be a graph without its arguments.
    fn is_told(&self, key: &str, model: &Model) -> bool {
        if self.checking {
            return false;
        }
        let errors = crate::Errors::new();
        let traced = super::entry::attempts(self.library, key, &errors, true);
        !errors.finish().is_empty() || (traced.is_none() && !model.is_block())
    }

    /// A function of the surface as a graph of its own.
    fn surface_function(
        &mut self,
        name: &'static str,
        given: &[Given],
        at: &dyn ToTokens,
    ) -> Option<Compiled> {
        let entry = surface::function(name)?;
        let owner = self.owner();
        let changeable: Vec<bool> = given.iter().map(|g| self.is_changeable(&g.value)).collect();
        let builder = Builder::new(name, self.syms.clone());
        self.frames.push(Frame::new(builder, owner, Vec::new()));
        let args: Vec<Value> = given
            .iter()
            .zip(entry.params)
            .zip(changeable)
            .map(|((g, p), mutable)| {
                let value = self.plain_argument(&g.value);
                self.mirror(&value, p.name, mutable)
            })
            .collect();
        let before = self.held(&args);
        let result = self.surface_call(entry, &args, &given.iter().map(|g| g.expr).collect::<Vec<_>>(), at);
        let compiled = self.close_function(&args, before, result);
        self.frames.pop();
        compiled
    }

    /// The graph of the innermost frame, for a function without a signature.
    pub fn close_function(
        &mut self,
        args: &[Value],
        before: Vec<(Var, Option<kiln_ir::Value>)>,
        result: Value,
    ) -> Option<Compiled> {
        if matches!(result, Value::Unit) {
            return None;
        }
        let mut next = 0;
        let forms = args.iter().enumerate().map(|(i, value)| crate::traced::Arg {
            name: format!("arg{i}"),
            mutable: false,
            tree: self.leaves(value, &mut next),
        });
        let forms = forms.collect();
        let result = self.returned(&result, args, "out", false)?;
        self.updates(before)?;
        let mut wrt: Vec<usize> = (0..args.len()).filter(|i| self.trained(&args[*i])).collect();
        if wrt.is_empty() {
            wrt.extend((0..args.len()).find(|i| self.float(&args[*i]) == Some(true)));
        }
        Some(self.close(forms, result, wrt))
    }
}

/// A callee whose values are named by the layer that it is called with.
fn prefixed(callee: &Compiled, prefix: &str) -> Compiled {
    let mut callee = callee.clone();
    for name in callee.traced.func.names.iter_mut().flatten() {
        if !name.starts_with(prefix) {
            *name = format!("{prefix}_{name}");
        }
    }
    callee
}

/// A builtin that can be called.
fn builtin_function(name: &str) -> Option<Function> {
    let control = || CONTROL.into_iter().find(|known| *known == name);
    let how = Transform::from_name(name).map(Transform::name).or_else(control);
    how.or_else(|| surface::function(name).map(|e| e.name)).map(Function::Builtin)
}

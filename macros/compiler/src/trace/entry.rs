//! A model as a graph: arguments to inputs, the body, the result and changed state to outputs.

use super::frame::{Flow, Frame};
use super::grow::Growth;
use super::types::Owner;
use super::value::{Captured, Compiled, Value, Var};
use super::{Assumed, Tracer};
use crate::Errors;
use crate::library::{Item, Library};
use crate::message::body as message;
use crate::syntax::ast::{Arg, ArgKind, Model};
use crate::traced::{self, Ret, Traced, Tree};
use kiln_ir::{Builder, Dim, Role, SymKind};
use quote::ToTokens;
use std::rc::Rc;
use syn::{Expr, Stmt};

/// Traces the model of that key for all sizes of its free dims.
///
/// `None` with the faults noted; without a fault, if one stands in a model that it calls, where it is reported.
pub fn trace(library: &Library, key: &str, errors: &Errors) -> Option<Traced> {
    cases(library, key, errors)?.into_iter().next()
}

/// The same for all values of its known arguments, as `Model::cases` has them.
pub fn cases(library: &Library, key: &str, errors: &Errors) -> Option<Vec<Traced>> {
    attempts(library, key, errors, false)
}

/// `checking`: whether it is asked for the faults alone.
pub(crate) fn attempts(library: &Library, key: &str, errors: &Errors, checking: bool) -> Option<Vec<Traced>> {
    let Item::Model(model) = &library.entries.get(key)?.item else { return None };
    if model.is_block() && model.known().next().is_some() {
        // Only a call says what they are.
        return None;
    }
    let mut faults = Vec::new();
    let cases: Vec<Option<Traced>> =
        model.cases().iter().map(|case| attempt(library, key, case, &mut faults, checking)).collect();
    // What doesn't hang on the case is found in each.
    distinct(faults).into_iter().for_each(|e| errors.push(e));
    cases.into_iter().collect()
}

fn attempt(
    library: &Library,
    key: &str,
    case: &[bool],
    faults: &mut Vec<syn::Error>,
    checking: bool,
) -> Option<Traced> {
    let mut assumed = Assumed::default();
    // Each round takes one more constant to be a size that is known, or takes one more array apart: there are no more rounds
    // than these.
    loop {
        let mut tracer = Tracer::new(library, assumed);
        tracer.checking = checking;
        tracer.block = is_block(library, key);
        let traced = tracer.entry(key, case);
        if tracer.again {
            assumed = Assumed { sizes: tracer.assumed, separate: tracer.separate, syms: tracer.syms };
            continue;
        }
        let sound = tracer.errors.is_empty() && !tracer.open;
        faults.extend(tracer.errors);
        return traced.filter(|_| sound);
    }
}

fn is_block(library: &Library, key: &str) -> bool {
    library.entries.get(key).is_some_and(|e| matches!(&e.item, Item::Model(model) if model.is_block()))
}

/// A closure that is called twice, or a loop, may meet one fault twice.
fn distinct(all: Vec<syn::Error>) -> Vec<syn::Error> {
    let mut kept: Vec<syn::Error> = Vec::new();
    for error in all {
        let same = |other: &syn::Error| {
            let (one, two) = (error.span(), other.span());
            one.start() == two.start() && one.end() == two.end() && error.to_string() == other.to_string()
        };
        if !kept.iter().any(same) {
            kept.push(error);
        }
    }
    kept
}

impl<'a> Tracer<'a> {
    /// The model of that key as users call it.
    pub fn entry(&mut self, key: &str, case: &[bool]) -> Option<Traced> {
        let library = self.library;
        let (key, entry) = library.entries.get_key_value(key)?;
        let Item::Model(model) = &entry.item else { return None };
        let mut owner = self.names(key, &model.ident.to_string(), entry, &model.syms);
        for (i, info) in model.syms.0.iter().enumerate() {
            owner.sizes[i] = match info.kind {
                SymKind::Free { .. } => Some(Dim::from(self.syms.intern(&info.name, info.kind.clone()))),
                SymKind::Const | SymKind::Turn | SymKind::Floor { .. } => None,
            };
        }
        let builder = Builder::new(&model.ident.to_string(), self.syms.clone());
        self.frames.push(Frame::new(builder, Rc::new(owner.clone()), Vec::new()));
        let mut case = case.iter().copied();
        let args: Vec<Option<Value>> =
            model.args.iter().map(|arg| self.argument(&owner, arg, &mut case)).collect();
        let whole = args.iter().all(Option::is_some);
        // What doesn't hang on an argument at fault is looked at all the same.
        let args = args.into_iter().map(|arg| arg.unwrap_or(Value::Poison)).collect();
        let traced = self.function(model, args).map(|c| c.traced);
        self.frames.clear();
        let mut traced = traced.filter(|_| whole)?;
        traced.func.syms = self.syms.clone();
        traced.spans = std::mem::take(&mut self.spans);
        traced.consts = std::mem::take(&mut self.consts);
        traced.asserts = self
            .assumed
            .iter()
            .filter_map(|(name, size)| {
                let sym = traced.consts.iter().map(|c| c.sym).find(|s| self.syms.info(*s).name == *name)?;
                Some((Dim::from(sym), size.clone()))
            })
            .collect();
        Some(traced)
    }

    /// An argument of the entry: its tensors are inputs.
    fn argument(
        &mut self,
        owner: &Owner<'a>,
        arg: &Arg,
        case: &mut dyn Iterator<Item = bool>,
    ) -> Option<Value> {
        let name = arg.ident.to_string();
        match &arg.kind {
            ArgKind::Params(ty) => self.grow(owner, ty, &name, &Growth::of(false)),
            ArgKind::ParamsMut(ty) => self.grow(owner, ty, &name, &Growth::of(true)),
            ArgKind::Tensor(tensors) => self.tensor_inputs(owner, tensors, &name, false),
            ArgKind::TensorMut(tensors) => self.tensor_inputs(owner, tensors, &name, true),
            ArgKind::Known(_) => case.next().map(Value::Bool),
        }
    }

    /// The graph of a model whose arguments are inputs of the innermost frame, which the caller pops.
    pub fn function(&mut self, model: &Model, args: Vec<Value>) -> Option<Compiled> {
        let faults = self.errors.len();
        let mut next = 0;
        let mut forms = Vec::new();
        for (arg, value) in model.args.iter().zip(&args) {
            let mutable = matches!(arg.kind, ArgKind::ParamsMut(_) | ArgKind::TensorMut(_));
            let tree = self.leaves(value, &mut next);
            forms.push(traced::Arg { name: arg.ident.to_string(), mutable, tree });
        }
        let before = self.held(&args);
        for (arg, value) in model.args.iter().zip(&args) {
            // A reference isn't assigned to, but what it leads to: that message is another.
            let assignable = arg.local || !matches!(arg.kind, ArgKind::Tensor(_));
            let name = arg.ident.to_string();
            let value = if arg.local { self.spread(&name, value.clone()) } else { value.clone() };
            let var = self.variable(&name, value, assignable, None);
            self.bind(&name, var);
        }
        let result = self.block_value(&model.body);
        let result = match std::mem::replace(&mut self.frame().flow, Flow::On) {
            Flow::Return(value) => value,
            _ => result,
        };
        let tail: &dyn ToTokens = match model.body.stmts.last() {
            Some(Stmt::Expr(_, Some(semi))) if matches!(result, Value::Unit) => semi,
            Some(Stmt::Expr(Expr::Return(r), _)) if r.expr.is_some() => r.expr.as_ref().expect("just seen"),
            Some(Stmt::Expr(expr, None)) => expr,
            _ => &model.body,
        };
        let result = self.in_form(&model.result, result, tail);
        self.check_result(model, &result, tail);
        if self.errors.len() != faults || self.again {
            return None;
        }
        let Some(result) = self.returned(&result, &args, "out", true) else {
            if self.holds_poison(&result) {
                return None;
            }
            let got = self.describe(&result);
            self.fault(tail, message::result_no_argument(&model.ident.to_string(), &got));
            return None;
        };
        self.updates(before)?;
        let wrt = self.differentiated(model, &args);
        if self.errors.len() != faults {
            return None;
        }
        Some(self.close(forms, result, wrt))
    }

    /// The finished graph of the innermost frame.
    pub fn close(&mut self, args: Vec<traced::Arg>, result: Ret, wrt: Vec<usize>) -> Compiled {
        self.b();
        let frame = self.frame();
        let captures = std::mem::take(&mut frame.captures);
        let captures = captures.into_iter().map(|(tensor, _)| Captured { tensor, place: None }).collect();
        let forms = std::mem::take(&mut frame.forms);
        let func = std::mem::take(&mut frame.builder).finish();
        let (spans, asserts, consts) = (Vec::new(), Vec::new(), Vec::new());
        Compiled { traced: Traced { func, args, result, wrt, spans, asserts, consts }, captures, forms }
    }

    /// The graph's value of a variable that holds a tensor.
    pub fn place_value(&mut self, var: Var) -> Option<kiln_ir::Value> {
        match self.read(Value::Place(var)) {
            Value::Tensor(t) => Some(self.here(&t)),
            _ => None,
        }
    }

    /// The places of arguments with what they hold.
    pub fn held(&mut self, args: &[Value]) -> Vec<(Var, Option<kiln_ir::Value>)> {
        let mut state = Vec::new();
        args.iter().for_each(|value| places(value, &mut state));
        state.into_iter().map(|var| (var, self.place_value(var))).collect()
    }

    /// Outputs for state that was assigned to since.
    pub fn updates(&mut self, before: Vec<(Var, Option<kiln_ir::Value>)>) -> Option<()> {
        before.into_iter().try_for_each(|(var, old)| self.update(var, old?))
    }

    /// An output for state that was assigned to.
    fn update(&mut self, var: Var, old: kiln_ir::Value) -> Option<()> {
        let new = self.place_value(var)?;
        if new != old
            && let kiln_ir::Op::Input(index) = self.b().func().node(old).op
        {
            let name = self.b().func().inputs[index as usize].name.clone();
            self.b().output(&name, new, Some(index as usize));
        }
        Some(())
    }

    /// The outputs of a result. If `exact`, params are of the type of an argument, and so are their tensors.
    pub fn returned(&mut self, value: &Value, args: &[Value], name: &str, exact: bool) -> Option<Ret> {
        let like = |arg: &Value| self.has_params(arg) && self.same_params(arg, value, exact);
        if let Some(arg) = args.iter().position(like) {
            return Some(Ret::Like { arg, tree: self.returned_tree(value, name) });
        }
        match value {
            _ if !exact && self.has_params(value) => {
                self.frame().forms.push(value.clone());
                let form = self.frame().forms.len() - 1;
                Some(Ret::Seen { form, tree: self.returned_tree(value, name) })
            }
            Value::Tensor(t) => {
                let at = self.here(t);
                let index = self.b().func().outputs.len();
                self.b().output(name, at, None);
                Some(Ret::Tensor(index))
            }
            Value::Place(_) => {
                let value = self.read(value.clone());
                self.returned(&value, args, name, exact)
            }
            Value::Tuple(list) => self.all_returned(list, args, name, exact).map(Ret::Tuple),
            Value::Array(list) => self.all_returned(list, args, name, exact).map(Ret::Array),
            Value::Unit => Some(Ret::Tuple(Vec::new())),
            _ => None,
        }
    }

    fn holds_poison(&self, value: &Value) -> bool {
        match self.read(value.clone()) {
            Value::Tree(tree) => tree.fields.iter().any(|v| self.holds_poison(v)),
            Value::Tuple(list) | Value::Array(list) => list.iter().any(|v| self.holds_poison(v)),
            Value::Layers(layers) => self.holds_poison(&layers.each),
            other => other.is_poison(),
        }
    }

    pub(super) fn has_params(&self, value: &Value) -> bool {
        match value {
            Value::Tree(_) | Value::Layers(_) => true,
            Value::Array(list) => list.iter().any(|v| self.has_params(v)),
            _ => false,
        }
    }

    /// Whether params are of one type; `exact`: and their tensors, so that one can stand in the other's place. A gradient lacks some.
    pub(super) fn same_params(&self, one: &Value, other: &Value, exact: bool) -> bool {
        let all = |a: &[Value], b: &[Value]| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.same_params(a, b, exact))
        };
        match (self.read(one.clone()), self.read(other.clone())) {
            (Value::Tree(a), Value::Tree(b)) => a.form == b.form && all(&a.fields, &b.fields),
            (Value::Array(a), Value::Array(b)) => all(&a, &b),
            (Value::Layers(a), Value::Layers(b)) => {
                a.count == b.count && self.same_params(&a.each, &b.each, exact)
            }
            (Value::Tensor(a), Value::Tensor(b)) => !exact || self.ty(&a) == self.ty(&b),
            (_, Value::Absent) => true,
            _ => false,
        }
    }

    fn all_returned(&mut self, list: &[Value], args: &[Value], name: &str, exact: bool) -> Option<Vec<Ret>> {
        list.iter().enumerate().map(|(i, v)| self.returned(v, args, &format!("{name}.{i}"), exact)).collect()
    }

    fn returned_tree(&mut self, value: &Value, name: &str) -> Tree {
        match self.read(value.clone()) {
            Value::Tree(tree) => {
                let fields = tree.form.fields.iter().zip(&tree.fields);
                Tree::Struct(
                    fields.map(|(n, v)| (n.clone(), self.returned_tree(v, &format!("{name}.{n}")))).collect(),
                )
            }
            Value::Array(list) => Tree::Array(self.returned_trees(&list, name)),
            Value::Tuple(list) => Tree::Tuple(self.returned_trees(&list, name)),
            Value::Layers(layers) => {
                let each = self.returned_tree(&layers.each, &super::layers::path(name));
                Tree::Layers(layers.count, Box::new(each))
            }
            Value::Tensor(t) => {
                let at = self.here(&t);
                let index = self.b().func().outputs.len();
                self.b().output(name, at, None);
                Tree::Leaf(Some(index))
            }
            _ => Tree::Leaf(None),
        }
    }

    fn returned_trees(&mut self, list: &[Value], name: &str) -> Vec<Tree> {
        list.iter().enumerate().map(|(i, v)| self.returned_tree(v, &format!("{name}.{i}"))).collect()
    }

    /// The arguments that gradients are taken of.
    fn differentiated(&mut self, model: &Model, args: &[Value]) -> Vec<usize> {
        let mut wrt: Vec<usize> = (0..args.len()).filter(|i| self.trained(&args[*i])).collect();
        for name in &model.options.grad {
            let Some(i) = model.args.iter().position(|a| a.ident == *name) else { continue };
            match self.float(&args[i]) {
                Some(false) => {
                    let got = self.describe(&args[i]);
                    self.fault(name, message::gradient_of_integers(&name.to_string(), &got));
                }
                _ if wrt.contains(&i) => {}
                _ => wrt.push(i),
            }
        }
        if wrt.is_empty() {
            wrt.extend((0..args.len()).find(|i| self.float(&args[*i]) == Some(true)));
        }
        wrt
    }

    /// Whether an argument is a tree of parameters.
    pub fn trained(&self, arg: &Value) -> bool {
        match arg {
            Value::Tree(tree) => tree.form.inner.is_none() && tree.fields.iter().any(|f| self.trained(f)),
            Value::Array(list) | Value::Tuple(list) => list.iter().any(|v| self.trained(v)),
            Value::Layers(layers) => self.trained(&layers.each),
            Value::Place(var) => self.vars[var.0].role == Some(Role::Parameter),
            _ => false,
        }
    }

    /// Whether an argument of tensors has floats alone.
    pub fn float(&self, arg: &Value) -> Option<bool> {
        match self.read(arg.clone()) {
            Value::Tensor(t) => Some(self.ty(&t).dtype.is_float()),
            Value::Array(list) | Value::Tuple(list) if !list.is_empty() => {
                let each: Option<Vec<bool>> = list.iter().map(|v| self.float(v)).collect();
                each.map(|each| each.into_iter().all(|float| float))
            }
            _ => None,
        }
    }

    /// A type with each free size known, or the name of one that isn't.
    pub fn unknown_size(&self, owner: &Owner<'a>) -> Option<String> {
        let infos = owner.syms.0.iter().zip(&owner.sizes);
        let free = |info: &kiln_ir::SymInfo| matches!(info.kind, SymKind::Free { .. });
        infos.filter(|(info, size)| free(info) && size.is_none()).map(|(info, _)| info.name.clone()).next()
    }
}

/// The places of an argument, in the order of its leaves.
pub(crate) fn places(value: &Value, out: &mut Vec<Var>) {
    match value {
        Value::Place(var) => out.push(*var),
        Value::Tree(tree) => tree.fields.iter().for_each(|v| places(v, out)),
        Value::Array(list) | Value::Tuple(list) => list.iter().for_each(|v| places(v, out)),
        Value::Layers(layers) => places(&layers.each, out),
        _ => {}
    }
}

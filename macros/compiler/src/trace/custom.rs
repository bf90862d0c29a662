//! `custom_vjp(f, rule)(args…)`: a gradient by a rule of the user's, `rule(args…, value, cotangent)`.

use super::Tracer;
use super::arguments::Given;
use super::value::{Compiled, Function, Transform, Value};
use crate::message::body as message;
use crate::traced::{Arg, Ret, Traced, Tree};
use kiln_ir::{Builder, Error, Func, Op, Role, Syms, Ty};
use quote::ToTokens;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use syn::Expr;

impl Tracer<'_> {
    /// `custom_vjp(f, rule)`
    pub(super) fn ruled(&mut self, of: &Expr, rule: &Expr) -> Value {
        let pair: Vec<Value> =
            [of, rule].into_iter().map(|f| self.derived(Transform::CustomVjp, f)).collect();
        let inner = pair.into_iter().map(|f| match f {
            Value::Function(Function::Transformed(_, inner)) => (*inner).clone(),
            other => other,
        });
        match Value::Tuple(inner.collect()) {
            pair if pair.is_poison() => Value::Poison,
            pair => Value::Function(Function::Transformed(Transform::CustomVjp, Rc::new(pair))),
        }
    }

    /// The function with its rule, as a graph. What the two capture are further inputs, to which nothing is handed on.
    pub(super) fn custom(&mut self, pair: &Value, given: &[Given], at: &dyn ToTokens) -> Option<Compiled> {
        let Value::Tuple(pair) = pair else { return None };
        let of = self.closed_off(&pair[0], given, at)?;
        let one = of.traced.func.outputs.len() == 1 && matches!(of.traced.result, Ret::Tensor(0));
        if !one || !is_float(&of.traced.func) {
            self.fault(at.to_token_stream(), message::custom_form());
            return None;
        }
        let args: Vec<Value> = given.iter().map(|g| g.value.clone()).collect();
        let value = self.apply(&of, &args);
        let value = self.built(at.to_token_stream(), value)?;
        let mut all = given.to_vec();
        // The cotangent has the value's type.
        all.extend((0..2).map(|_| Given { value: value.clone(), expr: given[0].expr }));
        let rule = self.closed_off(&pair[1], &all, at)?;
        let Some(cotangents) = cotangents(&of.traced, &rule.traced) else {
            let wanted = differentiated(&of.traced).into_iter().map(|i| of.traced.func.inputs[i].ty.clone());
            let (func, wanted) = (&rule.traced.func, wanted.collect::<Vec<_>>());
            let got: Vec<Ty> = func.outputs.iter().map(|o| func.ty(o.value).clone()).collect();
            let show = |all: &[Ty]| all.iter().map(|ty| self.show_ty(ty)).collect::<Vec<_>>().join(", ");
            let message = message::custom_result(&show(&wanted), &show(&got));
            self.fault(at.to_token_stream(), message);
            return None;
        };
        let own = of.traced.func.inputs.len() - of.captures.len();
        let made = with_rule(&of.traced, own, &rule.traced.func, &cotangents, &self.syms);
        let traced = self.built(at.to_token_stream(), made)?;
        Some(Compiled { traced, captures: [&of.captures[..], &rule.captures].concat(), forms: Vec::new() })
    }
}

fn is_float(func: &Func) -> bool {
    func.ty(func.outputs[0].value).dtype.is_float()
}

/// The inputs that have a gradient: tensors of floats, and what is trained of a tree.
fn differentiated(traced: &Traced) -> Vec<usize> {
    let mut all = Vec::new();
    for arg in &traced.args {
        let mut leaves = Vec::new();
        arg.tree.leaves(&mut leaves);
        let plain = arg.tree.is_plain();
        all.extend(leaves.into_iter().filter(|i| {
            let input = &traced.func.inputs[*i];
            input.ty.dtype.is_float() && (plain || input.role == Role::Parameter)
        }));
    }
    all
}

/// For each input the output of the rule that is its cotangent; `None` if the rule returns anything else than one for each that has
/// a gradient, of its type.
fn cotangents(traced: &Traced, rule: &Traced) -> Option<BTreeMap<usize, usize>> {
    let wanted = differentiated(traced);
    let has_gradient = |arg: &&Arg| {
        let mut leaves = Vec::new();
        arg.tree.leaves(&mut leaves);
        leaves.iter().any(|i| wanted.contains(i))
    };
    let args: Vec<&Arg> = traced.args.iter().filter(has_gradient).collect();
    let parts = match (args.as_slice(), form(&rule.result)) {
        ([_], one) => vec![one],
        (_, Tree::Tuple(parts)) if parts.len() == args.len() => parts,
        _ => return None,
    };
    let mut pairs = BTreeMap::new();
    let alike = args.iter().zip(&parts).all(|(arg, part)| pair(&arg.tree, part, &mut pairs));
    pairs.retain(|input, _| wanted.contains(input));
    let ty = |output: usize| rule.func.ty(rule.func.outputs[output].value);
    let fits = |i: &usize| pairs.get(i).is_some_and(|output| *ty(*output) == traced.func.inputs[*i].ty);
    let stateless = rule.func.outputs.iter().all(|o| o.updates.is_none());
    (alike && stateless && wanted.iter().all(fits)).then_some(pairs)
}

fn form(result: &Ret) -> Tree {
    match result {
        Ret::Tensor(i) => Tree::Leaf(Some(*i)),
        Ret::Tuple(list) => Tree::Tuple(list.iter().map(form).collect()),
        Ret::Array(list) => Tree::Array(list.iter().map(form).collect()),
        Ret::Like { tree, .. } | Ret::Seen { tree, .. } => tree.clone(),
    }
}

/// Leaves of two trees side by side, and whether the trees are of one form.
fn pair(one: &Tree, other: &Tree, out: &mut BTreeMap<usize, usize>) -> bool {
    match (one, other) {
        (Tree::Leaf(one), Tree::Leaf(other)) => {
            out.extend(one.zip(*other));
            true
        }
        (Tree::Struct(a), Tree::Struct(b)) if a.len() == b.len() => {
            a.iter().zip(b).all(|((n, a), (m, b))| n == m && pair(a, b, out))
        }
        (Tree::Array(a), Tree::Array(b)) | (Tree::Tuple(a), Tree::Tuple(b)) if a.len() == b.len() => {
            a.iter().zip(b).all(|(a, b)| pair(a, b, out))
        }
        (Tree::Layers(n, a), Tree::Layers(m, b)) => n == m && pair(a, b, out),
        _ => false,
    }
}

fn with_rule(
    traced: &Traced,
    own: usize,
    rule: &Func,
    cotangents: &BTreeMap<usize, usize>,
    syms: &Syms,
) -> Result<Traced, Error> {
    let func = &traced.func;
    let captured = &rule.inputs[own + 2..];
    let mut b = Builder::new(&func.name, syms.clone());
    let inputs: Vec<kiln_ir::Value> = func.inputs.iter().chain(captured).map(|i| b.declare(i)).collect();
    let (of, behind) = inputs.split_at(func.inputs.len());
    let value = b.inline(func, of)?[0];
    let rule = Arc::new(whole(rule, own, cotangents, syms)?);
    let out = b.emit(Op::Rule(rule), &[&[value], &of[..own], behind].concat())?;
    b.output(&func.outputs[0].name, out, None);
    Ok(Traced { func: b.finish(), ..traced.clone() })
}

/// The rule as a function of the arguments, what it captures, the value and its cotangent, which yields a cotangent for each float
/// before the value: zeros where there is no gradient.
fn whole(rule: &Func, own: usize, cotangents: &BTreeMap<usize, usize>, syms: &Syms) -> Result<Func, Error> {
    let mut b = Builder::new(&rule.name, syms.clone());
    let (args, captured) = (&rule.inputs[..own], &rule.inputs[own + 2..]);
    let read: Vec<kiln_ir::Value> = args.iter().chain(captured).map(|i| b.declare(i)).collect();
    let last: Vec<kiln_ir::Value> = rule.inputs[own..own + 2].iter().map(|i| b.declare(i)).collect();
    let made = b.inline(rule, &[&read[..own], &last, &read[own..]].concat())?;
    for (i, input) in args.iter().chain(captured).enumerate().filter(|(_, i)| i.ty.dtype.is_float()) {
        let cotangent = match cotangents.get(&i) {
            Some(output) => made[*output],
            None => {
                let zero = b.constant(0.0, input.ty.dtype);
                b.broadcast_to(zero, &input.ty.shape)?
            }
        };
        b.output(&input.name, cotangent, None);
    }
    Ok(b.finish())
}

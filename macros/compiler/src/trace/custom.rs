//! `custom_vjp(f, rule)(args…)`: a gradient by a rule of the user's, `rule(args…, value, cotangent)`.

use super::Tracer;
use super::arguments::Given;
use super::value::{Compiled, Function, Transform, Value};
use crate::message::body as message;
use crate::traced::{Ret, Traced, Tree};
use kiln_ir::{Builder, Error, Func, Op, Ty};
use quote::ToTokens;
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

    /// The function with its rule, as a graph.
    pub(super) fn custom(&mut self, pair: &Value, given: &[Given], at: &dyn ToTokens) -> Option<Compiled> {
        let Value::Tuple(pair) = pair else { return None };
        let of = self.compiled(&pair[0], given, at)?;
        let traced = &of.traced;
        let whole = traced.args.iter().all(|arg| matches!(arg.tree, Tree::Leaf(Some(_))));
        let plain = whole && of.captures.is_empty() && traced.func.outputs.len() == 1;
        if !plain || !matches!(traced.result, Ret::Tensor(0)) || !is_float(&traced.func) {
            self.fault(at.to_token_stream(), message::custom_form());
            return None;
        }
        let args: Vec<Value> = given.iter().map(|g| g.value.clone()).collect();
        let value = self.apply(&of, &args);
        let value = self.built(at.to_token_stream(), value)?;
        let mut all = given.to_vec();
        // The cotangent has the value's type.
        all.extend((0..2).map(|_| Given { value: value.clone(), expr: given[0].expr }));
        let rule = self.compiled(&pair[1], &all, at)?;
        if !rule.captures.is_empty() {
            self.fault(at.to_token_stream(), message::custom_form());
            return None;
        }
        let wanted: Vec<Ty> =
            traced.func.inputs.iter().map(|i| i.ty.clone()).filter(|ty| ty.dtype.is_float()).collect();
        let func = &rule.traced.func;
        let got: Vec<Ty> = func.outputs.iter().map(|o| func.ty(o.value).clone()).collect();
        if wanted != got {
            let show = |all: &[Ty]| all.iter().map(|ty| self.show_ty(ty)).collect::<Vec<_>>().join(", ");
            let message = message::custom_result(&show(&wanted), &show(&got));
            self.fault(at.to_token_stream(), message);
            return None;
        }
        let made = with_rule(traced, func, self.syms.clone());
        let traced = self.built(at.to_token_stream(), made)?;
        Some(Compiled { traced, captures: vec![] })
    }
}

fn is_float(func: &Func) -> bool {
    func.ty(func.outputs[0].value).dtype.is_float()
}

fn with_rule(traced: &Traced, rule: &Func, syms: kiln_ir::Syms) -> Result<Traced, Error> {
    let func = &traced.func;
    let mut b = Builder::new(&func.name, syms.clone());
    let inputs: Vec<kiln_ir::Value> = func.inputs.iter().map(|i| b.declare(i)).collect();
    let value = b.inline(func, &inputs)?[0];
    let rule = Func { syms, ..rule.clone() };
    let out = b.emit(Op::Rule(Arc::new(rule)), &[&[value], inputs.as_slice()].concat())?;
    b.output(&func.outputs[0].name, out, None);
    Ok(Traced { func: b.finish(), ..traced.clone() })
}

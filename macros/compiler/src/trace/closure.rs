//! Closures: called where they stand, their body is part of the graph; given to a transform, it is a graph of its
//! own, and what they see from outside becomes inputs of it.

use super::Tracer;
use super::arguments::Given;
use super::frame::{Flow, Frame};
use super::value::{Closure, Compiled, Value};
use crate::message::body as message;
use kiln_ir::Builder;
use quote::ToTokens;
use std::rc::Rc;
use syn::{Expr, ExprClosure};

impl<'a> Tracer<'a> {
    /// `|x| …`
    pub fn closure(&mut self, expr: &ExprClosure) -> Value {
        if let Some(token) = &expr.asyncness {
            return self.fault(
                token,
                message::cant("an `async` closure", "a model computes tensors and waits for nothing"),
            );
        }
        let scopes = self.frame().scopes.clone();
        Value::Closure(Rc::new(Closure { expr: expr.clone(), scopes }))
    }

    /// A call where it stands.
    pub fn call_closure(&mut self, closure: &Closure, args: Vec<Value>, at: &dyn ToTokens) -> Value {
        if args.len() != closure.expr.inputs.len() {
            let message = message::closure_count(closure.expr.inputs.len(), args.len());
            return self.fault(at, message);
        }
        let scopes = std::mem::replace(&mut self.frame().scopes, closure.scopes.clone());
        let flow = std::mem::replace(&mut self.frame().flow, Flow::On);
        let result = self.closure_body(closure, args);
        self.frame().flow = flow;
        self.frame().scopes = scopes;
        result
    }

    fn closure_body(&mut self, closure: &Closure, args: Vec<Value>) -> Value {
        for (pattern, value) in closure.expr.inputs.iter().zip(args) {
            self.pattern(pattern, value);
        }
        let result = self.scoped(|tracer| tracer.expr(&closure.expr.body));
        match std::mem::replace(&mut self.frame().flow, Flow::On) {
            Flow::Return(value) => value,
            _ => result,
        }
    }

    /// A closure as a graph of its own.
    pub fn closure_function(
        &mut self,
        closure: &Closure,
        given: &[Given],
        at: &dyn ToTokens,
    ) -> Option<Compiled> {
        if given.len() != closure.expr.inputs.len() {
            let message = message::closure_count(closure.expr.inputs.len(), given.len());
            self.fault(at.to_token_stream(), message);
            return None;
        }
        let faults = self.errors.len();
        let owner = self.owner();
        let changeable: Vec<bool> = given.iter().map(|g| self.is_changeable(&g.value)).collect();
        let builder = Builder::new("closure", self.syms.clone());
        self.frames.push(Frame::new(builder, owner, closure.scopes.clone()));
        let args: Vec<Value> = given
            .iter()
            .enumerate()
            .map(|(i, g)| {
                let name = match closure.expr.inputs.get(i) {
                    Some(syn::Pat::Ident(p)) => p.ident.to_string(),
                    _ => format!("arg{i}"),
                };
                let value = match &g.value {
                    Value::Place(_) => self.read(g.value.clone()),
                    other => other.clone(),
                };
                self.mirror(&value, &name, changeable[i])
            })
            .collect();
        let before = self.held(&args);
        let result = self.closure_body(closure, args.clone());
        let sound = self.errors.len() == faults && !self.again && !result.is_poison();
        let compiled = if sound { self.close_function(&args, before, result.clone()) } else { None };
        if sound && compiled.is_none() {
            let got = self.describe(&result);
            let body: &Expr = &closure.expr.body;
            self.fault(body, message::closure_result(&got));
        }
        self.frames.pop();
        compiled
    }
}

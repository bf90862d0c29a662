//! Closures: called where they stand, their body is part of the graph; given to a transform, it is a graph of its
//! own, and what they see from outside becomes inputs of it.

use super::Tracer;
use super::arguments::Given;
use super::frame::{Flow, Frame};
use super::value::{Closure, Compiled, Tensor, Value, Var};
use crate::message::body as message;
use kiln_ir::{Builder, Op, Role};
use quote::ToTokens;
use std::rc::Rc;
use syn::ExprClosure;

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

    /// A function as a graph for these arguments, which changes nothing but them.
    pub(super) fn closed_off(
        &mut self,
        function: &Value,
        given: &[Given],
        at: &dyn ToTokens,
    ) -> Option<Rc<Compiled>> {
        match function {
            Value::Closure(closure) => self.closure_function(&closure.clone(), given, at, None).map(Rc::new),
            other => self.compiled(other, given, at),
        }
    }

    /// A closure as a graph of its own. What it changes of what it sees is noted in `changed`, and is state of the graph.
    pub fn closure_function(
        &mut self,
        closure: &Closure,
        given: &[Given],
        at: &dyn ToTokens,
        changed: Option<Vec<(Var, Value)>>,
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
        self.frames.push(Frame { changed, ..Frame::new(builder, owner, closure.scopes.clone()) });
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
        let compiled = self.close_changing(&args, before, result, sound, &closure.expr.body);
        self.frames.pop();
        compiled
    }

    /// The graph of the innermost frame, if what was traced is sound, with what it changes outside as state.
    pub(super) fn close_changing(
        &mut self,
        args: &[Value],
        before: Vec<(Var, Option<kiln_ir::Value>)>,
        result: Value,
        sound: bool,
        body: &dyn ToTokens,
    ) -> Option<Compiled> {
        let faults = self.errors.len();
        let changed = self.changes(body);
        if !sound || self.errors.len() != faults {
            return None;
        }
        let got = self.describe(&result);
        let Some(mut compiled) = self.close_function(args, before, result) else {
            self.fault(body.to_token_stream(), message::closure_result(&got));
            return None;
        };
        let own = compiled.traced.func.inputs.len() - compiled.captures.len();
        changed.into_iter().for_each(|(input, var)| compiled.captures[input - own].place = Some(var));
        Some(compiled)
    }

    /// Outputs for the variables outside that a closure has changed, which are again what they were: the input of each.
    fn changes(&mut self, body: &dyn ToTokens) -> Vec<(usize, Var)> {
        let mut inputs = Vec::new();
        for (var, old) in self.frame().changed.take().unwrap_or_default() {
            let new = std::mem::replace(&mut self.vars[var.0].value, old.clone());
            let name = self.vars[var.0].name.clone();
            match (old, self.read(new)) {
                (Value::Tensor(old), Value::Tensor(new)) => {
                    let input = self.frame_input(&old, &inputs);
                    let new = self.here(&new);
                    self.b().output(&name, new, Some(input));
                    inputs.push((input, var));
                }
                (Value::Poison, _) | (_, Value::Poison) => {}
                _ => {
                    self.vars[var.0].value =
                        self.fault(body.to_token_stream(), message::closure_changes(&name))
                }
            }
        }
        inputs
    }

    /// The input that stands for a tensor from outside, and is none of those that are taken.
    fn frame_input(&mut self, outer: &Tensor, taken: &[(usize, Var)]) -> usize {
        let index = |tracer: &mut Self, value| match tracer.b().func().node(value).op {
            Op::Input(i) => i as usize,
            _ => unreachable!("what comes from outside is an input"),
        };
        let value = self.here(outer);
        let found = index(self, value);
        if taken.iter().all(|(input, _)| *input != found) {
            return found;
        }
        let (outer, ty) =
            (self.frame().captures.iter().find(|(_, v)| *v == value).cloned(), self.b().ty(value).clone());
        let again = self.b().input("captured", ty, Role::Argument);
        self.frame().captures.extend(outer.map(|(outer, _)| (outer, again)));
        index(self, again)
    }
}

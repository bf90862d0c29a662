//! Lists that grow: an array outside of loops, and what a loop has filled, which is one tensor.

use super::Tracer;
use super::types::plain;
use super::value::{Tensor, Value, Var};
use crate::message::body as message;
use kiln_ir::{Dim, Op, SliceAxis};
use quote::ToTokens;
use syn::{Expr, ExprMethodCall, Path};

impl<'a> Tracer<'a> {
    /// The variable of a list that can grow.
    pub fn list_place(&mut self, expr: &Expr) -> Option<Var> {
        let var = self.place(expr)?;
        matches!(self.vars[var.0].value, Value::Array(_) | Value::Series(_)).then_some(var)
    }

    /// `list.push(x)`
    pub fn push(&mut self, var: Var, call: &ExprMethodCall) -> Value {
        let args: Vec<Value> = call.args.iter().map(|a| self.expr(a)).collect();
        let [value] = args.as_slice() else {
            return self.fault(&call.method, message::surface_count("push", &["value"], args.len(), true));
        };
        let in_turn = self.pushes_in_turn(var, value);
        if value.is_poison() {
            // So that nobody misses an element.
            self.vars[var.0].value = Value::Poison;
            return Value::Poison;
        }
        if !self.vars[var.0].mutable {
            let text = self.text(&call.receiver);
            return self.fault(&call.receiver, message::not_mut(&text));
        }
        if in_turn {
            return Value::Unit;
        }
        if !self.reaches(var) {
            let text = self.text(&call.receiver);
            return self.fault(&call.receiver, message::outside_of_closure(&text));
        }
        let list = match self.vars[var.0].value.clone() {
            Value::Array(list) => Some(list),
            series => self.listed(&series, &call.method),
        };
        if let Some(mut list) = list {
            list.push(value.clone());
            self.write(var, Value::Array(list));
        }
        Value::Unit
    }

    /// Element `n` of a series.
    pub fn nth_of(&mut self, t: &Tensor, n: &Dim, at: &dyn ToTokens) -> Option<Value> {
        let shape = self.ty(t).shape;
        let whole = |len: &Dim| SliceAxis { start: 0.into(), len: len.clone(), step: 1 };
        let mut axes: Vec<SliceAxis> = shape.iter().map(whole).collect();
        axes[0] = SliceAxis { start: n.clone(), len: 1.into(), step: 1 };
        let x = self.here(t);
        let row = self.b().emit(Op::Slice(axes), &[x]);
        let row = self.built(at.to_token_stream(), row)?;
        let element = self.b().emit(Op::Reshape(shape[1..].to_vec()), &[row]);
        self.built(at.to_token_stream(), element).map(|v| self.tensor(v))
    }

    /// A method of a series: what needs no elements, otherwise that of an array.
    pub fn series_method(&mut self, t: Tensor, call: &ExprMethodCall) -> Value {
        match (call.method.to_string().as_str(), call.args.is_empty()) {
            ("len", true) => Value::Int(self.ty(&t).shape[0].clone()),
            ("iter" | "into_iter", true) => Value::Series(t),
            _ => self.list_method(&Value::Series(t), call),
        }
    }

    /// `stack(&list, dim)` and `cat(&list, dim)` of a series: axes in another order.
    pub fn joined(&mut self, t: &Tensor, name: &str, args: &[Value], at: &dyn ToTokens) -> Value {
        let ty = self.ty(t);
        let ranks = if name == "stack" { ty.rank() } else { ty.rank().saturating_sub(1) } as i64;
        let dim = match args {
            [Value::Int(n)] => n.literal().map(|n| if n < 0 { n + ranks } else { n }),
            _ => None,
        };
        let Some(dim) = dim.filter(|d| (0..ranks).contains(d)).map(|d| d as usize) else {
            let got = args.first().map_or("nothing".into(), |a| self.describe(a));
            return self
                .fault(at.to_token_stream(), message::surface_argument(name, "dim", "an axis", &got, ""));
        };
        let mut perm: Vec<usize> = (1..ty.rank()).collect();
        perm.insert(dim, 0);
        let mut shape: Vec<Dim> = perm.iter().map(|i| ty.shape[*i].clone()).collect();
        if name == "cat" {
            let turns = shape.remove(dim);
            shape[dim] = shape[dim].clone() * turns;
        }
        let x = self.here(t);
        self.locate(&at.to_token_stream());
        let moved = self.b().emit(Op::Permute(perm), &[x]);
        let joined = moved.and_then(|v| self.b().emit(Op::Reshape(shape), &[v]));
        self.built(at.to_token_stream(), joined).map_or(Value::Poison, |v| self.tensor(v))
    }
}

/// Whether a path makes an empty list: `Vec::new`.
pub(crate) fn is_new_list(path: &Path) -> bool {
    matches!(plain(path).as_str(), "Vec::new" | "Vec::with_capacity")
}

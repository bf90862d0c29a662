//! Control that data decides: `cond(pred, || a, || b)`, and `while_loop(max, state, |s| going, |s| next)`.

use super::Tracer;
use super::arguments::Given;
use super::value::{Compiled, Value};
use crate::message::body as message;
use crate::traced::{Ret, Tree};
use kiln_ir::composite::control::{self, Part};
use kiln_ir::{DType, Dim, Func, Ty};
use quote::ToTokens;
use std::rc::Rc;
use syn::{Expr, ExprCall};

/// The functions of control.
pub const CONTROL: [&str; 2] = ["cond", "while_loop"];

/// A function whose results are in the order in which they are returned.
struct Traced {
    func: Func,
    of: Rc<Compiled>,
}

impl Traced {
    fn types(&self) -> Vec<Ty> {
        self.func.outputs.iter().map(|o| self.func.ty(o.value).clone()).collect()
    }
}

impl Tracer<'_> {
    /// A call of `cond` or `while_loop`.
    pub(super) fn control(&mut self, name: &str, args: &[&Expr], call: &ExprCall) -> Value {
        let made = match (name, args) {
            ("cond", &[pred, then, other]) => self.branch(pred, then, other, call),
            ("while_loop", &[max, state, going, turn]) => self.search(max, state, going, turn, call),
            _ => return self.fault(call, message::control_arity(name)),
        };
        made.unwrap_or(Value::Poison)
    }

    fn branch(&mut self, pred: &Expr, then: &Expr, other: &Expr, call: &ExprCall) -> Option<Value> {
        let decides = self.passed(pred);
        let decides = self.read(decides);
        let [yes, no] = [then, other].map(|f| self.part("cond", f, &[]));
        let (yes, no) = (yes?, no?);
        if yes.types() != no.types() || !alike(&yes.of.traced.result, &no.of.traced.result) {
            let [one, two] = [&yes, &no].map(|part| self.show_types(&part.types()));
            self.fault(other, message::cond_results(&one, &two));
            return None;
        }
        let part = match &decides {
            Value::Tensor(t) if self.ty(t) == Ty::scalar(DType::Bool) => None,
            Value::Bool(known) => Some(if *known { &yes } else { &no }),
            Value::Poison => return None,
            got => {
                let got = self.describe(got);
                self.fault(pred, message::cond_pred("`cond`", &got));
                return None;
            }
        };
        let captures = [&yes, &no].map(|part| self.captured(part));
        self.locate(call);
        let results = match (part, &decides) {
            (None, Value::Tensor(t)) => {
                let at = self.here(t);
                let [then, other] = [(&yes, &captures[0]), (&no, &captures[1])]
                    .map(|(part, captures)| Part { func: &part.func, captures });
                control::cond(self.b(), at, then, other)
            }
            (Some(part), _) => {
                let captures = self.captured(part);
                self.b().inline(&part.func, &captures)
            }
            _ => return None,
        };
        let results = self.built(call.to_token_stream(), results)?;
        Some(self.filled(&yes.of.traced.result, &mut results.into_iter()))
    }

    fn search(
        &mut self,
        max: &Expr,
        state: &Expr,
        going: &Expr,
        turn: &Expr,
        call: &ExprCall,
    ) -> Option<Value> {
        let most = self.most(max);
        let given = self.carried_state(state)?;
        let (most, going_part) = (most?, self.part("while_loop", going, &given)?);
        let types = going_part.types();
        if types != [Ty::scalar(DType::Bool)] {
            let got = self.show_types(&types);
            self.fault(going, message::cond_pred("what `while_loop` goes on by", &got));
            return None;
        }
        let part = self.part("while_loop", turn, &given)?;
        let mut first = Vec::new();
        given.iter().for_each(|g| self.tensors(&g.value, &mut first));
        let wanted: Vec<Ty> = first.iter().map(|t| self.ty(t)).collect();
        if part.types() != wanted || !flat(&part.of.traced.result) {
            let (want, got) = (self.show_types(&wanted), self.show_types(&part.types()));
            self.fault(turn, message::while_state(&want, &got));
            return None;
        }
        let first: Vec<kiln_ir::Value> = first.iter().map(|t| self.here(t)).collect();
        let captures = [&going_part, &part].map(|part| self.captured(part));
        self.locate(call);
        let going = Part { func: &going_part.func, captures: &captures[0] };
        let turn = Part { func: &part.func, captures: &captures[1] };
        let results = control::while_loop(self.b(), &most, &first, going, turn);
        let results = self.built(call.to_token_stream(), results)?;
        Some(self.filled(&part.of.traced.result, &mut results.into_iter()))
    }

    /// How many turns a loop takes at most.
    fn most(&mut self, max: &Expr) -> Option<Dim> {
        match self.expr(max) {
            Value::Int(n) if n.literal().is_none_or(|n| n >= 0) => Some(n),
            Value::Poison => None,
            got => {
                let got = self.describe(&got);
                self.fault(max, message::while_max(&got));
                None
            }
        }
    }

    /// What a loop carries: a tensor, or a tuple of them, an argument each.
    fn carried_state<'e>(&mut self, state: &'e Expr) -> Option<Vec<Given<'e>>> {
        let value = self.passed(state);
        let list = match self.read(value) {
            Value::Tuple(list) => list,
            one => vec![one],
        };
        let mut given = Vec::new();
        for value in list {
            match self.read(value) {
                Value::Poison => return None,
                value @ Value::Tensor(_) => given.push(Given { value, expr: state }),
                got => {
                    let got = self.describe(&got);
                    self.fault(state, message::while_tensors(&got));
                    return None;
                }
            }
        }
        Some(given)
    }

    /// A function of control for these arguments.
    fn part(&mut self, name: &str, function: &Expr, given: &[Given]) -> Option<Traced> {
        let value = match function {
            Expr::Path(p) => self.callee(&p.path),
            other => self.expr(other),
        };
        match &value {
            Value::Closure(_) | Value::Function(_) => {}
            Value::Poison => return None,
            other => {
                let what = self.describe(other);
                self.fault(function, message::transform_of(name, &what));
                return None;
            }
        }
        let of = self.closed_off(&value, given, function)?;
        let whole = of.traced.args.iter().all(|arg| matches!(arg.tree, Tree::Leaf(Some(_))));
        let mut order = Vec::new();
        if !whole || !order_of(&of.traced.result, &mut order) {
            self.fault(function, message::control_form(name));
            return None;
        }
        let mut func = of.traced.func.clone();
        func.outputs = order.iter().map(|i| func.outputs[*i].clone()).collect();
        Some(Traced { func, of })
    }

    fn captured(&mut self, part: &Traced) -> Vec<kiln_ir::Value> {
        part.of.captures.iter().map(|c| self.here(&c.tensor)).collect()
    }

    /// Results in the form in which they are returned.
    fn filled(&self, form: &Ret, results: &mut dyn Iterator<Item = kiln_ir::Value>) -> Value {
        match form {
            Ret::Tuple(list) => Value::Tuple(list.iter().map(|r| self.filled(r, results)).collect()),
            Ret::Array(list) => Value::Array(list.iter().map(|r| self.filled(r, results)).collect()),
            _ => results.next().map_or(Value::Unit, |v| self.tensor(v)),
        }
    }

    fn show_types(&self, types: &[Ty]) -> String {
        let all: Vec<String> = types.iter().map(|ty| self.show_ty(ty)).collect();
        if all.len() == 1 { all.concat() } else { format!("({})", all.join(", ")) }
    }
}

/// The outputs as they are returned; whether all are tensors.
fn order_of(form: &Ret, order: &mut Vec<usize>) -> bool {
    match form {
        Ret::Tensor(i) => order.push(*i),
        Ret::Tuple(list) | Ret::Array(list) => return list.iter().all(|r| order_of(r, order)),
        Ret::Like { .. } | Ret::Seen { .. } => return false,
    }
    true
}

/// Whether two results have the same tuples and arrays.
fn alike(one: &Ret, other: &Ret) -> bool {
    match (one, other) {
        (Ret::Tuple(a), Ret::Tuple(b)) | (Ret::Array(a), Ret::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b))
        }
        (Ret::Tensor(_), Ret::Tensor(_)) => true,
        _ => false,
    }
}

/// Whether a result is a tensor, or a tuple of nothing but tensors.
fn flat(form: &Ret) -> bool {
    match form {
        Ret::Tuple(list) => list.iter().all(|r| matches!(r, Ret::Tensor(_))),
        other => matches!(other, Ret::Tensor(_)),
    }
}

//! Ranges and arrays, what iterators do to them, and loops over them that are unrolled.

use super::Tracer;
use super::expr::MOST_ELEMENTS;
use super::frame::Flow;
use super::value::{Range, Value, Variable};
use crate::message::body as message;
use kiln_ir::{Dim, surface};
use quote::ToTokens;
use std::rc::Rc;
use syn::{Expr, ExprForLoop, ExprMethodCall, ExprRange, RangeLimits};

const METHODS: [&str; 16] = [
    "iter",
    "iter_mut",
    "into_iter",
    "enumerate",
    "zip",
    "rev",
    "len",
    "skip",
    "take",
    "step_by",
    "chain",
    "to_vec",
    "windows",
    "map",
    "fold",
    "collect",
];

/// Turns that are unrolled: fewer are faster so, and each may be another.
pub(crate) const UNROLLED: i64 = 4;

fn elements(range: &Range, n: i64) -> Vec<Value> {
    let at = |i: i64| Value::Int(range.start.clone() + Dim::from(i * range.step));
    let ascending = (0..n).map(at);
    if range.reverse { ascending.rev().collect() } else { ascending.collect() }
}

impl<'a> Tracer<'a> {
    /// `0..n`
    pub fn range(&mut self, range: &ExprRange) -> Value {
        let start = range.start.as_ref().map_or(Value::Int(Dim::from(0)), |e| self.expr(e));
        let Some(end_expr) = &range.end else { return self.fault(range, message::range_open()) };
        let end = self.expr(end_expr);
        match (start, end) {
            (Value::Poison, _) | (_, Value::Poison) => Value::Poison,
            (Value::Int(start), Value::Int(end)) => {
                // A constant whose number is known is that number.
                let mut known = |n: Dim| self.number(&n).map_or(n, Dim::from);
                let (start, end) = (known(start), known(end));
                let closed = i64::from(matches!(range.limits, RangeLimits::Closed(_)));
                let trips = end - start.clone() + Dim::from(closed);
                let trips = if trips.literal().is_some_and(|n| n < 0) { Dim::from(0) } else { trips };
                let all = Range { start, trips, step: 1, reverse: false };
                match all.trips.literal() {
                    Some(n) if n <= UNROLLED => Value::Array(elements(&all, n)),
                    _ => Value::Range(Rc::new(all)),
                }
            }
            (start, end) => {
                let (bad, at) = match start {
                    Value::Int(_) => (end, &**end_expr),
                    other => (other, range.start.as_deref().unwrap_or(end_expr)),
                };
                let got = self.describe(&bad);
                self.fault(at, message::range_kind(&got))
            }
        }
    }

    /// `for p in e { … }`
    pub fn for_loop(&mut self, f: &ExprForLoop) -> Value {
        if let Some(label) = &f.label {
            return self.fault(label, message::cant("a label", message::OTHER));
        }
        let over = self.expr(&f.expr);
        let stacked = match &over {
            Value::Array(list) => self.stacked(list, &f.expr),
            _ => None,
        };
        if let Some(turns) = self.turns(f, stacked.as_ref().unwrap_or(&over)) {
            return turns;
        }
        let list = match over {
            Value::Array(list) => list,
            Value::Poison => return self.unseen_turns(f),
            Value::Range(_) | Value::Series(_) => match self.listed(&over, &f.expr) {
                Some(list) => list,
                None => return Value::Poison,
            },
            Value::Tensor(_) => return self.fault(&f.expr, message::for_tensor()),
            other => {
                let got = self.describe(&other);
                return self.fault(&f.expr, message::for_kind(&got));
            }
        };
        let (faults, before) = (self.errors.len(), self.vars.clone());
        for item in list {
            self.scoped(|tracer| {
                tracer.pattern(&f.pat, item);
                tracer.statements(&f.body.stmts)
            });
            match self.frame().flow {
                Flow::Return(_) => break,
                Flow::Break => {
                    self.frame().flow = Flow::On;
                    break;
                }
                Flow::Continue => self.frame().flow = Flow::On,
                Flow::On => {}
            }
            // The same fault in each turn is one fault, and what is missing of the others none.
            if self.errors.len() != faults {
                self.poison_changed(before);
                break;
            }
        }
        Value::Unit
    }

    /// A loop over what a fault left: its body may have faults of its own, and what it changes is nothing that others could use.
    fn unseen_turns(&mut self, f: &ExprForLoop) -> Value {
        let before = self.vars.clone();
        self.scoped(|tracer| {
            tracer.pattern(&f.pat, Value::Poison);
            tracer.statements(&f.body.stmts)
        });
        self.frame().flow = Flow::On;
        self.poison_changed(before);
        Value::Poison
    }

    /// What has changed since is nothing that others could use.
    fn poison_changed(&mut self, before: Vec<Variable>) {
        for (i, old) in before.into_iter().enumerate() {
            if !is_untouched(&old.value, &self.vars[i].value) {
                self.vars[i].value = Value::Poison;
            }
        }
    }

    /// What was a range or series as an array.
    fn as_list(&mut self, value: Value, at: &dyn ToTokens) -> Option<Value> {
        match value {
            Value::Range(_) | Value::Series(_) => self.listed(&value, at).map(Value::Array),
            Value::Layers(layers) => Some(self.separate(&layers)),
            other => Some(other),
        }
    }

    /// The elements of a range or series, if they are a known number.
    pub fn listed(&mut self, value: &Value, at: &dyn ToTokens) -> Option<Vec<Value>> {
        let trips = match value {
            Value::Range(range) => range.trips.clone(),
            Value::Series(t) => self.ty(t).shape[0].clone(),
            _ => return None,
        };
        match trips.literal() {
            Some(n) if n > MOST_ELEMENTS => {
                self.fault(at.to_token_stream(), message::range_long());
                None
            }
            Some(n) => match value {
                Value::Range(range) => Some(elements(range, n)),
                Value::Series(t) => (0..n).map(|i| self.nth_of(t, &Dim::from(i), at)).collect(),
                _ => None,
            },
            None => {
                let because = self.unknown_because(&trips);
                self.fault(at.to_token_stream(), message::range_unknown(&because));
                None
            }
        }
    }

    /// A method of a range: what stays one, otherwise that of its elements.
    pub fn range_method(&mut self, range: &Range, call: &ExprMethodCall) -> Value {
        let args: Vec<&Expr> = call.args.iter().collect();
        match (call.method.to_string().as_str(), args.as_slice()) {
            ("rev", []) => Value::Range(Rc::new(Range { reverse: !range.reverse, ..range.clone() })),
            ("iter" | "into_iter", []) => Value::Range(Rc::new(range.clone())),
            ("len", []) => Value::Int(range.trips.clone()),
            ("step_by", [by]) if !range.reverse => match (self.expr(by), range.trips.literal()) {
                (Value::Int(by), Some(n)) if by.literal().is_some_and(|by| by > 0) => {
                    let by = by.literal().unwrap_or(1);
                    let trips = Dim::from((n + by - 1) / by);
                    Value::Range(Rc::new(Range { trips, step: range.step * by, ..range.clone() }))
                }
                _ => self.list_method(&Value::Range(Rc::new(range.clone())), call),
            },
            _ => self.list_method(&Value::Range(Rc::new(range.clone())), call),
        }
    }

    /// A method of what is an array but for its form.
    pub fn list_method(&mut self, value: &Value, call: &ExprMethodCall) -> Value {
        match self.listed(value, &call.method) {
            Some(list) => self.array_method(list, call),
            None => Value::Poison,
        }
    }

    /// A method of an array or iterator.
    pub fn array_method(&mut self, list: Vec<Value>, call: &ExprMethodCall) -> Value {
        let name = call.method.to_string();
        let args: Vec<Value> = call.args.iter().map(|a| self.expr(a)).collect();
        let args: Option<Vec<Value>> = args.into_iter().map(|a| self.as_list(a, &call.method)).collect();
        let Some(args) = args.filter(|args| !args.iter().any(Value::is_poison)) else { return Value::Poison };
        let number = match args.as_slice() {
            [Value::Int(n)] => n.literal().and_then(|n| usize::try_from(n).ok()),
            _ => None,
        };
        match (name.as_str(), args.as_slice(), number) {
            ("iter" | "iter_mut" | "into_iter" | "to_vec", [], _) => Value::Array(list),
            ("len", [], _) => Value::Int(Dim::from(list.len())),
            ("rev", [], _) => Value::Array(list.into_iter().rev().collect()),
            ("enumerate", [], _) => {
                let each = list.into_iter().enumerate();
                Value::Array(each.map(|(i, v)| Value::Tuple(vec![Value::Int(Dim::from(i)), v])).collect())
            }
            ("zip", [Value::Array(other)], _) => {
                let pairs = list.into_iter().zip(other.iter().cloned());
                Value::Array(pairs.map(|(a, b)| Value::Tuple(vec![a, b])).collect())
            }
            ("chain", [Value::Array(other)], _) => Value::Array([list, other.clone()].concat()),
            ("skip", _, Some(n)) => Value::Array(list.into_iter().skip(n).collect()),
            ("take", _, Some(n)) => Value::Array(list.into_iter().take(n).collect()),
            ("step_by", _, Some(n)) if n > 0 => Value::Array(list.into_iter().step_by(n).collect()),
            ("windows", _, Some(n)) if n > 0 => {
                Value::Array(list.windows(n).map(|w| Value::Array(w.to_vec())).collect())
            }
            ("collect", [], _) => Value::Array(list),
            ("map", [Value::Closure(closure)], _) => {
                let closure = closure.clone();
                let each = list.into_iter().map(|v| self.call_closure(&closure, vec![v], &call.method));
                Value::Array(each.collect())
            }
            ("fold", [start, Value::Closure(closure)], _) => {
                let (start, closure) = (start.clone(), closure.clone());
                list.into_iter().fold(start, |acc, v| self.call_closure(&closure, vec![acc, v], &call.method))
            }
            _ if METHODS.contains(&name.as_str()) => {
                let got: Vec<String> = args.iter().map(|a| self.describe(a)).collect();
                self.fault(&call.method, message::iterator_arguments(&name, &got.join(", ")))
            }
            _ => {
                let near = surface::nearest(&name, METHODS);
                self.fault(&call.method, message::unknown_method("an array", &name, near))
            }
        }
    }
}

/// Whether a variable still has what it had: of what can change, a tensor or a list.
fn is_untouched(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Tensor(old), Value::Tensor(new)) => (old.level, old.at) == (new.level, new.at),
        (Value::Array(old), Value::Array(new)) | (Value::Tuple(old), Value::Tuple(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| is_untouched(old, new))
        }
        (old, new) => std::mem::discriminant(old) == std::mem::discriminant(new),
    }
}

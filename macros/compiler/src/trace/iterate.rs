//! Loops that are unrolled: ranges with known bounds, arrays, and what iterators do to them.

use super::Tracer;
use super::expr::MOST_ELEMENTS;
use super::frame::Flow;
use super::value::Value;
use crate::message::body as message;
use kiln_ir::{Dim, surface};
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

impl Tracer<'_> {
    /// `0..n`
    pub fn range(&mut self, range: &ExprRange) -> Value {
        let start = range.start.as_ref().map_or(Value::Int(Dim::from(0)), |e| self.expr(e));
        let Some(end_expr) = &range.end else { return self.fault(range, message::range_open()) };
        let end = self.expr(end_expr);
        match (start, end) {
            (Value::Poison, _) | (_, Value::Poison) => Value::Poison,
            (Value::Int(start), Value::Int(end)) => match (self.number(&start), self.number(&end)) {
                (Some(start), Some(end)) => {
                    let end = end + i64::from(matches!(range.limits, RangeLimits::Closed(_)));
                    if end - start > MOST_ELEMENTS {
                        return self.fault(range, message::range_long());
                    }
                    Value::Array((start..end).map(|i| Value::Int(Dim::from(i))).collect())
                }
                (None, _) => self.range_unknown(range.start.as_deref().unwrap_or(end_expr), &start),
                (_, None) => self.range_unknown(end_expr, &end),
            },
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

    fn range_unknown(&mut self, at: &Expr, bound: &Dim) -> Value {
        let because = self.unknown_because(bound);
        self.fault(at, message::range_unknown(&because))
    }

    /// `for p in e { … }`
    pub fn for_loop(&mut self, f: &ExprForLoop) -> Value {
        if let Some(label) = &f.label {
            return self.fault(label, message::cant("a label", message::OTHER));
        }
        let list = match self.expr(&f.expr) {
            Value::Array(list) => list,
            Value::Poison => return Value::Poison,
            Value::Tensor(_) => return self.fault(&f.expr, message::for_tensor()),
            other => {
                let got = self.describe(&other);
                return self.fault(&f.expr, message::for_kind(&got));
            }
        };
        let faults = self.errors.len();
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
            // The same fault in each turn is one fault.
            if self.errors.len() != faults {
                break;
            }
        }
        Value::Unit
    }

    /// A method of an array or iterator.
    pub fn array_method(&mut self, list: Vec<Value>, call: &ExprMethodCall) -> Value {
        let name = call.method.to_string();
        let args: Vec<Value> = call.args.iter().map(|a| self.expr(a)).collect();
        if args.iter().any(Value::is_poison) {
            return Value::Poison;
        }
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

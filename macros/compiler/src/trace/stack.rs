//! Arrays of equal tensors as one tensor of all, `[elements, …]`, which a loop takes its element of.

use super::Tracer;
use super::iterate::UNROLLED;
use super::value::{Layers, Range, Value};
use kiln_ir::composite::shape;
use kiln_ir::{Dim, Role, SymKind};
use quote::ToTokens;
use std::rc::Rc;

impl Tracer<'_> {
    /// A long array of tensors, numbers and tuples of them, as what a loop takes one of each turn; `None` if they differ.
    pub(super) fn stacked(&mut self, list: &[Value], at: &dyn ToTokens) -> Option<Value> {
        if list.len() as i64 <= UNROLLED || !list.iter().all(|value| self.has_tensors(value)) {
            return None;
        }
        let count = list.len() as i64;
        let each = self.stacked_each(list, at)?;
        Some(Value::Layers(Rc::new(Layers { count, each, reverse: false, arrays: Vec::new() })))
    }

    /// Whether there is a tensor in it, and none is a parameter: those would be copied in each call.
    fn has_tensors(&self, value: &Value) -> bool {
        match value {
            Value::Tensor(_) => true,
            Value::Place(var) => {
                self.vars[var.0].role != Some(Role::Parameter) && self.has_tensors(&self.vars[var.0].value)
            }
            Value::Tuple(parts) => parts.iter().any(|part| self.has_tensors(part)),
            _ => false,
        }
    }

    fn stacked_each(&mut self, list: &[Value], at: &dyn ToTokens) -> Option<Value> {
        let list: Vec<Value> = list.iter().map(|value| self.read(value.clone())).collect();
        match list.first()? {
            Value::Tensor(_) => self.stacked_tensors(&list, at),
            Value::Int(_) => progression(&list),
            Value::Tuple(first) => {
                let column = |i: usize| {
                    let parts = list.iter().map(|value| match value {
                        Value::Tuple(parts) if parts.len() == first.len() => Some(parts[i].clone()),
                        _ => None,
                    });
                    parts.collect::<Option<Vec<Value>>>()
                };
                let columns: Option<Vec<Vec<Value>>> = (0..first.len()).map(column).collect();
                let parts = columns?.into_iter().map(|column| self.stacked_each(&column, at));
                parts.collect::<Option<Vec<Value>>>().map(Value::Tuple)
            }
            _ => None,
        }
    }

    fn stacked_tensors(&mut self, list: &[Value], at: &dyn ToTokens) -> Option<Value> {
        let tensors = list.iter().map(|value| if let Value::Tensor(t) = value { Some(t) } else { None });
        let tensors: Vec<_> = tensors.collect::<Option<_>>()?;
        let first = self.ty(tensors[0]);
        if tensors.iter().any(|t| self.ty(t) != first) {
            return None;
        }
        let all: Vec<kiln_ir::Value> = tensors.into_iter().map(|t| self.here(t)).collect();
        self.locate(&at.to_token_stream());
        let joined = shape::stack(self.b(), &all, 0);
        joined.ok().map(|v| self.tensor(v))
    }

    /// Whether a number hangs on nothing but the counters of loops.
    pub(super) fn is_counted(&self, n: &Dim) -> bool {
        !n.syms().is_empty() && n.syms().iter().all(|s| self.syms.info(*s).kind == SymKind::Turn)
    }
}

/// Numbers with one distance.
fn progression(list: &[Value]) -> Option<Value> {
    let numbers = list.iter().map(|value| if let Value::Int(n) = value { n.literal() } else { None });
    let numbers: Vec<i64> = numbers.collect::<Option<_>>()?;
    let step = numbers.get(1)? - numbers[0];
    if step == 0 || numbers.windows(2).any(|pair| pair[1] - pair[0] != step) {
        return None;
    }
    let start = numbers[0].min(*numbers.last()?);
    let trips = Dim::from(numbers.len() as i64);
    Some(Value::Range(Rc::new(Range { start: start.into(), trips, step: step.abs(), reverse: step < 0 })))
}

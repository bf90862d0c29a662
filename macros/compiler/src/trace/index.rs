//! Arrays: their elements, parts of them, and arrays of equal elements.

use super::Tracer;
use super::expr::MOST_ELEMENTS;
use super::value::Value;
use crate::message::body as message;
use syn::{Expr, ExprIndex, ExprRange, RangeLimits};

impl Tracer<'_> {
    /// `a[i]`, `a[1..]`
    pub(super) fn index(&mut self, index: &ExprIndex) -> Value {
        if let Expr::Range(range) = &*index.index {
            return self.elements(index, range);
        }
        let (base, at) = (self.expr(&index.expr), self.expr(&index.index));
        match (base, at) {
            (Value::Poison, _) | (_, Value::Poison) => Value::Poison,
            (Value::Array(list), Value::Int(n)) => match self.number(&n).map(usize::try_from) {
                Some(Ok(i)) if i < list.len() => self.read(list[i].clone()),
                Some(_) => {
                    let at = self.show_dim(&n);
                    self.fault(&index.index, message::index_out(&at, &list.len().to_string()))
                }
                None => match self.stacked(&list, &index.expr) {
                    Some(Value::Layers(all)) if self.is_counted(&n) => {
                        self.layer(&all.each, &n, &index.index)
                    }
                    _ => {
                        let at = self.show_dim(&n);
                        self.unsettled(&index.index, &[n], message::index_unknown(&at))
                    }
                },
            },
            (Value::Layers(layers), _) => self.separate(&layers),
            (Value::Series(t), Value::Int(n)) => self.nth_of(&t, &n, &index.index).unwrap_or(Value::Poison),
            (Value::Array(_), other) => {
                let got = self.describe(&other);
                self.fault(&index.index, message::index_kind(&got))
            }
            (Value::Tensor(_), _) => self.fault(index, message::index_tensor()),
            (other, _) => {
                let got = self.describe(&other);
                self.fault(&index.expr, message::index_of(&got))
            }
        }
    }

    /// Several elements of an array.
    fn elements(&mut self, index: &ExprIndex, range: &ExprRange) -> Value {
        let list = match self.expr(&index.expr) {
            Value::Array(list) => list,
            Value::Layers(layers) => return self.separate(&layers),
            Value::Poison => return Value::Poison,
            Value::Tensor(_) => return self.fault(index, message::index_tensor()),
            other => {
                let got = self.describe(&other);
                return self.fault(&index.expr, message::index_of(&got));
            }
        };
        let start = range.start.as_ref().map_or(Some(0), |e| self.bound(e));
        let end = range.end.as_ref().map_or(Some(list.len()), |e| self.bound(e));
        let (Some(start), Some(end)) = (start, end) else { return Value::Poison };
        let closed = range.end.is_some() && matches!(range.limits, RangeLimits::Closed(_));
        match list.get(start..end + usize::from(closed)) {
            Some(part) => Value::Array(part.iter().map(|value| self.read(value.clone())).collect()),
            None => {
                let at = self.text(&index.index);
                self.fault(&index.index, message::index_out(&at, &list.len().to_string()))
            }
        }
    }

    /// An end of a range of elements.
    fn bound(&mut self, at: &Expr) -> Option<usize> {
        match self.expr(at) {
            Value::Poison => None,
            Value::Int(n) => match self.number(&n).and_then(|n| usize::try_from(n).ok()) {
                Some(n) => Some(n),
                None => {
                    let shown = self.show_dim(&n);
                    self.unsettled(at, &[n], message::index_unknown(&shown));
                    None
                }
            },
            other => {
                let got = self.describe(&other);
                self.fault(at, message::index_kind(&got));
                None
            }
        }
    }

    /// `[x; n]`
    pub(super) fn repeat(&mut self, repeat: &syn::ExprRepeat) -> Value {
        match (self.expr(&repeat.expr), self.expr(&repeat.len)) {
            (Value::Poison, _) | (_, Value::Poison) => Value::Poison,
            (value, Value::Int(n)) => match self.number(&n).filter(|n| (0..=MOST_ELEMENTS).contains(n)) {
                Some(n) => Value::Array(vec![value; n as usize]),
                None => self.fault(&repeat.len, message::array_length()),
            },
            _ => self.fault(&repeat.len, message::array_length()),
        }
    }
}

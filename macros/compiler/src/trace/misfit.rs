//! Faults of shapes: the graph's own words, the operands in the user's names, and what would fit.

use super::Tracer;
use super::value::Value;
use crate::message::body as message;
use kiln_ir::{Dim, Error, Fault, SymKind, Ty};
use quote::ToTokens;

impl Tracer<'_> {
    /// Notes why an operation can't be built; silent where it would fit if constants are what they must be.
    pub fn misfit(&mut self, at: impl ToTokens, error: &Error, operands: &str) -> Value {
        if self.fits_by_assertion(&error.fault) || self.fits_by_number(&error.fault) {
            return Value::Poison;
        }
        if self.block && matches!(*error.fault, Fault::Attribute { .. }) && self.has_free_sizes() {
            self.open = true;
            return Value::Poison;
        }
        let hint = self.hint(&error.fault);
        // A callee's names say nothing to the caller, whose arguments are named where the fault is reported.
        let operands = if self.in_callee() { "" } else { operands };
        self.fault(at, message::misfit(&error.to_string(), operands, &hint))
    }

    /// Whether a callee of the entry is traced.
    pub fn in_callee(&self) -> bool {
        self.frames
            .last()
            .zip(self.frames.first())
            .is_some_and(|(last, first)| last.owner.key != first.owner.key)
    }

    /// Whether the entry has sizes that only a call tells.
    fn has_free_sizes(&self) -> bool {
        self.syms.0.iter().any(|info| matches!(info.kind, SymKind::Free { .. }))
    }

    fn fits_by_assertion(&mut self, fault: &Fault) -> bool {
        match fault {
            Fault::MatMul { inner: (left, right), .. } | Fault::Label { left, right, .. } => {
                self.same_size(left, right)
            }
            Fault::Mismatch { left, right, .. } => {
                left.dtype == right.dtype && self.same_shape(&left.shape, &right.shape)
            }
            Fault::Concat { axis, left, right } => {
                let others = |ty: &Ty| -> Vec<Dim> {
                    let kept = ty.shape.iter().enumerate().filter(|(i, _)| i != axis);
                    kept.map(|(_, d)| d.clone()).collect()
                };
                left.dtype == right.dtype && self.same_shape(&others(left), &others(right))
            }
            Fault::Broadcast { left, right } => {
                let pairs = left.shape.iter().rev().zip(right.shape.iter().rev());
                let pairs: Vec<(Dim, Dim)> = pairs
                    .filter(|(l, r)| l != r && !l.is(1) && !r.is(1))
                    .map(|(l, r)| (l.clone(), r.clone()))
                    .collect();
                !pairs.is_empty() && pairs.iter().all(|(l, r)| self.same_size(l, r))
            }
            Fault::Reshape { from, to } => {
                let (from, to) = (from.numel(), Ty::new(from.dtype, to.clone()).numel());
                self.same_size(&from, &to)
            }
            _ => false,
        }
    }

    /// Whether an attribute, such as the number of groups, may fit where constants are taken for the numbers that the files
    /// tell: tracing starts over with them.
    fn fits_by_number(&mut self, fault: &Fault) -> bool {
        let symbols: Vec<Dim> = match fault {
            Fault::Attribute { .. } => self.consts.iter().map(|c| Dim::from(c.sym)).collect(),
            _ => Vec::new(),
        };
        let before = self.assumed.len();
        for symbol in symbols {
            self.number(&symbol);
        }
        self.assumed.len() > before
    }

    /// What would fit.
    fn hint(&self, fault: &Fault) -> String {
        match fault {
            Fault::MatMul { right, inner, .. } if right.rank() == 2 && right.shape[1] == inner.0 => {
                message::transposed()
            }
            Fault::MatMul { inner, .. } => message::rows(&self.show_dim(&inner.0)),
            Fault::Broadcast { left, right } => {
                let pairs = left.shape.iter().rev().zip(right.shape.iter().rev());
                let differing = pairs.into_iter().find(|(l, r)| l != r && !l.is(1) && !r.is(1));
                differing
                    .map_or(String::new(), |(l, r)| message::differing(&self.show_dim(l), &self.show_dim(r)))
            }
            Fault::Mismatch { left, right, .. } if left.dtype != right.dtype => {
                message::one_dtype(left.dtype.name(), right.dtype.name())
            }
            Fault::Reshape { from, to } if !to.iter().any(|d| d.is(-1)) => {
                message::elements(&self.show_dim(&from.numel()))
            }
            Fault::DType { got, want, .. } if *want == "floats" && !got.dtype.is_float() => {
                message::to_float(got.dtype.name())
            }
            Fault::Axis { of, .. } if of.rank() > 0 => message::axes(of.rank()),
            _ => String::new(),
        }
    }
}

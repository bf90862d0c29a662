//! What can be wrong with an operation's arguments. All wording of shape errors stands in this file.

use crate::{Dim, Syms, Ty};
use std::fmt;

/// Why an operation can't be built. It owns the symbols' names, so that it reads in the user's words.
#[derive(Clone, PartialEq, Debug)]
pub struct Error {
    /// What is wrong.
    pub fault: Box<Fault>,
    /// Names of the dims in it.
    pub syms: Syms,
    /// What users called, of faults that don't know it.
    pub of: Option<&'static str>,
}

/// The kinds of faults.
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs)]
pub enum Fault {
    /// Another number of arguments.
    Arity { op: String, want: usize, got: usize },
    /// Arguments whose types had to agree.
    Mismatch { op: String, left: Ty, right: Ty },
    /// An element type that the operation doesn't take.
    DType { op: String, want: &'static str, got: Ty },
    /// Two shapes that don't broadcast.
    Broadcast { left: Ty, right: Ty },
    /// Inner dims of a matrix product.
    MatMul { left: Ty, right: Ty, inner: (Dim, Dim) },
    /// A label with two lengths in a contraction.
    Label { op: String, left: Dim, right: Dim },
    /// A reshape that changes the number of elements.
    Reshape { from: Ty, to: Vec<Dim> },
    /// An axis that the value doesn't have.
    Axis { op: String, axis: i64, of: Ty },
    /// Another rank than wanted.
    Rank { op: String, want: String, got: Ty },
    /// A concatenation whose other dims differ.
    Concat { axis: usize, left: Ty, right: Ty },
    /// A slice that leaves the axis.
    Slice { axis: usize, of: Ty, start: Dim, end: Dim },
    /// Windows that leave the axis.
    Window { of: Ty, axis: usize, extent: Dim },
    /// An index of another shape than what it points into.
    Index { op: String, axis: usize, of: Ty, index: Ty },
    /// A gradient of what isn't a float, or isn't a scalar.
    Gradient { of: Ty, want: &'static str },
    /// An attribute that makes no sense.
    Attribute { op: String, what: String },
}

impl Error {
    /// The same fault, said of another operation: the one that users call.
    pub fn of(mut self, name: &'static str) -> Error {
        match &mut *self.fault {
            Fault::Arity { op, .. }
            | Fault::Mismatch { op, .. }
            | Fault::DType { op, .. }
            | Fault::Label { op, .. }
            | Fault::Axis { op, .. }
            | Fault::Rank { op, .. }
            | Fault::Index { op, .. }
            | Fault::Attribute { op, .. } => *op = name.to_string(),
            Fault::Broadcast { .. }
            | Fault::MatMul { .. }
            | Fault::Reshape { .. }
            | Fault::Concat { .. }
            | Fault::Slice { .. }
            | Fault::Window { .. }
            | Fault::Gradient { .. } => self.of = Some(name),
        }
        self
    }
}

struct Shape<'a>(&'a [Dim], &'a Syms);

impl fmt::Display for Shape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[")?;
        for (i, d) in self.0.iter().enumerate() {
            write!(f, "{}{}", if i > 0 { ", " } else { "" }, d.display(self.1))?;
        }
        write!(f, "]")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ty = |t: &Ty| format!("{} {}", t.dtype.name(), Shape(&t.shape, &self.syms));
        let dim = |d: &Dim| d.display(&self.syms).to_string();
        if let Some(op) = self.of {
            write!(f, "`{op}`: ")?;
        }
        match &*self.fault {
            Fault::Arity { op, want, got } => write!(f, "`{op}` takes {want} tensors, not {got}"),
            Fault::Mismatch { op, left, right } => {
                write!(f, "`{op}` needs arguments of one type: {} and {}", ty(left), ty(right))
            }
            Fault::DType { op, want, got } => write!(f, "`{op}` needs {want}, not {}", ty(got)),
            Fault::Broadcast { left, right } => write!(
                f,
                "shapes {} and {} don't broadcast: from the last dim on, two dims must be equal or one of them 1",
                Shape(&left.shape, &self.syms),
                Shape(&right.shape, &self.syms)
            ),
            Fault::MatMul { left, right, inner } => write!(
                f,
                "the inner dims of {} and {} differ, {} and {}",
                Shape(&left.shape, &self.syms),
                Shape(&right.shape, &self.syms),
                dim(&inner.0),
                dim(&inner.1)
            ),
            Fault::Label { op, left, right } => {
                write!(f, "`{op}` has one label for axes of lengths {} and {}", dim(left), dim(right))
            }
            Fault::Reshape { from, to } => {
                let known = to.iter().filter(|d| !d.is(-1)).cloned().collect::<Vec<_>>();
                let parts = dim(&Ty::new(from.dtype, known.clone()).numel());
                let (from_shape, to_shape) = (Shape(&from.shape, &self.syms), Shape(to, &self.syms));
                write!(f, "can't reshape {from_shape} to {to_shape}: {} elements ", dim(&from.numel()))?;
                if known.len() == to.len() {
                    write!(f, "against {parts}")
                } else {
                    write!(f, "don't divide by {parts}")
                }
            }
            Fault::Axis { op, axis, of } => {
                write!(f, "`{op}` along dim {axis}, but the tensor is {} (rank {})", ty(of), of.rank())
            }
            Fault::Rank { op, want, got } => {
                write!(f, "`{op}` needs rank {want}, not {} (rank {})", ty(got), got.rank())
            }
            Fault::Concat { axis, left, right } => write!(
                f,
                "can't concatenate {} and {} along dim {axis}: element type and all other dims must agree",
                ty(left),
                ty(right)
            ),
            Fault::Slice { axis, of, start, end } => write!(
                f,
                "slice {}..{} leaves dim {axis} of {}",
                dim(start),
                dim(end),
                Shape(&of.shape, &self.syms)
            ),
            Fault::Window { of, axis, extent } => write!(
                f,
                "the windows reach {} elements, but dim {axis} of {} is shorter",
                dim(extent),
                Shape(&of.shape, &self.syms)
            ),
            Fault::Index { op, axis, of, index } => {
                let but = if op == "scatter_add" { String::new() } else { format!(" but for dim {axis}") };
                write!(f, "`{op}`: the index {} hasn't the shape of {}{but}", ty(index), ty(of))
            }
            Fault::Gradient { of, want } => write!(f, "a gradient needs {want}, not {}", ty(of)),
            Fault::Attribute { op, what } => write!(f, "`{op}`: {what}"),
        }
    }
}

impl std::error::Error for Error {}

//! What is made of operations: PyTorch's functions, a few lines each, with its names and meaning.
//!
//! None has a derivative of its own: it follows from the operations. Dims may be negative, as in torch.

pub mod activation;
pub mod attention;
pub mod control;
pub mod conv;
pub mod ctc;
pub mod einsum;
pub mod index;
pub mod linalg;
pub mod loss;
pub mod margin;
pub mod norm;
pub mod optim;
pub mod order;
pub mod pad;
pub mod quantize;
pub mod random;
pub mod recurrent;
pub mod reduce;
pub mod resize;
pub mod rule;
pub mod shape;
pub mod strips;

use crate::{Builder, Error, Fault, Scalar, Value};

/// A value, or why it can't be built.
pub type Built = Result<Value, Error>;

impl Builder {
    /// The axis counted from the front, for `dim` in `-rank..rank`.
    ///
    /// # Errors
    /// If the tensor has no such axis.
    pub fn axis(&self, op: &str, v: Value, dim: i64) -> Result<usize, Error> {
        let rank = self.ty(v).rank() as i64;
        let axis = if dim < 0 { dim + rank } else { dim };
        if (0..rank).contains(&axis) {
            return Ok(axis as usize);
        }
        Err(self.error(Fault::Axis { op: op.into(), axis: dim, of: self.ty(v).clone() }))
    }

    /// Several axes, sorted; all of them for an empty list.
    pub(crate) fn axes(&self, op: &str, v: Value, dims: &[i64]) -> Result<Vec<usize>, Error> {
        if dims.is_empty() {
            return Ok((0..self.ty(v).rank()).collect());
        }
        let mut axes: Vec<usize> = dims.iter().map(|d| self.axis(op, v, *d)).collect::<Result<_, _>>()?;
        axes.sort();
        axes.dedup();
        Ok(axes)
    }

    /// `a + b`, broadcast as in NumPy; the others likewise.
    pub fn add(&mut self, a: Value, b: Value) -> Built {
        self.elementwise(Scalar::Add, &[a, b])
    }

    /// `a − b`
    pub fn sub(&mut self, a: Value, b: Value) -> Built {
        self.elementwise(Scalar::Sub, &[a, b])
    }

    /// `a · b`
    pub fn mul(&mut self, a: Value, b: Value) -> Built {
        self.elementwise(Scalar::Mul, &[a, b])
    }

    /// `a / b`
    pub fn div(&mut self, a: Value, b: Value) -> Built {
        self.elementwise(Scalar::Div, &[a, b])
    }

    /// `c · x` for a number.
    pub fn scale(&mut self, x: Value, c: f64) -> Built {
        let c = self.splat(c, x)?;
        self.map(Scalar::Mul, &[x, c])
    }

    /// `x + c` for a number.
    pub fn shift(&mut self, x: Value, c: f64) -> Built {
        let c = self.splat(c, x)?;
        self.map(Scalar::Add, &[x, c])
    }

    /// `c / x` for a number.
    pub fn over(&mut self, c: f64, x: Value) -> Built {
        let c = self.splat(c, x)?;
        self.map(Scalar::Div, &[c, x])
    }

    /// A comparison, and a choice by it, with a number on the right: `x < c ? yes : no`.
    pub(crate) fn if_below(&mut self, x: Value, c: f64, yes: Value, no: Value) -> Built {
        let c = self.splat(c, x)?;
        let below = self.map(Scalar::Lt, &[x, c])?;
        self.map(Scalar::Select, &[below, yes, no])
    }
}

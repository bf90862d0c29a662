//! Tensors out of nothing.

use super::table;
use crate::composite::{Built, shape};
use crate::{Builder, DType, Dim, Op, Scalar};

table! {
    /// Zeros (f32) of a shape.
    Function zeros(shape: Sizes) -> One |b, a| full(b, &a.sizes(0), 0.0);
    /// Ones (f32) of a shape.
    Function ones(shape: Sizes) -> One |b, a| full(b, &a.sizes(0), 1.0);
    /// A number (f32) everywhere in a shape.
    Function full(shape: Sizes, value: Float) -> One |b, a| full(b, &a.sizes(0), a.float(1));
    /// Zeros of the type of another tensor.
    Method zeros_like(x: Tensor) -> One |b, a| b.splat(0.0, a.tensor(0));
    /// Ones of the type of another tensor.
    Method ones_like(x: Tensor) -> One |b, a| b.splat(1.0, a.tensor(0));
    /// A number everywhere in the type of another tensor.
    Method full_like(x: Tensor, value: Float) -> One |b, a| b.splat(a.float(1), a.tensor(0));
    /// 0 .. n (i64).
    Function arange(n: Size) -> One |b, a| match a.size(0).literal() {
        Some(n) if n < 0 => Err(a.fault(b, "a size can't be negative")),
        _ => b.emit(Op::Iota { len: a.size(0), dtype: DType::I64 }, &[]),
    };
    /// 1 at the label and 0 elsewhere along a new last dim (i64).
    Both one_hot(labels: Tensor, classes: Size) -> One |b, a| {
        let dtype = b.ty(a.tensor(0)).dtype;
        if dtype.is_float() || dtype == DType::Bool {
            let got = b.ty(a.tensor(0)).clone();
            return Err(b.error(crate::Fault::DType { op: "one_hot".into(), want: "integer labels", got }));
        }
        if a.size(1).literal().is_some_and(|n| n < 0) {
            return Err(a.fault(b, "a size can't be negative"));
        }
        let index = b.emit(Op::Iota { len: a.size(1), dtype }, &[])?;
        let labels = shape::unsqueeze(b, a.tensor(0), -1)?;
        let hot = b.elementwise(Scalar::Eq, &[labels, index])?;
        b.emit(Op::Cast(DType::I64), &[hot])
    };
}

fn full(b: &mut Builder, shape: &[Dim], value: f64) -> Built {
    let value = b.constant(value, DType::F32);
    b.emit(Op::Broadcast(shape.iter().cloned().enumerate().collect()), &[value])
}

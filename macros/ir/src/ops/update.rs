//! Update: a tensor written over a part of another one, at a place along one axis that is data.

use super::array::{indices, offset};
use super::{Array, Cotangents};
use crate::{Builder, DType, Dim, Error, Fault, Node, Op, Scalar, Ty, Value};

/// Of `base`, `x` and an i64 scalar: `base`, but `out[…, start + i, …] = x[…, i, …]`; what lies outside is dropped. All
/// shapes agree but for the axis.
pub(super) fn infer(axis: usize, args: &[&Ty]) -> Result<Ty, Fault> {
    let (base, x, start) = (args[0], args[1], args[2]);
    let name = || "update".to_string();
    if axis >= base.rank() {
        return Err(Fault::Axis { op: name(), axis: axis as i64, of: base.clone() });
    }
    if *start != Ty::scalar(DType::I64) {
        return Err(Fault::DType { op: name(), want: "an i64 scalar as its place", got: start.clone() });
    }
    let other = |i: usize| i == axis || x.shape[i] == base.shape[i];
    if x.dtype != base.dtype || x.rank() != base.rank() || !(0..x.rank()).all(other) {
        return Err(misfit(axis));
    }
    Ok(base.clone())
}

/// What is written doesn't fit what it is written over.
pub(crate) fn misfit(axis: usize) -> Fault {
    let what =
        format!("what is written must have the element type and, but for dim {axis}, the dims of the other");
    Fault::Attribute { op: "update".into(), what }
}

/// To `base` zeros where it is written over, to `x` what stands there.
pub(super) fn vjp(b: &mut Builder, axis: usize, node: &Node, ct: Value) -> Result<Cotangents, Error> {
    let (x, start) = (node.args[1], node.args[2]);
    let zeros = b.splat(0.0, x)?;
    let kept = b.emit(Op::Update(axis), &[ct, zeros, start])?;
    let len = b.ty(x).shape[axis].clone();
    Ok(vec![Some(kept), Some(part(b, ct, axis, start, len)?), None])
}

/// `len` elements along an axis from a start on that is data; 0 where they lie outside.
pub(crate) fn part(b: &mut Builder, x: Value, axis: usize, start: Value, len: Dim) -> Result<Value, Error> {
    let iota = b.emit(Op::Iota { len: len.clone(), dtype: DType::I64 }, &[])?;
    let index = b.elementwise(Scalar::Add, &[iota, start])?;
    let mut shape = b.ty(x).shape.clone();
    shape[axis] = len;
    let others = shape.into_iter().enumerate().filter(|(i, _)| *i != axis).collect();
    let index = b.emit(Op::Broadcast(others), &[index])?;
    b.emit(Op::Gather(axis), &[x, index])
}

/// An update whose start is another for each index of the first axis: a choice for each element.
pub(crate) fn each(
    b: &mut Builder,
    axis: usize,
    base: Value,
    x: Value,
    starts: Value,
) -> Result<Value, Error> {
    let shape = b.ty(base).shape.clone();
    let iota = b.emit(Op::Iota { len: shape[axis].clone(), dtype: DType::I64 }, &[])?;
    let others = |kept: usize| shape.iter().cloned().enumerate().filter(|(i, _)| *i != kept).collect();
    let place = b.emit(Op::Broadcast(others(axis)), &[iota])?;
    let start = b.emit(Op::Broadcast(others(0)), &[starts])?;
    let index = b.map(Scalar::Sub, &[place, start])?;
    let new = b.emit(Op::Gather(axis), &[x, index])?;
    // Outside of what is written there is false.
    let there = b.constant(1.0, DType::Bool);
    let there = b.emit(Op::Broadcast(b.ty(x).shape.iter().cloned().enumerate().collect()), &[there])?;
    let written = b.emit(Op::Gather(axis), &[there, index])?;
    b.map(Scalar::Select, &[written, new, base])
}

pub(super) fn eval(axis: usize, args: &[&Array]) -> Vec<f64> {
    let (base, x, start) = (args[0], args[1], args[2].data[0]);
    let mut out = base.data.clone();
    for (mut at, value) in indices(&x.shape).zip(&x.data) {
        let place = start + at[axis] as f64;
        if place >= 0.0 && place < base.shape[axis] as f64 {
            at[axis] = place as usize;
            out[offset(&base.shape, &at)] = *value;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Role, Syms, eval::eval};

    #[test]
    fn what_lies_outside_is_dropped() {
        let mut b = Builder::new("f", Syms::default());
        let ty = |shape: [usize; 2]| Ty::new(DType::F64, shape.map(Into::into));
        let base = b.input("base", ty([2, 3]), Role::Argument);
        let x = b.input("x", ty([2, 2]), Role::Argument);
        let start = b.input("start", Ty::scalar(DType::I64), Role::Argument);
        let y = b.emit(Op::Update(1), &[base, x, start]).unwrap();
        b.output("y", y, None);
        let func = b.finish();
        assert_eq!(crate::text::parse(&func.to_string()).unwrap(), func);
        let array = |shape: Vec<usize>, data: &[f64]| Array::rounded(DType::F64, shape, data.to_vec());
        let at = |start: f64| {
            let start = Array::rounded(DType::I64, vec![], vec![start]);
            let base = array(vec![2, 3], &[0.0; 6]);
            eval(&func, &[base, array(vec![2, 2], &[1.0, 2.0, 3.0, 4.0]), start])[0].data.clone()
        };
        assert_eq!(at(1.0), [0.0, 1.0, 2.0, 0.0, 3.0, 4.0]);
        assert_eq!(at(2.0), [0.0, 0.0, 1.0, 0.0, 0.0, 3.0]);
        assert_eq!(at(-1.0), [2.0, 0.0, 0.0, 4.0, 0.0, 0.0]);
        assert_eq!(at(7.0), [0.0; 6]);
    }
}

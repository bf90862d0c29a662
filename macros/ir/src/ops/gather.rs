//! Gather and ScatterAdd: elements whose place along one axis is data.

use super::array::{indices, offset};
use super::{Array, Context, Cotangents};
use crate::{Builder, DType, Error, Fault, Node, Op, Ty, Value};

/// Gather, of `x` and integers `index`: `out[…, i, …] = x[…, index[…, i, …], …]`, and 0 where the index lies outside.
/// ScatterAdd, of `x` and `index`: `out[…, index[…, i, …], …] += x[…, i, …]` over zeros; what lies outside is dropped.
/// All shapes agree but for the axis. An index that is one for whole rows is a Broadcast: it costs no memory.
pub(super) fn infer(op: &Op, x: &Ty, index: &Ty) -> Result<Ty, Fault> {
    let name = || super::name(op).to_string();
    let axis = axis(op);
    if axis >= x.rank() {
        return Err(Fault::Axis { op: name(), axis: axis as i64, of: x.clone() });
    }
    if index.dtype.is_float() || index.dtype == DType::Bool {
        return Err(Fault::DType { op: name(), want: "an integer index", got: index.clone() });
    }
    let fits = match op {
        Op::ScatterAdd(..) => x.shape == index.shape,
        _ => x.rank() == index.rank() && (0..x.rank()).all(|i| i == axis || x.shape[i] == index.shape[i]),
    };
    if !fits {
        return Err(Fault::Index { op: name(), axis, of: x.clone(), index: index.clone() });
    }
    let mut shape = index.shape.clone();
    if let Op::ScatterAdd(_, len) = op {
        super::number("scatter_add", x)?;
        if len.literal().is_some_and(|n| n < 0) {
            return Err(Fault::Attribute { op: name(), what: "a size is negative".into() });
        }
        shape[axis] = len.clone();
    }
    Ok(Ty::new(x.dtype, shape))
}

fn axis(op: &Op) -> usize {
    match op {
        Op::Gather(axis) | Op::ScatterAdd(axis, _) => *axis,
        _ => unreachable!("the gather family has two operations"),
    }
}

/// Gather ↔ ScatterAdd; an index has no cotangent.
pub(super) fn vjp(b: &mut Builder, node: &Node, ct: Value) -> Result<Cotangents, Error> {
    let axis = axis(&node.op);
    let back = match &node.op {
        Op::Gather(_) => Op::ScatterAdd(axis, b.ty(node.args[0]).shape[axis].clone()),
        _ => Op::Gather(axis),
    };
    Ok(vec![Some(b.emit(back, &[ct, node.args[1]])?), None])
}

pub(super) fn eval(op: &Op, x: &Array, index: &Array, cx: &Context) -> Vec<f64> {
    let (shape, axis) = (cx.shape(), axis(op));
    let len = if matches!(op, Op::Gather(_)) { x.shape[axis] } else { shape[axis] };
    let mut out = vec![0.0; shape.iter().product()];
    for (i, index) in indices(&index.shape).zip(&index.data) {
        if *index < 0.0 || *index >= len as f64 {
            continue;
        }
        let mut there = i.clone();
        there[axis] = *index as usize;
        match op {
            Op::Gather(_) => out[offset(&shape, &i)] = x.at(&there),
            _ => out[offset(&shape, &there)] += x.at(&i),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Role, Syms, eval::eval};

    fn of(op: Op, x: &[f64], index: &[f64], shapes: [[usize; 2]; 2]) -> Vec<f64> {
        let mut b = Builder::new("f", Syms::default());
        let ty = |dtype, shape: [usize; 2]| Ty::new(dtype, shape.map(Into::into));
        let v = b.input("x", ty(DType::F64, shapes[0]), Role::Argument);
        let i = b.input("i", ty(DType::I64, shapes[1]), Role::Argument);
        let y = b.emit(op, &[v, i]).unwrap();
        b.output("y", y, None);
        let x = Array::rounded(DType::F64, shapes[0].to_vec(), x.to_vec());
        let index = Array::rounded(DType::I64, shapes[1].to_vec(), index.to_vec());
        eval(&b.finish(), &[x, index])[0].data.clone()
    }

    #[test]
    fn rows_and_columns_are_picked() {
        let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(of(Op::Gather(1), &x, &[2.0, 0.0], [[2, 3], [2, 1]]), [3.0, 4.0]);
        assert_eq!(of(Op::Gather(0), &x, &[1.0, 0.0, 1.0], [[2, 3], [1, 3]]), [4.0, 2.0, 6.0]);
        // Outside there is 0.
        assert_eq!(of(Op::Gather(1), &x, &[-1.0, 3.0], [[2, 3], [2, 1]]), [0.0, 0.0]);
    }

    #[test]
    fn what_meets_is_added_and_what_lies_outside_dropped() {
        let x = [1.0, 2.0, 3.0, 4.0];
        let sum = of(Op::ScatterAdd(1, 3.into()), &x, &[2.0, 2.0, 0.0, 3.0], [[2, 2], [2, 2]]);
        assert_eq!(sum, [0.0, 0.0, 3.0, 3.0, 0.0, 0.0]);
    }
}

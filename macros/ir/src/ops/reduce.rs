//! Reduce (sum, max) and ArgMax.

use super::array::{indices, offset};
use super::{Array, Context, Cotangents, number};
use crate::{Builder, DType, Dim, Error, Fault, Node, Op, Reduction, Scalar, Ty, Value};

pub(super) fn infer(op: &Op, x: &Ty) -> Result<Ty, Fault> {
    number(super::name(op), x)?;
    let (dtype, axes) = match op {
        Op::ArgMax(axis) => (DType::I64, vec![*axis]),
        Op::Reduce(_, axes) => (x.dtype, axes.clone()),
        _ => unreachable!("the reduce family has two operations"),
    };
    if let Some(bad) = axes.iter().find(|a| **a >= x.rank()) {
        return Err(Fault::Axis { op: super::name(op).into(), axis: *bad as i64, of: x.clone() });
    }
    if !axes.is_sorted_by(|a, b| a < b) {
        return Err(Fault::Attribute { op: super::name(op).into(), what: "axes must ascend".into() });
    }
    let kept = (0..x.rank()).filter(|a| !axes.contains(a)).map(|a| x.shape[a].clone());
    Ok(Ty::new(dtype, kept.collect::<Vec<_>>()))
}

/// Sum ↦ Broadcast. Max ↦ the cotangent in equal parts to all that reach the maximum, as torch's `amax`; over the places
/// of windows, which is a pool, to the first that does.
pub(super) fn vjp(b: &mut Builder, node: &Node, v: Value, ct: Value) -> Result<Cotangents, Error> {
    let x = node.args[0];
    let Op::Reduce(kind, axes) = &node.op else { return Ok(vec![None]) };
    let shape = b.ty(x).shape.clone();
    let widen = Op::Broadcast(axes.iter().map(|&a| (a, shape[a].clone())).collect());
    if *kind == Reduction::Sum {
        return Ok(vec![Some(b.emit(widen, &[ct])?)]);
    }
    let Shares { hit, count } = shares(b, x, v, axes)?;
    let share = count.map_or(Ok(ct), |count| b.map(Scalar::Div, &[ct, count]))?;
    let share = b.emit(widen, &[share])?;
    let zero = b.splat(0.0, x)?;
    Ok(vec![Some(b.map(Scalar::Select, &[hit, share, zero])?)])
}

/// Which elements a maximum is made of, and among how many it is shared where that isn't one.
pub(crate) struct Shares {
    pub hit: Value,
    pub count: Option<Value>,
}

/// The shares in the maximum `v` of `x` over axes.
pub(crate) fn shares(b: &mut Builder, x: Value, v: Value, axes: &[usize]) -> Result<Shares, Error> {
    let shape = b.ty(x).shape.clone();
    let widen = Op::Broadcast(axes.iter().map(|&a| (a, shape[a].clone())).collect());
    let top = b.emit(widen.clone(), &[v])?;
    let hit = b.map(Scalar::Eq, &[x, top])?;
    if let Op::Windows(_) = b.func().node(x).op {
        return Ok(Shares { hit: first(b, hit, x, axes, &widen)?, count: None });
    }
    let hits = b.emit(Op::Cast(b.ty(x).dtype), &[hit])?;
    let count = b.emit(Op::Reduce(Reduction::Sum, axes.to_vec()), &[hits])?;
    Ok(Shares { hit, count: Some(count) })
}

/// Of the elements that hit, the first along the axes: the one whose place, counted down, is the largest.
fn first(b: &mut Builder, hit: Value, x: Value, axes: &[usize], widen: &Op) -> Result<Value, Error> {
    let (shape, dtype) = (b.ty(x).shape.clone(), b.ty(x).dtype);
    let mut place = b.splat(0.0, x)?;
    let mut step = Dim::from(1);
    for &axis in axes.iter().rev() {
        let index = b.emit(Op::Iota { len: shape[axis].clone(), dtype }, &[])?;
        let others = (0..shape.len()).filter(|i| *i != axis).map(|i| (i, shape[i].clone())).collect();
        let index = b.emit(Op::Broadcast(others), &[index])?;
        let by = b.splat(step.literal().unwrap_or(1) as f64, x)?;
        let along = b.map(Scalar::Mul, &[index, by])?;
        place = b.map(Scalar::Sub, &[place, along])?;
        step = step * shape[axis].clone();
    }
    let lowest = b.splat(f64::NEG_INFINITY, x)?;
    let key = b.map(Scalar::Select, &[hit, place, lowest])?;
    let best = b.emit(Op::Reduce(Reduction::Max, axes.to_vec()), &[key])?;
    let best = b.emit(widen.clone(), &[best])?;
    let same = b.map(Scalar::Eq, &[key, best])?;
    b.map(Scalar::And, &[hit, same])
}

pub(super) fn eval(op: &Op, x: &Array, cx: &Context) -> Vec<f64> {
    let shape = cx.shape();
    let axes = match op {
        Op::ArgMax(axis) => vec![*axis],
        Op::Reduce(_, axes) => axes.clone(),
        _ => unreachable!("the reduce family has two operations"),
    };
    if axes.is_empty() {
        return x.data.clone();
    }
    let mut best = vec![start(op, x.dtype); shape.iter().product()];
    let mut arg = vec![None; best.len()];
    for (index, &value) in indices(&x.shape).zip(&x.data) {
        let kept: Vec<usize> = (0..index.len()).filter(|a| !axes.contains(a)).map(|a| index[a]).collect();
        let at = offset(&shape, &kept);
        match op {
            Op::Reduce(Reduction::Sum, _) => best[at] += value,
            // A NaN wins, as in torch.
            _ if arg[at].is_none() || value > best[at] || (value.is_nan() && !best[at].is_nan()) => {
                best[at] = value;
                arg[at] = Some(axes.first().map_or(0, |a| index[*a]));
            }
            _ => {}
        }
    }
    match op {
        Op::ArgMax(_) => arg.into_iter().map(|i| i.unwrap_or(0) as f64).collect(),
        _ => best,
    }
}

fn start(op: &Op, dtype: DType) -> f64 {
    match (op, dtype) {
        (Op::Reduce(Reduction::Sum, _), _) => 0.0,
        (_, DType::I64) => i64::MIN as f64,
        (_, DType::I32) => i32::MIN as f64,
        (_, DType::U8) => 0.0,
        _ => f64::NEG_INFINITY,
    }
}

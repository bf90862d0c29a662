//! Reshape, Permute, Broadcast, Slice, Pad, Concat: elements move, none changes.

use super::array::{indices, offset};
use super::{Array, Context, Cotangents};
use crate::op::{PadAxis, SliceAxis};
use crate::{Builder, Dim, Error, Fault, Node, Op, Reduction, Ty, Value};

pub(super) fn infer(op: &Op, args: &[&Ty]) -> Result<Ty, Fault> {
    let x = args[0];
    check_attributes(op)?;
    let shape = match op {
        Op::Reshape(to) if reshapes(x, to) => to.clone(),
        Op::Reshape(to) => return Err(Fault::Reshape { from: x.clone(), to: to.clone() }),
        Op::Permute(perm) => permuted(perm, x)?,
        Op::Broadcast(axes) => widened(axes, x)?,
        Op::Slice(axes) => per_axis("slice", axes.len(), x).and_then(|_| sliced(axes, x))?,
        Op::Pad(axes) => {
            per_axis("pad", axes.len(), x)?;
            x.shape
                .iter()
                .zip(axes)
                .map(|(n, a)| a.low.clone() + spread(n, a.step) + a.high.clone())
                .collect()
        }
        _ => concatenated(op, args)?,
    };
    Ok(Ty::new(x.dtype, shape))
}

fn reshapes(x: &Ty, to: &[Dim]) -> bool {
    let negative = to.iter().any(|d| d.literal().is_some_and(|n| n < 0));
    !negative && x.numel() == Ty::new(x.dtype, to).numel()
}

/// What no argument could make right.
fn check_attributes(op: &Op) -> Result<(), Fault> {
    let negative = |d: &Dim| d.literal().is_some_and(|n| n < 0);
    let what = match op {
        Op::Broadcast(axes) if !axes.is_sorted_by(|a, b| a.0 < b.0) => "axes must ascend",
        Op::Broadcast(axes) if axes.iter().any(|(_, n)| negative(n)) => "a dim is negative",
        Op::Slice(axes) if axes.iter().any(|a| negative(&a.len)) => "a length is negative",
        Op::Pad(axes) if axes.iter().any(|a| a.step < 1) => "a step is less than 1",
        Op::Pad(axes) if axes.iter().any(|a| negative(&a.low) || negative(&a.high)) => {
            "a padding is negative"
        }
        _ => return Ok(()),
    };
    Err(Fault::Attribute { op: super::name(op).into(), what: what.into() })
}

fn permuted(perm: &[usize], x: &Ty) -> Result<Vec<Dim>, Fault> {
    let mut sorted = perm.to_vec();
    sorted.sort();
    if sorted != (0..x.rank()).collect::<Vec<_>>() {
        return Err(Fault::Rank { op: "permute".into(), want: format!("{}", perm.len()), got: x.clone() });
    }
    Ok(perm.iter().map(|&i| x.shape[i].clone()).collect())
}

fn widened(axes: &[(usize, Dim)], x: &Ty) -> Result<Vec<Dim>, Fault> {
    let mut shape = x.shape.clone();
    for (at, len) in axes {
        if *at > shape.len() {
            return Err(Fault::Axis { op: "broadcast".into(), axis: *at as i64, of: x.clone() });
        }
        shape.insert(*at, len.clone());
    }
    Ok(shape)
}

fn per_axis(op: &str, entries: usize, x: &Ty) -> Result<(), Fault> {
    if entries == x.rank() {
        return Ok(());
    }
    Err(Fault::Rank { op: op.into(), want: entries.to_string(), got: x.clone() })
}

fn sliced(axes: &[SliceAxis], x: &Ty) -> Result<Vec<Dim>, Fault> {
    for (i, (a, n)) in axes.iter().zip(&x.shape).enumerate() {
        let end = a.start.clone() + spread(&a.len, a.step);
        // Only what is certain is refused: symbols may still turn out large enough.
        let room = (n.clone() - end.clone()).literal();
        if a.step < 1 || a.start.literal().is_some_and(|s| s < 0) || room.is_some_and(|r| r < 0) {
            return Err(Fault::Slice { axis: i, of: x.clone(), start: a.start.clone(), end });
        }
    }
    Ok(axes.iter().map(|a| a.len.clone()).collect())
}

fn concatenated(op: &Op, args: &[&Ty]) -> Result<Vec<Dim>, Fault> {
    let Op::Concat(axis) = op else { unreachable!("the layout family has six operations") };
    let first = args[0];
    if *axis >= first.rank() {
        return Err(Fault::Axis { op: "concat".into(), axis: *axis as i64, of: first.clone() });
    }
    let rest = |t: &Ty| {
        let mut shape = t.shape.clone();
        shape.remove(*axis);
        shape
    };
    let mut shape = first.shape.clone();
    for t in &args[1..] {
        if t.dtype != first.dtype || t.rank() != first.rank() || rest(t) != rest(first) {
            return Err(Fault::Concat { axis: *axis, left: first.clone(), right: (*t).clone() });
        }
        shape[*axis] = shape[*axis].clone() + t.shape[*axis].clone();
    }
    Ok(shape)
}

/// Length of `n` elements with `step − 1` places between neighbours.
fn spread(n: &Dim, step: i64) -> Dim {
    if step == 1 || n.is(0) {
        return n.clone();
    }
    (n.clone() - Dim::from(1)) * Dim::from(step) + Dim::from(1)
}

/// Each adjoint is in the family (and `Reduce(Sum)`, the adjoint of Broadcast).
pub(super) fn vjp(b: &mut Builder, node: &Node, ct: Value) -> Result<Cotangents, Error> {
    let from = b.ty(node.args[0]).shape.clone();
    let back = match &node.op {
        Op::Reshape(_) => Op::Reshape(from),
        Op::Permute(perm) => Op::Permute(inverse(perm)),
        Op::Broadcast(axes) => Op::Reduce(Reduction::Sum, axes.iter().map(|(at, _)| *at).collect()),
        Op::Slice(axes) => Op::Pad(axes.iter().zip(&from).map(|(a, n)| unslice(a, n)).collect()),
        Op::Pad(axes) => Op::Slice(axes.iter().zip(&from).map(|(a, n)| unpad(a, n)).collect()),
        Op::Concat(axis) => return split(b, node, *axis, ct),
        _ => unreachable!("the layout family has six operations"),
    };
    Ok(vec![Some(b.emit(back, &[ct])?)])
}

/// The permutation that undoes `perm`.
pub fn inverse(perm: &[usize]) -> Vec<usize> {
    let mut inverse = vec![0; perm.len()];
    for (to, &from) in perm.iter().enumerate() {
        inverse[from] = to;
    }
    inverse
}

fn unslice(a: &SliceAxis, n: &Dim) -> PadAxis {
    let high = n.clone() - a.start.clone() - spread(&a.len, a.step);
    PadAxis { low: a.start.clone(), high, step: a.step }
}

fn unpad(a: &PadAxis, n: &Dim) -> SliceAxis {
    SliceAxis { start: a.low.clone(), len: n.clone(), step: a.step }
}

fn split(b: &mut Builder, node: &Node, axis: usize, ct: Value) -> Result<Cotangents, Error> {
    let mut start = Dim::from(0);
    let mut cotangents = Vec::new();
    for &arg in &node.args {
        let shape = b.ty(arg).shape.clone();
        let whole = |n: &Dim| SliceAxis { start: Dim::from(0), len: n.clone(), step: 1 };
        let mut axes: Vec<SliceAxis> = shape.iter().map(whole).collect();
        axes[axis].start = start.clone();
        start = start + shape[axis].clone();
        cotangents.push(Some(b.emit(Op::Slice(axes), &[ct])?));
    }
    Ok(cotangents)
}

pub(super) fn eval(op: &Op, args: &[&Array], cx: &Context) -> Vec<f64> {
    let (x, shape) = (args[0], cx.shape());
    match op {
        Op::Reshape(_) => x.data.clone(),
        Op::Permute(perm) => {
            let inverse = inverse(perm);
            gather(&shape, |i| x.at(&inverse.iter().map(|&a| i[a]).collect::<Vec<_>>()))
        }
        Op::Broadcast(axes) => gather(&shape, |i| {
            let inserted = |a: &usize| axes.iter().any(|(at, _)| at == a);
            x.at(&(0..i.len()).filter(|a| !inserted(a)).map(|a| i[a]).collect::<Vec<_>>())
        }),
        Op::Slice(axes) => gather(&shape, |i| {
            let from = |(i, a): (&usize, &SliceAxis)| (cx.size)(&a.start) + i * a.step as usize;
            x.at(&i.iter().zip(axes).map(from).collect::<Vec<_>>())
        }),
        Op::Pad(axes) => {
            let mut out = vec![0.0; shape.iter().product()];
            let to = |(i, a): (&usize, &PadAxis)| (cx.size)(&a.low) + i * a.step as usize;
            for (index, value) in indices(&x.shape).zip(&x.data) {
                out[offset(&shape, &index.iter().zip(axes).map(to).collect::<Vec<_>>())] = *value;
            }
            out
        }
        Op::Concat(axis) => gather(&shape, |i| {
            let mut index = i.to_vec();
            let mut parts = args.iter();
            let mut part = parts.next().expect("infer refuses no arguments");
            while index[*axis] >= part.shape[*axis] {
                index[*axis] -= part.shape[*axis];
                part = parts.next().expect("infer made the lengths add up");
            }
            part.at(&index)
        }),
        _ => unreachable!("the layout family has six operations"),
    }
}

fn gather(shape: &[usize], of: impl Fn(&[usize]) -> f64) -> Vec<f64> {
    indices(shape).map(|i| of(&i)).collect()
}

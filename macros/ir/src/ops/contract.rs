//! Contract: a two-operand einsum, the only multiply-accumulate.

use super::array::{indices, offset};
use super::{Array, Context, Cotangents, number};
use crate::{Builder, Dim, Error, Fault, Op, Ty, Value};

pub(super) fn infer(lhs: &[u8], rhs: &[u8], out: &[u8], left: &Ty, right: &Ty) -> Result<Ty, Fault> {
    let op = || "contract".to_string();
    number("contract", left)?;
    if left.dtype != right.dtype {
        return Err(Fault::Mismatch { op: op(), left: left.clone(), right: right.clone() });
    }
    for (labels, ty) in [(lhs, left), (rhs, right)] {
        if labels.len() != ty.rank() {
            return Err(Fault::Rank { op: op(), want: labels.len().to_string(), got: ty.clone() });
        }
    }
    check_labels(lhs, rhs, out).map_err(|what| Fault::Attribute { op: op(), what })?;
    for (label, l) in lhs.iter().zip(&left.shape) {
        if let Some(r) = length(*label, rhs, right).filter(|r| *r != l) {
            return Err(Fault::Label { op: op(), left: l.clone(), right: r.clone() });
        }
    }
    let of = |l: &u8| length(*l, lhs, left).or(length(*l, rhs, right)).cloned().expect("checked above");
    Ok(Ty::new(left.dtype, out.iter().map(of).collect::<Vec<Dim>>()))
}

fn check_labels(lhs: &[u8], rhs: &[u8], out: &[u8]) -> Result<(), String> {
    for labels in [lhs, rhs, out] {
        if labels.iter().enumerate().any(|(i, l)| labels[..i].contains(l)) {
            return Err("a label occurs twice in one operand".into());
        }
    }
    if out.iter().any(|l| !lhs.contains(l) && !rhs.contains(l)) {
        return Err("a label of the result occurs in no operand".into());
    }
    if lhs.iter().any(|l| !rhs.contains(l) && !out.contains(l))
        || rhs.iter().any(|l| !lhs.contains(l) && !out.contains(l))
    {
        return Err("a label that is summed must occur in both operands".into());
    }
    Ok(())
}

fn length<'a>(label: u8, labels: &[u8], ty: &'a Ty) -> Option<&'a Dim> {
    labels.iter().position(|l| *l == label).map(|i| &ty.shape[i])
}

/// Each operand's cotangent is the contraction of the result's with the other operand.
pub(super) fn vjp(
    b: &mut Builder,
    lhs: &[u8],
    rhs: &[u8],
    out: &[u8],
    args: &[Value],
    ct: Value,
) -> Result<Cotangents, Error> {
    let op = |a: &[u8], b: &[u8], o: &[u8]| Op::Contract { lhs: a.into(), rhs: b.into(), out: o.into() };
    let left = b.emit(op(out, rhs, lhs), &[ct, args[1]])?;
    let right = b.emit(op(lhs, out, rhs), &[args[0], ct])?;
    Ok(vec![Some(left), Some(right)])
}

pub(super) fn eval(lhs: &[u8], rhs: &[u8], out: &[u8], a: &Array, b: &Array, cx: &Context) -> Vec<f64> {
    let summed: Vec<u8> = lhs.iter().copied().filter(|l| !out.contains(l)).collect();
    let sizes: Vec<usize> =
        summed.iter().map(|s| a.shape[lhs.iter().position(|l| l == s).expect("of lhs")]).collect();
    let pick = |labels: &[u8], kept: &[usize], inner: &[usize]| -> Vec<usize> {
        let of = |l: &u8| match out.iter().position(|o| o == l) {
            Some(i) => kept[i],
            None => inner[summed.iter().position(|s| s == l).expect("kept or summed")],
        };
        labels.iter().map(of).collect()
    };
    let shape = cx.shape();
    let dot = |kept: Vec<usize>| {
        let term = |inner: Vec<usize>| {
            a.data[offset(&a.shape, &pick(lhs, &kept, &inner))]
                * b.data[offset(&b.shape, &pick(rhs, &kept, &inner))]
        };
        // Not `sum`, which is −0 over nothing.
        indices(&sizes).map(term).fold(0.0, |sum, term| sum + term)
    };
    indices(&shape).map(dot).collect()
}

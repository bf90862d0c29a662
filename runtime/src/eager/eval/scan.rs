//! Scan: turn by turn, each as any function.

use kiln_ir::{DType, Dim, Literal, Op, Scan, SliceAxis, Ty};

use super::layout::{concat, moved};
use super::view::Value;
use super::{run, sizes};
use crate::Result;

/// The last carried values, then what all turns yield.
pub(super) fn scan(scan: &Scan, args: &[&Value]) -> Result<Vec<Value>> {
    let trips = scan.trips.literal().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let results = scan.results();
    let mut carry: Vec<Value> = args[..scan.carries].iter().map(|x| (*x).clone()).collect();
    let mut yields: Vec<Vec<Value>> = vec![Vec::with_capacity(trips); results.len() - scan.carries];
    for turn in 0..trips {
        let at = if scan.reverse { trips - 1 - turn } else { turn };
        if scan.guard.is_some_and(|g| !holds(scan, g, &carry, args, at)) {
            for (all, ty) in yields.iter_mut().zip(&results[scan.carries..]) {
                all.push(none(ty, &sizes(ty)?[1..]));
            }
            continue;
        }
        for (x, ty) in args[scan.carries..]
            .iter()
            .zip(scan.body.inputs[scan.carries..].iter().map(|i| &i.ty))
            .take(scan.scanned)
        {
            let mut axes: Vec<SliceAxis> = ty.shape.iter().map(|d| whole(d.clone())).collect();
            axes.insert(0, SliceAxis { start: at.into(), len: 1.into(), step: 1 });
            let shape = sizes(ty)?;
            let row = moved(&Op::Slice(axes), x, [&[1], shape.as_slice()].concat());
            carry.push(moved(&Op::Reshape(ty.shape.clone()), &row, shape));
        }
        carry.extend(args[scan.carries + scan.scanned..].iter().map(|x| (*x).clone()));
        let mut out = run(&scan.body, &carry)?;
        for (all, y) in yields.iter_mut().zip(out.split_off(scan.carries)) {
            all.push(y);
        }
        carry = out;
    }
    for (mut all, ty) in yields.into_iter().zip(&results[scan.carries..]) {
        if scan.reverse {
            all.reverse();
        }
        let shape = sizes(ty)?;
        let row = [&[1], &shape[1..]].concat();
        let rows: Vec<Value> = all.iter().map(|y| moved(&Op::Reshape(vec![]), y, row.clone())).collect();
        carry.push(match rows.is_empty() {
            true => Value::empty(ty.dtype, shape),
            false => concat(&rows.iter().collect::<Vec<_>>(), 0, shape),
        });
    }
    Ok(carry)
}

/// Whether a turn is run.
fn holds(scan: &Scan, guard: usize, carry: &[Value], args: &[&Value], at: usize) -> bool {
    let scanned = (scan.carries..scan.carries + scan.scanned).contains(&guard);
    match carry.get(guard).unwrap_or(args[guard]) {
        Value::Bool(x) => x.data[x.offset + if scanned { at * x.strides[0] } else { 0 }],
        _ => true,
    }
}

/// What a turn yields that isn't run.
fn none(ty: &Ty, shape: &[usize]) -> Value {
    let zero = if ty.dtype == DType::Bool { Literal::Bool(false) } else { Literal::Int(0) };
    let axes = shape.iter().enumerate().map(|(i, n)| (i, Dim::from(*n))).collect();
    moved(&Op::Broadcast(axes), &Value::constant(zero, ty.dtype), shape.to_vec())
}

fn whole(len: Dim) -> SliceAxis {
    SliceAxis { start: 0.into(), len, step: 1 }
}

//! Scan: a loop over carried values. Its derivative is `differentiate::scan`.

use super::{Array, same};
use crate::eval::{Sizes, run};
use crate::{DType, Fault, Op, Scan, Ty};

/// Each argument has the type of its input of the body, stacked if it is scanned; a carry comes out as it went in.
pub(super) fn infer(op: &Op, args: &[&Ty]) -> Result<Ty, Fault> {
    let scan = match op {
        Op::Scan(scan) => scan,
        Op::Result(_, ty) => return Ok(ty.clone()),
        _ => unreachable!("the scan family has two operations"),
    };
    for (i, arg) in args.iter().enumerate() {
        same("scan", &scan.argument(i), arg)?;
    }
    for i in 0..scan.carries {
        let (before, after) = (&scan.body.inputs[i], scan.body.ty(scan.body.outputs[i].value));
        same(&format!("scan, what {} becomes,", before.name), &before.ty, after)?;
    }
    match scan.guard.map(|g| scan.body.inputs.get(g).map(|i| &i.ty)) {
        // What is laid out for kernels has truth values as bytes.
        Some(Some(ty)) if ty.rank() == 0 && matches!(ty.dtype, DType::Bool | DType::U8) => {}
        None => {}
        Some(found) => {
            let got = found
                .map_or("nothing".to_string(), |ty| format!("a {} of rank {}", ty.dtype.name(), ty.rank()));
            let what = format!("whether a turn is run is one truth value, not {got}");
            return Err(Fault::Attribute { op: "scan".into(), what });
        }
    }
    Ok(token())
}

/// The type of a Scan itself, which only Result reads.
pub fn token() -> Ty {
    Ty::new(DType::Bool, [0.into()])
}

/// The results, turn by turn.
pub(crate) fn eval(scan: &Scan, args: &[&Array], sizes: &Sizes) -> Vec<Array> {
    let trips = sizes.of(&scan.trips);
    let mut carry: Vec<Array> = args[..scan.carries].iter().map(|a| (*a).clone()).collect();
    let (scanned, fixed) = args[scan.carries..].split_at(scan.scanned);
    let mut stacked: Vec<Array> = scan.results()[scan.carries..]
        .iter()
        .map(|ty| {
            let shape: Vec<usize> = ty.shape.iter().map(|d| sizes.of(d)).collect();
            let len = shape.iter().product();
            Array { dtype: ty.dtype, shape, data: vec![0.0; len] }
        })
        .collect();
    for turn in 0..trips {
        let at = if scan.reverse { trips - 1 - turn } else { turn };
        if scan.guard.is_some_and(|g| !holds(scan, g, &carry, &args[scan.carries..], at)) {
            continue;
        }
        let mut inputs = std::mem::take(&mut carry);
        inputs.extend(scanned.iter().map(|x| row(x, at)));
        inputs.extend(fixed.iter().map(|x| (*x).clone()));
        let mut results = run(&scan.body, &inputs, sizes);
        for (whole, part) in stacked.iter_mut().zip(results.split_off(scan.carries)) {
            let len = part.data.len();
            whole.data[at * len..][..len].copy_from_slice(&part.data);
        }
        carry = results;
    }
    carry.extend(stacked);
    carry
}

/// Whether a turn is run.
fn holds(scan: &Scan, guard: usize, carry: &[Array], others: &[&Array], at: usize) -> bool {
    let value = match carry.get(guard) {
        Some(carried) => carried.data[0],
        None if guard < scan.carries + scan.scanned => others[guard - scan.carries].data[at],
        None => others[guard - scan.carries].data[0],
    };
    value != 0.0
}

/// Element `at` along the first axis.
fn row(x: &Array, at: usize) -> Array {
    let shape = x.shape[1..].to_vec();
    let len: usize = shape.iter().product();
    Array { dtype: x.dtype, shape, data: x.data[at * len..][..len].to_vec() }
}

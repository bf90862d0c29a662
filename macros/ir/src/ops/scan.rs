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
    let shape = |ty: &Ty| ty.shape.iter().map(|d| sizes.of(d)).collect::<Vec<usize>>();
    let zeros = |ty: &Ty| {
        let shape = shape(ty);
        Array::rounded(ty.dtype, shape.clone(), vec![0.0; shape.iter().product()])
    };
    // What a turn yields; a turn that isn't run yields zeros.
    let yields = &scan.results()[scan.carries..];
    let mut rows: Vec<Vec<Array>> =
        yields.iter().map(|ty| vec![zeros(&Ty::new(ty.dtype, &ty.shape[1..])); trips]).collect();
    for turn in 0..trips {
        let at = if scan.reverse { trips - 1 - turn } else { turn };
        if scan.guard.is_some_and(|g| !holds(scan, g, &carry, &args[scan.carries..], at)) {
            continue;
        }
        let mut inputs = std::mem::take(&mut carry);
        inputs.extend(scanned.iter().map(|x| x.row(at)));
        inputs.extend(fixed.iter().map(|x| (*x).clone()));
        let mut results = run(&scan.body, &inputs, sizes);
        for (rows, row) in rows.iter_mut().zip(results.split_off(scan.carries)) {
            rows[at] = row;
        }
        carry = results;
    }
    carry.extend(yields.iter().zip(rows).map(|(ty, rows)| Array::stack(ty.dtype, shape(ty), &rows)));
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

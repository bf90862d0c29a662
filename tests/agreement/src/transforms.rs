//! Transforms of random functions: tangents, batches, batches of gradients, and gradients that compute turns again.

use super::Case;
use super::common::Rng;
use super::loops::{lie_apart, stacked};
use kiln_ir::ops::Array;
use kiln_ir::{DType, Func, Op, batch::vmap, differentiate::jvp, differentiate::vjp};

/// Elements of a batch.
const BATCH: usize = 3;

/// Some of the transforms of a case.
pub fn of(case: &Case, seed: u64) -> Vec<Case> {
    let mut rng = Rng(seed + 1);
    let func = without_updates(&case.func);
    let made = match seed % 4 {
        0 => Some(forward(&func, case, &mut rng)),
        1 => over(&func, case, &mut rng),
        2 => over(&again(&func), case, &mut rng),
        _ => Some(forward(&again(&func), case, &mut rng)),
    };
    let mut made: Vec<Case> = made.into_iter().collect();
    made.iter_mut().for_each(|case| lie_apart(&mut case.func, &mut rng));
    made
}

fn without_updates(func: &Func) -> Func {
    let mut func = func.clone();
    func.outputs.iter_mut().for_each(|o| o.updates = None);
    func.inputs.iter_mut().for_each(|i| i.apart = false);
    func
}

/// The gradient in the first float, with loops that store nothing.
fn again(func: &Func) -> Func {
    let mut func = func.clone();
    for node in &mut func.nodes {
        if let Op::Scan(scan) = &mut node.op {
            scan.again = true;
        }
    }
    vjp(&func, &floats(&func)[..1]).unwrap_or_else(|e| panic!("{}: {e}", func.name))
}

fn floats(func: &Func) -> Vec<usize> {
    (0..func.inputs.len()).filter(|i| func.inputs[*i].ty.dtype == DType::F64).collect()
}

fn made(case: &Case, kind: &str, func: Func, inputs: Vec<(usize, Vec<Array>)>) -> Case {
    Case { name: format!("{}_{kind}", case.name), func, inputs, tolerance: case.tolerance.max(1e-9) }
}

/// The case's arrays, and others of the types that are missing.
fn completed(func: &Func, arrays: &[Array], size: usize, rng: &mut Rng) -> Vec<Array> {
    let more = func.inputs[arrays.len()..].iter().map(|input| {
        let shape: Vec<usize> = input.ty.shape.iter().map(|d| d.eval(&|_| size as i64) as usize).collect();
        Array::rounded(input.ty.dtype, shape.clone(), rng.array(&shape).data)
    });
    arrays.iter().cloned().chain(more).collect()
}

fn forward(func: &Func, case: &Case, rng: &mut Rng) -> Case {
    let made_of = jvp(func, &floats(func)).unwrap_or_else(|e| panic!("{}: {e}", case.name));
    let all = case.inputs.iter().map(|(size, arrays)| (*size, completed(&made_of, arrays, *size, rng)));
    let inputs = all.collect();
    made(case, "jvp", made_of, inputs)
}

/// None where a loop carries a generator's key that becomes another for each element.
fn over(func: &Func, case: &Case, rng: &mut Rng) -> Option<Case> {
    let mapped: Vec<bool> = func.inputs.iter().map(|i| rng.chance(60) && i.name != "key").collect();
    let whole = match vmap(func, &mapped, &BATCH.into()) {
        Err(e) if e.to_string().contains("by one key") => return None,
        whole => whole.unwrap_or_else(|e| panic!("{}: {e}", case.name)),
    };
    let mut inputs = Vec::new();
    for (size, arrays) in &case.inputs {
        let rows = completed(func, arrays, *size, rng).into_iter().zip(&mapped);
        let rows = rows.map(|(x, mapped)| if *mapped { stacked(&x, BATCH, rng) } else { x }).collect();
        inputs.push((*size, rows));
    }
    Some(made(case, "vmap", whole, inputs))
}

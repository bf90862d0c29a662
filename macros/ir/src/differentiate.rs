//! Reverse-mode differentiation: appends to a function the operations that compute its gradient.
//!
//! Linearize and transpose in one sweep, as in Griewank and Walther, *Evaluating Derivatives*, 2008, ch. 3:
//! from the result back to the arguments, each node hands its cotangent on through its own `vjp`. What comes
//! out is a graph of the same operations, so that it can be differentiated again.

mod forward;
mod residuals;
mod scan;
mod sink;

use crate::{Builder, Error, Fault, Func, Op, Scalar, Value, ops};
use std::collections::BTreeMap;

pub use forward::{forward, jvp};

/// The gradients of Σᵢ ⟨cotangentᵢ, ofᵢ⟩ with respect to `wrt`, as values of the same function.
///
/// # Errors
/// If one of `wrt` is no float.
pub fn differentiate(b: &mut Builder, of: &[(Value, Value)], wrt: &[Value]) -> Result<Vec<Value>, Error> {
    if let Some(bad) = wrt.iter().find(|v| !b.ty(**v).dtype.is_float()) {
        let of = b.ty(*bad).clone();
        return Err(b.error(Fault::Gradient { of, want: "a float tensor" }));
    }
    let end = b.func().nodes.len();
    let active = reached_from(b.func(), wrt);
    let mut cotangents: Vec<Option<Value>> = vec![None; end];
    for (value, cotangent) in of {
        add(b, &mut cotangents, *value, *cotangent)?;
    }
    let mut loops: BTreeMap<Value, Vec<Option<Value>>> = BTreeMap::new();
    for v in (0..end as u32).rev().map(Value).filter(|v| active[v.0 as usize]) {
        if let Some(cts) = loops.remove(&v) {
            let args = b.func().node(v).args.clone();
            let wanted: Vec<bool> = args.iter().map(|a| active[a.0 as usize]).collect();
            for (arg, ct) in args.iter().zip(scan::vjp(b, v, &cts, &wanted)?) {
                if let Some(ct) = ct {
                    add(b, &mut cotangents, *arg, ct)?;
                }
            }
        }
        let Some(ct) = cotangents[v.0 as usize] else { continue };
        // A leaf of the question: nothing behind it is asked.
        if wrt.contains(&v) && matches!(b.func().node(v).op, Op::Input(_)) {
            continue;
        }
        let node = b.func().node(v).clone();
        let args = node.args;
        b.at(node.loc);
        if let Op::Result(i, _) = node.op {
            // What a loop hands on it does at once, when all its results have theirs.
            let Op::Scan(scan) = &b.func().node(args[0]).op else { unreachable!("verified") };
            let results = scan.body.outputs.len();
            loops.entry(args[0]).or_insert_with(|| vec![None; results])[i] = Some(ct);
            continue;
        }
        for (arg, ct) in args.iter().zip(ops::vjp(b, v, ct)?) {
            if let Some(ct) = ct.filter(|_| active[arg.0 as usize]) {
                add(b, &mut cotangents, *arg, ct)?;
            }
        }
    }
    wrt.iter().map(|v| cotangents[v.0 as usize].map_or_else(|| b.splat(0.0, *v), Ok)).collect()
}

/// A function with the outputs of `func` (one float scalar first) and behind them its gradients with respect
/// to the inputs of these indices.
///
/// # Errors
/// If the first output is no float scalar, or an input is no float.
pub fn value_and_grad(func: &Func, wrt: &[usize]) -> Result<Func, Error> {
    let (mut b, inputs, results) = reopen(func)?;
    let ty = b.ty(results[0]).clone();
    if ty.rank() != 0 || !ty.dtype.is_float() {
        return Err(b.error(Fault::Gradient { of: ty, want: "a float scalar" }));
    }
    let one = b.constant(1.0, ty.dtype);
    let leaves: Vec<Value> = wrt.iter().map(|i| inputs[*i]).collect();
    let grads = differentiate(&mut b, &[(results[0], one)], &leaves)?;
    for (output, value) in func.outputs.iter().zip(results) {
        b.output(&output.name, value, output.updates);
    }
    name_gradients(&mut b, func, wrt, &grads);
    Ok(b.finish())
}

/// A function of the inputs of `func` and a cotangent for each of its float outputs, that yields the
/// gradients with respect to the inputs of these indices.
pub fn vjp(func: &Func, wrt: &[usize]) -> Result<Func, Error> {
    let (mut b, inputs, results) = reopen(func)?;
    let mut of = Vec::new();
    for (output, value) in func.outputs.iter().zip(results).filter(|(o, _)| func_is_float(func, o.value)) {
        let ty = b.ty(value).clone();
        of.push((value, b.input(&format!("cot.{}", output.name), ty, crate::Role::Argument)));
    }
    let leaves: Vec<Value> = wrt.iter().map(|i| inputs[*i]).collect();
    let grads = differentiate(&mut b, &of, &leaves)?;
    name_gradients(&mut b, func, wrt, &grads);
    Ok(b.finish())
}

fn func_is_float(func: &Func, v: Value) -> bool {
    func.ty(v).dtype.is_float()
}

/// The function again, under construction: builder, its inputs and its results.
fn reopen(func: &Func) -> Result<(Builder, Vec<Value>, Vec<Value>), Error> {
    let mut b = Builder::new(&func.name, func.syms.clone());
    let inputs: Vec<Value> = func.inputs.iter().map(|i| b.declare(i)).collect();
    let results = b.inline(func, &inputs)?;
    Ok((b, inputs, results))
}

fn name_gradients(b: &mut Builder, func: &Func, wrt: &[usize], grads: &[Value]) {
    for (i, grad) in wrt.iter().zip(grads) {
        b.output(&format!("grad.{}", func.inputs[*i].name), *grad, None);
    }
}

/// Which values depend on one of `from`: only they have a cotangent worth computing.
fn reached_from(func: &Func, from: &[Value]) -> Vec<bool> {
    let mut reached = vec![false; func.nodes.len()];
    for (v, node) in func.values() {
        let through = !matches!(node.op, Op::StopGrad) && node.args.iter().any(|a| reached[a.0 as usize]);
        reached[v.0 as usize] = from.contains(&v) || through;
    }
    reached
}

fn add(b: &mut Builder, cotangents: &mut [Option<Value>], v: Value, ct: Value) -> Result<(), Error> {
    let slot = v.0 as usize;
    cotangents[slot] = Some(match cotangents[slot] {
        Some(sum) => b.map(Scalar::Add, &[sum, ct])?,
        None => ct,
    });
    Ok(())
}

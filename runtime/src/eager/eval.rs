//! Evaluates a function at once, in its own element types.
//!
//! The meaning is that of `kiln_ir::eval`; sums may be taken in another order. Broadcasts, permutations and slices
//! are strides on the elements that are there; a contraction is the runtime's matrix product over permuted axes.

mod contract;
mod gather;
mod layout;
mod map;
mod random;
mod reduce;
mod scan;
#[cfg(test)]
mod tests;
mod view;

use std::collections::BTreeMap;

use kiln_ir::{DType, Func, Literal, Op, Ty};

use super::Any;
use crate::{Error, Result, Shape};
use view::{Value, each};

/// The outputs of `func`, whose dims are all literal, for inputs of the declared types.
///
/// # Errors
/// If a result has more axes or elements than a tensor may have.
pub(crate) fn eval(func: &Func, inputs: &[Any]) -> Result<Vec<Any>> {
    let inputs: Vec<Value> = inputs.iter().map(Value::of).collect();
    run(func, &inputs)?.iter().map(Value::tensor).collect()
}

/// The outputs as views.
fn run(func: &Func, inputs: &[Value]) -> Result<Vec<Value>> {
    let mut uses = func.uses();
    let mut values: Vec<Option<Value>> = Vec::with_capacity(func.nodes.len());
    let mut loops: BTreeMap<kiln_ir::Value, Vec<Value>> = BTreeMap::new();
    for (v, node) in func.values() {
        let args: Vec<&Value> =
            node.args.iter().map(|a| values[a.0 as usize].as_ref().expect("a value in use")).collect();
        let value = match &node.op {
            Op::Input(i) => inputs[*i as usize].clone(),
            Op::Scan(scan) => {
                loops.insert(v, scan::scan(scan, &args)?);
                Value::constant(Literal::Bool(false), DType::Bool)
            }
            Op::Result(i, _) => loops[&node.args[0]][*i].clone(),
            op => step(op, &args, &node.ty, sizes(&node.ty)?),
        };
        values.push(Some(value));
        for arg in &node.args {
            // What no later node reads gives its storage back.
            uses[arg.0 as usize] -= 1;
            if uses[arg.0 as usize] == 0 {
                values[arg.0 as usize] = None;
                loops.remove(arg);
            }
        }
    }
    let output = |o: &kiln_ir::Output| values[o.value.0 as usize].clone().expect("an output");
    Ok(func.outputs.iter().map(output).collect())
}

/// The extents of a type; an error if its elements couldn't be addressed.
fn sizes(ty: &Ty) -> Result<Vec<usize>> {
    let sizes: Vec<usize> =
        ty.shape.iter().map(|d| usize::try_from(d.literal().unwrap_or(0)).unwrap_or(0)).collect();
    let bytes = sizes.iter().filter(|n| **n != 0).try_fold(16usize, |bytes, n| bytes.checked_mul(*n));
    match bytes {
        Some(bytes) if isize::try_from(bytes).is_ok() => Ok(sizes),
        _ => Err(Error::TooLarge { shape: Shape::clipped(&sizes) }),
    }
}

fn step(op: &Op, args: &[&Value], ty: &Ty, shape: Vec<usize>) -> Value {
    match op {
        Op::Input(_) | Op::Scan(_) | Op::Result(..) => unreachable!("the walk over the function has them"),
        Op::Const(literal, dtype) => Value::constant(*literal, *dtype),
        Op::Iota { dtype, .. } => Value::iota(shape[0], *dtype),
        Op::Map(scalar) => map::map(*scalar, args, &shape),
        Op::StopGrad | Op::Rule(_) => args[0].clone(),
        Op::Cast(dtype) => args[0].cast(*dtype),
        Op::Random(draw, _) => random::random(*draw, args[0], args[1], shape),
        Op::Contract { lhs, rhs, out } => contract::contract([lhs, rhs, out], args[0], args[1], &shape),
        Op::ArgMax(axis) => Value::I64(each!(args[0], |x| reduce::argmax(x, *axis))),
        Op::Reduce(kind, axes) => reduce::reduce(*kind, axes, args[0]),
        Op::Concat(axis) => layout::concat(args, *axis, shape),
        Op::Gather(axis) => gather::gather(args[0], args[1], *axis, shape),
        Op::ScatterAdd(axis, _) => gather::scatter_add(args[0], args[1], *axis, shape),
        Op::Update(axis) => gather::update(args[0], args[1], args[2], *axis),
        Op::Fold(w, _) => layout::fold(args[0], w, shape),
        _ => {
            debug_assert_eq!(ty.rank(), shape.len());
            layout::moved(op, args[0], shape)
        }
    }
}

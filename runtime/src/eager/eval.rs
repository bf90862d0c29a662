//! Evaluates a function at once, in its own element types.
//!
//! The meaning is that of `kiln_ir::eval`; sums may be taken in another order. Broadcasts, permutations and slices
//! are strides on the elements that are there; a contraction is the runtime's matrix product over permuted axes.

mod contract;
mod gather;
mod layout;
mod map;
mod reduce;
#[cfg(test)]
mod tests;
mod view;

use kiln_ir::{Func, Op, Ty};

use super::Any;
use crate::{Error, Result, Shape};
use view::{Value, each};

/// The outputs of `func`, whose dims are all literal, for inputs of the declared types.
///
/// # Errors
/// If a result has more axes or elements than a tensor may have.
pub(crate) fn eval(func: &Func, inputs: &[Any]) -> Result<Vec<Any>> {
    let mut uses = func.uses();
    let mut values: Vec<Option<Value>> = Vec::with_capacity(func.nodes.len());
    for (_, node) in func.values() {
        let shape = sizes(&node.ty)?;
        let value = match node.op {
            Op::Input(i) => Value::of(&inputs[i as usize]),
            _ => {
                let args: Vec<&Value> = node
                    .args
                    .iter()
                    .map(|a| values[a.0 as usize].as_ref().expect("a value in use"))
                    .collect();
                step(&node.op, &args, &node.ty, shape)
            }
        };
        values.push(Some(value));
        for arg in &node.args {
            // What no later node reads gives its storage back.
            uses[arg.0 as usize] -= 1;
            if uses[arg.0 as usize] == 0 {
                values[arg.0 as usize] = None;
            }
        }
    }
    let output = |o: &kiln_ir::Output| values[o.value.0 as usize].as_ref().expect("an output").tensor();
    func.outputs.iter().map(output).collect()
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
        Op::Input(_) => unreachable!("inputs are read where the function is walked"),
        Op::Const(literal, dtype) => Value::constant(*literal, *dtype),
        Op::Iota { dtype, .. } => Value::iota(shape[0], *dtype),
        Op::Map(scalar) => map::map(*scalar, args, &shape),
        Op::StopGrad => args[0].clone(),
        Op::Cast(dtype) => args[0].cast(*dtype),
        Op::Contract { lhs, rhs, out } => contract::contract([lhs, rhs, out], args[0], args[1], &shape),
        Op::ArgMax(axis) => Value::I64(each!(args[0], |x| reduce::argmax(x, *axis))),
        Op::Reduce(kind, axes) => reduce::reduce(*kind, axes, args[0]),
        Op::Concat(axis) => layout::concat(args, *axis, shape),
        Op::Gather(axis) => gather::gather(args[0], args[1], *axis, shape),
        Op::ScatterAdd(axis, _) => gather::scatter_add(args[0], args[1], *axis, shape),
        Op::Fold(w, _) => layout::fold(args[0], w, shape),
        _ => {
            debug_assert_eq!(ty.rank(), shape.len());
            layout::moved(op, args[0], shape)
        }
    }
}

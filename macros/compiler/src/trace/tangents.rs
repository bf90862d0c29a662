//! `jvp(f)(args…, tangents…)`: the value, and what it moves by where the arguments move along their tangents.

use super::transform::{Outputs, map};
use crate::traced::{Arg, Ret, Traced};
use kiln_ir::differentiate::forward;
use kiln_ir::{Builder, Error, Input, Role, Value};

/// A function of the arguments and a tangent for each that gradients are taken of. A tangent has the form of its argument,
/// of a tree the trained leaves; the result is a pair of two alike, where what is no float moves by zero.
///
/// # Errors
/// If one of these arguments is no float.
pub(crate) fn jvp(traced: &Traced, captured: usize) -> Result<Traced, Error> {
    let func = &traced.func;
    let mut b = Builder::new(&func.name, func.syms.clone());
    let own = func.inputs.len() - captured;
    let mut inputs: Vec<Value> = func.inputs[..own].iter().map(|i| b.declare(i)).collect();
    let mut along = vec![None; func.inputs.len()];
    let mut args = traced.args.clone();
    for &i in &traced.wrt {
        let tree = &traced.args[i].tree;
        let plain = tree.is_plain();
        let tree = map(tree, &mut |leaf| {
            let input = &func.inputs[leaf];
            if !plain && input.role != Role::Parameter {
                return None;
            }
            let name = format!("tangent.{}", input.name);
            along[leaf] = Some(b.declare(&Input { name, role: Role::Argument, ..input.clone() }));
            Some(b.func().inputs.len() - 1)
        });
        args.push(Arg { name: format!("tangent_{}", traced.args[i].name), mutable: false, tree });
    }
    let further = b.func().inputs.len() - own;
    inputs.extend(func.inputs[own..].iter().map(|i| b.declare(i)));
    let (values, moves) = forward(&mut b, func, &inputs, &along)?;
    let moves: Result<Vec<Value>, Error> =
        moves.into_iter().zip(&values).map(|(d, v)| d.map_or_else(|| b.splat(0.0, *v), Ok)).collect();
    let moves = moves?;
    let mut outputs = Outputs { b: &mut b, traced, results: &values, prefix: "" };
    let value = outputs.results_of(&traced.result);
    outputs.state(own, further);
    let tangent =
        Outputs { b: &mut b, traced, results: &moves, prefix: "tangent." }.results_of(&traced.result);
    Ok(Traced { func: b.finish(), args, result: Ret::Tuple(vec![value, tangent]), ..traced.clone() })
}

//! Checks what must hold of every function; tests run it after each pass.

use crate::{Func, Op, Ty, ops};

/// Arguments come before their users, types are what `infer` says, inputs and outputs exist.
///
/// # Errors
/// The first breach, in words.
pub fn verify(func: &Func) -> Result<(), String> {
    if func.names.len() != func.nodes.len() {
        return Err(format!("{} names for {} nodes", func.names.len(), func.nodes.len()));
    }
    for (v, node) in func.values() {
        let at = format!("%{} of {}", v.0, func.name);
        if node.args.iter().any(|a| *a >= v) {
            return Err(format!("{at} uses a later value"));
        }
        let ty = match &node.op {
            Op::Input(i) => {
                func.inputs.get(*i as usize).map(|i| i.ty.clone()).ok_or(format!("{at}: no such input"))?
            }
            _ => {
                let types: Vec<&Ty> = node.args.iter().map(|a| func.ty(*a)).collect();
                ops::infer(&node.op, &types).map_err(|fault| format!("{at}: {fault:?}"))?
            }
        };
        if let Op::Scan(scan) = &node.op {
            if scan.body.outputs.len() < scan.carries || scan.body.inputs.len() < scan.carries + scan.scanned
            {
                return Err(format!("{at} carries more than its body has"));
            }
            verify(&scan.body).map_err(|breach| format!("{at}: {breach}"))?;
        }
        if let Op::Rule(rule) = &node.op {
            verify(rule).map_err(|breach| format!("{at}: {breach}"))?;
        }
        if let Op::Result(i, ty) = &node.op {
            match &func.node(node.args[0]).op {
                Op::Scan(scan) if scan.results().get(*i) == Some(ty) => {}
                _ => return Err(format!("{at} is no result of its argument")),
            }
        }
        if ty != node.ty {
            return Err(format!("{at} claims {:?}, but is {ty:?}", node.ty));
        }
    }
    for out in &func.outputs {
        let node =
            func.nodes.get(out.value.0 as usize).ok_or(format!("output {} doesn't exist", out.name))?;
        if let Some(input) = out.updates.and_then(|i| func.inputs.get(i)).filter(|i| i.ty != node.ty) {
            return Err(format!("output {} updates {}, which has another type", out.name, input.name));
        }
    }
    Ok(())
}

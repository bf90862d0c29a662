//! Rules for gradients are gone before there are kernels: what has one is its value.

use kiln_ir::{Builder, Func, Op, Value};

/// The function without them.
pub fn without(func: &Func) -> Func {
    if !func.nodes.iter().any(|n| matches!(n.op, Op::Rule(_))) {
        return func.clone();
    }
    let mut b = Builder::new(&func.name, func.syms.clone());
    let mut here: Vec<Value> = Vec::new();
    for (v, node) in func.values() {
        let args: Vec<Value> = node.args.iter().map(|a| here[a.0 as usize]).collect();
        b.at(node.loc);
        let value = match &node.op {
            Op::Input(i) => b.declare(&func.inputs[*i as usize]),
            Op::Rule(_) => args[0],
            op => b.emit(op.clone(), &args).expect("it was sound before"),
        };
        if let Some(name) = &func.names[v.0 as usize] {
            b.name(value, name);
        }
        here.push(value);
    }
    for output in &func.outputs {
        b.output(&output.name, here[output.value.0 as usize], output.updates);
    }
    b.finish()
}

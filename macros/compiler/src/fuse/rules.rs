//! What only derivatives ask for is gone before there are kernels: what has a rule for its gradient is its value, and what
//! a gradient computes again is computed where it stands.

use kiln_ir::{Builder, Func, Node, Op, Scan, Value};

/// The function without them.
pub fn without(func: &Func) -> Func {
    if !func.nodes.iter().any(|n| matches!(n.op, Op::Rule(_)) || checkpoint(n).is_some()) {
        return func.clone();
    }
    let mut b = Builder::new(&func.name, func.syms.clone());
    // Of each value what it is now, of a checkpoint all its results.
    let mut here: Vec<Vec<Value>> = Vec::new();
    for (v, node) in func.values() {
        let args: Vec<Value> = node.args.iter().map(|a| here[a.0 as usize][0]).collect();
        b.at(node.loc);
        let values = match (&node.op, checkpoint(node)) {
            (Op::Input(i), _) => vec![b.declare(&func.inputs[*i as usize])],
            (Op::Rule(_), _) => vec![args[0]],
            (_, Some(scan)) => inlined(&mut b, scan, &args),
            (Op::Result(i, _), _) if checkpoint(func.node(node.args[0])).is_some() => {
                vec![here[node.args[0].0 as usize][*i]]
            }
            (op, _) => vec![b.emit(op.clone(), &args).expect("it was sound before")],
        };
        if let Some(name) = &func.names[v.0 as usize] {
            b.name(values[0], name);
        }
        here.push(values);
    }
    for output in &func.outputs {
        b.output(&output.name, here[output.value.0 as usize][0], output.updates);
    }
    b.finish()
}

/// A loop of one turn that is there for its gradient, which computes the turn again. That gradient goes backwards, and stays:
/// what it computes must not be shared with the first time.
fn checkpoint(node: &Node) -> Option<&Scan> {
    match &node.op {
        Op::Scan(scan) => {
            let bare =
                scan.carries + scan.scanned == 0 && scan.guard.is_none() && !scan.body.outputs.is_empty();
            (scan.again && scan.trips.is(1) && bare && !scan.reverse).then_some(&**scan)
        }
        _ => None,
    }
}

/// The results of a turn, each as a loop has it: the only element of an axis more.
fn inlined(b: &mut Builder, scan: &Scan, args: &[Value]) -> Vec<Value> {
    let results = b.inline(&scan.body, args).expect("it was sound before");
    let stacked = |v: Value| {
        let shape = std::iter::once(1.into()).chain(b.ty(v).shape.iter().cloned()).collect();
        b.emit(Op::Reshape(shape), &[v]).expect("one element more or less is the same")
    };
    results.into_iter().map(stacked).collect()
}

//! Loops made ready: no turn computes what nobody reads, every carried value has a result, and truth values pass as bytes,
//! as they lie in memory.

use kiln_ir::ops::scan;
use kiln_ir::{Builder, DType, Func, Input, Node, Op, Role, Scan, Ty, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a loop keeps of its arguments and results.
struct Kept {
    args: Vec<usize>,
    results: Vec<usize>,
    /// Results that are the same as an earlier one.
    twins: Vec<(usize, usize)>,
    scan: Scan,
}

/// The function with its loops made ready.
pub fn complete(func: &Func) -> Func {
    let func = &joined(func);
    let mut out = Func { nodes: vec![], names: vec![], ..func.clone() };
    let (mut place, mut results) = (Vec::new(), BTreeMap::new());
    for (v, node) in func.values() {
        let name = func.names[v.0 as usize].clone();
        let args: Vec<Value> = node.args.iter().map(|a| place[a.0 as usize]).collect();
        place.push(match &node.op {
            Op::Scan(scan) => {
                let kept = slim(func, v, scan);
                let args: Vec<Value> = kept.args.iter().map(|i| as_bytes(&mut out, args[*i])).collect();
                let made = push(
                    &mut out,
                    Node { op: Op::Scan(Box::new(kept.scan.clone())), args, ..node.clone() },
                    name,
                );
                for (n, ty) in kept.scan.results().into_iter().enumerate() {
                    let result = Node { op: Op::Result(n, ty.clone()), args: vec![made], ty, loc: node.loc };
                    results.insert((v, kept.results[n]), push(&mut out, result, None));
                }
                for (twin, first) in kept.twins {
                    results.insert((v, twin), results[&(v, first)]);
                }
                made
            }
            Op::Result(i, ty) => {
                let result = results[&(node.args[0], *i)];
                out.names[result.0 as usize] = name;
                match ty.dtype {
                    DType::Bool => {
                        let cast = Node { op: Op::Cast(DType::Bool), args: vec![result], ..node.clone() };
                        push(&mut out, cast, None)
                    }
                    _ => result,
                }
            }
            _ => push(&mut out, Node { args, ..node.clone() }, name),
        });
    }
    out.outputs.iter_mut().for_each(|o| o.value = place[o.value.0 as usize]);
    out
}

/// The function in which only loops read layers that lie apart: all else reads a copy in which they are one tensor.
fn joined(func: &Func) -> Func {
    let mut joined = BTreeMap::new();
    let mut out = Func { nodes: vec![], names: vec![], ..func.clone() };
    let mut place: Vec<Value> = Vec::new();
    let mut whole = |out: &mut Func, v: Value| match is_apart(out, v) {
        true => *joined.entry(v).or_insert_with(|| join(out, v)),
        false => v,
    };
    for (v, node) in func.values() {
        let args = node.args.iter().enumerate().map(|(i, arg)| {
            let at = place[arg.0 as usize];
            match &node.op {
                Op::Scan(scan) if i >= scan.carries && out.ty(at).dtype != DType::Bool => at,
                _ => whole(&mut out, at),
            }
        });
        let args = args.collect();
        let name = func.names[v.0 as usize].clone();
        place.push(push(&mut out, Node { args, ..node.clone() }, name));
    }
    for output in &func.outputs {
        whole(&mut out, place[output.value.0 as usize]);
    }
    for output in &mut out.outputs {
        let at = place[output.value.0 as usize];
        output.value = joined.get(&at).copied().unwrap_or(at);
    }
    out
}

fn is_apart(func: &Func, v: Value) -> bool {
    matches!(func.node(v).op, Op::Input(i) if func.inputs[i as usize].apart)
}

/// A loop that copies a layer with each turn.
fn join(func: &mut Func, all: Value) -> Value {
    let ty = func.ty(all).clone();
    let mut turn = Builder::new("join_turn", func.syms.clone());
    let layer = turn.input("layer", Ty::new(ty.dtype, &ty.shape[1..]), Role::Argument);
    turn.output("layer", layer, None);
    let (trips, body) = (ty.shape[0].clone(), Arc::new(turn.finish()));
    let scan = Scan { body, trips, carries: 0, scanned: 1, reverse: false, again: false, guard: None };
    let loc = func.node(all).loc;
    let node = Node { op: Op::Scan(Box::new(scan)), args: vec![all], ty: scan::token(), loc };
    let args = vec![push(func, node, None)];
    push(func, Node { op: Op::Result(0, ty.clone()), args, ty, loc }, None)
}

fn push(func: &mut Func, node: Node, name: Option<String>) -> Value {
    func.nodes.push(node);
    func.names.push(name);
    Value(func.nodes.len() as u32 - 1)
}

fn byte(ty: &Ty) -> Ty {
    let dtype = if ty.dtype == DType::Bool { DType::U8 } else { ty.dtype };
    Ty { dtype, shape: ty.shape.clone() }
}

fn as_bytes(func: &mut Func, v: Value) -> Value {
    let (ty, loc) = (byte(func.ty(v)), func.node(v).loc);
    if ty == *func.ty(v) {
        return v;
    }
    push(func, Node { op: Op::Cast(DType::U8), args: vec![v], ty, loc }, None)
}

/// The loop without what nobody reads.
fn slim(func: &Func, v: Value, scan: &Scan) -> Kept {
    let body = &*scan.body;
    let read = |o: usize| {
        let result = |n: &Node| n.args.first() == Some(&v) && matches!(n.op, Op::Result(i, _) if i == o);
        func.nodes.iter().any(result)
    };
    let mut used: Vec<bool> = (0..body.outputs.len()).map(read).collect();
    let needed = loop {
        let of = body.outputs.iter().zip(&used).filter(|(_, used)| **used).map(|(out, _)| out.value);
        let needed = body.needed(of.chain(scan.guard.map(|g| body.input(g))).collect());
        match (0..scan.carries).find(|j| !used[*j] && needed[body.input(*j).0 as usize]) {
            Some(more) => used[more] = true,
            None => break needed,
        }
    };
    let is_read = |i: &usize| if *i < scan.carries { used[*i] } else { needed[body.input(*i).0 as usize] };
    let args: Vec<usize> = (0..body.inputs.len()).filter(is_read).collect();
    let twins: Vec<(usize, usize)> = (scan.carries..used.len())
        .filter(|o| used[*o])
        .filter_map(|o| Some((o, twin(func, v, scan, o, &used)?)))
        .collect();
    let is_twin = |o: &usize| twins.iter().any(|(twin, _)| twin == o);
    let results: Vec<usize> = (0..used.len()).filter(|o| used[*o] && !is_twin(o)).collect();
    let among = |of: &[usize], from: usize, to: usize| of.iter().filter(|i| (from..to).contains(*i)).count();
    let scan = Scan {
        body: Arc::new(turn(func, v, scan, &args, &results)),
        trips: scan.trips.clone(),
        carries: among(&args, 0, scan.carries),
        scanned: among(&args, scan.carries, scan.carries + scan.scanned),
        reverse: scan.reverse,
        again: scan.again,
        guard: scan.guard.and_then(|g| args.iter().position(|i| *i == g)),
    };
    Kept { args, results, twins, scan }
}

/// The first result that is read and is the same with each turn as result `o`, unless either replaces layers.
fn twin(func: &Func, v: Value, scan: &Scan, o: usize, used: &[bool]) -> Option<usize> {
    let value = |o: usize| scan.body.outputs[o].value;
    let same = |p: &usize| used[*p] && value(*p) == value(o) && layer(func, v, scan, *p).is_none();
    (scan.carries..o).find(same).filter(|_| layer(func, v, scan, o).is_none())
}

/// One turn as a function that updates what is carried in place, and layers that lie apart.
fn turn(func: &Func, v: Value, scan: &Scan, args: &[usize], results: &[usize]) -> Func {
    let body = &*scan.body;
    let mut b = Builder::new(&body.name, body.syms.clone());
    let mut inputs = vec![None; body.inputs.len()];
    let cast = |b: &mut Builder, v: Value, to: DType| match b.ty(v).dtype == to {
        true => v,
        false => b.emit(Op::Cast(to), &[v]).expect("any type casts to any"),
    };
    for &i in args {
        let input = &body.inputs[i];
        let role = if i < scan.carries { Role::Buffer } else { input.role };
        let fixed = i >= scan.carries + scan.scanned;
        let apart = fixed && is_apart(func, func.node(v).args[i]);
        let v = b.declare(&Input { name: input.name.clone(), ty: byte(&input.ty), role, apart });
        inputs[i] = Some(cast(&mut b, v, input.ty.dtype));
    }
    // What nobody reads still needs a value to stand for it.
    let inputs: Vec<Value> = inputs
        .into_iter()
        .zip(&body.inputs)
        .map(|(v, input)| {
            v.unwrap_or_else(|| {
                let zero = b.constant(0.0, input.ty.dtype);
                let axes = input.ty.shape.iter().cloned().enumerate().collect();
                b.emit(Op::Broadcast(axes), &[zero]).expect("a scalar broadcasts to any shape")
            })
        })
        .collect();
    let all = b.inline(body, &inputs).expect("the body of a sound loop");
    for &o in results {
        let new = cast(&mut b, all[o], byte(body.ty(body.outputs[o].value)).dtype);
        let over = if o < scan.carries { Some(o) } else { layer(func, v, scan, o) };
        let updates = over.and_then(|over| args.iter().position(|i| *i == over));
        b.output(&body.outputs[o].name, new, updates);
    }
    b.finish()
}

/// The scanned layers that a result of a loop replaces.
fn layer(func: &Func, scan: Value, of: &Scan, result: usize) -> Option<usize> {
    if of.guard.is_some() {
        return None;
    }
    let is = |v: &Value| {
        let node = func.node(*v);
        node.args.first() == Some(&scan) && matches!(node.op, Op::Result(i, _) if i == result)
    };
    let input = func.outputs.iter().find(|o| is(&o.value))?.updates?;
    let scanned = of.carries..of.carries + of.scanned;
    scanned.into_iter().find(|i| {
        let arg = func.node(scan).args[*i];
        is_apart(func, arg) && matches!(func.node(arg).op, Op::Input(n) if n as usize == input)
    })
}

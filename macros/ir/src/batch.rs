//! Batching: a function of one element as a function of many, as JAX's `vmap`.
//!
//! A value that differs from element to element has the batch as its first axis; what is the same for all stays as it is
//! and is computed once. Each operation has a form over one axis more, so the result is a graph of the same operations.

use crate::composite::reduce;
use crate::ops::random::counter_type;
use crate::ops::update;
use crate::{Builder, DType, Dim, Error, Fault, Func, Node, Op, PadAxis, Scan, SliceAxis, Ty, Value, Window};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A value, and whether its first axis is the batch.
pub type Mapped = (Value, bool);

/// `func` over a batch of that size: the inputs that are `mapped` have one axis more, the first, and so have all outputs but the
/// counters of generators, which it updates: the elements draw one after the other, each as it would by itself.
///
/// # Errors
/// If a loop is ill-formed, or an update is no counter's or hangs on what is mapped.
pub fn vmap(func: &Func, mapped: &[bool], size: &Dim) -> Result<Func, Error> {
    let mut b = Builder::new(&func.name, func.syms.clone());
    let mut args = Vec::new();
    for (input, mapped) in func.inputs.iter().zip(mapped) {
        let ty = if *mapped { widened(&input.ty, size) } else { input.ty.clone() };
        args.push((b.input(&input.name, ty, input.role), *mapped));
    }
    let last = advanced(&mut b, func, &mut args, size)?;
    let results = batch(&mut b, func, &args, size)?;
    for (output, result) in func.outputs.iter().zip(results) {
        let counter = output.updates.and_then(|i| last.get(&i));
        match counter {
            Some(v) => b.output(&output.name, *v, output.updates),
            None => {
                let whole = lifted(&mut b, result, size)?;
                b.output(&output.name, whole, None);
            }
        }
    }
    Ok(b.finish())
}

/// Gives each element the counters that it has when those before it have drawn; where they stand behind the last, by the input.
fn advanced(
    b: &mut Builder,
    func: &Func,
    args: &mut [Mapped],
    size: &Dim,
) -> Result<BTreeMap<usize, Value>, Error> {
    let mut last = BTreeMap::new();
    if func.outputs.iter().all(|o| o.updates.is_none()) {
        return Ok(last);
    }
    // How far one goes is the same for all, so it is known before.
    let once = batch(b, func, args, size)?;
    for (output, (after, differs)) in func.outputs.iter().zip(once) {
        let Some(i) = output.updates else { continue };
        let (first, mapped) = args[i];
        if mapped || differs || *b.ty(first) != counter_type() {
            let what = format!("`{}` is one state, and the elements are many", func.inputs[i].name);
            return Err(b.error(Fault::Attribute { op: "vmap".into(), what }));
        }
        let step = b.sub(after, first)?;
        let at = b.emit(Op::Iota { len: size.clone(), dtype: DType::I64 }, &[])?;
        let before = b.mul(at, step)?;
        args[i] = (b.add(before, first)?, true);
        let count = reduce::size(b, size, DType::I64)?;
        let all = b.mul(count, step)?;
        last.insert(i, b.add(first, all)?);
    }
    Ok(last)
}

/// The results of `func` for these arguments. The builder has the symbols of `func`.
///
/// # Errors
/// If an argument doesn't fit.
pub fn batch(b: &mut Builder, func: &Func, args: &[Mapped], size: &Dim) -> Result<Vec<Mapped>, Error> {
    let mut here: Vec<Mapped> = Vec::new();
    let mut loops: BTreeMap<Value, Vec<Mapped>> = BTreeMap::new();
    for (v, node) in func.values() {
        b.at(node.loc);
        let own: Vec<Mapped> = node.args.iter().map(|a| here[a.0 as usize]).collect();
        let made = match &node.op {
            Op::Input(i) => args[*i as usize],
            Op::Scan(scan) if own.iter().any(|a| a.1) => {
                loops.insert(v, turns(b, scan, &own, size)?);
                // Nobody reads it: its results are those of the loop over the batch.
                own[0]
            }
            Op::Result(i, _) if loops.contains_key(&node.args[0]) => loops[&node.args[0]][*i],
            op if own.iter().all(|a| !a.1) => {
                let own: Vec<Value> = own.iter().map(|a| a.0).collect();
                (b.emit(op.clone(), &own)?, false)
            }
            _ => (operation(b, node, &own, size)?, true),
        };
        if let Some(name) = &func.names[v.0 as usize] {
            b.name(made.0, name);
        }
        here.push(made);
    }
    Ok(func.outputs.iter().map(|o| here[o.value.0 as usize]).collect())
}

fn widened(ty: &Ty, size: &Dim) -> Ty {
    Ty::new(ty.dtype, [std::slice::from_ref(size), &ty.shape].concat())
}

/// The value with the batch as its first axis.
fn lifted(b: &mut Builder, (v, mapped): Mapped, size: &Dim) -> Result<Value, Error> {
    if mapped { Ok(v) } else { b.emit(Op::Broadcast(vec![(0, size.clone())]), &[v]) }
}

/// The operation over the batch, of arguments of which one at least is mapped.
fn operation(b: &mut Builder, node: &Node, own: &[Mapped], size: &Dim) -> Result<Value, Error> {
    if let Op::Contract { lhs, rhs, out } = &node.op {
        let label = lhs.iter().chain(rhs).max().map_or(0, |l| l + 1);
        let side = |labels: &[u8], mapped| if mapped { [&[label], labels].concat() } else { labels.to_vec() };
        let op = Op::Contract { lhs: side(lhs, own[0].1), rhs: side(rhs, own[1].1), out: side(out, true) };
        return b.emit(op, &[own[0].0, own[1].0]);
    }
    if let Op::Update(axis) = node.op {
        let (base, x) = (lifted(b, own[0], size)?, lifted(b, own[1], size)?);
        return match own[2] {
            (start, false) => b.emit(Op::Update(axis + 1), &[base, x, start]),
            (starts, true) => update::each(b, axis + 1, base, x, starts),
        };
    }
    if let Op::Random(..) = node.op {
        let [(key, false), (counters, true)] = *own else {
            let what = "in a batch all elements draw by one key".to_string();
            return Err(b.error(Fault::Attribute { op: "random".into(), what }));
        };
        return b.emit(node.op.clone(), &[key, counters]);
    }
    let args: Result<Vec<Value>, Error> = own.iter().map(|a| lifted(b, *a, size)).collect();
    if let Op::Rule(rule) = &node.op {
        let over = vmap(rule, &vec![true; rule.inputs.len()], size)?;
        return b.emit(Op::Rule(Arc::new(over)), &args?);
    }
    b.emit(shifted(&node.op, size), &args?)
}

/// The operation with its axes behind a first one that it leaves alone.
fn shifted(op: &Op, size: &Dim) -> Op {
    let behind = |axes: &[usize]| axes.iter().map(|a| a + 1).collect::<Vec<_>>();
    let window = |w: &Window| Window { axis: w.axis + 1, ..w.clone() };
    match op {
        Op::Reshape(to) => Op::Reshape([std::slice::from_ref(size), to].concat()),
        Op::Permute(perm) => Op::Permute([vec![0], behind(perm)].concat()),
        Op::Broadcast(axes) => Op::Broadcast(axes.iter().map(|(at, len)| (at + 1, len.clone())).collect()),
        Op::Slice(axes) => {
            let whole = SliceAxis { start: 0.into(), len: size.clone(), step: 1 };
            Op::Slice([&[whole], axes.as_slice()].concat())
        }
        Op::Pad(axes) => {
            let still = PadAxis { low: 0.into(), high: 0.into(), step: 1 };
            Op::Pad([&[still], axes.as_slice()].concat())
        }
        Op::Windows(w) => Op::Windows(window(w)),
        Op::Fold(w, full) => Op::Fold(window(w), full.clone()),
        Op::Concat(axis) => Op::Concat(axis + 1),
        Op::Gather(axis) => Op::Gather(axis + 1),
        Op::ScatterAdd(axis, len) => Op::ScatterAdd(axis + 1, len.clone()),
        Op::Reduce(kind, axes) => Op::Reduce(*kind, behind(axes)),
        Op::ArgMax(axis) => Op::ArgMax(axis + 1),
        Op::Map(_) | Op::Cast(_) | Op::StopGrad => op.clone(),
        Op::Input(_)
        | Op::Const(..)
        | Op::Iota { .. }
        | Op::Contract { .. }
        | Op::Random(..)
        | Op::Update(_)
        | Op::Rule(_)
        | Op::Scan(_)
        | Op::Result(..) => unreachable!("it has no mapped argument, or a rule of its own"),
    }
}

/// The loop over the batch. In a turn the batch is the first axis; what is scanned and stacked has the turns before it.
fn turns(b: &mut Builder, scan: &Scan, own: &[Mapped], size: &Dim) -> Result<Vec<Mapped>, Error> {
    let mut mapped: Vec<bool> = own.iter().map(|a| a.1).collect();
    let (body, results) = loop {
        let (body, results) = turn(b, scan, &mapped, size)?;
        // A carry that is one for all at first may become another for each.
        let grown: Vec<usize> = (0..scan.carries).filter(|j| results[*j] && !mapped[*j]).collect();
        if grown.is_empty() {
            break (body, results);
        }
        grown.into_iter().for_each(|j| mapped[j] = true);
    };
    if scan.guard.is_some_and(|g| mapped[g]) {
        // Turns that only some elements take are run for all.
        return turns(b, &scan.unguarded()?, own, size);
    }
    let mut args = Vec::new();
    for (i, arg) in own.iter().enumerate() {
        let whole = if mapped[i] { lifted(b, *arg, size)? } else { arg.0 };
        let scanned = (scan.carries..scan.carries + scan.scanned).contains(&i) && mapped[i];
        args.push(if scanned { swapped(b, whole)? } else { whole });
    }
    let over = Scan { body: Arc::new(body), ..scan.clone() };
    let made = b.scan(over, &args)?;
    let each = made.into_iter().zip(results).enumerate();
    each.map(|(i, (v, mapped))| {
        let stacked = mapped && i >= scan.carries;
        Ok((if stacked { swapped(b, v)? } else { v }, mapped))
    })
    .collect()
}

/// One turn over the batch, and which of its results differ from element to element.
fn turn(b: &Builder, scan: &Scan, mapped: &[bool], size: &Dim) -> Result<(Func, Vec<bool>), Error> {
    let body = &*scan.body;
    let mut r = Builder::new(&body.name, b.func().syms.clone());
    let mut args = Vec::new();
    for (input, mapped) in body.inputs.iter().zip(mapped) {
        let ty = if *mapped { widened(&input.ty, size) } else { input.ty.clone() };
        args.push((r.input(&input.name, ty, input.role), *mapped));
    }
    let mut differ = Vec::new();
    for (i, (output, result)) in body.outputs.iter().zip(batch(&mut r, body, &args, size)?).enumerate() {
        let carried = i < scan.carries && mapped[i];
        let value = if carried { lifted(&mut r, result, size)? } else { result.0 };
        r.output(&output.name, value, None);
        differ.push(carried || result.1);
    }
    Ok((r.finish(), differ))
}

/// The first two axes change places.
fn swapped(b: &mut Builder, v: Value) -> Result<Value, Error> {
    let mut perm: Vec<usize> = (0..b.ty(v).rank()).collect();
    perm.swap(0, 1);
    b.emit(Op::Permute(perm), &[v])
}

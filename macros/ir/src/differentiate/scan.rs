//! The gradient of a loop: a loop backwards.
//!
//! As in JAX's `scan`: the carried values' cotangents are carried from the last turn to the first; what a turn computed
//! and its gradient needs is stored by the loop forward (`residuals` chooses what) and read turn by turn; gradients of
//! what is the same in each turn are added up, in the loop or by one operation behind it (`sink`).

use super::residuals::{self, Source};
use super::sink::{self, Sunk};
use super::{differentiate, reached_from};
use crate::{Builder, DType, Error, Func, Op, Role, Scalar, Scan, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One turn and its gradient in one function. Inputs: those of the body, then cotangents of carries, then of `y`s.
/// Outputs: those of the body, then gradients.
struct Joint {
    func: Func,
    /// Carries with a cotangent.
    carries: Vec<usize>,
    /// `y`s with a cotangent, by output of the body.
    ys: Vec<usize>,
    /// The inputs of the body that have a gradient.
    wrt: Vec<usize>,
    /// Whether a value depends on a cotangent.
    backward: Vec<bool>,
}

impl Joint {
    /// The gradient with respect to an input of the body.
    fn gradient(&self, body: &Func, input: usize) -> Option<Value> {
        let at = self.wrt.iter().position(|i| *i == input)?;
        Some(self.func.outputs[body.outputs.len() + at].value)
    }
}

/// The cotangents of a loop's arguments, from those of its results; `wanted` says of which.
pub(super) fn vjp(
    b: &mut Builder,
    v: Value,
    cts: &[Option<Value>],
    wanted: &[bool],
) -> Result<Vec<Option<Value>>, Error> {
    let v = b.newest(v);
    let node = b.func().node(v).clone();
    let Op::Scan(scan) = &node.op else { unreachable!("a loop is asked for") };
    let joint = joint(b, scan, cts, wanted)?;
    let saved = residuals::saved(&joint.func, &|i| source(scan, i), &joint.backward);
    let stacks = forward(b, v, scan, &node.args, &joint, &saved)?;
    backward(b, scan, &node.args, cts, &joint, &stacks)
}

fn source(scan: &Scan, input: usize) -> Source {
    if input < scan.carries { Source::Lost } else { Source::Kept }
}

/// Which inputs of the body have a gradient, and which carries hand one on.
fn relevant(scan: &Scan, cts: &[Option<Value>], wanted: &[bool]) -> (Vec<bool>, Vec<bool>) {
    let body = &scan.body;
    let mut active: Vec<bool> =
        body.inputs.iter().zip(wanted).map(|(i, wanted)| *wanted && i.ty.dtype.is_float()).collect();
    loop {
        let from: Vec<Value> = (0..active.len()).filter(|i| active[*i]).map(|i| body.input(i)).collect();
        let reached = reached_from(body, &from);
        let grown = (0..scan.carries).filter(|j| {
            let out = body.outputs[*j].value;
            !active[*j] && reached[out.0 as usize] && body.ty(out).dtype.is_float()
        });
        let grown: Vec<usize> = grown.collect();
        if grown.is_empty() {
            break;
        }
        grown.into_iter().for_each(|j| active[j] = true);
    }
    let mut asked: Vec<bool> = cts.iter().map(Option::is_some).collect();
    loop {
        let of = (0..body.outputs.len()).filter(|o| asked[*o]).map(|o| body.outputs[o].value);
        let needed = needed(body, of.collect());
        let more: Vec<usize> =
            (0..scan.carries).filter(|j| !asked[*j] && needed[body.input(*j).0 as usize]).collect();
        if more.is_empty() {
            return (active, asked);
        }
        more.into_iter().for_each(|j| asked[j] = true);
    }
}

fn needed(func: &Func, mut open: Vec<Value>) -> Vec<bool> {
    let mut needed = vec![false; func.nodes.len()];
    while let Some(v) = open.pop() {
        if !std::mem::replace(&mut needed[v.0 as usize], true) {
            open.extend(&func.node(v).args);
        }
    }
    needed
}

fn joint(b: &Builder, scan: &Scan, cts: &[Option<Value>], wanted: &[bool]) -> Result<Joint, Error> {
    let body = &*scan.body;
    let (active, asked) = relevant(scan, cts, wanted);
    let mut r = Builder::new(&body.name, b.func().syms.clone());
    let inputs: Vec<Value> = body.inputs.iter().map(|i| r.input(&i.name, i.ty.clone(), i.role)).collect();
    let results = r.inline(body, &inputs)?;
    let carries: Vec<usize> = (0..scan.carries).filter(|j| active[*j] && asked[*j]).collect();
    let ys: Vec<usize> = (scan.carries..results.len()).filter(|o| cts[*o].is_some()).collect();
    let mut of = Vec::new();
    for &o in carries.iter().chain(&ys) {
        let ty = r.ty(results[o]).clone();
        let ct = r.input(&format!("cot.{}", body.outputs[o].name), ty, Role::Argument);
        of.push((results[o], ct));
    }
    let wrt: Vec<usize> =
        (0..inputs.len()).filter(|i| active[*i] && (*i >= scan.carries || carries.contains(i))).collect();
    let leaves: Vec<Value> = wrt.iter().map(|i| inputs[*i]).collect();
    let grads = differentiate(&mut r, &of, &leaves)?;
    for (output, value) in body.outputs.iter().zip(results) {
        r.output(&output.name, value, None);
    }
    for (i, grad) in wrt.iter().zip(grads) {
        r.output(&format!("grad.{}", body.inputs[*i].name), grad, None);
    }
    let func = r.finish();
    let cotangents: Vec<Value> = (inputs.len()..func.inputs.len()).map(|i| func.input(i)).collect();
    let backward = reached_from(&func, &cotangents);
    Ok(Joint { func, carries, ys, wrt, backward })
}

/// Lets the loop forward store what is saved: each such value of the joint function, as all turns have it.
fn forward(
    b: &mut Builder,
    v: Value,
    scan: &Scan,
    args: &[Value],
    joint: &Joint,
    saved: &[Value],
) -> Result<BTreeMap<Value, Value>, Error> {
    let body = &scan.body;
    let mut f = Builder::new(&body.name, b.func().syms.clone());
    let mut place = BTreeMap::new();
    for (i, input) in body.inputs.iter().enumerate() {
        place.insert(joint.func.input(i), f.input(&input.name, input.ty.clone(), input.role));
    }
    let results: Vec<Value> = joint.func.outputs[..body.outputs.len()].iter().map(|o| o.value).collect();
    copy(&mut f, &joint.func, results.iter().chain(saved), &mut place)?;
    for (output, value) in body.outputs.iter().zip(&results) {
        f.output(&output.name, place[value], None);
    }
    for value in saved {
        let name = joint.func.names[value.0 as usize].clone().unwrap_or_else(|| "saved".into());
        f.output(&name, place[value], None);
    }
    let mut stacks: BTreeMap<Value, Value> =
        (scan.carries..scan.carries + scan.scanned).map(|i| (joint.func.input(i), args[i])).collect();
    if !saved.is_empty() {
        let extended = Scan { body: Arc::new(f.finish()), ..scan.clone() };
        let all = b.scan(extended, args)?;
        let by = b.func().node(all[0]).args[0];
        b.extend(v, by);
        stacks.extend(saved.iter().copied().zip(all[body.outputs.len()..].iter().copied()));
    }
    Ok(stacks)
}

/// Rebuilds values of a function, from those that have a place.
pub(super) fn copy<'a>(
    b: &mut Builder,
    func: &Func,
    wanted: impl Iterator<Item = &'a Value>,
    place: &mut BTreeMap<Value, Value>,
) -> Result<(), Error> {
    let mut needed = vec![false; func.nodes.len()];
    let mut open: Vec<Value> = wanted.copied().collect();
    while let Some(v) = open.pop() {
        if !place.contains_key(&v) && !std::mem::replace(&mut needed[v.0 as usize], true) {
            open.extend(&func.node(v).args);
        }
    }
    for (v, node) in func.values().filter(|(v, _)| needed[v.0 as usize]) {
        let args: Vec<Value> = node.args.iter().map(|a| place[a]).collect();
        b.at(node.loc);
        let value = b.emit(node.op.clone(), &args)?;
        if let Some(name) = &func.names[v.0 as usize] {
            b.name(value, name);
        }
        place.insert(v, value);
    }
    Ok(())
}

/// The loop backwards; returns the cotangents of the arguments.
fn backward(
    b: &mut Builder,
    scan: &Scan,
    args: &[Value],
    cts: &[Option<Value>],
    joint: &Joint,
    stacks: &BTreeMap<Value, Value>,
) -> Result<Vec<Option<Value>>, Error> {
    let (body, func) = (&*scan.body, &joint.func);
    let own = scan.carries..scan.carries + scan.scanned;
    let fixed: Vec<usize> = joint.wrt.iter().copied().filter(|i| *i >= own.end).collect();
    let gradient = |i: usize| joint.gradient(body, i).expect("it is among those with a gradient");
    let sunk: BTreeMap<usize, Sunk> = fixed
        .iter()
        .filter_map(|i| Some((*i, sink::sink(func, gradient(*i), stacks, &joint.backward)?)))
        .collect();
    let added: Vec<usize> = fixed.iter().copied().filter(|i| !sunk.contains_key(i)).collect();
    // What operations behind the loop read and the loop makes.
    let mut handed: Vec<Value> = sunk.values().flat_map(Sunk::operands).collect();
    handed.retain(|v| !stacks.contains_key(v));
    handed.sort();
    handed.dedup();
    let scanned: Vec<usize> = joint.wrt.iter().copied().filter(|i| own.contains(i)).collect();

    let mut r = Builder::new(&format!("{}_grad", body.name), b.func().syms.clone());
    let (mut place, mut outer) = (BTreeMap::new(), Vec::new());
    for (n, &j) in joint.carries.iter().enumerate() {
        let input = func.input(body.inputs.len() + n);
        place.insert(
            input,
            r.input(&func.inputs[body.inputs.len() + n].name, func.ty(input).clone(), Role::Argument),
        );
        outer.push(match cts[j] {
            Some(ct) => ct,
            None => zeros(b, func.ty(input))?,
        });
    }
    let mut sums = Vec::new();
    for &i in &added {
        let ty = func.ty(gradient(i)).clone();
        outer.push(zeros(b, &ty)?);
        sums.push(r.input(&format!("grad.{}", body.inputs[i].name), ty, Role::Argument));
    }
    let roots = joint.wrt.iter().filter(|i| !sunk.contains_key(i)).map(|i| gradient(*i));
    let roots: Vec<Value> = roots.chain(handed.iter().copied()).collect();
    let read = read(func, &roots, stacks);
    let carries = outer.len();
    for (v, stack) in stacks.iter().filter(|(v, _)| read.contains(v)) {
        let name = func.names[v.0 as usize].clone().unwrap_or_else(|| "saved".into());
        place.insert(*v, r.input(&name, func.ty(*v).clone(), Role::Argument));
        outer.push(*stack);
    }
    for (n, &o) in joint.ys.iter().enumerate() {
        let i = body.inputs.len() + joint.carries.len() + n;
        place.insert(func.input(i), r.input(&func.inputs[i].name, func.inputs[i].ty.clone(), Role::Argument));
        outer.push(cts[o].expect("those with a cotangent"));
    }
    let stacked = outer.len() - carries;
    for (i, arg) in args.iter().enumerate().skip(own.end) {
        let (v, input) = (func.input(i), &body.inputs[i]);
        if read.contains(&v) {
            place.insert(v, r.input(&input.name, input.ty.clone(), input.role));
            outer.push(*arg);
        }
    }
    copy(&mut r, func, roots.iter(), &mut place)?;
    let name = |i: usize| format!("grad.{}", body.inputs[i].name);
    for &j in &joint.carries {
        r.output(&name(j), place[&gradient(j)], None);
    }
    for (&i, sum) in added.iter().zip(sums) {
        let sum = r.map(Scalar::Add, &[sum, place[&gradient(i)]])?;
        r.output(&name(i), sum, None);
    }
    for &i in &scanned {
        r.output(&name(i), place[&gradient(i)], None);
    }
    for v in &handed {
        let name = func.names[v.0 as usize].clone().unwrap_or_else(|| "part".into());
        r.output(&name, place[v], None);
    }
    let reverse = Scan {
        body: Arc::new(r.finish()),
        trips: scan.trips.clone(),
        carries,
        scanned: stacked,
        reverse: !scan.reverse,
    };
    let mut results = b.scan(reverse, &outer)?.into_iter();

    let mut cotangents = vec![None; args.len()];
    for &i in joint.carries.iter().chain(&added).chain(&scanned) {
        cotangents[i] = results.next();
    }
    let parts: BTreeMap<Value, Value> =
        stacks.iter().map(|(v, s)| (*v, *s)).chain(handed.into_iter().zip(results)).collect();
    for (i, sunk) in sunk {
        cotangents[i] = Some(sunk.build(b, &parts)?);
    }
    Ok(cotangents)
}

/// The values at which what is computed from roots begins: those with a stack, and inputs.
fn read(func: &Func, roots: &[Value], stacks: &BTreeMap<Value, Value>) -> Vec<Value> {
    let mut seen = vec![false; func.nodes.len()];
    let (mut open, mut read) = (roots.to_vec(), Vec::new());
    while let Some(v) = open.pop() {
        if std::mem::replace(&mut seen[v.0 as usize], true) {
            continue;
        }
        if stacks.contains_key(&v) || matches!(func.node(v).op, Op::Input(_)) {
            read.push(v);
        } else {
            open.extend(&func.node(v).args);
        }
    }
    read
}

fn zeros(b: &mut Builder, ty: &crate::Ty) -> Result<Value, Error> {
    debug_assert!(matches!(ty.dtype, DType::F32 | DType::F64));
    let zero = b.constant(0.0, ty.dtype);
    b.emit(Op::Broadcast(ty.shape.iter().cloned().enumerate().collect()), &[zero])
}

//! The gradient of a loop: a loop backwards.
//!
//! As in JAX's `scan`: the carried values' cotangents are carried from the last turn to the first; what a turn computed
//! and its gradient needs is stored by the loop forward (`residuals` chooses what) and read turn by turn; gradients of
//! what is the same in each turn are added up, in the loop or by one operation behind it (`sink`).

use super::residuals::{self, Source};
use super::sink::{self, Sunk};
use super::{differentiate, reached_from};
use crate::{Builder, Error, Func, Op, Role, Scalar, Scan, Value};
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
    fn gradient(&self, body: &Func, input: usize) -> Value {
        let at = self.wrt.iter().position(|i| *i == input).expect("it is among those with a gradient");
        self.func.outputs[body.outputs.len() + at].value
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
    let mut saved = match scan.again {
        true => carried(scan, &joint),
        false => residuals::saved(&joint.func, &|i| source(scan, i), &joint.backward),
    };
    saved.extend(scan.guard.filter(|g| *g < scan.carries).map(|g| joint.func.input(g)));
    saved.sort();
    saved.dedup();
    let stacks = forward(b, v, scan, &node.args, &joint, &saved)?;
    backward(b, scan, &node.args, cts, &joint, &stacks)
}

/// The carries before a turn, as far as its gradient rests on them.
fn carried(scan: &Scan, joint: &Joint) -> Vec<Value> {
    let roots = joint.wrt.iter().map(|i| joint.gradient(&scan.body, *i)).collect();
    let needed = joint.func.needed(roots);
    (0..scan.carries).map(|i| joint.func.input(i)).filter(|v| needed[v.0 as usize]).collect()
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
        let needed = body.needed(of.collect());
        let more: Vec<usize> =
            (0..scan.carries).filter(|j| !asked[*j] && needed[body.input(*j).0 as usize]).collect();
        if more.is_empty() {
            return (active, asked);
        }
        more.into_iter().for_each(|j| asked[j] = true);
    }
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
    let sums = Sums::of(scan, joint, stacks);
    let r = Builder::new(&format!("{}_grad", scan.body.name), b.func().syms.clone());
    let mut turn = Turn { b, scan, joint, r, place: BTreeMap::new(), outer: vec![] };
    turn.carries(cts)?;
    let added = turn.sums(&sums.added)?;
    let carries = turn.outer.len();
    let roots = sums.roots(scan, joint);
    let guard = scan.guard.map(|g| joint.func.input(g));
    let read = read(&joint.func, &[roots.as_slice(), guard.as_slice()].concat(), stacks);
    turn.scanned(stacks, &read, cts);
    let scanned = turn.outer.len() - carries;
    turn.fixed(args, &read);
    copy(&mut turn.r, &joint.func, roots.iter(), &mut turn.place)?;
    turn.outputs(&sums, &added)?;
    let guard = guard.map(|v| turn.r.func().input_of(turn.place[&v]));
    let Turn { b, r, outer, .. } = turn;
    let body = Arc::new(r.finish());
    let reverse = Scan { body, carries, scanned, reverse: !scan.reverse, guard, ..scan.clone() };
    let mut results = b.scan(reverse, &outer)?.into_iter();
    let mut cotangents = vec![None; args.len()];
    for &i in joint.carries.iter().chain(&sums.added).chain(&sums.scanned) {
        cotangents[i] = results.next();
    }
    let mut parts = stacks.clone();
    parts.extend(sums.scanned.iter().filter_map(|i| Some((joint.gradient(&scan.body, *i), cotangents[*i]?))));
    parts.extend(sums.handed.iter().copied().zip(results));
    for (i, sunk) in sums.sunk {
        cotangents[i] = Some(sunk.build(b, &parts)?);
    }
    Ok(cotangents)
}

/// How gradients of what isn't carried leave the loop, by input of the body.
struct Sums {
    /// Of what is scanned: an element a turn.
    scanned: Vec<usize>,
    /// Of what is fixed: added up in the loop.
    added: Vec<usize>,
    /// Of what is fixed: one operation behind the loop.
    sunk: BTreeMap<usize, Sunk>,
    /// The values that such operations read and the loop makes.
    handed: Vec<Value>,
}

impl Sums {
    fn of(scan: &Scan, joint: &Joint, stacks: &BTreeMap<Value, Value>) -> Sums {
        let own = scan.carries..scan.carries + scan.scanned;
        let scanned: Vec<usize> = joint.wrt.iter().copied().filter(|i| own.contains(i)).collect();
        let yields: Vec<Value> = scanned.iter().map(|i| joint.gradient(&scan.body, *i)).collect();
        let fixed = joint.wrt.iter().copied().filter(|i| *i >= own.end);
        let (mut sunk, mut added) = (BTreeMap::new(), Vec::new());
        for i in fixed {
            // Behind a loop of turns that may be left out there would be work for none, and one that is to store little
            // hands on no factors of all its turns.
            let stays = scan.guard.is_some() || (scan.again && !scan.trips.is(1));
            let gradient = joint.gradient(&scan.body, i);
            let behind = || sink::sink(&joint.func, gradient, stacks, &yields, &joint.backward);
            match (!stays).then(behind).flatten() {
                Some(sum) => drop(sunk.insert(i, sum)),
                None => added.push(i),
            }
        }
        let mut handed: Vec<Value> = sunk.values().flat_map(Sunk::operands).collect();
        handed.retain(|v| !stacks.contains_key(v) && !yields.contains(v));
        handed.sort();
        handed.dedup();
        Sums { scanned, added, sunk, handed }
    }

    /// What a turn computes.
    fn roots(&self, scan: &Scan, joint: &Joint) -> Vec<Value> {
        let inside = joint.wrt.iter().filter(|i| !self.sunk.contains_key(i));
        inside.map(|i| joint.gradient(&scan.body, *i)).chain(self.handed.iter().copied()).collect()
    }
}

/// A turn backwards under construction, and the arguments of its loop.
struct Turn<'a> {
    b: &'a mut Builder,
    scan: &'a Scan,
    joint: &'a Joint,
    r: Builder,
    /// Values of the joint function as values of the turn.
    place: BTreeMap<Value, Value>,
    outer: Vec<Value>,
}

impl Turn<'_> {
    /// Cotangents of what was carried.
    fn carries(&mut self, cts: &[Option<Value>]) -> Result<(), Error> {
        for (n, &j) in self.joint.carries.iter().enumerate() {
            let input = &self.joint.func.inputs[self.scan.body.inputs.len() + n];
            let first = cts[j].map_or_else(|| zeros(self.b, &input.ty), Ok)?;
            self.pass(self.joint.func.input(self.scan.body.inputs.len() + n), first);
        }
        Ok(())
    }

    /// Sums over the turns so far, from zero on.
    fn sums(&mut self, added: &[usize]) -> Result<Vec<Value>, Error> {
        let mut sums = Vec::new();
        for &i in added {
            let ty = self.joint.func.ty(self.joint.gradient(&self.scan.body, i)).clone();
            self.outer.push(zeros(self.b, &ty)?);
            sums.push(self.r.input(&self.name(i), ty, Role::Argument));
        }
        Ok(sums)
    }

    /// What the loop forward has scanned or stored, and cotangents of what it yielded.
    fn scanned(&mut self, stacks: &BTreeMap<Value, Value>, read: &[Value], cts: &[Option<Value>]) {
        for (v, stack) in stacks.iter().filter(|(v, _)| read.contains(v)) {
            self.pass(*v, *stack);
        }
        for (n, &o) in self.joint.ys.iter().enumerate() {
            let i = self.scan.body.inputs.len() + self.joint.carries.len() + n;
            self.pass(self.joint.func.input(i), cts[o].expect("those with a cotangent"));
        }
    }

    fn fixed(&mut self, args: &[Value], read: &[Value]) {
        for (i, arg) in args.iter().enumerate().skip(self.scan.carries + self.scan.scanned) {
            let v = self.joint.func.input(i);
            if read.contains(&v) {
                self.pass(v, *arg);
            }
        }
    }

    /// A value of the joint function as an input of the turn, which the loop feeds from `outer`.
    fn pass(&mut self, v: Value, outer: Value) {
        let name = self.joint.func.names[v.0 as usize].clone().unwrap_or_else(|| "saved".into());
        let ty = self.joint.func.ty(v).clone();
        self.place.insert(v, self.r.input(&name, ty, Role::Argument));
        self.outer.push(outer);
    }

    fn name(&self, input: usize) -> String {
        format!("grad.{}", self.scan.body.inputs[input].name)
    }

    /// In the order of the results: carries, sums, what was scanned, what is handed on.
    fn outputs(&mut self, sums: &Sums, added: &[Value]) -> Result<(), Error> {
        let (joint, body) = (self.joint, &self.scan.body);
        for &j in &joint.carries {
            self.r.output(&self.name(j), self.place[&joint.gradient(body, j)], None);
        }
        for (&i, sum) in sums.added.iter().zip(added) {
            let sum = self.r.map(Scalar::Add, &[*sum, self.place[&joint.gradient(body, i)]])?;
            self.r.output(&self.name(i), sum, None);
        }
        for &i in &sums.scanned {
            self.r.output(&self.name(i), self.place[&joint.gradient(body, i)], None);
        }
        for v in &sums.handed {
            let name = joint.func.names[v.0 as usize].clone().unwrap_or_else(|| "part".into());
            self.r.output(&name, self.place[v], None);
        }
        Ok(())
    }
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
    debug_assert!(ty.dtype.is_float());
    let zero = b.constant(0.0, ty.dtype);
    b.emit(Op::Broadcast(ty.shape.iter().cloned().enumerate().collect()), &[zero])
}

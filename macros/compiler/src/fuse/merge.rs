//! Loops brought together. A loop that carries nothing and reads of another one only what that makes with each turn is a part of
//! its turns: so the step of an optimizer over layers stands in the loop that makes their gradients, which then are nowhere
//! stored. A map over such results, such as a clipped gradient, is computed by the turn that reads it.

use kiln_ir::{Builder, Error, Func, Op, Role, Scalar, Scan, Ty, Value};
use std::sync::Arc;

/// The function with as few loops as may be.
pub fn merge(func: &Func) -> Func {
    let mut func = func.clone();
    while let Some(fewer) = sink(&func).or_else(|| join(&func)) {
        match fewer {
            Ok(fewer) => func = fewer,
            Err(error) => unreachable!("a sound function stays one: {error}"),
        }
    }
    func
}

/// The loops of a function whose turns are all run, and once.
fn loops(func: &Func) -> impl Iterator<Item = (Value, &Scan)> {
    func.values().filter_map(|(v, node)| match &node.op {
        Op::Scan(scan) if !scan.again && scan.guard.is_none() => Some((v, &**scan)),
        _ => None,
    })
}

/// A loop to be built in place of one or two: its arguments, in order, and the inputs of the turn that stand for them.
struct Turn {
    inner: Builder,
    args: [Vec<Value>; 3],
    inputs: [Vec<Value>; 3],
    order: [Vec<usize>; 3],
}

/// What an argument is to a loop.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Carried,
    Scanned,
    Fixed,
}

fn kind(scan: &Scan, i: usize) -> Kind {
    match i {
        i if i < scan.carries => Kind::Carried,
        i if i < scan.carries + scan.scanned => Kind::Scanned,
        _ => Kind::Fixed,
    }
}

impl Turn {
    fn new(func: &Func, scan: &Scan) -> Turn {
        let inner = Builder::new(&scan.body.name, func.syms.clone());
        Turn { inner, args: Default::default(), inputs: Default::default(), order: Default::default() }
    }

    /// The input for an argument: a new one, unless the same is read already.
    fn input(&mut self, arg: Value, kind: Kind, name: &str, ty: &Ty) -> Value {
        let k = kind as usize;
        if kind != Kind::Carried
            && let Some(known) = self.args[k].iter().position(|a| *a == arg)
        {
            return self.inputs[k][known];
        }
        self.order[k].push(self.inner.func().inputs.len());
        let input = self.inner.input(name, ty.clone(), Role::Argument);
        self.args[k].push(arg);
        self.inputs[k].push(input);
        input
    }

    /// The loop in the function that is built, where `place` has its arguments.
    fn finish(self, b: &mut Builder, like: &Scan, place: &[Option<Value>]) -> Result<Value, Error> {
        let [carried, scanned, _] = &self.args;
        let (carries, scanned) = (carried.len(), scanned.len());
        let args = self.args.iter().flatten().map(|a| place[a.0 as usize].expect("made before"));
        let body = Arc::new(self.inner.finish().reordered(&self.order.concat()));
        let scan = Scan { body, carries, scanned, ..like.clone() };
        b.emit(Op::Scan(Box::new(scan)), &args.collect::<Vec<_>>())
    }
}

/// A function that is built again with another loop in it.
struct Again<'a> {
    func: &'a Func,
    b: Builder,
    place: Vec<Option<Value>>,
}

impl<'a> Again<'a> {
    fn new(func: &'a Func) -> Again<'a> {
        let mut b = Builder::new(&func.name, func.syms.clone());
        let mut place = vec![None; func.nodes.len()];
        for (i, input) in func.inputs.iter().enumerate() {
            place[func.input(i).0 as usize] = Some(b.declare(input));
        }
        Again { func, b, place }
    }

    fn node(&mut self, v: Value) -> Result<(), Error> {
        if self.place[v.0 as usize].is_some() {
            return Ok(());
        }
        let node = self.func.node(v);
        let args: Vec<Value> =
            node.args.iter().map(|a| self.place[a.0 as usize].expect("made before")).collect();
        self.b.at(node.loc);
        let value = self.b.emit(node.op.clone(), &args)?;
        if let Some(name) = &self.func.names[v.0 as usize] {
            self.b.name(value, name);
        }
        self.place[v.0 as usize] = Some(value);
        Ok(())
    }

    fn finish(mut self) -> Func {
        for output in &self.func.outputs {
            let value = self.place[output.value.0 as usize].expect("every node was built");
            self.b.output(&output.name, value, output.updates);
        }
        self.b.finish()
    }
}

/// Two loops as one, if there are such.
fn join(func: &Func) -> Option<Result<Func, Error>> {
    let (first, second, after) = loops(func).find_map(|(second, scan)| {
        let before = loops(func).take_while(|(first, _)| *first < second);
        let candidates = before.filter(|(_, first)| scan.carries == 0 && first.trips == scan.trips);
        let first = candidates.map(|(v, _)| (v, after(func, v)));
        let mut first = first.filter(|(first, after)| is_part(func, *first, after, second));
        first.next().map(|(first, after)| (first, second, after))
    })?;
    Some(joined(func, first, second, &after))
}

/// What rests on a value.
fn after(func: &Func, first: Value) -> Vec<bool> {
    let mut after = vec![false; func.nodes.len()];
    for (v, node) in func.values() {
        after[v.0 as usize] = v == first || node.args.iter().any(|a| after[a.0 as usize]);
    }
    after
}

/// The result of the first loop that a value is, if it is an element of each turn.
fn yielded(func: &Func, first: Value, v: Value) -> Option<usize> {
    let (Op::Scan(scan), node) = (&func.node(first).op, func.node(v)) else { return None };
    match node.op {
        Op::Result(i, _) if node.args[0] == first && i >= scan.carries => Some(i),
        _ => None,
    }
}

fn is_part(func: &Func, first: Value, after: &[bool], second: Value) -> bool {
    let (Op::Scan(scan), node) = (&func.node(second).op, func.node(second)) else { return false };
    let of_turn = |i: usize| kind(scan, i) == Kind::Scanned && yielded(func, first, node.args[i]).is_some();
    let sound = |i: usize| of_turn(i) || !after[node.args[i].0 as usize];
    (0..node.args.len()).all(sound) && (0..node.args.len()).any(of_turn)
}

fn joined(func: &Func, first: Value, second: Value, after: &[bool]) -> Result<Func, Error> {
    let (Op::Scan(one), Op::Scan(two)) = (&func.node(first).op, &func.node(second).op) else {
        unreachable!("both are loops")
    };
    let mut turn = Turn::new(func, one);
    let inputs = |turn: &mut Turn, scan: &Scan, v: Value, known: &[Value]| -> Vec<Value> {
        let args = func.node(v).args.iter().zip(&scan.body.inputs).enumerate();
        args.map(|(i, (arg, input))| match yielded(func, first, *arg).and_then(|y| known.get(y)) {
            Some(known) => *known,
            None => turn.input(*arg, kind(scan, i), &input.name, &input.ty),
        })
        .collect()
    };
    let own = inputs(&mut turn, one, first, &[]);
    let results = turn.inner.inline(&one.body, &own)?;
    let theirs = inputs(&mut turn, two, second, &results);
    let more = turn.inner.inline(&two.body, &theirs)?;
    let outputs = one.body.outputs.iter().chain(&two.body.outputs);
    for (output, value) in outputs.zip(results.iter().chain(&more)) {
        turn.inner.output(&output.name, *value, None);
    }
    let mut again = Again::new(func);
    for (v, _) in func.values().filter(|(v, _)| !after[v.0 as usize]) {
        again.node(v)?;
    }
    let made = turn.finish(&mut again.b, one, &again.place)?;
    again.place[first.0 as usize] = Some(made);
    for (v, node) in func.values().filter(|(v, _)| after[v.0 as usize] && *v != second) {
        match node.op {
            Op::Result(i, ref ty) if node.args[0] == second => {
                let result = Op::Result(i + results.len(), ty.clone());
                again.place[v.0 as usize] = Some(again.b.emit(result, &[made])?);
            }
            _ => again.node(v)?,
        }
    }
    Ok(again.finish())
}

/// A map over what loops make, within the one loop that reads it, if there is such.
fn sink(func: &Func) -> Option<Result<Func, Error>> {
    let uses = func.uses();
    let (v, _, map) = loops(func).find_map(|(v, scan)| {
        let args = func.node(v).args.iter().enumerate();
        let mut scanned = args.filter(|(i, a)| {
            let once = func.node(v).args.iter().filter(|b| b == a).count() == 1;
            kind(scan, *i) == Kind::Scanned && once && uses[a.0 as usize] == 1
        });
        scanned.find_map(|(_, a)| sinkable(func, *a).map(|map| (v, scan, (*a, map))))
    })?;
    Some(sunk(func, v, map))
}

/// A map of what loops made and of what is the same for all turns.
fn sinkable(func: &Func, v: Value) -> Option<Scalar> {
    let node = func.node(v);
    let Op::Map(scalar) = node.op else { return None };
    let is_made = |a: &Value| matches!(func.node(*a).op, Op::Result(..));
    let sound = |a: &Value| is_made(a) || repeated(func, *a).is_some();
    (node.args.iter().all(sound) && node.args.iter().any(is_made)).then_some(scalar)
}

/// What a broadcast repeats for each turn, and along which axes of one.
fn repeated(func: &Func, v: Value) -> Option<(Value, Op)> {
    let node = func.node(v);
    let Op::Broadcast(axes) = &node.op else { return None };
    let ((0, _), rest) = axes.split_first()? else { return None };
    let rest = rest.iter().map(|(axis, len)| (axis - 1, len.clone()));
    Some((node.args[0], Op::Broadcast(rest.collect())))
}

fn sunk(func: &Func, v: Value, (arg, scalar): (Value, Scalar)) -> Result<Func, Error> {
    let Op::Scan(scan) = &func.node(v).op else { unreachable!("it is a loop") };
    let mut turn = Turn::new(func, scan);
    let mut inputs = Vec::new();
    for (i, (from, input)) in func.node(v).args.iter().zip(&scan.body.inputs).enumerate() {
        if *from != arg {
            inputs.push(turn.input(*from, kind(scan, i), &input.name, &input.ty));
            continue;
        }
        let mut parts = Vec::new();
        for part in &func.node(arg).args {
            parts.push(match repeated(func, *part) {
                Some((whole, axes)) => {
                    let fixed = turn.input(whole, Kind::Fixed, "fixed", func.ty(whole));
                    turn.inner.emit(axes, &[fixed])?
                }
                None => {
                    let ty = func.ty(*part);
                    turn.input(*part, Kind::Scanned, &input.name, &Ty::new(ty.dtype, &ty.shape[1..]))
                }
            });
        }
        inputs.push(turn.inner.emit(Op::Map(scalar), &parts)?);
    }
    let results = turn.inner.inline(&scan.body, &inputs)?;
    for (output, value) in scan.body.outputs.iter().zip(results) {
        turn.inner.output(&output.name, value, None);
    }
    let mut again = Again::new(func);
    let mut turn = Some(turn);
    for (at, _) in func.values() {
        match turn.take_if(|_| at == v) {
            Some(turn) => again.place[at.0 as usize] = Some(turn.finish(&mut again.b, scan, &again.place)?),
            None => again.node(at)?,
        }
    }
    Ok(again.finish())
}

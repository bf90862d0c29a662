//! Forward-mode differentiation: a function again, each value beside its tangent.
//!
//! The tangent of an operation that is linear is the operation of the tangent; that of a scalar follows from its `vjp`,
//! for the derivative of what is done element by element is its own transpose. A loop carries tangents beside values:
//! nothing is stored for it, as Griewank and Walther, *Evaluating Derivatives*, 2008, ch. 3.1.

use crate::ops::{reduce, scalar};
use crate::{Builder, Error, Fault, Func, Node, Op, Reduction, Role, Scalar, Scan, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Values and what they move by; `None` where they don't move.
type Moving = (Vec<Value>, Vec<Option<Value>>);

/// A function of the inputs of `func` and a tangent for each of the inputs of these indices. It yields what `func`
/// yields and behind it the tangents of its float outputs.
///
/// # Errors
/// If one of these inputs is no float.
pub fn jvp(func: &Func, wrt: &[usize]) -> Result<Func, Error> {
    let mut b = Builder::new(&func.name, func.syms.clone());
    let inputs: Vec<Value> = func.inputs.iter().map(|i| b.declare(i)).collect();
    let mut along = vec![None; inputs.len()];
    for &i in wrt {
        let name = format!("tangent.{}", func.inputs[i].name);
        along[i] = Some(b.input(&name, func.inputs[i].ty.clone(), Role::Argument));
    }
    let (values, tangents) = forward(&mut b, func, &inputs, &along)?;
    for (output, value) in func.outputs.iter().zip(&values) {
        b.output(&output.name, *value, output.updates);
    }
    for ((output, value), tangent) in func.outputs.iter().zip(values).zip(tangents) {
        if b.ty(value).dtype.is_float() {
            let tangent = tangent.map_or_else(|| b.splat(0.0, value), Ok)?;
            b.output(&format!("tangent.{}", output.name), tangent, None);
        }
    }
    Ok(b.finish())
}

/// The results of `func` for these arguments, and what they move by where the arguments move `along`. The builder has
/// the symbols of `func`.
///
/// # Errors
/// If what moves is no float.
pub fn forward(
    b: &mut Builder,
    func: &Func,
    args: &[Value],
    along: &[Option<Value>],
) -> Result<Moving, Error> {
    if let Some((bad, _)) = args.iter().zip(along).find(|(v, d)| d.is_some() && !b.ty(**v).dtype.is_float()) {
        let of = b.ty(*bad).clone();
        return Err(b.error(Fault::Gradient { of, want: "a float tensor" }));
    }
    let (mut here, mut moves): Moving = (Vec::new(), Vec::new());
    let mut loops: BTreeMap<Value, Moving> = BTreeMap::new();
    for (v, node) in func.values() {
        b.at(node.loc);
        let own: Vec<Value> = node.args.iter().map(|a| here[a.0 as usize]).collect();
        let d: Vec<Option<Value>> = node.args.iter().map(|a| moves[a.0 as usize]).collect();
        let (value, tangent) = match &node.op {
            Op::Input(i) => (args[*i as usize], along[*i as usize]),
            Op::Scan(scan) if d.iter().any(Option::is_some) => {
                loops.insert(v, turns(b, scan, &own, &d)?);
                // Nobody reads it: its results are those of the loop that also carries tangents.
                (own[0], None)
            }
            Op::Result(i, _) if loops.contains_key(&node.args[0]) => {
                let (values, tangents) = &loops[&node.args[0]];
                (values[*i], tangents[*i])
            }
            op => {
                let value = b.emit(op.clone(), &own)?;
                (value, tangent(b, node, &own, value, &d)?)
            }
        };
        if let Some(name) = &func.names[v.0 as usize] {
            b.name(value, name);
        }
        here.push(value);
        moves.push(tangent);
    }
    let of = |from: &[Value], v: Value| from[v.0 as usize];
    let values = func.outputs.iter().map(|o| of(&here, o.value)).collect();
    Ok((values, func.outputs.iter().map(|o| moves[o.value.0 as usize]).collect()))
}

/// What the result of a node moves by.
fn tangent(
    b: &mut Builder,
    node: &Node,
    args: &[Value],
    out: Value,
    d: &[Option<Value>],
) -> Result<Option<Value>, Error> {
    if d.iter().all(Option::is_none) || !node.ty.dtype.is_float() {
        return Ok(None);
    }
    match &node.op {
        Op::Map(Scalar::Select) => {
            let (yes, no) = (still(b, d[1], out)?, still(b, d[2], out)?);
            b.map(Scalar::Select, &[args[0], yes, no]).map(Some)
        }
        Op::Map(s) => {
            let mut sum = None;
            for (i, d) in d.iter().enumerate().filter_map(|(i, d)| Some((i, (*d)?))) {
                let part = scalar::vjp(b, *s, args, out, d)?[i];
                sum = added(b, sum, part)?;
            }
            Ok(sum)
        }
        Op::Contract { .. } => {
            let left = d[0].map(|l| b.emit(node.op.clone(), &[l, args[1]])).transpose()?;
            let right = d[1].map(|r| b.emit(node.op.clone(), &[args[0], r])).transpose()?;
            added(b, left, right)
        }
        Op::Concat(_) => {
            let parts: Result<Vec<Value>, Error> =
                d.iter().zip(args).map(|(d, arg)| still(b, *d, *arg)).collect();
            b.emit(node.op.clone(), &parts?).map(Some)
        }
        Op::Update(_) => {
            let (base, x) = (still(b, d[0], args[0])?, still(b, d[1], args[1])?);
            b.emit(node.op.clone(), &[base, x, args[2]]).map(Some)
        }
        Op::Rule(rule) => by_rule(b, rule, args, out, d),
        Op::Reduce(Reduction::Max, axes) => maximum(b, axes, args[0], out, d[0]),
        // Linear in the first argument; others are integers.
        Op::Gather(_)
        | Op::ScatterAdd(..)
        | Op::Reshape(_)
        | Op::Permute(_)
        | Op::Broadcast(_)
        | Op::Slice(_)
        | Op::Pad(_)
        | Op::Windows(_)
        | Op::Fold(..)
        | Op::Reduce(Reduction::Sum, _)
        | Op::Cast(_) => {
            let Some(x) = d[0] else { return Ok(None) };
            let moved: Vec<Value> = std::iter::once(x).chain(args[1..].iter().copied()).collect();
            b.emit(node.op.clone(), &moved).map(Some)
        }
        Op::Input(_)
        | Op::Const(..)
        | Op::Iota { .. }
        | Op::ArgMax(_)
        | Op::StopGrad
        | Op::Random(..)
        | Op::Scan(_)
        | Op::Result(..) => Ok(None),
    }
}

/// The rule is linear in the cotangent: its own gradient in it is the tangent.
fn by_rule(
    b: &mut Builder,
    rule: &Func,
    args: &[Value],
    out: Value,
    d: &[Option<Value>],
) -> Result<Option<Value>, Error> {
    let transposed = super::vjp(rule, &[rule.inputs.len() - 1])?;
    let mut all = [&args[1..], &[out, b.splat(0.0, out)?]].concat();
    for (arg, d) in args.iter().zip(d).skip(1) {
        if b.ty(*arg).dtype.is_float() {
            all.push(still(b, *d, *arg)?);
        }
    }
    Ok(b.inline(&transposed, &all)?.first().copied())
}

/// The tangents of those that reach the maximum, in the shares of its gradient.
fn maximum(
    b: &mut Builder,
    axes: &[usize],
    x: Value,
    out: Value,
    d: Option<Value>,
) -> Result<Option<Value>, Error> {
    let Some(d) = d else { return Ok(None) };
    let shares = reduce::shares(b, x, out, axes)?;
    let zero = b.splat(0.0, d)?;
    let of_hits = b.map(Scalar::Select, &[shares.hit, d, zero])?;
    let moved = b.emit(Op::Reduce(Reduction::Sum, axes.to_vec()), &[of_hits])?;
    shares.count.map_or(Ok(moved), |count| b.map(Scalar::Div, &[moved, count])).map(Some)
}

fn still(b: &mut Builder, d: Option<Value>, like: Value) -> Result<Value, Error> {
    d.map_or_else(|| b.splat(0.0, like), Ok)
}

fn added(b: &mut Builder, x: Option<Value>, y: Option<Value>) -> Result<Option<Value>, Error> {
    match (x, y) {
        (Some(x), Some(y)) => b.map(Scalar::Add, &[x, y]).map(Some),
        (x, y) => Ok(x.or(y)),
    }
}

/// Which inputs of a loop's body move, where these arguments do: a carry also by what it becomes.
fn moving(scan: &Scan, d: &[Option<Value>]) -> Vec<bool> {
    let body = &scan.body;
    let mut moving: Vec<bool> = d.iter().map(Option::is_some).collect();
    loop {
        let from: Vec<Value> = (0..moving.len()).filter(|i| moving[*i]).map(|i| body.input(i)).collect();
        let reached = super::reached_from(body, &from);
        let becomes = |j: &usize| body.outputs[*j].value;
        let grown = (0..scan.carries).filter(|j| {
            !moving[*j] && reached[becomes(j).0 as usize] && body.ty(becomes(j)).dtype.is_float()
        });
        let grown: Vec<usize> = grown.collect();
        if grown.is_empty() {
            return moving;
        }
        grown.into_iter().for_each(|j| moving[j] = true);
    }
}

/// The loop with tangents behind what they belong to: carries, scanned, fixed, and each turn's results.
fn turns(b: &mut Builder, scan: &Scan, args: &[Value], d: &[Option<Value>]) -> Result<Moving, Error> {
    let moving = moving(scan, d);
    let body = &*scan.body;
    let mut r = Builder::new(&format!("{}_jvp", body.name), b.func().syms.clone());
    let (mut outer, mut inner, mut along) = (Vec::new(), vec![], vec![None; args.len()]);
    let ends = [0, scan.carries, scan.carries + scan.scanned, args.len()];
    let mut counts = Vec::new();
    for range in ends.windows(2).map(|w| w[0]..w[1]) {
        let before = outer.len();
        for i in range.clone() {
            let input = &body.inputs[i];
            inner.push(r.input(&input.name, input.ty.clone(), input.role));
            outer.push(args[i]);
        }
        for i in range.filter(|i| moving[*i]) {
            let input = &body.inputs[i];
            along[i] = Some(r.input(&format!("tangent.{}", input.name), input.ty.clone(), Role::Argument));
            outer.push(still(b, d[i], args[i])?);
        }
        counts.push(outer.len() - before);
    }
    let (values, tangents) = forward(&mut r, body, &inner, &along)?;
    let carries = 0..scan.carries;
    let mut order: Vec<(usize, bool)> = carries.clone().map(|i| (i, false)).collect();
    order.extend(carries.filter(|i| moving[*i]).map(|i| (i, true)));
    order.extend((scan.carries..values.len()).flat_map(|i| [(i, false), (i, true)]));
    order.retain(|(i, tangent)| !tangent || *i < scan.carries || tangents[*i].is_some());
    for &(i, tangent) in &order {
        let name = &body.outputs[i].name;
        match tangent {
            true => {
                let tangent = still(&mut r, tangents[i], values[i])?;
                r.output(&format!("tangent.{name}"), tangent, None);
            }
            false => r.output(name, values[i], None),
        }
    }
    let guard = scan.guard.map(|g| r.func().input_of(inner[g]));
    let both =
        Scan { body: Arc::new(r.finish()), carries: counts[0], scanned: counts[1], guard, ..scan.clone() };
    let results = b.scan(both, &outer)?;
    let of = |i: usize, tangent: bool| order.iter().position(|o| *o == (i, tangent)).map(|at| results[at]);
    let values = (0..values.len()).map(|i| of(i, false).expect("each result is there")).collect();
    Ok((values, (0..tangents.len()).map(|i| of(i, true)).collect()))
}

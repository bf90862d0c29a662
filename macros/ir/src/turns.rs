//! From a loop's body, traced once with a symbol for its counter, to a Scan.
//!
//! What doesn't change from turn to turn is computed before the loop; a slice at the counter is scanned; a product of what
//! is scanned and what is fixed is one product for all turns, before the loop. Views stay inside: they cost nothing there.

use crate::composite::reduce;
use crate::{Builder, DType, Dim, Error, Fault, Func, Node, Op, Scalar, Scan, SliceAxis, Sym, Ty, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where an input of the body comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Feed {
    /// Carried, with this value at first. The outputs of the body begin with what the carries become, in order.
    Carry(Value),
    /// The turn's element of this value, `[trips, …]`.
    Each(Value),
    /// This value in each turn.
    Fixed(Value),
    /// The counter, an i64.
    Counter,
}

/// A loop to be built.
#[derive(Clone, Debug)]
pub struct Turns {
    /// The counter in slices of the body.
    pub counter: Sym,
    /// Its least value.
    pub start: Dim,
    /// Its distance from one turn to the next.
    pub step: i64,
    /// Number of turns.
    pub trips: Dim,
    /// Whether the counter goes from its greatest value to its least.
    pub reverse: bool,
    /// What feeds each input of the body.
    pub feeds: Vec<Feed>,
    /// Whether what is scanned are layers: they may lie apart, so that no product reads them all.
    pub layers: bool,
}

/// Builds the loop. Results: the last carries, then each further output of the body for all turns, `[trips, …]`.
///
/// # Errors
/// If a size depends on the counter, or a carry becomes another type than it was.
pub fn close(b: &mut Builder, body: &Func, turns: &Turns) -> Result<Vec<Value>, Error> {
    let syms = b.func().syms.clone();
    let mut closing = Closing {
        inner: Builder::new(&body.name, syms),
        b,
        body,
        turns,
        at: Vec::new(),
        inside: BTreeMap::new(),
        passed: Vec::new(),
    };
    for (v, node) in body.values() {
        let at = closing.placed(v, node)?;
        closing.at.push(at);
    }
    for output in &body.outputs {
        let v = closing.inside(output.value)?;
        closing.inner.output(&output.name, v, None);
    }
    closing.finish()
}

/// Where a value of the body is computed.
#[derive(Clone, Copy, PartialEq)]
enum At {
    /// In each turn.
    Turn(Value),
    /// Before the loop: it is the same in each turn.
    Before(Value),
    /// Before the loop, for all turns: `[trips, …]`.
    Stacked { all: Value, computed: bool },
}

struct Closing<'a> {
    b: &'a mut Builder,
    inner: Builder,
    body: &'a Func,
    turns: &'a Turns,
    at: Vec<At>,
    /// Values of the body as values of a turn.
    inside: BTreeMap<Value, Value>,
    /// What feeds each input of a turn.
    passed: Vec<Feed>,
}

impl Closing<'_> {
    fn placed(&mut self, v: Value, node: &Node) -> Result<At, Error> {
        if let Op::Input(i) = node.op {
            return Ok(match self.turns.feeds[i as usize] {
                Feed::Fixed(value) => At::Before(value),
                Feed::Each(all) => At::Stacked { all, computed: false },
                Feed::Counter => At::Stacked { all: self.counter()?, computed: false },
                Feed::Carry(_) => {
                    let input = &self.body.inputs[i as usize];
                    let value = self.inner.input(&input.name, input.ty.clone(), input.role);
                    self.passed.push(self.turns.feeds[i as usize]);
                    At::Turn(value)
                }
            });
        }
        self.check(node)?;
        self.b.at(node.loc);
        self.inner.at(node.loc);
        if let Op::Slice(axes) = &node.op
            && axes.iter().any(|a| self.varies(&a.start))
        {
            return self.slice(node, axes);
        }
        let args: Vec<At> = node.args.iter().map(|a| self.at[a.0 as usize]).collect();
        if args.iter().all(|a| matches!(a, At::Before(_))) {
            let before =
                args.iter().map(|a| if let At::Before(v) = a { *v } else { unreachable!("just seen") });
            let value = self.b.emit(node.op.clone(), &before.collect::<Vec<_>>())?;
            self.named(v, value);
            return Ok(At::Before(value));
        }
        if let Some(all) = self.stacked(node, &args)? {
            self.named(v, all);
            let computed = !is_view(self.body, node)
                || args.iter().any(|a| matches!(a, At::Stacked { computed: true, .. }));
            return Ok(At::Stacked { all, computed });
        }
        let args: Result<Vec<Value>, Error> = node.args.iter().map(|a| self.inside(*a)).collect();
        let value = self.inner.emit(node.op.clone(), &args?)?;
        if let Some(name) = &self.body.names[v.0 as usize] {
            self.inner.name(value, name);
        }
        Ok(At::Turn(value))
    }

    fn named(&mut self, v: Value, value: Value) {
        if let Some(name) = &self.body.names[v.0 as usize] {
            self.b.name(value, name);
        }
    }

    fn varies(&self, d: &Dim) -> bool {
        d.syms().contains(&self.turns.counter)
    }

    /// Whether the counter occurs in nothing but the start of a slice.
    fn check(&self, node: &Node) -> Result<(), Error> {
        let sized = node.ty.shape.iter().any(|d| self.varies(d));
        let pads = matches!(&node.op, Op::Pad(axes) if axes.iter().any(|a| self.varies(&a.low) || self.varies(&a.high)));
        let nested = matches!(&node.op, Op::Scan(scan) if self.occurs_in(&scan.body));
        if sized || pads || nested {
            let op = crate::ops::name(&node.op).to_string();
            return Err(self
                .b
                .error(Fault::Attribute { op, what: "a size changes from turn to turn".into() }));
        }
        Ok(())
    }

    fn occurs_in(&self, func: &Func) -> bool {
        let cut = |n: &Node| self.is_cut(n) || matches!(&n.op, Op::Scan(scan) if self.occurs_in(&scan.body));
        func.nodes.iter().any(cut)
    }

    /// The counter in all turns.
    fn counter(&mut self) -> Result<Value, Error> {
        let iota = self.b.emit(Op::Iota { len: self.turns.trips.clone(), dtype: DType::I64 }, &[])?;
        let start = reduce::size(self.b, &self.turns.start, DType::I64)?;
        let step = self.b.constant(self.turns.step as f64, DType::I64);
        let run = self.b.elementwise(Scalar::Mul, &[iota, step])?;
        self.b.elementwise(Scalar::Add, &[run, start])
    }

    /// A slice at the counter: scanned, if it takes one element of what doesn't change; gathered otherwise.
    fn slice(&mut self, node: &Node, axes: &[SliceAxis]) -> Result<At, Error> {
        let moving: Vec<usize> = (0..axes.len()).filter(|i| self.varies(&axes[*i].start)).collect();
        let found = self.at[node.args[0].0 as usize];
        if let (At::Before(x), &[axis]) = (found, &*moving)
            && axes[axis].len.is(1)
            && let Some((by, rest)) = axes[axis].start.linear_in(self.turns.counter)
            && by * self.turns.step > 0
        {
            let mut whole = axes.to_vec();
            let start = self.turns.start.clone() * Dim::from(by) + rest;
            whole[axis] = SliceAxis { start, len: self.turns.trips.clone(), step: by * self.turns.step };
            let rows = self.b.emit(Op::Slice(whole), &[x])?;
            let mut perm: Vec<usize> = (0..axes.len()).filter(|i| *i != axis).collect();
            perm.insert(0, axis);
            let first = self.b.emit(Op::Permute(perm), &[rows])?;
            let all = self.b.emit(Op::Reshape(self.all(&node.ty)), &[first])?;
            return Ok(At::Stacked { all, computed: false });
        }
        let mut x = self.inside(node.args[0])?;
        let shape = self.inner.ty(x).shape.clone();
        let fixed = |(i, a): (usize, &SliceAxis)| match moving.contains(&i) {
            true => SliceAxis { start: 0.into(), len: shape[i].clone(), step: 1 },
            false => a.clone(),
        };
        x = self.inner.emit(Op::Slice(axes.iter().enumerate().map(fixed).collect()), &[x])?;
        for axis in moving {
            x = self.gathered(x, axis, &axes[axis])?;
        }
        Ok(At::Turn(x))
    }

    fn gathered(&mut self, x: Value, axis: usize, a: &SliceAxis) -> Result<Value, Error> {
        let Some((by, rest)) = a.start.linear_in(self.turns.counter) else {
            let what = "its start is no multiple of the counter".to_string();
            return Err(self.b.error(Fault::Attribute { op: "slice".into(), what }));
        };
        let all = self.counter()?;
        let t = self.each(all)?;
        let b = &mut self.inner;
        let (by, step) = (b.constant(by as f64, DType::I64), b.constant(a.step as f64, DType::I64));
        let rest = reduce::size(b, &rest, DType::I64)?;
        let moved = b.map(Scalar::Mul, &[t, by])?;
        let start = b.map(Scalar::Add, &[moved, rest])?;
        let iota = b.emit(Op::Iota { len: a.len.clone(), dtype: DType::I64 }, &[])?;
        let run = b.elementwise(Scalar::Mul, &[iota, step])?;
        let index = b.elementwise(Scalar::Add, &[run, start])?;
        let shape = b.ty(x).shape.clone();
        let others = shape.into_iter().enumerate().filter(|(i, _)| *i != axis);
        let index = b.emit(Op::Broadcast(others.collect()), &[index])?;
        b.emit(Op::Gather(axis), &[x, index])
    }

    fn all(&self, ty: &Ty) -> Vec<Dim> {
        [std::slice::from_ref(&self.turns.trips), &ty.shape].concat()
    }

    /// The value for all turns, if it is worth having before the loop.
    fn stacked(&mut self, node: &Node, args: &[At]) -> Result<Option<Value>, Error> {
        let is_computed = args.iter().any(|a| matches!(a, At::Stacked { computed: true, .. }));
        let op = match (&node.op, args) {
            (_, args) if args.iter().any(|a| matches!(a, At::Turn(_))) => return Ok(None),
            (Op::Reshape(_), _) => Op::Reshape(self.all(&node.ty)),
            (Op::Permute(perm), _) => {
                Op::Permute(std::iter::once(0).chain(perm.iter().map(|p| p + 1)).collect())
            }
            (Op::Broadcast(axes), _) if is_computed => {
                Op::Broadcast(axes.iter().map(|(at, len)| (at + 1, len.clone())).collect())
            }
            (Op::Contract { lhs, rhs, out }, [left, right]) if !self.turns.layers => {
                let turn = lhs.iter().chain(rhs).max().map_or(0, |l| l + 1);
                let side = |labels: &[u8], at: &At| match at {
                    At::Stacked { .. } => [&[turn], labels].concat(),
                    _ => labels.to_vec(),
                };
                Op::Contract {
                    lhs: side(lhs, left),
                    rhs: side(rhs, right),
                    out: [&[turn], out.as_slice()].concat(),
                }
            }
            (Op::Map(_) | Op::Cast(_), _) if is_computed => node.op.clone(),
            _ => return Ok(None),
        };
        let is_map = matches!(op, Op::Map(_));
        let mut all = Vec::new();
        for arg in args {
            all.push(match arg {
                At::Stacked { all, .. } => *all,
                At::Before(v) if is_map => {
                    self.b.emit(Op::Broadcast(vec![(0, self.turns.trips.clone())]), &[*v])?
                }
                At::Before(v) | At::Turn(v) => *v,
            });
        }
        self.b.emit(op, &all).map(Some)
    }

    /// A value of the body in a turn.
    fn inside(&mut self, v: Value) -> Result<Value, Error> {
        if let Some(known) = self.inside.get(&v) {
            return Ok(*known);
        }
        let node = self.body.node(v);
        let value = match self.at[v.0 as usize] {
            At::Turn(value) => value,
            // An element as it lies there: no view is left of it.
            At::Stacked { all, .. } if !is_view(self.b.func(), self.b.func().node(all)) => self.each(all)?,
            At::Stacked { computed: false, .. } | At::Before(_)
                if is_view(self.body, node) && !self.is_cut(node) =>
            {
                let args: Result<Vec<Value>, Error> = node.args.iter().map(|a| self.inside(*a)).collect();
                self.inner.emit(node.op.clone(), &args?)?
            }
            At::Stacked { all, .. } => self.each(all)?,
            At::Before(value) => self.fixed(value),
        };
        if let Some(name) = &self.body.names[v.0 as usize] {
            self.inner.name(value, name);
        }
        self.inside.insert(v, value);
        Ok(value)
    }

    /// Whether it is a slice at the counter.
    fn is_cut(&self, node: &Node) -> bool {
        matches!(&node.op, Op::Slice(axes) if axes.iter().any(|a| self.varies(&a.start)))
    }

    fn each(&mut self, all: Value) -> Result<Value, Error> {
        let ty = self.b.ty(all);
        let ty = Ty::new(ty.dtype, &ty.shape[1..]);
        Ok(self.pass(Feed::Each(all), ty))
    }

    fn fixed(&mut self, value: Value) -> Value {
        let ty = self.b.ty(value).clone();
        self.pass(Feed::Fixed(value), ty)
    }

    fn pass(&mut self, feed: Feed, ty: Ty) -> Value {
        if let Some(i) = self.passed.iter().position(|p| *p == feed) {
            return self.inner.func().input(i);
        }
        let (Feed::Each(from) | Feed::Fixed(from) | Feed::Carry(from)) = feed else {
            unreachable!("it has a value")
        };
        let name = self.b.func().names[from.0 as usize].clone().unwrap_or_else(|| "each".into());
        self.passed.push(feed);
        self.inner.input(&name, ty, crate::Role::Argument)
    }

    fn finish(self) -> Result<Vec<Value>, Error> {
        let rank = |i: &usize| match self.passed[*i] {
            Feed::Carry(_) => 0,
            Feed::Each(_) => 1,
            _ => 2,
        };
        let mut order: Vec<usize> = (0..self.passed.len()).collect();
        order.sort_by_key(rank);
        let args: Vec<Value> = order
            .iter()
            .map(|i| match self.passed[*i] {
                Feed::Carry(v) | Feed::Each(v) | Feed::Fixed(v) => v,
                Feed::Counter => unreachable!("the counter is passed as what is scanned"),
            })
            .collect();
        let scan = Scan {
            carries: order.iter().filter(|i| rank(i) == 0).count(),
            scanned: order.iter().filter(|i| rank(i) == 1).count(),
            body: Arc::new(self.inner.finish().reordered(&order)),
            trips: self.turns.trips.clone(),
            reverse: self.turns.reverse,
            again: false,
            guard: None,
        };
        self.b.scan(scan, &args)
    }
}

/// Whether it costs nothing where it is read.
fn is_view(func: &Func, node: &Node) -> bool {
    let op = &node.op;
    // What is narrow is read as f32 wherever it is read.
    let widens =
        matches!(op, Op::Cast(DType::F32)) && node.args.iter().all(|a| func.ty(*a).dtype.is_narrow());
    let moves =
        matches!(op, Op::Reshape(_) | Op::Permute(_) | Op::Broadcast(_) | Op::Slice(_) | Op::Windows(_));
    widens || moves || matches!(op, Op::Const(..) | Op::Iota { .. } | Op::StopGrad)
}

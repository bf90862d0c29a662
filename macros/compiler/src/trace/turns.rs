//! Loops that stay loops: the body is traced once, with a symbol for its counter, until it is known what it carries.

use super::Tracer;
use super::frame::{Flow, Frame};
use super::iterate::UNROLLED;
use super::value::{Range, Tensor, Value, Var, Variable};
use crate::message::body as message;
use kiln_ir::composite::{index, reduce};
use kiln_ir::turns::{self, Feed, Turns};
use kiln_ir::{Builder, DType, Dim, Error, Op, Role, Scalar, Sym, SymKind, Ty};
use syn::{ExprForLoop, Pat};

/// What a frame is a turn of.
pub(crate) struct Turn {
    /// The counter, in slices and other sizes.
    counter: Sym,
    /// The counter as an input, once its value is asked for.
    number: Option<kiln_ir::Value>,
    /// Those that would have to be.
    missed: Vec<Var>,
    /// What is pushed to lists from outside, in order.
    pushed: Vec<(Var, Value)>,
    /// The tensors of a layer, each with the place of those of all layers, and what it was at first.
    layers: Vec<(Var, Var, Value)>,
}

/// Element-wise operations of all turns that are unrolled.
const SMALL: i64 = 32;

/// Why a loop can't stay one.
enum Obstacle {
    /// Faults were noted, or tracing starts over.
    Noted,
    /// It is faster unrolled.
    Small,
    /// This.
    Because(String),
}

impl<'a> Tracer<'a> {
    /// Runs a loop as one, if it is long enough and its turns are equal; `None` if it must be unrolled.
    pub fn turns(&mut self, f: &ExprForLoop, over: &Value) -> Option<Value> {
        let range = match over {
            Value::Range(range) => (**range).clone(),
            Value::Series(t) => {
                Range { start: 0.into(), trips: self.ty(t).shape[0].clone(), step: 1, reverse: false }
            }
            Value::Layers(all) => {
                Range { start: 0.into(), trips: all.count.into(), step: 1, reverse: all.reverse }
            }
            _ => return None,
        };
        if range.trips.literal().is_some_and(|n| n <= UNROLLED) {
            return None;
        }
        let can_unroll = range.trips.literal().is_some();
        let (faults, before) = (self.errors.len(), self.vars.clone());
        let mut carried: Vec<Var> = Vec::new();
        loop {
            self.vars = before.clone();
            let traced = self.turn(f, over, &range, &carried);
            let frame = self.frames.pop().expect("the turn's own");
            if self.again {
                self.vars = before;
                return Some(Value::Poison);
            }
            let turn = frame.turn.as_ref().expect("it is one");
            let missed: Vec<Var> = turn.missed.iter().copied().filter(|v| !carried.contains(v)).collect();
            let sound = self.errors.len() == faults;
            let changed: Vec<Var> =
                turn.missed.iter().copied().chain(turn.pushed.iter().map(|(v, _)| *v)).collect();
            let closed = match traced {
                Ok(()) if !missed.is_empty() => {
                    self.errors.truncate(faults);
                    match missed.iter().find(|v| !matches!(self.read_in(&before, **v), Value::Tensor(_))) {
                        None => {
                            carried.extend(missed);
                            continue;
                        }
                        Some(other) if self.read_in(&before, *other).is_poison() => Err(Obstacle::Noted),
                        Some(other) => Err(Obstacle::Because(message::turn_variable(&before[other.0].name))),
                    }
                }
                Ok(()) if sound && is_small(&frame, &range) && !is_array(over) => Err(Obstacle::Small),
                Ok(()) if sound => self.closed(frame, &range, &carried, before.clone()),
                Ok(()) => Err(Obstacle::Noted),
                Err(obstacle) => Err(obstacle),
            };
            return match closed {
                Ok(()) => Some(Value::Unit),
                Err(_) if can_unroll => {
                    self.errors.truncate(faults);
                    self.vars = before;
                    match over {
                        Value::Layers(layers) if is_array(over) => Some(self.separate(layers)),
                        _ => None,
                    }
                }
                Err(obstacle) => {
                    self.vars = before;
                    // What the loop would have changed is no second fault.
                    let changed = changed.iter().chain(&carried);
                    changed.for_each(|var| self.vars[var.0].value = Value::Poison);
                    if let Obstacle::Because(why) = obstacle {
                        self.unsettled(f.for_token, &[range.trips], message::turn_unlike(&why));
                    }
                    Some(Value::Poison)
                }
            };
        }
    }

    fn read_in(&self, vars: &[Variable], var: Var) -> Value {
        match &vars[var.0].value {
            Value::Place(inner) => self.read_in(vars, *inner),
            other => other.clone(),
        }
    }

    /// Traces the body once, in a frame of its own, which stays.
    fn turn(
        &mut self,
        f: &ExprForLoop,
        over: &Value,
        range: &Range,
        carried: &[Var],
    ) -> Result<(), Obstacle> {
        let counter = match &*f.pat {
            Pat::Ident(p) if !matches!(over, Value::Layers(_)) => self.counter(&p.ident.to_string()),
            _ => self.counter("turn"),
        };
        let owner = self.owner();
        let scopes = self.frame().scopes.clone();
        let builder = Builder::new(&format!("{}_turn", owner.name), self.syms.clone());
        let mut frame = Frame::new(builder, owner, scopes);
        let turn = Turn { counter, number: None, missed: vec![], pushed: vec![], layers: vec![] };
        frame.turn = Some(turn);
        self.frames.push(frame);
        for var in carried {
            let Value::Tensor(t) = self.read(Value::Place(*var)) else { continue };
            let (ty, name) = (self.ty(&t), self.vars[var.0].name.clone());
            let role = self.vars[var.0].role.unwrap_or(Role::Argument);
            let at = self.b().input(&name, ty, role);
            self.vars[var.0].value = self.tensor(at);
            self.vars[var.0].level = self.level();
        }
        let at = Dim::from(counter);
        let item = match over {
            Value::Series(t) => self.nth_of(t, &at, &f.expr).unwrap_or(Value::Poison),
            Value::Layers(layers) => self.layer(&layers.each, &at, &f.expr),
            _ => Value::Int(at),
        };
        debug_assert!(range.step > 0);
        self.scoped(|tracer| {
            tracer.pattern(&f.pat, item);
            tracer.statements(&f.body.stmts)
        });
        match self.frame().flow {
            Flow::On => Ok(()),
            _ => Err(Obstacle::Because(message::turn_jump())),
        }
    }

    /// A symbol for the counter that no loop around has.
    pub(super) fn counter(&mut self, wanted: &str) -> Sym {
        let mut name = wanted.to_string();
        loop {
            let known = self.syms.0.iter().position(|s| s.name == name);
            let free = known.is_none_or(|i| {
                let open = |f: &Frame| f.turn.as_ref().is_some_and(|t| t.counter.0 as usize == i);
                self.syms.0[i].kind == SymKind::Turn && !self.frames.iter().any(open)
            });
            if free {
                return self.syms.intern(&name, SymKind::Turn);
            }
            name.push('\'');
        }
    }

    /// The traced body as a loop of the frame around.
    fn closed(
        &mut self,
        mut frame: Frame<'a>,
        range: &Range,
        carried: &[Var],
        before: Vec<Variable>,
    ) -> Result<(), Obstacle> {
        let turn = frame.turn.take().expect("it is one");
        *frame.builder.syms() = self.syms.clone();
        self.frames.push(frame);
        let mut feeds = Vec::new();
        for var in carried {
            let Value::Tensor(now) = self.read(Value::Place(*var)) else {
                self.frames.pop();
                return Err(Obstacle::Because(message::turn_variable(&before[var.0].name)));
            };
            let Value::Tensor(first) = self.read_in(&before, *var) else { unreachable!("it is a tensor") };
            let (was, is) = (self.ty(&first), self.ty(&now));
            if was != is && !(was.dtype == is.dtype && self.same_shape(&was.shape, &is.shape)) {
                let (was, is) = (self.show_ty(&was), self.show_ty(&is));
                self.frames.pop();
                return Err(Obstacle::Because(message::turn_type(&before[var.0].name, &was, &is)));
            }
            let at = self.here(&now);
            self.b().output(&before[var.0].name, at, None);
            feeds.push(first);
        }
        let mut lists: Vec<Var> = Vec::new();
        for (var, value) in &turn.pushed {
            let (Value::Tensor(t), false) = (self.read(value.clone()), lists.contains(var)) else {
                self.frames.pop();
                return Err(match value.is_poison() {
                    true => Obstacle::Noted,
                    false => Obstacle::Because(message::turn_push(&before[var.0].name)),
                });
            };
            let at = self.here(&t);
            self.b().output(&before[var.0].name, at, None);
            lists.push(*var);
        }
        let mut changed: Vec<Var> = Vec::new();
        for (all, own, first) in &turn.layers {
            let (Some(now), Value::Tensor(first)) = (self.place_value(*own), first) else { continue };
            if now != first.at {
                self.b().output(&before[all.0].name, now, None);
                changed.push(*all);
            }
        }
        let frame = self.frames.pop().expect("just pushed");
        self.vars = before;
        let feeds: Vec<Feed> = feeds.iter().map(|t| Feed::Carry(self.here(t))).collect();
        let feeds = self.fed(&frame, feeds, &turn);
        let turns = Turns {
            counter: turn.counter,
            start: range.start.clone(),
            step: range.step,
            trips: range.trips.clone(),
            reverse: range.reverse,
            feeds,
            layers: !turn.layers.is_empty(),
        };
        let body = frame.builder.finish();
        let results = turns::close(self.b(), &body, &turns).map_err(|error| self.unlike(&error))?;
        for (var, result) in carried.iter().zip(&results) {
            let value = self.tensor(*result);
            self.write(*var, value);
        }
        for (var, result) in lists.iter().zip(&results[carried.len()..]) {
            let Value::Tensor(t) = self.tensor(*result) else { continue };
            // What is pushed last in Rust comes last, whatever the counter was.
            let t = if range.reverse { self.backwards(&t) } else { t };
            self.write(*var, Value::Series(t));
        }
        for (var, result) in changed.iter().zip(&results[carried.len() + lists.len()..]) {
            let value = self.tensor(*result);
            self.write(*var, value);
        }
        Ok(())
    }

    fn unlike(&self, error: &Error) -> Obstacle {
        Obstacle::Because(error.to_string())
    }

    /// What feeds each input of a turn, the carried ones first.
    fn fed(&mut self, frame: &Frame<'a>, carries: Vec<Feed>, turn: &Turn) -> Vec<Feed> {
        let inputs = frame.builder.func().inputs.len();
        let mut feeds = carries;
        for i in feeds.len()..inputs {
            let value = frame.builder.func().input(i);
            let captured = frame.captures.iter().find(|(_, inner)| *inner == value).map(|(outer, _)| outer);
            feeds.push(match captured {
                Some(outer) => Feed::Fixed(self.here(outer)),
                None => {
                    debug_assert_eq!(Some(value), turn.number);
                    Feed::Counter
                }
            });
        }
        feeds
    }

    fn backwards(&mut self, t: &Tensor) -> Tensor {
        let x = self.here(t);
        let flipped = index::flip(self.b(), x, &[0]).expect("a series has a first dim");
        Tensor { at: flipped, level: self.level(), chain: None }
    }

    /// Notes that a turn has the tensor of a layer in a place of its own.
    pub(super) fn sees_layer(&mut self, all: Var, own: Var) {
        let first = self.vars[own.0].value.clone();
        if let Some(turn) = &mut self.frame().turn {
            turn.layers.push((all, own, first));
        }
    }

    /// Notes what a loop pushes to a list from outside; `false` if the list is its own, or no loop runs.
    pub fn pushes_in_turn(&mut self, var: Var, value: &Value) -> bool {
        let (level, own) = (self.level(), self.vars[var.0].level);
        let empty = matches!(&self.vars[var.0].value, Value::Array(list) if list.is_empty());
        match &mut self.frame().turn {
            Some(turn) if own < level && own + 1 == level && empty => turn.pushed.push((var, value.clone())),
            _ => return false,
        }
        true
    }

    /// Whether a variable may be changed here: only loops, and closures that may change what they see, stand between.
    pub fn reaches(&self, var: Var) -> bool {
        self.frames[self.vars[var.0].level + 1..].iter().all(|f| f.turn.is_some() || f.changed.is_some())
    }

    /// Changes a variable; a loop that it is not carried by notes that it has to be, a closure that it is outside of what it was.
    pub fn write(&mut self, var: Var, value: Value) {
        let (level, own) = (self.level(), self.vars[var.0].level);
        let old = std::mem::replace(&mut self.vars[var.0].value, value);
        if own >= level {
            return;
        }
        let Frame { turn, changed, .. } = self.frame();
        if let Some(turn) = turn
            && !turn.missed.contains(&var)
        {
            turn.missed.push(var);
        }
        if let Some(changed) = changed
            && changed.iter().all(|(known, _)| *known != var)
        {
            changed.push((var, old));
        }
    }

    /// A size as a number of the graph; the counter of a loop around is data.
    pub fn size_number(&mut self, n: &Dim, dtype: DType) -> Result<kiln_ir::Value, Error> {
        let counter = |s: &Sym| self.syms.info(*s).kind == SymKind::Turn;
        let Some(sym) = n.syms().into_iter().find(counter) else { return reduce::size(self.b(), n, dtype) };
        let Some((by, rest)) = n.linear_in(sym) else {
            let what = "a counter is multiplied by a size".to_string();
            let fault = kiln_ir::Fault::Attribute { op: "as".into(), what };
            return Err(self.b().error(fault));
        };
        let t = self.counter_value(sym);
        let rest = self.size_number(&rest, DType::I64)?;
        let by = self.b().constant(by as f64, DType::I64);
        let product = self.b().map(Scalar::Mul, &[t, by])?;
        let sum = self.b().map(Scalar::Add, &[product, rest])?;
        self.b().emit(Op::Cast(dtype), &[sum])
    }

    fn counter_value(&mut self, sym: Sym) -> kiln_ir::Value {
        let is = |f: &Frame| f.turn.as_ref().is_some_and(|t| t.counter == sym);
        let level = self.frames.iter().position(is).expect("a counter lives as long as its loop");
        let frame = &mut self.frames[level];
        *frame.builder.syms() = self.syms.clone();
        let turn = frame.turn.as_mut().expect("just seen");
        let at = *turn
            .number
            .get_or_insert_with(|| frame.builder.input("counter", Ty::scalar(DType::I64), Role::Argument));
        self.here(&Tensor { at, level, chain: None })
    }
}

/// Whether it is over the layers of params, which lie in one place, and not over tensors that were stacked for the loop.
fn is_array(over: &Value) -> bool {
    matches!(over, Value::Layers(layers) if !layers.arrays.is_empty())
}

/// Whether all turns together are few element-wise operations, which one kernel computes where they aren't a loop.
fn is_small(frame: &Frame, range: &Range) -> bool {
    let func = frame.builder.func();
    let maps = func.nodes.iter().filter(|node| matches!(node.op, Op::Map(_) | Op::Cast(_))).count() as i64;
    let whole = |op: &Op| {
        let moves = matches!(op, Op::Reshape(_) | Op::Permute(_) | Op::Broadcast(_) | Op::Slice(_));
        moves || matches!(op, Op::Input(_) | Op::Const(..) | Op::Map(_) | Op::Cast(_))
    };
    let few = range.trips.literal().is_some_and(|n| n * maps <= SMALL);
    few && func.nodes.iter().all(|node| whole(&node.op))
}

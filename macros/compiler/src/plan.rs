//! The plan: in which order kernels run and where each stored value lies.
//!
//! Results that update an input lie in the input itself where that is safe: all other readers of it run before, and
//! the kernel that writes it reads only what it is about to write. Intermediate results lie in slots of one scratch
//! area; a slot is used again once nobody reads its value any more.

pub mod memory;

use crate::fuse::affine::{Affine, flat};
use crate::fuse::expr::{Expr, counters};
use crate::fuse::kernel::{Kernel, Loops};
use crate::fuse::{Fused, kernel};
use kiln_ir::{DType, Dim, Func, Op, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Where a stored value lies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Place {
    /// The function's input of that number.
    Input(usize),
    /// The function's output of that number.
    Output(usize),
    /// A slot of the scratch area.
    Slot(usize),
}

/// One thing to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Run the kernel of that number.
    Run(usize),
    /// Copy a value's elements.
    Copy {
        /// The value.
        value: Value,
        /// From where.
        from: Place,
        /// To where.
        to: Place,
    },
}

/// Order and places.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// Where stored values lie.
    pub places: BTreeMap<Value, Place>,
    /// Bytes of each slot.
    pub slots: Vec<Dim>,
    /// The slot that each loop's turns work in, by kernel.
    pub work: BTreeMap<usize, usize>,
}

/// Plans the kernels of a function.
pub fn plan(func: &Func, fused: &Fused) -> Plan {
    let mut plan = Plan::default();
    let mut order = Order::new(&fused.kernels);
    let mut last = Vec::new();
    inputs(func, &mut plan);
    for (o, out) in func.outputs.iter().enumerate() {
        let value = fused.outputs[o];
        let to = out.updates.map_or(Place::Output(o), Place::Input);
        match plan.places.get(&value).copied() {
            Some(from) if from == to => {}
            // An input that is returned: copied before anything can overwrite it.
            Some(from @ Place::Input(_)) if matches!(func.node(value).op, Op::Input(_)) => {
                first_copy(&mut plan, &mut last, value, from, to);
            }
            Some(from) => last.push(Step::Copy { value, from, to }),
            None if out.updates.is_none_or(|input| order.in_place(func, value, input)) => {
                plan.places.insert(value, to);
            }
            None => last.push(Step::Copy { value, from: to, to }),
        }
    }
    plan.steps.extend(order.sequence().into_iter().map(Step::Run));
    plan.steps.extend(last);
    slots(func, fused, &mut plan);
    plan
}

fn inputs(func: &Func, plan: &mut Plan) {
    for (v, node) in func.values() {
        if let Op::Input(i) = node.op {
            plan.places.insert(v, Place::Input(i as usize));
        }
    }
}

/// Copies an input to an output at once; to another input by way of a slot, because that may still be read.
fn first_copy(plan: &mut Plan, last: &mut Vec<Step>, value: Value, from: Place, to: Place) {
    if matches!(to, Place::Output(_)) {
        return plan.steps.push(Step::Copy { value, from, to });
    }
    last.push(Step::Copy { value, from: to, to });
}

/// The order in which kernels may run.
struct Order<'a> {
    kernels: &'a [Kernel],
    maker: BTreeMap<Value, usize>,
    /// Kernels that must run before each.
    before: Vec<BTreeSet<usize>>,
}

impl<'a> Order<'a> {
    fn new(kernels: &'a [Kernel]) -> Order<'a> {
        let stores = |(k, kernel): (usize, &Kernel)| {
            kernel.stores.iter().map(move |s| (s.value, k)).collect::<Vec<_>>()
        };
        let maker: BTreeMap<Value, usize> = kernels.iter().enumerate().flat_map(stores).collect();
        let before = kernels
            .iter()
            .map(|k| k.reads().iter().filter_map(|v| maker.get(v).copied()).collect())
            .collect();
        Order { kernels, maker, before }
    }

    /// Whether `value` can be written over an input; orders all other readers of it before, if so.
    fn in_place(&mut self, func: &Func, value: Value, input: usize) -> bool {
        let Some(&writer) = self.maker.get(&value) else { return false };
        if func.inputs[input].apart && !is_yielded(&self.kernels[writer], value) {
            return false;
        }
        let is = |v: &Value| matches!(func.node(*v).op, Op::Input(i) if i as usize == input);
        let readers: Vec<usize> = (0..self.kernels.len())
            .filter(|k| *k != writer && self.kernels[*k].reads().iter().any(is))
            .collect();
        if !reads_what_it_writes(&self.kernels[writer], value, &is)
            || readers.iter().any(|r| self.comes_after(*r, writer))
        {
            return false;
        }
        self.before[writer].extend(readers);
        true
    }

    /// Whether kernel `k` must run after `first`.
    fn comes_after(&self, k: usize, first: usize) -> bool {
        let (mut seen, mut open) = (vec![false; self.kernels.len()], vec![k]);
        while let Some(k) = open.pop() {
            if k == first {
                return true;
            }
            if !std::mem::replace(&mut seen[k], true) {
                open.extend(&self.before[k]);
            }
        }
        false
    }

    fn sequence(&self) -> Vec<usize> {
        let (mut done, mut sequence) = (vec![false; self.kernels.len()], Vec::new());
        while sequence.len() < self.kernels.len() {
            let ready = |k: &usize| !done[*k] && self.before[*k].iter().all(|b| done[*b]);
            let next = (0..self.kernels.len()).find(ready).expect("kernels form no cycle");
            done[next] = true;
            sequence.push(next);
        }
        sequence
    }
}

/// Whether a loop makes an element of a value with each turn.
fn is_yielded(kernel: &Kernel, value: Value) -> bool {
    let Loops::Turns(turns) = &kernel.loops else { return false };
    kernel.stores[turns.scan.carries..].iter().any(|s| s.value == value)
}

/// Whether a kernel reads an input only at the element that it stores for `value`.
fn reads_what_it_writes(kernel: &Kernel, value: Value, is: &dyn Fn(&Value) -> bool) -> bool {
    if let Loops::Turns(turns) = &kernel.loops {
        // What is carried may start where it is to end, and a layer be replaced where it lies.
        let result = kernel.stores.iter().position(|s| s.value == value);
        let replaced = result.and_then(|n| turns.part.func.outputs[n].updates);
        return (0..turns.args.len()).all(|i| Some(i) == replaced || !is(&turns.args[i]));
    }
    if let Loops::Scatter { onto: Some(_), .. } = &kernel.loops {
        // What it is written over is copied before, unless it is that input; what is written is read from elsewhere.
        return !kernel.loads().iter().any(is);
    }
    let Some(at) = store_position(kernel, value) else { return !kernel.reads().iter().any(is) };
    let operand = match &kernel.loops {
        Loops::Gemm(g) => g.operands().iter().any(|o| o.reads().iter().any(is)),
        _ => false,
    };
    let elsewhere = kernel.exprs.needed(&kernel.roots()).iter().any(|id| match kernel.exprs.get(*id) {
        Expr::Load(v, load, guards) => is(v) && (*load != at || !guards.is_empty()),
        _ => false,
    });
    !operand && !elsewhere
}

/// Where an iteration stores its element of `value`; `None` for sums of columns.
pub fn store_position(kernel: &Kernel, value: Value) -> Option<Affine> {
    let store: &kernel::Store = kernel.stores.iter().find(|s| s.value == value)?;
    let axes = match (&kernel.loops, store.per_row) {
        (Loops::Columns { .. } | Loops::Scatter { .. } | Loops::Turns(_), _) => return None,
        (_, true) => &kernel.axes[..kernel.outer()],
        (_, false) => &kernel.axes[..],
    };
    Some(flat(&counters(axes.len()), axes))
}

/// Bytes of a value.
pub fn bytes(func: &Func, v: Value) -> Dim {
    let ty = func.ty(v);
    ty.numel() * Dim::from(ty.dtype.size())
}

/// Gives each value without a place a slot, and names the slots in copies.
fn slots(func: &Func, fused: &Fused, plan: &mut Plan) {
    let last_read = last_reads(fused, plan);
    let mut free: Vec<usize> = Vec::new();
    for n in 0..plan.steps.len() {
        match plan.steps[n].clone() {
            Step::Run(k) => {
                for store in &fused.kernels[k].stores {
                    if !plan.places.contains_key(&store.value) {
                        let slot = slot(&mut plan.slots, &mut free, bytes(func, store.value));
                        plan.places.insert(store.value, Place::Slot(slot));
                    }
                }
                if let Loops::Turns(turns) = &fused.kernels[k].loops {
                    let slot = slot(&mut plan.slots, &mut free, turns.part.bytes());
                    plan.work.insert(k, slot);
                    free.push(slot);
                }
            }
            Step::Copy { value, from, to } if from == to => {
                let from = plan.places[&value];
                plan.steps[n] = Step::Copy { value, from, to };
            }
            Step::Copy { .. } => {}
        }
        for (v, last) in &last_read {
            if *last == n
                && let Some(Place::Slot(slot)) = plan.places.get(v)
            {
                free.push(*slot);
            }
        }
    }
    staged(func, plan);
}

/// The last step that reads each value; for one that nobody reads, the step that makes it.
fn last_reads(fused: &Fused, plan: &Plan) -> BTreeMap<Value, usize> {
    let mut last = BTreeMap::new();
    for (n, step) in plan.steps.iter().enumerate() {
        match step {
            Step::Run(k) => {
                let kernel = &fused.kernels[*k];
                last.extend(kernel.stores.iter().map(|s| (s.value, n)));
                last.extend(kernel.reads().into_iter().map(|v| (v, n)));
            }
            Step::Copy { value, .. } => {
                last.insert(*value, n);
            }
        }
    }
    last
}

/// A free slot that surely holds `bytes`, or one that can grow, or a new one.
fn slot(slots: &mut Vec<Dim>, free: &mut Vec<usize>, bytes: Dim) -> usize {
    let room = |slot: usize| at_least(&slots[slot], &bytes);
    let snug = free.iter().position(|s| slots[*s] == bytes);
    let fitting = || {
        let fit = (0..free.len()).filter(|i| room(free[*i]));
        fit.min_by_key(|i| (slots[free[*i]].clone() - bytes.clone()).literal().unwrap_or(i64::MAX))
    };
    if let Some(i) = snug.or_else(fitting) {
        return free.remove(i);
    }
    if let Some(i) = (0..free.len()).rev().find(|i| at_least(&bytes, &slots[free[*i]])) {
        let slot = free.remove(i);
        slots[slot] = bytes;
        return slot;
    }
    slots.push(bytes);
    slots.len() - 1
}

/// Whether `a ≥ b` for all sizes: no term of the difference is negative.
fn at_least(a: &Dim, b: &Dim) -> bool {
    (a.clone() - b.clone()).terms().iter().all(|(_, c)| *c >= 0)
}

/// Inputs that replace other inputs go through a slot of their own, filled before anything is overwritten.
fn staged(func: &Func, plan: &mut Plan) {
    let mut first = Vec::new();
    for step in &mut plan.steps {
        if let Step::Copy { value, from: from @ Place::Input(_), to: Place::Input(_) } = step
            && matches!(func.node(*value).op, Op::Input(_))
        {
            plan.slots.push(bytes(func, *value));
            let slot = Place::Slot(plan.slots.len() - 1);
            first.push(Step::Copy { value: *value, from: *from, to: slot });
            *from = slot;
        }
    }
    plan.steps.splice(0..0, first);
}

/// The Rust type of the elements at a place: truth values are bytes in the scratch area.
pub fn element(dtype: DType, place: Place) -> &'static str {
    match (dtype, place) {
        (DType::Bool, Place::Slot(_)) => "u8",
        _ => dtype.name(),
    }
}

impl Plan {
    /// The bytes of the scratch area, each slot rounded up to whole cache lines, if all are numbers.
    pub fn bytes(&self) -> Option<i64> {
        self.slots.iter().map(|s| s.literal().map(|n| (n + 63) / 64 * 64)).sum()
    }
}

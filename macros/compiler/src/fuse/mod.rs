//! Fusion: a function becomes kernels, loops that each compute and store several values.
//!
//! `group` decides which values one kernel computes, `lower` what its loops do, `expr` what one iteration computes.
//! Invariant: whatever a kernel reads is an input of the function or stored by another kernel.

pub mod affine;
pub mod algorithm;
mod channels;
pub mod cut;
pub mod expr;
mod gemm;
pub mod group;
pub mod kernel;
mod layout;
mod lower;
mod merge;
pub mod panels;
mod prologue;
mod rules;
mod slide;
mod store;
pub mod text;
mod turns;
mod view;
mod windows;

pub use expr::is_widening;
use expr::{counters, size, through};
use group::{Groups, Kind};
use kernel::Kernel;
use kiln_ir::{Dim, Func, Op, Scalar, Value};
pub use layout::lay_out;
use std::collections::{BTreeSet, HashMap};

/// The kernels of a function, in topological order.
#[derive(Clone, Debug)]
pub struct Fused {
    /// Kernels.
    pub kernels: Vec<Kernel>,
    /// The value as which each output is stored: the value itself, or one that has the same elements in the same
    /// order. An input's is not stored by any kernel.
    pub outputs: Vec<Value>,
}

/// Fuses a function that has been laid out.
pub fn fuse(func: &Func) -> Fused {
    let forced = forced(func);
    let buffer = |v: Value| buffer(func, &forced, v);
    let gemms = |v: Value| gemm::is_product(func, v, &buffer);
    let mut groups = group::group(func, forced.clone(), &gemms);
    let outputs: Vec<Value> =
        func.outputs.iter().map(|o| buffer(o.value).expect("outputs are forced")).collect();
    dissolve(&mut groups, &outputs, &buffer);
    let stored = store::stored(&groups, &outputs, &buffer);
    let at = |v: Value| buffer(v).filter(|b| stored.contains(b) || matches!(func.node(*b).op, Op::Input(_)));
    let cx = lower::Context { func, stored: &at };
    let kernels = order(&groups).into_iter().map(|g| {
        let group = &groups.groups[g];
        let stores: Vec<Value> = group.members.iter().copied().filter(|v| stored.contains(v)).collect();
        lower::lower(&cx, group, &stores)
    });
    Fused { kernels: kernels.filter(|k| !k.stores.is_empty()).collect(), outputs }
}

/// Whether a value is computed by loops, not a view.
fn computes(func: &Func, v: Value) -> bool {
    let op = &func.node(v).op;
    let loops = matches!(op, Op::Map(_) | Op::Cast(_) | Op::Concat(_) | Op::Fold(..) | Op::Contract { .. });
    let loops = loops
        || matches!(op, Op::Gather(_) | Op::ScatterAdd(..) | Op::Update(_) | Op::Scan(_) | Op::Result(..));
    let loops = loops || matches!(op, Op::Reduce(..) | Op::ArgMax(_) | Op::Random(..));
    loops && !is_widening(func, v)
}

/// The value as which this one would be stored: itself, or the one it reshapes. `None` for views and constants.
fn buffer(func: &Func, forced: &BTreeSet<Value>, mut v: Value) -> Option<Value> {
    loop {
        match &func.node(v).op {
            _ if forced.contains(&v) => return Some(v),
            _ if size(func, v).is_some() => return None,
            op if computes(func, v) || matches!(op, Op::Input(_)) => return Some(v),
            Op::Reshape(_) | Op::StopGrad => v = func.node(v).args[0],
            _ => return None,
        }
    }
}

/// Views and constants that must be stored: outputs, what loops read, and operands of products that no stride describes.
fn forced(func: &Func) -> BTreeSet<Value> {
    let mut forced = BTreeSet::new();
    for out in &func.outputs {
        if buffer(func, &forced, out.value).is_none() {
            forced.insert(out.value);
        }
    }
    for (_, node) in func.values().filter(|(_, n)| matches!(n.op, Op::Scan(_))) {
        for &arg in &node.args {
            if buffer(func, &forced, arg).is_none() {
                forced.insert(arg);
            }
        }
    }
    for (_, node) in func.values().filter(|(_, n)| matches!(n.op, Op::Update(_))) {
        if buffer(func, &forced, node.args[0]).is_none() {
            forced.insert(node.args[0]);
        }
    }
    for (v, node) in func.values().filter(|(_, n)| matches!(n.op, Op::Contract { .. })) {
        if gemm::is_product(func, v, &|v| buffer(func, &forced, v)) {
            continue;
        }
        for &arg in &node.args {
            forced.extend(obstacle(func, &forced, arg));
        }
    }
    forced
}

/// The view between a value and what is stored behind it that no stride describes, if there is one.
fn obstacle(func: &Func, forced: &BTreeSet<Value>, mut v: Value) -> Option<Value> {
    let mut index = counters(func.ty(v).rank());
    let mut derived = Vec::new();
    while buffer(func, forced, v).is_none() {
        match through(func, v, &index, &mut derived) {
            Some(next) if derived.is_empty() => (v, index) = next,
            _ => return Some(v),
        }
    }
    None
}

/// The values of other groups, and of products' operands, that each group reads.
fn reads(groups: &Groups, v: Value, buffer: &dyn Fn(Value) -> Option<Value>, out: &mut BTreeSet<Value>) {
    for &arg in &groups.func.node(v).args {
        match buffer(arg).filter(|b| groups.of.contains_key(b)) {
            Some(b) => {
                out.insert(b);
            }
            None => reads(groups, arg, buffer, out),
        }
    }
}

/// What a member reads, views and dissolved values passed through.
fn read_by(groups: &Groups, v: Value, buffer: &dyn Fn(Value) -> Option<Value>) -> BTreeSet<Value> {
    let mut out = BTreeSet::new();
    reads(groups, v, buffer, &mut out);
    out
}

/// Who reads each group: reader's group and whether it is an operand of a product or loop.
fn readers(
    groups: &Groups,
    buffer: &dyn Fn(Value) -> Option<Value>,
) -> HashMap<usize, BTreeSet<(usize, bool)>> {
    let mut readers: HashMap<usize, BTreeSet<(usize, bool)>> = HashMap::new();
    for (g, group) in groups.groups.iter().enumerate() {
        for &v in &group.members {
            let operand = is_operand_of(groups.func, group, v);
            for source in read_by(groups, v, buffer) {
                let from = groups.of[&source];
                if from != g {
                    readers.entry(from).or_default().insert((g, operand));
                }
            }
        }
    }
    readers
}

/// Maps that only one other kernel reads are computed there, if that doesn't repeat costly work.
fn dissolve(groups: &mut Groups, outputs: &[Value], buffer: &dyn Fn(Value) -> Option<Value>) {
    let mut readers = readers(groups, buffer);
    for g in (0..groups.groups.len()).rev() {
        let group = &groups.groups[g];
        if group.kind != (Kind::Rows { split: None }) || group.members.iter().any(|v| outputs.contains(v)) {
            continue;
        }
        let mut own = readers.get(&g).into_iter().flatten();
        let (Some(&(reader, false)), None) = (own.next(), own.next()) else { continue };
        let by = &groups.groups[reader];
        // Each pass over a row would compute it again.
        let passes = matches!(by.kind, Kind::Rows { split: Some(_) }) && groups.folds(g);
        let once = !matches!(by.kind, Kind::Gather | Kind::Scatter)
            && !passes
            && numel(&by.axes) == numel(&group.axes);
        let cheap = !group.axes.is_empty()
            && group.members.len() <= 4
            && group.members.iter().all(|v| light(groups.func, *v));
        if once || cheap {
            groups.dissolve(g);
            // Its reader reads now what it read.
            for of in readers.values_mut() {
                if of.remove(&(g, false)) | of.remove(&(g, true)) {
                    of.insert((reader, false));
                }
            }
        }
    }
}

/// Whether what a member reads must be stored: a product, a loop and an update read no expressions.
fn is_operand_of(func: &Func, group: &group::Group, member: Value) -> bool {
    if matches!(func.node(member).op, Op::Update(_)) {
        return true;
    }
    matches!(group.kind, Kind::Gemm(v) | Kind::Turns(v) if v == member)
}

fn numel(axes: &[Dim]) -> Dim {
    axes.iter().fold(Dim::from(1), |n, d| n * d.clone())
}

/// Whether a map costs about as much as loading its result.
fn light(func: &Func, v: Value) -> bool {
    use Scalar::*;
    match &func.node(v).op {
        Op::Map(s) => {
            matches!(s, Add | Sub | Mul | Max | Min | Neg | Abs | Eq | Lt | Le | And | Or | Not | Select)
        }
        Op::Concat(_) | Op::Fold(..) | Op::Reduce(..) | Op::Gather(_) | Op::Random(..) | Op::Result(..) => {
            false
        }
        _ => true,
    }
}

/// Groups in an order in which each comes after those it reads; of several the one made first.
fn order(groups: &Groups) -> Vec<usize> {
    let mut done = vec![false; groups.groups.len()];
    let mut order = Vec::new();
    let first = |g: usize| groups.groups[g].members.first().copied();
    let mut open: Vec<usize> = (0..groups.groups.len()).filter(|g| first(*g).is_some()).collect();
    open.sort_by_key(|g| groups.groups[*g].members.last().copied());
    while !open.is_empty() {
        let ready =
            open.iter().position(|g| groups.groups[*g].deps.iter().all(|d| done[*d] || first(*d).is_none()));
        let g = open.remove(ready.expect("kernels form no cycle"));
        done[g] = true;
        order.push(g);
    }
    order
}

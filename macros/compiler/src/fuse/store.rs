//! Which values are stored: what the caller or another kernel reads, but for what costs less to compute again.

use super::expr::size;
use super::group::{Groups, Kind, wide};
use super::{light, prologue, read_by};
use kiln_ir::{Func, Op, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Who reads a value, beside its own kernel.
#[derive(Default)]
struct Readers {
    /// Products whose operand it is.
    products: BTreeSet<Value>,
    /// Loops, which read no expressions.
    loops: usize,
    /// Others.
    others: usize,
}

/// The values that a kernel stores because another one, or the caller, reads them.
pub fn stored(
    groups: &Groups,
    outputs: &[Value],
    buffer: &dyn Fn(Value) -> Option<Value>,
) -> BTreeSet<Value> {
    let readers = readers(groups, buffer);
    let outputs: BTreeSet<Value> = outputs.iter().copied().filter(|v| groups.of.contains_key(v)).collect();
    let mut stored: BTreeSet<Value> = outputs.iter().chain(readers.keys()).copied().collect();
    // An argument comes before its readers, so that one decision rests on those before.
    for (v, readers) in &readers {
        let mut cost = Again::of(readers, elements(groups.func, *v));
        let free = readers.loops == 0 && !outputs.contains(v);
        if free && again(groups.func, &stored, buffer, *v, true, &mut cost) && cost.is_low() {
            stored.remove(v);
            let at = |v: Value| buffer(v).filter(|b| is_there(groups.func, &stored, *b));
            if !readers.products.iter().all(|p| prologue::pays(groups.func, *p, &at)) {
                stored.insert(*v);
            }
        }
    }
    stored
}

fn readers(groups: &Groups, buffer: &dyn Fn(Value) -> Option<Value>) -> BTreeMap<Value, Readers> {
    let mut readers: BTreeMap<Value, Readers> = BTreeMap::new();
    for (g, group) in groups.groups.iter().enumerate() {
        for &v in &group.members {
            for source in read_by(groups, v, buffer).into_iter().filter(|s| groups.of[s] != g) {
                let of = readers.entry(source).or_default();
                match group.kind {
                    Kind::Gemm(product) if product == v => {
                        of.products.insert(v);
                    }
                    Kind::Turns(scan) if scan == v => of.loops += 1,
                    Kind::Scatter if is_base(groups.func, v, source, buffer) => of.loops += 1,
                    _ => of.others += 1,
                }
            }
        }
    }
    readers
}

/// Whether a value is what an update writes over.
fn is_base(func: &Func, update: Value, of: Value, buffer: &dyn Fn(Value) -> Option<Value>) -> bool {
    let node = func.node(update);
    matches!(node.op, Op::Update(_)) && buffer(node.args[0]) == Some(of)
}

/// Whether a value is in memory.
fn is_there(func: &Func, stored: &BTreeSet<Value>, v: Value) -> bool {
    stored.contains(&v) || matches!(func.node(v).op, Op::Input(_))
}

/// What computing a value again takes, and may take.
struct Again {
    maps: usize,
    /// What is loaded for each element; what is there once for many costs next to nothing.
    loads: BTreeSet<Value>,
    most: [usize; 2],
    /// Elements of the value, if known.
    elements: Option<i64>,
}

/// Elements for each of which there is one of another value, from which on that doesn't count.
const MANY: i64 = 16;

fn elements(func: &Func, v: Value) -> Option<i64> {
    func.ty(v).numel().literal()
}

/// Whether a value has few elements beside so many.
fn is_few(func: &Func, v: Value, beside: Option<i64>) -> bool {
    elements(func, v).zip(beside).is_some_and(|(few, many)| few * MANY <= many)
}

impl Again {
    /// A product that is the only reader computes the value as often as its own kernel would.
    fn of(readers: &Readers, elements: Option<i64>) -> Again {
        let most = match (readers.products.len(), readers.others) {
            (0, _) => [4, 2],
            (1, 0) => [6, 4],
            _ => [2, 2],
        };
        Again { maps: 0, loads: BTreeSet::new(), most, elements }
    }

    fn is_low(&self) -> bool {
        self.maps <= self.most[0] && self.loads.len() <= self.most[1]
    }
}

/// Whether a value can be computed where it is read, from what is stored; counts what that takes.
fn again(
    func: &Func,
    stored: &BTreeSet<Value>,
    buffer: &dyn Fn(Value) -> Option<Value>,
    v: Value,
    first: bool,
    cost: &mut Again,
) -> bool {
    let node = func.node(v);
    if let Some(b) = buffer(v).filter(|b| !first && is_there(func, stored, *b)) {
        if !is_few(func, b, cost.elements) {
            cost.loads.insert(b);
        }
        return true;
    }
    let simple = match &node.op {
        Op::Map(_) | Op::Cast(_) => light(func, v) || wide(&node.ty.shape).is_empty(),
        Op::Reduce(..) => return size(func, v).is_some(),
        Op::ArgMax(_) | Op::Contract { .. } | Op::Concat(_) | Op::Fold(..) | Op::Pad(_) => false,
        Op::Gather(_)
        | Op::ScatterAdd(..)
        | Op::Update(_)
        | Op::Random(..)
        | Op::Scan(_)
        | Op::Result(..) => false,
        _ => true,
    };
    cost.maps += usize::from(matches!(node.op, Op::Map(_)));
    simple && cost.is_low() && node.args.iter().all(|a| again(func, stored, buffer, *a, false, cost))
}

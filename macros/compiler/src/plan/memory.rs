//! The memory map: what lies in each slot of the scratch area from which step to which.

use super::{Place, Plan, Step};
use crate::fuse::Fused;
use kiln_ir::{Func, Op, Value};
use std::fmt::Write;

/// What a step reads and writes, each with its place.
pub struct Access {
    /// Values read.
    pub reads: Vec<(Value, Place)>,
    /// Values written.
    pub writes: Vec<(Value, Place)>,
}

/// What a step of a plan reads and writes.
pub fn access(fused: &Fused, plan: &Plan, step: &Step) -> Access {
    match step {
        Step::Run(k) => {
            let at = |v: Value| plan.places.get(&v).map(|p| (v, *p));
            let kernel = &fused.kernels[*k];
            let writes = kernel.stores.iter().filter_map(|s| at(s.value)).collect();
            Access { reads: kernel.reads().into_iter().filter_map(at).collect(), writes }
        }
        Step::Copy { value, from, to } => {
            Access { reads: vec![(*value, *from)], writes: vec![(*value, *to)] }
        }
    }
}

/// A value in a slot.
struct Stay {
    value: Value,
    first: usize,
    last: usize,
}

/// A line a step, then a line a slot with its bytes and the values that live there, from which step to which.
pub fn text(func: &Func, fused: &Fused, plan: &Plan) -> String {
    let mut out = String::new();
    let mut stays: Vec<Vec<Stay>> = plan.slots.iter().map(|_| Vec::new()).collect();
    for (n, step) in plan.steps.iter().enumerate() {
        let Access { reads, writes } = access(fused, plan, step);
        let _ = writeln!(out, "step {n}: {} = {}", list(func, &writes), doing(func, fused, step, &reads));
        for (value, slot) in reads.iter().filter_map(in_slot) {
            if let Some(stay) = stays[slot].iter_mut().rev().find(|s| s.value == value) {
                stay.last = n;
            }
        }
        for (value, slot) in writes.iter().filter_map(in_slot) {
            stays[slot].push(Stay { value, first: n, last: n });
        }
    }
    for (slot, (bytes, stays)) in plan.slots.iter().zip(&stays).enumerate() {
        let one = |s: &Stay| format!("%{} in steps {}..={}", s.value.0, s.first, s.last);
        let stays: Vec<String> = stays.iter().map(one).collect();
        let _ = writeln!(out, "slot {slot}: {} bytes: {}", bytes.display(&func.syms), stays.join(", "));
    }
    out
}

fn in_slot((value, place): &(Value, Place)) -> Option<(Value, usize)> {
    match place {
        Place::Slot(slot) => Some((*value, *slot)),
        _ => None,
    }
}

fn doing(func: &Func, fused: &Fused, step: &Step, reads: &[(Value, Place)]) -> String {
    let reads = list(func, reads);
    match step {
        Step::Run(k) => format!("{}({reads})", fused.kernels[*k].name),
        Step::Copy { .. } => format!("copy of {reads}"),
    }
}

fn list(func: &Func, of: &[(Value, Place)]) -> String {
    let one = |(v, place): &(Value, Place)| match *place {
        Place::Input(i) if is_input(func, *v, i) => func.inputs[i].name.clone(),
        Place::Input(i) => format!("%{} in {}", v.0, func.inputs[i].name),
        Place::Output(o) => format!("%{} in output {}", v.0, func.outputs[o].name),
        Place::Slot(s) => format!("%{} in slot {s}", v.0),
    };
    of.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn is_input(func: &Func, v: Value, input: usize) -> bool {
    matches!(func.node(v).op, Op::Input(i) if i as usize == input)
}

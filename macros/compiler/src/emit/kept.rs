//! What a training step keeps: stored values that its result is computed with and that its gradients read again. All
//! else of the forward pass is computed again where it is read.

use crate::fuse::Fused;
use crate::plan::{self, Place, Plan};
use kiln_ir::{Dim, Func, Role, Value};
use std::collections::{BTreeMap, BTreeSet};

/// A kept value and the slot in which it lies.
pub struct Kept {
    pub value: Value,
    pub slot: usize,
    pub bytes: Dim,
}

/// What a function keeps, in the order of its steps; `None` if it takes no gradients of parameters.
pub fn kept(func: &Func, fused: &Fused, plan: &Plan) -> Option<Vec<Kept>> {
    let is_gradient = |o: &kiln_ir::Output| match o.updates {
        Some(input) => func.inputs[input].role == Role::Parameter,
        None => o.name.starts_with("grad."),
    };
    if !func.outputs.iter().any(is_gradient) {
        return None;
    }
    let results = func.outputs.iter().zip(&fused.outputs);
    let results = results.filter(|(o, _)| o.updates.is_none() && !is_gradient(o)).map(|(_, v)| *v);
    let forward = needed(fused, results.collect());
    let later: BTreeSet<Value> = (0..fused.kernels.len())
        .filter(|k| !forward.contains(k))
        .flat_map(|k| fused.kernels[k].reads())
        .collect();
    let made = forward.iter().flat_map(|k| &fused.kernels[*k].stores).map(|store| store.value);
    let kept = made.filter(|v| later.contains(v)).filter_map(|value| match plan.places.get(&value) {
        Some(Place::Slot(slot)) => Some(Kept { value, slot: *slot, bytes: plan::bytes(func, value) }),
        _ => None,
    });
    Some(kept.collect())
}

/// The kernels that these values need.
fn needed(fused: &Fused, mut open: Vec<Value>) -> BTreeSet<usize> {
    let kernels = fused.kernels.iter().enumerate();
    let stores = kernels.flat_map(|(k, kernel)| kernel.stores.iter().map(move |store| (store.value, k)));
    let maker: BTreeMap<Value, usize> = stores.collect();
    let mut needed = BTreeSet::new();
    while let Some(value) = open.pop() {
        if let Some(k) = maker.get(&value).filter(|k| needed.insert(**k)) {
            open.extend(fused.kernels[*k].reads());
        }
    }
    needed
}

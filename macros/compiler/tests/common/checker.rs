//! A checker of plans: what lies where is followed step by step.

use kiln_compiler::fuse::Fused;
use kiln_compiler::fuse::affine::{Affine, flat};
use kiln_compiler::fuse::expr::{Expr, counters};
use kiln_compiler::fuse::kernel::{Kernel, Loops, Store};
use kiln_compiler::plan::memory::{Access, access};
use kiln_compiler::plan::{Place, Plan, Step};
use kiln_ir::{Func, Op, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What is wrong with a plan: a value is read where another one lies, lies where it has no room or must not be, or
/// isn't where it belongs in the end.
pub fn check(func: &Func, fused: &Fused, plan: &Plan) -> Result<(), String> {
    let mut memory = Memory { func, plan, at: BTreeMap::new() };
    for (v, node) in func.values() {
        if let Op::Input(i) = node.op {
            memory.at.insert(Place::Input(i as usize), v);
        }
    }
    let mut ran = BTreeSet::new();
    for (n, step) in plan.steps.iter().enumerate() {
        let accesses = access(fused, plan, step);
        memory.step(&accesses).map_err(|e| format!("step {n}: {e}"))?;
        if let Step::Run(k) = step {
            let kernel = &fused.kernels[*k];
            if accesses.writes.len() != kernel.stores.len() || accesses.reads.len() != kernel.reads().len() {
                return Err(format!("step {n}: a value has no place"));
            }
            in_place(kernel, &accesses).map_err(|e| format!("step {n}: {e}"))?;
            if !ran.insert(*k) {
                return Err(format!("step {n}: kernel {k} runs twice"));
            }
        } else if accesses.reads[0].1 == accesses.writes[0].1 {
            return Err(format!("step {n}: a copy onto itself"));
        }
    }
    if ran.len() != fused.kernels.len() {
        return Err(format!("{} of {} kernels run", ran.len(), fused.kernels.len()));
    }
    memory.results(fused)
}

struct Memory<'a> {
    func: &'a Func,
    plan: &'a Plan,
    at: BTreeMap<Place, Value>,
}

impl Memory<'_> {
    fn step(&mut self, accesses: &Access) -> Result<(), String> {
        for (v, place) in &accesses.reads {
            self.holds(*place, *v)?;
        }
        let mut written = BTreeSet::new();
        for (v, place) in &accesses.writes {
            self.fits(*v, *place)?;
            if !written.insert(*place) {
                return Err(format!("{place:?} is written twice"));
            }
            self.at.insert(*place, *v);
        }
        Ok(())
    }

    fn holds(&self, place: Place, v: Value) -> Result<(), String> {
        match self.at.get(&place) {
            Some(found) if *found == v => Ok(()),
            Some(found) => Err(format!("%{} is read in {place:?}, where %{} lies", v.0, found.0)),
            None => Err(format!("%{} is read in {place:?}, where nothing lies", v.0)),
        }
    }

    /// Whether a value may lie there, and has room.
    fn fits(&self, v: Value, place: Place) -> Result<(), String> {
        let ty = self.func.ty(v);
        let size = |d: &kiln_ir::Dim, n: i64| d.eval(&|_| n);
        let agrees = |other: &kiln_ir::Ty| {
            other.dtype == ty.dtype
                && [0, 1, 2, 5].iter().all(|n| size(&other.numel(), *n) == size(&ty.numel(), *n))
        };
        let fits = match place {
            Place::Input(i) => {
                self.func.outputs.iter().any(|o| o.updates == Some(i)) && agrees(&self.func.inputs[i].ty)
            }
            Place::Output(o) => {
                let output = &self.func.outputs[o];
                output.updates.is_none() && agrees(self.func.ty(output.value))
            }
            Place::Slot(s) => [0, 1, 2, 5]
                .iter()
                .all(|n| size(&self.plan.slots[s], *n) >= size(&ty.numel(), *n) * ty.dtype.size() as i64),
        };
        if fits { Ok(()) } else { Err(format!("%{} must not lie in {place:?}", v.0)) }
    }

    fn results(&self, fused: &Fused) -> Result<(), String> {
        for (o, out) in self.func.outputs.iter().enumerate() {
            let place = out.updates.map_or(Place::Output(o), Place::Input);
            self.holds(place, fused.outputs[o]).map_err(|e| format!("in the end, {e}"))?;
        }
        Ok(())
    }
}

/// What a kernel writes where it reads: only in an input, and only the element that the iteration has read.
fn in_place(kernel: &Kernel, accesses: &Access) -> Result<(), String> {
    for (written, place) in &accesses.writes {
        for (read, _) in accesses.reads.iter().filter(|(_, p)| p == place) {
            let store = kernel.stores.iter().find(|s| s.value == *written).ok_or("no store")?;
            if !matches!(place, Place::Input(_)) || !only_own(kernel, store, *read) {
                return Err(format!("%{} is written over %{}, which is read elsewhere", written.0, read.0));
            }
        }
    }
    Ok(())
}

fn only_own(kernel: &Kernel, store: &Store, read: Value) -> bool {
    let axes = if store.per_row { &kernel.axes[..kernel.outer()] } else { &kernel.axes[..] };
    let own: Affine = flat(&counters(axes.len()), axes);
    let operand = match &kernel.loops {
        Loops::Gemm(g) => g.operands().iter().any(|o| o.reads().contains(&read)),
        // What an update writes over is all that it leaves as it is.
        Loops::Scatter { onto: Some(base), .. } if *base == read => kernel.loads().contains(&read),
        // Several iterations add up to one element.
        Loops::Columns { .. } | Loops::Scatter { .. } => true,
        // Only what is carried lies where it lay before.
        Loops::Turns(turns) => {
            let carried = kernel.stores[..turns.scan.carries].iter().position(|s| s.value == store.value);
            (0..turns.args.len()).any(|i| turns.args[i] == read && Some(i) != carried)
        }
        _ => false,
    };
    let all = kernel.exprs.needed(&kernel.roots());
    let own_only = all.iter().all(|id| match kernel.exprs.get(*id) {
        Expr::Load(v, at, guards) if *v == read => *at == own && guards.is_empty(),
        _ => true,
    });
    !operand && own_only
}

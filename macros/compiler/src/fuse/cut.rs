//! Loops whose turns compute each row of a batch from that row alone, as those of a recurrent layer: threads take rows of their own
//! through all turns, and none waits for another in between.
//!
//! All that a turn stores has the batch as its first axis. What it reads has it too and is read at the same row, or is the same for all
//! rows. So the kernels of some rows are those of all, over slices that are cut.

use super::affine::{Affine, Var};
use super::expr::Expr;
use super::kernel::{Gemm, Kernel, Loops, Matrix, Operand, Role, Turns};
use super::panels::{Panels, input_of};
use crate::plan::Step;
use kiln_ir::{Dim, Func, Op, Value};
use std::collections::{BTreeMap, BTreeSet};

/// How the turns of a loop are cut.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Cut {
    /// Rows.
    pub batch: i64,
    /// The inputs of a turn that are cut; the others are whole.
    pub inputs: BTreeSet<usize>,
}

/// So few rows are better multiplied by parts of a matrix.
const FEW_ROWS: i64 = 8;
/// Elements of packed matrices up to which each thread has all of them near.
const NEAR: i64 = 1 << 18;
/// Bytes in whole multiples of which the scratch memory of rows is cut.
pub const LINE: i64 = 64;

/// Whether a value is cut: with what has been found so far.
struct Found<'a> {
    func: &'a Func,
    batch: i64,
    cut: BTreeMap<Value, bool>,
}

/// How a loop is cut that finds these inputs of its turns in panels, if it can be and is worth it.
pub fn cut(turns: &Turns, panels: &BTreeMap<usize, Panels>) -> Option<Cut> {
    let (scan, part) = (&turns.scan, &turns.part);
    let func = &part.func;
    let replaced = func.outputs.iter().filter_map(|o| o.updates).any(|i| i >= scan.carries);
    if scan.carries == 0 || scan.guard.is_some() || replaced || func.inputs.iter().any(|i| i.apart) {
        return None;
    }
    let batch = func.inputs[0].ty.shape.first()?.literal().filter(|n| *n >= FEW_ROWS)?;
    let mut found = Found { func, batch, cut: BTreeMap::new() };
    (0..scan.carries).try_for_each(|i| found.is(func.input(i), true))?;
    for kernel in &part.fused.kernels {
        kernel.stores.iter().try_for_each(|s| found.is(s.value, true))?;
        found.kernel(kernel, panels)?;
    }
    for output in &part.fused.outputs {
        found.is(*output, true)?;
    }
    for step in &part.plan.steps {
        if let Step::Copy { value, .. } = step {
            found.is(*value, true)?;
        }
    }
    let near =
        panels.values().map(|p| p.elements().literal()).sum::<Option<i64>>().is_some_and(|n| n <= NEAR);
    let lines = part.plan.slots.iter().all(|s| s.literal().is_some_and(|n| n % (batch * LINE) == 0));
    if panels.is_empty() || !near || !lines {
        return None;
    }
    let cut = found.cut.iter().filter(|(_, cut)| **cut);
    Some(Cut { batch, inputs: cut.filter_map(|(v, _)| input_of(func, *v)).collect() })
}

/// Elements of a row of a value that is cut.
pub fn width(func: &Func, v: Value) -> Dim {
    func.ty(v).shape[1..].iter().fold(Dim::from(1), |n, d| n * d.clone())
}

impl Found<'_> {
    /// Notes that a value is cut, or is whole; `None` if it can't be.
    fn is(&mut self, v: Value, cut: bool) -> Option<()> {
        let rows = self.func.ty(v).shape.first().is_some_and(|d| d.is(self.batch));
        let whole = matches!(self.func.node(v).op, Op::Input(_));
        let fits = if cut { rows } else { whole };
        (fits && *self.cut.entry(v).or_insert(cut) == cut).then_some(())
    }

    fn kernel(&mut self, kernel: &Kernel, panels: &BTreeMap<usize, Panels>) -> Option<()> {
        match &kernel.loops {
            Loops::Flat => {
                let all = kernel.axes.iter().fold(Dim::from(1), |n, d| n * d.clone());
                let whole = kernel.stores.iter().all(|s| self.func.ty(s.value).numel() == all);
                (kernel.axes.len() == 1 && whole).then_some(())?;
                self.loads(kernel, &|func, v| Dim::from(i64::from(func.ty(v).numel() == all)))
            }
            Loops::Rows { outer, .. } if *outer > 0 && kernel.axes[0].is(self.batch) => {
                self.loads(kernel, &width)
            }
            Loops::Gemm(gemm) if gemm.roles == [Role::M, Role::N] && kernel.axes[0].is(self.batch) => {
                self.product(gemm, panels)?;
                self.loads(kernel, &width)
            }
            _ => None,
        }
    }

    /// A product of rows by a matrix in panels: the order of its sums doesn't depend on how many rows there are.
    fn product(&mut self, gemm: &Gemm, panels: &BTreeMap<usize, Panels>) -> Option<()> {
        let (Operand::Stored(a), Operand::Stored(b)) = (&gemm.a, &gemm.b) else { return None };
        let Matrix { buffer, offset, rows, .. } = a;
        let own = matches!(&**rows, [(n, by)] if n.is(self.batch) && *by == width(self.func, *buffer));
        let packed = input_of(self.func, b.buffer).is_some_and(|i| panels.contains_key(&i));
        (own && packed && *offset == Affine::zero()).then_some(())?;
        self.is(*buffer, true)?;
        self.is(b.buffer, false)
    }

    /// What a kernel loads: where the row is a load's, it is the row that is computed, for a sound index stays in the value in the
    /// first row and in the last. `by`: from row to row of a value.
    fn loads(&mut self, kernel: &Kernel, by: &dyn Fn(&Func, Value) -> Dim) -> Option<()> {
        let row = Var::Axis(0);
        let apart = |at: &Affine| at.coefficient(row).is(0);
        let derived = kernel.exprs.derived.iter().filter_map(|d| d.affine()).all(apart);
        let mut steps = Vec::new();
        for id in kernel.exprs.needed(&kernel.roots()) {
            match kernel.exprs.get(id) {
                Expr::Load(v, at, guards) => {
                    let plain = at.terms.iter().all(|(var, _)| matches!(var, Var::Axis(_)));
                    (plain && guards.iter().all(|g| apart(&g.at))).then_some(())?;
                    steps.push((*v, at.coefficient(row)));
                }
                Expr::Index(at) => apart(at).then_some(())?,
                Expr::Inside(guards) => guards.iter().all(|g| apart(&g.at)).then_some(())?,
                Expr::Random(..) => return None,
                Expr::Const(_) | Expr::Map(..) | Expr::Cast(_) | Expr::Reduced(_) => {}
            }
        }
        derived.then_some(())?;
        for (v, step) in steps {
            let cut = !step.is(0);
            (!cut || step == by(self.func, v)).then_some(())?;
            self.is(v, cut)?;
        }
        Some(())
    }
}

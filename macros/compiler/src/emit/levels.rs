//! At which level of its loops what a kernel computes is known: 0 is the kernel, 1 a row, 2 and more the loops within
//! a row.

use super::pass::Writer;
use crate::fuse::affine::{Affine, Derived, Var, flat};
use crate::fuse::expr::{Expr, Guard, Id};
use crate::fuse::kernel::{Loops, Role};
use kiln_ir::Value;
use proc_macro2::Ident;

/// Elements of a row from which on several rows don't share a page.
const LONG_ROW: i64 = 512;

impl Writer<'_> {
    /// The level of the innermost loop.
    pub fn deepest(&self) -> usize {
        match &self.kernel.loops {
            Loops::Gemm(_) | Loops::Operand(_) | Loops::Flat => 2,
            _ => 1 + self.kernel.axes.len() - self.kernel.outer(),
        }
    }

    pub(super) fn level(&self, var: Var) -> usize {
        match (var, &self.kernel.loops) {
            (Var::Axis(i), Loops::Gemm(g)) => match g.roles[i] {
                Role::Batch => 0,
                Role::M => 1,
                Role::N => 2,
            },
            (Var::Axis(i), Loops::Operand(o)) => match Some(i) {
                i if i == o.along => 2,
                i if i == o.lines => 1,
                _ => 0,
            },
            (Var::Axis(_), Loops::Flat) => 2,
            (Var::Axis(i), _) => (i + 2).saturating_sub(self.kernel.outer()).max(1),
            (Var::Derived(d), _) => match &self.kernel.exprs.derived[d] {
                Derived::Element(id) => self.expr_level(*id),
                other => other.affine().map_or(0, |at| self.affine_level(at)),
            },
        }
    }

    /// Whether it counts the kernel's rows all by itself.
    pub(super) fn is_row(&self, var: Var) -> bool {
        match (&self.kernel.loops, var) {
            (Loops::Gemm(g), Var::Axis(i)) => g.roles[i] == Role::M,
            (Loops::Operand(o), Var::Axis(i)) => o.lines == Some(i),
            (_, Var::Axis(0)) => self.kernel.outer() == 1,
            _ => false,
        }
    }

    pub(super) fn affine_level(&self, at: &Affine) -> usize {
        at.terms.iter().map(|(v, _)| self.level(*v)).max().unwrap_or(0)
    }

    pub(super) fn expr_level(&self, id: Id) -> usize {
        // An argument that is used twice is asked for by both: without a memory, by as many ways as lead to it.
        if let Some(known) = self.levels.borrow().get(&id) {
            return *known;
        }
        let level = self.level_of(id);
        self.levels.borrow_mut().insert(id, level);
        level
    }

    fn level_of(&self, id: Id) -> usize {
        let of = |guards: &[Guard]| guards.iter().map(|g| self.affine_level(&g.at)).max().unwrap_or(0);
        match self.kernel.exprs.get(id) {
            Expr::Load(v, at, guards) => {
                // What is overwritten is read where it is written.
                let own = if (self.names.in_place)(*v).is_some() { self.own_level(*v) } else { 0 };
                self.affine_level(at).max(of(guards)).max(own)
            }
            Expr::Index(at) => self.affine_level(at),
            Expr::Inside(guards) => of(guards),
            Expr::Reduced(_) if matches!(self.kernel.loops, Loops::Gemm(_)) => 2,
            Expr::Reduced(_) => 1,
            Expr::Const(_) => 0,
            Expr::Random(_, _, at) => self.affine_level(at).max(self.args_level(id)),
            Expr::Map(..) | Expr::Cast(_) => self.args_level(id),
        }
    }

    fn args_level(&self, id: Id) -> usize {
        self.kernel.exprs.args(id).iter().map(|a| self.expr_level(*a)).max().unwrap_or(0)
    }

    pub(super) fn own_level(&self, v: Value) -> usize {
        let store = (self.names.in_place)(v).and_then(|s| self.kernel.stores.iter().find(|x| x.value == s));
        if store.is_some_and(|s| s.per_row) { 1 } else { self.deepest() }
    }

    /// The innermost loop's axis, if the kernel has one.
    pub(super) fn inner_axis(&self) -> Option<Var> {
        match &self.kernel.loops {
            Loops::Gemm(g) => g.roles.iter().position(|r| *r == Role::N).map(Var::Axis),
            Loops::Operand(o) => o.along.map(Var::Axis),
            Loops::Flat => (!self.kernel.axes.is_empty()).then_some(Var::Axis(0)),
            _ if self.kernel.axes.len() > self.kernel.outer() => Some(Var::Axis(self.kernel.axes.len() - 1)),
            _ => None,
        }
    }

    /// The slices that a row reads from end to end and that the next one's follow, where the rows are long enough that bringing
    /// those near pays.
    pub fn next_rows(&self) -> Vec<Ident> {
        let Some(inner) = self.inner_axis() else { return vec![] };
        if self.kernel.axes.last().is_none_or(|len| len.literal().is_some_and(|len| len < LONG_ROW)) {
            return vec![];
        }
        let vars: Vec<Affine> = (0..self.kernel.axes.len()).map(|i| Var::Axis(i).into()).collect();
        let rows = flat(&vars, &self.kernel.axes).without(inner);
        let mut names: Vec<Ident> =
            self.slices.iter().filter(|((_, base), _)| *base == rows).map(|(_, name)| name.clone()).collect();
        names.sort();
        names
    }
}

//! Contractions as matrix products: which labels are rows, columns, terms and batches, and where operands lie.

use super::affine::{Affine, Derived, Var, flat};
use super::expr::{counters, through};
use super::group::wide;
use super::kernel::{Operand, Role, collapse, lengths, renamed};
use kiln_ir::{Dim, Func, Op, Value};

/// A contraction as a product.
pub struct Product {
    /// Runs of the result's wide axes.
    pub runs: Vec<Vec<usize>>,
    /// What each run is.
    pub roles: Vec<Role>,
    /// Terms of a sum.
    pub k: Dim,
    /// Rows by terms.
    pub a: Operand,
    /// Terms by columns.
    pub b: Operand,
}

/// Where the element of a value lies, by index; `None` if it isn't stored as such.
fn place(
    func: &Func,
    stored: &dyn Fn(Value) -> Option<Value>,
    mut v: Value,
    mut index: Vec<Affine>,
) -> Option<(Value, Affine)> {
    let mut derived: Vec<Derived> = Vec::new();
    loop {
        if let Some(buffer) = stored(v) {
            let at = flat(&index, &func.ty(v).shape);
            let cut = at.terms.iter().any(|(var, _)| matches!(var, Var::Derived(_)));
            return (!cut).then_some((buffer, at));
        }
        (v, index) = through(func, v, &index, &mut derived)?;
    }
}

/// The product that a contraction is, over loops that `accesses` (of what is mapped over it) allow; `None` where
/// its axes can't be laid out as matrices.
pub fn product(
    func: &Func,
    v: Value,
    stored: &dyn Fn(Value) -> Option<Value>,
    accesses: &[&Affine],
) -> Option<Product> {
    let node = func.node(v);
    let Op::Contract { lhs, rhs, out } = &node.op else { return None };
    if !node.ty.dtype.is_float() {
        return None;
    }
    let length = |label: &u8| {
        let (i, arg) = match lhs.iter().position(|l| l == label) {
            Some(i) => (i, node.args[0]),
            None => (rhs.iter().position(|l| l == label).expect("of an operand"), node.args[1]),
        };
        func.ty(arg).shape[i].clone()
    };
    // Axes of the loops: the result's, then those summed. Axes of one element are none.
    let kept: Vec<u8> = out.iter().copied().filter(|l| !length(l).is(1)).collect();
    let summed: Vec<u8> = lhs.iter().copied().filter(|l| !out.contains(l) && !length(l).is(1)).collect();
    let labels: Vec<u8> = kept.iter().chain(&summed).copied().collect();
    let axes: Vec<Dim> = labels.iter().map(length).collect();
    let index = |of: &[u8]| -> Vec<Affine> {
        let one = |l: &u8| labels.iter().position(|x| x == l).map_or(Affine::zero(), |i| Var::Axis(i).into());
        of.iter().map(one).collect()
    };
    let (left, left_at) = place(func, stored, node.args[0], index(lhs))?;
    let (right, right_at) = place(func, stored, node.args[1], index(rhs))?;
    let role = |l: &u8| match (lhs.contains(l), rhs.contains(l)) {
        (true, true) => Role::Batch,
        (true, false) => Role::M,
        _ => Role::N,
    };
    let roles: Vec<Role> = kept.iter().map(role).collect();
    let has = |role: Role| roles.contains(&role);
    if !has(Role::M) && !has(Role::N) {
        return None;
    }
    // A run never mixes roles, and the sum's axes are one run or no matrix has it as a side.
    let mut barriers: Vec<usize> = (1..roles.len()).filter(|i| roles[*i] != roles[*i - 1]).collect();
    barriers.push(kept.len());
    let store = flat(&counters(kept.len()), &axes[..kept.len()]);
    let mut all = vec![&left_at, &right_at];
    all.extend(accesses);
    all.push(&store);
    let runs = runs(&axes, kept.len(), &all, &barriers)?;
    let kept_runs = runs.len() - usize::from(!summed.is_empty());
    let mut roles: Vec<Role> = runs[..kept_runs].iter().map(|run| roles[run[0]]).collect();
    // Of several runs of rows or columns the last is the matrix's side, the others are loops.
    for side in [Role::M, Role::N] {
        let Some(last) = roles.iter().rposition(|r| *r == side) else { continue };
        roles[..last].iter_mut().filter(|r| **r == side).for_each(|r| *r = Role::Batch);
    }
    let (left_at, right_at) = (renamed(&left_at, &runs), renamed(&right_at, &runs));
    let at = |side: Role| roles.iter().position(|r| *r == side).map(Var::Axis);
    let (m, n) = (at(Role::M), at(Role::N));
    let k = (!summed.is_empty()).then_some(Var::Axis(kept_runs));
    let operand = |buffer: Value, at: &Affine, row: Option<Var>, col: Option<Var>| {
        let stride = |var: Option<Var>| var.map_or(Dim::from(0), |v| at.coefficient(v));
        let offset = [row, col].into_iter().flatten().fold(at.clone(), |at, v| at.without(v));
        Operand { buffer, offset, row: stride(row), col: stride(col) }
    };
    let length = lengths(&axes, &runs);
    let k_len = if summed.is_empty() { Dim::from(1) } else { length[kept_runs].clone() };
    // Rows of the result must be contiguous: if the columns aren't last, the operands change places.
    let last = roles.len().checked_sub(1).map(|i| roles[i]);
    let (a, b) = match last {
        Some(Role::N) => (operand(left, &left_at, m, k), operand(right, &right_at, k, n)),
        Some(Role::M) => {
            roles.iter_mut().for_each(|r| {
                *r = match *r {
                    Role::M => Role::N,
                    Role::N => Role::M,
                    Role::Batch => Role::Batch,
                }
            });
            (operand(right, &right_at, n, k), operand(left, &left_at, k, m))
        }
        _ => return None,
    };
    Some(Product { runs: runs[..kept_runs].to_vec(), roles, k: k_len, a, b })
}

/// Runs of the axes: of those kept as the accesses allow; those summed as one run, or none.
fn runs(axes: &[Dim], kept: usize, accesses: &[&Affine], barriers: &[usize]) -> Option<Vec<Vec<usize>>> {
    let runs = collapse(axes, accesses, barriers);
    let summed = runs.iter().filter(|r| r[0] >= kept).count();
    (summed <= 1).then_some(runs)
}

/// Whether a contraction can be a product at all if all real values are stored.
pub fn is_product(func: &Func, v: Value, stored: &dyn Fn(Value) -> Option<Value>) -> bool {
    product(func, v, stored, &[]).is_some() && !wide(&func.ty(v).shape).is_empty()
}

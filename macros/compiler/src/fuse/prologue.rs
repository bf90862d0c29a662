//! Operands that are computed while they are packed: a cheap map before a product costs no pass of its own over
//! memory.

use super::affine::{Affine, Var};
use super::expr::{Expr, Exprs, Id, Puller};
use super::gemm;
use super::kernel::{Computed, Gemm, Kernel, Loops, Operand, Role, Side, lengths, renamed};
use kiln_ir::{Dim, Func, Value};

/// An element of an operand as an expression over the contraction's axes.
pub struct Element {
    value: Value,
    exprs: Exprs,
    id: Id,
}

impl Element {
    /// The element of `value` at an index, from what is stored.
    pub fn new(
        func: &Func,
        stored: &dyn Fn(Value) -> Option<Value>,
        value: Value,
        index: &[Affine],
    ) -> Element {
        let mut puller = Puller::new(func, stored);
        let id = puller.pull(value, index, &[]);
        Element { value, exprs: puller.exprs, id }
    }
}

/// The operand whose rows and columns run over these of the axes; `None` where a load passes them by more than one
/// stride, or behind a guard.
pub fn operand(
    func: &Func,
    element: &Element,
    axes: &[Dim],
    runs: &[Vec<usize>],
    sides: [&[usize]; 2],
) -> Option<Operand> {
    let Element { value, exprs, id } = element;
    let guarded = |(e, _): &(Expr, _)| matches!(e, Expr::Load(_, _, guards) if !guards.is_empty());
    let strided = |side: &[usize]| {
        let steady = |w: &[usize]| exprs.affines().all(|at| is_steady(at, [w[0], w[1]], &axes[w[1]]));
        side.windows(2).all(steady)
    };
    if !exprs.derived.is_empty() || exprs.nodes.iter().any(guarded) || !sides.iter().all(|s| strided(s)) {
        return None;
    }
    let exprs = exprs.map_affines(&|at| renamed(at, runs));
    let [rows, cols] = sides.map(|side| runs.iter().position(|run| !side.is_empty() && run == side));
    let side = if contiguous(&exprs, rows) > contiguous(&exprs, cols) { Side::Rows } else { Side::Cols };
    let (lines, along) = if side == Side::Rows { (cols, rows) } else { (rows, cols) };
    let loops = Loops::Operand(Computed { value: *value, element: *id, lines, along, side });
    let axes = lengths(axes, runs);
    let name = super::kernel::name(func, &[*value]);
    Some(Operand::Computed(Box::new(Kernel { name, axes, exprs, loops, stores: vec![] })))
}

/// Whether an access passes two axes as if they were one.
fn is_steady(at: &Affine, [outer, inner]: [usize; 2], len: &Dim) -> bool {
    at.coefficient(Var::Axis(outer)) == at.coefficient(Var::Axis(inner)) * len.clone()
}

/// How many loads go from element to element along an axis.
fn contiguous(exprs: &Exprs, axis: Option<usize>) -> usize {
    let Some(axis) = axis else { return 0 };
    let along =
        |(e, _): &&(Expr, _)| matches!(e, Expr::Load(_, at, _) if at.coefficient(Var::Axis(axis)).is(1));
    exprs.nodes.iter().filter(along).count()
}

/// Up to so many rows, the right operand is read where it is and never packed (as `kernels::gemm` does).
const FEW_ROWS: i64 = 4;
/// Up to so many elements neither (likewise). Storing it first costs 20 % less there than packing it as it is computed.
const DIRECT: i64 = 1 << 15;
/// Elements of the right operand that are packed at a time; the left one is packed again for each time.
const PACKED: i64 = 1 << 21;
/// So often an element may be computed.
const TIMES: i64 = 2;

/// Whether the operands of `product` that would be computed were better stored: the one rule of what it costs.
///
/// The left operand is computed for each part of the right one that is packed at a time, either one for each product
/// of a batch on whose axes it doesn't depend. Sizes that aren't known count as few.
pub fn pays(func: &Func, product: Value, stored: &dyn Fn(Value) -> Option<Value>) -> bool {
    let Some(gemm::Product { runs, roles, k, a, b }) = gemm::product(func, product, stored, &[]) else {
        return false;
    };
    let gemm = Gemm { value: product, roles, k, a, b };
    let kept: Vec<Dim> = super::group::wide(&func.ty(product).shape);
    let axes = lengths(&kept, &runs);
    let len = |role: Role| {
        let at = gemm.roles.iter().position(|r| *r == role);
        at.map_or(Some(1), |i| axes[i].literal())
    };
    let size = len(Role::N).zip(gemm.k.literal()).map(|(n, k)| n.saturating_mul(k));
    let left = is_whole(&gemm.a, &gemm.roles) && size.is_none_or(|size| size <= TIMES * PACKED);
    let packed = len(Role::M).is_none_or(|m| m > FEW_ROWS) && size.is_none_or(|size| size > DIRECT);
    let right = is_whole(&gemm.b, &gemm.roles) && packed;
    let computed = |operand: &Operand| matches!(operand, Operand::Computed(_));
    (left || !computed(&gemm.a)) && (right || !computed(&gemm.b))
}

/// Whether each of the batch's products has elements of the operand to itself.
fn is_whole(operand: &Operand, roles: &[Role]) -> bool {
    let Operand::Computed(kernel) = operand else { return true };
    let batch = (0..roles.len()).filter(|i| roles[*i] == Role::Batch);
    let depends = |i: usize| kernel.exprs.affines().any(|at| !at.coefficient(Var::Axis(i)).is(0));
    batch.into_iter().all(depends)
}

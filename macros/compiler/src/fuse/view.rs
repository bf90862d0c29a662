//! What moves no data, but only changes the index; and what of a graph is no loop though it looks like one.

use super::affine::{Affine, Derived, reshape};
use kiln_ir::{DType, Dim, Func, Node, Op, Reduction, SliceAxis, Value};

/// Most elements that a reduction over windows writes out.
const UNROLLED: i64 = 64;

/// Whether a reduction is written out, element by element: over the few places of a window, so that the loop runs
/// over what the window moves along.
pub fn is_unrolled(func: &Func, v: Value) -> bool {
    let Op::Reduce(_, axes) = &func.node(v).op else { return false };
    let arg = func.node(func.node(v).args[0]);
    let count = axes.iter().try_fold(1, |n: i64, a| Some(n * arg.ty.shape[*a].literal()?));
    matches!(arg.op, Op::Windows(_)) && count.is_some_and(|n| (1..=UNROLLED).contains(&n))
}

/// Whether a value is a narrow one in f32: no loop of its own, but how the narrow one is read.
pub fn is_widening(func: &Func, v: Value) -> bool {
    let node = func.node(v);
    matches!(node.op, Op::Cast(DType::F32)) && func.ty(node.args[0]).dtype.is_narrow()
}

/// The size that a sum of ones stands for: how the graph says `N as f32`.
pub fn size(func: &Func, v: Value) -> Option<Dim> {
    let Op::Reduce(Reduction::Sum, axes) = &func.node(v).op else { return None };
    let ones = func.node(func.node(v).args[0]);
    let Op::Broadcast(_) = ones.op else { return None };
    let one = matches!(&func.node(ones.args[0]).op, Op::Const(literal, _) if literal.value() == 1.0);
    (one && axes.len() == ones.ty.rank()).then(|| ones.ty.numel())
}

/// The argument of a view without guards, and the index at which it is read; `None` for what is no such view.
pub fn through(
    func: &Func,
    v: Value,
    index: &[Affine],
    derived: &mut Vec<Derived>,
) -> Option<(Value, Vec<Affine>)> {
    let Node { op, args, ty, .. } = func.node(v);
    let index = match op {
        Op::StopGrad => index.to_vec(),
        Op::Cast(_) if is_widening(func, v) => index.to_vec(),
        Op::Permute(perm) => {
            let mut inner = index.to_vec();
            perm.iter().zip(index).for_each(|(p, i)| inner[*p] = i.clone());
            inner
        }
        Op::Broadcast(axes) => {
            let new = |i: &usize| axes.iter().any(|(at, _)| at == i);
            (0..index.len()).filter(|i| !new(i)).map(|i| index[i].clone()).collect()
        }
        Op::Slice(axes) => {
            let one = |(i, a): (&Affine, &SliceAxis)| {
                i.clone().times(&Dim::from(a.step)).plus(a.start.clone().into())
            };
            index.iter().zip(axes).map(one).collect()
        }
        Op::Windows(w) => {
            let (at, place) = (&index[w.axis], &index[w.axis + 1]);
            let whole = at.clone().times(&w.stride.into()).plus(place.clone().times(&w.dilation.into()));
            let mut inner = index.to_vec();
            inner.splice(w.axis..w.axis + 2, [whole]);
            inner
        }
        Op::Reshape(_) => reshape(index, &ty.shape, &func.ty(args[0]).shape, derived),
        _ => return None,
    };
    Some((args[0], index))
}

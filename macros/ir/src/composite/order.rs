//! What goes along an axis in order: running sums, products, sorting.
//!
//! Each compares or adds every pair of an axis, without a loop that carries state.

use super::{Built, shape};
use crate::{Builder, DType, Dim, Error, Fault, Op, Reduction, Scalar, Value};

/// `x` under a further axis of that length, before or behind `axis`.
fn widened(b: &mut Builder, x: Value, at: usize, len: &Dim) -> Built {
    b.emit(Op::Broadcast(vec![(at, len.clone())]), &[x])
}

/// `[n, m]` under the shape of `like`, whose axes `axis` and `axis + 1` they are.
fn spread(b: &mut Builder, pair: Value, axis: usize, like: Value) -> Built {
    let shape = b.ty(like).shape.clone();
    let others = shape.into_iter().enumerate().filter(|(i, _)| *i != axis && *i != axis + 1);
    b.emit(Op::Broadcast(others.collect()), &[pair])
}

/// Positions `[n, 1]` and `[m]`.
fn positions(b: &mut Builder, n: &Dim, m: &Dim) -> Result<[Value; 2], Error> {
    let i = b.emit(Op::Iota { len: n.clone(), dtype: DType::I64 }, &[])?;
    let j = b.emit(Op::Iota { len: m.clone(), dtype: DType::I64 }, &[])?;
    Ok([shape::unsqueeze(b, i, 1)?, j])
}

/// `torch.cumsum`: the sum of all elements up to each.
pub fn cumsum(b: &mut Builder, x: Value, dim: i64) -> Built {
    let axis = b.axis("cumsum", x, dim)?;
    let n = b.ty(x).shape[axis].clone();
    let [i, j] = positions(b, &n, &n)?;
    let counts = b.elementwise(Scalar::Le, &[j, i])?;
    let wide = widened(b, x, axis, &n)?;
    let counts = spread(b, counts, axis, wide)?;
    let zero = b.splat(0.0, wide)?;
    let seen = b.map(Scalar::Select, &[counts, wide, zero])?;
    b.emit(Op::Reduce(Reduction::Sum, vec![axis + 1]), &[seen])
}

/// `torch.prod` along a dim, whose size is known: halves are multiplied, so the gradient is right beside zeros.
pub fn prod(b: &mut Builder, x: Value, dim: i64) -> Built {
    let axis = b.axis("prod", x, dim)?;
    let Some(mut n) = b.ty(x).shape[axis].literal().filter(|n| *n <= 1 << 32) else {
        let what = "the size of the dim must be known while compiling".into();
        return Err(b.error(Fault::Attribute { op: "prod".into(), what }));
    };
    if n == 0 {
        let mut shape = b.ty(x).shape.clone();
        shape.remove(axis);
        let one = b.constant(1.0, b.ty(x).dtype);
        return b.emit(Op::Broadcast(shape.into_iter().enumerate().collect()), &[one]);
    }
    let (mut y, dim) = (x, axis as i64);
    while n > 1 {
        let half = n / 2;
        let part =
            |b: &mut Builder, y, start: i64, len: i64| shape::slice(b, y, dim, start.into(), len.into(), 1);
        let (low, high) = (part(b, y, 0, half)?, part(b, y, half, half)?);
        let both = b.map(Scalar::Mul, &[low, high])?;
        y = if n % 2 == 1 {
            let last = part(b, y, n - 1, 1)?;
            shape::cat(b, &[both, last], dim)?
        } else {
            both
        };
        n = half + n % 2;
    }
    shape::squeeze(b, y, Some(dim))
}

/// `torch.topk`: the `k` largest along a dim, or smallest, and their indices, in order; of equal ones the first comes
/// first. `k = None`: all of them, which is `torch.sort`.
pub fn topk(b: &mut Builder, x: Value, k: Option<Dim>, dim: i64, largest: bool) -> Result<[Value; 2], Error> {
    let axis = b.axis("topk", x, dim)?;
    let n = b.ty(x).shape[axis].clone();
    let k = k.unwrap_or_else(|| n.clone());
    let none = k.literal().is_some_and(|k| k < 0);
    if none || (n.clone() - k.clone()).literal().is_some_and(|rest| rest < 0) {
        let show = |d: &Dim| d.display(&b.func().syms).to_string();
        let what = format!("{} of the {} elements of dim {axis}", show(&k), show(&n));
        return Err(b.error(Fault::Attribute { op: "topk".into(), what }));
    }
    let rank = ranks(b, x, axis, largest)?;
    let [r, i] = positions(b, &k, &n)?;
    let wide = widened(b, x, axis, &k)?;
    let rank = widened(b, rank, axis, &k)?;
    let shape = b.ty(rank).shape.clone();
    let tail = shape.len() - axis - 2;
    let mut row = r;
    for _ in 0..tail {
        row = shape::unsqueeze(b, row, -1)?;
    }
    let row = b.broadcast_to(row, &shape)?;
    let hit = b.map(Scalar::Eq, &[rank, row])?;
    let zero = b.splat(0.0, wide)?;
    let values = b.map(Scalar::Select, &[hit, wide, zero])?;
    let mut place = i;
    for _ in 0..tail {
        place = shape::unsqueeze(b, place, -1)?;
    }
    let place = b.broadcast_to(place, &shape)?;
    let nowhere = b.splat(0.0, place)?;
    let indices = b.map(Scalar::Select, &[hit, place, nowhere])?;
    let mut over = |v: Value| b.emit(Op::Reduce(Reduction::Sum, vec![axis + 1]), &[v]);
    Ok([over(values)?, over(indices)?])
}

/// How many elements come before each one.
fn ranks(b: &mut Builder, x: Value, axis: usize, largest: bool) -> Built {
    let n = b.ty(x).shape[axis].clone();
    let own = widened(b, x, axis + 1, &n)?;
    let other = widened(b, x, axis, &n)?;
    let further = if largest { [own, other] } else { [other, own] };
    let further = b.map(Scalar::Lt, &further)?;
    let equal = b.map(Scalar::Eq, &[own, other])?;
    let [i, j] = positions(b, &n, &n)?;
    let earlier = b.elementwise(Scalar::Lt, &[j, i])?;
    let earlier = spread(b, earlier, axis, own)?;
    let tied = b.map(Scalar::And, &[equal, earlier])?;
    let before = b.map(Scalar::Or, &[further, tied])?;
    let before = b.emit(Op::Cast(DType::I64), &[before])?;
    b.emit(Op::Reduce(Reduction::Sum, vec![axis + 1]), &[before])
}

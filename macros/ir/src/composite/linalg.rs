//! Matrix products.

use super::Built;
use super::shape::{transpose, unsqueeze};
use crate::{Builder, Dim, Fault, Op, Value};

/// `torch.matmul`: vectors, matrices, and stacks of matrices whose leading dims broadcast.
pub fn matmul(b: &mut Builder, x: Value, y: Value) -> Built {
    let (rx, ry) = (b.ty(x).rank(), b.ty(y).rank());
    let (left, right) = (b.ty(x).clone(), b.ty(y).clone());
    if rx == 0 || ry == 0 {
        let got = if rx == 0 { left } else { right };
        return Err(b.error(Fault::Rank { op: "matmul".into(), want: "1 or more".into(), got }));
    }
    let inner = (left.shape[rx - 1].clone(), right.shape[ry.saturating_sub(2)].clone());
    if inner.0 != inner.1 {
        return Err(b.error(Fault::MatMul { left, right, inner }));
    }
    let x = if rx == 1 { unsqueeze(b, x, 0)? } else { x };
    let y = if ry == 1 { unsqueeze(b, y, 1)? } else { y };
    let product = stacked(b, x, y)?;
    let mut shape = b.ty(product).shape.clone();
    if ry == 1 {
        shape.pop();
    }
    if rx == 1 {
        shape.remove(shape.len() - if ry == 1 { 1 } else { 2 });
    }
    b.emit(Op::Reshape(shape), &[product])
}

/// The product of two stacks of matrices of rank 2 or more.
fn stacked(b: &mut Builder, x: Value, y: Value) -> Built {
    let split = |shape: &[Dim]| (shape[..shape.len() - 2].to_vec(), shape[shape.len() - 2..].to_vec());
    let ((bx, mx), (by, my)) = (split(&b.ty(x).shape), split(&b.ty(y).shape));
    if by.is_empty() {
        // A stack by one matrix: the stack's rows are rows of one matrix, nothing is repeated.
        let r = bx.len() as u8 + 1;
        let (lhs, out) = ((0..=r).collect::<Vec<u8>>(), (0..r).chain([r + 1]).collect());
        return b.emit(Op::Contract { lhs, rhs: vec![r, r + 1], out }, &[x, y]);
    }
    let batch = common(b, &bx, &by)?;
    let x = b.broadcast_to(x, &[batch.clone(), mx].concat())?;
    let y = b.broadcast_to(y, &[batch.clone(), my].concat())?;
    let r = batch.len() as u8;
    let with = |i: u8, j: u8| (0..r).chain([i, j]).collect::<Vec<u8>>();
    b.emit(Op::Contract { lhs: with(r, r + 1), rhs: with(r + 1, r + 2), out: with(r, r + 2) }, &[x, y])
}

fn common(b: &Builder, x: &[Dim], y: &[Dim]) -> Result<Vec<Dim>, crate::Error> {
    let (long, short) = if x.len() >= y.len() { (x, y) } else { (y, x) };
    let mut shape = long.to_vec();
    let lead = long.len() - short.len();
    for (d, s) in shape[lead..].iter_mut().zip(short) {
        if d.is(1) {
            *d = s.clone();
        } else if d != s && !s.is(1) {
            let ty = |shape: &[Dim]| crate::Ty::new(crate::DType::F32, shape);
            return Err(b.error(Fault::Broadcast { left: ty(x), right: ty(y) }));
        }
    }
    Ok(shape)
}

/// `x · weightᵀ + bias` with `weight: [out, in]`, `x: [.., in]`.
pub fn linear(b: &mut Builder, x: Value, weight: Value, bias: Option<Value>) -> Built {
    let w = transpose(b, weight, 0, 1)?;
    let y = matmul(b, x, w)?;
    match bias {
        Some(bias) => b.add(y, bias),
        None => Ok(y),
    }
}

//! Sums over the turns of a loop as one operation behind it.
//!
//! The gradient of what each turn reads, such as a recurrent layer's weight, is a sum over turns. Where a turn's part is a
//! product, all parts and their sum are one product with one label more: `Σₜ aₜ·bₜ`. The loop hands on its factors.

use super::residuals::estimate;
use crate::{Builder, Error, Func, Op, Reduction, Scalar, Ty, Value};
use std::collections::BTreeMap;

/// A sum over turns, in terms of values that all turns have stored.
pub(super) enum Sunk {
    /// A product.
    Contract { lhs: Vec<u8>, rhs: Vec<u8>, out: Vec<u8>, of: [Value; 2] },
    /// A sum over axes.
    Sum { axes: Vec<usize>, of: Value },
    /// A view of another.
    View(Op, Box<Sunk>),
    /// Two of them.
    Add(Box<Sunk>, Box<Sunk>),
}

/// The sum over all turns of a value of one turn, if it can be had behind the loop at no great cost in memory: what the loop yields
/// anyway costs none.
pub(super) fn sink(
    func: &Func,
    v: Value,
    stacks: &BTreeMap<Value, Value>,
    yields: &[Value],
    backward: &[bool],
) -> Option<Sunk> {
    let sunk = form(func, v, backward, stacks)?;
    let mut parts = sunk.operands();
    parts.retain(|p| !stacks.contains_key(p) && !yields.contains(p));
    parts.sort();
    parts.dedup();
    let size = |ty: &Ty| estimate(&ty.numel());
    let stored: i64 = parts.iter().map(|p| size(func.ty(*p))).sum();
    (stored <= 2 * size(func.ty(v))).then_some(sunk)
}

fn form(func: &Func, v: Value, backward: &[bool], stacks: &BTreeMap<Value, Value>) -> Option<Sunk> {
    let node = func.node(v);
    // What is the same in each turn can't be handed on by turns.
    let turns = |v: &Value| backward[v.0 as usize] || stacks.contains_key(v);
    let inner = |v: Value| Some(Box::new(form(func, v, backward, stacks)?));
    match &node.op {
        Op::Contract { lhs, rhs, out } if node.args.iter().all(turns) => {
            let of = [node.args[0], node.args[1]];
            Some(Sunk::Contract { lhs: lhs.clone(), rhs: rhs.clone(), out: out.clone(), of })
        }
        Op::Reduce(Reduction::Sum, axes) if turns(&node.args[0]) => {
            Some(Sunk::Sum { axes: axes.clone(), of: node.args[0] })
        }
        op @ (Op::Permute(_) | Op::Reshape(_)) => Some(Sunk::View(op.clone(), inner(node.args[0])?)),
        Op::Map(Scalar::Add) => Some(Sunk::Add(inner(node.args[0])?, inner(node.args[1])?)),
        _ => None,
    }
}

impl Sunk {
    /// The values of one turn that are read.
    pub fn operands(&self) -> Vec<Value> {
        match self {
            Sunk::Contract { of, .. } => of.to_vec(),
            Sunk::Sum { of, .. } => vec![*of],
            Sunk::View(_, inner) => inner.operands(),
            Sunk::Add(a, b) => [a.operands(), b.operands()].concat(),
        }
    }

    /// The sum, from the operands of all turns.
    pub fn build(&self, b: &mut Builder, parts: &BTreeMap<Value, Value>) -> Result<Value, Error> {
        match self {
            Sunk::Contract { lhs, rhs, out, of } => {
                let turn = lhs.iter().chain(rhs).max().map_or(0, |l| l + 1);
                let with = |labels: &[u8]| [&[turn], labels].concat();
                let op = Op::Contract { lhs: with(lhs), rhs: with(rhs), out: out.clone() };
                b.emit(op, &[parts[&of[0]], parts[&of[1]]])
            }
            Sunk::Sum { axes, of } => {
                let all = std::iter::once(0).chain(axes.iter().map(|a| a + 1)).collect();
                b.emit(Op::Reduce(Reduction::Sum, all), &[parts[of]])
            }
            Sunk::View(op, inner) => {
                let inner = inner.build(b, parts)?;
                b.emit(op.clone(), &[inner])
            }
            Sunk::Add(x, y) => {
                let (x, y) = (x.build(b, parts)?, y.build(b, parts)?);
                b.map(Scalar::Add, &[x, y])
            }
        }
    }
}

//! What a turn of a loop stores for its gradient, and what the gradient computes again.
//!
//! A minimum cut, as in PyTorch's `min_cut_rematerialization_partition` (Chen et al., *Training Deep Nets with Sublinear
//! Memory Cost*, 2016, for the idea): between what is lost after the turn (carried values, results of products) and what
//! the gradient reads, the values of the fewest bytes. Whatever lies behind them is computed again, element by element.

use crate::{Dim, Func, Op, Value};
use std::collections::VecDeque;

/// What becomes of an input of the turn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// It is there when the gradient is computed.
    Kept,
    /// It isn't.
    Lost,
}

/// Size of a symbol in estimates.
const TYPICAL: i64 = 64;

pub(super) fn estimate(d: &Dim) -> i64 {
    d.eval(&|_| TYPICAL).max(1)
}

/// The values to store, in order. `backward` are those that depend on a cotangent.
pub(super) fn saved(func: &Func, source: &dyn Fn(usize) -> Source, backward: &[bool]) -> Vec<Value> {
    let mut net = Net::new(2 * func.nodes.len() + 2);
    let (s, t) = (2 * func.nodes.len(), 2 * func.nodes.len() + 1);
    let (entry, exit) = (|v: Value| 2 * v.0 as usize, |v: Value| 2 * v.0 as usize + 1);
    let forward = |v: &Value| !backward[v.0 as usize];
    for (v, node) in func.values().filter(|(v, _)| forward(v)) {
        net.edge(entry(v), exit(v), estimate(&node.ty.numel()) * node.ty.dtype.size() as i64);
        match &node.op {
            Op::Input(i) if source(*i as usize) == Source::Kept => {}
            Op::Input(_) => net.edge(s, entry(v), i64::MAX),
            op if is_costly(op) => net.edge(s, entry(v), i64::MAX),
            _ => node.args.iter().for_each(|a| net.edge(exit(*a), entry(v), i64::MAX)),
        }
    }
    let reads = func.values().filter(|(v, _)| !forward(v)).flat_map(|(_, n)| &n.args).copied();
    // A gradient that depends on no cotangent is read, too; those of the body aren't outputs of the gradient.
    for v in reads.filter(forward) {
        net.edge(exit(v), t, i64::MAX);
    }
    net.saturate(s, t);
    let behind = net.reaching(t);
    let cut = func.values().map(|(v, _)| v).filter(|v| behind[exit(*v)] && !behind[entry(*v)] && forward(v));
    // What is kept anyway is no source, so that it isn't cut either.
    cut.collect()
}

/// Whether computing it again takes more than a pass over elements.
fn is_costly(op: &Op) -> bool {
    matches!(
        op,
        Op::Contract { .. }
            | Op::Scan(_)
            | Op::Result(..)
            | Op::ScatterAdd(..)
            | Op::Fold(..)
            | Op::ArgMax(_)
    )
}

/// A flow network: edges with their reverse at the next (odd) place.
struct Net {
    to: Vec<usize>,
    room: Vec<i64>,
    from: Vec<Vec<usize>>,
}

impl Net {
    fn new(nodes: usize) -> Net {
        Net { to: vec![], room: vec![], from: vec![vec![]; nodes] }
    }

    fn edge(&mut self, a: usize, b: usize, room: i64) {
        for (from, to, room) in [(a, b, room), (b, a, 0)] {
            self.from[from].push(self.to.len());
            self.to.push(to);
            self.room.push(room);
        }
    }

    /// The greatest flow, along shortest paths (Edmonds and Karp).
    fn saturate(&mut self, s: usize, t: usize) {
        while let Some(path) = self.path(s, t) {
            let least = path.iter().map(|e| self.room[*e]).min().unwrap_or(0);
            for e in path {
                self.room[e] = self.room[e].saturating_sub(least);
                self.room[e ^ 1] = self.room[e ^ 1].saturating_add(least);
            }
        }
    }

    fn path(&self, s: usize, t: usize) -> Option<Vec<usize>> {
        let mut by: Vec<Option<usize>> = vec![None; self.from.len()];
        let mut open = VecDeque::from([s]);
        while let Some(at) = open.pop_front() {
            for &e in self.from[at].iter().filter(|e| self.room[**e] > 0) {
                let next = self.to[e];
                if next != s && by[next].is_none() {
                    by[next] = Some(e);
                    open.push_back(next);
                }
            }
            if by[t].is_some() {
                break;
            }
        }
        let (mut path, mut at) = (Vec::new(), t);
        while at != s {
            let e = by[at]?;
            path.push(e);
            at = self.to[e ^ 1];
        }
        Some(path)
    }

    /// The nodes from which there is room to `t`.
    fn reaching(&self, t: usize) -> Vec<bool> {
        let mut reaching = vec![false; self.from.len()];
        let mut open = vec![t];
        while let Some(at) = open.pop() {
            if std::mem::replace(&mut reaching[at], true) {
                continue;
            }
            open.extend(self.from[at].iter().filter(|e| self.room[**e ^ 1] > 0).map(|e| self.to[*e]));
        }
        reaching
    }
}

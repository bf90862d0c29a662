//! Which values are computed by one kernel.
//!
//! A greedy pass in topological order: a value joins the kernels of its arguments where their loops run over the same
//! elements and no cycle of kernels arises, and joins them to each other. A reduction over the last axes splits the
//! loops of its kernel into rows: so softmax, normalizations and losses become one pass over a row, forward and
//! backward, without a kernel of their own.

use super::affine::{Affine, Derived, Var};
use super::expr::{counters, is_unrolled, is_widening, size, through};
use kiln_ir::{Dim, Func, Op, Reduction, Value};
use std::collections::{BTreeSet, HashMap};

/// What kind of loops a group has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Rows: the first `split` axes count rows, the others are reduced or mapped within one. `None` while nothing
    /// is reduced.
    Rows {
        /// Axes that count rows.
        split: Option<usize>,
    },
    /// Sums over axes that are not the last: `axes` are those kept before, those reduced, those kept behind.
    Columns {
        /// Axes kept before.
        outer: usize,
        /// Axes reduced.
        reduced: usize,
    },
    /// A matrix product and what is mapped over its result.
    Gemm(Value),
    /// Elements added where data says.
    Scatter,
    /// A loop: the value that makes its results.
    Turns(Value),
    /// Reductions whose axes are anywhere, read by strides: the value's own loops, shared with nothing.
    Gather,
}

/// The values of one kernel.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its loops.
    pub kind: Kind,
    /// Lengths of the loops' axes, none of them 1.
    pub axes: Vec<Dim>,
    /// The values, in topological order.
    pub members: Vec<Value>,
    /// Groups whose results it reads.
    pub deps: BTreeSet<usize>,
    /// Those of them that must have ended before this one begins: it reads them in another order than they are made.
    apart: BTreeSet<usize>,
}

/// The grouping of a function.
pub struct Groups<'a> {
    /// The function.
    pub func: &'a Func,
    /// Groups; a dead one (merged into another) has no members.
    pub groups: Vec<Group>,
    /// The group of a value.
    pub of: HashMap<Value, usize>,
    /// Views that are stored as they are.
    forced: BTreeSet<Value>,
}

/// A value that is read through views: which, at which index, and whether nothing masks it.
struct Source {
    value: Value,
    index: Vec<Affine>,
    plain: bool,
}

/// Axes longer than 1.
pub fn wide(shape: &[Dim]) -> Vec<Dim> {
    shape.iter().filter(|d| !d.is(1)).cloned().collect()
}

/// Elements from which on a sum of everything has loops of its own, so that threads can share them.
const LONG: i64 = 1 << 15;

/// Whether there are, or may be, so many elements.
pub fn is_long(axes: &[Dim]) -> bool {
    axes.iter().fold(Dim::from(1), |n, d| n * d.clone()).literal().is_none_or(|n| n >= LONG)
}

/// Groups the values of a function. `forced` are views to store as they are.
pub fn group<'a>(func: &'a Func, forced: BTreeSet<Value>, gemms: &dyn Fn(Value) -> bool) -> Groups<'a> {
    let mut groups = Groups { func, groups: vec![], of: HashMap::new(), forced };
    for (v, node) in func.values() {
        match &node.op {
            Op::Cast(_) if is_widening(func, v) && !groups.forced.contains(&v) => {}
            Op::Map(_) | Op::Cast(_) => groups.map(v),
            _ if groups.forced.contains(&v) => groups.map(v),
            _ if size(func, v).is_some() => {}
            Op::Concat(_) | Op::Fold(..) | Op::Gather(_) | Op::Random(..) => groups.map(v),
            Op::ScatterAdd(..) | Op::Update(_) => groups.contract(v, Kind::Scatter),
            Op::Scan(_) => groups.contract(v, Kind::Turns(v)),
            Op::Result(..) => {
                let home = groups.of[&node.args[0]];
                groups.join(v, home, &BTreeSet::new(), &BTreeSet::new());
            }
            Op::Reduce(..) if is_unrolled(func, v) => groups.map(v),
            Op::Reduce(r, axes) => groups.reduce(v, Some(*r), axes),
            Op::ArgMax(axis) => groups.reduce(v, None, &[*axis]),
            Op::Contract { .. } => groups.contract(v, if gemms(v) { Kind::Gemm(v) } else { Kind::Gather }),
            _ => {}
        }
    }
    groups
}

impl Groups<'_> {
    /// Whether a value has loops of its own: all but inputs, constants and views.
    pub fn is_real(&self, v: Value) -> bool {
        self.of.contains_key(&v)
    }

    /// The values that `v` reads.
    fn sources(&self, v: Value) -> Vec<Source> {
        let node = self.func.node(v);
        let index = counters(node.ty.rank());
        let mut derived = Vec::new();
        if self.forced.contains(&v)
            && let Some((arg, index)) = through(self.func, v, &index, &mut derived)
        {
            return self.chase(arg, index, true, &mut derived);
        }
        let plain = matches!(node.op, Op::Map(_) | Op::Cast(_));
        let read = |arg: &Value| {
            let index = if plain { index.clone() } else { counters(self.func.ty(*arg).rank()) };
            self.chase(*arg, index, plain, &mut Vec::new())
        };
        node.args.iter().flat_map(read).collect()
    }

    fn chase(&self, v: Value, index: Vec<Affine>, plain: bool, derived: &mut Vec<Derived>) -> Vec<Source> {
        if self.is_real(v) {
            return vec![Source { value: v, index, plain }];
        }
        let node = self.func.node(v);
        match through(self.func, v, &index, derived) {
            Some((arg, index)) => self.chase(arg, index, plain, derived),
            None => {
                let read =
                    |a: &Value| self.chase(*a, counters(self.func.ty(*a).rank()), false, &mut Vec::new());
                node.args.iter().flat_map(read).collect()
            }
        }
    }

    fn contract(&mut self, v: Value, kind: Kind) {
        let read = self.homes(&self.sources(v));
        let home = self.fresh(kind, wide(&self.func.ty(v).shape));
        self.join(v, home, &read, &read);
    }

    /// A map joins the groups of its arguments.
    fn map(&mut self, v: Value) {
        let axes = wide(&self.func.ty(v).shape);
        let (together, apart): (Vec<Source>, Vec<Source>) =
            self.sources(v).into_iter().partition(|s| self.aligned(v, s));
        let (mut candidates, apart) = (self.homes(&together), self.homes(&apart));
        let read: BTreeSet<usize> = candidates.union(&apart).copied().collect();
        if axes.is_empty() {
            // Scalars cost nothing: those of one moment share a kernel.
            let scalars = |g: &usize| {
                let Group { kind, axes, members, .. } = &self.groups[*g];
                *kind == Kind::Rows { split: None } && axes.is_empty() && !members.is_empty()
            };
            candidates.extend((0..self.groups.len()).filter(scalars));
        }
        candidates.retain(|g| !apart.contains(g));
        let free = |g: &usize| read.iter().all(|r| r == g || !self.reaches(*r, *g));
        let home = candidates.iter().copied().rev().find(free);
        let home = home.unwrap_or_else(|| self.fresh(Kind::Rows { split: None }, axes));
        self.join(v, home, &read, &apart);
        for other in candidates {
            self.merge(other, home);
        }
    }

    /// A reduction over the last axes joins the rows that it reads; over others it sums columns.
    fn reduce(&mut self, v: Value, how: Option<Reduction>, axes: &[usize]) {
        let arg = self.func.node(v).args[0];
        let shape = self.func.ty(arg).shape.clone();
        let long: Vec<usize> = (0..shape.len()).filter(|i| !shape[*i].is(1)).collect();
        let reduced: Vec<usize> = (0..long.len()).filter(|i| axes.contains(&long[*i])).collect();
        let split = long.len() - reduced.len();
        let sources = self.chase(arg, counters(shape.len()), true, &mut Vec::new());
        let read = self.homes(&sources);
        if reduced.iter().enumerate().all(|(n, i)| *i == split + n) {
            return self.reduce_rows(v, &shape, split, &sources, &read);
        }
        let contiguous = reduced.windows(2).all(|w| w[1] == w[0] + 1);
        let kind = match contiguous && how.is_some() && reduced.last() != Some(&(long.len() - 1)) {
            true => Kind::Columns { outer: reduced[0], reduced: reduced.len() },
            false => Kind::Gather,
        };
        let axes = if kind == Kind::Gather { wide(&self.func.ty(v).shape) } else { wide(&shape) };
        let same =
            |g: &usize| kind != Kind::Gather && self.groups[*g].kind == kind && self.groups[*g].axes == axes;
        let free = |g: &usize| read.iter().all(|r| !self.reaches(*r, *g));
        let home = (0..self.groups.len()).filter(same).find(free);
        let home = home.unwrap_or_else(|| self.fresh(kind, axes));
        self.join(v, home, &read, &read);
    }

    fn reduce_rows(
        &mut self,
        v: Value,
        shape: &[Dim],
        split: usize,
        sources: &[Source],
        read: &BTreeSet<usize>,
    ) {
        let axes = wide(shape);
        let fits = |g: &usize| {
            let had = match self.groups[*g].kind {
                Kind::Rows { split: had } => had.is_none_or(|had| had == split),
                _ => false,
            };
            let fits = had && self.groups[*g].axes == axes && !self.folds(*g);
            fits && read.iter().all(|r| r == g || !self.reaches(*r, *g))
        };
        let plain = |s: &&Source| s.plain && self.same_order(shape, s, axes.len());
        // Sums of everything share loops with each other, not with what is stored for each element.
        let total = |g: &usize| {
            let Group { kind, axes: had, .. } = &self.groups[*g];
            *kind == Kind::Rows { split: Some(0) }
                && *had == axes
                && read.iter().all(|r| !self.reaches(*r, *g))
        };
        let home = match split == 0 && is_long(&axes) {
            true => (0..self.groups.len()).find(total),
            false => {
                let of = |s: &Source| self.of[&s.value];
                let sibling = |g: &usize| {
                    let group = &self.groups[*g];
                    group.kind == Kind::Rows { split: Some(split) } && !group.deps.is_disjoint(read)
                };
                let own = sources.iter().filter(plain).map(of).find(fits);
                // Rows that another reduction reads are there already.
                own.or_else(|| (0..self.groups.len()).filter(sibling).find(fits))
            }
        };
        let home = home.unwrap_or_else(|| self.fresh(Kind::Rows { split: None }, axes));
        self.groups[home].kind = Kind::Rows { split: Some(split) };
        let apart = read.iter().copied().filter(|r| *r != home).collect();
        self.join(v, home, read, &apart);
    }

    /// Whether a group sums over windows, as the gradient of a pool does: each pass over its rows would do so again.
    pub fn folds(&self, g: usize) -> bool {
        self.groups[g].members.iter().any(|v| matches!(self.func.node(*v).op, Op::Fold(..)))
    }

    /// Whether a group's loops can compute `v` where they have `s`.
    fn aligned(&self, v: Value, s: &Source) -> bool {
        let group = &self.groups[self.of[&s.value]];
        let shape = &self.func.ty(v).shape;
        let (here, there) = (wide(shape), wide(&self.func.ty(s.value).shape));
        if !s.plain {
            return false;
        }
        match group.kind {
            Kind::Rows { split: Some(split) } => {
                let outer = &group.axes[..split];
                let alone = split == 0 && is_long(&group.axes);
                let level = |axes: &[Dim]| (axes == group.axes && !alone) || axes == outer;
                // Of a row's own result, any part of the row may read; the row itself only a part as long.
                level(&here)
                    && level(&there)
                    && there.len() <= here.len()
                    && self.same_order(shape, s, there.len())
            }
            Kind::Rows { split: None } | Kind::Gemm(_) => {
                here == group.axes && there == group.axes && self.same_order(shape, s, there.len())
            }
            Kind::Columns { .. } | Kind::Gather | Kind::Scatter | Kind::Turns(_) => false,
        }
    }

    /// Whether the first `n` axes of the reader index the source in order.
    fn same_order(&self, shape: &[Dim], s: &Source, n: usize) -> bool {
        let readers = (0..shape.len()).filter(|i| !shape[*i].is(1)).map(Var::Axis);
        let there = &self.func.ty(s.value).shape;
        let read = s.index.iter().zip(there).filter(|(_, d)| !d.is(1)).map(|(i, _)| i);
        read.clone().count() == n && read.zip(readers).all(|(index, var)| index.is(var))
    }

    fn homes(&self, sources: &[Source]) -> BTreeSet<usize> {
        sources.iter().map(|s| self.of[&s.value]).collect()
    }

    fn fresh(&mut self, kind: Kind, axes: Vec<Dim>) -> usize {
        let (deps, apart) = (BTreeSet::new(), BTreeSet::new());
        self.groups.push(Group { kind, axes, members: vec![], deps, apart });
        self.groups.len() - 1
    }

    fn join(&mut self, v: Value, home: usize, read: &BTreeSet<usize>, apart: &BTreeSet<usize>) {
        let group = &mut self.groups[home];
        group.members.push(v);
        group.deps.extend(read.iter().filter(|r| **r != home));
        group.apart.extend(apart);
        self.of.insert(v, home);
    }

    /// Whether `from` depends on `to`, directly or not.
    pub fn reaches(&self, from: usize, to: usize) -> bool {
        let mut seen = vec![false; self.groups.len()];
        let mut open = vec![from];
        while let Some(g) = open.pop() {
            if g == to {
                return true;
            }
            if !std::mem::replace(&mut seen[g], true) {
                open.extend(&self.groups[g].deps);
            }
        }
        false
    }

    /// Makes `other` part of `home`, if their loops agree and no third group stands between them.
    fn merge(&mut self, other: usize, home: usize) {
        if other == home || self.groups[other].members.is_empty() {
            return;
        }
        let (a, b) = (&self.groups[other], &self.groups[home]);
        let kind = match (&a.kind, &b.kind) {
            _ if a.axes != b.axes => return,
            (Kind::Rows { split: x }, Kind::Rows { split: y }) if x.is_none() || y.is_none() || x == y => {
                if x.or(*y).is_some() && (self.folds(other) || self.folds(home)) {
                    return;
                }
                Kind::Rows { split: x.or(*y) }
            }
            (Kind::Gemm(v), Kind::Rows { split: None }) | (Kind::Rows { split: None }, Kind::Gemm(v)) => {
                Kind::Gemm(*v)
            }
            _ => return,
        };
        let between =
            |from: usize, to: usize| self.groups[from].deps.iter().any(|d| *d != to && self.reaches(*d, to));
        if a.apart.contains(&home) || b.apart.contains(&other) || between(other, home) || between(home, other)
        {
            return;
        }
        let Group { members, deps, apart, .. } = std::mem::replace(
            &mut self.groups[other],
            Group {
                kind: Kind::Gather,
                axes: vec![],
                members: vec![],
                deps: BTreeSet::new(),
                apart: BTreeSet::new(),
            },
        );
        self.of.extend(members.iter().map(|v| (*v, home)));
        let group = &mut self.groups[home];
        group.kind = kind;
        group.members.extend(members);
        group.members.sort();
        group.deps.extend(deps);
        group.apart.extend(apart);
        for group in &mut self.groups {
            for set in [&mut group.deps, &mut group.apart] {
                if set.remove(&other) {
                    set.insert(home);
                }
            }
        }
        self.groups[home].deps.remove(&home);
    }

    /// Takes a group of cheap maps apart: its readers compute them where they need them.
    pub fn dissolve(&mut self, g: usize) {
        let deps = std::mem::take(&mut self.groups[g].deps);
        for v in std::mem::take(&mut self.groups[g].members) {
            self.of.remove(&v);
        }
        for group in &mut self.groups {
            if group.deps.remove(&g) {
                group.deps.extend(deps.iter().copied());
            }
        }
    }
}

//! From a group of values to a kernel.

use super::affine::{Affine, Derived, derive, flat};
use super::expr::{Expr, Exprs, Guard, Id, Puller, counters, is_unrolled, size};
use super::gemm;
use super::group::{Group, Kind, wide};
use super::kernel::{Gemm, How, Kernel, Loops, Reduce, Store, Turns, collapse, lengths, name, renamed};
use crate::part::Part;
use kiln_ir::{DType, Dim, Func, Op, Reduction, Value};

/// What lowering needs to know of the function.
pub struct Context<'a> {
    /// The function.
    pub func: &'a Func,
    /// Under which value a value is stored, if it is.
    pub stored: &'a dyn Fn(Value) -> Option<Value>,
}

/// The kernel of a group; `stores` are the members that others read.
pub fn lower(cx: &Context, group: &Group, stores: &[Value]) -> Kernel {
    let outside = |v: Value| (cx.stored)(v).filter(|b| !group.members.contains(b));
    let mut puller = Puller::new(cx.func, &outside);
    let mut kernel = match &group.kind {
        Kind::Rows { split } => rows(cx, group, stores, split.unwrap_or(group.axes.len()), &mut puller),
        Kind::Columns { outer, reduced } => columns(cx, group, *outer, *reduced, &mut puller),
        Kind::Gather => gather(cx, group, &mut puller),
        Kind::Scatter => scatter(cx, group.members[0], &mut puller),
        Kind::Gemm(v) => product(cx, group, *v, stores, &mut puller),
        Kind::Turns(v) => turns(cx, group, *v),
    };
    kernel.name = match &kernel.loops {
        Loops::Turns(turns) => turns.scan.body.name.clone(),
        _ => name(cx.func, stores),
    };
    kernel
}

/// A loop: all its results are stored, because a turn needs what the one before has carried.
fn turns(cx: &Context, group: &Group, v: Value) -> Kernel {
    let node = cx.func.node(v);
    let Op::Scan(scan) = &node.op else { unreachable!("its group is that of a loop") };
    let args = node.args.iter().map(|a| (cx.stored)(*a).expect("what loops read is forced")).collect();
    let results = group.members.iter().filter(|m| **m != v);
    // There is no expression behind a result.
    let stores = results.map(|m| Store { value: *m, expr: Id(0), per_row: false }).collect();
    let turns = Turns { scan: (**scan).clone(), args, part: Part::of(&scan.body) };
    let loops = Loops::Turns(Box::new(turns));
    Kernel { name: String::new(), axes: vec![], exprs: Exprs::default(), loops, stores }
}

/// The index of a value whose wide axes are the first of the loop's.
fn index(func: &Func, v: Value) -> Vec<Affine> {
    let mut axis = 0;
    let mut next = |d: &Dim| {
        if d.is(1) {
            return Affine::zero();
        }
        axis += 1;
        counters(axis).pop().expect("just counted")
    };
    func.ty(v).shape.iter().map(&mut next).collect()
}

/// How a value's loops combine elements; `None` for what an expression computes.
fn how(func: &Func, v: Value) -> Option<How> {
    match &func.node(v).op {
        Op::Reduce(..) if size(func, v).is_some() || is_unrolled(func, v) => None,
        Op::Reduce(Reduction::Sum, _) | Op::Contract { .. } => Some(How::Sum),
        Op::Reduce(Reduction::Max, _) => Some(How::Max),
        Op::ArgMax(_) => Some(How::ArgMax),
        _ => None,
    }
}

fn reduces(cx: &Context, group: &Group, puller: &mut Puller) -> Vec<Reduce> {
    let mut reduces = Vec::new();
    for &v in &group.members {
        let node = cx.func.node(v);
        if let Some(how) = how(cx.func, v) {
            let expr = puller.pull(node.args[0], &index(cx.func, node.args[0]), &[]);
            puller.reduced.insert(v, reduces.len());
            reduces.push(Reduce { value: v, how, expr });
        }
    }
    reduces
}

fn rows(cx: &Context, group: &Group, stores: &[Value], split: usize, puller: &mut Puller) -> Kernel {
    let reduces = reduces(cx, group, puller);
    let stores: Vec<Store> = stores
        .iter()
        .map(|&value| {
            let expr = puller.pull(value, &index(cx.func, value), &[]);
            let per_row = wide(&cx.func.ty(value).shape).len() < group.axes.len();
            Store { value, expr, per_row }
        })
        .collect();
    let exprs = std::mem::take(&mut puller.exprs);
    let store = flat(&counters(group.axes.len()), &group.axes);
    let full = stores.iter().any(|s| !s.per_row);
    let barriers = if split < group.axes.len() { vec![split] } else { vec![] };
    let (exprs, runs) = collapsed(&group.axes, exprs, full.then_some(&store), &barriers);
    let axes = lengths(&group.axes, &runs);
    if !reduces.is_empty() {
        let outer = runs.iter().filter(|run| run[0] < split).count();
        return Kernel { name: String::new(), axes, exprs, loops: Loops::Rows { outer, reduces }, stores };
    }
    let loops = if axes.len() <= 1 && is_flat(&exprs) {
        Loops::Flat
    } else {
        // One element that no loop counts is a row of one.
        Loops::Rows { outer: axes.len().saturating_sub(1), reduces }
    };
    Kernel { name: String::new(), axes, exprs, loops, stores }
}

/// Whether every access over at most one axis is contiguous or constant.
fn is_flat(exprs: &Exprs) -> bool {
    exprs.derived.is_empty()
        && exprs.affines().all(|a| a.terms.is_empty() || matches!(&*a.terms, [(_, c)] if c.is(1)))
}

fn columns(cx: &Context, group: &Group, outer: usize, reduced: usize, puller: &mut Puller) -> Kernel {
    let reduces = reduces(cx, group, puller);
    let exprs = std::mem::take(&mut puller.exprs);
    // The columns are one contiguous run: otherwise the axes before the last count among those reduced, which they
    // are not, so they are collapsed here or never.
    let runs: Vec<Vec<usize>> = collapsed(&group.axes, exprs.clone(), None, &[outer, outer + reduced]).1;
    let kept = runs.iter().filter(|run| run[0] >= outer + reduced).count();
    let stores = |exprs: &mut Exprs| -> Vec<Store> {
        let one = |(n, r): (usize, &Reduce)| {
            let expr = exprs.add(super::expr::Expr::Reduced(n), cx.func.ty(r.value).dtype);
            Store { value: r.value, expr, per_row: false }
        };
        reduces.iter().enumerate().map(one).collect()
    };
    if kept == 1 {
        let mut exprs = exprs.map_affines(&|a| renamed(a, &runs));
        let stores = stores(&mut exprs);
        let outer = runs.iter().filter(|run| run[0] < outer).count();
        let axes = lengths(&group.axes, &runs);
        return Kernel { name: String::new(), axes, exprs, loops: Loops::Columns { outer, reduces }, stores };
    }
    reordered(cx, group, outer, reduced, exprs, reduces)
}

/// Columns that can't be one run: rows instead, with the reduced axes moved last.
fn reordered(
    cx: &Context,
    group: &Group,
    outer: usize,
    reduced: usize,
    exprs: Exprs,
    reduces: Vec<Reduce>,
) -> Kernel {
    let n = group.axes.len();
    let order: Vec<usize> = (0..outer).chain(outer + reduced..n).chain(outer..outer + reduced).collect();
    let place = |i: usize| order.iter().position(|o| *o == i).expect("a permutation");
    let moved = |a: &Affine| {
        a.terms.iter().fold(Affine::from(a.constant.clone()), |sum, (var, c)| {
            let var = match var {
                super::affine::Var::Axis(i) => super::affine::Var::Axis(place(*i)),
                other => *other,
            };
            sum.plus(Affine::from(var).times(c))
        })
    };
    let mut exprs = exprs.map_affines(&moved);
    let axes: Vec<Dim> = order.iter().map(|i| group.axes[*i].clone()).collect();
    let stores = reduces.iter().enumerate().map(|(i, r)| {
        let expr = exprs.add(super::expr::Expr::Reduced(i), cx.func.ty(r.value).dtype);
        Store { value: r.value, expr, per_row: true }
    });
    let stores = stores.collect();
    Kernel { name: String::new(), axes, exprs, loops: Loops::Rows { outer: n - reduced, reduces }, stores }
}

/// A reduction on its own: the result's axes count rows, those reduced are within.
fn gather(cx: &Context, group: &Group, puller: &mut Puller) -> Kernel {
    let v = group.members[0];
    let node = cx.func.node(v);
    let mut axes = group.axes.clone();
    let split = axes.len();
    let (out, operands): (Vec<usize>, Vec<Vec<usize>>) = labels(cx.func, v);
    let mut index: Vec<Option<Affine>> = Vec::new();
    let mut assign = |label: usize, at: Affine| {
        index.resize(index.len().max(label + 1), None);
        index[label] = Some(at);
    };
    out.iter().zip(self::index(cx.func, v)).for_each(|(l, at)| assign(*l, at));
    for (arg, labels) in node.args.iter().zip(&operands) {
        for (label, dim) in labels.iter().zip(&cx.func.ty(*arg).shape) {
            if index.get(*label).is_some_and(Option::is_some) {
                continue;
            }
            index.resize(index.len().max(label + 1), None);
            index[*label] = Some(Affine::zero());
            if !dim.is(1) {
                axes.push(dim.clone());
                index[*label] = counters(axes.len()).pop();
            }
        }
    }
    let args: Vec<_> = node
        .args
        .iter()
        .zip(&operands)
        .map(|(arg, labels)| {
            let at: Vec<Affine> = labels.iter().map(|l| index[*l].clone().expect("assigned")).collect();
            puller.pull(*arg, &at, &[])
        })
        .collect();
    let dtype = node.ty.dtype;
    let expr = match &*args {
        [one] => *one,
        _ => puller.exprs.add(super::expr::Expr::Map(kiln_ir::Scalar::Mul, args), dtype),
    };
    let stored = puller.exprs.add(super::expr::Expr::Reduced(0), dtype);
    let reduces = vec![Reduce { value: v, how: how(cx.func, v).expect("a reduction"), expr }];
    let (exprs, runs) = collapsed(&axes, std::mem::take(&mut puller.exprs), None, &[split]);
    let outer = runs.iter().filter(|run| run[0] < split).count();
    let stores = vec![Store { value: v, expr: stored, per_row: true }];
    let axes = lengths(&axes, &runs);
    Kernel { name: String::new(), axes, exprs, loops: Loops::Rows { outer, reduces }, stores }
}

/// Elements added where an index says, or written over what is there: loops over what is added.
fn scatter(cx: &Context, v: Value, puller: &mut Puller) -> Kernel {
    let node = cx.func.node(v);
    let (x, axis, onto) = match &node.op {
        Op::ScatterAdd(axis, _) => (node.args[0], *axis, None),
        Op::Update(axis) => {
            (node.args[1], *axis, Some((cx.stored)(node.args[0]).expect("what is written over is stored")))
        }
        _ => unreachable!("grouped as a scatter"),
    };
    let len = node.ty.shape[axis].clone();
    let from = &cx.func.ty(x).shape;
    let here = index(cx.func, x);
    let expr = puller.pull(x, &here, &[]);
    let place = match onto {
        None => puller.pull(node.args[1], &here, &[]),
        // The sum of numbers that may be below 0, so not of places.
        Some(_) => {
            let start = puller.pull(node.args[2], &[], &[]);
            let along = puller.exprs.add(Expr::Index(here[axis].clone()), DType::I64);
            puller.exprs.add(Expr::Map(kiln_ir::Scalar::Add, vec![start, along]), DType::I64)
        }
    };
    let place = derive(Derived::Element(place), &mut puller.exprs.derived);
    let guard = Guard { at: place.clone(), span: len.clone(), step: 1 };
    let inside = puller.exprs.add(Expr::Inside(vec![guard]), DType::Bool);
    let (mut there, mut row) = (here[axis..].to_vec(), from[axis..].to_vec());
    (there[0], row[0]) = (place, len);
    let at = puller.exprs.add(Expr::Index(flat_all(&there, &row)), DType::I64);
    let axes = wide(from);
    let split = wide(&from[..axis]).len();
    let (exprs, runs) = collapsed(&axes, std::mem::take(&mut puller.exprs), None, &[split]);
    let outer = runs.iter().filter(|run| run[0] < split).count();
    let width = row.iter().fold(Dim::from(1), |n, d| n * d.clone());
    let stores = vec![Store { value: v, expr, per_row: false }];
    let axes = lengths(&axes, &runs);
    let loops = Loops::Scatter { outer, width, inside, at, onto };
    Kernel { name: String::new(), axes, exprs, loops, stores }
}

/// Position in a row-major tensor whose first axis counts even where it has one element: its index is data.
fn flat_all(index: &[Affine], shape: &[Dim]) -> Affine {
    let rest = shape[1..].iter().fold(Dim::from(1), |n, d| n * d.clone());
    index[0].clone().times(&rest).plus(flat(&index[1..], &shape[1..]))
}

/// Labels of a reduction's result and operands, as of a contraction.
fn labels(func: &Func, v: Value) -> (Vec<usize>, Vec<Vec<usize>>) {
    let node = func.node(v);
    let wide = |l: &[u8]| l.iter().map(|l| *l as usize).collect::<Vec<_>>();
    let rank = func.ty(node.args[0]).rank();
    let without =
        |axes: &[usize]| ((0..rank).filter(|i| !axes.contains(i)).collect(), vec![(0..rank).collect()]);
    match &node.op {
        Op::Contract { lhs, rhs, out } => (wide(out), vec![wide(lhs), wide(rhs)]),
        Op::Reduce(_, axes) => without(axes),
        Op::ArgMax(axis) => without(&[*axis]),
        _ => unreachable!("a reduction"),
    }
}

fn product(cx: &Context, group: &Group, v: Value, stores: &[Value], puller: &mut Puller) -> Kernel {
    puller.reduced.insert(v, 0);
    let stores: Vec<Store> = stores
        .iter()
        .map(|&value| Store { value, expr: puller.pull(value, &index(cx.func, value), &[]), per_row: false })
        .collect();
    let exprs = std::mem::take(&mut puller.exprs);
    let accesses: Vec<&Affine> = exprs.affines().collect();
    let outside = |v: Value| (cx.stored)(v).filter(|b| !group.members.contains(b));
    let gemm::Product { runs, roles, k, a, b } =
        gemm::product(cx.func, v, &outside, &accesses).expect("grouped as a product");
    let axes = lengths(&group.axes, &runs);
    let exprs = exprs.map_affines(&|a| renamed(a, &runs));
    let gemm = Gemm { value: v, roles, k, a, b };
    Kernel { name: String::new(), axes, exprs, loops: Loops::Gemm(Box::new(gemm)), stores }
}

/// The expressions over as few axes as all accesses allow.
fn collapsed(
    axes: &[Dim],
    exprs: Exprs,
    store: Option<&Affine>,
    barriers: &[usize],
) -> (Exprs, Vec<Vec<usize>>) {
    let accesses: Vec<&Affine> = exprs.affines().chain(store).collect();
    let runs = collapse(axes, &accesses, barriers);
    (exprs.map_affines(&|a| renamed(a, &runs)), runs)
}

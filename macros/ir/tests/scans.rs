//! Loops: their meaning, and their gradients against central differences in f64 and against the loop unrolled.

mod common;

use common::derivatives::check;
use common::{Rng, f64s};
use kiln_ir::ops::Array;
use kiln_ir::{
    Builder, DType, Dim, Error, Func, Op, Reduction, Role, Scalar, Scan, SymKind, Syms, Ty, Value,
};
use kiln_ir::{differentiate, eval::eval, text, verify::verify};
use std::sync::Arc;

const BATCH: usize = 3;
const WIDTH: usize = 4;

/// `h' = tanh(x·w + h·u)`, `c' = c·h' + s`, `y = c'·h`.
fn turn(b: &mut Builder, args: &[Value]) -> Result<Vec<Value>, Error> {
    let &[h, c, x, w, u, s] = args else { unreachable!("six") };
    let product = |l, r| (Op::Contract { lhs: vec![0, 1], rhs: vec![1, 2], out: vec![0, 2] }, [l, r]);
    let (op, args) = product(x, w);
    let from_x = b.emit(op, &args)?;
    let (op, args) = product(h, u);
    let from_h = b.emit(op, &args)?;
    let sum = b.map(Scalar::Add, &[from_x, from_h])?;
    let next = b.map(Scalar::Tanh, &[sum])?;
    let kept = b.map(Scalar::Mul, &[c, next])?;
    let cell = b.elementwise(Scalar::Add, &[kept, s])?;
    let y = b.map(Scalar::Mul, &[cell, h])?;
    Ok(vec![next, cell, y])
}

fn types() -> [Ty; 6] {
    let (state, square) = (f64s(&[BATCH, WIDTH]), f64s(&[WIDTH, WIDTH]));
    [state.clone(), state.clone(), state, square.clone(), square, f64s(&[WIDTH])]
}

fn body(syms: Syms) -> Func {
    let mut b = Builder::new("turn", syms);
    let names = ["h", "c", "x", "w", "u", "s"];
    let inputs: Vec<Value> =
        names.iter().zip(types()).map(|(n, ty)| b.input(n, ty, Role::Argument)).collect();
    for (name, v) in ["h", "c", "y"].iter().zip(turn(&mut b, &inputs).unwrap()) {
        b.output(name, v, None);
    }
    b.finish()
}

fn looped(trips: impl Into<Dim>, syms: Syms, reverse: bool) -> Func {
    let trips = trips.into();
    let scan = Scan {
        body: Arc::new(body(syms.clone())),
        trips,
        carries: 2,
        scanned: 1,
        reverse,
        again: false,
        guard: None,
    };
    let mut b = Builder::new("f", syms);
    let names = ["h", "c", "x", "w", "u", "s"];
    let inputs: Vec<Value> =
        names.iter().enumerate().map(|(i, n)| b.input(n, scan.argument(i), Role::Argument)).collect();
    for (name, v) in ["h", "c", "y"].iter().zip(b.scan(scan, &inputs).unwrap()) {
        b.output(name, v, None);
    }
    let func = b.finish();
    verify(&func).unwrap();
    func
}

fn unrolled(trips: usize, reverse: bool) -> Func {
    let mut b = Builder::new("f", Syms::default());
    let [h, c, _, w, u, s] = types();
    let names = ["h", "c", "x", "w", "u", "s"];
    let inputs: Vec<Value> = names
        .iter()
        .zip([h, c, f64s(&[trips, BATCH, WIDTH]), w, u, s])
        .map(|(n, ty)| b.input(n, ty, Role::Argument))
        .collect();
    let (mut h, mut c, mut ys) = (inputs[0], inputs[1], vec![]);
    let turns: Vec<usize> = if reverse { (0..trips).rev().collect() } else { (0..trips).collect() };
    for t in turns {
        let axis =
            |start: usize, len: usize| kiln_ir::SliceAxis { start: start.into(), len: len.into(), step: 1 };
        let x = b.emit(Op::Slice(vec![axis(t, 1), axis(0, BATCH), axis(0, WIDTH)]), &[inputs[2]]).unwrap();
        let x = b.emit(Op::Reshape(vec![BATCH.into(), WIDTH.into()]), &[x]).unwrap();
        let results = turn(&mut b, &[h, c, x, inputs[3], inputs[4], inputs[5]]).unwrap();
        (h, c) = (results[0], results[1]);
        ys.push(b.emit(Op::Reshape(vec![1.into(), BATCH.into(), WIDTH.into()]), &[results[2]]).unwrap());
    }
    if reverse {
        ys.reverse();
    }
    let y = b.emit(Op::Concat(0), &ys).unwrap();
    for (name, v) in [("h", h), ("c", c), ("y", y)] {
        b.output(name, v, None);
    }
    b.finish()
}

fn inputs(trips: usize, rng: &mut Rng) -> Vec<Array> {
    let [h, c, _, w, u, s] = types();
    let shapes = [h, c, f64s(&[trips, BATCH, WIDTH]), w, u, s];
    shapes.iter().map(|ty| rng.array(&common::sizes(ty))).collect()
}

fn close(a: &[Array], b: &[Array]) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert_eq!(a.shape, b.shape);
        for (x, y) in a.data.iter().zip(&b.data) {
            assert!((x - y).abs() <= 1e-12 * y.abs().max(1.0), "{x} {y}");
        }
    }
}

#[test]
fn a_loop_is_its_turns_one_after_the_other() {
    let mut rng = Rng(1);
    for reverse in [false, true] {
        for trips in [1, 2, 5] {
            let x = inputs(trips, &mut rng);
            let (looped, unrolled) = (looped(trips, Syms::default(), reverse), unrolled(trips, reverse));
            close(&eval(&looped, &x), &eval(&unrolled, &x));
            let all: Vec<usize> = (0..6).collect();
            let grad = differentiate::vjp(&looped, &all).unwrap();
            verify(&grad).unwrap();
            let cts: Vec<Array> = eval(&looped, &x).iter().map(|y| rng.array(&y.shape)).collect();
            let x = [x, cts].concat();
            close(&eval(&grad, &x), &eval(&differentiate::vjp(&unrolled, &all).unwrap(), &x));
        }
    }
}

#[test]
fn gradients_of_loops() {
    let mut rng = Rng(2);
    for (trips, reverse) in [(0, false), (1, false), (3, false), (3, true)] {
        let x = inputs(trips, &mut rng);
        check("a loop", &looped(trips, Syms::default(), reverse), &x, &mut rng);
    }
}

/// A loop within a loop, a carry that has no gradient, and one that nobody asks for.
#[test]
fn gradients_of_nested_loops() {
    let mut rng = Rng(3);
    let mut inner = Builder::new("inner", Syms::default());
    let acc = inner.input("acc", f64s(&[WIDTH]), Role::Argument);
    let x = inner.input("x", f64s(&[WIDTH]), Role::Argument);
    let k = inner.input("k", f64s(&[WIDTH]), Role::Argument);
    let p = inner.map(Scalar::Mul, &[acc, k]).unwrap();
    let q = inner.map(Scalar::Sin, &[p]).unwrap();
    let next = inner.map(Scalar::Add, &[q, x]).unwrap();
    inner.output("acc", next, None);
    let inner = Arc::new(inner.finish());
    let mut outer = Builder::new("outer", Syms::default());
    let count = outer.input("count", Ty::scalar(DType::I64), Role::Argument);
    let acc = outer.input("acc", f64s(&[WIDTH]), Role::Argument);
    let idle = outer.input("idle", f64s(&[WIDTH]), Role::Argument);
    let xs = outer.input("xs", f64s(&[2, WIDTH]), Role::Argument);
    let k = outer.input("k", f64s(&[WIDTH]), Role::Argument);
    let scan = Scan {
        body: inner,
        trips: 2.into(),
        carries: 1,
        scanned: 1,
        reverse: true,
        again: false,
        guard: None,
    };
    let acc = outer.scan(scan, &[acc, xs, k]).unwrap()[0];
    let one = outer.constant(1.0, DType::I64);
    let more = outer.map(Scalar::Add, &[count, one]).unwrap();
    let weight = outer.emit(Op::Cast(DType::F64), &[more]).unwrap();
    let weighted = outer.elementwise(Scalar::Mul, &[acc, weight]).unwrap();
    let idle = outer.map(Scalar::Add, &[idle, k]).unwrap();
    let y = outer.emit(Op::Reduce(Reduction::Sum, vec![0]), &[weighted]).unwrap();
    for (name, v) in [("count", more), ("acc", weighted), ("idle", idle), ("y", y)] {
        outer.output(name, v, None);
    }
    let scan = Scan {
        body: Arc::new(outer.finish()),
        trips: 3.into(),
        carries: 3,
        scanned: 1,
        reverse: false,
        again: false,
        guard: None,
    };
    let mut b = Builder::new("f", Syms::default());
    let inputs = [f64s(&[WIDTH]), f64s(&[3, 2, WIDTH]), f64s(&[WIDTH])];
    let inputs: Vec<Value> =
        inputs.iter().zip(["acc", "xs", "k"]).map(|(ty, n)| b.input(n, ty.clone(), Role::Argument)).collect();
    let zero = b.constant(0.0, DType::I64);
    let args = [zero, inputs[0], inputs[0], inputs[1], inputs[2]];
    let results = b.scan(scan, &args).unwrap();
    b.output("acc", results[1], None);
    b.output("y", results[3], None);
    let func = b.finish();
    verify(&func).unwrap();
    let x = [rng.array(&[WIDTH]), rng.array(&[3, 2, WIDTH]), rng.array(&[WIDTH])];
    check("nested loops", &func, &x, &mut rng);
    assert_eq!(text::parse(&func.to_string()).unwrap().to_string(), func.to_string());
}

#[test]
fn the_number_of_turns_may_be_free() {
    let mut syms = Syms::default();
    let t = Dim::from(syms.intern("T", SymKind::Free { bound: None }));
    let func = looped(t, syms, false);
    let mut rng = Rng(4);
    for trips in [0, 1, 4] {
        let x = inputs(trips, &mut rng);
        check("a loop of any length", &func, &x, &mut rng);
    }
    assert_eq!(text::parse(&func.to_string()).unwrap(), without_places(func));
}

/// A text has no spans.
fn without_places(mut func: Func) -> Func {
    func.nodes.iter_mut().for_each(|n| n.loc = Default::default());
    func
}

/// The weight's gradient is one product behind the loop, and a turn stores no more than its gradient reads.
#[test]
fn gradients_of_weights_are_products_of_all_turns() {
    let grad = differentiate::vjp(&looped(5, Syms::default(), false), &(0..6).collect::<Vec<_>>()).unwrap();
    let scans: Vec<&Scan> = grad
        .values()
        .filter_map(|(_, n)| match &n.op {
            Op::Scan(s) => Some(&**s),
            _ => None,
        })
        .collect();
    assert_eq!(scans.len(), 2, "{grad}");
    let saved = scans[0].body.outputs.len() - 3;
    assert_eq!(saved, 3, "h, c and h', of which the rest follows: {grad}");
    assert_eq!(scans[1].carries, 3, "of the sums over turns only that of the small s is carried: {grad}");
    let behind = grad.values().filter(|(_, n)| matches!(n.op, Op::Contract { .. })).count();
    assert_eq!(behind, 2, "{grad}");
}

/// The same gradients, and nothing of the loop forward but the carries is stored.
#[test]
fn a_gradient_may_compute_turns_again() {
    let mut rng = Rng(11);
    let x = inputs(4, &mut rng);
    let kept = looped(4, Syms::default(), false);
    let again = looping(&kept, true);
    let all: Vec<usize> = (0..6).collect();
    let [one, other] = [&kept, &again].map(|f| differentiate::vjp(f, &all).unwrap());
    verify(&other).unwrap();
    assert_eq!(text::parse(&other.to_string()).unwrap(), other);
    let cotangents: Vec<Array> = eval(&kept, &x).iter().map(|y| rng.array(&y.shape)).collect();
    let x = [x, cotangents].concat();
    close(&eval(&one, &x), &eval(&other, &x));
    check("again", &again, &x[..6], &mut rng);
    let stored = |f: &Func| {
        f.nodes
            .iter()
            .filter_map(|n| match &n.op {
                Op::Scan(s) if !s.reverse => Some(s.body.outputs.len()),
                _ => None,
            })
            .max()
    };
    assert_eq!((stored(&one), stored(&other)), (Some(6), Some(5)));
}

/// The function with its loops' gradients computing turns again, or not.
fn looping(func: &Func, again: bool) -> Func {
    let mut func = func.clone();
    for node in &mut func.nodes {
        if let Op::Scan(scan) = &mut node.op {
            scan.again = again;
        }
    }
    func
}

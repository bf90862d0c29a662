//! Branches and bounded loops: values, derivatives of both modes and orders, batches, text.

mod common;

use common::derivatives::check;
use common::{Rng, f64s, same};
use kiln_ir::composite::control::{Part, cond, while_loop};
use kiln_ir::ops::Array;
use kiln_ir::{
    Builder, DType, Error, Func, Op, Reduction, Role, Scalar, Syms, Value, batch::vmap, eval::eval,
    text::parse, verify::verify,
};

type Body = fn(&mut Builder, &[Value]) -> Result<Vec<Value>, Error>;

fn part(name: &str, shapes: &[&[usize]], of: Body) -> Func {
    let mut b = Builder::new(name, Syms::default());
    let inputs: Vec<Value> = shapes
        .iter()
        .enumerate()
        .map(|(i, s)| b.input(&format!("{name}{i}"), f64s(s), Role::Argument))
        .collect();
    for (i, v) in of(&mut b, &inputs).unwrap().into_iter().enumerate() {
        b.output(&format!("r{i}"), v, None);
    }
    b.finish()
}

fn total(b: &mut Builder, x: Value) -> Result<Value, Error> {
    b.emit(Op::Reduce(Reduction::Sum, vec![0]), &[x])
}

fn below(b: &mut Builder, x: Value, bound: f64) -> Result<Value, Error> {
    let (sum, bound) = (total(b, x)?, b.constant(bound, DType::F64));
    b.map(Scalar::Lt, &[sum, bound])
}

/// `sin(x)·y` and `Σx` where `Σs < 0`, else `√x·x` and `Σx·y`: the root is NaN where the branch isn't taken.
fn branches() -> Func {
    let then = part("then", &[&[3], &[3]], |b, x| {
        let (sin, sum) = (b.map(Scalar::Sin, &[x[0]])?, total(b, x[0])?);
        Ok(vec![b.map(Scalar::Mul, &[sin, x[1]])?, sum])
    });
    let other = part("other", &[&[3], &[3]], |b, x| {
        let (root, product) = (b.map(Scalar::Sqrt, &[x[0]])?, b.map(Scalar::Mul, x)?);
        Ok(vec![b.map(Scalar::Mul, &[root, x[0]])?, total(b, product)?])
    });
    let mut b = Builder::new("f", Syms::default());
    let [x, y, s] = ["x", "y", "s"].map(|n| b.input(n, f64s(&[3]), Role::Argument));
    let pred = below(&mut b, s, 0.0).unwrap();
    let doubled = b.add(x, x).unwrap();
    let captures = [doubled, y];
    let of = |func| Part { func, captures: &captures };
    let results = cond(&mut b, pred, of(&then), of(&other)).unwrap();
    for (name, v) in ["a", "b"].iter().zip(results) {
        b.output(name, v, None);
    }
    b.finish()
}

/// `x ← x·k + sin(x)` while `Σx < 6`, at most five times.
fn search() -> Func {
    let going = part("going", &[&[2]], |b, x| Ok(vec![below(b, x[0], 6.0)?]));
    let turn = part("turn", &[&[2], &[2]], |b, x| {
        let (scaled, sin) = (b.map(Scalar::Mul, x)?, b.map(Scalar::Sin, &[x[0]])?);
        Ok(vec![b.add(scaled, sin)?])
    });
    let mut b = Builder::new("f", Syms::default());
    let [x, k] = ["x", "k"].map(|n| b.input(n, f64s(&[2]), Role::Argument));
    let (going, turn) = (Part { func: &going, captures: &[] }, Part { func: &turn, captures: &[k] });
    let last = while_loop(&mut b, &5.into(), &[x], going, turn).unwrap();
    b.output("last", last[0], None);
    b.finish()
}

fn array(data: &[f64]) -> Array {
    Array::rounded(DType::F64, vec![data.len()], data.to_vec())
}

#[test]
fn the_branch_taken_gives_values_and_derivatives() {
    let func = branches();
    verify(&func).unwrap();
    assert_eq!(parse(&func.to_string()).unwrap(), func);
    let (x, y) = (array(&[0.3, 0.5, 1.1]), array(&[2.0, -1.0, 0.5]));
    for (s, first) in [(-1.0, 0.6f64.sin() * 2.0), (1.0, 0.6f64.sqrt() * 0.6)] {
        let inputs = [x.clone(), y.clone(), array(&[s, 0.0, 0.0])];
        assert!((eval(&func, &inputs)[0].data[0] - first).abs() < 1e-15);
        check("a branch", &func, &inputs, &mut Rng(1));
    }
}

#[test]
fn a_branch_not_taken_hands_no_nan_on() {
    let inputs = [array(&[-0.3, -0.5, -1.1]), array(&[2.0, -1.0, 0.5]), array(&[-1.0, 0.0, 0.0])];
    check("a branch of a root", &branches(), &inputs, &mut Rng(1));
}

#[test]
fn the_loop_ends_when_its_condition_does() {
    let func = search();
    verify(&func).unwrap();
    assert_eq!(parse(&func.to_string()).unwrap(), func);
    for (x, turns) in [([7.0, 0.0], 0), ([1.0, 1.5], 2), ([0.1, -0.2], 5)] {
        let k = [1.5, 1.2];
        let mut want = x;
        let mut taken = 0;
        while want.iter().sum::<f64>() < 6.0 && taken < 5 {
            (0..2).for_each(|i| want[i] = want[i] * k[i] + want[i].sin());
            taken += 1;
        }
        assert_eq!(taken, turns);
        let inputs = [array(&x), array(&k)];
        assert_eq!(eval(&func, &inputs)[0].data, want);
        check("a loop", &func, &inputs, &mut Rng(2));
    }
}

#[test]
fn batches_are_of_each_element() {
    let (func, mut rng) = (branches(), Rng(5));
    let positive = |rng: &mut Rng| {
        Array::rounded(DType::F64, vec![4, 3], (0..12).map(|_| rng.uniform(0.2, 1.0)).collect())
    };
    let (x, y, s) = (positive(&mut rng), rng.array(&[4, 3]), rng.array(&[4, 3]));
    agree(&func, &[x.clone(), y.clone(), s]);
    agree(&func, &[x, y, rng.array(&[3])]);
    agree(&search(), &[positive(&mut rng).reshaped(&[6, 2]), array(&[1.5, 1.2])]);
}

/// Whether the function of a batch is that of each row, and its derivatives are right.
fn agree(func: &Func, inputs: &[Array]) {
    let mapped: Vec<bool> =
        inputs.iter().zip(&func.inputs).map(|(x, i)| x.shape.len() > i.ty.rank()).collect();
    let size = inputs[0].shape[0];
    let over = vmap(func, &mapped, &size.into()).unwrap();
    verify(&over).unwrap();
    let got = eval(&over, inputs);
    for at in 0..size {
        let row = |x: &Array| x.row(at);
        let one: Vec<Array> =
            inputs.iter().zip(&mapped).map(|(x, mapped)| if *mapped { row(x) } else { x.clone() }).collect();
        for (got, want) in got.iter().zip(eval(func, &one)) {
            assert!(same(&row(got), &want));
        }
    }
    check("a batch", &over, inputs, &mut Rng(3));
}

trait Reshaped {
    fn reshaped(self, shape: &[usize]) -> Self;
}

impl Reshaped for Array {
    fn reshaped(self, shape: &[usize]) -> Array {
        Array { shape: shape.to_vec(), ..self }
    }
}

#[test]
fn a_guard_is_one_truth_value() {
    let func = part("f", &[&[3]], |b, x| Ok(vec![x[0], b.map(Scalar::Sin, x)?]));
    let mut b = Builder::new("f", Syms::default());
    let x = b.input("x", f64s(&[3]), Role::Argument);
    let part = Part { func: &func, captures: &[x] };
    assert!(cond(&mut b, x, part, part).is_err());
    let many = b.map(Scalar::Lt, &[x, x]).unwrap();
    let error = cond(&mut b, many, part, part).unwrap_err().to_string();
    assert!(error.contains("one truth value"), "{error}");
}

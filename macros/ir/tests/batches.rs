//! `vmap(f)` is `f` of each element, one after the other: random graphs over all operations, and loops.

mod common;

use common::graphs::{self, Graph};
use common::{Rng, f64s, same};
use kiln_ir::composite::random::{self, Generator};
use kiln_ir::ops::{
    Array,
    random::{counter_type, key_type},
};
use kiln_ir::{
    Builder, DType, Dim, Func, Op, Reduction, Role, Scalar, Scan, Syms, Value, batch::vmap, differentiate,
    eval::eval, verify::verify,
};
use std::sync::Arc;

/// The arrays of all elements as one.
fn stacked(rows: &[Array]) -> Array {
    let shape = [&[rows.len()], rows[0].shape.as_slice()].concat();
    Array::stack(rows[0].dtype, shape, rows)
}

/// Whether `over` of all elements is `func` of each.
fn agrees(func: &Func, over: &Func, mapped: &[bool], rows: &[Vec<Array>]) -> Result<(), String> {
    let pick = |i: usize| rows.iter().map(|r| r[i].clone()).collect::<Vec<_>>();
    let whole = |i: usize| if mapped[i] { stacked(&pick(i)) } else { rows[0][i].clone() };
    let inputs: Vec<Array> = (0..mapped.len()).map(whole).collect();
    let got = eval(over, &inputs);
    let wants: Vec<Vec<Array>> = rows.iter().map(|row| eval(func, row)).collect();
    for (i, got) in got.iter().enumerate() {
        let want = stacked(&wants.iter().map(|w| w[i].clone()).collect::<Vec<_>>());
        if !same(got, &want) {
            return Err(format!("output {i}: {got:?} for {want:?}"));
        }
    }
    Ok(())
}

/// Other elements of the same types: those that aren't mapped stay.
fn elements(inputs: &[Array], mapped: &[bool], count: usize) -> Vec<Vec<Array>> {
    let turned = |by: usize| {
        let one = |(x, mapped): (&Array, &bool)| {
            let mut x = x.clone();
            let len = x.data.len().max(1);
            if *mapped && !x.data.is_empty() {
                x.data.rotate_left((by * 2 + 1) % len);
            }
            x
        };
        inputs.iter().zip(mapped).map(one).collect()
    };
    (0..count).map(|by| if by == 0 { inputs.to_vec() } else { turned(by) }).collect()
}

fn check(name: &str, func: &Func, mapped: &[bool], rows: &[Vec<Array>]) {
    let over = vmap(func, mapped, &rows.len().into()).unwrap_or_else(|e| panic!("{name}: {e}"));
    verify(&over).unwrap_or_else(|e| panic!("{name}: {e}\n{over}"));
    agrees(func, &over, mapped, rows).unwrap_or_else(|e| panic!("{name}: {e}\n{over}"));
}

#[test]
fn another_function_is_rejected() {
    let of = |s| common::function(&[vec![3]], move |b, x| b.map(s, x));
    let rows = elements(&[Rng(1).array(&[3])], &[true], 2);
    let over = |s| vmap(&of(s), &[true], &2.into()).unwrap();
    assert_eq!(agrees(&of(Scalar::Sin), &over(Scalar::Sin), &[true], &rows), Ok(()));
    assert!(agrees(&of(Scalar::Sin), &over(Scalar::Cos), &[true], &rows).is_err());
}

#[test]
fn updates_wherever_they_start() {
    let mut b = Builder::new("f", Syms::default());
    let base = b.input("base", f64s(&[3, 5, 2]), Role::Argument);
    let x = b.input("x", f64s(&[3, 2, 2]), Role::Argument);
    let start = b.input("start", kiln_ir::Ty::scalar(kiln_ir::DType::I64), Role::Argument);
    let y = b.emit(Op::Update(1), &[base, x, start]).unwrap();
    b.output("y", y, None);
    let func = b.finish();
    let mut rng = Rng(2);
    for mask in 1..8 {
        let mapped = [mask & 1 != 0, mask & 2 != 0, mask & 4 != 0];
        let mut rows = elements(&[rng.array(&[3, 5, 2]), rng.array(&[3, 2, 2])], &mapped[..2], 4);
        for (i, row) in rows.iter_mut().enumerate() {
            let start = if mapped[2] { [-1.0, 0.0, 4.0, 7.0][i] } else { 2.0 };
            row.push(Array::rounded(kiln_ir::DType::I64, vec![], vec![start]));
        }
        check("update", &func, &mapped, &rows);
    }
}

#[test]
fn random_graphs() {
    for seed in 0..300 {
        let mut graph = Graph::new(seed);
        for (i, (v, _)) in graph.values.clone().iter().enumerate() {
            graph.b.output(&format!("v{i}"), *v, None);
        }
        let (func, inputs, mut rng) = (graph.b.finish(), graph.inputs, graph.rng);
        let mut mapped: Vec<bool> = inputs.iter().map(|_| rng.chance(60)).collect();
        mapped[graphs::KEY] = false;
        for (size, count) in [(0, 3), (1, 1), (2, 2)] {
            let first: Vec<Array> = inputs.iter().map(|a| a[size].clone()).collect();
            check(&format!("graph {seed}"), &func, &mapped, &elements(&first, &mapped, count));
        }
    }
}

/// `h' = tanh(h·x + s)`, `k' = k·s`, `y = h'·k` over three turns.
fn looped() -> Func {
    let mut t = Builder::new("turn", Syms::default());
    let ty = f64s(&[2]);
    let [h, k, x, s] = ["h", "k", "x", "s"].map(|n| t.input(n, ty.clone(), Role::Argument));
    let product = t.map(Scalar::Mul, &[h, x]).unwrap();
    let sum = t.map(Scalar::Add, &[product, s]).unwrap();
    let next = t.map(Scalar::Tanh, &[sum]).unwrap();
    let other = t.map(Scalar::Mul, &[k, s]).unwrap();
    let y = t.map(Scalar::Mul, &[next, k]).unwrap();
    for (name, v) in [("h", next), ("k", other), ("y", y)] {
        t.output(name, v, None);
    }
    let body = Arc::new(t.finish());
    let scan =
        Scan { body, trips: Dim::from(3), carries: 2, scanned: 1, reverse: false, again: false, guard: None };
    let mut b = Builder::new("f", Syms::default());
    let args: Vec<Value> =
        (0..4).map(|i| b.input(&format!("a{i}"), scan.argument(i), Role::Argument)).collect();
    for (i, v) in b.scan(scan, &args).unwrap().into_iter().enumerate() {
        b.output(&format!("o{i}"), v, None);
    }
    b.finish()
}

#[test]
fn loops_and_their_gradients_whatever_is_mapped() {
    let (func, mut rng) = (looped(), Rng(5));
    let grad = differentiate::vjp(&func, &[0, 1, 2, 3]).unwrap();
    for f in [&func, &grad] {
        let inputs: Vec<Array> = f.inputs.iter().map(|i| rng.array(&common::sizes(&i.ty))).collect();
        for mask in 1..16usize {
            let mapped: Vec<bool> = (0..inputs.len()).map(|i| i > 3 || mask >> i & 1 == 1).collect();
            check(&format!("mask {mask}"), f, &mapped, &elements(&inputs, &mapped, 3));
        }
    }
}

/// `vmap(grad(f))` and `grad(sum(vmap(f)))` are the same where all is mapped; and vmap nests.
#[test]
fn batches_and_gradients_commute() {
    let func = common::function(&[vec![4], vec![4]], |b, x| {
        let y = b.map(Scalar::Mul, x)?;
        let y = b.map(Scalar::Sin, &[y])?;
        let top = b.emit(Op::Reduce(Reduction::Max, vec![0]), &[y])?;
        let sum = b.emit(Op::Reduce(Reduction::Sum, vec![0]), &[y])?;
        b.map(Scalar::Mul, &[sum, top])
    });
    let (all, mut rng) = ([true, true, true], Rng(7));
    let each = vmap(&differentiate::vjp(&func, &[0, 1]).unwrap(), &all, &3.into()).unwrap();
    let over = vmap(&func, &all[..2], &3.into()).unwrap();
    let inputs = [rng.array(&[3, 4]), rng.array(&[3, 4]), rng.array(&[3])];
    let whole = eval(&differentiate::vjp(&over, &[0, 1]).unwrap(), &inputs);
    eval(&each, &inputs).iter().zip(&whole).for_each(|(a, b)| assert!(same(a, b), "{a:?} {b:?}"));
    let rows: Vec<Vec<Array>> = (0..2).map(|_| vec![rng.array(&[3, 4]), rng.array(&[3, 4])]).collect();
    check("nested", &over, &all[..2], &rows);
}

/// Elements draw one after the other, and the generator stands behind the last.
#[test]
fn a_generator_goes_on_from_element_to_element() {
    let mut b = Builder::new("f", Syms::default());
    let x = b.input("x", f64s(&[5]), Role::Argument);
    let key = b.input("key", key_type(), Role::Buffer);
    let counter = b.input("counter", counter_type(), Role::Buffer);
    let mut g = Generator { key, counter };
    let y = random::dropout(&mut b, &mut g, x, 0.5).unwrap();
    let z = random::rand(&mut b, &mut g, &[3.into(), 2.into()]).unwrap();
    b.output("y", y, None);
    b.output("z", z, None);
    b.output("counter", g.counter, Some(2));
    let func = b.finish();
    let over = vmap(&func, &[true, false, false], &4.into()).unwrap();
    verify(&over).unwrap();
    let mut rng = Rng(61);
    let rows: Vec<Array> = (0..4).map(|_| rng.array(&[5])).collect();
    let key = Array::rounded(DType::I32, vec![2], vec![3.0, 7.0]);
    let mut counter = Array::rounded(DType::I64, vec![], vec![11.0]);
    let got = eval(&over, &[stacked(&rows), key.clone(), counter.clone()]);
    let mut wants = [vec![], vec![]];
    for row in rows {
        let want = eval(&func, &[row, key.clone(), counter]);
        (0..2).for_each(|i| wants[i].push(want[i].clone()));
        counter = want[2].clone();
    }
    assert!(same(&got[0], &stacked(&wants[0])) && same(&got[1], &stacked(&wants[1])));
    assert!(same(&got[2], &counter) && counter.data == [11.0 + 4.0 * 4.0], "{counter:?}");
    let state = vmap(&func, &[true, false, true], &4.into()).unwrap_err().to_string();
    assert_eq!(state, "`vmap`: `counter` is one state, and the elements are many");
}

/// A rule for a gradient survives text, batches and both modes; it is linear, so both agree.
#[test]
fn rules() {
    let rule = {
        let mut b = Builder::new("rule", Syms::default());
        let [x, s, _, ct] = ["x", "s", "y", "ct"].map(|n| b.input(n, f64s(&[3]), Role::Argument));
        let dx = b.map(Scalar::Mul, &[ct, s]).unwrap();
        let ds = b.map(Scalar::Mul, &[ct, x]).unwrap();
        b.output("dx", dx, None);
        b.output("ds", ds, None);
        Arc::new(b.finish())
    };
    let func = common::function(&[vec![3], vec![3]], |b, x| {
        let y = b.map(Scalar::Mul, x)?;
        let y = b.emit(Op::Rule(rule.clone()), &[y, x[0], x[1]])?;
        b.map(Scalar::Sin, &[y])
    });
    verify(&func).unwrap();
    assert_eq!(kiln_ir::text::parse(&func.to_string()).unwrap(), func);
    let mut rng = Rng(3);
    let inputs = [rng.array(&[3]), rng.array(&[3])];
    common::derivatives::check("rule", &func, &inputs, &mut rng);
    for mapped in [[true, false], [false, true], [true, true]] {
        check("rule", &func, &mapped, &elements(&inputs, &mapped, 3));
    }
    let over = vmap(&func, &[true, false], &2.into()).unwrap();
    common::derivatives::check("rules", &over, &[rng.array(&[2, 3]), rng.array(&[3])], &mut rng);
}

//! Random well-typed functions over all operations, against an evaluation of the unsimplified nodes.
//!
//! While a graph is built, each operation is also evaluated as it was asked for, for several sizes of N. So
//! whatever the builder folds, simplifies or shares must keep the meaning to the last bit.

mod common;

use common::graphs::Graph;
use common::{rebuilt, same};
use kiln_ir::ops::Array;
use kiln_ir::{
    DType, Func, Op, Reduction, Scalar, differentiate::value_and_grad, eval::eval, verify::verify,
};

/// The graph as a function of all its values, and what they are: arrays a size of N.
fn finished(mut graph: Graph) -> (Func, Vec<Vec<Array>>, Vec<Vec<Array>>) {
    for (i, (v, _)) in graph.values.iter().enumerate() {
        graph.b.output(&format!("v{i}"), *v, None);
    }
    (graph.b.finish(), graph.inputs, graph.values.into_iter().map(|v| v.1).collect())
}

fn at(arrays: &[Vec<Array>], size: usize) -> Vec<Array> {
    arrays.iter().map(|a| a[size].clone()).collect()
}

#[test]
fn another_zero_or_type_is_rejected() {
    let of = |dtype, x| Array::rounded(dtype, vec![1], vec![x]);
    assert!(same(&of(DType::F64, f64::NAN), &of(DType::F64, -f64::NAN)));
    assert!(!same(&of(DType::F64, 0.0), &of(DType::F64, -0.0)));
    assert!(!same(&of(DType::F64, 1.0), &of(DType::F32, 1.0)));
}

#[test]
fn building_and_rebuilding_keep_the_meaning() {
    for seed in 0..400 {
        let (func, inputs, wants) = finished(Graph::new(seed));
        let again = rebuilt(&func);
        for f in [&func, &again] {
            verify(f).unwrap_or_else(|e| panic!("graph {seed}: {e}\n{f}"));
            for size in 0..3 {
                for (i, (got, want)) in eval(f, &at(&inputs, size)).iter().zip(at(&wants, size)).enumerate() {
                    assert!(same(got, &want), "graph {seed}, v{i}: {got:?} for {want:?}\n{f}");
                }
            }
        }
        assert_eq!(func.to_string(), again.to_string(), "graph {seed}: a rebuilt function is the same");
    }
}

#[test]
fn printing_is_deterministic() {
    for seed in 0..100 {
        let text = || finished(Graph::new(seed)).0.to_string();
        assert_eq!(text(), text());
    }
}

#[test]
fn gradients_are_well_typed_and_leave_the_value() {
    for seed in 0..300 {
        let mut graph = Graph::new(seed);
        let mut loss = graph.b.constant(0.0, DType::F64);
        for (v, _) in graph.values.clone() {
            let axes = (0..graph.b.ty(v).rank()).collect();
            let wide = graph.b.emit(Op::Cast(DType::F64), &[v]).unwrap();
            let sum = graph.b.emit(Op::Reduce(Reduction::Sum, axes), &[wide]).unwrap();
            loss = graph.b.map(Scalar::Add, &[loss, sum]).unwrap();
        }
        graph.b.output("loss", loss, None);
        let (func, inputs) = (graph.b.finish(), graph.inputs);
        let wrt = [0, 1, 2, 3, 4, 8, 9];
        let grad = value_and_grad(&func, &wrt).unwrap_or_else(|e| panic!("graph {seed}: {e}"));
        verify(&grad).unwrap_or_else(|e| panic!("graph {seed}: {e}\n{grad}"));
        for size in 0..3 {
            let inputs = at(&inputs, size);
            let (value, results) = (eval(&func, &inputs), eval(&grad, &inputs));
            assert!(same(&value[0], &results[0]), "graph {seed}\n{grad}");
            for (x, dx) in wrt.iter().map(|i| &inputs[*i]).zip(&results[1..]) {
                assert_eq!((x.dtype, &x.shape), (dx.dtype, &dx.shape));
            }
        }
    }
}

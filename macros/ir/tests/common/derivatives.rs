//! Derivatives against central differences.

use super::{Rng, inner};
use kiln_ir::{
    Func,
    differentiate::{jvp, vjp},
    eval::eval,
    ops::Array,
    verify::verify,
};

const STEP: f64 = 6e-6;

/// Whether `grad` (of the inputs of `func` and a cotangent an output) is its gradient in these inputs.
pub fn agrees(func: &Func, grad: &Func, inputs: &[Array], rng: &mut Rng) -> Result<(), String> {
    let cotangents: Vec<Array> = eval(func, inputs).iter().map(|y| rng.array(&y.shape)).collect();
    let got = eval(grad, &[inputs, &cotangents].concat());
    for (i, got) in got.iter().enumerate() {
        assert_eq!(got.shape, inputs[i].shape);
        for (at, got) in got.data.iter().enumerate() {
            let beside = |h: f64| {
                let mut moved = inputs.to_vec();
                moved[i].data[at] += h;
                inner(&eval(func, &moved), &cotangents).0
            };
            let want = (beside(STEP) - beside(-STEP)) / (2.0 * STEP);
            let close = (got - want).abs() <= 1e-6 * want.abs().max(1.0); // false for NaN
            if !close {
                return Err(format!("element {at} of argument {i}: {got}, by differences {want}"));
            }
        }
    }
    Ok(())
}

/// Its gradient in all inputs.
pub fn gradient(func: &Func) -> Func {
    let all: Vec<usize> = (0..func.inputs.len()).collect();
    let grad = vjp(func, &all).unwrap_or_else(|e| panic!("{e}"));
    verify(&grad).unwrap_or_else(|e| panic!("{e}"));
    grad
}

/// Whether the tangents of all inputs give those of the results: `⟨ct, J·d⟩ = ⟨Jᵀ·ct, d⟩`.
pub fn transposed(func: &Func, grad: &Func, inputs: &[Array], rng: &mut Rng) -> Result<(), String> {
    let all: Vec<usize> = (0..func.inputs.len()).collect();
    let forward = jvp(func, &all).unwrap_or_else(|e| panic!("{e}"));
    verify(&forward).unwrap_or_else(|e| panic!("{e}\n{forward}"));
    let along: Vec<Array> = inputs.iter().map(|x| rng.array(&x.shape)).collect();
    let results = eval(&forward, &[inputs, &along].concat());
    let (values, tangents) = results.split_at(func.outputs.len());
    assert_eq!(values, eval(func, inputs));
    let cotangents: Vec<Array> = values.iter().map(|y| rng.array(&y.shape)).collect();
    let (got, size) = inner(tangents, &cotangents);
    let (want, other) = inner(&eval(grad, &[inputs, &cotangents].concat()), &along);
    let close = (got - want).abs() <= 1e-11 * (size + other).max(1.0);
    if close { Ok(()) } else { Err(format!("{got} forward, {want} backward")) }
}

/// The first and the second derivative of `func` there.
pub fn check(name: &str, func: &Func, inputs: &[Array], rng: &mut Rng) {
    let first = gradient(func);
    agrees(func, &first, inputs, rng).unwrap_or_else(|e| panic!("{name}: {e}"));
    transposed(func, &first, inputs, rng).unwrap_or_else(|e| panic!("{name}: {e}"));
    let cotangents = eval(func, inputs).iter().map(|y| rng.array(&y.shape)).collect::<Vec<_>>();
    let inputs = [inputs, &cotangents].concat();
    let second = gradient(&first);
    agrees(&first, &second, &inputs, rng).unwrap_or_else(|e| panic!("{name}, second derivative: {e}"));
    transposed(&first, &second, &inputs, rng).unwrap_or_else(|e| panic!("{name}, forward over reverse: {e}"));
}

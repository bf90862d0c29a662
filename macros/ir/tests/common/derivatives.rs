//! Derivatives against central differences.

use super::{Rng, inner};
use kiln_ir::{
    DType, Func,
    differentiate::{jvp, vjp},
    eval::eval,
    ops::Array,
    verify::verify,
};

const STEP: f64 = 6e-6;

/// Up to so many elements of an argument are moved one by one, of more some together in random directions.
const FEW: usize = 24;

/// Indices of the inputs that have derivatives.
pub fn floats(func: &Func) -> Vec<usize> {
    (0..func.inputs.len()).filter(|i| func.inputs[*i].ty.dtype.is_float()).collect()
}

/// Whether `grad` (of the inputs of `func` and a cotangent an output) is its gradient in its floats there.
pub fn agrees(func: &Func, grad: &Func, inputs: &[Array], rng: &mut Rng) -> Result<(), String> {
    let cotangents: Vec<Array> = eval(func, inputs).iter().map(|y| rng.array(&y.shape)).collect();
    let got = eval(grad, &[inputs, &cotangents].concat());
    for (i, got) in floats(func).into_iter().zip(got) {
        assert_eq!(got.shape, inputs[i].shape);
        for along in directions(&got.shape, rng) {
            let beside = |h: f64| {
                let mut moved = inputs.to_vec();
                moved[i].data.iter_mut().zip(&along.data).for_each(|(x, d)| *x += h * d);
                inner(&eval(func, &moved), &cotangents).0
            };
            let want = (beside(STEP) - beside(-STEP)) / (2.0 * STEP);
            let (got, _) = inner(std::slice::from_ref(&got), std::slice::from_ref(&along));
            let close = (got - want).abs() <= 1e-6 * want.abs().max(1.0); // false for NaN
            if !close {
                let at = &along.data;
                return Err(format!("argument {i} along {at:?}: {got}, by differences {want}"));
            }
        }
    }
    Ok(())
}

/// Each element by itself, or of many some random directions: a wrong element shows in each of them.
fn directions(shape: &[usize], rng: &mut Rng) -> Vec<Array> {
    let n = shape.iter().product();
    if n > FEW {
        return (0..4).map(|_| rng.array(shape)).collect();
    }
    let one = |at: usize| (0..n).map(|i| f64::from(u8::from(i == at))).collect();
    (0..n).map(|at| Array::rounded(DType::F64, shape.to_vec(), one(at))).collect()
}

/// Its gradient in all inputs that are floats.
pub fn gradient(func: &Func) -> Func {
    let grad = vjp(func, &floats(func)).unwrap_or_else(|e| panic!("{e}"));
    verify(&grad).unwrap_or_else(|e| panic!("{e}"));
    grad
}

/// Whether the tangents of all inputs give those of the results: `⟨ct, J·d⟩ = ⟨Jᵀ·ct, d⟩`.
pub fn transposed(func: &Func, grad: &Func, inputs: &[Array], rng: &mut Rng) -> Result<(), String> {
    let wrt = floats(func);
    let forward = jvp(func, &wrt).unwrap_or_else(|e| panic!("{e}"));
    verify(&forward).unwrap_or_else(|e| panic!("{e}\n{forward}"));
    let along: Vec<Array> = wrt.iter().map(|i| rng.array(&inputs[*i].shape)).collect();
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
    checked(func, inputs, rng).unwrap_or_else(|e| panic!("{name}: {e}"));
}

/// The same, and what is wrong.
pub fn checked(func: &Func, inputs: &[Array], rng: &mut Rng) -> Result<(), String> {
    let first = gradient(func);
    agrees(func, &first, inputs, rng)?;
    transposed(func, &first, inputs, rng)?;
    let cotangents = eval(func, inputs).iter().map(|y| rng.array(&y.shape)).collect::<Vec<_>>();
    let inputs = [inputs, &cotangents].concat();
    let second = gradient(&first);
    agrees(&first, &second, &inputs, rng).map_err(|e| format!("second derivative: {e}"))?;
    transposed(&first, &second, &inputs, rng).map_err(|e| format!("forward over reverse: {e}"))
}

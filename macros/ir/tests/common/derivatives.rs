//! Derivatives against central differences.

use super::{Rng, inner};
use kiln_ir::{Func, differentiate::vjp, eval::eval, ops::Array, verify::verify};

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

/// The first and the second derivative of `func` there.
pub fn check(name: &str, func: &Func, inputs: &[Array], rng: &mut Rng) {
    let first = gradient(func);
    agrees(func, &first, inputs, rng).unwrap_or_else(|e| panic!("{name}: {e}"));
    let cotangents = eval(func, inputs).iter().map(|y| rng.array(&y.shape)).collect::<Vec<_>>();
    let inputs = [inputs, &cotangents].concat();
    let second = gradient(&first);
    agrees(&first, &second, &inputs, rng).unwrap_or_else(|e| panic!("{name}, second derivative: {e}"));
}

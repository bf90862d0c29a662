//! Every compiled case gives what its graph means.

use kiln_agreement::{COMPILED, cases};
use kiln_ir::{DType, eval::eval, ops::Array};

/// The first element that differs: floats by more than the tolerance, relative to the largest of the array, others at all.
fn difference(got: &Array, want: &Array, tolerance: f64) -> Option<String> {
    if got.data.len() != want.data.len() {
        return Some(format!("{} elements for {}", got.data.len(), want.data.len()));
    }
    if !want.dtype.is_float() {
        let (got, want) = (got.numbers(), want.numbers());
        let at = (0..want.len()).find(|i| got[*i] != want[*i])?;
        return Some(format!("element {at} is {} for {}", got[at], want[at]));
    }
    let finite = want.data.iter().filter(|x| x.is_finite());
    let scale = finite.fold(1e-30, |m: f64, x| m.max(x.abs()));
    let wrong = |(g, w): (&f64, &f64)| match w.is_finite() && g.is_finite() {
        true => (g - w).abs() > tolerance * scale,
        false => !(g.is_nan() && w.is_nan() || g == w),
    };
    let at = got.data.iter().zip(&want.data).position(wrong)?;
    Some(format!("element {at} is {} for {}", got.data[at], want.data[at]))
}

#[test]
fn a_wrong_result_is_rejected() {
    let array = |data: &[f64]| Array::rounded(DType::F64, vec![data.len()], data.to_vec());
    let want = array(&[1.0, f64::NAN]);
    assert_eq!(difference(&array(&[1.0, f64::NAN]), &want, 1e-9), None);
    assert!(difference(&array(&[1.0 + 1e-6, f64::NAN]), &want, 1e-9).is_some());
    assert!(difference(&array(&[1.0, 0.0]), &want, 1e-9).is_some());
    assert!(difference(&array(&[1.0]), &want, 1e-9).is_some());
    let whole = |n: i64| Array::whole(DType::I64, vec![1], &[n]);
    assert!(difference(&whole((1 << 60) + 1), &whole(1 << 60), 1e-9).is_some());
}

#[test]
fn compiled_code_computes_what_the_graph_means() {
    // SAFETY: no other test of this binary reads the environment while this one starts.
    unsafe { std::env::set_var("KILN_POISON", "1") };
    let (mut wrong, mut compared, all) = (Vec::new(), 0, cases::all());
    println!("{} programs", all.len());
    for case in all {
        let (_, call) = COMPILED.iter().find(|(name, _)| *name == case.name).expect("every case is compiled");
        for (size, inputs) in &case.inputs {
            let (got, want) = (call(*size, inputs), eval(&case.func, inputs));
            for (i, (got, want)) in got.iter().zip(&want).enumerate() {
                compared += 1;
                if let Some(what) = difference(got, want, case.tolerance) {
                    wrong.push(format!("{} with N = {size}, output {i}: {what}", case.name));
                }
            }
        }
    }
    assert!(compared > 2000 || std::env::var_os("KILN_SEEDS").is_some(), "{compared} comparisons");
    assert!(wrong.is_empty(), "{} of {compared} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

//! Every compiled case gives what its graph means.

use kiln_agreement::{COMPILED, cases};
use kiln_ir::eval::eval;
use kiln_ir::ops::Array;

/// The first element that differs by more than the tolerance, relative to the largest of the array.
fn difference(got: &[f64], want: &Array, tolerance: f64) -> Option<String> {
    if got.len() != want.data.len() {
        return Some(format!("{} elements for {}", got.len(), want.data.len()));
    }
    let finite = want.data.iter().filter(|x| x.is_finite());
    let scale = finite.fold(1e-30, |m: f64, x| m.max(x.abs()));
    let wrong = |(g, w): (&f64, &f64)| match w.is_finite() && g.is_finite() {
        true => (g - w).abs() > tolerance * scale,
        false => !(g.is_nan() && w.is_nan() || g == w),
    };
    let at = got.iter().zip(&want.data).position(wrong)?;
    Some(format!("element {at} is {} for {}", got[at], want.data[at]))
}

#[test]
fn a_wrong_result_is_rejected() {
    let want = Array { dtype: kiln_ir::DType::F64, shape: vec![2], data: vec![1.0, f64::NAN] };
    assert_eq!(difference(&[1.0, f64::NAN], &want, 1e-9), None);
    assert!(difference(&[1.0 + 1e-6, f64::NAN], &want, 1e-9).is_some());
    assert!(difference(&[1.0, 0.0], &want, 1e-9).is_some());
    assert!(difference(&[1.0], &want, 1e-9).is_some());
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

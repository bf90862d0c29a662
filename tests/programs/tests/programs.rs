//! Each program gives compiled what it gives eagerly.
//!
//! In f64 up to rounding. In f32 the eager run of f64 is the truth: compiled code may be off by some times what the eager run of
//! f32 is off, which is what the program makes of rounding, and by a few roundings.

use kiln_programs::{PROGRAMS, Results, Run};

/// Sizes of N.
const SIZES: [usize; 3] = [1, 4, 7];

/// How far an element may be off, by the rounding of its type, if eager operations weren't off at all.
const ROUNDINGS: f64 = 64.0;

/// Times the error of the eager run.
const TIMES: f64 = 16.0;

/// What is wrong with results, of which those in `eager` have an error of their own against the truth.
fn faults(got: &Results, eager: &Results, truth: &Results, rounding: f64) -> Vec<String> {
    let mut faults = Vec::new();
    for ((name, got), ((_, eager), (_, truth))) in got.iter().zip(eager.iter().zip(truth)) {
        if got.len() != truth.len() {
            faults.push(format!("{name}: {} elements for {}", got.len(), truth.len()));
            continue;
        }
        let scale = truth.iter().filter(|x| x.is_finite()).fold(1.0f64, |m, x| m.max(x.abs()));
        let off =
            eager.iter().zip(truth).map(|(e, t)| (e - t).abs()).filter(|d| d.is_finite()).fold(0.0, f64::max);
        let bound = TIMES * off + ROUNDINGS * rounding * scale;
        for (i, (g, t)) in got.iter().zip(truth).enumerate() {
            let sound = match t.is_finite() && eager[i].is_finite() {
                true => (g - t).abs() <= bound,
                // What overflows in f32 alone has no truth.
                false => g == &eager[i] || g.is_nan() && eager[i].is_nan() || t.is_finite(),
            };
            if !sound {
                faults.push(format!("{name}[{i}]: {g} for {t}, eager {}, bound {bound:.3e}", eager[i]));
                break;
            }
        }
    }
    faults
}

fn results(run: Run, n: usize, eager: bool) -> Results {
    run(n, eager).unwrap_or_else(|e| panic!("n = {n}, eager: {eager}: {e}"))
}

#[test]
fn a_wrong_result_is_found() {
    let of = |x: f64| vec![("r0", vec![1.0, x])];
    let double = f64::EPSILON / 2.0;
    assert!(faults(&of(2.0), &of(2.0), &of(2.0), double).is_empty());
    assert!(!faults(&of(2.0 + 1e-10), &of(2.0), &of(2.0), double).is_empty());
    assert!(faults(&of(2.0 + 1e-10), &of(2.0 - 1e-11), &of(2.0), double).is_empty());
    assert!(!faults(&of(f64::NAN), &of(2.0), &of(2.0), double).is_empty());
    assert!(faults(&of(f64::NAN), &of(f64::NAN), &of(f64::NAN), double).is_empty());
    assert!(!faults(&of(0.0), &of(f64::NAN), &of(f64::NAN), double).is_empty());
}

#[test]
fn programs_give_compiled_what_they_give_eagerly() {
    let mut wrong = Vec::new();
    for program in PROGRAMS {
        for n in SIZES {
            let truth = results(program.double, n, true);
            let double =
                faults(&results(program.double, n, false), &truth, &truth, f64::EPSILON / 2.0 * 64.0);
            let eager = results(program.single, n, true);
            let single =
                faults(&results(program.single, n, false), &eager, &truth, f64::from(f32::EPSILON) / 2.0);
            let of = |dtype: &str, all: Vec<String>| {
                all.into_iter()
                    .map(|f| format!("program {} in {dtype}, N = {n}: {f}", program.seed))
                    .collect::<Vec<_>>()
            };
            wrong.extend([of("f64", double), of("f32", single)].concat());
        }
        if !wrong.is_empty() && std::env::var_os("KILN_SEEDS").is_some() {
            println!("{}", program.text);
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

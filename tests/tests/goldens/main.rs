//! PyTorch's numbers against models, compiled and eager: outputs, gradients, training. The build script has written a
//! model for each golden file from its case and configuration.
//!
//! `KILN_GOLDENS=DIR cargo test -p kiln-tests --test goldens -- --nocapture` compiles and runs any folder of golden
//! files, and prints how many passed, failed and aren't covered; without it, those vendored in `tests/data/goldens`.
//! `not_covered.txt` there names the cases that still lack an operation; it may only shrink.
#![allow(missing_docs, non_snake_case, clippy::result_large_err)] // Modules are named by case and variant.

mod file;
mod values;

use file::{Golden, distance, peak};
use std::collections::BTreeSet;
use std::path::Path;
use values::{Inputs, Outputs};

include!(concat!(env!("OUT_DIR"), "/goldens.rs"));

/// Runs the models of a case.
type Run = fn(&Inputs) -> kiln::Result<Outputs>;

/// Inputs are exact and torch computed in f64, so only rounding may differ; but some of torch's own derivatives
/// hold a constant in f32 (hardsigmoid's 1/6 is off by 3e-8).
const TOLERANCE: f64 = 1e-7;

/// How far a result may be off: nets are f32, so they are held to what the goldens' README allows f32.
fn tolerance(golden: &Golden) -> f64 {
    let single = ["train_", "model_"].iter().any(|kind| golden.case.starts_with(kind));
    if single && golden.case != "model_lstm_forecaster" {
        (10.0 * golden.f32_error).max(1e-5)
    } else {
        TOLERANCE
    }
}

/// What differs, in words.
fn wrong(golden: &Golden, outputs: &Outputs) -> Vec<String> {
    let results = ["out.", "grad.", "buf_after."];
    let expected = golden.tensors.keys().filter(|k| results.iter().any(|kind| k.starts_with(kind)));
    let mut wrong = Vec::new();
    for key in expected {
        let kind = &key[..key.find('.').expect("out., grad. or buf_after.") + 1];
        let largest = golden.group(kind).map(|(_, a)| peak(a)).fold(0.0, f64::max);
        for key_here in [key.clone(), format!("eager.{key}")] {
            match outputs.0.iter().find(|(k, _)| *k == key_here) {
                None => wrong.push(format!("{key_here} is not computed")),
                Some((_, array)) => {
                    let off = distance(array, &golden.tensors[key], largest);
                    if off > tolerance(golden) {
                        wrong.push(format!("{key_here} is off by {off:.1e}"));
                    }
                }
            }
        }
    }
    wrong
}

/// Runs a case; what is wrong with it, in words.
fn check(run: Run, golden: Golden) -> Vec<String> {
    let inputs = Inputs(golden);
    match run(&inputs) {
        Err(error) => vec![error.to_string()],
        Ok(outputs) => wrong(&inputs.0, &outputs),
    }
}

#[test]
fn goldens() {
    let (mut passed, mut missing, mut failures) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for (path, run) in CASES {
        let golden = Golden::read(Path::new(path));
        let name = format!("{}--{}", golden.case, golden.variant);
        match run.map(|run| check(run, golden)) {
            None => _ = missing.insert(name),
            Some(wrong) if wrong.is_empty() => _ = passed.insert(name),
            Some(wrong) => failures.push(format!("{name}: {}", wrong.join(", "))),
        }
    }
    println!("{} passed, {} failed, {} not covered", passed.len(), failures.len(), missing.len());
    missing.iter().for_each(|m| println!("not covered: {m}"));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(!passed.is_empty(), "no golden file");
    let listed: BTreeSet<&str> = include_str!("../../data/goldens/not_covered.txt").lines().collect();
    let covered: Vec<_> = passed.iter().filter(|p| listed.contains(p.as_str())).collect();
    assert!(covered.is_empty(), "covered now, so take them off not_covered.txt: {covered:?}");
    // Other folders hold other variants: a variant may be uncovered only where its case has one in the list.
    let case = |name: &str| name.split("--").next().unwrap_or(name).to_string();
    let listed: BTreeSet<String> = listed.iter().map(|line| case(line)).collect();
    let unlisted: Vec<_> = missing.iter().filter(|m| !listed.contains(&case(m))).collect();
    assert!(unlisted.is_empty(), "not covered, and not in not_covered.txt: {unlisted:?}");
}

/// The harness itself must see a model whose results have the wrong sign.
#[test]
fn a_wrong_sign_is_rejected() {
    let (path, run) = WRONG.expect("a case with gradients");
    let wrong = check(run, Golden::read(Path::new(path)));
    for kind in ["out.", "grad.", "eager.out.", "eager.grad."] {
        assert!(wrong.iter().any(|w| w.starts_with(kind) && w.contains("is off by")), "{kind} {wrong:?}");
    }
}

/// And a wrong number among many, compiled or eager.
#[test]
fn a_wrong_number_is_rejected() {
    let softmax = |(path, run): &&(&str, Option<Run>)| run.is_some() && path.contains("softmax");
    let first = CASES.iter().find(softmax).or_else(|| CASES.iter().find(|(_, run)| run.is_some()));
    let (path, run) = first.expect("a case with a model");
    let inputs = Inputs(Golden::read(Path::new(path)));
    let outputs = || run.expect("it has a model")(&inputs).expect("shapes fit");
    assert_eq!(wrong(&inputs.0, &outputs()), Vec::<String>::new());
    for i in 0..outputs().0.len() {
        let mut changed = outputs();
        changed.0[i].1.data[0] += 1e-3;
        assert_eq!(wrong(&inputs.0, &changed).len(), 1, "{}", changed.0[i].0);
    }
}

//! PyTorch's numbers: outputs and gradients of the operations and composites, in f64.
//!
//! `KILN_GOLDENS=DIR cargo test -p kiln-tests --test goldens -- --nocapture` runs any folder of golden files;
//! without it, those vendored in `tests/data/goldens`. `not_covered.txt` there names the cases that still lack
//! an operation; it may only shrink.
#![allow(missing_docs)]

mod cases;
mod file;
mod training;

use cases::Case;
use file::{Golden, distance, peak};
use kiln_ir::ops::Array;
use kiln_ir::{Error, Role, differentiate, eval, verify};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Inputs are exact and torch computed in f64, so only rounding may differ; but some of torch's own derivatives
/// hold a constant in f32 (hardsigmoid's 1/6 is off by 3e-8).
const TOLERANCE: f64 = 1e-7;

enum Outcome {
    Passed,
    NotCovered,
    Failed(String),
}

#[test]
fn goldens() {
    let vendored = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/goldens");
    let folder = std::env::var_os("KILN_GOLDENS").map_or(vendored.clone(), PathBuf::from);
    let listed =
        std::fs::read_to_string(vendored.join("not_covered.txt")).expect("the list of what isn't covered");
    let listed: BTreeSet<&str> = listed.lines().collect();
    let (mut passed, mut missing, mut failures) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for path in golden_files(&folder) {
        let golden = Golden::read(&path);
        let name = format!("{}--{}", golden.case, golden.variant);
        match check(&golden) {
            Outcome::Passed => _ = passed.insert(name),
            Outcome::NotCovered => _ = missing.insert(name),
            Outcome::Failed(why) => failures.push(format!("{name}: {why}")),
        }
    }
    println!("{} passed, {} failed, {} not covered", passed.len(), failures.len(), missing.len());
    missing.iter().for_each(|m| println!("not covered: {m}"));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(!passed.is_empty(), "no golden file in {}", folder.display());
    let covered: Vec<_> = passed.iter().filter(|p| listed.contains(p.as_str())).collect();
    assert!(covered.is_empty(), "covered now, so take them off not_covered.txt: {covered:?}");
    // Other folders hold other variants: a variant may be uncovered only where its case has one in the list.
    let case = |m: &str| m.split("--").next().unwrap_or(m).to_string();
    let listed_cases: BTreeSet<String> = listed.iter().map(|l| case(l)).collect();
    let unlisted: Vec<_> = missing.iter().filter(|m| !listed_cases.contains(&case(m))).collect();
    assert!(unlisted.is_empty(), "not covered, and not in not_covered.txt: {unlisted:?}");
}

/// The harness itself must see a wrong number.
#[test]
fn a_wrong_number_is_rejected() {
    let vendored = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/goldens");
    for key in ["out.y", "grad.x"] {
        let mut golden = Golden::read(&vendored.join("softmax--last.safetensors"));
        assert!(matches!(check(&golden), Outcome::Passed));
        golden.tensors.get_mut(key).expect("softmax has it").data[3] += 1e-6;
        assert!(matches!(check(&golden), Outcome::Failed(_)), "{key}");
    }
}

fn golden_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|e| e.expect("a folder entry").path()).collect();
    files.retain(|p| p.extension().is_some_and(|e| e == "safetensors"));
    files.sort();
    files
}

fn check(golden: &Golden) -> Outcome {
    if golden.case.starts_with("train_") {
        return match training::run(golden) {
            None => Outcome::NotCovered,
            Some(Ok(off)) if off <= TOLERANCE => Outcome::Passed,
            Some(Ok(off)) => Outcome::Failed(format!("a parameter is off by {off:.1e}")),
            Some(Err(error)) => Outcome::Failed(error.to_string()),
        };
    }
    let mut case = Case::new(golden);
    match cases::build(golden, &mut case) {
        None => Outcome::NotCovered,
        Some(built) => match built.and_then(|()| compare(golden, case)) {
            Err(error) => Outcome::Failed(error.to_string()),
            Ok(wrong) if wrong.is_empty() => Outcome::Passed,
            Ok(wrong) => Outcome::Failed(wrong.join(", ")),
        },
    }
}

/// Runs the case and its gradients; what differs, in words.
fn compare(golden: &Golden, mut case: Case) -> Result<Vec<String>, Error> {
    let mut cotangents = Vec::new();
    for (name, value) in case.outputs.clone() {
        if golden.tensors.contains_key(&format!("cot.{name}")) {
            let ty = case.b.ty(value).clone();
            cotangents.push((value, case.b.input(&format!("cot.{name}"), ty, Role::Argument)));
        }
    }
    let wrt: Vec<String> = golden.group("grad.").map(|(name, _)| name.to_string()).collect();
    let leaves: Vec<_> = wrt.iter().map(|name| case.input(name)).collect();
    let grads = differentiate::differentiate(&mut case.b, &cotangents, &leaves)?;
    let names = case.outputs.iter().map(|(name, _)| format!("out.{name}"));
    let names: Vec<String> = names.chain(wrt.iter().map(|name| format!("grad.{name}"))).collect();
    let values: Vec<_> = case.outputs.iter().map(|(_, v)| *v).chain(grads).collect();
    for (name, value) in names.iter().zip(values) {
        case.b.output(name, value, None);
    }
    let func = case.b.finish();
    verify::verify(&func).expect("a well-formed function");
    let results = eval::eval(&func, &inputs(golden, &func));
    let expected: Vec<&String> =
        golden.tensors.keys().filter(|k| k.starts_with("out.") || k.starts_with("grad.")).collect();
    let mut wrong: Vec<String> =
        expected.iter().filter(|k| !names.contains(k)).map(|k| format!("{k} is not computed")).collect();
    for (name, got) in names.iter().zip(&results) {
        let kind = &name[..name.find('.').expect("out. or grad.") + 1];
        let largest = golden.group(kind).map(|(_, a)| peak(a)).fold(0.0, f64::max);
        let off = distance(got, &golden.tensors[name], largest);
        if off > TOLERANCE {
            wrong.push(format!("{name} is off by {off:.1e}"));
        }
    }
    Ok(wrong)
}

fn inputs(golden: &Golden, func: &kiln_ir::Func) -> Vec<Array> {
    let find = |name: &str| {
        let keys = [format!("in.{name}"), format!("param.{name}"), name.to_string()];
        keys.iter().find_map(|k| golden.tensors.get(k)).expect("an input of the file").clone()
    };
    func.inputs.iter().map(|i| find(&i.name)).collect()
}

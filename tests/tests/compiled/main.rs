//! PyTorch's numbers against models, compiled and eager: the build script has written a model for each golden file.
//!
//! `KILN_GOLDENS=DIR cargo test -p kiln-tests --test compiled -- --nocapture` compiles and runs any folder of golden
//! files, and prints how many passed, failed and aren't covered.
#![allow(missing_docs, non_snake_case, clippy::result_large_err)] // Modules are named by case and variant.

#[allow(dead_code)] // The build script has read the configuration.
#[path = "../goldens/file.rs"]
mod file;

use file::{Golden, distance, peak};
use kiln::{Element, Tensor};
use kiln_ir::{DType, ops::Array};
use std::path::Path;

include!(concat!(env!("OUT_DIR"), "/goldens.rs"));

/// Runs the models of a case.
type Run = fn(&Inputs) -> kiln::Result<Outputs>;

/// The same as for the graphs.
const TOLERANCE: f64 = 1e-7;

/// A file's tensors as a model takes them.
pub struct Inputs(Golden);

impl Inputs {
    fn of<T: Element>(&self, key: &str, from: impl Fn(f64) -> T) -> Tensor<T> {
        let array = &self.0.tensors[key];
        let data: Vec<T> = array.data.iter().map(|x| from(*x)).collect();
        Tensor::from_vec(array.shape.as_slice(), data).expect("as many elements as the shape says")
    }

    fn f64(&self, key: &str) -> Tensor<f64> {
        self.of(key, |x| x)
    }

    fn i64(&self, key: &str) -> Tensor<i64> {
        self.of(key, |x| x as i64)
    }

    fn bool(&self, key: &str) -> Tensor<bool> {
        self.of(key, |x| x != 0.0)
    }

    fn number(&self, key: &str) -> f64 {
        self.0.tensors[key].data[0]
    }
}

/// What a model gave, by the key that the file has it under.
#[derive(Default)]
pub struct Outputs(Vec<(&'static str, Array)>);

/// An element type of results.
trait Number: Element {
    const KIND: DType;
    fn number(self) -> f64;
}

impl Number for f64 {
    const KIND: DType = DType::F64;
    fn number(self) -> f64 {
        self
    }
}

impl Number for i64 {
    const KIND: DType = DType::I64;
    fn number(self) -> f64 {
        self as f64
    }
}

impl Number for bool {
    const KIND: DType = DType::Bool;
    fn number(self) -> f64 {
        self as u8 as f64
    }
}

impl Outputs {
    fn push<T: Number>(&mut self, key: &'static str, tensor: &Tensor<T>) {
        let data = tensor.as_slice().iter().map(|x| x.number()).collect();
        self.0.push((key, Array::rounded(T::KIND, tensor.shape().to_vec(), data)));
    }

    fn push_scaled(&mut self, key: &'static str, tensor: &Tensor<f64>, by: f64) {
        let data = tensor.as_slice().iter().map(|x| x * by).collect();
        self.0.push((key, Array::rounded(DType::F64, tensor.shape().to_vec(), data)));
    }
}

/// What differs, in words.
fn wrong(golden: &Golden, outputs: &Outputs) -> Vec<String> {
    let expected = golden.tensors.keys().filter(|k| k.starts_with("out.") || k.starts_with("grad."));
    let got = |key: &String| outputs.0.iter().find(|(k, _)| k == key).map(|(_, a)| a);
    let mut wrong = Vec::new();
    for key in expected {
        let Some(array) = got(key) else {
            wrong.push(format!("{key} is not computed"));
            continue;
        };
        let kind = &key[..key.find('.').expect("out. or grad.") + 1];
        let largest = golden.group(kind).map(|(_, a)| peak(a)).fold(0.0, f64::max);
        let eager = key.strip_prefix("out.").and_then(|name| got(&format!("eager.{name}")));
        for (what, array) in [(key.as_str(), Some(array)), ("eager", eager)] {
            let off = array.map_or(0.0, |array| distance(array, &golden.tensors[key], largest));
            if off > TOLERANCE {
                wrong.push(format!("{what} is off by {off:.1e}"));
            }
        }
    }
    wrong
}

#[test]
fn compiled_models_give_pytorchs_numbers() {
    let (mut passed, mut missing, mut failures) = (0, Vec::new(), Vec::new());
    for (path, run) in CASES {
        let golden = Golden::read(Path::new(path));
        let name = format!("{}--{}", golden.case, golden.variant);
        let Some(run) = run else {
            missing.push(name);
            continue;
        };
        let inputs = Inputs(golden);
        match run(&inputs) {
            Err(error) => failures.push(format!("{name}: {error}")),
            Ok(outputs) => match wrong(&inputs.0, &outputs) {
                wrong if wrong.is_empty() => passed += 1,
                wrong => failures.push(format!("{name}: {}", wrong.join(", "))),
            },
        }
    }
    println!("{passed} passed, {} failed, {} not covered", failures.len(), missing.len());
    missing.iter().for_each(|m| println!("not covered: {m}"));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(passed > 0, "no golden file");
    // Params are f32, so what trains f64 runs as a graph only.
    let listed = include_str!("../../data/goldens/not_covered.txt");
    let case = |name: &str| name.split("--").next().unwrap_or(name).to_string();
    let known =
        |name: &String| name.starts_with("train_") || listed.lines().any(|line| case(line) == case(name));
    let unlisted: Vec<&String> = missing.iter().filter(|name| !known(name)).collect();
    assert!(unlisted.is_empty(), "not covered, and not in not_covered.txt: {unlisted:?}");
}

/// The harness itself must see a wrong number.
#[test]
fn a_wrong_number_is_rejected() {
    let (path, run) = CASES.iter().find(|(p, run)| run.is_some() && !p.contains("compare")).expect("a case");
    let inputs = Inputs(Golden::read(Path::new(path)));
    let mut outputs = run.expect("it has a model")(&inputs).expect("shapes fit");
    assert_eq!(wrong(&inputs.0, &outputs), Vec::<String>::new());
    outputs.0[0].1.data[0] += 1e-3;
    assert_ne!(wrong(&inputs.0, &outputs), Vec::<String>::new());
}

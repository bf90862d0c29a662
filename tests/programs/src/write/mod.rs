//! Random programs as users write them: models with loops, state, closures, transforms and calls of other models, in Rust.
//!
//! Each is written twice, for f64 and f32, from the same choices.

mod body;
mod expr;
mod function;
#[path = "../../../../macros/ir/tests/common/rng.rs"]
mod rng;
mod shape;
mod statement;

use body::Body;
use rng::Rng;
use shape::{Shape, Size, list, ty};

/// The modules of a seed, `f64` and `f32`, each with its text and a function `run`.
pub fn program(seed: u64) -> String {
    ["f64", "f32"].map(|dtype| module(seed, dtype)).concat()
}

/// The name of the module of a program.
pub fn name(seed: u64, dtype: &str) -> String {
    format!("program{seed}_{dtype}")
}

fn module(seed: u64, dtype: &str) -> String {
    let text = text(seed).replace("Real", dtype);
    let name = name(seed, dtype);
    format!(
        "#[allow(warnings, clippy::all)]\npub mod {name} {{\nuse kiln::prelude::*;\n{text}\npub const TEXT: &str = {text:?};\n}}\n"
    )
}

fn random_shape(rng: &mut Rng) -> Shape {
    let rank = rng.below(4);
    let mut shape: Shape = (0..rank).map(|_| Size::Of(1 + rng.below(5))).collect();
    if rng.chance(60) {
        let at = if rng.chance(75) { 0 } else { rng.below(rank + 1) };
        shape.insert(at.min(rank), Size::N);
    }
    shape
}

/// The program: constants, models that are called, the model, and what runs it.
fn text(seed: u64) -> String {
    let mut rng = Rng(seed);
    let (k, scale) = (2 + rng.below(4), 0.5 + rng.below(8) as f64 * 0.125);
    let mut body = Body::new(&mut rng, 0);
    let mut inputs: Vec<(String, Shape)> =
        vec![("x0".into(), vec![Size::N, Size::Of(1 + body.rng.below(4))])];
    for i in 1..3 + body.rng.below(2) {
        inputs.push((format!("x{i}"), random_shape(body.rng)));
    }
    inputs.iter().for_each(|(name, shape)| body.add(name, shape.clone()));
    for i in 0..body.rng.below(3) {
        let shape: Shape = (0..body.rng.below(3)).map(|_| Size::Of(1 + body.rng.below(4))).collect();
        body.vars.push(function::read(&format!("s{i}"), &shape));
        body.state.push((format!("s{i}"), shape));
    }
    body.draws = body.rng.chance(40).then_some("rng");
    let statements = 4 + body.rng.below(5);
    for _ in 0..statements {
        body.statement();
    }
    let mut results: Vec<(String, Shape)> = (0..2).map(|_| body.expr()).collect();
    results.extend((0..2).map(|_| body.any()).map(|v| (v.text, v.shape)));
    let draws = body.draws.is_some();
    let arguments: Vec<(String, Shape)> = inputs.into_iter().chain(body.weights.clone()).collect();
    let model = model(&body, &arguments, &results, draws);
    let run = run(&arguments, &body.state, results.len(), draws);
    let functions = body.functions.join("\n");
    format!("const K: usize = {k};\nconst SCALE: Real = {scale:?};\n\n{functions}\n{model}\n{run}")
}

fn model(body: &Body, arguments: &[(String, Shape)], results: &[(String, Shape)], draws: bool) -> String {
    let tensors = arguments.iter().map(|(name, shape)| format!("{name}: Tensor<{}>", ty(shape)));
    let state = body.state.iter().map(|(name, shape)| format!("{name}: &mut Tensor<{}>", ty(shape)));
    let rng = draws.then(|| "rng: &mut Rng".to_string());
    let params: Vec<String> = tensors.chain(state).chain(rng).collect();
    let types: Vec<String> = results.iter().map(|(_, shape)| format!("Tensor<{}>", ty(shape))).collect();
    let values: Vec<String> = results.iter().map(|(text, _)| text.clone()).collect();
    format!(
        "#[model]\npub fn program<const N: usize>(\n    {},\n) -> ({}) {{\n{}\n    ({})\n}}\n",
        params.join(",\n    "),
        types.join(", "),
        body.lines.join("\n"),
        values.join(", ")
    )
}

/// `run`: the program on inputs of one size of N, compiled or eager, to the elements of its results and its state.
fn run(arguments: &[(String, Shape)], state: &[(String, Shape)], results: usize, draws: bool) -> String {
    let mut text = String::from("pub fn run(n: usize, eager: bool) -> kiln::Result<crate::Results> {\n");
    let shape_of = |shape: &Shape| list(shape).replace('N', "n");
    for (i, (name, shape)) in arguments.iter().chain(state).enumerate() {
        let mutable = if i < arguments.len() { "" } else { "mut " };
        text += &format!("    let {mutable}{name} = crate::input::<Real>(&[{}], {i});\n", shape_of(shape));
    }
    if draws {
        text += "    let mut rng = Rng::seed(n as u64);\n";
    }
    let given = arguments.iter().map(|(name, _)| format!("&{name}"));
    let given = given.chain(state.iter().map(|(name, _)| format!("&mut {name}")));
    let given: Vec<String> = given.chain(draws.then(|| "&mut rng".to_string())).collect();
    let given = given.join(", ");
    let names: Vec<String> = (0..results).map(|i| format!("r{i}")).collect();
    text += &format!(
        "    let ({}) = if eager {{ program::eager({given}) }} else {{ program({given})? }};\n",
        names.join(", ")
    );
    let all = names.iter().chain(state.iter().map(|(name, _)| name));
    let all: Vec<String> = all.map(|name| format!("({name:?}, crate::elements({name})?)")).collect();
    let last = if draws { ", (\"rng\", crate::elements(rand([2], &mut rng))?)" } else { "" };
    text + &format!("    Ok(vec![{}{last}])\n}}\n", all.join(", "))
}

//! Derivatives of every entry of the surface against central differences in f64, first and second, forward and backward,
//! and the adjoint identity in each argument that an entry is linear in. What has no derivative to look at stands in a list.

#[path = "common/calls.rs"]
mod calls;
mod common;
#[path = "common/typical.rs"]
mod typical;

use calls::{F64, New, Of, int, rows};
use common::derivatives::{checked, floats, gradient};
use common::{Rng, inner, sizes};
use kiln_ir::surface::{Arg, Entry, Results, entries};
use kiln_ir::{Builder, DType, Dim, Func, Op, Role, Syms, Ty, Value, eval::eval, ops::Array};
use typical::typical;

/// Entries that take no float, or yield none in their typical call: nothing to differentiate.
const WITHOUT_FLOATS: [&str; 24] = [
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "logical_and",
    "logical_or",
    "logical_not",
    "to",   // to floats: `casts_round_and_stops_stop` in gradients.rs
    "cast", // the same
    "argmax",
    "argmin",
    "argsort",
    "zeros",
    "ones",
    "full",
    "arange",
    "one_hot",
    "quantize_per_tensor",
    "quantize_per_channel",
    "rand",
    "randn",
    "randint",
];

/// Entries whose derivative is by convention not that of the value, all with a test of their own below or a row above eps 0.
const CONVENTIONS: [&str; 8] = [
    "embedding_with",                  // the padding's row has no gradient
    "detach",                          // no gradient at all
    "stop_gradient",                   // the same
    "performer_attention", // the stabilizer is a constant, which only cancels without eps: see `attentions`
    "fake_quantize_per_tensor_affine", // straight through within the range
    "choose_qparams_per_tensor", // rounded to f32
    "linear_dynamic",      // the integers are constants
    "gaussian_nll_loss_with", // below eps the variance has the gradient that it would have there; a row has no eps
];

/// The call as a function of its tensors, whose results are those that are floats.
fn built(entry: &Entry, change: &[(&'static str, New)]) -> Func {
    let mut b = Builder::new(entry.name, Syms::default());
    let mut args = typical(&mut b, entry);
    for (name, new) in change {
        let i = entry.params.iter().position(|p| p.name == *name);
        args[i.unwrap_or_else(|| panic!("`{}` has no `{name}`", entry.name))] = match new {
            New::Arg(arg) => arg.clone(),
            New::Tensor(dtype, shape) => {
                let shape: Vec<Dim> = shape.iter().map(|n| Dim::from(*n)).collect();
                Arg::Tensor(b.input(name, Ty::new(*dtype, shape), Role::Argument))
            }
        };
    }
    let results = entry.call(&mut b, &args).unwrap_or_else(|e| panic!("{}: {e}", entry.name));
    // The running statistics carry no gradient: that too is a convention.
    let most = if entry.name == "batch_norm_train" { 1 } else { usize::MAX };
    for v in values(&results).into_iter().take(most) {
        if b.ty(v).dtype.is_float() {
            let wide = b.emit(Op::Cast(DType::F64), &[v]).unwrap_or_else(|e| panic!("{e}"));
            b.output("out", wide, None);
        }
    }
    b.finish()
}

fn named(name: &str) -> &'static Entry {
    entries().find(|e| e.name == name).unwrap_or_else(|| panic!("no {name}"))
}

fn values(results: &Results) -> Vec<Value> {
    match results {
        Results::One(v) => vec![*v],
        Results::Pair(list) | Results::Drawn(list) => list.to_vec(),
        Results::Triple(list) => list.to_vec(),
        Results::List(list) => list.clone(),
    }
}

/// Arguments away from poles: what must be positive is, indices lie inside.
fn sample(entry: &Entry, func: &Func, rng: &mut Rng) -> Vec<Array> {
    let positive = |name: &str, input: &str| match name {
        "log" | "sqrt" | "rsqrt" | "reciprocal" | "pow" => true,
        "div" | "atan2" => input == "other",
        name if name.starts_with("binary_cross_entropy") && !name.contains("logits") => true,
        name if name.starts_with("kl_div") => input == "target",
        name if name.starts_with("gaussian_nll") => input == "variance",
        name if name.starts_with("batch_norm") => input.ends_with("var"),
        name if name.contains("quantize") || name == "linear_dynamic" => input.contains("scale"),
        "bernoulli" => true,
        _ => false,
    };
    let one = |input: &kiln_ir::Input| {
        let shape = sizes(&input.ty);
        let n = shape.iter().product();
        let mut number = || match input.ty.dtype {
            DType::F64 if positive(entry.name, &input.name) => rng.uniform(0.2, 0.9),
            DType::F64 => rng.signed(0.01, 1.0),
            DType::Bool => rng.below(2) as f64,
            // Neither blanks among labels nor more of them than steps.
            _ if input.name == "input_lengths" => 3.0 + rng.below(3) as f64,
            _ if input.name == "targets" => 1.0 + rng.below(2) as f64,
            _ => rng.below(3) as f64,
        };
        Array::rounded(input.ty.dtype, shape, (0..n).map(|_| number()).collect())
    };
    func.inputs.iter().map(one).collect()
}

#[test]
fn entries_without_a_derivative_are_listed() {
    let named: Vec<&str> = entries()
        .filter(|e| {
            let func = built(e, &[]);
            floats(&func).is_empty() || func.outputs.is_empty()
        })
        .map(|e| e.name)
        .collect();
    assert_eq!(named, WITHOUT_FLOATS);
}

/// Checks calls, all of them, and says which are wrong.
fn check_all<'a>(calls: impl Iterator<Item = (&'static Entry, &'a [(&'static str, New)])>, seed: u64) {
    let mut rng = Rng(seed);
    let faults: Vec<String> = calls
        .filter_map(|(entry, change)| {
            let func = built(entry, change);
            let inputs = sample(entry, &func, &mut rng);
            let fault = checked(&func, &inputs, &mut rng).err()?;
            Some(format!("{}: {fault}", entry.name))
        })
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn typical_calls() {
    let differentiable = |e: &&Entry| !WITHOUT_FLOATS.contains(&e.name) && !CONVENTIONS.contains(&e.name);
    check_all(entries().filter(differentiable).map(|e| (e, [].as_slice())), 41);
}

#[test]
fn other_calls() {
    let rows = rows();
    check_all(rows.iter().map(|row| (named(row.name), row.change.as_slice())), 43);
}

/// Of a function that is affine in its input `i`, whether its gradient is the adjoint: ⟨Ax, y⟩ = ⟨x, Aᵀy⟩. None if it isn't.
fn is_adjoint(func: &Func, inputs: &[Array], i: usize, rng: &mut Rng) -> Option<bool> {
    let step = rng.array(&inputs[i].shape);
    let moved = |by: f64, of: f64| {
        let mut inputs = inputs.to_vec();
        inputs[i].data.iter_mut().zip(&step.data).for_each(|(x, d)| *x = of * *x + by * d);
        eval(func, &inputs)
    };
    let ys: Vec<Array> = eval(func, inputs).iter().map(|y| rng.array(&y.shape)).collect();
    let along = |by: f64, of: f64| inner(&moved(by, of), &ys);
    let [(none, size), (one, _), (three, _)] = [0.0, 1.0, 3.0].map(|by| along(by, 1.0));
    // What is linear in pieces may look so along one line, hardly along another through 0.
    let (zero, triple) = (along(0.0, 0.0).0, along(0.0, 3.0).0);
    let even = |a: f64, b: f64, c: f64| (c - a - 3.0 * (b - a)).abs() <= 1e-9 * (1.0 + size); // false for NaN
    if !even(none, one, three) || !even(zero, none, triple) {
        return None;
    }
    let grads = eval(&gradient(func), &[inputs, &ys].concat());
    let at = floats(func).iter().position(|f| *f == i)?;
    let (right, other) = inner(&inputs[i..=i], &grads[at..=at]);
    let left = none - zero;
    Some((left - right).abs() <= 1e-12 * (1.0 + size + other))
}

#[test]
fn what_is_linear_has_its_adjoint() {
    let (mut rng, mut linear) = (Rng(53), 0);
    let rows = rows();
    let typical = entries().filter(|e| !CONVENTIONS.contains(&e.name)).map(|e| (e, [].as_slice()));
    for (entry, change) in typical.chain(rows.iter().map(|row| (named(row.name), row.change.as_slice()))) {
        let func = built(entry, change);
        let inputs = sample(entry, &func, &mut rng);
        for i in floats(&func) {
            let is = is_adjoint(&func, &inputs, i, &mut rng);
            assert_ne!(is, Some(false), "{} in `{}`", entry.name, func.inputs[i].name);
            linear += usize::from(is.is_some());
        }
    }
    assert!(linear > 250, "only {linear} arguments are linear");
}

/// The gradients of the sum of a typical call's results there, by the inputs' names.
fn gradients(name: &str, change: &[(&'static str, New)], set: &[(&str, &[f64])]) -> Vec<(String, Vec<f64>)> {
    let entry = named(name);
    let func = built(entry, change);
    let mut inputs = sample(entry, &func, &mut Rng(47));
    for (name, data) in set {
        let at = func.inputs.iter().rposition(|i| i.name == *name).unwrap_or_else(|| panic!("no {name}"));
        inputs[at].data = data.to_vec();
    }
    let ones = eval(&func, &inputs).into_iter().map(|mut y| {
        y.data.fill(1.0);
        y
    });
    let all = [inputs.clone(), ones.collect()].concat();
    let grads = eval(&gradient(&func), &all);
    floats(&func).into_iter().zip(grads).map(|(i, g)| (func.inputs[i].name.clone(), g.data)).collect()
}

fn of<'a>(gradients: &'a [(String, Vec<f64>)], name: &str) -> &'a [f64] {
    &gradients.iter().rfind(|g| g.0 == name).unwrap_or_else(|| panic!("no {name}")).1
}

#[test]
fn conventions() {
    let still = gradients("detach", &[], &[]);
    assert_eq!(of(&still, "x"), [0.0; 12]);

    let padded = gradients("embedding_with", &[], &[("index", &[0.0, 2.0, 2.0, 0.0])]);
    assert_eq!(of(&padded, "x"), [[0.0; 3], [0.0; 3], [2.0; 3], [0.0; 3]].concat());

    // Integers 0 ..= 4 at 0.5 each: −0.1 becomes 0, and 9 is outside.
    let x: &[f64] = &[-0.1, 0.3, 1.9, 9.0, -9.0, 1.0];
    let change = [("x", Of(F64, &[6])), ("low", int(0)), ("high", int(4))];
    let straight = gradients(
        "fake_quantize_per_tensor_affine",
        &change,
        &[("x", x), ("scale", &[0.5]), ("zero_point", &[0.0])],
    );
    assert_eq!(of(&straight, "x"), [1.0, 1.0, 1.0, 0.0, 0.0, 1.0]);
    assert_eq!(of(&straight, "scale"), [0.0]);

    // scale = (largest − least) / 127.
    let range = gradients("choose_qparams_per_tensor", &[("x", Of(F64, &[3]))], &[("x", &[-1.0, 0.2, 2.0])]);
    let each = 1.0 / 127.0;
    let near = of(&range, "x").iter().zip([-each, 0.0, each]).all(|(a, b)| (a - b).abs() < 1e-9);
    assert!(near, "{range:?}");

    let dynamic = gradients("linear_dynamic", &[], &[]);
    assert_eq!(of(&dynamic, "bias"), [4.0; 5]);
    assert_eq!(of(&dynamic, "weight"), [0.0; 15]);
}

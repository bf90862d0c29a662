//! Training trajectories: every parameter after each of five steps of a small net.

use crate::file::{Golden, distance};
use kiln_ir::composite::{linalg, loss, optim};
use kiln_ir::ops::Array;
use kiln_ir::{Builder, DType, Dim, Error, Func, Role, Scalar, Syms, Ty, Value, differentiate, eval};

const PARAMS: [&str; 4] = ["0.bias", "0.weight", "2.bias", "2.weight"];

/// The worst distance of a parameter over all steps. `None`: the optimizer or an option isn't covered yet.
pub fn run(golden: &Golden) -> Option<Result<f64, Error>> {
    let options = golden.config["options"].as_object()?;
    if !matches!(golden.case.as_str(), "train_sgd" | "train_adam" | "train_adamw")
        || options.contains_key("amsgrad")
    {
        return None;
    }
    Some(step(golden).map(|step| replay(golden, &step)))
}

/// One training step: parameters, two states each, the step's number, x and target to the new ones and the loss.
fn step(golden: &Golden) -> Result<Func, Error> {
    let mut b = Builder::new("train_step", Syms::default());
    let input = |b: &mut Builder, name: &str, a: &Array, from: usize| {
        let dims: Vec<Dim> = a.shape[from..].iter().map(|n| Dim::from(*n)).collect();
        b.input(name, Ty::new(DType::F64, dims), Role::Argument)
    };
    let of = |name: &str| &golden.tensors[&format!("param.{name}")];
    let params: Vec<Value> = PARAMS.iter().map(|p| input(&mut b, p, of(p), 0)).collect();
    let states: Vec<[Value; 2]> =
        PARAMS.iter().map(|p| [input(&mut b, "m", of(p), 0), input(&mut b, "v", of(p), 0)]).collect();
    let t = b.input("t", Ty::scalar(DType::F64), Role::Argument);
    let x = input(&mut b, "x", &golden.tensors["in.x"], 1);
    let target = input(&mut b, "target", &golden.tensors["in.target"], 1);
    let h = linalg::linear(&mut b, x, params[1], Some(params[0]))?;
    let h = b.map(Scalar::Tanh, &[h])?;
    let y = linalg::linear(&mut b, h, params[3], Some(params[2]))?;
    let loss = loss::mse(&mut b, y, target, loss::Reduce::Mean)?;
    let one = b.constant(1.0, DType::F64);
    let mut grads = differentiate::differentiate(&mut b, &[(loss, one)], &params)?;
    if let Some(max) = golden.config["clip"].as_f64() {
        grads = optim::clip_norm(&mut b, &grads, max)?;
    }
    for ((p, g), state) in params.iter().zip(grads).zip(states) {
        for new in update(golden, &mut b, *p, g, state, t)? {
            b.output("new", new, None);
        }
    }
    b.output("loss", loss, None);
    Ok(b.finish())
}

fn update(
    golden: &Golden,
    b: &mut Builder,
    p: Value,
    g: Value,
    s: [Value; 2],
    t: Value,
) -> Result<[Value; 3], Error> {
    let options = &golden.config["options"];
    let number = |key: &str, default: f64| options[key].as_f64().unwrap_or(default);
    let constant = |b: &mut Builder, x: f64| b.constant(x, DType::F64);
    if golden.case == "train_sgd" {
        let h = optim::Sgd {
            lr: constant(b, number("lr", 1e-3)),
            momentum: options["momentum"].as_f64().map(|m| constant(b, m)),
            dampening: number("dampening", 0.0),
            weight_decay: constant(b, number("weight_decay", 0.0)),
            nesterov: options["nesterov"].as_bool() == Some(true),
        };
        let one = constant(b, 1.0);
        let first = b.map(Scalar::Eq, &[t, one])?;
        let [p, v] = optim::sgd(b, h, p, g, s[0], first)?;
        return Ok([p, v, s[1]]);
    }
    let decoupled = golden.case == "train_adamw";
    let beta = |i: usize, default: f64| options["betas"][i].as_f64().unwrap_or(default);
    let h = optim::Adam {
        lr: constant(b, number("lr", 1e-3)),
        beta1: constant(b, beta(0, 0.9)),
        beta2: constant(b, beta(1, 0.999)),
        eps: constant(b, number("eps", 1e-8)),
        weight_decay: constant(b, number("weight_decay", if decoupled { 1e-2 } else { 0.0 })),
        decoupled,
    };
    optim::adam(b, h, p, g, s, t)
}

fn replay(golden: &Golden, step: &Func) -> f64 {
    let mut params: Vec<Array> =
        PARAMS.iter().map(|p| golden.tensors[&format!("param.{p}")].clone()).collect();
    let zero = |a: &Array| Array { data: vec![0.0; a.data.len()], ..a.clone() };
    let mut states: Vec<Array> = params.iter().flat_map(|p| [zero(p), zero(p)]).collect();
    let steps = golden.tensors["in.x"].shape[0];
    let mut worst = 0f64;
    for k in 1..=steps {
        let t = Array::rounded(DType::F64, vec![], vec![k as f64]);
        let batch = [row(&golden.tensors["in.x"], k - 1), row(&golden.tensors["in.target"], k - 1)];
        let inputs: Vec<Array> = params.iter().chain(&states).chain([&t]).chain(&batch).cloned().collect();
        let results = eval::eval(step, &inputs);
        let at = |i: usize| results[i].clone();
        params = (0..PARAMS.len()).map(|i| at(3 * i)).collect();
        states = (0..PARAMS.len()).flat_map(|i| [at(3 * i + 1), at(3 * i + 2)]).collect();
        for (name, got) in PARAMS.iter().zip(&params) {
            worst = worst.max(distance(got, &golden.tensors[&format!("out.step{k}.{name}")], 0.0));
        }
        let loss = row(&golden.tensors["out.loss"], k - 1);
        worst = worst.max(distance(&results[results.len() - 1], &loss, 0.0));
    }
    worst
}

/// The k-th entry along the first axis.
fn row(a: &Array, k: usize) -> Array {
    let size: usize = a.shape[1..].iter().product();
    Array { dtype: a.dtype, shape: a.shape[1..].to_vec(), data: a.data[k * size..][..size].to_vec() }
}

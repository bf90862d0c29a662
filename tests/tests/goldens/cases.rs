//! From a case's name and configuration to the values that it computes.

use crate::file::Golden;
use kiln_ir::composite::{activation as act, linalg, loss, norm, reduce, shape};
use kiln_ir::{Builder, Dim, Error, Op, Role, Scalar, Syms, Ty, Value, differentiate};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// A case under construction: its inputs by name, its outputs by name.
pub struct Case<'a> {
    pub b: Builder,
    pub config: &'a Json,
    pub inputs: BTreeMap<String, Value>,
    pub outputs: Vec<(String, Value)>,
}

impl<'a> Case<'a> {
    /// The function of a golden file's inputs, with nothing computed yet.
    pub fn new(golden: &'a Golden) -> Case<'a> {
        let mut b = Builder::new(&golden.case, Syms::default());
        let mut inputs = BTreeMap::new();
        for prefix in ["in.", "param."] {
            for (name, array) in golden.group(prefix) {
                let dims: Vec<Dim> = array.shape.iter().map(|n| Dim::from(*n)).collect();
                inputs.insert(name.to_string(), b.input(name, Ty::new(array.dtype, dims), Role::Argument));
            }
        }
        Case { b, config: &golden.config, inputs, outputs: Vec::new() }
    }

    pub fn input(&self, name: &str) -> Value {
        self.inputs[name]
    }

    fn maybe(&self, name: &str) -> Option<Value> {
        self.inputs.get(name).copied()
    }

    fn float(&self, key: &str) -> f64 {
        self.config[key].as_f64().unwrap_or_else(|| panic!("config.{key}"))
    }

    fn int(&self, key: &str) -> i64 {
        self.config[key].as_i64().unwrap_or_else(|| panic!("config.{key}"))
    }

    /// A list of integers, one integer, or nothing.
    fn ints(&self, key: &str) -> Vec<i64> {
        match &self.config[key] {
            Json::Array(list) => list.iter().map(|i| i.as_i64().expect("an integer")).collect(),
            Json::Null => vec![],
            one => vec![one.as_i64().expect("an integer")],
        }
    }

    fn dims(&self, key: &str) -> Vec<Dim> {
        self.ints(key).into_iter().map(Dim::from).collect()
    }

    fn reduction(&self) -> loss::Reduce {
        match self.config["reduction"].as_str() {
            Some("none") => loss::Reduce::None,
            Some("sum") => loss::Reduce::Sum,
            _ => loss::Reduce::Mean,
        }
    }
}

/// Builds the outputs of a case. `None`: the case isn't covered yet.
pub fn build(golden: &Golden, c: &mut Case) -> Option<Result<(), Error>> {
    let (family, op) = golden.case.split_once('_').unwrap_or((&golden.case, ""));
    let built = match family {
        "unary" => unary(op, c)?,
        "binary" => binary(op, c)?,
        "compare" => compare(op, c)?,
        "reduce" => return reduction(op, c),
        _ if golden.case.ends_with("loss") || matches!(family, "bce" | "cross" | "kl") => {
            losses(&golden.case, c)?
        }
        _ if golden.case == "model_mlp" => return Some(mlp(c)),
        _ if golden.case == "second_derivative" => return Some(second_derivative(c)),
        _ if golden.case == "gradient_penalty" => return Some(gradient_penalty(c)),
        _ if golden.case == "dropout_eval" => Ok(c.input("x")),
        _ if matches!(family, "split" | "chunk") => return Some(parts(family, c)),
        _ if golden.case == "seed_example" => seed_example(c),
        _ => layout(&golden.case, c).or_else(|| layer(&golden.case, c))?,
    };
    let name = if golden.tensors.contains_key("out.loss") { "loss" } else { "y" };
    Some(built.map(|v| c.outputs.push((name.into(), v))))
}

fn unary(op: &str, c: &mut Case) -> Option<Result<Value, Error>> {
    let x = c.input("x");
    if let Some(scalar) = Scalar::ALL.into_iter().find(|s| s.name() == op && s.arity() == 1) {
        return Some(c.b.map(scalar, &[x]));
    }
    Some(match op {
        "relu" => act::relu(&mut c.b, x),
        "relu6" => act::relu6(&mut c.b, x),
        "leaky_relu" => {
            let number = c.float("slope");
            act::leaky_relu(&mut c.b, x, number)
        }
        "elu" => {
            let number = c.float("alpha");
            act::elu(&mut c.b, x, number)
        }
        "sigmoid" => act::sigmoid(&mut c.b, x),
        "logsigmoid" => act::logsigmoid(&mut c.b, x),
        "silu" => act::silu(&mut c.b, x),
        "mish" => act::mish(&mut c.b, x),
        "softplus" => {
            let (beta, threshold) = (c.float("beta"), c.float("threshold"));
            act::softplus(&mut c.b, x, beta, threshold)
        }
        "gelu_erf" => act::gelu(&mut c.b, x),
        "gelu_tanh" => act::gelu_tanh(&mut c.b, x),
        "hardsigmoid" => act::hardsigmoid(&mut c.b, x),
        "hardswish" => act::hardswish(&mut c.b, x),
        "pow" => {
            let number = c.float("exponent");
            act::pow(&mut c.b, x, number)
        }
        "square" => c.b.map(Scalar::Mul, &[x, x]),
        "reciprocal" => c.b.over(1.0, x),
        "rsqrt" => act::rsqrt(&mut c.b, x),
        _ => return None,
    })
}

fn binary(op: &str, c: &mut Case) -> Option<Result<Value, Error>> {
    let op = match op {
        "maximum" => "max",
        "minimum" => "min",
        other => other,
    };
    let scalar = Scalar::ALL.into_iter().find(|s| s.name() == op && s.arity() == 2)?;
    Some(c.b.elementwise(scalar, &[c.inputs["a"], c.inputs["b"]]))
}

fn compare(op: &str, c: &mut Case) -> Option<Result<Value, Error>> {
    let (a, b) = (c.input("a"), c.input("b"));
    Some(match op {
        "eq" => c.b.elementwise(Scalar::Eq, &[a, b]),
        "lt" => c.b.elementwise(Scalar::Lt, &[a, b]),
        "le" => c.b.elementwise(Scalar::Le, &[a, b]),
        "gt" => c.b.elementwise(Scalar::Lt, &[b, a]),
        "ge" => c.b.elementwise(Scalar::Le, &[b, a]),
        "ne" => c.b.elementwise(Scalar::Eq, &[a, b]).and_then(|eq| c.b.map(Scalar::Not, &[eq])),
        _ => return None,
    })
}

fn reduction(op: &str, c: &mut Case) -> Option<Result<(), Error>> {
    let (x, dims) = (c.input("x"), c.ints("dim"));
    if matches!(op, "max" | "min") {
        return Some(extremum(op, c, x, dims[0]));
    }
    let b = &mut c.b;
    let made = match op {
        "sum" => reduce::sum(b, x, &dims),
        "mean" => reduce::mean(b, x, &dims),
        "amax" => reduce::amax(b, x, &dims),
        "amin" => reduce::amin(b, x, &dims),
        "logsumexp" => reduce::logsumexp(b, x, &dims),
        "var" => reduce::var(b, x, &dims, c.config["correction"].as_f64()?),
        "std" => reduce::std(b, x, &dims, c.config["correction"].as_f64()?),
        "norm" => reduce::norm(b, x, c.config["p"].as_f64()?, &dims),
        "argmax" | "argmin" => {
            let flat = if dims.is_empty() { shape::flatten(b, x, 0, -1) } else { Ok(x) };
            let find = if op == "argmax" { reduce::argmax } else { reduce::argmin };
            flat.and_then(|flat| find(b, flat, dims.first().copied().unwrap_or(0)))
        }
        _ => return None,
    };
    let keep = c.config["keepdim"].as_bool() == Some(true);
    let kept = made.and_then(|v| if keep { reduce::keepdim(&mut c.b, v, x, &dims) } else { Ok(v) });
    Some(kept.map(|v| c.outputs.push(("y".into(), v))))
}

/// The outputs `values` and `indices` of `max(dim)` and `min(dim)`.
fn extremum(op: &str, c: &mut Case, x: Value, dim: i64) -> Result<(), Error> {
    let find = if op == "max" { reduce::max_dim } else { reduce::min_dim };
    let found = find(&mut c.b, x, dim)?;
    let keep = c.config["keepdim"].as_bool() == Some(true);
    for (name, v) in ["values", "indices"].into_iter().zip(found) {
        let v = if keep { reduce::keepdim(&mut c.b, v, x, &[dim])? } else { v };
        c.outputs.push((name.into(), v));
    }
    Ok(())
}

fn losses(case: &str, c: &mut Case) -> Option<Result<Value, Error>> {
    let (x, y, how) = (c.input("x"), c.input("target"), c.reduction());
    Some(match case {
        "mse_loss" => loss::mse(&mut c.b, x, y, how),
        "l1_loss" => loss::l1(&mut c.b, x, y, how),
        "huber_loss" => {
            let number = c.float("delta");
            loss::huber(&mut c.b, x, y, number, how)
        }
        "smooth_l1_loss" => {
            let number = c.float("beta");
            loss::smooth_l1(&mut c.b, x, y, number, how)
        }
        "bce_with_logits" => {
            let (w, p) = (c.maybe("weight"), c.maybe("pos_weight"));
            loss::bce_with_logits(&mut c.b, x, y, w, p, how)
        }
        "cross_entropy" => {
            let options = loss::CrossEntropy {
                weight: c.maybe("weight"),
                ignore_index: c.int("ignore_index"),
                label_smoothing: c.float("label_smoothing"),
                reduction: how,
            };
            loss::cross_entropy(&mut c.b, x, y, options)
        }
        "nll_loss" => {
            let options = loss::CrossEntropy {
                weight: c.maybe("weight"),
                ignore_index: c.int("ignore_index"),
                reduction: how,
                ..Default::default()
            };
            loss::nll(&mut c.b, x, y, options)
        }
        "kl_div" => kl_div(c, x, y, how),
        "cross_entropy_soft" => {
            let smoothing = c.float("label_smoothing");
            loss::cross_entropy_soft(&mut c.b, x, y, smoothing)
        }
        _ => return None,
    })
}

fn layout(case: &str, c: &mut Case) -> Option<Result<Value, Error>> {
    let parts: Vec<Value> = (0..).map_while(|i| c.maybe(&format!("x{i}"))).collect();
    if matches!(case, "cat" | "stack") {
        let join = if case == "cat" { shape::cat } else { shape::stack };
        let dim = c.int("dim");
        return Some(join(&mut c.b, &parts, dim));
    }
    let x = c.maybe("x")?;
    Some(match case {
        "transpose" => shape::transpose(&mut c.b, x, c.config["dim0"].as_i64()?, c.config["dim1"].as_i64()?),
        "permute" => {
            let dims = c.ints("dims");
            shape::permute(&mut c.b, x, &dims)
        }
        "reshape" => {
            let (perm, to) = (c.ints("dims"), c.dims("to"));
            let moved = if perm.is_empty() { Ok(x) } else { shape::permute(&mut c.b, x, &perm) };
            moved.and_then(|x| shape::reshape(&mut c.b, x, &to))
        }
        "flatten" => shape::flatten(&mut c.b, x, c.config["start"].as_i64()?, c.config["end"].as_i64()?),
        "expand" => {
            let to = c.dims("to");
            shape::expand(&mut c.b, x, &to)
        }
        "squeeze" => shape::squeeze(&mut c.b, x, c.config["dim"].as_i64()),
        "tril" => shape::tril(&mut c.b, x, c.config["diagonal"].as_i64()?),
        "triu" => shape::triu(&mut c.b, x, c.config["diagonal"].as_i64()?),
        "slice" => slices(c, x),
        "unsqueeze" => shape::unsqueeze(&mut c.b, x, c.config["dim"].as_i64()?),
        _ => return None,
    })
}

fn layer(case: &str, c: &mut Case) -> Option<Result<Value, Error>> {
    let (weight, bias) = (c.maybe("weight"), c.maybe("bias"));
    Some(match case {
        "matmul" => linalg::matmul(&mut c.b, c.inputs["a"], c.inputs["b"]),
        "linear" => linalg::linear(&mut c.b, c.inputs["x"], weight?, bias),
        "softmax" => norm::softmax(&mut c.b, c.inputs["x"], c.config["dim"].as_i64()?),
        "log_softmax" => norm::log_softmax(&mut c.b, c.inputs["x"], c.config["dim"].as_i64()?),
        "layer_norm" => {
            let (over, eps) = (c.ints("over").len(), c.float("eps"));
            norm::layer_norm(&mut c.b, c.inputs["x"], over, weight, bias, eps)
        }
        "rms_norm" => {
            let (over, eps) = (c.ints("over").len(), c.float("eps"));
            norm::rms_norm(&mut c.b, c.inputs["x"], over, weight, eps)
        }
        "clamp" => {
            let (min, max) = (c.config["min"].as_f64(), c.config["max"].as_f64());
            act::clamp(&mut c.b, c.inputs["x"], min, max)
        }
        "where" => c.b.elementwise(Scalar::Select, &[c.inputs["cond"], c.inputs["a"], c.inputs["b"]]),
        "masked_fill" => {
            let (x, value) = (c.inputs["x"], c.config["value"].as_f64()?);
            let dtype = c.b.ty(x).dtype;
            let value = c.b.constant(value, dtype);
            c.b.elementwise(Scalar::Select, &[c.inputs["mask"], value, x])
        }
        _ => return None,
    })
}

fn kl_div(c: &mut Case, x: Value, y: Value, how: loss::Reduce) -> Result<Value, Error> {
    // The case draws logits.
    let log_p = norm::log_softmax(&mut c.b, x, -1)?;
    let each = loss::kl_div(&mut c.b, log_p, y, c.config["log_target"].as_bool() == Some(true))?;
    match (c.config["reduction"].as_str(), how) {
        (Some("batchmean"), _) => {
            let total = reduce::sum(&mut c.b, each, &[])?;
            let batch = reduce::count(&mut c.b, x, &[0])?;
            c.b.div(total, batch)
        }
        (_, loss::Reduce::Mean) => reduce::mean(&mut c.b, each, &[]),
        (_, loss::Reduce::Sum) => reduce::sum(&mut c.b, each, &[]),
        (_, loss::Reduce::None) => Ok(each),
    }
}

/// `[start, stop, step]` an axis, as Python slices.
fn slices(c: &mut Case, mut x: Value) -> Result<Value, Error> {
    let ranges = c.config["ranges"].as_array().expect("config.ranges").clone();
    for (dim, range) in ranges.iter().enumerate() {
        let n = c.b.ty(x).shape[dim].literal().expect("a literal dim");
        let bound =
            |i: usize, open: i64| range[i].as_i64().map_or(open, |k| if k < 0 { k + n } else { k }).min(n);
        let (start, stop, step) = (bound(0, 0), bound(1, n), range[2].as_i64().unwrap_or(1));
        let len = (stop - start + step - 1) / step;
        x = shape::slice(&mut c.b, x, dim as i64, start.into(), len.into(), step)?;
    }
    Ok(x)
}

/// The outputs `y0`, `y1`, … of `split` and `chunk`.
fn parts(case: &str, c: &mut Case) -> Result<(), Error> {
    let (x, dim) = (c.input("x"), c.int("dim"));
    let axis = c.b.axis("split", x, dim)?;
    let n = c.b.ty(x).shape[axis].literal().expect("a literal dim");
    let each = match (case, c.config["sizes"].as_i64()) {
        ("chunk", _) => Some((n + c.int("chunks") - 1) / c.int("chunks")),
        (_, size) => size,
    };
    let even = |each: i64| (0..n).step_by(each as usize).map(|at| Dim::from(each.min(n - at))).collect();
    let sizes: Vec<Dim> = each.map_or_else(|| c.dims("sizes"), even);
    let parts = shape::split(&mut c.b, x, &sizes, dim)?;
    c.outputs.extend(parts.into_iter().enumerate().map(|(i, v)| (format!("y{i}"), v)));
    Ok(())
}

/// A scalar function and its gradient, itself an output that is differentiated again.
fn second_derivative(c: &mut Case) -> Result<(), Error> {
    let x = c.input("x");
    let each = match c.config["function"].as_str() {
        Some("cube") => seed_example(c)?,
        Some("tanh") => {
            let t = c.b.map(Scalar::Tanh, &[x])?;
            c.b.mul(t, t)?
        }
        Some("softmax") => {
            let p = norm::softmax(&mut c.b, x, -1)?;
            let ty = c.b.ty(x).clone();
            let len = ty.shape[ty.rank() - 1].clone();
            let index = c.b.emit(Op::Iota { len, dtype: ty.dtype }, &[])?;
            let weight = c.b.shift(index, 1.0)?;
            c.b.mul(p, weight)?
        }
        _ => quotient(c, x)?,
    };
    let y = reduce::sum(&mut c.b, each, &[])?;
    let one = c.b.splat(1.0, y)?;
    let d1 = differentiate::differentiate(&mut c.b, &[(y, one)], &[x])?[0];
    c.outputs.extend([("y".to_string(), y), ("d1".to_string(), d1)]);
    Ok(())
}

/// mean (‖∂ Σf(x)/∂x‖ − 1)² over the batch, f linear, tanh, linear: a gradient inside a loss.
fn gradient_penalty(c: &mut Case) -> Result<(), Error> {
    let x = c.input("x");
    let layer = |i: usize| (c.input(&format!("{i}.weight")), c.input(&format!("{i}.bias")));
    let ((w1, b1), (w2, b2)) = (layer(0), layer(2));
    let b = &mut c.b;
    let h = linalg::linear(b, x, w1, Some(b1))?;
    let h = b.map(Scalar::Tanh, &[h])?;
    let y = linalg::linear(b, h, w2, Some(b2))?;
    let total = reduce::sum(b, y, &[])?;
    let one = b.splat(1.0, total)?;
    let d1 = differentiate::differentiate(b, &[(total, one)], &[x])?[0];
    let norm = reduce::norm(b, d1, 2.0, &[1])?;
    let off = b.shift(norm, -1.0)?;
    let square = b.mul(off, off)?;
    let loss = reduce::mean(b, square, &[])?;
    c.outputs.extend([("d1".to_string(), d1), ("loss".to_string(), loss)]);
    Ok(())
}

/// x₀ / (1 + x₁²) · exp(x₂), over the last axis.
fn quotient(c: &mut Case, x: Value) -> Result<Value, Error> {
    let ones = [Dim::from(1), Dim::from(1), Dim::from(1)];
    let parts = shape::split(&mut c.b, x, &ones, -1)?;
    let square = c.b.mul(parts[1], parts[1])?;
    let below = c.b.shift(square, 1.0)?;
    let ratio = c.b.div(parts[0], below)?;
    let exp = c.b.map(Scalar::Exp, &[parts[2]])?;
    c.b.mul(ratio, exp)
}

/// x³ + 2x
fn seed_example(c: &mut Case) -> Result<Value, Error> {
    let x = c.input("x");
    let cube = act::pow(&mut c.b, x, 3.0)?;
    let line = c.b.scale(x, 2.0)?;
    c.b.add(cube, line)
}

fn mlp(c: &mut Case) -> Result<(), Error> {
    let layers = c.ints("sizes").len() - 1;
    let mut h = c.input("x");
    for i in 0..layers {
        let (w, bias) = (c.input(&format!("{}.weight", 2 * i)), c.input(&format!("{}.bias", 2 * i)));
        h = linalg::linear(&mut c.b, h, w, Some(bias))?;
        h = match c.config["activation"].as_str() {
            _ if i + 1 == layers => h,
            Some("gelu") => act::gelu(&mut c.b, h)?,
            Some("tanh") => c.b.map(Scalar::Tanh, &[h])?,
            _ => act::relu(&mut c.b, h)?,
        };
    }
    let target = c.input("target");
    let loss = loss::cross_entropy(&mut c.b, h, target, loss::CrossEntropy::default())?;
    c.outputs.extend([("logits".to_string(), h), ("loss".to_string(), loss)]);
    Ok(())
}

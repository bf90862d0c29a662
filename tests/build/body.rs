//! From a case's name and configuration to the body of a model: statements, and an expression for each output.

use crate::attention::attention;
use crate::convolutions::convolution;
use crate::file::Case;
use crate::losses::loss;
use crate::norms::norm;
use crate::quantized::quantized;
use crate::recurrent::recurrent;

/// A body.
pub struct Body {
    /// What comes before the results.
    pub statements: String,
    /// Outputs by name, and the expression of each.
    pub results: Vec<(String, String)>,
}

fn one(expr: impl Into<String>) -> Option<Body> {
    Some(Body { statements: String::new(), results: vec![("y".into(), expr.into())] })
}

/// The body of a case; `None` where an operation is missing.
pub fn body(c: &Case) -> Option<Body> {
    let (family, op) = c.name.split_once('_').unwrap_or((&c.name, ""));
    match family {
        "unary" => unary(op, c),
        "binary" | "compare" => one(format!("a.{op}(b)")),
        "reduce" => reduction(op, c),
        _ => loss(c)
            .or_else(|| layout(c))
            .or_else(|| layer(c))
            .or_else(|| norm(c))
            .or_else(|| convolution(c))
            .or_else(|| attention(c))
            .or_else(|| quantized(c))
            .or_else(|| recurrent(c))
            .or_else(|| derivative(c)),
    }
}

fn unary(op: &str, c: &Case) -> Option<Body> {
    let f = |key: &str| c.float(key);
    one(match op {
        "gelu_erf" => "x.gelu()".into(),
        "leaky_relu" => format!("x.leaky_relu({})", f("slope")?),
        "elu" => format!("x.elu({})", f("alpha")?),
        "softplus" => format!("x.softplus_with({}, {})", f("beta")?, f("threshold")?),
        "pow" => format!("x.pow({})", f("exponent")?),
        "abs" | "ceil" | "cos" | "erf" | "exp" | "expm1" | "floor" | "gelu_tanh" | "hardsigmoid"
        | "hardswish" | "log" | "log1p" | "logsigmoid" | "mish" | "neg" | "reciprocal" | "relu" | "relu6"
        | "round" | "rsqrt" | "sigmoid" | "sign" | "silu" | "sin" | "sqrt" | "square" | "tan" | "tanh" => {
            format!("x.{op}()")
        }
        _ => return None,
    })
}

fn reduction(op: &str, c: &Case) -> Option<Body> {
    let rank = c.shape("x").len() as i64;
    let keep = c.flag("keepdim");
    let named = c.ints("dim");
    let dims = named.clone().unwrap_or_else(|| (0..rank).collect());
    let last = |v: &str| if keep { format!("{v}.unsqueeze({})", dims[0]) } else { v.to_string() };
    match op {
        "prod" if named.is_none() => return one("x.prod()"),
        "prod" => return one(last(&format!("x.prod_dim({})", dims[0]))),
        "argmax" | "argmin" if named.is_none() => return one(format!("x.flatten(0, -1).{op}(0)")),
        "argmax" | "argmin" => return one(last(&format!("x.{op}({})", dims[0]))),
        "max" | "min" => {
            return Some(Body {
                statements: format!("let (values, indices) = x.{op}_dim({});", dims[0]),
                results: ["values", "indices"].map(|v| (v.to_string(), last(v))).to_vec(),
            });
        }
        _ => {}
    }
    let kept = if keep { "_keepdim" } else { "_dim" };
    one(match op {
        "sum" | "mean" => format!("x.{op}{kept}({dims:?})"),
        "amax" | "amin" | "logsumexp" => format!("x.{op}{}({dims:?})", if keep { "_keepdim" } else { "" }),
        "var" | "std" => format!("x.{op}{kept}({dims:?}, {})", c.float("correction")?),
        "norm" => format!("x.norm{kept}({}, {dims:?})", c.float("p")?),
        _ => return None,
    })
}

fn layout(c: &Case) -> Option<Body> {
    let parts: Vec<String> =
        (0..).map(|i| format!("x{i}")).take_while(|n| c.has(&format!("in.{n}"))).collect();
    one(match c.name.as_str() {
        "cat" | "stack" => format!("{}(&[{}], {})", c.name, parts.join(", "), c.int("dim")?),
        "transpose" => format!("x.transpose({}, {})", c.int("dim0")?, c.int("dim1")?),
        "permute" => format!("x.permute({:?})", c.ints("dims")?),
        "reshape" => {
            let moved = c.ints("dims").map_or(String::new(), |dims| format!(".permute({dims:?})"));
            format!("x{moved}.reshape({:?})", c.ints("to")?)
        }
        "flatten" => format!("x.flatten({}, {})", c.int("start")?, c.int("end")?),
        "expand" => format!("x.expand({:?})", c.ints("to")?),
        "squeeze" => match c.int("dim") {
            Some(dim) => format!("x.squeeze({dim})"),
            None => format!("x.reshape({:?})", c.types["out.y"].shape),
        },
        "unsqueeze" => format!("x.unsqueeze({})", c.int("dim")?),
        "tril" | "triu" => format!("x.{}({})", c.name, c.int("diagonal")?),
        "repeat" => format!("x.repeat({:?})", c.ints("repeats")?),
        "pad" if c.text("mode") != "constant" => format!("x.pad_{}({:?})", c.text("mode"), c.ints("pad")?),
        "flip" => format!("x.flip({:?})", c.ints("dims")?),
        "cumsum" => format!("x.cumsum({})", c.int("dim")?),
        "gather" | "index_select" => format!("x.{}({}, index)", c.name, c.int("dim")?),
        "index_add" => format!("x.index_add({}, index, source)", c.int("dim")?),
        "normalize" => format!("x.normalize({})", c.int("dim")?),
        "scatter_add" => format!("x.scatter_add({}, index, src)", c.int("dim")?),
        "embedding" => match c.int("padding_idx") {
            Some(row) => format!("weight.embedding_with(index, {row})"),
            None => "weight.embedding(index)".into(),
        },
        "upsample" => upsample(c)?,
        "topk" => {
            let call = format!("x.topk({}, {}, {})", c.int("k")?, c.int("dim")?, c.flag("largest"));
            return Some(Body {
                statements: format!("let (values, indices) = {call};"),
                results: ["values", "indices"].map(|v| (v.to_string(), v.to_string())).to_vec(),
            });
        }
        "roll" => {
            let (shifts, dims) = (c.ints("shifts")?, c.ints("dims")?);
            shifts.iter().zip(dims).fold("x".into(), |x, (shift, dim)| format!("{x}.roll({shift}, {dim})"))
        }
        "pad" if c.text("mode") == "constant" => {
            format!("x.pad({:?}, {})", c.ints("pad")?, c.float("value")?)
        }
        "pixel_shuffle" | "pixel_unshuffle" => format!("x.{}({})", c.name, c.int("factor")?),
        "einsum" => format!("einsum({:?}, &[{}])", c.config["equation"].as_str()?, parts.join(", ")),
        "one_hot" => format!("one_hot(index, {})", c.int("classes")?),
        "slice" => slices(c)?,
        "split" | "chunk" => return split(c),
        _ => return None,
    })
}

fn upsample(c: &Case) -> Option<String> {
    let (from, size) = (&c.shape("x")[2..], &c.types["out.y"].shape[2..]);
    let scales: Vec<f64> = match &c.config["scale"] {
        serde_json::Value::Array(list) => list.iter().map(|s| s.as_f64()).collect::<Option<_>>()?,
        one => one.as_f64().into_iter().collect(),
    };
    let scale = |i: usize| scales.get(i).or(scales.first()).copied();
    let whole = |i: usize| scale(i).is_none_or(|s| from[i] as f64 * s == size[i] as f64);
    // A factor that doesn't give whole sizes has steps of its own.
    let (with, to) = match scales.as_slice() {
        _ if (0..from.len()).all(whole) || c.flag("align_corners") => ("", format!("{size:?}")),
        [first, rest @ ..] if rest.iter().all(|s| s == first) => ("_with", format!("{first:?}")),
        _ => return None,
    };
    match c.text("mode") {
        "nearest" => Some(format!("x.interpolate_nearest{with}({to})")),
        "linear" | "bilinear" | "trilinear" => {
            Some(format!("x.interpolate_linear{with}({to}, {})", c.flag("align_corners")))
        }
        _ => None,
    }
}

/// `[start, stop, step]` an axis, as Python slices.
fn slices(c: &Case) -> Option<String> {
    let mut expr = "x".to_string();
    for (dim, range) in c.config["ranges"].as_array()?.iter().enumerate() {
        let n = c.shape("x")[dim] as i64;
        let bound = |i: usize, open: i64| {
            range[i].as_i64().map_or(open, |k| if k < 0 { k + n } else { k }).clamp(0, n)
        };
        let (start, stop, step) = (bound(0, 0), bound(1, n), range[2].as_i64().unwrap_or(1));
        expr += &format!(".slice({dim}, {start}, {stop}, {step})");
    }
    Some(expr)
}

fn split(c: &Case) -> Option<Body> {
    let (dim, count) = (c.int("dim")?, c.group("out.").count());
    let call = match c.name.as_str() {
        "chunk" => format!("x.chunk({}, {dim})", c.int("chunks")?),
        _ => format!("x.split({:?}, {dim})", c.ints("sizes")?),
    };
    Some(Body {
        statements: format!("let parts = {call};"),
        results: (0..count).map(|i| (format!("y{i}"), format!("parts[{i}]"))).collect(),
    })
}

fn layer(c: &Case) -> Option<Body> {
    let maybe = |name: &str| {
        if c.has(&format!("param.{name}")) { format!("Some({name})") } else { "None".to_string() }
    };
    one(match c.name.as_str() {
        "matmul" => "a.matmul(b)".into(),
        "linear" => format!("x.linear(weight, {})", maybe("bias")),
        "softmax" | "log_softmax" => format!("x.{}({})", c.name, c.int("dim")?),
        "layer_norm" => format!(
            "layer_norm(x, {:?}, {}, {}, {})",
            c.ints("over")?,
            maybe("weight"),
            maybe("bias"),
            c.float("eps")?
        ),
        "rms_norm" => {
            format!("rms_norm(x, {:?}, {}, {})", c.ints("over")?, maybe("weight"), c.float("eps")?)
        }
        "clamp" => match (c.float("min"), c.float("max")) {
            (Some(min), Some(max)) => format!("x.clamp({min}, {max})"),
            (Some(min), None) => format!("x.clamp_min({min})"),
            (None, Some(max)) => format!("x.clamp_max({max})"),
            _ => return None,
        },
        "where" => "where_cond(cond, a, b)".into(),
        "cosine_similarity" => {
            format!("cosine_similarity(a, b, {}, {})", c.int("dim")?, c.float("eps")?)
        }
        "masked_fill" => format!("x.masked_fill(mask, {})", c.float("value")?),
        "dropout_eval" => "x".into(),
        "seed_example" => "x.pow(3.0) + 2.0 * x".into(),
        _ => return None,
    })
}

fn derivative(c: &Case) -> Option<Body> {
    match c.name.as_str() {
        "second_derivative" => Some(second_derivative(c)),
        "gradient_penalty" => Some(Body {
            statements:
                "let f = |x| x.linear(p0_weight, Some(p0_bias)).tanh().linear(p2_weight, Some(p2_bias)).sum();
                let d1 = grad(f)(x);"
                    .into(),
            results: vec![
                ("d1".into(), "d1".into()),
                ("loss".into(), "(d1.norm_dim(2.0, 1) - 1.0).square().mean()".into()),
            ],
        }),
        _ => None,
    }
}

/// A scalar function and its gradient, itself an output that is differentiated again.
fn second_derivative(c: &Case) -> Body {
    let n = c.shape("x").last().copied().unwrap_or(1);
    let each = match c.config["function"].as_str() {
        Some("cube") => "x.pow(3.0) + 2.0 * x".to_string(),
        Some("tanh") => "x.tanh().square()".to_string(),
        Some("softmax") => format!("x.softmax(-1) * (arange({n}).to(f64) + 1.0)"),
        // x₀ / (1 + x₁²) · exp(x₂), over the last axis.
        _ => "{ let p = x.narrow(-1, 0, 3).split([1, 1, 1], -1); p[0] / (p[1].square() + 1.0) * p[2].exp() }"
            .to_string(),
    };
    let results = [("y", "f(x)"), ("d1", "grad(f)(x)")];
    Body {
        statements: format!("let f = |x| ({each}).sum();"),
        results: results.map(|(n, e)| (n.to_string(), e.to_string())).to_vec(),
    }
}

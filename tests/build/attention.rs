//! Attention, and what is made of it: bodies of several statements.

use crate::body::Body;
use crate::file::Case;

/// The body of a case of this family.
pub fn attention(c: &Case) -> Option<Body> {
    match c.name.as_str() {
        "scaled_dot_product_attention" => scaled_dot_product(c),
        "multi_head_attention" => multi_head(c),
        "transformer_encoder_layer" | "transformer_decoder_layer" => layer(c),
        "linformer_attention" => linformer(c),
        "performer_attention" => performer(c),
        "rotary_embedding" => rotary(c),
        "sinusoidal_positions" => sinusoidal(c),
        _ => None,
    }
}

fn one(statements: String, y: impl Into<String>) -> Option<Body> {
    Some(Body { statements, results: vec![("y".into(), y.into())] })
}

fn scaled_dot_product(c: &Case) -> Option<Body> {
    let (q, k) = (c.shape("q"), c.shape("k"));
    let mut statements = String::new();
    let (heads, shared) = (q[1], k[1]);
    if heads != shared && c.config["mask"].is_null() && c.float("scale").is_none() {
        return one(statements, format!("grouped_query_attention(q, k, v, {})", c.flag("causal")));
    }
    if heads != shared {
        // Each head of keys and values serves several of queries.
        for name in ["k", "v"] {
            let s = c.shape(name);
            let (wide, to) = ([s[0], shared, heads / shared, s[2], s[3]], [s[0], heads, s[2], s[3]]);
            statements += &format!("let {name} = {name}.unsqueeze(2).expand({wide:?}).reshape({to:?});");
        }
    }
    let mask = match c.config["mask"].as_str() {
        Some("bool") => {
            let shape = c.shape("mask");
            let scores = format!("zeros({shape:?}).to(f64)");
            format!("Some({scores}.masked_fill(mask.logical_not(), f64::NEG_INFINITY))")
        }
        Some(_) => "Some(mask)".to_string(),
        None => "None".to_string(),
    };
    let (causal, scale) = (c.flag("causal"), c.float("scale"));
    if mask == "None" && !causal && scale.is_none() {
        return one(statements, "scaled_dot_product_attention(q, k, v)");
    }
    let scale = scale.unwrap_or_else(|| format!("{:?}", 1.0 / (q[3] as f64).sqrt()));
    one(statements, format!("scaled_dot_product_attention_with(q, k, v, {mask}, {causal}, {scale})"))
}

/// `[batch, seq, dim]` as `[batch, heads, seq, dim / heads]`.
fn split_heads(v: &str, batch: usize, seq: usize, heads: i64) -> String {
    format!("{v}.reshape([{batch}, {seq}, {heads}, -1]).transpose(1, 2)")
}

fn merged(v: &str, batch: usize, seq: usize) -> String {
    format!("{v}.transpose(1, 2).reshape([{batch}, {seq}, -1])")
}

/// Where an attention finds what it needs.
struct Attention<'a> {
    /// What its parameters' names begin with: `self_attn.`.
    prefix: &'a str,
    heads: i64,
    batch: usize,
    causal: bool,
    padding: bool,
}

/// The inputs of an attention: name, length and width.
type Input<'a> = (&'a str, usize, usize);

impl Attention<'_> {
    /// Statements that leave the weights in `w` and the result in `y`.
    fn statements(&self, c: &Case, [q, k, v]: [Input; 3]) -> Option<String> {
        let id = |name: &str| format!("{}{name}", self.prefix).replace('.', "_");
        let has = |name: &str| c.has(&format!("param.{}{name}", self.prefix));
        let mut out = match has("in_proj_weight") {
            true => format!("let [wq, wk, wv] = {}.chunk(3, 0);", id("in_proj_weight")),
            false => format!(
                "let (wq, wk, wv) = ({}, {}, {});",
                id("q_proj_weight"),
                id("k_proj_weight"),
                id("v_proj_weight")
            ),
        };
        let bias = has("in_proj_bias");
        if bias {
            out += &format!("let [bq, bk, bv] = {}.chunk(3, 0);", id("in_proj_bias"));
        }
        let project = |(x, seq, _): Input, part: &str| {
            let bias = if bias { format!("Some(b{part})") } else { "None".into() };
            split_heads(&format!("{x}.linear(w{part}, {bias})"), self.batch, seq, self.heads)
        };
        out +=
            &format!("let (aq, ak, av) = ({}, {}, {});", project(q, "q"), project(k, "k"), project(v, "v"));
        let mut scores =
            format!("(aq.matmul(ak.transpose(-1, -2)) / {:?})", (q.2 as f64 / self.heads as f64).sqrt());
        if self.causal {
            scores += &format!(".masked_fill(ones([{}, {}]).triu(1).gt(0.0), f64::NEG_INFINITY)", q.1, k.1);
        }
        if self.padding {
            scores += ".masked_fill(key_padding_mask.unsqueeze(1).unsqueeze(1), f64::NEG_INFINITY)";
        }
        let bias =
            if has("out_proj.bias") { format!("Some({})", id("out_proj.bias")) } else { "None".into() };
        Some(format!(
            "{out}let w = {scores}.softmax(-1);let y = {}.linear({}, {bias});",
            merged("w.matmul(av)", self.batch, q.1),
            id("out_proj.weight")
        ))
    }
}

fn multi_head(c: &Case) -> Option<Body> {
    let (heads, first) = (c.int("heads")?, c.flag("batch_first"));
    let named = |name| if c.has(&format!("in.{name}")) { name } else { "x" };
    let input = |name| {
        let s = c.shape(name);
        (name, if first { s[1] } else { s[0] }, s[2])
    };
    let inputs = ["x", named("key"), named("value")];
    let batch = c.shape("x")[usize::from(!first)];
    let mut statements = String::new();
    if !first {
        for name in ["x", "key", "value"].into_iter().filter(|n| c.has(&format!("in.{n}"))) {
            statements += &format!("let {name} = {name}.transpose(0, 1);");
        }
    }
    let attention =
        Attention { prefix: "", heads, batch, causal: c.flag("causal"), padding: c.flag("padding") };
    statements += &attention.statements(c, inputs.map(input))?;
    let y = if first { "y" } else { "y.transpose(0, 1)" };
    let results = [("y", y), ("weights", "w.mean_dim(1)")];
    Some(Body { statements, results: results.map(|(n, e)| (n.to_string(), e.to_string())).to_vec() })
}

/// An encoder's or decoder's layer: sublayers, each with a norm before or after.
fn layer(c: &Case) -> Option<Body> {
    let (heads, decoder) = (c.int("heads")?, c.has("in.memory"));
    let (batch, seq, dim) = (c.shape("x")[0], c.shape("x")[1], c.shape("x")[2]);
    let causal = decoder || c.flag("causal");
    let own = Attention { prefix: "self_attn.", heads, batch, causal, padding: c.flag("padding") };
    let mut parts = vec![own.statements(c, [("z", seq, dim); 3])?];
    if decoder {
        let memory = ("memory", c.shape("memory")[1], dim);
        let other = Attention { prefix: "multihead_attn.", heads, batch, causal: false, padding: false };
        parts.push(other.statements(c, [("z", seq, dim), memory, memory])?);
    }
    parts.push(format!(
        "let y = z.linear(linear1_weight, Some(linear1_bias)).{}().linear(linear2_weight, Some(linear2_bias));",
        c.text("activation")
    ));
    let mut out = String::new();
    for (i, part) in parts.iter().enumerate() {
        let norm = |v: &str| {
            format!("{v}.layer_norm([{dim}], Some(norm{0}_weight), Some(norm{0}_bias), 1e-5)", i + 1)
        };
        out += &match c.flag("norm_first") {
            true => format!("let z = {};{part}let x = x + y;", norm("x")),
            false => format!("let z = x;{part}let x = {};", norm("(x + y)")),
        };
    }
    one(out, "x")
}

fn projected(name: &str) -> String {
    format!("x.linear(to_{name}_weight, Some(to_{name}_bias))")
}

fn linformer(c: &Case) -> Option<Body> {
    let (heads, shape) = (c.int("heads")?, c.shape("x"));
    let (batch, seq) = (shape[0], shape[1]);
    let mut statements = String::new();
    for name in ["q", "k", "v"] {
        statements += &format!("let {name} = {};", split_heads(&projected(name), batch, seq, heads));
    }
    let values = if c.flag("shared") { "E" } else { "F" };
    let y = merged(&format!("linformer_attention(q, k, v, E_weight, {values}_weight)"), batch, seq);
    one(statements, format!("{y}.linear(to_out_weight, Some(to_out_bias))"))
}

/// Attention by positive features: Choromanski et al. (2021).
fn performer(c: &Case) -> Option<Body> {
    let (heads, shape) = (c.int("heads")?, c.shape("x"));
    let (batch, seq) = (shape[0], shape[1]);
    let mut statements = String::new();
    for name in ["q", "k", "v"] {
        statements += &format!("let {name} = {};", split_heads(&projected(name), batch, seq, heads));
    }
    let (causal, eps) = (c.flag("causal"), c.float("eps")?);
    let y = merged(&format!("performer_attention(q, k, v, projection, {causal}, {eps})"), batch, seq);
    one(statements, format!("{y}.linear(to_out_weight, Some(to_out_bias))"))
}

/// `[seq, dim / 2]`: the place, times a frequency that falls with the column.
fn angles(seq: usize, dim: usize, base: f64, offset: f64) -> String {
    format!(
        "let angle = (arange({seq}).to(f64) + {offset:?}).unsqueeze(1) * (arange({}).to(f64) * {:?}).exp();",
        dim / 2,
        -2.0 / dim as f64 * base.ln()
    )
}

fn rotary(c: &Case) -> Option<Body> {
    let shape = c.shape("x");
    let (seq, dim) = (shape[2], shape[3]);
    let turned = c.int("rotary_dim").map_or(dim, |r| r as usize);
    let (base, offset) = (c.float("base")?, c.config["offset"].as_f64().unwrap_or(0.0));
    let interleaved = c.text("style") != "half";
    let at = format!("arange({seq}).to(f64) + {offset:?}");
    let y = format!("rotary_embedding(x.narrow(-1, 0, {turned}), {at}, {base}, {interleaved})");
    match dim - turned {
        0 => one(String::new(), y),
        rest => one(String::new(), format!("cat(&[{y}, x.narrow(-1, {turned}, {rest})], -1)")),
    }
}

fn sinusoidal(c: &Case) -> Option<Body> {
    let shape = c.shape("x");
    let statements = angles(shape[1], shape[2], c.config["base"].as_f64()?, 0.0);
    one(statements, "x + stack(&[angle.sin(), angle.cos()], -1).flatten(-2, -1)")
}

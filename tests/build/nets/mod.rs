//! Whole nets: a params struct with torch's names for leaves, the forward pass as PyTorch's class has it, and `run`, which
//! compares outputs, every gradient, and the buffers after, compiled and eager.

mod cells;
mod images;
mod texts;
mod tree;
mod volumes;
mod writer;

use crate::file::{Case, Type};
use tree::Tree;
use writer::{Var, Writer};

/// Outputs by name, and the expression of each.
type Results = Vec<(String, String)>;

/// The hyper-parameters that a net has.
fn known(net: &str) -> Option<&'static [&'static str]> {
    Some(match net {
        "model_mlp" => &["sizes", "batch", "activation"],
        "model_alexnet" => &["chans", "fc", "classes", "size", "batch"],
        "model_vgg16" => &["width", "fc", "classes", "size", "batch", "pool", "batch_norm", "train"],
        "model_resnet18" | "model_resnet50" | "model_mobilenet_v2" | "model_nasnet" => {
            &["width", "classes", "size", "batch", "train"]
        }
        "model_yolov5" => &["width", "depth", "classes", "size", "batch", "anchors", "train", "decode"],
        "model_unet3d" => &["cin", "width", "classes", "levels", "size", "batch", "train", "eps"],
        "model_ddpm" => {
            &["cin", "width", "temb", "size", "batch", "groups", "steps", "beta_start", "beta_end"]
        }
        "model_bert" => &["vocab", "dim", "heads", "ff", "layers", "seq", "batch"],
        "model_gpt" => &["vocab", "dim", "heads", "layers", "seq", "batch"],
        _ => return None,
    })
}

/// The module of a case; `None` where it is no net, or one with an unknown hyper-parameter.
pub fn net(c: &Case) -> Option<String> {
    let known = known(&c.name)?;
    if !c.config.as_object()?.keys().all(|key| known.contains(&key.as_str())) {
        return None;
    }
    let tree = Tree::new(c);
    let mut w = Writer::new(c, &tree);
    let results = results(&mut w)?;
    let expected: Vec<&str> = c.group("out.").map(|(name, _)| name).collect();
    let all = expected.iter().all(|name| results.iter().any(|(n, _)| n == name));
    (all && results.len() == expected.len()).then(|| module(c, &tree, &w.out, &results))
}

fn results(w: &mut Writer) -> Option<Results> {
    let named = |name: &str, v: Var| (name.to_string(), v.name);
    let logits = match w.c.name.as_str() {
        "model_mlp" => images::mlp(w)?,
        "model_alexnet" => images::alexnet(w)?,
        "model_vgg16" => images::vgg16(w)?,
        "model_resnet18" => images::resnet(w, [2, 2, 2, 2], false)?,
        "model_resnet50" => images::resnet(w, [3, 4, 6, 3], true)?,
        "model_mobilenet_v2" => images::mobilenet_v2(w)?,
        "model_nasnet" => cells::nasnet(w)?,
        "model_yolov5" => {
            let mut all = Vec::new();
            for (i, head) in cells::yolov5(w)?.into_iter().enumerate() {
                if w.c.flag("decode") {
                    let boxes = cells::decoded(w, &head, i);
                    all.push(named(&format!("boxes{i}"), boxes));
                }
                all.push(named(&format!("head{i}"), head));
            }
            return Some(all);
        }
        "model_unet3d" => {
            let logits = volumes::unet3d(w)?;
            let loss = volumes::dice(w, &logits)?;
            return Some(vec![named("logits", logits), ("loss".into(), loss)]);
        }
        "model_ddpm" => {
            let predicted = volumes::ddpm(w)?;
            let loss = format!("mse_loss({}, noise)", predicted.name);
            return Some(vec![named("predicted", predicted), ("loss".into(), loss)]);
        }
        "model_bert" => {
            let [words, pair] = texts::bert(w)?;
            let of_words = format!(
                "cross_entropy_with({}.flatten(0, 1), labels.flatten(0, 1), None, -100, 0.0, \"mean\")",
                words.name
            );
            let loss = format!("{of_words} + cross_entropy({}, follows)", pair.name);
            return Some(vec![named("words", words), named("pair", pair), ("loss".into(), loss)]);
        }
        "model_gpt" => {
            let logits = texts::gpt(w)?;
            let seq = logits.shape[1];
            let loss = format!(
                "cross_entropy({}.flatten(0, 1), tokens.narrow(1, 1, {seq}).flatten(0, 1))",
                logits.name
            );
            return Some(vec![named("logits", logits), ("loss".into(), loss)]);
        }
        _ => return None,
    };
    let loss = format!("cross_entropy({}, target)", logits.name);
    Some(vec![named("logits", logits), ("loss".into(), loss)])
}

/// Parameters are f32, so all floats are.
fn dtype(ty: &Type) -> &'static str {
    if ty.dtype == "f64" { "f32" } else { ty.dtype }
}

fn tensor(ty: &Type) -> String {
    let dims: Vec<String> = ty.shape.iter().map(|n| format!(", {n}")).collect();
    format!("Tensor<{}{}>", dtype(ty), dims.concat())
}

fn module(c: &Case, tree: &Tree, statements: &str, results: &Results) -> String {
    let inputs: Vec<(&str, &Type)> = c.group("in.").collect();
    let moved: Vec<&str> =
        inputs.iter().map(|(name, _)| *name).filter(|n| c.has(&format!("grad.{n}"))).collect();
    let args: Vec<String> = inputs.iter().map(|(name, ty)| format!("{name}: {}", tensor(ty))).collect();
    let types: Vec<String> = results.iter().map(|(n, _)| tensor(&c.types[&format!("out.{n}")])).collect();
    let exprs: Vec<&str> = results.iter().map(|(_, expr)| expr.as_str()).collect();
    let by = if c.flag("train") { "&mut " } else { "&" };
    let options = match moved.is_empty() {
        true => String::new(),
        false => format!("(grad({}))", moved.join(", ")),
    };
    format!(
        "    use super::{{Inputs, Outputs}};
    use kiln::prelude::*;
{}    #[model{options}]
    fn f(net: {by}Net, {}) -> ({}) {{
        {statements}({})
    }}
    pub fn run(inputs: &Inputs) -> kiln::Result<Outputs> {{
        let mut outputs = Outputs::default();
        let net: Net = inputs.tree();
{}{}        Ok(outputs)
    }}
",
        tree.structs,
        args.join(", "),
        types.join(", "),
        exprs.join(", "),
        compiled(c, &inputs, &moved, results),
        eager(c, &inputs, &moved, results),
    )
}

/// The names of the results, as a pattern.
fn pattern(results: &Results) -> String {
    let names: Vec<&str> = results.iter().map(|(name, _)| name.as_str()).collect();
    format!("({})", names.join(", "))
}

fn pushed(results: &Results, form: &str) -> String {
    let push = |(name, _): &(String, String)| {
        format!(
            "        outputs.push(\"{form}out.{name}\", &{name}{});\n",
            if form.is_empty() { "" } else { ".clone().ok()?" }
        )
    };
    results.iter().map(push).collect()
}

/// The values of the compiled model, the buffers it leaves, and its gradients by `vjp`.
fn compiled(c: &Case, inputs: &[(&str, &Type)], moved: &[&str], results: &Results) -> String {
    let given = |(name, ty): &(&str, &Type)| format!("inputs.{}(\"in.{name}\")", dtype(ty));
    let given: Vec<String> = inputs.iter().map(given).collect();
    // What has no cotangent has no part in the gradient.
    let cotangents: Vec<String> = results
        .iter()
        .map(|(name, _)| match c.has(&format!("cot.{name}")) {
            true => format!("inputs.f32(\"cot.{name}\")"),
            false => format!("{name}.clone() * 0.0"),
        })
        .collect();
    let (net, mutable) = if c.flag("train") { ("&mut after", "mut ") } else { ("&after", "") };
    let grads: Vec<String> =
        ["grads".to_string()].into_iter().chain(moved.iter().map(|n| format!("d_{n}"))).collect();
    let grads = if let [one] = grads.as_slice() { one.clone() } else { format!("({})", grads.join(", ")) };
    let mut out = format!(
        "        let {mutable}after = net.clone();
        let {} = f({net}, {})?;
{}        outputs.push_buffers(\"\", &after);
        let {mutable}after = net.clone();
        let (_, {grads}) = f::vjp({net}, {}, {})?;
        outputs.push_grads(&grads);
",
        pattern(results),
        given.join(", "),
        pushed(results, ""),
        given.join(", "),
        cotangents.join(", "),
    );
    for name in moved {
        out += &format!("        outputs.push(\"grad.{name}\", &d_{name});\n");
    }
    out
}

/// The same by what the eager body computes and records.
fn eager(c: &Case, inputs: &[(&str, &Type)], moved: &[&str], results: &Results) -> String {
    let net = if c.flag("train") { "&mut net" } else { "&net" };
    let mut out =
        "        let mut net = net;\n        let leaves = Inputs::recorded(&mut net);\n".to_string();
    let mut args = vec![net.to_string()];
    for (name, ty) in inputs {
        let recorded = if moved.contains(name) { ".requires_grad()" } else { "" };
        out += &format!("        let {name} = inputs.{}(\"in.{name}\"){recorded};\n", dtype(ty));
        args.push(format!("{name}.clone()"));
    }
    out += &format!("        let {} = f::eager({});\n", pattern(results), args.join(", "));
    out += &pushed(results, "eager.");
    out += "        outputs.push_buffers(\"eager.\", &net);\n";
    let term = |(name, _): &(String, String)| {
        let key = format!("cot.{name}");
        c.has(&key).then(|| format!("({name}.clone() * inputs.f32({key:?})).sum()"))
    };
    let terms: Vec<String> = results.iter().filter_map(term).collect();
    let own: Vec<String> = moved.iter().map(|n| format!("(\"grad.{n}\".to_string(), {n})")).collect();
    out + &format!(
        "        outputs.push_recorded(&({}), leaves, vec![{}])?;\n",
        terms.join(" + "),
        own.join(", ")
    )
}

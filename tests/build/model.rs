//! The source of the models: a module a case, with its model, the one that is differentiated where that is another, and
//! `run`, which calls them, compiled and eager.

use crate::body::{Body, body};
use crate::file::{Case, Type};
use crate::nets::net;
use crate::tools::tool;
use crate::training::training;

/// The source of all cases, the table of them, and one that is wrong.
pub fn source(cases: &[Case]) -> String {
    let mut out = String::new();
    let mut table = String::new();
    for case in cases {
        let module = identifier(&format!("{}__{}", case.name, case.variant));
        let source = training(case)
            .or_else(|| tool(case))
            .or_else(|| net(case))
            .or_else(|| body(case).map(|body| model(case, &body)));
        let run = match source {
            Some(source) => {
                out += &format!("mod {module} {{\n{source}}}\n");
                format!("Some({module}::run)")
            }
            None => "None".to_string(),
        };
        table += &format!("    ({:?}, {run}),\n", case.path);
    }
    let wrong = cases.iter().find_map(|case| Some((case, wrong(case)?)));
    let wrong = match wrong {
        Some((case, source)) => {
            out += &format!("mod wrong_sign {{\n{source}}}\n");
            format!("Some(({:?}, wrong_sign::run))", case.path)
        }
        None => "None".to_string(),
    };
    format!(
        "{out}const CASES: &[(&str, Option<Run>)] = &[\n{table}];\nconst WRONG: Option<(&str, Run)> = {wrong};\n"
    )
}

/// A case with gradients, its results negated.
fn wrong(c: &Case) -> Option<String> {
    let mut body = body(c)?;
    body.results.iter_mut().for_each(|(_, expr)| *expr = format!("-({expr})"));
    let differentiated = body.results.iter().all(|(name, _)| c.has(&format!("cot.{name}")));
    (differentiated && c.group("grad.").next().is_some()).then(|| model(c, &body))
}

fn identifier(name: &str) -> String {
    let name = name.replace(['.', '-'], "_");
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("p{name}") } else { name }
}

fn tensor(ty: &Type) -> String {
    let dims: Vec<String> = ty.shape.iter().map(|n| format!(", {n}")).collect();
    format!("Tensor<{}{}>", ty.dtype, dims.concat())
}

fn tuple(list: &[String]) -> String {
    if let [one] = list { one.clone() } else { format!("({})", list.join(", ")) }
}

/// Inputs, parameters and buffers: name in the file, key and type.
fn inputs(c: &Case) -> Vec<(&str, String, &Type)> {
    let group = |prefix: &'static str| c.group(prefix).map(move |(n, ty)| (n, format!("{prefix}{n}"), ty));
    group("in.").chain(group("param.")).chain(group("buf.")).collect()
}

/// Whether a model changes that input.
fn is_state(c: &Case, key: &str) -> bool {
    key.strip_prefix("buf.").is_some_and(|name| c.has(&format!("buf_after.{name}")))
}

/// Variables with the state before a call.
fn state(c: &Case) -> String {
    let kept = inputs(c).into_iter().filter(|(_, key, _)| is_state(c, key));
    kept.map(|(name, key, ty)| {
        format!("        let mut {} = inputs.{}({key:?});\n", identifier(name), ty.dtype)
    })
    .collect()
}

fn model(c: &Case, body: &Body) -> String {
    let names: Vec<String> = body.results.iter().map(|(name, _)| name.clone()).collect();
    let grads: Vec<&str> = c.group("grad.").map(|(name, _)| name).collect();
    let cotangents: Vec<String> = names.iter().filter(|n| c.has(&format!("cot.{n}"))).cloned().collect();
    let differentiated = !grads.is_empty() && !cotangents.is_empty();
    let wrt: Vec<String> = grads.iter().map(|g| identifier(g)).collect();
    let options = format!("(grad({}))", wrt.join(", "));

    let mut out = String::from("    use super::{Inputs, Outputs};\n    use kiln::prelude::*;\n");
    let mut run = values(c, &names);
    if differentiated {
        // What isn't differentiated has no part in the other model, whose name is then `g`.
        let name = if cotangents == names { "f" } else { "g" };
        if name == "g" {
            out += &function(c, body, "f", &names, "");
        }
        out += &function(c, body, name, &cotangents, &options);
        run += &gradients(c, name, &cotangents, &grads);
        run += &eager_gradients(c, name, &cotangents, &grads);
    } else {
        out += &function(c, body, "f", &names, "");
    }
    out + &format!(
        "    pub fn run(inputs: &Inputs) -> kiln::Result<Outputs> {{\n        let mut outputs = Outputs::default();\n\
         {run}        Ok(outputs)\n    }}\n"
    )
}

fn function(c: &Case, body: &Body, name: &str, results: &[String], options: &str) -> String {
    let args: Vec<String> = inputs(c)
        .iter()
        .map(|(name, key, ty)| {
            let by = if is_state(c, key) { "&mut " } else { "" };
            format!("{}: {by}{}", identifier(name), tensor(ty))
        })
        .collect();
    let types: Vec<String> = results.iter().map(|r| tensor(&c.types[&format!("out.{r}")])).collect();
    let exprs: Vec<String> = body
        .results
        .iter()
        .filter(|(name, _)| results.contains(name))
        .map(|(_, expr)| expr.clone())
        .collect();
    format!(
        "    #[model{options}]\n    fn {name}({}) -> {} {{\n        {}\n        {}\n    }}\n",
        args.join(", "),
        tuple(&types),
        body.statements,
        tuple(&exprs)
    )
}

/// The arguments, read from the file, and the variables of `state`.
fn given(c: &Case) -> Vec<String> {
    let one = |(name, key, ty): &(&str, String, &Type)| match is_state(c, key) {
        true => format!("&mut {}", identifier(name)),
        false => format!("inputs.{}({key:?})", ty.dtype),
    };
    inputs(c).iter().map(one).collect()
}

fn values(c: &Case, names: &[String]) -> String {
    let given = given(c).join(", ");
    let bound: Vec<String> = names.iter().map(|n| identifier(n)).collect();
    let mut run = String::new();
    // Eager, the body runs as it is written.
    for (call, form) in [("f", ""), ("f::eager", "eager.")] {
        let fails = if form.is_empty() { "?" } else { "" };
        run += &state(c);
        run += &format!("        let {} = {call}({given}){fails};\n", tuple(&bound));
        for (name, id) in names.iter().zip(&bound) {
            let value = if form.is_empty() { format!("&{id}") } else { format!("&{id}.ok()?") };
            run += &format!("        outputs.push(\"{form}out.{name}\", {value});\n");
        }
        for (name, key, _) in inputs(c).iter().filter(|(_, key, _)| is_state(c, key)) {
            let after = key.replacen("buf.", "buf_after.", 1);
            run += &format!("        outputs.push(\"{form}{after}\", &{});\n", identifier(name));
        }
    }
    run
}

/// The gradients of the outputs that have cotangents.
fn gradients(c: &Case, model: &str, cotangents: &[String], grads: &[&str]) -> String {
    let pattern: Vec<String> = grads.iter().map(|g| format!("d_{}", identifier(g))).collect();
    let scalar = matches!(cotangents, [one] if c.types[&format!("out.{one}")].shape.is_empty());
    let mut run = state(c);
    run += &if scalar {
        format!("        let (_, {}) = {model}::value_and_grad({})?;\n", tuple(&pattern), given(c).join(", "))
    } else {
        let cots = cotangents.iter().map(|n| format!("inputs.f64(\"cot.{n}\")"));
        let all: Vec<String> = given(c).into_iter().chain(cots).collect();
        format!("        let (_, {}) = {model}::vjp({})?;\n", tuple(&pattern), all.join(", "))
    };
    for (grad, id) in grads.iter().zip(&pattern) {
        run += &match scalar {
            // A scalar's cotangent is 1 in a model.
            true => format!(
                "        outputs.push_scaled(\"grad.{grad}\", &{id}, inputs.number(\"cot.{}\"));\n",
                cotangents[0]
            ),
            false => format!("        outputs.push(\"grad.{grad}\", &{id});\n"),
        };
    }
    run
}

/// The same by what the eager body records.
fn eager_gradients(c: &Case, model: &str, cotangents: &[String], grads: &[&str]) -> String {
    let mut run = String::new();
    let mut args = Vec::new();
    run += &state(c);
    for ((name, key, _), given) in inputs(c).iter().zip(given(c)) {
        if is_state(c, key) {
            args.push(given);
            continue;
        }
        let id = identifier(name);
        let recorded = if grads.contains(name) { ".requires_grad()" } else { "" };
        run += &format!("        let {id} = {given}{recorded};\n");
        args.push(format!("{id}.clone()"));
    }
    let bound: Vec<String> = cotangents.iter().map(|n| format!("y_{}", identifier(n))).collect();
    run += &format!("        let {} = {model}::eager({});\n", tuple(&bound), args.join(", "));
    let terms: Vec<String> = cotangents
        .iter()
        .zip(&bound)
        .map(|(name, id)| format!("({id} * inputs.f64(\"cot.{name}\")).sum()"))
        .collect();
    let wrt: Vec<String> = grads.iter().map(|g| format!("&{}", identifier(g))).collect();
    run += &format!(
        "        let grads = kiln::autograd::grad(&({}), &[{}], false)?;\n",
        terms.join(" + "),
        wrt.join(", ")
    );
    for (i, grad) in grads.iter().enumerate() {
        run += &format!("        outputs.push(\"eager.grad.{grad}\", &grads[{i}]);\n");
    }
    run
}

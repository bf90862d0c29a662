//! The source of the models: a module a case, with the model of all outputs, the one that is differentiated, and
//! `run`, which calls them.

use crate::body::{Body, body};
use crate::file::{Case, Type};

/// The source of all cases, and the table of them.
pub fn source(cases: &[Case]) -> String {
    let mut out = String::new();
    let mut table = String::new();
    for case in cases {
        let module = identifier(&format!("{}__{}", case.name, case.variant));
        let run = match body(case) {
            Some(body) => {
                out += &format!("mod {module} {{\n{}}}\n", model(case, &body));
                format!("Some({module}::run)")
            }
            None => "None".to_string(),
        };
        table += &format!("    ({:?}, {run}),\n", case.path);
    }
    format!("{out}const CASES: &[(&str, Option<Run>)] = &[\n{table}];\n")
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

fn model(c: &Case, body: &Body) -> String {
    let inputs: Vec<(&str, String, &Type)> = ["in.", "param."]
        .iter()
        .flat_map(|prefix| c.group(prefix).map(move |(name, ty)| (name, format!("{prefix}{name}"), ty)))
        .collect();
    let given: Vec<String> =
        inputs.iter().map(|(_, key, ty)| format!("inputs.{}({key:?})", ty.dtype)).collect();
    let names: Vec<String> = body.results.iter().map(|(name, _)| name.clone()).collect();
    let mut out = String::from("    use super::{Inputs, Outputs};\n    use kiln::prelude::*;\n");
    out += &function(c, body, "f", &names, "");
    let bound: Vec<String> = names.iter().map(|n| identifier(n)).collect();
    let mut run = format!("        let {} = f({})?;\n", tuple(&bound), given.join(", "));
    for (name, id) in names.iter().zip(&bound) {
        run += &format!("        outputs.push(\"out.{name}\", &{id});\n");
    }
    // Eager, the body runs as it is written.
    run += &format!("        let {} = f::eager({});\n", tuple(&bound), given.join(", "));
    for (name, id) in names.iter().zip(&bound) {
        run += &format!("        outputs.push(\"eager.{name}\", &{id}.ok()?);\n");
    }
    let grads: Vec<&str> = c.group("grad.").map(|(name, _)| name).collect();
    let cotangents: Vec<String> = names.iter().filter(|n| c.has(&format!("cot.{n}"))).cloned().collect();
    if !grads.is_empty() && !cotangents.is_empty() {
        let wrt: Vec<String> = grads.iter().map(|g| identifier(g)).collect();
        out += &function(c, body, "g", &cotangents, &format!("(grad({}))", wrt.join(", ")));
        run += &differentiated(c, &given, &cotangents, &grads);
    }
    out + &format!(
        "    pub fn run(inputs: &Inputs) -> kiln::Result<Outputs> {{\n        let mut outputs = Outputs::default();\n\
         {run}        Ok(outputs)\n    }}\n"
    )
}

fn function(c: &Case, body: &Body, name: &str, results: &[String], options: &str) -> String {
    let args: Vec<String> = ["in.", "param."]
        .iter()
        .flat_map(|prefix| c.group(prefix))
        .map(|(name, ty)| format!("{}: {}", identifier(name), tensor(ty)))
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

/// The gradients of the outputs that have cotangents.
fn differentiated(c: &Case, given: &[String], cotangents: &[String], grads: &[&str]) -> String {
    let pattern: Vec<String> = grads.iter().map(|g| format!("d_{}", identifier(g))).collect();
    let scalar = matches!(cotangents, [one] if c.types[&format!("out.{one}")].shape.is_empty());
    let given: Vec<String> = given.to_vec();
    let mut run = if scalar {
        format!("        let (_, {}) = g::value_and_grad({})?;\n", tuple(&pattern), given.join(", "))
    } else {
        let cots = cotangents.iter().map(|n| format!("inputs.f64(\"cot.{n}\")"));
        let all: Vec<String> = given.into_iter().chain(cots).collect();
        format!("        let (_, {}) = g::vjp({})?;\n", tuple(&pattern), all.join(", "))
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

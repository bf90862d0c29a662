//! Functions of the host: schedules of learning rates, pruning. What they give stands for both forms.

use crate::file::Case;

/// The module of a case; `None` where an option is unknown.
pub fn tool(c: &Case) -> Option<String> {
    let statements = match c.name.as_str() {
        "lr_schedule" => schedule(c)?,
        "prune_l1_unstructured" | "prune_ln_structured" | "prune_global_unstructured" => pruned(c)?,
        "prune_schedule" => pruning(c)?,
        _ => return None,
    };
    Some(format!(
        "    use super::{{Inputs, Outputs}};
    pub fn run(inputs: &Inputs) -> kiln::Result<Outputs> {{
        let _ = inputs;
        let mut outputs = Outputs::default();
        for form in [\"\", \"eager.\"] {{
{statements}        }}
        Ok(outputs)
    }}
"
    ))
}

fn push(key: &str, value: &str) -> String {
    format!("            outputs.push(format!(\"{{form}}out.{key}\"), {value});\n")
}

fn schedule(c: &Case) -> Option<String> {
    let options = c.config["options"].as_object()?;
    let int = |key: &str| options.get(key)?.as_u64();
    let float = |key: &str| options.get(key)?.as_f64();
    let (kind, base, steps) = (c.config["kind"].as_str()?, c.config["base"].as_f64()?, c.int("steps")?);
    let known: &[&str] = match kind {
        "step" => &["step_size", "gamma"],
        "multistep" => &["milestones", "gamma"],
        "exponential" => &["gamma"],
        "cosine" => &["T_max", "eta_min"],
        "warmup_linear" | "warmup_cosine" => &["warmup", "total"],
        _ => return None,
    };
    if !options.keys().all(|key| known.contains(&key.as_str())) {
        return None;
    }
    // Torch's own defaults.
    let gamma = float("gamma").unwrap_or(0.1);
    let rest = match kind {
        "step" => format!("{}, {gamma:?}", int("step_size")?),
        "multistep" => {
            let list = options["milestones"].as_array()?.iter().map(|m| m.as_u64());
            format!("&{:?}, {gamma:?}", list.collect::<Option<Vec<u64>>>()?)
        }
        "exponential" => format!("{:?}", float("gamma")?),
        "cosine" => format!("{}, {:?}", int("T_max")?, float("eta_min").unwrap_or(0.0)),
        _ => format!("{}, {}", int("warmup")?, int("total")?),
    };
    let call = format!("kiln::optim::schedule::{kind}({base:?}, k, {rest})");
    let rates = format!("            let rates: Vec<f64> = (0..{steps}).map(|k| {call}).collect();\n");
    Some(rates + &push("lr", &format!("&kiln::Tensor::from_vec([{steps}], rates)?")))
}

/// A share, or a whole number.
fn amount(c: &Case) -> Option<String> {
    let amount = &c.config["amount"];
    amount.as_u64().map(|n| format!("{n}usize")).or(amount.as_f64().map(|share| format!("{share:?}")))
}

fn pruned(c: &Case) -> Option<String> {
    let (op, amount) = (c.name.strip_prefix("prune_")?, amount(c)?);
    let mut out = String::new();
    if op == "global_unstructured" {
        let names: Vec<String> = c.group("in.").map(|(name, _)| name.to_string()).collect();
        names.iter().for_each(|n| out += &format!("            let {n} = inputs.f64(\"in.{n}\");\n"));
        let list: Vec<String> = names.iter().map(|n| format!("&{n}")).collect();
        out += &format!("            let masks = kiln::prune::{op}(&[{}], {amount})?;\n", list.join(", "));
        for i in 0..names.len() {
            // Names are in the order of the alphabet, weights by their number.
            let at = names.iter().position(|n| *n == format!("weight{i}"))?;
            out += &push(&format!("mask{i}"), &format!("&masks[{at}]"));
        }
        return Some(out);
    }
    let rest = match op {
        "ln_structured" => format!(", {}, {}", c.float("n")?, c.int("dim")?),
        _ => String::new(),
    };
    out += "            let mut weight = inputs.f64(\"in.weight\");\n";
    out += &format!("            let mask = kiln::prune::{op}(&weight, {amount}{rest})?;\n");
    out += "            kiln::prune::apply(&mut weight, &mask)?;\n";
    Some(out + &push("mask", "&mask") + &push("pruned", "&weight"))
}

fn pruning(c: &Case) -> Option<String> {
    let (initial, last, power) = (c.float("initial")?, c.float("final")?, c.float("power")?);
    let (start, end, every) = (c.int("start")?, c.int("end")?, c.int("every")?);
    let (steps, size) = (c.int("steps")?, c.int("size")?);
    let schedule = format!(
        "kiln::prune::Schedule::cubic({start}, {end}, {initial}, {last}).every({every}).power({power})"
    );
    let out = format!(
        "            let weight = inputs.f64(\"in.weight\");
            let schedule = {schedule};
            let sparsity: Vec<f64> = (0..{steps}).map(|k| schedule.sparsity(k)).collect();
            let mut kept = Vec::new();
            for share in &sparsity {{
                kept.extend(kiln::prune::l1_unstructured(&weight, *share)?.into_vec());
            }}
"
    );
    let sparsity = push("sparsity", &format!("&kiln::Tensor::from_vec([{steps}], sparsity)?"));
    Some(out + &sparsity + &push("kept", &format!("&kiln::Tensor::from_vec([{steps}, {size}], kept)?")))
}

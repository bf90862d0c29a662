//! Training trajectories: a net of `linear`s with tanh between them, and a step of it with an optimizer.

use crate::file::Case;

/// The module of a case; `None` where the optimizer or one of its options is missing.
pub fn training(c: &Case) -> Option<String> {
    let optimizer = optimizer(c)?;
    let name = &optimizer[..optimizer.find("::")?];
    let sizes = c.ints("sizes")?;
    let layers = sizes.len() - 1;
    let fields: Vec<String> = sizes
        .windows(2)
        .enumerate()
        .map(|(i, s)| format!("#[name(\"{0}\")] p{0}: Linear<{1}, {2}>", 2 * i, s[0], s[1]))
        .collect();
    let mut h = "x".to_string();
    for i in 0..layers {
        let act = if i + 1 == layers { "" } else { ".tanh()" };
        h = format!("net.p{}.forward({h}){act}", 2 * i);
    }
    let clip = c.float("clip").map_or(String::new(), |max| format!(".clip_norm({max})"));
    let args = format!(
        "x: Tensor<{batch}, {}>, target: Tensor<{batch}, {}>",
        sizes[0],
        sizes[layers],
        batch = c.int("batch")?
    );
    Some(format!(
        "    use super::{{Inputs, Outputs}};
    use kiln::prelude::*;
    #[params]
    struct Net {{ {} }}
    #[model]
    fn loss(net: &Net, {args}) -> Tensor {{ mse_loss({h}, target) }}
    #[model]
    fn step(net: &mut Net, opt: &mut {name}<Net>, {args}) -> (Tensor, Tensor) {{
        let (loss, grads) = value_and_grad(loss)(net, x, target);
        opt.step(net, grads{clip});
        (loss, grads.norm())
    }}
    pub fn run(inputs: &Inputs) -> kiln::Result<Outputs> {{
        let mut outputs = Outputs::default();
        let mut net: Net = inputs.tree();
        let mut opt = {optimizer};
        let (mut eager, mut eager_opt) = (net.clone(), opt.clone());
        for k in 0..{} {{
            let (x, target) = (inputs.row(\"in.x\", k), inputs.row(\"in.target\", k));
            let given = step(&mut net, &mut opt, &x, &target)?;
            outputs.push_step(\"\", k + 1, &net, given)?;
            let given = step::eager(&mut eager, &mut eager_opt, x, target);
            outputs.push_step(\"eager.\", k + 1, &eager, given)?;
        }}
        outputs.push_state(\"\", &opt);
        outputs.push_state(\"eager.\", &eager_opt);
        Ok(outputs)
    }}
",
        fields.join(", "),
        c.int("steps")?
    ))
}

/// The optimizer with its options, as Rust.
fn optimizer(c: &Case) -> Option<String> {
    let options = c.config["options"].as_object()?;
    let amsgrad = options.get("amsgrad").and_then(|on| on.as_bool()) == Some(true);
    // Torch's own defaults of the rate.
    let (name, rate, known): (_, f64, &[&str]) = match c.name.as_str() {
        "train_sgd" => ("Sgd", 1e-3, &["momentum", "dampening", "weight_decay", "nesterov"]),
        "train_adam" | "train_adamw" if amsgrad => ("AmsGrad", 1e-3, &["betas", "eps", "weight_decay"]),
        "train_adam" => ("Adam", 1e-3, &["betas", "eps", "weight_decay"]),
        "train_adamw" => ("AdamW", 1e-3, &["betas", "eps", "weight_decay"]),
        "train_rmsprop" => ("RmsProp", 1e-2, &["alpha", "eps", "weight_decay", "momentum", "centered"]),
        _ => return None,
    };
    let mut out = format!("{name}::new(&net, {:?})", options.get("lr").map_or(Some(rate), |lr| lr.as_f64())?);
    if amsgrad && c.name == "train_adamw" {
        out += ".decoupled(true)";
        if !options.contains_key("weight_decay") {
            out += ".weight_decay(0.01)";
        }
    }
    for (key, value) in options {
        // What says nothing, or is said by the type.
        let silent = value.is_null() || key == "lr" || key == "amsgrad" || value.as_bool() == Some(false);
        if silent {
            continue;
        }
        if !known.contains(&key.as_str()) {
            return None;
        }
        out += &match value {
            serde_json::Value::Array(list) => {
                let list: Option<Vec<String>> =
                    list.iter().map(|x| x.as_f64().map(|x| format!("{x:?}"))).collect();
                format!(".{key}({})", list?.join(", "))
            }
            serde_json::Value::Bool(on) => format!(".{key}({on})"),
            number => format!(".{key}({:?})", number.as_f64()?),
        };
    }
    Some(out)
}

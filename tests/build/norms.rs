//! Norms over channels, with running statistics as state.

use crate::body::Body;
use crate::file::Case;

/// The body of a case of this family.
pub fn norm(c: &Case) -> Option<Body> {
    let maybe = |name: &str| {
        if c.has(&format!("param.{name}")) { format!("Some({name})") } else { "None".to_string() }
    };
    let last = format!("{}, {}, {}", maybe("weight"), maybe("bias"), c.float("eps").unwrap_or_default());
    let one = |statements: String, y: String| Some(Body { statements, results: vec![("y".into(), y)] });
    let instance = match c.name.as_str() {
        "batch_norm" => false,
        "instance_norm" => true,
        "group_norm" => return one(String::new(), format!("x.group_norm({}, {last})", c.int("groups")?)),
        "local_response_norm" => {
            let (alpha, beta, k) = (c.float("alpha")?, c.float("beta")?, c.float("k")?);
            let size = c.int("size")?;
            return one(String::new(), format!("x.local_response_norm({size}, {alpha}, {beta}, {k})"));
        }
        _ => return None,
    };
    let (train, kept) = (c.flag("train"), c.has("buf.running_mean"));
    if kept && !train {
        return one(String::new(), format!("x.batch_norm(running_mean, running_var, {last})"));
    }
    let behind: Vec<usize> = (2..c.shape("x").len()).collect();
    let over: Vec<usize> = if instance { behind } else { [0].into_iter().chain(behind).collect() };
    if let (true, false, Some(momentum)) = (kept, instance, c.float("momentum")) {
        let (weight, bias, eps) = (maybe("weight"), maybe("bias"), c.float("eps").unwrap_or_default());
        let call =
            format!("batch_norm_train(x, running_mean, running_var, {weight}, {bias}, {momentum}, {eps})");
        let state = "*running_mean = mean; *running_var = var; *num_batches_tracked += 1;";
        return one(format!("let (y, mean, var) = {call}; {state}"), "y".into());
    }
    let mut statements = if kept { updated(c, instance, &over) } else { String::new() };
    if instance {
        return one(statements, format!("x.instance_norm({last})"));
    }
    statements += &format!("let (mean, var) = (x.mean_dim({over:?}), x.var_dim({over:?}, 0.0));");
    one(statements, format!("x.batch_norm(mean, var, {last})"))
}

/// Running statistics move towards the batch's; the variance that is kept is the unbiased one.
fn updated(c: &Case, instance: bool, over: &[usize]) -> String {
    let rate = c.float("momentum").unwrap_or_else(|| "num_batches_tracked.to(f64).reciprocal()".into());
    let each = if instance { ".mean_dim(0)" } else { "" };
    // Torch counts batches for batch norm only.
    let mut out = if instance { String::new() } else { "*num_batches_tracked += 1;".to_string() };
    for (name, of) in
        [("running_mean", format!("mean_dim({over:?})")), ("running_var", format!("var_dim({over:?}, 1.0)"))]
    {
        out += &format!("*{name} = (1.0 - {rate}) * {name} + {rate} * stop_gradient(x.{of}{each});");
    }
    out
}

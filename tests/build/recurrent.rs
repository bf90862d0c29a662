//! Recurrent nets: layers and directions of one-layer functions, under torch's names.

use crate::body::Body;
use crate::file::Case;

/// The body of a case of this family.
pub fn recurrent(c: &Case) -> Option<Body> {
    match c.name.as_str() {
        "rnn" | "lstm" | "gru" => {
            let (mut statements, y) = net(c, &c.name, "", c.flag("batch_first"));
            let mut results = vec![("y".to_string(), y)];
            for state in states(&c.name) {
                let all: Vec<String> =
                    runs(c).iter().map(|(layer, way)| format!("last_{state}_{layer}{way}")).collect();
                statements += &format!("let {state}_n = stack(&[{}], 0);", all.join(", "));
                results.push((format!("{state}_n"), format!("{state}_n")));
            }
            Some(Body { statements, results })
        }
        "model_lstm_forecaster" => {
            let (statements, y) = net(c, "lstm", "lstm_", true);
            let y = format!("{y}.select(1, -1).linear(head_weight, Some(head_bias))");
            let statements = format!("{statements} let y = {y};");
            let results = vec![("y".into(), "y".into()), ("loss".into(), "mse_loss(y, target)".into())];
            Some(Body { statements, results })
        }
        _ => None,
    }
}

fn states(kind: &str) -> &'static [&'static str] {
    if kind == "lstm" { &["h", "c"] } else { &["h"] }
}

/// Layer and direction of each run, in the order of torch's states.
fn runs(c: &Case) -> Vec<(i64, &'static str)> {
    let ways: &[&str] = if c.flag("bidirectional") { &["", "_reverse"] } else { &[""] };
    let layers = c.int("layers").unwrap_or(1);
    (0..layers).flat_map(|layer| ways.iter().map(move |way| (layer, *way))).collect()
}

/// The statements that run all layers over `x`, and their result.
fn net(c: &Case, kind: &str, prefix: &str, batch_first: bool) -> (String, String) {
    let mut out = format!("let steps = x{};", if batch_first { ".transpose(0, 1)" } else { "" });
    let all = runs(c);
    for (n, (layer, way)) in all.iter().enumerate() {
        let given = |state: &&str| match c.has(&format!("in.{state}_0")) {
            true => format!("Some({state}_0.select(0, {n}))"),
            false => "None".to_string(),
        };
        let first: Vec<String> = states(kind).iter().map(given).collect();
        let name = |what: &str| format!("{prefix}{what}_l{layer}{way}");
        let bias = |what: &str| match c
            .has(&format!("param.{}bias_{what}_l{layer}{way}", prefix.replace('_', ".")))
        {
            true => format!("Some({})", name(&format!("bias_{what}"))),
            false => "None".to_string(),
        };
        let last: Vec<String> =
            states(kind).iter().map(|state| format!("last_{state}_{layer}{way}")).collect();
        let how = if kind == "rnn" { format!("{:?}, ", c.text("nonlinearity")) } else { String::new() };
        out += &format!(
            "let (y_{layer}{way}, {}) = {kind}(steps, {}, {}, {}, {}, {}, {how}{});",
            last.join(", "),
            first.join(", "),
            name("weight_ih"),
            name("weight_hh"),
            bias("ih"),
            bias("hh"),
            !way.is_empty(),
        );
        let is_last_way = all.get(n + 1).is_none_or(|(next, _)| next != layer);
        if is_last_way && c.flag("bidirectional") {
            out += &format!("let steps = cat(&[y_{layer}, y_{layer}_reverse], 2);");
        } else if is_last_way {
            out += &format!("let steps = y_{layer};");
        }
    }
    (out, format!("steps{}", if batch_first { ".transpose(0, 1)" } else { "" }))
}

//! The zoo's figures as a table: `cargo run --release --example table [-- NET …] [--peers 'COMMAND']`.
//!
//! Each net is compiled in a crate of its own, whose program tells parameters, multiply-adds, kernels, memory for what lies between,
//! and the time of a call and of a training step, which is plain descent of the mean square of what comes out; norms go by the
//! batch's own mean and variance. Before that its first step is held against PyTorch's loss and gradients.

mod built;
mod nets;
mod peers;

use built::{Builds, Built};
use kiln_examples::{Result, cli};
use nets::{NETS, Net};
use peers::Times;
use safetensors::SafeTensors;
use serde_json::Value;
use std::process::ExitCode;

const HELP: &str = "\
Compiles the zoo's nets, each by itself, and prints their figures as a table in markdown.

  table [NET ...]

  --peers COMMAND  also time another library: the command is called with --threads N and a net's name behind it, in turn with Kiln,
                   and prints a line of JSON with net, call_ms and step_ms (examples/zoo/tests/times.py is PyTorch's)
  --help           this text";

/// How far a loss or the norm of a gradient may be from PyTorch's in f32, as a share of it.
const NEAR: f64 = 5e-3;

/// What is asked for.
struct Options {
    nets: Vec<&'static Net>,
    peers: Option<String>,
}

fn main() -> ExitCode {
    cli::main_without_run("table", HELP, options(), run)
}

fn options() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let mut options = Options { nets: Vec::new(), peers: None };
    let mut args = lexopt::Parser::from_env();
    while let Some(arg) = args.next()? {
        match arg {
            Long("help") | Short('h') => return Ok(None),
            Long("peers") => options.peers = Some(args.value()?.string()?),
            Value(net) => options.nets.push(Net::of(&net.string()?)?),
            other => return Err(other.unexpected()),
        }
    }
    if options.nets.is_empty() {
        options.nets = NETS.iter().collect();
    }
    Ok(Some(options))
}

fn run(options: &Options) -> Result<()> {
    let builds = Builds::begin()?;
    let mut head = vec!["net", "input", "parameters", "multiply-adds", "kernels", "scratch", "a call"];
    head.extend(["inputs of a step", "its scratch", "a step", "memory at most"]);
    if options.peers.is_some() {
        head.insert(7, "the peer's, ratio");
        head.insert(11, "the peer's, ratio");
    }
    head.extend(["build, of it work", "tokens", "with a step", "tokens"]);
    println!("on {} threads\n\n| {} |\n|{}", peers::threads(), head.join(" | "), "---|".repeat(head.len()));
    for net in &options.nets {
        let built = builds.net(net)?;
        checked(net, &built.told(&["check"])?)?;
        let mut told = Value::Null;
        let (own, peer) = peers::in_turn(net.name, options.peers.as_deref(), || {
            told = built.told(&[])?;
            Times::of(&told).ok_or("a program that tells no times".into())
        })?;
        println!("| {} |", row(net, &told, own, peer, &built).join(" | "));
    }
    Ok(())
}

/// Holds the loss and the norms of gradients of a first step against those that `tests/pytorch.py` wrote.
fn checked(net: &Net, told: &Value) -> Result<()> {
    let path = format!("{}/tests/data/{}.safetensors", env!("CARGO_MANIFEST_DIR"), net.name);
    let bytes = std::fs::read(&path).map_err(|error| format!("{path}: {error}"))?;
    let file = SafeTensors::deserialize(&bytes)?;
    let mut held = 0;
    for (name, tensor) in file.tensors() {
        let Some(name) = name.strip_prefix("step.") else { continue };
        let want = f64::from(f32::from_le_bytes(tensor.data().try_into()?));
        let got = told.get(name).and_then(Value::as_f64).ok_or(format!("{}: no {name}", net.name))?;
        if (got / want - 1.0).abs() > NEAR {
            return Err(
                format!("{}: in a step {name} is {got}, not {want} as PyTorch has it", net.name).into()
            );
        }
        held += 1;
    }
    match held {
        0 => Err(format!("{path}: nothing of a step").into()),
        _ => Ok(()),
    }
}

/// What stands in a row.
fn row(net: &Net, told: &Value, own: Times, peer: Option<Times>, built: &Built) -> Vec<String> {
    let number = |name: &str| told.get(name).and_then(Value::as_u64).unwrap_or(0);
    let mega = |name: &str| format!("{:.1} MB", number(name) as f64 / 1e6);
    let timed = |time: fn(&Times) -> f64| {
        let beside =
            peer.as_ref().map(|peer| format!("{:.1} ms, {:.2}", time(peer), time(&own) / time(peer)));
        [Some(format!("{:.1} ms", time(&own))), beside].into_iter().flatten()
    };
    let mut cells = vec![net.name.to_string(), net.what.to_string(), grouped(number("parameters"))];
    cells.push(format!("{:.3} G", number("multiply_adds") as f64 / 1e9));
    cells.push(told.get("kernels").and_then(Value::as_str).unwrap_or("?").to_string());
    cells.push(mega("scratch"));
    cells.extend(timed(|times| times.call));
    cells.extend([net.batch.to_string(), mega("step_scratch")]);
    cells.extend(timed(|times| times.step));
    cells.push(format!("{} MB", number("peak_mb")));
    for (wall, work, tokens) in built.parts {
        cells.extend([format!("{wall:.1} s, {work:.1} s"), tokens.to_string()]);
    }
    cells
}

/// A number with a comma before each three digits.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let parts: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|p| std::str::from_utf8(p).ok()).collect();
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_row_has_what_was_told() {
        assert_eq!([0, 999, 1000, 61_100_840].map(grouped), ["0", "999", "1,000", "61,100,840"]);
        let told = json!({"parameters": 3000, "multiply_adds": 4_000_000, "kernels": "2", "scratch": 5_000_000,
            "step_scratch": 7_000_000, "call_ms": 6, "step_ms": 30.0, "peak_mb": 9});
        let own = Times::of(&told).expect("both times");
        let built = Built::of([(1.0, 2.0, 3), (4.0, 5.0, 6)]);
        let cells = row(&NETS[0], &told, own, Some(Times { call: 12.0, step: 40.0 }), &built);
        let want = "alexnet | 224 × 224 | 3,000 | 0.004 G | 2 | 5.0 MB | 6.0 ms | 12.0 ms, 0.50 | 4 | 7.0 MB | 30.0 ms | \
                    40.0 ms, 0.75 | 9 MB | 1.0 s, 2.0 s | 3 | 4.0 s, 5.0 s | 6";
        assert_eq!(cells.join(" | "), want);
    }

    #[test]
    fn a_step_that_is_another_one_is_told() {
        let error = checked(&NETS[0], &json!({"loss": 1.0})).expect_err("another loss").to_string();
        assert!(error.starts_with("alexnet: "), "{error}");
    }
}

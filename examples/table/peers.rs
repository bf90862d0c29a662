//! Another library's times for the same nets, by a command.

use kiln_examples::Result;
use serde_json::Value;
use std::process::{Command, Stdio};

/// How often Kiln and the command are timed, one behind the other; of two times the mean counts.
const ROUNDS: usize = 2;

/// Milliseconds of a call and of a training step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    pub call: f64,
    pub step: f64,
}

impl Times {
    /// Those that a program told.
    pub fn of(told: &Value) -> Option<Times> {
        let time = |name: &str| told.get(name)?.as_f64();
        Some(Times { call: time("call_ms")?, step: time("step_ms")? })
    }
}

/// Kiln's times of a net, and those of the peer if there is a command.
pub fn in_turn(
    net: &str,
    command: Option<&str>,
    mut own: impl FnMut() -> Result<Times>,
) -> Result<(Times, Option<Times>)> {
    let Some(command) = command else { return Ok((own()?, None)) };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(own()?);
        theirs.push(asked(command, net)?);
    }
    Ok((mean(&ours), Some(mean(&theirs))))
}

/// How many threads compute.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn mean(times: &[Times]) -> Times {
    let of = |time: fn(&Times) -> f64| times.iter().map(time).sum::<f64>() / times.len() as f64;
    Times { call: of(|t| t.call), step: of(|t| t.step) }
}

/// What a command prints for a net.
fn asked(command: &str, net: &str) -> Result<Times> {
    let mut words = command.split_whitespace();
    let program = words.next().ok_or("--peers wants a command")?;
    let output = Command::new(program)
        .args(words)
        .args(["--threads", &threads().to_string(), net])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .find_map(|line| times(line, net))
        .ok_or(format!("`{command}` tells no times of {net}").into())
}

/// The times that a line has, if it has those of the net.
fn times(line: &str, net: &str) -> Option<Times> {
    let line: Value = serde_json::from_str(line).ok()?;
    (line.get("net")? == net).then(|| Times::of(&line)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_net_is_read() {
        let line = r#"{"net": "vgg16", "peer": "pytorch", "call_ms": 2.5, "step_ms": 10}"#;
        assert_eq!(times(line, "vgg16"), Some(Times { call: 2.5, step: 10.0 }));
        assert_eq!(times(line, "alexnet"), None);
        assert_eq!(times("a warning", "vgg16"), None);
        let error = asked("echo nothing", "vgg16").expect_err("no times").to_string();
        assert_eq!(error, "`echo nothing` tells no times of vgg16");
    }
}

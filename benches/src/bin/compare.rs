//! Kiln and its peers in turn, in one go, as the table of ratios that README shows.
//!
//! `cargo run --release -p kiln-benches --bin compare -- [--rounds N] [--seconds S] [--only A,B] --peers 'COMMAND' …`
//!
//! `--peers` may be given several times. A command is called with `--threads N --seconds S [--only A,B]` behind it, and prints a
//! line a measurement as Kiln's own program does: `{"workload": …, "peer": …, "threads": …, "median_ms": …}`. What it prints
//! besides is ignored, and so are lines without a time. `benches/peers` has such programs for what Rust has. A round is Kiln and all peers in turn on one thread, then on two; a figure is the median over
//! the rounds.

use std::collections::BTreeMap;
use std::process::{Command, Stdio, exit};

/// Times by workload, peer and threads, a round each.
type Times = BTreeMap<(String, String, usize), Vec<f64>>;

/// The numbers of threads that are compared.
const THREADS: [usize; 2] = [1, 2];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let peers = options(&arguments, "--peers");
    if peers.is_empty() {
        fail("--peers wants the command that times the peers")
    }
    let Ok(rounds) = option(&arguments, "--rounds").unwrap_or("2").parse::<usize>() else {
        fail("--rounds wants a number")
    };
    let own = own().unwrap_or_else(|error| fail(&format!("the program that times Kiln: {error}")));
    let shared: Vec<&str> = ["--seconds", "--only"]
        .iter()
        .filter_map(|name| Some([*name, option(&arguments, name)?]))
        .flatten()
        .collect();
    let commands: Vec<Vec<&str>> = [vec![own.as_str()]]
        .into_iter()
        .chain(peers.iter().map(|peer| peer.split_whitespace().collect()))
        .collect();
    let (mut times, mut order) = (Times::new(), Vec::new());
    for round in 1..=rounds {
        for threads in THREADS {
            eprintln!("round {round} of {rounds}, {threads} threads");
            for command in &commands {
                for line in run(command, threads, &shared).lines() {
                    take(line, &mut times, &mut order);
                }
            }
        }
    }
    print!("{}", table(&times, &order));
}

/// Ends the program with a message.
fn fail(message: &str) -> ! {
    eprintln!("{message}");
    exit(2)
}

/// What follows the name of an option.
fn option<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    options(arguments, name).first().copied()
}

/// What follows the name of an option, each time that it is given.
fn options<'a>(arguments: &'a [String], name: &str) -> Vec<&'a str> {
    let at = arguments.windows(2).filter(|pair| pair[0] == name);
    at.map(|pair| pair[1].as_str()).collect()
}

/// The program that times Kiln, which is built beside this one.
fn own() -> std::io::Result<String> {
    let beside =
        std::env::current_exe()?.with_file_name(format!("kiln-benches{}", std::env::consts::EXE_SUFFIX));
    match beside.exists() {
        true => Ok(beside.to_string_lossy().into_owned()),
        false => Err(std::io::Error::other("build it first: cargo build --release -p kiln-benches")),
    }
}

/// What a command prints for so many threads.
fn run(command: &[&str], threads: usize, shared: &[&str]) -> String {
    let Some((program, rest)) = command.split_first() else { fail("--peers wants a command") };
    let output = Command::new(program)
        .args(rest)
        .args(["--threads", &threads.to_string()])
        .args(shared)
        .stderr(Stdio::inherit())
        .output();
    match output {
        Ok(output) => {
            if !output.status.success() {
                eprintln!("{program} ended with {}", output.status);
            }
            String::from_utf8_lossy(&output.stdout).into_owned()
        }
        Err(error) => fail(&format!("{program}: {error}")),
    }
}

/// Adds a line's time; workloads are kept in the order in which they come.
fn take(line: &str, times: &mut Times, order: &mut Vec<String>) {
    let found = || {
        let name = |key| Some(field(line, key)?.trim_matches('"').to_owned());
        let (workload, peer) = (name("workload")?, name("peer")?);
        Some((workload, peer, field(line, "threads")?.parse().ok()?, field(line, "median_ms")?.parse().ok()?))
    };
    let Some((workload, peer, threads, time)) = found() else { return };
    if !order.contains(&workload) {
        order.push(workload.clone());
    }
    times.entry((workload, peer, threads)).or_default().push(time);
}

/// The value of a key in a flat JSON object.
fn field<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(&format!("\"{key}\":"))?;
    rest.split([',', '}']).next().map(str::trim)
}

/// The markdown table: times on one thread and on two, and Kiln's over the best peer's.
fn table(times: &Times, order: &[String]) -> String {
    let mut peers: Vec<&String> =
        times.keys().map(|(_, peer, _)| peer).filter(|peer| *peer != "kiln").collect();
    peers.sort();
    peers.dedup();
    let names: Vec<&str> = ["workload", "kiln"].into_iter().chain(peers.iter().map(|p| p.as_str())).collect();
    let mut text =
        format!("| {} | kiln / best peer |\n|{}\n", names.join(" | "), "---|".repeat(names.len() + 1));
    for workload in order {
        let at = |peer: &str, threads| median(times.get(&(workload.clone(), peer.to_owned(), threads)));
        let cells = names[1..].iter().map(|peer| pair(THREADS.map(|threads| at(peer, threads)), rounded));
        let over = THREADS.map(|threads| {
            let best = peers.iter().filter_map(|peer| at(peer, threads)).reduce(f64::min)?;
            Some(at("kiln", threads)? / best)
        });
        let cells: Vec<String> = cells.chain([pair(over, ratio)]).collect();
        text += &format!("| {workload} | {} |\n", cells.join(" | "));
    }
    text
}

/// The median of the rounds.
fn median(times: Option<&Vec<f64>>) -> Option<f64> {
    let mut times = times?.clone();
    times.sort_by(f64::total_cmp);
    let (low, high) = (times.get((times.len() - 1) / 2)?, times.get(times.len() / 2)?);
    Some((low + high) / 2.0)
}

/// Two figures as `a / b`.
fn pair(figures: [Option<f64>; 2], written: fn(f64) -> String) -> String {
    match figures {
        [None, None] => "–".into(),
        _ => figures.map(|figure| figure.map_or("–".into(), written)).join(" / "),
    }
}

/// With three digits that count.
fn rounded(x: f64) -> String {
    let decimals = (2.0 - x.log10().floor()).clamp(0.0, 9.0) as usize;
    format!("{x:.decimals$}")
}

fn ratio(x: f64) -> String {
    format!("{x:.2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_a_table() {
        let (mut times, mut order) = (Times::new(), Vec::new());
        for (peer, threads, time) in [
            ("kiln", 1, 1.0),
            ("kiln", 1, 3.0),
            ("kiln", 2, 0.5),
            ("torch", 1, 4.0),
            ("torch", 2, 2.0),
            ("ort", 1, 1.0),
        ] {
            let line = format!(
                r#"{{"workload": "w", "peer": "{peer}", "threads": {threads}, "median_ms": {time}, "runs": 9}}"#
            );
            take(&line, &mut times, &mut order);
        }
        take("warning: nothing", &mut times, &mut order);
        take(r#"{"workload": "w", "peer": "jax", "threads": 1, "error": "x"}"#, &mut times, &mut order);
        let table = table(&times, &order);
        let want = "| workload | kiln | ort | torch | kiln / best peer |\n|---|---|---|---|---|\n\
                    | w | 2.00 / 0.500 | 1.00 / – | 4.00 / 2.00 | 2.00 / 0.25 |\n";
        assert_eq!(table, want);
    }

    #[test]
    fn figures_keep_three_digits() {
        assert_eq!(
            [0.0345, 0.663, 5.44, 43.41, 222.4].map(rounded),
            ["0.0345", "0.663", "5.44", "43.4", "222"]
        );
    }
}

//! Exact attention beside Linformer's and Performer's: `cargo run --release --example attention`.
//!
//! What each costs, in time and memory against the length of the sequence, at full size; and what each can do: small nets of the same
//! layers learn to repeat symbols that stand far away. `--help` lists the options.

mod cost;
mod learn;
mod nets;

use cost::{LENGTHS, costs};
use kiln_examples::run::RunOptions;
use kiln_examples::svg::{self, Line, Plot, Scale};
use kiln_examples::{Result, cli};
use learn::{PARTS, learn};
use nets::{COPIED, Exact, Linformer, PLACES, Performer};
use std::process::ExitCode;

const HELP: &str = "\
Measures exact attention, Linformer and Performer side by side, and trains a small net of each to copy over a distance.

  --steps N        training steps of each net (default: 500)
  --longest N      places of the longest sequence measured, at most 4096 (default: 4096)
  --seed N         of the weights and the sequences (default: 0)";

/// The three, and their colours.
pub const NAMES: [(&str, &str); 3] =
    [("exact", "firebrick"), ("linformer", "royalblue"), ("performer", "seagreen")];

struct Options {
    steps: usize,
    longest: usize,
    seed: u64,
    run: RunOptions,
}

fn main() -> ExitCode {
    cli::main("attention", HELP, options(), run)
}

fn options() -> Result<Option<Options>, lexopt::Error> {
    let (mut steps, mut longest, mut seed) = (500, 4096, 0);
    let run = cli::options(|name, args| {
        match name {
            "steps" => steps = lexopt::ValueExt::parse(&args.value()?)?,
            "longest" => longest = lexopt::ValueExt::parse(&args.value()?)?,
            "seed" => seed = lexopt::ValueExt::parse(&args.value()?)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if !(LENGTHS[0]..=4096).contains(&longest) {
        return Err(format!("the longest sequence has {} to 4096 places", LENGTHS[0]).into());
    }
    if steps == 0 {
        return Err("at least one step".into());
    }
    Ok(run.map(|run| Options { steps, longest, seed, run }))
}

fn run(options: &Options) -> Result<()> {
    let folder = options.run.folder("attention")?;
    let costs = costs(options.longest)?;
    let (mut curves, names) = (Vec::new(), NAMES.map(|(name, _)| name));
    for (name, run) in names.into_iter().zip(options.run.row("attention", &names)?) {
        let how = (options.steps, options.seed);
        curves.push(match name {
            "exact" => learn::<Exact>(name, how, &run)?,
            "linformer" => learn::<Linformer>(name, how, &run)?,
            _ => learn::<Performer>(name, how, &run)?,
        });
    }
    let apart = PLACES - COPIED;
    println!("{COPIED} symbols copied over {apart} places, after {} steps:", options.steps);
    for ((name, _), curve) in NAMES.iter().zip(&curves) {
        println!("  {name:9}  {:5.1} % right", 100.0 * curve.held_out);
    }
    let file = folder.join("attention.svg");
    let part = options.steps as f64 / PARTS.min(options.steps) as f64;
    let accuracies = curves.iter().map(|curve| curve.accuracy.iter().zip(1..));
    let accuracies = accuracies.map(|a| a.map(|(a, i)| (f64::from(i) * part, *a)).collect());
    let seconds = costs.iter().map(|all| all.iter().map(|c| (c.places as f64, c.seconds)).collect());
    let memory =
        costs.iter().map(|all| all.iter().map(|c| (c.places as f64, c.scratch as f64 / 1e6)).collect());
    let log = (Scale::Log, Scale::Log);
    let page = [
        plot("seconds by places: six layers of 512 dims, forward".into(), log, seconds),
        plot("MB for what lies between, by places".into(), log, memory),
        plot(format!("share copied over {apart} places, by steps"), Default::default(), accuracies),
    ];
    std::fs::write(&file, svg::page(&page))?;
    println!("charts in {}", file.display());
    Ok(())
}

/// A line for each of the three.
fn plot(
    title: String,
    (x, y): (Scale, Scale),
    points: impl Iterator<Item = Vec<(f64, f64)>>,
) -> Plot<'static> {
    let line = |((name, colour), points)| Line { name, colour, points };
    Plot { title, lines: NAMES.into_iter().zip(points).map(line).collect(), x, y, ..Plot::default() }
}

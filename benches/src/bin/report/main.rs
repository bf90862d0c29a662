//! Writes `benches/REPORT.md`: how time grows, what memory, compiling, size and start take.
//!
//! `cargo run --release -p kiln-benches --bin report -- [growth] [memory] [build] [--peers 'COMMAND' …]`
//!
//! `--peers` is a command as `compare` takes it, for the memory of training steps; it may be given several times.

mod built;
mod growth;
mod memory;
mod page;
mod process;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

/// What goes wrong.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// The sections.
const PARTS: [&str; 3] = ["growth", "memory", "build"];

fn main() -> ExitCode {
    match report() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn report() -> Outcome<()> {
    let (mut parts, mut peers, mut arguments) = (Vec::new(), Vec::new(), std::env::args().skip(1));
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--peers" => peers.push(arguments.next().ok_or("--peers wants a command")?),
            part if PARTS.contains(&part) => parts.push(argument),
            other => return Err(format!("{other} is none of {PARTS:?}").into()),
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for part in PARTS.into_iter().filter(|part| parts.is_empty() || parts.iter().any(|asked| asked == part)) {
        eprintln!("{part}");
        let (title, text) = match part {
            "growth" => ("How time grows", growth::section(&folder.join("growth.svg"))?),
            "memory" => ("Memory", memory::section(&peers)?),
            _ => ("Build, size and start", built::section()?),
        };
        page::put(&folder.join("REPORT.md"), title, &text)?;
    }
    Ok(())
}

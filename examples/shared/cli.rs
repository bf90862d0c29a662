//! What every example does around its work: options, help, and errors as exit codes.

use crate::run::{RunOptions, Stopped};
use std::process::ExitCode;

/// A result whose error is told in a line.
pub type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// The options that all examples with a run folder have.
const RUN_HELP: &str = "
  --run FOLDER     where metrics, curves, checkpoint and weights go (default: kiln-NAME in the temporary directory)
  --resume         go on from the checkpoint in that folder
  --stop N         stop behind so many parts of the run, as if it were interrupted
  --help           this text";

/// Reads options: `set` is given the name of each, `"epochs"`, takes its value, and says whether there is one of that name.
/// `None` if only help is wanted.
pub fn options(
    mut set: impl FnMut(&str, &mut lexopt::Parser) -> Result<bool, lexopt::Error>,
) -> Result<Option<RunOptions>, lexopt::Error> {
    use lexopt::prelude::*;
    let mut run = RunOptions::default();
    let mut args = lexopt::Parser::from_env();
    while let Some(arg) = args.next()? {
        let name = match arg {
            Long("help") | Short('h') => return Ok(None),
            Long(name) => name.to_string(),
            other => return Err(other.unexpected()),
        };
        if !run_option(&mut run, &name, &mut args)? && !set(&name, &mut args)? {
            return Err(lexopt::Error::UnexpectedOption(format!("--{name}")));
        }
    }
    Ok(Some(run))
}

/// Reads an option that all examples with a run folder have, and says whether it is one.
pub fn run_option(
    run: &mut RunOptions,
    name: &str,
    args: &mut lexopt::Parser,
) -> Result<bool, lexopt::Error> {
    use lexopt::ValueExt;
    match name {
        "run" => run.folder = Some(args.value()?.into()),
        "resume" => run.resume = true,
        "stop" => run.stop = Some(args.value()?.parse()?),
        _ => return Ok(false),
    }
    Ok(true)
}

/// [`main_without_run`] of an example that has a run folder.
pub fn main<O>(
    name: &str,
    help: &str,
    options: Result<Option<O>, lexopt::Error>,
    run: impl FnOnce(&O) -> Result<()>,
) -> ExitCode {
    main_without_run(name, &format!("{help}{RUN_HELP}"), options, run)
}

/// Runs an example: 2 for options at fault, 1 for what went wrong in the run. `options` is `None` where only help is wanted.
pub fn main_without_run<O>(
    name: &str,
    help: &str,
    options: Result<Option<O>, lexopt::Error>,
    run: impl FnOnce(&O) -> Result<()>,
) -> ExitCode {
    let options = match options {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{help}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("{name}: {error}; see --help");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) if stop.is::<Stopped>() => {
            println!("{stop}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

//! What every example does around its work: options, help, and errors as exit codes.

use std::error::Error;
use std::process::ExitCode;

/// Runs an example: 2 for options at fault, 1 for what went wrong in the run. `options` is `None` where only help is wanted.
pub fn main<O>(
    name: &str,
    help: &str,
    options: Result<Option<O>, lexopt::Error>,
    run: impl FnOnce(&O) -> Result<(), Box<dyn Error>>,
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
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

//! Who survived the Titanic: `cargo run --release --example titanic`.
//!
//! An ensemble of small nets over titles, families, decks and fares, beside a logistic regression on the same features, both
//! measured by five-fold cross-validation, over and over again with other folds. `--help` lists the options.

mod features;
mod net;
mod passengers;
mod report;
mod train;

use kiln::Rng;
use kiln_examples::run::{Run, RunOptions};
use kiln_examples::{Result, cli};
use passengers::Passenger;
use report::Folds;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use train::NETS;

const HELP: &str = "\
Forecasts who survived the Titanic, measured by five-fold cross-validation.

  --rounds N       cross-validations, each with folds of its own (default: 5)
  --seed N         of the folds and the weights (default: 0)
  --data FILE      another list of passengers, CSV or ARFF, gzipped or not";

/// Parts of the passengers, each of which is forecast from the others.
const FOLDS: usize = 5;

struct Options {
    rounds: usize,
    seed: u64,
    data: PathBuf,
    run: RunOptions,
}

fn main() -> ExitCode {
    cli::main("titanic", HELP, options(), run)
}

fn options() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let (mut rounds, mut seed) = (5, 0);
    let mut data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/titanic.arff.gz");
    let run = cli::options(|name, args| {
        match name {
            "rounds" => rounds = args.value()?.parse()?,
            "seed" => seed = args.value()?.parse()?,
            "data" => data = args.value()?.into(),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if rounds == 0 {
        return Err("at least one round".into());
    }
    Ok(run.map(|run| Options { rounds, seed, data, run }))
}

fn run(options: &Options) -> Result<()> {
    let all = passengers::read(&options.data)?;
    let mut folds = Folds::new(options.seed);
    let settings = format!("seed {}, data {}", options.seed, options.data.display());
    let total = options.rounds * FOLDS;
    let mut run = Run::open(&options.run, "titanic", ("fold", total), settings, &mut folds)?;
    measure(&mut folds, &all, options.seed, &mut run)?;
    println!("{} nets trained in {:.1} s", total * NETS, run.seconds());
    std::fs::write(run.folder.join("reliability.svg"), folds.reliability())?;
    report::print(&run.finish(&folds.nets)?);
    Ok(())
}

/// Forecasts fold after fold from the others, each of which is a part of the run.
fn measure(folds: &mut Folds, all: &[Passenger], seed: u64, run: &mut Run) -> Result<()> {
    for part in run.rest() {
        let mut rng = Rng::seed(1000 * seed + (part / FOLDS) as u64);
        let (train, test) = fold(all, part % FOLDS, &mut rng);
        let forecast = train::forecast(&mut folds.nets, &train, &test, &mut rng)?;
        let measured = folds.push(&forecast, &test);
        run.log(&measured, "", folds)?;
    }
    Ok(())
}

/// The passengers of all other folds, and those of this one. Each fold has the same share of survivors.
fn fold<'a>(all: &'a [Passenger], which: usize, rng: &mut Rng) -> (Vec<&'a Passenger>, Vec<&'a Passenger>) {
    let mut order: Vec<&Passenger> = all.iter().collect();
    rng.shuffle(&mut order);
    order.sort_by_key(|p| p.survived);
    let dealt = order.into_iter().enumerate().partition::<Vec<_>, _>(|(i, _)| i % FOLDS != which);
    let plain = |part: Vec<(usize, &'a Passenger)>| part.into_iter().map(|(_, p)| p).collect();
    (plain(dealt.0), plain(dealt.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_changes_no_bit() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/titanic.arff.gz");
        let all = passengers::read(&file).expect("the file beside the example");
        let some: Vec<Passenger> = all.into_iter().step_by(30).collect();
        kiln_examples::stop::changes_no_bit(
            "titanic",
            || Folds::new(0),
            |folds, run| measure(folds, &some, 0, run),
        );
    }
}

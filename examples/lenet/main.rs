//! A convolutional net learns to read digits: `cargo run --release --example lenet`.
//!
//! LeNet's plan (LeCun et al., 1998) with batch norm and max pools: 4,000 images of MNIST to train with, moved by
//! up to two pixels, and 1,000 to test with, which nothing is chosen by. `--help` lists the options.

mod net;
mod train;

use kiln::Params;
use kiln_examples::run::{Run, RunOptions};
use kiln_examples::{Result, chart, cli, mnist};
use std::path::Path;
use std::process::ExitCode;

const HELP: &str = "\
Trains a convolutional net on 4,000 images of digits and tests it on 1,000 others.

  --epochs N       passes over the images (default: 12)
  --seed N         of the weights, the order of images and their moves (default: 0)";

struct Options {
    epochs: usize,
    seed: u64,
    run: RunOptions,
}

fn main() -> ExitCode {
    cli::main("lenet", HELP, options(), run)
}

fn options() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let (mut epochs, mut seed) = (12, 0);
    let run = cli::options(|name, args| {
        match name {
            "epochs" => epochs = args.value()?.parse()?,
            "seed" => seed = args.value()?.parse()?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(run.map(|run| Options { epochs, seed, run }))
}

fn run(options: &Options) -> Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mnist_5k.csv.gz");
    let (images, test) = mnist::split(&mnist::read(&file)?);
    let mut training = train::begin(options.seed);
    let settings = format!("seed {}", options.seed);
    let mut run = Run::open(&options.run, "lenet", ("epoch", options.epochs), settings, &mut training)?;
    train::train(&mut training, &images, &mut run)?;
    println!("{} parameters trained in {:.1} s", training.net.param_count(), run.seconds());
    let metrics = run.finish(&training.net)?;
    println!("{}", chart::curve("loss by epoch", &metrics.series("loss")));
    let predictions = train::predictions(&training.net, &test)?;
    let wrong: Vec<usize> = (0..test.len()).filter(|i| predictions[*i] != test.labels[*i]).collect();
    println!("what it got wrong:\n{}", chart::digits(&test, &predictions, &wrong[..wrong.len().min(4)]));
    println!("test accuracy: {:.4}", 1.0 - wrong.len() as f64 / test.len() as f64);
    Ok(())
}

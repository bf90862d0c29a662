//! An MLP learns to read digits: `cargo run --release --example digits`.
//!
//! 4,000 images of MNIST to train with, 1,000 to test with. `--help` lists the options.

mod net;
mod train;

use kiln::prelude::*;
use kiln_examples::run::{Run, RunOptions};
use kiln_examples::{Result, Training, chart, cli, mnist, weights};
use net::Mlp;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
Trains an MLP on 4,000 images of digits and tests it on 1,000 others.

  --epochs N       passes over the images (default: 40)
  --seed N         of the weights and of the order of images (default: 0)
  --load FILE      test these weights, without training";

struct Options {
    epochs: usize,
    seed: u64,
    load: Option<PathBuf>,
    run: RunOptions,
}

fn main() -> ExitCode {
    cli::main("digits", HELP, options(), run)
}

fn options() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let (mut epochs, mut seed, mut load) = (40, 0, None);
    let run = cli::options(|name, args| {
        match name {
            "epochs" => epochs = args.value()?.parse()?,
            "seed" => seed = args.value()?.parse()?,
            "load" => load = Some(args.value()?.into()),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(run.map(|run| Options { epochs, seed, load, run }))
}

fn run(options: &Options) -> Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mnist_5k.csv.gz");
    let (images, test) = mnist::split(&mnist::read(&file)?);
    let mut training = train::begin(options.seed);
    match &options.load {
        Some(file) => weights::load(&mut training.net, file, &[])?,
        None => learn(&mut training, &images, &test, options)?,
    }
    let net = &training.net;
    let predictions = train::predictions(net, &test)?;
    println!("{}", chart::digits(&test, &predictions, &[0, 100, 200, 300]));
    if let Some(wrong) = (0..test.len()).find(|i| predictions[*i] != test.labels[*i]) {
        println!("one that it got wrong:\n{}", chart::digits(&test, &predictions, &[wrong]));
    }
    println!("test accuracy: {:.4}", train::accuracy(net, &test)?);
    Ok(())
}

fn learn(
    training: &mut Training<Mlp, Adam<Mlp>>,
    images: &mnist::Images,
    test: &mnist::Images,
    options: &Options,
) -> Result<()> {
    let settings = format!("seed {}", options.seed);
    let mut run = Run::open(&options.run, "digits", ("epoch", options.epochs), settings, training)?;
    train::train(training, images, test, &mut run)?;
    println!("trained in {:.2} s", run.seconds());
    let metrics = run.finish(&training.net)?;
    println!("{}", chart::curve("loss by epoch", &metrics.series("loss")));
    Ok(())
}

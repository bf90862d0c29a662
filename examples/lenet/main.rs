//! A convolutional net learns to read digits: `cargo run --release --example lenet`.
//!
//! LeNet's plan (LeCun et al., 1998) with batch norm and max pools: 4,000 images of MNIST to train with, moved by
//! up to two pixels, and 1,000 to test with, which nothing is chosen by. `--help` lists the options.

mod net;
mod train;

use kiln::prelude::*;
use kiln_examples::{chart, cli, mnist};
use net::LeNet;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

const HELP: &str = "\
Trains a convolutional net on 4,000 images of digits and tests it on 1,000 others.

  --epochs N    passes over the images (default: 12)
  --seed N      of the weights, the order of images and their moves (default: 0)
  --help        this text";

fn main() -> ExitCode {
    cli::main("lenet", HELP, options(), |(epochs, seed)| run(*epochs, *seed))
}

/// Epochs and seed; `None` if only help is wanted.
fn options() -> Result<Option<(usize, u64)>, lexopt::Error> {
    use lexopt::prelude::*;
    let (mut epochs, mut seed) = (12, 0);
    let mut args = lexopt::Parser::from_env();
    while let Some(arg) = args.next()? {
        match arg {
            Long("epochs") => epochs = args.value()?.parse()?,
            Long("seed") => seed = args.value()?.parse()?,
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some((epochs, seed)))
}

fn run(epochs: usize, seed: u64) -> Result<(), Box<dyn std::error::Error>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mnist_5k.csv.gz");
    let (images, test) = mnist::split(&mnist::read(&file)?);
    let mut rng = Rng::seed(seed);
    let mut net = LeNet::init(&mut rng);
    let start = Instant::now();
    let losses = train::train(&mut net, &images, epochs, &mut rng)?;
    println!("{}", chart::curve("loss by epoch", &losses));
    println!("{} parameters trained in {:.1} s", net.param_count(), start.elapsed().as_secs_f64());
    let predictions = train::predictions(&net, &test)?;
    let wrong: Vec<usize> = (0..test.len()).filter(|i| predictions[*i] != test.labels[*i]).collect();
    println!("what it got wrong:\n{}", chart::digits(&test, &predictions, &wrong[..wrong.len().min(4)]));
    println!("test accuracy: {:.4}", 1.0 - wrong.len() as f64 / test.len() as f64);
    Ok(())
}

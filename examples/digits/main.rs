//! An MLP learns to read digits: `cargo run --release --example digits`.
//!
//! 4,000 images of MNIST to train with, 1,000 to test with. `--help` lists the options.

mod net;
mod train;

use kiln::prelude::*;
use kiln_examples::{chart, cli, mnist};
use net::Mlp;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
Trains an MLP on 4,000 images of digits and tests it on 1,000 others.

  --epochs N    passes over the images (default: 40)
  --seed N      of the weights and of the order of images (default: 0)
  --load FILE   test these weights, without training
  --save FILE   where the weights go (default: digits.safetensors in the temporary directory)
  --help        this text";

struct Options {
    epochs: usize,
    seed: u64,
    load: Option<PathBuf>,
    save: PathBuf,
}

fn main() -> ExitCode {
    cli::main("digits", HELP, options(), run)
}

/// The options; `None` if only help is wanted.
fn options() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let save = std::env::temp_dir().join("digits.safetensors");
    let mut options = Options { epochs: 40, seed: 0, load: None, save };
    let mut args = lexopt::Parser::from_env();
    while let Some(arg) = args.next()? {
        match arg {
            Long("epochs") => options.epochs = args.value()?.parse()?,
            Long("seed") => options.seed = args.value()?.parse()?,
            Long("load") => options.load = Some(args.value()?.into()),
            Long("save") => options.save = args.value()?.into(),
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(options))
}

fn run(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mnist_5k.csv.gz");
    let (images, test) = mnist::split(&mnist::read(&file)?);
    let mut rng = Rng::seed(options.seed);
    let mut net = Mlp::init(&mut rng);
    match &options.load {
        Some(file) => net.load(file)?,
        None => learn(&mut net, &images, &test, options, &mut rng)?,
    }
    let predictions = train::predictions(&net, &test)?;
    println!("{}", chart::digits(&test, &predictions, &[0, 100, 200, 300]));
    if let Some(wrong) = (0..test.len()).find(|i| predictions[*i] != test.labels[*i]) {
        println!("one that it got wrong:\n{}", chart::digits(&test, &predictions, &[wrong]));
    }
    println!("test accuracy: {:.4}", train::accuracy(&net, &test)?);
    Ok(())
}

fn learn(
    net: &mut Mlp,
    images: &mnist::Images,
    test: &mnist::Images,
    options: &Options,
    rng: &mut Rng,
) -> Result<(), Box<dyn std::error::Error>> {
    let history = train::train(net, images, test, options.epochs, rng)?;
    println!("{}", chart::curve("loss by epoch", &history.losses));
    println!("trained in {:.2} s", history.time.as_secs_f64());
    net.save(&options.save)?;
    println!("weights saved to {}", options.save.display());
    Ok(())
}

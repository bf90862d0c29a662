//! Diffusion draws digits: `cargo run --release --example diffuse`.
//!
//! DDPM (Ho et al., 2020) of a small U-Net on 4,000 images of MNIST, told the digit to draw, and sampling by DDIM with
//! classifier-free guidance. `--help` lists the options.

mod draw;
mod net;
mod train;

use draw::Draw;
use kiln::Params;
use kiln_examples::run::{Run, RunOptions};
use kiln_examples::{Result, chart, cli, mnist, picture, weights};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

const HELP: &str = "\
Trains a diffusion net on 4,000 images of digits and draws some of each digit.

  --epochs N       passes over the images (default: 24)
  --images N       images to learn from (default: 4000)
  --seed N         of the weights, the order of images and the drawing (default: 0)
  --load FILE      draw with these weights, without training
  --rows N         pictures of each digit (default: 10)
  --steps N        steps from noise to picture (default: 50)
  --eta X          share of the noise that is drawn anew at each step: 0 is DDIM, 1 is DDPM (default: 0)
  --guidance X     how far beyond what the class asks for (default: 1)";

struct Options {
    epochs: usize,
    images: usize,
    seed: u64,
    load: Option<PathBuf>,
    draw: Draw,
    run: RunOptions,
}

fn main() -> ExitCode {
    cli::main("diffuse", HELP, options(), run)
}

fn options() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let (mut epochs, mut images, mut seed, mut load) = (24, 4000, 0, None);
    let mut draw = Draw { rows: 10, steps: 50, eta: 0.0, guidance: 1.0 };
    let run = cli::options(|name, args| {
        match name {
            "epochs" => epochs = args.value()?.parse()?,
            "images" => images = args.value()?.parse()?,
            "seed" => seed = args.value()?.parse()?,
            "load" => load = Some(args.value()?.into()),
            "rows" => draw.rows = args.value()?.parse()?,
            "steps" => draw.steps = args.value()?.parse()?,
            "eta" => draw.eta = args.value()?.parse()?,
            "guidance" => draw.guidance = args.value()?.parse()?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if draw.steps == 0 || draw.rows == 0 {
        return Err("at least one row and one step".into());
    }
    if !(1..=4000).contains(&images) {
        return Err("there are 1 to 4000 images to learn from".into());
    }
    if !(0.0..=1.0).contains(&draw.eta) || !draw.guidance.is_finite() {
        return Err("eta is from 0 to 1, and guidance is a number".into());
    }
    Ok(run.map(|run| Options { epochs, images, seed, load, draw, run }))
}

fn run(options: &Options) -> Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mnist_5k.csv.gz");
    let (images, test) = mnist::split(&mnist::read(&file)?);
    let images = images.spread(options.images);
    let mut all = train::begin(options.seed);
    match &options.load {
        Some(file) => weights::load(&mut all.mean, file, &[])?,
        None => {
            let settings = format!("{} images, seed {}", options.images, options.seed);
            let mut run = Run::open(&options.run, "diffuse", ("epoch", options.epochs), settings, &mut all)?;
            train::train(&mut all, &images, &test, &mut run)?;
            println!("{} parameters trained in {:.0} s", all.mean.param_count(), run.seconds());
            let metrics = run.finish(&all.mean)?;
            println!("{}", chart::curve("loss by epoch", &metrics.series("loss")));
        }
    }
    let start = Instant::now();
    let drawn = draw::draw(&all.mean, &options.draw, &mut all.training.rng)?;
    println!("{} pictures drawn in {:.1} s", drawn.len(), start.elapsed().as_secs_f64());
    let png = options.run.folder("diffuse")?.join("samples.png");
    let pictures: Vec<&[f32]> = (0..drawn.len()).map(|i| drawn.image(i)).collect();
    picture::grid(&pictures, mnist::SIDE, 10, 3).save(&png)?;
    println!("samples in {}", png.display());
    let read = draw::read(&drawn, &images);
    println!("{}", chart::digits(&drawn, &read, &[0, 1, 2, 3]));
    let share = |read: &[i64], of: &mnist::Images| {
        100.0 * read.iter().zip(&of.labels).filter(|(r, l)| r == l).count() as f64 / of.len() as f64
    };
    let (drawn, held_out) = (share(&read, &drawn), share(&draw::read(&test, &images), &test));
    println!(
        "nearest neighbours read {drawn:.1} % of the drawn digits right, {held_out:.1} % of the held-out ones"
    );
    let (own, trivial) = (train::test_loss(&all.mean, &test)?, train::trivial_loss(&images, &test));
    println!("held-out loss: {own:.4}, {:.2} of the {trivial:.4} of pixels by themselves", own / trivial);
    Ok(())
}

//! Finds objects in a picture: `cargo run --release --example detect -- IMAGE`, and learns to find digits: `-- --train`.
//!
//! YOLOv5s of the zoo at 640 × 640 with weights from a safetensors file of its names, without one with weights that are no more than
//! a hash, which shows speed and memory, and nothing about the picture. Training is of a small one on pictures composed of MNIST's
//! digits. `--help` lists the options.

mod assign;
mod boxes;
mod draw;
mod letterbox;
mod measure;
mod names;
mod net;
#[path = "../classify/photo.rs"]
mod photo;
mod picture;
mod scene;
mod train;

use boxes::Choice;
use kiln_examples::run::{Run, RunOptions};
use kiln_examples::{Result, chart, cli, memory, mnist, weights};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
Finds objects in a picture (JPEG or PNG) by YOLOv5s, and writes it with boxes as boxes.png into the run folder.

  detect IMAGE

  --weights FILE   safetensors under YOLOv5's names (default: a fill that knows nothing)
  --labels FILE    names of the 80 classes, one a line (default: COCO's)
  --score X        what a box must be sure of (default: 0.25)
  --overlap X      what it may share with a better one (default: 0.45)

  detect --train   trains a small one on pictures composed of digits, and tests it on pictures of other digits

  --epochs N       parts of the run (default: 20)
  --steps N        steps of an epoch, of 16 new pictures each (default: 100)
  --pictures N     pictures to test with (default: 200)
  --seed N         of the weights and the pictures to learn from (default: 0)
  --load FILE      test these weights, without training";

/// What is asked for.
enum Job {
    Find { image: PathBuf, weights: Option<PathBuf>, labels: Option<PathBuf>, choice: Choice },
    Train { epochs: usize, steps: usize, pictures: usize, seed: u64, load: Option<PathBuf> },
}

fn main() -> ExitCode {
    cli::main("detect", HELP, options(), run)
}

fn options() -> Result<Option<(Job, RunOptions)>, lexopt::Error> {
    use lexopt::prelude::*;
    let (mut image, mut weights, mut labels, mut training) = (None, None, None, false);
    let mut choice = Choice { score: 0.25, overlap: 0.45 };
    let (mut epochs, mut steps, mut pictures, mut seed, mut load) = (20, 100, 200, 0, None);
    let (mut run, mut args) = (RunOptions::default(), lexopt::Parser::from_env());
    while let Some(arg) = args.next()? {
        let name = match arg {
            Long("help") | Short('h') => return Ok(None),
            Long(name) => name.to_string(),
            Value(path) if image.is_none() => {
                image = Some(path.into());
                continue;
            }
            other => return Err(other.unexpected()),
        };
        match name.as_str() {
            "train" => training = true,
            "weights" => weights = Some(args.value()?.into()),
            "labels" => labels = Some(args.value()?.into()),
            "score" => choice.score = args.value()?.parse()?,
            "overlap" => choice.overlap = args.value()?.parse()?,
            "epochs" => epochs = args.value()?.parse()?,
            "steps" => steps = args.value()?.parse()?,
            "pictures" => pictures = args.value()?.parse()?,
            "seed" => seed = args.value()?.parse()?,
            "load" => load = Some(args.value()?.into()),
            name if cli::run_option(&mut run, name, &mut args)? => {}
            name => return Err(lexopt::Error::UnexpectedOption(format!("--{name}"))),
        }
    }
    if ![choice.score, choice.overlap].iter().all(|x| (0.0..=1.0).contains(x)) {
        return Err("score and overlap are from 0 to 1".into());
    }
    if steps == 0 || pictures == 0 {
        return Err("at least one step and one picture".into());
    }
    let job = match (image, training) {
        (Some(image), false) => Job::Find { image, weights, labels, choice },
        (None, true) => Job::Train { epochs, steps, pictures, seed, load },
        (None, false) => return Err("neither an IMAGE nor --train is given".into()),
        (Some(_), true) => return Err("either an IMAGE or --train".into()),
    };
    Ok(Some((job, run)))
}

fn run((job, run): &(Job, RunOptions)) -> Result<()> {
    match job {
        Job::Find { image, weights, labels, choice } => {
            let png = run.folder("detect")?.join("boxes.png");
            picture::find(image, weights.as_deref(), labels.as_deref(), *choice, &png)
        }
        Job::Train { .. } => train(job, run),
    }
}

/// Trains and tests.
fn train(job: &Job, options: &RunOptions) -> Result<()> {
    let Job::Train { epochs, steps, pictures, seed, load } = job else { return Ok(()) };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/mnist_5k.csv.gz");
    let (images, others) = mnist::split(&mnist::read(&file)?);
    let test = train::held_out(&others, *pictures);
    let mut all = train::begin(*seed);
    match load {
        Some(file) => weights::load(&mut all.net, file, &[])?,
        None => {
            let settings = format!("{steps} steps, {pictures} pictures, seed {seed}");
            let mut run = Run::open(options, "detect", ("epoch", *epochs), settings, &mut all)?;
            let shown = &test[..test.len().min(50)];
            train::train(&mut all, &images, *steps, shown, &mut run)?;
            println!("trained in {:.0} s{}", run.seconds(), memory::told());
            let metrics = run.finish(&all.net)?;
            println!("{}", chart::curve("mAP@0.5 by epoch", &metrics.series("held-out mAP@0.5")));
        }
    }
    let curves = train::curves(&mut all.net, &test)?;
    let folder = options.folder("detect")?;
    std::fs::write(folder.join("precision_recall.svg"), train::chart(&curves))?;
    train::drawing(&mut all.net, &test[..test.len().min(12)], 4)?.save(&folder.join("pictures.png"))?;
    println!("precision_recall.svg and pictures.png in {}", folder.display());
    for (digit, curve) in curves.iter().enumerate() {
        println!("{digit}: {:.4}", curve.as_ref().map_or(f64::NAN, |curve| curve.average));
    }
    println!("mAP@0.5 over {} held-out pictures: {:.4}", test.len(), measure::mean(&curves));
    Ok(())
}

//! A 3D U-Net finds ellipsoids in noise: `cargo run --release --example segment3d`.
//!
//! Çiçek et al. (2016) at a quarter of its width, on generated volumes of 64³ voxels, each of which is seen once. `--help` lists the
//! options.

mod net;
mod slices;
mod train;
mod volume;

use kiln::Params;
use kiln_examples::run::{Run, RunOptions};
use kiln_examples::{Result, chart, cli, memory, weights};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

const HELP: &str = "\
Trains a 3D U-Net on generated volumes, ellipsoids under noise and a bias field, and finds those of others.

  --epochs N       parts of the run (default: 8)
  --volumes N      volumes of an epoch, each of which is seen once (default: 24)
  --side N         voxels of a volume's side, a multiple of 16 (default: 64)
  --held-out N     volumes to test with (default: 12)
  --seed N         of the weights and the volumes to learn from (default: 0)
  --load FILE      test these weights, without training";

/// Held-out volumes that are drawn, and looked at behind each epoch.
const SHOWN: usize = 4;

struct Options {
    epochs: usize,
    volumes: usize,
    side: usize,
    held_out: usize,
    seed: u64,
    load: Option<PathBuf>,
    run: RunOptions,
}

fn main() -> ExitCode {
    cli::main("segment3d", HELP, options(), run)
}

fn options() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let (mut epochs, mut volumes, mut side) = (8, 24, 64usize);
    let (mut held_out, mut seed, mut load) = (12, 0, None);
    let run = cli::options(|name, args| {
        match name {
            "epochs" => epochs = args.value()?.parse()?,
            "volumes" => volumes = args.value()?.parse()?,
            "side" => side = args.value()?.parse()?,
            "held-out" => held_out = args.value()?.parse()?,
            "seed" => seed = args.value()?.parse()?,
            "load" => load = Some(args.value()?.into()),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if !side.is_multiple_of(16) || !(32..=256).contains(&side) {
        // A norm of one place, as 16 would leave, has no variance.
        return Err("a side is a multiple of 16 from 32 to 256".into());
    }
    if volumes == 0 || held_out == 0 {
        return Err("at least one volume to learn from and one to test with".into());
    }
    Ok(run.map(|run| Options { epochs, volumes, side, held_out, seed, load, run }))
}

fn run(options: &Options) -> Result<()> {
    let test = train::held_out(options.held_out, options.side);
    let mut all = train::begin(options.seed);
    match &options.load {
        Some(file) => weights::load(&mut all.net, file, &[])?,
        None => {
            let Options { epochs, volumes, side, seed, .. } = *options;
            let settings = format!("{volumes} volumes of {side}³, seed {seed}");
            let mut run = Run::open(&options.run, "segment3d", ("epoch", epochs), settings, &mut all)?;
            train::train(&mut all, (volumes, side), &test[..SHOWN.min(test.len())], &mut run)?;
            println!(
                "{} parameters trained in {:.0} s{}",
                all.net.param_count(),
                run.seconds(),
                memory::told()
            );
            let metrics = run.finish(&all.net)?;
            println!("{}", chart::curve("held-out dice by epoch", &metrics.series("held-out dice")));
        }
    }
    let start = Instant::now();
    let dice = train::mean_dice(&mut all.net, &test)?;
    let each = start.elapsed().as_secs_f64() / test.len() as f64;
    let likely = test.iter().take(SHOWN).map(|volume| train::likely(&mut all.net, volume));
    let likely = likely.collect::<kiln::Result<Vec<_>>>()?;
    let shown: Vec<_> = test.iter().zip(likely.iter().map(Vec::as_slice)).collect();
    let png = options.run.folder("segment3d")?.join("slices.png");
    slices::picture(&shown).save(&png)?;
    println!("slices, the truth green and the net's red, in {}", png.display());
    let trivial = volume::by_threshold(&test);
    println!(
        "held-out dice: {dice:.4} over {} volumes, {each:.2} s each; the best threshold of each has {trivial:.4}",
        test.len()
    );
    Ok(())
}

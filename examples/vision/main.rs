//! The nets of a decade of vision, small, read digits: `cargo run --release --example vision -- --net resnet`.
//!
//! 4,000 images of MNIST to train with, moved by up to two pixels, and 1,000 to test with. `--help` lists the options.

mod nets;
mod train;

use kiln_examples::run::RunOptions;
use kiln_examples::svg::{self, Line, Plot, Scale};
use kiln_examples::{Result, cli, mnist};
use nets::{alexnet::AlexNet, mobilenet::MobileNet, nasnet::NasNet, resnet::ResNet, vgg::Vgg};
use std::path::Path;
use std::process::ExitCode;
use train::{Outcome, learn};

const HELP: &str = "\
Trains small versions of the nets of a decade on 4,000 images of digits and tests them on 1,000 others.

  --net NAME       alexnet, vgg, resnet, mobilenet, nasnet or all (default: all)
  --epochs N       passes over the images (default: 15)
  --images N       images to learn from (default: 4000)
  --seed N         of the weights, the order of images and their moves (default: 0)";

const NAMES: [&str; 5] = ["alexnet", "vgg", "resnet", "mobilenet", "nasnet"];
/// Their lines.
const COLOURS: [&str; 5] = ["royalblue", "crimson", "seagreen", "darkorange", "purple"];

struct Options {
    net: String,
    epochs: usize,
    images: usize,
    seed: u64,
    run: RunOptions,
}

fn main() -> ExitCode {
    cli::main("vision", HELP, options(), run)
}

fn options() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let (mut net, mut epochs, mut images, mut seed) = ("all".to_string(), 15, 4000, 0);
    let run = cli::options(|name, args| {
        match name {
            "net" => net = args.value()?.string()?,
            "epochs" => epochs = args.value()?.parse()?,
            "images" => images = args.value()?.parse()?,
            "seed" => seed = args.value()?.parse()?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if let Some(fault) = unknown(&net) {
        return Err(fault.into());
    }
    if epochs == 0 {
        return Err("at least one epoch".into());
    }
    if !(1..=4000).contains(&images) {
        return Err("there are 1 to 4000 images to learn from".into());
    }
    Ok(run.map(|run| Options { net, epochs, images, seed, run }))
}

/// What is said where no net has that name.
fn unknown(net: &str) -> Option<String> {
    let known = net == "all" || NAMES.contains(&net);
    (!known).then(|| format!("no net `{net}`; there are {} and all", NAMES.join(", ")))
}

fn run(options: &Options) -> Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/mnist_5k.csv.gz");
    let (images, test) = mnist::split(&mnist::read(&file)?);
    let images = images.spread(options.images);
    let (data, how) = ((images, test), (options.epochs, options.seed));
    let names = NAMES.into_iter().filter(|name| options.net == "all" || options.net == *name);
    let names: Vec<&str> = names.collect();
    let mut outcomes = Vec::new();
    for (name, run) in names.iter().copied().zip(options.run.row("vision", &names)?) {
        outcomes.push(match name {
            "alexnet" => learn::<AlexNet>(name, &data, how, &run)?,
            "vgg" => learn::<Vgg>(name, &data, how, &run)?,
            "resnet" => learn::<ResNet>(name, &data, how, &run)?,
            "mobilenet" => learn::<MobileNet>(name, &data, how, &run)?,
            _ => learn::<NasNet>(name, &data, how, &run)?,
        });
    }
    let file = options.run.folder("vision")?.join("errors.svg");
    std::fs::write(&file, chart(&outcomes))?;
    println!("errors by epoch in {}", file.display());
    println!("{:9}  {:>10}  {:>8}  {:>10}", "net", "parameters", "accuracy", "s an epoch");
    for net in outcomes {
        let accuracy = net.accuracy.last().unwrap_or(&f64::NAN);
        println!("{:9}  {:>10}  {accuracy:>8.4}  {:>10.2}", net.name, net.parameters, net.seconds);
    }
    Ok(())
}

/// What is read wrong by epoch, a line a net.
fn chart(outcomes: &[Outcome]) -> String {
    let line = |net: &Outcome| {
        let colour = NAMES.iter().position(|name| *name == net.name).map_or("black", |i| COLOURS[i]);
        Line {
            name: net.name,
            colour,
            points: (1..).map(f64::from).zip(net.accuracy.iter().map(|share| 1.0 - share)).collect(),
        }
    };
    let title = "share of held-out digits read wrong, by epoch".into();
    svg::page(&[Plot { title, lines: outcomes.iter().map(line).collect(), y: Scale::Log, ..Plot::default() }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_net_that_is_not_there_is_told() {
        let told = "no net `lenet`; there are alexnet, vgg, resnet, mobilenet, nasnet and all";
        assert_eq!(unknown("lenet").as_deref(), Some(told));
        assert!(unknown("all").is_none() && NAMES.iter().all(|net| unknown(net).is_none()));
    }
}

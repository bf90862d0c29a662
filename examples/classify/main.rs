//! Names what is in a picture: `cargo run --release --example classify -- IMAGE`.
//!
//! Six nets of the zoo at their published size, with weights from a safetensors file of torchvision's names (NASNet's of those that
//! `pretrainedmodels` has); without one with weights that are no more than a hash, which shows speed and memory, and nothing about
//! the picture.

mod nets;
mod photo;
mod picture;

use kiln::Tensor;
use kiln_examples::{Result, cli, labels, memory};
use nets::Net;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const HELP: &str = "\
Names what is in a picture (JPEG or PNG), the five likeliest classes of ImageNet's 1,000.

  classify IMAGE

  --net NAME       alexnet, vgg16, resnet18, resnet50, mobilenet_v2, nasnet (default: resnet50)
  --weights FILE   safetensors under torchvision's names, for nasnet pretrainedmodels' (default: a fill that knows nothing)
  --labels FILE    names of the 1,000 classes, one a line (default: their numbers)
  --help           this text";

/// Classes that are told.
const TOLD: usize = 5;
/// Runs that are timed.
const RUNS: usize = 5;
/// Characters of the longest bar.
const WIDTH: f32 = 30.0;

struct Options {
    image: PathBuf,
    net: String,
    weights: Option<PathBuf>,
    labels: Option<PathBuf>,
}

fn main() -> ExitCode {
    cli::main_without_run("classify", HELP, options(), run)
}

fn options() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let (mut image, mut net) = (None, "resnet50".to_string());
    let (mut weights, mut labels) = (None, None);
    let mut args = lexopt::Parser::from_env();
    while let Some(arg) = args.next()? {
        match arg {
            Long("help") | Short('h') => return Ok(None),
            Long("net") => net = args.value()?.string()?,
            Long("weights") => weights = Some(args.value()?.into()),
            Long("labels") => labels = Some(args.value()?.into()),
            Value(path) if image.is_none() => image = Some(path.into()),
            other => return Err(other.unexpected()),
        }
    }
    let image = image.ok_or("no IMAGE is given")?;
    Ok(Some(Options { image, net, weights, labels }))
}

fn run(options: &Options) -> Result<()> {
    let picture = photo::read(&options.image)?;
    let labels = options.labels.as_deref().map(|path| labels::read(path, nets::CLASSES)).transpose()?;
    let start = Instant::now();
    let net = Net::load(&options.net, options.weights.as_deref())?;
    let loaded = start.elapsed();
    let x = picture::prepared(&picture, net.scale);
    let (scores, took) = scored(&net, &x)?;
    let from = match &options.weights {
        Some(path) => format!("weights of {}", path.display()),
        None => "weights that know nothing (--weights FILE loads some)".to_string(),
    };
    println!("{}, {} parameters, {from}", options.net, net.params);
    for (class, p) in likeliest(&scores) {
        let name = labels.as_ref().map_or(format!("class {class}"), |labels| labels[class].clone());
        let bar = "█".repeat((p * WIDTH).round() as usize);
        println!("{:5.1} % {bar:30} {name}", 100.0 * p);
    }
    println!(
        "{:.1} ms a picture, {:.2} s to load{}",
        milliseconds(took),
        loaded.as_secs_f64(),
        memory::told()
    );
    Ok(())
}

/// The scores, and the median time of some runs.
fn scored(net: &Net, x: &Tensor) -> Result<(Tensor, Duration)> {
    let mut scores = (net.scores)(x)?;
    let mut times = [Duration::ZERO; RUNS];
    for time in &mut times {
        let start = Instant::now();
        scores = (net.scores)(x)?;
        *time = start.elapsed();
    }
    times.sort();
    Ok((scores, times[RUNS / 2]))
}

/// The likeliest classes with their probabilities.
fn likeliest(scores: &Tensor) -> Vec<(usize, f32)> {
    let mut classes: Vec<(usize, f32)> = scores.softmax(1).as_slice().iter().copied().enumerate().collect();
    classes.sort_by(|a, b| b.1.total_cmp(&a.1));
    classes.truncate(TOLD);
    classes
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_come_first() {
        let mut scores = Tensor::zeros([1, 1000]);
        scores.as_mut_slice()[7] = 10.0;
        scores.as_mut_slice()[999] = 9.0;
        let told = likeliest(&scores);
        assert_eq!((told.len(), told[0].0, told[1].0), (5, 7, 999));
        assert!((told[0].1 / told[1].1 - 1f32.exp()).abs() < 1e-3);
    }
}

//! Times Kiln's kernels and whole nets; a JSON line each.
//!
//! `cargo run --release -p kiln-benches -- [--threads N] [--seconds S] [--only mlp_b1,gemm_64]`

mod convolutional;
mod gemm;
mod lstm;
mod mlp;
mod narrow;
mod rows;
mod transformers;

use kiln::kernels::threads::set_threads;
use std::process::exit;
use std::time::{Duration, Instant};

/// A name and what sets a workload up; what that gives is timed.
type Workload = (String, fn(usize) -> Box<dyn FnMut()>, usize);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let threads = number(&arguments, "--threads", 2);
    let seconds = number(&arguments, "--seconds", 1.0);
    let only: Option<Vec<&str>> = option(&arguments, "--only").map(|names| names.split(',').collect());
    set_threads(threads);
    for (name, set_up, size) in workloads() {
        if only.as_ref().is_none_or(|only| only.contains(&name.as_str())) {
            report(&name, threads, seconds, set_up(size));
        }
    }
}

fn workloads() -> Vec<Workload> {
    let mut all: Vec<Workload> = vec![
        ("mlp_b1".into(), |_| Box::new(mlp::one()), 1),
        ("mlp_b64".into(), |_| Box::new(mlp::batch()), 64),
        ("mlp_train".into(), |_| Box::new(mlp::train()), 64),
        ("lstm_b1".into(), |_| Box::new(lstm::one()), 1),
        ("lstm_b32".into(), |_| Box::new(lstm::batch()), 32),
        ("lstm_train".into(), |_| Box::new(lstm::train()), 32),
        ("resnet18_b1".into(), |_| Box::new(convolutional::resnet18()), 1),
        ("mobilenet_v2_b1".into(), |_| Box::new(convolutional::mobilenet_v2()), 1),
        ("vgg16_b1".into(), |_| Box::new(convolutional::vgg16()), 1),
        ("resnet20_train".into(), |_| Box::new(convolutional::resnet20()), 32),
        ("encoder_b1".into(), |_| Box::new(transformers::encoder()), 1),
        ("gpt_train".into(), |_| Box::new(transformers::gpt()), 8),
        ("decode_b1".into(), |_| Box::new(transformers::decode()), 1),
        ("decode_b1_bf16".into(), |_| Box::new(narrow::decode()), 1),
        ("norm_gelu".into(), |_| Box::new(rows::norm_gelu()), 1024),
        ("softmax".into(), |_| Box::new(rows::softmax()), 1024),
    ];
    all.extend(gemm::SIZES.map(|n| -> Workload { (format!("gemm_{n}"), |n| Box::new(gemm::product(n)), n) }));
    all
}

/// What follows the name of an option.
fn option<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    let at = arguments.iter().position(|argument| argument == name)?;
    Some(arguments.get(at + 1).map_or("", |value| value))
}

/// The number that follows the name of an option.
fn number<T: std::str::FromStr>(arguments: &[String], name: &str, default: T) -> T {
    match option(arguments, name).map(str::parse) {
        None => default,
        Some(Ok(number)) => number,
        Some(Err(_)) => {
            eprintln!("{name} wants a number");
            exit(2)
        }
    }
}

/// The median time of a call, over some seconds after a warm-up.
fn report(workload: &str, threads: usize, seconds: f64, mut run: impl FnMut()) {
    (0..3).for_each(|_| run());
    let end = Instant::now() + Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let mut times = Vec::new();
    while Instant::now() < end || times.len() < 5 {
        let start = Instant::now();
        run();
        times.push(start.elapsed());
    }
    times.sort();
    let median = times[times.len() / 2].as_secs_f64() * 1e3;
    let runs = times.len();
    println!(
        r#"{{"workload": "{workload}", "peer": "kiln", "threads": {threads}, "median_ms": {median:.5}, "runs": {runs}}}"#
    );
}

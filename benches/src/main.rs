//! Times Kiln's kernels and whole nets; a JSON line each. What a workload gives is compared with the eager run before.
//!
//! `cargo run --release -p kiln-benches -- [--threads N] [--seconds S] [--only mlp_b1,gemm_64] [--memory]`
//!
//! With `--memory` nothing is timed or compared: a line has the bytes of weights, of them frozen, of what comes in and out and of scratch, and the most that the process had
//! after three calls; one workload a process.

mod convolutional;
mod gemm;
mod lstm;
mod mlp;
mod narrow;
mod rows;
mod transformers;
mod workload;

use kiln::kernels::threads::set_threads;
use std::process::exit;
use std::time::{Duration, Instant};
use workload::{Outcome, SetUp, Workload};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let threads = number(&arguments, "--threads", 2);
    let seconds = number(&arguments, "--seconds", 1.0);
    let memory = arguments.iter().any(|argument| argument == "--memory");
    let only: Option<Vec<&str>> = option(&arguments, "--only").map(|names| names.split(',').collect());
    set_threads(threads);
    for (name, set_up) in workloads() {
        if only.as_ref().is_none_or(|only| only.contains(&name)) {
            let line = set_up(!memory).and_then(|workload| match memory {
                true => most(name, workload),
                false => timed(name, threads, seconds, workload),
            });
            match line {
                Ok(line) => println!("{line}"),
                Err(error) => {
                    eprintln!("{name}: {error}");
                    exit(1)
                }
            }
        }
    }
}

fn workloads() -> Vec<(&'static str, SetUp)> {
    vec![
        ("mlp_b1", mlp::ONE),
        ("mlp_b64", mlp::BATCH_OF_64),
        ("mlp_train", mlp::TRAIN),
        ("lstm_b1", lstm::ONE),
        ("lstm_b32", lstm::BATCH_OF_32),
        ("lstm_train", lstm::TRAIN),
        ("resnet18_b1", convolutional::RESNET18),
        ("mobilenet_v2_b1", convolutional::MOBILENET_V2),
        ("vgg16_b1", convolutional::VGG16),
        ("resnet20_train", convolutional::RESNET20),
        ("encoder_b1", transformers::ENCODER),
        ("gpt_train", transformers::GPT),
        ("decode_b1", transformers::DECODE),
        ("decode_b1_bf16", narrow::DECODE),
        ("norm_gelu", rows::NORM_GELU),
        ("softmax", rows::softmax),
        ("gemm_64", gemm::product::<64>),
        ("gemm_128", gemm::product::<128>),
        ("gemm_256", gemm::product::<256>),
        ("gemm_512", gemm::product::<512>),
        ("gemm_1024", gemm::product::<1024>),
        ("gemm_2048", gemm::product::<2048>),
    ]
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
fn timed(
    workload: &str,
    threads: usize,
    seconds: f64,
    Workload { mut run, .. }: Workload,
) -> Outcome<String> {
    (0..3).try_for_each(|_| run())?;
    let end = Instant::now() + Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let mut times = Vec::new();
    while Instant::now() < end || times.len() < 5 {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed());
    }
    times.sort();
    let median = times[times.len() / 2].as_secs_f64() * 1e3;
    let runs = times.len();
    Ok(format!(
        r#"{{"workload": "{workload}", "peer": "kiln", "threads": {threads}, "median_ms": {median:.5}, "runs": {runs}}}"#
    ))
}

/// Bytes of weights, of them frozen, of what comes in and out and of scratch, and the most that the process had so far, where the system tells.
fn most(workload: &str, Workload { mut run, kept, frozen, passed, scratch }: Workload) -> Outcome<String> {
    (0..3).try_for_each(|_| run())?;
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kib =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
    let peak: usize = kib.ok_or("the system doesn't tell how much memory a process had")?;
    Ok(format!(
        r#"{{"workload": "{workload}", "kept": {kept}, "frozen": {frozen}, "passed": {passed}, "scratch": {scratch}, "peak": {}}}"#,
        peak * 1024
    ))
}

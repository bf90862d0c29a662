//! Times Kiln's kernels; a JSON line each.
//!
//! `cargo run --release -p kiln-benches -- [--threads N] [--only gemm_64,gemm_128]`

use kiln::kernels::gemm::{Matrix, gemm_into};
use kiln::kernels::threads::set_threads;
use std::time::{Duration, Instant};

/// Edges of the square products that are timed.
const SIZES: [usize; 6] = [64, 128, 256, 512, 1024, 2048];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| arguments.iter().position(|a| a == name).and_then(|i| arguments.get(i + 1));
    let threads: usize = match option("--threads").map(|n| n.parse()) {
        None => 2,
        Some(Ok(n)) => n,
        Some(Err(error)) => {
            eprintln!("--threads wants a number: {error}");
            std::process::exit(2);
        }
    };
    set_threads(threads);
    let only: Option<Vec<&str>> = option("--only").map(|names| names.split(',').collect());
    for n in SIZES {
        let name = format!("gemm_{n}");
        if only.as_ref().is_none_or(|only| only.contains(&name.as_str())) {
            report(&name, threads, gemm_of(n));
        }
    }
}

/// One product of two `[n, n]` matrices a call.
fn gemm_of(n: usize) -> impl FnMut() {
    let numbers =
        |seed: usize| (0..n * n).map(|i| ((i * seed) % 17) as f32 / 17.0 - 0.5).collect::<Vec<f32>>();
    let (a, b, mut out) = (numbers(7), numbers(11), vec![0.0; n * n]);
    move || {
        gemm_into(n, n, n, Matrix::rows(&a, n), Matrix::rows(&b, n), &mut out, n);
        std::hint::black_box(&out);
    }
}

/// The median time of a call, over one second after a warm-up.
fn report(workload: &str, threads: usize, mut run: impl FnMut()) {
    (0..3).for_each(|_| run());
    let end = Instant::now() + Duration::from_secs(1);
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

//! What the peers' programs have in common: their options, which are those of Kiln's own bench, and its clock.
//!
//! `[--threads N] [--seconds S] [--only A,B]`; a line a workload, `{"workload", "peer", "threads", "median_ms", "runs"}`, or with
//! `"error"` where a workload fails.

use std::error::Error;
use std::process::exit;
use std::time::{Duration, Instant};

/// What goes wrong, of any crate.
pub type Outcome<T> = Result<T, Box<dyn Error>>;
/// What a call does, which is timed.
pub type Run = Box<dyn FnMut() -> Outcome<()>>;

/// A peer, and what is asked of it.
pub struct Bench {
    peer: &'static str,
    threads: usize,
    seconds: f64,
    only: Option<Vec<String>>,
}

impl Bench {
    /// Reads the options, and tells rayon how many threads there are. First thing in a program.
    pub fn new(peer: &'static str) -> Bench {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let threads = number(&arguments, "--threads", 2);
        // SAFETY: no other thread is there yet that could read the environment.
        unsafe { std::env::set_var("RAYON_NUM_THREADS", threads.to_string()) };
        let only = option(&arguments, "--only").map(|names| names.split(',').map(str::to_owned).collect());
        Bench { peer, threads, seconds: number(&arguments, "--seconds", 1.0), only }
    }

    /// How many there may be.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Sets a workload up, if it is asked for, and prints the median time of a call.
    pub fn time(&self, workload: &str, set_up: impl FnOnce() -> Outcome<Run>) {
        if self.only.as_ref().is_some_and(|only| !only.iter().any(|name| name == workload)) {
            return;
        }
        let (peer, threads) = (self.peer, self.threads);
        let tail = match set_up().and_then(|run| median(self.seconds, run)) {
            Ok((ms, runs)) => format!(r#""median_ms": {ms:.5}, "runs": {runs}"#),
            Err(error) => format!(r#""error": {:?}"#, error.to_string()),
        };
        println!(r#"{{"workload": "{workload}", "peer": "{peer}", "threads": {threads}, {tail}}}"#);
    }
}

/// The median time of a call in ms, over some seconds after a warm-up, and the number of calls.
fn median(seconds: f64, mut run: Run) -> Outcome<(f64, usize)> {
    for _ in 0..3 {
        run()?;
    }
    let end = Instant::now() + Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let mut times = Vec::new();
    while Instant::now() < end || times.len() < 5 {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed());
    }
    times.sort();
    Ok((times[times.len() / 2].as_secs_f64() * 1e3, times.len()))
}

/// Fails where a net has another size than the published one, or gives another shape, or what is no number.
pub fn plausible(found: (usize, &[usize]), wanted: (usize, &[usize]), numbers: &[f32]) -> Outcome<()> {
    if found != wanted {
        return Err(format!("parameters and shape are {found:?}, not {wanted:?}").into());
    }
    let alike = numbers.len() > 1 && numbers.iter().all(|x| *x == numbers[0]);
    match numbers.iter().all(|x| x.is_finite()) && !alike {
        true => Ok(()),
        false => Err("all that comes out is the same, or no number".into()),
    }
}

/// Fails where a loss isn't less after 20 steps on the same batch.
pub fn learns(mut step: impl FnMut() -> Outcome<f32>) -> Outcome<()> {
    let first = step()?;
    let mut last = first;
    for _ in 0..20 {
        last = step()?;
    }
    match last < first {
        true => Ok(()),
        false => Err(format!("the loss is {first} at first and {last} after 20 steps").into()),
    }
}

/// What follows the name of an option.
fn option<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    let at = arguments.iter().position(|argument| argument == name)?;
    Some(arguments.get(at + 1).map_or("", String::as_str))
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

//! Other programs, what they print, and what they take.

use crate::Outcome;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Clock ticks of a second in /proc, on every Linux.
const TICKS: f64 = 100.0;

/// What a program took from its start to its end.
pub struct Taken {
    /// Seconds on the clock.
    pub wall: f64,
    /// Seconds that processors worked for it and those that it began.
    pub work: f64,
}

/// Runs a program to its end.
pub fn run(command: &mut Command) -> Outcome<(String, Taken)> {
    let (start, before) = (Instant::now(), work());
    let output = command.output()?;
    let taken = Taken { wall: start.elapsed().as_secs_f64(), work: work() - before };
    match output.status.success() {
        true => Ok((String::from_utf8_lossy(&output.stdout).into_owned(), taken)),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}

/// The most memory that a program has before it ends, in bytes, which is looked up again and again.
pub fn peak(command: &mut Command) -> Outcome<usize> {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let mut most = 0;
    loop {
        most = so_far(&child).unwrap_or(0).max(most);
        match child.try_wait()? {
            None => std::thread::sleep(Duration::from_millis(2)),
            Some(status) if status.success() => return Ok(most),
            Some(status) => return Err(format!("{command:?} ended with {status}").into()),
        }
    }
}

/// The most that a process had so far.
fn so_far(child: &Child) -> Option<usize> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<usize>().ok()? * 1024)
}

/// Seconds that processors worked for processes begun here that have ended, where the system tells.
fn work() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(13).take(2);
    fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS
}

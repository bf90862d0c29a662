//! How long a call takes.

use std::time::{Duration, Instant};

/// Calls that are timed at least.
const LEAST: usize = 3;
/// How long short calls are timed.
const LONG: Duration = Duration::from_millis(500);

/// Seconds of a call: the median of three behind a first one, or of as many as half a second has.
pub fn median(mut call: impl FnMut() -> kiln::Result<()>) -> kiln::Result<f64> {
    call()?;
    let (begin, mut times) = (Instant::now(), Vec::new());
    while times.len() < LEAST || begin.elapsed() < LONG {
        let start = Instant::now();
        call()?;
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

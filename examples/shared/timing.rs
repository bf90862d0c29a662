//! How long a call takes.

use std::time::Instant;

/// Calls that are timed.
const RUNS: usize = 3;

/// Seconds of a call: the median of three behind a first one.
pub fn median(mut call: impl FnMut() -> kiln::Result<()>) -> kiln::Result<f64> {
    call()?;
    let mut times = [0.0; RUNS];
    for time in &mut times {
        let start = Instant::now();
        call()?;
        *time = start.elapsed().as_secs_f64();
    }
    times.sort_by(f64::total_cmp);
    Ok(times[RUNS / 2])
}

//! How far a training is.

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Lines at most, where there is no terminal.
const LINES: usize = 40;
/// Parts of a step that the bar shows.
const FINE: u64 = 1000;

/// A bar with the time spent and left where there is a terminal to draw it in, lines where there is none.
pub struct Progress {
    what: &'static str,
    total: usize,
    done: usize,
    /// What was done before `begun`.
    before: usize,
    begun: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// So many steps of a kind, `"epoch"`, of which some are done.
    pub fn new(what: &'static str, total: usize, done: usize) -> Progress {
        let style =
            ProgressStyle::with_template("{prefix} {bar:30} {percent:>3} % {msg}  {elapsed}, {eta} left");
        let all = ProgressBar::with_draw_target(Some(total as u64 * FINE), ProgressDrawTarget::stdout());
        let bar = std::io::stdout().is_terminal().then(|| {
            let bar = all.with_style(style.expect("a sound template"));
            bar.set_prefix(format!("{what} {done}/{total}"));
            bar.set_position(done as u64 * FINE);
            bar.reset_eta();
            bar.tick();
            bar
        });
        Progress { what, total, done, before: done, begun: Instant::now(), bar }
    }

    /// So much of the step that is under way is done, of so much.
    pub fn within(&self, part: usize, whole: usize) {
        if let Some(bar) = &self.bar {
            bar.set_position(self.done as u64 * FINE + part as u64 * FINE / whole.max(1) as u64);
        }
    }

    /// One step more, and how it stands.
    pub fn step(&mut self, state: String) {
        self.done += 1;
        match &self.bar {
            Some(bar) => {
                bar.set_prefix(format!("{} {}/{}", self.what, self.done, self.total));
                bar.set_message(state);
                bar.set_position(self.done as u64 * FINE);
            }
            None if self.done.is_multiple_of(self.total.div_ceil(LINES).max(1))
                || self.done == self.total =>
            {
                println!("{} {}/{}  {}{}", self.what, self.done, self.total, state.trim_end(), self.left())
            }
            None => {}
        }
    }

    /// The time left if it goes on as it went, to be written behind something else.
    fn left(&self) -> String {
        let (here, rest) = (self.done - self.before, self.total.saturating_sub(self.done));
        let left = self.begun.elapsed().as_secs_f64() * rest as f64 / here.max(1) as f64;
        match left >= 1.0 {
            true => format!("  {} left", HumanDuration(Duration::from_secs_f64(left))),
            false => String::new(),
        }
    }

    /// Leaves the bar as it is.
    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_goes_by_what_was_done_since_the_start() {
        let ago = |seconds| Instant::now() - Duration::from_secs(seconds);
        let at = |done, before| Progress { what: "epoch", total: 8, done, before, begun: ago(60), bar: None };
        // Two of eight in a minute, and two more behind a stop at four.
        assert_eq!(at(2, 0).left(), "  3 minutes left");
        assert_eq!(at(6, 4).left(), "  60 seconds left");
        assert_eq!(at(8, 0).left(), "");
    }
}

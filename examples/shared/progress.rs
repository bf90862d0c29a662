//! How far a training is.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// Lines at most, where there is no terminal.
const LINES: usize = 40;

/// A bar with the time spent and left where there is a terminal to draw it in, lines where there is none.
pub struct Progress {
    what: &'static str,
    total: usize,
    done: usize,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// So many steps of a kind, `"epoch"`, of which some are done.
    pub fn new(what: &'static str, total: usize, done: usize) -> Progress {
        let style =
            ProgressStyle::with_template("{prefix} {pos}/{len} {bar:30} {msg}  {elapsed}, {eta} left");
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stdout());
        let bar = std::io::stdout().is_terminal().then(|| {
            let bar = bar.with_style(style.expect("a sound template")).with_prefix(what);
            bar.set_position(done as u64);
            bar.reset_eta();
            bar.tick();
            bar
        });
        Progress { what, total, done, bar }
    }

    /// One step more, and how it stands.
    pub fn step(&mut self, state: String) {
        self.done += 1;
        match &self.bar {
            Some(bar) => {
                bar.set_message(state);
                bar.inc(1);
            }
            None if self.done.is_multiple_of(self.total.div_ceil(LINES).max(1))
                || self.done == self.total =>
            {
                println!("{} {}/{}  {state}", self.what, self.done, self.total)
            }
            None => {}
        }
    }

    /// Leaves the bar as it is.
    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish();
        }
    }
}

//! A long run: a folder with metrics, curves, weights and a checkpoint to go on from.
//!
//! A run is a row of parts (epochs). What a part does hangs on the [`State`] before it and on its number alone, and the order
//! of data is drawn when a part begins, so a run that is taken up again ends with the same bits.

use crate::Result;
use crate::checkpoint::{Parts, State};
use crate::metrics::{Metrics, Writer};
use crate::progress::Progress;
use kiln::Params;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Seconds between two checkpoints, at least.
const EVERY: Duration = Duration::from_secs(5);

/// Where a run goes, and whether it goes on.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// The folder; one of the example's name in the temporary directory without it.
    pub folder: Option<PathBuf>,
    /// The folder in it of a run that is one of several.
    pub own: Option<&'static str>,
    /// Go on from the checkpoint in the folder.
    pub resume: bool,
    /// Stop behind so many parts.
    pub stop: Option<usize>,
}

impl RunOptions {
    /// The run folder of an example, which is made if it isn't there.
    pub fn folder(&self, example: &str) -> Result<PathBuf> {
        let folder = match &self.folder {
            Some(folder) => folder.clone(),
            None => std::env::temp_dir().join(format!("kiln-{example}")),
        };
        std::fs::create_dir_all(&folder).map_err(|e| named(&folder, &e))?;
        Ok(folder)
    }

    /// The options of several runs of an example, one behind the other, each with a folder of its own name. If they go on, those that
    /// hadn't begun before the stop begin now; if they don't, no checkpoint of an earlier row is left.
    pub fn row(&self, example: &str, names: &[&'static str]) -> Result<Vec<RunOptions>> {
        let folder = self.folder(example)?;
        let mut row = Vec::new();
        for (i, name) in names.iter().enumerate() {
            let file = checkpoint(&folder.join(name));
            if !self.resume && file.exists() {
                std::fs::remove_file(&file).map_err(|e| named(&file, &e))?;
            }
            // Without the first one's checkpoint there is nothing to go on from, which opening it tells.
            let resume = self.resume && (i == 0 || file.exists());
            row.push(RunOptions { folder: Some(folder.clone()), own: Some(name), resume, stop: self.stop });
        }
        Ok(row)
    }
}

/// A run that was told to stop before its end.
#[derive(Debug)]
pub struct Stopped(String);

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Stopped {}

/// A run that is under way.
pub struct Run {
    /// Where its files go.
    pub folder: PathBuf,
    /// What `--run` is given to go on.
    place: PathBuf,
    /// What it has told so far.
    pub metrics: Metrics,
    part: &'static str,
    total: usize,
    stop: Option<usize>,
    settings: String,
    writer: Writer,
    bar: Progress,
    saved: Instant,
    begun: Instant,
    before: f64,
}

impl Run {
    /// Opens the folder of an example for so many parts of a kind, `"epoch"`. `settings` names all that the result hangs on:
    /// a checkpoint of others is refused.
    pub fn open(
        options: &RunOptions,
        example: &str,
        (part, total): (&'static str, usize),
        settings: String,
        state: &mut impl State,
    ) -> Result<Run> {
        let place = options.folder(example)?;
        let folder = options.own.map_or(place.clone(), |own| place.join(own));
        std::fs::create_dir_all(&folder).map_err(|e| named(&folder, &e))?;
        let settings = format!("{example}: {total} {part}s, {settings}");
        let file = checkpoint(&folder);
        let (metrics, before) = match options.resume {
            true => restore(&file, &settings, state).map_err(|e| named(&file, &*e))?,
            false => Default::default(),
        };
        let writer = Writer::create(&folder, part, &metrics).map_err(|e| named(&folder, &e))?;
        let (bar, now) = (Progress::new(part, total, metrics.len()), Instant::now());
        let stop = options.stop;
        Ok(Run {
            folder,
            place,
            metrics,
            part,
            total,
            stop,
            settings,
            writer,
            bar,
            saved: now,
            begun: now,
            before,
        })
    }

    /// The parts that are still to do, from 0.
    pub fn rest(&self) -> Range<usize> {
        self.metrics.len()..self.total
    }

    /// Seconds that all parts so far took, those before a stop as well.
    pub fn seconds(&self) -> f64 {
        self.before + self.begun.elapsed().as_secs_f64()
    }

    /// So many steps of so many of the part that is under way are done, which is only shown.
    pub fn within(&self, step: usize, steps: usize) {
        self.bar.within(step, steps);
    }

    /// A part is done: writes down what was measured, and a checkpoint if the last one is a while ago. `beside` is only shown.
    /// [`Stopped`] is the error where the run was told to stop here. A measure that is no number ends the run before it is written.
    pub fn log(&mut self, values: &[(&str, f64)], beside: &str, state: &impl State) -> Result<()> {
        if let Some((name, value)) = values.iter().find(|(_, value)| !value.is_finite()) {
            let part = format!("{} {}", self.part, self.metrics.len() + 1);
            return Err(
                format!("{name} is {value} in {part}: a label that is no class, or too high a rate").into()
            );
        }
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        self.metrics.push(wall, values);
        let done = self.metrics.len();
        self.writer.row(self.part, &self.metrics, done - 1)?;
        let told: Vec<String> = values.iter().map(|(name, v)| format!("{name} {v:.4}")).collect();
        self.bar.step(format!("{}  {beside}", told.join("  ")));
        let stopped = self.stop.is_some_and(|stop| stop <= done && done < self.total);
        if stopped || done == self.total || self.saved.elapsed() >= EVERY {
            self.save(state)?;
        }
        let place = self.place.display();
        match stopped {
            true => Err(Stopped(format!(
                "stopped behind {} {done}; go on with --run {place} --resume",
                self.part
            ))
            .into()),
            false => Ok(()),
        }
    }

    fn save(&mut self, state: &impl State) -> Result<()> {
        let mut parts = Parts::default();
        parts.put("settings", self.settings.clone().into());
        parts.put("metrics", self.metrics.encode().into());
        parts.put("seconds", self.seconds().to_string().into());
        state.store(&mut parts)?;
        let file = checkpoint(&self.folder);
        parts.write(&file).map_err(|e| named(&file, &*e))?;
        self.saved = Instant::now();
        Ok(std::fs::write(self.folder.join("curves.svg"), self.metrics.curves(self.part))?)
    }

    /// Leaves the weights in the folder, and says so.
    pub fn finish(self, weights: &impl Params) -> Result<Metrics> {
        self.bar.finish();
        weights.save(self.folder.join("weights.safetensors"))?;
        println!("metrics, curves and weights in {}", self.folder.display());
        Ok(self.metrics)
    }
}

fn checkpoint(folder: &Path) -> PathBuf {
    folder.join("checkpoint.safetensors")
}

/// The metrics and the seconds so far.
fn restore(file: &Path, settings: &str, state: &mut impl State) -> Result<(Metrics, f64)> {
    let parts = Parts::read(file)?;
    let theirs = parts.text("settings")?;
    if theirs != settings {
        return Err(format!("a checkpoint of `{theirs}`, not of `{settings}`").into());
    }
    let metrics = Metrics::decode(parts.text("metrics")?).ok_or("metrics of another form")?;
    let seconds = parts.text("seconds")?.parse()?;
    state.restore(&parts)?;
    Ok((metrics, seconds))
}

fn named(path: &Path, what: &(impl fmt::Display + ?Sized)) -> String {
    format!("{}: {what}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many parts were done.
    struct Count(u8);

    impl State for Count {
        fn store(&self, parts: &mut Parts) -> Result<()> {
            parts.put("count", vec![self.0]);
            Ok(())
        }

        fn restore(&mut self, parts: &Parts) -> Result<()> {
            self.0 = parts.get("count")?[0];
            Ok(())
        }
    }

    /// Runs a row of two runs of two parts; what was counted in each, or how it ended.
    fn counted(options: &RunOptions) -> Result<Vec<(u8, usize)>> {
        let one = |options: &RunOptions| {
            let mut count = Count(0);
            let mut run = Run::open(options, "row", ("part", 2), String::new(), &mut count)?;
            let rest = run.rest();
            for _ in rest.clone() {
                count.0 += 1;
                run.log(&[("count", count.0.into())], "", &count)?;
            }
            Ok((count.0, rest.len()))
        };
        options.row("row", &["one", "two"])?.iter().map(one).collect()
    }

    #[test]
    fn a_row_of_runs_goes_on_where_it_was_stopped() {
        let folder = std::env::temp_dir().join(format!("kiln-row-{}", std::process::id()));
        let options = |resume, stop| RunOptions { folder: Some(folder.clone()), own: None, resume, stop };
        let told = |options| counted(&options).expect_err("an end before the end").to_string();
        assert!(told(options(true, None)).contains("one/checkpoint.safetensors: "));
        let stopped = format!("stopped behind part 1; go on with --run {} --resume", folder.display());
        assert_eq!(told(options(false, Some(1))), stopped);
        // The first one goes on and ends, the second one begins, and is stopped as well.
        assert_eq!(told(options(true, Some(1))), stopped);
        assert_eq!(counted(&options(true, None)).expect("an end"), [(2, 0), (2, 1)]);
        assert_eq!(told(options(false, Some(1))), stopped);
        assert!(!checkpoint(&folder.join("two")).exists(), "a checkpoint of the row before");
        assert_eq!(counted(&options(true, None)).expect("an end"), [(2, 1), (2, 2)]);
        std::fs::remove_dir_all(&folder).expect("it is there");
    }
}

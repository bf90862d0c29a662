//! What came out: accuracy and its spread, and whether the probabilities are what they say.

use crate::FOLDS;
use crate::net::Net;
use crate::passengers::Passenger;
use crate::train::{Forecast, NETS};
use kiln::prelude::*;
use kiln_examples::Result;
use kiln_examples::checkpoint::{Parts, State};
use kiln_examples::metrics::Metrics;
use kiln_examples::svg::{self, Line, Plot};

/// Steps of probability in the picture.
const BINS: usize = 10;

/// The nets of the last fold, and what was forecast in all folds so far.
pub struct Folds {
    /// The ensemble.
    pub nets: [Net; NETS],
    /// The probability by the nets, that by logistic regression, and 1 for who survived.
    all: Vec<[f32; 3]>,
}

impl Folds {
    /// None yet.
    pub fn new(seed: u64) -> Folds {
        Folds { nets: Params::init(&mut Rng::seed(seed)), all: Vec::new() }
    }

    /// One fold more; accuracies, and means of the squared errors (Brier, 1950).
    pub fn push(&mut self, forecast: &Forecast, test: &[&Passenger]) -> [(&'static str, f64); 4] {
        let ends = test.iter().map(|p| f32::from(u8::from(p.survived)));
        let both = forecast.nets.iter().zip(&forecast.logistic).zip(ends);
        let first = self.all.len();
        self.all.extend(both.map(|((nets, logistic), end)| [*nets, *logistic, end]));
        let mean = |of: &dyn Fn(&[f32; 3]) -> f64| {
            self.all[first..].iter().map(of).sum::<f64>() / test.len().max(1) as f64
        };
        let right = |k: usize| mean(&|row| f64::from(u8::from((row[k] > 0.5) == (row[2] > 0.5))));
        let square = |k: usize| mean(&|row| f64::from(row[k] - row[2]).powi(2));
        [
            ("accuracy", right(0)),
            ("brier", square(0)),
            ("logistic accuracy", right(1)),
            ("logistic brier", square(1)),
        ]
    }

    /// How many of those with about one probability survived: on the diagonal if it is what it says.
    pub fn reliability(&self) -> String {
        let line = |name, colour, k| {
            let bin = |b: usize| {
                let inside = |row: &&[f32; 3]| (row[k] * BINS as f32) as usize == b;
                let (p, end, n) = self.all.iter().filter(inside).fold((0.0, 0.0, 0.0), |(p, e, n), row| {
                    (p + f64::from(row[k]), e + f64::from(row[2]), n + 1.0)
                });
                (p / n, end / n)
            };
            Line { name, colour, points: (0..BINS).map(bin).collect() }
        };
        let title = "Share of survivors by probability".into();
        let diagonal = Line { name: "as it should be", colour: "grey", points: vec![(0.0, 0.0), (1.0, 1.0)] };
        let lines =
            vec![diagonal, line("ensemble", "royalblue", 0), line("logistic regression", "orange", 1)];
        svg::page(&[Plot { title, lines, ..Plot::default() }])
    }
}

impl State for Folds {
    fn store(&self, parts: &mut Parts) -> Result<()> {
        parts.put("nets", self.nets.to_bytes()?);
        parts.put("all", self.all.iter().flatten().flat_map(|p| p.to_le_bytes()).collect());
        Ok(())
    }

    fn restore(&mut self, parts: &Parts) -> Result<()> {
        let (numbers, _) = parts.get("all")?.as_chunks();
        let numbers: Vec<f32> = numbers.iter().map(|number| f32::from_le_bytes(*number)).collect();
        self.all = numbers.as_chunks().0.to_vec();
        Ok(self.nets.load_bytes(parts.get("nets")?)?)
    }
}

/// Prints accuracy and error of both, the spread over rounds and over folds.
pub fn print(metrics: &Metrics) {
    for (what, prefix) in [("logistic regression", "logistic "), ("ensemble", "")] {
        let named = |what: &str| metrics.series(&format!("{prefix}{what}"));
        let rounds: Vec<f64> =
            named("accuracy").chunks(FOLDS).map(|folds| mean_and_spread(folds).0).collect();
        let ((_, folds), (mean, spread)) = (mean_and_spread(&named("accuracy")), mean_and_spread(&rounds));
        let (brier, _) = mean_and_spread(&named("brier"));
        println!(
            "{what:19}  accuracy {mean:.4} (± {spread:.4} over rounds, ± {folds:.4} over folds)  Brier {brier:.4}"
        );
    }
}

fn mean_and_spread(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt())
}

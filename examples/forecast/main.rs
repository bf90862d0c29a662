//! An LSTM forecasts passengers of airlines: `cargo run --release --example forecast`.
//!
//! The net learns from 1949 to 1958 and forecasts 1959 and 1960, all 24 months from December 1958. How long and how wide was
//! chosen by the same on 1957 and 1958 from what was before (`--backtest`). `--help` lists the options.

mod explode;
mod net;
mod series;

use kiln::prelude::*;
use kiln_examples::checkpoint::{Parts, State};
use kiln_examples::run::{Run, RunOptions};
use kiln_examples::svg::{self, Plot};
use kiln_examples::{Result, cli};
use net::{FEATURES, Net, growth, train_step};
use series::{Growth, YEAR};
use std::path::Path;
use std::process::ExitCode;

const HELP: &str = "\
Trains an LSTM on ten years of airline passengers and forecasts the two years behind.

  --epochs N       training steps of each net (default: 15)
  --nets N         nets, whose forecasts are averaged (default: 5)
  --seed N         of the weights (default: 0)
  --backtest       learn from 1949 to 1956 and forecast 1957 and 1958, for choices";

/// Months that are forecast.
const AHEAD: usize = 2 * YEAR;
/// Months of a window to learn from.
const STEPS: usize = 36;

struct Options {
    epochs: usize,
    nets: usize,
    seed: u64,
    backtest: bool,
    run: RunOptions,
}

fn main() -> ExitCode {
    cli::main("forecast", HELP, options(), run)
}

fn options() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let (mut epochs, mut nets, mut seed, mut backtest) = (15, 5, 0, false);
    let run = cli::options(|name, args| {
        match name {
            "epochs" => epochs = args.value()?.parse()?,
            "nets" => nets = args.value()?.parse()?,
            "seed" => seed = args.value()?.parse()?,
            "backtest" => backtest = true,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if nets == 0 {
        return Err("at least one net".into());
    }
    Ok(run.map(|run| Options { epochs, nets, seed, backtest, run }))
}

/// The sum of the forecasts of the nets so far, and the last net.
struct Ensemble {
    sum: Vec<f64>,
    net: Net,
}

impl Ensemble {
    /// None yet.
    fn begin(seed: u64) -> Ensemble {
        Ensemble { sum: vec![0.0; AHEAD], net: Net::init(&mut Rng::seed(seed)) }
    }
}

impl State for Ensemble {
    fn store(&self, parts: &mut Parts) -> Result<()> {
        parts.put("sum", self.sum.iter().flat_map(|month| month.to_le_bytes()).collect());
        parts.put("net", self.net.to_bytes()?);
        Ok(())
    }

    fn restore(&mut self, parts: &Parts) -> Result<()> {
        let (months, _) = parts.get("sum")?.as_chunks();
        self.sum = months.iter().map(|month| f64::from_le_bytes(*month)).collect();
        Ok(self.net.load_bytes(parts.get("net")?)?)
    }
}

fn run(options: &Options) -> Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/AirPassengers.csv");
    let months = series::read(&file)?;
    let end = months.len() - AHEAD * if options.backtest { 2 } else { 1 };
    let (known, truth) = (&months[..end], &months[end..end + AHEAD]);
    let forecast = mean_forecast(known, options)?;
    let naive = series::seasonal_naive(known, AHEAD);
    let svg = options.run.folder("forecast")?.join("forecast.svg");
    std::fs::write(&svg, picture(known, truth, &forecast, &naive))?;
    println!("picture in {}", svg.display());
    gradients(known, options)?;
    let told = |name: &str, forecast: &[f64]| {
        let [mae, rmse, mape] = series::errors(forecast, truth);
        println!("{name:15} MAE {mae:6.2}  RMSE {rmse:6.2}  MAPE {mape:5.2} %");
        mae
    };
    let (naive, own) = (told("seasonal naive", &naive), told("LSTM", &forecast));
    println!("forecast MAE: {own:.2} thousand passengers, {:.2} of seasonal naive's", own / naive);
    Ok(())
}

/// The mean of the forecasts of several nets that learned from the same months.
fn mean_forecast(known: &[f64], options: &Options) -> Result<Vec<f64>> {
    let Options { epochs, nets, seed, backtest, run } = options;
    let settings = format!("{epochs} epochs, seed {seed}, backtest {backtest}");
    let mut all = Ensemble::begin(*seed);
    let mut run = Run::open(run, "forecast", ("net", *nets), settings, &mut all)?;
    learn_all(&mut all, known, (*epochs, *seed), &mut run)?;
    run.finish(&all.net)?;
    Ok(all.sum.iter().map(|sum| sum / *nets as f64).collect())
}

/// Each net is a part of the run.
fn learn_all(all: &mut Ensemble, known: &[f64], (epochs, seed): (usize, u64), run: &mut Run) -> Result<()> {
    let growth = Growth::of(known);
    for i in run.rest() {
        let (net, loss) = learn(&growth, epochs, seed * 1000 + i as u64)?;
        for (sum, month) in all.sum.iter_mut().zip(forecast(&net, &growth, known)?) {
            *sum += month;
        }
        all.net = net;
        run.log(&[("loss", loss.into())], "", all)?;
    }
    Ok(())
}

/// A net that learned from all windows at once, and its loss.
fn learn(growth: &Growth, epochs: usize, seed: u64) -> kiln::Result<(Net, f32)> {
    let mut net = Net::init(&mut Rng::seed(seed));
    let mut opt = AdamW::new(&net, 1e-2);
    let (x, y) = series::windows(&growth.values, STEPS)?;
    let mut loss = f32::NAN;
    for epoch in 0..epochs {
        opt.lr = 1e-2 * (1.0 - epoch as f64 / epochs as f64);
        loss = train_step(&mut net, &mut opt, &x, &y)?.item()?;
    }
    Ok((net, loss))
}

/// Month by month, each forecast being what the next one rests on.
fn forecast(net: &Net, growth_of: &Growth, known: &[f64]) -> kiln::Result<Vec<f64>> {
    let (mut values, mut months) = (growth_of.values.clone(), known.to_vec());
    for _ in 0..AHEAD {
        let x = Tensor::from_vec([values.len(), 1, FEATURES], series::features(&values, 0))?;
        let next = growth(net, &x)?.as_slice().last().map_or(0.0, |g| f64::from(*g));
        values.push(next);
        months.push(growth_of.month(months[months.len() - YEAR], next));
    }
    Ok(months.split_off(known.len()))
}

/// Draws how gradients grow over time and while training, over windows of six years.
fn gradients(known: &[f64], options: &Options) -> Result<()> {
    let (x, y) = series::windows(&Growth::of(known).values, 6 * YEAR)?;
    let (windows, steps) = (y.shape()[1], y.shape()[0]);
    let last = Tensor::from_vec([windows, 1], y.as_slice()[(steps - 1) * windows..].to_vec())?;
    let lengths = explode::measure(&x, &last, options.seed)?;
    let svg = options.run.folder("forecast")?.join("gradients.svg");
    std::fs::write(&svg, lengths.svg)?;
    let [wide, usual, orthogonal] = lengths.growth;
    println!(
        "an RNN's gradient over six years backwards: times {wide:.1e} from wide weights, {usual:.1e} from PyTorch's, {orthogonal:.1e} from orthogonal ones; {}",
        svg.display()
    );
    Ok(())
}

fn picture(known: &[f64], truth: &[f64], forecast: &[f64], naive: &[f64]) -> String {
    let years = (known.len() + truth.len()) / YEAR;
    let names = (0..years).map(|y| ((y * YEAR) as f64, (1949 + y).to_string())).collect();
    let behind = known.len();
    let lines = vec![
        svg::steps("known", "black", 0, known),
        svg::steps("truth", "grey", behind, truth),
        svg::steps("seasonal naive", "orange", behind, naive),
        svg::steps("LSTM", "royalblue", behind, forecast),
    ];
    let title = "Airline passengers by month, thousands".into();
    svg::page(&[Plot { title, lines, names, ..Plot::default() }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_changes_no_bit() {
        let months: Vec<f64> = (0..60).map(|i| 100.0 + f64::from(i * i % 17 + i)).collect();
        kiln_examples::stop::changes_no_bit(
            "forecast",
            || Ensemble::begin(0),
            |all, run| learn_all(all, &months, (2, 0), run),
        );
    }
}

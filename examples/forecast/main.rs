//! An LSTM forecasts passengers of airlines: `cargo run --release --example forecast`.
//!
//! The net learns from 1949 to 1958 and forecasts 1959 and 1960, all 24 months from December 1958. How long and how wide was
//! chosen by the same on 1957 and 1958 from what was before (`--backtest`). `--help` lists the options.

mod net;
mod series;

use kiln::prelude::*;
use kiln_examples::cli;
use kiln_examples::progress::Progress;
use kiln_examples::svg::{self, Line};
use net::{FEATURES, Net, growth, train_step};
use series::{Growth, YEAR};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
Trains an LSTM on ten years of airline passengers and forecasts the two years behind.

  --epochs N    training steps of each net (default: 15)
  --nets N      nets, whose forecasts are averaged (default: 5)
  --seed N      of the weights (default: 0)
  --backtest    learn from 1949 to 1956 and forecast 1957 and 1958, for choices
  --svg FILE    where the picture goes (default: forecast.svg in the temporary directory)
  --help        this text";

/// Months that are forecast.
const AHEAD: usize = 2 * YEAR;
/// Months of a window to learn from.
const STEPS: usize = 36;

struct Options {
    epochs: usize,
    nets: usize,
    seed: u64,
    backtest: bool,
    svg: PathBuf,
}

fn main() -> ExitCode {
    cli::main("forecast", HELP, options(), run)
}

/// The options; `None` if only help is wanted.
fn options() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let svg = std::env::temp_dir().join("forecast.svg");
    let mut options = Options { epochs: 15, nets: 5, seed: 0, backtest: false, svg };
    let mut args = lexopt::Parser::from_env();
    while let Some(arg) = args.next()? {
        match arg {
            Long("epochs") => options.epochs = args.value()?.parse()?,
            Long("nets") => options.nets = args.value()?.parse()?,
            Long("seed") => options.seed = args.value()?.parse()?,
            Long("backtest") => options.backtest = true,
            Long("svg") => options.svg = args.value()?.into(),
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    if options.nets == 0 {
        return Err("at least one net".into());
    }
    Ok(Some(options))
}

fn run(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/AirPassengers.csv");
    let months = series::read(&file)?;
    let end = months.len() - AHEAD * if options.backtest { 2 } else { 1 };
    let (known, truth) = (&months[..end], &months[end..end + AHEAD]);
    let forecast = mean_forecast(known, options)?;
    let naive = series::seasonal_naive(known, AHEAD);
    std::fs::write(&options.svg, picture(known, truth, &forecast, &naive))?;
    println!("picture in {}", options.svg.display());
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
fn mean_forecast(known: &[f64], options: &Options) -> kiln::Result<Vec<f64>> {
    let growth = Growth::of(known);
    let mut mean = vec![0.0; AHEAD];
    let mut progress = Progress::new("net", options.nets);
    for i in 0..options.nets {
        let (net, loss) = learn(&growth, options.epochs, options.seed * 1000 + i as u64)?;
        for (sum, month) in mean.iter_mut().zip(forecast(&net, &growth, known)?) {
            *sum += month / options.nets as f64;
        }
        progress.step(format!("loss {loss:.4}"));
    }
    progress.finish();
    Ok(mean)
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

fn picture(known: &[f64], truth: &[f64], forecast: &[f64], naive: &[f64]) -> String {
    let years = (known.len() + truth.len()) / YEAR;
    let names: Vec<(usize, String)> = (0..years).map(|y| (y * YEAR, (1949 + y).to_string())).collect();
    let behind = known.len();
    let lines = [
        Line { name: "known", colour: "black", first: 0, values: known },
        Line { name: "truth", colour: "grey", first: behind, values: truth },
        Line { name: "seasonal naive", colour: "orange", first: behind, values: naive },
        Line { name: "LSTM", colour: "royalblue", first: behind, values: forecast },
    ];
    svg::lines("Airline passengers by month, thousands", &names, &lines)
}

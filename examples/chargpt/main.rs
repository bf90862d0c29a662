//! A small GPT learns to write: `cargo run --release --example chargpt`.
//!
//! It learns from nine tenths of the Gospels and Acts, character by character, tells how many bits a character of the last
//! tenth takes, and writes on from a beginning. `--help` lists the options.

mod net;
mod text;
mod write;

use kiln::prelude::*;
use kiln_examples::progress::Progress;
use kiln_examples::{chart, cli};
use net::{Gpt, T, loss, train_step};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;
use write::Draw;

const HELP: &str = "\
Trains a small GPT on nine tenths of the Gospels and Acts and writes on from a beginning.

  --steps N          training steps (default: 2000)
  --seed N           of the weights, the windows and the writing (default: 0)
  --write N          characters to write (default: 400)
  --prompt TEXT      what to write on from (default: \"And Jesus said\")
  --temperature X    of the draw; the lower, the surer (default: 0.8)
  --top N            so many of the likeliest may be drawn (default: 20)
  --help             this text";

/// Windows of a step.
const BATCH: usize = 16;
/// The highest rate.
const LEARNING_RATE: f64 = 3e-3;

struct Options {
    steps: usize,
    seed: u64,
    write: usize,
    prompt: String,
    draw: Draw,
}

fn main() -> ExitCode {
    cli::main("chargpt", HELP, options(), run)
}

/// The options; `None` if only help is wanted.
fn options() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let draw = Draw { temperature: 0.8, top: 20 };
    let mut options = Options { steps: 2000, seed: 0, write: 400, prompt: "And Jesus said".into(), draw };
    let mut args = lexopt::Parser::from_env();
    while let Some(arg) = args.next()? {
        match arg {
            Long("steps") => options.steps = args.value()?.parse()?,
            Long("seed") => options.seed = args.value()?.parse()?,
            Long("write") => options.write = args.value()?.parse()?,
            Long("prompt") => options.prompt = args.value()?.string()?,
            Long("temperature") => options.draw.temperature = args.value()?.parse()?,
            Long("top") => options.draw.top = args.value()?.parse()?,
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    if options.draw.temperature.is_nan() || options.draw.temperature <= 0.0 {
        return Err("the temperature is above 0".into());
    }
    Ok(Some(options))
}

fn run(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let prompt = text::encode(&options.prompt).filter(|ids| !ids.is_empty());
    let prompt = prompt.ok_or("the prompt is empty or has characters that the text hasn't")?;
    let (ids, held_out) = text::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data/gospels.txt.gz"))?;
    let mut rng = Rng::seed(options.seed);
    let mut net = Gpt::init(&mut rng);
    let start = Instant::now();
    let bits = learn(&mut net, &ids, options.steps, &mut rng)?;
    println!("{}", chart::curve("bits per character while training", &bits));
    println!("{} parameters trained in {:.0} s", net.param_count(), start.elapsed().as_secs_f64());
    let start = Instant::now();
    let text = write::write(&net, &prompt, options.write, &options.draw, &mut rng)?;
    println!("{}{text}", options.prompt);
    println!("{:.0} characters/s", options.write as f64 / start.elapsed().as_secs_f64());
    println!("held-out bits per character: {:.3}", held_out_bits(&net, &held_out)?);
    Ok(())
}

/// Trains a net; the mean bits per character in each fortieth of the steps.
fn learn(net: &mut Gpt, ids: &[i64], steps: usize, rng: &mut Rng) -> kiln::Result<Vec<f32>> {
    let mut opt = AdamW::new(net, LEARNING_RATE);
    let parts = steps.min(40);
    let mut progress = Progress::new("part", parts);
    let mut bits = Vec::new();
    for part in 0..parts {
        let (first, behind) = (part * steps / parts, (part + 1) * steps / parts);
        let (mut sum, start) = (0.0, Instant::now());
        for step in first..behind {
            // Up in a line, then down to 0 along half a cosine (Loshchilov and Hutter, 2017).
            let way = step as f64 / steps as f64;
            let cosine = (1.0 + (std::f64::consts::PI * way).cos()) / 2.0;
            opt.lr = LEARNING_RATE * (20.0 * way + 0.01).min(1.0) * cosine;
            let (x, next) = text::random(ids, BATCH, rng)?;
            sum += train_step(net, &mut opt, &x, &next)?.item()?;
        }
        let count = behind - first;
        let speed = (count * BATCH * T) as f64 / start.elapsed().as_secs_f64();
        bits.push(sum / count as f32 / std::f32::consts::LN_2);
        progress.step(format!("{:.3} bits per character  {speed:.0} characters/s", bits[part]));
    }
    progress.finish();
    Ok(bits)
}

/// Over windows one behind the other, each of which begins without what was before.
fn held_out_bits(net: &Gpt, ids: &[i64]) -> kiln::Result<f32> {
    let starts: Vec<usize> = (0..ids.len() - T).step_by(T).collect();
    let mut sum = 0.0;
    for some in starts.chunks(BATCH) {
        let (x, next) = text::windows(ids, some)?;
        sum += loss(net, &x, &next)?.item()? * some.len() as f32;
    }
    Ok(sum / starts.len() as f32 / std::f32::consts::LN_2)
}

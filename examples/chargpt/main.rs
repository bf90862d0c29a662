//! A small GPT learns to write: `cargo run --release --example chargpt`.
//!
//! It learns from nine tenths of the Gospels and Acts, character by character, tells how many bits a character of the last
//! tenth takes, and writes on from a beginning. `--gpt2` writes with GPT-2 small at its full size. `--help` lists the options.

mod draw;
mod full;
mod net;
mod text;
mod write;

use draw::Draw;
use kiln::prelude::*;
use kiln_examples::run::{Run, RunOptions};
use kiln_examples::{Result, Training, chart, cli};
use net::{Gpt, T, loss, train_step};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

const HELP: &str = "\
Trains a small GPT on nine tenths of the Gospels and Acts and writes on from a beginning.

  --steps N        training steps (default: 2000)
  --seed N         of the weights, the windows and the writing (default: 0)
  --write N        characters to write (default: 400)
  --prompt TEXT    what to write on from (default: \"And Jesus said\")
  --temperature X  of the draw; the lower, the surer (default: 0.8)
  --top-k N        so many of the likeliest may be drawn (default: 20)
  --top-p X        the likeliest may be drawn that have this share of the probability together (default: 1)
  --gpt2 FILE      write tokens with GPT-2 small and these weights, safetensors under Hugging Face's names; `fill` takes weights that
                   know nothing
  --ids N,N,...    the tokens that GPT-2 writes on from (default: 50256, where every text begins)";

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
    gpt2: Option<PathBuf>,
    ids: Vec<i64>,
    run: RunOptions,
}

fn main() -> ExitCode {
    cli::main("chargpt", HELP, options(), run)
}

fn options() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let mut options = Options {
        steps: 2000,
        seed: 0,
        write: 400,
        prompt: "And Jesus said".into(),
        draw: Draw { temperature: 0.8, top_k: 20, top_p: 1.0 },
        gpt2: None,
        ids: vec![full::BEGIN],
        run: RunOptions::default(),
    };
    let run = cli::options(|name, args| {
        match name {
            "steps" => options.steps = args.value()?.parse()?,
            "seed" => options.seed = args.value()?.parse()?,
            "write" => options.write = args.value()?.parse()?,
            "prompt" => options.prompt = args.value()?.string()?,
            "temperature" => options.draw.temperature = args.value()?.parse()?,
            "top-k" => options.draw.top_k = args.value()?.parse()?,
            "top-p" => options.draw.top_p = args.value()?.parse()?,
            "gpt2" => options.gpt2 = Some(args.value()?.into()),
            "ids" => {
                let ids = args.value()?.string()?;
                options.ids = ids
                    .split(',')
                    .map(|id| id.trim().parse::<i64>())
                    .collect::<Result<_, _>>()
                    .map_err(|_| format!("`{ids}` are no numbers with commas between them"))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if let Some(fault) = options.draw.fault() {
        return Err(fault.into());
    }
    Ok(run.map(|run| Options { run, ..options }))
}

fn run(options: &Options) -> Result<()> {
    if let Some(file) = &options.gpt2 {
        let file = (file != Path::new("fill")).then_some(file.as_path());
        let mut rng = Rng::seed(options.seed);
        return full::write(file, &options.ids, options.write, &options.draw, &mut rng);
    }
    let prompt = text::encode(&options.prompt).filter(|ids| !ids.is_empty());
    let prompt = prompt.ok_or("the prompt is empty or has characters that the text hasn't")?;
    let (ids, held_out) = text::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/gospels.txt.gz"))?;
    let mut training = begin(options.seed);
    let settings = format!("{} steps, seed {}", options.steps, options.seed);
    let parts = ("part", options.steps.min(40));
    let mut run = Run::open(&options.run, "chargpt", parts, settings, &mut training)?;
    learn(&mut training, &ids, options.steps, &mut run)?;
    println!("{} parameters trained in {:.0} s", training.net.param_count(), run.seconds());
    let metrics = run.finish(&training.net)?;
    println!("{}", chart::curve("bits per character while training", &metrics.series("bits per character")));
    let Training { net, rng, .. } = &mut training;
    let start = Instant::now();
    let text = write::write(net, &prompt, options.write, &options.draw, rng)?;
    println!("{}{text}", options.prompt);
    println!("{:.0} characters/s", options.write as f64 / start.elapsed().as_secs_f64());
    println!("held-out bits per character: {:.3}", held_out_bits(net, &held_out)?);
    Ok(())
}

/// A net of random weights.
fn begin(seed: u64) -> Training<Gpt, AdamW<Gpt>> {
    let mut rng = Rng::seed(seed);
    let net = Gpt::init(&mut rng);
    Training { opt: AdamW::new(&net, LEARNING_RATE), net, rng }
}

/// Trains a net, by as many steps in each part of the run.
fn learn(training: &mut Training<Gpt, AdamW<Gpt>>, ids: &[i64], steps: usize, run: &mut Run) -> Result<()> {
    let parts = run.rest();
    for part in parts.clone() {
        let Training { net, opt, rng } = training;
        let (first, behind) = (part * steps / parts.end, (part + 1) * steps / parts.end);
        let (mut sum, start) = (0.0, Instant::now());
        for step in first..behind {
            run.within(step - first, behind - first);
            // Up in a line, then down to 0 along half a cosine (Loshchilov and Hutter, 2017).
            let way = step as f64 / steps as f64;
            let cosine = (1.0 + (std::f64::consts::PI * way).cos()) / 2.0;
            opt.lr = LEARNING_RATE * (20.0 * way + 0.01).min(1.0) * cosine;
            let (x, next) = text::random(ids, BATCH, rng)?;
            sum += train_step(net, opt, &x, &next)?.item()?;
        }
        let count = behind - first;
        let speed = (count * BATCH * T) as f64 / start.elapsed().as_secs_f64();
        let bits = f64::from(sum) / count as f64 / std::f64::consts::LN_2;
        run.log(&[("bits per character", bits)], &format!("{speed:.0} characters/s"), training)?;
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_changes_no_bit() {
        let ids: Vec<i64> = (0..4 * T as i64).map(|i| i * i % net::VOCAB as i64).collect();
        kiln_examples::stop::changes_no_bit("chargpt", || begin(0), |all, run| learn(all, &ids, 2, run));
    }
}

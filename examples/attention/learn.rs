//! The training loop, which the nets share, and the measure.

use crate::nets::{COPIED, Net, PLACES, SYMBOLS};
use kiln::optim::schedule;
use kiln::prelude::*;
use kiln_examples::run::{Run, RunOptions};
use kiln_examples::{Result, Training};

/// Sequences of a step.
const BATCH: usize = 8;
/// The highest rate.
const LEARNING_RATE: f64 = 3e-3;
/// Parts of a run, at most.
pub const PARTS: usize = 40;
/// Sequences that are read at the end.
const READ: usize = 64;

/// How a net learned.
pub struct Curve {
    /// Share of the symbols that were copied, after each part.
    pub accuracy: Vec<f64>,
    /// At the end, on other sequences.
    pub held_out: f64,
}

/// Trains a net, and tests it.
pub fn learn<P: Net>(name: &'static str, (steps, seed): (usize, u64), options: &RunOptions) -> Result<Curve> {
    let mut training = begin::<P>(seed);
    let settings = format!("{steps} steps, seed {seed}");
    let mut run = Run::open(options, name, ("part", steps.min(PARTS)), settings, &mut training)?;
    train(name, &mut training, (steps, seed), &mut run)?;
    let held_out = copied(&training.net, READ, seed + 1)?;
    Ok(Curve { held_out, accuracy: run.finish(&training.net)?.series("copied") })
}

/// A net of random weights. All nets see the same sequences.
fn begin<P: Net>(seed: u64) -> Training<P, AdamW<P>> {
    let mut rng = Rng::seed(seed);
    let net = P::init(&mut rng.clone());
    Training { opt: AdamW::new(&net, LEARNING_RATE), net, rng: Rng::seed(rng.next_u64()) }
}

fn train<P: Net>(
    name: &str,
    training: &mut Training<P, AdamW<P>>,
    (steps, seed): (usize, u64),
    run: &mut Run,
) -> Result<()> {
    let parts = run.rest();
    for part in parts.clone() {
        let Training { net, opt, rng } = &mut *training;
        let mut loss = 0.0;
        let (first, behind) = (part * steps / parts.end, (part + 1) * steps / parts.end);
        for step in first..behind {
            run.within(step - first, behind - first);
            opt.lr = schedule::warmup_cosine(
                LEARNING_RATE,
                step as u64 + 1,
                (steps / 10) as u64,
                steps as u64 + 1,
            );
            let (x, y) = sequences(BATCH, rng)?;
            loss += f64::from(net.step(opt, &x, &y)?) / (behind - first) as f64;
        }
        let copied = copied(net, BATCH, seed)?;
        run.log(&[("loss", loss), ("copied", copied)], name, training)?;
    }
    Ok(())
}

/// The share of symbols copied in sequences of another generator.
fn copied(net: &impl Net, count: usize, seed: u64) -> kiln::Result<f64> {
    let (x, y) = sequences(count, &mut Rng::seed(!seed))?;
    let read = net.read(&x)?;
    let right = read.as_slice().iter().zip(y.as_slice()).filter(|(read, y)| read == y).count();
    Ok(right as f64 / y.as_slice().len() as f64)
}

/// Sequences `[N, PLACES]`, and what they ask for, `[N, COPIED]`.
fn sequences(count: usize, rng: &mut Rng) -> kiln::Result<(Tensor<i64>, Tensor<i64>)> {
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let start = x.len();
        x.extend((0..PLACES - COPIED).map(|_| rng.below(SYMBOLS) as i64));
        x.extend([SYMBOLS as i64; COPIED]);
        y.extend_from_slice(&x[start..start + COPIED]);
    }
    Ok((Tensor::from_vec([count, PLACES], x)?, Tensor::from_vec([count, COPIED], y)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nets::{Exact, Linformer, Performer};
    use kiln_examples::stop;

    #[test]
    fn the_first_symbols_are_asked_for_at_the_last_places() {
        let (x, y) = sequences(2, &mut Rng::seed(0)).expect("as many as the shapes have");
        let second = &x.as_slice()[PLACES..];
        assert_eq!(second[..COPIED], y.as_slice()[COPIED..]);
        assert!(second[PLACES - COPIED..].iter().all(|id| *id == SYMBOLS as i64));
        assert!(second[..PLACES - COPIED].iter().all(|id| (0..SYMBOLS as i64).contains(id)));
    }

    /// One sequence over and over: each kind of attention learns it by heart.
    fn learns<P: Net>() {
        let mut rng = Rng::seed(0);
        let mut net = P::init(&mut rng);
        let mut opt = AdamW::new(&net, 1e-2);
        let (x, y) = sequences(1, &mut rng).expect("as many as the shapes have");
        let first = net.step(&mut opt, &x, &y).expect("shapes fit");
        let last = (0..20).map(|_| net.step(&mut opt, &x, &y).expect("shapes fit")).last().expect("some");
        assert!((2.0..4.0).contains(&first) && last < 0.5 * first, "{first} to {last}");
    }

    #[test]
    fn each_kind_learns() {
        learns::<Exact>();
        learns::<Linformer>();
        learns::<Performer>();
    }

    #[test]
    fn a_stop_changes_no_bit() {
        let example = "attention";
        stop::changes_no_bit(example, || begin::<Linformer>(0), |all, run| train(example, all, (2, 0), run));
    }
}

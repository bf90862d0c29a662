//! The training loop, the mean of the weights over time, and what the loss is worth.

use crate::net::{CLASSES, UNet, loss, train_step};
use kiln::optim::schedule;
use kiln::prelude::*;
use kiln_examples::checkpoint::{Parts, State};
use kiln_examples::mnist::{Images, PIXELS, SIDE};
use kiln_examples::run::Run;
use kiln_examples::{Result, Training};
use std::time::Instant;

/// Images of a step.
const BATCH: usize = 32;
/// The highest rate.
const LEARNING_RATE: f64 = 2e-3;
/// Share of the mean weights that stays, at most.
const KEPT: f32 = 0.998;
/// Of ten images one is learned from without its class.
const UNTOLD: f32 = 0.1;
/// The least angle; the greatest is as far from a right angle.
pub const EDGE: f32 = 0.02;

/// A net, and the mean of its weights over time, which draws better.
pub struct Diffusion {
    /// What learns.
    pub training: Training<UNet, AdamW<UNet>>,
    /// What draws.
    pub mean: UNet,
}

impl State for Diffusion {
    fn store(&self, parts: &mut Parts) -> Result<()> {
        self.training.store(parts)?;
        parts.put("mean", self.mean.to_bytes()?);
        Ok(())
    }

    fn restore(&mut self, parts: &Parts) -> Result<()> {
        self.training.restore(parts)?;
        Ok(self.mean.load_bytes(parts.get("mean")?)?)
    }
}

/// A net of random weights.
pub fn begin(seed: u64) -> Diffusion {
    let mut rng = Rng::seed(seed);
    let net = UNet::init(&mut rng);
    Diffusion { mean: net.clone(), training: Training { opt: AdamW::new(&net, LEARNING_RATE), net, rng } }
}

/// Trains a net, and says how it goes. The rate rises for a twentieth of the steps and falls to 0 along half a cosine.
pub fn train(all: &mut Diffusion, images: &Images, test: &Images, run: &mut Run) -> Result<()> {
    let epochs = run.rest();
    let steps = (epochs.end * images.len().div_ceil(BATCH)) as u64;
    for _ in epochs {
        let start = Instant::now();
        let loss = one_epoch(all, images, steps, run)?;
        let speed = images.len() as f64 / start.elapsed().as_secs_f64();
        let held_out = test_loss(&all.mean, test)?;
        run.log(&[("loss", loss), ("held-out loss", held_out)], &format!("{speed:.0} images/s"), all)?;
    }
    Ok(())
}

fn one_epoch(all: &mut Diffusion, images: &Images, steps: u64, run: &Run) -> kiln::Result<f64> {
    let Training { net, opt, rng } = &mut all.training;
    let mut total = 0.0;
    for (i, numbers) in rng.permutation(images.len()).chunks(BATCH).enumerate() {
        run.within(i * BATCH, images.len());
        let done = opt.steps() as u64;
        opt.lr = schedule::warmup_cosine(LEARNING_RATE, done + 1, steps / 20, steps + 1);
        let (x, mut class) = tensors(&images.pick(numbers))?;
        for class in class.iter_mut().filter(|_| rng.uniform() < UNTOLD) {
            *class = CLASSES as i64;
        }
        let angle: Vec<f32> = numbers.iter().map(|_| angle(rng.uniform())).collect();
        total += f64::from(train_step(net, opt, &x, &class, &angle, rng)?.item()?) * class.len() as f64;
        follow(&mut all.mean, net, KEPT.min((1.0 + done as f32) / (10.0 + done as f32)));
    }
    Ok(total / images.len() as f64)
}

/// Pictures of numbers from −1 to 1, `[N, 1, 28, 28]`, and their classes.
fn tensors(images: &Images) -> kiln::Result<(Tensor, Vec<i64>)> {
    let pixels = images.pixels.iter().map(|grey| 2.0 * grey - 1.0).collect();
    Ok((Tensor::from_vec([images.len(), 1, SIDE, SIDE], pixels)?, images.labels.clone()))
}

/// The angle at a share of the way from picture to noise.
pub fn angle(way: f32) -> f32 {
    EDGE + (std::f32::consts::FRAC_PI_2 - 2.0 * EDGE) * way
}

/// Moves the mean a little towards the net.
fn follow(mean: &mut UNet, net: &UNet, kept: f32) {
    let mut places = Vec::new();
    mean.leaves_mut("", &mut places);
    for (place, leaf) in places.into_iter().zip(net.named_leaves()) {
        if let (Some(mean), Some(new)) = (place.tensor.into_f32(), leaf.tensor.as_f32()) {
            mean.as_mut_slice()
                .iter_mut()
                .zip(new.as_slice())
                .for_each(|(m, n)| *m += (1.0 - kept) * (n - *m));
        }
    }
}

/// Parts of the way at which [`test_loss`] measures.
const PLACES: usize = 10;

/// The loss over images that weren't learned from, at angles spread evenly, with the same noise for each call.
pub fn test_loss(net: &UNet, test: &Images) -> kiln::Result<f64> {
    let (mut rng, mut total) = (Rng::seed(1), 0.0);
    for start in (0..test.len()).step_by(100) {
        let numbers: Vec<usize> = (start..test.len().min(start + 100)).collect();
        let (x, class) = tensors(&test.pick(&numbers))?;
        let angle: Vec<f32> = numbers.iter().map(|i| place(*i)).collect();
        total += f64::from(loss(net, &x, &class, &angle, &mut rng)?.item()?) * numbers.len() as f64;
    }
    Ok(total / test.len() as f64)
}

fn place(i: usize) -> f32 {
    angle((i % PLACES) as f32 / PLACES as f32 + 0.5 / PLACES as f32)
}

/// The loss, expected at the same angles, of the best that can be told of each pixel by itself: that it is normal with the mean
/// and the variance s² of what was learned from. Its error of the direction is `s² / (cos² φ · s² + sin² φ)`.
pub fn trivial_loss(images: &Images, test: &Images) -> f64 {
    let n = images.len() as f64;
    let (mut sum, mut squares) = (vec![0.0; PIXELS], vec![0.0; PIXELS]);
    for (i, grey) in images.pixels.iter().enumerate() {
        let x = 2.0 * f64::from(*grey) - 1.0;
        sum[i % PIXELS] += x;
        squares[i % PIXELS] += x * x;
    }
    let mut total = 0.0;
    for (i, grey) in test.pixels.iter().enumerate() {
        let mean = sum[i % PIXELS] / n;
        let variance = (squares[i % PIXELS] / n - mean * mean).max(1e-6);
        let (sin, cos) = f64::from(place(i / PIXELS)).sin_cos();
        let off = 2.0 * f64::from(*grey) - 1.0 - mean;
        // The forecast of x is off by that much: through the share of the mixture that is trusted, by picture and by noise.
        let trust = cos * variance / (cos * cos * variance + sin * sin);
        let x = ((1.0 - trust * cos) * off).powi(2) + (trust * sin).powi(2);
        total += x / (sin * sin);
    }
    total / test.pixels.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pixels that are black or white by chance have mean 0 and variance 1: the direction is then as far off as it is long.
    #[test]
    fn the_trivial_loss_is_what_it_says() {
        let mut rng = Rng::seed(0);
        let mut images = |grey: fn(&mut Rng) -> f32| Images {
            pixels: (0..1000 * PIXELS).map(|_| grey(&mut rng)).collect(),
            labels: vec![0; 1000],
        };
        let (chance, grey) = (images(|rng| rng.below(2) as f32), images(|_| 0.3));
        assert!((trivial_loss(&chance, &chance) - 1.0).abs() < 0.01);
        assert!(trivial_loss(&grey, &grey) < 1e-3);
    }

    #[test]
    fn a_stop_changes_no_bit() {
        let mut rng = Rng::seed(0);
        let images = Images { pixels: (0..2 * PIXELS).map(|_| rng.uniform()).collect(), labels: vec![3, 4] };
        let train = |all: &mut Diffusion, run: &mut Run| super::train(all, &images, &images.pick(&[0]), run);
        kiln_examples::stop::changes_no_bit("diffuse", || begin(0), train);
    }

    #[test]
    fn the_mean_moves_towards_the_net() {
        let Diffusion { training, mut mean } = begin(0);
        let net = training.net.zeros_like();
        let before = mean.norm().item().expect("one number");
        follow(&mut mean, &net, 0.75);
        let after = mean.norm().item().expect("one number");
        assert!((after / before - 0.75).abs() < 1e-5);
    }
}

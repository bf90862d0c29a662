//! The training loop, and the measure of what was learned.

use crate::net::{Mlp, predict, train_step};
use kiln::prelude::*;
use kiln_examples::mnist::{Images, PIXELS};
use kiln_examples::progress::Progress;
use std::time::{Duration, Instant};

/// Images of a step.
const BATCH: usize = 64;
/// Of the first epoch.
const LEARNING_RATE: f64 = 3e-3;

/// What happened while training.
pub struct History {
    /// Mean loss of each epoch.
    pub losses: Vec<f32>,
    /// Time spent in training steps.
    pub time: Duration,
}

/// Trains a net, and says how it goes.
pub fn train(
    net: &mut Mlp,
    images: &Images,
    test: &Images,
    epochs: usize,
    rng: &mut Rng,
) -> kiln::Result<History> {
    let mut opt = Adam::new(net, LEARNING_RATE);
    let mut history = History { losses: Vec::new(), time: Duration::ZERO };
    let mut bar = Progress::new("epoch", epochs);
    for epoch in 1..=epochs {
        // Down to 0 along half a cosine (Loshchilov and Hutter, 2017).
        let done = (epoch - 1) as f64 / epochs as f64;
        opt.lr = LEARNING_RATE * (1.0 + (std::f64::consts::PI * done).cos()) / 2.0;
        let start = Instant::now();
        let loss = one_epoch(net, &mut opt, images, rng)?;
        let took = start.elapsed();
        history.losses.push(loss);
        history.time += took;
        let (accuracy, speed) = (accuracy(net, test)?, images.len() as f64 / took.as_secs_f64());
        let state = format!("loss {loss:.4}  accuracy {accuracy:.4}  {speed:.0} images/s");
        bar.step(state);
    }
    bar.finish();
    Ok(history)
}

/// One pass over the images in a random order; the mean loss.
fn one_epoch(net: &mut Mlp, opt: &mut Adam<Mlp>, images: &Images, rng: &mut Rng) -> kiln::Result<f32> {
    let mut total = 0.0;
    for numbers in rng.permutation(images.len()).chunks(BATCH) {
        let Images { pixels, labels } = images.pick_moved(numbers, rng);
        let x = Tensor::from_vec([labels.len(), PIXELS], pixels)?;
        total += train_step(net, opt, &x, &labels)?.item()? * labels.len() as f32;
    }
    Ok(total / images.len() as f32)
}

/// Predicted digits.
pub fn predictions(net: &Mlp, images: &Images) -> kiln::Result<Vec<i64>> {
    let x = Tensor::from_vec([images.len(), PIXELS], images.pixels.clone())?;
    Ok(predict(net, &x)?.into_vec())
}

/// The share of images whose digit is predicted.
pub fn accuracy(net: &Mlp, images: &Images) -> kiln::Result<f64> {
    let right = predictions(net, images)?.iter().zip(&images.labels).filter(|(p, y)| p == y).count();
    Ok(right as f64 / images.len() as f64)
}

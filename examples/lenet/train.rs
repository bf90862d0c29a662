//! The training loop.

use crate::net::{LeNet, predict, train_step};
use kiln::prelude::*;
use kiln_examples::mnist::{Images, SIDE};
use kiln_examples::progress::Progress;

/// Images of a step.
const BATCH: usize = 50;
/// The highest rate, which is reached after an eighth of all steps.
const LEARNING_RATE: f64 = 3e-3;

/// Trains a net, and says how it goes; the mean loss of each epoch.
pub fn train(net: &mut LeNet, images: &Images, epochs: usize, rng: &mut Rng) -> kiln::Result<Vec<f32>> {
    let mut opt = AdamW::new(net, LEARNING_RATE);
    let steps = (epochs * images.len().div_ceil(BATCH)) as f64;
    let mut progress = Progress::new("epoch", epochs);
    let (mut losses, mut done) = (Vec::new(), 0.0);
    for _ in 0..epochs {
        let mut total = 0.0;
        for numbers in rng.permutation(images.len()).chunks(BATCH) {
            // Up in a line, then down to 0 along half a cosine (Loshchilov and Hutter, 2017).
            let way: f64 = done / steps;
            let cosine = (1.0 + (std::f64::consts::PI * way).cos()) / 2.0;
            opt.lr = LEARNING_RATE * (8.0 * way + 0.01).min(1.0) * cosine;
            done += 1.0;
            let Images { pixels, labels } = images.pick_moved(numbers, rng);
            let x = Tensor::from_vec([labels.len(), 1, SIDE, SIDE], pixels)?;
            total += train_step(net, &mut opt, &x, &labels)?.item()? * labels.len() as f32;
        }
        losses.push(total / images.len() as f32);
        progress.step(format!("loss {:.4}", losses[losses.len() - 1]));
    }
    progress.finish();
    Ok(losses)
}

/// Predicted digits, a part of the images at a time.
pub fn predictions(net: &LeNet, images: &Images) -> kiln::Result<Vec<i64>> {
    let mut all = Vec::new();
    for start in (0..images.len()).step_by(100) {
        let numbers: Vec<usize> = (start..images.len().min(start + 100)).collect();
        let Images { pixels, labels } = images.pick(&numbers);
        let x = Tensor::from_vec([labels.len(), 1, SIDE, SIDE], pixels)?;
        all.extend(predict(net, &x)?.into_vec());
    }
    Ok(all)
}

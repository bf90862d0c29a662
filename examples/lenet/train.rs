//! The training loop.

use crate::net::{LeNet, predict, train_step};
use kiln::prelude::*;
use kiln_examples::mnist::{Images, SIDE};
use kiln_examples::run::Run;
use kiln_examples::{Result, Training};

/// Images of a step.
const BATCH: usize = 50;
/// The highest rate, which is reached after an eighth of all steps.
const LEARNING_RATE: f64 = 3e-3;

/// A net of random weights.
pub fn begin(seed: u64) -> Training<LeNet, AdamW<LeNet>> {
    let mut rng = Rng::seed(seed);
    let net = LeNet::init(&mut rng);
    Training { opt: AdamW::new(&net, LEARNING_RATE), net, rng }
}

/// Trains a net, and says how it goes.
pub fn train(training: &mut Training<LeNet, AdamW<LeNet>>, images: &Images, run: &mut Run) -> Result<()> {
    let epochs = run.rest();
    let steps = (epochs.end * images.len().div_ceil(BATCH)) as f64;
    for _ in epochs {
        let Training { net, opt, rng } = training;
        let mut total = 0.0;
        for (i, numbers) in rng.permutation(images.len()).chunks(BATCH).enumerate() {
            run.within(i * BATCH, images.len());
            // Up in a line, then down to 0 along half a cosine (Loshchilov and Hutter, 2017).
            let way = opt.steps() as f64 / steps;
            let cosine = (1.0 + (std::f64::consts::PI * way).cos()) / 2.0;
            opt.lr = LEARNING_RATE * (8.0 * way + 0.01).min(1.0) * cosine;
            let Images { pixels, labels } = images.pick_moved(numbers, rng);
            let x = Tensor::from_vec([labels.len(), 1, SIDE, SIDE], pixels)?;
            total += train_step(net, opt, &x, &labels)?.item()? * labels.len() as f32;
        }
        run.log(&[("loss", f64::from(total) / images.len() as f64)], "", training)?;
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use kiln_examples::mnist::PIXELS;
    use kiln_examples::run::RunOptions;

    /// Noise.
    fn images(labels: Vec<i64>) -> Images {
        let mut rng = Rng::seed(0);
        Images { pixels: (0..labels.len() * PIXELS).map(|_| rng.uniform()).collect(), labels }
    }

    #[test]
    fn a_stop_changes_no_bit() {
        let images = images((0..10).collect());
        kiln_examples::stop::changes_no_bit("lenet", || begin(0), |all, run| train(all, &images, run));
    }

    /// The loss of such a label is no number.
    #[test]
    fn a_label_that_is_no_digit_ends_the_run() {
        let folder = std::env::temp_dir().join(format!("kiln-lenet-label-{}", std::process::id()));
        let options = RunOptions { folder: Some(folder.clone()), ..RunOptions::default() };
        let mut training = begin(0);
        let mut run =
            Run::open(&options, "lenet", ("epoch", 2), String::new(), &mut training).expect("a folder");
        let error = train(&mut training, &images(vec![3, 10]), &mut run).expect_err("no digit").to_string();
        assert_eq!(error, "loss is NaN in epoch 1: a label that is no class, or too high a rate");
        assert!(!folder.join("checkpoint.safetensors").exists());
        std::fs::remove_dir_all(&folder).expect("it is there");
    }
}

//! The training loop, and the measure of what was learned.

use crate::net::{Mlp, predict, train_step};
use kiln::optim::schedule;
use kiln::prelude::*;
use kiln_examples::mnist::{Images, PIXELS};
use kiln_examples::run::Run;
use kiln_examples::{Result, Training};
use std::time::Instant;

/// Images of a step.
const BATCH: usize = 64;
/// Of the first epoch.
const LEARNING_RATE: f64 = 3e-3;

/// A net of random weights.
pub fn begin(seed: u64) -> Training<Mlp, Adam<Mlp>> {
    let mut rng = Rng::seed(seed);
    let net = Mlp::init(&mut rng);
    Training { opt: Adam::new(&net, LEARNING_RATE), net, rng }
}

/// Trains a net, and says how it goes. The rate falls to 0 along half a cosine (Loshchilov and Hutter, 2017).
pub fn train(
    training: &mut Training<Mlp, Adam<Mlp>>,
    images: &Images,
    test: &Images,
    run: &mut Run,
) -> Result<()> {
    let epochs = run.rest();
    for epoch in epochs.clone() {
        training.opt.lr = schedule::cosine(LEARNING_RATE, epoch as u64, epochs.end as u64, 0.0);
        let start = Instant::now();
        let loss = one_epoch(training, images)?;
        let speed = images.len() as f64 / start.elapsed().as_secs_f64();
        let accuracy = accuracy(&training.net, test)?;
        run.log(&[("loss", loss.into()), ("accuracy", accuracy)], &format!("{speed:.0} images/s"), training)?;
    }
    Ok(())
}

/// One pass over the images in a random order; the mean loss.
fn one_epoch(training: &mut Training<Mlp, Adam<Mlp>>, images: &Images) -> kiln::Result<f32> {
    let Training { net, opt, rng } = training;
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

#[cfg(test)]
mod tests {
    use super::*;
    use kiln_examples::checkpoint::{Parts, State};
    use kiln_examples::mnist;
    use kiln_examples::run::{RunOptions, Stopped};
    use std::path::{Path, PathBuf};

    const EPOCHS: usize = 3;

    /// All that a run leaves: its state, and the file of metrics.
    fn left(options: &RunOptions, images: &Images) -> Result<(Parts, String)> {
        let mut training = begin(1);
        let mut run = Run::open(options, "digits", ("epoch", EPOCHS), "seed 1".into(), &mut training)?;
        train(&mut training, images, images, &mut run)?;
        let folder = run.folder.clone();
        run.finish(&training.net)?;
        let mut parts = Parts::default();
        training.store(&mut parts)?;
        Ok((parts, std::fs::read_to_string(folder.join("metrics.csv"))?))
    }

    fn folder(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("kiln-{name}-{}", std::process::id()))
    }

    #[test]
    fn a_stop_changes_no_bit() {
        let all = mnist::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mnist_5k.csv.gz"));
        let images =
            all.expect("the file beside the example").pick(&(0..5000).step_by(20).collect::<Vec<_>>());
        let (whole, cut) = (folder("whole"), folder("cut"));
        let options = |folder: &PathBuf, resume, stop| RunOptions {
            folder: Some(folder.clone()),
            own: None,
            resume,
            stop,
        };
        let want = left(&options(&whole, false, None), &images).expect("a run");
        for (resume, stop) in [(false, 1), (true, 2)] {
            let stopped = left(&options(&cut, resume, Some(stop)), &images).err().expect("a stop");
            assert!(stopped.is::<Stopped>(), "{stopped}");
        }
        let got = left(&options(&cut, true, None), &images).expect("the rest of the run");
        assert!(got == want);
        let files = |folder: &Path| std::fs::read(folder.join("weights.safetensors")).expect("weights");
        assert!(files(&whole) == files(&cut));
        for name in ["curves.svg", "events.out.tfevents.kiln", "checkpoint.safetensors"] {
            assert!(cut.join(name).exists(), "{name}");
        }
        refusals(&cut);
        for folder in [whole, cut] {
            std::fs::remove_dir_all(folder).expect("the folder just written");
        }
    }

    /// A checkpoint that isn't there, of another run or cut off is told by name.
    fn refusals(cut: &Path) {
        let told = |folder: PathBuf, epochs| {
            let options = RunOptions { folder: Some(folder), resume: true, ..RunOptions::default() };
            let run = Run::open(&options, "digits", ("epoch", epochs), "seed 1".into(), &mut begin(1));
            let told = run.err().expect("nothing to go on from").to_string();
            assert!(told.contains("checkpoint.safetensors") && !told.contains('\n'), "{told}");
            told
        };
        let empty = folder("empty");
        told(empty.clone(), EPOCHS);
        std::fs::remove_dir_all(empty).expect("the folder just made");
        let other = told(cut.into(), 7);
        assert!(
            other.ends_with("of `digits: 3 epochs, seed 1`, not of `digits: 7 epochs, seed 1`"),
            "{other}"
        );
        let file = cut.join("checkpoint.safetensors");
        let whole = std::fs::read(&file).expect("a checkpoint");
        std::fs::write(&file, &whole[..whole.len() / 2]).expect("the same place");
        told(cut.into(), EPOCHS);
    }
}

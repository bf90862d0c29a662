//! The training loop, which all nets share, and the measure.

use crate::nets::Net;
use kiln::prelude::*;
use kiln_examples::mnist::{Images, SIDE};
use kiln_examples::run::{Run, RunOptions};
use kiln_examples::{Result, Training};

/// Images of a step.
const BATCH: usize = 50;
/// The highest rate, which is reached after an eighth of all steps.
const LEARNING_RATE: f64 = 3e-3;

/// What is measured on images that aren't learned from.
const ACCURACY: &str = "held-out accuracy";

/// What came of a net.
pub struct Outcome {
    /// The net's name.
    pub name: &'static str,
    /// Numbers trained.
    pub parameters: usize,
    /// Share of the test images that were read right, after each epoch.
    pub accuracy: Vec<f64>,
    /// Seconds of an epoch.
    pub seconds: f64,
}

/// Trains a net on images moved by up to two pixels, and reads others, which nothing is chosen by.
pub fn learn<P: Net>(
    name: &'static str,
    (images, test): &(Images, Images),
    (epochs, seed): (usize, u64),
    options: &RunOptions,
) -> Result<Outcome> {
    let mut rng = Rng::seed(seed);
    let net = P::init(&mut rng);
    let mut training = Training { opt: AdamW::new(&net, LEARNING_RATE).weight_decay(0.05), net, rng };
    let settings = format!("{} images, seed {seed}", images.len());
    let mut run = Run::open(options, name, ("epoch", epochs), settings, &mut training)?;
    let steps = (epochs * images.len().div_ceil(BATCH)) as f64;
    for _ in run.rest() {
        let Training { net, opt, rng } = &mut training;
        let mut total = 0.0;
        for (i, numbers) in rng.permutation(images.len()).chunks(BATCH).enumerate() {
            run.within(i * BATCH, images.len());
            // Up in a line, then down to 0 along half a cosine (Loshchilov and Hutter, 2017).
            let way = opt.steps() as f64 / steps;
            let cosine = (1.0 + (std::f64::consts::PI * way).cos()) / 2.0;
            opt.lr = LEARNING_RATE * (8.0 * way + 0.01).min(1.0) * cosine;
            let Images { pixels, labels } = images.pick_moved(numbers, rng);
            let x = Tensor::from_vec([labels.len(), 1, SIDE, SIDE], pixels)?;
            total += f64::from(net.step(opt, &x, &labels, rng)?) * labels.len() as f64;
        }
        let right = accuracy(net, test)?;
        run.log(&[("loss", total / images.len() as f64), (ACCURACY, right)], name, &training)?;
    }
    let seconds = run.seconds() / epochs.max(1) as f64;
    let (parameters, metrics) = (training.net.param_count(), run.finish(&training.net)?);
    Ok(Outcome { name, parameters, accuracy: metrics.series(ACCURACY), seconds })
}

/// The share that is read right, a part of the images at a time.
fn accuracy(net: &mut impl Net, images: &Images) -> kiln::Result<f64> {
    let mut right = 0;
    for start in (0..images.len()).step_by(100) {
        let numbers: Vec<usize> = (start..images.len().min(start + 100)).collect();
        let Images { pixels, labels } = images.pick(&numbers);
        let x = Tensor::from_vec([labels.len(), 1, SIDE, SIDE], pixels)?;
        right += net.read(&x)?.iter().zip(&labels).filter(|(read, label)| read == label).count();
    }
    Ok(right as f64 / images.len().max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nets::{alexnet::AlexNet, mobilenet::MobileNet, nasnet::NasNet, resnet::ResNet, vgg::Vgg};
    use kiln_examples::mnist::{self, PIXELS};
    use std::path::Path;

    /// Images with a bright band of four rows, the lower the higher their digit.
    fn bands(count: usize) -> Images {
        let bright = |i: usize| (i % PIXELS / (2 * SIDE)).abs_diff(2 + i / PIXELS % 10) < 2;
        Images {
            pixels: (0..count * PIXELS).map(|i| f32::from(u8::from(bright(i)))).collect(),
            labels: (0..count).map(|i| (i % 10) as i64).collect(),
        }
    }

    /// A net has so many parameters, learns a few images by heart, and reads digits.
    fn learns<P: Net>(parameters: usize) {
        let mut rng = Rng::seed(0);
        let mut net = P::init(&mut rng);
        assert_eq!(net.param_count(), parameters);
        let mut opt = AdamW::new(&net, 3e-3);
        let Images { pixels, labels } = bands(10);
        let x = Tensor::from_vec([10, 1, SIDE, SIDE], pixels).expect("as many");
        let losses: Vec<f32> =
            (0..40).map(|_| net.step(&mut opt, &x, &labels, &mut rng).expect("shapes fit")).collect();
        assert!(losses[35..].iter().all(|loss| *loss < 0.8 * losses[0]), "{losses:?}");
        let read = net.read(&x).expect("shapes fit");
        assert!(read.len() == 10 && read.iter().all(|digit| (0..10).contains(digit)), "{read:?}");
    }

    #[test]
    fn each_net_learns() {
        learns::<AlexNet>(317_290);
        learns::<Vgg>(147_162);
        learns::<ResNet>(78_042);
        learns::<MobileNet>(40_282);
        learns::<NasNet>(72_258);
    }

    #[test]
    fn a_run_that_was_stopped_ends_with_the_same_bits() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/mnist_5k.csv.gz");
        let (images, test) = mnist::split(&mnist::read(&file).expect("it is in the repository"));
        let data = (images.spread(60), test.spread(20));
        let folder = std::env::temp_dir().join(format!("kiln-vision-{}", std::process::id()));
        let weights = |name: &str, stop, resume| {
            let options = RunOptions { folder: Some(folder.join(name)), stop, resume, own: None };
            let ended = learn::<MobileNet>("mobilenet", &data, (2, 0), &options).is_ok();
            (ended, std::fs::read(folder.join(name).join("weights.safetensors")).ok())
        };
        let whole = weights("whole", None, false);
        assert!(!weights("parts", Some(1), false).0);
        assert!(weights("parts", None, true) == whole && whole.1.is_some());
        std::fs::remove_dir_all(&folder).expect("it is there");
    }
}

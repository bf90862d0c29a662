//! The training loop and the measure.

use crate::net::{Net, segment, train_step};
use crate::volume::{Volume, dice};
use kiln::optim::schedule;
use kiln::prelude::*;
use kiln_examples::run::Run;
use kiln_examples::{Result, Training};
use std::time::Instant;

/// The highest rate.
const LEARNING_RATE: f64 = 5e-3;
/// Numbers of volumes to learn from begin here; those below are held out.
const LEARNED: u64 = 1 << 32;

/// A net that learns, and its optimizer.
pub type Learner = Training<Net, Adam<Net>>;

/// A net of random weights.
pub fn begin(seed: u64) -> Learner {
    let mut rng = Rng::seed(seed);
    let net = Net::init(&mut rng);
    Training { opt: Adam::new(&net, LEARNING_RATE), net, rng }
}

/// Trains a net on so many volumes an epoch, each of which is seen once; the held-out ones only tell how it stands.
pub fn train(
    all: &mut Learner,
    (volumes, side): (usize, usize),
    test: &[Volume],
    run: &mut Run,
) -> Result<()> {
    let epochs = run.rest();
    let steps = (epochs.end * volumes) as u64;
    for _ in epochs {
        let (mut total, start) = (0.0, Instant::now());
        for step in 0..volumes {
            run.within(step, volumes);
            let Training { net, opt, rng } = &mut *all;
            let volume = Volume::new(LEARNED | rng.next_u64(), side);
            // Up in a line, then down to 0 along half a cosine (Loshchilov and Hutter, 2017).
            opt.lr = schedule::warmup_cosine(LEARNING_RATE, opt.steps() as u64 + 1, steps / 20, steps + 1);
            total += f64::from(train_step(net, opt, volume.x()?, volume.y()?)?.item()?);
        }
        let each = start.elapsed().as_secs_f64() / volumes as f64;
        let held_out = mean_dice(&mut all.net, test)?;
        let values = [("loss", total / volumes as f64), ("held-out dice", held_out)];
        run.log(&values, &format!("{each:.2} s a step"), all)?;
    }
    Ok(())
}

/// The probability of each voxel.
pub fn likely(net: &mut Net, volume: &Volume) -> kiln::Result<Vec<f32>> {
    Ok(segment(net, volume.x()?)?.into_vec())
}

/// Dice's coefficient of each volume, and the mean of them.
pub fn mean_dice(net: &mut Net, volumes: &[Volume]) -> kiln::Result<f64> {
    let mut total = 0.0;
    for volume in volumes {
        total += dice(&likely(net, volume)?, 0.5, &volume.inside);
    }
    Ok(total / volumes.len().max(1) as f64)
}

/// Volumes that nothing is learned from.
pub fn held_out(count: usize, side: usize) -> Vec<Volume> {
    (0..count as u64).map(|number| Volume::new(number, side)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A few steps on one volume lower the loss, and a net told of nothing says nothing.
    #[test]
    fn a_net_learns_a_volume() {
        let mut all = begin(0);
        let volume = Volume::new(3, 32);
        let mut step = || train_step(&mut all.net, &mut all.opt, volume.x()?, volume.y()?)?.item();
        let first = step().expect("shapes fit");
        let last = (0..12).map(|_| step().expect("shapes fit")).last().expect("twelve");
        assert!(last < 0.9 * first, "{first} {last}");
        let mut zeros = all.net.zeros_like();
        assert!(likely(&mut zeros, &volume).expect("shapes fit").iter().all(|p| *p == 0.5));
    }

    #[test]
    fn a_stop_changes_no_bit() {
        kiln_examples::stop::changes_no_bit(
            "segment3d",
            || begin(0),
            |all, run| train(all, (1, 32), &[], run),
        );
    }

    #[test]
    fn a_side_of_no_sixteenths_is_refused() {
        let error = likely(&mut begin(0).net, &Volume::new(0, 12)).expect_err("12 isn't 16 S").to_string();
        assert!(error.contains("x:") || error.contains("`x`"), "{error}");
    }
}

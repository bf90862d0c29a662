//! What is timed: a call, what it should give, and the memory that it needs.
//!
//! A workload is set up on random numbers that are the same at every run. Before it is timed, its first result is compared with the
//! eager run of the same model: an inference by its output, a training step by the loss and all that the step has changed.

use std::error::Error;

use kiln::prelude::*;

/// What goes wrong.
pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// A workload that is set up.
pub struct Workload {
    /// A call.
    pub run: Box<dyn FnMut() -> kiln::Result<()>>,
    /// Bytes of weights, and of the optimizer's state.
    pub kept: usize,
    /// Bytes of what is kept of the weights once they are frozen.
    pub frozen: usize,
    /// Bytes of arguments and results.
    pub passed: usize,
    /// Bytes between arguments and results, as the plan says.
    pub scratch: usize,
}

/// Sets a workload up, and compares it with the eager run if it is told so, which takes memory of its own.
pub type SetUp = fn(bool) -> Outcome<Workload>;

/// How far two results may be apart, as a share of the largest number: Winograd's tiles may lose 1e-4.
const APART: f32 = 1e-4;
/// How far what a step does to a tensor may be apart, as a share of it, where all is smooth.
pub const SMOOTH: f32 = 1e-4;
/// The same of nets with ReLUs: where k of n values fall to the other side of 0 by a rounding, gradients differ by √(k/n).
pub const RELUS: f32 = 1e-2;

/// Inference of a model of so many parameters, frozen, on an input of a shape.
macro_rules! inference {
    ($model:ident, $net:ty, $count:expr, $shape:expr) => {
        |check| {
            let mut rng = Rng::seed(0);
            let net = <$net>::init(&mut rng);
            $crate::workload::counted(&net, $count)?;
            let x: Tensor = init::normal(0.0, 1.0).tensor(&mut rng, &$shape);
            let kept = $crate::workload::bytes(&net);
            let want = check.then(|| $model::eager(&net, &x));
            let net = $model::into_frozen(net)?;
            let y = net.run(&x)?;
            if let Some(want) = want {
                $crate::workload::near("the output", &y, &want)?;
            }
            let (frozen, scratch) = ($model::FROZEN_BYTES, $model::SCRATCH_BYTES);
            let passed = $crate::workload::size(&x) + $crate::workload::size(&y);
            let run = Box::new(move || net.run(&x).map(|y| drop(std::hint::black_box(y))));
            Ok($crate::workload::Workload { run, kept, frozen, passed, scratch })
        }
    };
}

/// A step of Adam of a net of so many parameters on a batch that a function draws; what it changes may be so far apart.
macro_rules! training {
    ($step:ident, $net:ty, $count:expr, $apart:expr, $batch:expr) => {
        |check| {
            let mut rng = Rng::seed(0);
            let mut net = <$net>::init(&mut rng);
            $crate::workload::counted(&net, $count)?;
            let (x, y) = $batch(&mut rng);
            if check {
                // By a step of such a size that a gradient's own noise doesn't decide its sign.
                let adam = |net| Adam::new(net, 1.0).eps(1.0);
                let (mut compiled, mut eager) = (net.clone(), net.clone());
                let loss = $step(&mut compiled, &mut adam(&net), &x, &y)?;
                let want = $step::eager(&mut eager, &mut adam(&net), &x, &y);
                $crate::workload::near("the loss", &loss, &want)?;
                $crate::workload::near_all(&net, &compiled, &eager, $apart)?;
            }
            let mut opt = Adam::new(&net, 1e-3);
            let (kept, scratch) = (3 * $crate::workload::bytes(&net), $step::SCRATCH_BYTES);
            let passed = $crate::workload::size(&x) + $crate::workload::size(&y);
            let step = move || $step(&mut net, &mut opt, &x, &y).map(|loss| drop(std::hint::black_box(loss)));
            Ok($crate::workload::Workload { run: Box::new(step), kept, frozen: 0, passed, scratch })
        }
    };
}

pub(crate) use {inference, training};

/// Normally distributed.
pub fn normal(rng: &mut Rng, shape: &[usize]) -> Tensor {
    init::normal(0.0, 1.0).tensor(rng, shape)
}

/// Random classes below `most`.
pub fn classes<const R: usize>(rng: &mut Rng, shape: [usize; R], most: usize) -> Tensor<i64> {
    let ids = (0..shape.iter().product()).map(|_| rng.below(most) as i64).collect();
    Tensor::from_vec(shape, ids).expect("as many as the shape says")
}

/// # Errors
/// If a net has another number of parameters than it should.
pub fn counted(net: &impl Params, count: usize) -> Outcome<()> {
    match net.param_count() {
        found if found == count => Ok(()),
        found => Err(format!("{found} parameters, not {count}").into()),
    }
}

/// What all leaves take.
pub fn bytes(net: &impl Params) -> usize {
    let size = |leaf: &kiln::Leaf| leaf.tensor.len() * if leaf.tensor.as_f32().is_some() { 4 } else { 2 };
    net.named_leaves().iter().map(size).sum()
}

/// What a tensor takes.
pub fn size<T: kiln::Element>(tensor: &Tensor<T>) -> usize {
    tensor.shape().iter().product::<usize>() * size_of::<T>()
}

/// # Errors
/// If two results are farther apart than rounding explains.
pub fn near(what: &str, got: &Tensor, want: &Tensor) -> Outcome<()> {
    within(what, Tensor::copied(got)?.as_slice(), Tensor::copied(want)?.as_slice(), 0.0)
}

/// # Errors
/// If what a step has changed is farther from the eager run than a share of each tensor's change, in the root of its mean square, and
/// a little of the largest such change.
pub fn near_all<P: Params>(before: &P, got: &P, want: &P, share: f32) -> Outcome<()> {
    let (before, got, want) = (before.named_leaves(), got.named_leaves(), want.named_leaves());
    let rms = |a: &kiln::Leaf, b: &kiln::Leaf| {
        let (a, b) = (a.tensor.to_f32(), b.tensor.to_f32());
        (a.iter().zip(&b).map(|(a, b)| (a - b).powi(2)).sum::<f32>() / a.len() as f32).sqrt()
    };
    let changes: Vec<f32> = before.iter().zip(&want).map(|(from, to)| rms(from, to)).collect();
    let largest = changes.iter().fold(0.0, |most: f32, x| most.max(*x));
    for ((got, want), change) in got.iter().zip(&want).zip(changes) {
        let apart = rms(got, want);
        // A comparison with NaN is false: that is a fault too.
        let near = apart <= share * change + APART * largest;
        if !near {
            return Err(
                format!("{} is {apart:e} from the eager run, changed by {change:e}", want.name).into()
            );
        }
    }
    Ok(())
}

/// # Errors
/// If numbers are farther apart than a share of the largest, which is `least` at least.
pub fn within(what: &str, got: &[f32], want: &[f32], least: f32) -> Outcome<()> {
    if got.len() != want.len() {
        return Err(format!("{what} has {} numbers, eager {}", got.len(), want.len()).into());
    }
    let largest = want.iter().fold(least, |most, x| most.max(x.abs()));
    let apart = got.iter().zip(want).map(|(got, want)| (got - want).abs());
    // A comparison with NaN is false: that is a fault too.
    match apart.clone().all(|apart| apart <= APART * largest) {
        true => Ok(()),
        false => {
            let most = apart.fold(0.0, |most: f32, x| if x.is_nan() { x } else { most.max(x) });
            Err(format!("{what} is {most:e} from the eager run, whose largest number is {largest:e}").into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_found() {
        let right = [1.0, -2.0];
        assert!(within("x", &[1.0, -2.0001], &right, 0.0).is_ok());
        assert!(within("x", &[1.0, -2.001], &right, 0.0).is_err());
        assert!(within("x", &[1.0], &right, 0.0).is_err());
        assert!(within("x", &[f32::NAN, -2.0], &right, 0.0).is_err());
        assert!(within("x", &right, &[f32::NAN, -2.0], 0.0).is_err());
    }
}

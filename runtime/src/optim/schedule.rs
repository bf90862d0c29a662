//! Learning rates by the number of steps (or epochs) taken, counted from 0: what `torch.optim.lr_scheduler` and the
//! warm-ups of transformers' `get_…_schedule_with_warmup` set.
//!
//! They are functions of the base rate and the step, without state of their own, so that a run that is taken up again
//! goes on where it was:
//!
//! ```
//! use kiln::optim::schedule;
//! use kiln::prelude::*;
//!
//! let net = Linear::<3, 2>::init(&mut Rng::seed(0));
//! let mut opt = Sgd::new(&net, 0.1);
//! for _ in 0..3 {
//!     opt.lr = schedule::warmup_cosine(0.1, opt.steps() as u64, 10, 100);
//!     // train_step(&mut net, &mut opt, …)
//! }
//! ```

/// `base · gamma^⌊step / size⌋`: `StepLR`. A size of 0 counts as 1.
///
/// ```
/// let rates = [0, 3, 4, 8].map(|k| kiln::optim::schedule::step(0.8, k, 4, 0.5));
/// assert_eq!(rates, [0.8, 0.8, 0.4, 0.2]);
/// ```
pub fn step(base: f64, step: u64, size: u64, gamma: f64) -> f64 {
    base * gamma.powf((step / size.max(1)) as f64)
}

/// `base · gamma^m`, where m milestones are reached: `MultiStepLR`.
///
/// ```
/// let rates = [2, 3, 8].map(|k| kiln::optim::schedule::multistep(0.8, k, &[3, 8], 0.5));
/// assert_eq!(rates, [0.8, 0.4, 0.2]);
/// ```
pub fn multistep(base: f64, step: u64, milestones: &[u64], gamma: f64) -> f64 {
    base * gamma.powf(milestones.iter().filter(|m| **m <= step).count() as f64)
}

/// `base · gamma^step`: `ExponentialLR`.
///
/// ```
/// assert_eq!(kiln::optim::schedule::exponential(0.8, 2, 0.5), 0.2);
/// ```
pub fn exponential(base: f64, step: u64, gamma: f64) -> f64 {
    base * gamma.powf(step as f64)
}

/// `least + (base − least) · (1 + cos(π · step / half)) / 2`, which falls for `half` steps and rises for as many:
/// `CosineAnnealingLR(T_max=half, eta_min=least)`. Loshchilov and Hutter, *SGDR* (2017).
///
/// ```
/// let rates = [0, 5, 10].map(|k| kiln::optim::schedule::cosine(0.5, k, 10, 0.1));
/// assert!(rates.iter().zip([0.5, 0.3, 0.1]).all(|(got, want)| (got - want).abs() < 1e-12));
/// ```
pub fn cosine(base: f64, step: u64, half: u64, least: f64) -> f64 {
    least + (base - least) * wave(share(step, half))
}

/// `base · step / warmup`, then `base · (total − step) / (total − warmup)`, not under 0:
/// `get_linear_schedule_with_warmup`.
///
/// ```
/// let rates = [0, 2, 4, 6, 12].map(|k| kiln::optim::schedule::warmup_linear(0.8, k, 4, 8));
/// assert_eq!(rates, [0.0, 0.4, 0.8, 0.4, 0.0]);
/// ```
pub fn warmup_linear(base: f64, step: u64, warmup: u64, total: u64) -> f64 {
    warmed(base, step, warmup, total, |done| (1.0 - done).max(0.0))
}

/// `base · step / warmup`, then `base · (1 + cos(π · (step − warmup) / (total − warmup))) / 2`:
/// `get_cosine_schedule_with_warmup`.
///
/// ```
/// let rates = [2, 4, 6, 8].map(|k| kiln::optim::schedule::warmup_cosine(0.8, k, 4, 8));
/// assert!(rates.iter().zip([0.4, 0.8, 0.4, 0.0]).all(|(got, want)| (got - want).abs() < 1e-12));
/// ```
pub fn warmup_cosine(base: f64, step: u64, warmup: u64, total: u64) -> f64 {
    warmed(base, step, warmup, total, wave)
}

fn warmed(base: f64, step: u64, warmup: u64, total: u64, after: fn(f64) -> f64) -> f64 {
    match step < warmup {
        true => base * share(step, warmup),
        false => base * after(share(step - warmup, total.saturating_sub(warmup))),
    }
}

/// From 1 down to 0 and up again, as a cosine.
fn wave(done: f64) -> f64 {
    (1.0 + (std::f64::consts::PI * done).cos()) / 2.0
}

/// How much is done; all of it where there is nothing to do.
fn share(step: u64, of: u64) -> f64 {
    if of == 0 { 1.0 } else { step as f64 / of as f64 }
}

//! How sparse a net is at each step of training.

/// From one sparsity to another by a polynomial of the steps: tfmot's `PolynomialDecay`. Zhu and Gupta, *To prune, or not to
/// prune* (2017), has the cube.
///
/// Before `start` it is `initial`, then `last + (initial − last) · (1 − f)^power`, where f goes from 0 at `start` to 1 at
/// `end`; it moves at every `every`-th step from `start` on.
///
/// ```
/// use kiln::prelude::*;
/// use kiln::prune::{self, Schedule};
///
/// let schedule = Schedule::cubic(2, 10, 0.0, 0.8);
/// assert_eq!([0, 2, 10, 50].map(|k| schedule.sparsity(k)), [0.0, 0.0, 0.8, 0.8]);
///
/// let mut net = Linear::<8, 8>::init(&mut Rng::seed(0));
/// for step in 0..12 {
///     // train_step(&mut net, …)
///     let mask = prune::l1_unstructured(&net.weight, schedule.sparsity(step))?;
///     prune::apply(&mut net.weight, &mask)?;
/// }
/// assert_eq!(net.weight.as_slice().iter().filter(|w| **w == 0.0).count(), 51);
/// # Ok::<(), kiln::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// The first step that prunes.
    pub start: u64,
    /// The step from which on it is as sparse as it gets.
    pub end: u64,
    /// Sparsity before.
    pub initial: f64,
    /// Sparsity in the end.
    pub last: f64,
    /// Steps from one pruning to the next.
    pub every: u64,
    /// Degree of the polynomial.
    pub power: f64,
}

impl Schedule {
    /// By the cube, at every step.
    pub fn cubic(start: u64, end: u64, initial: f64, last: f64) -> Schedule {
        Schedule { start, end, initial, last, every: 1, power: 3.0 }
    }

    /// With other steps from one pruning to the next.
    pub fn every(self, every: u64) -> Schedule {
        Schedule { every, ..self }
    }

    /// With another degree.
    pub fn power(self, power: f64) -> Schedule {
        Schedule { power, ..self }
    }

    /// The share of weights that are zero after a step, counted from 0.
    pub fn sparsity(&self, step: u64) -> f64 {
        let Some(since) = step.checked_sub(self.start) else { return self.initial };
        let held = since - since % self.every.max(1);
        let done = match self.end.saturating_sub(self.start) {
            0 => 1.0,
            steps => (held as f64 / steps as f64).min(1.0),
        };
        self.last + (self.initial - self.last) * (1.0 - done).powf(self.power)
    }
}

//! Optimizers: a learning rate and the like, and moments of the same form as the parameters.
//!
//! A compiled model steps one: `opt.step(net, grads)` with `opt: &mut Adam<Mlp>`. Hyper-parameters are read when
//! the step runs, so that a [`schedule`] is an assignment:
//!
//! ```
//! use kiln::optim::schedule;
//! use kiln::prelude::*;
//!
//! let net = Linear::<3, 2>::init(&mut Rng::seed(0));
//! let mut opt = Adam::new(&net, 1e-3).betas(0.9, 0.95);
//! for epoch in 0..10 {
//!     opt.lr = schedule::exponential(1e-3, epoch, 0.9);
//!     // train_step(&mut net, &mut opt, …)
//! }
//! ```
//!
//! A step over parameters of bf16 is computed in f32. The moments have the types of their parameters, as in PyTorch: with 8 bits
//! a mean of squares hardly falls for a `beta2` above 0.996. Where that counts, train parameters of f32 and round them for use
//! ([`Params::load_rounded_bytes`]). Rules that divide by a mean of squares refuse f16, in which it would vanish.

use std::path::Path;

use crate::params::weights;
#[doc(hidden)]
pub use crate::params::weights::Number;
use crate::{Leaf, LeafKind, LeafMut, Params, Result};

mod adam;
mod define;
mod lamb;
mod lion;
mod rmsprop;
pub mod schedule;
mod sgd;
#[cfg(test)]
mod tests;

pub use crate::builtins::{Adam, AdamW, AmsGrad, Lamb, Lion, RmsProp, Sgd};
pub use adam::{Adam, AdamW, AmsGrad};
pub use lamb::Lamb;
pub use lion::Lion;
pub use rmsprop::RmsProp;
pub use sgd::Sgd;

/// What every optimizer can do beside a step: be saved and loaded.
///
/// A file holds the hyper-parameters and the number of steps as tensors of rank 0 (`lr`, `step`) and the moments of
/// trained leaves under PyTorch's names: `exp_avg.fc1.weight`, `exp_avg_sq.fc1.weight`, `momentum_buffer.fc1.weight`.
///
/// ```
/// use kiln::prelude::*;
///
/// let net = Linear::<3, 2>::init(&mut Rng::seed(0));
/// let saved = Sgd::new(&net, 0.1).momentum(0.9).to_bytes()?;
/// let mut opt = Sgd::new(&net, 0.5);
/// opt.load_bytes(&saved)?;
/// assert_eq!((opt.lr, opt.momentum), (0.1, 0.9));
/// # Ok::<(), kiln::Error>(())
/// ```
pub trait Optimizer: Sized {
    /// The hyper-parameters and the number of steps taken, by name.
    #[doc(hidden)]
    fn numbers(&self) -> Vec<(&'static str, Number)>;

    /// Sets the numbers, given in the order of [`Optimizer::numbers`].
    #[doc(hidden)]
    fn set_numbers(&mut self, numbers: &[Number]);

    /// The moments of all leaves.
    #[doc(hidden)]
    fn moments(&self) -> Vec<Leaf<'_>>;

    /// The same moments, to write to.
    #[doc(hidden)]
    fn moments_mut(&mut self) -> Vec<LeafMut<'_>>;

    /// Writes the state to a safetensors file, which is replaced as a whole or not at all.
    fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        weights::write(path.as_ref(), &self.to_bytes()?)
    }

    /// Reads the state from a safetensors file. On an error nothing has changed, and it lists every missing,
    /// unexpected and ill-shaped tensor at once.
    fn load(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = weights::read(path)?;
        self.load_bytes(&bytes).map_err(|error| error.in_file(path))
    }

    /// The state as the bytes of a safetensors file.
    fn to_bytes(&self) -> Result<Vec<u8>> {
        weights::encode(&trained(self.moments()), &self.numbers())
    }

    /// [`Optimizer::load`] from memory.
    fn load_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let (read, numbers) =
            weights::decode(&trained(self.moments()), &self.numbers(), bytes, weights::Types::AsDeclared)?;
        self.set_numbers(&numbers);
        let moments = self.moments_mut().into_iter().filter(|leaf| leaf.kind == LeafKind::Parameter);
        weights::set(moments.collect(), read)
    }
}

fn trained(leaves: Vec<Leaf<'_>>) -> Vec<Leaf<'_>> {
    leaves.into_iter().filter(|leaf| leaf.kind == LeafKind::Parameter).collect()
}

/// The leaves of several trees, each under its prefix.
fn leaves<'a, P: Params>(trees: &[(&str, &'a P)]) -> Vec<Leaf<'a>> {
    let mut out = Vec::new();
    trees.iter().for_each(|(prefix, tree)| tree.leaves(prefix, &mut out));
    out
}

/// [`leaves`] to write to.
fn leaves_mut<'a, P: Params>(trees: Vec<(&str, &'a mut P)>) -> Vec<LeafMut<'a>> {
    let mut out = Vec::new();
    for (prefix, tree) in trees {
        tree.leaves_mut(prefix, &mut out);
    }
    out
}

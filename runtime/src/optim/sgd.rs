//! Stochastic gradient descent.

use super::{Number, Optimizer, leaves, leaves_mut};
use crate::{Leaf, LeafMut, Params};

/// Stochastic gradient descent with momentum, Nesterov's look-ahead and L2 penalty: `torch.optim.SGD`.
///
/// `g += weight_decay·p`, `v = momentum·v + (1 − dampening)·g` (`v = g` at the first step), `p −= lr·v`; with Nesterov
/// `p −= lr·(g + momentum·v)`. Sutskever, Martens, Dahl and Hinton, *On the importance of initialization and momentum
/// in deep learning* (2013).
///
/// ```
/// use kiln::prelude::*;
///
/// let net = Linear::<3, 2>::init(&mut Rng::seed(0));
/// let mut opt = Sgd::new(&net, 0.1).momentum(0.9).nesterov(true).weight_decay(1e-4);
/// opt.lr *= 0.5;
/// assert_eq!((opt.lr, opt.steps()), (0.05, 0));
/// ```
#[derive(Clone, Debug)]
pub struct Sgd<P> {
    /// Learning rate.
    pub lr: f64,
    /// Share of the velocity that stays from step to step.
    pub momentum: f64,
    /// Share of the gradient that the velocity doesn't take, from the second step on.
    pub dampening: f64,
    /// L2 penalty.
    pub weight_decay: f64,
    nesterov: f64,
    velocity: P,
    step: i64,
}

impl<P: Params> Sgd<P> {
    /// Plain descent: no momentum, no weight decay.
    pub fn new(params: &P, lr: f64) -> Self {
        let velocity = params.zeros_like();
        Sgd { lr, momentum: 0.0, dampening: 0.0, weight_decay: 0.0, nesterov: 0.0, velocity, step: 0 }
    }

    /// With momentum.
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// With dampening.
    pub fn dampening(mut self, dampening: f64) -> Self {
        self.dampening = dampening;
        self
    }

    /// With Nesterov's look-ahead, or without.
    pub fn nesterov(mut self, on: bool) -> Self {
        self.nesterov = on.into();
        self
    }

    /// With L2 penalty.
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }

    /// The number of steps taken.
    pub fn steps(&self) -> i64 {
        self.step
    }
}

impl<P> Sgd<P> {
    /// Every field in the order in which compiled models know them.
    #[doc(hidden)]
    #[allow(clippy::type_complexity)]
    pub fn __kiln_fields(&self) -> (&f64, &f64, &f64, &f64, &f64, &P, &i64) {
        let Self { lr, momentum, dampening, weight_decay, nesterov, velocity, step } = self;
        (lr, momentum, dampening, weight_decay, nesterov, velocity, step)
    }

    /// The same to write to.
    #[doc(hidden)]
    #[allow(clippy::type_complexity)]
    pub fn __kiln_fields_mut(
        &mut self,
    ) -> (&mut f64, &mut f64, &mut f64, &mut f64, &mut f64, &mut P, &mut i64) {
        let Self { lr, momentum, dampening, weight_decay, nesterov, velocity, step } = self;
        (lr, momentum, dampening, weight_decay, nesterov, velocity, step)
    }
}

impl<P: Params> Optimizer for Sgd<P> {
    fn numbers(&self) -> Vec<(&'static str, Number)> {
        vec![
            ("lr", Number::F64(self.lr)),
            ("momentum", Number::F64(self.momentum)),
            ("dampening", Number::F64(self.dampening)),
            ("weight_decay", Number::F64(self.weight_decay)),
            ("nesterov", Number::F64(self.nesterov)),
            ("step", Number::I64(self.step)),
        ]
    }

    fn set_numbers(&mut self, numbers: &[Number]) {
        use Number::{F64, I64};
        let &[F64(lr), F64(momentum), F64(dampening), F64(weight_decay), F64(nesterov), I64(step)] = numbers
        else {
            return;
        };
        (self.lr, self.momentum, self.dampening, self.weight_decay) = (lr, momentum, dampening, weight_decay);
        (self.nesterov, self.step) = (nesterov, step);
    }

    fn moments(&self) -> Vec<Leaf<'_>> {
        leaves(&[("momentum_buffer", &self.velocity)])
    }

    fn moments_mut(&mut self) -> Vec<LeafMut<'_>> {
        leaves_mut(vec![("momentum_buffer", &mut self.velocity)])
    }
}

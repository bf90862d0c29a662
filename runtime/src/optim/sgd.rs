//! Stochastic gradient descent.

use super::define::optimizer;

optimizer! {
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
    Sgd {
        /// Share of the velocity that stays from step to step.
        pub momentum = 0.0;
        /// Share of the gradient that the velocity doesn't take, from the second step on.
        pub dampening = 0.0;
        /// L2 penalty.
        pub weight_decay = 0.0;
        nesterov = 0.0;
    }
    moments { velocity = "momentum_buffer"; }
    defaults = "Plain descent: no momentum, no weight decay.";
}

impl<P> Sgd<P> {
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
}

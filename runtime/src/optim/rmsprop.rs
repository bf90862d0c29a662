//! RMSprop.

use super::define::optimizer;

optimizer! {
    /// RMSprop with momentum: `torch.optim.RMSprop`. Tieleman and Hinton, *Lecture 6.5* (2012); centered: Graves, *Generating
    /// Sequences With Recurrent Neural Networks* (2013).
    ///
    /// `g += weight_decay·p`, `s = α·s + (1 − α)·g²`, `a = α·a + (1 − α)·g`, `v = momentum·v + g / (√s + eps)`, `p −= lr·v`;
    /// centered, the root is of `s − a²`. All of s, v and a are kept, whether they are needed or not.
    ///
    /// ```
    /// use kiln::prelude::*;
    ///
    /// let net = Linear::<3, 2>::init(&mut Rng::seed(0));
    /// let opt = RmsProp::new(&net, 1e-2).alpha(0.9).momentum(0.5).centered(true).eps(1e-6).weight_decay(0.1);
    /// assert_eq!((opt.lr, opt.alpha, opt.steps()), (1e-2, 0.9, 0));
    /// ```
    RmsProp {
        /// Share of the means that stays from step to step.
        pub alpha = 0.99;
        /// Keeps the quotient finite.
        pub eps = 1e-8;
        /// Share of the velocity that stays.
        pub momentum = 0.0;
        /// L2 penalty.
        pub weight_decay = 0.0;
        centered = 0.0;
    }
    moments { square = "square_avg"; velocity = "momentum_buffer"; mean = "grad_avg"; }
    defaults = "PyTorch's defaults: alpha 0.99, eps 1e-8, no momentum, no weight decay, not centered.";
}

impl<P> RmsProp<P> {
    /// With another share.
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// With another eps.
    pub fn eps(mut self, eps: f64) -> Self {
        self.eps = eps;
        self
    }

    /// With momentum.
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// With squares around the mean of gradients, or without.
    pub fn centered(mut self, on: bool) -> Self {
        self.centered = on.into();
        self
    }

    /// With L2 penalty.
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }
}

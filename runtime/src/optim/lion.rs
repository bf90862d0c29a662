//! Lion.

use super::define::optimizer;

optimizer! {
    /// Lion: steps of the sign alone. Chen et al., *Symbolic Discovery of Optimization Algorithms* (2023).
    ///
    /// `p −= lr·(sign(β₁m + (1 − β₁)g) + weight_decay·p)`, then `m = β₂m + (1 − β₂)g`.
    ///
    /// ```
    /// use kiln::prelude::*;
    ///
    /// let net = Linear::<3, 2>::init(&mut Rng::seed(0));
    /// let opt = Lion::new(&net, 1e-4).betas(0.95, 0.98).weight_decay(0.1);
    /// assert_eq!((opt.beta1, opt.weight_decay, opt.steps()), (0.95, 0.1, 0));
    /// ```
    Lion {
        /// Share of the mean of gradients in a step.
        pub beta1 = 0.9;
        /// Share of the mean of gradients that stays from step to step.
        pub beta2 = 0.99;
        /// Share by which parameters shrink, times the learning rate.
        pub weight_decay = 0.0;
    }
    moments { m = "exp_avg"; }
    defaults = "The paper's defaults: betas 0.9 and 0.99, no weight decay.";
}

impl<P> Lion<P> {
    /// With other shares.
    pub fn betas(mut self, beta1: f64, beta2: f64) -> Self {
        (self.beta1, self.beta2) = (beta1, beta2);
        self
    }

    /// With decay.
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }
}

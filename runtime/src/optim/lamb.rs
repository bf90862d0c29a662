//! LAMB.

use super::define::optimizer;

optimizer! {
    /// LAMB: steps of Adam as long as the parameter, for large batches. You et al., *Large Batch Optimization for Deep Learning:
    /// Training BERT in 76 minutes* (2020), algorithm 2 with φ(z) = z.
    ///
    /// `m = β₁m + (1 − β₁)g`, `v = β₂v + (1 − β₂)g²`, `r = m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + eps) + weight_decay·p`, then
    /// `p −= lr·|p|/|r|·r` with the norms over a parameter, each a layer of its own; without that factor if `|p|` or `|r|` is 0.
    ///
    /// ```
    /// use kiln::prelude::*;
    ///
    /// let net = Linear::<3, 2>::init(&mut Rng::seed(0));
    /// let opt = Lamb::new(&net, 2e-3).betas(0.9, 0.98).weight_decay(0.01);
    /// assert_eq!((opt.beta2, opt.weight_decay, opt.steps()), (0.98, 0.01, 0));
    /// ```
    Lamb {
        /// Decay of the mean of gradients.
        pub beta1 = 0.9;
        /// Decay of the mean of squares.
        pub beta2 = 0.999;
        /// Keeps the quotient finite.
        pub eps = 1e-6;
        /// Share by which parameters shrink, as a part of the step.
        pub weight_decay = 0.0;
    }
    moments { m = "exp_avg"; v = "exp_avg_sq"; }
    defaults = "The paper's defaults: betas 0.9 and 0.999, eps 1e-6; no weight decay.";
}

impl<P> Lamb<P> {
    /// With other decays of the means.
    pub fn betas(mut self, beta1: f64, beta2: f64) -> Self {
        (self.beta1, self.beta2) = (beta1, beta2);
        self
    }

    /// With another eps.
    pub fn eps(mut self, eps: f64) -> Self {
        self.eps = eps;
        self
    }

    /// With decay.
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }
}

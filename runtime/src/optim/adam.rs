//! Adam, AdamW with another weight decay, and AMSGrad over the largest mean of squares.

use super::define::optimizer;

optimizer! {
    /// Adam: `torch.optim.Adam`. Kingma and Ba, *Adam: A Method for Stochastic Optimization* (2015).
    ///
    /// `g += weight_decay·p`, `m = β₁m + (1 − β₁)g`, `v = β₂v + (1 − β₂)g²`, and at step t
    /// `p −= lr/(1 − β₁ᵗ) · m / (√(v/(1 − β₂ᵗ)) + eps)`. [`AmsGrad`] is `torch.optim.Adam(amsgrad=True)`.
    ///
    /// ```
    /// use kiln::prelude::*;
    ///
    /// let net = Linear::<3, 2>::init(&mut Rng::seed(0));
    /// let mut opt = Adam::new(&net, 1e-3).betas(0.9, 0.95).eps(1e-6);
    /// opt.lr *= 0.5;
    /// assert_eq!((opt.lr, opt.weight_decay), (5e-4, 0.0));
    /// ```
    Adam {
        /// Share of the mean of gradients that stays from step to step.
        pub beta1 = 0.9;
        /// Share of the mean of squares that stays.
        pub beta2 = 0.999;
        /// Keeps the quotient finite.
        pub eps = 1e-8;
        /// L2 penalty: added to the gradient.
        pub weight_decay = 0.0;
    }
    moments { m = "exp_avg"; v = "exp_avg_sq"; }
    defaults = "PyTorch's defaults: betas 0.9 and 0.999, eps 1e-8, no weight decay.";
}

optimizer! {
    /// Adam with decay apart from the gradient: `torch.optim.AdamW`. Loshchilov and Hutter, *Decoupled Weight Decay
    /// Regularization* (2019).
    ///
    /// `p −= lr·weight_decay·p`, then as [`Adam`] without penalty.
    ///
    /// ```
    /// use kiln::prelude::*;
    ///
    /// let net = Linear::<3, 2>::init(&mut Rng::seed(0));
    /// assert_eq!(AdamW::new(&net, 1e-3).weight_decay, 0.01);
    /// ```
    AdamW {
        /// Share of the mean of gradients that stays from step to step.
        pub beta1 = 0.9;
        /// Share of the mean of squares that stays.
        pub beta2 = 0.999;
        /// Keeps the quotient finite.
        pub eps = 1e-8;
        /// Share by which parameters shrink, times the learning rate.
        pub weight_decay = 0.01;
    }
    moments { m = "exp_avg"; v = "exp_avg_sq"; }
    defaults = "PyTorch's defaults: betas 0.9 and 0.999, eps 1e-8, weight decay 0.01.";
}

optimizer! {
    /// Adam over the largest mean of squares so far: `torch.optim.Adam(amsgrad=True)`, and
    /// `torch.optim.AdamW(amsgrad=True)` if decoupled. Reddi, Kale and Kumar, *On the Convergence of Adam and Beyond* (2018).
    ///
    /// As [`Adam`] with `w = max(w, v)` in place of v. It is a type of its own, so that Adam needn't keep w.
    ///
    /// ```
    /// use kiln::prelude::*;
    ///
    /// let net = Linear::<3, 2>::init(&mut Rng::seed(0));
    /// let opt = AmsGrad::new(&net, 1e-3).decoupled(true).weight_decay(0.01);
    /// assert_eq!((opt.beta2, opt.weight_decay), (0.999, 0.01));
    /// ```
    AmsGrad {
        /// Share of the mean of gradients that stays from step to step.
        pub beta1 = 0.9;
        /// Share of the mean of squares that stays.
        pub beta2 = 0.999;
        /// Keeps the quotient finite.
        pub eps = 1e-8;
        /// L2 penalty, or decay as [`AdamW`]'s if decoupled.
        pub weight_decay = 0.0;
        decoupled = 0.0;
    }
    moments { m = "exp_avg"; v = "exp_avg_sq"; v_max = "max_exp_avg_sq"; }
    defaults = "Adam's defaults: betas 0.9 and 0.999, eps 1e-8, no weight decay.";
}

impl<P> AmsGrad<P> {
    /// With decay apart from the gradient, or with a penalty.
    pub fn decoupled(mut self, on: bool) -> Self {
        self.decoupled = on.into();
        self
    }
}

macro_rules! options {
    ($($name:ident)*) => {$(
        impl<P> $name<P> {
            /// With other shares.
            pub fn betas(mut self, beta1: f64, beta2: f64) -> Self {
                (self.beta1, self.beta2) = (beta1, beta2);
                self
            }

            /// With another eps.
            pub fn eps(mut self, eps: f64) -> Self {
                self.eps = eps;
                self
            }

            /// With another weight decay.
            pub fn weight_decay(mut self, weight_decay: f64) -> Self {
                self.weight_decay = weight_decay;
                self
            }
        }
    )*};
}
options!(Adam AdamW AmsGrad);

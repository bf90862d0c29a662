//! Adam, and AdamW: the same with another weight decay.

use super::{Number, Optimizer, leaves, leaves_mut};
use crate::{Leaf, LeafMut, Params};

macro_rules! adam {
    ($(#[$doc:meta])* $name:ident, $decay:literal, $(#[$decay_doc:meta])*) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name<P> {
            /// Learning rate.
            pub lr: f64,
            /// Share of the mean of gradients that stays from step to step.
            pub beta1: f64,
            /// Share of the mean of squares that stays.
            pub beta2: f64,
            /// Keeps the quotient finite.
            pub eps: f64,
            $(#[$decay_doc])*
            pub weight_decay: f64,
            m: P,
            v: P,
            step: i64,
        }

        impl<P: Params> $name<P> {
            /// PyTorch's defaults: betas 0.9 and 0.999, eps 1e-8, weight decay
            #[doc = concat!(stringify!($decay), ".")]
            pub fn new(params: &P, lr: f64) -> Self {
                let (m, v) = (params.zeros_like(), params.zeros_like());
                $name { lr, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: $decay, m, v, step: 0 }
            }

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

            /// The number of steps taken.
            pub fn steps(&self) -> i64 {
                self.step
            }
        }

        impl<P> $name<P> {
            /// Every field in the order in which compiled models know them.
            #[doc(hidden)]
            #[allow(clippy::type_complexity)]
            pub fn __kiln_fields(&self) -> (&f64, &f64, &f64, &f64, &f64, &P, &P, &i64) {
                let Self { lr, beta1, beta2, eps, weight_decay, m, v, step } = self;
                (lr, beta1, beta2, eps, weight_decay, m, v, step)
            }

            /// The same to write to.
            #[doc(hidden)]
            #[allow(clippy::type_complexity)]
            pub fn __kiln_fields_mut(
                &mut self,
            ) -> (&mut f64, &mut f64, &mut f64, &mut f64, &mut f64, &mut P, &mut P, &mut i64) {
                let Self { lr, beta1, beta2, eps, weight_decay, m, v, step } = self;
                (lr, beta1, beta2, eps, weight_decay, m, v, step)
            }
        }

        impl<P: Params> Optimizer for $name<P> {
            fn numbers(&self) -> Vec<(&'static str, Number)> {
                vec![
                    ("lr", Number::F64(self.lr)),
                    ("beta1", Number::F64(self.beta1)),
                    ("beta2", Number::F64(self.beta2)),
                    ("eps", Number::F64(self.eps)),
                    ("weight_decay", Number::F64(self.weight_decay)),
                    ("step", Number::I64(self.step)),
                ]
            }

            fn set_numbers(&mut self, numbers: &[Number]) {
                use Number::{F64, I64};
                let &[F64(lr), F64(beta1), F64(beta2), F64(eps), F64(weight_decay), I64(step)] = numbers else {
                    return;
                };
                (self.lr, self.beta1, self.beta2) = (lr, beta1, beta2);
                (self.eps, self.weight_decay, self.step) = (eps, weight_decay, step);
            }

            fn moments(&self) -> Vec<Leaf<'_>> {
                leaves(&[("exp_avg", &self.m), ("exp_avg_sq", &self.v)])
            }

            fn moments_mut(&mut self) -> Vec<LeafMut<'_>> {
                leaves_mut(vec![("exp_avg", &mut self.m), ("exp_avg_sq", &mut self.v)])
            }
        }
    };
}

adam! {
    /// Adam: `torch.optim.Adam`. Kingma and Ba, *Adam: A Method for Stochastic Optimization* (2015).
    ///
    /// `g += weight_decay·p`, `m = β₁m + (1 − β₁)g`, `v = β₂v + (1 − β₂)g²`, and at step t
    /// `p −= lr/(1 − β₁ᵗ) · m / (√(v/(1 − β₂ᵗ)) + eps)`.
    ///
    /// ```
    /// use kiln::prelude::*;
    ///
    /// let net = Linear::<3, 2>::init(&mut Rng::seed(0));
    /// let mut opt = Adam::new(&net, 1e-3).betas(0.9, 0.95).eps(1e-6);
    /// opt.lr *= 0.5;
    /// assert_eq!((opt.lr, opt.weight_decay), (5e-4, 0.0));
    /// ```
    Adam, 0.0,
    /// L2 penalty: added to the gradient.
}

adam! {
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
    AdamW, 0.01,
    /// Share by which parameters shrink, times the learning rate.
}

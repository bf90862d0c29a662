//! Parameters and models that another crate builds on.

use kiln::prelude::*;

pub mod mixer;
pub mod named;

/// Scale and shift of a vector of `C` channels, with a running mean.
#[params(forward = scale)]
pub struct Scale<const C: usize> {
    /// Factors, `[C]`.
    #[init(ones())]
    pub weight: Tensor<C>,
    /// Offsets, `[C]`.
    pub bias: Tensor<C>,
    /// Mean of what passed, `[C]`; not trained.
    #[buffer]
    pub running_mean: Tensor<C>,
}

/// `(x − running_mean)·weight + bias`
#[model(inline)]
pub fn scale<const N: usize, const C: usize>(s: &Scale<C>, x: Tensor<N, C>) -> Tensor<N, C> {
    (x - s.running_mean) * s.weight + s.bias
}

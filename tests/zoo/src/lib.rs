//! Parameters that another crate nests.

use kiln::prelude::*;

/// Scale and shift of a vector of `C` channels, with a running mean.
#[params]
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
